"""Copying, packing, reading back: each whole or not at all, and each sound or said not to be."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
import zstandard

from db.archive_steps import (
    Damaged,
    NotClosed,
    closed_facts,
    content_of,
    fetch,
    followed,
    opened_whole,
    packed,
    sound_facts,
    vacuum,
)
from db.folder_objects import FolderObjects
from protocols.ports import ObjectMissing, WorkStopped
from tests.support.archives import FIRST, SECOND, WEEK_MS, write_weeks
from tests.support.ledgers import AT_MS
from tests.support.objects import Sample, Watcher, disk_that_takes
from tests.support.quick_folder import quick_folder

KEY = "weeks/2026-02-01.db.zst"
ENDLESS = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


@pytest.fixture
def folder() -> Iterator[Path]:
    with quick_folder() as folder:
        write_weeks(folder, closed=1)
        yield folder


@pytest.fixture
def week(folder: Path) -> Path:
    return folder / "money" / FIRST


@pytest.fixture
def target(folder: Path) -> Path:
    return folder / "copy.db"


def beside(target: Path) -> list[str]:
    """What is there of it, under whatever name."""
    return sorted(file.name for file in target.parent.glob(f"{target.name}*"))


def damage(file: Path, *, at: float = 0.5) -> None:
    """Turn a page into noise."""
    content = bytearray(file.read_bytes())
    place = int(len(content) * at) // 4096 * 4096
    content[place : place + 4096] = b"\xa5" * 4096
    file.write_bytes(content)


def alter(file: Path, *statements: str) -> None:
    """As only somebody with the file can."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        for statement in statements:
            connection.execute(statement)


# --- copying ------------------------------------------------------------------------------------


def test_a_copy_has_every_row_and_the_original_is_as_it_was(week: Path, target: Path) -> None:
    before = week.read_bytes()
    copy = vacuum(week, target, work=Watcher())
    assert copy == content_of(target, work=Watcher())
    assert copy.sha256 == Sample(target).sha256
    assert sound_facts(target, work=Watcher()) == closed_facts(week, work=Watcher())
    assert week.read_bytes() == before
    assert beside(target) == [target.name]


def test_the_facts_say_what_the_week_holds(week: Path) -> None:
    facts = closed_facts(week, work=Watcher())
    assert (facts.opened_at_ms, facts.closed_at_ms) == (AT_MS, AT_MS + WEEK_MS)
    rows = dict(facts.rows)
    assert (rows["bets"], rows["transaction_ledger"]) == (4, facts.last_rowid)
    assert len(facts.last_ledger_id) == 26


def test_a_log_beside_the_original_belongs_to_it(week: Path, target: Path) -> None:
    with closing(sqlite3.connect(week, isolation_level=None)) as writer:
        writer.execute("PRAGMA wal_autocheckpoint = 0")
        writer.execute("UPDATE meta SET held_why = 'in the log'")
        vacuum(week, target, work=Watcher())
    with closing(sqlite3.connect(target)) as copy:
        assert copy.execute("SELECT held_why FROM meta").fetchone() == ("in the log",)


def test_the_current_week_is_not_copied(folder: Path, target: Path) -> None:
    with pytest.raises(NotClosed, match=SECOND):
        vacuum(folder / "money" / SECOND, target, work=Watcher())
    assert beside(target) == []


def test_a_week_whose_open_bets_are_not_marked_yet_is_not_copied(week: Path, target: Path) -> None:
    alter(week, "UPDATE bets SET status = 'confirmed' WHERE status = 'carried'")
    with pytest.raises(NotClosed):
        vacuum(week, target, work=Watcher())


def test_a_damaged_week_is_not_copied(week: Path, target: Path) -> None:
    damage(week)
    with pytest.raises((Damaged, sqlite3.DatabaseError)):
        vacuum(week, target, work=Watcher())
    assert beside(target) == []


def test_a_week_that_does_not_add_up_is_not_copied(week: Path, target: Path) -> None:
    alter(week, "UPDATE users SET balance = balance + 1 WHERE id = 3")
    with pytest.raises(Damaged, match="does not add up"):
        vacuum(week, target, work=Watcher())
    assert beside(target) == []


def test_a_disk_that_is_full_leaves_no_copy(week: Path, target: Path) -> None:
    with disk_that_takes(20_000), pytest.raises(sqlite3.OperationalError):
        vacuum(week, target, work=Watcher())
    assert beside(target) == []


def test_what_an_earlier_attempt_left_is_no_hindrance(week: Path, target: Path) -> None:
    target.write_bytes(b"old")
    for leftover in ("copy.db.new", "copy.db.new-journal"):
        (target.parent / leftover).write_bytes(b"half")
    vacuum(week, target, work=Watcher())
    assert sound_facts(target, work=Watcher()).last_rowid > 0
    assert beside(target) == [target.name]


def test_a_copy_that_is_told_to_stop_leaves_nothing(week: Path, target: Path) -> None:
    with pytest.raises(WorkStopped):
        vacuum(week, target, work=Watcher(stop_at_bytes=0))
    assert beside(target) == []


# --- long statements ----------------------------------------------------------------------------


