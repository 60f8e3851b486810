"""Exchange frames -> ticks. Pure: text in, values out, and never an exception.

Binance: trades of a combined stream (`{"stream": ..., "data": {...}}`) or of a raw one. Coinbase
Advanced Trade: updates of its `market_trades` channel; the snapshot that follows a subscription is
left out, because its trades are older than the connection.

A frame that is well-formed and not about our trades (another stream or product, an answer to a
subscription, a heartbeat) gives nothing. One that can't be read, or a trade with a number that is
none, gives a ParseFault; the readable trades of the same frame are kept.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final, TypeAlias, TypeGuard

import attrs
import msgspec

from domain.ticks import Tick
from domain.units import EpochMs, cents_from_decimal, e8_from_decimal
from protocols.json_text import nests_too_deep

BINANCE_SYMBOL: Final = "BTCUSDT"
COINBASE_PRODUCT: Final = "BTC-USD"
COINBASE_SUBSCRIPTIONS: Final = (
    '{"type":"subscribe","product_ids":["BTC-USD"],"channel":"market_trades"}',
    '{"type":"subscribe","channel":"heartbeats"}',
)
"""The second keeps the connection open through a quiet market."""

NUMBER_TEXT_MAX: Final = 40
"""Digits of a price or size; a longer one is garbage, and slow to read."""
PRICE_CENTS_MAX: Final = 10**12
ID_MAX: Final = 2**63 - 1
TS_MS_MAX: Final = 10**14
"""The year 5138; a time above is not in milliseconds."""

_ISO_TIME: Final = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?Z", re.ASCII
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class FaultReason(StrEnum):
    """What is wrong with a frame."""

    NOT_JSON = "not_json"
    NOT_AN_OBJECT = "not_an_object"
    BAD_FIELD = "bad_field"
    """A field is missing, of another type, or out of range."""
    REFUSED = "refused"
    """The exchange says that it did not do what we asked."""


@attrs.frozen(kw_only=True)
class ParseFault:
    """Why a frame, or a trade of it, was not read."""

    reason: FaultReason
    where: str = ""
    """The field; or what the exchange said."""


@attrs.frozen(kw_only=True)
class Parsed:
    """What one frame held: ticks in the order of the market, and the first fault."""

    ticks: tuple[Tick, ...] = ()
    fault: ParseFault | None = None


Parse: TypeAlias = Callable[[str | bytes, EpochMs], Parsed]
"""A frame and the venue's clock when it arrived -> what it held."""

_Object: TypeAlias = Mapping[str, Any]
_NOTHING: Final = Parsed()


def parse_binance(frame: str | bytes, recv_ms: EpochMs) -> Parsed:
    """The trade in a Binance frame, if it is one of BTCUSDT."""
    message = _decoded(frame)
    if isinstance(message, ParseFault):
        return Parsed(fault=message)
    if "error" in message:
        return _faulty(FaultReason.REFUSED, _shown(message["error"]))
    trade = message.get("data") if "stream" in message else message
    if not _is_object(trade):
        return _faulty(FaultReason.BAD_FIELD, "data")
    if trade.get("e") != "trade":
        return _NOTHING
    if not isinstance(trade.get("s"), str):
        return _faulty(FaultReason.BAD_FIELD, "s")
    if trade["s"] != BINANCE_SYMBOL:
        return _NOTHING
    return _gathered([_binance_trade(trade, recv_ms)])


def parse_coinbase(frame: str | bytes, recv_ms: EpochMs) -> Parsed:
    """The BTC-USD trades in a Coinbase frame's updates, oldest first."""
    message = _decoded(frame)
    if isinstance(message, ParseFault):
        return Parsed(fault=message)
    if message.get("type") == "error":
        return _faulty(FaultReason.REFUSED, _shown(message.get("message")))
    if message.get("channel") != "market_trades":
        return _NOTHING
    events = message.get("events")
    if not isinstance(events, list):
        return _faulty(FaultReason.BAD_FIELD, "events")
    return _gathered([made for event in events for made in _coinbase_event(event, recv_ms)])


def _coinbase_event(event: object, recv_ms: EpochMs) -> list[Tick | ParseFault]:
    if not _is_object(event):
        return [_bad("events")]
    if event.get("type") == "snapshot":
        return []
    trades = event.get("trades")
    if event.get("type") != "update" or not isinstance(trades, list):
        return [_bad("events.trades")]
    return [_coinbase_trade(trade, recv_ms) for trade in trades if not _is_of_another(trade)]


