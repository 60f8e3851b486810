"""Do the reward rates hold? Predicted against realised on recorded markets, as markdown.

    python -m bench.bench_rewards            # held-out data, some minutes
    python -m bench.bench_rewards --learning # the data the model was learned on, for comparison

Run from the root of the project, with the recorded data in ../shared/data. `bench/RESULTS.md` has
the figures of each run that is claimed.
"""

import argparse
import time
from collections.abc import Sequence

import attrs
import numpy as np

from bench.reward_market import (
    QUOTE_APART_MS,
    Market,
    PricedQuote,
    moments,
    price,
    recorded,
)
from bench.reward_scores import (
    COUNT,
    HORIZONS_S,
    PREDICTED,
    PROBABILITIES,
    RETURNED,
    SQUARED,
    WON,
    Estimate,
    Scores,
    ratio,
)
from bench.reward_sniper import Sniper
from domain.rates import RewardSettings

ORACLE = "btcusd_price_1hz_chainlink_20260608.csv.gz"
COINBASE = "btcusd_trades_coinbase_20230905.csv.gz"
BINANCE = "btcusdt_trades_binance_spot_20240808.csv.gz"
KRAKEN = "btcusdt_trades_kraken_20251110.csv.gz"
GRACE_SHARES = (0.85, 0.95, 0.97, 0.98, 2.0)


@attrs.frozen(kw_only=True)
class Span:
    """The part of a file that is scored; the ticks before it only warm the estimates up."""

    name: str
    file: str
    begin: float  # share of the file's time
    end: float


HELD_OUT = (
    Span(name="1 Hz oracle, 12:00-24:00", file=ORACLE, begin=0.50, end=1.0),
    Span(name="Coinbase, second half hour", file=COINBASE, begin=0.5, end=1.0),
    Span(name="Binance, 10.8 min", file=BINANCE, begin=0.0, end=1.0),
    Span(name="Kraken, thin", file=KRAKEN, begin=0.0, end=1.0),
)
LEARNING = (
    Span(name="1 Hz oracle, 00:00-11:31", file=ORACLE, begin=0.0, end=0.48),
    Span(name="Coinbase, first half hour", file=COINBASE, begin=0.0, end=0.5),
)


def main() -> None:
    """Print the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--learning", action="store_true", help="score the learning data instead")
    options = parser.parse_args()
    settings = RewardSettings()
    for span in LEARNING if options.learning else HELD_OUT:
        report(span, settings)


def report(span: Span, settings: RewardSettings) -> None:
    """Score one span: reliability, returns, snipers."""
    began = time.perf_counter()
    market = recorded(span.name, span.file)
    scores = Scores()
    snipers = [
        Sniper(is_ahead=is_ahead, grace_share=share)
        for is_ahead in (False, True)
        for share in GRACE_SHARES
    ]
    for quote in quotes(market, span, settings):
        won, is_judged = market.won(quote.columns, quote.row_los_cents)
        scores.add(
            quote.at_ms, quote.horizons_s, quote.probabilities, quote.rates_bps, won, is_judged
        )
        for sniper in snipers:
            sniper.see(quote, market)
    print(f"\n### {span.name}\n")
    if scores.by_block:
        print_scores(scores.blocks(), settings)
        print_snipers(snipers)
    print(f"\n({time.perf_counter() - began:.0f} s)", flush=True)


def quotes(market: Market, span: Span, settings: RewardSettings) -> Sequence[PricedQuote]:
    """Every quote of the span, as the venue would publish it."""
    first, last = int(market.tick_ms[0]), int(market.tick_ms[-1])
    begin_ms = first + span.begin * (last - first)
    end_ms = first + span.end * (last - first)
    return [
        price(moment.at_ms, moment.tick_ms, moment.tick_cents, moment.state, settings)
        for moment in moments(market, QUOTE_APART_MS)
        if begin_ms <= moment.at_ms < end_ms
    ]


def print_scores(blocks: np.ndarray, settings: RewardSettings) -> None:
    """Reliability and returns by bucket and horizon, and what is outside the bounds."""
    total = blocks.sum(axis=(0, 1, 2))
    print(
        f"{int(total[COUNT]):,} cells in {len(blocks)} blocks; Brier score "
        f"{total[SQUARED] / total[COUNT]:.5f} "
        f"(always the base rate: {_base_brier(total):.5f})\n"
    )
    heads = [f"{a:.0f}-{b:.0f} s" for a, b in zip(HORIZONS_S, HORIZONS_S[1:], strict=False)]
    print("| P(touch) | cells | predicted | realised | return, all | " + " | ".join(heads) + " |")
    print("|---|---|---|---|---|" + "---|" * len(heads))
    verdicts: list[str] = []
    rows = [
        (f"{100 * a:.0f}-{100 * b:.0f} %", blocks[:, i])
        for i, (a, b) in enumerate(zip(PROBABILITIES, PROBABILITIES[1:], strict=False))
    ]
    rows.append(("all", blocks.sum(axis=1)))
    for name, sums in rows:
        _print_row(name, sums, heads, settings, verdicts)
    print("\nOutside the bounds: " + ("; ".join(verdicts) if verdicts else "none."))


def _base_brier(total: np.ndarray) -> float:
    base = total[WON] / total[COUNT]
    return float(base * (1 - base))


def _print_row(
    name: str,
    sums: np.ndarray,
    heads: list[str],
    settings: RewardSettings,
    verdicts: list[str],
) -> None:
    """One probability bucket: sums [block, horizon, sum]."""
    whole = sums.sum(axis=(0, 1))
    if whole[COUNT] == 0:
        return
    cells = []
    for head, part in [("all", sums.sum(axis=1))] + [
        (head, sums[:, i]) for i, head in enumerate(heads)
    ]:
        if part[:, COUNT].sum() == 0:
            cells.append("-")
            continue
        estimate = ratio(part[:, RETURNED], part[:, COUNT])
        cells.append(f"{_percent(estimate)}")
        if verdict := _verdict(estimate, settings):
            verdicts.append(f"{name} at {head}: {_percent(estimate)} {verdict}")
    print(
        f"| {name} | {int(whole[COUNT]):,} | {whole[PREDICTED] / whole[COUNT]:.4f} "
        f"| {whole[WON] / whole[COUNT]:.4f} | " + " | ".join(cells) + " |"
    )


def _verdict(estimate: Estimate, settings: RewardSettings) -> str:
    target = 1 - settings.edge_bps / 10_000
    if estimate.low > 1:
        return "wholly above 100 %"
    if estimate.half_width <= 0.05 and abs(estimate.value - target) > 0.05:
        return f"not within 5 of {100 * target:.0f} %"
    return ""


def _percent(estimate: Estimate) -> str:
    return f"{100 * estimate.value:.0f} % ({100 * estimate.low:.0f}-{100 * estimate.high:.0f})"


def print_snipers(snipers: Sequence[Sniper]) -> None:
    """What each sniper got back."""
    print("\n| sniper | grace down to | bets | return |")
    print("|---|---|---|---|")
    for sniper in snipers:
        bets, estimate = sniper.estimate()
        share = f"{100 * sniper.grace_share:.0f} %" if sniper.grace_share <= 1 else "no grace"
        name = "ahead of the quote" if sniper.is_ahead else "level with it"
        got = f"{_percent(estimate)}" if estimate else "-"
        print(f"| {name} | {share} | {bets:,} | {got} |")


if __name__ == "__main__":
    main()
