"""`tapgrid verify`: recompute the outcome of settled bets from the ticks they were judged on."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final, TextIO

import attrs

from actors.commands.exits import OK, REFUSED, WRONG, CannotDo
from actors.commands.folder import archived_weeks, ledger_reader, missing_line
from actors.commands.progress import Progress
from db.sqlite_connection import DatabaseMissing
from db.sqlite_ledger_reader import EvidenceUnreadable, SqliteLedgerReader
from db.weekly_reader import WeeklyReader
from domain.units import BetId
from domain.verify import bet_faults
from protocols.accounts import SettledBet, claim_of

PAGE_BETS: Final = 500
UNREADABLE: Final = "the evidence is missing, or not what settlement writes"


@attrs.frozen(kw_only=True)
class Finding:
    """One bet looked at: right, or why not."""

    bet_id: BetId
    faults: tuple[str, ...] = ()


def verify_one(bet_id: BetId, *, data: Path, out: TextIO) -> int:
    """One bet by its id. A bet that is open has no outcome to recompute, which is not wrong."""
    with ledger_reader(data) as reader:
        bet = reader.bet(bet_id)
        if bet is None:
            raise CannotDo(f"there is no bet {bet_id}{_not_searched(reader)}", REFUSED)
        try:
            settled = reader.settled_bet(bet_id)
        except EvidenceUnreadable:
            finding = Finding(bet_id=bet_id, faults=(UNREADABLE,))
        else:
            if settled is None:
                out.write(f"{bet_id} is {bet.status}: nothing to verify\n")
                return OK
            finding = look_at(settled)
    out.write(f"{_line(finding)}\n" if finding.faults else f"{bet_id} is {bet.status}: right\n")
    return WRONG if finding.faults else OK


def verify_all(*, data: Path, out: TextIO, progress: TextIO) -> int:
    """Every settled bet of the files that are here, oldest first. Each bad bet is named on a line
    of its own, and so is each file that was not read to its end."""
    verified = bad = 0
    with ledger_reader(data) as reader, Progress("bets", total=None, stream=progress) as drawn:
        weeks, archived = reader.weeks(), archived_weeks(data)
        for week in reversed(weeks.newest_first):
            try:
                for page in _pages(weeks.here.get(week.name)):
                    wrong = [finding for finding in page if finding.faults]
                    out.writelines(f"{_line(finding)}\n" for finding in wrong)
                    verified += len(page)
                    bad += len(wrong)
                    drawn.step(len(page))
            except DatabaseMissing:
                out.write(f"{missing_line(week.name, archived)}\n")
            except sqlite3.DatabaseError as error:
                out.write(f"{week.name}: can't be read: {error}\n")
                bad += 1
    out.write(f"verified {verified:,} settled bets: {f'{bad:,} bad' if bad else 'all right'}\n")
    return WRONG if bad else OK


def look_at(settled: SettledBet) -> Finding:
    """Judge one bet anew."""
    bet = settled.bet
    return Finding(bet_id=bet.bet_id, faults=bet_faults(claim_of(bet), settled.evidence))


def _pages(path: Path | None) -> Iterator[list[Finding]]:
    """All settled bets of a file, a page at a time, those with unreadable evidence among them.

    Raises DatabaseMissing (db.sqlite_connection) if it is not here, sqlite3.Error if damaged.
    """
    if path is None:
        raise DatabaseMissing
    with closing(SqliteLedgerReader.open(path)) as file:
        after_rowid: int | None = 0
        while after_rowid is not None:
            page, after_rowid = _page(file, after_rowid)
            yield page


def _page(file: SqliteLedgerReader, after_rowid: int) -> tuple[list[Finding], int | None]:
    """One page, and the row that it ended at; None after the last one."""
    try:
        page = file.settled_bets(after_rowid=after_rowid, limit=PAGE_BETS)
    except EvidenceUnreadable as broken:
        unreadable = [Finding(bet_id=bet_id, faults=(UNREADABLE,)) for bet_id in broken.bet_ids]
        return [*unreadable, *(look_at(settled) for _, settled in broken.rest)], broken.last_rowid
    return [look_at(settled) for _, settled in page], page[-1][0] if page else None


def _not_searched(reader: WeeklyReader) -> str:
    archived = reader.archived()
    return f"; not searched, as they are in the archive: {', '.join(archived)}" if archived else ""


def _line(finding: Finding) -> str:
    return f"{finding.bet_id}: {'; '.join(finding.faults)}"
