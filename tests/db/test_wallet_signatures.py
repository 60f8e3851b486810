"""Recovering the wallet behind a `personal_sign` signature: known answers, and what is refused."""

import json
from pathlib import Path
from typing import Any

import attrs
import pytest
from eth_account import Account
from eth_account.messages import encode_defunct
from eth_keys.backends.native.main import NativeECCBackend
from hypothesis import given, settings
from hypothesis import strategies as st

from db import wallet_signatures
from db.wallet_signatures import (
    backend_is_fast,
    keccak_256,
    personal_hash,
    personal_sign,
    recover_wallet,
    wallet_of,
)
from domain.signed_text import BetText
from domain.wallet import parse_signature

ORDER = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141

# The example of web3.eth.accounts.sign.
KEY = bytes.fromhex("4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318")
WALLET = "0x2c7536e3605d9c16a7a3d7b1898e529396a65c23"
TEXT = "Some data"
TEXT_HASH = "1da44b586eb0729ff70a73c326926f6ed5a25f5b056e7f47fbc6e58d86871655"
R = 0xB91467E570A6466AA9E9876CBCD013BABA02900B8979D43FE208A4A4F339F5FD
S = 0x6007E74CD82E037B800186422FC2DA167C747EF045E5D18A5F5D4300F8E1A029
V = 28
SIGN_INS = json.loads(
    (Path(__file__).parents[1] / "vectors" / "sign_in_signatures.json").read_text()
)["cases"]
BET = BetText(
    cell_id="1770100015_4200000_4201000",
    stake_micros=1_000_000,
    nonce="6f1c0f4e-2a7b-4c1d-9e8f-0123456789ab",
    timestamp_s=1_770_100_003,
    chain_id=31_337,
)
BET_1, BET_2 = BET.render(), attrs.evolve(BET, least_bps=18_500, quote_n=812).render()


def signature(r: int = R, s: int = S, v: int = V) -> bytes:
    return r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([v])


def test_the_fast_backend_is_installed() -> None:
    assert backend_is_fast()


def test_the_slow_backend_is_told_apart_and_gives_the_same_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wallet_signatures, "_BACKEND", NativeECCBackend())
    assert not backend_is_fast()
    assert recover_wallet(TEXT, signature()) == WALLET
    assert recover_wallet(TEXT, signature(r=5)) is None
    assert personal_sign(TEXT, KEY) == signature()


@pytest.mark.parametrize(
    ("data", "digest"),
    [
        (b"", "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"),
        (b"abc", "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"),
    ],
)
def test_keccak_known_answers(data: bytes, digest: str) -> None:
    assert keccak_256(data).hex() == digest


def test_published_signature() -> None:
    assert personal_hash(TEXT).hex() == TEXT_HASH
    assert recover_wallet(TEXT, signature()) == WALLET
    assert wallet_of(KEY) == WALLET
    assert personal_sign(TEXT, KEY) == signature()


def test_published_signature_of_a_text_that_is_not_ascii() -> None:
    """The example of eth-account: the prefix counts bytes, not characters."""
    key = bytes.fromhex("b25c7db31feed9122727bf0939dc769a96564b2de4c4726d035b36ecf1e5b364")
    made = bytes.fromhex(
        "e6ca9bba58c88611fad66a6ce8f996908195593807c4b38bd528d2cff09d4eb3"
        "3e5bfbbf4d3e39b1a2fd816a7680c19ebebaf3a141b239934ad43cb33fcec8ce1c"
    )
    assert personal_sign("I♥SF", key) == made
    assert recover_wallet("I♥SF", made) == wallet_of(key)
    assert wallet_of(key) == "0x5ce9454909639d2d17a3f753ce7d93fa0b9ab12e"


@pytest.mark.parametrize("case", SIGN_INS, ids=lambda case: case["what"])
def test_published_sign_ins_are_of_their_address_or_not(case: dict[str, Any]) -> None:
    address = case["message"].split("\n")[1]
    made = parse_signature(case["signature"])
    found = None if made is None else recover_wallet(case["message"], made)
    assert (found == address.lower()) is case["signed_by_address"]


