"""Wallet addresses in one spelling, the checksum of EIP-55, and signatures in text."""

import pytest
from eth_hash.auto import keccak

from domain.wallet import checksum_holds, checksummed, parse_signature, parse_wallet

EIP_55_EXAMPLES = [
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
    "0xde709f2102306220921060314715629080e2fb77",
    "0x27b1fdb04752bbc536007a920d24acb045561c26",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
]


@pytest.mark.parametrize("address", EIP_55_EXAMPLES)
def test_checksum_of_the_published_examples(address: str) -> None:
    assert checksummed(address.lower(), keccak) == address
    assert checksum_holds(address, keccak)


@pytest.mark.parametrize("address", EIP_55_EXAMPLES[4:])
def test_checksum_fails_when_one_letter_changes_its_size(address: str) -> None:
    for index, digit in enumerate(address[2:], start=2):
        if digit.isalpha():
            changed = address[:index] + digit.swapcase() + address[index + 1 :]
            assert not checksum_holds(changed, keccak)
    assert not checksum_holds(address.lower(), keccak)
    assert not checksum_holds("0x" + address[2:].upper(), keccak)


@pytest.mark.parametrize("address", EIP_55_EXAMPLES)
def test_wallet_is_kept_in_lower_case(address: str) -> None:
    assert parse_wallet(address) == address.lower()
    assert parse_wallet("0x" + address[2:].upper()) == address.lower()


NO_ADDRESSES = [
    *("", "0x", "house", "external", None, 42, b"0x" + b"a" * 40),
    *("a" * 42, "0x" + "a" * 39, "0x" + "a" * 41, "0X" + "a" * 40, "0x" + "g" * 40),
    *(" 0x" + "a" * 40, "0x" + "a" * 40 + "\n", "0x" + "a" * 39 + "٣"),
]


@pytest.mark.parametrize("text", NO_ADDRESSES, ids=repr)
def test_wallet_refuses_what_is_no_address(text: object) -> None:
    assert parse_wallet(text) is None
    assert not (isinstance(text, str) and checksum_holds(text, keccak))


def test_signature_is_65_bytes_in_hexadecimal() -> None:
    assert parse_signature("0x" + "aB" * 64 + "1c") == b"\xab" * 64 + b"\x1c"


NO_SIGNATURES = [
    *("", "0x", None, b"\x00" * 65, "00" * 65, "0X" + "00" * 65),
    *("0x" + "00" * 64, "0x" + "00" * 66, "0x" + "0" * 129, "0x" + "0g" * 65),
    *("0x" + "00" * 64 + " 0", "0x" + "00" * 65 + "\n", "0x" + "0٣" * 65),
]


@pytest.mark.parametrize("text", NO_SIGNATURES, ids=repr)
def test_signature_refuses_any_other_text(text: object) -> None:
    assert parse_signature(text) is None
