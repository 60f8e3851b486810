"""`tapgrid backup`: takes one, also beside a venue that runs, and lists what there is."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from db.backup import alone, list_backups
from db.data_folder import DataFolder
from db.folder_objects import FolderObjects
from db.partition import current_file
from domain.backups import record_key
from tests.actors.commands.conftest import WALLET, Tapgrid


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A folder elsewhere, for backups."""
    folder = tmp_path / "store"
    folder.mkdir()
    return folder


def elsewhere(store: Path) -> str:
    return f"--set=archive.url=folder:{store}"


def test_it_takes_one_and_says_what_is_in_it(data: Path, store: Path, tapgrid: Tapgrid) -> None:
    said = tapgrid("backup", "--data", data, elsewhere(store))
    [made] = list_backups(FolderObjects(store))
    assert made.complete
    assert said.code == 0
    assert said.out.startswith(f"{made.key}: {made.bytes:,} bytes (unpacked ")
    assert "checked 3 accounts, 13 ledger rows, 5 bets: zero drift\n" in said.out
    assert said.err == "", "a bar is for terminals"


def test_by_default_it_goes_into_the_data_folder(data: Path, tapgrid: Tapgrid) -> None:
    assert tapgrid("backup", "--data", data).code == 0
    assert len(list_backups(FolderObjects(data / "archive"))) == 1


def test_it_needs_no_lock_of_the_folder(data: Path, store: Path, tapgrid: Tapgrid) -> None:
    with DataFolder.existing(data).lock():
        assert tapgrid("backup", "--data", data, elsewhere(store)).code == 0


def test_those_there_are_are_listed(data: Path, store: Path, tapgrid: Tapgrid) -> None:
    for _ in range(2):
        tapgrid("backup", "--data", data, elsewhere(store))
    one, two = list_backups(FolderObjects(store))
    (store / record_key(two.key)).unlink()
    said = tapgrid("backup", "--list", "--data", data / "gone", elsewhere(store))
    assert said.code == 0
    first, second, last = said.out.splitlines()
    assert first.endswith(f"{one.bytes:,} bytes  {one.key}")
    assert " UTC  " in first
    assert second.endswith(f"{two.key}  (incomplete)")
    assert last == f"1 complete backup in {store}"


def test_money_that_does_not_add_up_is_1(data: Path, store: Path, tapgrid: Tapgrid) -> None:
    file = current_file(data / "money")
    assert file is not None
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE users SET balance = 7 WHERE wallet_address = ?", (WALLET,))
    said = tapgrid("backup", "--data", data, elsewhere(store))
    assert said.code == 1
    assert "does not add up" in said.err
    assert list_backups(FolderObjects(store)) == []


def test_no_data_folder_is_3(tmp_path: Path, store: Path, tapgrid: Tapgrid) -> None:
    said = tapgrid("backup", "--data", tmp_path / "none", elsewhere(store))
    assert said.code == 3
    assert "is not a data folder" in said.err


def test_one_at_a_time(data: Path, store: Path, tapgrid: Tapgrid) -> None:
    with alone(DataFolder.existing(data)):
        said = tapgrid("backup", "--data", data, elsewhere(store))
    assert said.code == 3
    assert "try again later" in said.err


def test_a_store_that_is_not_there_is_4(data: Path, tmp_path: Path, tapgrid: Tapgrid) -> None:
    said = tapgrid("backup", "--data", data, elsewhere(tmp_path / "not-mounted"))
    assert said.code == 4
    assert "there is no folder" in said.err


def test_settings_that_are_wrong_are_2(data: Path, tapgrid: Tapgrid) -> None:
    said = tapgrid("backup", "--data", data, "--set=archive.url=ftp://x")
    assert said.code == 2
    assert "archive.url" in said.err
