"""On which price are rates given, and how high may one be? The rules of quoting in their own words.

Written from `market.md` ("Rewards" and "PriceFeed"): the rates in force are those of the newest
accepted tick (docs/decisions/0008); none is outside of its bounds; after another source took over
there are none until ten seconds of its ticks have come.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

BPS: Final = 10_000
SOURCE_PAUSE_MS: Final = 10_000
TAKEN_WITHIN_S: Final = 0.05
"""So long a tick may take until the rates are its own. A twentieth of a second is half of what a
tap may take, and a fifth of the least time between two published quotes."""
KEPT_TICKS: Final = 200


@dataclass(frozen=True)
class Heard:
    """A tick that the feed has accepted."""

    at_s: float
    source: str
    ts_ms: int
    price_cents: int


@dataclass(frozen=True)
class RateBounds:
    """What a cell that is offered may pay."""

    least_bps: int
    most_bps: int

    @classmethod
    def of(
        cls, *, least_bps: int, most_bps: int, edge_bps: int, chance_min: float, unknown: float
    ) -> "RateBounds":
        """A rate is (1 - edge) / (chance + unknown), and no cell of a smaller chance is offered.

        That the model's chances are right is not known here; but no rate is higher than that of
        the least likely cell, and without the edge some are.
        """
        return cls(least_bps, min(most_bps, int((BPS - edge_bps) / (chance_min + unknown))))

    def outside(self, rates: Sequence[Sequence[int]]) -> list[int]:
        """The rates that must not be."""
        return [
            rate
            for column in rates
            for rate in column
            if rate and not self.least_bps <= rate <= self.most_bps
        ]


class Market:
    """The newest ticks of all lives, as a quoter should know them."""

    def __init__(self) -> None:
        self._newest: Heard | None = None
        """Of whatever life: an older one changes nothing."""
        self._of_life: deque[Heard] = deque(maxlen=KEPT_TICKS)
        """Since the present life of the quoter began."""
        self._changed: Heard | None = None
        """The first tick after a change of source that this life has seen."""

    def begin(self) -> None:
        """A quoter's life begins. It may not know yet what the one before had in hand."""
        self._of_life.clear()
        self._changed = None

    def hear(self, tick: Heard) -> None:
        """The feed has accepted it."""
        before, mine = self._newest, self._of_life[-1] if self._of_life else None
        if before is not None and tick.ts_ms < before.ts_ms:
            # Behind the record's end, after a restart: who has read the record leaves it out.
            return
        if mine is not None and mine.source != tick.source:
            self._changed = tick
        self._newest = tick
        self._of_life.append(tick)

    def prices_cents(self, now_s: float) -> list[int]:
        """Those that the rates in force may rest on; empty: nobody can say."""
        settled = [tick for tick in self._of_life if tick.at_s < now_s - TAKEN_WITHIN_S]
        if not settled:
            return []
        since = self._of_life.index(settled[-1])
        return [tick.price_cents for tick in list(self._of_life)[since:]]

    def is_paused(self, now_s: float) -> bool:
        """Must there be no quote, since the source has changed?"""
        changed = self._changed
        if changed is None or changed.at_s >= now_s - TAKEN_WITHIN_S:
            return False
        return self._of_life[-1].ts_ms - changed.ts_ms < SOURCE_PAUSE_MS
