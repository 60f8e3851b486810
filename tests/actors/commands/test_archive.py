"""`tapgrid archive` and `tapgrid restore --week`: what they do, and what they say of it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from db.archive_record import ArchiveRecord
from db.file_lock import FileLock
from db.weekly_reader import WeeklyReader
from tests.actors.commands.conftest import Tapgrid
from tests.support.archives import FIRST, SECOND, THIRD, write_weeks
from tests.support.ledgers import ALICE
from tests.support.quick_folder import quick_folder

QUICK = "--set=archive.compression_level=1"


@pytest.fixture
def weeks() -> Iterator[Path]:
    """A data folder with two closed weeks."""
    with quick_folder() as folder:
        write_weeks(folder / "data", closed=2)
        yield folder / "data"


@pytest.fixture
def archived(weeks: Path, tapgrid: Tapgrid) -> Path:
    assert tapgrid("archive", "--data", weeks, QUICK).code == 0
    return weeks


def object_(data: Path, name: str = FIRST) -> Path:
    return data / "archive" / "weeks" / f"{name}.zst"


def unpacked(data: Path, name: str = FIRST) -> int:
    """Bytes of the week's vacuumed file."""
    size = ArchiveRecord(data / "archive.db").rows()[name].bytes
    assert size is not None
    return size


def purge(data: Path, name: str = FIRST) -> None:
    for file in (data / "money").glob(f"{name}*"):
        file.unlink()


# --- archive ------------------------------------------------------------------------------------


def test_every_closed_week_is_archived_and_named(weeks: Path, tapgrid: Tapgrid) -> None:
    said = tapgrid("archive", "--data", weeks, QUICK)
    assert (said.code, said.err) == (0, ""), "a bar is for terminals"
    first, second = said.out.splitlines()
    size, plain = object_(weeks).stat().st_size, unpacked(weeks)
    assert first == (
        f"{FIRST}: archived and read back, {size:,} bytes (unpacked {plain:,}) in {weeks}/archive"
    )
    assert second.startswith(f"{SECOND}: archived and read back, ")


def test_a_second_time_there_is_nothing_to_do(archived: Path, tapgrid: Tapgrid) -> None:
    said = tapgrid("archive", "--data", archived)
    assert (said.code, said.out) == (0, f"nothing waits for the archive in {archived}/archive\n")


