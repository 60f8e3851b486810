"""Signatures of session keys: ECDSA with SHA-256 over P-256, by the `cryptography` library.

An adapter with a C library for its driver, as `wallet_signatures` is: the composition root hands
the functions in. They keep no state and do no I/O.

A verification takes 68 us on one core: 62 us for the signature, 5 us to read the point, which is
too little to keep keys that have been read.
"""

from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.hashes import SHA256

from domain.session_keys import KEY_SIGNATURE_BYTES, POINT_BYTES

ORDER: Final = 0xFFFFFFFF_00000000_FFFFFFFF_FFFFFFFF_BCE6FAAD_A7179E84_F3B9CAC2_FC632551
"""Of the group of P-256: r and s are below it."""
_CURVE: Final = ec.SECP256R1()
_ECDSA: Final = ec.ECDSA(SHA256())


def verify_key(public_key: bytes, text: str, signature: bytes) -> bool:
    """Did the holder of this key sign `text`? False, and never an exception, whatever comes in.

    `public_key` is an uncompressed point (0x04, x, y: 65 bytes), `signature` is r and s in 32 bytes
    each, as WebCrypto has both. Both halves of s are taken: WebCrypto makes either, and a second
    signature of a bet is the same bet, by its nonce.
    """
    if len(public_key) != POINT_BYTES or public_key[0] != 4:
        return False
    if len(signature) != KEY_SIGNATURE_BYTES:
        return False
    r = int.from_bytes(signature[:32], "big")
    s = int.from_bytes(signature[32:], "big")
    if not (0 < r < ORDER and 0 < s < ORDER):
        return False
    try:
        key = ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, public_key)
        key.verify(encode_dss_signature(r, s), text.encode(), _ECDSA)
    except (InvalidSignature, ValueError):  # not on the curve; a text that has no UTF-8 form
        return False
    return True


# --- for tests and load ---------------------------------------------------------------------------


def public_key_of(secret: int) -> bytes:
    """The point of a private key. Raises ValueError unless it is from 1 to ORDER - 1."""
    numbers = ec.derive_private_key(secret, _CURVE).public_key().public_numbers()
    return b"\x04" + numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")


def sign_with_key(text: str, secret: int) -> bytes:
    """Sign as WebCrypto does: r and s, 32 bytes each. Another signature each time."""
    der = ec.derive_private_key(secret, _CURVE).sign(text.encode(), _ECDSA)
    r, s = decode_dss_signature(der)
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")
