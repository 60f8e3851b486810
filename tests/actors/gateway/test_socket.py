"""The WebSocket: requests and replies, channels, the private stream, and how a socket ends."""

import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import attrs
import pytest
import trio

from actors.gateway import hub, socket
from domain.quotes import QuoteBook
from protocols.market import FeedLevel, Hold
from protocols.money import Deposited, EventsLost, RebuildBalance
from supervisor import Life
from tests.support.door import (
    EPOCH_MS,
    OTHER_KEY,
    PRICE_CENTS,
    REWARD_BPS,
    WALLET,
    BrokenStore,
    Door,
    make_quote,
    make_tick,
    open_door,
)


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async with open_door(tmp_path) as door:
        yield door


# --- requests and replies ---------------------------------------------------------------------


async def test_a_ping_is_answered_with_the_time(door: Door) -> None:
    async with door.socket() as talk:
        reply = await talk.ask("ping")
    assert reply == {"type": "reply", "id": "r", "ok": True, "server_time_ms": EPOCH_MS}


@pytest.mark.parametrize(
    ("frame", "field"),
    [("hello", "body"), ("[]", "body"), ('{"op": "dance"}', "op"), ('{"op": "resume"}', "seq")],
)
async def test_what_is_no_request_is_refused_and_the_talk_goes_on(
    door: Door, frame: str, field: str
) -> None:
    async with door.socket() as talk:
        await talk.socket.send_message(frame)
        reply = await talk.next_of("reply")
        assert (reply["ok"], reply["error"], reply["field"]) == (False, "bad_request", field)
        assert (await talk.ask("ping"))["ok"]


async def test_bytes_are_refused_and_end_the_talk(door: Door) -> None:
    async with door.socket() as talk:
        await talk.socket.send_message(b"\x00\x01")
        assert await talk.end() == (1008, "frames must be text")
        assert talk.seen[-1]["error"] == "bad_request"


@pytest.mark.parametrize("size", [16_385, 70_000, 400_000])
async def test_a_frame_over_16_kib_is_refused_and_ends_the_talk(door: Door, size: int) -> None:
    async with door.socket() as talk:
        await talk.socket.send_message("x" * size)
        assert await talk.end() == (1009, "the frame is too large")
        assert talk.seen[-1]["error"] == "too_large"


async def test_a_frame_of_16_kib_is_read(door: Door) -> None:
    async with door.socket() as talk:
        frame = json.dumps({"op": "ping", "id": "r", "pad": ""})
        await talk.socket.send_message(frame[:-2] + "x" * (16_384 - len(frame)) + '"}')
        assert (await talk.next_of("reply"))["ok"]


# --- bets -------------------------------------------------------------------------------------


async def test_a_bet_is_placed_with_the_fields_and_the_answer_of_http(door: Door) -> None:
    await door.fund()
    async with door.socket() as talk:
        reply = await talk.ask("bet", **door.bet())
    assert reply["ok"]
    assert (reply["status"], reply["reward_bps"]) == ("confirmed", REWARD_BPS)
    assert reply["balance_micros"] == 99_000_000


async def test_a_refused_bet_says_what_http_would_say(door: Door) -> None:
    fields = door.bet(cell_id="5_0_1000")
    async with door.socket() as talk:
        reply = await talk.ask("bet", **fields)
    answer = (await door.post("/api/bets", fields)).json
    assert reply == {"type": "reply", "id": "r", "ok": False, **answer}


async def test_bets_may_be_on_their_way_together(door: Door) -> None:
    await door.fund()
    replies: dict[str, bool] = {}
    async with door.socket() as talk:
        for row in range(20):
            await talk.say(op="bet", id=f"b{row}", **door.bet(cell=door.cell(row=row - 10)))
        while len(replies) < 20:
            reply = await talk.next_of("reply")
            replies[reply["id"]] = reply["ok"]
    assert set(replies.values()) == {True}


