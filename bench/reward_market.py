"""Recorded markets for the reward benchmark: ticks, the columns they settle, the quotes on the way.

Times are the venue's: a tick is taken as received at its exchange time. Settlement here is written
on its own, from `product.md`, and shares no code with `domain.resolution`.
"""

import gzip
from collections.abc import Iterator
from pathlib import Path

import attrs
import numpy as np
from numpy.typing import NDArray

from domain import volatility
from domain.rates import Floats, RewardSettings, rewards_bps, touch_probability
from domain.resolution import Rule
from domain.volatility import VolatilityState

DATA = Path("../shared/data")
COLUMN_S = 5
COLUMN_MS = 1000 * COLUMN_S
FIRST_COLUMN_AHEAD = 2
COLUMNS = 12
ROW_CENTS = 1_000
ROWS = 40
CRITICAL_MS = 10_000
QUOTE_EVERY_MS = 1_000  # at least
QUOTE_APART_MS = 250  # at most four a second

Ints = NDArray[np.int64]


@attrs.frozen(kw_only=True)
class Market:
    """Ticks of one file in venue order, and per column the distinct prices that settle it."""

    name: str
    tick_ms: Ints
    tick_cents: Ints
    first_column: int  # start of column 0 / COLUMN_MS
    settling_cents: Ints  # [column, n], padded with -1: carry-in and ticks of the window
    is_void: NDArray[np.bool_]  # [column]
    rule: Rule = Rule.TOUCH

    def won(
        self, columns: Ints, row_los_cents: Ints
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Whether cells [column, row] are won, and which columns are judged at all."""
        index = columns - self.first_column
        is_judged = (index >= 0) & (index < len(self.is_void))
        index = np.where(is_judged, index, 0)
        is_judged = is_judged & ~self.is_void[index]
        prices = self.settling_cents[index][:, None, :]
        los = row_los_cents[None, :, None]
        is_below, is_above = prices < los, prices > los + ROW_CENTS
        won: NDArray[np.bool_] = np.any(~is_below & ~is_above, axis=2)
        if self.rule is Rule.PATH:  # from one side to the other, whether or not it was seen inside
            won |= np.any(is_below & (prices >= 0), axis=2) & np.any(is_above, axis=2)
        return won, is_judged


def recorded(name: str, file: str) -> Market:
    """A file of `../shared/data`; prices to cents, round half up. FileNotFoundError if absent."""
    with gzip.open(DATA / file, "rt") as lines:
        rows = np.loadtxt(lines, delimiter=",", skiprows=1, usecols=(0, 1))
    cents = np.floor(rows[:, 1] * 100 + 0.5).astype(np.int64)
    return market(name, rows[:, 0].astype(np.int64), cents)


def simulated(name: str, seed: int, hours: float = 3.0) -> Market:
    """Geometric Brownian motion at 60 % a year, two ticks a second: what a simulator may feed."""
    ticks = int(hours * 3600 * 2)
    sigma = 0.6 / np.sqrt(volatility.SECONDS_PER_YEAR * 2)
    moves = np.random.default_rng(seed).standard_normal(ticks) * sigma
    cents = np.floor(6_400_000 * np.exp(np.cumsum(moves)) + 0.5).astype(np.int64)
    return market(name, 1_770_100_000_000 + 500 * np.arange(ticks), cents)


def market(name: str, tick_ms: Ints, tick_cents: Ints) -> Market:
    """The columns that lie wholly inside the ticks, settled."""
    first, last = int(tick_ms[0]) // COLUMN_MS + 1, int(tick_ms[-1]) // COLUMN_MS
    starts = np.arange(first, last) * COLUMN_MS
    begins = np.searchsorted(tick_ms, starts, "left") - 1  # the carry-in
    ends = np.searchsorted(tick_ms, starts + COLUMN_MS, "left")
    prices = [np.unique(tick_cents[b:e]) for b, e in zip(begins, ends, strict=True)]
    padded = np.full((len(starts), max(map(len, prices))), -1, dtype=np.int64)
    for row, distinct in zip(padded, prices, strict=True):
        row[: len(distinct)] = distinct
    is_gap = np.diff(tick_ms) > CRITICAL_MS
    void = [bool(is_gap[b:e].any()) for b, e in zip(begins, ends, strict=True)]
    return Market(
        name=name,
        tick_ms=tick_ms,
        tick_cents=tick_cents,
        first_column=first,
        settling_cents=padded,
        is_void=np.array(void),
    )


@attrs.frozen(kw_only=True)
class PricedQuote:
    """What the venue publishes at a moment, with the probabilities behind it."""

    at_ms: int
    price_cents: int
    columns: Ints  # starts / COLUMN_MS
    row_los_cents: Ints
    horizons_s: Floats
    probabilities: Floats  # [column, row]
    rates_bps: Ints  # [column, row]


def price(
    at_ms: int, tick_ms: int, tick_cents: int, state: VolatilityState, settings: RewardSettings
) -> PricedQuote:
    """One quote: 12 placeable columns, 40 rows around the price."""
    columns = max(at_ms, tick_ms) // COLUMN_MS + FIRST_COLUMN_AHEAD + np.arange(COLUMNS)
    lowest = (tick_cents // ROW_CENTS - ROWS // 2) * ROW_CENTS
    row_los_cents = lowest + ROW_CENTS * np.arange(ROWS)
    horizons_s = (columns * COLUMN_MS - min(tick_ms, at_ms)) / 1000
    probabilities = touch_probability(
        price_cents=tick_cents,
        horizons_s=horizons_s.tolist(),
        volatility=state,
        column_s=COLUMN_S,
        row_los_cents=row_los_cents.tolist(),
        row_cents=ROW_CENTS,
        settings=settings,
    )
    return PricedQuote(
        at_ms=at_ms,
        price_cents=tick_cents,
        columns=columns,
        row_los_cents=row_los_cents,
        horizons_s=horizons_s,
        probabilities=probabilities,
        rates_bps=rewards_bps(probabilities, settings),
    )


@attrs.frozen(kw_only=True)
class Moment:
    """A moment at which the venue quotes: the newest tick and what all ticks so far say."""

    at_ms: int
    tick_ms: int
    tick_cents: int
    state: VolatilityState


def moments(market: Market, apart_ms: int) -> Iterator[Moment]:
    """When to quote: on a tick, `apart_ms` apart, and each second while the feed is not CRITICAL.

    Ticks of one exchange time count as one moment, after the last of them.
    """
    state = volatility.initial()
    next_ms = 0
    ends = np.append(np.flatnonzero(np.diff(market.tick_ms)), len(market.tick_ms) - 1)
    begin = 0
    for number, end in enumerate(ends):
        for cents in market.tick_cents[begin : end + 1].tolist():
            state = volatility.update(state, int(market.tick_ms[end]), cents)
        begin = end + 1
        tick_ms, tick_cents = int(market.tick_ms[end]), int(market.tick_cents[end])
        is_last = number + 1 == len(ends)
        until_ms = tick_ms + 1 if is_last else int(market.tick_ms[ends[number + 1]])
        until_ms = min(until_ms, tick_ms + CRITICAL_MS)
        at_ms = max(tick_ms, next_ms)
        while at_ms < until_ms:
            if state.is_ready:
                yield Moment(at_ms=at_ms, tick_ms=tick_ms, tick_cents=tick_cents, state=state)
            next_ms = at_ms + apart_ms
            at_ms += max(apart_ms, QUOTE_EVERY_MS)
