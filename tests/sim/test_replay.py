"""A scenario in a file is the same scenario when it is read."""

from pathlib import Path

import pytest

from simulation import replay
from simulation.drawing import draw
from simulation.replay import Replay
from simulation.scenario import Fault, FaultKind, Scenario


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
