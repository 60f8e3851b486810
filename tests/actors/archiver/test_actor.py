"""The Archiver: when weeks are begun, when they are archived and purged, and what it tells of it.

Real ledger, record and files; the Batcher is its mailbox here, answered by the real ledger. Times
are virtual; only where a step must last does a thread do it.
"""

import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from itertools import pairwise
from pathlib import Path

import attrs
import pytest
import trio
from trio.testing import MockClock

from actors import archiver
from actors.archiver import (
    LOOK_EVERY_S,
    ROTATE_WITHIN_S,
    ROUND_EVERY_S,
    WAIT_S,
    ArchiveAsk,
    ArchiverPorts,
    MoneyAsk,
    RestoreAsk,
    RestorePorts,
)
from db.archive import WeekArchive
from db.folder_objects import FolderObjects
from db.week_restore import WeeksBackHere
from db.weekly_ledger import WeeklyLedger
from domain.archiving import ArchiveState, Task, week_begins_ms
from domain.caps import HouseCaps
from domain.disk import DiskLevel
from protocols.archive import (
    Archive,
    ArchiveBegun,
    ArchiveNow,
    ArchiveSurvey,
    ArchiveUnusable,
    StepDone,
    StepOutcome,
    WeekRestores,
)
from protocols.money import MoneyOutcome, Rotate
from protocols.ports import Work, Worker
from protocols.upkeep import ArchiveStatus, DiskStatus
from supervisor import Life, Mailbox, SeededChance, TrioClock, Watch, WhenFull, ask
from supervisor.worker import InlineWorker, ThreadWorker
from tests.support.archives import FIRST, SECOND, THIRD, WEEK_MS, Room, write_weeks
from tests.support.ledgers import AT_MS
from tests.support.quick_folder import quick_folder

SUNDAY_MS = week_begins_ms(AT_MS) + WEEK_MS
"""The first midnight after the venue was opened."""
MINUTE_S, HOUR_S, DAY_S = 60, 3_600, 86_400


