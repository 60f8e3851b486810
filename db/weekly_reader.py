"""The read side of the money over all weeks: the current file, and the earlier ones that are here.

Which file is current is looked up at every call (microseconds), and again when the call is done: if
a new week began meanwhile, in whatever process, the call is made anew. So an answer is always one
of a time in which one file was current.

A bet is listed once, in the oldest file here that has it, as the newest file has it. Where the
newest one is in the archive only, the bet counts as archived.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final, TypeAlias, TypeVar

import attrs

from db.partition import MANIFEST, current_file
from db.sqlite_connection import DatabaseMissing, is_statement_fault, open_reader
from db.sqlite_ledger_reader import BetRow, SqliteLedgerReader
from db.weeks import Week, WeeksHere, weeks_known_to
from domain.units import BetId, EpochMs
from protocols.account_commands import Withdrawal, WithdrawalStatus
from protocols.accounts import (
    Account,
    Audit,
    Bet,
    HousePosition,
    IntegrityReport,
    LedgerRow,
    OpenColumn,
    OperatorState,
    SessionKey,
    SettledBet,
    WalletBalance,
)
from protocols.money import BetStatus
from protocols.ports import LedgerUnreadable

T = TypeVar("T")

RESTORED: Final = "restored"
"""The folder in `money/` with the weeks that were brought back from the archive for reading."""
FILES_KEPT_MAX: Final = 4
"""Closed files that stay open between calls: a connection costs a third of a millisecond to make,
and up to 16 MiB of cache to keep."""
TRIES_MAX: Final = 5
"""How often a call is made until no week began and no file was purged under it: both are rare."""

_Stamp: TypeAlias = tuple[int, int, int] | None


class ReadFailed(LedgerUnreadable):
    """A file is there and can't be read: it is damaged, or the disk or the machine refuses."""


@attrs.frozen
class _BetsAsked:
    """Which bets of one wallet."""

    wallet: str
    statuses: tuple[BetStatus, ...]
    from_ms: EpochMs | None
    to_ms: EpochMs | None
    limit: int

    def until_ms(self, before: tuple[EpochMs, BetId] | None) -> EpochMs | None:
        """The first millisecond after all that is asked for."""
        ends = [self.to_ms, before[0] + 1 if before is not None else None]
        return min((end for end in ends if end is not None), default=None)

    def rows(
        self, file: SqliteLedgerReader, before: tuple[EpochMs, BetId] | None
    ) -> Sequence[BetRow]:
        """Those of one file, and what goes on in the next, up to `limit`."""
        return file.bet_rows(
            self.wallet,
            statuses=self.statuses,
            from_ms=self.from_ms,
            to_ms=self.to_ms,
            before=before,
            limit=self.limit,
        )


