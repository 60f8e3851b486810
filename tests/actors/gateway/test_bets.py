"""Placing bets: what is confirmed, every refusal in the order of the checks, and what a retry gets.

Over HTTP; `test_socket` shows that the WebSocket goes the same way.
"""

import json
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import attrs
import pytest
import trio
from structlog.testing import capture_logs

from db.memory_store import MemoryStore
from db.wallet_signatures import wallet_of
from domain.grid import Cell
from domain.placement import Rules
from domain.quotes import QuoteBook
from domain.refusals import TABLE, Code
from protocols.market import FeedLevel, Hold, Override
from protocols.money import BetStatus, CommandFailed, MoneyOutcome, OpenAccount, PlaceBet
from protocols.ports import StoreUnavailable
from supervisor import Ask, Life
from tests.support.door import (
    CHAIN_ID,
    EPOCH_MS,
    KEY,
    OTHER_KEY,
    REWARD_BPS,
    WALLET,
    BrokenStore,
    Door,
    StillClock,
    make_quote,
    open_door,
)
from tests.support.http_client import Response


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async with open_door(tmp_path) as door:
        yield door


def assert_refused(answer: Response, code: Code, **details: object) -> None:
    """A refusal has the status and the message of the one table, and its own fields."""
    body = answer.json
    assert (answer.status, body["error"]) == (TABLE[code].http_status, code.value), body
    assert body["message"]
    assert details.items() <= body.items()


def bets_of(door: Door, key: bytes = KEY) -> list[str]:
    """The status of each bet on record."""
    return [bet.status.value for bet in door.ports.ledger.bets(wallet_of(key))]


# --- confirmed --------------------------------------------------------------------------------


async def test_a_well_signed_bet_is_confirmed(door: Door) -> None:
    await door.fund()
    answer = await door.post("/api/bets", door.bet())
    assert answer.status == 202
    bet = door.ports.ledger.bets(WALLET)[0]
    assert answer.json == {
        "bet_id": bet.bet_id,
        "status": "confirmed",
        "cell_id": bet.cell_id,
        "reward_bps": REWARD_BPS,
        "stake_micros": 1_000_000,
        "balance_micros": 99_000_000,
        "placed_at_ms": EPOCH_MS,
        "seq": 2,
    }


async def test_a_bet_of_version_2_names_its_odds(door: Door) -> None:
    await door.fund()
    assert (await door.post("/api/bets", door.bet(odds=True))).status == 202


async def test_the_wallet_is_told_its_rate_limit(door: Door) -> None:
    await door.fund()
    answer = await door.post("/api/bets", door.bet())
    assert answer.headers["ratelimit-limit"] == "1000"
    assert answer.headers["ratelimit-remaining"] == "999"
    assert "ratelimit-reset" in answer.headers


async def test_an_unknown_field_is_ignored(door: Door) -> None:
    await door.fund()
    assert (await door.post("/api/bets", door.bet(colour="green"))).status == 202


# --- refused before the signature is looked at ------------------------------------------------


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"wallet": NaN}', b"\xff", b"[" * 9_000])
async def test_a_body_that_is_no_object_is_refused(door: Door, body: bytes) -> None:
    assert_refused(await door.post("/api/bets", body), Code.BAD_REQUEST, field="body")


async def test_the_field_at_fault_is_named(door: Door) -> None:
    answer = await door.post("/api/bets", door.bet(amount="01"))
    assert_refused(answer, Code.BAD_REQUEST, field="amount")


async def test_a_key_that_occurs_twice_is_named(door: Door) -> None:
    fields = json.dumps(door.bet())
    answer = await door.post("/api/bets", (fields[:-1] + ', "amount": "5"}').encode())
    assert_refused(answer, Code.BAD_REQUEST, field="amount")


@pytest.mark.parametrize(("age_s", "is_taken"), [(30, True), (31, False), (-5, True), (-6, False)])
async def test_a_signature_lives_30_s_back_and_5_s_ahead(
    door: Door, age_s: int, is_taken: bool
) -> None:
    await door.fund()
    cell = door.cell(columns_ahead=9)
    door.clock.at_ms -= age_s * 1000
    fields = door.bet(cell=cell)
    door.clock.at_ms += age_s * 1000
    answer = await door.post("/api/bets", fields)
    if is_taken:
        assert answer.status == 202
    else:
        assert_refused(answer, Code.SIGNATURE_EXPIRED, server_time_ms=door.clock.at_ms)


