"""A failing scenario is made small, whatever it is that fails: here, made-up defects."""

from collections.abc import Callable, Sequence

from simulation.scenario import Action, ActionKind, Fault, FaultKind, Scenario
from simulation.shrink import Bounds, shrink

KINDS = tuple(FaultKind)


def scenario(faults: int = 40, actions: int = 100) -> Scenario:
    return Scenario(
        seed=1,
        seconds=600,
        epoch_ms=1_770_100_000_000,
        settings={"grid.rows": 8, "batch.linger_ms": 50, "bets.rule": "path"},
        faults=tuple(Fault(at_s=10.0 + i, kind=KINDS[i % len(KINDS)]) for i in range(faults)),
        actions=tuple(
            Action(at_s=5.0 + i, who=i % 4, kind=ActionKind.TAP, row=i) for i in range(actions)
        ),
    )


class Defect:
    """Runs scenarios in no time: `fails_at` says when one of them fails."""

    def __init__(self, fails_at: Callable[[Scenario], float | None]) -> None:
        self._fails_at = fails_at
        self.runs = 0

    def __call__(self, scenarios: Sequence[Scenario]) -> list[float | None]:
        self.runs += len(scenarios)
        return [self._fails_at(scenario) for scenario in scenarios]


def needs_two_faults_and_a_tap(tried: Scenario) -> float | None:
    kinds = {fault.at_s for fault in tried.faults}
    if {17.0, 33.0} <= kinds and any(action.row == 61 for action in tried.actions):
        return 66.0
    return None


def test_what_the_failure_does_not_need_is_left_out() -> None:
    found = shrink(scenario(), 66.0, Defect(needs_two_faults_and_a_tap), Bounds(runs=500))
    assert [fault.at_s for fault in found.scenario.faults] == [17.0, 33.0]
    assert [action.row for action in found.scenario.actions] == [61]
    assert found.scenario.settings == {}
    assert found.scenario.seconds == 67.0
    assert not found.is_cut_short


def test_every_run_is_counted_and_there_are_no_more_than_allowed() -> None:
    defect = Defect(needs_two_faults_and_a_tap)
    found = shrink(scenario(), 66.0, defect, Bounds(runs=10, at_once=4))
    assert found.runs == defect.runs == 10
    assert found.is_cut_short
    assert needs_two_faults_and_a_tap(found.scenario) is not None


def test_long_runs_are_fewer() -> None:
    defect = Defect(lambda tried: tried.seconds + 180)
    found = shrink(scenario(), 780.0, defect, Bounds(venue_s=1_500))
    assert (found.runs, found.is_cut_short) == (4, True)


def test_a_scenario_longer_than_all_that_is_allowed_is_at_least_cut_off() -> None:
    found = shrink(scenario(), 66.0, Defect(needs_two_faults_and_a_tap), Bounds(venue_s=60))
    assert (found.runs, found.scenario.seconds, found.is_cut_short) == (2, 67.0, True)


def test_runs_at_once_find_the_same() -> None:
    one, four = (
        shrink(
            scenario(), 66.0, Defect(needs_two_faults_and_a_tap), Bounds(runs=500, at_once=at_once)
        )
        for at_once in (1, 4)
    )
    assert one.scenario == four.scenario


def test_a_setting_that_is_needed_stays() -> None:
    defect = Defect(lambda tried: 20.0 if "batch.linger_ms" in tried.settings else None)
    found = shrink(scenario(), 20.0, defect, Bounds(runs=100))
    assert found.scenario.settings == {"batch.linger_ms": 50}
    assert (found.scenario.faults, found.scenario.actions) == ((), ())


def test_a_failure_in_the_calm_is_made_to_come_earlier() -> None:
    """A bet that never ends: 180 s after people have stopped, whenever that is."""
    defect = Defect(
        lambda tried: tried.seconds + 180 if any(a.row == 3 for a in tried.actions) else None
    )
    found = shrink(scenario(), 780.0, defect, Bounds(runs=200))
    assert [action.row for action in found.scenario.actions] == [3]
    assert found.scenario.seconds < 15


def test_a_failure_that_does_not_come_again_is_told() -> None:
    found = shrink(scenario(), 66.0, Defect(lambda tried: None), Bounds(runs=100))
    assert (found.failed_again, found.runs, found.scenario) == (False, 1, scenario())
