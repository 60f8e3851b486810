"""What a fault excuses, and how bad it has to be for that. Whatever fails beyond it is a defect of
the venue."""

from collections.abc import Collection
from typing import Final

import attrs

from simulation.scenario import Fault, FaultKind
from simulation.world import World
from supervisor import ExitReport, Reason
from supervisor.report import Context

ECHO_S: Final = {
    FaultKind.ACTOR_CRASH: 120,  # it waits for its moment; the traceback is the proof
    FaultKind.ACTOR_HANG: 40,  # a heartbeat's limit of 30 s, and what has waited
    FaultKind.DISK_FULL: 20,
    FaultKind.DISK_SLOW: 40,
    FaultKind.STORE_DOWN: 15,
    FaultKind.STORE_SLOW: 15,
    FaultKind.OBJECTS_FAIL: 90,
    FaultKind.OBJECTS_CORRUPT: 90,  # what is spoilt is found when it is read again
}
"""So long after its end a fault may show: a back-off has to run out, a limit to be reached."""


@attrs.frozen
class Cause:
    """Faults of a kind that are bad enough; one without an amount is."""

    kind: FaultKind
    amount_min: int = 0

    def covers(self, fault: Fault) -> bool:
        """Is it such a fault?"""
        return fault.kind is self.kind and (not fault.amount or fault.amount >= self.amount_min)


Causes = frozenset[Cause]

HANG: Final = Cause(FaultKind.ACTOR_HANG)
SLOW: Final = frozenset({HANG, Cause(FaultKind.DISK_SLOW, 20)})
"""Ten calls that take 20 ms longer are 0.2 s: the least time that an actor has to stop."""
HELD_UP: Final = frozenset({HANG, Cause(FaultKind.DISK_SLOW, 100)})
"""With 100 ms more for a call, who makes one after the other waits for most of the time."""
NO_ROOM: Final = frozenset({Cause(FaultKind.DISK_FULL, 100)})
"""Writes fail on a disk that is full; one that is merely filled takes what it is given."""
STORE: Final = frozenset({Cause(FaultKind.STORE_DOWN), Cause(FaultKind.STORE_SLOW)})
OBJECTS: Final = frozenset({Cause(FaultKind.OBJECTS_FAIL), Cause(FaultKind.OBJECTS_CORRUPT)})

HUNG_S: Final = 20
"""A heartbeat's limit is 30 s: what held an actor up for less in all did not make it hang."""
STUCK_S: Final = 0.5
"""Who is cancelled has a second to go, of which his call may take half by itself."""

ERRORS: Final[dict[str, Causes]] = {
    "store_unavailable": STORE,
    "ledger_unreadable": NO_ROOM | SLOW,
    "audit_log_unwritable": NO_ROOM | SLOW,
    "disk_not_seen": HELD_UP,
    "disk_full": frozenset({Cause(FaultKind.DISK_FULL, 85)}),
    "disk_emergency": frozenset({Cause(FaultKind.DISK_FULL, 95)}),
    "prices_not_recorded": NO_ROOM,
    "week_not_turned": NO_ROOM,
    "backup_failed": OBJECTS | NO_ROOM | SLOW,
    "archive_unusable": OBJECTS | NO_ROOM | SLOW,
    "archive_step_failed": OBJECTS | NO_ROOM | SLOW,
    "restore_failed": OBJECTS | NO_ROOM | SLOW,
    "ledger_not_checked": NO_ROOM | SLOW,
}
"""Lines of level `error` and the faults that may bring them about; any other line is a defect."""
NEWS: Final = "PRICE_FEED_CRITICAL"
"""An error, but of the market's doing; whether it is true is looked at by another."""
RAISED: Final[tuple[tuple[str, Causes], ...]] = (
    ("CrashOnPurpose", frozenset({Cause(FaultKind.ACTOR_CRASH)})),
    ("database or disk is full", NO_ROOM),
    ("No space left on device", NO_ROOM),
    ("StoreUnavailable", STORE),
)
"""What stands in the traceback of an actor that has crashed because of a fault."""


def is_explained(world: World, causes: Collection[Cause], *, least_s: float = 0) -> bool:
    """Is one of these at work, or was it not long ago? `least_s`: so long they last in all."""
    now_s = world.now_s()
    lasted_s = [
        fault.lasts_s
        for fault in world.scenario.faults
        if any(cause.covers(fault) for cause in causes)
        and fault.at_s <= now_s <= fault.at_s + fault.lasts_s + ECHO_S[fault.kind]
    ]
    return bool(lasted_s) and sum(lasted_s) >= least_s


def is_slowed_since(world: World, since_s: float) -> bool:
    """Has anything been slow or stuck since then?"""
    now_s = world.now_s()
    return any(
        fault.at_s <= now_s and since_s <= fault.at_s + fault.lasts_s
        for fault in world.scenario.faults
        if any(cause.covers(fault) for cause in SLOW)
    )


def is_error_explained(world: World, event: str) -> bool:
    """Is that line of level `error` as it should be?"""
    return event == NEWS or is_explained(world, ERRORS.get(event, ()))


def is_end_explained(world: World, ended: ExitReport) -> bool:
    """Did that life end well, or by a fault?"""
    if ended.reason in (Reason.NORMAL, Reason.SHUTDOWN):
        return True
    if ended.type == "GaveUp":
        return True  # whether they were too many is looked at in `giving_up`
    if ended.reason is Reason.HUNG or ended.message.startswith("not ready in"):
        return is_explained(world, HELD_UP, least_s=HUNG_S)
    if ended.context is Context.STUCK:
        return is_explained(world, HELD_UP, least_s=STUCK_S)
    if ended.reason is Reason.KILLED:
        return is_explained(world, SLOW)
    return any(
        trace in ended.stack or trace in ended.message
        for trace, causes in RAISED
        if is_explained(world, causes)
    )
