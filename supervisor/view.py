"""The tree as plain values: what `status`, `list_children` and `count_children` answer.

Reads the levels and slots, changes nothing and never waits, so that it answers at any moment.
"""

import trio

from supervisor import intensity
from supervisor.child import SupervisorSpec
from supervisor.level import Level
from supervisor.slot import Slot
from supervisor.stacks import waiting_on
from supervisor.status import (
    ChildCounts,
    ChildListing,
    ChildStatus,
    Kind,
    LastFailure,
    State,
    SupervisorStatus,
)


def listing_of(level: Level) -> tuple[ChildListing, ...]:
    """The children of one supervisor, in start order; temporary ones that ended are forgotten."""
    return tuple(
        ChildListing(id=slot.spec.id, path=slot.path, kind=_kind_of(slot), state=slot.state)
        for slot in level.slots
        if not slot.is_forgotten
    )


def counts_of(level: Level) -> ChildCounts:
    known = [slot for slot in level.slots if not slot.is_forgotten]
    supervisors = sum(_kind_of(slot) is Kind.SUPERVISOR for slot in known)
    return ChildCounts(
        specs=len(known),
        active=sum(not slot.is_gone() for slot in known),
        supervisors=supervisors,
        workers=len(known) - supervisors,
    )


def stuck_below(level: Level) -> tuple[str, ...]:
    """The paths of all actors that do not end."""
    paths: list[str] = []
    for slot in level.slots:
        if slot.level is not None:
            paths.extend(stuck_below(slot.level))
        elif slot.state is State.STUCK and not slot.is_gone():
            paths.append(slot.path)
    return tuple(paths)


def status_of(level: Level) -> SupervisorStatus:
    """One supervisor and all below it."""
    ready_at = level.life.ready_at if level.state is State.RUNNING else None
    is_leaving = level.state is State.RUNNING and level.is_stopping()
    return SupervisorStatus(
        path=level.path,
        state=State.STOPPING if is_leaving else level.state,
        strategy=level.spec.strategy.value,
        restarts_in_window=level.restarts_in_window(),
        restarts_max=level.spec.restarts_max,
        period_s=level.spec.period_s,
        restarts_total=level.life.number - 1,
        uptime_s=None if ready_at is None else trio.current_time() - ready_at,
        retry_in_s=None,
        last_failure=None,
        children=tuple(_child_status(level, slot) for slot in level.slots),
    )


def _child_status(level: Level, slot: Slot) -> ChildStatus | SupervisorStatus:
    if isinstance(slot.spec, SupervisorSpec):
        return _nested_status(level, slot, slot.spec)
    return _own_status(level, slot)


def _nested_status(level: Level, slot: Slot, spec: SupervisorSpec) -> SupervisorStatus:
    """A supervisor as a child: what it says of those below, what its parent says of it."""
    own = _own_status(level, slot)
    return SupervisorStatus(
        path=slot.path,
        state=slot.state,
        strategy=spec.strategy.value,
        restarts_in_window=slot.level.restarts_in_window() if slot.level is not None else 0,
        restarts_max=spec.restarts_max,
        period_s=spec.period_s,
        restarts_total=own.restarts_total,
        uptime_s=own.uptime_s,
        retry_in_s=own.retry_in_s,
        last_failure=own.last_failure,
        children=status_of(slot.level).children if slot.level is not None else (),
    )


def _own_status(level: Level, slot: Slot) -> ChildStatus:
    now = trio.current_time()
    channels = slot.life.channels.values() if slot.life is not None else ()
    is_alive = slot.task is not None and slot.ending is None
    return ChildStatus(
        path=slot.path,
        state=slot.state,
        restarts_in_window=len(intensity.recent(slot.restarted_at, now, level.spec.period_s)),
        restarts_total=max(0, slot.lives - 1),
        uptime_s=_uptime_s(slot),
        retry_in_s=level.retry_in_s(slot),
        last_failure=_last_failure(slot),
        waiting_on=waiting_on(slot.task) if is_alive and slot.task is not None else "",
        channels=tuple(channel.statistics() for channel in channels),
    )


def _uptime_s(slot: Slot) -> float | None:
    if slot.state is not State.RUNNING or slot.life is None or slot.life.ready_at is None:
        return None
    return trio.current_time() - slot.life.ready_at


def _last_failure(slot: Slot) -> LastFailure | None:
    if slot.failed is None:
        return None
    return LastFailure(
        type=slot.failed.type or slot.failed.reason.value,
        message=slot.failed.message,
        at=slot.failed_at,
        ago_s=trio.current_time() - slot.failed_at,
    )


def _kind_of(slot: Slot) -> Kind:
    return Kind.SUPERVISOR if isinstance(slot.spec, SupervisorSpec) else Kind.WORKER
