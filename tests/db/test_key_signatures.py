"""Signatures of session keys: what other implementations made is taken, and nothing else."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.key_signatures import ORDER, public_key_of, sign_with_key, verify_key
from domain.session_keys import is_point
from domain.signed_text import BetText

VECTORS = Path(__file__).parents[1] / "vectors"
PUBLISHED = json.loads((VECTORS / "p256_signatures.json").read_text())["cases"]
BROWSERS = json.loads((VECTORS / "session_key_bets.json").read_text())["keys"]

SECRET = 0xC9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721
KEY = public_key_of(SECRET)
TEXT = "sample"
# RFC 6979, A.2.5: P-256 with SHA-256 of "sample".
R = 0xEFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716
S = 0xF7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8


def signature(r: int = R, s: int = S) -> bytes:
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


# --- known answers ----------------------------------------------------------------------------


def test_the_signature_of_rfc_6979() -> None:
    assert KEY.hex() == (
        "0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
        "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"
    )
    assert verify_key(KEY, TEXT, signature())


@pytest.mark.parametrize("case", PUBLISHED, ids=lambda case: case["what"])
def test_published_signatures_hold_or_do_not(case: dict[str, Any]) -> None:
    key, made = bytes.fromhex(case["public_key"]), bytes.fromhex(case["signature"])
    assert verify_key(key, case["text"], made) is case["valid"]


@pytest.mark.parametrize("half", ["low_s", "high_s"])
@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("key", BROWSERS, ids=lambda key: key["key_id"][:8])
def test_a_browser_signs_what_we_take(key: dict[str, Any], version: int, half: str) -> None:
    bet = next(bet for bet in key["bets"] if bet["version"] == version)
    text = BetText(
        cell_id=bet["cell_id"],
        stake_micros=bet["amount"],
        nonce=bet["nonce"],
        timestamp_s=bet["timestamp"],
        chain_id=bet["chain_id"],
        least_bps=bet.get("rate"),
        quote_n=bet.get("quote"),
    ).render()
    assert text == bet["text"]
    made = bytes.fromhex(bet["signatures"][half][2:])
    assert (int.from_bytes(made[32:], "big") > ORDER // 2) is (half == "high_s")
    assert verify_key(bytes.fromhex(key["public_key"]), text, made)


@pytest.mark.parametrize("line", range(10))
@pytest.mark.parametrize("key", BROWSERS[:1], ids=lambda key: key["key_id"][:8])
def test_a_text_changed_in_any_line_is_refused(key: dict[str, Any], line: int) -> None:
    bet = key["bets"][1]
    lines = bet["text"].split("\n")
    lines[line] = lines[line][:-1] + ("2" if lines[line][-1] != "2" else "3")
    made = bytes.fromhex(bet["signatures"]["low_s"][2:])
    assert not verify_key(bytes.fromhex(key["public_key"]), "\n".join(lines), made)


def test_another_key_has_not_signed_it() -> None:
    mine, other = BROWSERS
    made = bytes.fromhex(mine["bets"][0]["signatures"]["low_s"][2:])
    assert not verify_key(bytes.fromhex(other["public_key"]), mine["bets"][0]["text"], made)


# --- refused ----------------------------------------------------------------------------------


def test_both_halves_of_s_are_taken() -> None:
    assert S > ORDER // 2
    assert verify_key(KEY, TEXT, signature(s=ORDER - S))


@pytest.mark.parametrize("r", [0, 1, ORDER - R, ORDER - 1, ORDER, ORDER + 1, 2**256 - 1])
def test_another_r_is_refused(r: int) -> None:
    assert not verify_key(KEY, TEXT, signature(r=r))


@pytest.mark.parametrize("s", [0, 1, ORDER - 1, ORDER, ORDER + 1, 2**256 - 1])
def test_another_s_is_refused(s: int) -> None:
    assert not verify_key(KEY, TEXT, signature(s=s))


@pytest.mark.parametrize("length", [0, 1, 63, 65, 66, 128])
def test_any_length_but_64_is_refused(length: int) -> None:
    assert not verify_key(KEY, TEXT, (signature() * 2)[:length])


def test_a_signature_in_der_is_refused() -> None:
    def integer(value: int) -> bytes:
        return b"\x02\x21" + value.to_bytes(33, "big")

    der = integer(R) + integer(S)
    assert not verify_key(KEY, TEXT, b"\x30" + bytes([len(der)]) + der)


def test_halves_changed_for_one_another_are_refused() -> None:
    assert not verify_key(KEY, TEXT, signature(r=S, s=R))


def test_a_compressed_key_is_refused() -> None:
    assert not verify_key(b"\x03" + KEY[1:33], TEXT, signature())


def test_a_key_in_the_hybrid_form_is_refused() -> None:
    assert not verify_key(b"\x07" + KEY[1:], TEXT, signature())


def test_a_key_that_is_not_on_the_curve_is_refused() -> None:
    assert not verify_key(KEY[:-1] + bytes([KEY[-1] ^ 1]), TEXT, signature())


@pytest.mark.parametrize("key", [b"", b"\x00", b"\x04" + bytes(64), b"\x04" + b"\xff" * 64])
def test_what_is_no_key_is_refused(key: bytes) -> None:
    assert not verify_key(key, TEXT, signature())


def test_a_text_that_has_no_utf_8_form_is_refused() -> None:
    assert not verify_key(KEY, "\ud800", signature())


@pytest.mark.parametrize("text", ["", "Sample", "sample ", "sample\n"])
def test_another_text_is_refused(text: str) -> None:
    assert not verify_key(KEY, text, signature())


@given(st.binary(max_size=70), st.text(max_size=20), st.binary(max_size=70))
def test_any_bytes_are_refused_without_an_exception(key: bytes, text: str, made: bytes) -> None:
    assert not verify_key(key, text, made)


@settings(deadline=None, max_examples=30)
@given(st.integers(1, ORDER - 1), st.text(max_size=300))
def test_what_a_key_signs_is_taken(secret: int, text: str) -> None:
    key = public_key_of(secret)
    assert is_point(key)
    assert verify_key(key, text, sign_with_key(text, secret))
