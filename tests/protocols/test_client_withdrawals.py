"""Withdrawals: what a trader sends is what his wallet signed; who is shown what."""

import attrs
import pytest
from eth_hash.auto import keccak

from domain.signed_text import WithdrawalText
from protocols.account_commands import Withdrawal, WithdrawalStatus
from protocols.client_withdrawals import (
    WITHDRAWAL,
    WITHDRAWALS,
    WithdrawalRequest,
    WithdrawalsQuery,
    ops_withdrawal_json,
    withdrawal_json,
    withdrawals_json,
)
from tests.support.client_json import CHECKSUMMED, NONCE, WALLET, field_of

FIELDS: dict[str, object] = {
    "wallet": CHECKSUMMED,
    "amount": "5000000",
    "destination": "0x" + "BA" * 20,
    "nonce": NONCE,
    "timestamp": 1_770_100_003,
    "chain_id": 31_337,
    "version": "1",
    "signature": "0x" + "AB" * 65,
}
ID = "01HZX3Y4Z5A6B7C8D9E0F1G2H3"
PENDING = Withdrawal(
    id=ID,
    user_id=3,
    wallet=WALLET,
    nonce=NONCE,
    amount_micros=5,
    destination="0x" + "ba" * 20,
    status=WithdrawalStatus.PENDING,
    requested_at_ms=7,
)
PAID = attrs.evolve(
    PENDING,
    status=WithdrawalStatus.PAID,
    decided_at_ms=9,
    decided_by="ann",
    reference="0xabc",
    reason="checked by hand",
)


def test_a_request_is_read_in_lower_case_and_signs_the_fixed_text() -> None:
    asked = WITHDRAWAL.parse(FIELDS, keccak=keccak)
    assert asked == WithdrawalRequest(
        wallet=WALLET,
        amount_micros=5_000_000,
        destination="0x" + "ba" * 20,
        nonce=NONCE,
        timestamp_s=1_770_100_003,
        chain_id=31_337,
        signature="0x" + "ab" * 65,
    )
    assert asked.text() == WithdrawalText(
        amount_micros=5_000_000,
        destination="0x" + "ba" * 20,
        nonce=NONCE,
        timestamp_s=1_770_100_003,
        chain_id=31_337,
    )
    assert "ab" * 65 not in repr(asked)


@pytest.mark.parametrize("name", FIELDS)
def test_each_field_must_be_there(name: str) -> None:
    rest = {key: value for key, value in FIELDS.items() if key != name}
    assert field_of(WITHDRAWAL.parse(rest, keccak=keccak)) == name
    assert field_of(WITHDRAWAL.parse(FIELDS | {name: None}, keccak=keccak)) == name
    assert field_of(WITHDRAWAL.parse(FIELDS | {name: [1]}, keccak=keccak)) == name


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ({}, WithdrawalsQuery(status=None, before=None, limit=50)),
        (
            {"status": ["pending"], "cursor": [ID], "limit": ["2"]},
            WithdrawalsQuery(status=WithdrawalStatus.PENDING, before=ID, limit=2),
        ),
    ],
)
def test_a_page_of_withdrawals(query: dict[str, list[str]], asked: WithdrawalsQuery) -> None:
    assert WITHDRAWALS.parse_query(query, keccak=keccak) == asked


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"status": ["sent"]}, "status"),
        ({"status": ["paid,pending"]}, "status"),
        ({"cursor": ["x"]}, "cursor"),
        ({"limit": ["201"]}, "limit"),
        ({"limit": ["1", "2"]}, "limit"),
    ],
)
def test_a_page_that_can_not_be(query: dict[str, list[str]], field: str) -> None:
    assert field_of(WITHDRAWALS.parse_query(query, keccak=keccak)) == field


def test_a_trader_is_shown_why_only_where_it_was_rejected() -> None:
    rejected = attrs.evolve(PAID, status=WithdrawalStatus.REJECTED)
    assert withdrawal_json(PAID)["reason"] is None
    assert withdrawal_json(PAID)["reference"] == "0xabc"
    assert withdrawal_json(rejected)["reason"] == "checked by hand"
    assert "ann" not in str(withdrawal_json(rejected))


def test_operators_are_shown_who_decided_it_and_why() -> None:
    shown = ops_withdrawal_json(PAID)
    assert (shown["decided_by"], shown["reason"]) == ("ann", "checked by hand")
    assert (shown["wallet"], shown["user_id"]) == (WALLET, 3)


def test_a_full_page_says_where_the_next_begins() -> None:
    assert withdrawals_json([PENDING], limit=2)["next_cursor"] is None
    assert withdrawals_json([PAID, PENDING], limit=2)["next_cursor"] == ID