async def test_a_socket_that_goes_away_leaves_its_bets_with_the_venue(door: Door) -> None:
    await door.fund()
    events = door.channels.user_events.subscribe("test", 10)
    async with door.socket() as talk:
        await talk.say(op="bet", **door.bet())
        await talk.socket.send_message("[]")
    with trio.fail_after(5):
        await events.receive()
    assert [bet.status.value for bet in door.ports.ledger.bets(WALLET)] == ["confirmed"]


# --- channels ---------------------------------------------------------------------------------


async def test_nothing_is_sent_unasked(door: Door) -> None:
    async with door.socket() as talk:
        door.channels.book.set(QuoteBook(quotes=(make_quote(n=813),)))
        door.channels.ticks.publish_nowait(make_tick())
        await talk.ask("ping")
        assert talk.seen == []


async def test_the_grid_is_one_flat_array_of_rates(door: Door) -> None:
    async with door.socket() as talk:
        assert (await talk.ask("subscribe", channels=["grid"]))["channels"] == ["grid"]
        grid = await talk.next_of("grid")
        quote = make_quote()
        assert (grid["n"], grid["rows"], len(grid["rates"])) == (812, 40, 480)
        assert grid["first_column_s"] == quote.first_column_s
        assert grid["lowest_row_cents"] == quote.lowest_row_cents
        door.channels.book.set(QuoteBook(quotes=(make_quote(n=813),)))
        assert (await talk.next_of("grid"))["n"] == 813


async def test_a_full_grid_fits_into_4_kib(door: Door) -> None:
    quote = make_quote()
    dear = attrs.evolve(quote, rates=tuple((999_999,) * 40 for _ in quote.rates))
    door.channels.book.set(QuoteBook(quotes=(dear,)))
    async with door.socket() as talk:
        await talk.ask("subscribe", channels=["grid"])
        frame = await talk.next_of("grid")
    assert len(json.dumps(frame, separators=(",", ":"))) <= 4_096


async def test_without_a_quote_the_grid_says_so(door: Door) -> None:
    async with door.socket() as talk:
        await talk.ask("subscribe", channels=["grid"])
        await talk.next_of("grid")
        door.channels.book.set(QuoteBook())
        assert (await talk.next_of("grid")) == {"type": "grid", "n": None}


async def test_prices_are_coalesced_to_the_latest(door: Door) -> None:
    async with door.socket() as talk:
        await talk.ask("subscribe", channels=["price"])
        for number in range(50):
            door.channels.ticks.publish_nowait(make_tick(price_cents=PRICE_CENTS + number))
        last = await talk.until(lambda frame: frame.get("price_cents") == PRICE_CENTS + 49)
        assert last["type"] == "price"
        assert len(talk.seen) <= 2


async def test_a_newcomer_gets_the_newest_price_at_once(door: Door) -> None:
    async with door.socket() as first, door.socket() as second:
        await first.ask("subscribe", channels=["price"])
        door.channels.ticks.publish_nowait(make_tick())
        await first.next_of("price")
        await second.ask("subscribe", channels=["price"])
        assert (await second.next_of("price"))["price_cents"] == PRICE_CENTS


@pytest.mark.slow
async def test_heartbeats_carry_feed_age_and_breaker(door: Door) -> None:
    async with door.socket() as talk:
        await talk.ask("subscribe", channels=["status"])
        status = await talk.next_of("system:status")
        assert (status["level"], status["breaker"], status["feed_age_ms"]) == (
            "healthy",
            "closed",
            0,
        )
        door.clock.at_ms += 700
        assert (await talk.next_of("system:status"))["feed_age_ms"] == 700


async def test_what_closes_betting_is_news_at_once(door: Door) -> None:
    async with door.socket() as talk:
        await talk.ask("subscribe", channels=["status"])
        await talk.next_of("system:status")
        feed = door.channels.feed
        feed.set(attrs.evolve(feed.value, level=FeedLevel.CRITICAL))
        status = await talk.until(lambda frame: frame.get("level") == "critical")
        assert status["breaker"] == "open"
        door.channels.hold.set(Hold(held=True, by="ann", why="drill"))
        status = await talk.until(lambda frame: frame.get("held") is True)
        assert status["held_why"] == "drill"


