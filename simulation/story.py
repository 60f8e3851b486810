"""What goes on in a run, from top to bottom: the market, the venue and who restarts it, the people,
the faults; then the calm in which everything must come to its end, and the last look."""

import trio

from simulation.exchange import SimulatedExchange
from simulation.keeper import Keeper
from simulation.world import World


async def tell(world: World) -> None:
    """The whole run. Ends by itself, or is cancelled by the first violation."""
    async with trio.open_nursery() as nursery:
        exchange = SimulatedExchange(world)
        keeper = Keeper(world, exchange)
        nursery.start_soon(exchange.trade)
        await nursery.start(keeper.run)
        await trio.sleep(world.scenario.seconds)
        await keeper.end()
        nursery.cancel_scope.cancel()
