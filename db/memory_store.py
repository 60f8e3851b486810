"""The key-value store in the process's own memory: the embedded default and the tests' twin.

It keeps what protocols.ports.KeyValueStore promises, as the Redis adapter does. It lives and dies
with the process: after a restart traders sign in anew, and a bet nonce used before is still
refused, by the ledger.

An entry lives until its time by the venue's clock, the same one that judges signatures: a step of
that clock ages a nonce and the signature it belongs to alike. Expired entries leave on later
writes. A store that is full of live ones refuses (StoreUnavailable) rather than forget a nonce.
"""

import heapq
from collections.abc import Sequence
from typing import Final, Generic, TypeVar

from domain.token_bucket import Bucket, take_token
from domain.units import EpochMs
from protocols.ports import Allowance, Clock, StoreUnavailable

ENTRIES_MAX: Final = 1_000_000
"""Of each kind of key: some 400 MB. 2,000 bets a second keep 180,000 nonces for 90 s."""
_PURGED_PER_WRITE_MAX: Final = 64
"""More than a write adds, and few enough that no write stalls the loop after a quiet spell."""
_HEAP_SLACK: Final = 1_000

V = TypeVar("V")


class MemoryStore:
    """A KeyValueStore for one process. No method waits, so each is one step to its callers."""

    def __init__(self, clock: Clock, *, entries_max: int = ENTRIES_MAX) -> None:
        self._clock = clock
        self._texts: _Kinds[str] = _Kinds(entries_max)
        self._buckets: _Kinds[Bucket] = _Kinds(entries_max)
        self._sets: _Kinds[frozenset[str]] = _Kinds(entries_max)

    async def put_if_absent(self, key: str, value: str, *, ttl_s: int) -> str | None:
        """None when stored now; else the value that stands there."""
        now_ms = self._clock.now_ms()
        standing = self._texts.live(key, now_ms)
        if standing is None:
            self._texts.put(key, value, now_ms, now_ms + ttl_s * 1000)
        return standing

    async def put(self, key: str, value: str, *, ttl_s: int) -> None:
        """Store, whatever stood there."""
        now_ms = self._clock.now_ms()
        self._texts.put(key, value, now_ms, now_ms + ttl_s * 1000)

    async def get(self, key: str) -> str | None:
        """The value, or None."""
        return self._texts.live(key, self._clock.now_ms())

    async def get_many(self, keys: Sequence[str]) -> Sequence[str | None]:
        """The value of each, in the order of the keys."""
        now_ms = self._clock.now_ms()
        return [self._texts.live(key, now_ms) for key in keys]

    async def take(self, key: str) -> str | None:
        """Get and delete, as one step."""
        value = self._texts.live(key, self._clock.now_ms())
        self._texts.drop(key)
        return value

    async def delete(self, key: str) -> None:
        """Forget the value, if there is one."""
        self._texts.drop(key)

    async def add_member(self, key: str, member: str, *, ttl_s: int) -> frozenset[str]:
        """Put a member into the set `key`, which lives for `ttl_s` from now on; all its members."""
        now_ms = self._clock.now_ms()
        members = (self._sets.live(key, now_ms) or frozenset()) | {member}
        self._sets.put(key, members, now_ms, now_ms + ttl_s * 1000)
        return members

    async def drop_member(self, key: str, member: str) -> None:
        """Take it out of the set, if it is in it. The set's life goes on as it was."""
        members = self._sets.live(key, self._clock.now_ms()) or frozenset()
        if members <= {member}:
            self._sets.drop(key)
        else:
            self._sets.replace(key, members - {member})

    async def members(self, key: str) -> frozenset[str]:
        """All members; none if there is no such set."""
        return self._sets.live(key, self._clock.now_ms()) or frozenset()

    async def take_token(self, key: str, *, per_minute: int, burst: int) -> Allowance:
        """One request against the token bucket `key`; a bucket that has filled up is forgotten."""
        now_ms = self._clock.now_ms()
        bucket, allowed = take_token(
            self._buckets.live(key, now_ms), per_minute=per_minute, burst=burst, now_ms=now_ms
        )
        self._buckets.put(key, bucket, now_ms, now_ms + bucket.full_after_s * 1000)
        return Allowance(
            allowed=allowed,
            limit=burst,
            remaining=bucket.remaining,
            reset_s=bucket.full_after_s,
            retry_after_s=bucket.next_after_s if not allowed else 0,
        )

    async def publish(self, channel: str, message: str) -> None:
        """Nobody listens: all of the venue is this process, and its actors have topics."""

    def __len__(self) -> int:
        """Entries kept, with those that have expired and not left yet."""
        return len(self._texts) + len(self._buckets) + len(self._sets)


