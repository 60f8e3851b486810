"""`tapgrid simulate`: the whole venue in virtual time, from a seed, held against its invariants."""

import math
import os
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Final, TextIO

import attrs

from actors.commands.exits import OK, REFUSED, WRONG, CannotDo
from actors.commands.progress import Progress
from simulation import lines, replay
from simulation.campaign import Tally, drawn, first_of_each
from simulation.replay import Replay
from simulation.run import Outcome
from simulation.runs import BROKE, Runners
from simulation.scenario import FaultKind, Scenario
from simulation.shrink import Bounds, shrink
from simulation.world import Violation
from supervisor.clock import SystemClock

LINE_EVERY_RUNS: Final = 50
"""Where no terminal shows a bar, so that a campaign that was cut off says how far it got: a line in
some three minutes on two cores."""
SHOWN_MAX: Final = 4
"""Of a campaign with more ways to fail the others are named only."""
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

    @property
    def cores(self) -> int:
        """How many runs go on at once."""
        return (os.cpu_count() or 1) if self.processes is None else self.processes


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
    if asked.seeds < 1 or not 0 < asked.hours < math.inf or asked.cores < 1:
        raise CannotDo("--seeds, --hours and --processes are above zero", REFUSED)
    if asked.trace is not None and asked.seeds > 1:
        raise CannotDo("--trace is for one run, not for several", REFUSED)
    return asked


def simulate(
    asked: Asked, *, out: TextIO, progress: TextIO, runners_of: Callable[[int], Runners] = Runners
) -> int:
    """Run a seed, several, or the scenario of a file. WRONG if an invariant was violated, or if a
    campaign can't have seen one. Raises KeyboardInterrupt when all that was found is told."""
    kept = _kept(asked)
    kinds = None if kept else _kinds(asked.faults)
    _refuse_what_cannot_be_written(asked)
    seeds = range(asked.seed, asked.seed + asked.seeds)
    scenarios = [kept.scenario] if kept else drawn(seeds, seconds=asked.seconds, kinds=kinds)
    clock, tally = SystemClock(), Tally()
    began_ms = clock.now_ms()
    with runners_of(asked.cores) as runners:
        try:
            _run(asked, scenarios, runners, tally, out=out, progress=progress)
        except KeyboardInterrupt:
            _say(out, _found_so_far(asked, tally, took_s=_since_s(began_ms, clock)))
            raise
        show = lines.campaign if asked.seeds > 1 else lines.single
        _say(out, show(tally, took_s=_since_s(began_ms, clock)))
        blind = tally.unseen(kinds)
        _say(out, (f"BLIND: {what} never happened" for what in blind))
        for violation, outcome in first_of_each(tally.violated)[:SHOWN_MAX]:
            _say(out, lines.violated(outcome, command(asked, outcome)))
            if asked.shrinks and violation.what != BROKE:
                _make_small(asked, outcome, runners, out=out, progress=progress)
    return WRONG if tally.violated or blind else OK


def _run(
    asked: Asked,
    scenarios: Iterable[Scenario],
    runners: Runners,
    tally: Tally,
    *,
    out: TextIO,
    progress: TextIO,
) -> None:
    """Run all of them; each that fails is told at once."""
    with Progress("runs", total=asked.seeds, stream=progress, line_every=LINE_EVERY_RUNS) as bar:
        for outcome in runners.outcomes(scenarios, trace_to=asked.trace):
            tally.add(outcome)
            if outcome.violations and asked.seeds > 1:
                bar.wipe()
                _say(out, [lines.violation_line(outcome)])
                out.flush()  # a file keeps it back otherwise, until the campaign is over
            bar.step()


def _found_so_far(asked: Asked, tally: Tally, *, took_s: float) -> Iterator[str]:
    """Of a campaign that was interrupted: an hour of it is not thrown away."""
    if asked.seeds == 1:
        return
    if tally.runs:
        yield from lines.campaign(tally, took_s=took_s)
    yield f"interrupted after {tally.runs:,} of {asked.seeds:,} runs"
    for _, outcome in first_of_each(tally.violated)[:SHOWN_MAX]:
        yield from lines.violated(outcome, command(asked, outcome))


def _since_s(began_ms: int, clock: SystemClock) -> float:
    return (clock.now_ms() - began_ms) / 1000


def command(asked: Asked, outcome: Outcome) -> str:
    """What runs exactly that run again."""
    if _is_file(asked.faults):
        return f"tapgrid simulate --faults {asked.faults}"
    scenario = outcome.scenario
    hours = f"--hours {scenario.seconds / 3600!r}"
    plan = "" if asked.faults == DRAWN else f" --faults {asked.faults}"
    return f"tapgrid simulate --seed {scenario.seed} {hours}{plan}"


def _make_small(
    asked: Asked, outcome: Outcome, runners: Runners, *, out: TextIO, progress: TextIO
) -> None:
    """Leave out what the failure does not need, write the rest to a file, and say so. It is in that
    file as it is before anything is tried: that takes long."""
    violation, scenario = outcome.violations[0], outcome.scenario
    path, note = _path(asked, violation, scenario.seed), f"{violation.what}: {violation.details}"
    if not _is_file(asked.faults):
        _write(path, Replay(scenario=scenario, note=note))
    with Progress("runs to make it smaller", total=None, stream=progress) as bar:

        def fails_at(candidates: Sequence[Scenario]) -> list[float | None]:
            outcomes = runners.in_order(candidates)
            bar.step(len(outcomes))
            return [_failed_at_s(one, violation.what) for one in outcomes]

        found = shrink(scenario, violation.at_s, fails_at, Bounds(at_once=asked.cores))
    if found.scenario != scenario:
        _write(path, Replay(scenario=found.scenario, note=note))
    elif _is_file(asked.faults):
        path = Path(asked.faults)
    _say(out, lines.shrunk(scenario, found, path))


def _path(asked: Asked, violation: Violation, seed: int) -> Path:
    """Where its scenario goes. A replay replaces no file: least of all the one that was replayed,
    with what somebody has noted in it."""
    path = asked.folder / f"{violation.what}-{seed}.json"
    numbers = count(2)
    while _is_file(asked.faults) and path.exists():
        path = asked.folder / f"{violation.what}-{seed}-{next(numbers)}.json"
    return path


def _write(path: Path, kept: Replay) -> None:
    try:
        replay.write(path, kept)
    except OSError as error:
        raise CannotDo(str(error), WRONG) from error


def _failed_at_s(outcome: Outcome, what: str) -> float | None:
    return next((one.at_s for one in outcome.violations if one.what == what), None)


def _refuse_what_cannot_be_written(asked: Asked) -> None:
    """Before hours are spent on it."""
    if not (asked.folder.is_dir() and os.access(asked.folder, os.W_OK | os.X_OK)):
        raise CannotDo(f"--out {asked.folder}: no folder that can be written to", REFUSED)
    if asked.trace is not None:
        try:
            asked.trace.open("a").close()
        except OSError as error:
            raise CannotDo(f"--trace {error}", REFUSED) from error


def _kept(asked: Asked) -> Replay | None:
    """The scenario of the file that was named, if one was."""
    if not _is_file(asked.faults):
        return None
    try:
        return replay.read(Path(asked.faults))
    except (OSError, ValueError) as error:
        raise CannotDo(f"{asked.faults}: {error}", REFUSED) from error


def _say(out: TextIO, said: Iterable[str]) -> None:
    out.writelines(f"{line}\n" for line in said)


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
        raise CannotDo(f"{text}; or a file: ./{plan}", REFUSED)
    return tuple(FaultKind(name) for name in plan.split(","))
