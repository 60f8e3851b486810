"""The integrity check finds each way in which keys and limits can disagree with the ledger."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from db import migrate as migrate_module
from db.ledger_check import check_all, check_pair
from db.migrate import migrate, migrations
from db.sqlite_connection import open_reader, open_writer
from db.sqlite_ledger_reader import SqliteLedgerReader
from domain.self_limits import DAY_MS, LimitsAsked, MaxAsked
from protocols.account_commands import RevokeKeys, SetLimits
from protocols.accounts import Drift
from protocols.money import OpenAccount, Rotate
from tests.support.ledgers import ALICE, AT_MS, BOB, STAKE, START_S, Venue, grant, order, settle
from tests.support.weeks import AHEAD_S, SECOND, SUNDAY_MS, weekly_venue

KEY = grant(1).key_id
TODAY = AT_MS // DAY_MS


@pytest.fixture
def used(venue: Venue) -> Venue:
    """A key that has signed two bets, one of the wallet's own, and a limit, with a bet won."""
    venue.fund(BOB, 10 * STAKE)
    venue.one(OpenAccount(wallet=ALICE, key=grant(1)))
    venue.one(SetLimits(wallet=ALICE, asked=LimitsAsked(loss_day_max=MaxAsked(micros=9 * STAKE))))
    venue.apply(
        order(1, key_id=KEY),
        order(2, key_id=KEY, start_s=START_S + 60),
        order(3),
        order(1, wallet=BOB),
    )
    venue.one(settle(won=[1], lost=[3]), at_ms=AT_MS + 60_000)
    return venue


def found(venue: Venue, *statements: str) -> list[Drift]:
    """What the check says of a file that somebody has altered, past the schema's checks."""
    connection = venue.ledger._connection
    connection.execute("PRAGMA ignore_check_constraints = ON")
    connection.execute("PRAGMA foreign_keys = OFF")
    for statement in statements:
        assert connection.execute(statement).rowcount > 0, statement
    return list(venue.reader.integrity().drifts)


def test_keys_and_limits_that_agree_are_no_drift(used: Venue) -> None:
    assert used.reader.integrity().clean
    used.one(RevokeKeys(wallet=ALICE, session_id="session-1"), at_ms=AT_MS + 60_000)
    used.one(order(4, start_s=START_S + 90_000), at_ms=AT_MS + DAY_MS)
    assert used.reader.integrity().clean


@pytest.mark.parametrize(
    ("what", "where", "expected", "seen", "tamper"),
    [
        ("key", f"key {KEY}: stakes of the day", 2 * STAKE, 7,
         "UPDATE session_keys SET day_stake_micros = 7"),
        ("key", f"key {KEY}: stakes of the day", 2 * STAKE, 3 * STAKE,
         f"UPDATE session_keys SET day_stake_micros = {3 * STAKE}"),
        ("key", f"key {KEY}: day", TODAY, 0,
         "UPDATE session_keys SET day = 0, day_stake_micros = 0"),
        ("key", f"key {KEY}: cap of the day", 2 * STAKE - 1, 2 * STAKE,
         f"UPDATE session_keys SET day_max_micros = {2 * STAKE - 1}"),
        ("limit", f"{ALICE}: lost on the day", STAKE, 5,
         "UPDATE account_limits SET day_lost_micros = 5"),
        ("limit", f"{ALICE}: day of the newest stake", TODAY, TODAY - 1,
         f"UPDATE account_limits SET day = {TODAY - 1}, day_lost_micros = 0"),
    ],
)  # fmt: skip
def test_a_sum_that_is_not_that_of_its_day_is_found(
    used: Venue, what: str, where: str, expected: int, seen: int, tamper: str
) -> None:
    assert found(used, tamper) == [Drift(what=what, where=where, expected=expected, found=seen)]