@attrs.define(kw_only=True)
class Bench:
    """What outlives the lives of an Archiver, and the other end of its mailbox."""

    data: Path
    ledger: WeeklyLedger
    clock: TrioClock
    room: Room = attrs.field(factory=Room)
    money: Mailbox[MoneyAsk] = attrs.field(factory=lambda: Mailbox("money", 2, WhenFull.REFUSE))
    requests: Mailbox[ArchiveAsk] = attrs.field(
        factory=lambda: Mailbox("archive", 4, WhenFull.REFUSE)
    )
    disk: Watch[DiskStatus] = attrs.field(factory=lambda: Watch("disk", DiskStatus()))
    status: Watch[ArchiveStatus] = attrs.field(factory=lambda: Watch("archive", ArchiveStatus()))
    rotated_at_s: list[float] = attrs.field(factory=list)
    """When it asked for a new week."""
    instead: list[MoneyOutcome | None] = attrs.field(factory=list)
    """What the Batcher says instead, the next times; None: nothing, ever."""
    life: Life = attrs.field(factory=lambda: Life("test/archiver"))
    archive: Archive | None = None
    worker: Worker = attrs.field(factory=InlineWorker)
    wanted: Mailbox[RestoreAsk] = attrs.field(
        factory=lambda: Mailbox("restore", 4, WhenFull.REFUSE)
    )
    weeks: WeekRestores | None = None
    restore_worker: Worker = attrs.field(factory=InlineWorker)

    def objects(self) -> FolderObjects:
        return FolderObjects(self.data / "archive")

    def week_archive(self) -> WeekArchive:
        return WeekArchive(self.data, self.objects(), probe=self.room, clock=self.clock, level=1)

    async def batcher(self, life: Life) -> None:
        """As far as the Archiver goes."""
        async with self.money.reader(life) as reader:
            async for asked in reader:
                assert isinstance(asked.question, Rotate)
                self.rotated_at_s.append(trio.current_time())
                if self.instead:
                    outcome = self.instead.pop(0)
                else:
                    (outcome,) = self.ledger.apply([Rotate()], at_ms=self.clock.now_ms())
                if outcome is not None:
                    asked.answer(outcome)

    @asynccontextmanager
    async def alive(self) -> AsyncIterator[None]:
        """One life, asked to stop at the end of the block and waited for."""
        ports = ArchiverPorts(
            money=self.money,
            requests=self.requests,
            disk=self.disk,
            status=self.status,
            archive=self.archive or self.week_archive(),
            worker=self.worker,
            clock=self.clock,
            weeks_on_disk=4,
            restores=RestorePorts(
                requests=self.wanted,
                weeks=self.weeks or WeeksBackHere(self.data, self.objects(), probe=self.room),
                worker=self.restore_worker,
                looks=InlineWorker(),
            ),
        )
        others = Life("test/batcher")
        with trio.fail_after(365 * DAY_S):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self.batcher, others)
                async with trio.open_nursery() as own:
                    own.start_soon(archiver.run, self.life, ports)
                    yield
                    self.life.stopping.set()
                others.stopping.set()
        self.life = Life("test/archiver")

    async def wait(self, until: Callable[[ArchiveStatus], bool]) -> ArchiveStatus:
        """Until the status is like that."""
        version = self.status.version
        while not until(self.status.value):
            version, _ = await self.status.changed(version)
        return self.status.value

    def level(self, level: DiskLevel) -> None:
        """The disk was looked at."""
        self.disk.set(DiskStatus(level=level, looked_at_ms=self.clock.now_ms()))

    def states(self) -> dict[str, ArchiveState]:
        return {p.name: p.state for p in self.week_archive().survey().partitions}

    def here(self) -> list[str]:
        return sorted(file.name for file in (self.data / "money").glob("*.db"))


@contextmanager
def bench_at(start_ms: int, *, closed: int = 0) -> Iterator[Bench]:
    """A venue with so many closed weeks, at that moment."""
    with quick_folder() as data:
        write_weeks(data, closed=closed)
        ledger = WeeklyLedger.open(
            data / "money", at_ms=AT_MS, caps=HouseCaps(), chance=SeededChance(7)
        )
        with closing(ledger):
            yield Bench(data=data, ledger=ledger, clock=TrioClock(start_ms))


@pytest.fixture
def bench() -> Iterator[Bench]:
    """A venue in its first week, ten minutes before midnight."""
    with bench_at(SUNDAY_MS - 10 * MINUTE_S * 1000) as bench:
        yield bench


@pytest.fixture
def one_closed() -> Iterator[Bench]:
    """A venue with one closed week, in the middle of the second."""
    with bench_at(AT_MS + WEEK_MS + 1000, closed=1) as bench:
        yield bench


# --- weeks --------------------------------------------------------------------------------------


async def test_a_quiet_week_begins_at_midnight_and_the_old_one_is_archived(
    bench: Bench, autojump_clock: MockClock
) -> None:
    async with bench.alive():
        await trio.sleep(10 * MINUTE_S - 1)
        assert bench.here() == [FIRST]
        status = await bench.wait(lambda status: status.archived == 1)
        assert trio.current_time() == pytest.approx(10 * MINUTE_S, abs=0.1)
    assert bench.here() == [FIRST, SECOND]
    assert (status.waiting, status.purged, status.failures) == (0, 0, 0)
    assert status.last_success_ms == pytest.approx(SUNDAY_MS, abs=100)


async def test_a_venue_that_slept_for_weeks_turns_at_its_start(autojump_clock: MockClock) -> None:
    with bench_at(AT_MS + 3 * WEEK_MS) as bench:
        async with bench.alive():
            await bench.wait(lambda status: status.archived == 1)
            assert trio.current_time() < 1
        assert bench.here() == [FIRST, "2026-02-22.db"]