def _is_of_another(trade: object) -> bool:
    if not _is_object(trade):
        return False
    product = trade.get("product_id")
    return isinstance(product, str) and product != COINBASE_PRODUCT


def _binance_trade(trade: _Object, recv_ms: EpochMs) -> Tick | ParseFault:
    return _tick(
        source="binance",
        trade_id=_natural(trade.get("t"), ID_MAX),
        price=trade.get("p"),
        size=trade.get("q"),
        ts_ms=_natural(trade.get("T"), TS_MS_MAX),
        recv_ms=recv_ms,
    )


def _coinbase_trade(trade: object, recv_ms: EpochMs) -> Tick | ParseFault:
    if not _is_object(trade):
        return _bad("trades")
    if trade.get("product_id") != COINBASE_PRODUCT:
        return _bad("product_id")
    return _tick(
        source="coinbase",
        trade_id=_natural(_number_of_text(trade.get("trade_id")), ID_MAX),
        price=trade.get("price"),
        size=trade.get("size"),
        ts_ms=_iso_ms(trade.get("time")),
        recv_ms=recv_ms,
    )


def _tick(
    *,
    source: str,
    trade_id: int | None,
    price: object,
    size: object,
    ts_ms: EpochMs | None,
    recv_ms: EpochMs,
) -> Tick | ParseFault:
    """The tick, or the first of its fields that is bad."""
    price_cents = _of_decimal(price, cents_from_decimal, PRICE_CENTS_MAX)
    size_e8 = _of_decimal(size, e8_from_decimal, ID_MAX)
    if trade_id is None:
        return _bad("trade id")
    if price_cents is None or price_cents == 0:
        return _bad("price")
    if size_e8 is None:
        return _bad("size")
    if ts_ms is None:
        return _bad("time")
    return Tick(
        source=source,
        trade_id=trade_id,
        price_cents=price_cents,
        size_e8=size_e8,
        ts_ms=ts_ms,
        recv_ms=recv_ms,
    )


def _gathered(found: list[Tick | ParseFault]) -> Parsed:
    ticks = sorted((one for one in found if isinstance(one, Tick)), key=lambda tick: tick.order)
    fault = next((one for one in found if isinstance(one, ParseFault)), None)
    return Parsed(ticks=tuple(ticks), fault=fault)


def _decoded(frame: str | bytes) -> _Object | ParseFault:
    if nests_too_deep(frame):
        return ParseFault(reason=FaultReason.NOT_JSON)
    try:
        message = msgspec.json.decode(frame)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return ParseFault(reason=FaultReason.NOT_JSON)
    if not _is_object(message):
        return ParseFault(reason=FaultReason.NOT_AN_OBJECT)
    return message


def _is_object(value: object) -> TypeGuard[_Object]:
    return isinstance(value, dict)


def _natural(value: object, most: int) -> int | None:
    """A positive integer; in JSON `true` and `1.0` are none."""
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 < value <= most else None


def _number_of_text(text: object) -> int | None:
    if not isinstance(text, str) or not 0 < len(text) <= NUMBER_TEXT_MAX:
        return None
    return int(text) if text.isascii() and text.isdigit() else None


def _of_decimal(text: object, convert: Callable[[str], int], most: int) -> int | None:
    if not isinstance(text, str) or len(text) > NUMBER_TEXT_MAX:
        return None
    try:
        number = convert(text)
    except ValueError:
        return None
    return number if number <= most else None


def _iso_ms(text: object) -> EpochMs | None:
    """`2026-08-09T21:05:38.50436Z` in milliseconds, the rest cut off."""
    found = _ISO_TIME.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        return None
    *date, fraction = found.groups()
    try:
        moment = datetime(*map(int, date), tzinfo=UTC)  # type: ignore[misc, arg-type]
    except ValueError:
        return None
    ts_ms = (moment - _EPOCH) // timedelta(milliseconds=1) + int(
        (fraction or "0").ljust(3, "0")[:3]
    )
    return _natural(ts_ms, TS_MS_MAX)


def _bad(where: str) -> ParseFault:
    return ParseFault(reason=FaultReason.BAD_FIELD, where=where)


def _faulty(reason: FaultReason, where: str) -> Parsed:
    return Parsed(fault=ParseFault(reason=reason, where=where))


def _shown(value: object) -> str:
    """At most a line of what an exchange said."""
    return str(value)[:200]
