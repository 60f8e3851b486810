"""Many runs: each in a process of its own, summed up, and asked whether they looked at all."""

import os
from pathlib import Path

import attrs
import pytest

from simulation.campaign import ENOUGH_RUNS, MUST_HAPPEN, Tally, drawn, first_of_each
from simulation.drawing import draw
from simulation.places import MEMORY, has_room
from simulation.run import Outcome, simulate
from simulation.runs import BROKE, Runners
from simulation.scenario import FaultKind, Scenario
from simulation.world import Violation

SECONDS = 20.0
ALL = {**{f"fault.{kind.value}": 1 for kind in FaultKind}, **dict.fromkeys(MUST_HAPPEN, 1)}


def outcome(
    seed: int = 1, *, what: str = "", at_s: float = 5, counts: dict[str, int] | None = None
) -> Outcome:
    return Outcome(
        scenario=Scenario(seed=seed, seconds=600, epoch_ms=0),
        trace_hash=f"hash of {seed}",
        violations=(Violation(what=what, details="", at_s=at_s),) if what else (),
        counts=ALL if counts is None else counts,
        venue_s=600,
    )


def tally_of(*outcomes: Outcome) -> Tally:
    tally = Tally()
    for one in outcomes:
        tally.add(one)
    return tally


def test_counts_are_summed_and_runs_counted() -> None:
    tally = tally_of(
        outcome(1, counts={"bet": 3}), outcome(2, counts={"bet": 4, "x": 1}), outcome(3, counts={})
    )
    assert (tally.runs, tally.venue_s) == (3, 1800)
    assert (tally.counts["bet"], tally.runs_with["bet"]) == (7, 2)


def test_the_hash_of_a_campaign_does_not_depend_on_the_order_of_its_runs() -> None:
    one, two, three = (outcome(seed) for seed in (1, 2, 3))
    assert tally_of(one, two, three).trace_hash() == tally_of(three, one, two).trace_hash()
    assert tally_of(one, two).trace_hash() != tally_of(one, three).trace_hash()


def test_a_campaign_that_has_seen_all_is_not_blind() -> None:
    assert tally_of(*map(outcome, range(ENOUGH_RUNS))).unseen() == []


@pytest.mark.parametrize("what", ALL)
def test_a_campaign_in_which_something_never_happened_is_blind(what: str) -> None:
    counts = {name: count for name, count in ALL.items() if name != what}
    tally = tally_of(*(outcome(seed, counts=counts) for seed in range(ENOUGH_RUNS)))
    assert tally.unseen() == [what]


def test_of_a_few_runs_nothing_is_demanded() -> None:
    assert tally_of(*(outcome(seed, counts={}) for seed in range(ENOUGH_RUNS - 1))).unseen() == []


@pytest.mark.parametrize("kinds", [(), (FaultKind.KILL,), (FaultKind.KILL, FaultKind.DRAIN)])
def test_only_the_faults_that_were_asked_for_are_missed(kinds: tuple[FaultKind, ...]) -> None:
    """Without a fault of the feed, say, nothing is void because of a gap in it."""
    tally = tally_of(*(outcome(seed, counts={}) for seed in range(ENOUGH_RUNS)))
    assert tally.unseen(kinds) == [f"fault.{kind.value}" for kind in kinds]


def test_with_all_faults_all_must_happen() -> None:
    tally = tally_of(*(outcome(seed, counts={}) for seed in range(ENOUGH_RUNS)))
    assert tally.unseen() == [*ALL]


def test_of_each_violation_the_earliest_is_shown() -> None:
    late, early, other = (
        outcome(1, what="a", at_s=9),
        outcome(2, what="a", at_s=3),
        outcome(3, what="b"),
    )
    assert [one for _, one in first_of_each([late, early, other])] == [early, other]


def test_faults_can_be_left_to_some_kinds() -> None:
    kinds = (FaultKind.KILL, FaultKind.DRAIN)
    [whole], [some] = (
        [*drawn([4], seconds=600)],
        [*drawn([4], seconds=600, kinds=kinds)],
    )
    assert some.faults == tuple(fault for fault in whole.faults if fault.kind in kinds)
    assert attrs.evolve(some, faults=whole.faults) == whole


@pytest.mark.slow
def test_runs_in_other_processes_are_the_same_runs() -> None:
    scenarios = [draw(seed, seconds=SECONDS) for seed in (1, 2, 3)]
    with Runners(2) as runners:
        found = runners.in_order(scenarios)
    assert [one.scenario for one in found] == scenarios
    assert found[1].trace_hash == simulate(scenarios[1]).trace_hash


@pytest.mark.slow
def test_a_run_that_raises_is_a_finding_and_others_go_on() -> None:
    """Here: settings that the venue refuses."""
    bad = attrs.evolve(draw(1, seconds=SECONDS), settings={"grid.rows": -1})
    with Runners(1) as runners:
        broken, good = runners.in_order([bad, draw(2, seconds=SECONDS)])
    [violation] = broken.violations
    assert (violation.what, "SettingsRefused" in violation.details) == (BROKE, True)
    assert "Traceback (most recent call last):" in broken.last_lines
    assert good.violations == ()


@pytest.mark.slow
def test_a_run_that_does_not_end_is_a_finding(capfd: pytest.CaptureFixture[str]) -> None:
    with Runners(1, stuck_after_s=0.05) as runners:
        [stuck] = runners.outcomes([draw(1, seconds=3_600)])
        assert not [*MEMORY.glob(f"tapgrid-simulation-{os.getpid()}-*/*")], "nothing is left of it"
    [violation] = stuck.violations
    assert (violation.what, "or stuck" in violation.details) == (BROKE, True)
    assert "run.py" in capfd.readouterr().err, "where it stood is on stderr"


def test_runs_have_their_files_in_memory_only_if_there_is_room(tmp_path: Path) -> None:
    assert has_room(tmp_path, 1)
    assert not has_room(tmp_path, 10**9), "nobody has so many times 64 MiB"
    assert not has_room(tmp_path / "absent", 1)
