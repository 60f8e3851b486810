"""Whose read of the ledger is next, and that none waits for another client's hundred."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import attrs
import pytest
import trio
from trio.testing import MockClock

from actors.gateway.fair_reads import CLIENT, FairReads
from tests.support.door import open_door
from tests.support.http_client import once

T = TypeVar("T")


@attrs.define
class SlowWorker:
    """One call a second, in the order in which they come."""

    turn: trio.Lock = attrs.field(factory=trio.Lock)

    async def run(self, call: Callable[[], T]) -> T:
        async with self.turn:
            await trio.sleep(1)
            return call()


@attrs.define
class Readers:
    """Clients, and when each of their reads was done."""

    reads: FairReads = attrs.field(factory=lambda: FairReads(SlowWorker()))
    done: list[tuple[str, float]] = attrs.field(factory=list)

    async def read(self, client: str) -> None:
        CLIENT.set(client)
        began = trio.current_time()
        await self.reads.run(lambda: None)
        self.done.append((client, trio.current_time() - began))


async def test_a_client_with_a_hundred_reads_holds_up_no_other(autojump_clock: MockClock) -> None:
    readers = Readers()
    async with trio.open_nursery() as nursery:
        for _ in range(100):
            nursery.start_soon(readers.read, "greedy")
        await trio.testing.wait_all_tasks_blocked()
        nursery.start_soon(readers.read, "modest")
    took_s = {client: took for client, took in readers.done if client == "modest"}
    assert took_s["modest"] == pytest.approx(2), "his own, and the one that was with the worker"
    assert len(readers.done) == 101


async def test_a_read_that_is_given_up_frees_its_turn(autojump_clock: MockClock) -> None:
    readers = Readers()
    with trio.move_on_after(0.5):
        await readers.read("hasty")
    await readers.read("hasty")
    assert readers.done == [("hasty", pytest.approx(1))]


async def test_a_read_that_fails_frees_its_turn(autojump_clock: MockClock) -> None:
    reads = FairReads(SlowWorker())
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            await reads.run(lambda: 1 // 0)


@attrs.define
class Gate:
    """A worker that holds its calls until it is opened, and knows whose they are."""

    opened: trio.Event = attrs.field(factory=trio.Event)
    two: trio.Event = attrs.field(factory=trio.Event)
    callers: list[str] = attrs.field(factory=list)

    async def run(self, call: Callable[[], T]) -> T:
        self.callers.append(CLIENT.get())
        if len(self.callers) == 2:
            self.two.set()
        await self.opened.wait()
        return call()


async def test_the_door_lets_one_read_of_each_address_through(tmp_path: Path) -> None:
    gate, statuses = Gate(), list[int]()

    async def look(address: str) -> None:
        path = "/api/bets/01HZX3Y4Z5A6B7C8D9E0F1G2H3/proof"
        answer = await once(door.port, "GET", path, headers={"x-forwarded-for": address})
        statuses.append(answer.status)

    proxies = ("127.0.0.1",)
    async with (
        open_door(tmp_path, ledger_worker=gate, trusted_proxies=proxies) as door,
        trio.open_nursery() as nursery,
    ):
        for address in ("192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2"):
            nursery.start_soon(look, address)
        with trio.fail_after(5):
            await gate.two.wait()
        assert set(gate.callers) == {"192.0.2.1", "192.0.2.2"}
        gate.opened.set()
    assert statuses == [404] * 4
    assert len(gate.callers) == 4
