"""Clients that follow a private stream on real sockets: busy ones, absent ones, and one asleep."""

import random
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import attrs
import pytest
import trio

from actors.gateway.outbox import QUEUE_MAX
from protocols.money import Deposited, EventsLost
from supervisor.worker import InlineWorker
from tests.support.door import WALLET, Door, Talk, make_tick, open_door

T = TypeVar("T")

pytestmark = pytest.mark.slow

ROUNDS = 16
"""Of a quarter of an outbox each: more than an outbox and all buffers of a connection hold."""


@attrs.define
class Follower:
    """A client as docs/websocket.md tells to write one. It checks each seq."""

    door: Door
    token: str
    chance: random.Random
    seq: int | None = None
    balance_micros: int | None = None

    async def visit(self, frames: int) -> None:
        """Come, catch up, stay for so many frames, and go."""
        async with self.door.socket() as talk:
            await self.greet(talk)
            for _ in range(frames):
                self.take(await self.next(talk))
            if frames and self.chance.random() < 0.3:
                await self.catch_up(talk, op="resume")

    async def greet(self, talk: Talk) -> None:
        if self.seq is None or self.chance.random() < 0.2:
            reply = await talk.ask("auth", token=self.token)
            assert talk.seen == [], "nothing is sent before the account"
            self.seq, self.balance_micros = reply["seq"], reply["balance_micros"]
        else:
            await self.catch_up(talk, op="auth", token=self.token)

    async def catch_up(self, talk: Talk, op: str, **fields: object) -> None:
        """`resume`, or `auth` with `seq`: what was missed comes before the reply."""
        talk.seen.clear()
        reply = await talk.ask(op, seq=self.seq, **fields)
        for frame in talk.seen:
            if frame["type"] == "balance" and frame["seq"] > (self.seq or 0):
                self.take(frame)
        talk.seen.clear()
        if reply["resync_required"]:
            snapshot = reply["snapshot"]
            self.seq, self.balance_micros = snapshot["seq"], snapshot["balance_micros"]
        assert reply.get("seq", self.seq) == self.seq

    async def next(self, talk: Talk) -> dict[str, Any]:
        """The next event, having resumed where that was asked for."""
        while True:
            frame = await talk.until(lambda _: True)
            if frame["type"] != "resync_required":
                return frame
            await self.catch_up(talk, op="resume")

    def take(self, frame: dict[str, Any]) -> None:
        assert frame["seq"] == (self.seq or 0) + 1, "a gap or a repeat"
        self.seq, self.balance_micros = frame["seq"], frame["balance_micros"]


class SlowWorker(InlineWorker):
    """Reads at once; the answer comes a little later, when other things have happened."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance

    async def run(self, call: Callable[[], T]) -> T:
        found = await super().run(call)
        for _ in range(self.chance.randrange(20)):
            await trio.lowlevel.checkpoint()
        return found


@pytest.mark.parametrize("seed", range(4))
async def test_clients_that_come_and_go_see_every_event_once(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    async with open_door(tmp_path, ledger_worker=SlowWorker(chance)) as door:
        await door.fund()
        token = await door.sign_in()
        followers = [Follower(door, token, chance) for _ in range(5)]
        async with trio.open_nursery() as busy:
            busy.start_soon(partial(keep_funding, door, chance))
            async with trio.open_nursery() as nursery:
                for follower in followers:
                    nursery.start_soon(visit_often, follower)
            busy.cancel_scope.cancel()
        for follower in followers:
            await follower.visit(0)
        account = door.ports.ledger.account(WALLET)
        assert account is not None
        stands = (account.seq, account.balance_micros)
        assert {(one.seq, one.balance_micros) for one in followers} == {stands}


async def visit_often(follower: Follower) -> None:
    for _ in range(12):
        await follower.visit(follower.chance.randrange(8))


async def keep_funding(door: Door, chance: random.Random) -> None:
    """Events without end, and now and then word that some were lost."""
    while True:
        await door.fund(amount_micros=1)
        if chance.random() < 0.05:
            door.channels.user_events.publish_nowait(EventsLost())


async def test_a_client_that_does_not_read_is_cut_off_and_slows_nobody(tmp_path: Path) -> None:
    async with open_door(tmp_path) as door, door.socket() as asleep, door.socket() as awake:
        token = await door.sign_in()
        for talk in (asleep, awake):
            await talk.ask("auth", token=token)
            await talk.ask("subscribe", channels=["price"])
        told = 0
        for _ in range(ROUNDS):
            for _ in range(QUEUE_MAX // 4):
                told += 1
                door.channels.user_events.publish_nowait(deposited(told))
            door.channels.ticks.publish_nowait(make_tick(trade_id=told))
            await awake.until(partial(has, "seq", told))
        assert await asleep.end() == (1013, "too slow")
        seqs = [frame["seq"] for frame in asleep.seen if frame["type"] == "balance"]
        prices = [frame for frame in asleep.seen if frame["type"] == "price"]
        assert seqs == list(range(1, len(seqs) + 1))
        assert len(seqs) <= told - QUEUE_MAX
        assert len(prices) < ROUNDS


def has(field: str, value: object, frame: dict[str, Any]) -> bool:
    return frame.get(field) == value


def deposited(seq: int) -> Deposited:
    return Deposited(
        user_id=1,
        wallet=WALLET,
        seq=seq,
        balance_micros=seq,
        amount_micros=1,
        reference="r" * 100,
        repeated=False,
    )
