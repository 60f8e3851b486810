"""A sign-in as it is sent: every field that can be wrong is named."""

import re
from typing import Any

import pytest
from eth_hash.auto import keccak

from db.wallet_signatures import recover_wallet
from domain.refusals import Refusal
from domain.session_keys import AskedKey, asked_key, is_point, parse_point
from domain.sign_in import parse_sign_in
from domain.units import MICROS_MAX
from protocols.client_sign_in import DEMO, LOGIN, NONCE, DemoRequest, NonceQuery
from tests.support.client_json import field_of


def test_a_login_takes_text() -> None:
    login = LOGIN.parse({"message": "hello", "signature": "0x12"}, keccak=keccak)
    assert not isinstance(login, Refusal)
    assert (login.message, login.signature) == ("hello", "0x12")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({}, "message"),
        ({"message": 5}, "message"),
        ({"message": "x" * 5_000, "signature": "0x"}, "message"),
        ({"message": "\ud800", "signature": "0x"}, "message"),
        ({"message": "hello"}, "signature"),
    ],
)
def test_a_login_that_is_not_well_formed(fields: dict[str, object], field: str) -> None:
    assert field_of(LOGIN.parse(fields, keccak=keccak)) == field


def test_the_described_example_of_a_login_is_a_sign_in_of_a_wallet_with_a_key() -> None:
    properties: Any = LOGIN.schema()["properties"]
    [text], [signed] = (properties[name]["examples"] for name in ("message", "signature"))
    message = parse_sign_in(text, keccak)
    assert not isinstance(message, Refusal)
    signature = bytes.fromhex(signed.removeprefix("0x"))
    assert recover_wallet(text, signature) == message.address.lower()
    assert isinstance(asked_key(message.resources, message.issued_at_ms), AskedKey)


def test_a_nonce_may_be_asked_for_by_a_wallet_in_any_capitals() -> None:
    address = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"
    for spelled in (address, address.lower()):
        asked = NONCE.parse_query({"wallet": [spelled]}, keccak=keccak)
        assert asked == NonceQuery(wallet=address.lower())
    assert NONCE.parse_query({}, keccak=keccak) == NonceQuery(wallet=None)


@pytest.mark.parametrize("wallets", [["0x"], [""], ["0x" + "1" * 40, "0x" + "2" * 40]])
def test_a_nonce_is_asked_for_by_one_wallet_or_none(wallets: list[str]) -> None:
    assert field_of(NONCE.parse_query({"wallet": wallets}, keccak=keccak)) == "wallet"


# --- throwaway accounts -------------------------------------------------------------------------

(POINT,) = DEMO.schema()["properties"]["public_key"]["examples"]  # type: ignore[index]


def demo(**fields: object) -> DemoRequest | Refusal:
    return DEMO.parse({"public_key": POINT, **fields}, keccak=keccak)


def test_a_throwaway_account_needs_a_point_of_the_curve_and_no_caps() -> None:
    point = parse_point(POINT)
    assert point is not None
    assert demo() == DemoRequest(
        public_key=point, bet_max_micros=MICROS_MAX, day_max_micros=MICROS_MAX
    )


def test_a_throwaway_account_may_have_caps() -> None:
    asked = demo(bet_max_micros="5", day_max_micros=7)
    assert isinstance(asked, DemoRequest)
    assert (asked.bet_max_micros, asked.day_max_micros) == (5, 7)


@pytest.mark.parametrize(
    "public_key", [None, 5, [], "", POINT[:-1], POINT + "=", POINT[:-1] + "V", "B" * 87, "A" * 87]
)
def test_what_is_no_point_of_the_curve_is_refused(public_key: object) -> None:
    assert field_of(demo(public_key=public_key)) == "public_key"


@pytest.mark.parametrize("name", ["bet_max_micros", "day_max_micros"])
@pytest.mark.parametrize("cap", [0, -1, MICROS_MAX + 1, "01", 1.5, None, True])
def test_a_cap_of_nothing_or_too_much_is_refused(name: str, cap: object) -> None:
    assert field_of(demo(**{name: cap})) == name


def test_the_described_example_of_a_key_is_one() -> None:
    described = DEMO.schema()["properties"]["public_key"]  # type: ignore[index]
    assert re.fullmatch(described["pattern"], POINT)
    point = parse_point(POINT)
    assert point is not None
    assert is_point(point)
