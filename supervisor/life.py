"""One life of a child: what the supervisor hands to `run`, and what `run` says back through it.

A child that is restarted gets a new `Life` each time. The life carries the request to stop towards
the child, and readiness and heartbeats towards the supervisor.

A *beat* says that a task of the child came back to its loop. A task is *busy* from its beat until
it waits idly (in a reader, in `stopping.wait`, in `sleep_or_stop`); only busy time counts against
the heartbeat limit, because an actor with nothing to do is not hung. Each task of an actor that
beats is watched by itself: a helper task that goes on beating does not hide a main loop that hangs.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import trio
from trio.lowlevel import Task

from supervisor.statistics import Channel


class Ignore(Exception):
    """Raised by a child before it is ready: there is nothing for it to do, go on without it."""


class Shutdown(Exception):
    """Raised by a child that ends itself in good order; a transient child is then not restarted."""


def _nothing() -> None:
    pass


class Stopping:
    """The request to stop: set once, never taken back."""

    def __init__(self, life: "Life") -> None:
        self._life = life
        self._is_set = False
        self._waiters = trio.lowlevel.ParkingLot()
        self._listeners: dict[Callable[[], None], None] = {}

    def is_set(self) -> bool:
        return self._is_set

    async def wait(self) -> None:
        """Wait until asked to stop. The waiting task is idle: no heartbeat is due meanwhile."""
        if self._is_set:
            await trio.lowlevel.checkpoint()
            return
        with self._life.idle():
            await self._waiters.park()

    def set(self) -> None:
        """Ask to stop. For the supervisor, and for tests that run an actor without one."""
        if not self._is_set:
            self._is_set = True
            self._waiters.unpark_all()
            for listener in tuple(self._listeners):
                listener()

    def on_set(self, listener: Callable[[], None]) -> None:
        """Call `listener()` when asked to stop (not if that was before). It must not raise."""
        self._listeners[listener] = None

    def forget(self, listener: Callable[[], None]) -> None:
        self._listeners.pop(listener, None)


class Life:
    """One life of a child. A test may make one by hand: `Life("test/batcher")`."""

    def __init__(
        self,
        path: str,
        number: int = 1,
        *,
        heartbeat_s: float | None = None,
    ) -> None:
        self.path = path  # "venue/market/price_feed"
        self.number = number  # 1 for the first life, one more for each restart
        self.heartbeat_s = heartbeat_s
        self.stopping = Stopping(self)
        self.ready_at: float | None = None  # trio's clock
        self.channels: dict[str, Channel] = {}  # those whose reader this life opened
        self._on_ready: Callable[[], None] = _nothing
        self._busy_since: dict[Task, float] = {}
        self._has_beaten = False

    def ready(self) -> None:
        """Say that the loop runs. It does not mean that anything outside answers. Idempotent."""
        if self.ready_at is None:
            self.ready_at = trio.current_time()
            self._on_ready()

    def on_ready(self, listener: Callable[[], None]) -> None:
        """Call `listener()` when the child says ready. For the supervisor."""
        self._on_ready = listener

    def is_ready(self) -> bool:
        return self.ready_at is not None

    def beat(self) -> None:
        """Say that the calling task came back to its loop. `Reader.receive` does it by itself."""
        if self.heartbeat_s is not None:
            self._has_beaten = True
            self._busy_since[trio.lowlevel.current_task()] = trio.current_time()

    @contextmanager
    def idle(self) -> Iterator[None]:
        """While inside, the calling task waits for something to do; leaving is a beat."""
        if self.heartbeat_s is None:
            yield
            return
        self._has_beaten = True
        self._busy_since.pop(trio.lowlevel.current_task(), None)
        try:
            yield
        finally:
            self.beat()

    async def sleep_or_stop(self, seconds: float) -> bool:
        """Sleep for `seconds`, or until asked to stop: then True, at once."""
        with trio.move_on_after(seconds):
            await self.stopping.wait()
        return self.stopping.is_set()

    def busiest(self) -> tuple[Task | None, float] | None:
        """The task that has been busy longest, and since when; None while all are idle.

        Until the first beat the whole life counts as busy from the moment it was ready, and no
        task is named.
        """
        if self.ready_at is None:
            return None
        if not self._has_beaten:
            return None, self.ready_at
        ended = [task for task in self._busy_since if task.coro.cr_frame is None]
        for task in ended:
            del self._busy_since[task]
        if not self._busy_since:
            return None
        return min(self._busy_since.items(), key=lambda item: item[1])
