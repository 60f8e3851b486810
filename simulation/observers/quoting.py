"""Watches what bets are judged by: the rates in force are those of the newest tick.

`PlacingObserver` takes the quotes as they are; here they are held against `simulation.oracle.
quoting`, whenever a batch is judged. A quoter needs no venue time for a tick. It is not looked at
between two lives of it, until it has quoted again.
"""

from typing import TYPE_CHECKING, Final

from domain.quotes import QuoteBook
from domain.ticks import Tick
from protocols.market import FeedLevel
from simulation.oracle.quoting import TAKEN_WITHIN_S, Heard, Market, RateBounds
from simulation.witness import Observer
from simulation.world import World
from supervisor import ExitReport

if TYPE_CHECKING:
    from simulation.process import VenueProcess

QUOTERS: Final = ("quoter", "market", "venue")
"""There are no quotes when one of them has ended; each path ends with the name."""


class QuotingObserver(Observer):
    """Looks at the quotes in the step in which bets are judged by them."""

    def __init__(self, world: World, bounds: RateBounds) -> None:
        self._world = world
        self._bounds = bounds
        self._market = Market()
        self._n_before = 0
        """The newest number when the quoter's life before the present one had ended."""
        self._critical_at_s = -1.0
        """When the feed was last seen to be CRITICAL."""
        self._looked_at: QuoteBook | None = None

    # --- told -------------------------------------------------------------------------------

    def starting(self, process: "VenueProcess") -> None:
        self._begin(0)

    def actor_ended(self, process: "VenueProcess", ended: ExitReport) -> None:
        if ended.child.rpartition("/")[2] in QUOTERS:
            newest = process.channels.book.value.newest
            self._begin(self._n_before if newest is None else newest.n)

    def ticked(self, process: "VenueProcess", tick: Tick) -> None:
        self._note_level(process)
        heard = Heard(self._world.now_s(), tick.source, tick.ts_ms, tick.price_cents)
        self._market.hear(heard)

    def submitted(self, process: "VenueProcess") -> None:
        self._note_level(process)
        book = process.channels.book.value
        self._in_bounds(book)
        if self._may_be_known(book):
            self._is_of_the_market(book)

    def _begin(self, n_before: int) -> None:
        self._n_before = n_before
        self._market.begin()

    def _note_level(self, process: "VenueProcess") -> None:
        if process.channels.feed.value.level is FeedLevel.CRITICAL:
            self._critical_at_s = self._world.now_s()

    def _may_be_known(self, book: QuoteBook) -> bool:
        """Has the present quoter quoted, and can it? Through a feed that is CRITICAL it does so by
        an operator's word, and only on a fresh tick."""
        newest = book.newest
        if newest is None or newest.n <= self._n_before:
            return False
        return self._critical_at_s < self._world.now_s() - TAKEN_WITHIN_S

    # --- judges -----------------------------------------------------------------------------

    def _is_of_the_market(self, book: QuoteBook) -> None:
        now_s, in_force = self._world.now_s(), book.unpublished or book.newest
        assert in_force is not None, "asked by the caller"
        prices_cents = self._market.prices_cents(now_s)
        if not prices_cents:
            return
        self._world.counts["rates_checked"] += 1
        if in_force.price_cents not in prices_cents:
            told = f"quote {in_force.n} is on {in_force.price_cents}, not on {prices_cents}"
            self._world.violated("rates_of_an_old_tick", told)
        if self._market.is_paused(now_s):
            self._world.violated("quoted_after_source_change", f"quote {in_force.n}")

    def _in_bounds(self, book: QuoteBook) -> None:
        if book is self._looked_at:
            return
        self._looked_at = book
        for quote in (book.unpublished, book.newest):
            outside = [] if quote is None else self._bounds.outside(quote.rates)
            if quote is not None and outside:
                self._world.violated("rate_out_of_bounds", f"quote {quote.n}: {outside[:5]}")
