"""The archive's record: what is kept of a closed week, and that it is kept."""

import sqlite3
from pathlib import Path

import attrs
import pytest

from db.archive_record import ArchiveRecord, ArchiveRow, RecordMismatch
from domain.archiving import ArchiveState

SHA, OTHER_SHA = "a" * 64, "b" * 64


def row(name: str = "2026-02-01.db") -> ArchiveRow:
    return ArchiveRow(
        name=name, closed_at_ms=5, last_rowid=12, place="s3://bucket", key=f"weeks/{name}.zst"
    )


def full_row() -> ArchiveRow:
    return attrs.evolve(
        row(),
        state=ArchiveState.DONE,
        bytes=100,
        sha256=SHA,
        compressed_bytes=10,
        compressed_sha256=OTHER_SHA,
        vacuumed_at_ms=6,
        compressed_at_ms=7,
        uploaded_at_ms=8,
        verified_at_ms=9,
        done_at_ms=10,
        purged_at_ms=11,
        failures=2,
        failed_at_ms=12,
        last_failure="it rained",
    )


@pytest.fixture
def record(tmp_path: Path) -> ArchiveRecord:
    return ArchiveRecord(tmp_path / "archive.db")


def test_a_new_folder_has_no_rows_and_reading_makes_no_file(record: ArchiveRecord) -> None:
    assert record.rows() == {}
    assert not record.file.exists()


@pytest.mark.parametrize("kept", [row(), full_row()])
def test_every_column_comes_back(record: ArchiveRecord, kept: ArchiveRow) -> None:
    record.save(kept)
    assert ArchiveRecord(record.file).rows() == {kept.name: kept}


def test_saving_replaces_the_row_of_that_name_and_no_other(record: ArchiveRecord) -> None:
    later = row("2026-02-08.db")
    for saved in (later, row(), full_row()):
        record.save(saved)
    assert list(record.rows().values()) == [full_row(), later], "oldest first"


def test_a_row_in_the_words_of_the_rules(record: ArchiveRecord) -> None:
    partition = full_row().partition
    assert (partition.name, partition.state) == ("2026-02-01.db", ArchiveState.DONE)
    assert (partition.failures, partition.failed_at_ms, partition.purged_at_ms) == (2, 12, 11)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "current.db"},
        {"state": ArchiveState.VACUUMED},
        {"state": ArchiveState.COMPRESSED, "bytes": 1, "sha256": SHA},
        {"sha256": "a"},
        {"failures": -1},
    ],
)
def test_a_row_that_makes_no_sense_is_refused(
    record: ArchiveRecord, wrong: dict[str, object]
) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        record.save(attrs.evolve(row(), **wrong))  # type: ignore[arg-type]
    assert record.rows() == {}


def test_verified_needs_a_time_at_which_it_was(record: ArchiveRecord) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        record.save(attrs.evolve(full_row(), verified_at_ms=None))


def test_a_life_that_died_before_the_first_row_did_no_harm(record: ArchiveRecord) -> None:
    record.file.touch()
    assert record.rows() == {}
    record.save(row())
    assert list(record.rows()) == [row().name]


def test_a_record_of_later_code_is_not_touched(record: ArchiveRecord) -> None:
    record.save(row())
    with sqlite3.connect(record.file) as connection:
        connection.execute("PRAGMA user_version = 2")
    connection.close()
    for use in (record.rows, lambda: record.save(row())):
        with pytest.raises(RecordMismatch, match="version 2"):
            use()


def test_a_record_that_is_no_database_is_said_to_be_none(record: ArchiveRecord) -> None:
    record.file.write_bytes(b"no database " * 100)
    with pytest.raises(sqlite3.DatabaseError):
        record.rows()
