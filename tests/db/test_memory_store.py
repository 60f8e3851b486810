"""The key-value store: what every adapter promises, and what the one in memory adds.

The promises are tests over the `kept` fixture, which makes a store and lets its time pass; another
adapter joins by another parameter of it.
"""

from collections.abc import Awaitable, Callable

import attrs
import pytest
import trio

from db.memory_store import MemoryStore
from protocols.ports import KeyValueStore, StoreUnavailable

STORES = ["memory"]


class HandClock:
    """A clock that a test moves on by hand."""

    def __init__(self) -> None:
        self._now_ms = 1_770_100_000_000

    def now_ms(self) -> int:
        return self._now_ms

    async def pass_s(self, seconds: float) -> None:
        self._now_ms += round(seconds * 1000)


@attrs.frozen(kw_only=True)
class Kept:
    """A store under test, and how its time passes."""

    store: KeyValueStore
    pass_s: Callable[[float], Awaitable[None]]


@pytest.fixture(params=STORES)
def kept() -> Kept:
    clock = HandClock()
    return Kept(store=MemoryStore(clock), pass_s=clock.pass_s)


# --- values -----------------------------------------------------------------------------------


async def test_get_finds_what_was_put(kept: Kept) -> None:
    assert await kept.store.get("k") is None
    await kept.store.put("k", "värde\n", ttl_s=90)
    assert await kept.store.get("k") == "värde\n"
    assert await kept.store.get("K") is None


async def test_an_empty_value_is_a_value(kept: Kept) -> None:
    await kept.store.put("k", "", ttl_s=90)
    assert await kept.store.get("k") == ""
    assert await kept.store.put_if_absent("k", "other", ttl_s=90) == ""
    assert await kept.store.take("k") == ""


async def test_put_replaces_value_and_life(kept: Kept) -> None:
    await kept.store.put("k", "one", ttl_s=90)
    await kept.store.put("k", "two", ttl_s=10)
    assert await kept.store.get("k") == "two"
    await kept.pass_s(10)
    assert await kept.store.get("k") is None


async def test_put_may_lengthen_a_life(kept: Kept) -> None:
    await kept.store.put("k", "one", ttl_s=2)
    await kept.store.put("k", "two", ttl_s=90)
    await kept.pass_s(3)
    await kept.store.put("another", "v", ttl_s=1)
    assert await kept.store.get("k") == "two"


async def test_a_value_lives_for_its_time_and_no_longer(kept: Kept) -> None:
    await kept.store.put("k", "v", ttl_s=90)
    await kept.pass_s(89.9)
    assert await kept.store.get("k") == "v"
    await kept.pass_s(0.2)
    assert await kept.store.get("k") is None


async def test_reading_does_not_lengthen_a_life(kept: Kept) -> None:
    await kept.store.put_if_absent("k", "v", ttl_s=2)
    await kept.pass_s(1.9)
    assert await kept.store.get("k") == "v"
    assert await kept.store.put_if_absent("k", "other", ttl_s=90) == "v"
    await kept.pass_s(0.2)
    assert await kept.store.get("k") is None


async def test_put_if_absent_tells_what_stands_there(kept: Kept) -> None:
    assert await kept.store.put_if_absent("k", "first", ttl_s=90) is None
    assert await kept.store.put_if_absent("k", "second", ttl_s=90) == "first"
    assert await kept.store.get("k") == "first"


async def test_put_if_absent_stores_again_when_the_first_has_gone(kept: Kept) -> None:
    await kept.store.put_if_absent("k", "first", ttl_s=2)
    await kept.pass_s(2.1)
    assert await kept.store.put_if_absent("k", "second", ttl_s=2) is None
    assert await kept.store.get("k") == "second"


async def test_put_if_absent_lets_one_of_many_through(kept: Kept) -> None:
    standing: list[str | None] = []

    async def put(value: str) -> None:
        standing.append(await kept.store.put_if_absent("k", value, ttl_s=90))

    async with trio.open_nursery() as nursery:
        for number in range(50):
            nursery.start_soon(put, str(number))
    stored = await kept.store.get("k")
    assert standing.count(None) == 1
    assert standing.count(stored) == 49


async def test_take_gives_a_value_once(kept: Kept) -> None:
    assert await kept.store.take("k") is None
    await kept.store.put("k", "v", ttl_s=90)
    assert await kept.store.take("k") == "v"
    assert await kept.store.take("k") is None
    assert await kept.store.get("k") is None


async def test_take_gives_one_of_many_the_value(kept: Kept) -> None:
    taken: list[str | None] = []
    await kept.store.put("k", "v", ttl_s=90)

    async def take() -> None:
        taken.append(await kept.store.take("k"))

    async with trio.open_nursery() as nursery:
        for _ in range(50):
            nursery.start_soon(take)
    assert sorted(taken, key=str) == [None] * 49 + ["v"]


async def test_take_finds_nothing_when_the_time_is_up(kept: Kept) -> None:
    await kept.store.put("k", "v", ttl_s=2)
    await kept.pass_s(2.1)
    assert await kept.store.take("k") is None


