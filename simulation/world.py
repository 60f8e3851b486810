"""The world of one run: the twins of the outside, the process that runs the venue, and the record
of what happened."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import trio

from simulation import draws
from simulation.clock import SteppedClock
from simulation.draws import Draws
from simulation.orders import Order
from simulation.scenario import FaultKind, Scenario
from simulation.trace import Trace
from supervisor import TrioClock

if TYPE_CHECKING:
    from simulation.disk import SimulatedDisk
    from simulation.exchange import SimulatedExchange
    from simulation.keeper import Keeper
    from simulation.network import SimulatedNetwork
    from simulation.objects import SimulatedObjects
    from simulation.process import VenueProcess
    from simulation.store import SimulatedStore
    from simulation.witness import Witness


@attrs.frozen(kw_only=True)
class Violation:
    """Something that must never be, and was."""

    what: str
    """Which invariant, as a short stable name: `double_settlement`."""
    details: str
    at_s: float


@attrs.define(kw_only=True, eq=False)
class World:
    """All that a run is made of. Twins and watchers get it, the venue never does."""

    scenario: Scenario
    trace: Trace
    folder: Path
    """Where the processes' data folders are, one for each kill."""
    true_clock: TrioClock
    clock: SteppedClock
    """The venue's wall clock."""
    everything: trio.CancelScope = attrs.field(factory=trio.CancelScope)
    """Cancelled by the first violation."""
    violations: list[Violation] = attrs.field(factory=list)
    counts: Counter[str] = attrs.field(factory=Counter)
    """How often what happened: `fault.<kind>` for faults that took effect, and whatever else."""
    orders_done: list[Order] = attrs.field(factory=list)
    """What the operator has ordered, and was answered that it is done."""
    process: "VenueProcess | None" = None
    """The one that runs now, if any."""
    calm: trio.Event = attrs.field(factory=trio.Event)
    """Set when people have stopped and every fault is mended; what is open then has its end."""

    # Set by `story.tell`, before anything runs: each of them needs the world.
    exchange: "SimulatedExchange" = attrs.field(init=False)
    network: "SimulatedNetwork" = attrs.field(init=False)
    store: "SimulatedStore" = attrs.field(init=False)
    objects: "SimulatedObjects" = attrs.field(init=False)
    disk: "SimulatedDisk" = attrs.field(init=False)
    witness: "Witness" = attrs.field(init=False)
    keeper: "Keeper" = attrs.field(init=False)

    def draws(self, *purpose: object) -> Draws:
        """The stream of draws of that purpose."""
        return draws.stream(self.scenario.seed, *purpose)

    def now_s(self) -> float:
        """Venue seconds since the run began."""
        return trio.current_time()

    def happened(self, what: str, *facts: object) -> None:
        """Count it, and put it on the trace."""
        self.counts[what] += 1
        self.trace.add(what, *facts)

    def fault_took_effect(self, kind: FaultKind, *facts: object) -> None:
        """A fault did something to the venue: it was not merely planned."""
        self.happened(f"fault.{kind.value}", *facts)

    async def lasting(self, seconds: float) -> None:
        """Wait for a fault's time to be over, or for the calm."""
        with trio.move_on_after(seconds):
            await self.calm.wait()

    def violated(self, what: str, details: object) -> None:
        """Put it on record and end the run: what comes after the first violation is no evidence."""
        if not self.violations:
            found = Violation(what=what, details=str(details), at_s=round(self.now_s(), 6))
            self.violations.append(found)
            self.trace.add("VIOLATED", what, details)
            self.everything.cancel()
