"""Scores of priced cells against what happened, per block of ten minutes, with block bootstrap.

Cells of one moment, and of moments near one another, are settled by the same few price moves: only
whole blocks of time are independent enough to resample.
"""

import attrs
import numpy as np
from numpy.typing import NDArray

from domain.rates import Floats

BLOCK_MS = 600_000
PROBABILITIES = (0.01, 0.03, 0.10, 0.20, 0.50, 0.70, 1.0)
HORIZONS_S = (0.0, 15.0, 30.0, 50.0, 80.0)
RESAMPLES = 4_000
SEED = 20_261_120

COUNT, PREDICTED, WON, RETURNED, SQUARED = range(5)


@attrs.define
class Scores:
    """Sums over offered cells, [block, probability bucket, horizon bucket, COUNT...SQUARED]."""

    by_block: dict[int, Floats] = attrs.field(factory=dict)

    def add(
        self,
        at_ms: int,
        horizons_s: Floats,
        probabilities: Floats,
        rates_bps: NDArray[np.int64],
        won: NDArray[np.bool_],
        is_judged: NDArray[np.bool_],
    ) -> None:
        """Count every offered cell [column, row] of the judged columns once, at stake 1."""
        counted = (rates_bps > 0) & is_judged[:, None]
        if not counted.any():
            return
        shape = (len(PROBABILITIES) - 1, len(HORIZONS_S) - 1, 5)
        sums = self.by_block.setdefault(at_ms // BLOCK_MS, np.zeros(shape))
        p, rate, hit = probabilities[counted], rates_bps[counted] / 10_000, won[counted]
        bucket = np.clip(np.searchsorted(PROBABILITIES, p, "right") - 1, 0, shape[0] - 1)
        horizon = np.broadcast_to(horizons_s[:, None], counted.shape)[counted]
        column = np.clip(np.searchsorted(HORIZONS_S, horizon, "right") - 1, 0, shape[1] - 1)
        values = np.stack((np.ones_like(p), p, hit, rate * hit, (p - hit) ** 2), axis=1)
        np.add.at(sums, (bucket, column), values)

    def blocks(self) -> Floats:
        """[block, probability bucket, horizon bucket, sum]."""
        return np.stack([self.by_block[block] for block in sorted(self.by_block)])


@attrs.frozen(kw_only=True)
class Estimate:
    """A ratio of sums with its 95 % interval by block bootstrap."""

    value: float
    low: float
    high: float

    @property
    def half_width(self) -> float:
        return (self.high - self.low) / 2


def ratio(numerators: Floats, denominators: Floats) -> Estimate:
    """Sum over sum of per-block figures [block]; blocks resampled with replacement."""
    rng = np.random.default_rng(SEED)
    n = len(numerators)
    picks = rng.integers(0, n, (RESAMPLES, n))
    below = denominators[picks].sum(axis=1)
    resampled = numerators[picks].sum(axis=1) / np.where(below > 0, below, np.nan)
    low, high = np.nanquantile(resampled, (0.025, 0.975))
    value = numerators.sum() / denominators.sum()
    return Estimate(value=float(value), low=float(low), high=float(high))
