"""Crash an actor on purpose at any of its awaits.

An instrument counts the steps of all tasks that belong to one actor (by the name the supervisor
gives its life: `venue/batcher#1`) and makes one of them raise: what the await would have returned
is lost with the life, as in a real crash. Steps that only wait for a nursery's children are
passed over: an exception there would be trio's, not the actor's.
"""

import attrs
import outcome
import trio
from trio.lowlevel import Task


class CrashOnPurpose(Exception):
    """Raised at the chosen await."""


@attrs.define(eq=False)
class Crasher(trio.abc.Instrument):
    """Counts the checkpoints of the actor at `path`; raises at number `at`, once, if it is set."""

    path: str
    at: int | None = None
    seen: int = 0
    crashed: bool = False

    def before_task_step(self, task: Task) -> None:
        if self.crashed or task._next_send is None or not self._belongs(task):
            return
        if _waits_for_children(task):
            return
        self.seen += 1
        if self.seen == self.at:
            self.crashed = True
            task._next_send = outcome.Error(CrashOnPurpose(f"{self.path} at await {self.at}"))

    def _belongs(self, task: Task) -> bool:
        current: Task | None = task
        while current is not None:
            if current.name.split("#")[0] == self.path:
                return True
            nursery = current.parent_nursery
            current = nursery.parent_task if nursery is not None else None
        return False


def _waits_for_children(task: Task) -> bool:
    innermost = ""
    for frame, _ in task.iter_await_frames():
        innermost = frame.f_code.co_name if frame.f_code.co_filename.endswith("_run.py") else ""
        if innermost == "_nested_child_finished":
            return True
    return False
