"""The integrity check finds each way in which withdrawals, adjustments and columns given back can
disagree with the ledger. Somebody with the file has altered it."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from db.ledger_check import check_all, check_pair
from db.sqlite_connection import open_reader
from db.weekly_check import check_weeks as check_all_weeks
from domain.resolution import VoidReason
from protocols.account_commands import WithdrawalRequested, WithdrawBankroll
from protocols.accounts import Drift
from protocols.money import RebuildBalance, Rotate
from tests.db.test_ledger_check import altered, seed
from tests.support.ledgers import (
    ALICE,
    AT_MS,
    BOB,
    STAKE,
    START_S,
    Venue,
    adjust,
    decide,
    give_back,
    order,
    settle,
    void,
    withdraw,
)
from tests.support.weeks import AHEAD_S, FIRST, SECOND, SUNDAY_MS, WeeklyVenue, fill, weekly_venue

LATER_MS = AT_MS + 60_000
TAKE = WithdrawBankroll(
    amount_micros=STAKE, destination="the bank", reference="r", reason="", by="ann"
)


@pytest.fixture
def used(venue: Venue) -> Venue:
    """A withdrawal of each status and one of the bankroll, adjustments both ways, the note of a
    rebuilt balance, an open bet, and a column that was given back."""
    ids = [
        outcome.withdrawal.id
        for outcome in venue.apply(*(withdraw(n * STAKE) for n in (1, 2, 3)))
        if isinstance(outcome, WithdrawalRequested)
    ]
    venue.apply(decide(ids[1], paid=True), decide(ids[2], paid=False), TAKE)
    venue.apply(adjust(5 * STAKE, reference="up"), adjust(-STAKE, reference="down"))
    venue.apply(order(1), give_back(), void([1], reason=VoidReason.OPERATOR))
    venue.apply(order(1, start_s=START_S + 5), settle(won=[1], start_s=START_S + 5))
    venue.apply(order(1, start_s=START_S + 10), at_ms=LATER_MS)
    venue.ledger._connection.execute("UPDATE users SET balance = balance + 1 WHERE id = 3")
    venue.apply(RebuildBalance(wallet=ALICE, by="ann", why="drill"))
    return venue


def test_a_ledger_with_all_of_them_has_no_drift(used: Venue) -> None:
    assert used.reader.integrity().drifts == ()


@pytest.mark.parametrize(
    ("what", "where", "tamper"),
    [
        ("booking", "withdrawal", "UPDATE withdrawals SET amount_micros = 9 WHERE status = 'paid'"),
        ("booking", "withdrawal", "UPDATE withdrawals SET user_id = 4 WHERE status = 'pending'"),
        ("booking", "withdrawal", "UPDATE withdrawals SET status = 'paid'"
         " WHERE status = 'rejected'"),
        ("booking", "withdrawal", "UPDATE withdrawals SET status = 'rejected', decided_at_ms = 1,"
         " decided_by = 'eve' WHERE status = 'pending'"),
        ("booking", "withdrawal", "DELETE FROM withdrawals WHERE status = 'paid' AND user_id = 3"),
        ("booking", "withdrawal", "DELETE FROM withdrawals WHERE user_id = 1"),
        ("booking", "withdrawal", "INSERT INTO withdrawals SELECT 'w', user_id, 'n', amount_micros,"
         " destination, signed_at_s, signature, status, requested_at_ms, NULL, NULL, NULL, NULL"
         " FROM withdrawals WHERE status = 'pending'"),
        ("booking", "withdrawal", "UPDATE transaction_ledger SET user_id = 1"
         " WHERE ref_type = 'WITHDRAWAL' AND user_id = 2 AND rowid < 8"),
        ("booking", "withdrawal", "UPDATE transaction_ledger SET ref_type = 'DEPOSIT'"
         " WHERE ref_type = 'WITHDRAWAL' AND user_id = 3"),
        ("booking", "withdrawal", "UPDATE transaction_ledger SET ref_id = 'another'"
         " WHERE ref_type = 'WITHDRAWAL' AND user_id = 3"),
        ("booking", "adjustment", "UPDATE adjustments SET amount_micros = 9"
         " WHERE reference = 'up'"),
        ("booking", "adjustment", "UPDATE adjustments SET user_id = 4 WHERE reference = 'up'"),
        ("booking", "adjustment", "DELETE FROM adjustments WHERE reference = 'down'"),
        ("booking", "adjustment", "INSERT INTO adjustments"
         " VALUES ('more', 3, 5, NULL, 'eve', 'x', 9)"),
        ("booking", "adjustment", "UPDATE transaction_ledger SET user_id = 2"
         " WHERE ref_type = 'ADJUSTMENT' AND user_id = 1"),
        ("booking", "adjustment", "UPDATE transaction_ledger SET amount = 1"
         " WHERE ref_type = 'ADJUSTMENT' AND amount = 0"),
        ("verdict", "column", "DELETE FROM column_voids"),
        ("verdict", "column", "UPDATE columns SET void_reason = 'tick_gap'"
         " WHERE void_reason = 'operator'"),
        ("verdict", "column", "UPDATE columns SET void_reason = 'operator'"
         " WHERE void_reason IS NULL"),
        ("verdict", "column", f"INSERT INTO column_voids VALUES ({START_S + 5}, 'eve', 'x', 9)"),
        ("verdict", "bet", "INSERT INTO column_voids"
         f" VALUES ({START_S + 10}, 'eve', 'x', {AT_MS})"),
    ],
)  # fmt: skip
def test_every_kind_of_drift_is_found(used: Venue, what: str, where: str, tamper: str) -> None:
    seed(used, tamper)
    found = {(drift.what, drift.where.split()[0]) for drift in used.reader.integrity().drifts}
    assert (what, where) in found


def test_a_drift_says_which_row_is_missing(used: Venue) -> None:
    seed(used, "INSERT INTO adjustments VALUES ('more', 3, 5, NULL, 'eve', 'x', 9)")
    assert used.reader.integrity().drifts == (
        Drift(what="booking", where="adjustment more: rows of -5 on house", expected=1, found=0),
        Drift(what="booking", where=f"adjustment more: rows of 5 on {ALICE}", expected=1, found=0),
    )


def test_a_withdrawal_taken_twice_is_found_though_every_sum_is_right(used: Venue) -> None:
    sql = "SELECT id FROM withdrawals WHERE status = 'pending'"
    (pending,) = used.reader._connection.execute(sql).fetchone()
    row = """INSERT INTO transaction_ledger
        (id, txn, user_id, amount, balance_after, ref_type, ref_id, metadata, created_at_ms)
        SELECT 'again ' || id, 30, id, {amount}, balance + {amount}, 'WITHDRAWAL', '{ref}', '{{}}',
               1 FROM users WHERE id = {user}"""
    seed(
        used,
        row.format(amount=-STAKE, ref=pending, user=3),
        row.format(amount=STAKE, ref=pending, user=2),
        f"UPDATE users SET balance = balance - {STAKE} WHERE id = 3",
        f"UPDATE users SET balance = balance + {STAKE} WHERE id = 2",
    )
    drifts = used.reader.integrity().drifts
    assert {(drift.what, drift.expected, drift.found) for drift in drifts} == {("booking", 1, 2)}


@pytest.mark.parametrize("kind", ["WITHDRAWAL", "ADJUSTMENT"])
def test_what_left_the_house_too_little_is_found_though_it_has_enough_by_now(
    empty: Venue, kind: str
) -> None:
    """Two bets were open and owed six stakes; the house had seven of its own and two of theirs."""
    empty.fund("house", 7 * STAKE)
    empty.fund(ALICE, 5 * STAKE)
    empty.apply(order(1, bps=30_000), order(2, bps=30_000), at_ms=AT_MS)
    taken = TAKE if kind == "WITHDRAWAL" else adjust(STAKE)
    empty.one(taken, at_ms=AT_MS + 1)
    empty.one(settle(lost=[1, 2]), at_ms=LATER_MS)
    assert empty.reader.integrity().drifts == ()
    seed(empty, "UPDATE bets SET reward_bps = 60000")
    (drift,) = empty.reader.integrity().drifts
    assert (drift.what, drift.expected, drift.found) == ("cover", 12 * STAKE, 8 * STAKE)
    assert drift.where.startswith("house after row")


# --- over the end of a week ---------------------------------------------------------------------


@pytest.fixture
def weeks() -> Iterator[WeeklyVenue]:
    """A full first week, and a second one in which what waited has been decided."""
    with weekly_venue() as venue:
        fill(venue.ledger)
        waiting = [one.id for one in venue.reader.withdrawals() if one.decided_at_ms is None]
        venue.apply(Rotate(), at_ms=SUNDAY_MS)
        venue.apply(*(decide(one, paid=False) for one in waiting), at_ms=SUNDAY_MS + 1)
        venue.apply(withdraw(2), adjust(3, wallet=BOB), at_ms=SUNDAY_MS + 2)
        venue.ledger.recover()
        yield venue


def test_what_was_carried_has_its_rows_in_the_file_before(weeks: WeeklyVenue) -> None:
    for name in (FIRST, SECOND):
        with closing(open_reader(weeks.money / name)) as file:
            assert check_all(file).drifts == ()
    for checked in check_all_weeks(weeks.reader.weeks()):
        assert checked.report is not None
        assert checked.report.clean


@pytest.mark.parametrize(
    ("name", "what", "tamper"),
    [
        (FIRST, "withdrawals", "DELETE FROM withdrawals WHERE status = 'paid' AND user_id = 3"),
        (FIRST, "money withdrawn", "UPDATE withdrawals SET amount_micros = 9 WHERE user_id = 1"),
        (FIRST, "money adjusted", "UPDATE adjustments SET amount_micros = 9"
         " WHERE amount_micros = 1"),
        (FIRST, "columns given back", f"DELETE FROM column_voids WHERE start_s = {AHEAD_S + 15}"),
        (SECOND, "withdrawals", "DELETE FROM withdrawals WHERE status = 'paid' AND user_id = 3"),
        (SECOND, "money withdrawn", "UPDATE withdrawals SET amount_micros = 9 WHERE user_id = 1"),
        (SECOND, "withdrawals decided", "UPDATE withdrawals SET decided_at_ms = NULL"
         " WHERE user_id = 1"),
        (SECOND, "adjustments", "DELETE FROM adjustments WHERE reference = 'case-1'"),
        (SECOND, "money adjusted", "UPDATE adjustments SET amount_micros = 9"
         " WHERE amount_micros = 1"),
        (SECOND, "columns given back", "DELETE FROM column_voids"),
    ],
)  # fmt: skip
def test_what_was_lost_or_made_between_two_files_is_found(
    weeks: WeeklyVenue, name: str, what: str, tamper: str
) -> None:
    other = SECOND if name == FIRST else FIRST
    with (
        closing(altered(weeks, name, tamper)) as one,
        closing(open_reader(weeks.money / other)) as two,
    ):
        drifts = check_pair(one, two) if name == FIRST else check_pair(two, one)
    assert any(drift.where.endswith(f": {what} before") for drift in drifts), drifts


def test_a_withdrawal_that_was_given_back_in_both_weeks_is_found(weeks: WeeklyVenue) -> None:
    """The old file has its second pair of rows, too."""
    tamper = "UPDATE withdrawals SET decided_at_ms = requested_at_ms WHERE status = 'rejected'"
    with closing(altered(weeks, SECOND, tamper)) as file:
        assert "booking" in {drift.what for drift in check_all(file).drifts}
