"""The stream against the real Gateway: events once and in order, whatever is lost on the way."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio

from client import Channel, Odds, Refused, Session, Stream, Unreachable, Venue, Wallet
from client.events import BalanceChanged, BetConfirmed, BetResolved, SessionExpired, Snapshot
from domain.quotes import QuoteBook
from protocols.money import EventsLost
from supervisor import SeededChance
from tests.support.door import (
    KEY,
    PRICE_CENTS,
    REWARD_BPS,
    WALLET,
    Door,
    make_tick,
    open_door,
)
from tests.support.tcp_proxy import TcpProxy, tcp_proxy

USD = 1_000_000


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async with open_door(tmp_path) as door:
        await door.fund(WALLET, 100 * USD)
        yield door


@pytest.fixture
async def proxy(door: Door) -> AsyncIterator[TcpProxy]:
    async with tcp_proxy(door.port) as proxy:
        yield proxy


@pytest.fixture
async def session(proxy: TcpProxy) -> AsyncIterator[Session]:
    """All that it does goes through the proxy."""
    async with Venue(f"http://127.0.0.1:{proxy.port}", chance=SeededChance(3)) as venue:
        yield await venue.sign_in(Wallet.from_private_key(KEY))


@pytest.fixture
async def stream(session: Session) -> AsyncIterator[Stream]:
    async with Stream(session.venue, session) as stream:
        yield stream


async def next_of(stream: Stream) -> object:
    with trio.fail_after(10):
        return await anext(stream)


async def amounts_of(stream: Stream, count: int) -> list[int]:
    """What the next deposits are."""
    events = [await next_of(stream) for _ in range(count)]
    return [event.amount_micros for event in events if isinstance(event, BalanceChanged)]


async def wait_connections(stream: Stream, count: int) -> None:
    with trio.fail_after(10):
        while stream.connections < count:
            await stream.wait_news()


# --- what comes ---------------------------------------------------------------------------------


async def test_it_begins_where_the_account_stands(door: Door, stream: Stream) -> None:
    assert stream.account is not None
    assert (stream.account.balance_micros, stream.account.seq) == (100 * USD, stream.seq)
    await door.fund(WALLET, 5)
    event = await next_of(stream)
    assert isinstance(event, BalanceChanged)
    assert (event.seq, event.amount_micros) == (stream.account.seq + 1, 5)
    assert event.balance_micros == 100 * USD + 5
    assert event.reason == "deposit"


async def test_the_newest_of_each_channel(door: Door, session: Session, stream: Stream) -> None:
    door.channels.ticks.publish_nowait(make_tick(price_cents=PRICE_CENTS + 7))
    with trio.fail_after(10):
        quote = await stream.wait_quote()
        while stream.price is None or stream.status is None:
            await stream.wait_news()
    assert stream.price.price_cents == PRICE_CENTS + 7
    assert stream.status.is_betting_open
    told = (await session.venue.grid()).quote
    assert told is not None
    assert (quote.n, quote.price_cents) == (told.n, told.price_cents)
    assert {c.cell_id: c.reward_bps for c in quote.cells} == {
        c.cell_id: c.reward_bps for c in told.cells
    }
    door.channels.book.set(QuoteBook())
    with trio.fail_after(10):
        while stream.quote is not None:
            await stream.wait_news()


async def test_without_a_session_there_are_channels_and_no_events(session: Session) -> None:
    async with Stream(session.venue, channels=[Channel.GRID]) as stream:
        with trio.fail_after(10):
            assert (await stream.wait_quote()).n == 812
        assert [event async for event in stream] == []
        assert stream.account is None


async def test_a_bet_from_its_tap_to_its_end(door: Door, session: Session, stream: Stream) -> None:
    odds = Odds(least_bps=REWARD_BPS, quote_n=812)
    placed = await session.place_bet(door.cell().id, stake_micros=USD, odds=odds, over=stream)
    await door.settle(door.cell())
    confirmed, resolved = await next_of(stream), await next_of(stream)
    assert isinstance(confirmed, BetConfirmed)
    assert isinstance(resolved, BetResolved)
    assert confirmed.bet_id == resolved.bet_id == placed.bet_id
    assert (resolved.status, resolved.payout_micros) == ("won", 1_850_000)
    assert resolved.seq == confirmed.seq + 1 == stream.seq


async def test_many_bets_at_once(door: Door, session: Session, stream: Stream) -> None:
    async def tap(row: int) -> None:
        await session.place_bet(door.cell(row=row).id, stake_micros=USD, over=stream)

    async with trio.open_nursery() as nursery:
        for row in range(20):
            nursery.start_soon(tap, row)
    events = [await next_of(stream) for _ in range(20)]
    assert all(isinstance(event, BetConfirmed) for event in events)
    assert (await session.account()).open_bets == 20


async def test_a_refusal_over_the_socket_is_one(
    door: Door, session: Session, stream: Stream
) -> None:
    with pytest.raises(Refused) as refused:
        await session.place_bet(door.cell().id, stake_micros=7, over=stream)
    assert (refused.value.code, refused.value.http_status) == ("bad_stake", None)


async def test_what_the_block_raises_comes_out_as_it_is(session: Session) -> None:
    with pytest.raises(KeyError, match="mine"):
        async with Stream(session.venue, session):
            raise KeyError("mine")


# --- what can be lost ---------------------------------------------------------------------------


@pytest.mark.slow
async def test_what_was_missed_while_away_is_replayed(
    door: Door, proxy: TcpProxy, stream: Stream
) -> None:
    await proxy.hang_up()
    for amount in (1, 2, 3):
        await door.fund(WALLET, amount)
    assert await amounts_of(stream, 3) == [1, 2, 3]
    await wait_connections(stream, 2)
    await door.fund(WALLET, 4)
    assert await amounts_of(stream, 1) == [4]


@pytest.mark.slow
async def test_what_the_venue_has_forgotten_comes_as_a_snapshot(
    door: Door, proxy: TcpProxy, session: Session, stream: Stream
) -> None:
    placed = await session.place_bet(door.cell().id, stake_micros=USD)
    assert isinstance(await next_of(stream), BetConfirmed)
    proxy.drop_replies = True
    await door.settle(door.cell())
    door.channels.user_events.publish_nowait(EventsLost())
    await proxy.hang_up()
    proxy.drop_replies = False
    snapshot = await next_of(stream)
    assert isinstance(snapshot, Snapshot)
    assert snapshot.account.balance_micros == 100 * USD + 850_000
    assert snapshot.open_bets == ()
    assert [bet.bet_id for bet in snapshot.last_bets] == [placed.bet_id]
    await door.fund(WALLET, 5)
    event = await next_of(stream)
    assert isinstance(event, BalanceChanged)
    assert event.seq == snapshot.seq + 1


async def test_where_nothing_was_lost_after_all_it_goes_on(door: Door, stream: Stream) -> None:
    door.channels.user_events.publish_nowait(EventsLost())
    await door.fund(WALLET, 5)
    assert isinstance(await next_of(stream), BalanceChanged | Snapshot)
    assert stream.connections == 1


@pytest.mark.slow
async def test_a_bet_whose_reply_is_lost_is_found(
    door: Door, proxy: TcpProxy, session: Session, stream: Stream
) -> None:
    events = door.channels.user_events.subscribe("test", 10)

    async def lose_the_connection() -> None:
        with trio.fail_after(10):
            await events.receive()
        await proxy.hang_up()
        proxy.drop_replies = False

    proxy.drop_replies = True
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lose_the_connection)
        placed = await session.place_bet(door.cell().id, stake_micros=USD, over=stream)
    assert placed.balance_micros is None, "it was found, not answered"
    confirmed = await next_of(stream)
    assert isinstance(confirmed, BetConfirmed)
    assert confirmed.bet_id == placed.bet_id
    assert (await session.account()).open_bets == 1


@pytest.mark.slow
async def test_a_reader_who_is_behind_gets_every_event_later(
    door: Door, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("client.stream.EVENTS_WAITING_MAX", 4)
    async with Stream(session.venue, session) as stream:
        for amount in range(1, 11):
            await door.fund(WALLET, amount)
        assert await amounts_of(stream, 10) == list(range(1, 11))
        await wait_connections(stream, 2)


@pytest.mark.slow
async def test_it_comes_back_after_a_drain_when_it_was_told_to(door: Door, stream: Stream) -> None:
    async with trio.open_nursery() as nursery:
        door.life.stopping.set()
        with trio.fail_after(10):
            await door.stopped.wait()
        await nursery.start(door.next_life)
        await door.fund(WALLET, 5)
        assert isinstance(await next_of(stream), BalanceChanged | Snapshot)
        await wait_connections(stream, 2)
        door.life.stopping.set()


# --- its ends -----------------------------------------------------------------------------------


async def test_the_sessions_end_is_the_last_event(door: Door, session: Session) -> None:
    async with Stream(session.venue, session) as stream:
        door.clock.at_ms = session.signed_in.expires_at_ms
        await door.fund(WALLET, 5)
        with trio.fail_after(10):
            events = [event async for event in stream]
    assert events == [SessionExpired()]


async def test_a_session_that_is_over_gets_no_stream(session: Session) -> None:
    await session.logout()
    with pytest.raises(Refused, match="unauthorized"):
        async with Stream(session.venue, session):
            pass


async def test_a_venue_that_is_not_there_has_no_stream(autojump_clock: object) -> None:
    with pytest.raises(Unreachable, match="no stream"):
        async with Stream(Venue("http://127.0.0.1:1")):
            pass
