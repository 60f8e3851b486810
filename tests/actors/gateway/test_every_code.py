"""Every code of the table, over HTTP and, where it can come there, over the WebSocket.

Bets over the WebSocket are those over HTTP: each refusal comes both ways with the same body. Each
of these cases plays twice, on two venues that were made alike, down to the ids that they will make.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeAlias

import attrs
import pytest
import trio

from client.session_key import SessionKey
from client.signing import sign_bet
from domain.disk import DiskLevel
from domain.limits import BODY_BYTES_MAX
from domain.quotes import QuoteBook
from domain.refusals import TABLE, Code
from domain.self_limits import LimitsAsked, MaxAsked
from protocols.account_commands import KeyGrant, RevokeKeys, SetFrozen, SetLimits
from protocols.market import FeedLevel, Hold
from protocols.money import CommandFailed, OpenAccount
from protocols.operations.bets import PLACE
from protocols.upkeep import DiskStatus
from supervisor import Ask, Life
from tests.support.door import (
    CHAIN_ID,
    EPOCH_MS,
    OPS_TOKEN,
    WALLET,
    BrokenStore,
    Door,
    make_quote,
    open_door,
)
from tests.support.http_client import Response, once

Json: TypeAlias = dict[str, Any]
Place: TypeAlias = Callable[[Json], Awaitable[Json]]
"""Sends the fields of a bet; gives the body of the answer, and under `ok` whether it was taken."""
Case: TypeAlias = Callable[[Door, Place], Awaitable[Json]]
"""Places bets; the answer to the last one is compared."""

CASES: dict[str, tuple[Code, Case, Json]] = {}
"""By its name: the code that it leads to, what happens, and the settings of its venue."""


def case(code: Code, **settings: object) -> Callable[[Case], Case]:
    """A case, and the code that it leads to."""

    def keep(play: Case) -> Case:
        CASES[play.__name__] = (code, play, settings)
        return play

    return keep


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
async def test_a_refusal_is_the_same_both_ways(name: str, tmp_path: Path) -> None:
    code, play, settings = CASES[name]
    over_http = await play_over_http(play, tmp_path / "http", settings)
    over_socket = await play_over_socket(play, tmp_path / "socket", settings)
    assert (over_http["ok"], over_http["error"]) == (False, code.value)
    assert over_socket == over_http


async def test_a_bet_is_taken_alike_both_ways(tmp_path: Path) -> None:
    over_http = await play_over_http(a_good_bet, tmp_path / "http", {})
    over_socket = await play_over_socket(a_good_bet, tmp_path / "socket", {})
    assert over_http["ok"]
    assert over_socket == over_http


def test_every_code_of_a_bet_is_a_case() -> None:
    """But a frame that is too large ends the talk: it is below."""
    assert {code for code, _, _ in CASES.values()} == PLACE.all_codes - {Code.TOO_LARGE}


def test_every_code_of_the_table_is_a_case() -> None:
    of_bets = {code for code, _, _ in CASES.values()}
    assert of_bets | OVER_HTTP.keys() == set(Code)
    # What no frame can ask for: another method, an operator's reference, old prices.
    only_http = {Code.METHOD_NOT_ALLOWED, Code.REFERENCE_CONFLICT, Code.ARCHIVED}
    assert of_bets | OVER_SOCKET.keys() == set(Code) - only_http


async def play_over_http(play: Case, data: Path, settings: Json) -> Json:
    async with opened(data, settings) as door:

        async def place(fields: Json) -> Json:
            answer = await door.post("/api/bets", fields)
            return {"ok": answer.status == 202, **answer.json}

        return await play(door, place)


async def play_over_socket(play: Case, data: Path, settings: Json) -> Json:
    async with opened(data, settings) as door, door.socket() as talk:

        async def place(fields: Json) -> Json:
            reply = await talk.ask("bet", **fields)
            return {key: value for key, value in reply.items() if key not in ("type", "id")}

        return await play(door, place)


def opened(data: Path, settings: Json) -> Any:
    data.mkdir()
    return open_door(data, **settings)


# --- cases ------------------------------------------------------------------------------------


async def a_good_bet(door: Door, place: Place) -> Json:
    await door.fund()
    return await place(door.bet())


@case(Code.BAD_REQUEST)
async def an_amount_that_is_none(door: Door, place: Place) -> Json:
    return await place(door.bet(amount="01"))


@case(Code.BAD_REQUEST)
async def another_chain(door: Door, place: Place) -> Json:
    return await place(door.bet(chain_id=CHAIN_ID + 1))


@case(Code.SIGNATURE_EXPIRED)
async def an_old_signature(door: Door, place: Place) -> Json:
    fields = door.bet()
    door.clock.at_ms += 31_000
    return await place(fields)


@case(Code.INVALID_SIGNATURE)
async def a_signature_of_something_else(door: Door, place: Place) -> Json:
    return await place(door.bet(amount="5000000"))


@case(Code.INVALID_SIGNATURE)
async def a_key_that_nobody_knows(door: Door, place: Place) -> Json:
    return await place(bet_of_key(door, SessionKey.from_number(7)))


@case(Code.UNAUTHORIZED)
async def a_key_that_was_revoked(door: Door, place: Place) -> Json:
    key = await authorised(door, bet_max_micros=1_000_000)
    await door.order(RevokeKeys(wallet=WALLET, session_id="s"))
    return await place(bet_of_key(door, key))


@case(Code.LIMIT_REACHED)
async def a_stake_above_what_the_key_may(door: Door, place: Place) -> Json:
    return await place(bet_of_key(door, await authorised(door, bet_max_micros=999_999)))


@case(Code.LIMIT_REACHED)
async def a_stake_above_the_traders_own_limit(door: Door, place: Place) -> Json:
    await door.fund()
    asked = LimitsAsked(stake_max=MaxAsked(micros=999_999))
    await door.order(SetLimits(wallet=WALLET, asked=asked))
    return await place(door.bet())


@case(Code.FROZEN)
async def a_frozen_account(door: Door, place: Place) -> Json:
    await door.fund()
    await door.order(SetFrozen(wallet=WALLET, frozen=True, reason="drill", by="ann"))
    return await place(door.bet())


@case(Code.PRICE_FEED_STALE)
async def a_critical_feed(door: Door, place: Place) -> Json:
    door.channels.feed.set(attrs.evolve(door.channels.feed.value, level=FeedLevel.CRITICAL))
    return await place(door.bet())


@case(Code.HELD)
async def betting_on_hold(door: Door, place: Place) -> Json:
    door.channels.hold.set(Hold(held=True, by="ann", why="drill"))
    return await place(door.bet())


@case(Code.DISK_FULL)
async def a_disk_that_is_full(door: Door, place: Place) -> Json:
    (full, *_) = [level for level in DiskLevel if level.refuses_bets]
    door.channels.disk.set(DiskStatus(level=full))
    return await place(door.bet())


@case(Code.CELL_UNAVAILABLE)
async def a_column_out_of_reach(door: Door, place: Place) -> Json:
    return await place(door.bet(cell=door.cell(columns_ahead=0)))


@case(Code.RATE_LIMITED, bets_per_minute=6, bets_burst=1)
async def a_wallet_over_its_rate(door: Door, place: Place) -> Json:
    await door.fund()
    await place(door.bet())
    return await place(door.bet(cell=door.cell(row=1)))


@case(Code.RATE_LIMITED, requests_per_minute=6, requests_burst=1)
async def an_address_over_its_rate(door: Door, place: Place) -> Json:
    await place(door.bet(signature="0x" + "00" * 65))
    return await place(door.bet())


@case(Code.STORE_UNAVAILABLE, store=BrokenStore())
async def a_store_that_is_gone(door: Door, place: Place) -> Json:
    await door.fund()
    return await place(door.bet())


@case(Code.REPLAY_DETECTED)
async def the_same_bet_again(door: Door, place: Place) -> Json:
    await door.fund()
    fields = door.bet()
    await place(fields)
    return await place(fields)


@case(Code.REPLAY_DETECTED)
async def a_bet_again_that_wrote_nothing(door: Door, place: Place) -> Json:
    door.channels.book.set(QuoteBook())
    fields = door.bet()
    await place(fields)
    return await place(fields)


@case(Code.INSUFFICIENT_FUNDS)
async def a_wallet_without_money(door: Door, place: Place) -> Json:
    return await place(door.bet())


@case(Code.BAD_STAKE)
async def a_stake_that_is_no_preset(door: Door, place: Place) -> Json:
    return await place(door.bet(stake_micros=2_000_000))


@case(Code.CELL_TAKEN)
async def a_cell_that_one_has(door: Door, place: Place) -> Json:
    await door.fund()
    await place(door.bet())
    return await place(door.bet())


@case(Code.QUOTE_EXPIRED)
async def a_rate_that_moved(door: Door, place: Place) -> Json:
    await door.fund()
    door.channels.book.set(QuoteBook(quotes=(rated(10_100, n=813), make_quote())))
    return await place(door.bet(odds=True))


@case(Code.EXPOSURE_LIMIT)
async def a_payout_over_the_cap(door: Door, place: Place) -> Json:
    await door.fund()
    door.channels.book.set(QuoteBook(quotes=(rated(2_000_000, n=812),)))
    return await place(door.bet(stake_micros=100_000_000))


@case(Code.OVERLOADED, with_batcher=False)
async def a_full_mailbox(door: Door, place: Place) -> Json:
    filler = Ask(OpenAccount(wallet=WALLET), trio.current_time() + 60)
    while door.channels.money.offer(filler):
        pass
    return await place(door.bet())


@case(Code.DRAINING, with_batcher=False)
async def a_batcher_that_stops(door: Door, place: Place) -> Json:
    door.channels.money.close()
    return await place(door.bet())


@case(Code.STATUS_UNKNOWN, with_batcher=False, answer_within_ms=20)
async def no_answer_in_time(door: Door, place: Place) -> Json:
    return await place(door.bet())


@case(Code.INTERNAL, with_batcher=False)
async def a_defect_of_the_ledger(door: Door, place: Place) -> Json:
    async def fail() -> None:
        async with door.channels.money.reader(Life("venue/batcher")) as reader:
            (await reader.receive()).answer(CommandFailed(why="a drill"))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(fail)
        return await place(door.bet())


def rated(rate: int, *, n: int) -> Any:
    quote = make_quote(n=n)
    return attrs.evolve(quote, rates=tuple((rate,) * 40 for _ in quote.rates))


async def authorised(door: Door, *, bet_max_micros: int) -> SessionKey:
    """A key that may bet, and money for it."""
    key = SessionKey.from_number(7)
    grant = KeyGrant(
        key_id=key.key_id,
        public_key=key.point,
        session_id="s",
        bet_max_micros=bet_max_micros,
        day_max_micros=10_000_000,
        expires_at_ms=EPOCH_MS + 3_600_000,
    )
    await door.order(OpenAccount(wallet=WALLET, key=grant))
    await door.fund()
    return key


def bet_of_key(door: Door, key: SessionKey) -> Json:
    """A bet that the session key signed."""
    return sign_bet(
        key,
        wallet=WALLET,
        cell_id=door.cell().id,
        stake_micros=1_000_000,
        nonce="00000000-0000-4000-8000-00000000abcd",
        timestamp_s=door.clock.now_ms() // 1000,
        chain_id=CHAIN_ID,
    ).fields()


# --- what no bet is refused with ----------------------------------------------------------------


async def a_faucet_with_real_money(door: Door) -> Response:
    return await door.post("/api/faucet")


async def a_bet_that_never_was(door: Door) -> Response:
    return await door.get(f"/api/bets/{'0' * 26}/proof")


async def a_method_that_the_path_does_not_take(door: Door) -> Response:
    return await once(door.port, "DELETE", "/api/grid")


async def a_reference_for_two_deposits(door: Door) -> Response:
    deposit = {"wallet": WALLET, "amount_micros": 1, "reference": "r"}
    assert (await door.post("/ops/deposits", deposit, token=OPS_TOKEN)).status == 200
    return await door.post("/ops/deposits", deposit | {"amount_micros": 2}, token=OPS_TOKEN)


async def prices_of_long_ago(door: Door) -> Response:
    return await door.get("/api/prices/history?from=0&to=1")


async def a_body_without_end(door: Door) -> Response:
    return await door.post("/api/bets", {"amount": "1" * BODY_BYTES_MAX})


OVER_HTTP = {
    Code.FORBIDDEN: a_faucet_with_real_money,
    Code.NOT_FOUND: a_bet_that_never_was,
    Code.METHOD_NOT_ALLOWED: a_method_that_the_path_does_not_take,
    Code.REFERENCE_CONFLICT: a_reference_for_two_deposits,
    Code.ARCHIVED: prices_of_long_ago,
    Code.TOO_LARGE: a_body_without_end,
}


async def a_page_of_a_stranger(door: Door) -> str | None:
    return (await door.handshake(origin="https://stranger.example")).error


async def a_socket_of_another_path(door: Door) -> str | None:
    return (await door.handshake("/api/ws")).error


async def a_frame_without_end(door: Door) -> str:
    async with door.socket() as talk:
        await talk.say(op="ping", note="1" * BODY_BYTES_MAX)
        return str((await talk.next_of("reply"))["error"])


OVER_SOCKET = {
    Code.FORBIDDEN: a_page_of_a_stranger,
    Code.NOT_FOUND: a_socket_of_another_path,
    Code.TOO_LARGE: a_frame_without_end,
}


@pytest.mark.parametrize("code", OVER_HTTP)
async def test_a_refusal_over_http(code: Code, tmp_path: Path) -> None:
    async with open_door(tmp_path, demo=False) as door:
        answer = await OVER_HTTP[code](door)
    assert (answer.status, answer.json["error"]) == (TABLE[code].http_status, code.value)


@pytest.mark.parametrize("code", OVER_SOCKET)
async def test_a_refusal_over_the_socket(code: Code, tmp_path: Path) -> None:
    async with open_door(tmp_path) as door:
        assert await OVER_SOCKET[code](door) == code.value
