"""An Ethereum wallet: the key that signs in, and that may sign bets and withdrawals."""

from typing import Self

import attrs
from eth_hash.auto import keccak
from eth_keys.constants import SECPK1_N
from eth_keys.datatypes import PrivateKey

from client.chance import SYSTEM, Chance, new_secret
from domain.wallet import checksummed


@attrs.frozen
class Wallet:
    """A private key in memory. `address` is spelled with its EIP-55 checksum."""

    _key: PrivateKey = attrs.field(repr=False)
    address: str = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        address = checksummed(self._key.public_key.to_address(), keccak)
        object.__setattr__(self, "address", address)

    @classmethod
    def from_private_key(cls, key: bytes | str) -> Self:
        """From 32 bytes, or from hexadecimal digits with or without 0x. Raises ValueError."""
        text = key.removeprefix("0x") if isinstance(key, str) else key.hex()
        number = int(text, 16)
        if len(text) != 64 or not 0 < number < SECPK1_N:
            raise ValueError("a private key is 32 bytes, from 1 to the order of the curve")
        return cls(PrivateKey(bytes.fromhex(text)))

    @classmethod
    def new(cls, chance: Chance = SYSTEM) -> Self:
        """A wallet that nobody had before."""
        return cls(PrivateKey(new_secret(chance, SECPK1_N).to_bytes(32, "big")))

    @property
    def key_id(self) -> None:
        """A wallet's own signature names no key: it is checked against the address."""
        return None

    def sign(self, text: str) -> str:
        """As a wallet's `personal_sign` (EIP-191): 0x, then r, s and v (27 or 28) in hex."""
        message = text.encode()
        prefix = b"\x19Ethereum Signed Message:\n%d" % len(message)
        signature = self._key.sign_msg_hash(keccak(prefix + message))
        return f"0x{signature.r:064x}{signature.s:064x}{27 + signature.v:02x}"
