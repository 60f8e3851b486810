"""The archive of closed weeks, on real files: recorded, resumable, and never deleting too much."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import attrs
import pytest
import zstandard

from db.archive_record import ArchiveRow
from db.folder_objects import FolderObjects
from domain.archiving import ArchiveState, Conditions, Step, Task
from domain.disk import DiskLevel
from protocols.archive import ArchiveBusy, ArchiveUnusable, StepDone, StepFailed
from protocols.ports import ObjectStoreFailed, StoredObject, Work, WorkStopped
from tests.support.archives import (
    FIRST,
    SECOND,
    THIRD,
    ArchivedVenue,
    archived_venue,
    write_weeks,
)
from tests.support.killed import killed_everywhere
from tests.support.ledgers import AT_MS
from tests.support.objects import Sample, Watcher, disk_that_takes

KEY = f"weeks/{FIRST}.zst"
STEPS = [Step.VACUUM, Step.COMPRESS, Step.UPLOAD, Step.VERIFY, Step.FINISH]


@pytest.fixture
def venue() -> Iterator[ArchivedVenue]:
    """One closed week that nobody has archived yet."""
    with archived_venue(closed=1) as venue:
        yield venue


@pytest.fixture
def archived(venue: ArchivedVenue) -> ArchivedVenue:
    """The same, archived."""
    venue.run()
    return venue


def object_(venue: ArchivedVenue, name: str = FIRST) -> Path:
    return venue.objects / f"{name}.zst"


def row(venue: ArchivedVenue, name: str = FIRST) -> ArchiveRow:
    return venue.archive().record.rows()[name]


def failed(outcome: object) -> StepFailed:
    assert isinstance(outcome, StepFailed), outcome
    return outcome


def purge(venue: ArchivedVenue, name: str = FIRST) -> object:
    return venue.archive().carry_out(Task(name=name, step=Step.PURGE), work=Watcher())


# --- the way into the archive -------------------------------------------------------------------


def test_each_step_is_recorded_when_it_is_done(venue: ArchivedVenue) -> None:
    seen = []
    for step in STEPS:
        venue.later(1)
        done = venue.step()
        assert isinstance(done, StepDone)
        assert done.task == Task(name=FIRST, step=step)
        assert row(venue).state is done.state
        seen.append(done.state)
    assert seen == [state for state in ArchiveState if state is not ArchiveState.PENDING]
    kept = row(venue)
    times = [
        kept.vacuumed_at_ms,
        kept.compressed_at_ms,
        kept.uploaded_at_ms,
        kept.verified_at_ms,
        kept.done_at_ms,
    ]
    assert times == [venue.clock.now_ms() - 1_000 * n for n in (4, 3, 2, 1, 0)]


def test_what_is_in_the_archive_is_the_week(archived: ArchivedVenue, tmp_path: Path) -> None:
    content = zstandard.ZstdDecompressor().decompress(object_(archived).read_bytes())
    kept = row(archived)
    assert (len(content), object_(archived).stat().st_size) == (kept.bytes, kept.compressed_bytes)
    (tmp_path / "week.db").write_bytes(content)
    ledgers = [tmp_path / "week.db", archived.money / FIRST]
    sums = []
    for file in ledgers:
        with closing(sqlite3.connect(file)) as connection:
            sums.append(connection.execute("SELECT * FROM transaction_ledger").fetchall())
    assert sums[0] == sums[1] != []


def test_nothing_is_left_in_the_work_folder(archived: ArchivedVenue) -> None:
    assert archived.left_over() == []
    assert (archived.money / FIRST).exists(), "it stays here for four weeks"


def test_the_work_is_followed_byte_by_byte(venue: ArchivedVenue) -> None:
    venue.step()
    work = Watcher()
    venue.step(work=work)
    total = row(venue).bytes
    assert work.steps[0] == (0, total)
    assert work.steps[-1] == (total, total)


def test_missed_weeks_are_archived_oldest_first_and_the_current_one_never() -> None:
    with archived_venue(closed=3) as venue:
        done = venue.run()
        assert [d.task.name for d in done] == [n for n in (FIRST, SECOND, THIRD) for _ in STEPS]
        assert len(list(venue.objects.iterdir())) == 3


def test_a_folder_without_a_ledger_has_nothing_to_archive(tmp_path: Path) -> None:
    with archived_venue(closed=1) as venue:
        empty = attrs.evolve(venue, data=tmp_path)
        (tmp_path / "money").mkdir()
        assert empty.archive().survey().partitions == ()
        assert empty.archive().survey().last_success_ms == 0


# --- the dead man's switch ----------------------------------------------------------------------


def test_before_the_first_success_it_counts_from_the_first_week_on(venue: ArchivedVenue) -> None:
    assert venue.archive().survey().last_success_ms == AT_MS


def test_a_venue_in_its_first_week_counts_from_its_beginning(tmp_path: Path) -> None:
    with archived_venue(closed=1) as venue:
        new = attrs.evolve(venue, data=tmp_path / "new")
        write_weeks(new.data, closed=0)
        assert new.archive().survey().last_success_ms == AT_MS


def test_a_file_of_before_there_was_a_mark_counts_from_its_sunday(tmp_path: Path) -> None:
    with archived_venue(closed=1) as venue:
        old = attrs.evolve(venue, data=tmp_path / "old")
        write_weeks(old.data, closed=0)
        with closing(sqlite3.connect(old.money / FIRST, isolation_level=None)) as connection:
            connection.execute("UPDATE meta SET opened_at_ms = 0")
        assert old.archive().survey().last_success_ms == 1_769_904_000_000  # 2026-02-01T00:00Z


def test_success_is_when_a_week_was_verified_and_outlives_the_process(
    archived: ArchivedVenue,
) -> None:
    verified_ms = archived.clock.now_ms()
    archived.later(3_600)
    assert archived.archive().survey().last_success_ms == verified_ms


# --- what went missing --------------------------------------------------------------------------


@pytest.mark.parametrize("state", [ArchiveState.VACUUMED, ArchiveState.COMPRESSED])
def test_somebody_who_cleans_the_work_folder_costs_a_step(
    venue: ArchivedVenue, state: ArchiveState
) -> None:
    venue.run_until(FIRST, state)
    for file in venue.work.iterdir():
        file.unlink()
    assert failed(venue.step()).state is ArchiveState.PENDING
    venue.later(60)
    venue.run()
    assert row(venue).state is ArchiveState.DONE


@pytest.mark.parametrize("state", [ArchiveState.VACUUMED, ArchiveState.COMPRESSED])
def test_a_work_file_that_was_altered_is_made_again(
    venue: ArchivedVenue, state: ArchiveState
) -> None:
    venue.run_until(FIRST, state)
    for file in venue.work.iterdir():
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
    assert failed(venue.step()).state is ArchiveState.PENDING
    assert not object_(venue).exists()
    venue.later(60)
    venue.run()
    assert row(venue).state is ArchiveState.DONE


@pytest.mark.parametrize(
    "spoil", [Path.unlink, lambda file: file.write_bytes(b"not what was sent")]
)
def test_what_is_not_read_back_as_it_was_sent_is_sent_again(
    venue: ArchivedVenue, spoil: Callable[[Path], object]
) -> None:
    venue.run_until(FIRST, ArchiveState.UPLOADED)
    spoil(object_(venue))
    assert failed(venue.step()).state is ArchiveState.COMPRESSED
    venue.later(60)
    assert [done.task.step for done in venue.run()] == [Step.UPLOAD, Step.VERIFY, Step.FINISH]


def test_a_week_that_is_nowhere_is_said_to_be_so(venue: ArchivedVenue) -> None:
    (venue.money / FIRST).unlink()
    assert "neither on this disk nor in" in failed(venue.step()).why


# --- failures -----------------------------------------------------------------------------------


def test_a_failure_is_on_record_and_the_next_attempt_waits(venue: ArchivedVenue) -> None:
    venue.room.free_bytes = 1_000
    why = failed(venue.step()).why
    kept = row(venue)
    assert (kept.failures, kept.failed_at_ms, kept.last_failure) == (1, venue.clock.now_ms(), why)
    assert "1,000 are free" in why
    assert venue.next_task() is None
    venue.later(60)
    assert venue.next_task() is not None


def test_failures_are_forgotten_when_the_week_is_verified(venue: ArchivedVenue) -> None:
    venue.room.free_bytes = 1_000
    venue.step()
    venue.room.free_bytes = 10**12
    venue.later(60)
    venue.run()
    assert row(venue).failures == 0


@pytest.mark.parametrize("state", [ArchiveState.PENDING, ArchiveState.VACUUMED])
def test_a_disk_that_is_full_is_a_failure_and_leaves_nothing(state: ArchiveState) -> None:
    with archived_venue(closed=1, bets=1_500) as venue:
        venue.run_until(FIRST, state)
        before = venue.left_over()
        with disk_that_takes(40_000):  # enough for the record and an index, not for a week
            assert failed(venue.step()).state is state
        assert venue.left_over() == before
        venue.later(60)
        venue.run()
        assert row(venue).state is ArchiveState.DONE


def test_one_week_that_fails_holds_up_no_other() -> None:
    with archived_venue(closed=3) as venue:
        with closing(sqlite3.connect(venue.money / SECOND, isolation_level=None)) as connection:
            connection.execute("UPDATE users SET balance = balance + 1 WHERE id = 3")
        outcomes = []
        while venue.next_task() is not None:
            outcomes.append(venue.step())
        [bad] = [outcome for outcome in outcomes if isinstance(outcome, StepFailed)]
        assert (bad.task.name, bad.state) == (SECOND, ArchiveState.PENDING)
        assert "does not add up" in bad.why
        assert [venue.state(name) for name in (FIRST, THIRD)] == [ArchiveState.DONE] * 2


def test_a_step_that_is_told_to_stop_is_no_failure(venue: ArchivedVenue) -> None:
    for step in (Step.VACUUM, Step.COMPRESS, Step.UPLOAD, Step.VERIFY):
        with pytest.raises(WorkStopped):
            venue.step(work=Watcher(stop_at_bytes=0))
        done = venue.step()
        assert isinstance(done, StepDone)
        assert done.task.step is step
    assert row(venue).failures == 0


def test_a_record_that_can_not_be_used_is_said_to_be_so(venue: ArchivedVenue) -> None:
    (venue.data / "archive.db").write_bytes(b"no database " * 1_000)
    with pytest.raises(ArchiveUnusable, match="not a database"):
        venue.archive().survey()


def test_a_manifest_that_is_broken_is_said_to_be_so(venue: ArchivedVenue) -> None:
    (venue.money / "manifest.json").write_text("{}")
    with pytest.raises(ArchiveUnusable):
        venue.archive().survey()


# --- an object store that fails -----------------------------------------------------------------


class Faulty(FolderObjects):
    """A folder that fails in one of the ways that networks and services have."""

    def __init__(self, path: Path, fault: str) -> None:
        super().__init__(path)
        self.fault = fault

    def put(self, key: str, file: str, *, sha256: str, work: Work) -> None:
        if self.fault == "refused":
            raise ObjectStoreFailed("can't store it: AccessDenied")
        super().put(key, file, sha256=sha256, work=work)
        if self.fault == "answer lost":
            raise ObjectStoreFailed("can't store it: connection reset")

    def get(self, key: str, file: str, *, work: Work) -> str:
        if self.fault == "cut":
            raise ObjectStoreFailed("can't fetch it: connection reset")
        return super().get(key, file, work=work)

    def list(self, prefix: str) -> Sequence[StoredObject]:
        if self.fault == "expired":
            raise ObjectStoreFailed("can't list: ExpiredToken")
        return super().list(prefix)


@pytest.mark.parametrize(
    ("fault", "step"),
    [
        ("expired", Step.VACUUM),
        ("refused", Step.UPLOAD),
        ("answer lost", Step.UPLOAD),
        ("cut", Step.VERIFY),
    ],
)
def test_a_store_that_fails_is_asked_again_later(
    venue: ArchivedVenue, fault: str, step: Step
) -> None:
    faulty = Faulty(venue.data / "archive", fault)
    outcomes = []
    while venue.next_task() is not None:
        outcomes.append(venue.step(store=faulty))
    assert failed(outcomes[-1]).task.step is step
    assert row(venue).failures == 1
    venue.later(60)
    assert venue.run()[0].task.step is step
    assert row(venue).state is ArchiveState.DONE


def test_an_object_whose_answer_was_lost_is_not_sent_twice(venue: ArchivedVenue) -> None:
    venue.run_until(FIRST, ArchiveState.COMPRESSED)
    venue.step(store=Faulty(venue.data / "archive", "answer lost"))
    sent = object_(venue).stat().st_ino
    venue.later(60)
    assert venue.run()[0].note == "it was there already"
    assert object_(venue).stat().st_ino == sent


def test_a_store_that_is_down_costs_no_more_room_than_the_packed_week(
    venue: ArchivedVenue,
) -> None:
    venue.run_until(FIRST, ArchiveState.COMPRESSED)
    venue.step(store=Faulty(venue.data / "archive", "refused"))
    assert venue.left_over() == [f"{FIRST}.zst"]


# --- purging ------------------------------------------------------------------------------------


def local_files(venue: ArchivedVenue) -> list[str]:
    return sorted(file.name for file in venue.money.glob("*.db"))


def test_a_purged_week_is_gone_with_what_belonged_to_it(archived: ArchivedVenue) -> None:
    for suffix in ("-wal", "-shm"):
        (archived.money / f"{FIRST}{suffix}").touch()
    archived.later(60)
    done = purge(archived)
    assert isinstance(done, StepDone)
    assert done.bytes > 0
    assert list(archived.money.glob(f"{FIRST}*")) == []
    assert local_files(archived) == [SECOND]
    assert row(archived).purged_at_ms == archived.clock.now_ms()


def test_what_is_missing_from_the_archive_is_not_purged_but_archived_again(
    archived: ArchivedVenue,
) -> None:
    object_(archived).unlink()
    outcome = failed(purge(archived))
    assert "is gone from" in outcome.why
    assert FIRST in local_files(archived)
    archived.later(60)
    archived.run()
    assert object_(archived).exists()
    assert isinstance(purge(archived), StepDone)


def test_an_object_of_another_size_is_not_relied_on(archived: ArchivedVenue) -> None:
    object_(archived).write_bytes(b"short")
    assert "has 5 bytes in" in failed(purge(archived)).why
    assert FIRST in local_files(archived)


def test_a_store_that_can_not_be_asked_keeps_the_week_here(archived: ArchivedVenue) -> None:
    faulty = archived.archive(Faulty(archived.data / "archive", "expired"))
    failed(faulty.carry_out(Task(name=FIRST, step=Step.PURGE), work=Watcher()))
    assert FIRST in local_files(archived)


@pytest.mark.parametrize("state", [s for s in ArchiveState if s is not ArchiveState.DONE])
def test_a_week_that_is_not_verified_is_never_purged(
    venue: ArchivedVenue, state: ArchiveState
) -> None:
    venue.run_until(FIRST, state)
    purge(venue)
    assert FIRST in local_files(venue)


def test_the_current_file_is_never_purged(archived: ArchivedVenue) -> None:
    assert "is no closed week" in failed(purge(archived, SECOND)).why
    assert SECOND in local_files(archived)


def test_in_an_emergency_weeks_go_one_by_one_oldest_first() -> None:
    with archived_venue(closed=2) as venue:
        venue.run()
        for name in (FIRST, SECOND):
            venue.later(10)
            emergency = Conditions(
                now_ms=venue.clock.now_ms(),
                disk=DiskLevel.EMERGENCY,
                disk_looked_at_ms=venue.clock.now_ms() - 1,
            )
            assert venue.next_task(emergency) == Task(name=name, step=Step.PURGE)
            purge(venue, name)
            assert venue.next_task(emergency) is None
        assert local_files(venue) == [THIRD]


# --- a record that was lost ---------------------------------------------------------------------


def lose_record(venue: ArchivedVenue) -> None:
    (venue.data / "archive.db").unlink()


def test_what_stands_in_the_archive_is_looked_at_and_adopted(archived: ArchivedVenue) -> None:
    before, sent = row(archived), object_(archived).stat().st_ino
    lose_record(archived)
    done = archived.run()
    assert [(d.task.step, d.state) for d in done] == [
        (Step.VACUUM, ArchiveState.VERIFIED),
        (Step.FINISH, ArchiveState.DONE),
    ]
    assert done[0].note == "it was in the archive already"
    assert object_(archived).stat().st_ino == sent
    after = row(archived)
    assert (after.sha256, after.compressed_sha256) == (before.sha256, before.compressed_sha256)
    assert (after.bytes, after.compressed_bytes) == (before.bytes, before.compressed_bytes)
    assert after.purged_at_ms is None
    assert archived.left_over() == []


def test_a_purged_week_is_adopted_by_what_the_next_week_says_of_it(
    archived: ArchivedVenue,
) -> None:
    purge(archived)
    lose_record(archived)
    archived.run()
    assert row(archived).state is ArchiveState.DONE
    assert row(archived).purged_at_ms == archived.clock.now_ms()


def test_a_spoilt_object_is_replaced_while_the_week_is_here(archived: ArchivedVenue) -> None:
    content = object_(archived).read_bytes()
    object_(archived).write_bytes(content[:-100])
    lose_record(archived)
    archived.run()
    assert object_(archived).read_bytes() == content


def test_a_spoilt_object_that_is_the_last_copy_is_left_for_a_person(
    archived: ArchivedVenue,
) -> None:
    purge(archived)
    object_(archived).write_bytes(object_(archived).read_bytes()[:-100])
    lose_record(archived)
    assert "bytes" in failed(archived.step()).why
    assert object_(archived).exists()


def test_another_venues_week_is_not_overwritten(archived: ArchivedVenue, tmp_path: Path) -> None:
    other = attrs.evolve(archived, data=tmp_path / "other")
    write_weeks(other.data, closed=1, seed=2)
    content = object_(archived).read_bytes()
    outcome = failed(other.step())
    assert "is not this venue's" in outcome.why
    assert object_(archived).read_bytes() == content


def test_a_week_that_ended_anew_after_a_restored_backup_is_another_week(
    archived: ArchivedVenue,
) -> None:
    with closing(sqlite3.connect(archived.money / SECOND, isolation_level=None)) as connection:
        connection.execute("UPDATE partitions SET closed_at_ms = closed_at_ms + 1")
    with closing(sqlite3.connect(archived.money / FIRST, isolation_level=None)) as connection:
        connection.execute("UPDATE meta SET closed_at_ms = closed_at_ms + 1")
    assert archived.state(FIRST) is ArchiveState.PENDING
    assert "is not this venue's" in failed(archived.step()).why, "the lost week stays"
    object_(archived).rename(archived.data / "moved-away")
    archived.later(60)
    archived.run()
    assert archived.state(FIRST) is ArchiveState.DONE


# --- another place ------------------------------------------------------------------------------


def test_weeks_that_are_here_go_to_a_new_place_too(archived: ArchivedVenue) -> None:
    moved = attrs.evolve(archived, store=FolderObjects(archived.data / "elsewhere"))
    assert moved.state(FIRST) is ArchiveState.PENDING
    moved.run()
    assert (archived.data / "elsewhere" / KEY).read_bytes() == object_(archived).read_bytes()
    assert row(moved).place == str(archived.data / "elsewhere")


def test_a_week_that_is_only_in_the_old_place_is_left_there(archived: ArchivedVenue) -> None:
    purge(archived)
    moved = attrs.evolve(archived, store=FolderObjects(archived.data / "elsewhere"))
    assert moved.state(FIRST) is ArchiveState.DONE
    assert row(moved).place == str(archived.data / "archive")


def test_a_week_that_was_lost_here_stays_on_record_in_the_old_place(
    archived: ArchivedVenue,
) -> None:
    """When its time to be purged comes there is nothing to delete, and nobody else to ask."""
    (archived.money / FIRST).unlink()
    archived.store = FolderObjects(archived.data / "elsewhere")
    archived.later(60 * 86_400)
    assert [done.task.step for done in archived.run()] == [Step.PURGE]
    assert row(archived).state is ArchiveState.DONE
    assert row(archived).place == str(archived.data / "archive")


# --- two at once --------------------------------------------------------------------------------


def test_while_one_is_at_work_the_other_does_nothing(venue: ArchivedVenue) -> None:
    task = Task(name=FIRST, step=Step.VACUUM)
    with venue.archive().lock.held():
        assert venue.archive().carry_out(task, work=Watcher()) == ArchiveBusy()
    assert isinstance(venue.archive().carry_out(task, work=Watcher()), StepDone)


def test_who_holds_the_archive_may_work_on_it(venue: ArchivedVenue) -> None:
    archive = venue.archive()
    with archive.lock.held():
        done = archive.carry_out(Task(name=FIRST, step=Step.VACUUM), work=Watcher())
    assert isinstance(done, StepDone)


def test_a_step_that_another_process_has_done_is_not_done_again(venue: ArchivedVenue) -> None:
    venue.step()
    again = venue.archive().carry_out(Task(name=FIRST, step=Step.VACUUM), work=Watcher())
    assert again == StepDone(
        task=Task(name=FIRST, step=Step.VACUUM),
        state=ArchiveState.VACUUMED,
        note="another process has done it",
    )


# --- crashes ------------------------------------------------------------------------------------


def killed_while(
    pristine: ArchivedVenue, call: Callable[[ArchivedVenue], object]
) -> Iterator[ArchivedVenue]:
    """The venue after the call died in it, at each place where it touches a file."""
    # One path for all, so that the place of the archive is the same.
    kept, data = pristine.data.with_name("pristine"), pristine.data
    data.rename(kept)

    def prepare() -> Path:
        shutil.rmtree(data, ignore_errors=True)
        shutil.copytree(kept, data)
        return data

    for _ in killed_everywhere(lambda: call(pristine), prepare):
        yield pristine


@pytest.mark.slow
def test_a_kill_at_any_place_loses_nothing_and_is_taken_up_again() -> None:
    with archived_venue(closed=1) as pristine:
        died_in = set()
        for venue in killed_while(pristine, ArchivedVenue.run):
            kept = venue.archive().record.rows().get(FIRST)
            died_in.add(kept.state if kept is not None else None)
            venue.run()
            assert local_files(venue) == [FIRST, SECOND]
            assert venue.left_over() == []
            kept = row(venue)
            assert kept.state is ArchiveState.DONE
            assert Sample(object_(venue)).sha256 == kept.compressed_sha256
        assert died_in == {None, *ArchiveState} - {ArchiveState.PENDING}


@pytest.mark.slow
def test_a_kill_while_purging_deletes_only_what_is_safe() -> None:
    def purge_both(venue: ArchivedVenue) -> None:
        for name in (FIRST, SECOND):
            purge(venue, name)

    with archived_venue(closed=2) as pristine:
        pristine.run()
        (pristine.money / f"{FIRST}-wal").touch()
        for venue in killed_while(pristine, purge_both):
            assert THIRD in local_files(venue)
            purge_both(venue)
            assert local_files(venue) == [THIRD]
            assert list(venue.money.glob(f"{FIRST}*")) == []
            assert all(kept.purged_at_ms for kept in venue.archive().record.rows().values())
            assert len(list(venue.objects.iterdir())) == 2
