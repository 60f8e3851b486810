"""Bets as clients send them, over HTTP and the WebSocket, and the names by which they ask for one.

The one exception to unknown fields being ignored is here: a field that would bind the odds or the
key and that this request's version does not read is refused. Ignoring it would promise something
that does not hold.
"""

from typing import Final

import attrs

from domain.grid import Cell
from domain.signed_text import BetText
from domain.units import MICROS_MAX, Bps, EpochS, Micros
from domain.wallet import Keccak
from protocols.client_fields import BadField, Fields, Json
from protocols.forms import LATEST_MS, CellId, Field, Form, Given, Natural, Pattern, Wallet

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
_SIGNATURE: Final = Pattern(
    pattern="0x[0-9A-Fa-f]{130}",
    why="must be 0x and 130 hexadecimal digits",
    example="0x" + "ab" * 65,
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
    signature: bytes = attrs.field(repr=False)
    """r, s, v: 65 bytes."""

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
class _OfVersion2:
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


@attrs.frozen
class _Unknown:
    """A field that would bind something and that is not read: it must not be there."""

    why: str

    def read(self, fields: Fields, name: str, _: Keccak) -> None:
        if name in fields:
            raise BadField(name, self.why)

    def schema(self) -> Json:
        return {"not": {}}


_BY_VERSION: Final[Json] = {
    "if": {"properties": {"version": {"enum": ["2", 2]}}},
    "then": {"required": ["rate", "quote"]},
    "else": {"properties": {"rate": {"not": {}}, "quote": {"not": {}}}},
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
_KEY_ID: Final = Field("key_id", _Unknown("bets are signed by the wallet itself here"), "")
_VERSION: Final = Field("version", _Version(), "Of the signed text; version 2 binds the odds.")
_RATE: Final = Field(
    "rate",
    _OfVersion2(Natural(most=BPS_MAX)),
    "The least rate that is accepted, in basis points: 18500 pays 1.85 times the stake.",
)
_QUOTE: Final = Field("quote", _OfVersion2(Natural()), "The number of the quote that was seen.")
_SIGNED: Final = Field("signature", _SIGNATURE, "Of the text, by EIP-191: r, s and v, 65 bytes.")


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
        signature=bytes.fromhex(given[_SIGNED][2:]),
    )


BET: Final = Form(
    (
        *(_WALLET, _CELL, _AMOUNT, _NONCE, _TIMESTAMP, _CHAIN_ID),
        *(_KEY_ID, _VERSION, _RATE, _QUOTE, _SIGNED),
    ),
    _bet,
    also=_BY_VERSION,
)
