"""How operators name accounts."""

import pytest
from eth_hash.auto import keccak

from protocols.accounts import LedgerRow
from protocols.client_users import USER_REF, UserRef, ops_statement_json
from tests.support.client_json import CHECKSUMMED, WALLET, field_of


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (WALLET, WALLET),
        (CHECKSUMMED, WALLET),
        ("0x" + WALLET[2:].upper(), WALLET),
        ("house", "house"),
        ("external", "external"),
        ("0", 0),
        ("4711", 4711),
    ],
)
def test_an_account_goes_by_wallet_or_number(text: str, named: UserRef) -> None:
    assert USER_REF.parse({"user": text}, keccak=keccak) == named


@pytest.mark.parametrize(
    "text", ["", "bob", "House", "-1", "01", "0x12", "1" * 19, CHECKSUMMED[:-1] + "F", 5, None]
)
def test_what_names_no_account(text: object) -> None:
    assert field_of(USER_REF.parse({"user": text}, keccak=keccak)) == "user"


def test_a_page_of_a_ledger_has_numbers_and_notes() -> None:
    row = LedgerRow(
        id="01HZX3Y4Z5A6B7C8D9E0F1G2H3",
        amount_micros=-5,
        balance_after_micros=7,
        ref_type="ADJUSTMENT",
        ref_id="a1",
        created_at_ms=9,
        metadata='{"by": "ann"}',
    )
    page = ops_statement_json("house", [(17, row)], 1, ["2026-02-01.db"])
    (entry,) = page["entries"]
    assert (entry["rowid"], entry["metadata"]) == (17, {"by": "ann"})
    assert (page["wallet"], page["next_cursor"], page["archived"]) == (
        "house",
        "17",
        ["2026-02-01"],
    )
    assert "archived" not in ops_statement_json("house", [], 1, [])
