"""The key-value store: what every adapter promises.

The promises are tests over the `kept` fixture, which makes a store and lets its time pass: for the
one in memory and the simulation's twin by their clock, for Redis by shortening the life of every
key on a real server.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
import pytest
import trio

from db.memory_store import MemoryStore
from db.redis_store import open_redis_store
from protocols.ports import KeyValueStore
from simulation.store import SimulatedStore
from tests.support.hand_clock import HandClock
from tests.support.redis_server import RedisServer, redis_server
from tests.support.simulated import a_world


@attrs.frozen(kw_only=True)
class Kept:
    """A store under test, and how its time passes."""

    store: KeyValueStore
    pass_s: Callable[[float], Awaitable[None]]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture(params=["memory", "redis", "simulated"])
async def kept(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Kept]:
    if request.param == "memory":
        clock = HandClock()
        yield Kept(store=MemoryStore(clock), pass_s=clock.pass_s)
    elif request.param == "simulated":
        clock = HandClock()
        store = SimulatedStore(a_world(tmp_path, clock=clock))
        yield Kept(store=store.connection(answer_within_ms=5_000), pass_s=clock.pass_s)
    else:
        async with on_redis(request.getfixturevalue("server")) as made:
            yield made


@asynccontextmanager
async def on_redis(server: RedisServer) -> AsyncIterator[Kept]:
    """An empty store on a server, with room for a slow machine."""
    server.run("FLUSHALL")
    clock = HandClock()

    async def pass_s(seconds: float) -> None:
        server.pass_s(seconds)
        await clock.pass_s(seconds)

    async with open_redis_store(server.url, clock, answer_within_ms=5_000) as store:
        yield Kept(store=store, pass_s=pass_s)


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


@pytest.mark.parametrize(
    "text", ["", "0", "null", "a b", "k\r\nX 1", "\0", "₿", "\ud800", "x" * 70_000]
)
async def test_any_text_is_a_key_and_a_value(kept: Kept, text: str) -> None:
    assert await kept.store.put_if_absent(text, text, ttl_s=90) is None
    assert await kept.store.put_if_absent(text, "other", ttl_s=90) == text
    assert await kept.store.get(text) == text
    assert await kept.store.take(text) == text
    assert await kept.store.get(text) is None


async def test_get_many_finds_each_in_the_order_of_the_keys(kept: Kept) -> None:
    await kept.store.put("a", "1", ttl_s=90)
    await kept.store.put("b", "2", ttl_s=1)
    await kept.store.put("c", "", ttl_s=90)
    assert await kept.store.get_many(["c", "b", "x", "a", "a"]) == ["", "2", None, "1", "1"]
    await kept.pass_s(1.1)
    assert await kept.store.get_many(["b", "a"]) == [None, "1"]
    assert await kept.store.get_many([]) == []


# --- sets -------------------------------------------------------------------------------------


async def test_a_set_holds_each_member_once(kept: Kept) -> None:
    assert await kept.store.members("s") == frozenset()
    assert await kept.store.add_member("s", "a", ttl_s=90) == {"a"}
    assert await kept.store.add_member("s", "b", ttl_s=90) == {"a", "b"}
    assert await kept.store.add_member("s", "a", ttl_s=90) == {"a", "b"}
    assert await kept.store.members("s") == {"a", "b"}
    assert await kept.store.members("S") == frozenset()


async def test_a_member_is_dropped_and_may_be_dropped_again(kept: Kept) -> None:
    await kept.store.add_member("s", "a", ttl_s=90)
    await kept.store.add_member("s", "b", ttl_s=90)
    await kept.store.drop_member("s", "a")
    await kept.store.drop_member("s", "a")
    assert await kept.store.members("s") == {"b"}
    await kept.store.drop_member("s", "b")
    await kept.store.drop_member("s", "b")
    assert await kept.store.members("s") == frozenset()
    assert await kept.store.add_member("s", "c", ttl_s=90) == {"c"}


async def test_a_set_lives_for_its_time_since_the_last_addition(kept: Kept) -> None:
    await kept.store.add_member("s", "a", ttl_s=60)
    await kept.pass_s(59)
    await kept.store.add_member("s", "b", ttl_s=60)
    await kept.pass_s(59)
    assert await kept.store.members("s") == {"a", "b"}
    await kept.pass_s(1.1)
    assert await kept.store.members("s") == frozenset()
    assert await kept.store.add_member("s", "c", ttl_s=60) == {"c"}


async def test_dropping_a_member_leaves_the_life_of_the_others(kept: Kept) -> None:
    await kept.store.add_member("s", "a", ttl_s=60)
    await kept.store.add_member("s", "b", ttl_s=60)
    await kept.pass_s(30)
    await kept.store.drop_member("s", "a")
    await kept.pass_s(29)
    assert await kept.store.members("s") == {"b"}
    await kept.pass_s(1.1)
    await kept.store.drop_member("s", "b")
    assert await kept.store.members("s") == frozenset()


async def test_of_many_members_added_at_once_all_are_there(kept: Kept) -> None:
    seen: list[frozenset[str]] = []

    async def add(member: str) -> None:
        seen.append(await kept.store.add_member("s", member, ttl_s=90))

    async with trio.open_nursery() as nursery:
        for number in range(50):
            nursery.start_soon(add, str(number))
    assert await kept.store.members("s") == {str(number) for number in range(50)}
    assert sorted(len(members) for members in seen) == list(range(1, 51)), "one step each"


async def test_a_set_a_value_and_a_bucket_of_one_name_are_three_things(kept: Kept) -> None:
    await kept.store.put("k", "v", ttl_s=90)
    assert (await kept.store.take_token("k", per_minute=1, burst=1)).allowed
    assert await kept.store.add_member("k", "m", ttl_s=90) == {"m"}
    await kept.store.delete("k")
    assert await kept.store.members("k") == {"m"}
    await kept.store.drop_member("k", "m")
    assert not (await kept.store.take_token("k", per_minute=1, burst=1)).allowed


@pytest.mark.parametrize("text", ["", "a b", "k\r\nX 1", "\0", "₿", "\ud800"])
async def test_any_text_is_a_set_and_a_member(kept: Kept, text: str) -> None:
    assert await kept.store.add_member(text, text, ttl_s=90) == {text}
    await kept.store.drop_member(text, text)
    assert await kept.store.members(text) == frozenset()


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


async def test_a_bucket_and_a_value_of_one_name_are_two_things(kept: Kept) -> None:
    await kept.store.put("k", "v", ttl_s=90)
    assert (await kept.store.take_token("k", per_minute=1, burst=1)).allowed
    await kept.store.delete("k")
    assert not (await kept.store.take_token("k", per_minute=1, burst=1)).allowed
    assert await kept.store.get("k") is None


async def test_a_bucket_that_has_filled_up_begins_anew(kept: Kept) -> None:
    for _ in range(3):
        await kept.store.take_token("k", per_minute=60, burst=2)
    await kept.pass_s(2)
    assert [
        (await kept.store.take_token("k", per_minute=60, burst=2)).allowed for _ in range(3)
    ] == [True, True, False]


# --- channels ---------------------------------------------------------------------------------


async def test_publish_needs_nobody_who_listens(kept: Kept) -> None:
    await kept.store.publish("prices:btc:usd", "{}")
