"""Outcomes are recomputed from the stored ticks; a bet that does not follow is named."""

import json
import sqlite3
from pathlib import Path

import pytest

from actors.commands import verify
from tests.actors.commands.conftest import (
    BROKE,
    FIRST,
    LOST,
    OPEN,
    START_S,
    VOID,
    WON,
    Tapgrid,
)


def alter(data: Path, sql: str, *values: object) -> None:
    [file] = (data / "money").glob("*.db")
    with sqlite3.connect(file) as connection:
        connection.execute(sql, values)
    connection.close()


def alter_tick(data: Path, price_cents: int) -> None:
    """Change the price of the tick that decided the first column, and nothing else."""
    [file] = (data / "money").glob("*.db")
    with sqlite3.connect(file) as connection:
        [text] = connection.execute(
            "SELECT record FROM columns WHERE start_s = ?", (START_S,)
        ).fetchone()
    connection.close()
    record = json.loads(text)
    record["ticks"][0][2] = price_cents
    alter(data, "UPDATE columns SET record = ? WHERE start_s = ?", json.dumps(record), START_S)


def test_every_bet_that_follows_from_its_ticks_is_right(tapgrid: Tapgrid, data: Path) -> None:
    said = tapgrid("verify", "--all", "--data", data)
    assert (said.code, said.out, said.err) == (0, "verified 3 settled bets: all right\n", "")


@pytest.mark.parametrize(("bet_id", "status"), [(WON, "won"), (LOST, "lost"), (VOID, "void")])
def test_one_bet_is_verified_by_its_id(
    tapgrid: Tapgrid, data: Path, bet_id: str, status: str
) -> None:
    said = tapgrid("verify", bet_id, "--data", data)
    assert (said.code, said.out) == (0, f"{bet_id} is {status}: right\n")


@pytest.mark.parametrize(("bet_id", "status"), [(OPEN, "confirmed"), (BROKE, "insufficient_funds")])
def test_a_bet_without_an_outcome_has_nothing_to_verify(
    tapgrid: Tapgrid, data: Path, bet_id: str, status: str
) -> None:
    said = tapgrid("verify", bet_id, "--data", data)
    assert (said.code, said.out) == (0, f"{bet_id} is {status}: nothing to verify\n")


def test_no_such_bet(tapgrid: Tapgrid, data: Path) -> None:
    said = tapgrid("verify", "nobody", "--data", data)
    assert (said.code, said.out) == (2, "")
    assert "there is no bet nobody" in said.err


def test_one_altered_tick_names_the_bets_of_its_column(tapgrid: Tapgrid, data: Path) -> None:
    alter_tick(data, 4_199_999)
    said = tapgrid("verify", "--data", data)
    assert said.code == 1
    assert said.out.splitlines() == [
        f"{WON}: the ticks do not match their hash; it is stored as won, the ticks say lost; "
        "it was paid 1850000 micros and is owed 0",
        f"{LOST}: the ticks do not match their hash",
        "verified 3 settled bets: 2 bad",
    ]


def test_one_altered_tick_is_found_by_the_bet(tapgrid: Tapgrid, data: Path) -> None:
    alter_tick(data, 4_200_501)
    said = tapgrid("verify", WON, "--data", data)
    assert (said.code, said.out) == (1, f"{WON}: the ticks do not match their hash\n")
    assert tapgrid("verify", VOID, "--data", data).code == 0


def test_an_altered_outcome_is_found(tapgrid: Tapgrid, data: Path) -> None:
    alter(data, "UPDATE bets SET status = 'won' WHERE id = ?", LOST)
    said = tapgrid("verify", "--data", data)
    assert said.code == 1
    assert f"{LOST}: it is stored as won, the ticks say lost" in said.out


@pytest.mark.parametrize("page", [1, 2, 500])
@pytest.mark.parametrize(
    "spoil",
    ["UPDATE columns SET record = '{}' WHERE start_s = ?", "DELETE FROM columns WHERE start_s = ?"],
)
def test_evidence_that_is_gone_or_broken_hides_no_bet(
    tapgrid: Tapgrid, data: Path, spoil: str, page: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify, "PAGE_BETS", page)
    alter(data, spoil, START_S)
    said = tapgrid("verify", "--data", data)
    assert said.code == 1
    assert said.out.splitlines() == [
        f"{WON}: the evidence is missing, or not what settlement writes",
        f"{LOST}: the evidence is missing, or not what settlement writes",
        "verified 3 settled bets: 2 bad",
    ]
    assert tapgrid("verify", WON, "--data", data).code == 1


# --- several weeks ---------------------------------------------------------------------------


def test_the_bets_of_all_weeks_are_verified(tapgrid: Tapgrid, two_weeks: Path) -> None:
    said = tapgrid("verify", "--data", two_weeks)
    assert (said.code, said.out) == (0, "verified 4 settled bets: all right\n")


def test_a_bet_is_verified_in_whichever_week_it_ended(tapgrid: Tapgrid, two_weeks: Path) -> None:
    for bet_id, status in ((WON, "won"), (OPEN, "won")):
        said = tapgrid("verify", bet_id, "--data", two_weeks)
        assert (said.code, said.out) == (0, f"{bet_id} is {status}: right\n")


def test_a_bad_bet_of_an_earlier_week_is_named(tapgrid: Tapgrid, two_weeks: Path) -> None:
    with sqlite3.connect(two_weeks / "money" / FIRST) as connection:
        connection.execute("UPDATE bets SET status = 'won' WHERE id = ?", [LOST])
    connection.close()
    said = tapgrid("verify", "--data", two_weeks)
    assert said.code == 1
    assert said.out.startswith(f"{LOST}: it is stored as won, the ticks say lost")
    assert said.out.endswith("verified 4 settled bets: 1 bad\n")


def test_what_is_in_the_archive_is_said_not_to_be_verified(
    tapgrid: Tapgrid, two_weeks: Path
) -> None:
    (two_weeks / "money" / FIRST).unlink()
    said = tapgrid("verify", "--data", two_weeks)
    assert said.code == 0
    assert said.out.splitlines() == [
        f"{FIRST}: not here, nor on record as archived",
        "verified 1 settled bets: all right",
    ]
    said = tapgrid("verify", WON, "--data", two_weeks)
    assert said.code == 2
    assert said.err.rstrip().endswith(f"not searched, as they are in the archive: {FIRST}")


def test_a_damaged_week_hides_no_other(tapgrid: Tapgrid, two_weeks: Path) -> None:
    (two_weeks / "money" / FIRST).write_bytes(b"no database " * 1_000)
    said = tapgrid("verify", "--data", two_weeks)
    assert said.code == 1
    assert said.out.startswith(f"{FIRST}: can't be read: ")
    assert said.out.endswith("verified 1 settled bets: 1 bad\n")
