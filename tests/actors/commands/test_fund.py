"""A file of deposits is credited once, through the ledger or through the venue that runs."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from actors.commands import fund
from db.data_folder import DataFolder
from db.partition import current_file
from db.sqlite_ledger_reader import SqliteLedgerReader
from tests.actors.commands.conftest import TOKEN, WALLET, Answering, Tapgrid, runs_on

OTHER = "0x" + "cd" * 20


def wallets(data: Path, *lines: str) -> Path:
    file = data.parent / "wallets.csv"
    file.write_text("".join(f"{line}\n" for line in lines))
    return file


def balance(data: Path, wallet: str) -> int | None:
    file = current_file(data / "money")
    assert file is not None
    with closing(SqliteLedgerReader.open(file)) as reader:
        account = reader.account(wallet)
        return None if account is None else account.balance_micros


# --- the venue does not run -------------------------------------------------------------------


def test_each_wallet_is_credited(tapgrid: Tapgrid, data: Path) -> None:
    before = balance(data, WALLET) or 0
    said = tapgrid("fund", wallets(data, f"{WALLET},5", f"{OTHER},7000000"), "--data", data)
    assert (said.code, said.err) == (0, "")
    assert said.out == "2 credited, 0 credited before, 0 refused\n"
    assert balance(data, WALLET) == before + 5
    assert balance(data, OTHER) == 7_000_000
    assert tapgrid("integrity", "--data", data).code == 0


def test_the_same_file_twice_credits_once(tapgrid: Tapgrid, data: Path) -> None:
    file = wallets(data, f"{OTHER},7", f"{OTHER},7")
    assert tapgrid("fund", file, "--data", data).code == 0
    again = tapgrid("fund", file, "--data", data)
    assert (again.code, again.out) == (0, "0 credited, 2 credited before, 0 refused\n")
    assert balance(data, OTHER) == 14


def test_more_lines_than_fit_one_commit(
    tapgrid: Tapgrid, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fund, "DEPOSITS_PER_COMMIT", 2)
    tapgrid("fund", wallets(data, *[f"{OTHER},1"] * 5), "--data", data)
    assert balance(data, OTHER) == 5


def test_a_reference_of_the_operators_own_counts_once_over_files(
    tapgrid: Tapgrid, data: Path
) -> None:
    for lines in ([f"{OTHER},7,wire-1"], ["# again", f"{OTHER},7,wire-1"]):
        assert tapgrid("fund", wallets(data, *lines), "--data", data).code == 0
    assert balance(data, OTHER) == 7


def test_a_reference_of_another_deposit_is_refused_and_the_others_credited(
    tapgrid: Tapgrid, data: Path
) -> None:
    said = tapgrid("fund", wallets(data, f"{OTHER},1,first", f"{OTHER},2"), "--data", data)
    assert said.code == 1
    assert ":1: reference_conflict: " in said.out
    assert said.out.endswith("1 credited, 0 credited before, 1 refused\n")
    assert balance(data, OTHER) == 2


def test_one_bad_line_credits_nobody(tapgrid: Tapgrid, data: Path) -> None:
    file = wallets(data, f"{OTHER},7", f"{OTHER},0", "0x12,1", OTHER)
    said = tapgrid("fund", file, "--data", data)
    assert (said.code, said.out) == (2, "")
    assert [f"{file}:{number}: " in said.err for number in (1, 2, 3, 4)] == [
        False,
        True,
        True,
        True,
    ]
    assert balance(data, OTHER) is None


@pytest.mark.parametrize("content", [b"", b"# nothing\n", b"\xff\xfe", None])
def test_a_file_that_says_nothing_is_refused(
    tapgrid: Tapgrid, data: Path, content: bytes | None
) -> None:
    file = data.parent / "wallets.csv"
    if content is not None:
        file.write_bytes(content)
    assert tapgrid("fund", file, "--data", data).code == 2


def test_nothing_is_written_on_money_that_does_not_add_up(tapgrid: Tapgrid, data: Path) -> None:
    file = current_file(data / "money")
    assert file is not None
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE users SET balance = balance + 1 WHERE id > 2")
    connection.close()
    said = tapgrid("fund", wallets(data, f"{OTHER},7"), "--data", data)
    assert said.code == 1
    assert "the money does not add up" in said.err
    assert balance(data, OTHER) is None


def test_without_a_data_folder_nothing_is_done(tapgrid: Tapgrid, data: Path) -> None:
    file = wallets(data, f"{OTHER},7")
    assert tapgrid("fund", file, "--data", data.parent / "none").code == 3


# --- the venue runs -----------------------------------------------------------------------------


def test_a_venue_that_runs_is_asked(tapgrid: Tapgrid, data: Path, venue: Answering) -> None:
    runs_on(data, venue)
    venue.will_answer("/ops/deposits", (200, {"balance_micros": 7, "repeated": True}))
    with DataFolder.existing(data).lock():
        said = tapgrid("fund", wallets(data, f"{OTHER},7,wire-1"), "--data", data)
    assert (said.code, said.err) == (0, "")
    assert said.out == "0 credited, 1 credited before, 0 refused\n"
    body = {
        "wallet": OTHER,
        "amount_micros": 7,
        "reference": "wire-1",
        "reason": "tapgrid fund",
    }
    assert venue.asked == [("/ops/deposits", f"Bearer {TOKEN}", body)]


def test_a_busy_venue_is_asked_again(tapgrid: Tapgrid, data: Path, venue: Answering) -> None:
    runs_on(data, venue)
    busy = (503, {"error": "overloaded", "retry_after": 0})
    venue.will_answer("/ops/deposits", busy, busy, (200, {"balance_micros": 7}))
    with DataFolder.existing(data).lock():
        assert tapgrid("fund", wallets(data, f"{OTHER},7"), "--data", data).code == 0
    assert len(venue.asked) == 3
    assert len({body["reference"] for _, _, body in venue.asked}) == 1


def test_what_the_venue_refuses_is_named(tapgrid: Tapgrid, data: Path, venue: Answering) -> None:
    runs_on(data, venue)
    venue.will_answer("/ops/deposits", (409, {"error": "reference_conflict", "message": "No."}))
    with DataFolder.existing(data).lock():
        said = tapgrid("fund", wallets(data, f"{OTHER},7"), "--data", data)
    assert said.code == 1
    assert ":1: reference_conflict: No." in said.out


def test_a_token_of_the_command_line_goes_before_the_folders(
    tapgrid: Tapgrid, data: Path, venue: Answering
) -> None:
    runs_on(data, venue)
    venue.will_answer("/ops/deposits", (200, {}))
    with DataFolder.existing(data).lock():
        tapgrid("fund", wallets(data, f"{OTHER},7"), "--data", data, "--token", "other")
    assert venue.asked[0][1] == "Bearer other"


def test_a_folder_held_by_no_venue_is_left_alone(tapgrid: Tapgrid, data: Path) -> None:
    with DataFolder.existing(data).lock():
        said = tapgrid("fund", wallets(data, f"{OTHER},7"), "--data", data)
    assert said.code == 4
    assert "no run.json there" in said.err
    assert balance(data, OTHER) is None
