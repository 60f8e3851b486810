"""What clients send, in JSON and in query strings: strict parsing into frozen values.

Every parser gives the value or a `bad_request` that names the field at fault; none raises, whatever
the bytes. Numbers may be integers or canonical decimal strings, because a browser's JSON can't hold
every integer; a number that does not format back to the same text is refused, since what was
signed, sent and stored must compare equal.

Fields that are not known are ignored: a newer client must not be locked out, and a signature binds
nothing that is not known. The one exception is a field that would bind the odds or the key and that
this request's version does not read: ignoring it would promise something that does not hold.
"""

import json
import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final, NoReturn, TypeAlias

import attrs

from domain.grid import Cell, parse_cell_id
from domain.refusals import Code, Refusal, bad_request
from domain.signed_text import BetText
from domain.units import MICROS_MAX, BetId, Bps, EpochMs, EpochS, Micros, parse_natural
from domain.wallet import Keccak, checksum_holds, parse_wallet
from protocols.market import Override
from protocols.money import BetStatus

Fields: TypeAlias = Mapping[str, object]
"""A decoded JSON object."""
Query: TypeAlias = Mapping[str, Sequence[str]]
"""A decoded query string: each name with all its values."""

HOUSE: Final = "house"
PAGE_ROWS_MAX: Final = 200
HISTORY_MS_MAX: Final = 7 * 86_400_000
HISTORY_ROWS_MAX: Final = 2_000
LATEST_MS: Final = 9_999_999_999_999
"""The year 2286: no time in a request is later."""
BPS_MAX: Final = 10**9

_NONCE: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_SIGNATURE: Final = re.compile(r"0x[0-9A-Fa-f]{130}")
_REFERENCE: Final = re.compile(r"[!-~]{1,128}")
_BET_ID: Final = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")
_TOKEN: Final = re.compile(r"[!-~]{1,256}")


class _Bad(Exception):
    """A field is at fault. Raised and caught in this module only."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(field)
        self.refusal = bad_request(field, why)


# --- JSON text --------------------------------------------------------------------------------


def parse_object(body: bytes | str) -> Fields | Refusal:
    """The JSON object that `body` is.

    Refused as `body`: bytes that are not UTF-8, text that is not JSON or not an object, nesting too
    deep to read, NaN and the infinities, numbers with thousands of digits. A key that occurs twice
    is refused by its name: which of the two was signed would be anybody's guess.
    """
    try:
        text = body if isinstance(body, str) else body.decode("utf-8")
        found = json.loads(text, object_pairs_hook=_without_repeats, parse_constant=_no_number)
    except _Bad as bad:
        return bad.refusal
    except UnicodeDecodeError:
        return bad_request("body", "is not UTF-8")
    except (ValueError, RecursionError):
        return bad_request("body", "is not JSON")
    if not isinstance(found, dict):
        return bad_request("body", "must be a JSON object")
    return found


def _without_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _Bad(_shown(twice), "occurs twice")
    return fields


def _no_number(constant: str) -> NoReturn:
    raise _Bad("body", f"{constant} is not JSON")


def _shown(name: str) -> str:
    """A client's own field name as it may be sent back: short, and always valid text."""
    return name[:40].encode("ascii", "backslashreplace").decode("ascii")


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
            stake_micros=_natural(fields, "amount", least=1, most=MICROS_MAX),
            nonce=_matching(fields, "nonce", _NONCE, "must be a lower-case UUID of version 4"),
            timestamp_s=_natural(fields, "timestamp", most=LATEST_MS // 1000),
            chain_id=_natural(fields, "chain_id"),
            **_odds(fields),
            signature=_signature(fields),
        )
    except _Bad as bad:
        return bad.refusal


def _odds(fields: Fields) -> dict[str, int | None]:
    """`rate` and `quote`: both in version 2, neither in version 1."""
    if "key_id" in fields:
        raise _Bad("key_id", "bets are signed by the wallet itself here")
    version = fields.get("version")
    if version in ("2", 2) and not isinstance(version, float):
        return {
            "least_bps": _natural(fields, "rate", most=BPS_MAX),
            "quote_n": _natural(fields, "quote"),
        }
    if version not in ("1", 1) or isinstance(version, bool | float):
        raise _Bad("version", 'must be "1" or "2"')
    for name in ("rate", "quote"):
        if name in fields:
            raise _Bad(name, "belongs to version 2")
    return {"least_bps": None, "quote_n": None}


def _cell(fields: Fields) -> Cell:
    cell = parse_cell_id(_present(fields, "cell_id"))
    if cell is None:
        raise _Bad("cell_id", "must be {column_start_s}_{lo_cents}_{hi_cents} in canonical digits")
    return cell