@pytest.mark.parametrize("answer", [None, "week not begun"])
async def test_a_batcher_that_does_not_turn_the_week_is_asked_again(
    bench: Bench, autojump_clock: MockClock, answer: str | None
) -> None:
    async with bench.alive():
        await trio.sleep(1)
        bench.rotated_at_s.clear()
        bench.instead = [bench.ledger.apply([Rotate()], at_ms=AT_MS)[0] if answer else None] * 2
        await bench.wait(lambda status: status.archived == 1)
    took_s = 0 if answer else ROTATE_WITHIN_S
    midnight_s = 10 * MINUTE_S
    expected = [midnight_s + n * (LOOK_EVERY_S + took_s) for n in range(3)]
    assert bench.rotated_at_s == pytest.approx(expected, abs=0.1)


@pytest.mark.slow
async def test_each_week_is_turned_once(bench: Bench, autojump_clock: MockClock) -> None:
    async with bench.alive():
        await trio.sleep(8 * DAY_S)
    assert len(bench.rotated_at_s) == 3, "at the start, and at two midnights"
    assert bench.here() == [FIRST, SECOND, THIRD]


# --- archiving ----------------------------------------------------------------------------------


async def test_what_waits_is_archived_at_once_oldest_first(autojump_clock: MockClock) -> None:
    with bench_at(AT_MS + 3 * WEEK_MS + 1000, closed=3) as bench:
        async with bench.alive():
            await bench.wait(lambda status: status.archived == 3)
        assert set(bench.states().values()) == {ArchiveState.DONE}


async def test_a_success_by_a_clock_that_was_ahead_does_not_silence_the_switch(
    one_closed: Bench, autojump_clock: MockClock
) -> None:
    async with one_closed.alive():
        ahead = await one_closed.wait(lambda status: status.archived == 1)
    one_closed.clock = TrioClock(AT_MS)  # it is set right
    one_closed.status.set(ArchiveStatus())
    async with one_closed.alive():
        status = await one_closed.wait(lambda status: status.archived == 1)
    assert ahead.last_success_ms > AT_MS
    assert status.last_success_ms == 0


async def test_before_the_first_success_the_switch_shows_when_the_venue_was_opened(
    bench: Bench, autojump_clock: MockClock
) -> None:
    async with bench.alive():
        status = await bench.wait(lambda status: status.last_success_ms > 0)
    assert status.last_success_ms == AT_MS


async def test_a_failure_is_shown_and_tried_again_after_growing_waits(
    one_closed: Bench, autojump_clock: MockClock
) -> None:
    bench, failed_at_s = one_closed, list[float]()
    bench.room.free_bytes = 0
    async with bench.alive():
        for failures in range(1, 9):
            status = await bench.wait(lambda status, n=failures: status.failures == n)  # type: ignore[misc]
            failed_at_s.append(trio.current_time())
        assert status.last_failure.startswith(f"{FIRST}: vacuum: ")
        assert status.last_failure_ms == pytest.approx(bench.clock.now_ms(), abs=1)
        bench.room.free_bytes = 10**12
        await bench.wait(lambda status: status.archived == 1)
    waits = [round(b - a) for a, b in pairwise(failed_at_s)]
    assert waits == [60, 120, 240, 480, 960, 1_920, 3_600]


async def test_a_disk_that_fills_up_makes_it_try_each_minute(
    one_closed: Bench, autojump_clock: MockClock
) -> None:
    bench = one_closed
    bench.room.free_bytes = 0
    async with bench.alive():
        await bench.wait(lambda status: status.failures == 5)
        began = trio.current_time()
        bench.level(DiskLevel.WARNING)
        await bench.wait(lambda status: status.failures == 8)
    assert trio.current_time() - began <= 3 * MINUTE_S