@pytest.mark.slow
def test_a_long_statement_is_followed_and_can_be_ended(week: Path) -> None:
    class Impatient(Watcher):
        def step(self, done_bytes: int, total_bytes: int) -> None:
            super().step(done_bytes, total_bytes)
            if len(self.steps) == 3:
                raise WorkStopped

    work = Impatient()
    with (
        opened_whole(week) as connection,
        pytest.raises(WorkStopped),
        followed(connection, work, done_bytes=lambda: 5, total_bytes=9),
    ):
        connection.execute(ENDLESS)
    assert work.steps == [(0, 9), (5, 9), (5, 9)]


async def test_on_the_event_loops_own_thread_no_other_is_started(week: Path) -> None:
    threads = threading.active_count()
    watcher = Watcher()
    with opened_whole(week) as connection, followed(connection, watcher):
        assert threading.active_count() == threads
    assert watcher.steps == [(0, 0)]


def test_a_statement_that_fails_by_itself_says_why(week: Path) -> None:
    with (
        opened_whole(week) as connection,
        pytest.raises(sqlite3.OperationalError, match="no such table"),
        followed(connection, Watcher()),
    ):
        connection.execute("SELECT * FROM no_table")


# --- soundness ----------------------------------------------------------------------------------


def test_noise_in_any_page_is_found(week: Path, target: Path) -> None:
    vacuum(week, target, work=Watcher())  # so that no page is free
    original = target.read_bytes()
    for page in range(1, len(original) // 4096):
        target.write_bytes(original)
        damage(target, at=page * 4096 / len(original))
        with suppress(Damaged):
            sound_facts(target, work=Watcher())
            pytest.fail(f"page {page} is noise, and nobody noticed")


def test_what_is_no_database_is_damaged(target: Path) -> None:
    target.write_bytes(b"no database " * 1_000)
    with pytest.raises(Damaged, match="not a database"):
        sound_facts(target, work=Watcher())


def test_a_database_of_something_else_is_not_called_damaged(target: Path) -> None:
    alter(target, "CREATE TABLE other (x)")
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        sound_facts(target, work=Watcher())


# --- packing and fetching -----------------------------------------------------------------------


@pytest.fixture
def store(folder: Path, week: Path) -> FolderObjects:
    """With the week in it."""
    store = FolderObjects(folder / "archive")
    file = folder / "packed"
    sizes = packed(week, file, level=3, work=Watcher())
    store.put(KEY, str(file), sha256=sizes.stored_sha256, work=Watcher())
    return store


def no_limit(plain_bytes: int) -> None:
    pass


def test_what_is_packed_comes_back_to_the_bit(
    store: FolderObjects, week: Path, target: Path, folder: Path
) -> None:
    told: list[int] = []
    sizes = fetch(store, KEY, target, need_room=told.append, work=Watcher())
    assert target.read_bytes() == week.read_bytes()
    assert (sizes.plain_bytes, sizes.plain_sha256) == (
        week.stat().st_size,
        Sample(week).sha256,
    )
    assert (sizes.stored_bytes, sizes.stored_sha256) == (
        (folder / "packed").stat().st_size,
        Sample(folder / "packed").sha256,
    )
    assert told == [week.stat().st_size]
    assert beside(target) == [target.name]


def test_the_frame_carries_a_checksum_and_its_size(store: FolderObjects, week: Path) -> None:
    head = (Path(store.place) / KEY).read_bytes()[:18]
    frame = zstandard.get_frame_parameters(head)
    assert frame.has_checksum
    assert frame.content_size == week.stat().st_size


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: content[: len(content) // 2],
        lambda content: content[:-8],
        lambda content: content[:1000] + bytes([content[1000] ^ 1]) + content[1001:],
        lambda content: b"no frame" * 100,
        lambda content: b"",
    ],
    ids=["cut in half", "the end missing", "one bit turned", "noise", "empty"],
)
def test_an_object_that_was_spoilt_is_damaged_and_leaves_nothing(
    store: FolderObjects, target: Path, spoil: object
) -> None:
    object_ = Path(store.place) / KEY
    object_.write_bytes(spoil(object_.read_bytes()))  # type: ignore[operator]
    with pytest.raises(Damaged):
        fetch(store, KEY, target, need_room=no_limit, work=Watcher())
    assert beside(target) == []


def test_without_room_nothing_is_unpacked(store: FolderObjects, target: Path) -> None:
    def no_room(plain_bytes: int) -> None:
        raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        fetch(store, KEY, target, need_room=no_room, work=Watcher())
    assert beside(target) == []


def test_what_is_not_there_is_missing(store: FolderObjects, target: Path) -> None:
    with pytest.raises(ObjectMissing):
        fetch(store, "weeks/x.zst", target, need_room=no_limit, work=Watcher())


def test_a_disk_that_is_full_leaves_nothing_packed(week: Path, target: Path) -> None:
    with disk_that_takes(1_000), pytest.raises(OSError, match="large"):
        packed(week, target, level=1, work=Watcher())
    assert beside(target) == []


def test_packing_that_is_told_to_stop_leaves_nothing(week: Path, target: Path) -> None:
    with pytest.raises(WorkStopped):
        packed(week, target, level=1, work=Watcher(stop_at_bytes=1))
    assert beside(target) == []
