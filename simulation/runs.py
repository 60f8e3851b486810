"""Many runs, each in one of several processes: a run that hangs or takes its process down with it
costs nothing but itself, and is a finding like any other."""

import faulthandler
import logging
import multiprocessing
import shutil
import signal
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import structlog

from simulation.places import new_folder
from simulation.run import Outcome, simulate
from simulation.scenario import Scenario
from simulation.world import Violation

BROKE: Final = "run_broke"
"""The invariant that a run comes to an end at all."""
STUCK_AFTER_S: Final = 180.0
STUCK_PER_VENUE_S: Final = 0.25
"""Real seconds until a run is given up, the greater of the two: it takes a hundredth of its venue
time, more on a machine that is busy otherwise. Then its stack is written to stderr."""
ENDS_WITHIN_S: Final = 5


class Runners:
    """So many processes, started when they are first needed, killed at the end. What a killed one
    leaves behind is in a folder that is ours, and cleared away by us."""

    def __init__(self, count: int, *, stuck_after_s: float | None = None) -> None:
        self.count = count
        self._stuck_after_s = stuck_after_s
        self._runners: list[_Runner] = []
        self._started = 0
        self._folder = new_folder(runs=count)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for runner in self._runners:
            runner.end()
        self._folder.cleanup()

    def outcomes(
        self, scenarios: Iterable[Scenario], *, trace_to: Path | None = None
    ) -> Iterator[Outcome]:
        """What each came to, in the order in which they end. Scenarios are taken as needed."""
        waiting = iter(scenarios)
        idle = [*self._runners]
        busy: dict[Connection, _Runner] = {}
        while True:
            while len(busy) < self.count and (scenario := next(waiting, None)) is not None:
                if not idle:
                    idle.append(self._another())
                runner = idle.pop()
                runner.begin(scenario, trace_to, self._limit_s(scenario))
                busy[runner.connection] = runner
            if not busy:
                return
            for ready in wait([*busy]):
                assert isinstance(ready, Connection)
                runner = busy.pop(ready)
                outcome = runner.outcome()
                if runner.is_gone:
                    self._runners.remove(runner)
                    runner.end()
                else:
                    idle.append(runner)
                yield outcome

    def in_order(self, scenarios: Iterable[Scenario]) -> list[Outcome]:
        """What each came to, in their order."""
        asked = [*scenarios]
        by_text = {outcome.scenario.to_json(): outcome for outcome in self.outcomes(asked)}
        return [by_text[scenario.to_json()] for scenario in asked]

    def _limit_s(self, scenario: Scenario) -> float:
        if self._stuck_after_s is not None:
            return self._stuck_after_s
        return max(STUCK_AFTER_S, STUCK_PER_VENUE_S * scenario.seconds)

    def _another(self) -> "_Runner":
        self._started += 1
        runner = _Runner(Path(self._folder.name) / f"runner-{self._started}")
        self._runners.append(runner)
        return runner


class _Runner:
    """One process, the place of its files, and our end of the line to it."""

    def __init__(self, place: Path) -> None:
        processes = multiprocessing.get_context("spawn")
        self.connection, theirs = processes.Pipe()
        self._place = place
        self._place.mkdir()
        self._process: BaseProcess = processes.Process(
            target=_serve, args=(theirs, place), daemon=True
        )
        with _ctrl_c_held_back():
            self._process.start()
        theirs.close()
        self._scenario: Scenario | None = None
        self.is_gone = False

    def begin(self, scenario: Scenario, trace_to: Path | None, limit_s: float) -> None:
        self._scenario = scenario
        self.connection.send((scenario, trace_to, limit_s))

    def outcome(self) -> Outcome:
        """Of the run that was begun; waits for it."""
        try:
            found = self.connection.recv()
        except (EOFError, ConnectionResetError):
            self.is_gone = True
            self._process.join(ENDS_WITHIN_S)
            return _broken(
                self._scenario,
                f"its process has ended with code {self._process.exitcode}: killed, or stuck",
            )
        if isinstance(found, str):
            self.is_gone = True
            return _broken(self._scenario, found)
        assert isinstance(found, Outcome)
        return found

    def end(self) -> None:
        self.connection.close()
        self._process.kill()
        self._process.join(ENDS_WITHIN_S)
        shutil.rmtree(self._place, ignore_errors=True)


@contextmanager
def _ctrl_c_held_back() -> Iterator[None]:
    """Who is started meanwhile never gets it, from its first moment on; we get it afterwards.

    It is for who has started them; he kills them. What is started inherits the mask; to us it may
    still come by another thread (numpy has some), and would leave a process half-started.
    """
    came: list[int] = []
    resource_tracker.ensure_running()  # started by the first process, it would end the hold
    handler = signal.signal(signal.SIGINT, lambda number, _frame: came.append(number))
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGINT, handler)
        if came:
            signal.raise_signal(signal.SIGINT)


def _broken(scenario: Scenario | None, text: str) -> Outcome:
    assert scenario is not None
    lines = text.strip().splitlines()
    return Outcome(
        scenario=scenario,
        trace_hash="",
        violations=(Violation(what=BROKE, details=lines[-1], at_s=0),),
        counts={},
        venue_s=0,
        last_lines=tuple(lines),
    )


def _serve(asked: Connection, place: Path) -> None:
    """In the process: one run after the other, until nobody asks for more."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    while True:
        try:
            scenario, trace_to, limit_s = asked.recv()
        except EOFError:
            return
        faulthandler.dump_traceback_later(limit_s, exit=True)
        try:
            outcome = _run(scenario, trace_to, place)
        except BaseException:
            asked.send(traceback.format_exc())
            raise  # what it has left behind is no ground for another run: this process ends
        faulthandler.cancel_dump_traceback_later()
        asked.send(outcome)


def _run(scenario: Scenario, trace_to: Path | None, place: Path) -> Outcome:
    if trace_to is None:
        return simulate(scenario, place=place)
    with trace_to.open("w", encoding="utf-8") as trace:
        return simulate(scenario, trace_to=trace, place=place)