async def test_another_chain_is_refused(door: Door) -> None:
    answer = await door.post("/api/bets", door.bet(chain_id=CHAIN_ID + 1))
    assert_refused(answer, Code.BAD_REQUEST, field="chain_id")


async def test_betting_is_refused_while_the_feed_is_critical(door: Door) -> None:
    door.channels.feed.set(attrs.evolve(door.channels.feed.value, level=FeedLevel.CRITICAL))
    answer = await door.post("/api/bets", door.bet())
    assert_refused(answer, Code.PRICE_FEED_STALE)
    assert answer.headers["retry-after"] == "10"


async def test_betting_is_refused_while_an_operator_holds_it(door: Door) -> None:
    door.channels.hold.set(Hold(held=True, by="ann", why="drill"))
    assert_refused(await door.post("/api/bets", door.bet()), Code.HELD)


async def test_betting_is_refused_while_the_breaker_is_forced_open(door: Door) -> None:
    door.channels.feed.set(attrs.evolve(door.channels.feed.value, override=Override.OPEN))
    assert_refused(await door.post("/api/bets", door.bet()), Code.HELD)


@pytest.mark.parametrize("columns_ahead", [-1, 0, 1, 14])
async def test_a_column_out_of_reach_is_refused(door: Door, columns_ahead: int) -> None:
    fields = door.bet(cell=door.cell(columns_ahead=columns_ahead))
    assert_refused(await door.post("/api/bets", fields), Code.CELL_UNAVAILABLE)


async def test_a_cell_off_the_grid_is_refused(door: Door) -> None:
    cell = door.cell()
    fields = door.bet(cell=attrs.evolve(cell, lo_cents=cell.lo_cents + 1))
    assert_refused(await door.post("/api/bets", fields), Code.CELL_UNAVAILABLE)


async def test_early_refusals_use_no_nonce_up(door: Door) -> None:
    await door.fund()
    fields = door.bet()
    door.channels.hold.set(Hold(held=True, by="ann", why="drill"))
    assert_refused(await door.post("/api/bets", fields), Code.HELD)
    door.channels.hold.set(Hold())
    assert (await door.post("/api/bets", fields)).status == 202


# --- refused by signature, limit or nonce -----------------------------------------------------


@pytest.mark.parametrize(
    "changed",
    [
        {"wallet": wallet_of(OTHER_KEY)},
        {"amount": "5000000"},
        {"signature": "0x" + "00" * 65},
        {"signature": "0x" + "11" * 64 + "05"},
    ],
)
async def test_a_signature_of_something_else_is_refused(
    door: Door, changed: dict[str, str]
) -> None:
    await door.fund()
    answer = await door.post("/api/bets", door.bet(**changed))
    assert_refused(answer, Code.INVALID_SIGNATURE)
    assert bets_of(door) == []


async def test_odds_are_part_of_what_is_signed(door: Door) -> None:
    answer = await door.post("/api/bets", door.bet(odds=True, rate=REWARD_BPS - 1))
    assert_refused(answer, Code.INVALID_SIGNATURE)


async def test_a_wallet_over_its_rate_is_told_when_to_come_back(tmp_path: Path) -> None:
    async with open_door(tmp_path, bets_per_minute=6, bets_burst=2) as door:
        await door.fund()
        for row in range(2):
            answer = await door.post("/api/bets", door.bet(cell=door.cell(row=row)))
            assert answer.status == 202
        answer = await door.post("/api/bets", door.bet(cell=door.cell(row=2)))
        assert_refused(answer, Code.RATE_LIMITED, retry_after=10)
        assert answer.headers["retry-after"] == "10"
        assert answer.headers["ratelimit-remaining"] == "0"


async def test_a_stranger_cannot_use_up_the_rate_of_a_wallet(tmp_path: Path) -> None:
    async with open_door(tmp_path, bets_per_minute=6, bets_burst=1) as door:
        await door.fund()
        for _ in range(5):
            forged = door.bet(key=OTHER_KEY, wallet=WALLET)
            assert_refused(await door.post("/api/bets", forged), Code.INVALID_SIGNATURE)
        assert (await door.post("/api/bets", door.bet())).status == 202


