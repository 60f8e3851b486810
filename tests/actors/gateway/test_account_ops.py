"""What operators see of accounts, and what they do to accounts, withdrawals and columns."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from db.wallet_signatures import keccak_256, wallet_of
from domain.refusals import TABLE, Code
from domain.wallet import checksummed
from protocols.account_commands import RequestWithdrawal, WithdrawalRequested
from tests.support.door import OPS_TOKEN, OTHER_KEY, WALLET, Door, open_door
from tests.support.http_client import Response

USD = 1_000_000
OTHER = wallet_of(OTHER_KEY)
NOBODY = "0x" + "77" * 20
WHY = {"reason": "chargeback"}


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    """Alice has 100 USD."""
    async with open_door(tmp_path) as door:
        await door.fund()
        yield door


def assert_refused(answer: Response, code: Code, **details: object) -> None:
    body = answer.json
    assert (answer.status, body["error"]) == (TABLE[code].http_status, code.value), body
    assert details.items() <= body.items()


async def look(door: Door, path: str) -> Response:
    return await door.get(path, token=OPS_TOKEN)


async def order(door: Door, path: str, body: object = None) -> Response:
    return await door.post(path, WHY if body is None else body, token=OPS_TOKEN)


def balance(door: Door, wallet: str = WALLET) -> int:
    account = door.ports.ledger.account(wallet)
    assert account is not None
    return account.balance_micros


async def requested(door: Door, amount_micros: int = 30 * USD) -> str:
    """A withdrawal of Alice's that waits; its id."""
    door.nonces += 1
    command = RequestWithdrawal(
        wallet=WALLET,
        nonce=f"00000000-0000-4000-8000-{door.nonces:012}",
        amount_micros=amount_micros,
        destination=OTHER,
        signed_at_s=door.clock.now_ms() // 1000,
        signature="0x" + "ab" * 65,
    )
    door.clock.at_ms += 1  # ids go by time
    done = await door.order(command)
    assert isinstance(done, WithdrawalRequested)
    return done.withdrawal.id


# --- accounts -----------------------------------------------------------------------------------


async def test_an_account_by_its_wallet_in_any_capitals_or_its_number(door: Door) -> None:
    bet = (await door.post("/api/bets", door.bet())).json
    user = (await look(door, f"/ops/users/{WALLET}")).json
    assert user["wallet"] == WALLET
    assert (user["balance_micros"], user["open_stake_micros"]) == (99 * USD, USD)
    assert (user["frozen"], user["open_bets"], user["keys"]) == (False, 1, [])
    assert user["limits"]["stake_max_micros"] is None
    assert [open_bet["bet_id"] for open_bet in user["bets"]] == [bet["bet_id"]]
    shouted = "0x" + WALLET[2:].upper()
    for name in (checksummed(WALLET, keccak_256), shouted, user["user_id"]):
        assert (await look(door, f"/ops/users/{name}")).json == user


async def test_a_wallet_whose_capitals_are_wrong_names_nobody(door: Door) -> None:
    wrong = checksummed(WALLET, keccak_256).swapcase().replace("0X", "0x")
    for name in (wrong, "0x12", "bob", "-1", "01", "1" * 19):
        assert_refused(await look(door, f"/ops/users/{name}"), Code.BAD_REQUEST, field="user")


async def test_an_account_that_is_not_there(door: Door) -> None:
    assert_refused(await look(door, "/ops/users/4711"), Code.NOT_FOUND)
    assert_refused(await look(door, "/ops/users/4711/ledger"), Code.NOT_FOUND)
    assert_refused(await look(door, f"/ops/users/{NOBODY}"), Code.NOT_FOUND)
    assert_refused(await order(door, f"/ops/users/{NOBODY}/freeze"), Code.NOT_FOUND)


async def test_a_ledger_shows_what_the_trader_sees_and_what_was_noted(door: Door) -> None:
    for _ in range(2):
        await door.fund(amount_micros=USD)
    first = (await look(door, f"/ops/users/{WALLET}/ledger?limit=2")).json
    assert first["wallet"] == WALLET
    assert [entry["amount_micros"] for entry in first["entries"]] == [USD, USD]
    assert [entry["metadata"]["by"] for entry in first["entries"]] == ["test", "test"]
    assert first["next_cursor"] == str(first["entries"][-1]["rowid"])
    rest = await look(door, f"/ops/users/{WALLET}/ledger?cursor={first['next_cursor']}")
    assert [entry["amount_micros"] for entry in rest.json["entries"]] == [100 * USD]
    assert rest.json["next_cursor"] is None


async def test_the_houses_own_accounts_have_a_ledger(door: Door) -> None:
    for name in ("house", "external"):
        page = (await look(door, f"/ops/users/{name}/ledger")).json
        assert page["wallet"] == name
        assert page["entries"]
        assert (await look(door, f"/ops/users/{name}")).json["wallet"] == name


