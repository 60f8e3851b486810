"""Which file holds the money now."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.partition import (
    ManifestBroken,
    begin_file,
    current_file,
    file_name,
    name_current,
    week_sunday,
)

DAY_MS = 86_400_000


@pytest.mark.parametrize(
    ("moment", "name"),
    [
        ("2026-02-01T00:00:00.000", "2026-02-01.db"),
        ("2026-02-07T23:59:59.999", "2026-02-01.db"),
        ("2026-02-08T00:00:00.000", "2026-02-08.db"),
        ("2026-11-20T09:43:50.000", "2026-11-15.db"),
        ("2027-01-01T12:00:00.000", "2026-12-27.db"),
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


def test_older_ledgers_without_a_manifest_stop_the_start(tmp_path: Path) -> None:
    (tmp_path / "2026-02-01.db").touch()
    with pytest.raises(ManifestBroken, match=r"2026-02-01\.db"):
        begin_file(tmp_path, at_ms=0)


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", "null", '{"current": 5}', '{"current": "2026-02-08.db"}',
     '{"current": "../2026-02-01.db"}', '{"current": ""}', '{"current": "."}'],
)  # fmt: skip
def test_a_broken_manifest_stops_the_start(tmp_path: Path, text: str) -> None:
    (tmp_path / "2026-02-01.db").touch()
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(ManifestBroken):
        current_file(tmp_path)