async def test_an_unsubscribed_channel_is_silent(door: Door) -> None:
    async with door.socket() as talk:
        await talk.ask("subscribe", channels=["grid"])
        await talk.next_of("grid")
        await talk.ask("subscribe", channels=[])
        door.channels.book.set(QuoteBook(quotes=(make_quote(n=813),)))
        await talk.ask("ping")
        assert talk.seen == []


# --- the private stream -----------------------------------------------------------------------


async def test_the_private_stream_tells_a_bet_from_its_stake_to_its_end(door: Door) -> None:
    token = await door.sign_in()
    async with door.socket() as talk:
        account = await talk.ask("auth", token=token)
        assert (account["wallet"], account["seq"]) == (WALLET, 0)
        await door.fund()
        assert (await talk.next_of("balance"))["balance_micros"] == 100_000_000
        cell = door.cell()
        await door.post("/api/bets", door.bet(cell=cell))
        confirmed = await talk.next_of("bet:confirmed")
        await door.settle(cell)
        resolved = await talk.next_of("bet:resolved")
    assert confirmed["bet_id"] == resolved["bet_id"]
    assert (confirmed["seq"], resolved["seq"]) == (2, 3)
    assert (resolved["status"], resolved["payout_micros"]) == ("won", 1_850_000)
    assert resolved["balance_micros"] == 100_850_000


async def test_a_refusal_that_wrote_something_is_an_event(door: Door) -> None:
    token = await door.sign_in()
    async with door.socket() as talk:
        await talk.ask("auth", token=token)
        answer = (await door.post("/api/bets", door.bet())).json
        assert answer["error"] == "insufficient_funds"
        failed = await talk.next_of("bet:failed")
    assert (failed["error"], failed["seq"]) == ("insufficient_funds", 1)


async def test_nobody_hears_of_another(door: Door) -> None:
    token = await door.sign_in(OTHER_KEY)
    async with door.socket() as talk:
        await talk.ask("auth", token=token)
        await door.fund()
        await door.post("/api/bets", door.bet())
        await talk.ask("ping")
        assert talk.seen == []


@pytest.mark.parametrize("token", ["x", "A" * 43])
async def test_a_token_of_nobody_is_refused(door: Door, token: str) -> None:
    async with door.socket() as talk:
        assert (await talk.ask("auth", token=token))["error"] == "unauthorized"


async def test_the_private_stream_ends_with_the_session(door: Door) -> None:
    token = await door.sign_in()
    async with door.socket() as talk:
        account = await talk.ask("auth", token=token)
        door.clock.at_ms = account["expires_at_ms"]
        await door.fund()
        await talk.next_of("session:expired")
        await door.fund()
        await talk.ask("ping")
        assert talk.seen == []


async def test_resuming_where_nothing_was_missed(door: Door) -> None:
    await door.fund()
    token = await door.sign_in()
    async with door.socket() as talk:
        seq = (await talk.ask("auth", token=token))["seq"]
        reply = await talk.ask("resume", seq=seq)
    assert (reply["resync_required"], reply["seq"]) == (False, seq)


async def test_resuming_replays_what_was_missed_as_it_was_sent(door: Door) -> None:
    token = await door.sign_in()
    await door.fund()
    async with door.socket() as there, door.socket() as away:
        await there.ask("auth", token=token)
        await door.fund()
        cell = door.cell()
        await door.post("/api/bets", door.bet(cell=cell))
        await door.settle(cell)
        await there.next_of("bet:resolved")
        await away.ask("auth", token=token)
        reply = await away.ask("resume", seq=1)
    assert (reply["resync_required"], reply["seq"]) == (False, 4)
    assert [frame["type"] for frame in away.seen] == ["balance", "bet:confirmed", "bet:resolved"]
    assert away.seen[:2] == there.seen


