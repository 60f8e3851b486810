"""A balance is rebuilt on an operator's word, through the ledger or through the venue that runs."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from db.data_folder import DataFolder
from db.partition import current_file
from db.sqlite_ledger_reader import SqliteLedgerReader
from protocols.accounts import LedgerRow
from tests.actors.commands.conftest import TOKEN, WALLET, Answering, Tapgrid, runs_on

PATH = "/ops/integrity/rebuild"
WHY = "edited by hand"


def money_file(data: Path) -> Path:
    file = current_file(data / "money")
    assert file is not None
    return file


def meddle(data: Path, sql: str = "UPDATE users SET balance = balance + 7 WHERE id > 2") -> None:
    with closing(sqlite3.connect(money_file(data))) as connection, connection:
        connection.execute(sql)


def newest_row(data: Path, wallet: str = WALLET) -> tuple[int, LedgerRow]:
    with closing(SqliteLedgerReader.open(money_file(data))) as reader:
        return reader.statement(wallet, limit=1)[0]


@pytest.fixture
def balance(data: Path) -> int:
    """What the trader has, by his ledger rows."""
    return newest_row(data)[1].balance_after_micros


# --- the venue does not run -----------------------------------------------------------------------


def test_the_balance_becomes_the_sum_of_its_rows(
    tapgrid: Tapgrid, data: Path, balance: int
) -> None:
    meddle(data)
    said = tapgrid("integrity", "--rebuild", WALLET, "--reason", WHY, "--data", data)
    rowid, row = newest_row(data)
    assert (said.code, said.err) == (0, "")
    first, last = said.out.splitlines()
    usd = f"{balance // 10**6}.{balance % 10**6:06}"
    assert first == (
        f"{WALLET}: {usd[:-1]}{int(usd[-1]) + 7} USD before, {usd} USD now; "
        f"noted in ledger row {rowid}"
    )
    assert last.endswith("zero drift")
    assert (row.amount_micros, row.balance_after_micros) == (0, balance)
    note = json.loads(row.metadata)
    assert (note["why"], note["balance_before"]) == (WHY, balance + 7)
    assert note["by"].startswith("tapgrid integrity, ")


def test_without_drift_nothing_is_written(tapgrid: Tapgrid, data: Path) -> None:
    said = tapgrid("integrity", "--rebuild", WALLET, "--reason", WHY, "--data", data)
    assert said.code == 0
    assert "is the sum of its ledger rows; nothing was changed\n" in said.out
    assert newest_row(data)[1].ref_type != "ADJUSTMENT"


def test_what_remains_wrong_is_named_and_the_exit_code_says_so(
    tapgrid: Tapgrid, data: Path
) -> None:
    meddle(data)
    meddle(data, "UPDATE users SET balance = balance + 1 WHERE id = 1")
    said = tapgrid("integrity", "--rebuild", "house", "--reason", WHY, "--data", data)
    assert said.code == 1
    assert said.out.startswith("house: ")
    assert f"balance: {WALLET}" in said.out
    assert "balance: house" not in said.out
    assert tapgrid("integrity", "--rebuild", WALLET, "--reason", WHY, "--data", data).code == 0


def test_a_venue_that_would_not_start_starts_again(tapgrid: Tapgrid, data: Path) -> None:
    meddle(data)
    deposits = data.parent / "wallets.csv"
    deposits.write_text(f"{WALLET},5\n")
    refused = tapgrid("fund", deposits, "--data", data)
    assert refused.code == 1
    assert "does not add up" in refused.err
    tapgrid("integrity", "--rebuild", WALLET, "--reason", WHY, "--data", data)
    assert tapgrid("fund", deposits, "--data", data).code == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--rebuild", WALLET), "go together"),
        (("--reason", WHY), "go together"),
        (("--rebuild", WALLET, "--reason", ""), "reason: must be text"),
        (("--rebuild", WALLET, "--reason", "  "), "reason: must say something"),
        (("--rebuild", WALLET, "--reason", "x" * 501), "reason: must be text"),
        (("--rebuild", "0x12", "--reason", WHY), "wallet: must be 0x"),
        (("--rebuild", "0x" + "77" * 20, "--reason", WHY), "There is no account of"),
    ],
)
def test_what_is_refused_changes_nothing(
    tapgrid: Tapgrid, data: Path, arguments: tuple[str, ...], says: str
) -> None:
    meddle(data)
    before = newest_row(data)
    said = tapgrid("integrity", *arguments, "--data", data)
    assert (said.code, said.out) == (2, "")
    assert says in said.err
    assert newest_row(data) == before


def test_a_folder_without_money_stays_without(tapgrid: Tapgrid, tmp_path: Path) -> None:
    DataFolder.open(tmp_path, mode="demo", chain_id=31337)
    said = tapgrid("integrity", "--rebuild", WALLET, "--reason", WHY, "--data", tmp_path)
    assert said.code == 3
    assert "holds no ledger yet" in said.err
    assert not list((tmp_path / "money").iterdir())


def test_a_file_that_is_no_database(tapgrid: Tapgrid, data: Path) -> None:
    for file in (data / "money").glob("*.db*"):
        file.write_bytes(b"no database " * 1000)
    said = tapgrid("integrity", "--rebuild", WALLET, "--reason", WHY, "--data", data)
    assert said.code == 3
    assert "can't be used" in said.err


# --- a venue runs ---------------------------------------------------------------------------------


def test_a_venue_that_runs_is_asked(tapgrid: Tapgrid, data: Path, venue: Answering) -> None:
    runs_on(data, venue)
    answer = {
        "wallet": WALLET,
        "balance_before_micros": 1_234_500_007,
        "balance_micros": -1_500_000,
        "noted_in_row": 17,
    }
    venue.will_answer(PATH, (200, answer))
    with DataFolder.existing(data).lock():
        said = tapgrid("integrity", "--rebuild", WALLET, "--reason", WHY, "--data", data)
    assert said.code == 0
    assert said.out.startswith(
        f"{WALLET}: 1,234.500007 USD before, -1.500000 USD now; noted in ledger row 17\n"
    )
    assert venue.asked == [(PATH, f"Bearer {TOKEN}", {"wallet": WALLET, "reason": WHY})]


@pytest.mark.parametrize(
    ("status", "code", "exit_code"),
    [(404, "not_found", 2), (503, "overloaded", 4), (504, "status_unknown", 4)],
)
def test_a_venue_that_says_no(
    tapgrid: Tapgrid, data: Path, venue: Answering, status: int, code: str, exit_code: int
) -> None:
    runs_on(data, venue)
    venue.will_answer(PATH, (status, {"error": code, "message": "No."}))
    with DataFolder.existing(data).lock():
        said = tapgrid("integrity", "--rebuild", WALLET, "--reason", WHY, "--data", data)
    assert (said.code, said.out) == (exit_code, "")
    assert f"{code}: No." in said.err
    assert ("Once more does no harm" in said.err) is (exit_code == 4)


def test_a_tool_that_holds_the_folder_is_no_venue(tapgrid: Tapgrid, data: Path) -> None:
    with DataFolder.existing(data).lock():
        said = tapgrid("integrity", "--rebuild", WALLET, "--reason", WHY, "--data", data)
    assert (said.code, said.out) == (4, "")
    assert "no venue runs on" in said.err
