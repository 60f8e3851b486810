"""An actor crashes: at one of its awaits an exception comes up that nobody foresaw.

What the await would have returned is lost with the life, as in a real crash. Passed over are awaits
where no code of the actor's own could raise: where trio waits for children or hands a turn over,
which it would never get back; and requests in hand, whose failures Quart and hypercorn catch.

What an await is about to return has no public name (`Task._next_send`); it is reached for here.
"""

from typing import Final

import outcome
import trio
from trio.lowlevel import Task

from simulation.process import PROCESS, VenueProcess

TRIOS_OWN: Final = frozenset({"_nested_child_finished", "acquire", "acquire_on_behalf_of"})
CATCHERS: Final = ("/quart/", "/hypercorn/", "/quart_trio/")


class CrashOnPurpose(Exception):
    """Raised at the chosen await."""


class Crash(trio.abc.Instrument):
    """Lets the actor at `path` raise at await number `at` (0: the next one) from now on, once."""

    def __init__(self, process: VenueProcess, path: str, at: int) -> None:
        self._process = process
        self._path = path
        self._left = at
        self.struck = trio.Event()

    def before_task_step(self, task: Task) -> None:
        """Trio's hook: this task is about to go on."""
        if self.struck.is_set() or task._next_send is None:
            return
        if task.context.get(PROCESS) is not self._process:
            return
        above = _up_to(self._path, task)
        if not above or not _may_raise(task) or any(map(_catches, above)):
            return
        if self._left:
            self._left -= 1
            return
        self.struck.set()
        task._next_send = outcome.Error(CrashOnPurpose(self._path))


def _up_to(path: str, task: Task) -> list[Task]:
    """The task and those above it, up to the life of the actor at `path`; none if not below it."""
    found: list[Task] = []
    current: Task | None = task
    while current is not None:
        found.append(current)
        if current.name.split("#")[0] == path:
            return found
        nursery = current.parent_nursery
        current = nursery.parent_task if nursery is not None else None
    return []


def _may_raise(task: Task) -> bool:
    names = [frame.f_code.co_name for frame, _ in task.iter_await_frames()]
    return bool(names) and TRIOS_OWN.isdisjoint(names)


def _catches(task: Task) -> bool:
    return any(
        part in frame.f_code.co_filename
        for frame, _ in task.iter_await_frames()
        for part in CATCHERS
    )
