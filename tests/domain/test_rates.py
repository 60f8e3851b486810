"""Reward rates: agreement with the rule played out, order between cells, what is offered."""

import math

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.rates import Floats, RewardSettings, reward_table, rewards_bps, touch_probability
from domain.resolution import Rule
from domain.volatility import (
    MOVE_PRIOR,
    NORMAL_MOVE,
    SECONDS_PER_YEAR,
    STEP_S,
    VolatilityState,
    initial,
    update,
)

NOW_MS = 1_770_100_000_000
PRICE_CENTS = 6_400_500  # the middle of a row
ROW_CENTS = 1_000
ROW_LOS_CENTS = range(6_380_000, 6_420_000, ROW_CENTS)
ROW_OF_PRICE = 20
COLUMN_STARTS_S = range(1_770_100_010, 1_770_100_070, 5)
HORIZONS_S = tuple(range(6, 66, 5))
PLAYED = slice(0, None, 4)  # the columns that are simulated: after 6, 26 and 46 s

PLAIN = RewardSettings(
    spread_shares=(1.0, 1.0, 1.0),
    sigma_by_tail=0.0,
    window_by_tail=0.0,
    cold_spread=0.0,
    recalibration=((0.0, 0.0), (1.0, 1.0)),
    unknown_probability=0.0,
    offer_probability_min=0.0,
)
"""The model without what was learned from markets: a random walk must then be priced right."""


def volatility_of(
    annual: float,
    *,
    roughness: float = 0.45,
    tick_interval_s: float = 1.0,
    tail_spread: float = 0.0,
) -> VolatilityState:
    """A warm state that says just this: no drift, no lag."""
    state = initial(annual_volatility=annual)
    rms_move = math.sqrt(state.move_square_mean)
    return attrs.evolve(
        state,
        steps=10_000,
        range_mean=(1 + roughness) * NORMAL_MOVE * rms_move,
        move_mean=NORMAL_MOVE * rms_move * math.exp(-(tail_spread**2) / 2),
        tick_interval_s=tick_interval_s,
    )


def touch(
    volatility: VolatilityState,
    settings: RewardSettings = PLAIN,
    *,
    price_cents: int = PRICE_CENTS,
    column_s: int = 5,
    row_cents: int = ROW_CENTS,
) -> Floats:
    return touch_probability(
        price_cents=price_cents,
        horizons_s=HORIZONS_S,
        volatility=volatility,
        column_s=column_s,
        row_los_cents=ROW_LOS_CENTS,
        row_cents=row_cents,
        settings=settings,
    )


def table(
    volatility: VolatilityState,
    settings: RewardSettings | None = None,
    *,
    price_cents: int = PRICE_CENTS,
    price_ts_ms: int = NOW_MS,
    now_ms: int = NOW_MS,
) -> tuple[tuple[int, ...], ...]:
    return reward_table(
        price_cents=price_cents,
        price_ts_ms=price_ts_ms,
        now_ms=now_ms,
        volatility=volatility,
        column_starts_s=COLUMN_STARTS_S,
        column_s=5,
        row_los_cents=ROW_LOS_CENTS,
        row_cents=ROW_CENTS,
        settings=settings or RewardSettings(),
    )


