"""Wallet addresses: the one spelling that the venue stores, the EIP-55 checksum, signature texts.

Inside the venue a wallet is `0x` and 40 lower-case hexadecimal digits, so that two spellings of one
address are never two accounts. Keccak-256 is not in the standard library; whoever checks a
checksum hands it in.
"""

import re
from collections.abc import Callable
from typing import Final, TypeAlias

Keccak: TypeAlias = Callable[[bytes], bytes]
"""Keccak-256 (not SHA3-256, which pads differently): any bytes to 32 bytes."""

SIGNATURE_BYTES: Final = 65

_ADDRESS: Final = re.compile(r"0x[0-9A-Fa-f]{40}")
_SIGNATURE: Final = re.compile(f"0x[0-9A-Fa-f]{{{2 * SIGNATURE_BYTES}}}")


def parse_wallet(text: object) -> str | None:
    """The canonical, lower-case spelling of an address in any capitalisation, or None."""
    if isinstance(text, str) and _ADDRESS.fullmatch(text):
        return text.lower()
    return None


def checksummed(wallet: str, keccak: Keccak) -> str:
    """The EIP-55 spelling of a canonical address: its capital letters are the checksum."""
    digits = wallet[2:]
    digest = keccak(digits.encode("ascii")).hex()
    return "0x" + "".join(
        digit.upper() if int(nibble, 16) >= 8 else digit
        for digit, nibble in zip(digits, digest, strict=False)
    )


def checksum_holds(text: str, keccak: Keccak) -> bool:
    """Is `text` an address, capitalised exactly as EIP-55 has it?"""
    wallet = parse_wallet(text)
    return wallet is not None and text == checksummed(wallet, keccak)


def parse_signature(text: object) -> bytes | None:
    """The 65 bytes (r, s, v) that `0x` and 130 hexadecimal digits spell, or None."""
    if isinstance(text, str) and _SIGNATURE.fullmatch(text):
        return bytes.fromhex(text[2:])
    return None
