"""One run: a scenario from its first second until everything that was open has ended."""

import gc
from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

import attrs
import trio

from simulation import story
from simulation.clock import SteppedClock
from simulation.places import new_folder
from simulation.scenario import Scenario
from simulation.scheduling import COLLECTS_EVERY_S, scheduled_by
from simulation.trace import Trace
from simulation.virtual_time import VirtualClock
from simulation.world import Violation, World
from supervisor import TrioClock


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


def simulate(
    scenario: Scenario, *, trace_to: TextIO | None = None, place: Path | None = None
) -> Outcome:
    """Run it. The same scenario gives the same outcome, in any process. Its files are within
    `place`, if whoever may have to kill this process has one to clear away."""
    with new_folder(within=place) as folder, scheduled_by(scenario.seed):
        clock = VirtualClock(every_s=COLLECTS_EVERY_S, housekeeping=gc.collect)
        return trio.run(_run, scenario, Path(folder), trace_to, clock=clock)


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
