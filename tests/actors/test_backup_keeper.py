"""The BackupKeeper: when it takes a backup, what it shows, and what it does when it can't.

Most tests script what becomes of a backup; some have a real ledger and a real store. Times are
seconds of virtual time.
"""

import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import attrs
import pytest
import trio
from structlog.testing import capture_logs
from trio.testing import MockClock, wait_all_tasks_blocked

from actors import backup_keeper
from actors.backup_keeper import LOOK_AGAIN_AFTER_S, TAKE_WITHIN_S, BackupAsk, KeeperPorts
from db.backup import alone
from domain.backups import Backup, Retention, file_key
from domain.refusals import Code, Refusal
from domain.units import EpochMs
from protocols.backup import (
    BackupBusy,
    BackupFailed,
    BackupRecord,
    Backups,
    BackupTaken,
    BackupWork,
    TakeBackup,
)
from protocols.ports import ObjectStoreFailed, Work, Worker
from protocols.upkeep import BackupStatus
from supervisor import Life, Mailbox, Refused, StatusUnknown, TrioClock, Watch, WhenFull, ask
from supervisor.worker import InlineWorker, ThreadWorker
from tests.support.backups import Place
from tests.support.ledgers import ALICE, AT_MS, STAKE, deposit, order

HOUR_S = 3_600
WEEK = "2026-02-01.db"

T = TypeVar("T")


def taken_at(at_ms: EpochMs) -> BackupTaken:
    record = BackupRecord(
        partition=WEEK,
        taken_at_ms=at_ms,
        mode="demo",
        chain_id=31337,
        manifest="",
        plain_bytes=100,
        plain_sha256="0" * 64,
        stored_bytes=10,
        stored_sha256="0" * 64,
        ledger_rowid=1,
        high_ms=1,
        accounts=3,
        ledger_rows=4,
        bets=5,
        migrations=(),
    )
    return BackupTaken(key=file_key(WEEK, at_ms), record=record)


@attrs.define
class Scripted:
    """Backups of which becomes what a test says; notes when each call came."""

    stored: Backup | None = None
    failures: list[Exception] = attrs.field(factory=list)
    """Of the next calls to `take`."""
    list_failures: list[Exception] = attrs.field(factory=list)
    remove_failure: Exception | None = None
    surplus: Sequence[str] = ()
    takes_s: float = 0
    taken_at_s: list[float] = attrs.field(factory=list)
    listed_at_s: list[float] = attrs.field(factory=list)
    kept: list[Retention] = attrs.field(factory=list)

    def newest(self) -> Backup | None:
        self.listed_at_s.append(trio.current_time())
        if self.list_failures:
            raise self.list_failures.pop(0)
        return self.stored

    def take(self, *, at_ms: EpochMs, work: BackupWork) -> BackupTaken:
        self.taken_at_s.append(trio.current_time())
        work.begin("copy")
        work.step(50, 100)
        work.begin("check")
        if self.failures:
            raise self.failures.pop(0)
        return taken_at(at_ms)

    def remove_surplus(self, *, keep: Retention, now_ms: EpochMs, work: Work) -> Sequence[str]:
        self.kept.append(keep)
        if self.remove_failure is not None:
            raise self.remove_failure
        return self.surplus


@attrs.define
class Bench:
    """What outlives the lives of a BackupKeeper."""

    backups: Backups
    worker: Worker = attrs.field(factory=InlineWorker)
    clock: TrioClock = attrs.field(factory=lambda: TrioClock(AT_MS))
    commands: Mailbox[BackupAsk] = attrs.field(
        factory=lambda: Mailbox("backups", 2, WhenFull.REFUSE)
    )
    watch: Watch[BackupStatus] = attrs.field(factory=lambda: Watch("backup", BackupStatus()))
    life: Life = attrs.field(factory=lambda: Life("test/backup_keeper"))

    @property
    def status(self) -> BackupStatus:
        return self.watch.value

    async def live(self) -> None:
        """One life, until `life` is asked to stop."""
        ports = KeeperPorts(
            backups=self.backups,
            worker=self.worker,
            commands=self.commands,
            status=self.watch,
            clock=self.clock,
            every_ms=HOUR_S * 1000,
            keep=Retention(),
        )
        await backup_keeper.run(self.life, ports)

    @asynccontextmanager
    async def alive(self) -> AsyncIterator[None]:
        """One life, asked to stop at the end of the block and waited for."""
        self.life = Life("test/backup_keeper")
        with trio.fail_after(30 * 24 * HOUR_S):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self.live)
                yield
                self.life.stopping.set()

    async def ask(self) -> BackupTaken | Refusal | Refused | StatusUnknown:
        return await ask(self.commands, TakeBackup(), within_s=60)


def a_backup(age_s: float) -> Backup:
    taken_at_ms = AT_MS - round(age_s * 1000)
    key = file_key(WEEK, taken_at_ms)
    return Backup(key=key, partition=WEEK, taken_at_ms=taken_at_ms, bytes=7, complete=True)


