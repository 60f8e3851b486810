"""Wallet signatures: EIP-191 `personal_sign` over secp256k1, by eth-keys on coincurve.

An adapter like those of the databases, with a C library for its driver: `domain` may not import
one and an actor may not know one, so the composition root hands these functions in. They keep no
state and do no I/O.

Recovery takes some 40 us on the coincurve backend and over 4,000 us on the pure-Python one, which
is 250 bets a second on a whole core: `backend_is_fast` lets the start-up refuse that in production.
"""

from typing import Final

from eth_hash.auto import keccak
from eth_keys.backends import get_backend
from eth_keys.backends.coincurve import CoinCurveECCBackend
from eth_keys.constants import SECPK1_N
from eth_keys.datatypes import PrivateKey, Signature
from eth_keys.exceptions import BadSignature

from domain.wallet import SIGNATURE_BYTES

_BACKEND: Final = get_backend()
_RECOVERY_IDS: Final = {0: 0, 1: 1, 27: 0, 28: 1}


def backend_is_fast() -> bool:
    """Does coincurve do the work, and not the pure-Python fallback of eth-keys?"""
    return isinstance(_BACKEND, CoinCurveECCBackend)


def keccak_256(data: bytes) -> bytes:
    """Keccak-256 as Ethereum uses it: 32 bytes."""
    return keccak(data)


def personal_hash(text: str) -> bytes:
    """What `personal_sign` signs: Keccak-256 of the EIP-191 prefix, the length in bytes, the text.

    Raises UnicodeEncodeError for a text with lone surrogates, which has no UTF-8 form.
    """
    message = text.encode()
    return keccak_256(b"\x19Ethereum Signed Message:\n%d%b" % (len(message), message))


def recover_wallet(text: str, signature: bytes) -> str | None:
    """The lower-case address of the wallet that signed `text`, or None: not a signature.

    `signature` is r, s and v in 32, 32 and 1 bytes; v is 0, 1, 27 or 28. The upper half of s is
    refused: (r, n - s) with the other v would be a second signature of the same text by the same
    wallet (EIP-2). Some address comes out for nearly any r and s: the caller compares it with the
    wallet that was named.
    """
    if len(signature) != SIGNATURE_BYTES or signature[64] not in _RECOVERY_IDS:
        return None
    r = int.from_bytes(signature[:32], "big")
    s = int.from_bytes(signature[32:64], "big")
    if not (0 < r < SECPK1_N and 0 < s <= SECPK1_N // 2):
        return None
    vrs = (_RECOVERY_IDS[signature[64]], r, s)
    try:
        digest = personal_hash(text)
        public_key = Signature(vrs=vrs, backend=_BACKEND).recover_public_key_from_msg_hash(digest)
    except (BadSignature, UnicodeEncodeError):
        return None
    return str(public_key.to_address())


def wallet_of(private_key: bytes) -> str:
    """The lower-case address of a private key of 32 bytes. Raises ValidationError (eth-utils)."""
    return str(PrivateKey(private_key, backend=_BACKEND).public_key.to_address())


def personal_sign(text: str, private_key: bytes) -> bytes:
    """Sign as a wallet does: r, s, v in 65 bytes with v 27 or 28. For tests and load."""
    signature = PrivateKey(private_key, backend=_BACKEND).sign_msg_hash(personal_hash(text))
    r_and_s = bytes(signature.to_bytes()[:64])
    return r_and_s + bytes([27 + signature.v])
