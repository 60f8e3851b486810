"""Does the money add up over the weeks? Each file by itself, each with the one before, and all.

`db.ledger_check` has the questions; here stands which files they are asked of. A venue may go on
meanwhile and begin a new week: each file is looked at as of one moment.
"""

import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import attrs

from db.ledger_check import DRIFTS_PER_QUESTION_MAX, check_all, check_pair
from db.sqlite_connection import DatabaseMissing, open_reader, snapshot
from db.weeks import Week, WeeksHere
from protocols.accounts import Drift, IntegrityReport

_BOOKED: Final = """
    SELECT u.wallet_address, sum(l.amount) FROM transaction_ledger AS l
    JOIN users AS u ON u.id = l.user_id WHERE l.ref_type <> 'CARRY' GROUP BY l.user_id
"""


@attrs.frozen(kw_only=True)
class WeekChecked:
    """What was found in one week's file, and between it and the one before."""

    name: str
    report: IntegrityReport | None = None
    """None if it was not checked."""
    unreadable: str = ""
    """Why it was not; empty also where the file is in the archive only."""


def check_weeks(weeks: WeeksHere) -> Iterator[WeekChecked]:
    """Each week when it has been checked, the oldest first; seconds per million bets.

    Where all files could be read, the last one's balances are held against all that was ever
    booked. Raises sqlite3.Error if the current file can't be read.
    """
    booked: Counter[str] | None = Counter()
    before: Path | None = None
    for week in reversed(weeks.newest_first):
        checked = _checked(weeks, week, before, booked)
        yield checked
        before = weeks.here[week.name] if checked.report is not None else None
        booked = booked if checked.report is not None else None


def _checked(
    weeks: WeeksHere, week: Week, before: Path | None, booked: Counter[str] | None
) -> WeekChecked:
    path = weeks.here.get(week.name)
    if path is None:
        return WeekChecked(name=week.name)
    try:
        with closing(open_reader(path)) as file, snapshot(file):
            report = check_all(file)
            drifts = [*report.drifts, *(_pair_drifts(before, file) if before else ())]
            if booked is not None:
                booked.update(dict(file.execute(_BOOKED)))
                drifts += _sum_drifts(file, booked) if week is weeks.current else ()
    except DatabaseMissing:
        return WeekChecked(name=week.name)  # purged since the folder was listed
    except sqlite3.DatabaseError as error:
        if week is weeks.current:
            raise
        return WeekChecked(name=week.name, unreadable=str(error))
    return WeekChecked(name=week.name, report=attrs.evolve(report, drifts=tuple(drifts)))


def _pair_drifts(before: Path, file: sqlite3.Connection) -> tuple[Drift, ...]:
    try:
        with closing(open_reader(before)) as old, snapshot(old):
            (closed_at_ms,) = old.execute("SELECT closed_at_ms FROM meta").fetchone()
            # The end of a file is written after the next one was made current: moments later, or
            # when the venue starts again.
            return check_pair(old, file) if closed_at_ms is not None else ()
    except DatabaseMissing:
        return ()


def _sum_drifts(file: sqlite3.Connection, booked: Counter[str]) -> list[Drift]:
    balances = dict(file.execute("SELECT wallet_address, balance FROM users"))
    drifts = [
        Drift(
            what="balance",
            where=f"{wallet}, all weeks",
            expected=booked[wallet],
            found=balances.get(wallet, 0),
        )
        for wallet in sorted(balances.keys() | booked.keys())
        if booked[wallet] != balances.get(wallet, 0)
    ]
    return drifts[:DRIFTS_PER_QUESTION_MAX]