async def test_an_operator_who_asks_is_answered_and_nothing_waits(
    one_closed: Bench, autojump_clock: MockClock
) -> None:
    bench = one_closed
    bench.room.free_bytes = 0
    async with bench.alive():
        await bench.wait(lambda status: status.failures == 5)
        bench.room.free_bytes = 10**12
        await trio.sleep(1)
        asked_at = trio.current_time()
        assert await ask(bench.requests, ArchiveNow(by="op"), within_s=1) == ArchiveBegun(waiting=1)
        await bench.wait(lambda status: status.archived == 1)
        assert trio.current_time() - asked_at < 1


async def test_while_another_process_is_at_work_it_waits(
    one_closed: Bench, autojump_clock: MockClock
) -> None:
    bench = one_closed
    with bench.week_archive().lock.held():
        async with bench.alive():
            await trio.sleep(3 * WAIT_S)
        assert bench.status.value.archived == 0
    assert bench.status.value.failures == 0, "that is no failure"
    async with bench.alive():
        await bench.wait(lambda status: status.archived == 1)


async def test_a_record_that_can_not_be_used_is_a_failure_and_no_crash(
    one_closed: Bench, autojump_clock: MockClock
) -> None:
    bench = one_closed
    record = bench.data / "archive.db"
    record.write_bytes(b"no database " * 1_000)
    async with bench.alive():
        await trio.sleep(1)
        failures = bench.status.value.failures
        status = await bench.wait(lambda status: status.failures == failures + 2)
        assert trio.current_time() == pytest.approx(2 * WAIT_S, abs=1)
        assert "not a database" in status.last_failure
        record.unlink()
        await bench.wait(lambda status: status.archived == 1)


async def test_what_somebody_else_archives_is_seen_within_a_round(
    one_closed: Bench, autojump_clock: MockClock
) -> None:
    bench = one_closed
    async with bench.alive():
        await bench.wait(lambda status: status.archived == 1)
        (bench.data / "archive.db").unlink()
        changed_at = trio.current_time()
        await trio.sleep(ROUND_EVERY_S + 1)
        assert bench.states() == {FIRST: ArchiveState.DONE}
        assert trio.current_time() - changed_at < 2 * ROUND_EVERY_S


# --- purging ------------------------------------------------------------------------------------


async def test_a_safe_week_goes_four_weeks_after_it_was_over(autojump_clock: MockClock) -> None:
    due_ms = AT_MS + WEEK_MS + 4 * WEEK_MS
    with bench_at(due_ms - HOUR_S * 1000, closed=1) as bench:
        async with bench.alive():
            await bench.wait(lambda status: status.archived == 2)
            await trio.sleep(HOUR_S - 2)
            assert FIRST in bench.here()
            status = await bench.wait(lambda status: status.purged == 1)
            assert bench.clock.now_ms() == pytest.approx(due_ms, abs=100)
        assert bench.here() == [SECOND, "2026-03-08.db"]
        assert status.archived == 2


async def test_in_an_emergency_one_week_goes_for_each_look_at_the_disk(
    autojump_clock: MockClock,
) -> None:
    with bench_at(AT_MS + 3 * WEEK_MS + 1000, closed=3) as bench:
        async with bench.alive():
            await bench.wait(lambda status: status.archived == 3)
            for purged in (1, 2):
                await trio.sleep(10)
                looked_at = trio.current_time()
                bench.level(DiskLevel.EMERGENCY)
                await bench.wait(lambda status, n=purged: status.purged == n)  # type: ignore[misc]
                assert trio.current_time() - looked_at < 1
                await trio.sleep(9)
                assert bench.status.value.purged == purged, "not before the next look"
            bench.level(DiskLevel.FULL)
            await trio.sleep(HOUR_S)
        assert bench.here() == [THIRD, "2026-02-22.db"]


# --- stopping -----------------------------------------------------------------------------------


