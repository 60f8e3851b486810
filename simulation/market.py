"""The market of a run: a price that is calm and busy by turns, and the trades of two exchanges.

It is drawn from the seed alone, whatever the venue does and whatever fails on the way to it. It is
made to be hard on settlement: trades fall on the very edge of a column, on the very edge of a row,
and several in one millisecond.
"""

import math
from collections.abc import Iterator
from typing import Any, Final

import attrs

from config.settings import load
from simulation.draws import Draws

ON_ROW_EDGE: Final = 0.12
BESIDE_ROW_EDGE: Final = 0.06
ON_COLUMN_EDGE: Final = 0.35
"""Of the trades before which a column begins."""
AT_THE_SAME_MOMENT: Final = 0.08
JUMPS: Final = 0.004
PRICE_MIN_CENTS: Final = 1_000_000


@attrs.frozen(kw_only=True)
class Trade:
    """One trade at one exchange."""

    trade_id: int
    price_cents: int
    size_e8: int
    ts_ms: int


@attrs.frozen(kw_only=True)
class Mood:
    """What the market is like for a stretch."""

    waits_s: tuple[float, float]
    """Least and most between two trades of the busier exchange."""
    move_cents: float
    """Standard deviation of the price's move in a second."""
    drift_cents: float = 0.0
    """By which it moves in a second besides, up or down."""


MOODS: Final[tuple[tuple[Mood, float], ...]] = (
    (Mood(waits_s=(0.15, 0.85), move_cents=700), 5),
    (Mood(waits_s=(0.05, 0.35), move_cents=1_500), 1),
    (Mood(waits_s=(0.8, 2.2), move_cents=150), 1),
    (Mood(waits_s=(0.2, 0.9), move_cents=500, drift_cents=250), 1),
)


@attrs.frozen(kw_only=True)
class Geometry:
    """Where the edges are on which trades like to fall."""

    column_ms: int
    row_cents: int

    @classmethod
    def of(cls, settings: dict[str, Any]) -> "Geometry":
        """The geometry of a venue with these settings, by `section.key`."""
        grid = load(flags=settings).settings.grid
        return cls(column_ms=grid.column_s * 1000, row_cents=grid.row_cents)


class Market:
    """The true price, which both exchanges' trades follow."""

    def __init__(self, draws: Draws, price_cents: int) -> None:
        self._draws = draws
        self._mood_ends_ms = 0
        self._moved_ms = 0
        self.mood = MOODS[0][0]
        self.price_cents = price_cents

    def wait_ms(self) -> int:
        """How long until the next trade."""
        return max(1, round(1000 * self._draws.uniform(*self.mood.waits_s)))

    def move_to(self, now_ms: int) -> int:
        """The price at that time, which is not before the last one asked for."""
        if now_ms >= self._mood_ends_ms:
            self._mood_ends_ms = now_ms + self._draws.whole(5_000, 40_000)
            mood, draws = self._draws.weighted(MOODS), self._draws
            sign = 1 if draws.happens(0.5) else -1
            self.mood = attrs.evolve(mood, drift_cents=sign * mood.drift_cents)
        elapsed_s = min(5.0, (now_ms - self._moved_ms) / 1000)
        self._moved_ms = now_ms
        spread = self.mood.move_cents * math.sqrt(elapsed_s)
        moved = spread * _normal(self._draws) + self.mood.drift_cents * elapsed_s
        if self._draws.happens(JUMPS):
            moved += self._draws.uniform(-25_000, 25_000)
        self.price_cents = max(PRICE_MIN_CENTS, self.price_cents + round(moved))
        return self.price_cents


def busy_trades(
    draws: Draws, market: Market, geometry: Geometry, *, from_ms: int
) -> Iterator[Trade]:
    """The trades of the busier exchange, some two a second, which make the price; endless."""
    trade_id, now_ms = 1_000_000, from_ms
    while True:
        after_ms = now_ms + market.wait_ms()
        now_ms = _on_column_edge(draws, geometry, now_ms, after_ms)
        price_cents = _on_row_edge(draws, geometry, market.move_to(now_ms))
        while True:
            trade_id += draws.whole(1, 3)
            yield Trade(
                trade_id=trade_id,
                price_cents=price_cents,
                size_e8=draws.whole(1, 3_000_000),
                ts_ms=now_ms,
            )
            if not draws.happens(AT_THE_SAME_MOMENT):
                break
            price_cents += draws.whole(-2 * geometry.row_cents, 2 * geometry.row_cents)


def slow_trades(draws: Draws, market: Market, *, from_ms: int) -> Iterator[Trade]:
    """The trades of the other exchange: fewer, and at a price of its own, some rows away."""
    off_cents = draws.whole(-4_000, 4_000)
    trade_id, now_ms = 70_000_000, from_ms
    while True:
        now_ms += draws.whole(500, 2_400)
        trade_id += 1
        yield Trade(
            trade_id=trade_id,
            price_cents=market.price_cents + off_cents + draws.whole(-150, 150),
            size_e8=draws.whole(1, 1_000_000),
            ts_ms=now_ms,
        )


def _normal(draws: Draws) -> float:
    """Near enough to a draw from the standard normal distribution."""
    return (draws.random() + draws.random() + draws.random() + draws.random() - 2) * math.sqrt(3)


def _on_column_edge(draws: Draws, geometry: Geometry, before_ms: int, now_ms: int) -> int:
    """`now_ms`, or the edge of a column since, or the last moment before that edge."""
    edge_ms = now_ms - now_ms % geometry.column_ms
    if edge_ms - 1 <= before_ms or not draws.happens(ON_COLUMN_EDGE):
        return now_ms
    return edge_ms - draws.whole(0, 1)


def _on_row_edge(draws: Draws, geometry: Geometry, price_cents: int) -> int:
    chance = draws.random()
    if chance >= ON_ROW_EDGE + BESIDE_ROW_EDGE:
        return price_cents
    edge_cents = round(price_cents / geometry.row_cents) * geometry.row_cents
    return edge_cents + (0 if chance < ON_ROW_EDGE else draws.one_of((-1, 1)))
