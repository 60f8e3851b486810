"""Thirteen months of minute bars, a minute played as a second: do the rates hold in every regime?

Nothing of these bars was learned from, and their volatility ranges over a factor of five. A minute
moves as far as sqrt(60) seconds do, so log returns are divided by that; each month starts anew at
64,000 so that rows are as high as ever. What the venue calls a column is then five minutes.
"""

import gzip
from collections.abc import Iterator
from datetime import UTC, datetime
from math import sqrt

import numpy as np

from bench.reward_market import DATA, Market, market
from domain.rates import Floats

BARS = "btcusd_1m_bitmex_20200301_20210331.csv.gz"
OUTAGE_MS = (1_584_064_800_000, 1_584_067_500_000)  # 2020-03-13 02:00-02:45, README of the data
START_MS = 1_770_100_000_000
START_CENTS = 6_400_000


def months() -> Iterator[Market]:
    """A market for each month. FileNotFoundError where the bars are missing."""
    with gzip.open(DATA / BARS, "rt") as lines:
        rows = np.loadtxt(lines, delimiter=",", skiprows=1, usecols=(0, 4))
    is_outage = (rows[:, 0] >= OUTAGE_MS[0]) & (rows[:, 0] < OUTAGE_MS[1])
    rows = rows[~is_outage]
    names = np.array(
        [datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m") for ms in rows[:, 0]]
    )
    for name in np.unique(names):
        yield _as_seconds(str(name), rows[names == name, 1])


def _as_seconds(name: str, closes: Floats) -> Market:
    log_moves = np.log(closes / closes[0]) / sqrt(60)
    cents = np.floor(START_CENTS * np.exp(log_moves) + 0.5).astype(np.int64)
    return market(name, START_MS + 1_000 * np.arange(len(cents)), cents)