@attrs.define(kw_only=True)
class Slow:
    """The archive, each step of which goes on until it is told to end."""

    real: WeekArchive
    begun: threading.Event = attrs.field(factory=threading.Event)
    stopped: bool = False

    @property
    def place(self) -> str:
        return self.real.place

    def survey(self) -> ArchiveSurvey:
        return self.real.survey()

    def carry_out(self, task: Task, *, work: Work) -> StepOutcome:
        done = 0
        while True:
            done += 1
            try:
                work.step(done, 1_000)
            except BaseException:
                self.stopped = True
                raise
            self.begun.set()
            threading.Event().wait(0.005)


@pytest.fixture
def slow() -> Iterator[tuple[Bench, Slow]]:
    with bench_at(AT_MS + WEEK_MS + 1000, closed=1) as bench:
        slow = Slow(real=bench.week_archive())
        bench.archive, bench.worker = slow, ThreadWorker()
        yield bench, slow


@pytest.mark.slow
async def test_a_step_shows_how_far_it_is(slow: tuple[Bench, Slow]) -> None:
    bench, _ = slow
    async with bench.alive():
        with trio.fail_after(5):
            status = await bench.wait(lambda status: status.done_bytes > 0)
    assert (status.now, status.total_bytes) == (f"{FIRST}: vacuum", 1_000)
    assert bench.status.value.now == ""


@pytest.mark.slow
async def test_a_drain_ends_the_step_within_a_second_and_counts_no_failure(
    slow: tuple[Bench, Slow],
) -> None:
    bench, archive = slow
    with trio.fail_after(5):
        async with bench.alive():
            await trio.to_thread.run_sync(archive.begun.wait)
            began = trio.current_time()
    assert trio.current_time() - began < 1
    assert archive.stopped
    assert bench.status.value.failures == 0


@pytest.mark.slow
async def test_a_life_that_is_cancelled_leaves_no_step_behind(slow: tuple[Bench, Slow]) -> None:
    bench, archive = slow
    with trio.fail_after(5):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_live, bench)
            await trio.to_thread.run_sync(archive.begun.wait)
            nursery.cancel_scope.cancel()
    assert archive.stopped


async def _live(bench: Bench) -> None:
    async with bench.alive():
        await trio.sleep_forever()


async def test_a_restart_goes_on_with_the_step_that_was_cut_off(
    one_closed: Bench, autojump_clock: MockClock
) -> None:
    bench = one_closed
    seen: list[str] = []

    @attrs.define
    class StopsAfter:
        """The archive; after each step the venue drains."""

        real: WeekArchive
        place: str = "here"

        def survey(self) -> ArchiveSurvey:
            return self.real.survey()

        def carry_out(self, task: Task, *, work: Work) -> StepOutcome:
            outcome = self.real.carry_out(task, work=work)
            assert isinstance(outcome, StepDone)
            seen.append(task.step.value)
            bench.life.stopping.set()
            return outcome

    bench.archive = StopsAfter(bench.week_archive())
    for _ in range(5):
        async with bench.alive():
            await bench.life.stopping.wait()
    assert seen == ["vacuum", "compress", "upload", "verify", "finish"]


# --- the rest -----------------------------------------------------------------------------------


async def test_an_archive_that_breaks_in_mid_step_is_tried_again(
    one_closed: Bench, autojump_clock: MockClock
) -> None:
    bench = one_closed
    real = bench.week_archive()

    @attrs.define
    class BreaksOnce:
        place: str = "here"
        broken: bool = False

        def survey(self) -> ArchiveSurvey:
            return real.survey()

        def carry_out(self, task: Task, *, work: Work) -> StepOutcome:
            if not self.broken:
                self.broken = True
                raise ArchiveUnusable("the record can't be written: database or disk is full")
            return real.carry_out(task, work=work)

    bench.archive = BreaksOnce()
    async with bench.alive():
        await bench.wait(lambda status: status.archived == 1)
    assert bench.status.value.failures == 1
