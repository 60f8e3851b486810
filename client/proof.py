"""Why a bet ended as it did, recomputed here from the ticks alone.

The rules are written out again on purpose: what the venue says is worth checking only with code
that is not the venue's. A void column's reason (a silent feed, a change of source) is not
recomputed here; `tapgrid verify` does that.
"""

import hashlib
from itertools import pairwise

import attrs

from client.answers import Tick
from domain.units import BetId, Cents, EpochMs


@attrs.frozen(kw_only=True)
class Proof:
    """`GET /api/bets/{id}/proof`. It names no user, so that its link can be shared."""

    bet_id: BetId
    cell_id: str
    rule: str
    """`touch`, or `path`, by which crossing the range between two ticks wins as well."""
    source: str | None
    window_start_ms: EpochMs
    window_end_ms: EpochMs
    lo_cents: Cents
    hi_cents: Cents
    outcome: str
    """What the venue recomputes from the ticks now."""
    status: str
    """What it stored, and paid by."""
    void_reason: str | None
    deciding_tick: Tick | None
    carry_in: Tick | None
    """The price in force when the window opened."""
    tick_count: int
    low_cents: Cents | None
    high_cents: Cents | None
    ticks_sha256: str
    ticks: tuple[Tick, ...]
    """Those of the window."""

    def recomputed_sha256(self) -> str:
        """SHA-256 over lines `{source},{ts_ms},{price_cents},{trade_id}`, the carry-in first."""
        digest = hashlib.sha256()
        for tick in self._in_force():
            line = f"{tick.source},{tick.ts_ms},{tick.price_cents},{tick.trade_id}\n"
            digest.update(line.encode())
        return digest.hexdigest()

    def recomputed_outcome(self) -> str:
        """`won` or `lost` by the rule; `void` is taken from the venue."""
        if self.void_reason is not None:
            return "void"
        prices = [tick.price_cents for tick in self._in_force()]
        touched = any(self.lo_cents <= price <= self.hi_cents for price in prices)
        crossed = self.rule == "path" and any(
            (before < self.lo_cents) != (price < self.lo_cents)
            for before, price in pairwise(prices)
        )
        return "won" if touched or crossed else "lost"

    def faults(self) -> tuple[str, ...]:
        """What does not hold; empty if the result follows from the ticks."""
        window = range(self.window_start_ms, self.window_end_ms)
        found = {
            "the ticks do not match their hash": self.recomputed_sha256() != self.ticks_sha256,
            "a tick lies outside of the window": any(t.ts_ms not in window for t in self.ticks),
            "a tick is missing or too many": len(self.ticks) != self.tick_count,
            "the result does not follow from the ticks": self.recomputed_outcome() != self.status,
        }
        return tuple(fault for fault, is_so in found.items() if is_so)

    def _in_force(self) -> tuple[Tick, ...]:
        return self.ticks if self.carry_in is None else (self.carry_in, *self.ticks)
