"""What a scenario is drawn like."""

from collections import Counter
from itertools import pairwise

import pytest

from config.settings import load
from domain.units import EpochMs
from simulation.drawing import SUNDAY_MS, WEEK_MS, draw
from simulation.fault_draws import ACTORS, DRAWN, UPKEEP_WORKERS, WEIGHTS, WORKERS, WORKERS_BESIDE
from simulation.faults import OF_TIME, STRUCK
from simulation.scenario import ActionKind, FaultKind, Scenario


@pytest.fixture(scope="module")
def scenarios() -> list[Scenario]:
    """Those of the first hundred seeds."""
    return [draw(seed, seconds=600) for seed in range(100)]


def test_scenario_of_a_seed_is_always_the_same_and_goes_through_json() -> None:
    for seed in (1, 2, 3):
        drawn = draw(seed, seconds=600)
        assert drawn == draw(seed, seconds=600) == Scenario.from_json(drawn.to_json())
    assert draw(1, seconds=600) != draw(2, seconds=600)


def test_settings_of_every_scenario_are_some_that_a_venue_takes(scenarios: list[Scenario]) -> None:
    for scenario in scenarios:
        load(flags=scenario.settings)


def test_every_kind_of_fault_can_be_drawn_and_can_strike(scenarios: list[Scenario]) -> None:
    assert {kind for kind, _ in WEIGHTS} == set(DRAWN) == set(FaultKind) - {FaultKind.WEEK_TURN}
    assert set(STRUCK) | OF_TIME == set(FaultKind)
    seen = Counter(fault.kind for scenario in scenarios for fault in scenario.faults)
    assert min(seen[kind] for kind in FaultKind) >= 20, seen


def test_every_actor_and_worker_is_struck_in_some_scenario(scenarios: list[Scenario]) -> None:
    targets = {fault.target for scenario in scenarios for fault in scenario.faults}
    assert targets >= {*ACTORS, *WORKERS, *UPKEEP_WORKERS, *WORKERS_BESIDE}


def test_faults_come_in_the_order_of_time_within_the_run(scenarios: list[Scenario]) -> None:
    for scenario in scenarios:
        times = [fault.at_s for fault in scenario.faults]
        assert times == sorted(times)
        assert all(10 <= at_s < scenario.seconds + 10 for at_s in times), times


def test_scenarios_differ_in_how_much_fails(scenarios: list[Scenario]) -> None:
    counts = sorted(len(scenario.faults) for scenario in scenarios)
    assert counts[0] <= 2
    assert 30 <= counts[len(counts) // 2] <= 110
    assert any(not scenario.faults for scenario in scenarios)


def test_faults_come_in_clusters(scenarios: list[Scenario]) -> None:
    close = [
        after.at_s - before.at_s < 2
        for scenario in scenarios
        for before, after in pairwise(scenario.faults)
    ]
    assert sum(close) > 0.25 * len(close)


def test_a_week_turns_in_some_scenarios_and_is_said_to(scenarios: list[Scenario]) -> None:
    turning = 0
    for scenario in scenarios:
        said = [fault for fault in scenario.faults if fault.kind is FaultKind.WEEK_TURN]
        ends_ms = scenario.epoch_ms + round(scenario.seconds * 1000)
        assert len(said) == week_number(ends_ms) - week_number(scenario.epoch_ms)
        for fault in said:
            assert (scenario.epoch_ms + round(fault.at_s * 1000) - SUNDAY_MS) % WEEK_MS == 0
        turning += bool(said)
    assert 20 <= turning <= 45


def week_number(at_ms: EpochMs) -> int:
    return (at_ms - SUNDAY_MS) // WEEK_MS


@pytest.mark.parametrize("seconds", [20, 60, 3_600])
def test_any_length_can_be_drawn(seconds: float) -> None:
    scenario = draw(7, seconds=seconds)
    assert scenario.seconds == seconds
    assert scenario.traders >= 3


def test_some_overrides_outlast_a_kill_and_some_orders_the_turn_of_the_week(
    scenarios: list[Scenario],
) -> None:
    killed = turned = 0
    for scenario in scenarios:
        kills = [fault.at_s for fault in scenario.faults if fault.kind is FaultKind.KILL]
        turns = [fault.at_s for fault in scenario.faults if fault.kind is FaultKind.WEEK_TURN]
        for order in scenario.actions:
            until_s = order.at_s + order.amount
            if order.kind is ActionKind.OVERRIDE and order.way == "open":
                killed += any(order.at_s < at_s < until_s - 25 for at_s in kills)
            if order.kind in (ActionKind.HOLD, ActionKind.OVERRIDE):
                turned += any(order.at_s < at_s < until_s for at_s in turns)
    assert killed >= 10, killed
    assert turned >= 10, turned
