"""Session keys: the resource by which a wallet authorises one, its caps, and what it is called.

A session key is a P-256 key of a browser's WebCrypto that may sign bets in the wallet's place. The
wallet names it, with its caps and its end, in the resources of the sign-in message it signs:

    urn:tapgrid:session-key:p256:{base64url point}?bet={micros}&day={micros}&until={unix s}

There is one spelling of each key, caps and end: what the wallet showed, what was signed and what is
stored compare equal as text.
"""

import base64
import hashlib
import re
from collections.abc import Sequence
from typing import Final

import attrs

from domain.refusals import Code, Refusal, bad_request
from domain.units import MICROS_MAX, EpochMs, Micros, parse_natural

POINT_BYTES: Final = 65
POINT_CHARS: Final = 87
"""Of 65 bytes in base64url, without padding."""
KEY_ID_CHARS: Final = 32
KEY_SIGNATURE_BYTES: Final = 64

_NAMESPACE: Final = "urn:tapgrid:"
_POINT: Final = re.compile(f"[A-Za-z0-9_-]{{{POINT_CHARS}}}")
_RESOURCE: Final = re.compile(
    r"urn:tapgrid:session-key:p256:(?P<point>[^?]*)"
    r"\?bet=(?P<bet>[^&]*)&day=(?P<day>[^&]*)&until=(?P<until>[^&]*)"
)

# The curve P-256 (FIPS 186-4, D.1.2.3): y^2 = x^3 - 3 x + b modulo p.
_P: Final = 2**256 - 2**224 + 2**192 + 2**96 - 1
_B: Final = 0x5AC635D8_AA3A93E7_B3EBBD55_769886BC_651D06B0_CC53B0F6_3BCE3C3E_27D2604B


@attrs.frozen(kw_only=True)
class AskedKey:
    """A session key that a wallet wants to authorise."""

    public_key: bytes
    """A point of P-256, uncompressed: 65 bytes."""
    bet_max_micros: Micros
    day_max_micros: Micros
    """The most that it may stake in one UTC day, whether or not stakes come back."""
    until_ms: EpochMs | None = None
    """None: for as long as the session."""

    @property
    def key_id(self) -> str:
        """What bets and answers call it."""
        return key_id_of(self.public_key)

    def end_ms(self, session_end_ms: EpochMs) -> EpochMs:
        """When it ends: no key outlives its session."""
        return session_end_ms if self.until_ms is None else min(self.until_ms, session_end_ms)


def key_id_of(public_key: bytes) -> str:
    """The first 32 hexadecimal digits of the SHA-256 of the 65 bytes."""
    return hashlib.sha256(public_key).hexdigest()[:KEY_ID_CHARS]


def key_ended(key_id: str) -> Refusal:
    """What a bet gets that such a key has signed."""
    why = "This session key has expired or was revoked."
    return Refusal(Code.UNAUTHORIZED, why, {"key_id": key_id})


def asked_key(resources: Sequence[str], now_ms: EpochMs) -> AskedKey | Refusal | None:
    """The session key among the resources of a sign-in message; None if there is none.

    Resources of others are theirs. What has the venue's name and is not exactly a session key is
    refused (`bad_request`, field `resources`), as are a second one and one whose end has passed:
    the wallet has signed something that would not hold.
    """
    ours = [text for text in resources if text.lower().startswith(_NAMESPACE)]
    if not ours:
        return None
    if len(ours) > 1:
        return _refusal("name more than one session key")
    return _asked(ours[0], now_ms)


def _asked(text: str, now_ms: EpochMs) -> AskedKey | Refusal:
    found = _RESOURCE.fullmatch(text)
    if found is None:
        return _refusal(f"{text[:60]} is not a session key of this venue")
    point = parse_point(found["point"])
    bet_max_micros, day_max_micros = parse_natural(found["bet"]), parse_natural(found["day"])
    until_s = parse_natural(found["until"])
    if point is None:
        return _refusal("the session key is not a point of P-256 in base64url without padding")
    if bet_max_micros is None or not 1 <= bet_max_micros <= MICROS_MAX:
        return _refusal(f"bet must be from 1 to {MICROS_MAX} in canonical digits")
    if day_max_micros is None or not 1 <= day_max_micros <= MICROS_MAX:
        return _refusal(f"day must be from 1 to {MICROS_MAX} in canonical digits")
    if until_s is None:
        return _refusal("until must be seconds since 1970 in canonical digits")
    if until_s * 1000 <= now_ms:
        return _refusal("until has passed")
    return AskedKey(
        public_key=point,
        bet_max_micros=bet_max_micros,
        day_max_micros=day_max_micros,
        until_ms=until_s * 1000,
    )


def _refusal(why: str) -> Refusal:
    return bad_request("resources", why)


def key_resource(key: AskedKey, until_s: int) -> str:
    """The resource that asks for this key until then: for those who write sign-in messages."""
    return (
        f"{_NAMESPACE}session-key:p256:{point_text(key.public_key)}"
        f"?bet={key.bet_max_micros}&day={key.day_max_micros}&until={until_s}"
    )


# --- points of the curve ------------------------------------------------------------------------


def parse_point(text: object) -> bytes | None:
    """The public key that 87 characters of base64url spell; None if they are no point of P-256.

    None too for padding, and for the bits of the last character that belong to no byte: they would
    make several spellings of one key.
    """
    if not isinstance(text, str) or not _POINT.fullmatch(text):
        return None
    point = base64.urlsafe_b64decode(text + "=")
    return point if point_text(point) == text and is_point(point) else None


def point_text(public_key: bytes) -> str:
    """A public key as base64url without padding."""
    return base64.urlsafe_b64encode(public_key).rstrip(b"=").decode()


def is_point(public_key: bytes) -> bool:
    """Is this an uncompressed point of P-256 (0x04, x, y), on the curve and not at infinity?

    The curve has cofactor 1, so that every point of it is one that a key can have.
    """
    if len(public_key) != POINT_BYTES or public_key[0] != 4:
        return False
    x, y = int.from_bytes(public_key[1:33], "big"), int.from_bytes(public_key[33:], "big")
    return x < _P and y < _P and (y * y - (x * x * x - 3 * x + _B)) % _P == 0