class _Kinds(Generic[V]):
    """A table for each kind of key, which is what stands before its first colon.

    So what anybody can have made for nothing (sign-ins, sessions of wallets made for it) never
    takes the room of a trader's bets.
    """

    def __init__(self, entries_max: int) -> None:
        self._entries_max = entries_max
        self.tables: dict[str, _Table[V]] = {}  # the venue's code names the kinds: a handful

    def __len__(self) -> int:
        return sum(map(len, self.tables.values()))

    def live(self, key: str, now_ms: EpochMs) -> V | None:
        return self._of(key).live(key, now_ms)

    def put(self, key: str, value: V, now_ms: EpochMs, expires_ms: EpochMs) -> None:
        """Raises StoreUnavailable when the table of its kind is full of live entries."""
        self._of(key).put(key, value, now_ms, expires_ms)

    def replace(self, key: str, value: V) -> None:
        """Another value for the rest of the life of the one that stands there."""
        self._of(key).replace(key, value)

    def drop(self, key: str) -> None:
        self._of(key).drop(key)

    def _of(self, key: str) -> "_Table[V]":
        kind, colon, _ = key.partition(":")
        kind = kind if colon else ""
        if kind not in self.tables:
            self.tables[kind] = _Table(self._entries_max)
        return self.tables[kind]


class _Table(Generic[V]):
    """Values by key, each until its time, at most `entries_max` of them."""

    def __init__(self, entries_max: int) -> None:
        self._entries_max = entries_max
        self._entries: dict[str, tuple[V, EpochMs]] = {}
        self._expiries: list[tuple[EpochMs, str]] = []  # a heap; names replaced entries too

    def __len__(self) -> int:
        return len(self._entries)

    def live(self, key: str, now_ms: EpochMs) -> V | None:
        value, expires_ms = self._entries.get(key, (None, 0))
        return value if expires_ms > now_ms else None

    def put(self, key: str, value: V, now_ms: EpochMs, expires_ms: EpochMs) -> None:
        """Raises StoreUnavailable when the table is full of live entries."""
        self._purge(now_ms)
        if key not in self._entries and len(self._entries) >= self._entries_max:
            raise StoreUnavailable(f"all {self._entries_max} entries of the store are live")
        self._entries[key] = (value, expires_ms)
        heapq.heappush(self._expiries, (expires_ms, key))
        if len(self._expiries) > 2 * len(self._entries) + _HEAP_SLACK:
            self._rebuild_heap()

    def replace(self, key: str, value: V) -> None:
        """Another value for the rest of the life of the one that stands there."""
        self._entries[key] = (value, self._entries[key][1])

    def drop(self, key: str) -> None:
        self._entries.pop(key, None)

    def _purge(self, now_ms: EpochMs) -> None:
        for _ in range(_PURGED_PER_WRITE_MAX):
            if not self._expiries or self._expiries[0][0] > now_ms:
                break
            _, key = heapq.heappop(self._expiries)
            if key in self._entries and self._entries[key][1] <= now_ms:
                del self._entries[key]

    def _rebuild_heap(self) -> None:
        """A key written over and over (a busy bucket) must not grow the heap for its whole life."""
        self._expiries = [(expires_ms, key) for key, (_, expires_ms) in self._entries.items()]
        heapq.heapify(self._expiries)
