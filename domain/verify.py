"""Does a settled bet follow from its evidence? Judged anew from the ticks, never from the outcome.

Anyone may do what this does: the evidence of a bet is public, and so is the rule. `tapgrid verify`
calls it for every bet of a data folder.
"""

from collections.abc import Iterator
from itertools import pairwise

import attrs

from domain.evidence import Evidence
from domain.evidence import faults as evidence_faults
from domain.resolution import Outcome, Record, Rule, judge_cells, void_reason
from domain.units import Bps, Cents, EpochS, Micros, payout_micros


@attrs.frozen(kw_only=True)
class Claim:
    """What the ledger says of a settled bet."""

    column_start_s: EpochS
    column_s: int
    lo_cents: Cents
    hi_cents: Cents
    rule: Rule
    stake_micros: Micros
    reward_bps: Bps
    outcome: Outcome
    paid_micros: Micros | None
    """What was credited: the payout, the stake of a void bet, or 0 (None is taken for 0)."""


def bet_faults(claim: Claim, evidence: Evidence) -> tuple[str, ...]:
    """Every way in which the claim does not follow from the evidence; none: the bet is right."""
    return (
        *evidence_faults(evidence),
        *_record_faults(evidence.record),
        *_window_faults(claim, evidence),
        *_outcome_faults(claim, evidence),
    )


def owed_micros(claim: Claim, outcome: Outcome) -> Micros:
    """What a bet that ends so is credited with."""
    if outcome is Outcome.WON:
        return payout_micros(claim.stake_micros, claim.reward_bps)
    return claim.stake_micros if outcome is Outcome.VOID else 0


def _record_faults(record: Record) -> Iterator[str]:
    """The ticks lie where they are said to lie, in order: else a hash proves nothing."""
    times = [tick.ts_ms for tick in record.ticks]
    if any(not record.start_ms <= ts_ms < record.end_ms for ts_ms in times):
        yield "a tick lies outside the window"
    if any(later < earlier for earlier, later in pairwise(times)):
        yield "the ticks are out of order"
    if record.carry_in is not None and record.carry_in.ts_ms >= record.start_ms:
        yield "the carry-in does not lie before the window"
    if record.after is not None and record.after.ts_ms < record.end_ms:
        yield "the tick after lies before the end of the window"


def _window_faults(claim: Claim, evidence: Evidence) -> Iterator[str]:
    """The evidence is about this bet's window and rule."""
    start_ms = claim.column_start_s * 1000
    window = (start_ms, start_ms + claim.column_s * 1000)
    if (evidence.record.start_ms, evidence.record.end_ms) != window:
        yield "the evidence is of another window"
    if evidence.rule is not claim.rule:
        yield f"the evidence is by rule {evidence.rule}, the bet by {claim.rule}"


def _outcome_faults(claim: Claim, evidence: Evidence) -> Iterator[str]:
    void = void_reason(evidence.record) or evidence.void
    cell = (claim.lo_cents, claim.hi_cents)
    [result] = judge_cells(claim.rule, evidence.record, [cell], void=void)
    if result.outcome is not claim.outcome:
        yield f"it is stored as {claim.outcome}, the ticks say {result.outcome}"
    owed = owed_micros(claim, result.outcome)
    if (claim.paid_micros or 0) != owed:
        yield f"it was paid {claim.paid_micros or 0} micros and is owed {owed}"
