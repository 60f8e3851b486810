"""Private streams: gapless whatever happens, told so where that can't be, over with the session.

`World` plays a ledger, a Batcher that crashes, and clients that come and go, in any order.
"""

import json
from collections import deque
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.gateway.outbox import QUEUE_MAX, TOO_SLOW, Outbox
from actors.gateway.private_streams import PrivateStream, PrivateStreams
from actors.gateway.recent_events import RecentEvents
from domain.refusals import Code, Refusal
from protocols.money import BetRefused, Deposited, EventsLost, StreamEntry
from protocols.sign_in import Session, SessionEnded

EXPIRES_MS = 1_000_000


def session(wallet: str = "ann", session_id: str = "s1") -> Session:
    return Session(
        session_id=session_id,
        wallet=wallet,
        user_id=1,
        created_at_ms=0,
        expires_at_ms=EXPIRES_MS,
        network="",
    )


def event(seq: int, wallet: str = "ann", balance_micros: int = 0) -> Deposited:
    return Deposited(
        user_id=1,
        wallet=wallet,
        seq=seq,
        balance_micros=balance_micros,
        amount_micros=1,
        reference=f"r{seq}",
        repeated=False,
    )


def sent(outbox: Outbox) -> list[dict[str, Any]]:
    """What has been put since the last look."""
    frames = []
    while isinstance(frame := outbox.next_nowait(), str):
        frames.append(json.loads(frame))
    return frames


def seqs(outbox: Outbox) -> list[int]:
    return [frame["seq"] for frame in sent(outbox)]


def kinds(outbox: Outbox) -> list[str]:
    return [frame["type"] for frame in sent(outbox)]


@attrs.define
class Bench:
    """Streams on which a test takes entries one by one."""

    streams: PrivateStreams = attrs.field(factory=PrivateStreams)

    def opened(self, wallet: str = "ann", session_id: str = "s1") -> PrivateStream:
        stream = self.streams.open(Outbox(), session(wallet, session_id))
        assert stream is not None
        return stream

    def following(self, seq: int = 0, session_id: str = "s1") -> PrivateStream:
        stream = self.opened(session_id=session_id)
        self.streams.follow(stream, seq)
        return stream

    def take(self, *entries: StreamEntry, now_ms: int = 0) -> None:
        for entry in entries:
            self.streams.take(entry, now_ms=now_ms)


# --- following --------------------------------------------------------------------------------


def test_events_are_sent_in_their_order() -> None:
    bench = Bench()
    stream = bench.following(3)
    bench.take(event(4), event(5))
    assert seqs(stream.outbox) == [4, 5]


def test_what_the_state_held_already_is_not_sent() -> None:
    bench = Bench()
    stream = bench.following(4)
    bench.take(event(3), event(4), event(5))
    assert seqs(stream.outbox) == [5]


def test_nobody_is_sent_the_events_of_another() -> None:
    bench = Bench()
    stream = bench.following()
    bench.take(event(1, "bob"))
    assert sent(stream.outbox) == []


def test_all_sockets_of_a_wallet_are_sent_its_events() -> None:
    bench = Bench()
    first, second = bench.following(), bench.following(session_id="s2")
    bench.take(event(1))
    assert (seqs(first.outbox), seqs(second.outbox)) == ([1], [1])


def test_a_refusal_that_wrote_nothing_is_no_event() -> None:
    bench = Bench()
    stream = bench.following()
    refusal = Refusal(Code.CELL_UNAVAILABLE)
    bench.take(BetRefused(bet_id="b", wallet="ann", cell_id="c", refusal=refusal), event(1))
    assert seqs(stream.outbox) == [1]


def test_a_client_that_does_not_read_is_cut_off() -> None:
    bench = Bench()
    stream = bench.following()
    bench.take(*(event(seq) for seq in range(1, QUEUE_MAX + 1)))
    assert stream.outbox.closing is None
    bench.take(event(QUEUE_MAX + 1))
    assert stream.outbox.closing == TOO_SLOW


# --- while a state is read from the ledger ----------------------------------------------------


def test_what_happens_while_the_state_is_read_is_sent_after_it() -> None:
    bench = Bench()
    stream = bench.opened()
    bench.take(event(4), event(5), event(6))
    assert sent(stream.outbox) == []
    bench.streams.follow(stream, 4)
    bench.take(event(7))
    assert seqs(stream.outbox) == [5, 6, 7]


