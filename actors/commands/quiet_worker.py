"""A worker whose thread gives way to all others: for hours of compressing beside a venue."""

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final, TypeVar

from outcome import Outcome, capture

from supervisor.worker import ThreadWorker

T = TypeVar("T")

NICENESS: Final = 10
"""A ninth of the processor's time that the others get, where there is not enough for all."""


class QuietWorker:
    """A `ThreadWorker` (protocols.ports.Worker) at a lower priority, as Linux has it by thread."""

    def __init__(self, *, abandons: bool = False) -> None:
        self._worker = ThreadWorker(abandons=abandons)

    async def run(self, call: Callable[[], T]) -> T:
        """What `call` returns or raises."""
        return await self._worker.run(lambda: quietly(call))


def quietly(call: Callable[[], T]) -> T:
    """Run it on a thread of its own: who has given way can't take it back, and trio's threads are
    lent to others afterwards. Threads that it starts give way as well."""
    ended: list[Outcome[T]] = []

    def run() -> None:
        with suppress(PermissionError):  # a seccomp filter that knows no difference to taking more
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
        ended.append(capture(call))

    # A daemon, as trio's are: a call that was abandoned can't hold up the end of the process.
    thread = threading.Thread(target=run, name="quiet", daemon=True)
    thread.start()
    thread.join()
    return ended[0].unwrap()