def simulated_touch(
    annual: float,
    *,
    spread: float = 0.0,
    per_s: int = 1,
    paths: int = 10_000,
    rule: Rule = Rule.TOUCH,
) -> Floats:
    """The rule played out: ticks `per_s` a second from now on, each window with its carry-in."""
    rng = np.random.default_rng(20_261_120)
    sigma = annual / math.sqrt(SECONDS_PER_YEAR * per_s)
    sigmas = sigma * np.exp(spread * rng.standard_normal((paths, 1)) - spread**2)
    n_ticks = (HORIZONS_S[-1] + 5) * per_s
    moves = rng.standard_normal((paths, n_ticks), dtype=np.float32) * sigmas
    cents = np.rint(PRICE_CENTS * np.exp(np.cumsum(moves, axis=1)))
    rows = np.floor(cents / ROW_CENTS).astype(np.int64) - ROW_LOS_CENTS[0] // ROW_CENTS
    horizons_s = HORIZONS_S[PLAYED]
    won = np.zeros((len(horizons_s), len(ROW_LOS_CENTS)))
    for column, horizon_s in enumerate(horizons_s):
        # Tick k comes at (k + 1) / per_s; the carry-in is the last one before the window opens.
        window = rows[:, horizon_s * per_s - 2 : (horizon_s + 5) * per_s - 1]
        for row in range(len(ROW_LOS_CENTS)):
            touched = (window == row).any(axis=1)
            passed = (window < row).any(axis=1) & (window > row).any(axis=1)
            won[column, row] = (touched | passed & (rule is Rule.PATH)).mean()
    return won


# --- agreement with simulation ---------------------------------------------------------------


@pytest.mark.parametrize("annual", [0.3, 0.8])
def test_agrees_with_a_simulated_random_walk(annual: float) -> None:
    simulated = simulated_touch(annual)
    assert np.abs(touch(volatility_of(annual))[PLAYED] - simulated).max() < 0.04


def test_agrees_with_a_random_walk_of_uncertain_sigma() -> None:
    volatility = volatility_of(0.6, tail_spread=0.5)
    simulated = simulated_touch(0.6, spread=0.5)
    assert np.abs(touch(volatility)[PLAYED] - simulated).max() < 0.04


def test_agrees_with_a_random_walk_seen_often() -> None:
    volatility = volatility_of(0.6, roughness=0.75, tick_interval_s=0.25)
    simulated = simulated_touch(0.6, per_s=4, paths=5_000)
    assert np.abs(touch(volatility)[PLAYED] - simulated).max() < 0.04


def test_a_walk_that_steps_over_rows_is_not_paid_as_if_it_touched_them() -> None:
    simulated = simulated_touch(4.0)  # 4.5 rows a second
    assert np.abs(touch(volatility_of(4.0))[PLAYED] - simulated).max() < 0.04


def test_a_walk_that_steps_over_rows_is_paid_by_path_as_if_it_touched_them() -> None:
    simulated = simulated_touch(4.0, rule=Rule.PATH)
    assert (simulated - simulated_touch(4.0)).max() > 0.2
    path = attrs.evolve(PLAIN, rule=Rule.PATH)
    assert np.abs(touch(volatility_of(4.0), path)[PLAYED] - simulated).max() < 0.04


# --- order ----------------------------------------------------------------------------------


def test_farther_rows_are_less_likely_and_both_sides_alike() -> None:
    probabilities = touch(volatility_of(0.6), RewardSettings())
    above = probabilities[:, ROW_OF_PRICE:]
    below = probabilities[:, ROW_OF_PRICE::-1]
    assert (np.diff(above, axis=1) <= 0).all()
    assert (np.diff(below, axis=1) <= 0).all()
    shared = min(above.shape[1], below.shape[1])
    # Log prices are not quite symmetric in dollars: 20 rows are 0.3 %.
    assert np.abs(above[:, :shared] - below[:, :shared]).max() < 0.002


def test_a_farther_column_is_likelier_far_away_and_less_likely_at_the_price() -> None:
    probabilities = touch(volatility_of(0.6), RewardSettings())
    assert (np.diff(probabilities[:, ROW_OF_PRICE]) < 0).all()
    assert (np.diff(probabilities[:, ROW_OF_PRICE + 15]) > 0).all()


def test_a_longer_window_and_a_taller_row_are_likelier() -> None:
    volatility = volatility_of(0.6)
    plain = touch(volatility)
    assert (touch(volatility, column_s=10) >= plain - 1e-12).all()
    assert (touch(volatility, row_cents=2 * ROW_CENTS) >= plain - 1e-12).all()


