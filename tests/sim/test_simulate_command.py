"""`tapgrid simulate`: what it prints, what it writes, how it ends."""

import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import ClassVar

import attrs
import pytest

from actors.__main__ import main
from actors.commands.simulate import Asked, simulate
from simulation import replay
from simulation.campaign import ENOUGH_RUNS, MUST_HAPPEN
from simulation.run import Outcome
from simulation.runs import Runners
from simulation.scenario import FaultKind, Scenario
from simulation.world import Violation

ALL = {**{f"fault.{kind.value}": 2 for kind in FaultKind}, **dict.fromkeys(MUST_HAPPEN, 3)}


class MadeUp(Runners):
    """Runs in no time: `double_settlement` 30 s in, wherever there is a net fault before."""

    counts: ClassVar[dict[str, int]] = ALL

    def outcomes(
        self, scenarios: Iterable[Scenario], *, trace_to: Path | None = None
    ) -> Iterator[Outcome]:
        for scenario in scenarios:
            net = [one for one in scenario.faults if one.kind.startswith("net_") and one.at_s < 30]
            found = (Violation(what="double_settlement", details="bet 7", at_s=30.0),)
            yield Outcome(
                scenario=scenario,
                trace_hash=f"{scenario.seed:064x}",
                violations=found if net else (),
                counts=self.counts,
                venue_s=scenario.seconds,
                last_lines=("29.000000 settled", "30.000000 VIOLATED double_settlement bet 7"),
            )


class Blind(MadeUp):
    counts: ClassVar[dict[str, int]] = {}


def told(asked: Asked, runners: type[Runners] = MadeUp) -> tuple[int, str]:
    out = io.StringIO()
    return simulate(asked, out=out, progress=io.StringIO(), runners_of=runners), out.getvalue()


def first_seed(*, failing: bool) -> int:
    return next(
        seed for seed in range(1, 100) if (told(Asked(seed=seed, shrinks=False))[0] == 1) is failing
    )


def test_a_clean_run_says_so() -> None:
    code, text = told(Asked(seed=first_seed(failing=False)))
    assert code == 0
    assert ": clean, 600 venue seconds in " in text.splitlines()[-1]


def test_a_violation_is_told_with_all_that_is_needed_to_see_it_again(tmp_path: Path) -> None:
    seed = first_seed(failing=True)
    code, text = told(Asked(seed=seed, folder=tmp_path, shrinks=False))
    assert code == 1
    assert f"seed {seed}: VIOLATED double_settlement at 30.000 s, 20" in text
    assert "\n  bet 7\n" in text
    assert "\n  29.000000 settled\n" in text
    assert "its faults until then (" in text
    assert f"replay: tapgrid simulate --seed {seed} --hours 0.16666666666666666\n" in text
    assert [*tmp_path.iterdir()] == []


def test_a_violation_is_made_small_and_written_to_a_file(tmp_path: Path) -> None:
    seed = first_seed(failing=True)
    _, text = told(Asked(seed=seed, folder=tmp_path))
    path = tmp_path / f"double_settlement-{seed}.json"
    assert text.endswith(f"replay: tapgrid simulate --faults {path}\n")
    kept = replay.read(path)
    assert kept.note == "double_settlement: bet 7"
    [fault] = kept.scenario.faults
    assert fault.kind.startswith("net_")
    assert (kept.scenario.actions, kept.scenario.seconds) == ((), 31.0)
    code, text = told(Asked(faults=str(path), shrinks=False))
    assert code == 1
    assert f"replay: tapgrid simulate --faults {path}\n" in text


def test_a_replayed_kind_of_faults_is_in_the_command() -> None:
    for seed in range(1, 100):
        code, text = told(Asked(seed=seed, faults="net_cut,net_slow", shrinks=False))
        if code == 1:
            assert f"--seed {seed} --hours 0.16666666666666666 --faults net_cut,net_slow\n" in text
            return
    pytest.fail("no seed had such a fault")


def test_a_campaign_has_a_table_of_faults() -> None:
    code, text = told(Asked(seeds=30, faults="kill,drain"))
    assert (code, "30 runs: all clean, 18,000 venue seconds" in text) == (0, True)
    assert text.splitlines()[0].split() == ["fault", "planned", "took", "effect", "in", "runs"]
    [line] = [line for line in text.splitlines() if line.startswith("kill ")]
    assert line.split()[2:] == ["60", "30"]


def test_a_campaign_without_a_terminal_says_now_and_then_how_far_it_is() -> None:
    progress = io.StringIO()
    simulate(
        Asked(seeds=120, shrinks=False), out=io.StringIO(), progress=progress, runners_of=MadeUp
    )
    assert [line.split("] ")[1] for line in progress.getvalue().splitlines()] == [
        "50 of 120 runs",
        "100 of 120 runs",
    ]


def test_a_campaign_that_missed_a_fault_is_blind() -> None:
    code, text = told(Asked(seeds=ENOUGH_RUNS, faults="kill,drain"), Blind)
    assert [line for line in text.splitlines() if line.startswith("BLIND")] == [
        "BLIND: fault.kill never happened",
        "BLIND: fault.drain never happened",
    ]
    assert code == 1


def test_a_campaign_without_faults_is_not_blind_for_it() -> None:
    assert told(Asked(seeds=ENOUGH_RUNS, faults="none"), Blind)[0] == 0


def test_a_file_without_a_dot_in_its_name_is_told_how_to_be_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["simulate", "--faults", "kept"]) == 2
    assert capsys.readouterr().err.endswith("; or a file: ./kept\n")


def test_a_campaign_names_each_failing_seed_and_shows_the_earliest(tmp_path: Path) -> None:
    code, text = told(Asked(seeds=40, folder=tmp_path))
    failing = text.count("VIOLATED double_settlement at 30.000 s\n")
    assert (code, failing > 1) == (1, True)
    assert f"40 runs: {failing} VIOLATED" in text
    assert len([*tmp_path.iterdir()]) == 1


@pytest.mark.parametrize(
    "line",
    [
        "--hours 0",
        "--seeds 0",
        "--hours nan",
        "--processes -1",
        "--processes 0",
        "--faults lightning",
        "--faults kill,",
        "--faults ./absent.json",
        "--faults ./absent.json --seed 3",
        "--seeds 2 --trace trace.txt",
    ],
)
def test_what_makes_no_sense_is_refused(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", *line.split()]) == 2
    assert capsys.readouterr().err.startswith("tapgrid: ")


def test_a_file_that_is_no_scenario_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.json"
    path.write_text('{"seed": 1}')
    assert main(["simulate", "--faults", str(path)]) == 2
    assert "not a scenario" in capsys.readouterr().err


@pytest.mark.slow
def test_a_real_run_from_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trace = tmp_path / "trace"
    line = f"--seed 2 --hours 0.006 --faults none --trace {trace}"
    assert main(["simulate", *line.split()]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("seed 2: clean, ")
    assert "venue_up" in trace.read_text()


def test_hours_are_read_back_as_the_same_seconds() -> None:
    for seconds in (1.0, 75.0, 600.0, 3_661.123, 86_400.0):
        assert attrs.evolve(Asked(), hours=seconds / 3600).seconds == seconds
