"""How the price moves, learned from ticks: what each figure must say of a market made for it."""

import math
from collections.abc import Iterable

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.volatility import (
    PULL_MAX,
    READY_MS,
    READY_TICKS,
    SECONDS_PER_YEAR,
    SPREAD_MAX,
    STRAY_MAX,
    STRAY_MIN,
    VolatilityState,
    initial,
    restarted,
    update,
)

START_MS = 1_770_100_000_000
PRICE_CENTS = 6_400_000
SIGMA = 0.5 / math.sqrt(SECONDS_PER_YEAR)  # 50 % a year


def fed(
    prices_cents: Iterable[float], every_ms: int = 1_000, state: VolatilityState | None = None
) -> VolatilityState:
    state = state or initial()
    begin_ms = state.last_ms + every_ms if state.ticks else START_MS
    for number, cents in enumerate(prices_cents):
        state = update(state, begin_ms + number * every_ms, round(cents))
    return state


def random_walk(n: int, seed: int = 1, sigma: float = SIGMA) -> list[float]:
    steps = np.random.default_rng(seed).standard_normal(n) * sigma
    return list(PRICE_CENTS * np.exp(np.cumsum(steps)))


def test_a_new_state_is_not_ready_and_stands_at_the_prior() -> None:
    state = initial(annual_volatility=0.6)
    assert not state.is_ready
    assert state.sigma * math.sqrt(SECONDS_PER_YEAR) == pytest.approx(0.6)
    assert state.drift == 0.0


def test_ready_after_ten_seconds_of_ticks() -> None:
    assert not fed([PRICE_CENTS] * 10).is_ready
    assert fed([PRICE_CENTS] * 11).is_ready


def test_ready_wants_ticks_too_and_not_only_time() -> None:
    assert not fed([PRICE_CENTS] * (READY_TICKS - 1), every_ms=READY_MS).is_ready


def test_many_trades_of_one_millisecond_are_one_tick() -> None:
    state = fed([PRICE_CENTS] * 50, every_ms=0)
    assert state.ticks == 1


def test_sigma_of_a_random_walk_is_found() -> None:
    state = fed(random_walk(3_600))
    assert state.sigma == pytest.approx(SIGMA, rel=0.15)


def test_sigma_follows_a_burst_within_a_minute_or_two() -> None:
    calm = fed(random_walk(1_800))
    wild = fed(random_walk(120, seed=2, sigma=4 * SIGMA), state=calm)
    assert wild.sigma > 2 * calm.sigma


def test_a_price_that_stands_still_keeps_a_floor_under_sigma() -> None:
    state = fed([PRICE_CENTS] * 7_200)
    assert state.variance >= state.variance_min
    assert state.sigma * math.sqrt(SECONDS_PER_YEAR) >= 0.15


def test_bounce_between_bid_and_ask_is_not_movement() -> None:
    bounce = [PRICE_CENTS + 1_000 * (number % 2) for number in range(6_000)]
    state = fed(bounce, every_ms=90)
    squared_ticks = (1_000 / PRICE_CENTS) ** 2 / 0.09
    assert state.variance < squared_ticks / 20


def test_a_random_walk_pulls_nowhere() -> None:
    state = fed(random_walk(3_600))
    assert state.pull < 0.25


def test_a_smoothed_feed_pulls_on_and_owes_movement() -> None:
    smoothed, mean = [], float(PRICE_CENTS)
    for cents in random_walk(3_600):
        mean += 0.6 * (cents - mean)
        smoothed.append(mean)
    state = fed(smoothed)
    assert state.pull > 0.35
    assert state.lag_s > 0.35
    assert state.sigma == pytest.approx(SIGMA, rel=0.2)  # of the walk behind it


def test_movement_that_a_pulling_feed_owes_counts_as_movement() -> None:
    walk = fed(random_walk(3_600))
    same_but_pulling = attrs.evolve(walk, lead_by_lead=1_000.0, lead_by_move=1_060.0)
    assert same_but_pulling.lag_s == pytest.approx(1.0)
    plain = attrs.evolve(walk, lead_by_move=0.0)
    assert same_but_pulling.variance == pytest.approx(plain.variance * 5 / 4)