async def test_an_address_over_its_rate_is_refused_before_its_signature(tmp_path: Path) -> None:
    async with open_door(tmp_path, requests_per_minute=6, requests_burst=1) as door:
        forged = door.bet(signature="0x" + "00" * 65)
        assert_refused(await door.post("/api/bets", forged), Code.INVALID_SIGNATURE)
        assert_refused(await door.post("/api/bets", forged), Code.RATE_LIMITED)


async def test_without_its_store_the_venue_refuses_bets(tmp_path: Path) -> None:
    async with open_door(tmp_path, store=BrokenStore()) as door:
        await door.fund()
        assert_refused(await door.post("/api/bets", door.bet()), Code.STORE_UNAVAILABLE)
        assert bets_of(door) == []


class LosingAnswers(MemoryStore):
    """A store that does what it is asked, and loses its answer where a nonce is used up first."""

    async def put_if_absent(self, key: str, value: str, *, ttl_s: int) -> str | None:
        standing = await super().put_if_absent(key, value, ttl_s=ttl_s)
        if standing is None:
            raise StoreUnavailable("the answer is lost")
        return standing


async def test_a_retry_of_a_bet_whose_nonce_the_store_kept_in_silence_gets_null(
    tmp_path: Path,
) -> None:
    """It was never asked of the Batcher, so it won't come: to be signed anew at once."""
    async with open_door(tmp_path, store=LosingAnswers(StillClock())) as door:
        await door.fund()
        fields = door.bet()
        assert_refused(await door.post("/api/bets", fields), Code.STORE_UNAVAILABLE)
        assert_refused(await door.post("/api/bets", fields), Code.REPLAY_DETECTED, bet=None)


async def test_a_retry_gets_the_first_bet(door: Door) -> None:
    await door.fund()
    fields = door.bet()
    first = (await door.post("/api/bets", fields)).json
    again = await door.post("/api/bets", fields)
    bet = {"bet_id": first["bet_id"], "status": "confirmed"}
    assert_refused(again, Code.REPLAY_DETECTED, bet=bet)
    assert bets_of(door) == ["confirmed"]


async def test_a_retry_of_a_bet_that_wrote_nothing_gets_null(door: Door) -> None:
    await door.fund()
    door.channels.book.set(QuoteBook())
    fields = door.bet()
    assert_refused(await door.post("/api/bets", fields), Code.PRICE_FEED_STALE)
    assert_refused(await door.post("/api/bets", fields), Code.REPLAY_DETECTED, bet=None)


async def test_a_bet_that_can_not_be_placed_tells_of_the_first_or_uses_its_nonce_up(
    door: Door,
) -> None:
    """So a client that lost an answer, as the page, asks without ever placing anything late."""
    await door.fund()
    far = attrs.evolve(door.cell(), column_start_s=door.cell().column_start_s + 5)
    first = door.bet()
    door.nonces -= 1
    asks = door.bet(cell=far, odds=True, least_bps=10**9)
    assert_refused(await door.post("/api/bets", asks), Code.QUOTE_EXPIRED)
    assert_refused(await door.post("/api/bets", first), Code.REPLAY_DETECTED, bet=None)
    assert bets_of(door) == []

    placed = (await door.post("/api/bets", door.bet())).json
    door.nonces -= 1
    asks = door.bet(cell=far, odds=True, least_bps=10**9)
    bet = {"bet_id": placed["bet_id"], "status": "confirmed"}
    assert_refused(await door.post("/api/bets", asks), Code.REPLAY_DETECTED, bet=bet)
    assert bets_of(door) == ["confirmed"]


async def test_a_nonce_that_only_the_ledger_remembers_gets_the_first_bet_too(door: Door) -> None:
    await door.fund()
    fields = door.bet()
    first = (await door.post("/api/bets", fields)).json
    await door.ports.store.delete(f"nonce:{WALLET}:{fields['nonce']}")
    again = await door.post("/api/bets", fields)
    bet = {"bet_id": first["bet_id"], "status": "confirmed"}
    assert_refused(again, Code.REPLAY_DETECTED, bet=bet)
    # The store holds the id of the second request by now, which never became a bet.
    assert_refused(await door.post("/api/bets", fields), Code.REPLAY_DETECTED, bet=bet)


async def test_two_wallets_may_draw_the_same_nonce(door: Door) -> None:
    await door.fund()
    await door.fund(wallet_of(OTHER_KEY))
    first = door.bet()
    door.nonces -= 1
    second = door.bet(key=OTHER_KEY)
    assert first["nonce"] == second["nonce"]
    assert (await door.post("/api/bets", first)).status == 202
    assert (await door.post("/api/bets", second)).status == 202


