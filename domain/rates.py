"""Reward rates of the grid: what a won tap pays, from the probability that the price touches.

`reward_table` prices a whole quote; `touch_probability` is the model behind it. Both are pure and
vectorised over columns and rows. Floats stay inside: rates leave as integer basis points.

The rule priced is the rule that settles. By `touch` a cell [lo, hi] x [t0, t1) is won by the price
in force at t0 or by any tick in the window inside the closed row. Hence, for one sigma,

    P = P(inside at t0) + P(below at t0, reaches lo) + P(above at t0, reaches hi)

with the price at t0 normal around the last tick plus its drift, and the chance to reach an edge at
distance d within the window (1 + R) x Phi(-d / W). R = 1 is the reflection principle of a
continuous random walk; a price that gets where it goes in few jumps, or is seen at few moments,
reaches less far on the way, so R and W are taken from what the feed was measured to do
(`domain.volatility`). Where the price is a random walk seen at discrete moments, that agrees with
the barrier shifted by 0.5826 sigma sqrt(dt) of Broadie, Glasserman and Kou; on recorded markets
that shift alone left near rows overpriced by a quarter. A fast price may also step over a row
without landing in it; by `path` that wins too, and nothing is taken off for it.

All of this is averaged over a spread of sigmas, as wide as the feed's tails are heavy and wider at
short horizons; what is left is mended by a recalibration learned on past data.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import attrs
import numpy as np
from numpy.typing import NDArray

from domain.resolution import Rule
from domain.volatility import VolatilityState

Floats = NDArray[np.float64]
BPS: Final = 10_000


@attrs.frozen(kw_only=True)
class RewardSettings:
    """How a probability becomes a rate, and the shape of the model. ValueError if it can't be.

    `spread_shares` to `window_by_tail` and the recalibration were learned (`bench/fit_rewards.py`,
    maximum likelihood) on the first 48 % of the recorded 1 Hz day and the first half of the
    recorded hour of trades; bench/RESULTS.md judges them on the rest.
    """

    rule: Rule = Rule.TOUCH
    """How the cells will be judged."""
    edge_bps: int = 300
    reward_bps_min: int = 10_100
    """A cell whose fair rate is below is not offered."""
    reward_bps_max: int = 1_000_000
    unknown_probability: float = 0.003
    """Added to every touch probability before it is paid on, for what the model can't know about
    far cells: it takes 1 % of the rate of a cell at 30 %, and 13 % of one at 2 %."""
    offer_probability_min: float = 0.02
    """A cell less likely than this is not offered: no day of data can tell its odds."""

    horizons_s: tuple[float, ...] = (6.0, 20.0, 70.0)
    """Where `spread_shares` is given; between, it is linear in the logarithm of the horizon."""
    spread_shares: tuple[float, ...] = (0.66, 0.64, 0.46)
    """How much of the feed's tail spread is left over such a horizon."""
    sigma_by_tail: float = 0.10
    """Sigma is multiplied by exp(0.10 x tail spread): 1 on a random walk, 1.07 on a market."""
    window_by_tail: float = -0.165
    """The distance reached within a window, likewise: 0.90 of what the feed's stray says."""
    reach_at_edge: float = 0.45
    """Least R: a price at the very edge reaches it with at least (1 + 0.45) / 2."""
    cold_spread: float = 0.5
    """The further spread of sigma before the first tick; it fades with the prior's weight."""
    recalibration: tuple[tuple[float, float], ...] = (
        (0.0, 0.0),
        (0.30, 0.30),
        (0.33, 0.338),
        (0.39, 0.402),
        (0.455, 0.502),
        (0.54, 0.594),
        (0.65, 0.692),
        (0.79, 0.815),
        (1.0, 1.0),
    )
    """Probability of the model -> frequency seen on the learning data, linear in between. One map
    serves all horizons: below 0.30 none needed one, above both feeds and all horizons agreed."""

    def __attrs_post_init__(self) -> None:
        if not 0 <= self.edge_bps < BPS:
            raise ValueError("rewards.edge_bps must be from 0 to 9,999")
        if not BPS < self.reward_bps_min <= self.reward_bps_max:
            raise ValueError("rewards.reward_bps_min must be over 10,000 and at most the maximum")
        if not 0 <= self.unknown_probability < 1 or not 0 <= self.offer_probability_min < 1:
            raise ValueError("rewards probabilities must be from 0 to below 1")
        if len(self.horizons_s) != len(self.spread_shares) or not self.horizons_s:
            raise ValueError("rewards.spread_shares needs one value for each of horizons_s")
        for before, after in pairwise(self.recalibration):
            if not (before[0] < after[0] and before[1] <= after[1]):
                raise ValueError("rewards.recalibration must rise")


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
    """Reward in basis points as [column][row]; 0 where the cell is not offered.

    `price_cents` is the newest tick and `price_ts_ms` its exchange time: horizons are counted from
    it, so that a slow feed is priced. A tick from the future counts as of `now_ms`.
    """
    known_s = min(price_ts_ms, now_ms) / 1000
    probabilities = touch_probability(
        price_cents=price_cents,
        horizons_s=[start_s - known_s for start_s in column_starts_s],
        volatility=volatility,
        column_s=column_s,
        row_los_cents=row_los_cents,
        row_cents=row_cents,
        settings=settings,
    )
    rates: list[list[int]] = rewards_bps(probabilities, settings).tolist()
    return tuple(tuple(column) for column in rates)


