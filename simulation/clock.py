"""The machine's wall clock, which a run may step. Waits go by trio's clock and do not notice."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from domain.units import EpochMs
from simulation.scenario import Fault, FaultKind
from supervisor import TrioClock

if TYPE_CHECKING:
    from simulation.world import World


class SteppedClock:
    """A wall clock that is as far from the true time as it was stepped."""

    def __init__(self, true: TrioClock) -> None:
        self._true = true
        self.off_by_ms = 0
        self.on_step: list[Callable[[], None]] = []
        """Called after each step: some last for less time than passes between two looks."""

    def step(self, by_ms: int) -> None:
        """Forward, or below zero back."""
        self.off_by_ms += by_ms
        for tell in self.on_step:
            tell()

    def now_ms(self) -> EpochMs:
        """What the machine believes."""
        return self._true.now_ms() + self.off_by_ms


async def step(world: "World", fault: Fault) -> None:
    """Step the clock; and back after the fault's time, or in the calm if it has none."""
    by_ms = fault.amount if fault.kind is FaultKind.CLOCK_FORWARD else -fault.amount
    world.clock.step(by_ms)
    if world.process is not None and world.process.is_up:
        world.fault_took_effect(fault.kind, by_ms)
    if fault.lasts_s > 0:
        await world.lasting(fault.lasts_s)
    else:
        await world.calm.wait()
    world.clock.step(-by_ms)
    world.trace.add("clock_mended", -by_ms)