def test_a_folder_named_from_elsewhere_is_the_same_archive(
    archived: Path, tapgrid: Tapgrid, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(archived.parent)
    assert tapgrid("archive", "--data", "data").out.startswith("nothing waits")


def test_a_week_that_fails_is_named_and_the_others_go_on(weeks: Path, tapgrid: Tapgrid) -> None:
    with closing(sqlite3.connect(weeks / "money" / FIRST, isolation_level=None)) as connection:
        connection.execute("UPDATE users SET balance = balance + 1 WHERE id = 3")
    said = tapgrid("archive", "--data", weeks, QUICK)
    assert said.code == 1
    first, second = said.out.splitlines()
    assert first.startswith(f"{FIRST}: not archived: vacuum: {FIRST}.new does not add up: balance")
    assert second.startswith(f"{SECOND}: archived")
    assert tapgrid("archive", "--data", weeks, QUICK).out.startswith(f"{FIRST}: not archived")


def test_beside_an_archiver_at_work_it_says_so(weeks: Path, tapgrid: Tapgrid) -> None:
    with FileLock(weeks / "archive.lock").held():
        said = tapgrid("archive", "--data", weeks)
    assert (said.code, said.out) == (3, "")
    assert "another process is at work on the archive" in said.err


def test_it_needs_no_lock_of_the_folder(weeks: Path, tapgrid: Tapgrid) -> None:
    with FileLock(weeks / "lock").held():
        assert tapgrid("archive", "--data", weeks, QUICK).code == 0


def test_a_folder_that_is_none_is_said_to_be_none(tmp_path: Path, tapgrid: Tapgrid) -> None:
    said = tapgrid("archive", "--data", tmp_path)
    assert said.code == 3
    assert "is not a data folder of a venue" in said.err


def test_an_archive_that_can_not_be_used_is_said_to_be_so(weeks: Path, tapgrid: Tapgrid) -> None:
    (weeks / "archive.db").write_bytes(b"no database " * 1_000)
    for more in ((), ("--list",)):
        said = tapgrid("archive", "--data", weeks, *more)
        assert said.code == 3
        assert "file is not a database" in said.err


def test_the_list_shows_how_far_each_week_has_come(weeks: Path, tapgrid: Tapgrid) -> None:
    with closing(sqlite3.connect(weeks / "money" / SECOND, isolation_level=None)) as connection:
        connection.execute("UPDATE users SET balance = balance + 1 WHERE id = 3")
    before = tapgrid("archive", "--list", "--data", weeks)
    assert before.out.splitlines() == [
        f"{FIRST}  pending     closed 2026-02-09 02:39:40 UTC",
        f"{SECOND}  pending     closed 2026-02-16 02:39:40 UTC",
        f"0 of 2 closed weeks in {weeks}/archive",
    ]
    tapgrid("archive", "--data", weeks, QUICK)
    first, second, why, count = tapgrid("archive", "--list", "--data", weeks).out.splitlines()
    size, plain = object_(weeks).stat().st_size, unpacked(weeks)
    assert (
        f"{FIRST}  done        closed 2026-02-09 02:39:40 UTC  {size:,} of {plain:,} bytes" in first
    )
    assert "  verified 20" in first
    assert second.startswith(f"{SECOND}  pending ")
    assert why.startswith("  1 failure, ")
    assert "does not add up" in why
    assert count == f"1 of 2 closed weeks in {weeks}/archive"


# --- restore --week -----------------------------------------------------------------------------


def test_an_archived_week_comes_back_for_reading(archived: Path, tapgrid: Tapgrid) -> None:
    purge(archived)
    with closing(WeeklyReader(archived / "money")) as running_venue:
        assert running_venue.archived() == [FIRST]
        said = tapgrid("restore", "--week", "2026-02-01", "--data", archived)
        assert (said.code, said.err) == (0, "")
        assert running_venue.archived() == []
        assert len(running_venue.bets(ALICE)) == 8
    size = object_(archived).stat().st_size
    assert said.out.splitlines() == [
        f"fetched {size:,} bytes (unpacked {unpacked(archived):,}) from {archived}/archive",
        "checked 12 ledger rows, 4 bets: zero drift",
        f"2026-02-01 can be read: {archived}/money/restored/{FIRST}",
        "it may be deleted at any time; the archive keeps it",
    ]
    [file, _] = sorted((archived / "money" / "restored").iterdir(), reverse=True)
    assert file.name == FIRST


def test_a_week_that_is_here_needs_no_restoring(archived: Path, tapgrid: Tapgrid) -> None:
    said = tapgrid("restore", "--week", "2026-02-01", "--data", archived)
    assert (said.code, said.out) == (
        0,
        f"2026-02-01 can be read already: {archived}/money/{FIRST}\n",
    )


def test_a_week_comes_back_without_a_record_too(archived: Path, tapgrid: Tapgrid) -> None:
    purge(archived)
    (archived / "archive.db").unlink()
    assert tapgrid("restore", "--week", "2026-02-01", "--data", archived).code == 0


def test_what_is_not_what_was_put_there_does_not_come_back(
    archived: Path, tapgrid: Tapgrid
) -> None:
    purge(archived)
    object_(archived).write_bytes(object_(archived, SECOND).read_bytes())
    said = tapgrid("restore", "--week", "2026-02-01", "--data", archived)
    assert said.code == 1
    assert "is not what was put there" in said.err
    (archived / "archive.db").unlink()
    said = tapgrid("restore", "--week", "2026-02-01", "--data", archived)
    assert said.code == 1
    assert f"is another {FIRST} than this venue's" in said.err
    assert [file.name for file in (archived / "money" / "restored").iterdir()] == [".lock"]


def test_a_spoilt_object_does_not_come_back(archived: Path, tapgrid: Tapgrid) -> None:
    purge(archived)
    object_(archived).write_bytes(object_(archived).read_bytes()[:-50])
    said = tapgrid("restore", "--week", "2026-02-01", "--data", archived)
    assert said.code == 1
    assert [file.name for file in (archived / "money" / "restored").iterdir()] == [".lock"]


@pytest.mark.parametrize(
    ("week", "code", "why"),
    [
        ("2026-02-02", 2, "is no Sunday"),
        ("yesterday", 2, "is no Sunday"),
        ("../2026-02-01", 2, "is no Sunday"),
        ("2025-02-02", 2, "there is no closed week 2025-02-02 here"),
        (THIRD.removesuffix(".db"), 2, "there is no closed week 2026-02-15 here"),
    ],
)
def test_a_week_that_there_is_not_is_refused(
    archived: Path, tapgrid: Tapgrid, week: str, code: int, why: str
) -> None:
    said = tapgrid("restore", "--week", week, "--data", archived)
    assert (said.code, said.out) == (code, "")
    assert why in said.err


def test_a_week_that_is_not_in_the_archive_is_said_to_be_missing(
    weeks: Path, tapgrid: Tapgrid
) -> None:
    purge(weeks)
    said = tapgrid("restore", "--week", "2026-02-01", "--data", weeks)
    assert said.code == 4
    assert f"has no weeks/{FIRST}.zst" in said.err
