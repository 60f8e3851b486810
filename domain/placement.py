"""May this bet be placed? Every rule but those that need the ledger, in the order of refusal.

The Batcher asks once per bet, at one clock reading taken when its transaction begins; the Gateway
asks `early_refusal` first, which only ever refuses early. The ledger then checks, in the order
written in its intake trigger: nonce, cell, settled column, frozen account, funds, exposure.
"""

import attrs

from domain.caps import HouseCaps
from domain.grid import Cell, Grid
from domain.quotes import QuoteBook, Rate, rate_of_bet
from domain.refusals import Code, Refusal
from domain.resolution import Rule
from domain.units import Bps, EpochMs, Micros, payout_micros


@attrs.frozen(kw_only=True)
class Gate:
    """Whether betting is open, as the HealthMonitor and the operators have it."""

    feed_critical: bool
    held: bool = False
    disk_full: bool = False

    def refusal(self) -> Refusal | None:
        """Why betting is closed, or None."""
        if self.feed_critical:
            return Refusal(Code.PRICE_FEED_STALE)
        if self.held:
            return Refusal(Code.HELD)
        if self.disk_full:
            return Refusal(Code.DISK_FULL)
        return None


@attrs.frozen(kw_only=True)
class Rules:
    """The settings that placement obeys."""

    grid: Grid = attrs.field(factory=Grid)
    presets_micros: tuple[Micros, ...] = (1_000_000, 5_000_000, 10_000_000, 25_000_000, 100_000_000)
    rule: Rule = Rule.TOUCH
    caps: HouseCaps = attrs.field(factory=HouseCaps)


def early_refusal(rules: Rules, gate: Gate, cell: Cell, *, at_ms: EpochMs) -> Refusal | None:
    """The cheap look at breaker and grid that comes before any signature is checked."""
    closed = gate.refusal()
    if closed is not None:
        return closed
    if not rules.grid.on_grid(cell):
        return Refusal(Code.CELL_UNAVAILABLE, "This cell is not on the grid.")
    if cell.column_start_s not in rules.grid.placeable_starts_s(at_ms):
        return Refusal(Code.CELL_UNAVAILABLE, "This column can't be tapped now.")
    return None


def judge(
    rules: Rules,
    gate: Gate,
    book: QuoteBook,
    *,
    cell: Cell,
    stake_micros: Micros,
    named_quote_n: int | None,
    least_bps: Bps | None,
    at_ms: EpochMs,
) -> Rate | Refusal:
    """The rate this bet is accepted at, or the first rule that refuses it.

    In order: breaker, hold, disk; the cell on the grid and in a placeable column; a preset stake;
    the rate; the cap on one bet's payout.
    """
    refused = early_refusal(rules, gate, cell, at_ms=at_ms)
    if refused is not None:
        return refused
    if stake_micros not in rules.presets_micros:
        return Refusal(Code.BAD_STAKE, details={"presets_micros": list(rules.presets_micros)})
    rate = rate_of_bet(book, cell, named_quote_n=named_quote_n, least_bps=least_bps, at_ms=at_ms)
    if isinstance(rate, Refusal):
        return rate
    if payout_micros(stake_micros, rate.reward_bps) > rules.caps.payout_per_bet_micros:
        return Refusal(Code.EXPOSURE_LIMIT)
    return rate
