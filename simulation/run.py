"""One run: a scenario from its first second until everything that was open has ended."""

import os
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, TextIO

import attrs
import trio

from simulation import story
from simulation.clock import SteppedClock
from simulation.scenario import Scenario
from simulation.scheduling import scheduled_by
from simulation.trace import Trace
from simulation.virtual_time import VirtualClock
from simulation.world import Violation, World
from supervisor import TrioClock

MEMORY: Final = Path("/dev/shm")
"""Where there is one: a sync costs nothing there, and no run outlives its process."""


@attrs.frozen(kw_only=True)
class Outcome:
    """What a run came to."""

    scenario: Scenario
    trace_hash: str
    violations: tuple[Violation, ...]
    counts: Mapping[str, int]
    venue_s: float
    """Venue time, from the first second to the last."""
    last_lines: tuple[str, ...] = ()
    """Of the trace; kept for a run with a violation."""


def simulate(scenario: Scenario, *, trace_to: TextIO | None = None) -> Outcome:
    """Run it. The same scenario gives the same outcome, in any process."""
    place = MEMORY if os.access(MEMORY, os.W_OK) else None
    with (
        TemporaryDirectory(prefix="tapgrid-simulation-", dir=place) as folder,
        scheduled_by(scenario.seed),
    ):
        return trio.run(_run, scenario, Path(folder), trace_to, clock=VirtualClock())


async def _run(scenario: Scenario, folder: Path, trace_to: TextIO | None) -> Outcome:
    true_clock = TrioClock(scenario.epoch_ms)
    world = World(
        scenario=scenario,
        trace=Trace(trace_to),
        folder=folder,
        true_clock=true_clock,
        clock=SteppedClock(true_clock),
    )
    with world.everything:
        await story.tell(world)
    return Outcome(
        scenario=scenario,
        trace_hash=world.trace.hexdigest(),
        violations=tuple(world.violations),
        counts=dict(sorted(world.counts.items())),
        venue_s=round(world.now_s(), 6),
        last_lines=tuple(world.trace.last) if world.violations else (),
    )
