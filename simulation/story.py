"""What goes on in a run, from top to bottom: the market, the venue and who restarts it, the people,
the faults; then the calm in which everything must come to its end, and the last look."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

import trio

from db.partition import current_file
from simulation import faults
from simulation.actions import OPERATOR
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
PEOPLE_END_WITHIN_S: Final = 300
"""What people have begun when the calm begins: the longest is what the operator must undo, which he
tries for 200 s (and says so himself if that is in vain), after an order of 42 s at most."""
RECKONED_WITHIN_S: Final = 600
"""Each question is asked for 240 s at most before it is told as unanswered. A stream has 60 s to
catch up, a week 60 s to be back, a nonce may be in doubt for 75 s."""
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
        if unfinished := await crowd.unfinished(within_s=PEOPLE_END_WITHIN_S):
            _never_done(world, f"{unfinished} go on in the calm; the operator is {OPERATOR}")
        await _all_ended(world)
        with trio.move_on_after(RECKONED_WITHIN_S) as reckoning:
            await crowd.reckon()
        if reckoning.cancelled_caught:
            _never_done(world, "some go on reckoning")
        await world.keeper.end()
        world.witness.finish()
        nursery.cancel_scope.cancel()


def _never_done(world: World, what: str) -> None:
    """Nobody may wait for ever, whatever he waits for: nothing is in his way any more."""
    if world.process is None or not world.process.is_up:
        world.violated("venue_not_up", what)
    world.violated("people_never_done", what)


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
    if open_bets < 0:
        world.violated("venue_not_up", f"at no time in the {ENDS_WITHIN_S} s after people stopped")
    world.violated("bet_never_ended", f"{open_bets} open {ENDS_WITHIN_S} s after people stopped")


def _open_bets(money: Path) -> int:
    """How many bets are open. Those of the week before were carried into the current file."""
    current = current_file(money)
    with closing(sqlite3.connect(f"file:{current}?mode=ro", uri=True)) as ledger:
        count: int
        (count,) = ledger.execute("SELECT count(*) FROM bets WHERE status = 'confirmed'").fetchone()
        return count
