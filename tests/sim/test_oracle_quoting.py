"""On which price rates are given, how high they may be, and when there may be none."""

import pytest

from simulation.oracle.quoting import Heard, Market, RateBounds


def heard(at_s: float, price_cents: int, *, source: str = "primary", late_ms: int = 0) -> Heard:
    ts_ms = round(at_s * 1000) - late_ms
    return Heard(at_s=at_s, source=source, ts_ms=ts_ms, price_cents=price_cents)


def market(*ticks: Heard) -> Market:
    made = Market()
    for tick in ticks:
        made.hear(tick)
    return made


def test_rates_are_those_of_the_newest_tick_after_a_moment() -> None:
    found = market(heard(1, 10), heard(2, 20), heard(3, 30))
    assert found.prices_cents(3.01) == [20, 30]
    assert found.prices_cents(3.1) == [30]


def test_without_a_tick_nobody_can_say() -> None:
    assert market().prices_cents(9) == []
    assert market(heard(1, 10)).prices_cents(1.01) == []


def test_a_new_life_may_have_lost_what_was_in_hand() -> None:
    found = market(heard(1, 10))
    found.begin()
    assert found.prices_cents(2) == []
    found.hear(heard(2, 20))
    assert found.prices_cents(3) == [20]


def test_what_comes_behind_the_record_after_a_restart_changes_nothing() -> None:
    found = market(heard(5, 50))
    found.begin()
    found.hear(heard(6, 60, late_ms=2_000))
    assert found.prices_cents(7) == []
    found.hear(heard(8, 80))
    assert found.prices_cents(9) == [80]


@pytest.mark.parametrize(("until_s", "is_so"), [(6, True), (14, True), (15, False)])
def test_there_is_no_quote_until_ten_seconds_of_another_source(until_s: int, is_so: bool) -> None:
    found = market(heard(4, 40), *(heard(n, 50, source="other") for n in range(5, until_s + 1)))
    assert found.is_paused(until_s + 0.1) == is_so


def test_a_change_is_known_after_a_moment_and_only_by_who_saw_both() -> None:
    found = market(heard(4, 40), heard(5, 50, source="other"))
    assert not found.is_paused(5.01)
    assert found.is_paused(5.1)
    found.begin()
    found.hear(heard(6, 50, source="other"))
    assert not found.is_paused(7)


BOUNDS = RateBounds.of(
    least_bps=10_100, most_bps=1_000_000, edge_bps=300, chance_min=0.02, unknown=0.003
)


def test_no_rate_is_higher_than_that_of_the_least_likely_cell() -> None:
    assert RateBounds(10_100, 421_739) == BOUNDS
    assert RateBounds.of(
        least_bps=10_100, most_bps=1_000_000, edge_bps=300, chance_min=0, unknown=0.003
    ) == RateBounds(10_100, 1_000_000)


def test_a_rate_is_within_its_bounds_or_there_is_none() -> None:
    assert BOUNDS.outside(((0, 10_100), (421_739, 0))) == []
    assert BOUNDS.outside(((1, 10_099), (421_740, 20_000))) == [1, 10_099, 421_740]
