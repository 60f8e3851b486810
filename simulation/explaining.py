"""What a fault excuses. Whatever fails beyond it is a defect of the venue."""

from collections.abc import Collection
from typing import Final

from simulation.scenario import FaultKind
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
HUNG_S: Final = 20
"""A heartbeat's limit is 30 s: what slowed an actor down for less in all did not make it hang."""

SLOW: Final = frozenset({FaultKind.ACTOR_HANG, FaultKind.DISK_SLOW})
DISK: Final = frozenset({FaultKind.DISK_FULL})
STORE: Final = frozenset({FaultKind.STORE_DOWN, FaultKind.STORE_SLOW})
OBJECTS: Final = frozenset({FaultKind.OBJECTS_FAIL, FaultKind.OBJECTS_CORRUPT})

ERRORS: Final[dict[str, frozenset[FaultKind]]] = {
    "store_unavailable": STORE,
    "ledger_unreadable": DISK | SLOW,
    "audit_log_unwritable": DISK | SLOW,
    "disk_not_seen": SLOW,
    "disk_full": DISK,
    "disk_emergency": DISK,
    "prices_not_recorded": DISK | SLOW,
    "week_not_turned": DISK,
    "backup_failed": OBJECTS | DISK | SLOW,
    "archive_unusable": OBJECTS | DISK | SLOW,
    "archive_step_failed": OBJECTS | DISK | SLOW,
    "restore_failed": OBJECTS | DISK | SLOW,
    "ledger_not_checked": DISK | SLOW,
}
"""Lines of level `error` and the faults that may bring them about; any other line is a defect."""
NEWS: Final = frozenset({"PRICE_FEED_CRITICAL", "PRICE_FEED_HEALTHY", "PRICE_FEED_DEGRADED"})
"""Not of the venue's doing."""
RAISED: Final[tuple[tuple[str, frozenset[FaultKind]], ...]] = (
    ("CrashOnPurpose", frozenset({FaultKind.ACTOR_CRASH})),
    ("database or disk is full", DISK),
    ("No space left on device", DISK),
    ("StoreUnavailable", STORE),
)
"""What stands in the traceback of an actor that has crashed because of a fault."""


def is_explained(world: World, kinds: Collection[FaultKind], *, least_s: float = 0) -> bool:
    """Is a fault of one of these kinds at work, or was it not long ago? `least_s`: so long they
    last in all."""
    now_s = world.now_s()
    lasted_s = [
        fault.lasts_s
        for fault in world.scenario.faults
        if fault.kind in kinds
        and fault.at_s <= now_s <= fault.at_s + fault.lasts_s + ECHO_S[fault.kind]
    ]
    return bool(lasted_s) and sum(lasted_s) >= least_s


def is_slowed_since(world: World, since_s: float) -> bool:
    """Has anything been slow or stuck since then?"""
    return any(
        fault.kind in SLOW and fault.at_s <= world.now_s() and since_s <= fault.at_s + fault.lasts_s
        for fault in world.scenario.faults
    )


def is_error_explained(world: World, event: str) -> bool:
    """Is that line of level `error` as it should be?"""
    return event in NEWS or is_explained(world, ERRORS.get(event, ()))


def is_end_explained(world: World, ended: ExitReport) -> bool:
    """Did that life end well, or by a fault?"""
    if ended.reason in (Reason.NORMAL, Reason.SHUTDOWN):
        return True
    slow = ended.reason in (Reason.HUNG, Reason.KILLED) or ended.context is Context.STUCK
    if ended.reason is Reason.HUNG:
        return is_explained(world, SLOW, least_s=HUNG_S)
    if slow or ended.message.startswith(("not ready in", "its last life is stuck")):
        return is_explained(world, SLOW)
    if ended.type == "GaveUp":
        return True  # those whose ends were too many were looked at one by one
    return any(
        trace in ended.stack or trace in ended.message
        for trace, kinds in RAISED
        if is_explained(world, kinds)
    )