async def test_a_page_of_a_ledger_that_can_not_be(door: Door) -> None:
    answer = await look(door, f"/ops/users/{WALLET}/ledger?cursor=x")
    assert_refused(answer, Code.BAD_REQUEST, field="cursor")


# --- freezing -----------------------------------------------------------------------------------


async def test_a_frozen_account_places_no_bet_until_it_is_free(door: Door) -> None:
    frozen = (await order(door, f"/ops/users/{WALLET}/freeze")).json
    assert (frozen["wallet"], frozen["frozen"]) == (WALLET, True)
    assert (await look(door, f"/ops/users/{WALLET}")).json["frozen"]
    assert_refused(await door.post("/api/bets", door.bet()), Code.FROZEN)
    free = (await order(door, f"/ops/users/{frozen['user_id']}/unfreeze")).json
    assert (free["frozen"], free["seq"]) == (False, frozen["seq"] + 1)
    assert (await door.post("/api/bets", door.bet())).status == 202


async def test_the_houses_own_accounts_can_not_be_frozen(door: Door) -> None:
    for name in ("house", "external", "1", "2"):
        assert_refused(await order(door, f"/ops/users/{name}/freeze"), Code.NOT_FOUND)


# --- withdrawals --------------------------------------------------------------------------------


async def test_withdrawals_are_listed_newest_first_and_by_their_status(door: Door) -> None:
    ids = [await requested(door, USD) for _ in range(3)]
    await order(door, f"/ops/withdrawals/{ids[0]}/rejected")
    everybody = (await look(door, "/ops/withdrawals")).json
    assert [each["id"] for each in everybody["withdrawals"]] == ids[::-1]
    pending = (await look(door, "/ops/withdrawals?status=pending&limit=1")).json
    assert [each["id"] for each in pending["withdrawals"]] == [ids[2]]
    rest = await look(door, f"/ops/withdrawals?status=pending&cursor={pending['next_cursor']}")
    assert [each["id"] for each in rest.json["withdrawals"]] == [ids[1]]
    assert rest.json["next_cursor"] is None


async def test_which_withdrawals_can_not_be_asked_for(door: Door) -> None:
    for query in ("status=sent", "cursor=x", "limit=0"):
        answer = await look(door, f"/ops/withdrawals?{query}")
        assert_refused(answer, Code.BAD_REQUEST, field=query.partition("=")[0])


async def test_a_withdrawal_is_paid_once_however_often_that_is_said(door: Door) -> None:
    withdrawal_id = await requested(door)
    path, paid = f"/ops/withdrawals/{withdrawal_id}/paid", {"reference": "0xabc"}
    first = await order(door, path, paid)
    shown = first.json["withdrawal"]
    assert (shown["status"], shown["decided_by"], shown["reference"]) == ("paid", "ann", "0xabc")
    assert "signature" not in str(first.json)
    assert (await order(door, path, paid)).json == first.json
    assert balance(door) == 70 * USD
    assert_refused(await order(door, path, {"reference": "0xdef"}), Code.REFERENCE_CONFLICT)
    rejected = await order(door, f"/ops/withdrawals/{withdrawal_id}/rejected")
    assert_refused(rejected, Code.REFERENCE_CONFLICT)


async def test_a_withdrawal_that_is_rejected_comes_back_once(door: Door) -> None:
    withdrawal_id = await requested(door)
    assert balance(door) == 70 * USD
    path = f"/ops/withdrawals/{withdrawal_id}/rejected"
    first = await order(door, path)
    assert first.json["withdrawal"]["reason"] == "chargeback"
    assert (await order(door, path)).json == first.json
    assert balance(door) == 100 * USD
    paid = await order(door, f"/ops/withdrawals/{withdrawal_id}/paid", {"reference": "x"})
    assert_refused(paid, Code.REFERENCE_CONFLICT)


async def test_a_withdrawal_that_is_not_there(door: Door) -> None:
    for name in ("01HZX3Y4Z5A6B7C8D9E0F1G2H3", "x"):
        paid = await order(door, f"/ops/withdrawals/{name}/paid", {"reference": "x"})
        assert_refused(paid, Code.NOT_FOUND)
        assert_refused(await order(door, f"/ops/withdrawals/{name}/rejected"), Code.NOT_FOUND)


async def test_a_decision_that_is_not_well_formed(door: Door) -> None:
    path = f"/ops/withdrawals/{await requested(door)}"
    wrong: list[tuple[str, dict[str, object], str]] = [
        ("paid", {"reason": "x"}, "reference"),
        ("paid", {"reference": "a b"}, "reference"),
        ("rejected", {}, "reason"),
        ("rejected", {"reason": " "}, "reason"),
    ]
    for what, body, field in wrong:
        answer = await order(door, f"{path}/{what}", body)
        assert_refused(answer, Code.BAD_REQUEST, field=field)
    assert balance(door) == 70 * USD


BANKROLL = {"wallet": "house", "amount_micros": 5 * USD, "reference": "o1", "reason": "profit"}


