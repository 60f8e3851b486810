"""Wallets: addresses and signatures as every other implementation of Ethereum makes them."""

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct

from client import Wallet
from db.wallet_signatures import recover_wallet
from domain.wallet import parse_signature
from supervisor import SeededChance

KEY = "0x4646464646464646464646464646464646464646464646464646464646464646"
ADDRESS = "0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F"  # of EIP-155's own example


def test_the_address_of_a_known_key_has_its_checksum() -> None:
    assert Wallet.from_private_key(KEY).address == ADDRESS
    assert Wallet.from_private_key(bytes.fromhex(KEY[2:])).address == ADDRESS
    assert Wallet.from_private_key(KEY[2:].upper()).address == ADDRESS


@pytest.mark.parametrize("text", ["", "Tap Trading Bet", "Grüße\nund Küsse", "\x00"])
def test_signs_as_another_implementation_does(text: str) -> None:
    theirs = Account.sign_message(encode_defunct(text=text), KEY).signature
    assert Wallet.from_private_key(KEY).sign(text) == f"0x{bytes(theirs).hex()}"


def test_the_venue_recovers_the_address_of_a_new_wallet() -> None:
    wallet = Wallet.new(SeededChance(1))
    signature = parse_signature(wallet.sign("Grüße"))
    assert signature is not None
    assert recover_wallet("Grüße", signature) == wallet.address.lower()


def test_new_wallets_differ_and_come_from_chance_alone() -> None:
    assert Wallet.new().address != Wallet.new().address
    assert Wallet.new(SeededChance(1)).address == Wallet.new(SeededChance(1)).address


def test_names_no_key_and_shows_no_secret() -> None:
    wallet = Wallet.from_private_key(KEY)
    assert wallet.key_id is None
    assert "46464646" not in repr(wallet)


ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@pytest.mark.parametrize("key", ["0x00", bytes(32), bytes(31) + b"\x01\x01", ORDER.to_bytes(32)])
def test_what_is_no_private_key_is_refused(key: bytes | str) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Wallet.from_private_key(key)
