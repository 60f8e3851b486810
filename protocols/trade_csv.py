"""Rows of recorded trades -> their numbers, for the replay. Pure: text in, values out.

Read are Binance's public files, spot and futures, with and without their header line (`trades`:
id, price, qty, quoteQty, time, isBuyerMaker[, isBestMatch]; `aggTrades`: id, price, qty, first id,
last id, time, isBuyerMaker[, isBestMatch]), and the project's own `ts_ms,price,qty` and
`ts_ms,price,server_ts_ms,recv_ms`. Binance's times are in milliseconds, since 2025 in microseconds
for spot; which, is told by their magnitude.
"""

from collections.abc import Sequence
from typing import Final

import attrs

from domain.units import Cents, EpochMs, cents_from_decimal, e8_from_decimal

ID_MAX: Final = 2**63 - 1
PRICE_CENTS_MAX: Final = 10**12
"""Ten billion USD a BTC: a price above is a misread column."""
_MS_MIN: Final = 10**11
"""1973 in milliseconds: smaller numbers are seconds, which no file here has."""
_US_MIN: Final = 10**14
"""The year 5138 in milliseconds, 1973 in microseconds."""
_US_MAX: Final = 10**17

_NAMES: Final = {
    "trade_id": ("id", "trade_id", "agg_trade_id", "aggtradeid", "a"),
    "price": ("price", "p"),
    "size": ("qty", "quantity", "size", "q"),
    "time": ("ts_ms", "time", "transact_time", "timestamp", "t"),
}
_BOOLEANS: Final = frozenset({"true", "false"})


@attrs.frozen(kw_only=True)
class Layout:
    """In which column each number stands; None where the file has no such column."""

    time: int
    price: int
    size: int | None = None
    trade_id: int | None = None


@attrs.frozen(kw_only=True)
class RecordedTrade:
    """One row of a file."""

    ts_ms: EpochMs
    price_cents: Cents
    size_e8: int
    trade_id: int


def layout_of_header(cells: Sequence[str]) -> Layout | None:
    """The layout that a header line names; None if `cells` is not one."""
    names = [cell.strip().lower() for cell in cells]
    found = {
        what: next((names.index(name) for name in known if name in names), None)
        for what, known in _NAMES.items()
    }
    time, price = found["time"], found["price"]
    if time is None or price is None:
        return None
    return Layout(time=time, price=price, size=found["size"], trade_id=found["trade_id"])


def layout_of_row(cells: Sequence[str]) -> Layout | None:
    """The layout of a file without a header, told by one of its rows; None if it is unknown.

    In Binance's files the time stands right before the first boolean.
    """
    booleans = [index for index, cell in enumerate(cells) if cell.strip().lower() in _BOOLEANS]
    if booleans and booleans[0] in (5, 6):
        return Layout(trade_id=0, price=1, size=2, time=booleans[0] - 1)
    if len(cells) == 3:
        return Layout(time=0, price=1, size=2)
    if len(cells) == 4:
        return Layout(time=0, price=1)
    return None


def parse_row(cells: Sequence[str], layout: Layout, *, row_number: int) -> RecordedTrade:
    """The trade in `cells`; `row_number` is its id where the file has none.

    Raises ValueError, saying what is wrong, for a row that is short or has a number that is none.
    """
    try:
        trade_id = row_number if layout.trade_id is None else _whole(cells[layout.trade_id])
        price_cents = cents_from_decimal(cells[layout.price].strip())
        size_e8 = 0 if layout.size is None else e8_from_decimal(cells[layout.size].strip())
        ts_ms = _milliseconds(_whole(cells[layout.time]))
    except IndexError:
        raise ValueError(f"only {len(cells)} columns") from None
    if not 0 < price_cents <= PRICE_CENTS_MAX or size_e8 > ID_MAX or trade_id > ID_MAX:
        raise ValueError("a number out of range")
    return RecordedTrade(ts_ms=ts_ms, price_cents=price_cents, size_e8=size_e8, trade_id=trade_id)


def _milliseconds(time: int) -> EpochMs:
    if _MS_MIN <= time < _US_MIN:
        return time
    if _US_MIN <= time < _US_MAX:
        return time // 1000
    raise ValueError(f"a time that is neither milli- nor microseconds: {time}")


def _whole(text: str) -> int:
    digits = text.strip()
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 19):
        raise ValueError(f"not a whole number: {text[:40]!r}")
    return int(digits)
