"""A sniper against the quotes: who knows the newest tick and taps the best live quote.

Rule 5 of product.md: quote n is honoured for 3 s after publishing and 2 s after being replaced, and
only while the cell's current rate is at least a share (85 %) of the quoted one. Two snipers:

* *level*: taps when the venue has just quoted on the newest tick: only the grace is worth taking;
* *ahead*: taps on a tick the venue has not quoted on yet, so the newest quote is stale too.

Both value every cell with the house's own model at the newest tick, tap the best one at every
quote, and are free of the rule of one bet per cell (they hold enough wallets).
"""

from collections import deque

import attrs
import numpy as np
from numpy.typing import NDArray

from bench.reward_market import Market, PricedQuote
from bench.reward_scores import BLOCK_MS, Estimate, ratio
from domain.rates import Floats

LIVE_MS = 3_000
REPLACED_LIVE_MS = 2_000


@attrs.define
class Sniper:
    """One way to snipe; `returns` has per block the bets and what they returned at stake 1."""

    is_ahead: bool
    grace_share: float
    """Least current rate over the quoted one; above 1 there is no grace."""
    value_min: float = 0.0
    """Taps only what the model values at least so much per stake."""
    returns: dict[int, Floats] = attrs.field(factory=dict)
    quotes: deque[PricedQuote] = attrs.field(factory=deque)

    def see(self, quote: PricedQuote, market: Market) -> None:
        """A new quote, on a tick the sniper knows: tap before or after it is published."""
        if not self.is_ahead:
            self.quotes.append(quote)
        while len(self.quotes) > 1 and self._is_over(quote.at_ms):
            self.quotes.popleft()
        if self.quotes:
            self._tap(quote, market)
        if self.is_ahead:
            self.quotes.append(quote)

    def _is_over(self, at_ms: int) -> bool:
        oldest, successor = self.quotes[0], self.quotes[1]
        is_old = oldest.at_ms < at_ms - LIVE_MS
        return is_old or successor.at_ms < at_ms - REPLACED_LIVE_MS

    def _tap(self, now: PricedQuote, market: Market) -> None:
        current = _aligned(self.quotes[-1], now)
        best = current
        for quote in list(self.quotes)[:-1]:
            named = _aligned(quote, now)
            in_grace = (named > 0) & (current > 0) & (current >= self.grace_share * named)
            best = np.where(in_grace, np.maximum(best, named), best)
        values = best / 10_000 * now.probabilities
        column, row = np.unravel_index(np.argmax(values), values.shape)
        if values[column, row] <= self.value_min:
            return
        won, is_judged = market.won(
            now.columns[column : column + 1], now.row_los_cents[row : row + 1]
        )
        if is_judged[0]:
            block = self.returns.setdefault(now.at_ms // BLOCK_MS, np.zeros(2))
            block += (1, best[column, row] / 10_000 * won[0, 0])

    def estimate(self) -> tuple[int, Estimate | None]:
        """How many bets, and the return to the sniper."""
        if not self.returns:
            return 0, None
        blocks = np.stack([self.returns[block] for block in sorted(self.returns)])
        return int(blocks[:, 0].sum()), ratio(blocks[:, 1], blocks[:, 0])


def _aligned(quote: PricedQuote, frame: PricedQuote) -> NDArray[np.int64]:
    """The rates of `quote` on the columns and rows of `frame`; 0 where it has none."""
    rates = np.zeros_like(frame.rates_bps)
    columns = frame.columns - quote.columns[0]
    rows = (frame.row_los_cents - quote.row_los_cents[0]) // (
        frame.row_los_cents[1] - frame.row_los_cents[0]
    )
    has_column = (columns >= 0) & (columns < len(quote.columns))
    has_row = (rows >= 0) & (rows < len(quote.row_los_cents))
    rates[np.ix_(has_column, has_row)] = quote.rates_bps[np.ix_(columns[has_column], rows[has_row])]
    return rates
