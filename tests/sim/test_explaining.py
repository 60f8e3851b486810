"""What a fault excuses, and what it does not any more."""

from pathlib import Path

import pytest

from simulation.clock import SteppedClock
from simulation.explaining import is_end_explained, is_error_explained, is_slowed_since
from simulation.scenario import Fault, FaultKind, Scenario
from simulation.trace import Trace
from simulation.world import World
from supervisor import ExitReport, Reason, TrioClock
from supervisor.report import Context

EPOCH_MS = 1_770_100_000_000


class At(World):
    """A world in which it is a given time."""

    at_s = 0.0

    def now_s(self) -> float:
        return self.at_s


def at(at_s: float, *faults: Fault) -> At:
    clock = TrioClock(EPOCH_MS)
    world = At(
        scenario=Scenario(seed=1, epoch_ms=EPOCH_MS, seconds=600, faults=faults),
        trace=Trace(),
        folder=Path(),
        true_clock=clock,
        clock=SteppedClock(clock),
    )
    world.at_s = at_s
    return world


@pytest.mark.parametrize(
    ("kind", "at_s", "is_so"),
    [
        (FaultKind.STORE_DOWN, 99, False),
        (FaultKind.STORE_DOWN, 101, True),
        (FaultKind.STORE_DOWN, 118, True),
        (FaultKind.STORE_DOWN, 121, False),
        (FaultKind.DISK_FULL, 101, False),
    ],
)
def test_an_error_is_excused_by_a_fault_of_its_kind_and_for_a_while(
    kind: FaultKind, at_s: float, is_so: bool
) -> None:
    world = at(at_s, Fault(at_s=100, kind=kind, lasts_s=5))
    assert is_error_explained(world, "store_unavailable") == is_so


def test_no_fault_excuses_an_error_that_it_does_not_bring_about() -> None:
    faults = [Fault(at_s=100, kind=kind, lasts_s=60) for kind in FaultKind]
    assert not is_error_explained(at(110, *faults), "command_failed")


@pytest.mark.parametrize(("lasts_s", "is_so"), [(2, False), (34, True)])
def test_an_actor_hangs_only_by_what_lasts(lasts_s: float, is_so: bool) -> None:
    world = at(132, Fault(at_s=100, kind=FaultKind.ACTOR_HANG, lasts_s=lasts_s, target="x"))
    ended = ExitReport(
        supervisor="venue",
        child="venue/batcher",
        life=1,
        reason=Reason.HUNG,
        context=Context.STUCK,
        restarts_left=3,
        type="",
        message="busy for more than 30 s",
        stack="",
    )
    assert is_end_explained(world, ended) == is_so


@pytest.mark.parametrize(("since_s", "is_so"), [(90, True), (104, True), (106, False)])
def test_a_drain_is_excused_by_what_was_slow_while_it_went_on(since_s: float, is_so: bool) -> None:
    world = at(130, Fault(at_s=100, kind=FaultKind.DISK_SLOW, lasts_s=5))
    assert is_slowed_since(world, since_s) == is_so
