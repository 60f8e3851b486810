"""Which twin each fault strikes, and when."""

from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

import trio

from simulation import clock
from simulation.scenario import Fault, FaultKind
from simulation.world import World

Strike: TypeAlias = Callable[[World, Fault], Awaitable[None]]

STRIKES: Final[dict[FaultKind, Strike]] = {
    FaultKind.ACTOR_CRASH: lambda world, fault: world.keeper.strike(fault),
    FaultKind.ACTOR_HANG: lambda world, fault: world.keeper.strike(fault),
    FaultKind.KILL: lambda world, fault: world.keeper.strike(fault),
    FaultKind.DRAIN: lambda world, fault: world.keeper.strike(fault),
    FaultKind.CLOCK_FORWARD: clock.step,
    FaultKind.CLOCK_BACK: clock.step,
    FaultKind.FEED_SILENCE: lambda world, fault: world.exchange.strike(fault),
    FaultKind.FEED_LOST: lambda world, fault: world.exchange.strike(fault),
    FaultKind.FEED_GAP: lambda world, fault: world.exchange.strike(fault),
    FaultKind.FEED_DUPLICATES: lambda world, fault: world.exchange.strike(fault),
    FaultKind.FEED_REORDER: lambda world, fault: world.exchange.strike(fault),
    FaultKind.FEED_SPIKE: lambda world, fault: world.exchange.strike(fault),
    FaultKind.FEED_LAG: lambda world, fault: world.exchange.strike(fault),
    FaultKind.STORE_DOWN: lambda world, fault: world.store.strike(fault),
    FaultKind.STORE_SLOW: lambda world, fault: world.store.strike(fault),
    FaultKind.STORE_WIPED: lambda world, fault: world.store.strike(fault),
    FaultKind.OBJECTS_FAIL: lambda world, fault: world.objects.strike(fault),
    FaultKind.OBJECTS_CORRUPT: lambda world, fault: world.objects.strike(fault),
    FaultKind.DISK_FULL: lambda world, fault: world.disk.strike(fault),
    FaultKind.DISK_SLOW: lambda world, fault: world.disk.strike(fault),
    FaultKind.NET_CUT: lambda world, fault: world.network.strike(fault),
    FaultKind.NET_STALL: lambda world, fault: world.network.strike(fault),
    FaultKind.NET_SLOW: lambda world, fault: world.network.strike(fault),
    FaultKind.WEEK_TURN: clock.turn_week,
}


async def strike_all(world: World) -> None:
    """Every fault of the scenario at its time. A strike ends, mended, when its time is over or the
    calm begins."""
    async with trio.open_nursery() as nursery:
        for fault in world.scenario.faults:
            nursery.start_soon(_strike, world, fault)


async def _strike(world: World, fault: Fault) -> None:
    await trio.sleep_until(fault.at_s)
    world.trace.add("fault", fault.kind.value, fault.lasts_s, fault.target, fault.amount)
    await STRIKES[fault.kind](world, fault)
