"""Archived weeks brought back by the Archiver: what is answered at once, and what is done then."""

import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import attrs
import pytest
import trio
from trio.testing import MockClock

from actors.archiver import RESTORES_WAITING_MAX, RestoreAsk, RestorePorts
from actors.archiver.restores import Restores
from db.folder_objects import FolderObjects
from db.week_restore import WeeksBackHere
from domain.refusals import Code, Refusal
from protocols.archive import (
    ArchiveUnusable,
    RestoreBegun,
    RestoreFailed,
    RestoreWeek,
    WeekRestored,
    WeekRestores,
)
from protocols.ports import Work, Worker, WorkStopped
from protocols.upkeep import ArchiveStatus, RestoreStatus
from supervisor import Life, Mailbox, TrioClock, Watch, WhenFull, ask
from supervisor.worker import InlineWorker, ThreadWorker
from tests.support.archives import ArchivedVenue, Room, archived_venue

WEEK = "2026-02-01"
AT_MS = 1_770_100_000_000
DONE = WeekRestored(bytes=5, stored_bytes=3, ledger_rows=2, bets=1)


@attrs.define
class Shelf:
    """Weeks that come back as a test says."""

    here: set[str] = attrs.field(factory=set)
    asked: list[str] = attrs.field(factory=list)
    failure: str = ""

    def is_here(self, week: str) -> bool | None:
        if self.failure == "list":
            raise ArchiveUnusable("no manifest")
        return week in self.here if week.startswith("2026-") else None

    def bring_back(self, week: str, *, work: Work) -> WeekRestored:
        self.asked.append(week)
        if self.failure:
            raise RestoreFailed(self.failure)
        self.here.add(week)
        return DONE


@attrs.define
class SlowShelf(Shelf):
    """One that fetches, megabyte after megabyte, until it is told to end or let go."""

    begun: threading.Event = attrs.field(factory=threading.Event)
    enough: threading.Event = attrs.field(factory=threading.Event)
    stopped: bool = False

    def bring_back(self, week: str, *, work: Work) -> WeekRestored:
        try:
            while not self.enough.wait(0.005):
                work.step(7, 9)
                self.begun.set()
        except WorkStopped:
            self.stopped = True
            raise
        return super().bring_back(week, work=work)


@attrs.define
class Bench:
    """A life of it, and the other end of its mailbox."""

    weeks: WeekRestores
    worker: Worker = attrs.field(factory=InlineWorker)
    requests: Mailbox[RestoreAsk] = attrs.field(
        factory=lambda: Mailbox("restores", 4, WhenFull.REFUSE)
    )
    archive: Watch[ArchiveStatus] = attrs.field(factory=lambda: Watch("archive", ArchiveStatus()))
    life: Life = attrs.field(factory=lambda: Life("test/archiver"))

    @property
    def status(self) -> RestoreStatus:
        return self.archive.value.restores

    @asynccontextmanager
    async def alive(self) -> AsyncIterator[None]:
        ports = RestorePorts(
            requests=self.requests, weeks=self.weeks, worker=self.worker, looks=InlineWorker()
        )
        restores = Restores(self.life, ports, status=self.archive, clock=TrioClock(AT_MS))
        with trio.fail_after(60):
            async with self.requests.reader(self.life) as reader, trio.open_nursery() as nursery:
                nursery.start_soon(restores.answer, reader)
                nursery.start_soon(restores.run)
                yield
                self.life.stopping.set()

    async def want(self, week: str = WEEK) -> object:
        return await ask(self.requests, RestoreWeek(week=week, by="ann"), within_s=5)

    async def wait(self, until: Callable[[RestoreStatus], bool]) -> RestoreStatus:
        version = self.archive.version
        while not until(self.status):
            version, _ = await self.archive.changed(version)
        return self.status


BEGUN = RestoreBegun(week=WEEK, already_here=False)


def refused(outcome: object) -> Code:
    assert isinstance(outcome, Refusal)
    return outcome.code


async def test_a_week_is_begun_at_once_and_is_here_some_time_later(
    autojump_clock: MockClock,
) -> None:
    bench = Bench(Shelf())
    async with bench.alive():
        assert await bench.want() == BEGUN
        status = await bench.wait(lambda status: status.restored == 1)
        assert (status.last_restored, status.failures) == (WEEK, 0)
        await bench.wait(lambda status: not status.now and not status.waiting)
        assert await bench.want() == RestoreBegun(week=WEEK, already_here=True)


async def test_a_week_that_never_was_is_not_found(autojump_clock: MockClock) -> None:
    bench = Bench(Shelf())
    async with bench.alive():
        assert refused(await bench.want("2020-02-02")) is Code.NOT_FOUND


async def test_where_the_weeks_can_not_be_listed_nothing_is_begun(
    autojump_clock: MockClock,
) -> None:
    bench = Bench(Shelf(failure="list"))
    async with bench.alive():
        assert refused(await bench.want()) is Code.STORE_UNAVAILABLE


