"""What operators send: every field that can be wrong is named."""

import pytest
from eth_hash.auto import keccak

from protocols.client_ops import (
    ADJUSTMENT,
    BANKROLL,
    CIRCUIT,
    DEPOSIT,
    PAID,
    REASON,
    REBUILD,
    REJECTED,
    AdjustmentRequest,
    BankrollRequest,
    CircuitRequest,
    DepositRequest,
    PaymentRequest,
    RebuildRequest,
)
from protocols.market import Override
from tests.support.client_json import WALLET, field_of


@pytest.mark.parametrize("wallet", [WALLET, "house"])
def test_a_deposit(wallet: str) -> None:
    fields = {"wallet": wallet, "amount_micros": 5, "reference": "wire-17"}
    assert DEPOSIT.parse(fields, keccak=keccak) == DepositRequest(
        wallet=wallet, amount_micros=5, reference="wire-17", reason=""
    )


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"wallet": "external"}, "wallet"),
        ({"amount_micros": 0}, "amount_micros"),
        ({"amount_micros": -5}, "amount_micros"),
        ({"reference": ""}, "reference"),
        ({"reference": "a b"}, "reference"),
        ({"reference": "x" * 129}, "reference"),
        ({"reference": 5}, "reference"),
        ({"reason": ""}, "reason"),
    ],
)
def test_a_deposit_that_is_not_well_formed(changed: dict[str, object], field: str) -> None:
    fields = {"wallet": WALLET, "amount_micros": 5, "reference": "wire-17"} | changed
    assert field_of(DEPOSIT.parse(fields, keccak=keccak)) == field


@pytest.mark.parametrize("wallet", [WALLET, "house", "external"])
def test_a_rebuild(wallet: str) -> None:
    asked = REBUILD.parse({"wallet": wallet, "reason": " drift "}, keccak=keccak)
    assert asked == RebuildRequest(wallet=wallet, reason="drift")


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"wallet": "House"}, "wallet"),
        ({"wallet": None}, "wallet"),
        ({"wallet": ["house"]}, "wallet"),
        ({"reason": None}, "reason"),
        ({"reason": " \n"}, "reason"),
        ({"reason": "x" * 501}, "reason"),
    ],
)
def test_a_rebuild_that_is_not_well_formed(changed: dict[str, object], field: str) -> None:
    fields = {"wallet": WALLET, "reason": "drift"} | changed
    assert field_of(REBUILD.parse(fields, keccak=keccak)) == field


def test_an_override() -> None:
    asked = CIRCUIT.parse({"state": "open", "reason": "drill"}, keccak=keccak)
    assert asked == CircuitRequest(override=Override.OPEN, reason="drill")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"reason": "x"}, "state"),
        ({"state": "OPEN", "reason": "x"}, "state"),
        ({"state": ["open"], "reason": "x"}, "state"),
        ({"state": "open"}, "reason"),
        ({"state": "open", "reason": ""}, "reason"),
    ],
)
def test_an_override_that_is_not_well_formed(fields: dict[str, object], field: str) -> None:
    assert field_of(CIRCUIT.parse(fields, keccak=keccak)) == field


def test_a_reason_alone() -> None:
    assert REASON.parse({"reason": " drill "}, keccak=keccak) == "drill"
    assert field_of(REASON.parse({}, keccak=keccak)) == "reason"
    assert field_of(REASON.parse({"reason": " "}, keccak=keccak)) == "reason"


ADJUST: dict[str, object] = {
    "wallet": WALLET,
    "amount_micros": -5,
    "reference": "a1",
    "reason": "a wrong tick",
}
BET_ID = "01HZX3Y4Z5A6B7C8D9E0F1G2H3"


@pytest.mark.parametrize(("amount", "read"), [(5, 5), (-5, -5), ("5", 5), ("-5", -5)])
def test_an_adjustment_goes_either_way(amount: object, read: int) -> None:
    asked = ADJUSTMENT.parse(ADJUST | {"amount_micros": amount}, keccak=keccak)
    assert asked == AdjustmentRequest(
        wallet=WALLET, amount_micros=read, reference="a1", bet_id=None, reason="a wrong tick"
    )


def test_an_adjustment_may_name_a_bet() -> None:
    asked = ADJUSTMENT.parse(ADJUST | {"bet_id": BET_ID}, keccak=keccak)
    assert isinstance(asked, AdjustmentRequest)
    assert asked.bet_id == BET_ID


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"wallet": "house"}, "wallet"),
        ({"amount_micros": 0}, "amount_micros"),
        ({"amount_micros": "-0"}, "amount_micros"),
        ({"amount_micros": "+5"}, "amount_micros"),
        ({"amount_micros": -(10**15) - 1}, "amount_micros"),
        ({"amount_micros": 1.0}, "amount_micros"),
        ({"reference": " "}, "reference"),
        ({"bet_id": "x"}, "bet_id"),
        ({"bet_id": None}, "bet_id"),
        ({"reason": ""}, "reason"),
    ],
)
def test_an_adjustment_that_is_not_well_formed(changed: dict[str, object], field: str) -> None:
    assert field_of(ADJUSTMENT.parse(ADJUST | changed, keccak=keccak)) == field


def test_a_payment_has_a_reference_and_may_have_a_reason() -> None:
    assert PAID.parse({"reference": "0xabc"}, keccak=keccak) == PaymentRequest(
        reference="0xabc", reason=""
    )
    assert field_of(PAID.parse({"reason": "sent"}, keccak=keccak)) == "reference"
    assert REJECTED.parse({"reason": "no such address"}, keccak=keccak) == "no such address"
    assert field_of(REJECTED.parse({}, keccak=keccak)) == "reason"


def test_the_bankroll_is_named_by_its_account() -> None:
    fields = {"wallet": "house", "amount_micros": 5, "reference": "o1", "reason": "profit"}
    assert BANKROLL.parse(fields, keccak=keccak) == BankrollRequest(
        amount_micros=5, reference="o1", destination="", reason="profit"
    )
    assert field_of(BANKROLL.parse(fields | {"wallet": WALLET}, keccak=keccak)) == "wallet"