def rewards_bps(probabilities: Floats, settings: RewardSettings) -> NDArray[np.int64]:
    """The rates, of the same shape, that touch probabilities are paid at; 0 is not offered."""
    fair = (BPS - settings.edge_bps) / np.maximum(
        probabilities + settings.unknown_probability, (BPS - settings.edge_bps) / 1e12
    )
    is_offered = (fair >= settings.reward_bps_min) & (
        probabilities >= settings.offer_probability_min
    )
    paid = np.minimum(np.floor(fair), settings.reward_bps_max).astype(np.int64)
    return np.where(is_offered, paid, 0)


def touch_probability(
    *,
    price_cents: int,
    horizons_s: Sequence[float],
    volatility: VolatilityState,
    column_s: int,
    row_los_cents: Sequence[int],
    row_cents: int,
    settings: RewardSettings,
) -> Floats:
    """Probability, as an array [column, row], that the price wins the cell.

    `horizons_s`: from the newest tick to the start of each column, in seconds.
    """
    horizons = np.asarray(horizons_s, dtype=np.float64)
    los = np.asarray(row_los_cents, dtype=np.float64)
    edges = np.log(np.maximum(np.stack((los, los + row_cents)), 1.0) / price_cents)
    sigma = volatility.sigma * math.exp(settings.sigma_by_tail * volatility.tail_spread)
    spans_s = _spans_to_open(horizons, volatility)
    multiples = _sigma_multiples(horizons, volatility, settings)  # [column, node]
    # Distances in deviations of the price at t0: [edge, column, row, node].
    deviations = (sigma * np.sqrt(spans_s)[:, None] * multiples)[:, None, :]
    both = (edges - volatility.drift)[:, None, :, None] / deviations
    (lower, upper), (below, above) = both, _phi(both)
    reach = _Reach.over(spans_s, column_s, volatility, settings)
    landing = _landing(row_cents / price_cents, sigma * multiples, volatility, settings.rule)
    touched = (
        above - below + landing[:, None, :] * (reach.from_below(lower) + reach.from_below(-upper))
    )
    seen, happened = zip(*settings.recalibration, strict=True)
    recalibrated: Floats = np.interp(touched @ _SPREAD_WEIGHTS, seen, happened)
    return recalibrated


# Gauss-Hermite nodes over the logarithm of sigma: 7 reach out to 3.75 standard deviations.
_SPREAD_NODES, _SPREAD_WEIGHTS = np.polynomial.hermite_e.hermegauss(7)
_SPREAD_WEIGHTS = _SPREAD_WEIGHTS / _SPREAD_WEIGHTS.sum()

# Gauss-Legendre nodes over the distance between the price at t0 and the edge, in window widths W.
_REACH_WIDTHS_MAX = 5.0  # Phi(-5) is 3e-7
_legendre_nodes, _legendre_weights = np.polynomial.legendre.leggauss(12)
_REACH_NODES = _REACH_WIDTHS_MAX / 2 * (_legendre_nodes + 1)
_REACH_WEIGHTS = _REACH_WIDTHS_MAX / 2 * _legendre_weights

