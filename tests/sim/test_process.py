"""One process of the simulated venue, who restarts it, and what strikes it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
import pytest
import structlog
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from protocols.money import Deposit, Deposited
from simulation import story
from simulation.clock import SteppedClock
from simulation.crashes import Crash
from simulation.faults import strike_all
from simulation.logwatch import listening
from simulation.process import PROCESS, VenueProcess
from simulation.run import simulate
from simulation.scenario import Fault, FaultKind, Scenario
from simulation.trace import Trace
from simulation.witness import Observer
from simulation.workers import SimulatedWorker
from simulation.world import World
from supervisor import TrioClock, ask

EPOCH_MS = 1_770_100_000_000
ALICE = "0x" + "ab" * 20
LIMIT_S = 100

pytestmark = pytest.mark.slow


def a_world(folder: Path, *faults: Fault) -> World:
    """With all its twins; nothing runs yet."""
    true_clock = TrioClock(EPOCH_MS)
    settings = {"grid.rows": 8, "quotes.interval_ms": 1000}
    world = World(
        scenario=Scenario(
            seed=1, seconds=600, epoch_ms=EPOCH_MS, settings=settings, faults=tuple(faults)
        ),
        trace=Trace(),
        folder=folder,
        true_clock=true_clock,
        clock=SteppedClock(true_clock),
    )
    story.furnish(world)
    return world


@asynccontextmanager
async def kept(world: World) -> AsyncIterator[None]:
    """Its venue is up and kept, and its faults strike; at the end it is drained."""
    with listening(world), world.disk.in_force(), world.everything:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(world.exchange.trade)
            nursery.start_soon(world.keeper.run)
            nursery.start_soon(strike_all, world)
            await wait(lambda: world.process is not None)
            yield
            world.calm.set()
            await world.keeper.end()
            nursery.cancel_scope.cancel()


async def wait(is_so: Callable[[], bool]) -> None:
    """Until it is so."""
    with trio.fail_after(LIMIT_S):
        while not is_so():  # noqa: ASYNC110 - no event tells of it
            await trio.sleep(0.05)


def process_of(world: World) -> VenueProcess:
    assert world.process is not None
    return world.process


def deposit(n: int) -> Deposit:
    return Deposit(wallet=ALICE, amount_micros=1_000_000, reference=f"d{n}", by="test")


async def put(world: World, n: int) -> object:
    return await ask(process_of(world).channels.money, deposit(n), within_s=5)


def balance_micros(world: World) -> int:
    ports = process_of(world).ports
    assert ports is not None
    account = ports.ledger_reader.account(ALICE)
    return 0 if account is None else account.balance_micros


@attrs.define
class Notes(Observer):
    """What the process let itself be seen doing."""

    seen: list[str] = attrs.field(factory=list)

    def starting(self, process: VenueProcess) -> None:
        self.seen.append(f"starting {process.number}")

    def venue_up(self, process: VenueProcess) -> None:
        self.seen.append(f"up {process.number}")

    def draining(self, process: VenueProcess) -> None:
        self.seen.append(f"draining {process.number}")

    def venue_ended(self, process: VenueProcess, how: str) -> None:
        self.seen.append(f"{how} {process.number}")


# --- its ends -----------------------------------------------------------------------------------


async def test_drained_it_stops_and_a_new_one_goes_on_with_its_money(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    world = a_world(tmp_path, Fault(at_s=5, kind=FaultKind.DRAIN, lasts_s=3))
    notes = Notes()
    world.witness.observers.append(notes)
    async with kept(world):
        assert isinstance(await put(world, 1), Deposited)
        await wait(lambda: world.counts["venue_up"] == 2)
        assert trio.current_time() >= 9  # it stayed down, and is restarted after a second
        assert balance_micros(world) == 1_000_000
    assert notes.seen == [
        *("starting 1", "up 1", "draining 1", "stopped 1"),
        *("starting 2", "up 2", "draining 2", "stopped 2"),
    ]
    assert world.counts["fault.drain"] == 1
    assert world.violations == []


async def test_killed_it_leaves_what_was_on_disk_and_nothing_that_came_after(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    world = a_world(tmp_path)
    async with kept(world):
        first = process_of(world)
        assert isinstance(await put(world, 1), Deposited)
        first.kill()
        assert first.ports is not None
        first.ports.ledger.apply([deposit(2)], at_ms=world.clock.now_ms())  # nobody's any more
        await wait(lambda: world.counts["venue_up"] == 2)
        assert balance_micros(world) == 1_000_000
        assert process_of(world).data != first.data
        await wait(lambda: not first.data.exists())
    assert world.violations == []


@pytest.mark.parametrize("step", range(1, 8))
async def test_killed_inside_a_call_a_commit_is_whole_or_was_never_made(
    autojump_clock: MockClock, tmp_path: Path, step: int
) -> None:
    world = a_world(tmp_path)
    async with kept(world):
        first = process_of(world)
        assert first.ports is not None

        def die(_step: str) -> None:
            first.kill()

        for n in range(3):
            await put(world, n)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(put, world, 3)
            world.disk.at_step(step, die)
            await wait(lambda: first.ended.is_set())
            nursery.cancel_scope.cancel()
        await wait(lambda: world.counts["venue_up"] == 2)
        assert balance_micros(world) in (3_000_000, 4_000_000)
        assert process_of(world).number == 2
    assert world.violations == []


async def test_a_dead_process_is_not_heard(autojump_clock: MockClock, tmp_path: Path) -> None:
    world = a_world(tmp_path)
    async with kept(world):
        first = process_of(world)
        first.kill()
        PROCESS.set(first)
        structlog.get_logger("batcher").error("command_failed", why="on its way out")
        PROCESS.set(None)
        await wait(lambda: world.counts["venue_up"] == 2)
    assert world.violations == []


async def test_told_to_stop_while_it_starts_it_stops(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    class Impatient(Notes):
        def starting(self, process: VenueProcess) -> None:
            super().starting(process)
            if process.number == 2:
                process.drain()

    world = a_world(tmp_path)
    notes = Impatient()
    async with kept(world):
        world.witness.observers.append(notes)
        process_of(world).kill()
        await wait(lambda: "up 3" in notes.seen)
    assert notes.seen[:4] == ["killed 1", "starting 2", "draining 2", "stopped 2"]
    assert world.violations == []


async def test_a_venue_that_finds_a_full_disk_at_its_first_start_is_started_again(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    full = Fault(at_s=0, kind=FaultKind.DISK_FULL, lasts_s=5)
    world = a_world(tmp_path, full)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(world.disk.strike, full)
        await wait_all_tasks_blocked()
        async with kept(world):
            assert isinstance(await put(world, 1), Deposited)
        nursery.cancel_scope.cancel()
    assert world.counts["venue_failed"] > 0
    assert world.violations == []


# --- drains that do not end ---------------------------------------------------------------------


async def hold_up(world: World, *, lasts_s: float) -> None:
    """A worker hangs with a command in hand, and the venue is told to stop."""
    process = process_of(world)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(process.workers["ledger_writes"].hang, lasts_s)
        nursery.start_soon(put, world, 1)
        await trio.sleep(0.5)
        process.drain()
        await wait(lambda: process.ended.is_set())
        nursery.cancel_scope.cancel()


async def test_a_drain_over_its_limit_is_a_violation(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    world = a_world(tmp_path)
    async with kept(world):
        await hold_up(world, lasts_s=60)
    assert [one.what for one in world.violations] == ["actor_failed"]
    assert "does not end when it is cancelled" in world.violations[0].details


async def test_a_drain_over_its_limit_is_left_by_force_where_a_worker_hangs(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    hang = Fault(at_s=0.5, kind=FaultKind.ACTOR_HANG, target="nobody", lasts_s=60)
    world = a_world(tmp_path, hang)
    notes = Notes()
    async with kept(world):
        world.witness.observers.append(notes)
        await hold_up(world, lasts_s=60)
        await wait(lambda: world.counts["venue_up"] == 2)
    assert notes.seen[:2] == ["draining 1", "forced 1"]
    assert world.violations == []


# --- actors -------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["venue/batcher", "venue/resolver", "venue/gateway"])
async def test_an_actor_crashes_and_is_restarted(
    autojump_clock: MockClock, tmp_path: Path, target: str
) -> None:
    crash = Fault(at_s=3, kind=FaultKind.ACTOR_CRASH, target=target, amount=1)
    world = a_world(tmp_path, crash)
    async with kept(world):
        n = 0
        while not world.counts["fault.actor_crash"]:
            n += 1
            await put(world, n)
        await trio.sleep(5)
        assert isinstance(await put(world, n + 1), Deposited)
    assert world.counts["actor_failed"] == 1
    assert world.violations == []


async def test_an_actor_that_crashes_by_itself_is_a_violation(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    world = a_world(tmp_path)
    async with kept(world):
        crash = Crash(process_of(world), "venue/resolver", 0)
        trio.lowlevel.add_instrument(crash)
        with trio.move_on_after(LIMIT_S):
            await crash.struck.wait()
            await trio.sleep(1)
        trio.lowlevel.remove_instrument(crash)
    assert [one.what for one in world.violations] == ["actor_failed"]
    assert "CrashOnPurpose" in world.violations[0].details


# --- what is logged -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "kind", "is_violation"),
    [
        ("command_failed", FaultKind.DISK_FULL, True),
        ("disk_full", FaultKind.DISK_FULL, False),
        ("disk_full", FaultKind.STORE_DOWN, True),
        ("store_unavailable", FaultKind.STORE_SLOW, False),
        ("never_heard_of", FaultKind.STORE_SLOW, True),
    ],
)
async def test_an_error_that_no_fault_explains_is_a_violation(
    autojump_clock: MockClock, tmp_path: Path, event: str, kind: FaultKind, is_violation: bool
) -> None:
    world = a_world(tmp_path, Fault(at_s=0, kind=kind, lasts_s=1))
    with listening(world):
        PROCESS.set(
            VenueProcess(world=world, number=1, data=tmp_path, settings=world.keeper.settings)
        )
        structlog.get_logger("batcher").error(event, why="test")
        structlog.get_logger("batcher").info("command_failed")
        PROCESS.set(None)
    assert [one.what for one in world.violations] == ["error_logged"] * is_violation
    assert world.counts["error_logged"] == 1


# --- workers ------------------------------------------------------------------------------------


async def test_a_call_is_not_cut_off_with_its_caller(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    world = a_world(tmp_path)
    worker = SimulatedWorker(world, "test", life=1, abandons=False)
    done: list[float] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(worker.hang, 5)
        await trio.testing.wait_all_tasks_blocked()
        with trio.move_on_after(1):
            await worker.run(lambda: done.append(trio.current_time()))
        assert done == [pytest.approx(5, abs=0.5)]


async def test_a_call_that_may_be_left_keeps_the_turn(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    world = a_world(tmp_path)
    worker = SimulatedWorker(world, "test", life=1, abandons=True)
    done: list[str] = []
    async with trio.open_nursery() as nursery:
        worker.threads = nursery
        nursery.start_soon(worker.hang, 5)
        await trio.testing.wait_all_tasks_blocked()
        with trio.move_on_after(1):
            await worker.run(lambda: done.append("first"))
        assert trio.current_time() == pytest.approx(1, abs=0.01)
        assert done == []
        await worker.run(lambda: done.append("second"))
        assert done == ["first", "second"]
        assert trio.current_time() >= 5


async def test_a_call_that_fails_gives_the_turn_back(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    worker = SimulatedWorker(a_world(tmp_path), "test", life=1, abandons=False)

    def fail() -> None:
        raise ValueError("no")

    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            await worker.run(fail)


# --- the end of a run ---------------------------------------------------------------------------


def test_a_bet_that_never_ends_is_a_violation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(story, "_open_bets", lambda _money: 1)
    outcome = simulate(Scenario(seed=1, seconds=5, epoch_ms=EPOCH_MS))
    assert [one.what for one in outcome.violations] == ["bet_never_ended"]


def test_a_quiet_run_ends_clean() -> None:
    outcome = simulate(Scenario(seed=1, seconds=5, epoch_ms=EPOCH_MS))
    assert outcome.violations == ()
    assert outcome.counts["venue_up"] == outcome.counts["venue_ended"] == 1