async def test_delete_forgets_and_may_be_repeated(kept: Kept) -> None:
    await kept.store.put("k", "v", ttl_s=90)
    await kept.store.delete("k")
    await kept.store.delete("k")
    assert await kept.store.get("k") is None
    assert await kept.store.put_if_absent("k", "w", ttl_s=90) is None


async def test_a_key_deleted_and_put_anew_lives_for_its_new_time(kept: Kept) -> None:
    await kept.store.put("k", "v", ttl_s=2)
    await kept.store.delete("k")
    await kept.store.put("k", "w", ttl_s=90)
    await kept.pass_s(3)
    await kept.store.put("another", "v", ttl_s=1)
    assert await kept.store.get("k") == "w"


# --- rate limits ------------------------------------------------------------------------------


async def test_take_token_allows_a_burst_and_then_says_when_to_come_back(kept: Kept) -> None:
    for left in (2, 1, 0):
        allowance = await kept.store.take_token("k", per_minute=60, burst=3)
        assert allowance.allowed
        assert (allowance.limit, allowance.remaining) == (3, left)
        assert (allowance.reset_s, allowance.retry_after_s) == (3 - left, 0)
    refused = await kept.store.take_token("k", per_minute=60, burst=3)
    assert not refused.allowed
    assert (refused.limit, refused.remaining) == (3, 0)
    assert (refused.reset_s, refused.retry_after_s) == (3, 1)


async def test_take_token_lets_in_who_waited(kept: Kept) -> None:
    for _ in range(3):
        await kept.store.take_token("k", per_minute=60, burst=3)
    await kept.pass_s(0.9)
    assert not (await kept.store.take_token("k", per_minute=60, burst=3)).allowed
    await kept.pass_s(0.2)
    assert (await kept.store.take_token("k", per_minute=60, burst=3)).allowed
    assert not (await kept.store.take_token("k", per_minute=60, burst=3)).allowed


async def test_take_token_keeps_a_bucket_of_its_own_for_each_key(kept: Kept) -> None:
    assert (await kept.store.take_token("a", per_minute=1, burst=1)).allowed
    assert (await kept.store.take_token("b", per_minute=1, burst=1)).allowed
    assert not (await kept.store.take_token("a", per_minute=1, burst=1)).allowed


async def test_take_token_counts_each_of_many_at_once(kept: Kept) -> None:
    allowed: list[bool] = []

    async def request() -> None:
        allowed.append((await kept.store.take_token("k", per_minute=1, burst=10)).allowed)

    async with trio.open_nursery() as nursery:
        for _ in range(50):
            nursery.start_soon(request)
    assert allowed.count(True) == 10


# --- what the one in memory adds --------------------------------------------------------------


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def small(clock: HandClock) -> MemoryStore:
    return MemoryStore(clock, entries_max=3)


async def test_a_full_store_refuses_rather_than_forget(small: MemoryStore) -> None:
    for key in "abc":
        await small.put(key, "v", ttl_s=90)
    with pytest.raises(StoreUnavailable, match="all 3 entries"):
        await small.put("d", "v", ttl_s=90)
    with pytest.raises(StoreUnavailable):
        await small.put_if_absent("d", "v", ttl_s=90)
    assert [await small.get(key) for key in "abcd"] == ["v", "v", "v", None]


async def test_a_full_store_still_replaces_and_tells_what_it_has(small: MemoryStore) -> None:
    for key in "abc":
        await small.put(key, "v", ttl_s=90)
    await small.put("a", "w", ttl_s=90)
    assert await small.put_if_absent("a", "x", ttl_s=90) == "w"
    assert await small.take("b") == "v"
    await small.put("d", "v", ttl_s=90)


async def test_a_full_store_has_room_again_when_something_expires(
    small: MemoryStore, clock: HandClock
) -> None:
    await small.put("a", "v", ttl_s=1)
    for key in "bc":
        await small.put(key, "v", ttl_s=90)
    await clock.pass_s(1)
    await small.put("d", "v", ttl_s=90)
    assert len(small) == 3


async def test_full_of_rate_limits_it_still_keeps_nonces(small: MemoryStore) -> None:
    for key in "abc":
        await small.take_token(key, per_minute=1, burst=1)
    with pytest.raises(StoreUnavailable):
        await small.take_token("d", per_minute=1, burst=1)
    await small.put("d", "v", ttl_s=90)


async def test_what_has_expired_leaves_with_later_writes(clock: HandClock) -> None:
    store = MemoryStore(clock)
    for number in range(1_000):
        await store.put(f"old{number}", "v", ttl_s=90)
        await store.take_token(f"old{number}", per_minute=60, burst=1)
    await clock.pass_s(90)
    for number in range(20):
        await store.put(f"new{number}", "v", ttl_s=90)
        await store.take_token(f"new{number}", per_minute=60, burst=1)
    assert len(store) == 40


async def test_a_key_written_over_and_over_takes_no_more_room(clock: HandClock) -> None:
    store = MemoryStore(clock)
    for _ in range(5_000):
        await store.put("k", "v", ttl_s=90)
    assert len(store) == 1
    assert len(store._texts._expiries) <= 1_100
