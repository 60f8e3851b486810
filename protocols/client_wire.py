"""What clients send as JSON, over HTTP and the WebSocket: strict parsing into frozen values.

Every parser gives the value or a `bad_request` that names the field at fault; none raises, whatever
the bytes. Numbers may be integers or canonical decimal strings, because a browser's JSON can't hold
every integer; a number that does not format back to the same text is refused, since what was
signed, sent and stored must compare equal.

Fields that are not known are ignored: a newer client must not be locked out, and a signature binds
nothing that is not known. The one exception is a field that would bind the odds or the key and that
this request's version does not read: ignoring it would promise something that does not hold.
"""

import re
from enum import StrEnum
from typing import Final, TypeAlias

import attrs

from domain.grid import Cell, parse_cell_id
from domain.refusals import Refusal
from domain.signed_text import BetText
from domain.units import MICROS_MAX, Bps, EpochS, Micros
from domain.wallet import Keccak, checksum_holds, parse_wallet
from protocols.client_fields import (
    BadField,
    Fields,
    free_text,
    is_unicode,
    matching,
    natural,
    parse_object,
    present,
)
from protocols.market import Override

HOUSE: Final = "house"
EXTERNAL: Final = "external"
LATEST_MS: Final = 9_999_999_999_999
"""The year 2286: no time in a request is later."""
BPS_MAX: Final = 10**9

_NONCE: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_SIGNATURE: Final = re.compile(r"0x[0-9A-Fa-f]{130}")
_REFERENCE: Final = re.compile(r"[!-~]{1,128}")
_BET_ID: Final = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")
_TOKEN: Final = re.compile(r"[!-~]{1,256}")


# --- bets -------------------------------------------------------------------------------------


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


