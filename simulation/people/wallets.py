"""Wallets and session keys from the seed, and what they sign. The same text has one signature."""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

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
from eth_keys.datatypes import PrivateKey

from client.signing import SignedBet, Signer
from config.settings import DEMO_CHAIN_ID
from db.wallet_signatures import keccak_256, personal_hash
from domain.signed_text import BetText
from domain.wallet import checksummed
from simulation.draws import Draws

CHAIN_ID: Final = DEMO_CHAIN_ID
USD: Final = 1_000_000
"""In micros."""
_ECDSA: Final = ECDSA(SHA256(), deterministic_signing=True)


class Wallet:
    """A private key of Ethereum's curve."""

    key_id: Final = None

    def __init__(self, draws: Draws) -> None:
        self._key = PrivateKey(bytes([1]) + draws.token_bytes(31))
        self.spelled = checksummed(self._key.public_key.to_address(), keccak_256)
        self.address = self.spelled.lower()

    def sign(self, text: str) -> str:
        """`personal_sign`."""
        signed = self._key.sign_msg_hash(personal_hash(text))
        return f"0x{signed.r:064x}{signed.s:064x}{27 + signed.v:02x}"


@attrs.frozen
class SessionKey:
    """A P-256 key as a browser makes it, and what the wallet lets it stake."""

    _key: EllipticCurvePrivateKey
    bet_max_micros: int
    day_max_micros: int
    until_s: int
    """It signs nothing from this second on."""
    point: bytes = attrs.field(init=False)
    key_id: str = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        public = self._key.public_key()
        point = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        object.__setattr__(self, "point", point)
        object.__setattr__(self, "key_id", hashlib.sha256(point).hexdigest()[:32])

    @property
    def resource(self) -> str:
        """The line of a sign-in by which the wallet authorises it."""
        spelled = urlsafe_b64encode(self.point).rstrip(b"=").decode()
        caps = f"bet={self.bet_max_micros}&day={self.day_max_micros}&until={self.until_s}"
        return f"urn:tapgrid:session-key:p256:{spelled}?{caps}"

    def sign(self, text: str) -> str:
        """ECDSA with SHA-256 (RFC 6979): r and s."""
        r, s = decode_dss_signature(self._key.sign(text.encode(), _ECDSA))
        return f"0x{r:064x}{s:064x}"


def new_session_key(
    draws: Draws, *, bet_max_micros: int, day_max_micros: int, until_s: int
) -> SessionKey:
    """A key that was never used before."""
    number = int.from_bytes(bytes([1]) + draws.token_bytes(30), "big")
    key = derive_private_key(number, SECP256R1())
    return SessionKey(key, bet_max_micros, day_max_micros, until_s)


def new_nonce(draws: Draws) -> str:
    """A UUID of version 4."""
    digits = draws.token_bytes(16).hex()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def bet_request(signer: Signer, wallet: str, text: BetText) -> dict[str, Any]:
    """The fields of a signed bet."""
    signature = signer.sign(text.render())
    return SignedBet(wallet=wallet, text=text, key_id=signer.key_id, signature=signature).fields()


def sign_in_request(
    wallet: Wallet, issued: Mapping[str, Any], key: SessionKey | None
) -> dict[str, Any]:
    """The body of a login with what `GET /api/auth/nonce` said."""
    at_ms = issued["issued_at_ms"]
    date = datetime.fromtimestamp(at_ms // 1000, UTC).replace(microsecond=at_ms % 1000 * 1000)
    issued_at = date.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    message = (
        f"{issued['domain']} wants you to sign in with your Ethereum account:\n"
        f"{wallet.spelled}\n\nSign in to tap.\n\nURI: {issued['uri']}\nVersion: 1\n"
        f"Chain ID: {issued['chain_id']}\nNonce: {issued['nonce']}\nIssued At: {issued_at}"
    )
    if key is not None:
        message += f"\nResources:\n- {key.resource}"
    return {"message": message, "signature": wallet.sign(message)}