async def test_the_same_bet_many_times_at_once_is_one_bet(door: Door) -> None:
    await door.fund()
    fields, answers = door.bet(), list[Response]()

    async def place() -> None:
        answers.append(await door.post("/api/bets", fields))

    async with trio.open_nursery() as nursery:
        for _ in range(20):
            nursery.start_soon(place)
    assert sorted(answer.status for answer in answers) == [202] + [409] * 19
    assert bets_of(door) == ["confirmed"]


# --- refused by the Batcher -------------------------------------------------------------------


async def test_money_for_ten_bets_is_money_for_ten_bets(door: Door) -> None:
    await door.fund(amount_micros=10_000_000)
    statuses: list[int] = []

    async def place(cell: Cell) -> None:
        statuses.append((await door.post("/api/bets", door.bet(cell=cell))).status)

    async with trio.open_nursery() as nursery:
        for row in range(15):
            nursery.start_soon(place, door.cell(row=row))
    assert sorted(statuses) == [202] * 10 + [400] * 5
    account = door.ports.ledger.account(WALLET)
    assert account is not None
    assert account.balance_micros == 0


async def test_a_wallet_without_an_account_has_insufficient_funds(door: Door) -> None:
    assert_refused(await door.post("/api/bets", door.bet()), Code.INSUFFICIENT_FUNDS)


async def test_a_stake_that_is_no_preset_is_refused(tmp_path: Path, door: Door) -> None:
    await door.fund()
    fields = door.bet(stake_micros=2_000_000)
    presets = list(Rules().presets_micros)
    assert_refused(await door.post("/api/bets", fields), Code.BAD_STAKE, presets_micros=presets)


async def test_a_second_bet_on_a_cell_names_the_first(door: Door) -> None:
    await door.fund()
    first = (await door.post("/api/bets", door.bet())).json
    answer = await door.post("/api/bets", door.bet())
    assert_refused(answer, Code.CELL_TAKEN, bet_id=first["bet_id"])


async def test_a_rate_that_moved_is_told(door: Door) -> None:
    await door.fund()
    quote = make_quote(n=813)
    lower = attrs.evolve(quote, rates=tuple((10_100,) * 40 for _ in quote.rates))
    door.channels.book.set(QuoteBook(quotes=(lower, make_quote())))
    answer = await door.post("/api/bets", door.bet(odds=True))
    assert_refused(answer, Code.QUOTE_EXPIRED, reward_bps=10_100, quote=813)


async def test_a_payout_over_the_cap_is_refused(door: Door) -> None:
    await door.fund()
    quote = make_quote()
    rich = attrs.evolve(quote, rates=tuple((2_000_000,) * 40 for _ in quote.rates))
    door.channels.book.set(QuoteBook(quotes=(rich,)))
    fields = door.bet(stake_micros=100_000_000)
    assert_refused(await door.post("/api/bets", fields), Code.EXPOSURE_LIMIT)


# --- the Batcher does not answer --------------------------------------------------------------


async def test_a_full_mailbox_is_told_at_once(tmp_path: Path) -> None:
    async with open_door(tmp_path, with_batcher=False) as door:
        money = door.channels.money
        filler = Ask(OpenAccount(wallet=WALLET), trio.current_time() + 60)
        while money.offer(filler):
            pass
        fields = door.bet()
        assert_refused(await door.post("/api/bets", fields), Code.OVERLOADED)
        assert_refused(await door.post("/api/bets", fields), Code.REPLAY_DETECTED, bet=None)


async def test_a_closed_mailbox_is_a_drain(tmp_path: Path) -> None:
    async with open_door(tmp_path, with_batcher=False) as door:
        door.channels.money.close()
        assert_refused(await door.post("/api/bets", door.bet()), Code.DRAINING)


async def test_a_drain_refuses_new_bets(door: Door) -> None:
    await door.fund()
    door.channels.draining.set(True)
    answer = await door.post("/api/bets", door.bet())
    assert_refused(answer, Code.DRAINING)
    assert answer.headers["retry-after"] == "5"


