"""Bets as clients send them, over HTTP and the WebSocket, and the names by which they ask for one.

The one exception to unknown fields being ignored is here: a field that would bind the odds and
that this request's version does not read is refused. Ignoring it would promise something that does
not hold.
"""

from typing import Final

import attrs

from domain.grid import Cell
from domain.session_keys import KEY_ID_CHARS, KEY_SIGNATURE_BYTES
from domain.signed_text import BetText
from domain.units import MICROS_MAX, Bps, EpochS, Micros
from domain.wallet import SIGNATURE_BYTES, Keccak
from protocols.client_fields import BadField, Fields, Json
from protocols.forms import (
    LATEST_MS,
    CellId,
    Field,
    Form,
    Given,
    MayBeAbsent,
    Natural,
    Optional,
    Pattern,
    Wallet,
)

BPS_MAX: Final = 10**9

BET_ID: Final = Pattern(
    pattern="[0-9A-HJKMNP-TV-Z]{26}",
    why="must be a ULID in capitals",
    example="01HZX3Y4Z5A6B7C8D9E0F1G2H3",
)
NONCE: Final = Pattern(
    pattern="[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
    why="must be a lower-case UUID of version 4",
    example="6f1c0f4e-2a7b-4c1d-9e8f-0123456789ab",
)
KEY_ID: Final = Pattern(
    pattern=f"[0-9a-f]{{{KEY_ID_CHARS}}}",
    why=f"must be {KEY_ID_CHARS} hexadecimal digits, lower-case",
    example="4b9f0c6a1d2e38475f60718293a4b5c6",
)


@attrs.frozen(kw_only=True)
class BetRequest:
    """A well-formed `POST /api/bets`, or the same over the WebSocket. Nothing of it is checked
    against clock, chain, signature or grid yet."""

    wallet: str
    """Lower case, whatever the request had."""
    cell: Cell
    stake_micros: Micros
    nonce: str
    timestamp_s: EpochS
    chain_id: int
    least_bps: Bps | None
    """Version 2 only, with `quote_n`."""
    quote_n: int | None
    key_id: str | None
    """The session key that signed it; None: the wallet did."""
    signature: bytes = attrs.field(repr=False)
    """r, s, v of the wallet: 65 bytes. r, s of a session key: 64."""

    def text(self) -> BetText:
        """What the signature must be of."""
        return BetText(
            cell_id=self.cell.id,
            stake_micros=self.stake_micros,
            nonce=self.nonce,
            timestamp_s=self.timestamp_s,
            chain_id=self.chain_id,
            least_bps=self.least_bps,
            quote_n=self.quote_n,
        )


# --- versions -----------------------------------------------------------------------------------


def _is_version_2(fields: Fields) -> bool:
    version = fields.get("version")
    return version in ("2", 2) and not isinstance(version, float)


@attrs.frozen
class _Version:
    def read(self, fields: Fields, name: str, _: Keccak) -> int:
        version = fields.get(name)
        if _is_version_2(fields):
            return 2
        if version not in ("1", 1) or isinstance(version, bool | float):
            raise BadField(name, 'must be "1" or "2"')
        return 1

    def schema(self) -> Json:
        return {"enum": ["1", "2", 1, 2]}


@attrs.frozen
class _OfVersion2(MayBeAbsent):
    """Must be there in version 2, and not in version 1."""

    number: Natural

    def read(self, fields: Fields, name: str, keccak: Keccak) -> int | None:
        if _is_version_2(fields):
            return self.number.read(fields, name, keccak)
        if name in fields:
            raise BadField(name, "belongs to version 2")
        return None

    def schema(self) -> Json:
        return self.number.schema()


_BY_VERSION: Final[Json] = {
    "if": {"properties": {"version": {"enum": ["2", 2]}}},
    "then": {"required": ["rate", "quote"]},
    "else": {"properties": {"rate": {"not": {}}, "quote": {"not": {}}}},
}


# --- signers ------------------------------------------------------------------------------------


