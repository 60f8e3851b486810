"""The twin of Redis: outlives the venue's processes, may be down, slow, or lose everything.

It promises what db.redis_store does: calls of one connection are carried out in the order in which
they were made; a call ends within its limit, by its answer or by StoreUnavailable; and where the
answer is lost nobody knows whether the call was carried out. As there, a value's time is counted by
the server's clock, which is the true one, and a token bucket is filled by the caller's.
"""

from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum
from functools import partial
from typing import Final, NoReturn, TypeVar

import trio

from db.memory_store import MemoryStore
from protocols.ports import Allowance, StoreUnavailable
from simulation.scenario import Fault, FaultKind
from simulation.world import World

T = TypeVar("T")

SHARED_URL: Final = "redis://127.0.0.1:6379/0"
"""What `store.url` says in a run with this store. With `memory:` the venue has one of its own."""
SLOW_CALLS: Final = 0.1
"""So many calls are seen to take time at all; the others are one turn of the scheduler."""
CALL_S_MAX: Final = 0.003
SLOW_MS: Final = 600
"""The most that a call takes while the store is slow and the fault says nothing else."""
BACK_WITHIN_S: Final = 1.0
"""When a store is there again it is noticed by the next attempt to connect."""
IN_ORDER_S: Final = 1e-6
"""Between two calls that would be carried out at the same moment."""


class Down(StrEnum):
    """In which way it is down; a fault's target says which, or it is drawn."""

    REFUSED = "refused"
    """Nobody listens: calls fail at once, and nothing is done."""
    SILENT = "silent"
    """It stands still: what it was sent it does when it goes on, if ever."""
    LOST = "lost"
    """Calls are carried out, and their answers lost."""


