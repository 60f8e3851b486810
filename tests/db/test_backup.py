"""Taking a backup: what it is a copy of, what it must stand, and what is left when it fails."""

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

import attrs
import pytest

from db import backup as taking
from db.backup import alone, archived_weeks, read_record
from db.compression import expand
from db.folder_objects import FolderObjects
from db.ledger_check import check_all
from db.migrate import migrations
from db.partition import current_file, file_name
from db.place_mark import hold_mark, mark_of
from domain.archiving import ArchiveState, Partition, Task
from domain.backups import DAY_MS, HOUR_MS, Retention, record_key
from protocols.archive import ArchiveBusy, ArchiveSurvey, ArchiveUnusable, StepOutcome
from protocols.backup import (
    BackupBusy,
    BackupFailed,
    BackupTaken,
    record_from_json,
    record_to_json,
)
from protocols.money import Rotate
from protocols.ports import ObjectMissing, Work, WorkStopped
from tests.support.backups import WEEK_MS, Place, Room, Watched
from tests.support.killed import killed_everywhere
from tests.support.ledgers import ALICE, AT_MS, STAKE, deposit, order, settle
from tests.support.quick_folder import quick_folder

PARTITION = file_name(AT_MS)
STEPS = ["place", "copy", "check", "compress", "upload", "read back"]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A venue with money and three bets, one of them open."""
    place = Place(data=tmp_path / "data", store=tmp_path / "store")
    place.fund()
    place.apply(order(0), order(1), order(2, start_s=AT_MS // 1000 + 3_000), settle(won=[0, 1]))
    return place


def unpacked(place: Place, taken: BackupTaken, target: Path) -> Path:
    """The database of a backup."""
    place.objects.get(taken.key, str(target.with_suffix(".zst")), work=Watched())
    size = taken.record.plain_bytes
    found = expand(target.with_suffix(".zst"), target, plain_bytes=size, work=Watched())
    assert found == taken.record.plain_sha256
    return target


def deposits(file: Path) -> list[str]:
    with closing(sqlite3.connect(file)) as connection:
        return [row[0] for row in connection.execute("SELECT reference FROM deposits")]


# --- a good one -------------------------------------------------------------------------------


def test_a_backup_is_the_current_file_and_a_record_of_it(place: Place, tmp_path: Path) -> None:
    work = Watched()
    taken = place.take(work=work)
    assert work.steps == STEPS
    file = unpacked(place, taken, tmp_path / "back.db")
    with closing(sqlite3.connect(file)) as copy:
        assert check_all(copy).clean
        assert copy.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        newest = copy.execute("SELECT max(rowid) FROM transaction_ledger").fetchone()[0]
        high_ms = copy.execute("SELECT high_ms FROM meta").fetchone()[0]
    stored = (place.store / taken.key).read_bytes()
    record = taken.record
    assert (record.partition, record.taken_at_ms) == (PARTITION, AT_MS)
    assert (record.mode, record.chain_id) == ("demo", 31337)
    assert record.manifest == (place.data / "money" / "manifest.json").read_text()
    assert (record.ledger_rowid, record.high_ms) == (newest, high_ms)
    assert (record.accounts, record.bets) == (3, 3)
    assert record.stored_sha256 == hashlib.sha256(stored).hexdigest()
    assert (record.stored_bytes, record.plain_bytes) == (len(stored), file.stat().st_size)
    known = [(each.number, each.sha256) for each in migrations()]
    assert [(each.number, each.sha256) for each in record.migrations] == known


def test_the_record_beside_it_makes_it_complete(place: Place) -> None:
    taken = place.take()
    assert [(each.key, each.complete) for each in place.listed()] == [(taken.key, True)]
    assert read_record(place.objects, taken.key, work=Watched()) == taken.record
    assert place.backups.newest() == place.listed()[0]
    (place.store / record_key(taken.key)).unlink()
    assert place.backups.newest() is None


def test_what_the_log_holds_is_in_it(place: Place, tmp_path: Path) -> None:
    with place.ledger() as ledger:
        ledger.apply([deposit(ALICE, STAKE, "in the log")], at_ms=AT_MS)
        taken = place.take()
    assert "in the log" in deposits(unpacked(place, taken, tmp_path / "back.db"))


def test_it_is_of_one_moment_while_the_writer_goes_on(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking, "STEP_PAGES", 4)
    with place.ledger() as ledger:
        work = Watched()

        def write() -> None:
            if work.steps == ["place", "copy"]:
                one = deposit(ALICE, STAKE, f"meanwhile-{work.looks}")
                ledger.apply([one], at_ms=AT_MS)

        work.each_look = write
        taken = place.take(work=work)
    assert work.looks > 5
    copied = deposits(unpacked(place, taken, tmp_path / "back.db"))
    assert not any("meanwhile" in each for each in copied)
    assert place.balance() > 100 * STAKE
    assert place.integrity().clean


def test_two_of_one_second_have_names_of_their_own(place: Place) -> None:
    one, two = place.take(), place.take()
    assert one.key < two.key
    assert [each.complete for each in place.listed()] == [True, True]
    assert two.record.taken_at_ms == AT_MS


def test_a_week_that_ends_before_the_copy_is_passed_over(place: Place) -> None:
    """Else its open bets would be lost: they are in the next file."""
    later_ms = AT_MS + WEEK_MS
    meanwhile = [lambda: place.apply(Rotate(), at_ms=later_ms)]
    # The room is looked at when the file has been chosen and is not copied yet.
    place.probe = Room(each_look=lambda: meanwhile and meanwhile.pop()())
    taken = place.take(at_ms=later_ms)
    assert not meanwhile
    assert taken.record.partition == file_name(later_ms)
    assert taken.record.partition in taken.record.manifest


# --- what never becomes one -------------------------------------------------------------------


def nothing_is_left(place: Place) -> bool:
    """No backup that looks good, and no work file."""
    return not any(each.complete for each in place.listed()) and not place.work_files()


def test_money_that_does_not_add_up_is_no_backup(place: Place) -> None:
    file = current_file(place.folder.money)
    assert file is not None
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(
            "UPDATE users SET balance = balance + 1 WHERE wallet_address = ?", (ALICE,)
        )
    with pytest.raises(BackupFailed, match=f"does not add up .*balance {ALICE}"):
        place.take()
    assert nothing_is_left(place)
    assert place.listed() == []


def test_a_damaged_page_is_no_backup(place: Place) -> None:
    file = current_file(place.folder.money)
    assert file is not None
    with closing(sqlite3.connect(file)) as connection:
        sql = "SELECT rootpage FROM sqlite_schema WHERE name = 'bets_placed'"
        page = connection.execute(sql).fetchone()[0]
        size = connection.execute("PRAGMA page_size").fetchone()[0]
    with open(file, "r+b") as opened:
        opened.seek((page - 1) * size)
        opened.write(b"\xff" * 100)
    with pytest.raises(BackupFailed):
        place.take()
    assert nothing_is_left(place)


def test_what_was_compressed_wrongly_is_no_backup(place: Place) -> None:
    packed = place.data / "work" / "backup" / "packed"

    def turn_a_bit() -> None:
        if packed.exists() and (content := packed.read_bytes()):
            packed.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))

    with pytest.raises(BackupFailed):
        place.take(work=Watched(each_look=turn_a_bit))
    assert place.listed() == [], "it was seen before it was sent"


class Forgetful(FolderObjects):
    """Stores something else than it was given, once it has checked what that is."""

    def put(self, key: str, file: str, *, sha256: str, work: Work) -> None:
        super().put(key, file, sha256=sha256, work=work)
        if key.endswith(".zst"):
            stored = Path(self.place) / key
            stored.write_bytes(stored.read_bytes()[:-1] + b"?")


def test_what_is_read_back_differently_is_no_backup(place: Place) -> None:
    backups = attrs.evolve(place.backups, objects=Forgetful(place.store))
    with pytest.raises(BackupFailed, match="read back with another content"):
        backups.take(at_ms=AT_MS, work=Watched())
    assert nothing_is_left(place)
    assert place.listed() == [], "nor is it kept"


def test_too_little_room_is_seen_before_anything_is_copied(place: Place) -> None:
    place.take()
    of_the_mark, work = Watched(), Watched()
    hold_mark(place.objects, mark_of(place.folder), work=of_the_mark)
    place.probe = Room(free_bytes=64 * 1024 * 1024)
    with pytest.raises(BackupFailed, match="too little room"):
        place.take(work=work)
    assert work.looks == of_the_mark.looks


def test_a_folder_without_a_ledger_has_nothing_to_back_up(tmp_path: Path) -> None:
    place = Place(data=tmp_path / "data", store=tmp_path / "store")
    with pytest.raises(BackupFailed, match="holds no ledger yet"):
        place.take()


def test_one_at_a_time(place: Place) -> None:
    with alone(place.folder), pytest.raises(BackupBusy, match="another process"):
        place.take()
    place.take()


@pytest.mark.parametrize("step", STEPS)
def test_one_that_is_stopped_leaves_nothing(place: Place, step: str) -> None:
    with pytest.raises(WorkStopped):
        place.take(work=Watched(stop_in=step))
    assert nothing_is_left(place)
    assert place.take().record.accounts == 3


def test_a_long_check_is_stopped_in_the_middle(place: Place) -> None:
    """Not only before and after: a check of gigabytes takes minutes."""
    file = place.data / "big.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE t (a)")
        connection.execute("CREATE INDEX t_a ON t (a)")
    work = Watched(stop_in="check", steps=["check"])
    with pytest.raises(WorkStopped):
        taking.examine(file, work=work)


@pytest.mark.slow
def test_one_that_is_killed_anywhere_is_good_or_none() -> None:
    with quick_folder() as root:
        made = 0

        def prepare() -> Path:
            nonlocal made
            made += 1
            here = Place(data=root / f"{made}" / "data", store=root / f"{made}" / "store")
            here.fund()
            return here.data.parent

        def take() -> None:
            Place(data=root / f"{made}" / "data", store=root / f"{made}" / "store").take()

        incomplete = complete = 0
        for folder in killed_everywhere(take, prepare):
            here = Place(data=folder / "data", store=folder / "store")
            for left in here.listed():
                if left.complete:
                    complete += 1
                    assert_good(here, left.key, folder / "back.db")
                else:
                    incomplete += 1
            again = here.take(at_ms=AT_MS + HOUR_MS)
            assert_good(here, again.key, folder / "again.db")
            assert not here.work_files(), "what the killed one left is gone"
    assert incomplete > 3
    assert complete > 0


def assert_good(place: Place, key: str, file: Path) -> None:
    record = read_record(place.objects, key, work=Watched())
    with closing(sqlite3.connect(unpacked(place, BackupTaken(key=key, record=record), file))) as db:
        assert check_all(db).clean


# --- the record -------------------------------------------------------------------------------


def test_a_record_comes_back_as_it_was(place: Place) -> None:
    record = place.take().record
    assert record_from_json(record_to_json(record)) == record


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"version": 1', '"version": 2'),
        (PARTITION, "../../etc.db"),
        ('"chain_id": 31337', '"chain_id": "31337"'),
        ('"mode"', '"moods"'),
        ("{", "["),
    ],
)
def test_a_record_that_is_not_ours_is_refused(place: Place, old: str, new: str) -> None:
    text = record_to_json(place.take().record).decode()
    assert old in text
    with pytest.raises(BackupFailed, match="record"):
        record_from_json(text.replace(old, new).encode())


def test_a_record_of_any_size_is_not_read(place: Place) -> None:
    taken = place.take()
    (place.store / record_key(taken.key)).write_bytes(b" " * 100_000)
    with pytest.raises(BackupFailed, match="too long"):
        read_record(place.objects, taken.key, work=Watched())


def test_a_record_that_is_not_there_is_missed(place: Place) -> None:
    with pytest.raises(ObjectMissing):
        read_record(place.objects, "backups/2026-11-15/20261120T120000Z.db.zst", work=Watched())


# --- which go ---------------------------------------------------------------------------------


class Deleting(FolderObjects):
    """Remembers what was deleted, in order."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.deleted: list[str] = []

    def delete(self, key: str) -> None:
        self.deleted.append(key)
        super().delete(key)


