"""What clients send: every field that can be wrong is named, and nothing raises."""

import json
from typing import Any

import pytest
from eth_hash.auto import keccak
from hypothesis import given
from hypothesis import strategies as st

from domain.grid import Cell
from domain.refusals import Code, Refusal
from protocols.client_fields import parse_object
from protocols.client_wire import (
    AuthOp,
    BadOp,
    BetOp,
    BetRequest,
    Channel,
    CircuitRequest,
    DepositRequest,
    PingOp,
    RebuildRequest,
    ResumeOp,
    SubscribeOp,
    parse_bet,
    parse_circuit,
    parse_deposit,
    parse_login,
    parse_op,
    parse_reason,
    parse_rebuild,
    parse_wallet_field,
)
from protocols.market import Override

WALLET = "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf"
CHECKSUMMED = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"
NONCE = "6f1c0f4e-2a7b-4c1d-9e8f-0123456789ab"
BET: dict[str, Any] = {
    "wallet": WALLET,
    "cell_id": "1770100010_4200000_4201000",
    "amount": "1000000",
    "nonce": NONCE,
    "timestamp": 1_770_100_003,
    "chain_id": 31_337,
    "version": "1",
    "signature": "0x" + "ab" * 65,
}
BET_2 = BET | {"version": "2", "rate": 18_500, "quote": 812}


def field_of(result: object) -> object:
    """The field that a refusal names."""
    assert isinstance(result, Refusal), result
    assert result.code is Code.BAD_REQUEST
    return result.details["field"]


def bet(**changed: object) -> BetRequest | Refusal:
    return parse_bet(BET | changed, keccak=keccak)


def bet_2(**changed: object) -> BetRequest | Refusal:
    return parse_bet(BET_2 | changed, keccak=keccak)


# --- JSON -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"{} {}",
        b'{"a": 01}',
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": ' + b"9" * 5_000 + b"}",
        b"[" * 16_000,
        b'{"a": ' * 2_500 + b"1" + b"}" * 2_500,
        b'{"a": "\xff"}',
        b'\xef\xbb\xbf{"a": 1}',
        b"\x00",
        b"{'a': 1}",
    ],
)
def test_what_is_no_json_object_is_refused_as_body(body: bytes) -> None:
    assert field_of(parse_object(body)) == "body"


def test_a_key_that_occurs_twice_is_named() -> None:
    assert field_of(parse_object(b'{"amount": 1, "b": 2, "amount": 3}')) == "amount"
    assert field_of(parse_object(b'{"a": {"inner": 1, "inner": 1}}')) == "inner"


def test_a_key_is_named_only_in_text_that_can_be_sent_back() -> None:
    refusal = parse_object(b'{"\\ud800": 1, "\\ud800": 2}')
    json.dumps(field_of(refusal)).encode("utf-8")


@given(st.binary(max_size=200))
def test_any_bytes_are_an_object_or_a_refusal(body: bytes) -> None:
    assert isinstance(parse_object(body), dict | Refusal)


# --- bets -------------------------------------------------------------------------------------


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
    assert field_of(parse_bet(fields, keccak=keccak)) == name


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


def test_a_session_key_is_refused_by_name() -> None:
    assert field_of(bet(key_id="k1")) == "key_id"


def test_unknown_fields_are_ignored() -> None:
    assert bet(colour="green", id="a1", op="bet") == bet()


def test_a_signature_is_in_no_repr() -> None:
    assert "abab" not in repr(bet())


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(list(BET_2)), JSON_VALUES))
def test_a_bet_with_anything_in_its_fields_is_parsed_or_refused(changed: dict[str, Any]) -> None:
    parsed = parse_bet(BET_2 | changed, keccak=keccak)
    if isinstance(parsed, Refusal):
        assert field_of(parsed) in BET_2 | {"key_id": None}


# --- the others -------------------------------------------------------------------------------