class SimulatedStore:
    """One key-value store; each process talks to it through a connection of its own."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.draws = world.draws("store")
        self.downs: list[Down] = []
        """Of the faults in force, in the order in which they began."""
        self.slows_ms: list[int] = []
        self.late: list[Callable[[], Awaitable[object]]] = []
        """What it was sent while it stood still."""
        self._wipe()

    def connection(
        self,
        *,
        answer_within_ms: int,
        tell: Callable[[str], None] = lambda _why: None,
        is_dead: Callable[[], bool] = lambda: False,
    ) -> "StoreConnection":
        """That of one process. `tell` as in db.redis_store; of a dead process nothing is done."""
        return StoreConnection(self, limit_s=answer_within_ms / 1000, tell=tell, is_dead=is_dead)

    @property
    def down(self) -> Down | None:
        """In which way it is down now; None: it is up."""
        return self.downs[0] if self.downs else None

    @property
    def slow_ms(self) -> int:
        """The most that a call takes longer now."""
        return max(self.slows_ms, default=0)

    async def strike(self, fault: Fault) -> None:
        """Let it fail that way, for as long as it lasts; what else is in force goes on."""
        match fault.kind:
            case FaultKind.STORE_WIPED:
                if len(self.values):
                    self.world.fault_took_effect(fault.kind)
                self._wipe()
            case FaultKind.STORE_SLOW:
                slow_ms = fault.amount or SLOW_MS
                self.slows_ms.append(slow_ms)
                await self.world.lasting(fault.lasts_s)
                self.slows_ms.remove(slow_ms)
            case FaultKind.STORE_DOWN:
                down = Down(fault.target) if fault.target else self.draws.one_of(list(Down))
                self.downs.append(down)
                await self.world.lasting(fault.lasts_s)
                self.downs.remove(down)
                if not self.downs:
                    await self._catch_up()

    async def _catch_up(self) -> None:
        late, self.late = self.late, []
        for do in late:
            await do()

    def _wipe(self) -> None:
        self.values = MemoryStore(self.world.true_clock)
        self.buckets = MemoryStore(self.world.clock)


class StoreConnection:
    """A KeyValueStore: one process's way to the store. Each call may raise StoreUnavailable."""

    def __init__(
        self,
        store: SimulatedStore,
        *,
        limit_s: float,
        tell: Callable[[str], None],
        is_dead: Callable[[], bool],
    ) -> None:
        self._store = store
        self._limit_s = limit_s
        self._tell = tell
        self._is_dead = is_dead
        self._done_at = 0.0
        """When the last call so far is carried out; no later one comes before it."""
        self._back_at = 0.0
        """Until then calls fail at once."""
        self._why = ""

    async def put_if_absent(self, key: str, value: str, *, ttl_s: int) -> str | None:
        """None when stored now; else the value that stands there."""
        return await self._call(lambda: self._store.values.put_if_absent(key, value, ttl_s=ttl_s))

    async def put(self, key: str, value: str, *, ttl_s: int) -> None:
        """Store, whatever stood there."""
        await self._call(lambda: self._store.values.put(key, value, ttl_s=ttl_s))

    async def get(self, key: str) -> str | None:
        """The value, or None."""
        return await self._call(lambda: self._store.values.get(key))

    async def get_many(self, keys: Sequence[str]) -> Sequence[str | None]:
        """The value of each, in the order of the keys."""
        return await self._call(lambda: self._store.values.get_many(keys))

    async def take(self, key: str) -> str | None:
        """Get and delete, as one step."""
        return await self._call(lambda: self._store.values.take(key))

    async def delete(self, key: str) -> None:
        """Forget the value, if there is one."""
        await self._call(lambda: self._store.values.delete(key))

    async def add_member(self, key: str, member: str, *, ttl_s: int) -> frozenset[str]:
        """Put a member into the set `key`, which lives for `ttl_s` from now on; all its members."""
        return await self._call(lambda: self._store.values.add_member(key, member, ttl_s=ttl_s))

    async def drop_member(self, key: str, member: str) -> None:
        """Take it out of the set, if it is in it. The set's life goes on as it was."""
        await self._call(lambda: self._store.values.drop_member(key, member))

    async def members(self, key: str) -> frozenset[str]:
        """All members; none if there is no such set."""
        return await self._call(lambda: self._store.values.members(key))

    async def take_token(self, key: str, *, per_minute: int, burst: int) -> Allowance:
        """One request against the token bucket `key`; a bucket that has filled up is forgotten."""
        return await self._call(
            lambda: self._store.buckets.take_token(key, per_minute=per_minute, burst=burst)
        )

    async def publish(self, channel: str, message: str) -> None:
        """Tell whoever listens to `channel` now; nobody does."""
        await self._call(partial(self._store.values.publish, channel, message))

    # --- how a call goes ------------------------------------------------------------------------

    async def _call(self, do: Callable[[], Awaitable[T]]) -> T:
        """Carry it out and wait for the answer, as far as the store and the way to it let it."""
        began_at = trio.current_time()
        if self._is_dead():
            raise StoreUnavailable("the store: closed")
        if began_at < self._back_at:
            raise StoreUnavailable(f"the store: {self._why}")
        takes_s = self._takes_s()
        if takes_s or began_at < self._done_at:
            await self._arrive(began_at, takes_s)
            if self._is_dead():
                raise StoreUnavailable("the store: closed")
        if self._store.down is not None:
            await self._fail(do, began_at)
        answer = await do()
        self._recovered()
        await trio.sleep(self._takes_s())
        # What has broken meanwhile has taken the answer with it.
        if self._store.down is not None or trio.current_time() < self._back_at:
            self._lost("the connection was lost before the answer came")
        if trio.current_time() - began_at > self._limit_s:
            self._lost(self._no_answer)
        return answer

    async def _arrive(self, began_at: float, takes_s: float) -> None:
        """Wait until it is this call's turn at the store."""
        self._done_at = max(began_at + takes_s, self._done_at + IN_ORDER_S)
        if self._done_at - began_at > self._limit_s:
            self._done_at = began_at
            await trio.sleep(self._limit_s)
            self._lost(self._no_answer)
        await trio.sleep_until(self._done_at)

    async def _fail(self, do: Callable[[], Awaitable[object]], began_at: float) -> NoReturn:
        """What becomes of a call while the store is down; it always raises."""
        down, draws = self._store.down, self._store.draws
        self._store.world.fault_took_effect(FaultKind.STORE_DOWN, down)
        if down is Down.REFUSED:
            self._lost("can't be reached: Connection refused")
        if down is Down.LOST:
            await do()
        elif draws.happens(0.5):
            self._store.late.append(do)
        await trio.sleep_until(began_at + self._limit_s)
        self._lost(self._no_answer)

    @property
    def _no_answer(self) -> str:
        return f"no answer within {self._limit_s * 1000:.0f} ms"

    def _takes_s(self) -> float:
        store = self._store
        if store.slow_ms:
            store.world.fault_took_effect(FaultKind.STORE_SLOW)
            return store.draws.uniform(0, store.slow_ms / 2000)
        return store.draws.uniform(0, CALL_S_MAX) if store.draws.happens(SLOW_CALLS) else 0.0

    def _lost(self, why: str) -> NoReturn:
        """Every call fails at once from now on, until the store is found to be there again."""
        if not self._why:
            self._tell(why)
        self._why = why
        self._back_at = trio.current_time() + self._store.draws.uniform(0.05, BACK_WITHIN_S)
        raise StoreUnavailable(f"the store: {why}")

    def _recovered(self) -> None:
        if self._why:
            self._tell("")
            self._why = ""
