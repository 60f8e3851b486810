"""What a quote is made of: columns for as long as it lives, rows around the newest tick."""

import pytest

from domain.caps import HouseCaps
from domain.grid import Grid
from domain.quotes import Quote
from domain.quoting import MarketView, is_settled, make_quote, observe
from domain.rates import RewardSettings
from domain.volatility import initial
from tests.support.ticks import T0_MS, tick


def view_of(*times_ms: int, source: str = "binance") -> MarketView:
    view = MarketView(volatility=initial())
    for at_ms in times_ms:
        view = observe(view, tick(T0_MS + at_ms, source=source))
    return view


def quote(view: MarketView, now_ms: int = T0_MS, grid: Grid | None = None) -> Quote:
    return make_quote(
        view,
        n=7,
        now_ms=now_ms,
        grid=grid or Grid(),
        caps=HouseCaps(),
        rewards=RewardSettings(),
    )


def test_an_older_tick_changes_nothing() -> None:
    view = view_of(0, 1_000)
    assert observe(view, tick(T0_MS + 999, 1)) is view


def test_without_a_tick_there_is_nothing_to_quote_on() -> None:
    empty = MarketView(volatility=initial())
    assert not is_settled(empty, pause_ms=0)
    with pytest.raises(ValueError, match="no price"):
        quote(empty)


def test_the_first_source_is_quoted_at_once() -> None:
    assert is_settled(view_of(0), pause_ms=10_000)


@pytest.mark.parametrize(("seen_ms", "settled"), [(0, False), (9_999, False), (10_000, True)])
def test_another_source_is_quoted_after_ten_seconds_of_its_ticks(
    seen_ms: int, settled: bool
) -> None:
    view = view_of(0, 1_000)
    for at_ms in (2_000, 2_000 + seen_ms):
        view = observe(view, tick(T0_MS + at_ms, source="coinbase"))
    assert is_settled(view, pause_ms=10_000) is settled


def test_going_back_to_the_first_source_is_a_change_too() -> None:
    view = observe(view_of(0, 1_000), tick(T0_MS + 2_000, source="coinbase"))
    view = observe(view, tick(T0_MS + 30_000))
    assert not is_settled(view, pause_ms=10_000)


def test_the_step_from_one_sources_price_to_the_others_is_no_movement() -> None:
    calm = view_of(*range(0, 600_000, 1_000))
    other = observe(calm, tick(T0_MS + 600_000, 7_000_000, source="coinbase"))
    for at_ms in range(601_000, 630_000, 1_000):
        other = observe(other, tick(T0_MS + at_ms, 7_000_000, source="coinbase"))
    assert other.volatility.sigma <= calm.volatility.sigma


def test_a_quote_says_what_it_was_made_of() -> None:
    made = quote(view_of(0))
    assert (made.n, made.published_at_ms, made.price_cents) == (7, T0_MS, 6_500_000)
    assert (made.column_s, made.row_cents) == (5, 1_000)
    assert made.first_column_s == T0_MS // 1000 + 10
    assert made.lowest_row_cents == 6_500_000 - 20 * 1_000
    assert [len(column) for column in made.rates] == [40] * 12
    assert any(reward_bps for column in made.rates for reward_bps in column)


def test_the_first_column_is_that_of_the_later_of_clock_and_newest_tick() -> None:
    assert quote(view_of(1_900), T0_MS).first_column_s == T0_MS // 1000 + 10
    assert quote(view_of(5_000), T0_MS + 4_000).first_column_s == T0_MS // 1000 + 15
    assert quote(view_of(0), T0_MS + 9_000).first_column_s == T0_MS // 1000 + 15


@pytest.mark.parametrize("column_s", [1, 2, 3, 5, 6, 10, 60])
def test_a_quote_has_exactly_the_columns_that_may_be_tapped(column_s: int) -> None:
    grid = Grid(column_s=column_s, rows=3)
    for now_ms in range(T0_MS, T0_MS + 60_000, 1_237):
        made = quote(view_of(0), now_ms, grid)
        after_last_s = made.first_column_s + len(made.rates) * column_s
        assert range(made.first_column_s, after_last_s, column_s) == grid.placeable_starts_s(now_ms)


def test_the_horizon_counts_from_the_tick_not_from_the_moment_of_quoting() -> None:
    """So the age of the newest tick is priced: a slow feed gives no free look ahead."""
    view = view_of(*range(-20_000, 1, 1_000))
    fresh, aged = quote(view, T0_MS), quote(view, T0_MS + 4_000)  # within one column
    assert fresh.rates == aged.rates