async def test_a_drain_that_begins_while_a_bet_is_checked_refuses_it(door: Door) -> None:
    """Its sockets may be gone before it is answered: it must not be placed."""
    await door.fund()
    put = door.ports.store.put_if_absent

    async def begin_to_drain(key: str, value: str, *, ttl_s: int) -> str | None:
        door.channels.draining.set(True)
        return await put(key, value, ttl_s=ttl_s)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(door.ports.store, "put_if_absent", begin_to_drain)
        assert_refused(await door.post("/api/bets", door.bet()), Code.DRAINING)
    assert bets_of(door) == []


async def test_no_answer_in_time_is_an_unknown_status_with_the_bet_to_look_up(
    tmp_path: Path,
) -> None:
    async with open_door(tmp_path, with_batcher=False, answer_within_ms=20) as door:
        fields = door.bet()
        answer = await door.post("/api/bets", fields)
        assert_refused(answer, Code.STATUS_UNKNOWN)
        bet = {"bet_id": answer.json["bet_id"], "status": "unknown"}
        assert_refused(await door.post("/api/bets", fields), Code.REPLAY_DETECTED, bet=bet)


async def test_an_answer_that_got_lost_is_found_in_the_ledger(tmp_path: Path) -> None:
    """A Batcher that committed and died before it answered: its next life can't say the balance."""
    async with open_door(tmp_path, with_batcher=False) as door, trio.open_nursery() as nursery:
        nursery.start_soon(_commit_and_discard, door)
        answer = await door.post("/api/bets", door.bet())
        assert answer.status == 202
        assert answer.json["status"] == BetStatus.CONFIRMED.value
        assert answer.json["balance_micros"] == 99_000_000
        nursery.cancel_scope.cancel()


async def test_a_lost_answer_that_was_no_is_no(tmp_path: Path) -> None:
    async with open_door(tmp_path, with_batcher=False) as door, trio.open_nursery() as nursery:
        nursery.start_soon(partial(_commit_and_discard, door, amount_micros=1))
        assert_refused(await door.post("/api/bets", door.bet()), Code.INSUFFICIENT_FUNDS)
        nursery.cancel_scope.cancel()


async def test_a_command_that_failed_in_the_ledger_is_internal(tmp_path: Path) -> None:
    async with open_door(tmp_path, with_batcher=False) as door, trio.open_nursery() as nursery:
        nursery.start_soon(_answer, door, CommandFailed(why="disk"))
        assert_refused(await door.post("/api/bets", door.bet()), Code.INTERNAL)
        nursery.cancel_scope.cancel()


async def test_what_is_refused_after_the_signature_is_on_the_log(door: Door) -> None:
    with capture_logs() as lines:
        await door.post("/api/bets", door.bet())
        await door.post("/api/bets", door.bet(signature="0x" + "00" * 65))
    refused = [line for line in lines if line["event"] == "bet_refused"]
    assert [(line["wallet"], line["code"]) for line in refused] == [(WALLET, "insufficient_funds")]


async def test_a_bet_that_an_earlier_life_made_may_still_come(tmp_path: Path) -> None:
    async with open_door(tmp_path, with_batcher=False) as door:
        fields = door.bet()
        door.clock.at_ms -= 1_000
        earlier = door.ports.new_bet_id()
        door.clock.at_ms += 1_000
        await door.ports.store.put(f"nonce:{WALLET}:{fields['nonce']}", earlier, ttl_s=90)
        bet = {"bet_id": earlier, "status": "unknown"}
        assert_refused(await door.post("/api/bets", fields), Code.REPLAY_DETECTED, bet=bet)


async def test_a_client_that_goes_away_leaves_its_bet_with_the_venue(door: Door) -> None:
    await door.fund()
    body = json.dumps(door.bet()).encode()
    head = b"POST /api/bets HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(body)
    events = door.channels.user_events.subscribe("test", 10)
    async with await trio.open_tcp_stream("127.0.0.1", door.port) as stream:
        await stream.send_all(head + body)
    with trio.fail_after(5):
        await events.receive()
    assert bets_of(door) == ["confirmed"]


async def _commit_and_discard(door: Door, *, amount_micros: int = 100_000_000) -> None:
    async with door.channels.money.reader(Life("venue/batcher")) as reader:
        asked = await reader.receive()
        assert isinstance(asked.question, PlaceBet)
        door.commit(asked.question, amount_micros=amount_micros)
        asked.discard()


async def _answer(door: Door, outcome: MoneyOutcome) -> None:
    async with door.channels.money.reader(Life("venue/batcher")) as reader:
        (await reader.receive()).answer(outcome)
