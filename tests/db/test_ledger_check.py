"""The integrity check finds each way in which money can fail to add up."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from db.ledger_check import DRIFTS_PER_QUESTION_MAX, check_all, check_pair
from db.sqlite_connection import open_reader
from protocols.accounts import Drift
from protocols.money import Rotate
from tests.support.ledgers import ALICE, BOB, STAKE, START_S, Venue, deposit, order, settle
from tests.support.weeks import (
    FIRST,
    SECOND,
    SUNDAY_MS,
    WeeklyVenue,
    check_weeks,
    files_of,
    fill,
    in_week,
    weekly_venue,
)

LATER_MS = START_S * 1000 + 10_000


@pytest.fixture
def used(venue: Venue) -> Venue:
    """Deposits, a settled column with a win and a loss, and two open bets."""
    venue.fund(BOB, 10 * STAKE)
    venue.apply(order(1), order(2), order(1, wallet=BOB))
    venue.one(settle(won=[1], lost=[2]), at_ms=LATER_MS)
    venue.apply(
        order(1, start_s=START_S + 60), order(2, wallet=BOB, start_s=START_S + 60), at_ms=LATER_MS
    )
    return venue


def seed(venue: Venue, *statements: str) -> None:
    """Alter the file as only somebody with the file can: past triggers and checks."""
    connection = venue.ledger._connection
    for pragma in ("ignore_check_constraints = ON", "foreign_keys = OFF"):
        connection.execute(f"PRAGMA {pragma}")
    for trigger in ("ledger_is_never_changed", "ledger_is_never_shortened"):
        connection.execute(f"DROP TRIGGER {trigger}")
    for statement in statements:
        connection.execute(statement)


def test_a_correct_ledger_has_no_drift(used: Venue) -> None:
    report = used.reader.integrity()
    assert report.clean
    assert (report.accounts, report.bets) == (4, 5)
    assert report.ledger_rows == 3 * 2 + 4 + 3 + 3


@pytest.mark.parametrize(
    ("what", "tamper"),
    [
        ("balance", "UPDATE users SET balance = balance + 1 WHERE id = 3"),
        ("balance", "UPDATE users SET balance = balance - 1 WHERE id = 1"),
        ("balance", "INSERT INTO users VALUES (9, '0x9', 5, 0, 0, 0)"),
        ("balance", "DELETE FROM transaction_ledger WHERE rowid = 8"),
        ("chain", "UPDATE transaction_ledger SET amount = amount - 1 WHERE rowid = 8"),
        ("chain", "UPDATE transaction_ledger SET balance_after = 0 WHERE rowid = 7"),
        ("chain", "UPDATE transaction_ledger SET user_id = 4 WHERE rowid = 8"),
        ("zero_sum", "UPDATE transaction_ledger SET amount = amount - 1 WHERE rowid = 8"),
        ("zero_sum", "UPDATE transaction_ledger SET txn = 1 WHERE rowid = 8"),
        ("zero_sum", "UPDATE users SET balance = balance + 1 WHERE id = 2"),
        ("exposure", "UPDATE exposure SET payout_micros = 0 WHERE scope = 'total'"),
        ("exposure", "UPDATE exposure SET stake_micros = 0 WHERE scope = 'user'"),
        ("exposure", "UPDATE exposure SET bets = bets + 1 WHERE scope = 'cell'"),
        ("exposure", "DELETE FROM exposure WHERE scope = 'column'"),
        ("exposure", "INSERT INTO exposure VALUES ('cell', '1_2_3', 1, 1, 1)"),
        ("exposure", "UPDATE bets SET status = 'lost' WHERE status = 'confirmed'"),
        ("exposure", "UPDATE bets SET reward_bps = 1 WHERE status = 'confirmed'"),
        ("negative", "UPDATE users SET balance = -1 WHERE id = 4"),
        ("verdict", "DELETE FROM columns"),
        ("booking", "UPDATE bets SET payout_micros = payout_micros + 1 WHERE status = 'won'"),
        ("booking", "UPDATE bets SET stake_micros = stake_micros - 1 WHERE status = 'lost'"),
        ("booking", "DELETE FROM bets WHERE status = 'lost'"),
        ("cover", "UPDATE bets SET reward_bps = 100000000000 WHERE status = 'confirmed'"),
    ],
)
def test_every_kind_of_drift_is_found(used: Venue, what: str, tamper: str) -> None:
    seed(used, tamper)
    report = used.reader.integrity()
    assert not report.clean
    assert what in {drift.what for drift in report.drifts}


def test_a_drift_says_where_and_by_how_much(used: Venue) -> None:
    seed(used, f"UPDATE users SET balance = balance + 5 WHERE wallet_address = '{ALICE}'")
    balance = 99 * STAKE
    assert used.reader.integrity().drifts == (
        Drift(what="balance", where=ALICE, expected=balance, found=balance + 5),
        Drift(what="zero_sum", where="all accounts", expected=0, found=5),
    )


def test_a_bet_paid_twice_is_found_though_every_sum_is_right(used: Venue) -> None:
    won = "(SELECT min(id) FROM bets WHERE status = 'won')"
    winner = f"(SELECT user_id FROM bets WHERE id = {won})"
    row = """INSERT INTO transaction_ledger
        (id, txn, user_id, amount, balance_after, ref_type, ref_id, metadata, created_at_ms)
        SELECT 'again ' || id, 999, id, {amount}, balance + {amount}, 'PAYOUT', {ref}, '{{}}', 1
        FROM users WHERE id = {user}"""
    seed(
        used,
        row.format(amount=7, ref=won, user=winner),
        row.format(amount=-7, ref="'txn:999'", user="1"),
        f"UPDATE users SET balance = balance + 7 WHERE id = {winner}",
        "UPDATE users SET balance = balance - 7 WHERE id = 1",
    )
    (drift,) = used.reader.integrity().drifts
    assert (drift.what, drift.found - drift.expected) == ("booking", 7)


def test_the_exposure_says_which_total(used: Venue) -> None:
    seed(used, "UPDATE exposure SET payout_micros = 7 WHERE scope = 'total'")
    (drift,) = used.reader.integrity().drifts
    assert drift == Drift(what="exposure", where="total: payouts", expected=4 * STAKE, found=7)


def test_a_ruined_ledger_gives_a_short_report(venue: Venue) -> None:
    venue.apply(*(order(row) for row in range(100)), at_ms=LATER_MS)
    venue.fund(BOB, 100 * STAKE)
    venue.apply(*(order(row, wallet=BOB) for row in range(100)), at_ms=LATER_MS)
    seed(venue, "UPDATE transaction_ledger SET amount = amount - rowid")
    chains = [drift for drift in venue.reader.integrity().drifts if drift.what == "chain"]
    assert len(chains) == DRIFTS_PER_QUESTION_MAX


# --- over the end of a week ---------------------------------------------------------------------


@pytest.fixture
def weeks() -> Iterator[WeeklyVenue]:
    """A full first week, and a second one in which one of its bets has been paid."""
    with weekly_venue() as venue:
        fill(venue.ledger)
        venue.apply(Rotate(), at_ms=SUNDAY_MS)
        venue.apply(settle(won=[4], start_s=START_S + 60), at_ms=SUNDAY_MS + 1)
        venue.ledger.recover()
        yield venue


def altered(weeks: WeeklyVenue, name: str, *statements: str) -> sqlite3.Connection:
    """That file, altered as only somebody with the file can. The caller closes it."""
    connection = sqlite3.connect(weeks.money / name, isolation_level=None)
    for pragma in ("ignore_check_constraints = ON", "foreign_keys = OFF"):
        connection.execute(f"PRAGMA {pragma}")
    for trigger in ("ledger_is_never_changed", "ledger_is_never_shortened"):
        connection.execute(f"DROP TRIGGER {trigger}")
    for statement in statements:
        assert connection.execute(statement).rowcount > 0, statement
    return connection


def test_both_files_of_a_turn_are_clean_and_fit_together(weeks: WeeklyVenue) -> None:
    check_weeks(weeks.money)
    with closing(open_reader(weeks.money / SECOND)) as new:
        found = new.execute("SELECT id, status, carried_from FROM bets WHERE status = 'won'")
        assert found.fetchall() == [("past", "won", FIRST)], "paid here, its stake booked there"


@pytest.mark.parametrize(
    ("name", "what", "tamper"),
    [
        (FIRST, "carry", "UPDATE bets SET status = 'confirmed' WHERE id = 'ahead'"),
        (FIRST, "exposure", "UPDATE bets SET status = 'confirmed' WHERE id = 'ahead'"),
        (FIRST, "booking", "UPDATE bets SET carried_from = '2026-01-25.db' WHERE id = 'ahead'"),
        (FIRST, "booking", "DELETE FROM bets WHERE status = 'carried'"),
        (FIRST, "exposure", "UPDATE exposure SET bets = 1"),
        (SECOND, "carry", "UPDATE bets SET status = 'carried' WHERE id = 'ahead'"),
        (SECOND, "booking", "UPDATE bets SET carried_from = NULL WHERE id = 'ahead'"),
        (SECOND, "booking", "UPDATE bets SET payout_micros = 1 WHERE id = 'past'"),
        (SECOND, "booking", "DELETE FROM bets WHERE id = 'past'"),
        (SECOND, "carry", "UPDATE transaction_ledger SET ref_type = 'CARRY' WHERE user_id = 3"),
        (SECOND, "balance", "DELETE FROM transaction_ledger WHERE ref_type = 'CARRY'"),
    ],
)
def test_drift_of_carried_bets_and_balances_is_found(
    weeks: WeeklyVenue, name: str, what: str, tamper: str
) -> None:
    with closing(altered(weeks, name, tamper)) as connection:
        assert what in {drift.what for drift in check_all(connection).drifts}


@pytest.mark.parametrize(
    ("name", "where", "tamper"),
    [
        (FIRST, ALICE, "UPDATE users SET balance = balance + 1 WHERE id = 3"),
        (FIRST, "bet", "DELETE FROM bets WHERE id = 'past'"),
        (FIRST, "bet", "UPDATE bets SET stake_micros = stake_micros + 1 WHERE id = 'past'"),
        (FIRST, "bet", "UPDATE bets SET reward_bps = reward_bps * 2 WHERE id = 'ahead'"),
        (FIRST, "file: end", "UPDATE meta SET closed_at_ms = closed_at_ms + 1"),
        (FIRST, "file: end", "UPDATE meta SET closed_at_ms = NULL"),
        (FIRST, "file: deposits", "DELETE FROM deposits WHERE reference = 'bob'"),
        (SECOND, ALICE, "UPDATE transaction_ledger SET amount = amount + 1 WHERE user_id = 3"),
        (SECOND, ALICE, "DELETE FROM transaction_ledger WHERE user_id = 3"),
        (SECOND, "ledger", "DELETE FROM transaction_ledger WHERE user_id = 1"),
        (SECOND, "bet", "DELETE FROM bets WHERE id = 'past'"),
        (SECOND, "bet", "UPDATE bets SET rowid = 99 WHERE id = 'ahead'"),
        (SECOND, "bet", "UPDATE bets SET stake_micros = 1 WHERE id = 'ahead'"),
        (SECOND, "file: end", "UPDATE meta SET opened_at_ms = opened_at_ms + 1"),
        (SECOND, "file: deposits", "DELETE FROM deposits WHERE reference = 'alice'"),
    ],
)
def test_what_was_lost_or_made_between_two_files_is_found(
    weeks: WeeklyVenue, name: str, where: str, tamper: str
) -> None:
    other = SECOND if name == FIRST else FIRST
    with (
        closing(altered(weeks, name, tamper)) as one,
        closing(open_reader(weeks.money / other)) as two,
    ):
        drifts = check_pair(one, two) if name == FIRST else check_pair(two, one)
    assert {drift.what for drift in drifts} == {"carry"}
    assert any(drift.where.startswith(where) for drift in drifts)


def test_a_difference_between_two_files_says_what_it_is(weeks: WeeklyVenue) -> None:
    tamper = "UPDATE users SET balance = balance + 5 WHERE id = 3"
    with (
        closing(altered(weeks, FIRST, tamper)) as old,
        closing(open_reader(weeks.money / SECOND)) as new,
    ):
        (drift,) = check_pair(old, new)
    assert drift.where == f"{ALICE}: opening balance"
    assert drift.expected - drift.found == 5


def test_two_files_between_which_one_is_missing_do_not_fit(weeks: WeeklyVenue) -> None:
    weeks.rotate(2)
    weeks.apply(deposit(ALICE, STAKE), at_ms=in_week(2))
    weeks.rotate(3)
    names = files_of(weeks.money)
    with (
        closing(open_reader(weeks.money / names[0])) as old,
        closing(open_reader(weeks.money / names[3])) as new,
    ):
        wheres = {drift.where for drift in check_pair(old, new)}
    assert "ledger: number of the first row" in wheres
    assert f"{ALICE}: opening balance" in wheres
