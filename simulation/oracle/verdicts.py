"""Who wins, told once more and plainly: from the rules in words, not from the venue's code.

A window is `[start_ms, end_ms)`; a cell is a closed price range. A bet is won by a tick of the
window inside the range, or by the price in force when it opens; under the rule `path` also where
two consecutive ticks lie on either side of the range. Before that, a window is void if it can't be
judged. Ticks are plain tuples in the order of the record.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

GAP_MAX_MS: Final = 10_000
NO_TICK_WAIT_MS: Final = 10_000
UNJUDGED_MAX_MS: Final = 60_000


class Price(NamedTuple):
    """One accepted tick."""

    source: str
    ts_ms: int
    price_cents: int
    trade_id: int


@dataclass(frozen=True)
class Seen:
    """What was on record about a window when it was read."""

    start_ms: int
    end_ms: int
    carry_in: Price | None
    """The last tick before the window."""
    ticks: Sequence[Price]
    after: Price | None
    """The first tick at the end or later."""
    read_at_ms: int
    """By the venue's clock: without a tick after, silence lasted until then."""

    def known(self) -> list[Price]:
        """All ticks from the last before to the first after, in order."""
        before = [] if self.carry_in is None else [self.carry_in]
        after = [] if self.after is None else [self.after]
        return [*before, *self.ticks, *after]


def seen(
    record: Sequence[Price], start_ms: int, end_ms: int, *, watermark_ms: int, read_at_ms: int
) -> Seen:
    """The window as a record shows it that ends with the watermark."""
    carry_in = after = None
    ticks: list[Price] = []
    for tick in record:
        if tick.ts_ms > watermark_ms:
            break
        if tick.ts_ms < start_ms:
            carry_in = tick
        elif tick.ts_ms < end_ms:
            ticks.append(tick)
        else:
            after = tick
            break
    return Seen(start_ms, end_ms, carry_in, ticks, after, read_at_ms)


def why_void_by_ticks(window: Seen) -> set[str]:
    """All reasons that the ticks alone give; none: as far as they tell it can be judged."""
    reasons: set[str] = set()
    if window.carry_in is None:
        reasons.add("no_price")
    known = window.known()
    for earlier, later in pairwise(known):
        if earlier.source != later.source:
            reasons.add("source_changed")
        if later.ts_ms - earlier.ts_ms > GAP_MAX_MS:
            reasons.add("tick_gap")
    in_force = window.ticks[-1] if window.ticks else window.carry_in
    if window.after is None and in_force is not None:
        silent_ms = window.read_at_ms - in_force.ts_ms
        if silent_ms > GAP_MAX_MS:
            reasons.add("tick_gap")
    return reasons


def may_be_judged(window: Seen, *, watermark_ms: int, delay_ms: int) -> bool:
    """Has the record passed the window's end by the delay, or the clock by ten seconds?"""
    if watermark_ms >= window.end_ms + delay_ms:
        return True
    return window.read_at_ms >= window.end_ms + NO_TICK_WAIT_MS


def end_of_cell(rule: str, window: Seen, lo_cents: int, hi_cents: int) -> str:
    """`won` or `lost`, for a window that is not void."""
    prices = [tick.price_cents for tick in window.ticks]
    if window.carry_in is not None:
        prices.insert(0, window.carry_in.price_cents)
    for price in prices:
        if lo_cents <= price and price <= hi_cents:
            return "won"
    if rule == "path":
        for earlier, later in pairwise(prices):
            below_then_above = earlier < lo_cents and later > hi_cents
            above_then_below = earlier > hi_cents and later < lo_cents
            if below_then_above or above_then_below:
                return "won"
    return "lost"


def paid(status: str, stake_micros: int, reward_bps: int) -> int:
    """What a bet that ended so is credited."""
    return {"won": stake_micros * reward_bps // 10_000, "void": stake_micros, "lost": 0}[status]