class WeeklyReader:
    """Implements `protocols.ports.LedgerReader` on a money folder.

    One call at a time, from any thread. Closed files are opened when they are asked for.
    """

    def __init__(self, money: Path) -> None:
        """Raises ManifestBroken (db.partition), or DatabaseMissing (db.sqlite_connection) where no
        money was ever kept. So does any call, if that becomes of the folder."""
        self._money = money
        self._manifest = str(money / MANIFEST)
        self._kept: dict[Path, SqliteLedgerReader] = {}  # closed files; last used, last in line
        self._unfinished: set[Path] = set()  # those whose closing was not finished when opened
        self._went_on_ms: dict[str, EpochMs | None] = {}
        self._seen = self._stamp()
        self._current, self._newest_first = self._open_current()

    def close(self) -> None:
        """Let go of all files."""
        self._current.close()
        self._keep_only(set())

    # What the current file knows

    def account(self, wallet: str) -> Account | None:
        """The account of a wallet, or None."""
        return self._of_current(lambda file: file.account(wallet))

    def wallet_of(self, user_id: int) -> str | None:
        """The wallet of an account's number; `house` and `external` are accounts, too."""
        return self._of_current(lambda file: file.wallet_of(user_id))

    def session_key(self, key_id: str) -> SessionKey | None:
        """A session key by its id, whatever has become of it: all are carried over."""
        return self._of_current(lambda file: file.session_key(key_id))

    def session_keys(self, wallet: str, *, limit: int = 100) -> Sequence[SessionKey]:
        """A wallet's keys, newest first."""
        return self._of_current(lambda file: file.session_keys(wallet, limit=limit))

    def withdrawal(self, withdrawal_id: str) -> Withdrawal | None:
        """A withdrawal by its id, whenever it was: all are carried over."""
        return self._of_current(lambda file: file.withdrawal(withdrawal_id))

    def withdrawals(
        self,
        *,
        wallet: str | None = None,
        status: WithdrawalStatus | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> Sequence[Withdrawal]:
        """Newest first, by id; of one wallet or all. `before` is the last id of the page before."""
        return self._of_current(
            lambda file: file.withdrawals(wallet=wallet, status=status, before=before, limit=limit)
        )

    def open_columns(self, *, before_s: int) -> Sequence[OpenColumn]:
        """Columns with open bets whose window starts before `before_s`, or that an operator has
        ordered to be given back; oldest first."""
        return self._of_current(lambda file: file.open_columns(before_s=before_s))

    def operator_state(self) -> OperatorState:
        """The hold and the breaker override as stored."""
        return self._of_current(lambda file: file.operator_state())

    def house(self) -> HousePosition:
        """The bankroll, and what all open bets would cost if each were won."""
        return self._of_current(lambda file: file.house())

    def integrity(self) -> IntegrityReport:
        """The full check of the current file."""
        return self._of_current(lambda file: file.integrity())

    def audit(self) -> Audit:
        """The check of what was written to it since the last verified row."""
        return self._of_current(lambda file: file.audit())

    def balances(self, *, after_user_id: int = 0, limit: int = 1_000) -> Sequence[WalletBalance]:
        """Balances of traders in order of their user id."""
        return self._of_current(
            lambda file: file.balances(after_user_id=after_user_id, limit=limit)
        )

    def settled_bets(
        self, *, after_rowid: int = 0, limit: int = 500
    ) -> Sequence[tuple[int, SettledBet]]:
        """Those of the current file; each of the others in `files` has its own."""
        return self._of_current(
            lambda file: file.settled_bets(after_rowid=after_rowid, limit=limit)
        )

    # What all files know

    def bet(self, bet_id: BetId) -> Bet | None:
        """A bet by its id."""
        return self._of_all(lambda weeks: self._newest(weeks, lambda file: file.bet_row(bet_id)))

    def bet_by_nonce(self, wallet: str, nonce: str) -> Bet | None:
        """The newest bet that used up a nonce."""
        return self._of_all(
            lambda weeks: self._newest(weeks, lambda file: file.bet_row_by_nonce(wallet, nonce))
        )

    def settled_bet(self, bet_id: BetId) -> SettledBet | None:
        """A bet that has a verdict, with its evidence.

        Raises EvidenceUnreadable (db.sqlite_ledger_reader).
        """
        return self._of_all(lambda weeks: self._settled(weeks, bet_id))

    def bets(
        self,
        wallet: str,
        *,
        statuses: Sequence[BetStatus] = (),
        from_ms: EpochMs | None = None,
        to_ms: EpochMs | None = None,
        before: tuple[EpochMs, BetId] | None = None,
        limit: int = 50,
    ) -> Sequence[Bet]:
        """A wallet's bets placed in `[from_ms, to_ms)`, newest first by (placed_at_ms, id).

        No more files are opened than the page needs.
        """
        if set(statuses) == {BetStatus.CONFIRMED}:
            # Whenever it was placed: what is open is in the current file.
            return self._of_current(
                lambda file: file.bets(
                    wallet,
                    statuses=statuses,
                    from_ms=from_ms,
                    to_ms=to_ms,
                    before=before,
                    limit=limit,
                )
            )
        asked = _BetsAsked(wallet, tuple(statuses), from_ms, to_ms, limit)
        return self._of_all(lambda weeks: list(islice(self._listed(weeks, asked, before), limit)))

    def statement(
        self, wallet: str, *, before: int | None = None, limit: int = 50
    ) -> Sequence[tuple[int, LedgerRow]]:
        """A wallet's ledger rows with their rowids, newest first; `before` excludes itself.

        What a file began with is shown where the file before it is not here.
        """
        return self._of_all(
            lambda weeks: list(islice(self._entries(weeks, wallet, before, limit), limit))
        )

    def archived(
        self, *, from_ms: EpochMs | None = None, to_ms: EpochMs | None = None
    ) -> Sequence[str]:
        """The files that hold some of `[from_ms, to_ms)` and are not here, oldest first.

        A bet that was open when its week ended has gone on in the next week's file.
        """
        if from_ms is not None and to_ms is not None and from_ms >= to_ms:
            return ()
        return self._of_all(lambda weeks: list(self._archived(weeks, from_ms, to_ms)))

    def weeks(self) -> WeeksHere:
        """All weeks there are, and where the files are of those that can be read."""
        return self._of_all(lambda weeks: weeks)

    # Rows of many files

    def _newest(
        self, weeks: WeeksHere, find: Callable[[SqliteLedgerReader], BetRow | None]
    ) -> Bet | None:
        found = self._newest_row(weeks, find)
        return found[1].bet if found is not None else None

    def _newest_row(
        self, weeks: WeeksHere, find: Callable[[SqliteLedgerReader], BetRow | None]
    ) -> tuple[Week, BetRow] | None:
        """The week that has the bet at last, and its row there; None if that is not here."""
        for week in weeks.readable():
            row = find(self._file(weeks, week))
            if row is not None:
                return None if _goes_on(weeks, week, row) else (week, row)
        return None

    def _settled(self, weeks: WeeksHere, bet_id: BetId) -> SettledBet | None:
        found = self._newest_row(weeks, lambda file: file.bet_row(bet_id))
        return self._file(weeks, found[0]).settled_bet(bet_id) if found is not None else None

    def _listed(
        self, weeks: WeeksHere, asked: _BetsAsked, before: tuple[EpochMs, BetId] | None
    ) -> Iterator[Bet]:
        """All bets that are asked for, newest first; a file is read when its turn comes."""
        for week in weeks.listing(asked.from_ms, asked.until_ms(before)):
            last, more = before, True
            while more:
                rows = asked.rows(self._file(weeks, week), last)
                for row in rows:
                    bet = self._as_listed(weeks, week, row)
                    if bet is not None and (not asked.statuses or bet.status in asked.statuses):
                        yield bet
                more = len(rows) == asked.limit
                last = (rows[-1].bet.placed_at_ms, rows[-1].bet.bet_id) if rows else last

    def _as_listed(self, weeks: WeeksHere, week: Week, row: BetRow) -> Bet | None:
        """The bet as it stands now; None where it is not this file's to list, or is archived."""
        if row.carried_from is not None and weeks.has_from(row.carried_from, week):
            return None
        if not _goes_on(weeks, week, row):
            return row.bet
        for newer in weeks.after(week):
            found = self._file(weeks, newer).bet_row(row.bet.bet_id)
            if found is not None and not _goes_on(weeks, newer, found):
                return found.bet
        return None

    def _entries(
        self, weeks: WeeksHere, wallet: str, before: int | None, limit: int
    ) -> Iterator[tuple[int, LedgerRow]]:
        for week in weeks.readable():
            if before is None or before > week.after_rowid + 1:
                yield from self._file(weeks, week).statement(
                    wallet, before=before, limit=limit, opening=not weeks.follows_readable(week)
                )

    def _archived(
        self, weeks: WeeksHere, from_ms: EpochMs | None, to_ms: EpochMs | None
    ) -> Iterator[str]:
        for week in weeks.missing():
            if (from_ms is None or not week.ends_by(from_ms)) and (
                to_ms is None or self._reaches_back_ms(weeks, week) < to_ms
            ):
                yield week.name

    def _reaches_back_ms(self, weeks: WeeksHere, week: Week) -> EpochMs:
        """When the oldest of the bets was placed that only this file can tell the end of."""
        before = weeks.before(week)
        if before is None or before.name not in weeks.here:
            return week.opened_at_ms
        if before.name not in self._went_on_ms:
            self._went_on_ms[before.name] = self._file(weeks, before).first_carried_ms()
        went_on_ms = self._went_on_ms[before.name]
        return week.opened_at_ms if went_on_ms is None else min(went_on_ms, week.opened_at_ms)

    # Which files there are

    def _of_current(self, look: Callable[[SqliteLedgerReader], T]) -> T:
        return self._steadily(lambda: look(self._current))

    def _of_all(self, look: Callable[[WeeksHere], T]) -> T:
        return self._steadily(lambda: look(self._weeks()))

    def _steadily(self, look: Callable[[], T]) -> T:
        """What `look` finds while one file is the current one. Raises LedgerUnreadable."""
        try:
            return self._found(look)
        except (sqlite3.DatabaseError, OSError) as error:
            if isinstance(error, sqlite3.Error) and is_statement_fault(error):
                raise  # the code's own fault
            raise ReadFailed(str(error)) from error

    def _found(self, look: Callable[[], T]) -> T:
        for _ in range(TRIES_MAX):
            stamp = self._stamp()
            if stamp != self._seen:
                self._turn_to(stamp)
            try:
                found = look()
            except DatabaseMissing:
                continue  # purged since the folder was listed: it will not be listed again
            finally:
                self._let_go()
            if self._stamp() == self._seen:
                return found
        raise DatabaseMissing(f"the files in {self._money} change faster than they can be read")

    def _stamp(self) -> _Stamp:
        """Another one whenever the manifest was replaced."""
        try:
            found = os.stat(self._manifest)
        except FileNotFoundError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size

    def _turn_to(self, stamp: _Stamp) -> None:
        opened = self._open_current()
        # A connection to a file of the write-ahead log keeps its writer from closing it for good.
        self._current.close()
        self._seen = stamp
        self._current, self._newest_first = opened

    def _open_current(self) -> tuple[SqliteLedgerReader, tuple[Week, ...]]:
        path = current_file(self._money)
        if path is None:
            raise DatabaseMissing(f"{self._money} holds no ledger")
        connection = open_reader(path)
        return SqliteLedgerReader(connection), weeks_known_to(connection, path.name)

    def _weeks(self) -> WeeksHere:
        """As the folders stand now."""
        names = {week.name for week in self._newest_first}
        restored = self._money / RESTORED
        here = {name: restored / name for name in _names_in(restored) & names}
        here |= {name: self._money / name for name in _names_in(self._money) & names}
        self._keep_only({path for path in self._kept if path in here.values()})
        return WeeksHere(newest_first=self._newest_first, here=here)

    def _file(self, weeks: WeeksHere, week: Week) -> SqliteLedgerReader:
        """That week's file, for this one use. Raises DatabaseMissing if it has just gone."""
        if week is weeks.current:
            return self._current
        path = weeks.here[week.name]
        file = self._kept.pop(path, None) or self._open_closed(path)
        self._kept[path] = file
        if len(self._kept) > FILES_KEPT_MAX:
            self._kept.pop(next(iter(self._kept))).close()
        return file

    def _open_closed(self, path: Path) -> SqliteLedgerReader:
        try:
            file = SqliteLedgerReader.open(path)
        except sqlite3.OperationalError as error:
            if path.is_file():
                raise
            raise DatabaseMissing(str(path)) from error
        if file.has_log():
            self._unfinished.add(path)
        return file

    def _let_go(self) -> None:
        """Of files that the writer has still to close."""
        if self._unfinished:
            self._keep_only(self._kept.keys() - self._unfinished)
            self._unfinished.clear()

    def _keep_only(self, paths: set[Path]) -> None:
        for path in self._kept.keys() - paths:
            self._kept.pop(path).close()


def _goes_on(weeks: WeeksHere, week: Week, row: BetRow) -> bool:
    # A file that has just been closed says `confirmed` until its end is written.
    return row.carried or (week is not weeks.current and row.bet.status is BetStatus.CONFIRMED)


def _names_in(folder: Path) -> set[str]:
    try:
        return set(os.listdir(folder))
    except FileNotFoundError:
        return set()
