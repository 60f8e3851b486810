"""Stop, start and restart of a child by hand, as a level's own task carries them out.

A child stopped by hand stays stopped, whatever happens to its siblings, until it is started by
hand. Asking twice does no harm.
"""

from supervisor.level import Level
from supervisor.report import Ending
from supervisor.slot import Slot
from supervisor.status import Managed, State
from supervisor.strategy import Restart


async def stop(level: Level, slot: Slot) -> Managed:
    slot.is_held = True
    if slot.state is not State.IGNORED:
        await level.stop(slot)
    return Managed.STUCK if slot.state is State.STUCK else Managed.STOPPED


async def start(level: Level, slot: Slot) -> Managed:
    if slot.state not in (State.STOPPED, State.IGNORED):
        return Managed(slot.state.value)
    slot.is_held = False
    failed = await level.start(slot)
    return _outcome(level, slot) if failed is None else _leave_down(level, slot)


async def restart(level: Level, slot: Slot) -> Managed:
    """Stop and start; a child that backs off is tried now, with its group."""
    leader = level.leader_of(slot) if slot.state is State.RESTARTING else None
    if leader is not None:
        await level.restart_group(leader)
        return _outcome(level, slot)
    await level.stop(slot)
    slot.is_held = slot.is_forgotten = False
    if slot.state is State.STUCK:
        return Managed.STUCK  # started as soon as its last life ends
    failed = await level.start(slot)
    return _outcome(level, slot) if failed is None else await _try_again(level, slot, failed)


async def _try_again(level: Level, slot: Slot, failed: Ending) -> Managed:
    """A failed restart by hand goes the way of any other: a permanent child is not left down."""
    if slot.spec.restart is Restart.TEMPORARY:
        return _leave_down(level, slot)
    await level.plan_restart(slot, failed)
    return Managed.RESTARTING


def _leave_down(level: Level, slot: Slot) -> Managed:
    level.bury(slot)
    level.retire(slot, State.STOPPED)
    return Managed.START_FAILED


def _outcome(level: Level, slot: Slot) -> Managed:
    if level.is_stopping():
        return Managed.STOPPING
    return Managed.STARTED if slot.state is State.RUNNING else Managed(slot.state.value)
