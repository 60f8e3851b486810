"""A bet as it is sent: every field that can be wrong is named, and nothing raises."""

from typing import Any

import attrs
import pytest
from eth_hash.auto import keccak
from hypothesis import given
from hypothesis import strategies as st

from domain.grid import Cell
from domain.refusals import Refusal
from protocols.client_bets import BET as FORM
from protocols.client_bets import BetRequest
from protocols.client_fields import Fields
from tests.support.client_json import BET, BET_2, CHECKSUMMED, JSON_VALUES, NONCE, WALLET, field_of

KEY_ID = "0123456789abcdef" * 2


def parse_bet(fields: Fields) -> BetRequest | Refusal:
    return FORM.parse(fields, keccak=keccak)


def bet(**changed: object) -> BetRequest | Refusal:
    return parse_bet(BET | changed)


def bet_2(**changed: object) -> BetRequest | Refusal:
    return parse_bet(BET_2 | changed)


def test_a_bet_of_version_1() -> None:
    parsed = bet()
    assert parsed == BetRequest(
        wallet=WALLET,
        cell=Cell(column_start_s=1_770_100_010, lo_cents=4_200_000, hi_cents=4_201_000),
        stake_micros=1_000_000,
        nonce=NONCE,
        timestamp_s=1_770_100_003,
        chain_id=31_337,
        least_bps=None,
        quote_n=None,
        key_id=None,
        signature=b"\xab" * 65,
    )


def test_the_signed_text_of_version_1() -> None:
    parsed = bet()
    assert isinstance(parsed, BetRequest)
    assert parsed.text().render().splitlines()[-1] == "Version: 1"


def test_the_signed_text_of_version_2_binds_the_odds() -> None:
    parsed = bet_2()
    assert isinstance(parsed, BetRequest)
    assert parsed.text().render().splitlines()[-3:] == ["Rate: 18500", "Quote: 812", "Version: 2"]


@pytest.mark.parametrize("name", BET)
@pytest.mark.parametrize("value", [None, True, 1.5, [], {}, "", " 1", "é", "\ud800", 10**30, -1])
def test_each_field_of_a_wrong_kind_is_named(name: str, value: object) -> None:
    assert field_of(bet(**{name: value})) == name


@pytest.mark.parametrize("name", BET_2)
def test_each_field_that_is_missing_is_named(name: str) -> None:
    fields = {key: value for key, value in BET_2.items() if key != name}
    assert field_of(parse_bet(fields)) == name


@pytest.mark.parametrize("amount", [1_000_000, "1000000"])
def test_an_amount_is_an_integer_or_decimal_text(amount: object) -> None:
    parsed = bet(amount=amount)
    assert isinstance(parsed, BetRequest)
    assert parsed.stake_micros == 1_000_000


@pytest.mark.parametrize(
    "amount", ["01", "+1", "1.0", "1e6", " 1", "1 ", "1_000", "１", "-1", "0", 0, 10**15 + 1]
)
def test_an_amount_in_another_spelling_or_out_of_range_is_refused(amount: object) -> None:
    assert field_of(bet(amount=amount)) == "amount"


@pytest.mark.parametrize("wallet", [WALLET, CHECKSUMMED, "0x" + WALLET[2:].upper()])
def test_a_wallet_in_any_capitalisation_becomes_lower_case(wallet: str) -> None:
    parsed = bet(wallet=wallet)
    assert isinstance(parsed, BetRequest)
    assert parsed.wallet == WALLET


@pytest.mark.parametrize(
    "wallet", [CHECKSUMMED.replace("E", "e", 1), WALLET[:-1], WALLET + "0", WALLET[2:], "house"]
)
def test_a_wallet_with_a_wrong_checksum_or_length_is_refused(wallet: str) -> None:
    assert field_of(bet(wallet=wallet)) == "wallet"


@pytest.mark.parametrize(
    "nonce",
    [
        NONCE.upper(),
        NONCE.replace("-", ""),
        NONCE + "\n",
        "{" + NONCE + "}",
        NONCE[:14] + "1" + NONCE[15:],  # of version 1
        NONCE[:19] + "c" + NONCE[20:],  # of another variant
    ],
)
def test_a_nonce_has_one_spelling(nonce: str) -> None:
    assert field_of(bet(nonce=nonce)) == "nonce"


@pytest.mark.parametrize(
    "cell_id",
    ["1770100010_4200000", "01770100010_4200000_4201000", "1770100010-4200000-4201000", "1_2_3_4"],
)
def test_a_cell_id_has_one_spelling(cell_id: str) -> None:
    assert field_of(bet(cell_id=cell_id)) == "cell_id"


@pytest.mark.parametrize("signature", ["ab" * 65, "0x" + "ab" * 64, "0x" + "zz" * 65, "0x"])
def test_a_signature_is_65_bytes_in_hexadecimal(signature: str) -> None:
    assert field_of(bet(signature=signature)) == "signature"


@pytest.mark.parametrize("version", ["3", 3, "1.0", 1.0, True, [1], "1 "])
def test_another_version_is_refused(version: object) -> None:
    assert field_of(bet(version=version)) == "version"


@pytest.mark.parametrize("version", [1, "1"])
def test_a_version_may_be_a_number(version: object) -> None:
    assert isinstance(bet(version=version), BetRequest)


@pytest.mark.parametrize("name", ["rate", "quote"])
def test_odds_that_version_1_does_not_bind_are_refused(name: str) -> None:
    assert field_of(bet(**{name: 1})) == name


def test_a_bet_signed_by_a_session_key() -> None:
    by_wallet, by_key = bet_2(), bet_2(key_id=KEY_ID, signature="0x" + "ab" * 64)
    assert isinstance(by_wallet, BetRequest)
    assert isinstance(by_key, BetRequest)
    assert by_key == attrs.evolve(by_wallet, key_id=KEY_ID, signature=b"\xab" * 64)
    assert by_key.text() == by_wallet.text(), "the same text, whoever signs it"


@pytest.mark.parametrize("key_id", [KEY_ID.upper(), KEY_ID[1:], KEY_ID + "0", "0x" + KEY_ID, None])
def test_a_key_id_has_one_spelling(key_id: object) -> None:
    assert field_of(bet(key_id=key_id, signature="0x" + "ab" * 64)) == "key_id"


def test_a_signature_as_long_as_a_wallets_is_none_of_a_session_key() -> None:
    assert field_of(bet(key_id=KEY_ID, signature="0x" + "ab" * 65)) == "signature"


def test_a_signature_as_long_as_a_session_keys_is_none_of_a_wallet() -> None:
    assert field_of(bet(signature="0x" + "ab" * 64)) == "signature"


def test_unknown_fields_are_ignored() -> None:
    assert bet(colour="green", id="a1", op="bet") == bet()


def test_a_signature_is_in_no_repr() -> None:
    assert "abab" not in repr(bet())


@given(st.dictionaries(st.sampled_from(list(BET_2)), JSON_VALUES))
def test_a_bet_with_anything_in_its_fields_is_parsed_or_refused(changed: dict[str, Any]) -> None:
    parsed = parse_bet(BET_2 | changed)
    if isinstance(parsed, Refusal):
        assert field_of(parsed) in BET_2 | {"key_id": None}