async def test_signing_in_with_a_seq_resumes_in_one_step(door: Door) -> None:
    token = await door.sign_in()
    await door.fund()
    await door.fund()
    async with door.socket() as talk:
        reply = await talk.ask("auth", token=token, seq=1)
        assert [frame["seq"] for frame in talk.seen] == [2]
        assert (reply["wallet"], reply["resync_required"], reply["seq"]) == (WALLET, False, 2)
        await door.fund()
        assert (await talk.next_of("balance"))["seq"] == 3


async def test_after_a_restart_of_the_gateway_a_snapshot_stands_for_what_was_missed(
    door: Door,
) -> None:
    await door.fund()
    token = await door.sign_in()
    won = door.cell(columns_ahead=2)
    await door.post("/api/bets", door.bet(cell=won))
    await door.post("/api/bets", door.bet(cell=door.cell(columns_ahead=5)))
    await door.settle(won)
    door.life.stopping.set()
    await door.stopped.wait()
    async with trio.open_nursery() as nursery:
        await nursery.start(door.next_life)
        async with door.socket() as talk:
            await talk.ask("auth", token=token)
            reply = await talk.ask("resume", seq=1)
            snapshot = reply["snapshot"]
            assert reply["resync_required"]
            assert snapshot["seq"] == 4
            assert snapshot["balance_micros"] == 100_000_000 - 2_000_000 + 1_850_000
            assert [bet["status"] for bet in snapshot["open"]] == ["confirmed"]
            assert [bet["status"] for bet in snapshot["last"]] == ["won"]
            await door.fund()
            assert (await talk.next_of("balance"))["seq"] == 5
        door.life.stopping.set()


async def test_a_seq_ahead_of_the_venues_gets_a_snapshot(door: Door) -> None:
    await door.fund()
    token = await door.sign_in()
    async with door.socket() as talk:
        reply = await talk.ask("auth", token=token, seq=1_000)
    assert (reply["resync_required"], reply["snapshot"]["seq"]) == (True, 1)


async def test_a_trader_without_an_event_has_missed_nothing(door: Door) -> None:
    token = await door.sign_in()
    async with door.socket() as talk:
        reply = await talk.ask("auth", token=token, seq=0)
    assert (reply["resync_required"], reply["seq"]) == (False, 0)


async def test_resuming_needs_a_session(door: Door) -> None:
    async with door.socket() as talk:
        assert (await talk.ask("resume", seq=1))["error"] == "unauthorized"


async def test_without_the_store_prices_still_flow(tmp_path: Path) -> None:
    async with open_door(tmp_path, store=BrokenStore()) as door, door.socket() as talk:
        assert (await talk.ask("auth", token="A" * 43))["error"] == "store_unavailable"
        assert (await talk.ask("subscribe", channels=["grid"]))["ok"]
        await talk.next_of("grid")


async def test_traders_are_asked_to_resume_when_the_batcher_may_have_lost_their_events(
    door: Door,
) -> None:
    token = await door.sign_in()
    async with door.socket() as talk, door.socket() as public:
        seq = (await talk.ask("auth", token=token))["seq"]
        door.channels.user_events.publish_nowait(EventsLost())
        await talk.next_of("resync_required")
        assert not (await talk.ask("resume", seq=seq))["resync_required"]
        assert (await public.ask("ping"))["ok"]
        assert all(frame["type"] != "resync_required" for frame in public.seen)


async def test_who_resumes_after_a_rebuild_is_given_the_balance_that_was_rebuilt(
    door: Door, tmp_path: Path
) -> None:
    await door.fund()
    token = await door.sign_in()
    async with door.socket() as talk:
        seq = (await talk.ask("auth", token=token))["seq"]
        _meddle(tmp_path)
        await door.order(RebuildBalance(wallet=WALLET, by="ann", why="drill"))
        await talk.next_of("resync_required")
        reply = await talk.ask("resume", seq=seq)
    assert reply["snapshot"]["balance_micros"] == 100_000_000