@pytest.mark.parametrize(
    ("where", "tamper"),
    [
        ("account of its key", "UPDATE bets SET key_id = 'none' WHERE key_id IS NOT NULL"),
        ("account of its key", f"UPDATE bets SET key_id = '{KEY}' WHERE user_id = 4"),
        ("account of its key", "UPDATE session_keys SET user_id = 4"),
        ("account of its key", "DELETE FROM session_keys"),
        ("cap of its key", f"UPDATE session_keys SET bet_max_micros = {STAKE - 1}"),
        ("end of its key", f"UPDATE session_keys SET expires_at_ms = {AT_MS}"),
        ("end of its key", f"UPDATE session_keys SET revoked_at_ms = {AT_MS - 1}"),
    ],
)
def test_a_bet_that_its_key_could_not_sign_is_found(used: Venue, where: str, tamper: str) -> None:
    drifts = found(used, tamper)
    assert any(drift.where.startswith("bet ") and where in drift.where for drift in drifts)
    assert {drift.what for drift in drifts} == {"key"}


# --- over the end of a week, and before there were keys ------------------------------------------


def test_a_day_whose_beginning_is_in_the_file_before_is_not_added_up() -> None:
    """But that a sum is too small for what is here is found all the same."""
    with weekly_venue() as weeks:
        weeks.apply(
            OpenAccount(wallet=ALICE, key=grant(1, expires_at_ms=SUNDAY_MS + DAY_MS)),
            SetLimits(wallet=ALICE, asked=LimitsAsked()),
        )
        before_ms = SUNDAY_MS - 1
        weeks.apply(order(1, key_id=KEY), settle(lost=[1]), at_ms=before_ms)
        weeks.apply(order(2, key_id=KEY, start_s=AHEAD_S), at_ms=before_ms)
        weeks.apply(Rotate(), at_ms=SUNDAY_MS)
        assert weeks.reader.integrity().clean, "the new file has one of the two"
        connection = weeks.ledger._ledger._connection
        connection.execute(f"UPDATE session_keys SET day_stake_micros = {STAKE - 1}")
        (drift,) = weeks.reader.integrity().drifts
        assert (drift.where, drift.expected) == (f"key {KEY}: stakes of the day", STAKE)
        connection.execute(f"UPDATE session_keys SET day_stake_micros = {2 * STAKE}")
        weeks.apply(order(3, key_id=KEY, start_s=AHEAD_S), at_ms=SUNDAY_MS + 1)
        assert weeks.reader.integrity().clean
        connection.execute("UPDATE session_keys SET day_stake_micros = 1")
        assert not weeks.reader.integrity().clean, "the new day is here whole"


@pytest.fixture
def before_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of a week that was closed before there were keys, with a bet."""
    file = tmp_path / SECOND
    with monkeypatch.context() as patched, closing(open_writer(file)) as connection:
        patched.setattr(migrate_module, "migrations", lambda: migrations()[:2])
        migrate(connection)
        connection.execute(f"INSERT INTO users VALUES (3, '{ALICE}', 0, 0, 0, 1)")
        connection.execute(
            "INSERT INTO bets (id, user_id, nonce, column_start_s, column_s, lo_cents, hi_cents,"
            " rule, stake_micros, reward_bps, quote_n, status, holds_cell, placed_at_ms)"
            " VALUES ('old', 3, 'n', 5, 5, 0, 1, 'touch', 1, 1, 1, 'insufficient_funds', 0, 1)"
        )
    return file


def test_a_week_of_before_there_were_keys_is_read_and_checked(
    before_keys: Path, empty: Venue
) -> None:
    with closing(open_reader(before_keys)) as connection:
        assert check_all(connection).clean
        drifts = check_pair(connection, empty.ledger._connection)
        assert all("before" not in drift.where for drift in drifts), "nothing is asked of no table"
        bet = SqliteLedgerReader(connection).bet("old")
        assert bet is not None
        assert bet.key_id is None
    with closing(sqlite3.connect(before_keys)) as connection:
        assert connection.execute("SELECT count(*) FROM bets").fetchone() == (1,)
