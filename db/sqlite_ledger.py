"""The write side of the money ledger, on SQLite: the one connection that changes money.

The Batcher owns it. Each `apply` is one transaction, on disk when it returns. Decided elsewhere:
in which order a bet is refused (`intake.sql`), how a column is paid (`settlement.py`), whether the
money adds up (`ledger_check.py`), and the PRAGMAs (`sqlite_connection.py`).
"""

import sqlite3
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Final, Self, TypeGuard

from db import key_commands, ledger_commands, limit_commands, operator_commands, withdrawals
from db.intake import install_intake, place
from db.ledger_check import check_since
from db.migrate import migrate
from db.partition import ManifestBroken, closed_at_ms
from db.settlement import CommandFault, install_settlement, settle
from db.sqlite_connection import (
    Database,
    close_writer,
    is_disk_full,
    is_statement_fault,
    open_writer,
    savepoint,
    snapshot,
    transaction,
)
from db.ulid import UlidMaker
from domain.caps import HouseCaps
from domain.refusals import Code, Refusal
from domain.units import EpochMs
from protocols.account_commands import (
    AccountCommand,
    Adjust,
    DecideWithdrawal,
    RequestWithdrawal,
    RevokeKeys,
    SetFrozen,
    SetLimits,
    VoidColumn,
    WithdrawBankroll,
)
from protocols.accounts import Drift
from protocols.money import (
    BetOrder,
    BetOutcome,
    BetRefused,
    CommandFailed,
    Deposit,
    DriftReported,
    KeepOverride,
    LedgerCommand,
    MarkVerified,
    MoneyOutcome,
    OpenAccount,
    RebuildBalance,
    ReportDrift,
    ReserveQuoteNumbers,
    Rotate,
    Rotated,
    SetHold,
    SettleColumn,
)
from protocols.ports import Chance, Recovered

_COMMAND_FAULTS: Final = (
    CommandFault,
    sqlite3.Error,
    OverflowError,  # a number beyond 64 bits
    UnicodeError,  # text that is not Unicode
)
"""What one bad command can raise. A sqlite3.Error counts only if the statement is at fault."""


_GO_ON_FROM: Final = "UPDATE meta SET high_ms = :at_ms WHERE high_ms < :at_ms"
"""Not all that a batch does leaves a row with its time, and a clock that is stepped back while the
venue is down must not go back behind any of it."""

_NEWEST: Final = """
    SELECT max(
        opened_at_ms, high_ms,
        ifnull((SELECT created_at_ms FROM transaction_ledger ORDER BY rowid DESC LIMIT 1), 0),
        ifnull((SELECT judged_at_ms FROM columns ORDER BY rowid DESC LIMIT 1), 0),
        ifnull((SELECT max(created_at_ms) FROM column_voids), 0),
        ifnull((SELECT max(decided_at_ms) FROM withdrawals), 0))
    FROM meta
"""


class LedgerBroken(Exception):
    """The money does not add up since it was last verified. Nothing may be written on top of it.

    Raised by `recover` only; a running venue learns of drift from the integrity check.
    """

    def __init__(self, drifts: Sequence[Drift]) -> None:
        super().__init__("; ".join(f"{drift.what} {drift.where}" for drift in drifts))
        self.drifts = tuple(drifts)


