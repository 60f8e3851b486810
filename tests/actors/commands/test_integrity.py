"""Does the money add up? Exit 0 with zero drift, 1 with each drift named."""

import sqlite3
from pathlib import Path

from tests.actors.commands.conftest import FIRST, SECOND, Tapgrid


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


# --- several weeks ---------------------------------------------------------------------------


def test_each_week_has_a_line_and_the_last_one_sums_up(tapgrid: Tapgrid, two_weeks: Path) -> None:
    said = tapgrid("integrity", "--data", two_weeks)
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines() == [
        f"{FIRST}: 13 ledger rows, 5 bets: zero drift",
        f"{SECOND}: 5 ledger rows, 1 bets: zero drift",
        "checked 3 accounts, 18 ledger rows, 6 bets: zero drift",
    ]


def test_a_week_in_the_archive_is_said_to_be_there(tapgrid: Tapgrid, two_weeks: Path) -> None:
    easily = ("--set", "archive.compression_level=1")
    assert tapgrid("archive", "--data", two_weeks, *easily).code == 0
    (two_weeks / "money" / FIRST).unlink()
    said = tapgrid("integrity", "--data", two_weeks)
    assert said.code == 0
    assert said.out.splitlines()[0] == f"{FIRST}: in the archive only"
    assert said.out.endswith("zero drift\n")


def test_a_week_that_is_nowhere_is_not_said_to_be_in_the_archive(
    tapgrid: Tapgrid, two_weeks: Path
) -> None:
    (two_weeks / "money" / FIRST).unlink()
    said = tapgrid("integrity", "--data", two_weeks)
    assert said.out.splitlines()[0] == f"{FIRST}: not here, nor on record as archived"


def test_a_drift_is_named_with_its_file(tapgrid: Tapgrid, two_weeks: Path) -> None:
    with sqlite3.connect(two_weeks / "money" / FIRST) as connection:
        connection.execute("UPDATE users SET balance = balance + 7 WHERE wallet_address LIKE '0x%'")
    connection.close()
    said = tapgrid("integrity", "--data", two_weeks)
    assert said.code == 1
    first, second = (
        [line for line in said.out.splitlines() if line.startswith(name)]
        for name in (FIRST, SECOND)
    )
    assert first[0].startswith(f"{FIRST}: balance: 0xabab")
    assert first[-1].endswith("2 drifts")
    assert "opening balance" in second[0]
    assert said.out.splitlines()[-1].endswith(": 3 drifts")


def test_a_damaged_week_is_wrong(tapgrid: Tapgrid, two_weeks: Path) -> None:
    (two_weeks / "money" / FIRST).write_bytes(b"no database " * 1_000)
    said = tapgrid("integrity", "--data", two_weeks)
    assert said.code == 1
    assert said.out.startswith(f"{FIRST}: can't be read: ")
    assert said.out.endswith(": 1 drifts\n")
