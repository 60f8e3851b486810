"""How the shape of the reward model was learned: maximum likelihood on the learning data only.

    python -m bench.fit_rewards

Prints the shape that `domain.rates.RewardSettings` carries as defaults, then the frequencies that
its recalibration is read from. The likelihood is that of every cell of sampled quotes, won or not.
"""

import attrs
import numpy as np
from numpy.typing import NDArray

from bench.bench_rewards import LEARNING
from bench.reward_market import COLUMN_S, ROW_CENTS, Ints, moments, recorded
from domain.rates import Floats, RewardSettings, touch_probability
from domain.volatility import VolatilityState

SAMPLE_EVERY_MS = (12_000, 6_000)  # of the oracle's 11.5 hours, of Coinbase's half hour
WEIGHTS = (1.0, 0.25)  # half an hour of a calm market must not outvote a day
ROUNDS = 8
NUDGE = 0.03
BINS = (0.003, 0.01, 0.02, 0.03, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.36, 0.42, 0.5, 0.6, 0.7, 1.0)
IDENTITY = ((0.0, 0.0), (1.0, 1.0))


@attrs.frozen(kw_only=True)
class Sample:
    """A quote's worth of cells and whether they were won."""

    price_cents: int
    horizons_s: list[float]
    row_los_cents: list[int]
    state: VolatilityState
    won: NDArray[np.bool_]
    weight: float

    def probabilities(self, settings: RewardSettings) -> Floats:
        """By the model with these settings."""
        return touch_probability(
            price_cents=self.price_cents,
            horizons_s=self.horizons_s,
            volatility=self.state,
            column_s=COLUMN_S,
            row_los_cents=self.row_los_cents,
            row_cents=ROW_CENTS,
            settings=settings,
        )


def main() -> None:
    """Fit, print the shape, print what is left to recalibrate."""
    samples = learning_samples()
    shape = np.array([0.66, 0.66, 0.44, 0.1, -0.1])  # a first guess
    settings, score = with_shape(shape), likelihoods(samples, with_shape(shape))
    print(f"{len(samples)} quotes; start {score.sum():.1f}")
    damping = 1e-3
    for _ in range(ROUNDS):
        shape, score, damping = improved(samples, shape, score, damping)
        settings = with_shape(shape)
        print(f"{score.sum():.1f} {np.round(shape, 3).tolist()}", flush=True)
    print_frequencies(samples, settings)


def with_shape(shape: Floats) -> RewardSettings:
    """Settings of three spread shares, and how sigma and the window go by the tail."""
    values = shape.tolist()
    return RewardSettings(
        spread_shares=tuple(values[:3]),
        sigma_by_tail=values[3],
        window_by_tail=values[4],
        recalibration=IDENTITY,
    )


def learning_samples() -> list[Sample]:
    """Quotes of the learning data, columns judged only."""
    samples = []
    for span, every_ms, weight in zip(LEARNING, SAMPLE_EVERY_MS, WEIGHTS, strict=True):
        market = recorded(span.name, span.file)
        length_ms = int(market.tick_ms[-1] - market.tick_ms[0])
        begin_ms = int(market.tick_ms[0]) + span.begin * length_ms
        end_ms = int(market.tick_ms[0]) + span.end * length_ms - 75_000
        next_ms = begin_ms
        for moment in moments(market, 250):
            if not next_ms <= moment.at_ms < end_ms:
                continue
            next_ms = moment.at_ms + every_ms + 137  # drifts through the phases of a column
            columns: Ints = moment.at_ms // 5_000 + 2 + np.arange(12)
            los = (moment.tick_cents // ROW_CENTS - 20 + np.arange(40)) * ROW_CENTS
            won, is_judged = market.won(columns, los)
            horizons_s = (columns[is_judged] * 5_000 - moment.tick_ms) / 1000
            samples.append(
                Sample(
                    price_cents=moment.tick_cents,
                    horizons_s=horizons_s.tolist(),
                    row_los_cents=los.tolist(),
                    state=moment.state,
                    won=won[is_judged],
                    weight=weight,
                )
            )
    return samples


def likelihoods(samples: list[Sample], settings: RewardSettings) -> Floats:
    """Log-likelihood of each sample, weighted."""
    return np.array([_likelihood(sample, settings) for sample in samples])


def _likelihood(sample: Sample, settings: RewardSettings) -> float:
    p = np.clip(sample.probabilities(settings), 1e-6, 1 - 1e-6)
    return float(sample.weight * np.log(np.where(sample.won, p, 1 - p)).sum())


def improved(
    samples: list[Sample], shape: Floats, score: Floats, damping: float
) -> tuple[Floats, Floats, float]:
    """One damped step of Fisher scoring with numeric slopes; the same shape if none helps."""
    nudged = [likelihoods(samples, with_shape(shape + NUDGE * unit)) for unit in np.eye(len(shape))]
    slopes = (np.array(nudged) - score) / NUDGE
    curvature = slopes @ slopes.T
    while damping < 1e4:
        damped = curvature + damping * np.diag(np.diag(curvature))
        candidate = shape + np.clip(np.linalg.solve(damped, slopes.sum(axis=1)), -0.3, 0.3)
        candidate_score = likelihoods(samples, with_shape(candidate))
        if candidate_score.sum() > score.sum():
            return candidate, candidate_score, damping / 5
        damping *= 8
    return shape, score, damping


def print_frequencies(samples: list[Sample], settings: RewardSettings) -> None:
    """Predicted and realised by probability, per learning span: the recalibration's source."""
    print("| span | P | cells | predicted | realised |\n|---|---|---|---|---|")
    for span, weight in zip(LEARNING, WEIGHTS, strict=True):
        of_span = [sample for sample in samples if sample.weight == weight]
        p = np.concatenate([sample.probabilities(settings).ravel() for sample in of_span])
        won = np.concatenate([sample.won.ravel() for sample in of_span])
        bins = np.digitize(p, BINS)
        for number in range(1, len(BINS)):
            cells = bins == number
            if cells.sum() >= 100:
                print(
                    f"| {span.name} | {BINS[number - 1]:.3f} | {cells.sum():,} "
                    f"| {p[cells].mean():.4f} | {won[cells].mean():.4f} |"
                )


if __name__ == "__main__":
    main()