def test_more_volatility_makes_far_rows_likelier() -> None:
    far = ROW_OF_PRICE + 12
    assert (touch(volatility_of(0.9))[:, far] > touch(volatility_of(0.5))[:, far]).all()


def test_a_pulling_feed_makes_the_rows_ahead_likelier_than_those_behind() -> None:
    # A feed that shows half of each move in the second after it: pull is about 1.
    rng, state, walk, shown = np.random.default_rng(5), initial(), 0.0, 0.0
    for number in range(1_200):
        walk += rng.standard_normal() * 1e-4
        shown += 0.5 * (walk - shown)
        state = update(state, NOW_MS + 1_000 * number, round(PRICE_CENTS * math.exp(shown)))
    leap = round(PRICE_CENTS * math.exp(shown + 3e-4))
    state = update(state, state.last_ms + 1_000, leap)
    centred = leap // ROW_CENTS * ROW_CENTS + ROW_CENTS // 2
    rows = [centred - ROW_CENTS // 2 + ROW_CENTS * offset for offset in (-3, 3)]
    behind, ahead = touch_probability(
        price_cents=centred,
        horizons_s=[10.0],
        volatility=state,
        column_s=5,
        row_los_cents=rows,
        row_cents=ROW_CENTS,
        settings=RewardSettings(),
    )[0]
    assert ahead > 1.2 * behind


def test_the_age_of_the_newest_tick_lengthens_the_horizon() -> None:
    volatility = volatility_of(0.6)
    fresh = table(volatility)
    stale = table(volatility, price_ts_ms=NOW_MS - 5_000)
    assert stale[0] == table(volatility, now_ms=NOW_MS, price_ts_ms=NOW_MS - 5_000)[0]
    assert stale[0][ROW_OF_PRICE] > fresh[0][ROW_OF_PRICE]
    assert stale[:-1] == fresh[1:]  # 5 s of age are one column


def test_a_tick_from_the_future_counts_as_of_now() -> None:
    volatility = volatility_of(0.6)
    assert table(volatility, price_ts_ms=NOW_MS + 2_000) == table(volatility)


# --- rates ----------------------------------------------------------------------------------


def test_a_rate_is_the_fair_one_less_the_edge_floored_to_a_basis_point() -> None:
    settings = attrs.evolve(PLAIN, edge_bps=300)
    rates = rewards_bps(np.array([[0.5, 0.3, 0.07]]), settings)
    assert rates.tolist() == [[19_400, 32_333, 138_571]]


def test_a_cell_whose_fair_rate_is_under_the_floor_is_not_offered() -> None:
    settings = attrs.evolve(PLAIN, edge_bps=300, reward_bps_min=10_100)
    at_floor = 9_700 / 10_100
    rates = rewards_bps(np.array([at_floor - 1e-9, at_floor + 1e-3, 1.0]), settings)
    assert rates.tolist() == [10_100, 0, 0]


def test_a_rate_never_passes_the_maximum() -> None:
    settings = attrs.evolve(PLAIN, reward_bps_max=1_000_000)
    assert rewards_bps(np.array([1e-3, 1e-12, 0.0]), settings).tolist() == [1_000_000] * 3


def test_what_is_too_unlikely_is_not_offered() -> None:
    settings = attrs.evolve(PLAIN, offer_probability_min=0.02)
    assert rewards_bps(np.array([0.0199, 0.02]), settings).tolist() == [0, 485_000]


def test_what_is_not_known_costs_far_cells_more_than_near_ones() -> None:
    plain = rewards_bps(np.array([0.02, 0.4]), PLAIN)
    careful = rewards_bps(np.array([0.02, 0.4]), attrs.evolve(PLAIN, unknown_probability=0.003))
    kept = careful / plain
    assert kept[0] == pytest.approx(0.02 / 0.023, abs=1e-3)
    assert kept[1] > 0.99


def test_the_table_has_a_plain_integer_for_each_column_and_row() -> None:
    rates = table(volatility_of(0.6))
    assert len(rates) == len(COLUMN_STARTS_S)
    assert {len(column) for column in rates} == {len(ROW_LOS_CENTS)}
    assert {type(rate) for column in rates for rate in column} == {int}


def test_a_price_that_stood_still_for_minutes_gives_no_wild_rates_beside_it() -> None:
    state = initial()
    for number in range(1_200):
        state = update(state, NOW_MS - 1_200_000 + 1_000 * number, PRICE_CENTS)
    rates = table(state)
    beside = [column[ROW_OF_PRICE + side] for column in rates for side in (-1, 1)]
    assert all(0 < rate <= 300_000 for rate in beside)


def test_a_cold_start_spreads_wider_than_a_warm_one() -> None:
    warm = volatility_of(0.6)
    cold = attrs.evolve(warm, steps=2)
    far = ROW_OF_PRICE + 12
    settings = RewardSettings()
    assert touch(cold, settings)[0, far] > touch(warm, settings)[0, far]


@given(
    price_cents=st.integers(100_000, 30_000_000),
    annual=st.floats(0.01, 5.0),
    roughness=st.floats(0.0, 1.0),
    tick_interval_s=st.floats(0.02, 10.0),
    age_ms=st.integers(-5_000, 10_000),
    edge_bps=st.integers(0, 2_000),
)
def test_every_rate_is_zero_or_within_bounds_and_never_beats_the_model(
    price_cents: int,
    annual: float,
    roughness: float,
    tick_interval_s: float,
    age_ms: int,
    edge_bps: int,
) -> None:
    settings = RewardSettings(edge_bps=edge_bps)
    volatility = volatility_of(annual, roughness=roughness, tick_interval_s=tick_interval_s)
    lowest = max(price_cents // ROW_CENTS - 20, 1) * ROW_CENTS
    row_los_cents = range(lowest, lowest + 40 * ROW_CENTS, ROW_CENTS)
    known_ms = NOW_MS - max(age_ms, 0)
    probabilities = touch_probability(
        price_cents=price_cents,
        horizons_s=[start_s - known_ms / 1000 for start_s in COLUMN_STARTS_S],
        volatility=volatility,
        column_s=5,
        row_los_cents=row_los_cents,
        row_cents=ROW_CENTS,
        settings=settings,
    )
    assert ((probabilities >= 0) & (probabilities <= 1)).all()
    rates = np.array(
        reward_table(
            price_cents=price_cents,
            price_ts_ms=NOW_MS - age_ms,
            now_ms=NOW_MS,
            volatility=volatility,
            column_starts_s=COLUMN_STARTS_S,
            column_s=5,
            row_los_cents=row_los_cents,
            row_cents=ROW_CENTS,
            settings=settings,
        )
    )
    offered = rates > 0
    assert (rates[offered] >= settings.reward_bps_min).all()
    assert (rates[offered] <= settings.reward_bps_max).all()
    assert (rates * probabilities <= 10_000 - edge_bps + 1e-6).all()
    assert (probabilities[offered] >= settings.offer_probability_min).all()


# --- settings -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"edge_bps": 10_000}, "edge_bps"),
        ({"reward_bps_min": 10_000}, "reward_bps_min"),
        ({"reward_bps_min": 20_000, "reward_bps_max": 15_000}, "reward_bps_min"),
        ({"offer_probability_min": 1.0}, "probabilities"),
        ({"unknown_probability": -0.1}, "probabilities"),
        ({"spread_shares": (0.4,)}, "spread_shares"),
        ({"recalibration": ((0.0, 0.0), (0.5, 0.6), (1.0, 0.5))}, "recalibration"),
    ],
)
def test_settings_that_make_no_rates_are_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RewardSettings(**change)  # type: ignore[arg-type]


def test_the_typical_move_of_the_prior_is_that_of_its_sigma() -> None:
    state = initial(annual_volatility=0.6)
    assert state.move_mean == pytest.approx(MOVE_PRIOR * state.sigma * STEP_S**0.5)