class SqliteLedger:
    """Implements `protocols.ports.Ledger`. One call at a time, from any thread."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        *,
        caps: HouseCaps,
        chance: Chance,
        partition: str = "",
    ) -> None:
        """Takes over a write connection; the schema is brought up to date."""
        self._connection = connection
        self._partition = partition
        self._ulids = UlidMaker(chance)
        migrate(connection)
        install_intake(connection, caps)
        install_settlement(connection)

    @classmethod
    def open(
        cls,
        database: Database,
        *,
        caps: HouseCaps,
        chance: Chance,
        trace: Callable[[str], None] | None = None,
        partition: str = "",
    ) -> Self:
        """The ledger in that file (made if there is none) or in memory.

        `trace` gets every statement before it runs. Raises SchemaMismatch (db.migrate) if the file
        is of other code than this, ManifestBroken (db.partition) if it is closed.
        """
        if isinstance(database, Path) and database.is_file() and closed_at_ms(database) is not None:
            raise ManifestBroken(f"{database} is closed: it is never written again")
        connection = open_writer(database, trace=trace)
        try:
            return cls(connection, caps=caps, chance=chance, partition=partition)
        except BaseException:
            connection.close()
            raise

    def close(self) -> None:
        """Copy the log into the file and let go of it."""
        close_writer(self._connection)

    def let_go(self) -> None:
        """Close without copying the log: for a file that somebody else goes on with."""
        self._connection.close()

    def begin(self, at_ms: EpochMs) -> None:
        """Note when the first file of all was opened."""
        with transaction(self._connection):
            self._connection.execute("UPDATE meta SET opened_at_ms = ?", (at_ms,))

    def newest_ms(self) -> EpochMs:
        """When this file was opened, its newest bet placed, its newest row written, its newest
        verdict given or the newest thing of those that write no row: time goes on from there."""
        return int(self._connection.execute(_NEWEST).fetchone()[0])

    def file_before(self) -> tuple[str, EpochMs] | None:
        """The file whose balances this one was opened with, and when it ended."""
        sql = "SELECT name, closed_at_ms FROM partitions ORDER BY name DESC LIMIT 1"
        found: tuple[str, EpochMs] | None = self._connection.execute(sql).fetchone()
        return found

    def synchronous(self) -> int:
        """The running connection's setting: 2 is FULL, a sync at every COMMIT."""
        return int(self._connection.execute("PRAGMA synchronous").fetchone()[0])

    def partition(self) -> str:
        """The name it was opened by; a file alone has no weeks (db.weekly_ledger has)."""
        return self._partition

    def rotation_failure(self) -> str:
        """Empty: there is nothing to rotate."""
        return ""

    def recover(self) -> Recovered:
        """Check what was written since the last check; say where things stand.

        Raises LedgerBroken if the money does not add up. A full disk only costs the next start the
        same look again: whoever is restarted by then must still be able to settle what is there.
        """
        with snapshot(self._connection):
            sql = "SELECT verified_rowid FROM meta"
            (verified_rowid,) = self._connection.execute(sql).fetchone()
            high_ms = self.newest_ms()
            drifts = check_since(self._connection, after=verified_rowid)
            if drifts:
                raise LedgerBroken(drifts)
            operators = ledger_commands.operator_state(self._connection)
        try:
            with transaction(self._connection):
                self._connection.execute(
                    "UPDATE meta SET verified_rowid ="
                    " (SELECT ifnull(max(rowid), 0) FROM transaction_ledger)"
                )
        except sqlite3.Error as error:
            if not is_disk_full(error):
                raise
        return Recovered(high_ms=high_ms, operators=operators, synchronous=self.synchronous())

    def apply(self, commands: Sequence[LedgerCommand], *, at_ms: EpochMs) -> Sequence[MoneyOutcome]:
        """Carry the commands out in order, in one transaction; outcomes in the same order.

        On return all is on disk. A command that breaks what the schema holds gets CommandFailed
        and leaves nothing. If the disk is full, all of them are refused with `disk_full` and
        nothing is written; any other fault of file or machine rolls back and is raised.
        """
        outcomes: list[MoneyOutcome] = []
        try:
            with transaction(self._connection):
                before = self._connection.total_changes
                for are_bets, run in groupby(commands, key=_is_bet):
                    if are_bets:
                        outcomes += self._place([order for order in run if _is_bet(order)], at_ms)
                    else:
                        outcomes += [self._carry_out(command, at_ms) for command in run]
                if self._connection.total_changes != before:
                    self._connection.execute(_GO_ON_FROM, {"at_ms": at_ms})
        except sqlite3.Error as error:
            if not is_disk_full(error):
                raise
            return [_disk_full(command) for command in commands]
        return outcomes

    def _place(
        self, orders: Sequence[BetOrder], at_ms: EpochMs
    ) -> Sequence[BetOutcome | CommandFailed]:
        # A failed batch has left nothing; halving it finds the culprit in a few more statements.
        try:
            return place(self._connection, orders, at_ms=at_ms, ulids=self._ulids)
        except _COMMAND_FAULTS as error:
            failed = _command_failed(error)
        if len(orders) == 1:
            return [failed]
        middle = len(orders) // 2
        return [*self._place(orders[:middle], at_ms), *self._place(orders[middle:], at_ms)]

    def _carry_out(self, command: LedgerCommand, at_ms: EpochMs) -> MoneyOutcome:
        try:
            with savepoint(self._connection):
                return self._dispatch(command, at_ms)
        except _COMMAND_FAULTS as error:
            return _command_failed(error)

    def _dispatch(self, command: LedgerCommand, at_ms: EpochMs) -> MoneyOutcome:
        connection, ulids = self._connection, self._ulids
        match command:
            case BetOrder():
                raise AssertionError("bets are placed by the batch")
            case SettleColumn():
                return settle(connection, command, at_ms=at_ms, ulids=ulids)
            case OpenAccount():
                return ledger_commands.open_account(connection, command, at_ms=at_ms)
            case Deposit():
                return ledger_commands.deposit(connection, command, at_ms=at_ms, ulids=ulids)
            case SetHold():
                return ledger_commands.set_hold(connection, command)
            case KeepOverride():
                return ledger_commands.keep_override(connection, command)
            case ReserveQuoteNumbers():
                return ledger_commands.reserve_quote_numbers(connection, command)
            case MarkVerified():
                return ledger_commands.mark_verified(connection, command)
            case ReportDrift():
                return DriftReported()  # it matters to who begins weeks (db.weekly_ledger)
            case RebuildBalance():
                return ledger_commands.rebuild_balance(
                    connection, command, at_ms=at_ms, ulids=ulids
                )
            case Rotate():
                return Rotated(partition=self._partition)
            case _:
                return self._account_command(command, at_ms)

    def _account_command(self, command: AccountCommand, at_ms: EpochMs) -> MoneyOutcome:
        connection, ulids = self._connection, self._ulids
        match command:
            case RevokeKeys():
                return key_commands.revoke_keys(connection, command, at_ms=at_ms)
            case SetLimits():
                return limit_commands.set_limits(connection, command, at_ms=at_ms)
            case RequestWithdrawal():
                return withdrawals.request_withdrawal(connection, command, at_ms=at_ms, ulids=ulids)
            case DecideWithdrawal():
                return withdrawals.decide_withdrawal(connection, command, at_ms=at_ms, ulids=ulids)
            case WithdrawBankroll():
                return withdrawals.withdraw_bankroll(connection, command, at_ms=at_ms, ulids=ulids)
            case Adjust():
                return operator_commands.adjust(connection, command, at_ms=at_ms, ulids=ulids)
            case SetFrozen():
                return operator_commands.set_frozen(connection, command, at_ms=at_ms)
            case VoidColumn():
                return operator_commands.void_column(connection, command, at_ms=at_ms)


def _is_bet(command: LedgerCommand) -> TypeGuard[BetOrder]:
    return isinstance(command, BetOrder)


def _command_failed(error: Exception) -> CommandFailed:
    """Raises the error again if it is of the file, the disk or the machine."""
    if isinstance(error, sqlite3.Error) and not is_statement_fault(error):
        raise error
    return CommandFailed(why=f"{type(error).__name__}: {error}")


def _disk_full(command: LedgerCommand) -> MoneyOutcome:
    refusal = Refusal(Code.DISK_FULL)
    if isinstance(command, BetOrder):
        bet = command.bet
        return BetRefused(
            bet_id=bet.bet_id, wallet=bet.wallet, cell_id=bet.cell.id, refusal=refusal
        )
    return refusal
