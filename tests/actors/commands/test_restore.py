"""`tapgrid restore`: brings money back where no venue runs, and says what it did."""

import shutil
from pathlib import Path

import pytest

from actors.commands.folder import ledger_reader
from db.backup import list_backups
from db.data_folder import DataFolder
from db.folder_objects import FolderObjects
from domain.backups import Backup
from tests.actors.commands.conftest import WALLET, Tapgrid


@pytest.fixture
def store(tmp_path: Path, data: Path, tapgrid: Tapgrid) -> Path:
    """A folder elsewhere, with a backup of the data folder; later a deposit was made."""
    folder = tmp_path / "store"
    folder.mkdir()
    assert tapgrid("backup", "--data", data, elsewhere(folder)).code == 0
    deposits = tmp_path / "deposits.csv"
    deposits.write_text(f"{WALLET},5000000,after-the-backup\n")
    assert tapgrid("fund", deposits, "--data", data).code == 0
    return folder


def elsewhere(store: Path) -> str:
    return f"--set=archive.url=folder:{store}"


def only_one(store: Path) -> Backup:
    [found] = list_backups(FolderObjects(store))
    return found


def has_deposit(data: Path) -> bool:
    with ledger_reader(data) as reader:
        return any(row.ref_id == "after-the-backup" for _, row in reader.statement(WALLET))


def test_the_newest_replaces_what_is_there(data: Path, store: Path, tapgrid: Tapgrid) -> None:
    assert has_deposit(data)
    said = tapgrid("restore", "--data", data, elsewhere(store))
    assert (said.code, said.err) == (0, "")
    assert not has_deposit(data)
    [aside] = data.glob("money.before-restore-*")
    assert said.out.splitlines() == [
        f"restored {only_one(store).key}",
        "checked 3 accounts, 13 ledger rows, 5 bets: zero drift",
        said.out.splitlines()[2],
        f"the money that was here is in {aside}",
        "next: check, start (on hold), put right what has happened since, release:",
        f"  tapgrid integrity --data {data}",
        f"  tapgrid serve --data {data}",
    ]
    assert "the money is that of 20" in said.out
    assert tapgrid("integrity", "--data", data).code == 0


def test_a_folder_that_is_gone_is_made_anew(data: Path, store: Path, tapgrid: Tapgrid) -> None:
    shutil.rmtree(data)
    said = tapgrid("restore", only_one(store).key, "--data", data, elsewhere(store))
    assert said.code == 0
    assert "the money that was here" not in said.out
    assert DataFolder.existing(data).mode == "demo"
    assert tapgrid("integrity", "--data", data).code == 0


def test_what_was_funded_since_is_funded_again(
    data: Path, store: Path, tmp_path: Path, tapgrid: Tapgrid
) -> None:
    tapgrid("restore", "--data", data, elsewhere(store))
    again = tapgrid("fund", tmp_path / "deposits.csv", "--data", data)
    assert again.out == "1 credited, 0 credited before, 0 refused\n"


def test_a_venue_that_runs_is_3(data: Path, store: Path, tapgrid: Tapgrid) -> None:
    with DataFolder.existing(data).lock():
        said = tapgrid("restore", "--data", data, elsewhere(store))
    assert said.code == 3
    assert "in use by another process" in said.err
    assert has_deposit(data)


def test_money_of_another_kind_is_3(data: Path, store: Path, tapgrid: Tapgrid) -> None:
    (data / "venue.json").write_text('{"mode": "production", "chain_id": 8453}')
    said = tapgrid("restore", "--data", data, elsewhere(store))
    assert said.code == 3
    assert "can't be used for mode demo" in said.err


def test_no_such_backup_is_2(data: Path, store: Path, tapgrid: Tapgrid) -> None:
    said = tapgrid("restore", "backups/x", "--data", data, elsewhere(store))
    assert said.code == 2
    assert "see tapgrid backup --list" in said.err


def test_a_damaged_backup_is_1_and_changes_nothing(
    data: Path, store: Path, tapgrid: Tapgrid
) -> None:
    stored = store / only_one(store).key
    stored.write_bytes(stored.read_bytes()[:-1] + b"?")
    said = tapgrid("restore", "--data", data, elsewhere(store))
    assert said.code == 1
    assert "is not what was stored" in said.err
    assert has_deposit(data)