def test_what_was_committed_and_is_told_later_is_not_told_twice() -> None:
    bench = Bench()
    stream = bench.opened()
    bench.take(event(4))
    bench.streams.follow(stream, 6)
    bench.take(event(5), event(6), event(7))
    assert seqs(stream.outbox) == [7]


def test_a_stream_is_held_again_for_another_state() -> None:
    bench = Bench()
    stream = bench.following(3)
    bench.streams.hold(stream)
    bench.take(event(4), event(5))
    bench.streams.follow(stream, 4)
    assert seqs(stream.outbox) == [5]


def test_more_than_is_remembered_while_the_state_is_read_asks_to_resume() -> None:
    bench = Bench(PrivateStreams(RecentEvents(per_wallet_max=2)))
    stream = bench.opened()
    bench.take(event(4), event(5), event(6), event(7))
    bench.streams.follow(stream, 4)
    assert kinds(stream.outbox) == ["resync_required"]


def test_events_lost_while_the_state_is_read_ask_to_resume() -> None:
    bench = Bench()
    stream = bench.opened()
    bench.take(EventsLost())
    assert sent(stream.outbox) == []
    bench.streams.follow(stream, 4)
    assert kinds(stream.outbox) == ["resync_required"]


# --- replays ----------------------------------------------------------------------------------


def test_what_was_missed_is_replayed_and_then_followed() -> None:
    bench = Bench()
    bench.take(event(4), event(5), event(6))
    stream = bench.opened()
    assert bench.streams.replay(stream, 4) == 6
    bench.take(event(7))
    assert seqs(stream.outbox) == [5, 6, 7]


def test_where_nothing_was_missed_nothing_is_replayed() -> None:
    bench = Bench()
    bench.take(event(4))
    stream = bench.opened()
    assert bench.streams.replay(stream, 4) == 4
    assert sent(stream.outbox) == []


def test_what_is_not_remembered_is_not_replayed() -> None:
    bench = Bench()
    bench.take(event(4))
    stream = bench.opened()
    assert bench.streams.replay(stream, 2) is None
    assert bench.streams.replay(stream, 5) is None
    assert sent(stream.outbox) == []


def test_replayed_frames_are_those_that_were_sent() -> None:
    bench = Bench()
    there, away = bench.following(3), bench.opened(session_id="s2")
    bench.take(event(4, balance_micros=9), event(5))
    bench.streams.replay(away, 3)
    assert sent(away.outbox) == sent(there.outbox)


# --- losses -----------------------------------------------------------------------------------


def test_lost_events_are_told_once_and_nothing_is_sent_until_the_client_resumes() -> None:
    bench = Bench()
    stream = bench.following(3)
    bench.take(EventsLost(), event(6), EventsLost(), event(7))
    assert kinds(stream.outbox) == ["resync_required"]
    bench.streams.hold(stream)
    bench.streams.follow(stream, 7)
    bench.take(event(8))
    assert seqs(stream.outbox) == [8]


def test_nothing_is_replayed_across_a_loss() -> None:
    bench = Bench()
    bench.take(event(4), EventsLost(), event(6))
    assert bench.streams.replay(bench.opened(), 3) is None
    assert bench.streams.replay(bench.opened(), 4) is None
    assert bench.streams.replay(bench.opened(), 5) == 6


def test_a_gap_that_nobody_has_announced_is_noticed() -> None:
    bench = Bench()
    stream = bench.following(3)
    bench.take(event(4), event(6), event(7))
    assert kinds(stream.outbox) == ["balance", "resync_required"]


# --- sessions ---------------------------------------------------------------------------------


def test_an_ended_session_ends_its_own_streams_and_no_others() -> None:
    bench = Bench()
    ended, other = bench.following(), bench.following(session_id="s2")
    also_ended = bench.opened()
    bench.streams.end_session(SessionEnded(session_id="s1", wallet="ann"))
    bench.take(event(1))
    assert kinds(ended.outbox) == kinds(also_ended.outbox) == ["session:expired"]
    assert seqs(other.outbox) == [1]


def test_a_session_that_ends_while_the_state_is_read_is_over() -> None:
    bench = Bench()
    stream = bench.opened()
    bench.streams.end_session(SessionEnded(session_id="s1", wallet="ann"))
    bench.streams.hold(stream)
    bench.streams.follow(stream, 0)
    bench.take(event(1))
    assert stream.is_over
    assert kinds(stream.outbox) == ["session:expired"]


