"""What traders send about their accounts."""

from eth_hash.auto import keccak

from protocols.client_account import FAUCET
from tests.support.client_json import CHECKSUMMED, WALLET, field_of


def test_the_faucet_takes_a_wallet_or_nothing() -> None:
    assert FAUCET.parse({"wallet": CHECKSUMMED}, keccak=keccak) == WALLET
    assert FAUCET.parse({}, keccak=keccak) is None
    assert field_of(FAUCET.parse({"wallet": "0x"}, keccak=keccak)) == "wallet"
    assert field_of(FAUCET.parse({"wallet": None}, keccak=keccak)) == "wallet"
