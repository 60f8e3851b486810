"""The simulated market: reproducible, as volatile as asked, lively and never silent for long."""

import math
from collections.abc import Iterator
from functools import cache
from itertools import islice, pairwise
from statistics import fmean, pstdev

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.simulated_market import (
    PAUSE_MAX_MS,
    PRINTS_MAX,
    Market,
    MarketRule,
    Print,
    open_market,
    step,
)

RULE = MarketRule(annual_volatility_bps=6_000, ticks_per_s=8)


def orders(seed: int, rule: MarketRule = RULE) -> Iterator[tuple[int, tuple[Print, ...]]]:
    """Moments and prints of a market that opens at 65,000 USD."""
    market = open_market(seed=seed, price_cents=6_500_000)
    while True:
        market, prints = step(market, rule)
        yield market.elapsed_ms, prints


@cache
def columns(seed: int, hours: int, width_ms: int = 5_000) -> list[int]:
    """The last price of each column."""
    last: dict[int, int] = {}
    for at_ms, prints in orders(seed):
        if at_ms >= hours * 3_600_000:
            return list(last.values())
        last[at_ms // width_ms] = prints[-1].price_cents
    raise AssertionError


def test_the_same_seed_gives_the_same_market() -> None:
    assert list(islice(orders(7), 500)) == list(islice(orders(7), 500))


def test_another_seed_gives_another_market() -> None:
    assert list(islice(orders(7), 5)) != list(islice(orders(8), 5))


def test_a_market_goes_on_from_where_it_was_stored() -> None:
    market = open_market(seed=3, price_cents=6_500_000)
    for _ in range(20):
        market, _ = step(market, RULE)
    stored = Market(**attrs.asdict(market))
    assert step(stored, RULE) == step(market, RULE)


@given(st.integers(0, 2**64 - 1), st.integers(100, 10**10))
def test_prints_are_whole_cents_above_zero_near_the_price(seed: int, price_cents: int) -> None:
    _, prints = step(open_market(seed=seed, price_cents=price_cents), RULE)
    assert 1 <= len(prints) <= PRINTS_MAX
    for made in prints:
        assert type(made.price_cents) is int
        assert made.price_cents > 0
        assert made.size_e8 > 0
        assert abs(made.price_cents - price_cents) <= 30 + price_cents * 0.02


def test_moments_increase_and_pauses_stay_below_two_seconds() -> None:
    moments = [at_ms for at_ms, _ in islice(orders(1), 8_000)]
    waits = [after - before for before, after in pairwise([0, *moments])]
    assert min(waits) >= 1
    assert max(waits) <= PAUSE_MAX_MS < 2_000
    assert sum(wait > 1_000 for wait in waits) > 3, "there are pauses"


@pytest.mark.parametrize("ticks_per_s", [2, 8, 50])
def test_there_are_as_many_ticks_as_asked(ticks_per_s: int) -> None:
    rule = MarketRule(ticks_per_s=ticks_per_s)
    made = list(islice(orders(5, rule), 3_000))
    ticks = sum(len(prints) for _, prints in made)
    assert ticks / (made[-1][0] / 1000) == pytest.approx(ticks_per_s, rel=0.25)


@pytest.mark.slow
def test_the_volatility_is_as_asked_with_fat_tails() -> None:
    """Over six hours and three seeds; five-second moves of a normal price have a kurtosis of 3."""
    annual, kurtosis = [], []
    for seed in (1, 2, 3):
        moves = [math.log(after / before) for before, after in pairwise(columns(seed, hours=6))]
        deviation = pstdev(moves)
        annual.append(deviation * math.sqrt(365.25 * 86_400 / 5))
        kurtosis.append(fmean(move**4 for move in moves) / deviation**4)
    assert fmean(annual) == pytest.approx(0.60, rel=0.08)
    assert fmean(kurtosis) > 4


def test_a_ten_dollar_grid_is_crossed_within_a_few_columns() -> None:
    """Lively enough to play: the price of most five-second columns is in another row."""
    prices = columns(1, hours=1)
    changed = [before // 1_000 != after // 1_000 for before, after in pairwise(prices)]
    assert 0.4 < fmean(changed) < 0.95


def test_calm_and_busy_stretches_follow_one_another() -> None:
    prices = columns(1, hours=1)
    moves = [math.log(after / before) for before, after in pairwise(prices)]
    stretches = [pstdev(moves[at : at + 60]) for at in range(0, len(moves) - 60, 60)]
    assert max(stretches) > 1.8 * min(stretches)


def test_a_market_without_volatility_only_bounces() -> None:
    rule = MarketRule(annual_volatility_bps=0)
    prices = {made.price_cents for _, prints in islice(orders(1, rule), 500) for made in prints}
    assert max(prices) - min(prices) <= 40


@pytest.mark.parametrize(
    "wrong", [{"annual_volatility_bps": -1}, {"ticks_per_s": 0}, {"ticks_per_s": 1_001}]
)
def test_a_rule_that_makes_no_market_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        MarketRule(**wrong)


def test_a_market_opens_above_zero() -> None:
    with pytest.raises(ValueError, match="above zero"):
        open_market(seed=1, price_cents=0)
