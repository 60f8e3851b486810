"""Where blocking calls run: one dedicated thread each in production, inline under virtual time.

A worker belongs to the wiring, not to an actor: a call that has begun always finishes, and the
next one, of whichever life of an actor, starts after it. So a life that was cancelled in the
middle of a flush can't overlap with the flush of its successor.
"""

from collections.abc import Callable
from typing import TypeVar

import trio

T = TypeVar("T")


class ThreadWorker:
    """Runs calls one at a time on a thread of trio's pool.

    A call in progress is not abandoned when its caller is cancelled: a half-done commit must not
    go on behind the back of the next one. Each call must therefore have a bound of its own.

    With `abandons` the cancelled caller goes on at once and the call keeps the turn until it ends,
    if ever: for calls that may hang, use nothing that is closed, and may end like a crash.
    """

    def __init__(self, *, abandons: bool = False) -> None:
        self._one_at_a_time = trio.CapacityLimiter(1)
        self._abandons = abandons

    async def run(self, call: Callable[[], T]) -> T:
        """What `call` returns or raises. Waiting for the turn can be cancelled, the call can't."""
        return await trio.to_thread.run_sync(
            call, abandon_on_cancel=self._abandons, limiter=self._one_at_a_time
        )


class InlineWorker:
    """Runs calls where they are made: for MockClock tests and simulation, where threads have no
    place because a virtual clock would jump while one works."""

    async def run(self, call: Callable[[], T]) -> T:
        """What `call` returns or raises, after one checkpoint."""
        await trio.lowlevel.checkpoint()
        return call()
