"""What goes on in a run, from top to bottom: the market, the venue and who restarts it, the people,
the faults; then the calm in which everything must come to its end, and the last look."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

import trio

from db.partition import current_file
from simulation import faults
from simulation.disk import SimulatedDisk
from simulation.exchange import SimulatedExchange
from simulation.keeper import Keeper
from simulation.logwatch import listening
from simulation.network import SimulatedNetwork
from simulation.objects import SimulatedObjects
from simulation.observers.money_watch import money_observers
from simulation.observers.safekeeping import SafekeepingObserver
from simulation.observers.watch import market_observers
from simulation.people.crowd import Crowd
from simulation.store import SimulatedStore
from simulation.witness import Witness
from simulation.world import World

ENDS_WITHIN_S: Final = 180
"""A bet made at the last moment: its column ends 65 s later, is void 60 s after that at the latest,
and the venue may be just starting; the rest is room for the people's questions."""
LOOK_EVERY_S: Final = 1.0


def furnish(world: World) -> None:
    """Put the twins in; nothing runs yet."""
    world.exchange = SimulatedExchange(world)
    world.network = SimulatedNetwork(world)
    world.store = SimulatedStore(world)
    world.objects = SimulatedObjects(world)
    world.disk = SimulatedDisk(world)
    world.witness = Witness()
    world.witness.observers.append(SafekeepingObserver(world))
    world.keeper = Keeper(world)
    world.witness.observers += money_observers(world)
    world.witness.observers.extend(market_observers(world))


async def tell(world: World) -> None:
    """The whole run. Ends by itself, or is cancelled by the first violation."""
    furnish(world)
    with listening(world), world.disk.in_force():
        await _run(world)


async def _run(world: World) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.exchange.trade)
        nursery.start_soon(world.keeper.run)
        nursery.start_soon(faults.strike_all, world)
        crowd = Crowd(world)
        nursery.start_soon(crowd.live)
        await trio.sleep_until(world.scenario.seconds)
        world.trace.add("calm")
        world.calm.set()
        await crowd.wait_done()
        await _all_ended(world)
        await crowd.reckon()
        await world.keeper.end()
        world.witness.finish()
        nursery.cancel_scope.cancel()


async def _all_ended(world: World) -> None:
    """Wait until no bet is open and the venue is up."""
    open_bets = -1
    with trio.move_on_after(ENDS_WITHIN_S):
        while open_bets:
            await trio.sleep(LOOK_EVERY_S)
            process = world.process
            if process is not None and process.is_up:
                open_bets = _open_bets(process.data / "money")
        return
    world.violated("bet_never_ended", f"{open_bets} open {ENDS_WITHIN_S} s after people stopped")


def _open_bets(money: Path) -> int:
    """How many bets are open. Those of the week before were carried into the current file."""
    current = current_file(money)
    with closing(sqlite3.connect(f"file:{current}?mode=ro", uri=True)) as ledger:
        count: int
        (count,) = ledger.execute("SELECT count(*) FROM bets WHERE status = 'confirmed'").fetchone()
        return count
