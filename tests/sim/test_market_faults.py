"""What the faults of the market and the clock come to in a whole venue: bets are given back for the
reason that the rules name, and only around the fault."""

import pytest

from simulation.actions import draw_actions
from simulation.exchange import PRIMARY
from simulation.run import Outcome, simulate
from simulation.scenario import Fault, FaultKind, Scenario

pytestmark = pytest.mark.slow

SEED, SECONDS, TRADERS = 204, 60, 4


def outcome_with(kind: FaultKind, lasts_s: float, *, target: str = "", amount: int = 0) -> Outcome:
    fault = Fault(at_s=40, kind=kind, lasts_s=lasts_s, target=target, amount=amount)
    actions = draw_actions(SEED, seconds=SECONDS, traders=TRADERS)
    return simulate(
        Scenario(
            seed=SEED,
            seconds=SECONDS,
            epoch_ms=1_770_100_000_000,
            settings={"grid.rows": 10, "quotes.interval_ms": 1_000},
            traders=TRADERS,
            faults=(fault,),
            actions=tuple(action for action in actions if action.who >= 0),
        )
    )


@pytest.mark.parametrize(
    ("kind", "lasts_s", "target", "amount", "reason"),
    [
        (FaultKind.FEED_LOST, 15, PRIMARY, 0, "source_changed"),
        (FaultKind.FEED_GAP, 10.5, "", 0, "tick_gap"),
        (FaultKind.FEED_SILENCE, 20, "", 0, "feed_critical"),
        (FaultKind.CLOCK_BACK, 3, "", 5_000, "feed_critical"),
    ],
)
def test_bets_around_a_fault_are_void_and_others_are_not(
    kind: FaultKind, lasts_s: float, target: str, amount: int, reason: str
) -> None:
    outcome = outcome_with(kind, lasts_s, target=target, amount=amount)
    assert outcome.violations == ()
    assert outcome.counts[f"fault.{kind.value}"] == 1
    assert outcome.counts[f"void.{reason}"] >= 1
    assert outcome.counts["bet.won"] >= 1
    assert outcome.counts["bet.lost"] >= 5


@pytest.mark.parametrize(
    ("kind", "lasts_s", "target", "amount"),
    [
        (FaultKind.FEED_REORDER, 15, PRIMARY, 0),
        (FaultKind.FEED_SPIKE, 0, PRIMARY, 900),
        (FaultKind.CLOCK_FORWARD, 10, "", 900),
    ],
)
def test_what_the_venue_bears_voids_nothing(
    kind: FaultKind, lasts_s: float, target: str, amount: int
) -> None:
    outcome = outcome_with(kind, lasts_s, target=target, amount=amount)
    assert outcome.violations == ()
    assert outcome.counts[f"fault.{kind.value}"] == 1
    assert outcome.counts["bet.won"] >= 5
    assert outcome.counts.get("bet.void", 0) == 0
