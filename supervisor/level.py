"""One supervisor of the tree: starts its children, obeys the strategy, stops them.

A level is one task that does one thing at a time: it handles an exit, obeys a command, or makes a
restart that is due, in this order, and otherwise sleeps. Each wait inside ends by a limit. The
children's tasks do not run below this task but in the root's nursery, so that a child that can't be
stopped never keeps the level from ending.
"""

import math
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

import attrs
import trio

from supervisor import backoff, intensity
from supervisor.chance import Chance
from supervisor.child import BrutalKill, Child, SupervisorSpec
from supervisor.life import Life
from supervisor.report import (
    Context,
    Ending,
    ExitReport,
    GaveUp,
    Reason,
    StartFailed,
    Verdict,
)
from supervisor.slot import Slot
from supervisor.stacks import task_stack
from supervisor.status import Managed, State
from supervisor.strategy import Group, Restart, group_of, wants_restart

CANCEL_GRACE_S = 1.0  # a cancelled child is gone at its next await; after this it is stuck
COMMANDS_WAITING_MAX = 100


class Tree(Protocol):
    """What a level needs of the whole."""

    chance: Chance
    report: Callable[[ExitReport], None]

    def spawn(self, slot: Slot, life: Life, level: "Level") -> None:
        """Run the slot's new life; `level.ended` is called when it has ended."""
        ...


@attrs.define(eq=False)
class _Command:
    obey: "Obey"
    slot: Slot
    done: trio.Event = attrs.field(factory=trio.Event)
    answer: Managed = Managed.STOPPING


Obey = Callable[["Level", Slot], Awaitable[Managed]]  # one of `by_hand`