def test_tails_of_a_random_walk_are_thin_and_those_of_changing_sigmas_wide() -> None:
    rng = np.random.default_rng(4)
    sigmas = np.repeat(np.exp(0.8 * rng.standard_normal(1_440)), 5) * SIGMA
    changing = PRICE_CENTS * np.exp(np.cumsum(rng.standard_normal(7_200) * sigmas))
    assert fed(random_walk(7_200)).tail_spread < 0.35
    assert fed(changing).tail_spread == pytest.approx(0.8, abs=0.2)


def test_drift_points_where_a_pulling_feed_just_moved() -> None:
    smoothed, mean = [], float(PRICE_CENTS)
    for cents in random_walk(3_600):
        mean += 0.6 * (cents - mean)
        smoothed.append(mean)
    up = fed([smoothed[-1] * 1.0005], state=fed(smoothed))
    down = fed([smoothed[-1] * 0.9995], state=fed(smoothed))
    assert up.drift > 0 > down.drift


def test_drift_of_a_spike_is_bounded() -> None:
    state = fed(random_walk(3_600))
    spike = fed([PRICE_CENTS * 2], state=state)
    assert abs(spike.drift) <= PULL_MAX * 6 * spike.sigma


@pytest.mark.parametrize(
    ("every_ms", "low", "high"),
    [(1_000, 0.35, 0.55), (100, 0.65, 0.9), (5_000, 0.0, 0.01)],
)
def test_roughness_of_a_random_walk_depends_on_how_often_it_is_seen(
    every_ms: int, low: float, high: float
) -> None:
    n = 2_400_000 // every_ms
    state = fed(random_walk(n, sigma=SIGMA * math.sqrt(every_ms / 1000)), every_ms=every_ms)
    # The prior of 0.45 still has a few per cent of the say.
    assert low <= state.roughness <= high + 0.05


def test_a_price_that_jumps_once_a_step_is_not_rough() -> None:
    rng = np.random.default_rng(3)
    jumps = np.repeat(np.cumsum(rng.standard_normal(720)) * SIGMA * math.sqrt(5), 5)
    state = fed(PRICE_CENTS * np.exp(jumps))
    assert state.roughness < 0.1


def test_a_move_across_a_silence_counts_by_the_second() -> None:
    state = fed(random_walk(600))
    jump = math.exp(SIGMA * math.sqrt(60))  # one sigma of a minute, after a minute without ticks
    after = update(state, state.last_ms + 60_000, round(math.exp(state.last_log) * jump))
    assert after.sigma == pytest.approx(state.sigma, rel=0.3)


def test_an_older_tick_changes_nothing() -> None:
    state = fed(random_walk(60))
    assert update(state, state.last_ms - 1, PRICE_CENTS) == state


def test_another_source_starts_over_but_keeps_how_much_the_price_moves() -> None:
    state = fed(random_walk(3_600))
    other = restarted(state)
    assert not other.is_ready
    first = update(other, START_MS + 9_000_000, PRICE_CENTS * 2)
    assert first.variance == state.variance
    assert first.drift == 0.0


def test_the_same_ticks_give_the_same_state() -> None:
    prices = random_walk(300)
    assert fed(prices) == fed(prices[100:], state=fed(prices[:100]))


@given(
    ticks=st.lists(
        st.tuples(st.integers(0, 120_000), st.integers(1_000_000, 20_000_000)), max_size=60
    )
)
def test_whatever_the_ticks_the_figures_are_finite_and_in_range(
    ticks: list[tuple[int, int]],
) -> None:
    state, at_ms = initial(), START_MS
    for wait_ms, cents in ticks:
        at_ms += wait_ms
        state = update(state, at_ms, cents)
    assert state.variance_min <= state.variance < math.inf
    assert 0.0 <= state.pull <= PULL_MAX
    assert 0.0 <= state.roughness <= 1.0
    assert STRAY_MIN <= state.stray <= STRAY_MAX
    assert 0.0 <= state.tail_spread <= SPREAD_MAX
    assert 0.0 < state.fine_share <= 1.0
    assert 0.0 < state.prior_share <= 1.0
    assert math.isfinite(state.drift)
