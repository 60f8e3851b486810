"""The largest stake that a quote offers follows from the caps."""

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.caps import HouseCaps, stake_max_micros
from domain.units import payout_micros


def test_defaults_are_those_of_the_product() -> None:
    usd = [cap // 1_000_000 for cap in attrs.astuple(HouseCaps())]
    assert usd == [10_000, 25_000, 50_000, 250_000]


@given(st.integers(0, 10**13), st.integers(10_100, 1_000_000))
def test_stake_max_is_the_largest_that_the_cap_per_bet_takes(cap: int, reward_bps: int) -> None:
    caps = HouseCaps(
        payout_per_bet_micros=cap,
        payout_per_user_micros=cap,
        payout_per_cell_micros=cap,
        payout_per_column_micros=cap,
    )
    most = stake_max_micros(caps, reward_bps)
    assert payout_micros(most, reward_bps) <= cap < payout_micros(most + 1, reward_bps)


@pytest.mark.parametrize("tight", [field.name for field in attrs.fields(HouseCaps)])
def test_stake_max_obeys_the_tightest_cap(tight: str) -> None:
    caps = attrs.evolve(HouseCaps(), **{tight: 20_000})
    assert payout_micros(stake_max_micros(caps, 20_000), 20_000) == 20_000