def _meddle(data: Path) -> None:
    """Change every trader's balance behind the ledger's back."""
    (file,) = data.glob("*.db")
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE users SET balance = 7 WHERE id > 2")


async def test_traders_are_asked_to_resume_when_the_gateway_was_cut_off_from_events(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "USER_EVENTS_WAITING_MAX", 5)
    async with open_door(tmp_path) as door, door.socket() as talk, door.socket() as public:
        token = await door.sign_in()
        await talk.ask("auth", token=token)
        for number in range(6):
            door.channels.user_events.publish_nowait(_deposited(seq=number))
        await talk.next_of("resync_required")
        assert (await talk.ask("resume", seq=0))["seq"] == 0
        await door.fund()
        assert (await talk.next_of("balance"))["seq"] == 1
        assert (await public.ask("ping"))["ok"]
        assert public.seen == []


# --- sessions ---------------------------------------------------------------------------------


async def test_a_logout_ends_the_private_streams_of_its_session_and_no_others(door: Door) -> None:
    left, stays = await door.sign_in(), await door.sign_in()
    async with door.socket() as leaving, door.socket() as staying:
        await leaving.ask("auth", token=left)
        await leaving.ask("subscribe", channels=["price"])
        await staying.ask("auth", token=stays)
        assert (await door.post("/api/auth/logout", token=left)).status == 200
        await leaving.next_of("session:expired")
        await door.fund()
        assert (await staying.next_of("balance"))["seq"] == 1
        assert (await leaving.ask("resume", seq=0))["error"] == "unauthorized"
        assert (await leaving.ask("auth", token=left))["error"] == "unauthorized"
        assert [frame["type"] for frame in leaving.seen] == []


@pytest.mark.slow
async def test_a_session_ends_by_its_time_although_nothing_happens(door: Door) -> None:
    token = await door.sign_in()
    async with door.socket() as talk:
        account = await talk.ask("auth", token=token)
        door.clock.at_ms = account["expires_at_ms"]
        await talk.next_of("session:expired")


async def test_another_sign_in_takes_the_place_of_the_first(door: Door) -> None:
    first, second = await door.sign_in(), await door.sign_in(OTHER_KEY)
    async with door.socket() as talk:
        await talk.ask("auth", token=first)
        assert (await talk.ask("auth", token="x"))["error"] == "unauthorized"
        await door.fund()
        await talk.next_of("balance")
        await talk.ask("auth", token=second)
        await door.fund()
        await talk.ask("ping")
        assert talk.seen == []


# --- limits -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("op", "fields"),
    [
        ("ping", {}),
        ("subscribe", {"channels": ["price"]}),
        ("auth", {"token": "x"}),
        ("resume", {"seq": 1}),
        ("dance", {}),
        ("bet", {}),
    ],
)
async def test_every_frame_is_a_request_of_its_address(
    tmp_path: Path, op: str, fields: dict[str, object]
) -> None:
    async with (
        open_door(tmp_path, requests_per_minute=6, requests_burst=1) as door,
        door.socket() as talk,
    ):
        assert (await talk.ask(op, **fields)).get("error") != "rate_limited"
        reply = await talk.ask(op, **fields)
        assert (reply["error"], reply["retry_after"]) == ("rate_limited", 10)


async def test_who_goes_on_over_the_limit_is_cut_off(tmp_path: Path) -> None:
    async with (
        open_door(tmp_path, requests_per_minute=6, requests_burst=1) as door,
        door.socket() as talk,
    ):
        for _ in range(socket.OVER_LIMIT_MAX + 2):
            await talk.say(op="ping")
        assert await talk.end() == (1008, "too many frames")
    assert [frame["ok"] for frame in talk.seen] == [True] + [False] * socket.OVER_LIMIT_MAX


