"""What a quote is made of, and when there may be one (market.md, Rewards and PriceFeed).

The Quoter hands every accepted tick to `observe` and asks for a quote when one is due.
"""

import attrs

from domain.caps import HouseCaps
from domain.grid import Grid, current_ms
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


def make_quote(
    view: MarketView,
    *,
    n: int,
    now_ms: EpochMs,
    grid: Grid,
    caps: HouseCaps,
    rewards: RewardSettings,
) -> Quote:
    """Quote number n, on the newest tick, of the columns that may be tapped now.

    A column that becomes placeable is offered by the next quote; nobody can have seen its rate
    before. Raises ValueError if there was no tick yet.
    """
    tick = view.newest
    if tick is None:
        raise ValueError("there is no price to quote on")
    at_ms = current_ms(now_ms=now_ms, newest_tick_ms=tick.ts_ms, high_ms=0)
    columns = grid.placeable_starts_s(at_ms)
    lowest_cents = grid.lowest_row_cents(tick.price_cents)
    rates = reward_table(
        price_cents=tick.price_cents,
        price_ts_ms=tick.ts_ms,
        now_ms=now_ms,
        volatility=view.volatility,
        column_starts_s=columns,
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
        first_column_s=columns.start,
        lowest_row_cents=lowest_cents,
        rates=rates,
        caps=caps,
    )