# --- when -------------------------------------------------------------------------------------


async def test_the_first_is_taken_at_once_and_then_one_each_hour(
    autojump_clock: MockClock,
) -> None:
    backups = Scripted()
    async with Bench(backups).alive():
        await trio.sleep(3.5 * HOUR_S)
    assert backups.taken_at_s == [0, HOUR_S, 2 * HOUR_S, 3 * HOUR_S]
    assert backups.listed_at_s == [0], "what is there is looked up once"


@pytest.mark.parametrize(("age_s", "first_s"), [(600, 3_000), (HOUR_S, 0), (90_000, 0)])
async def test_a_start_waits_for_the_end_of_the_turn(
    age_s: int, first_s: int, autojump_clock: MockClock
) -> None:
    backups = Scripted(stored=a_backup(age_s))
    bench = Bench(backups)
    async with bench.alive():
        await wait_all_tasks_blocked()
        assert bench.status.last_success_ms in (AT_MS - age_s * 1000, AT_MS)
        await trio.sleep(HOUR_S - 1)
    assert backups.taken_at_s == [first_s]


async def test_restarts_do_not_pile_them_up(autojump_clock: MockClock) -> None:
    backups = Scripted()
    bench = Bench(backups)
    for _ in range(5):
        async with bench.alive():
            await trio.sleep(60)
        backups.stored = a_backup(0)
    assert backups.taken_at_s == [0]


async def test_a_status_survives_a_restart_of_the_venue(autojump_clock: MockClock) -> None:
    newest = a_backup(600)
    bench = Bench(Scripted(stored=newest))
    async with bench.alive():
        await wait_all_tasks_blocked()
    assert bench.status == BackupStatus(
        last_success_ms=newest.taken_at_ms, last_key=newest.key, last_bytes=7
    )


async def test_one_is_taken_when_asked_and_the_turn_begins_anew(
    autojump_clock: MockClock,
) -> None:
    backups = Scripted(stored=a_backup(600))
    bench = Bench(backups)
    async with bench.alive():
        await trio.sleep(1_000)
        outcome = await bench.ask()
        assert outcome == taken_at(AT_MS + 1_000_000)
        await trio.sleep(HOUR_S + 1)
    assert backups.taken_at_s == [1_000, 1_000 + HOUR_S]


# --- what is shown ----------------------------------------------------------------------------


async def test_it_shows_and_logs_what_was_taken(autojump_clock: MockClock) -> None:
    bench = Bench(Scripted(surplus=["backups/a", "backups/b"]))
    with capture_logs() as logs:
        async with bench.alive():
            await wait_all_tasks_blocked()
    expected = taken_at(AT_MS)
    assert bench.status == BackupStatus(
        last_success_ms=AT_MS, last_key=expected.key, last_bytes=10, took_ms=0, taken=1
    )
    assert [entry["event"] for entry in logs] == ["backup_step", "backup_taken", "backups_removed"]
    assert (logs[0]["step"], logs[0]["bytes"]) == ("copy", 50)
    assert (logs[1]["rows"], logs[1]["bets"], logs[1]["accounts"]) == (4, 5, 3)
    assert (logs[2]["backups"], logs[2]["oldest"]) == (2, "backups/a")


# --- when it can't ----------------------------------------------------------------------------


@pytest.mark.parametrize("failure", [BackupFailed("drift"), ObjectStoreFailed("refused")])
async def test_a_failure_is_tried_again_ever_later(
    failure: Exception, autojump_clock: MockClock
) -> None:
    backups = Scripted(failures=[failure] * 3)
    bench = Bench(backups)
    with capture_logs() as logs:
        async with bench.alive():
            await trio.sleep(31)
            assert bench.status.last_success_ms == 0
            assert (bench.status.failures, bench.status.last_failure) == (2, str(failure))
            assert bench.status.last_failure_ms == AT_MS + 30_000
            await trio.sleep(HOUR_S)
    assert backups.taken_at_s == [0, 30, 90, 210], "and then it went well"
    assert (bench.status.failures, bench.status.taken) == (3, 1)
    failed = [entry for entry in logs if entry["event"] == "backup_failed"]
    assert [entry["again_in_s"] for entry in failed] == [30, 60, 120]


async def test_it_never_waits_longer_than_a_turn(autojump_clock: MockClock) -> None:
    backups = Scripted(failures=[BackupFailed("drift")] * 20)
    async with Bench(backups).alive():
        await trio.sleep(24 * HOUR_S)
    gaps = [b - a for a, b in zip(backups.taken_at_s, backups.taken_at_s[1:], strict=False)]
    assert max(gaps) == HOUR_S


