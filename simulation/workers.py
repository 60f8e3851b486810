"""The twin of worker threads: one call at a time, each takes a little venue time, and may hang."""

from collections.abc import Callable
from typing import Final, TypeVar

import trio
from outcome import Outcome, capture

from simulation.scenario import FaultKind
from simulation.world import World

T = TypeVar("T")

CALL_MAX_S: Final = 120
"""No call takes longer, hung ones included: a shield must have a limit."""
TAKES_S: Final = (((0.0, 0.0), 90.0), ((0.000_1, 0.02), 9.5), ((0.02, 0.3), 0.5))
"""From, to, and how often: mostly a call is over within one turn of the scheduler."""


class SimulatedWorker:
    """As supervisor.worker.ThreadWorker is: what has begun is not cut off with its caller.

    The call itself is one step of the run; before and after it venue time may pass, in which
    everything else goes on, as beside a thread.
    """

    def __init__(self, world: World, name: str, *, life: int, abandons: bool) -> None:
        self._world = world
        self._one_at_a_time = trio.CapacityLimiter(1)
        self._abandons = abandons
        self._draws = world.draws("worker", name, life)
        self._hanging: trio.Event | None = None
        self.name = name
        self.threads: trio.Nursery | None = None
        """Where calls go on whose callers have gone: as long as their process. Set when it runs."""

    async def run(self, call: Callable[[], T]) -> T:
        """What `call` returns or raises. Waiting for the turn can be cancelled, the call can't."""
        turn = object()
        await self._one_at_a_time.acquire_on_behalf_of(turn)
        if self._abandons:
            return await self._beside(call, turn)
        try:
            return (await self._called(call)).unwrap()
        finally:
            self._one_at_a_time.release_on_behalf_of(turn)

    async def hang(self, lasts_s: float) -> None:
        """Let the call in hand, or the next one, take so long; not beyond the calm."""
        mended = self._hanging = trio.Event()
        await self._world.lasting(lasts_s)
        if self._hanging is mended:
            self._hanging = None
        mended.set()

    async def _called(self, call: Callable[[], T]) -> Outcome[T]:
        await self._pass(self._world.disk.delay_s(), is_turn=False)  # to get here took a turn
        result = capture(call)
        await self._pass(0, is_turn=True)
        return result

    async def _beside(self, call: Callable[[], T], turn: object) -> T:
        """The caller may leave; the call goes on, and keeps the turn."""
        results: list[Outcome[T]] = []
        done = trio.Event()

        async def work() -> None:
            results.append(await self._called(call))
            self._one_at_a_time.release_on_behalf_of(turn)
            done.set()

        assert self.threads is not None, "no call before the process runs"
        self.threads.start_soon(work)
        await done.wait()
        return results[0].unwrap()

    async def _pass(self, slow_s: float, *, is_turn: bool) -> None:
        takes_s = self._draws.uniform(*self._draws.weighted(TAKES_S)) + slow_s
        if takes_s == 0 and is_turn:
            await trio.lowlevel.cancel_shielded_checkpoint()
        elif takes_s > 0:
            with trio.move_on_after(CALL_MAX_S, shield=not self._abandons):
                await trio.sleep(takes_s)
        if self._hanging is not None:
            self._world.fault_took_effect(FaultKind.ACTOR_HANG, self.name)
            with trio.move_on_after(CALL_MAX_S, shield=not self._abandons):
                await self._hanging.wait()
