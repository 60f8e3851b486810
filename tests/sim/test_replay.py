"""A scenario in a file is the same scenario when it is read."""

from pathlib import Path
from typing import Any

import attrs
import pytest

from simulation import replay
from simulation.drawing import draw
from simulation.replay import Replay
from simulation.scenario import Action, ActionKind, Fault, FaultKind, Scenario


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_drawn_scenario_comes_back_as_it_was(seed: int, tmp_path: Path) -> None:
    kept = Replay(scenario=draw(seed, seconds=120), note='double_settlement: bet 7, "twice"')
    replay.write(tmp_path / "kept.json", kept)
    assert replay.read(tmp_path / "kept.json") == kept


def test_a_fault_is_one_line_without_what_is_usual() -> None:
    fault = Fault(at_s=12.5, kind=FaultKind.KILL, amount=3)
    text = replay.text_of(
        Replay(scenario=Scenario(seed=1, seconds=60, epoch_ms=0, faults=(fault,)))
    )
    assert '{"at_s": 12.5, "kind": "kill", "amount": 3}' in text.splitlines()[8]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"seed": 1}',
        '{"seed":1,"seconds":1,"epoch_ms":0,"faults":[{}],"actions":[]}',
    ],
)
def test_what_is_no_scenario_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a scenario|Expecting value"):
        replay.replay_of(text)


PLAIN = Scenario(seed=1, seconds=60, epoch_ms=0, traders=2)


def refused(scenario: Scenario) -> list[str]:
    with pytest.raises(ValueError, match="not a scenario that can be run") as raised:
        replay.replay_of(replay.text_of(Replay(scenario=scenario)))
    return [line.strip() for line in str(raised.value).splitlines()[1:]]


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ({"kind": FaultKind.ACTOR_CRASH, "target": "venue/bather"}, "not 'venue/bather'"),
        ({"kind": FaultKind.ACTOR_HANG, "target": "ledger_write"}, "not 'ledger_write'"),
        ({"kind": FaultKind.ACTOR_HANG}, "not ''"),
        ({"kind": FaultKind.STORE_DOWN, "target": "sillent"}, "not 'sillent'"),
        ({"kind": FaultKind.OBJECTS_FAIL, "target": "puts"}, "not 'puts'"),
        ({"kind": FaultKind.FEED_LAG, "target": "binance"}, "not 'binance'"),
        ({"kind": FaultKind.KILL, "target": "venue"}, "not 'venue'"),
        ({"lasts_s": "4"}, "lasts_s must be a number, not '4'"),
        ({"at_s": float("nan")}, "at_s must be a number, not nan"),
        ({"amount": 1.5}, "amount must be a whole number, not 1.5"),
        ({"amount": True}, "amount must be a whole number, not True"),
        ({"target": None}, "target must be a text, not None"),
    ],
)
def test_a_fault_that_would_not_strike_is_refused(fault: dict[str, Any], why: str) -> None:
    good = Fault(at_s=1, kind=FaultKind.KILL)
    bad = attrs.evolve(good, **fault)
    [said] = refused(attrs.evolve(PLAIN, faults=(good, bad)))
    assert said.startswith("fault 2: ")
    assert said.endswith(why)


@pytest.mark.parametrize(
    ("action", "why"),
    [
        ({"who": 2}, "there is no trader 2 for tap"),
        ({"who": -1}, "there is no trader -1 for tap"),
        ({"kind": ActionKind.HOLD}, "hold is the operator's (-1), not 0's"),
        ({"kind": ActionKind.RESTART, "who": -1, "way": "venue/bather"}, "not 'venue/bather'"),
        ({"kind": ActionKind.UPKEEP, "who": -1, "way": "backups"}, "not 'backups'"),
        ({"kind": ActionKind.OVERRIDE, "who": -1, "way": ""}, "not ''"),
        ({"row": "1"}, "row must be a whole number, not '1'"),
    ],
)
def test_an_action_of_nobody_is_refused(action: dict[str, Any], why: str) -> None:
    bad = attrs.evolve(Action(at_s=1, who=0, kind=ActionKind.TAP), **action)
    [said] = refused(attrs.evolve(PLAIN, actions=(bad,)))
    assert said.startswith("action 1: ")
    assert said.endswith(why)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"settings": {"grid.row": 8}}, "grid.row"),
        ({"settings": {"grid.rows": "eight"}}, "grid.rows"),
        ({"settings": {"grid.rows": -1}}, "grid.rows"),
        ({"settings": [1]}, "settings must be an object"),
        ({"seconds": 0}, "seconds: must be above zero"),
        ({"seconds": "60"}, "seconds must be a number"),
        ({"traders": -1}, "traders: must be zero or more"),
        ({"seed": 1.5}, "seed must be a whole number"),
    ],
)
def test_a_run_that_would_break_is_refused(change: dict[str, Any], why: str) -> None:
    assert why in " ".join(refused(attrs.evolve(PLAIN, **change)))


def test_all_that_is_wrong_is_told_at_once() -> None:
    faults = (Fault(at_s=1, kind=FaultKind.KILL, target="a"), Fault(at_s=1, kind=FaultKind.DRAIN))
    actions = (Action(at_s=1, who=9, kind=ActionKind.TAP),)
    assert len(refused(attrs.evolve(PLAIN, faults=faults, actions=actions))) == 2
