"""What a quote is made of, and when there may be one (market.md, Rewards and PriceFeed).

The Quoter hands every accepted tick to `observe` and asks for a quote when one is due.
"""

import attrs

from domain.caps import HouseCaps
from domain.grid import Grid, current_ms
from domain.limits import FEED_SKEW_MAX_MS, QUOTE_LIVE_MS
from domain.quotes import Quote
from domain.rates import RewardSettings, reward_table
from domain.ticks import Tick
from domain.units import EpochMs
from domain.volatility import VolatilityState, restarted, update


@attrs.frozen(kw_only=True)
class MarketView:
    """What the ticks so far say."""

    volatility: VolatilityState
    newest: Tick | None = None
    source_from_ms: EpochMs | None = None
    """Exchange time of the first tick of the present source; None if there was no other before."""


def observe(view: MarketView, tick: Tick) -> MarketView:
    """The view after one more accepted tick. An older one changes nothing."""
    newest = view.newest
    if newest is not None and tick.ts_ms < newest.ts_ms:
        return view
    if newest is not None and tick.source != newest.source:
        view = attrs.evolve(view, volatility=restarted(view.volatility), source_from_ms=tick.ts_ms)
    volatility = update(view.volatility, tick.ts_ms, tick.price_cents)
    return attrs.evolve(view, volatility=volatility, newest=tick)


def is_settled(view: MarketView, *, pause_ms: int) -> bool:
    """Have ticks come, and for `pause_ms` if their source took over from another?

    Two venues differ by more than a row, so that a quote right after a change would be a gift.
    """
    if view.newest is None:
        return False
    return view.source_from_ms is None or view.newest.ts_ms - view.source_from_ms >= pause_ms


def columns_quoted(grid: Grid) -> int:
    """How many columns a quote has: those placeable now, and those that become so while it lives.

    A quote is live for 3 s, and the newest tick, which says what the current column is, may be
    dated up to 2 s ahead of the clock. By default that makes one column more than are placeable.
    """
    ahead_ms = QUOTE_LIVE_MS + FEED_SKEW_MAX_MS
    return grid.horizon_columns - (-ahead_ms // (grid.column_s * 1000))


def make_quote(
    view: MarketView,
    *,
    n: int,
    now_ms: EpochMs,
    grid: Grid,
    caps: HouseCaps,
    rewards: RewardSettings,
) -> Quote:
    """Quote number n, on the newest tick. Raises ValueError if there was none yet."""
    tick = view.newest
    if tick is None:
        raise ValueError("there is no price to quote on")
    at_ms = current_ms(now_ms=now_ms, newest_tick_ms=tick.ts_ms, high_ms=0)
    first_s = grid.placeable_starts_s(at_ms).start
    lowest_cents = grid.lowest_row_cents(tick.price_cents)
    rates = reward_table(
        price_cents=tick.price_cents,
        price_ts_ms=tick.ts_ms,
        now_ms=now_ms,
        volatility=view.volatility,
        column_starts_s=[
            first_s + column * grid.column_s for column in range(columns_quoted(grid))
        ],
        column_s=grid.column_s,
        row_los_cents=[lowest_cents + row * grid.row_cents for row in range(grid.rows)],
        row_cents=grid.row_cents,
        settings=rewards,
    )
    return Quote(
        n=n,
        published_at_ms=now_ms,
        price_cents=tick.price_cents,
        column_s=grid.column_s,
        row_cents=grid.row_cents,
        first_column_s=first_s,
        lowest_row_cents=lowest_cents,
        rates=rates,
        caps=caps,
    )
