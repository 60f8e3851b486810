"""Traders' own accounts: money out on their wallet's word, and limits of their own."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import trio

from db.wallet_signatures import personal_sign, wallet_of
from domain.limits import SIGNATURE_AGE_MAX_S, SIGNATURE_AHEAD_MAX_S
from domain.refusals import TABLE, Code
from domain.signed_text import WithdrawalText
from tests.support.door import (
    CHAIN_ID,
    KEY,
    OPS_TOKEN,
    OTHER_KEY,
    WALLET,
    BrokenStore,
    Door,
    open_door,
)
from tests.support.http_client import Response

USD = 1_000_000
DAY_MS = 86_400_000
BANK = "0x" + "ba" * 20


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    """Alice has 100 USD."""
    async with open_door(tmp_path) as door:
        await door.fund()
        yield door


def assert_refused(answer: Response, code: Code, **details: object) -> None:
    body = answer.json
    assert (answer.status, body["error"]) == (TABLE[code].http_status, code.value), body
    assert details.items() <= body.items(), body


def signed(
    door: Door,
    *,
    key: bytes = KEY,
    amount_micros: int = 30 * USD,
    timestamp_s: int | None = None,
    **changed: object,
) -> dict[str, object]:
    """The fields of a well-signed withdrawal; `changed` ones are changed after signing."""
    door.nonces += 1
    text = WithdrawalText(
        amount_micros=amount_micros,
        destination=BANK,
        nonce=f"00000000-0000-4000-8000-{door.nonces:012}",
        timestamp_s=door.clock.now_ms() // 1000 if timestamp_s is None else timestamp_s,
        chain_id=CHAIN_ID,
    )
    fields = {
        "wallet": wallet_of(key),
        "amount": str(text.amount_micros),
        "destination": text.destination,
        "nonce": text.nonce,
        "timestamp": text.timestamp_s,
        "chain_id": text.chain_id,
        "version": "1",
        "signature": "0x" + personal_sign(text.render(), key).hex(),
    }
    return {**fields, **changed}


async def withdraw(door: Door, fields: dict[str, object]) -> Response:
    return await door.post("/api/withdrawals", fields)


def balance(door: Door) -> int:
    account = door.ports.ledger.account(WALLET)
    assert account is not None
    return account.balance_micros


# --- asking for money ---------------------------------------------------------------------------


async def test_a_withdrawal_leaves_the_balance_at_once_and_waits(door: Door) -> None:
    fields = signed(door)
    answer = await withdraw(door, fields)
    assert answer.status == 202
    assert answer.json["balance_micros"] == balance(door) == 70 * USD
    withdrawal = answer.json["withdrawal"]
    assert (withdrawal["status"], withdrawal["amount_micros"]) == ("pending", 30 * USD)
    assert (withdrawal["destination"], withdrawal["nonce"]) == (BANK, fields["nonce"])
    assert withdrawal["decided_at_ms"] is None
    assert door.ports.ledger.integrity().clean


async def test_a_retry_is_told_of_the_first_and_takes_nothing(door: Door) -> None:
    fields = signed(door)
    first = (await withdraw(door, fields)).json["withdrawal"]
    told = {"id": first["id"], "status": "pending", "amount_micros": 30 * USD}
    assert_refused(await withdraw(door, fields), Code.REPLAY_DETECTED, withdrawal=told)
    assert balance(door) == 70 * USD


async def test_two_at_once_take_no_more_than_there_is(door: Door) -> None:
    answers: list[Response] = []

    async def take() -> None:
        answers.append(await withdraw(door, signed(door, amount_micros=60 * USD)))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(take)
        nursery.start_soon(take)
    assert sorted(answer.status for answer in answers) == [202, 400]
    assert balance(door) == 40 * USD


async def test_the_destination_counts_in_any_capitals(door: Door) -> None:
    shouted = "0x" + BANK[2:].upper()
    answer = await withdraw(door, signed(door, destination=shouted))
    assert answer.json["withdrawal"]["destination"] == BANK


NOT_WELL_FORMED: list[tuple[dict[str, Any], str]] = [
    ({"wallet": "0x"}, "wallet"),
    ({"amount": 0}, "amount"),
    ({"amount": -5}, "amount"),
    ({"amount": "1.5"}, "amount"),
    ({"amount": 10**15 + 1}, "amount"),
    ({"destination": "the bank"}, "destination"),
    ({"destination": None}, "destination"),
    ({"nonce": "x"}, "nonce"),
    ({"timestamp": -1}, "timestamp"),
    ({"version": "2"}, "version"),
    ({"version": 1.0}, "version"),
    ({"signature": "0x12"}, "signature"),
    ({"chain_id": CHAIN_ID + 1}, "chain_id"),
]


async def test_a_withdrawal_that_is_not_well_formed(door: Door) -> None:
    for changed, field in NOT_WELL_FORMED:
        answer = await withdraw(door, signed(door, **changed))
        assert_refused(answer, Code.BAD_REQUEST, field=field)
    assert balance(door) == 100 * USD


async def test_only_the_wallet_itself_signs_a_withdrawal(door: Door) -> None:
    wrong: list[dict[str, object]] = [
        signed(door, wallet=wallet_of(OTHER_KEY)),
        signed(door, amount=str(31 * USD)),
        signed(door, destination=WALLET),
        signed(door, nonce="00000000-0000-4000-8000-00000000ffff"),
        signed(door, timestamp=door.clock.now_ms() // 1000 + 1),
        signed(door, signature="0x" + "ab" * 64 + "1b"),
        {**door.bet(), "amount": str(USD), "destination": BANK},
    ]
    for fields in wrong:
        assert_refused(await withdraw(door, fields), Code.INVALID_SIGNATURE)
    assert balance(door) == 100 * USD


async def test_a_signature_is_neither_old_nor_of_times_to_come(door: Door) -> None:
    now_s = door.clock.now_ms() // 1000
    for timestamp_s in (now_s - SIGNATURE_AGE_MAX_S - 1, now_s + SIGNATURE_AHEAD_MAX_S + 1):
        answer = await withdraw(door, signed(door, timestamp_s=timestamp_s))
        assert_refused(answer, Code.SIGNATURE_EXPIRED, server_time_ms=door.clock.now_ms())
    for timestamp_s in (now_s - SIGNATURE_AGE_MAX_S, now_s + SIGNATURE_AHEAD_MAX_S):
        answer = await withdraw(door, signed(door, amount_micros=1, timestamp_s=timestamp_s))
        assert answer.status == 202


async def test_a_balance_that_does_not_cover_it(door: Door) -> None:
    for fields in (signed(door, amount_micros=100 * USD + 1), signed(door, key=OTHER_KEY)):
        assert_refused(await withdraw(door, fields), Code.INSUFFICIENT_FUNDS)


async def test_a_frozen_account_withdraws_nothing(door: Door) -> None:
    await door.post(f"/ops/users/{WALLET}/freeze", {"reason": "x"}, token=OPS_TOKEN)
    assert_refused(await withdraw(door, signed(door)), Code.FROZEN)


async def test_a_venue_that_drains_takes_none(door: Door) -> None:
    fields = signed(door)
    door.channels.draining.set(True)
    assert_refused(await withdraw(door, fields), Code.DRAINING)


async def test_without_its_store_none_is_taken(tmp_path: Path) -> None:
    async with open_door(tmp_path, store=BrokenStore(), with_sign_in=False) as door:
        await door.fund()
        assert_refused(await withdraw(door, signed(door)), Code.STORE_UNAVAILABLE)
        assert balance(door) == 100 * USD


async def test_a_withdrawal_without_an_answer_may_have_been_taken(tmp_path: Path) -> None:
    async with open_door(tmp_path, with_batcher=False, answer_within_ms=20) as door:
        answer = await withdraw(door, signed(door))
        assert_refused(answer, Code.STATUS_UNKNOWN)
        assert "again" in answer.json["message"]


# --- the order of the checks --------------------------------------------------------------------

Change = Callable[[dict[str, object]], dict[str, object]]
CHECKS: list[tuple[str, Change, Code]] = [
    ("shape", lambda fields: fields | {"amount": "x"}, Code.BAD_REQUEST),
    ("time", lambda fields: fields | {"timestamp": 5}, Code.SIGNATURE_EXPIRED),
    ("chain", lambda fields: fields | {"chain_id": 1}, Code.BAD_REQUEST),
    ("signature", lambda fields: fields | {"destination": WALLET}, Code.INVALID_SIGNATURE),
]


async def test_of_several_faults_the_cheapest_is_told(door: Door) -> None:
    for first, (_, _, code) in enumerate(CHECKS):
        fields = signed(door, amount_micros=1_000 * USD)
        for _, change, _ in CHECKS[first:]:
            fields = change(fields)
        assert_refused(await withdraw(door, fields), code)


async def test_nothing_is_counted_against_a_wallet_before_its_signature_holds(
    tmp_path: Path,
) -> None:
    async with open_door(tmp_path, bets_per_minute=1, bets_burst=1) as door:
        await door.fund()
        forged = await withdraw(door, signed(door, destination=WALLET))
        assert_refused(forged, Code.INVALID_SIGNATURE)
        first = await withdraw(door, signed(door, amount_micros=1))
        assert first.status == 202
        assert first.headers["ratelimit-limit"] == "1"
        over = await withdraw(door, signed(door, amount_micros=1))
        assert_refused(over, Code.RATE_LIMITED, retry_after=60)
        assert over.headers["retry-after"] == "60"


async def test_bets_do_not_use_up_the_rate_of_withdrawals(tmp_path: Path) -> None:
    """Whoever holds a session key of the wallet may bet; he may not keep its money here."""
    async with open_door(tmp_path, bets_per_minute=6, bets_burst=1) as door:
        await door.fund()
        assert (await door.post("/api/bets", door.bet())).status == 202
        assert_refused(await door.post("/api/bets", door.bet()), Code.RATE_LIMITED)
        assert (await withdraw(door, signed(door))).status == 202


async def test_an_address_is_limited_before_its_signatures_are_looked_at(tmp_path: Path) -> None:
    async with open_door(tmp_path, requests_per_minute=1, requests_burst=1) as door:
        for code in (Code.BAD_REQUEST, Code.BAD_REQUEST):
            assert_refused(await withdraw(door, signed(door, amount="x")), code)  # not counted
        forged = signed(door, destination=WALLET)
        assert_refused(await withdraw(door, forged), Code.INVALID_SIGNATURE)
        assert_refused(await withdraw(door, forged), Code.RATE_LIMITED)


# --- looking at them ----------------------------------------------------------------------------


async def test_a_trader_sees_his_own_withdrawals_only(door: Door) -> None:
    token, other = await door.sign_in(), await door.sign_in(OTHER_KEY)
    ids = []
    for _ in range(3):
        door.clock.at_ms += 1
        answer = await withdraw(door, signed(door, amount_micros=USD))
        ids.append(answer.json["withdrawal"]["id"])
    page = (await door.get("/api/withdrawals?limit=2", token=token)).json
    assert [each["id"] for each in page["withdrawals"]] == ids[:0:-1]
    rest = await door.get(f"/api/withdrawals?cursor={page['next_cursor']}", token=token)
    assert [each["id"] for each in rest.json["withdrawals"]] == ids[:1]
    assert (await door.get("/api/withdrawals", token=other)).json["withdrawals"] == []
    mine = await door.get(f"/api/withdrawals/{ids[0]}", token=token)
    assert mine.json["id"] == ids[0]
    assert_refused(await door.get(f"/api/withdrawals/{ids[0]}", token=other), Code.NOT_FOUND)
    assert_refused(await door.get("/api/withdrawals/x", token=token), Code.NOT_FOUND)
    for path in ("/api/withdrawals", f"/api/withdrawals/{ids[0]}"):
        assert_refused(await door.get(path), Code.UNAUTHORIZED)
    answer = await door.get("/api/withdrawals?status=sent", token=token)
    assert_refused(answer, Code.BAD_REQUEST, field="status")


async def test_a_trader_is_told_why_his_money_came_back_and_how_it_was_paid(door: Door) -> None:
    token = await door.sign_in()
    ids = []
    for _ in range(2):
        door.clock.at_ms += 1
        ids.append((await withdraw(door, signed(door))).json["withdrawal"]["id"])
    paid = {"reference": "0xabc", "reason": "checked by hand"}
    await door.post(f"/ops/withdrawals/{ids[0]}/paid", paid, token=OPS_TOKEN)
    why = {"reason": "no such address"}
    await door.post(f"/ops/withdrawals/{ids[1]}/rejected", why, token=OPS_TOKEN)
    first = (await door.get(f"/api/withdrawals/{ids[0]}", token=token)).json
    second = (await door.get(f"/api/withdrawals/{ids[1]}", token=token)).json
    assert (first["status"], first["reference"], first["reason"]) == ("paid", "0xabc", None)
    assert (second["status"], second["reason"]) == ("rejected", "no such address")
    rejected = await door.get("/api/withdrawals?status=rejected", token=token)
    assert [each["id"] for each in rejected.json["withdrawals"]] == [ids[1]]


# --- limits of one's own ------------------------------------------------------------------------


async def set_limits(door: Door, token: str, **limits: object) -> Response:
    return await door.post("/api/account/limits", limits, token=token)


async def test_a_limit_holds_at_once_and_is_raised_after_a_day(door: Door) -> None:
    token = await door.sign_in()
    lowered = await set_limits(door, token, stake_max_micros=USD)
    assert lowered.json["limits"]["stake_max_micros"] == USD
    five = await door.post("/api/bets", door.bet(stake_micros=5 * USD))
    assert_refused(five, Code.LIMIT_REACHED, limit="stake", max_micros=USD)
    raised = (await set_limits(door, token, stake_max_micros=None)).json["limits"]
    next_ms = door.clock.now_ms() + DAY_MS
    assert raised["stake_max_micros"] == USD
    assert raised["next_stake_max"] == {"micros": None, "from_ms": next_ms}
    door.clock.at_ms = next_ms
    token = await door.sign_in()
    limits = (await door.get("/api/account", token=token)).json["limits"]
    assert (limits["stake_max_micros"], limits["next_stake_max"]) == (None, None)


async def test_what_is_left_out_stays_as_it_is(door: Door) -> None:
    token = await door.sign_in()
    await set_limits(door, token, stake_max_micros=USD)
    changed = (await set_limits(door, token, loss_day_max_micros=9)).json["limits"]
    assert (changed["stake_max_micros"], changed["loss_day_max_micros"]) == (USD, 9)


async def test_a_pause_keeps_bets_away(door: Door) -> None:
    token = await door.sign_in()
    until_ms = door.clock.now_ms() + 2 * DAY_MS
    paused = await set_limits(door, token, paused_until_ms=until_ms)
    assert paused.json["limits"]["paused_until_ms"] == until_ms
    answer = await door.post("/api/bets", door.bet())
    assert_refused(answer, Code.LIMIT_REACHED, limit="paused", until_ms=until_ms)
    assert (await withdraw(door, signed(door))).status == 202, "his money is his"


async def test_an_account_without_limits_says_so(door: Door) -> None:
    token = await door.sign_in(OTHER_KEY)
    assert (await door.get("/api/account", token=token)).json["limits"] == {
        "stake_max_micros": None,
        "loss_day_max_micros": None,
        "paused_until_ms": 0,
        "next_stake_max": None,
        "next_loss_day_max": None,
    }


async def test_limits_that_are_not_well_formed(door: Door) -> None:
    token = await door.sign_in()
    wrong: list[tuple[dict[str, Any], str]] = [
        ({}, "stake_max_micros"),
        ({"stake_max_micros": -1}, "stake_max_micros"),
        ({"stake_max_micros": "x"}, "stake_max_micros"),
        ({"loss_day_max_micros": 1.5}, "loss_day_max_micros"),
        ({"paused_until_ms": None}, "paused_until_ms"),
        ({"paused_until_ms": 10**13}, "paused_until_ms"),
    ]
    for limits, field in wrong:
        assert_refused(await set_limits(door, token, **limits), Code.BAD_REQUEST, field=field)
    assert_refused(await set_limits(door, "x" * 43, stake_max_micros=5), Code.UNAUTHORIZED)


# --- paper money --------------------------------------------------------------------------------


async def test_simultaneous_calls_of_the_faucet_do_not_pass_its_cap(tmp_path: Path) -> None:
    settings = {"faucet_micros": 60 * USD, "faucet_balance_max_micros": 100 * USD}
    async with open_door(tmp_path, **settings) as door:
        statuses: list[int] = []

        async def draw() -> None:
            statuses.append((await door.post("/api/faucet", {"wallet": WALLET})).status)

        async with trio.open_nursery() as nursery:
            for _ in range(4):
                nursery.start_soon(draw)
        assert sorted(statuses) == [200, 200, 403, 403]
        assert balance(door) == 100 * USD
