"""Quotes: numbered sets of reward rates, and which rate a bet is paid (product.md, rule 5)."""

from collections.abc import Iterator

import attrs

from domain.caps import HouseCaps, stake_max_micros
from domain.grid import Cell
from domain.limits import QUOTE_GRACE_RATE_BPS, QUOTE_LIVE_MS, QUOTE_REPLACED_LIVE_MS
from domain.refusals import Code, Refusal
from domain.units import Bps, Cents, EpochMs, EpochS, Micros


@attrs.frozen(kw_only=True)
class Quote:
    """One published set of rates: `rates[column][row]` in basis points, 0 = not offered."""

    n: int
    """Numbers are never reused, restarts included."""
    published_at_ms: EpochMs
    price_cents: Cents
    column_s: int
    row_cents: Cents
    first_column_s: EpochS
    lowest_row_cents: Cents
    rates: tuple[tuple[Bps, ...], ...]
    caps: HouseCaps = attrs.field(factory=HouseCaps)

    def reward_bps(self, cell: Cell) -> Bps:
        """The rate of an aligned cell; 0 when this quote does not offer it."""
        column, off_column = divmod(cell.column_start_s - self.first_column_s, self.column_s)
        row, off_row = divmod(cell.lo_cents - self.lowest_row_cents, self.row_cents)
        aligned = not off_column and not off_row and cell.hi_cents == cell.lo_cents + self.row_cents
        if not (aligned and 0 <= column < len(self.rates) and 0 <= row < len(self.rates[0])):
            return 0
        return self.rates[column][row]

    def offered(self) -> Iterator[tuple[Cell, Bps, Micros]]:
        """Every offered cell with its rate and the largest stake the house takes on it."""
        for column, rates in enumerate(self.rates):
            for row, reward_bps in enumerate(rates):
                if reward_bps:
                    lo_cents = self.lowest_row_cents + row * self.row_cents
                    cell = Cell(
                        column_start_s=self.first_column_s + column * self.column_s,
                        lo_cents=lo_cents,
                        hi_cents=lo_cents + self.row_cents,
                    )
                    yield cell, reward_bps, stake_max_micros(self.caps, reward_bps)


@attrs.frozen(kw_only=True)
class QuoteBook:
    """The newest quote and those that may still be named, newest first.

    Empty while the feed gives nothing to quote on: then no cell is offered.
    """

    quotes: tuple[Quote, ...] = ()
    unpublished: Quote | None = None
    """The rates on a tick that came after the newest quote was published, under its number."""

    @property
    def newest(self) -> Quote | None:
        """The newest published quote, if any."""
        return self.quotes[0] if self.quotes else None

    def current_bps(self, cell: Cell) -> Bps:
        """The rate of an aligned cell on the newest accepted tick; 0: not offered.

        Taken from the newest quote it would be up to a quarter of a second old, and whoever has a
        faster feed would be paid for that quarter of a second.
        """
        in_force = self.unpublished or self.newest
        return in_force.reward_bps(cell) if in_force is not None else 0

    def with_quote(self, quote: Quote) -> "QuoteBook":
        """The book after `quote` was published; those that can't be live any more are let go."""
        oldest_ms = quote.published_at_ms - QUOTE_LIVE_MS
        kept = (old for old in self.quotes if old.published_at_ms >= oldest_ms)
        return QuoteBook(quotes=(quote, *kept))

    def with_unpublished(self, quote: Quote) -> "QuoteBook":
        """The book after a tick whose rates are in force, but not published."""
        return attrs.evolve(self, unpublished=quote)

    def live(self, n: int, at_ms: EpochMs) -> Quote | None:
        """Quote n, if it was published at most 3 s and replaced at most 2 s before `at_ms`."""
        replaced_at_ms: EpochMs | None = None
        for quote in self.quotes:
            if quote.n == n:
                fresh = at_ms - quote.published_at_ms <= QUOTE_LIVE_MS
                replaced_long = (
                    replaced_at_ms is not None and at_ms - replaced_at_ms > QUOTE_REPLACED_LIVE_MS
                )
                return quote if fresh and not replaced_long else None
            replaced_at_ms = quote.published_at_ms
        return None


@attrs.frozen(kw_only=True)
class Rate:
    """The rate a bet is paid, and the quote it comes from."""

    reward_bps: Bps
    quote_n: int


def rate_of_bet(
    book: QuoteBook,
    cell: Cell,
    *,
    named_quote_n: int | None,
    least_bps: Bps | None,
    at_ms: EpochMs,
) -> Rate | Refusal:
    """Which rate this bet is paid: the server's, and never less than the trader signed for.

    A bet asks for the rate of the quote it names (version 2), or of the newest one (version 1). It
    is paid that while the quote is live, the rate is at least what he signed for, and the current
    rate, that of the newest tick, is at least 98 % of it; else the current rate if that is enough;
    else `quote_expired` with the current rate. Without a live newest quote nothing is sold,
    whatever an override says.
    """
    newest = book.newest
    if newest is None or at_ms - newest.published_at_ms > QUOTE_LIVE_MS:
        return Refusal(Code.PRICE_FEED_STALE, "There is no live quote now.")
    current_bps = book.current_bps(cell)
    if current_bps == 0:
        return Refusal(Code.CELL_UNAVAILABLE, "This cell is not offered now.")
    least = least_bps or 0
    asked = newest if named_quote_n is None else book.live(named_quote_n, at_ms)
    asked_bps = asked.reward_bps(cell) if asked is not None else 0
    in_grace = current_bps * 10_000 >= asked_bps * QUOTE_GRACE_RATE_BPS
    if asked is not None and asked_bps and asked_bps >= least and in_grace:
        return Rate(reward_bps=asked_bps, quote_n=asked.n)
    if current_bps >= least:
        return Rate(reward_bps=current_bps, quote_n=newest.n)
    return Refusal(
        Code.QUOTE_EXPIRED,
        details={"reward_bps": current_bps, "quote": newest.n},
    )