class Level:
    """One life of one supervisor. `run` is the story; the methods below are in its order."""

    def __init__(
        self, spec: SupervisorSpec, life: Life, tree: Tree, tell_parent: Callable[[], None]
    ) -> None:
        self.spec = spec
        self.path = life.path
        self.state = State.STARTING
        self.slots = tuple(
            Slot(spec=child, path=f"{life.path}/{child.id}", place=place)
            for place, child in enumerate(spec.children)
        )
        self.life = life
        self._tree = tree
        self._tell_parent = tell_parent
        self._changed = trio.lowlevel.ParkingLot()
        self._exits: dict[Slot, None] = {}  # ended by themselves and not handled yet, oldest first
        self._due_at: dict[Slot, float] = {}  # restarts to be made, by the child that ended
        self._commands: deque[_Command] = deque()
        self._window: tuple[float, ...] = ()
        life.stopping.on_set(self.wake)

    async def run(self) -> None:
        """Start all, serve until asked to stop, stop all. Raises StartFailed or GaveUp."""
        try:
            await self._start_all()
            self.state = State.RUNNING
            self.life.ready()
            await self._serve()
            await self._stop_all(self.slots)
        finally:
            self._refuse_commands()
            await self._abandon()
            self.state = State.STOPPED if self.is_gone() else State.STUCK

    # Starting

    async def _start_all(self) -> None:
        for slot in self.slots:
            failed = await self.start(slot)
            if failed is not None:
                self.bury(slot)
                await self._stop_all(self.slots)
                raise StartFailed(slot.path, failed) from failed.error

    async def start(self, slot: Slot) -> Ending | None:
        """Give the child a new life and wait until it is ready; its ending if the start failed.

        Without effect once this supervisor is asked to stop, which also ends the waiting.
        """
        if self.is_stopping():
            return None
        if not slot.is_gone():
            return Ending(
                reason=Reason.START_FAILED, context=Context.STUCK, message="its last life is stuck"
            )
        life = self._begin(slot)
        deadline = trio.current_time() + slot.spec.start_within_s
        await self._until(lambda: life.is_ready() or slot.is_over() or self.is_stopping(), deadline)
        if life.is_ready():
            slot.state = State.RUNNING
            return None
        if slot.is_over():
            return self._not_ready(slot)
        if self.is_stopping():
            return None  # the stop that follows ends it
        self._condemn(slot, Reason.START_FAILED, f"not ready in {slot.spec.start_within_s:g} s")
        await self._until(slot.is_over, trio.current_time() + CANCEL_GRACE_S)
        return self._not_ready(slot)

    def _begin(self, slot: Slot) -> Life:
        heartbeat_s = slot.spec.heartbeat_s if isinstance(slot.spec, Child) else None
        life = Life(slot.path, slot.lives + 1, heartbeat_s=heartbeat_s)
        life.on_ready(self.wake)
        below = None
        if isinstance(slot.spec, SupervisorSpec):
            below = Level(slot.spec, life, self._tree, self.wake)
        slot.begin(life, below)
        self._tree.spawn(slot, life, self)
        return life

    def _not_ready(self, slot: Slot) -> Ending | None:
        """How a start ended that did not get as far as ready; None if that is no failure."""
        if slot.ending is None:
            self.find_stuck(slot)
            return slot.failed
        if slot.ending.reason is Reason.IGNORED:
            self.bury(slot)
            self.retire(slot, State.IGNORED)
            return None
        return slot.ending

    # Serving

    async def _serve(self) -> None:
        while not self.is_stopping():
            if (ended := self._next_exit()) is not None:
                await self._handle_exit(ended)
            elif self._commands:
                await self._obey(self._commands.popleft())
            elif (due := self._next_due()) is not None:
                await self.restart_group(due)
            else:
                await self._until(self._has_work, min(self._due_at.values(), default=math.inf))

    def _has_work(self) -> bool:
        return self.is_stopping() or bool(self._commands) or self._next_exit() is not None

    def _next_exit(self) -> Slot | None:
        return next((slot for slot in self._exits if slot.is_gone()), None)

    def _next_due(self) -> Slot | None:
        now = trio.current_time()
        return next((slot for slot, due_at in self._due_at.items() if due_at <= now), None)

    async def _handle_exit(self, slot: Slot) -> None:
        assert slot.ending is not None
        if slot.state is State.STUCK and slot.is_asked_to_stop():
            self._handle_late_end(slot)
        elif wants_restart(slot.spec.restart, failed=slot.ending.is_failure()):
            await self.plan_restart(slot, slot.ending)
        else:
            self.bury(slot)
            self.retire(slot, State.STOPPED)

    def _handle_late_end(self, slot: Slot) -> None:
        """A child that was given up as stuck when it was stopped has ended after all."""
        self.bury(slot)
        if slot.is_held or slot.spec.restart is Restart.TEMPORARY:
            self.retire(slot, State.STOPPED)
            return
        slot.state = State.RESTARTING
        if self.leader_of(slot) is None:
            self._due_at[slot] = trio.current_time()

    async def plan_restart(self, slot: Slot, ending: Ending) -> None:
        """Count the restart, stop the bystanders, and set the time of the attempt."""
        now = trio.current_time()
        self._window = intensity.add_restart(self._window, now, self.spec.period_s)
        slot.restarted_at = intensity.add_restart(slot.restarted_at, now, self.spec.period_s)
        slot.failures = backoff.after_failure(self.spec.backoff, slot.failures, now)
        self.bury(slot)
        if intensity.is_exceeded(self._window, self.spec.restarts_max):
            await self._stop_all(self.slots)
            raise GaveUp(self.path, slot.path, ending) from ending.error
        group = self._group(slot)
        await self._stop_all(self.slots[place] for place in sorted(group.stop))
        for place in group.start:
            self._await_restart(self.slots[place])
        chance = self._tree.chance.random()
        wait_s = backoff.delay_s(self.spec.backoff, slot.failures.in_row, chance)
        self._due_at[slot] = trio.current_time() + wait_s

    async def restart_group(self, leader: Slot) -> None:
        """Make the attempt: start, in order, those of the group that wait for it."""
        self._due_at.pop(leader, None)
        for place in self._group(leader).start:
            slot = self.slots[place]
            if slot.is_held or slot.state not in (State.RESTARTING, State.STUCK):
                continue
            failed = await self.start(slot)
            if failed is not None:
                await self.plan_restart(slot, failed)
                return

    def _await_restart(self, slot: Slot) -> None:
        self._due_at.pop(slot, None)
        if not slot.is_held and slot.is_gone():
            slot.state = State.RESTARTING

    def _group(self, slot: Slot) -> Group:
        restarts = [each.spec.restart for each in self.slots]
        return group_of(self.spec.strategy, restarts, slot.place)

    # Stopping

    async def _stop_all(self, slots: Iterable[Slot]) -> None:
        """Stop these in reverse start order, each within its own limit."""
        for slot in reversed(tuple(slots)):
            await self.stop(slot)

    async def stop(self, slot: Slot) -> None:
        """Stop one child: ask, wait for its limit, cancel, wait a little, leave it behind."""
        if not slot.is_gone() and slot.state is not State.STUCK:
            slot.state = State.STOPPING
            await self._end_life(slot)
        if slot.is_gone():
            self.bury(slot)
            self.retire(slot, State.STOPPED)
        else:
            self.find_stuck(slot)

    async def _end_life(self, slot: Slot) -> None:
        limit_s = slot.spec.stop_within_s
        if not isinstance(limit_s, BrutalKill) and not slot.is_cancelled():
            slot.ask_to_stop()
            if await self._until(slot.is_over, trio.current_time() + limit_s):
                return
        slot.cancel()
        await self._until(slot.is_over, trio.current_time() + CANCEL_GRACE_S)

    async def _abandon(self) -> None:
        """On the way out by an exception: cancel whatever still lives, and give it a moment."""
        left = [slot for slot in self.slots if not slot.is_gone() and slot.state is not State.STUCK]
        for slot in left:
            slot.cancel()
        if left:
            with trio.move_on_after(CANCEL_GRACE_S, shield=True):
                await self._until(self.is_gone, math.inf)
        for slot in self.slots:
            if not slot.is_gone():
                self.find_stuck(slot)
            elif slot.state is not State.IGNORED:
                self.bury(slot)
                slot.state = State.STOPPED

    # The ends of lives

    def ended(self, slot: Slot, ending: Ending) -> None:
        """A life has ended. Called by the task that ran it."""
        slot.ending = ending
        self._exits[slot] = None
        if slot.state is State.RUNNING and not slot.is_gone():
            slot.state = State.STUCK  # a supervisor that gave up, with a stuck child below
            self._note_end(slot, ending)
        self.wake()

    def find_hung(self, slot: Slot, task: trio.lowlevel.Task | None, limit_s: float) -> None:
        """A child is busy beyond its limit: cancel it. Called by the task that watches it."""
        self._condemn(slot, Reason.HUNG, f"busy for more than {limit_s:g} s", task)

    def _condemn(
        self,
        slot: Slot,
        reason: Reason,
        message: str,
        task: trio.lowlevel.Task | None = None,
    ) -> None:
        shown = task or slot.task
        stack = task_stack(shown) if shown is not None else ""
        slot.verdict = Verdict(reason=reason, message=message, stack=stack)
        slot.scope.cancel()

    def find_stuck(self, slot: Slot) -> None:
        """A child is still there after it was cancelled: tell, and go on without it."""
        slot.state = State.STUCK
        self._note_end(slot, slot.ending or self._stuck_ending(slot))

    def _stuck_ending(self, slot: Slot) -> Ending:
        verdict = slot.verdict
        return Ending(
            reason=verdict.reason if verdict else Reason.KILLED,
            context=Context.STUCK,
            message=verdict.message if verdict else "does not end when it is cancelled",
            stack=task_stack(slot.task) if slot.task is not None else "",
        )

    def bury(self, slot: Slot) -> None:
        """The latest life has ended and is dealt with: report it, unless that was done."""
        self._exits.pop(slot, None)
        if slot.ending is not None:
            self._note_end(slot, slot.ending)

    def _note_end(self, slot: Slot, ending: Ending) -> None:
        if slot.is_reported:
            return
        slot.is_reported = True
        if ending.is_failure():
            slot.failed, slot.failed_at = ending, trio.current_time()
        if ending.reason is not Reason.IGNORED:
            self._tree.report(self._report_of(slot, ending))

    def _report_of(self, slot: Slot, ending: Ending) -> ExitReport:
        return ExitReport(
            supervisor=self.path,
            child=slot.path,
            life=slot.lives,
            reason=ending.reason,
            context=ending.context,
            restarts_left=intensity.restarts_left(self._recent(), self.spec.restarts_max),
            type=ending.type,
            message=ending.message,
            stack=ending.stack,
        )

    def retire(self, slot: Slot, state: State) -> None:
        """The child is down and nothing starts it by itself; a temporary one is gone for good.

        A restart it was to lead is still made: others of its group may wait for it.
        """
        slot.state = state
        if slot.spec.restart is Restart.TEMPORARY and slot.lives > 0:
            slot.is_forgotten = True

    # Management

    async def command(self, slot: Slot, obey: Obey) -> Managed:
        """Have this level's own task obey, after what it is doing now."""
        if self.state not in (State.STARTING, State.RUNNING) or self.is_stopping():
            return Managed.STOPPING
        if len(self._commands) >= COMMANDS_WAITING_MAX:
            return Managed.BUSY
        command = _Command(obey, slot)
        self._commands.append(command)
        self.wake()
        await command.done.wait()
        return command.answer

    async def _obey(self, command: _Command) -> None:
        try:
            if command.slot.is_forgotten:
                command.answer = Managed.NOT_FOUND
            else:
                command.answer = await command.obey(self, command.slot)
        finally:
            command.done.set()

    def _refuse_commands(self) -> None:
        for command in self._commands:
            command.done.set()
        self._commands.clear()

    # Looking, for the status and for those above

    def is_gone(self) -> bool:
        """True if no child of this level has a life."""
        return all(slot.is_gone() for slot in self.slots)

    def slot(self, child_id: str) -> Slot | None:
        """The child of this id, unless it is forgotten."""
        known = (slot for slot in self.slots if not slot.is_forgotten)
        return next((slot for slot in known if slot.spec.id == child_id), None)

    def restarts_in_window(self) -> int:
        return len(self._recent())

    def retry_in_s(self, slot: Slot) -> float | None:
        """How long until the attempt to restart this child, if one is to come."""
        due_at = self._due_at.get(slot)
        if due_at is None or slot.state is not State.RESTARTING:
            return None
        return max(0.0, due_at - trio.current_time())

    def leader_of(self, slot: Slot) -> Slot | None:
        """The child whose restart, still to be made, will start this one."""
        leaders = (each for each in self._due_at if slot.place in self._group(each).start)
        return next(leaders, None)

    # Waiting

    def wake(self) -> None:
        """Something changed: look again. Told upwards, where a child's end may be waited for."""
        self._changed.unpark_all()
        self._tell_parent()

    async def _until(self, holds: Callable[[], bool], deadline: float) -> bool:
        """Wait until `holds()`, at most until `deadline`; whether it holds."""
        with trio.move_on_at(deadline):
            while not holds():
                await self._changed.park()
        return holds()

    def is_stopping(self) -> bool:
        return self.life.stopping.is_set()

    def _recent(self) -> tuple[float, ...]:
        return intensity.recent(self._window, trio.current_time(), self.spec.period_s)
