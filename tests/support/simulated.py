"""A world of the simulation without a venue, for the tests of what it is made of."""

from pathlib import Path

from domain.units import EpochMs
from simulation.clock import SteppedClock
from simulation.scenario import Scenario
from simulation.trace import Trace
from simulation.world import World
from supervisor import TrioClock
from tests.support.hand_clock import HandClock

EPOCH_MS: EpochMs = 1_770_100_000_000


class Untraced(Trace):
    """Keeps nothing: a trace says when things happened, and out of the event loop there is no
    venue time."""

    def add(self, what: str, *facts: object) -> None:
        pass


def a_world(
    folder: Path, *, seed: int = 1, clock: HandClock | None = None, traced: bool = True
) -> World:
    """One whose clock is trio's, or stands still until it is moved by hand."""
    true_clock = TrioClock(EPOCH_MS) if clock is None else clock
    return World(
        scenario=Scenario(seed=seed, seconds=60, epoch_ms=EPOCH_MS),
        trace=Trace() if traced else Untraced(),
        folder=folder,
        true_clock=true_clock,  # type: ignore[arg-type]
        clock=SteppedClock(true_clock),  # type: ignore[arg-type]
    )