def test_a_session_that_ended_just_now_opens_no_stream() -> None:
    bench = Bench()
    bench.streams.end_session(SessionEnded(session_id="s1", wallet="ann"))
    assert bench.streams.open(Outbox(), session()) is None
    assert bench.streams.open(Outbox(), session(session_id="s2")) is not None


def test_a_session_ends_by_its_time_before_the_next_event() -> None:
    bench = Bench()
    stream = bench.following()
    bench.take(event(1), now_ms=EXPIRES_MS - 1)
    bench.take(event(2), now_ms=EXPIRES_MS)
    bench.take(event(3), now_ms=EXPIRES_MS)
    assert kinds(stream.outbox) == ["balance", "session:expired"]


def test_a_session_ends_by_its_time_without_any_event() -> None:
    bench = Bench()
    stream = bench.following()
    bench.streams.end_expired(EXPIRES_MS - 1)
    assert not stream.is_over
    bench.streams.end_expired(EXPIRES_MS)
    bench.streams.end_expired(EXPIRES_MS)
    assert kinds(stream.outbox) == ["session:expired"]


def test_a_closed_stream_is_sent_nothing() -> None:
    bench = Bench()
    stream = bench.following()
    bench.streams.close(stream)
    bench.streams.close(stream)
    bench.take(event(1), EventsLost())
    bench.streams.end_session(SessionEnded(session_id="s1", wallet="ann"))
    assert sent(stream.outbox) == []


# --- everything at once, in any order ---------------------------------------------------------

WALLETS = ("ann", "bob")


@attrs.define
class Account:
    """What the ledger has: the truth."""

    seq: int = 0
    balance: int = 0


@attrs.define
class Trader:
    """A client as the protocol's page describes it. It believes every frame, and checks its seq."""

    wallet: str
    session_id: str
    stream: PrivateStream | None = None
    seq: int | None = None
    balance: int | None = None
    asked: int | None = None
    """The seq that its `auth` or `resume` on the way named; -1: none."""
    must_resume: bool = False

    def read(self) -> None:
        """Take every frame that has come."""
        assert self.stream is not None
        for frame in sent(self.stream.outbox):
            if frame["type"] == "resync_required":
                self.must_resume = True
            else:
                assert not self.must_resume, "an event after the venue asked to resume"
                assert frame["seq"] == (self.seq or 0) + 1, "a gap or a repeat"
                self.seq, self.balance = frame["seq"], frame["balance_micros"]

    def told(self, seq: int, balance: int) -> None:
        """A reply with a state."""
        self.seq, self.balance, self.asked, self.must_resume = seq, balance, None, False