@attrs.frozen
class _Signature:
    """As long as that of the signer whom the request names: of a session key, or of the wallet."""

    def read(self, fields: Fields, name: str, keccak: Keccak) -> bytes:
        signer = _OF_KEY if "key_id" in fields else _OF_WALLET
        return bytes.fromhex(signer.read(fields, name, keccak)[2:])

    def schema(self) -> Json:
        return {"anyOf": [_OF_WALLET.schema(), _OF_KEY.schema()]}


def _signature_of(size_bytes: int, signer: str) -> Pattern:
    digits = 2 * size_bytes
    return Pattern(
        pattern=f"0x[0-9A-Fa-f]{{{digits}}}",
        why=f"must be 0x and {digits} hexadecimal digits, as {signer} signs",
        example="0x" + "ab" * size_bytes,
    )


_OF_WALLET: Final = _signature_of(SIGNATURE_BYTES, "a wallet")
_OF_KEY: Final = _signature_of(KEY_SIGNATURE_BYTES, "a session key")
_BY_SIGNER: Final[Json] = {
    "if": {"required": ["key_id"]},
    "then": {"properties": {"signature": _OF_KEY.schema()}},
    "else": {"properties": {"signature": _OF_WALLET.schema()}},
}


# --- the bet ------------------------------------------------------------------------------------


_WALLET: Final = Field("wallet", Wallet(), "Who bets.")
_CELL: Final = Field("cell_id", CellId(), "The cell, `{column_start_s}_{lo_cents}_{hi_cents}`.")
_AMOUNT: Final = Field("amount", Natural(least=1, most=MICROS_MAX), "The stake in micros of a USD.")
_NONCE: Final = Field("nonce", NONCE, "Made anew for each bet; a retry has the same.")
_TIMESTAMP: Final = Field(
    "timestamp", Natural(most=LATEST_MS // 1000), "When it was signed: seconds since 1970, UTC."
)
_CHAIN_ID: Final = Field("chain_id", Natural(), "The chain of the venue; `GET /api/grid` has it.")
_KEY_ID: Final = Field(
    "key_id",
    Optional(KEY_ID, None),
    "The session key that signed it, as the sign-in's answer has it; left out: the wallet did.",
)
_VERSION: Final = Field("version", _Version(), "Of the signed text; version 2 binds the odds.")
_RATE: Final = Field(
    "rate",
    _OfVersion2(Natural(most=BPS_MAX)),
    "The least rate that is accepted, in basis points: 18500 pays 1.85 times the stake.",
)
_QUOTE: Final = Field("quote", _OfVersion2(Natural()), "The number of the quote that was seen.")
_SIGNATURE: Final = Field(
    "signature",
    _Signature(),
    "Of the text. The wallet's is by EIP-191: r, s and v, 65 bytes. A session key's is ECDSA with"
    " SHA-256 over P-256: r and s, 64 bytes.",
)


def _bet(given: Given) -> BetRequest:
    return BetRequest(
        wallet=given[_WALLET],
        cell=given[_CELL],
        stake_micros=given[_AMOUNT],
        nonce=given[_NONCE],
        timestamp_s=given[_TIMESTAMP],
        chain_id=given[_CHAIN_ID],
        least_bps=given[_RATE],
        quote_n=given[_QUOTE],
        key_id=given[_KEY_ID],
        signature=given[_SIGNATURE],
    )


_BY_WALLET: Final[Json] = {
    "wallet": "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf",
    "cell_id": "1770100010_4200000_4201000",
    "amount": "1000000",
    "nonce": NONCE.example,
    "timestamp": 1_770_100_003,
    "chain_id": 31_337,
    "version": "1",
    "signature": _OF_WALLET.example,
}
BET: Final = Form(
    (
        *(_WALLET, _CELL, _AMOUNT, _NONCE, _TIMESTAMP, _CHAIN_ID),
        *(_KEY_ID, _VERSION, _RATE, _QUOTE, _SIGNATURE),
    ),
    _bet,
    also={"allOf": [_BY_VERSION, _BY_SIGNER]},
    examples=(
        _BY_WALLET,
        {
            **_BY_WALLET,
            "version": "2",
            "rate": 18_500,
            "quote": 812,
            "key_id": KEY_ID.example,
            "signature": _OF_KEY.example,
        },
    ),
)
