"""Which twin each fault strikes, and when."""

from typing import Final, Protocol

import trio

from simulation import clock, weeks
from simulation.scenario import Fault, FaultKind
from simulation.world import World

STRUCK: Final[dict[FaultKind, str]] = {
    FaultKind.ACTOR_CRASH: "keeper",
    FaultKind.ACTOR_HANG: "keeper",
    FaultKind.KILL: "keeper",
    FaultKind.DRAIN: "keeper",
    FaultKind.FEED_SILENCE: "exchange",
    FaultKind.FEED_LOST: "exchange",
    FaultKind.FEED_GAP: "exchange",
    FaultKind.FEED_DUPLICATES: "exchange",
    FaultKind.FEED_REORDER: "exchange",
    FaultKind.FEED_SPIKE: "exchange",
    FaultKind.FEED_LAG: "exchange",
    FaultKind.STORE_DOWN: "store",
    FaultKind.STORE_SLOW: "store",
    FaultKind.STORE_WIPED: "store",
    FaultKind.OBJECTS_FAIL: "objects",
    FaultKind.OBJECTS_CORRUPT: "objects",
    FaultKind.DISK_FULL: "disk",
    FaultKind.DISK_SLOW: "disk",
    FaultKind.NET_CUT: "network",
    FaultKind.NET_STALL: "network",
    FaultKind.NET_SLOW: "network",
}
"""The twin's name in the world, by the kind of fault."""
OF_TIME: Final = frozenset(
    {FaultKind.CLOCK_FORWARD, FaultKind.CLOCK_BACK, FaultKind.WEEK_TURN},
)
"""They strike no twin."""


class Twin(Protocol):
    """Can be struck."""

    async def strike(self, fault: Fault) -> None:
        """Fail that way, for as long as the fault lasts."""
        ...


async def strike_all(world: World) -> None:
    """Every fault of the scenario at its time. A strike ends, mended, when its time is over or the
    calm begins."""
    async with trio.open_nursery() as nursery:
        for fault in world.scenario.faults:
            nursery.start_soon(_strike, world, fault)


async def _strike(world: World, fault: Fault) -> None:
    await trio.sleep_until(fault.at_s)
    world.trace.add("fault", fault.kind.value, fault.lasts_s, fault.target, fault.amount)
    match fault.kind:
        case FaultKind.CLOCK_FORWARD | FaultKind.CLOCK_BACK:
            await clock.step(world, fault)
        case FaultKind.WEEK_TURN:
            await weeks.turn(world, fault)
        case _:
            twin: Twin = getattr(world, STRUCK[fault.kind])
            await twin.strike(fault)