@pytest.mark.parametrize("text", [BET_1, BET_2], ids=["version 1", "version 2"])
def test_a_bet_that_eth_account_signed(text: str) -> None:
    theirs = Account.sign_message(encode_defunct(text=text), private_key=KEY)
    assert recover_wallet(text, bytes(theirs.signature)) == WALLET


@pytest.mark.parametrize("line", range(10))
def test_a_bet_changed_in_any_line_is_another_wallets(line: int) -> None:
    made = bytes(Account.sign_message(encode_defunct(text=BET_2), private_key=KEY).signature)
    lines = BET_2.split("\n")
    lines[line] = lines[line][:-1] + ("2" if lines[line][-1] != "2" else "3")
    assert recover_wallet("\n".join(lines), made) != WALLET


def test_a_bet_of_one_version_is_none_of_the_other() -> None:
    made = bytes(Account.sign_message(encode_defunct(text=BET_2), private_key=KEY).signature)
    assert recover_wallet(BET_1, made) != WALLET
    assert recover_wallet(BET_2.replace("Version: 2", "Version: 1"), made) != WALLET


@pytest.mark.parametrize("v", [1, 28])
def test_v_counts_from_0_or_from_27(v: int) -> None:
    assert recover_wallet(TEXT, signature(v=v)) == WALLET


@pytest.mark.parametrize("v", [0, 27])
def test_the_other_v_is_another_wallet(v: int) -> None:
    assert recover_wallet(TEXT, signature(v=v)) not in (None, WALLET)


@pytest.mark.parametrize("v", [2, 3, 26, 29, 30, 35, 36, 37, 255])
def test_any_other_v_is_refused(v: int) -> None:
    assert recover_wallet(TEXT, signature(v=v)) is None


def test_high_s_is_refused_though_it_would_verify() -> None:
    twin = signature(s=ORDER - S, v=27)
    account = Account.recover_message(encode_defunct(text=TEXT), signature=twin)
    assert account.lower() == WALLET
    assert recover_wallet(TEXT, twin) is None


def test_s_may_reach_half_the_order_and_no_further() -> None:
    assert recover_wallet(TEXT, signature(s=ORDER // 2)) is not None
    assert recover_wallet(TEXT, signature(s=ORDER // 2 + 1)) is None


@pytest.mark.parametrize("r", [0, ORDER, ORDER + 1, 2**256 - 1])
def test_r_out_of_range_is_refused(r: int) -> None:
    assert recover_wallet(TEXT, signature(r=r)) is None


@pytest.mark.parametrize("s", [0, ORDER, 2**256 - 1])
def test_s_out_of_range_is_refused(s: int) -> None:
    assert recover_wallet(TEXT, signature(s=s)) is None


def test_r_that_is_no_point_of_the_curve_is_refused() -> None:
    assert recover_wallet(TEXT, signature(r=5)) is None


@pytest.mark.parametrize("length", [0, 1, 63, 64, 66, 130])
def test_any_length_but_65_is_refused(length: int) -> None:
    assert recover_wallet(TEXT, (signature() * 3)[:length]) is None


def test_a_text_that_has_no_utf_8_form_is_refused() -> None:
    assert recover_wallet("\ud800", signature()) is None


@pytest.mark.parametrize("text", ["", "some data", "Some data ", "Some data\n"])
def test_another_text_is_another_wallet(text: str) -> None:
    assert recover_wallet(text, signature()) != WALLET


@settings(deadline=None)
@given(st.text(max_size=300), st.integers(1, ORDER - 1))
def test_eth_account_signs_what_we_recover_and_the_other_way_round(text: str, secret: int) -> None:
    key = secret.to_bytes(32, "big")
    theirs = Account.sign_message(encode_defunct(text=text), private_key=key)
    assert recover_wallet(text, bytes(theirs.signature)) == wallet_of(key)
    ours = personal_sign(text, key)
    assert ours == bytes(theirs.signature)
    assert Account.recover_message(encode_defunct(text=text), signature=ours).lower() == wallet_of(
        key
    )


@given(st.text(max_size=40), st.binary(max_size=70))
def test_any_bytes_are_a_wallet_or_nothing(text: str, data: bytes) -> None:
    found = recover_wallet(text, data)
    assert found is None or len(data) == 65