def _wallet(fields: Fields, keccak: Keccak) -> str:
    """Any capitalisation; but mixed capitals are an EIP-55 checksum, and must hold as one."""
    text = _present(fields, "wallet")
    wallet = parse_wallet(text)
    if wallet is None or not isinstance(text, str):
        raise _Bad("wallet", "must be 0x and 40 hexadecimal digits")
    digits = text[2:]
    is_mixed = digits not in (digits.lower(), digits.upper())
    if is_mixed and not checksum_holds(text, keccak):
        raise _Bad("wallet", "has mixed capitals that are not its EIP-55 checksum")
    return wallet


def _signature(fields: Fields) -> bytes:
    why = "must be 0x and 130 hexadecimal digits"
    return bytes.fromhex(_matching(fields, "signature", _SIGNATURE, why)[2:])


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
            message=_text(fields, "message", most=4_096),
            signature=_text(fields, "signature", most=1_024),
        )
    except _Bad as bad:
        return bad.refusal


def parse_wallet_field(fields: Fields, *, keccak: Keccak) -> str | Refusal:
    """The `wallet` of a request that has no other field."""
    try:
        return _wallet(fields, keccak)
    except _Bad as bad:
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
            amount_micros=_natural(fields, "amount_micros", least=1, most=MICROS_MAX),
            reference=_matching(
                fields, "reference", _REFERENCE, "must be 1 to 128 visible ASCII characters"
            ),
            reason=_text(fields, "reason", most=500) if "reason" in fields else "",
        )
    except _Bad as bad:
        return bad.refusal


@attrs.frozen(kw_only=True)
class CircuitRequest:
    """An operator overrides the circuit breaker."""

    override: Override
    reason: str


def parse_circuit(fields: Fields) -> CircuitRequest | Refusal:
    """`POST /ops/circuit`."""
    try:
        state = _present(fields, "state")
        if state not in tuple(Override):
            raise _Bad("state", 'must be "open", "close" or "auto"')
        return CircuitRequest(
            override=Override(str(state)), reason=_text(fields, "reason", most=500)
        )
    except _Bad as bad:
        return bad.refusal


def parse_reason(fields: Fields) -> str | Refusal:
    """`POST /ops/hold` and `/ops/release`: only a reason."""
    try:
        return _text(fields, "reason", most=500)
    except _Bad as bad:
        return bad.refusal


# --- queries ------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class BetsQuery:
    """`GET /api/bets`: which of his bets a trader asks for."""

    statuses: tuple[BetStatus, ...]
    from_ms: EpochMs | None
    to_ms: EpochMs | None
    before: tuple[EpochMs, BetId] | None
    limit: int


def parse_bets_query(query: Query) -> BetsQuery | Refusal:
    """`status` may list several, joined by commas; `cursor` is the `next_cursor` of a page."""
    try:
        fields = _once(query)
        return BetsQuery(
            statuses=_statuses(fields),
            from_ms=_optional(fields, "from", most=LATEST_MS),
            to_ms=_optional(fields, "to", most=LATEST_MS),
            before=_bets_cursor(fields),
            limit=_optional(fields, "limit", least=1, most=PAGE_ROWS_MAX) or 50,
        )
    except _Bad as bad:
        return bad.refusal


def bets_cursor(placed_at_ms: EpochMs, bet_id: BetId) -> str:
    """What `cursor` must say to get the page after this row."""
    return f"{placed_at_ms}_{bet_id}"


def _bets_cursor(fields: Fields) -> tuple[EpochMs, BetId] | None:
    if "cursor" not in fields:
        return None
    placed_at, _, bet_id = str(fields["cursor"]).partition("_")
    placed_at_ms = parse_natural(placed_at)
    if placed_at_ms is None or not is_bet_id(bet_id):
        raise _Bad("cursor", "is not one that a page gave out")
    return placed_at_ms, bet_id


def _statuses(fields: Fields) -> tuple[BetStatus, ...]:
    if "status" not in fields:
        return ()
    names = str(fields["status"]).split(",")
    if not set(names) <= set(BetStatus):
        raise _Bad("status", f"must be of {', '.join(BetStatus)}")
    return tuple(BetStatus(name) for name in dict.fromkeys(names))


@attrs.frozen(kw_only=True)
class StatementQuery:
    """`GET /api/ledger`: a page of the statement."""

    before: int | None
    limit: int


def parse_statement_query(query: Query) -> StatementQuery | Refusal:
    """`cursor` is the `next_cursor` of the page before."""
    try:
        fields = _once(query)
        return StatementQuery(
            before=_optional(fields, "cursor"),
            limit=_optional(fields, "limit", least=1, most=PAGE_ROWS_MAX) or 50,
        )
    except _Bad as bad:
        return bad.refusal


