"""`tapgrid simulate`: what it prints, what it writes, how it ends."""

import io
import os
import signal
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import gettempdir
from typing import ClassVar

import attrs
import pytest
import trio

from actors.__main__ import main
from actors.commands.simulate import Asked, simulate
from simulation import replay
from simulation.campaign import ENOUGH_RUNS, MUST_HAPPEN
from simulation.drawing import draw
from simulation.places import MEMORY
from simulation.replay import Replay
from simulation.run import Outcome
from simulation.runs import Runners
from simulation.scenario import Fault, FaultKind, Scenario
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


def test_a_replay_writes_over_no_file(tmp_path: Path) -> None:
    seed = first_seed(failing=True)
    path = tmp_path / f"double_settlement-{seed}.json"
    whole = draw(seed, seconds=600)
    replay.write(path, Replay(scenario=whole, note="what I found out"))
    _, text = told(Asked(faults=str(path), folder=tmp_path))
    assert replay.read(path) == Replay(scenario=whole, note="what I found out")
    smaller = tmp_path / f"double_settlement-{seed}-2.json"
    assert text.endswith(f"replay: tapgrid simulate --faults {smaller}\n")
    assert len(replay.read(smaller).scenario.faults) == 1
    _, text = told(Asked(faults=str(smaller), folder=tmp_path))
    assert text.endswith(f"replay: tapgrid simulate --faults {smaller}\n"), "nothing to leave out"
    assert sorted(tmp_path.iterdir()) == [smaller, path]


class Interrupted(MadeUp):
    """Ctrl-C in the middle of the 25th run of a campaign, or of the first to make one smaller."""

    def outcomes(
        self, scenarios: Iterable[Scenario], *, trace_to: Path | None = None
    ) -> Iterator[Outcome]:
        for number, outcome in enumerate(super().outcomes(scenarios), start=1):
            if number == 25:
                raise KeyboardInterrupt
            yield outcome

    def in_order(self, scenarios: Iterable[Scenario]) -> list[Outcome]:
        raise KeyboardInterrupt


def test_what_an_interrupted_campaign_has_found_is_told(tmp_path: Path) -> None:
    out = io.StringIO()
    asked = Asked(seeds=40, folder=tmp_path)
    with pytest.raises(KeyboardInterrupt):
        simulate(asked, out=out, progress=io.StringIO(), runners_of=Interrupted)
    said = out.getvalue().splitlines()
    table = next(at for at, line in enumerate(said) if line.startswith("24 runs: "))
    assert said[table + 1] == "interrupted after 24 of 40 runs"
    assert said[-1].startswith("replay: tapgrid simulate --seed ")


def test_who_waits_no_longer_for_a_smaller_one_has_the_whole(tmp_path: Path) -> None:
    seed = first_seed(failing=True)
    with pytest.raises(KeyboardInterrupt):
        told(Asked(seed=seed, folder=tmp_path), Interrupted)
    [path] = tmp_path.iterdir()
    assert replay.read(path).scenario == draw(seed, seconds=600)


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
        "--out ./absent",
        "--out pyproject.toml",
        "--trace ./absent/trace.txt",
        "--trace tests",
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


def test_a_scenario_with_a_misspelled_actor_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.json"
    fault = Fault(at_s=1, kind=FaultKind.ACTOR_CRASH, target="venue/bather")
    bad = Scenario(seed=1, seconds=1, epoch_ms=0, settings={"grid.row": 1}, faults=(fault,))
    replay.write(path, Replay(scenario=bad))
    assert main(["simulate", "--faults", str(path)]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"tapgrid: {path}: not a scenario that can be run:\n  fault 1: ")


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


@pytest.mark.slow
@pytest.mark.parametrize("when", ["runner-1", "runner-2/tapgrid-*/data-1/money"])
async def test_ctrl_c_leaves_nothing_behind(when: str, tmp_path: Path) -> None:
    """As a terminal sends it: to the command and to all that it has started. While that is being
    started, or in the middle of a run."""
    line = (sys.executable, "-m", "actors", "simulate", *["--seeds", "3", "--processes", "2"])
    with (tmp_path / "said").open("w+") as said:
        command = await trio.lowlevel.open_process(
            line, stdout=said, stderr=said, start_new_session=True
        )
        folder = f"tapgrid-simulation-{command.pid}-*"
        with trio.fail_after(60):
            while not left(f"{folder}/{when}"):  # noqa: ASYNC110
                await trio.sleep(0.005)
        os.killpg(command.pid, signal.SIGINT)
        with trio.fail_after(30):
            assert await command.wait() == 130
        said.seek(0)
        assert said.read() == "interrupted after 0 of 3 runs\n"
    assert left(folder) == []


def left(pattern: str) -> list[Path]:
    """Of the files of runs, those that are there."""
    return [path for place in (MEMORY, Path(gettempdir())) for path in place.glob(pattern)]


def test_hours_are_read_back_as_the_same_seconds() -> None:
    for seconds in (1.0, 75.0, 600.0, 3_661.123, 86_400.0):
        assert attrs.evolve(Asked(), hours=seconds / 3600).seconds == seconds
