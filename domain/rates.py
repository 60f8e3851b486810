"""Reward rates of the grid: what a won tap pays, from the probability that the price touches.

`reward_table` prices a whole quote; `touch_probability` is the model behind it. Both are pure and
vectorised over columns and rows. Floats stay inside: rates leave as integer basis points.

The rule priced is the rule that settles (`touch`): a cell [lo, hi] x [t0, t1) is won by the price
in force at t0 or by any tick in the window inside the closed row.
"""

import math
from collections.abc import Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from domain.volatility import VolatilityState

Floats = NDArray[np.float64]

DISCRETE_SHIFT = 0.5826  # -zeta(1/2)/sqrt(2 pi): Broadie, Glasserman and Kou 1997
HORIZON_S_MIN = 0.25


@attrs.frozen(kw_only=True)
class RewardSettings:
    """How a probability becomes a rate."""

    edge_bps: int = 300
    reward_bps_min: int = 10_100  # a fair rate below is not offered
    reward_bps_max: int = 1_000_000
    offer_probability_min: float = 0.01
    # Multiples of sigma and their weights: a heavy-tailed mixture with mean square 1.
    sigma_multiples: tuple[float, ...] = (0.45, 0.75, 1.0, 1.45, 2.6)
    sigma_weights: tuple[float, ...] = (0.2, 0.3, 0.3, 0.15, 0.05)


def reward_table(
    *,
    price_cents: int,
    price_ts_ms: int,
    now_ms: int,
    volatility: VolatilityState,
    column_starts_s: Sequence[int],
    column_s: int,
    row_los_cents: Sequence[int],
    row_cents: int,
    settings: RewardSettings,
) -> tuple[tuple[int, ...], ...]:
    """Reward in basis points as [column][row]; 0 where the cell is not offered."""
    probabilities = touch_probability(
        price_cents=price_cents,
        price_ts_ms=price_ts_ms,
        now_ms=now_ms,
        volatility=volatility,
        column_starts_s=column_starts_s,
        column_s=column_s,
        row_los_cents=row_los_cents,
        row_cents=row_cents,
        settings=settings,
    )
    rewards = _rewards_bps(probabilities, settings)
    return tuple(tuple(column) for column in rewards.tolist())


def touch_probability(
    *,
    price_cents: int,
    price_ts_ms: int,
    now_ms: int,
    volatility: VolatilityState,
    column_starts_s: Sequence[int],
    column_s: int,
    row_los_cents: Sequence[int],
    row_cents: int,
    settings: RewardSettings,
) -> Floats:
    """Probability, as an array [column, row], that the price touches the cell."""
    known_ms = min(price_ts_ms, now_ms)
    horizons_s = np.asarray(column_starts_s, dtype=np.float64) - known_ms / 1000
    horizons_s = np.maximum(horizons_s, HORIZON_S_MIN)
    los = np.log(np.asarray(row_los_cents, dtype=np.float64) / price_cents)
    his = np.log((np.asarray(row_los_cents, dtype=np.float64) + row_cents) / price_cents)
    total = np.zeros((len(horizons_s), len(los)))
    shift = DISCRETE_SHIFT * math.sqrt(volatility.tick_interval_s)
    for multiple, weight in zip(settings.sigma_multiples, settings.sigma_weights, strict=True):
        sigma = volatility.sigma * multiple
        scale = sigma * np.sqrt(horizons_s)[:, None]
        lower, upper = los / scale, his / scale
        ratio = np.sqrt(column_s / horizons_s)
        beta = shift / np.sqrt(horizons_s)
        inside = _phi(upper) - _phi(lower)
        total += weight * (inside + _reach(lower, ratio, beta) + _reach(-upper, ratio, beta))
    return np.clip(total, 0.0, 1.0)


_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(12)
_REACH_NODES = 2.5 * (_NODES + 1)  # 0 to 5 window deviations
_REACH_WEIGHTS = 2.5 * _WEIGHTS


def _reach(edge: Floats, ratio: Floats, beta: Floats) -> Floats:
    distance = _REACH_NODES * ratio[:, None]
    hit = 2 * _phi(-(distance + beta[:, None]) / ratio[:, None])
    density = np.exp(-0.5 * (edge[:, :, None] - distance[:, None, :]) ** 2)
    weights = hit * _REACH_WEIGHTS * ratio[:, None] / math.sqrt(2 * math.pi)
    return np.einsum("crk,ck->cr", density, weights)


def _phi(x: Floats) -> Floats:
    return 0.5 * (1 + _erf(x / math.sqrt(2)))


def _erf(x: Floats) -> Floats:
    # Abramowitz and Stegun 7.1.26, error below 1.5e-7.
    t = 1 / (1 + 0.3275911 * np.abs(x))
    poly = t * (
        0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))
    )
    return np.sign(x) * (1 - poly * np.exp(-x * x))


def _rewards_bps(probabilities: Floats, settings: RewardSettings) -> NDArray[np.int64]:
    fair = (10_000 - settings.edge_bps) / np.maximum(probabilities, 1e-9)
    offered = (fair >= settings.reward_bps_min) & (probabilities >= settings.offer_probability_min)
    clamped = np.minimum(np.floor(fair), settings.reward_bps_max).astype(np.int64)
    return np.where(offered, clamped, 0)