async def test_who_heeds_the_limit_may_stay(tmp_path: Path) -> None:
    async with (
        open_door(tmp_path, requests_per_minute=60, requests_burst=1) as door,
        door.socket() as talk,
    ):
        replies = []
        for _ in range(socket.OVER_LIMIT_MAX + 2):
            replies += [await talk.ask("ping"), await talk.ask("ping")]
            door.clock.at_ms += 1_000
        assert [reply["ok"] for reply in replies] == [True, False] * (socket.OVER_LIMIT_MAX + 2)


@pytest.mark.slow
async def test_a_socket_that_does_nothing_is_closed(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "IDLE_S", 0.5)
    async with door.socket() as talk:
        assert await talk.end() == (1008, "idle")


@pytest.mark.slow
@pytest.mark.parametrize("use", ["channel", "bet", "stream"])
async def test_a_socket_that_is_used_is_left_alone(
    door: Door, monkeypatch: pytest.MonkeyPatch, use: str
) -> None:
    monkeypatch.setattr(hub, "IDLE_S", 0.2)
    monkeypatch.setattr(hub, "HEARTBEAT_S", 0.05)
    async with door.socket() as talk, door.socket() as idle:
        if use == "channel":
            await talk.ask("subscribe", channels=["grid"])
        elif use == "bet":
            await talk.ask("bet", **door.bet())
        else:
            await talk.ask("auth", token=await door.sign_in())
        assert await idle.end() == (1008, "idle")
        assert (await talk.ask("ping"))["ok"]


@pytest.mark.slow
async def test_a_socket_that_pings_is_left_alone(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "IDLE_S", 0.5)
    async with door.socket() as talk, door.socket() as idle, trio.open_nursery() as nursery:

        async def ping() -> None:
            while True:
                assert (await talk.ask("ping"))["ok"]

        nursery.start_soon(ping)
        assert await idle.end() == (1008, "idle")
        nursery.cancel_scope.cancel()


# --- the end ----------------------------------------------------------------------------------


async def test_a_drain_tells_when_to_come_back_and_closes(door: Door) -> None:
    async with door.socket() as talk:
        await talk.ask("ping")
        door.channels.draining.set(True)
        assert await talk.end() == (1001, "draining")
    (drain,) = [frame for frame in talk.seen if frame["type"] == "drain"]
    assert 0 <= drain["reconnect_in_ms"] < 5_000


@pytest.mark.slow
async def test_a_drain_waits_for_the_answer_of_a_bet_in_flight(tmp_path: Path) -> None:
    async with open_door(tmp_path, with_batcher=False, answer_within_ms=300) as door:
        async with door.socket() as talk:
            await talk.say(op="bet", id="b", **door.bet())
            async with door.channels.money.reader(Life("venue/batcher")) as reader:
                await reader.receive()  # and never answers
            door.channels.draining.set(True)
            assert await talk.end() == (1001, "draining")
        kinds = [frame["type"] for frame in talk.seen]
        assert kinds == ["reply", "drain"]
        assert talk.seen[0]["error"] == "status_unknown"


async def test_a_draining_venue_takes_no_new_socket(door: Door) -> None:
    async with door.socket() as talk:
        door.channels.draining.set(True)
        await talk.end()
    refused = await door.handshake()
    assert (refused.status, refused.error) == (503, "draining")


async def test_sockets_of_one_address_are_counted(tmp_path: Path) -> None:
    async with (
        open_door(tmp_path, connections_per_address=1, trusted_proxies=("127.0.0.1",)) as door,
        door.socket() as talk,
    ):
        assert (await talk.ask("ping"))["ok"]
        refused = await door.handshake()
        assert (refused.status, refused.error) == (429, "rate_limited")


def _deposited(*, seq: int) -> Deposited:
    return Deposited(
        user_id=1,
        wallet=WALLET,
        seq=seq,
        balance_micros=seq,
        amount_micros=1,
        reference=f"r{seq}",
        repeated=False,
    )
