"""Does the money add up? Exit 0 with zero drift, 1 with each drift named."""

import sqlite3
from pathlib import Path

from tests.actors.commands.conftest import Tapgrid


def money_file(data: Path) -> Path:
    [file] = (data / "money").glob("*.db")
    return file


def test_a_ledger_that_adds_up_has_zero_drift(tapgrid: Tapgrid, data: Path) -> None:
    said = tapgrid("integrity", "--data", data)
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("checked 3 accounts, ")
    assert said.out.endswith(" 5 bets: zero drift\n")


def test_each_drift_is_named(tapgrid: Tapgrid, data: Path) -> None:
    with sqlite3.connect(money_file(data)) as connection:
        connection.execute("UPDATE users SET balance = balance + 7 WHERE wallet_address LIKE '0x%'")
    connection.close()
    said = tapgrid("integrity", "--data", data)
    assert said.code == 1
    assert "balance: 0xabab" in said.out
    assert "expected 0, found 7" in said.out
    assert "drifts\n" in said.out


def test_a_folder_that_is_none_is_said_to_be_none(tapgrid: Tapgrid, tmp_path: Path) -> None:
    said = tapgrid("integrity", "--data", tmp_path)
    assert (said.code, said.out) == (3, "")
    assert "is not a data folder of a venue" in said.err


def test_a_file_that_is_no_database_is_said_to_be_none(tapgrid: Tapgrid, data: Path) -> None:
    for file in (data / "money").glob("*.db*"):
        file.write_bytes(b"no database " * 1000)
    said = tapgrid("integrity", "--data", data)
    assert said.code == 3
    assert "can't be read" in said.err


def test_a_folder_without_money_is_said_to_be_empty(tapgrid: Tapgrid, data: Path) -> None:
    (data / "money" / "manifest.json").unlink()
    said = tapgrid("integrity", "--data", data)
    assert said.code == 3
    assert "holds no ledger yet" in said.err