class World:
    """Two wallets, three clients, and a memory so small that it overflows."""

    def __init__(self) -> None:
        self.ledger = {wallet: Account() for wallet in WALLETS}
        self.unpublished: deque[StreamEntry] = deque()
        self.waiting: deque[StreamEntry] = deque()
        self.must_announce = False
        self.traders = [Trader("ann", "s0"), Trader("ann", "s1"), Trader("bob", "s2")]
        self.reads: dict[int, Account] = {}
        self.streams = PrivateStreams()
        self.restart_the_gateway()

    # The money

    def commit(self, n: int, count: int) -> None:
        """A batch, of which not all is told yet."""
        wallet = self.traders[n].wallet
        for _ in range(count + 1):
            account = self.ledger[wallet]
            account.seq, account.balance = account.seq + 1, account.balance + 7
            self.unpublished.append(event(account.seq, wallet, account.balance))
        self.publish(n, count)

    def publish(self, _: int, count: int) -> None:
        while self.unpublished and count:
            self.waiting.append(self.unpublished.popleft())
            count -= 1

    def hear(self, _: int, count: int) -> None:
        """The hub takes what waits for it."""
        while self.waiting and count >= 0:
            self.streams.take(self.waiting.popleft(), now_ms=0)
            count -= 1

    # What goes wrong

    def crash_the_batcher(self, _: int = 0, __: int = 0) -> None:
        """What it had in hand is on disk, and nobody was told. Its next life says so, later."""
        if self.unpublished:
            self.unpublished.clear()
            self.must_announce = True

    def announce(self, _: int = 0, __: int = 0) -> None:
        if self.must_announce:
            self.waiting.append(EventsLost())
            self.must_announce = False

    def overrun(self, _: int = 0, __: int = 0) -> None:
        """The hub was cut off from the events: those that waited are gone."""
        if self.waiting:
            self.waiting.clear()
            self.streams.lose_events()

    def restart_the_gateway(self, _: int = 0, __: int = 0) -> None:
        for n in range(len(self.traders)):
            self.leave(n)
        self.streams = PrivateStreams(RecentEvents(events_max=12, per_wallet_max=5))
        self.waiting.clear()

    # The clients

    def read(self, n: int, _: int = 0) -> None:
        if self.traders[n].stream is not None:
            self.traders[n].read()

    def leave(self, n: int, _: int = 0) -> None:
        trader = self.traders[n]
        if trader.stream is not None:
            self.streams.close(trader.stream)
        trader.stream, trader.asked, trader.must_resume = None, None, False
        self.reads.pop(n, None)

    def come(self, n: int, how: int) -> None:
        """`auth`: like a new client, with the seq that is known, or with one of another venue."""
        trader = self.traders[n]
        if trader.stream is None:
            trader.stream = self.streams.open(Outbox(), session(trader.wallet, trader.session_id))
            if how == 1 and trader.seq is not None:
                trader.seq += 100
            self.ask(n, None if how == 0 else trader.seq)

    def resume(self, n: int, _: int = 0) -> None:
        """Having read what has come; whoever was told to, and whoever likes to."""
        trader = self.traders[n]
        if trader.stream is not None and trader.asked is None and trader.seq is not None:
            trader.read()
            self.ask(n, trader.seq)

    def ask(self, n: int, seq: int | None) -> None:
        """The first half of what a conversation does: a replay, or the beginning of a read."""
        trader = self.traders[n]
        assert trader.stream is not None
        if seq is not None:
            current = self.streams.replay(trader.stream, seq)
            if current is not None:
                trader.must_resume = False
                trader.read()
                assert trader.seq == current, "the reply names what the replay led up to"
                return
            self.streams.hold(trader.stream)
        trader.asked = -1 if seq is None else seq

    def look(self, n: int, _: int = 0) -> None:
        """The ledger is read for the client; the answer takes its time."""
        trader = self.traders[n]
        if trader.asked is not None and n not in self.reads:
            self.reads[n] = attrs.evolve(self.ledger[trader.wallet])

    def reply(self, n: int, _: int = 0) -> None:
        """The second half: the reply, and what follows it."""
        found, trader = self.reads.pop(n, None), self.traders[n]
        if found is not None:
            assert trader.stream is not None
            assert sent(trader.stream.outbox) == [], "nothing is sent while the state is read"
            if trader.asked == found.seq:
                assert trader.balance == found.balance, "nothing was missed"
            trader.told(found.seq, found.balance)
            self.streams.follow(trader.stream, found.seq)

    # The end

    def come_to_rest(self) -> None:
        """Each client that is there knows what the ledger knows."""
        self.announce()
        self.publish(0, 1_000)
        self.hear(0, 1_000)
        for n, trader in enumerate(self.traders):
            if trader.stream is not None:
                self.catch_up(n, trader)
                account = self.ledger[trader.wallet]
                assert (trader.seq, trader.balance) == (account.seq, account.balance)

    def catch_up(self, n: int, trader: Trader) -> None:
        for _ in range(3):
            self.look(n)
            self.reply(n)
            trader.read()
            if not trader.must_resume:
                return
            self.resume(n)
        raise AssertionError("asked to resume again and again")


OFTEN = ("commit", "hear", "come", "look", "reply")
NOW_AND_THEN = ("publish", "read", "resume", "leave")
SELDOM = ("crash_the_batcher", "announce", "overrun", "restart_the_gateway")
steps = st.tuples(
    st.sampled_from(6 * OFTEN + 3 * NOW_AND_THEN + SELDOM), st.integers(0, 2), st.integers(0, 4)
)


@pytest.mark.slow
@settings(max_examples=5 * settings().max_examples)
@given(steps=st.lists(steps, min_size=30, max_size=120))
def test_a_client_sees_every_event_once_in_order_and_ends_with_the_ledgers_balance(
    steps: list[tuple[str, int, int]],
) -> None:
    world = World()
    for name, n, count in steps:
        getattr(world, name)(n, count)
    world.come_to_rest()