_HORIZON_S_MIN = 0.25
_SPAN_SHARE_MIN = 0.25  # lag and tick interval take at most three quarters of a horizon
_CARRY_IN_TICKS = 0.5  # the price in force at t0 is on average half a tick interval old
_STEP_OVER = 1.9
"""A random walk of step s lands in a row of height h that it reaches with 1 - exp(-1.9 h / s): a
fit, within 0.03, to a simulation that lets it turn back for two steps."""


def _spans_to_open(horizons_s: Floats, volatility: VolatilityState) -> Floats:
    """Seconds of full movement between the newest tick and the price in force at t0."""
    horizons_s = np.maximum(horizons_s, _HORIZON_S_MIN)
    owed_s = volatility.lag_s + _CARRY_IN_TICKS * volatility.tick_interval_s
    return np.maximum(horizons_s - owed_s, _SPAN_SHARE_MIN * horizons_s)


def _sigma_multiples(
    horizons_s: Floats, volatility: VolatilityState, settings: RewardSettings
) -> Floats:
    """Multiples of sigma to average over, [column, node]; when warm their mean square is 1."""
    log_horizons = np.log(np.maximum(horizons_s, _HORIZON_S_MIN))
    shares = np.interp(log_horizons, np.log(settings.horizons_s), settings.spread_shares)
    warm = shares * volatility.tail_spread
    spreads = np.sqrt(warm**2 + settings.cold_spread**2 * volatility.prior_share)
    return np.exp(spreads[:, None] * _SPREAD_NODES - warm[:, None] ** 2)


def _landing(height: float, sigmas: Floats, volatility: VolatilityState, rule: Rule) -> Floats:
    """Probability that a price which gets to a row, `height` in log price, has won it: by `touch`
    it has to land inside rather than step over it."""
    if rule is Rule.PATH:
        return np.ones_like(sigmas)
    ticks = math.sqrt(volatility.tick_interval_s * volatility.fine_share)
    return 1 - np.exp(-_STEP_OVER * height / (sigmas * ticks))


@attrs.frozen(kw_only=True)
class _Reach:
    """The chance to be below an edge at t0 and to reach it within the window, per column."""

    distances: Floats  # [column, 1, 1, node], in deviations of the price at t0
    chances: Floats  # [column, node], times quadrature weights and the normal density's constant

    @classmethod
    def over(
        cls,
        spans_s: Floats,
        column_s: int,
        volatility: VolatilityState,
        settings: RewardSettings,
    ) -> "_Reach":
        window_s = max(column_s - volatility.lag_s, _SPAN_SHARE_MIN * column_s)
        excess = max(settings.reach_at_edge, volatility.roughness)
        # The mean of (1 + R) Phi(-d / W) over d is (1 + R) W / sqrt(2 pi): W is set to make it what
        # the feed strays.
        stray = volatility.stray * math.exp(settings.window_by_tail * volatility.tail_spread)
        match = stray * math.sqrt(2 * math.pi) / (1 + excess)
        widths = match * np.sqrt(window_s / spans_s)[:, None]
        chances = (1 + excess) * _REACH_PHI * _REACH_WEIGHTS / math.sqrt(2 * math.pi)
        return cls(distances=(widths * _REACH_NODES)[:, None, None, :], chances=widths * chances)

    def from_below(self, edges: Floats) -> Floats:
        """For edges [column, row, sigma] in deviations; same shape."""
        densities = edges[..., None] - self.distances
        np.square(densities, out=densities)
        densities *= -0.5
        np.exp(densities, out=densities)
        reached: Floats = np.einsum("crsn,cn->crs", densities, self.chances)
        return reached


def _phi(x: Floats) -> Floats:
    """The normal distribution function, to 1.5e-7 (Abramowitz and Stegun 7.1.26)."""
    t = 1 / (1 + 0.2316418882 * np.abs(x))
    poly = t * _ERF_COEFFICIENTS[-1]
    for coefficient in _ERF_COEFFICIENTS[-2::-1]:  # Horner's scheme, in place
        poly += coefficient
        poly *= t
    tail = 0.5 * poly * np.exp(-0.5 * x * x)
    result: Floats = np.where(x > 0, 1 - tail, tail)
    return result


_ERF_COEFFICIENTS = (0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429)
_REACH_PHI = _phi(-_REACH_NODES)