async def test_after_a_success_the_waits_begin_anew(autojump_clock: MockClock) -> None:
    backups = Scripted(failures=[BackupFailed("drift")] * 2)
    async with Bench(backups).alive():
        await trio.sleep(HOUR_S)
        backups.failures.append(BackupFailed("drift"))
        await trio.sleep(HOUR_S)
    assert backups.taken_at_s == [0, 30, 90, 90 + HOUR_S, 120 + HOUR_S]


async def test_a_listing_that_fails_is_tried_again_too(autojump_clock: MockClock) -> None:
    backups = Scripted(stored=a_backup(600), list_failures=[ObjectStoreFailed("refused")])
    bench = Bench(backups)
    async with bench.alive():
        await trio.sleep(HOUR_S - 1)
    assert backups.listed_at_s == [0, 30]
    assert backups.taken_at_s == [3_000]
    assert bench.status.failures == 1


async def test_who_asks_hears_why_there_is_none(autojump_clock: MockClock) -> None:
    backups = Scripted(stored=a_backup(600), failures=[BackupFailed("no room")])
    bench = Bench(backups)
    async with bench.alive():
        await wait_all_tasks_blocked()
        outcome = await bench.ask()
    assert isinstance(outcome, Refusal)
    assert outcome.code is Code.STORE_UNAVAILABLE
    assert "no room" in outcome.message


async def test_one_that_another_process_takes_is_no_failure(autojump_clock: MockClock) -> None:
    backups = Scripted(failures=[BackupBusy("another process is at it")])
    bench = Bench(backups)
    async with bench.alive():
        await wait_all_tasks_blocked()
        backups.stored = a_backup(-5)
        await trio.sleep(HOUR_S + 6)
    assert bench.status.failures == 0
    assert backups.listed_at_s == [0, LOOK_AGAIN_AFTER_S]
    assert backups.taken_at_s == [0, HOUR_S + 5]


async def test_backups_that_stay_too_long_are_no_failure(autojump_clock: MockClock) -> None:
    bench = Bench(Scripted(remove_failure=ObjectStoreFailed("refused")))
    with capture_logs() as logs:
        async with bench.alive():
            await wait_all_tasks_blocked()
    assert (bench.status.taken, bench.status.failures) == (1, 0)
    assert {"event": "backups_not_removed", "why": "refused", "log_level": "warning"} in logs


# --- stopping ---------------------------------------------------------------------------------


@attrs.define
class Endless(Scripted):
    """A backup that goes on until it is told to end."""

    begun: threading.Event = attrs.field(factory=threading.Event)

    def take(self, *, at_ms: EpochMs, work: BackupWork) -> BackupTaken:
        self.begun.set()
        pause = threading.Event()
        while True:
            work.step(0, 0)
            pause.wait(0.001)

    def newest(self) -> Backup | None:
        return None


async def test_a_stop_ends_the_one_in_hand_and_who_waits_is_told() -> None:
    backups = Endless()
    bench = Bench(backups, worker=ThreadWorker())
    outcomes: list[object] = []

    async def ask_for_one() -> None:
        outcomes.append(await bench.ask())

    with trio.fail_after(5):
        async with trio.open_nursery() as nursery, bench.alive():
            await trio.to_thread.run_sync(backups.begun.wait)
            nursery.start_soon(ask_for_one)
            await wait_all_tasks_blocked(0.01)
    assert outcomes == [Refusal(Code.DRAINING)]
    assert bench.status.failures == 0


async def test_a_life_that_is_cancelled_ends_the_one_in_hand() -> None:
    backups = Endless()
    bench = Bench(backups, worker=ThreadWorker())
    with trio.fail_after(5):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(bench.live)
            await trio.to_thread.run_sync(backups.begun.wait)
            nursery.cancel_scope.cancel()


async def test_one_that_takes_for_ever_is_ended_and_tried_again(autojump_clock: MockClock) -> None:
    backups = Scripted()
    bench = Bench(backups, worker=Slow())
    async with bench.alive():
        await trio.sleep(4 * HOUR_S + 1)  # two of them look at the listing
        assert bench.status.last_failure == f"not done within {TAKE_WITHIN_S:g} s"


class Slow:
    """A worker on which each call takes two hours, or as long as it may."""

    async def run(self, call: Callable[[], T]) -> T:
        await trio.sleep(2 * HOUR_S)
        return call()


# --- on the real thing ------------------------------------------------------------------------


async def test_it_backs_up_a_real_ledger(tmp_path: Path, autojump_clock: MockClock) -> None:
    place = Place(data=tmp_path / "data", store=tmp_path / "store")
    place.fund()
    bench = Bench(place.backups)
    async with bench.alive():
        await wait_all_tasks_blocked()
        place.apply(order(0), deposit(ALICE, STAKE))
        await trio.sleep(HOUR_S + 1)
        with alone(place.folder):
            outcome = await bench.ask()
    assert [each.complete for each in place.listed()] == [True, True]
    assert bench.status.last_key == place.listed()[-1].key
    assert bench.status.failures == 0
    assert isinstance(outcome, Refusal)
    assert outcome.code is Code.OVERLOADED
