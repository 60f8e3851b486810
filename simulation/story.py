"""What goes on in a run, from top to bottom: the market, the venue and who restarts it, the people,
the faults; then the calm in which everything must come to its end, and the last look."""

import trio

from simulation import faults
from simulation.disk import SimulatedDisk
from simulation.exchange import SimulatedExchange
from simulation.keeper import Keeper
from simulation.network import SimulatedNetwork
from simulation.objects import SimulatedObjects
from simulation.store import SimulatedStore
from simulation.witness import Witness
from simulation.world import World


async def tell(world: World) -> None:
    """The whole run. Ends by itself, or is cancelled by the first violation."""
    world.exchange = SimulatedExchange(world)
    world.network = SimulatedNetwork(world)
    world.store = SimulatedStore(world)
    world.objects = SimulatedObjects(world)
    world.disk = SimulatedDisk(world)
    world.witness = Witness(world)
    world.keeper = Keeper(world)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.exchange.trade)
        await nursery.start(world.keeper.run)
        nursery.start_soon(faults.strike_all, world)
        await trio.sleep_until(world.scenario.seconds)
        world.calm.set()
        await world.keeper.end()
        nursery.cancel_scope.cancel()