@attrs.frozen(kw_only=True)
class HistoryQuery:
    """`GET /api/prices/history`: bars of `interval_ms`, or the ticks themselves when it is 0."""

    from_ms: EpochMs
    to_ms: EpochMs
    interval_ms: int
    limit: int


def parse_history_query(query: Query, *, now_ms: EpochMs) -> HistoryQuery | Refusal:
    """`from` and `to` in ms (default: the last five minutes), `interval` in ms or `tick`.

    At most 7 days back, which is what the record keeps: earlier is `archived`.
    """
    try:
        fields = _once(query)
        to_ms = _or(_optional(fields, "to", most=LATEST_MS), now_ms)
        from_ms = _or(_optional(fields, "from", most=LATEST_MS), max(0, to_ms - 300_000))
        if from_ms > to_ms:
            raise _Bad("from", "must not be after `to`")
        if from_ms < now_ms - HISTORY_MS_MAX:
            return Refusal(Code.ARCHIVED, "Prices are kept for 7 days.", {"field": "from"})
        return HistoryQuery(
            from_ms=from_ms,
            to_ms=to_ms,
            interval_ms=_interval_ms(fields),
            limit=_optional(fields, "limit", least=1, most=HISTORY_ROWS_MAX) or HISTORY_ROWS_MAX,
        )
    except _Bad as bad:
        return bad.refusal


def _interval_ms(fields: Fields) -> int:
    if fields.get("interval") == "tick":
        return 0
    return _optional(fields, "interval", least=1_000, most=86_400_000) or 1_000


def _once(query: Query) -> Fields:
    for name, values in query.items():
        if len(values) > 1:
            raise _Bad(_shown(name), "occurs twice")
    return {name: values[0] for name, values in query.items()}


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
    except _Bad as bad:
        return BadOp(id=request_id, refusal=bad.refusal)


def _op(fields: Fields, request_id: RequestId) -> SocketOp:
    op = _present(fields, "op")
    if op == "bet":
        return BetOp(id=request_id, fields=fields)
    if op == "auth":
        token = _matching(fields, "token", _TOKEN, "must be the token of a sign-in")
        return AuthOp(id=request_id, token=token)
    if op == "subscribe":
        return SubscribeOp(id=request_id, channels=_channels(fields))
    if op == "resume":
        return ResumeOp(id=request_id, seq=_natural(fields, "seq"))
    if op == "ping":
        return PingOp(id=request_id)
    raise _Bad("op", f"must be one of {', '.join(_OPS)}")


def _request_id(fields: Fields) -> RequestId:
    given = fields.get("id")
    if given is None:
        return None
    if isinstance(given, int) and not isinstance(given, bool) and abs(given) < 2**53:
        return given
    if isinstance(given, str) and len(given) <= 64 and _is_unicode(given):
        return given
    raise _Bad("id", "must be text of at most 64 characters, or an integer below 2^53")


def _channels(fields: Fields) -> tuple[Channel, ...]:
    given = _present(fields, "channels")
    names = tuple(Channel)
    if not isinstance(given, list) or any(name not in names for name in given):
        raise _Bad("channels", f"must be a list of {', '.join(names)}")
    return tuple(Channel(name) for name in dict.fromkeys(given))


# --- fields -------------------------------------------------------------------------------------


def is_bet_id(text: str) -> bool:
    """Could the venue have given this id to a bet? Ids are ULIDs in capitals."""
    return _BET_ID.fullmatch(text) is not None


def is_nonce(text: str) -> bool:
    """Is this a nonce in its one canonical spelling?"""
    return _NONCE.fullmatch(text) is not None


def _present(fields: Fields, name: str) -> object:
    value = fields.get(name)
    if value is None:
        raise _Bad(name, "is missing")
    return value


def _natural(fields: Fields, name: str, *, least: int = 0, most: int = 10**18 - 1) -> int:
    number = parse_natural(_present(fields, name))
    if number is None:
        raise _Bad(name, "must be an integer, or one as canonical decimal text")
    if not least <= number <= most:
        raise _Bad(name, f"must be from {least} to {most}")
    return number


def _optional(fields: Fields, name: str, *, least: int = 0, most: int = 10**18 - 1) -> int | None:
    return _natural(fields, name, least=least, most=most) if name in fields else None


def _or(value: int | None, default: int) -> int:
    return default if value is None else value


def _matching(fields: Fields, name: str, pattern: re.Pattern[str], why: str) -> str:
    value = _present(fields, name)
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise _Bad(name, why)
    return value


def _text(fields: Fields, name: str, *, most: int) -> str:
    value = _present(fields, name)
    if not isinstance(value, str) or not 1 <= len(value) <= most or not _is_unicode(value):
        raise _Bad(name, f"must be text of 1 to {most} characters")
    return value


def _is_unicode(text: str) -> bool:
    """False with a lone surrogate, which JSON can spell and UTF-8 can't."""
    return text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text)
