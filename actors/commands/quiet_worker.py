"""A worker whose thread gives way to all others: for hours of compressing beside a venue."""

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from supervisor.worker import ThreadWorker

T = TypeVar("T")

NICENESS: Final = 10
"""A ninth of the processor's time that the others get, where there is not enough for all."""


class QuietWorker:
    """A `ThreadWorker` (protocols.ports.Worker) at a lower priority, as Linux has it by thread."""

    def __init__(self) -> None:
        self._worker = ThreadWorker()

    async def run(self, call: Callable[[], T]) -> T:
        """What `call` returns or raises."""
        return await self._worker.run(lambda: quietly(call))


def quietly(call: Callable[[], T]) -> T:
    """Run it on a thread of its own: who has given way can't take it back, and trio's threads are
    lent to others afterwards. Threads that it starts give way as well."""
    with ThreadPoolExecutor(1, "quiet", initializer=_give_way) as thread:
        return thread.submit(call).result()


def _give_way() -> None:
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
