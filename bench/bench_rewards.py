"""Do the reward rates hold? Predicted against realised on recorded markets, as markdown.

    python -m bench.bench_rewards            # held-out data, three minutes
    python -m bench.bench_rewards --rule path --priced touch # judged by one rule, paid by another
    python -m bench.bench_rewards --learning # the data the model was learned on, for comparison

Run from the root of the project, with the recorded data in ../shared/data. `bench/RESULTS.md` has
the figures of each run that is claimed.
"""

import argparse
import time
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import pairwise

import attrs
import numpy as np
from numpy.typing import NDArray

from bench.reward_market import (
    QUOTE_APART_MS,
    ROW_CENTS,
    Market,
    PricedQuote,
    moments,
    price,
    recorded,
    simulated,
)
from bench.reward_regimes import months
from bench.reward_scores import (
    BLOCK_MS,
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
from domain import volatility
from domain.rates import Floats, RewardSettings, reward_table
from domain.resolution import Rule

ORACLE = "btcusd_price_1hz_chainlink_20260608.csv.gz"
COINBASE = "btcusd_trades_coinbase_20230905.csv.gz"
BINANCE = "btcusdt_trades_binance_spot_20240808.csv.gz"
KRAKEN = "btcusdt_trades_kraken_20251110.csv.gz"
GRACE_SHARES = (0.85, 0.95, 0.98, 2.0)
BLOCKS_MIN = 12
"""Two hours. Fewer blocks of ten minutes say nothing on how much a figure may vary."""
FOLLOWED_MS = 5_000
FOLLOWED_CENTS = ROW_CENTS
SIMULATED = "Simulator: plain random walk, 3 h"
SIMULATED_SEED = 7
REGIMES = "Minute bars, 2020-03 to 2021-03, a minute as a second"
REGIME_APART_MS = 17_000  # drifts through the phases of a column


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
    parser.add_argument("--only", help="only the parts whose name contains this")
    parser.add_argument("--rule", choices=[rule.value for rule in Rule], default="touch")
    parser.add_argument("--priced", choices=[rule.value for rule in Rule], help="... if by another")
    options = parser.parse_args()
    rule, settings = Rule(options.rule), RewardSettings(rule=Rule(options.priced or options.rule))
    wanted = options.only or ""
    if not wanted:
        report_speed(settings)
    for span in LEARNING if options.learning else HELD_OUT:
        if wanted in span.name:
            market = attrs.evolve(recorded(span.name, span.file), rule=rule)
            report(market, span.begin, span.end, settings)
    if wanted in SIMULATED and not options.learning:
        market = attrs.evolve(simulated(SIMULATED, SIMULATED_SEED), rule=rule)
        report(market, 0.1, 1.0, settings)
    if wanted in REGIMES and not options.learning and rule is Rule.TOUCH:
        report_regimes(settings)


def report_speed(settings: RewardSettings) -> None:
    """How long one quote of 12 x 40 cells takes, and one tick."""
    ticks = simulated(SIMULATED, SIMULATED_SEED, hours=0.05)
    states = list(moments(ticks, QUOTE_APART_MS))
    quotes_s = []
    for moment in states[-200:]:
        began = time.perf_counter()
        reward_table(
            price_cents=moment.tick_cents,
            price_ts_ms=moment.tick_ms,
            now_ms=moment.at_ms,
            volatility=moment.state,
            column_starts_s=range(
                moment.at_ms // 5_000 * 5 + 10, moment.at_ms // 5_000 * 5 + 70, 5
            ),
            column_s=5,
            row_los_cents=range(moment.tick_cents - 20_000, moment.tick_cents + 20_000, ROW_CENTS),
            row_cents=ROW_CENTS,
            settings=settings,
        )
        quotes_s.append(time.perf_counter() - began)
    began = time.perf_counter()
    state = volatility.initial()
    for ts_ms, cents in zip(ticks.tick_ms.tolist(), ticks.tick_cents.tolist(), strict=True):
        state = volatility.update(state, ts_ms, cents)
    tick_s = (time.perf_counter() - began) / len(ticks.tick_ms)
    median, worst = np.median(quotes_s), max(quotes_s)
    print(f"One quote 12 x 40: median {1e3 * median:.2f} ms, worst of 200 {1e3 * worst:.2f} ms; ")
    print(f"one tick: {1e6 * tick_s:.0f} us.")


def report(market: Market, begin: float, end: float, settings: RewardSettings) -> None:
    """Score one span, from `begin` to `end` of the market's time: reliability, returns, snipers."""
    began = time.perf_counter()
    scores, follower = Scores(), Follower()
    snipers = [
        Sniper(is_ahead=is_ahead, grace_share=share)
        for is_ahead in (False, True)
        for share in GRACE_SHARES
    ]
    for quote in quotes(market, begin, end, settings):
        won, is_judged = market.won(quote.columns, quote.row_los_cents)
        follower.see(quote, won, is_judged)
        scores.add(
            quote.at_ms, quote.horizons_s, quote.probabilities, quote.rates_bps, won, is_judged
        )
        for sniper in snipers:
            sniper.see(quote, market)
    print(f"\n### {market.name}\n")
    print_scores(scores.blocks(), settings)
    follower.print()
    print_snipers(snipers)
    print(f"\n({time.perf_counter() - began:.0f} s)", flush=True)


def quotes(
    market: Market,
    begin: float,
    end: float,
    settings: RewardSettings,
    apart_ms: int = QUOTE_APART_MS,
) -> Iterator[PricedQuote]:
    """Every quote of the span, as the venue would publish it; ticks before it warm the estimate."""
    first, last = int(market.tick_ms[0]), int(market.tick_ms[-1])
    begin_ms, end_ms = first + begin * (last - first), first + end * (last - first)
    for moment in moments(market, apart_ms):
        if begin_ms <= moment.at_ms < end_ms:
            yield price(moment.at_ms, moment.tick_ms, moment.tick_cents, moment.state, settings)


@attrs.define
class Follower:
    """Plays every offered cell ahead of a move of a row or more in 5 s, and every one behind it."""

    prices: deque[tuple[int, int]] = attrs.field(factory=deque)
    returns: dict[int, Floats] = attrs.field(factory=dict)  # [ahead or behind, cells or returned]

    def see(self, quote: PricedQuote, won: NDArray[np.bool_], is_judged: NDArray[np.bool_]) -> None:
        """One more quote and what became of its cells."""
        self.prices.append((quote.at_ms, quote.price_cents))
        while self.prices[0][0] < quote.at_ms - FOLLOWED_MS:
            self.prices.popleft()
        move = quote.price_cents - self.prices[0][1]
        if abs(move) < FOLLOWED_CENTS:
            return
        above = quote.row_los_cents > quote.price_cents
        below = quote.row_los_cents + ROW_CENTS < quote.price_cents
        block = self.returns.setdefault(quote.at_ms // BLOCK_MS, np.zeros((2, 2)))
        for side, rows in enumerate((above, below) if move > 0 else (below, above)):
            offered = (quote.rates_bps > 0) & is_judged[:, None] & rows
            block[side] += (
                offered.sum(),
                (quote.rates_bps[offered] * won[offered]).sum() / 10_000,
            )

    def print(self) -> None:
        """Returns ahead and behind."""
        if not self.returns:
            return
        blocks = np.stack([self.returns[block] for block in sorted(self.returns)])
        ahead, behind = (ratio(blocks[:, side, 1], blocks[:, side, 0]) for side in (0, 1))
        print(f"\nAfter a move of 10 USD in 5 s: all cells ahead of it return {_percent(ahead)}, ")
        print(f"all behind it {_percent(behind)}.")


def report_regimes(settings: RewardSettings) -> None:
    """Thirteen months of minute bars, played sixty times as fast."""
    began = time.perf_counter()
    print(f"\n### {REGIMES}\n")
    print("| month | cells | predicted | realised | return |\n|---|---|---|---|---|")
    all_blocks = []
    for market in months():
        scores = Scores()
        for quote in quotes(market, 0.01, 1.0, settings, apart_ms=REGIME_APART_MS):
            won, is_judged = market.won(quote.columns, quote.row_los_cents)
            scores.add(
                quote.at_ms, quote.horizons_s, quote.probabilities, quote.rates_bps, won, is_judged
            )
        all_blocks.append(scores.blocks())
        sums = scores.blocks().sum(axis=(1, 2))
        total = sums.sum(axis=0)
        returned = _percent(ratio(sums[:, RETURNED], sums[:, COUNT]))
        print(
            f"| {market.name} | {int(total[COUNT]):,} | {total[PREDICTED] / total[COUNT]:.4f} "
            f"| {total[WON] / total[COUNT]:.4f} | {returned} |"
        )
    print()
    print_scores(np.concatenate(all_blocks), settings)
    print(f"\n({time.perf_counter() - began:.0f} s)", flush=True)


def print_scores(blocks: Floats, settings: RewardSettings) -> None:
    """Reliability and returns by bucket and horizon, and what is outside the bounds."""
    total = blocks.sum(axis=(0, 1, 2))
    print(
        f"{int(total[COUNT]):,} cells in {len(blocks)} blocks; Brier score "
        f"{total[SQUARED] / total[COUNT]:.5f} "
        f"(always the base rate: {_base_brier(total):.5f})\n"
    )
    heads = [f"{a:.0f}-{b:.0f} s" for a, b in pairwise(HORIZONS_S)]
    print("| P(touch) | cells | predicted | realised | return, all | " + " | ".join(heads) + " |")
    print("|---|---|---|---|---|" + "---|" * len(heads))
    verdicts: list[str] = []
    rows = [
        (f"{100 * a:.0f}-{100 * b:.0f} %", blocks[:, i])
        for i, (a, b) in enumerate(pairwise(PROBABILITIES))
    ]
    rows.append(("all", blocks.sum(axis=1)))
    for name, sums in rows:
        _print_row(name, sums, heads, settings, verdicts)
    if len(blocks) < BLOCKS_MIN:
        print(f"\nNot judged: {len(blocks)} blocks are too few to tell chance from fault.")
    else:
        print("\nOutside the bounds: " + ("; ".join(verdicts) if verdicts else "none."))


def _base_brier(total: Floats) -> float:
    base = total[WON] / total[COUNT]
    return float(base * (1 - base))


def _print_row(
    name: str,
    sums: Floats,
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
        verdict = _verdict(estimate, settings)
        if verdict and (part[:, COUNT] > 0).sum() < BLOCKS_MIN:
            verdict += " (not judged: too few blocks have such cells)"
        if verdict:
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
