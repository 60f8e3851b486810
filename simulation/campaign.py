"""Many seeds: what they came to in all, and whether they have looked where it matters.

A campaign that finds nothing says something only if faults struck and bets were made. Each kind of
fault, and each thing in `MUST_HAPPEN`, has to have happened: else the campaign was blind. Of one
with chosen kinds of faults only these are demanded: the rest of what must happen comes about by
the faults of all kinds together.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import attrs

from simulation.drawing import draw
from simulation.run import Outcome
from simulation.scenario import FaultKind, Scenario
from simulation.world import Violation

MUST_HAPPEN: Final[tuple[str, ...]] = (
    # Bets come to each end, for several reasons, and are held against the oracle.
    *("bet_confirmed", "acknowledged_and_on_disk", "bet.won", "bet.lost", "bet.void"),
    *("void.operator", "void.feed_critical", "void.not_running", "void.tick_gap"),
    *("column_judged", "level_checked", "money_looked_at", "money_turned", "jump_confirmed"),
    "rates_checked",
    # People do what breaks venues, and look into their books in the end.
    *("bet.no_answer", "bet.replay_detected", "bet.cell_taken", "bet.insufficient_funds"),
    *("bet.exposure_limit", "bet.quote_expired", "bet.price_feed_stale", "bet.held"),
    *("replayed", "left", "broke", "socket_lost", "resync_required", "snapshot"),
    *("event_committed", "event_read", "found_out", "reckoned", "withdrawal.taken"),
    *("order.void.done", "order.hold.done", "order.freeze.done", "order.paid.done"),
    *("intruded", "key_ended", "withdrawal.frozen", "house_reckoned", "batch_in_an_override"),
    *("order.paid_elsewhere.reference_conflict", "order.bankroll_other.reference_conflict"),
    # The venue ends and comes back, and what it stores away is good.
    *("venue_up", "venue_ended", "draining", "actor_failed"),
    *("object_stored", "backup_is_good", "backup_is_young", "week_is_safe"),
)
"""Counts of a run (`world.happened`) that may be zero in one, but not in a campaign."""
ENOUGH_VENUE_S: Final = 20 * 240
"""Of campaigns that are shorter nothing is demanded."""
ENOUGH_RUNS: Final = 20


def drawn(
    seeds: Iterable[int], *, seconds: float, kinds: Sequence[FaultKind] | None = None
) -> Iterator[Scenario]:
    """The scenario of each seed; of its faults those of `kinds` only, if that is given."""
    for seed in seeds:
        scenario = draw(seed, seconds=seconds)
        if kinds is None:
            yield scenario
        else:
            faults = tuple(fault for fault in scenario.faults if fault.kind in kinds)
            yield attrs.evolve(scenario, faults=faults)


@attrs.define(kw_only=True, eq=False)
class Tally:
    """The sum of many runs."""

    runs: int = 0
    venue_s: float = 0
    counts: Counter[str] = attrs.field(factory=Counter)
    """How often what happened, in all."""
    runs_with: Counter[str] = attrs.field(factory=Counter)
    """In how many runs it happened."""
    planned: Counter[FaultKind] = attrs.field(factory=Counter)
    violated: list[Outcome] = attrs.field(factory=list)
    """The runs with a violation, as they came."""
    hashes: dict[int, str] = attrs.field(factory=dict)
    """Of each run's trace, by seed."""

    def add(self, outcome: Outcome) -> None:
        """One more."""
        self.runs += 1
        self.venue_s += outcome.venue_s
        self.counts.update(outcome.counts)
        self.runs_with.update(what for what, count in outcome.counts.items() if count)
        self.planned.update(fault.kind for fault in outcome.scenario.faults)
        self.hashes[outcome.scenario.seed] = outcome.trace_hash
        if outcome.violations:
            self.violated.append(outcome)

    def trace_hash(self) -> str:
        """One hash over the hashes of all runs."""
        lines = (f"{seed} {self.hashes[seed]}\n" for seed in sorted(self.hashes))
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    @property
    def is_enough(self) -> bool:
        """Is it so long that something can be demanded of it?"""
        return self.runs >= ENOUGH_RUNS and self.venue_s >= ENOUGH_VENUE_S

    def unseen(self, kinds: Sequence[FaultKind] | None = None) -> list[str]:
        """What never happened that must have, with faults of these kinds only; None: of all."""
        if not self.is_enough:
            return []
        faults = [f"fault.{kind.value}" for kind in (FaultKind if kinds is None else kinds)]
        expected = [*faults, *(MUST_HAPPEN if kinds is None else ())]
        return [what for what in expected if not self.counts[what]]


def first_of_each(violated: Iterable[Outcome]) -> list[tuple[Violation, Outcome]]:
    """Of each invariant the run that broke it earliest."""
    found: dict[str, tuple[Violation, Outcome]] = {}
    for outcome in violated:
        violation = outcome.violations[0]
        if violation.what not in found or violation.at_s < found[violation.what][0].at_s:
            found[violation.what] = violation, outcome
    return [found[what] for what in sorted(found)]