async def test_a_failure_is_shown_and_can_be_tried_again(autojump_clock: MockClock) -> None:
    shelf = Shelf(failure="the bucket is gone")
    bench = Bench(shelf)
    async with bench.alive():
        assert await bench.want() == BEGUN
        status = await bench.wait(lambda status: status.failures == 1)
        assert status.last_failure == f"{WEEK}: the bucket is gone"
        assert status.last_failure_ms == pytest.approx(AT_MS, abs=100)
        shelf.failure = ""
        await bench.wait(lambda status: not status.waiting)
        assert await bench.want() == BEGUN
        await bench.wait(lambda status: status.restored == 1)


async def test_a_life_that_begins_shows_nothing_in_hand(autojump_clock: MockClock) -> None:
    bench = Bench(Shelf())
    left = RestoreStatus(now=WEEK, waiting=2, done_bytes=1, total_bytes=2, restored=3)
    bench.archive.set(ArchiveStatus(restores=left))
    async with bench.alive():
        assert bench.status == RestoreStatus(restored=3)


# --- while it works -----------------------------------------------------------------------------


@pytest.fixture
def slow() -> Iterator[SlowShelf]:
    shelf = SlowShelf()
    yield shelf
    shelf.enough.set()


@pytest.mark.slow
async def test_its_progress_is_shown_and_requests_are_answered_meanwhile(slow: SlowShelf) -> None:
    bench = Bench(slow, worker=ThreadWorker())
    async with bench.alive():
        assert await bench.want() == BEGUN
        status = await bench.wait(lambda status: status.done_bytes > 0)
        assert (status.now, status.done_bytes, status.total_bytes) == (WEEK, 7, 9)
        assert await bench.want() == BEGUN, "once more is the same"
        assert await bench.want("2026-02-08") == attrs.evolve(BEGUN, week="2026-02-08")
        assert bench.status.waiting == 2
        slow.enough.set()
        await bench.wait(lambda status: status.restored == 2)
    assert slow.asked == [WEEK, "2026-02-08"]


async def test_too_many_at_once_are_refused(slow: SlowShelf) -> None:
    bench = Bench(slow, worker=ThreadWorker())
    async with bench.alive():
        await bench.want()
        await bench.wait(lambda status: status.now == WEEK)
        for n in range(RESTORES_WAITING_MAX):
            assert isinstance(await bench.want(f"2026-{n}"), RestoreBegun)
        assert refused(await bench.want("2026-x")) is Code.OVERLOADED
        slow.enough.set()


async def test_a_drain_in_the_middle_ends_it(slow: SlowShelf) -> None:
    """And what waits behind it is not begun."""
    bench = Bench(slow, worker=ThreadWorker())
    async with bench.alive():
        await bench.want()
        await bench.want("2026-02-08")
        await trio.to_thread.run_sync(slow.begun.wait)
    assert slow.stopped
    assert (slow.asked, bench.status.failures) == ([], 0), "that is no failure"


async def test_asked_while_it_stops_it_says_so(autojump_clock: MockClock) -> None:
    life = Life("test/archiver")

    class StopsMeanwhile(Shelf):
        def is_here(self, week: str) -> bool | None:
            life.stopping.set()
            return super().is_here(week)

    bench = Bench(StopsMeanwhile(), life=life)
    async with bench.alive():
        assert refused(await bench.want()) is Code.DRAINING


# --- with a real archive ------------------------------------------------------------------------


@pytest.fixture
def venue() -> Iterator[ArchivedVenue]:
    """Whose one closed week is in the archive only."""
    with archived_venue(closed=1) as venue:
        venue.run()
        for file in venue.money.glob(f"{WEEK}*"):
            file.unlink()
        yield venue


def weeks_of(venue: ArchivedVenue, room: Room | None = None) -> WeeksBackHere:
    return WeeksBackHere(venue.data, FolderObjects(venue.data / "archive"), probe=room or Room())


async def test_a_real_week_comes_back(venue: ArchivedVenue, autojump_clock: MockClock) -> None:
    bench = Bench(weeks_of(venue))
    async with bench.alive():
        assert await bench.want() == BEGUN
        await bench.wait(lambda status: status.restored == 1)
        assert await bench.want() == RestoreBegun(week=WEEK, already_here=True)
        assert refused(await bench.want("2026-02-08")) is Code.NOT_FOUND, "that is the current one"
    assert (venue.money / "restored" / f"{WEEK}.db").is_file()


async def test_a_real_week_without_room_for_it(
    venue: ArchivedVenue, autojump_clock: MockClock
) -> None:
    bench = Bench(weeks_of(venue, Room(free_bytes=1_000)))
    async with bench.alive():
        assert await bench.want() == BEGUN
        status = await bench.wait(lambda status: status.failures == 1)
    assert "1,000 are free" in status.last_failure


async def test_a_real_week_that_is_not_in_the_archive(
    venue: ArchivedVenue, autojump_clock: MockClock
) -> None:
    for stored in venue.objects.iterdir():
        stored.unlink()
    bench = Bench(weeks_of(venue))
    async with bench.alive():
        assert await bench.want() == BEGUN
        await bench.wait(lambda status: status.failures == 1)
    assert not (venue.money / "restored" / f"{WEEK}.db").exists()
