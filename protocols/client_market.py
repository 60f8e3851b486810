"""What clients are told of the market: grid, quotes, prices, feed.

The shapes stand in the API's description and never change; fields may be added.
"""

from typing import Annotated, Literal, TypedDict

from msgspec import Meta, Raw

from domain.placement import Rules
from domain.quotes import Quote
from domain.resolution import Rule
from domain.ticks import Tick
from domain.units import EpochMs
from protocols.answer_fields import AmountMicros, AtMs, CellIdText, Count, PriceCents, RateBps
from protocols.market import FeedLevel, FeedStatus, Override, SourceState
from protocols.ports import Bar

# --- the grid -----------------------------------------------------------------------------------


class OfferedCellJson(TypedDict):
    """A cell that can be tapped, and at what rate."""

    cell_id: CellIdText
    reward_bps: RateBps
    max_stake_micros: AmountMicros


class QuoteJson(TypedDict):
    """One quote with every offered cell."""

    n: Annotated[int, Meta(description="The number of the quote; a bet of version 2 names it.")]
    published_at_ms: AtMs
    price_cents: PriceCents
    cells: list[OfferedCellJson]


class GeometryJson(TypedDict):
    """The grid, without its quote."""

    server_time_ms: Annotated[
        int, Meta(description="The venue's clock, ms since 1970, UTC; bets are signed in its time.")
    ]
    chain_id: Annotated[int, Meta(description="What bets and sign-ins must name.")]
    column_s: Annotated[int, Meta(description="How many seconds wide a column is.")]
    row_cents: Annotated[int, Meta(description="How many cents of a USD high a row is.")]
    lockout_columns: Annotated[
        int, Meta(description="So many columns after the running one can't be tapped.")
    ]
    horizon_columns: Annotated[int, Meta(description="So many columns can be tapped.")]
    presets_micros: Annotated[
        list[AmountMicros], Meta(description="The stakes there are, in micros of a USD.")
    ]
    rule: Annotated[Rule, Meta(description="By which bets are judged.")]


class GridJson(GeometryJson):
    """The grid with the newest quote."""

    quote: Annotated[QuoteJson | None, Meta(description="Null while nothing is offered.")]


class EncodedGrid(GeometryJson):
    """A GridJson whose quote is encoded already."""

    quote: Raw | None


def grid_json(
    rules: Rules, *, chain_id: int, now_ms: EpochMs, encoded_quote: Raw | None
) -> EncodedGrid:
    """`GET /api/grid`. The quote is `quote_json` of the newest, encoded: some 480 cells."""
    grid = rules.grid
    return {
        "server_time_ms": now_ms,
        "chain_id": chain_id,
        "column_s": grid.column_s,
        "row_cents": grid.row_cents,
        "lockout_columns": grid.lockout_columns,
        "horizon_columns": grid.horizon_columns,
        "presets_micros": list(rules.presets_micros),
        "rule": rules.rule,
        "quote": encoded_quote,
    }


def quote_json(quote: Quote) -> QuoteJson:
    """One quote with every offered cell."""
    return {
        "n": quote.n,
        "published_at_ms": quote.published_at_ms,
        "price_cents": quote.price_cents,
        "cells": [
            {"cell_id": cell.id, "reward_bps": reward_bps, "max_stake_micros": stake_max_micros}
            for cell, reward_bps, stake_max_micros in quote.offered()
        ],
    }


# --- prices -------------------------------------------------------------------------------------


class TickJson(TypedDict):
    """One trade of the exchange."""

    ts_ms: Annotated[int, Meta(description="When, by the exchange: ms since 1970, UTC.")]
    price_cents: PriceCents
    trade_id: Annotated[int, Meta(description="The exchange's own number of the trade.")]
    source: Annotated[str, Meta(description="Which exchange.", examples=["binance"])]


class BarJson(TypedDict):
    """Open, high, low and close of one interval."""

    start_ms: AtMs
    open_cents: PriceCents
    high_cents: PriceCents
    low_cents: PriceCents
    close_cents: PriceCents
    ticks: Count


class BarsJson(TypedDict):
    """A stretch of bars, oldest first. An interval without a tick has none."""

    interval_ms: Annotated[int, Meta(description="The length of a bar in ms.")]
    bars: list[BarJson]


class TicksJson(TypedDict):
    """A stretch of ticks, oldest first."""

    ticks: list[TickJson]


def tick_json(tick: Tick) -> TickJson:
    """One accepted tick. Its source is part of its identity, and of the evidence's hash."""
    return {
        "ts_ms": tick.ts_ms,
        "price_cents": tick.price_cents,
        "trade_id": tick.trade_id,
        "source": tick.source,
    }


def bar_json(bar: Bar) -> BarJson:
    """One OHLC bar."""
    return {
        "start_ms": bar.start_ms,
        "open_cents": bar.open_cents,
        "high_cents": bar.high_cents,
        "low_cents": bar.low_cents,
        "close_cents": bar.close_cents,
        "ticks": bar.ticks,
    }


# --- the feed -----------------------------------------------------------------------------------


class FeedJson(TypedDict):
    """Feed and breaker."""

    level: FeedLevel
    since_ms: Annotated[int, Meta(description="When this level began: ms since 1970, UTC.")]
    feed_age_ms: Annotated[
        int | None, Meta(description="How old the newest tick is, in ms; null without one.")
    ]
    source: Annotated[str | None, Meta(description="Which exchange the prices are of.")]
    breaker: Annotated[
        Literal["open", "closed"], Meta(description="Open: betting is refused because of the feed.")
    ]
    override: Annotated[Override, Meta(description="An operator's word over the breaker.")]


class SourceJson(TypedDict):
    """One source of prices."""

    name: str
    connected: bool
    active: Annotated[bool, Meta(description="Is it the one whose prices count?")]
    reconnects: Count
    last_recv_ms: Annotated[
        int | None, Meta(description="When a tick of it came last: ms since 1970, UTC.")
    ]
    last_error: str


def feed_age_ms(feed: FeedStatus, now_ms: EpochMs) -> int | None:
    """How old the newest tick is, by the older of exchange and receive time."""
    if feed.last_tick_ms is None or feed.last_recv_ms is None:
        return None
    return max(0, now_ms - min(feed.last_tick_ms, feed.last_recv_ms))


def feed_json(feed: FeedStatus, now_ms: EpochMs) -> FeedJson:
    """Feed and breaker, as status, health and heartbeats show them."""
    return {
        "level": feed.level,
        "since_ms": feed.since_ms,
        "feed_age_ms": feed_age_ms(feed, now_ms),
        "source": feed.source,
        "breaker": "open" if feed.breaker_open() else "closed",
        "override": feed.override,
    }


def source_json(source: SourceState) -> SourceJson:
    """One source of prices, for operators."""
    return {
        "name": source.name,
        "connected": source.connected,
        "active": source.active,
        "reconnects": source.reconnects,
        "last_recv_ms": source.last_recv_ms,
        "last_error": source.last_error,
    }
