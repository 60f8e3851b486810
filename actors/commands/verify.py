"""`tapgrid verify`: recompute the outcome of settled bets from the ticks they were judged on."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, TextIO

import attrs

from actors.commands.exits import OK, REFUSED, WRONG, CannotDo
from actors.commands.folder import ledger_reader
from actors.commands.progress import Progress
from db.sqlite_ledger_reader import EvidenceUnreadable, SqliteLedgerReader
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
            raise CannotDo(f"there is no bet {bet_id}", REFUSED)
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
    """Every settled bet. Each bad one is named on a line of its own."""
    verified = bad = 0
    with ledger_reader(data) as reader, Progress("bets", total=None, stream=progress) as drawn:
        for page in _pages(reader):
            wrong = [finding for finding in page if finding.faults]
            out.writelines(f"{_line(finding)}\n" for finding in wrong)
            verified += len(page)
            bad += len(wrong)
            drawn.step(len(page))
    out.write(f"verified {verified:,} settled bets: {f'{bad:,} bad' if bad else 'all right'}\n")
    return WRONG if bad else OK


def look_at(settled: SettledBet) -> Finding:
    """Judge one bet anew."""
    bet = settled.bet
    return Finding(bet_id=bet.bet_id, faults=bet_faults(claim_of(bet), settled.evidence))


def _pages(reader: SqliteLedgerReader) -> Iterator[list[Finding]]:
    """All settled bets, a page at a time, those with unreadable evidence among them."""
    after_rowid = 0
    while True:
        unreadable: list[Finding] = []
        try:
            page = reader.settled_bets(after_rowid=after_rowid, limit=PAGE_BETS)
            last_rowid = page[-1][0] if page else None
        except EvidenceUnreadable as broken:
            page, last_rowid = broken.rest, broken.last_rowid
            unreadable = [Finding(bet_id=bet_id, faults=(UNREADABLE,)) for bet_id in broken.bet_ids]
        if last_rowid is None:
            return
        yield [*unreadable, *(look_at(settled) for _, settled in page)]
        after_rowid = last_rowid


def _line(finding: Finding) -> str:
    return f"{finding.bet_id}: {'; '.join(finding.faults)}"
