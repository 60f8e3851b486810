"""The integrity check finds each way in which withdrawals, adjustments and columns given back can
disagree with the ledger. Somebody with the file has altered it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from db.ledger_check import check_all, check_pair
from db.sqlite_connection import Memory, open_reader
from db.weekly_check import check_weeks
from domain.resolution import VoidReason
from protocols.account_commands import WithdrawalRequested, WithdrawBankroll
from protocols.accounts import Drift
from protocols.money import RebuildBalance, Rotate
from tests.support.ledgers import (
    ALICE,
    AT_MS,
    BANKROLL,
    BOB,
    STAKE,
    START_S,
    Venue,
    adjust,
    decide,
    give_back,
    open_venue,
    order,
    settle,
    void,
    withdraw,
)
from tests.support.weeks import AHEAD_S, FIRST, SECOND, SUNDAY_MS, fill, weekly_venue

LATER_MS = AT_MS + 60_000
TAKE = WithdrawBankroll(
    amount_micros=STAKE, destination="the bank", reference="r", reason="", by="ann"
)


def damaged(content: bytes, *statements: str) -> sqlite3.Connection:
    """A copy of that file, altered past triggers and checks. The caller closes it."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.deserialize(content)
    connection.execute("PRAGMA ignore_check_constraints = ON")
    for trigger in ("ledger_is_never_changed", "ledger_is_never_shortened"):
        connection.execute(f"DROP TRIGGER {trigger}")
    for statement in statements:
        assert connection.execute(statement).rowcount > 0, statement
    return connection


def drifts_of(content: bytes, *statements: str) -> tuple[Drift, ...]:
    with closing(damaged(content, *statements)) as file:
        return check_all(file).drifts


@pytest.fixture(scope="module")
def used() -> Iterator[bytes]:
    """A withdrawal of each status and one of the bankroll, adjustments both ways, the note of a
    rebuilt balance, an open bet, and a column that was given back."""
    with closing(open_venue(Memory("transfers"))) as venue:
        venue.fund("house", BANKROLL)
        venue.fund(ALICE, 100 * STAKE)
        use(venue)
        yield venue.ledger._connection.serialize()


def use(venue: Venue) -> None:
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


def test_a_ledger_with_all_of_them_has_no_drift(used: bytes) -> None:
    assert drifts_of(used) == ()


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
        ("booking", "withdrawal", "UPDATE withdrawals SET destination = '0xeve'"
         " WHERE status = 'pending'"),
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
def test_every_kind_of_drift_is_found(used: bytes, what: str, where: str, tamper: str) -> None:
    found = {(drift.what, drift.where.split()[0]) for drift in drifts_of(used, tamper)}
    assert (what, where) in found


def test_a_drift_says_which_row_is_missing(used: bytes) -> None:
    tamper = "INSERT INTO adjustments VALUES ('more', 3, 5, NULL, 'eve', 'x', 9)"
    assert drifts_of(used, tamper) == (
        Drift(what="booking", where="adjustment more: rows of -5 on house", expected=1, found=0),
        Drift(what="booking", where=f"adjustment more: rows of 5 on {ALICE}", expected=1, found=0),
    )


def test_a_withdrawal_taken_twice_is_found_though_every_sum_is_right(used: bytes) -> None:
    row = """INSERT INTO transaction_ledger
        (id, txn, user_id, amount, balance_after, ref_type, ref_id, created_at_ms)
        SELECT 'again ' || u.id, 99, u.id, {amount}, balance + {amount}, 'WITHDRAWAL', w.id, 1
        FROM users AS u, withdrawals AS w WHERE u.id = {user} AND w.status = 'pending'"""
    drifts = drifts_of(
        used,
        row.format(amount=-STAKE, user=3),
        row.format(amount=STAKE, user=2),
        f"UPDATE users SET balance = balance - {STAKE} WHERE id = 3",
        f"UPDATE users SET balance = balance + {STAKE} WHERE id = 2",
    )
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
    content = empty.ledger._connection.serialize()
    assert drifts_of(content) == ()
    (drift,) = drifts_of(content, "UPDATE bets SET reward_bps = 60000")
    assert (drift.what, drift.expected, drift.found) == ("cover", 12 * STAKE, 8 * STAKE)
    assert drift.where.startswith("house after row")


# --- over the end of a week ---------------------------------------------------------------------


Files = dict[str, bytes]


@pytest.fixture(scope="module")
def weeks() -> Files:
    """A full first week, and a second one in which what waited has been decided."""
    with weekly_venue() as venue:
        fill(venue.ledger)
        waiting = [one.id for one in venue.reader.withdrawals() if one.decided_at_ms is None]
        venue.apply(Rotate(), at_ms=SUNDAY_MS)
        venue.apply(*(decide(one, paid=False) for one in waiting), at_ms=SUNDAY_MS + 1)
        venue.apply(withdraw(2), adjust(3, wallet=BOB), at_ms=SUNDAY_MS + 2)
        venue.ledger.recover()
        for checked in check_weeks(venue.reader.weeks()):
            assert checked.report is not None
            assert checked.report.clean
        return {name: content_of(venue.money / name) for name in (FIRST, SECOND)}


def content_of(path: Path) -> bytes:
    with closing(open_reader(path)) as file:
        content = file.serialize()
    # Bytes 18 and 19 say whether there is a log beside the file, which memory can't have.
    return content[:18] + b"\x01\x01" + content[20:]


def test_what_was_carried_has_its_rows_in_the_file_before(weeks: Files) -> None:
    assert drifts_of(weeks[FIRST]) == drifts_of(weeks[SECOND]) == ()
    with closing(damaged(weeks[FIRST])) as old, closing(damaged(weeks[SECOND])) as new:
        assert check_pair(old, new) == ()


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
    weeks: Files, name: str, what: str, tamper: str
) -> None:
    with (
        closing(damaged(weeks[FIRST], *([tamper] if name == FIRST else []))) as old,
        closing(damaged(weeks[SECOND], *([tamper] if name == SECOND else []))) as new,
    ):
        drifts = check_pair(old, new)
    assert any(drift.where.endswith(f": {what} before") for drift in drifts), drifts


@pytest.mark.parametrize("name", [FIRST, SECOND])
def test_a_pending_withdrawal_that_went_on_to_another_destination_is_found(
    weeks: Files, name: str
) -> None:
    """Its row in the ledger, which says where to, is in the file before."""
    with closing(damaged(weeks[FIRST])) as before:
        sql = "SELECT id, destination FROM withdrawals WHERE status = 'pending'"
        ((pending, destination),) = before.execute(sql).fetchall()
    tamper = f"UPDATE withdrawals SET destination = '0xeve' WHERE id = '{pending}'"
    with (
        closing(damaged(weeks[FIRST], *([tamper] if name == FIRST else []))) as old,
        closing(damaged(weeks[SECOND], *([tamper] if name == SECOND else []))) as new,
    ):
        wheres = {drift.where for drift in check_pair(old, new)}
    what = "withdrawal that was pending"
    assert wheres == {f"{pending} to {to}: {what}" for to in (destination, "0xeve")}


def test_a_withdrawal_that_came_back_in_the_file_before_has_no_rows_here(weeks: Files) -> None:
    """The old file has them; were they here as well, it would have come back twice."""
    tamper = "UPDATE withdrawals SET decided_at_ms = requested_at_ms WHERE status = 'rejected'"
    assert "booking" in {drift.what for drift in drifts_of(weeks[SECOND], tamper)}
