"""What operators send: every field that can be wrong is named."""

import pytest
from eth_hash.auto import keccak

from protocols.client_ops import (
    CIRCUIT,
    DEPOSIT,
    REASON,
    REBUILD,
    CircuitRequest,
    DepositRequest,
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
