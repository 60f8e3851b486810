"""A session key: a P-256 key that a wallet's sign-in lets place bets, within caps, for a while.

A browser makes one with WebCrypto; this one is the same thing in memory. It can't withdraw, and
ends with its session. One key serves one sign-in, ever.
"""

import hashlib
from base64 import urlsafe_b64encode
from typing import Final, Self

import attrs
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    derive_private_key,
)
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from client.chance import SYSTEM, Chance, new_secret
from domain.units import EpochS, Micros

P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
RESOURCE: Final = "urn:tapgrid:session-key:p256:"


@attrs.frozen(kw_only=True)
class KeyCaps:
    """What the wallet lets a session key do. It ends with its session at the latest."""

    bet_max_micros: Micros
    """The largest stake of one bet."""
    day_max_micros: Micros
    """The most that it may stake in one UTC day, whatever comes back."""
    until_s: EpochS


@attrs.frozen
class SessionKey:
    """A P-256 private key in memory."""

    _key: EllipticCurvePrivateKey = attrs.field(repr=False)

    @classmethod
    def new(cls, chance: Chance = SYSTEM) -> Self:
        """A key that nobody had before."""
        return cls.from_number(new_secret(chance, P256_ORDER))

    @classmethod
    def from_number(cls, number: int) -> Self:
        """From the private number itself, to keep a key between runs. Raises ValueError."""
        return cls(derive_private_key(number, SECP256R1()))

    @property
    def point(self) -> bytes:
        """The public key as WebCrypto's `exportKey("raw")` has it: 04, x, y; 65 bytes."""
        return self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    @property
    def public_key(self) -> str:
        """The point in base64url without padding: 87 characters."""
        return urlsafe_b64encode(self.point).rstrip(b"=").decode()

    @property
    def key_id(self) -> str:
        """What bets call the key: the first 32 hex digits of SHA-256 of the point."""
        return hashlib.sha256(self.point).hexdigest()[:32]

    def resource(self, caps: KeyCaps) -> str:
        """The line of a sign-in message by which a wallet authorises the key."""
        limits = f"bet={caps.bet_max_micros}&day={caps.day_max_micros}&until={caps.until_s}"
        return f"{RESOURCE}{self.public_key}?{limits}"

    def sign(self, text: str) -> str:
        """ECDSA with SHA-256 over the UTF-8 text: 0x, then r and s in hex."""
        r, s = decode_dss_signature(self._key.sign(text.encode(), ECDSA(SHA256())))
        return f"0x{r:064x}{s:064x}"
