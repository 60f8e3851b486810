"""The key-value store in memory: what it adds to the promises of `test_key_value_store.py`."""

import pytest

from db.memory_store import MemoryStore
from protocols.ports import StoreUnavailable
from tests.support.hand_clock import HandClock


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


async def test_full_of_one_kind_it_still_keeps_the_others(small: MemoryStore) -> None:
    """Sign-ins and sessions can be made by anybody in any number; bets go on all the same."""
    for number in range(3):
        await small.put(f"session:{number}", "v", ttl_s=90)
        await small.put(f"sign_in_nonce:{number}", "v", ttl_s=90)
    for kind in ("session", "sign_in_nonce"):
        with pytest.raises(StoreUnavailable):
            await small.put(f"{kind}:3", "v", ttl_s=90)
    assert await small.put_if_absent("nonce:wallet:1", "v", ttl_s=90) is None


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
    assert len(store._texts.tables[""]._expiries) <= 1_100
