"""The twin of Redis: what its faults do to calls. What it promises else is with all adapters'."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from protocols.ports import StoreUnavailable
from simulation.scenario import Fault, FaultKind
from simulation.store import Down, SimulatedStore, StoreConnection
from simulation.world import World
from tests.support.simulated import a_world

LIMIT_MS = 500


@pytest.fixture
def world(tmp_path: Path) -> World:
    return a_world(tmp_path)


@pytest.fixture
def store(world: World) -> SimulatedStore:
    return SimulatedStore(world)


@pytest.fixture
def told() -> list[str]:
    """What was said of the store's being down and up."""
    return []


@pytest.fixture
def connection(store: SimulatedStore, told: list[str]) -> StoreConnection:
    return store.connection(answer_within_ms=LIMIT_MS, tell=told.append)


@asynccontextmanager
async def struck(
    store: SimulatedStore, kind: FaultKind, *, target: str = "", amount: int = 0
) -> AsyncIterator[None]:
    """A fault that lasts as long as the block."""
    async with trio.open_nursery() as nursery:
        fault = Fault(at_s=0, kind=kind, lasts_s=10_000, target=target, amount=amount)
        nursery.start_soon(store.strike, fault)
        await wait_all_tasks_blocked()
        yield
        store.world.calm.set()


async def refused(connection: StoreConnection, key: str) -> float:
    """How long it took until the call was given up."""
    began_at = trio.current_time()
    with pytest.raises(StoreUnavailable):
        await connection.put_if_absent(key, "v", ttl_s=90)
    return trio.current_time() - began_at


async def test_of_a_store_that_refuses_nothing_is_done(
    autojump_clock: MockClock, store: SimulatedStore, connection: StoreConnection
) -> None:
    async with struck(store, FaultKind.STORE_DOWN, target=Down.REFUSED):
        assert await refused(connection, "k") < 0.1
    await trio.sleep(1.1)
    assert await connection.get("k") is None
    assert store.world.counts["fault.store_down"] == 1


async def test_an_answer_is_lost_and_the_call_was_carried_out(
    autojump_clock: MockClock, store: SimulatedStore, connection: StoreConnection
) -> None:
    async with struck(store, FaultKind.STORE_DOWN, target=Down.LOST):
        assert await refused(connection, "k") == pytest.approx(LIMIT_MS / 1000)
    await trio.sleep(1.1)
    assert await connection.get("k") == "v"


async def test_a_store_that_stands_still_may_do_it_later(
    autojump_clock: MockClock, store: SimulatedStore, connection: StoreConnection
) -> None:
    async with struck(store, FaultKind.STORE_DOWN, target=Down.SILENT):
        for number in range(20):
            assert await refused(connection, f"k{number}") == pytest.approx(LIMIT_MS / 1000)
            await trio.sleep(1.1)
        assert len(store.values) == 0
    assert 0 < len(store.values) < 20


async def test_once_down_calls_fail_at_once_and_it_is_told_once(
    autojump_clock: MockClock, store: SimulatedStore, connection: StoreConnection, told: list[str]
) -> None:
    async with struck(store, FaultKind.STORE_DOWN, target=Down.SILENT):
        await refused(connection, "k")
        assert await refused(connection, "k") == 0
        await trio.sleep(1.1)
        await refused(connection, "k")
    assert told == ["no answer within 500 ms"]
    await trio.sleep(1.1)
    await connection.get("k")
    assert told[1:] == [""]


async def test_what_breaks_in_the_middle_of_a_call_takes_its_answer(
    autojump_clock: MockClock, store: SimulatedStore, connection: StoreConnection
) -> None:
    store.slows_ms.append(400)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(refused, connection, "k")
        while not len(store.values):  # noqa: ASYNC110 - until it is carried out
            await trio.sleep(0.001)
        store.downs.append(Down.REFUSED)
    assert len(store.values) == 1


async def test_two_faults_at_once_do_not_mend_each_other(
    autojump_clock: MockClock, store: SimulatedStore, connection: StoreConnection
) -> None:
    kinds = (FaultKind.STORE_DOWN, FaultKind.STORE_SLOW)
    async with trio.open_nursery() as nursery:
        for kind in kinds:
            for lasts_s in (1, 5):
                fault = Fault(at_s=0, kind=kind, lasts_s=lasts_s, amount=9 - lasts_s)
                nursery.start_soon(store.strike, fault)
        found = []
        for _ in range(3):
            await trio.sleep(0.5)
            found.append((store.down is not None, store.slow_ms))
            await trio.sleep(1.5)
    assert found == [(True, 8), (True, 4), (True, 4)]
    assert (store.down is None, store.slow_ms) == (True, 0)


async def test_of_a_slow_store_some_calls_come_too_late(
    autojump_clock: MockClock, store: SimulatedStore, connection: StoreConnection
) -> None:
    late = 0
    async with struck(store, FaultKind.STORE_SLOW, amount=900):
        for number in range(30):
            try:
                await connection.put(f"k{number}", "v", ttl_s=90)
            except StoreUnavailable:
                late += 1
            await trio.sleep(1.1)
    assert 0 < late < 30
    assert store.world.counts["fault.store_slow"] > 0


async def test_calls_of_a_connection_are_carried_out_in_their_order(
    autojump_clock: MockClock, store: SimulatedStore, connection: StoreConnection
) -> None:
    async with struck(store, FaultKind.STORE_SLOW, amount=100):
        for number in range(20):
            async with trio.open_nursery() as nursery:
                for value in ("first", "second", "third"):
                    nursery.start_soon(one_by_one, connection, f"k{number}", value)
                    await wait_all_tasks_blocked()
            assert await connection.get(f"k{number}") == "third"


async def one_by_one(connection: StoreConnection, key: str, value: str) -> None:
    await connection.put(key, value, ttl_s=90)


async def test_a_wiped_store_has_forgotten_everything(
    autojump_clock: MockClock, store: SimulatedStore, connection: StoreConnection
) -> None:
    await connection.put("k", "v", ttl_s=90)
    await connection.add_member("s", "m", ttl_s=90)
    await store.strike(Fault(at_s=0, kind=FaultKind.STORE_WIPED))
    assert await connection.get("k") is None
    assert await connection.members("s") == frozenset()
    assert store.world.counts["fault.store_wiped"] == 1


async def test_it_outlives_a_process_and_hears_no_more_of_a_dead_one(
    autojump_clock: MockClock, store: SimulatedStore, connection: StoreConnection
) -> None:
    dead = store.connection(answer_within_ms=LIMIT_MS, is_dead=lambda: True)
    await connection.put("k", "v", ttl_s=90)
    with pytest.raises(StoreUnavailable):
        await dead.delete("k")
    assert await store.connection(answer_within_ms=LIMIT_MS).get("k") == "v"