async def test_money_is_taken_out_of_the_bankroll_once_per_reference(door: Door) -> None:
    before = balance(door, "house")
    first = (await order(door, "/ops/withdrawals", BANKROLL)).json
    again = (await order(door, "/ops/withdrawals", BANKROLL)).json
    assert (first["repeated"], again["repeated"]) == (False, True)
    assert first["balance_micros"] == again["balance_micros"] == before - 5 * USD
    assert (first["withdrawal"]["wallet"], first["withdrawal"]["status"]) == ("house", "paid")
    other = await order(door, "/ops/withdrawals", BANKROLL | {"amount_micros": USD})
    assert_refused(other, Code.REFERENCE_CONFLICT)


async def test_the_bankroll_must_still_pay_every_open_bet(door: Door) -> None:
    await door.post("/api/bets", door.bet())
    spare = balance(door, "house") - door.ports.ledger.house().open_payout_micros
    too_much = BANKROLL | {"amount_micros": spare + 1}
    assert_refused(await order(door, "/ops/withdrawals", too_much), Code.EXPOSURE_LIMIT)
    assert (
        await order(door, "/ops/withdrawals", BANKROLL | {"amount_micros": spare})
    ).status == 200


async def test_what_can_not_be_taken_out_of_the_bankroll(door: Door) -> None:
    wrong: list[tuple[dict[str, object], str]] = [
        ({"wallet": WALLET}, "wallet"),
        ({"amount_micros": 0}, "amount_micros"),
        ({"reference": ""}, "reference"),
        ({"destination": " "}, "destination"),
        ({"reason": ""}, "reason"),
    ]
    for changed, field in wrong:
        answer = await order(door, "/ops/withdrawals", BANKROLL | changed)
        assert_refused(answer, Code.BAD_REQUEST, field=field)


# --- adjustments --------------------------------------------------------------------------------

ADJUST = {"wallet": WALLET, "amount_micros": 7 * USD, "reference": "a1", "reason": "a wrong tick"}


@pytest.mark.parametrize("amount", [7 * USD, "7000000", -7 * USD, "-7000000"])
async def test_an_adjustment_goes_either_way_once_per_reference(
    door: Door, amount: int | str
) -> None:
    house = balance(door, "house")
    asked = ADJUST | {"amount_micros": amount}
    first = (await order(door, "/ops/adjustments", asked)).json
    again = (await order(door, "/ops/adjustments", asked)).json
    assert (first["repeated"], again["repeated"]) == (False, True)
    assert first["amount_micros"] == int(amount)
    assert first["balance_micros"] == again["balance_micros"] == 100 * USD + int(amount)
    assert balance(door, "house") == house - int(amount)


async def test_an_adjustment_may_name_the_bet_that_it_is_about(door: Door) -> None:
    bet_id = (await door.post("/api/bets", door.bet())).json["bet_id"]
    asked = ADJUST | {"bet_id": bet_id}
    assert (await order(door, "/ops/adjustments", asked)).status == 200
    assert_refused(await order(door, "/ops/adjustments", ADJUST), Code.REFERENCE_CONFLICT)


async def test_an_adjustment_makes_nobody_owe(door: Door) -> None:
    too_much = ADJUST | {"amount_micros": -100 * USD - 1}
    assert_refused(await order(door, "/ops/adjustments", too_much), Code.INSUFFICIENT_FUNDS)
    spare = balance(door, "house")
    too_much = ADJUST | {"amount_micros": spare + 1}
    assert_refused(await order(door, "/ops/adjustments", too_much), Code.EXPOSURE_LIMIT)
    assert balance(door) == 100 * USD


async def test_nobodys_balance_can_not_be_adjusted(door: Door) -> None:
    answer = await order(door, "/ops/adjustments", ADJUST | {"wallet": NOBODY})
    assert_refused(answer, Code.NOT_FOUND)


# --- columns ------------------------------------------------------------------------------------


async def test_a_column_is_given_back_before_its_verdict(door: Door) -> None:
    cell = door.cell()
    path = f"/ops/columns/{cell.column_start_s}/void"
    first, again = await order(door, path), await order(door, path)
    assert first.json == {"start_s": cell.column_start_s, "repeated": False}
    assert again.json == {"start_s": cell.column_start_s, "repeated": True}
    assert_refused(await door.post("/api/bets", door.bet(cell=cell)), Code.CELL_UNAVAILABLE)


async def test_a_column_that_has_a_verdict_is_not_given_back(door: Door) -> None:
    cell = door.cell()
    await door.post("/api/bets", door.bet(cell=cell))
    door.clock.at_ms += 60_000
    await door.settle(cell)
    answer = await order(door, f"/ops/columns/{cell.column_start_s}/void")
    assert_refused(answer, Code.REFERENCE_CONFLICT)


async def test_what_names_no_column(door: Door) -> None:
    for start in ("x", "0", "01", "-5", "99999999999", str(door.cell().column_start_s + 1)):
        answer = await order(door, f"/ops/columns/{start}/void")
        assert_refused(answer, Code.BAD_REQUEST, field="start")