def parse_bet(fields: Fields, *, keccak: Keccak) -> BetRequest | Refusal:
    """The bet, or which field is at fault; checked in the order of the API's description."""
    try:
        return BetRequest(
            wallet=_wallet(fields, keccak),
            cell=_cell(fields),
            stake_micros=natural(fields, "amount", least=1, most=MICROS_MAX),
            nonce=matching(fields, "nonce", _NONCE, "must be a lower-case UUID of version 4"),
            timestamp_s=natural(fields, "timestamp", most=LATEST_MS // 1000),
            chain_id=natural(fields, "chain_id"),
            **_odds(fields),
            signature=_signature(fields),
        )
    except BadField as bad:
        return bad.refusal


def _odds(fields: Fields) -> dict[str, int | None]:
    """`rate` and `quote`: both in version 2, neither in version 1."""
    if "key_id" in fields:
        raise BadField("key_id", "bets are signed by the wallet itself here")
    version = fields.get("version")
    if version in ("2", 2) and not isinstance(version, float):
        return {
            "least_bps": natural(fields, "rate", most=BPS_MAX),
            "quote_n": natural(fields, "quote"),
        }
    if version not in ("1", 1) or isinstance(version, bool | float):
        raise BadField("version", 'must be "1" or "2"')
    for name in ("rate", "quote"):
        if name in fields:
            raise BadField(name, "belongs to version 2")
    return {"least_bps": None, "quote_n": None}


def _cell(fields: Fields) -> Cell:
    cell = parse_cell_id(present(fields, "cell_id"))
    if cell is None:
        raise BadField(
            "cell_id", "must be {column_start_s}_{lo_cents}_{hi_cents} in canonical digits"
        )
    return cell


def _wallet(fields: Fields, keccak: Keccak) -> str:
    """Any capitalisation; but mixed capitals are an EIP-55 checksum, and must hold as one."""
    text = present(fields, "wallet")
    wallet = parse_wallet(text)
    if wallet is None or not isinstance(text, str):
        raise BadField("wallet", "must be 0x and 40 hexadecimal digits")
    digits = text[2:]
    is_mixed = digits not in (digits.lower(), digits.upper())
    if is_mixed and not checksum_holds(text, keccak):
        raise BadField("wallet", "has mixed capitals that are not its EIP-55 checksum")
    return wallet


def _signature(fields: Fields) -> bytes:
    why = "must be 0x and 130 hexadecimal digits"
    return bytes.fromhex(matching(fields, "signature", _SIGNATURE, why)[2:])


# --- sign-in, faucet, operators -----------------------------------------------------------------


@attrs.frozen(kw_only=True)
class LoginRequest:
    """A signed EIP-4361 text, as it came."""

    message: str = attrs.field(repr=False)
    signature: str = attrs.field(repr=False)


def parse_login(fields: Fields) -> LoginRequest | Refusal:
    """`POST /api/auth/login`."""
    try:
        return LoginRequest(
            message=free_text(fields, "message", most=4_096),
            signature=free_text(fields, "signature", most=1_024),
        )
    except BadField as bad:
        return bad.refusal


def parse_wallet_field(fields: Fields, *, keccak: Keccak) -> str | Refusal:
    """The `wallet` of a request that has no other field."""
    try:
        return _wallet(fields, keccak)
    except BadField as bad:
        return bad.refusal


@attrs.frozen(kw_only=True)
class DepositRequest:
    """An operator credits a wallet, or the bankroll (`house`)."""

    wallet: str
    amount_micros: Micros
    reference: str
    reason: str


def parse_deposit(fields: Fields, *, keccak: Keccak) -> DepositRequest | Refusal:
    """`POST /ops/deposits`."""
    try:
        return DepositRequest(
            wallet=HOUSE if fields.get("wallet") == HOUSE else _wallet(fields, keccak),
            amount_micros=natural(fields, "amount_micros", least=1, most=MICROS_MAX),
            reference=matching(
                fields, "reference", _REFERENCE, "must be 1 to 128 visible ASCII characters"
            ),
            reason=free_text(fields, "reason", most=500) if "reason" in fields else "",
        )
    except BadField as bad:
        return bad.refusal


@attrs.frozen(kw_only=True)
class CircuitRequest:
    """An operator overrides the circuit breaker."""

    override: Override
    reason: str


def parse_circuit(fields: Fields) -> CircuitRequest | Refusal:
    """`POST /ops/circuit`."""
    try:
        state = present(fields, "state")
        if state not in tuple(Override):
            raise BadField("state", 'must be "open", "close" or "auto"')
        return CircuitRequest(
            override=Override(str(state)), reason=free_text(fields, "reason", most=500)
        )
    except BadField as bad:
        return bad.refusal


def parse_reason(fields: Fields) -> str | Refusal:
    """`POST /ops/hold` and `/ops/release`: only a reason."""
    try:
        return free_text(fields, "reason", most=500)
    except BadField as bad:
        return bad.refusal


@attrs.frozen(kw_only=True)
class RebuildRequest:
    """An operator has a balance set to the sum of its ledger rows."""

    wallet: str
    """Lower case, or `house` or `external`."""
    reason: str


def parse_rebuild(fields: Fields, *, keccak: Keccak) -> RebuildRequest | Refusal:
    """`POST /ops/integrity/rebuild`."""
    try:
        named = fields.get("wallet")
        wallet = str(named) if named in (HOUSE, EXTERNAL) else _wallet(fields, keccak)
        reason = free_text(fields, "reason", most=500).strip()
        if not reason:
            raise BadField("reason", "must say why")
        return RebuildRequest(wallet=wallet, reason=reason)
    except BadField as bad:
        return bad.refusal


# --- the WebSocket ------------------------------------------------------------------------------


RequestId: TypeAlias = str | int | None
"""What a client calls one of its requests, sent back in the reply."""


class Channel(StrEnum):
    """What any client may subscribe to."""

    PRICE = "price"
    GRID = "grid"
    STATUS = "status"


@attrs.frozen(kw_only=True)
class AuthOp:
    """Attach the socket to the private stream of the token's wallet."""

    id: RequestId
    token: str = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class SubscribeOp:
    """From now on send these channels, and no others."""

    id: RequestId
    channels: tuple[Channel, ...]


@attrs.frozen(kw_only=True)
class BetOp:
    """Place a bet: the fields of `POST /api/bets`, still to be parsed."""

    id: RequestId
    fields: Fields = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class ResumeOp:
    """Replay the private stream after `seq`."""

    id: RequestId
    seq: int


@attrs.frozen(kw_only=True)
class PingOp:
    """Is the venue there?"""

    id: RequestId


@attrs.frozen(kw_only=True)
class BadOp:
    """A frame that is no request; answered, under its id if it had one."""

    id: RequestId
    refusal: Refusal


SocketOp: TypeAlias = AuthOp | SubscribeOp | BetOp | ResumeOp | PingOp | BadOp

_OPS: Final = ("auth", "subscribe", "bet", "resume", "ping")


def parse_op(frame: str) -> SocketOp:
    """One text frame of a client."""
    fields = parse_object(frame)
    if isinstance(fields, Refusal):
        return BadOp(id=None, refusal=fields)
    request_id: RequestId = None
    try:
        request_id = _request_id(fields)
        return _op(fields, request_id)
    except BadField as bad:
        return BadOp(id=request_id, refusal=bad.refusal)


def _op(fields: Fields, request_id: RequestId) -> SocketOp:
    op = present(fields, "op")
    if op == "bet":
        return BetOp(id=request_id, fields=fields)
    if op == "auth":
        token = matching(fields, "token", _TOKEN, "must be the token of a sign-in")
        return AuthOp(id=request_id, token=token)
    if op == "subscribe":
        return SubscribeOp(id=request_id, channels=_channels(fields))
    if op == "resume":
        return ResumeOp(id=request_id, seq=natural(fields, "seq"))
    if op == "ping":
        return PingOp(id=request_id)
    raise BadField("op", f"must be one of {', '.join(_OPS)}")


def _request_id(fields: Fields) -> RequestId:
    given = fields.get("id")
    if given is None:
        return None
    if isinstance(given, int) and not isinstance(given, bool) and abs(given) < 2**53:
        return given
    if isinstance(given, str) and len(given) <= 64 and is_unicode(given):
        return given
    raise BadField("id", "must be text of at most 64 characters, or an integer below 2^53")


def _channels(fields: Fields) -> tuple[Channel, ...]:
    given = present(fields, "channels")
    names = tuple(Channel)
    if not isinstance(given, list) or any(name not in names for name in given):
        raise BadField("channels", f"must be a list of {', '.join(names)}")
    return tuple(Channel(name) for name in dict.fromkeys(given))


def is_bet_id(text: str) -> bool:
    """Could the venue have given this id to a bet? Ids are ULIDs in capitals."""
    return _BET_ID.fullmatch(text) is not None


def is_nonce(text: str) -> bool:
    """Is this a nonce in its one canonical spelling?"""
    return _NONCE.fullmatch(text) is not None