def test_what_is_not_kept_any_more_goes_and_its_record_first(place: Place) -> None:
    old, new = place.take(at_ms=AT_MS - 40 * DAY_MS), place.take()
    objects = Deleting(place.store)
    backups = attrs.evolve(place.backups, objects=objects, archived=lambda: {PARTITION})
    keep = Retention()
    assert backups.remove_surplus(keep=keep, now_ms=AT_MS, work=Watched()) == [old.key]
    assert objects.deleted == [record_key(old.key), old.key]
    assert [each.key for each in place.listed()] == [new.key]
    assert backups.remove_surplus(keep=keep, now_ms=AT_MS, work=Watched()) == []


@attrs.frozen
class Surveyed:
    """An archive that knows these weeks, or can't be used."""

    weeks: dict[str, ArchiveState] | None
    place: str = "somewhere"

    def survey(self) -> ArchiveSurvey:
        if self.weeks is None:
            raise ArchiveUnusable
        weeks = [Partition(name=n, state=s, closed_at_ms=AT_MS) for n, s in self.weeks.items()]
        return ArchiveSurvey(partitions=tuple(weeks), last_success_ms=0)

    def carry_out(self, task: Task, *, work: Work) -> StepOutcome:
        return ArchiveBusy()


def test_only_a_verified_week_is_safe_in_the_archive() -> None:
    weeks = {f"2026-02-0{n}.db": state for n, state in enumerate(ArchiveState, start=1)}
    safe = {name for name, state in weeks.items() if state in ("verified", "done")}
    assert archived_weeks(Surveyed(weeks)) == safe
    assert len(safe) == 2
    assert archived_weeks(Surveyed(None)) == (), "then nothing goes that might be needed"


def test_removing_can_be_stopped(place: Place) -> None:
    place.take(at_ms=AT_MS - 40 * DAY_MS)
    place.take()
    work = Watched(stop_in="now", steps=["now"])
    with pytest.raises(WorkStopped):
        place.backups.remove_surplus(keep=Retention(), now_ms=AT_MS, work=work)
    assert len(place.listed()) == 2
