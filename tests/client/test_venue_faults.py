"""Withdrawals, price history and odd answers, from a venue that answers as it is told."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio

from client import BadAnswer, OutcomeUnknown, Refused, Unreachable, Venue, Wallet
from client.answers import WithdrawalRequested
from client.venue import PAGE_ROWS, WITHDRAWAL_TRIES_MAX

GRID = {
    "server_time_ms": 1_770_100_003_000,
    "chain_id": 31337,
    "column_s": 5,
    "row_cents": 1000,
    "lockout_columns": 1,
    "horizon_columns": 12,
    "presets_micros": [1_000_000],
    "rule": "touch",
    "quote": None,
}
WITHDRAWAL = {"id": "01HZX3Y4Z5A6B7C8D9E0F1G2H3", "status": "pending", "amount_micros": 7}
TAKEN = (202, {"withdrawal": WITHDRAWAL, "balance_micros": 3})
THERE = (409, {"error": "replay_detected", "withdrawal": WITHDRAWAL})
LOST = (0, None)
WALLET = Wallet.from_private_key(bytes(31) + b"\x01")

Told = tuple[int, object]
"""Status and body; status 0 hangs up instead."""


@asynccontextmanager
async def telling(*answers: Told) -> AsyncIterator[tuple[Venue, list[bytes]]]:
    """A venue, and what it was sent: `GET /api/grid` is answered, all else by the list in turn."""
    left, sent = list(answers), list[bytes]()

    async def serve(stream: trio.SocketStream) -> None:
        async with stream:
            request = bytes(await stream.receive_some(65_536))
            status, body = (200, GRID)
            if not request.startswith(b"GET /api/grid "):
                sent.append(request)
                status, body = left.pop(0)
            if status:
                text = body if isinstance(body, bytes) else json.dumps(body).encode()
                head = f"HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {len(text)}"
                await stream.send_all(head.encode() + b"\r\n\r\n" + text)

    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, serve, [listener])
        async with Venue(f"http://127.0.0.1:{listener.socket.getsockname()[1]}") as venue:
            yield venue, sent
        nursery.cancel_scope.cancel()


# --- withdrawals --------------------------------------------------------------------------------


async def withdraw(venue: Venue) -> WithdrawalRequested:
    return await venue.withdraw(WALLET, amount_micros=7, destination=WALLET.address)


@pytest.mark.parametrize(
    "doubt",
    [LOST, (504, {"error": "status_unknown"}), (500, {"error": "internal"}), (502, b"<html>")],
    ids=["lost", "unknown", "defect", "proxy"],
)
@pytest.mark.parametrize("then", [TAKEN, THERE], ids=["taken", "there"])
async def test_a_withdrawal_in_doubt_is_asked_for_again(
    doubt: Told, then: Told, mock_clock: trio.testing.MockClock
) -> None:
    mock_clock.rate = 100
    async with telling(doubt, (503, {"error": "draining"}), then) as (venue, sent):
        assert (await withdraw(venue)).withdrawal.id == WITHDRAWAL["id"]
    bodies = {request.partition(b"\r\n\r\n")[2] for request in sent}
    assert (len(sent), len(bodies)) == (3, 1), "the same request each time"


@pytest.mark.parametrize(
    "again",
    [(503, {"error": "draining"}), (401, {"error": "signature_expired"}), LOST],
    ids=["draining", "expired", "lost"],
)
async def test_a_withdrawal_that_stays_in_doubt_is_never_called_refused(
    again: Told, mock_clock: trio.testing.MockClock
) -> None:
    """Who was told so would ask for it a second time, with a new nonce."""
    mock_clock.rate = 100
    async with telling(LOST, *[again] * (WITHDRAWAL_TRIES_MAX - 1)) as (venue, sent):
        with pytest.raises(OutcomeUnknown) as unknown:
            await withdraw(venue)
    assert len(sent) == WITHDRAWAL_TRIES_MAX
    assert unknown.value.nonce.encode() in sent[0]


async def test_a_first_refusal_of_a_withdrawal_is_certain() -> None:
    async with telling((400, {"error": "insufficient_funds"})) as (venue, sent):
        with pytest.raises(Refused, match="insufficient_funds"):
            await withdraw(venue)
    assert len(sent) == 1


# --- history ------------------------------------------------------------------------------------


def bars(starts_ms: Sequence[int]) -> Told:
    prices = dict.fromkeys(("open_cents", "high_cents", "low_cents", "close_cents"), 1)
    return 200, {"bars": [{"start_ms": ms, **prices, "ticks": 1} for ms in starts_ms]}


def ticks(named: Sequence[tuple[int, int]]) -> Told:
    rows = [{"ts_ms": ms, "price_cents": 1, "trade_id": n, "source": "x"} for ms, n in named]
    return 200, {"ticks": rows}


async def test_bars_of_a_long_stretch_are_all_there() -> None:
    first, second = range(0, PAGE_ROWS * 1000, 1000), range(PAGE_ROWS * 1000, 2_500_000, 1000)
    async with telling(bars(first), bars(second)) as (venue, sent):
        found = await venue.bars(from_ms=0, to_ms=2_500_000)
    assert [bar.start_ms for bar in found] == [*first, *second]
    assert f"from={PAGE_ROWS * 1000}&to=2500000".encode() in sent[1]


async def test_ticks_of_a_long_stretch_are_all_there_once() -> None:
    """Where a page ends, more of the same millisecond may follow."""
    named = [(n // 3, n) for n in range(PAGE_ROWS + 100)]
    again = [(ms, n) for ms, n in named if ms >= named[PAGE_ROWS - 1][0]]
    async with telling(ticks(named[:PAGE_ROWS]), ticks(again)) as (venue, _):
        found = await venue.ticks(from_ms=0)
    assert [tick.trade_id for tick in found] == [n for _, n in named]


async def test_more_ticks_of_a_millisecond_than_a_page_holds_are_not_passed_over() -> None:
    async with telling(ticks([(5, n) for n in range(PAGE_ROWS)])) as (venue, _):
        with pytest.raises(BadAnswer, match="one millisecond"):
            await venue.ticks(from_ms=0)


# --- what is no answer of a venue ---------------------------------------------------------------


@pytest.mark.parametrize(
    "body", [b"<html>Bad Gateway</html>", {"message": "Endpoint request timed out"}, [], b""]
)
async def test_a_proxys_word_is_no_refusal_of_the_venues(body: Any) -> None:
    async with telling((504, body)) as (venue, _):
        with pytest.raises(BadAnswer, match="GET /version: HTTP 504"):
            await venue.get("/version", dict[str, Any])


async def test_nobody_there_is_certain_for_a_withdrawal_too() -> None:
    async with telling() as (venue, _):
        await venue.grid()
    with pytest.raises(Unreachable):
        await withdraw(venue)
