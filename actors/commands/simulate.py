"""`tapgrid simulate`: the whole venue in virtual time, from a seed, held against its invariants."""

import math
import os
from argparse import Namespace
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final, TextIO

import attrs

from actors.commands import simulate_lines as lines
from actors.commands.exits import OK, REFUSED, WRONG, CannotDo
from actors.commands.progress import Progress
from simulation import replay
from simulation.campaign import Tally, drawn, first_of_each
from simulation.replay import Replay
from simulation.run import Outcome
from simulation.runs import BROKE, Runners
from simulation.scenario import FaultKind, Scenario
from simulation.shrink import shrink
from supervisor.clock import SystemClock

SHRINKING_RUNS_MAX: Final = 200
SHRUNK_MAX: Final = 3
"""Of a campaign with more ways to fail the others are left as they are."""
DRAWN, NONE = "drawn", "none"


@attrs.frozen(kw_only=True)
class Asked:
    """What the command line says."""

    seed: int = 1
    seeds: int = 1
    hours: float = 10 / 60
    faults: str = DRAWN
    """`drawn`, `none`, kinds with commas between, or a file with a scenario."""
    shrinks: bool = True
    trace: Path | None = None
    """Where the trace of a single run goes."""
    processes: int | None = None
    """None: one for each core."""
    folder: Path = Path()
    """Where failing scenarios are written."""

    @property
    def seconds(self) -> float:
        """To the millisecond: what is printed as hours is the same time when it is read."""
        return round(self.hours * 3600, 3)


def asked_by(arguments: Namespace) -> Asked:
    """Raises CannotDo if it makes no sense."""
    given = {name: getattr(arguments, name) for name in ("seed", "seeds", "hours")}
    given = {name: value for name, value in given.items() if value is not None}
    if given and _is_file(arguments.faults):
        options = ", ".join(f"--{name}" for name in given)
        raise CannotDo(f"{arguments.faults} is one whole run: {options} can't be added", REFUSED)
    asked = Asked(
        **given,
        faults=arguments.faults,
        shrinks=not arguments.no_shrink,
        trace=arguments.trace,
        processes=arguments.processes,
        folder=arguments.out,
    )
    if asked.seeds < 1 or not 0 < asked.seconds < math.inf or asked.processes == 0:
        raise CannotDo("--seeds, --hours and --processes are above zero", REFUSED)
    if asked.trace is not None and asked.seeds > 1:
        raise CannotDo("--trace is for one run, not for several", REFUSED)
    return asked


def simulate(asked: Asked, *, out: TextIO, progress: TextIO) -> int:
    """Run a seed, several, or the scenario of a file. WRONG if an invariant was violated, or if a
    campaign can't have seen one."""
    clock = SystemClock()
    began_ms = clock.now_ms()
    kept = _kept(asked)
    kinds = None if kept else _kinds(asked.faults)
    scenarios = (
        iter([kept.scenario])
        if kept
        else drawn(range(asked.seed, asked.seed + asked.seeds), seconds=asked.seconds, kinds=kinds)
    )
    tally = Tally()
    count = asked.processes or os.cpu_count() or 1
    with ExitStack() as stack:
        runners = stack.enter_context(Runners(min(count, asked.seeds) if not kept else 1))
        bar = stack.enter_context(Progress("runs", total=asked.seeds, stream=progress))
        for outcome in runners.outcomes(scenarios, trace_to=asked.trace):
            tally.add(outcome)
            bar.step()
            if outcome.violations and asked.seeds > 1:
                bar.wipe()
                out.write(f"{lines.violation_line(outcome)}\n")
    took_s = (clock.now_ms() - began_ms) / 1000
    blind = [] if kept else tally.unseen(kinds if kinds is not None else tuple(FaultKind))
    if asked.seeds > 1:
        out.writelines(f"{line}\n" for line in lines.campaign(tally, took_s=took_s))
    else:
        out.writelines(f"{line}\n" for line in lines.single(tally, took_s=took_s))
    out.writelines(f"BLIND: {what} never happened\n" for what in blind)
    for _, outcome in first_of_each(tally.violated):
        out.writelines(f"{line}\n" for line in lines.violated(outcome, command(asked, outcome)))
    if asked.shrinks:
        _shrink(asked, tally, count, out=out, progress=progress)
    return WRONG if tally.violated or blind else OK


def command(asked: Asked, outcome: Outcome) -> str:
    """What runs exactly that run again."""
    if _is_file(asked.faults):
        return f"tapgrid simulate --faults {asked.faults}"
    scenario = outcome.scenario
    hours = f"--hours {scenario.seconds / 3600!r}"
    plan = "" if asked.faults == DRAWN else f" --faults {asked.faults}"
    return f"tapgrid simulate --seed {scenario.seed} {hours}{plan}"


def _shrink(asked: Asked, tally: Tally, count: int, *, out: TextIO, progress: TextIO) -> None:
    """The earliest of each way to fail, made small and written to a file."""
    found = [one for one in first_of_each(tally.violated) if one[0].what != BROKE]
    for violation, outcome in found[:SHRUNK_MAX]:
        with Runners(count) as runners:
            bar = Progress("runs to shrink it", total=None, stream=progress)

            def fails_at(
                scenarios: Sequence[Scenario],
                what: str = violation.what,
                runners: Runners = runners,
                bar: Progress = bar,
            ) -> list[float | None]:
                bar.step(len(scenarios))
                outcomes = runners.in_order(scenarios)
                return [
                    next((one.at_s for one in run.violations if one.what == what), None)
                    for run in outcomes
                ]

            with bar:
                shrunk = shrink(
                    outcome.scenario,
                    violation.at_s,
                    fails_at,
                    runs_max=SHRINKING_RUNS_MAX,
                    at_once=count,
                )
        path = asked.folder / f"{violation.what}-{outcome.scenario.seed}.json"
        note = f"{violation.what}: {violation.details}"
        if shrunk.failed_again:
            replay.write(path, Replay(scenario=shrunk.scenario, note=note))
        shown = lines.shrunk(outcome.scenario, shrunk, path)
        out.writelines(f"{line}\n" for line in shown)


def _kept(asked: Asked) -> Replay | None:
    """The scenario of the file that was named, if one was."""
    if not _is_file(asked.faults):
        return None
    try:
        return replay.read(Path(asked.faults))
    except (OSError, ValueError) as error:
        raise CannotDo(f"{asked.faults}: {error}", REFUSED) from error


def _is_file(plan: str) -> bool:
    return "." in plan or "/" in plan


def _kinds(plan: str) -> tuple[FaultKind, ...] | None:
    if plan == DRAWN:
        return None
    if plan == NONE:
        return ()
    known = [kind.value for kind in FaultKind]
    unknown = [name for name in plan.split(",") if name not in known]
    if unknown:
        text = f"no such kind of fault: {', '.join(unknown)}; there are {', '.join(known)}"
        raise CannotDo(text, REFUSED)
    return tuple(FaultKind(name) for name in plan.split(","))
