"""Which file holds the money now."""

import json
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.migrate import migrate
from db.partition import (
    ManifestBroken,
    begin_file,
    closed_at_ms,
    current_file,
    file_name,
    is_file_name,
    name_current,
    week_sunday,
)
from db.sqlite_connection import DatabaseMissing, Memory, open_writer
from db.sqlite_ledger import SqliteLedger
from domain.caps import HouseCaps
from supervisor.chance import SeededChance
from tests.support.ledgers import deposit

DAY_MS = 86_400_000


@pytest.mark.parametrize(
    ("moment", "name"),
    [
        ("2026-02-01T00:00:00.000", "2026-02-01.db"),
        ("2026-02-07T23:59:59.999", "2026-02-01.db"),
        ("2026-02-08T00:00:00.000", "2026-02-08.db"),
        ("2026-11-20T09:43:50.000", "2026-11-15.db"),
        ("2027-01-01T12:00:00.000", "2026-12-27.db"),
        ("2028-02-29T23:59:59.999", "2028-02-27.db"),
        ("2032-02-29T00:00:00.000", "2032-02-29.db"),
        # Clocks change on Sundays; the week does not care where.
        ("2026-03-08T06:59:59.999", "2026-03-08.db"),
        ("2026-03-07T23:59:59.999", "2026-03-01.db"),
        ("2026-10-25T00:00:00.000", "2026-10-25.db"),
        ("2026-10-24T23:59:59.999", "2026-10-18.db"),
    ],
)
def test_a_file_is_named_by_its_sunday(moment: str, name: str) -> None:
    at_ms = int(datetime.fromisoformat(f"{moment}+00:00").timestamp() * 1000)
    assert file_name(at_ms) == name


@given(st.integers(0, 4_000_000_000_000))
def test_a_week_begins_on_the_sunday_before(at_ms: int) -> None:
    sunday = week_sunday(at_ms)
    today = datetime.fromtimestamp(at_ms // 1000, UTC).date()
    assert sunday.isoweekday() == 7
    assert 0 <= (today - sunday).days < 7


def test_a_new_folder_has_no_current_file(tmp_path: Path) -> None:
    assert current_file(tmp_path) is None
    assert begin_file(tmp_path, at_ms=0) == tmp_path / "1969-12-28.db"
    assert week_sunday(0) == date(1969, 12, 28)


def test_the_manifest_names_the_current_file(tmp_path: Path) -> None:
    for name in ("2026-02-01.db", "2026-02-08.db"):
        (tmp_path / name).touch()
        name_current(tmp_path, tmp_path / name)
        assert current_file(tmp_path) == tmp_path / name
    assert json.loads((tmp_path / "manifest.json").read_text()) == {"current": "2026-02-08.db"}
    assert sorted(p.name for p in tmp_path.iterdir() if p.suffix != ".db") == ["manifest.json"]


def test_a_first_start_that_died_is_taken_up_again(tmp_path: Path) -> None:
    path = begin_file(tmp_path, at_ms=DAY_MS)
    path.touch()
    assert begin_file(tmp_path, at_ms=2 * DAY_MS) == path


def test_a_first_start_that_died_is_taken_up_in_a_later_week(tmp_path: Path) -> None:
    path = begin_file(tmp_path, at_ms=DAY_MS)
    with closing(open_writer(path)) as connection:
        migrate(connection)
    assert begin_file(tmp_path, at_ms=20 * DAY_MS) == path


def test_money_without_a_manifest_stops_the_start(tmp_path: Path) -> None:
    path = begin_file(tmp_path, at_ms=DAY_MS)
    ledger = SqliteLedger.open(path, caps=HouseCaps(), chance=SeededChance(1))
    ledger.apply([deposit("house", 1)], at_ms=DAY_MS)
    ledger.close()
    with pytest.raises(ManifestBroken, match=path.name):
        begin_file(tmp_path, at_ms=20 * DAY_MS)


def test_later_ledgers_without_a_manifest_stop_the_start(tmp_path: Path) -> None:
    (tmp_path / "2026-02-01.db").touch()
    with pytest.raises(ManifestBroken, match=r"2026-02-01\.db"):
        begin_file(tmp_path, at_ms=0)


@pytest.mark.parametrize(
    "text",
    ['{"current": "2026-02-02.db"}', '{"current": "manifest.json"}', '{"current": ".db"}',
     "", "{}", "[]", "null", '{"current": 5}', '{"current": "2026-02-08.db"}',
     '{"current": "../2026-02-01.db"}', '{"current": ""}', '{"current": "."}'],
)  # fmt: skip
def test_a_broken_manifest_stops_the_start(tmp_path: Path, text: str) -> None:
    for name in ("2026-02-01.db", "2026-02-02.db", ".db"):
        (tmp_path / name).touch()
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(ManifestBroken):
        current_file(tmp_path)


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("2026-02-01.db", True),
        ("2026-12-27.db", True),
        ("2026-02-02.db", False),  # a Monday
        ("2026-02-30.db", False),
        ("2026-02-01.db-wal", False),
        ("2026-2-1.db", False),
        ("20260201.db", False),
        ("2026-W05-7.db", False),
        ("money.db", False),
        (".db", False),
    ],
)
def test_only_the_name_of_a_sunday_is_that_of_a_week(name: str, is_one: bool) -> None:
    assert is_file_name(name) is is_one


@given(st.integers(0, 4_000_000_000_000))
def test_files_sort_as_their_weeks_do(at_ms: int) -> None:
    names = [file_name(at_ms + days * DAY_MS) for days in (0, 7, 14, 371)]
    assert names == sorted(set(names))
    assert all(is_file_name(name) for name in names)


def test_a_file_says_whether_it_is_closed_and_is_not_changed_by_the_question(
    tmp_path: Path,
) -> None:
    path = tmp_path / "2026-02-01.db"
    with pytest.raises(DatabaseMissing):
        closed_at_ms(path)
    path.touch()
    assert closed_at_ms(path) is None, "nothing is in it yet"
    SqliteLedger.open(path, caps=HouseCaps(), chance=SeededChance(1)).close()
    content = path.read_bytes()
    assert closed_at_ms(path) is None
    assert path.read_bytes() == content
    with closing(open_writer(path)) as connection:
        connection.execute("UPDATE meta SET closed_at_ms = 5")
    assert closed_at_ms(path) == 5
    with pytest.raises(ManifestBroken, match="closed"):
        SqliteLedger.open(path, caps=HouseCaps(), chance=SeededChance(1))


def test_a_ledger_in_memory_has_no_week(tmp_path: Path) -> None:
    with closing(
        SqliteLedger.open(Memory("weekless"), caps=HouseCaps(), chance=SeededChance(1))
    ) as ledger:
        assert (ledger.partition(), ledger.rotation_failure()) == ("", "")