def test_a_login_takes_text() -> None:
    login = parse_login({"message": "hello", "signature": "0x12"})
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
    assert field_of(parse_login(fields)) == field


def test_a_wallet_alone() -> None:
    assert parse_wallet_field({"wallet": CHECKSUMMED}, keccak=keccak) == WALLET
    assert field_of(parse_wallet_field({"wallet": "0x"}, keccak=keccak)) == "wallet"


@pytest.mark.parametrize("wallet", [WALLET, "house"])
def test_a_deposit(wallet: str) -> None:
    fields = {"wallet": wallet, "amount_micros": 5, "reference": "wire-17"}
    assert parse_deposit(fields, keccak=keccak) == DepositRequest(
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
    assert field_of(parse_deposit(fields, keccak=keccak)) == field


@pytest.mark.parametrize("wallet", [WALLET, "house", "external"])
def test_a_rebuild(wallet: str) -> None:
    asked = parse_rebuild({"wallet": wallet, "reason": " drift "}, keccak=keccak)
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
    assert field_of(parse_rebuild(fields, keccak=keccak)) == field


def test_an_override() -> None:
    asked = parse_circuit({"state": "open", "reason": "drill"})
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
    assert field_of(parse_circuit(fields)) == field


def test_a_reason_alone() -> None:
    assert parse_reason({"reason": "drill"}) == "drill"
    assert field_of(parse_reason({})) == "reason"


# --- the WebSocket ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frame", "op"),
    [
        ('{"op": "ping"}', PingOp(id=None)),
        ('{"op": "ping", "id": 7}', PingOp(id=7)),
        ('{"op": "auth", "id": "a", "token": "t"}', AuthOp(id="a", token="t")),
        ('{"op": "resume", "seq": 3}', ResumeOp(id=None, seq=3)),
        (
            '{"op": "subscribe", "channels": ["price", "grid", "price"]}',
            SubscribeOp(id=None, channels=(Channel.PRICE, Channel.GRID)),
        ),
        ('{"op": "subscribe", "channels": []}', SubscribeOp(id=None, channels=())),
    ],
)
def test_a_request(frame: str, op: object) -> None:
    assert parse_op(frame) == op


def test_a_bet_keeps_its_fields_for_the_desk() -> None:
    op = parse_op(json.dumps({"op": "bet", "id": "a1", **BET}))
    assert isinstance(op, BetOp)
    assert parse_bet(op.fields, keccak=keccak) == bet()


@pytest.mark.parametrize(
    ("frame", "field"),
    [
        ("hello", "body"),
        ("{}", "op"),
        ('{"op": "dance", "id": 1}', "op"),
        ('{"op": ["bet"]}', "op"),
        ('{"op": "ping", "id": {}}', "id"),
        ('{"op": "ping", "id": true}', "id"),
        ('{"op": "ping", "id": 1.5}', "id"),
        ('{"op": "ping", "id": "\\ud800"}', "id"),
        ('{"op": "ping", "id": 99999999999999999999}', "id"),
        ('{"op": "auth"}', "token"),
        ('{"op": "auth", "token": "a b"}', "token"),
        ('{"op": "resume"}', "seq"),
        ('{"op": "subscribe"}', "channels"),
        ('{"op": "subscribe", "channels": "price"}', "channels"),
        ('{"op": "subscribe", "channels": [{}]}', "channels"),
    ],
)
def test_a_request_that_is_not_well_formed(frame: str, field: str) -> None:
    op = parse_op(frame)
    assert isinstance(op, BadOp)
    assert field_of(op.refusal) == field


def test_a_bad_request_is_answered_under_its_id() -> None:
    assert parse_op('{"op": "dance", "id": "x"}').id == "x"


@given(st.text(max_size=100) | JSON_VALUES.map(json.dumps))
def test_any_frame_is_a_request_or_a_refusal(frame: str) -> None:
    parse_op(frame)
