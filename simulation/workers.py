"""The twin of worker threads: one call at a time, each takes a little venue time, and may hang."""

from collections.abc import Callable
from typing import Final, TypeVar

import trio

from simulation.world import World

T = TypeVar("T")

CALL_MAX_S: Final = 120
"""No call takes longer, hung ones included: a shield must have a limit."""


class SimulatedWorker:
    """As supervisor.worker.ThreadWorker is: what has begun is not cut off with its caller.

    The call itself is one step of the run; before and after it venue time may pass, in which
    everything else goes on, as beside a thread.
    """

    def __init__(self, world: World, name: str, *, life: int, abandons: bool) -> None:
        self._world = world
        self._turn = trio.Lock()
        self._abandons = abandons
        self._draws = world.draws("worker", name, life)
        self.name = name
        self.slow_s = 0.0
        """Added before each call, while a fault says so."""

    async def run(self, call: Callable[[], T]) -> T:
        """What `call` returns or raises. Waiting for the turn can be cancelled, the call can't."""
        async with self._turn:
            with trio.move_on_after(CALL_MAX_S, shield=not self._abandons):
                await self._pass(before=True)
            result = call()
            with trio.move_on_after(CALL_MAX_S, shield=not self._abandons):
                await self._pass(before=False)
            return result

    async def _pass(self, *, before: bool) -> None:
        """A fifth of the calls are seen to take time; the others are one turn of the scheduler."""
        seconds = self._draws.uniform(0.0001, 0.02) if self._draws.happens(0.1) else 0.0
        if before:
            seconds += self.slow_s + self._world.disk.delay_s()
        await trio.sleep(seconds)
