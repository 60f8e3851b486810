"""Sign-in as clients send it."""

from typing import Final

import attrs

from domain.session_keys import POINT_CHARS, parse_point, point_text
from domain.units import MICROS_MAX, Micros
from domain.wallet import Keccak
from protocols.client_fields import BadField, Fields, Json, present
from protocols.forms import Field, Form, Given, Natural, Optional, Pattern, Text, Wallet


@attrs.frozen(kw_only=True)
class NonceQuery:
    """`GET /api/auth/nonce`: who is going to sign in, if that is said."""

    wallet: str | None
    """In lower case."""


@attrs.frozen(kw_only=True)
class LoginRequest:
    """A signed EIP-4361 text, as it came."""

    message: str = attrs.field(repr=False)
    signature: str = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class DemoRequest:
    """A browser's session key that wants an account with paper money."""

    public_key: bytes
    """A point of P-256: 65 bytes."""
    bet_max_micros: Micros
    day_max_micros: Micros


SESSION_ID: Final = Pattern(
    pattern="[0-9a-f]{32}",
    why="must be 32 hexadecimal digits, lower-case",
    example="9f86d081884c7d659a2feaa0c55ad015",
)


@attrs.frozen
class _PublicKey:
    """A point of P-256 as `exportKey("raw")` of WebCrypto has it, in base64url."""

    def read(self, fields: Fields, name: str, _: Keccak) -> bytes:
        point = parse_point(present(fields, name))
        if point is None:
            raise BadField(
                name, f"must be a point of P-256, {POINT_CHARS} characters of base64url, no padding"
            )
        return point

    def schema(self) -> Json:
        # Which of these are points of the curve no pattern can say; the example is one.
        return {
            "type": "string",
            "format": "p256-point",
            "pattern": f"^B[A-Za-z0-9_-]{{{POINT_CHARS - 1}}}$",
            "examples": [point_text(_GENERATOR)],
        }


_GENERATOR: Final = bytes.fromhex(
    "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
)
"""Of the group of P-256 (FIPS 186-4, D.1.2.3)."""


_WALLET: Final = Field(
    "wallet",
    Optional(Wallet(), None),
    "Who is going to sign in: then `address` is how the message must spell it.",
)


def _nonce(given: Given) -> NonceQuery:
    return NonceQuery(wallet=given[_WALLET])


NONCE: Final = Form((_WALLET,), _nonce)

_MESSAGE_EXAMPLE: Final = f"""\
tap.example wants you to sign in with your Ethereum account:
0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf

Sign in to tap.

URI: https://tap.example
Version: 1
Chain ID: 31337
Nonce: {"0f" * 16}
Issued At: 2026-02-03T06:26:43.000Z
Resources:
- urn:tapgrid:session-key:p256:{point_text(_GENERATOR)}?bet=5000000&day=50000000&until=1770186403"""
_SIGNATURE_EXAMPLE: Final = (
    "0xae4264660d0c389ef73ac2649ad4adc791ccb0a1ac67ea2162b07f8b0cdafe2a"
    "262d2b815ae92913ff4e3d443d54c326aafa0c4b6557133aa20772452e9d1c941b"
)
"""Of that text, by the wallet whose private key is 1."""

_MESSAGE: Final = Field(
    "message",
    Text(most=4_096, example=_MESSAGE_EXAMPLE),
    "The whole EIP-4361 text that was signed.",
)
_SIGNATURE: Final = Field(
    "signature",
    Text(most=1_024, example=_SIGNATURE_EXAMPLE),
    "Of the message, by EIP-191: `0x` and 130 hexadecimal digits.",
)


def _login(given: Given) -> LoginRequest:
    return LoginRequest(message=given[_MESSAGE], signature=given[_SIGNATURE])


LOGIN: Final = Form((_MESSAGE, _SIGNATURE), _login)

_PUBLIC_KEY: Final = Field(
    "public_key",
    _PublicKey(),
    "The session key that will bet: a point of P-256, never used before, 65 bytes in base64url.",
)
_BET_MAX: Final = Field(
    "bet_max_micros",
    Optional(Natural(least=1, most=MICROS_MAX), MICROS_MAX),
    "The most it may stake on one bet, micros of a USD; left out: no limit.",
)
_DAY_MAX: Final = Field(
    "day_max_micros",
    Optional(Natural(least=1, most=MICROS_MAX), MICROS_MAX),
    "The most it may stake in one UTC day, whether or not stakes come back; left out: no limit.",
)


def _demo(given: Given) -> DemoRequest:
    return DemoRequest(
        public_key=given[_PUBLIC_KEY],
        bet_max_micros=given[_BET_MAX],
        day_max_micros=given[_DAY_MAX],
    )


DEMO: Final = Form((_PUBLIC_KEY, _BET_MAX, _DAY_MAX), _demo)
