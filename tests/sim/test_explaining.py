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


def an_end(
    reason: Reason, context: Context = Context.RUNNING, *, message: str = "", stack: str = ""
) -> ExitReport:
    return ExitReport(
        supervisor="venue",
        child="venue/batcher",
        life=1,
        reason=reason,
        context=context,
        restarts_left=3,
        type="",
        message=message,
        stack=stack,
    )


@pytest.mark.parametrize(
    ("kind", "lasts_s", "amount", "is_so"),
    [
        (FaultKind.ACTOR_HANG, 2, 0, False),
        (FaultKind.ACTOR_HANG, 34, 0, True),
        (FaultKind.DISK_SLOW, 34, 5, False),
        (FaultKind.DISK_SLOW, 34, 200, True),
        (FaultKind.DISK_FULL, 34, 0, False),
    ],
)
@pytest.mark.parametrize(
    "ended",
    [
        an_end(Reason.HUNG, Context.STUCK, message="busy for more than 30 s"),
        an_end(Reason.START_FAILED, Context.STARTING, message="not ready in 60 s"),
    ],
)
def test_an_actor_hangs_only_by_what_holds_it_up(
    kind: FaultKind, lasts_s: float, amount: int, is_so: bool, ended: ExitReport
) -> None:
    fault = Fault(at_s=100, kind=kind, lasts_s=lasts_s, amount=amount, target="x")
    assert is_end_explained(at(132, fault), ended) == is_so


@pytest.mark.parametrize(("amount", "is_so"), [(5, False), (20, True), (0, True)])
def test_an_actor_stops_late_only_by_what_slows_it_down(amount: int, is_so: bool) -> None:
    world = at(104, Fault(at_s=100, kind=FaultKind.DISK_SLOW, lasts_s=5, amount=amount))
    assert is_end_explained(world, an_end(Reason.KILLED, Context.STOPPING)) == is_so


@pytest.mark.parametrize(("percent", "is_so"), [(0, True), (71, False), (98, False), (100, True)])
def test_a_write_finds_no_room_only_on_a_disk_that_is_full(percent: int, is_so: bool) -> None:
    world = at(104, Fault(at_s=100, kind=FaultKind.DISK_FULL, lasts_s=5, amount=percent))
    ended = an_end(Reason.ABNORMAL, stack="OSError: No space left on device")
    assert is_end_explained(world, ended) == is_so


@pytest.mark.parametrize(
    ("event", "percent", "is_so"),
    [
        ("disk_full", 84, False),
        ("disk_full", 85, True),
        ("disk_emergency", 94, False),
        ("disk_emergency", 0, True),
        ("prices_not_recorded", 98, False),
    ],
)
def test_a_disk_is_called_full_by_how_full_it_is(event: str, percent: int, is_so: bool) -> None:
    world = at(104, Fault(at_s=100, kind=FaultKind.DISK_FULL, lasts_s=5, amount=percent))
    assert is_error_explained(world, event) == is_so


def test_that_the_feed_is_critical_is_news_and_nothing_else_of_it_is_an_error() -> None:
    assert is_error_explained(at(5), "PRICE_FEED_CRITICAL")
    assert not is_error_explained(at(5), "PRICE_FEED_DEGRADED")


@pytest.mark.parametrize(("since_s", "is_so"), [(90, True), (104, True), (106, False)])
def test_a_drain_is_excused_by_what_was_slow_while_it_went_on(since_s: float, is_so: bool) -> None:
    world = at(130, Fault(at_s=100, kind=FaultKind.DISK_SLOW, lasts_s=5))
    assert is_slowed_since(world, since_s) == is_so
