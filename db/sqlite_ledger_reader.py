"""The read side of one money ledger file: a connection of its own that can't write.

It sees only what is committed, and goes on while a batch is written. `db.weekly_reader` joins the
files of all weeks; what it needs to know of one file's rows is in `BetRow`.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any, Final, Self, TypeAlias

import attrs

from db import key_commands, withdrawals
from db.ledger_check import check_all, check_since
from db.ledger_commands import operator_state
from db.limit_commands import LIMIT_COLUMNS, limits_from
from db.sqlite_connection import Database, open_reader, snapshot
from domain.evidence import Evidence, record_from_json
from domain.resolution import Rule, VoidReason
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
from protocols.money import BetStatus, ColumnKey

_BETS: Final = """
    SELECT b.rowid, b.id, b.user_id, u.wallet_address, b.nonce, b.cell_id, b.column_start_s,
           b.column_s, b.lo_cents, b.hi_cents, b.rule, b.stake_micros, b.reward_bps, b.quote_n,
           b.status, b.payout_micros, b.placed_at_ms, b.resolved_at_ms, b.carried_from, {key_id}
    FROM bets AS b JOIN users AS u ON u.id = b.user_id
"""

_OPEN_COLUMNS: Final = """
    SELECT open.*, EXISTS (SELECT 1 FROM column_voids WHERE start_s = column_start_s)
    FROM (SELECT DISTINCT column_start_s, column_s, rule, lo_cents, hi_cents FROM bets
          WHERE status = 'confirmed' AND column_start_s < :before_s) AS open
    UNION ALL
    SELECT DISTINCT column_start_s, column_s, rule, lo_cents, hi_cents, 1
    FROM column_voids AS v CROSS JOIN bets ON column_start_s = v.start_s
    WHERE status = 'confirmed' AND v.start_s >= :before_s
    ORDER BY 1, 2, 3, 4, 5
"""

_Condition: TypeAlias = tuple[str, tuple[object, ...]]
"""SQL text, and what its question marks stand for."""

_SETTLED: Final = "b.status IN ('won', 'lost', 'void')"
_CARRIED: Final = "carried"
_STAYED: Final = "b.status <> 'carried'"


@attrs.frozen(kw_only=True)
class BetRow:
    """A bet as one file has it, and where else it is."""

    bet: Bet
    """`confirmed` if the bet goes on in the next file."""
    carried: bool
    """Does it go on in the next file?"""
    carried_from: str | None
    """The name of the file that took the stake, if that is another."""


class EvidenceUnreadable(Exception):
    """The stored evidence of these bets is not what settlement writes: it was altered or damaged.

    `rest` are the readable bets of the same page and `last_rowid` is where the page ended, so that
    whoever verifies can report the bets and go on.
    """

    def __init__(
        self,
        bet_ids: Sequence[BetId],
        *,
        rest: Sequence[tuple[int, SettledBet]],
        last_rowid: int,
    ) -> None:
        super().__init__(", ".join(bet_ids))
        self.bet_ids = tuple(bet_ids)
        self.rest = tuple(rest)
        self.last_rowid = last_rowid


class SqliteLedgerReader:
    """Implements `protocols.ports.LedgerReader`. One call at a time, from any thread."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @classmethod
    def open(cls, database: Database) -> Self:
        """Raises DatabaseMissing (db.sqlite_connection) where there is no file."""
        return cls(open_reader(database))

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def has_log(self) -> bool:
        """Is the file in WAL mode: does a writer hold it, or has one left it unfinished?"""
        return bool(self._connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal")

    def account(self, wallet: str) -> Account | None:
        """The account of a wallet, or None."""
        row = self._connection.execute(
            "SELECT u.id, u.wallet_address, u.balance, ifnull(e.stake_micros, 0),"
            f" ifnull(e.bets, 0), u.version, u.created_at_ms, u.frozen, {LIMIT_COLUMNS}"
            " FROM users AS u LEFT JOIN exposure AS e"
            " ON e.scope = 'user' AND e.key = CAST(u.id AS TEXT)"
            " LEFT JOIN account_limits AS l ON l.user_id = u.id WHERE u.wallet_address = ?",
            (wallet,),
        ).fetchone()
        return _account(row) if row is not None else None

    def wallet_of(self, user_id: int) -> str | None:
        """The wallet of an account's number; `house` and `external` are accounts, too."""
        sql = "SELECT wallet_address FROM users WHERE id = ?"
        row = self._connection.execute(sql, (user_id,)).fetchone()
        return row[0] if row is not None else None

    def session_key(self, key_id: str) -> SessionKey | None:
        """A session key by its id, whatever has become of it."""
        return key_commands.key_of(self._connection, key_id)

    def session_keys(self, wallet: str, *, limit: int = 100) -> Sequence[SessionKey]:
        """A wallet's keys, newest first."""
        return key_commands.keys_of(self._connection, wallet, limit=limit)

    def withdrawal(self, withdrawal_id: str) -> Withdrawal | None:
        """A withdrawal by its id."""
        return withdrawals.withdrawal(self._connection, withdrawal_id)

    def withdrawals(
        self,
        *,
        wallet: str | None = None,
        status: WithdrawalStatus | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> Sequence[Withdrawal]:
        """Newest first, by id; of one wallet or all. `before` is the last id of the page before."""
        return withdrawals.withdrawals(
            self._connection, wallet=wallet, status=status, before=before, limit=limit
        )

    def bet(self, bet_id: BetId) -> Bet | None:
        """A bet by its id."""
        return _stayed(self.bet_row(bet_id))

    def bet_by_nonce(self, wallet: str, nonce: str) -> Bet | None:
        """The bet that used up a nonce."""
        return _stayed(self.bet_row_by_nonce(wallet, nonce))

    def bet_row(self, bet_id: BetId) -> BetRow | None:
        """A bet by its id, also one that goes on in the next file."""
        return self._one_bet("WHERE b.id = ?", (bet_id,))

    def bet_row_by_nonce(self, wallet: str, nonce: str) -> BetRow | None:
        """The bet that used up a nonce, also one that goes on in the next file."""
        return self._one_bet("WHERE u.wallet_address = ? AND b.nonce = ?", (wallet, nonce))

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
        """A wallet's bets placed in `[from_ms, to_ms)`, newest first by (placed_at_ms, id)."""
        wanted = [status.value for status in statuses]
        chosen = _one_of(wanted) if wanted else (_STAYED, ())
        rows = self._bets(wallet, chosen, from_ms, to_ms, before, limit)
        return [row.bet for row in rows]

    def bet_rows(
        self,
        wallet: str,
        *,
        statuses: Sequence[BetStatus] = (),
        from_ms: EpochMs | None = None,
        to_ms: EpochMs | None = None,
        before: tuple[EpochMs, BetId] | None = None,
        limit: int = 50,
    ) -> Sequence[BetRow]:
        """The same, with those that go on in the next file: their status is to be found there."""
        wanted = {status.value for status in statuses}
        # The file of a week that has just ended says `confirmed` until its end is written.
        goes_on = {_CARRIED, BetStatus.CONFIRMED.value}
        chosen = _one_of(sorted(wanted | goes_on)) if wanted else ("true", ())
        return self._bets(wallet, chosen, from_ms, to_ms, before, limit)

    def first_carried_ms(self) -> EpochMs | None:
        """When the oldest of the bets that go on in the next file was placed; None without any.

        Looks at every bet: some 0.2 s on a million.
        """
        sql = f"SELECT min(b.placed_at_ms) FROM bets AS b WHERE NOT ({_STAYED})"
        found: EpochMs | None = self._connection.execute(sql).fetchone()[0]
        return found

    def statement(
        self, wallet: str, *, before: int | None = None, limit: int = 50, opening: bool = True
    ) -> Sequence[tuple[int, LedgerRow]]:
        """A wallet's ledger rows with their rowids, newest first; `before` excludes itself.

        `opening`: with the balance that the file began with.
        """
        rows = self._connection.execute(
            "SELECT rowid, id, amount, balance_after, ref_type, ref_id, created_at_ms, metadata"
            " FROM transaction_ledger"
            " WHERE user_id = (SELECT id FROM users WHERE wallet_address = ?) AND rowid < ?"
            " AND (? OR ref_type <> 'CARRY') ORDER BY rowid DESC LIMIT ?",
            (wallet, before if before is not None else 2**63 - 1, opening, limit),
        )
        return [(row[0], _ledger_row(row[1:])) for row in rows]

    def settled_bet(self, bet_id: BetId) -> SettledBet | None:
        """A bet that has a verdict, with its evidence. Raises EvidenceUnreadable."""
        found = self._with_evidence(f"WHERE b.id = ? AND {_SETTLED}", (bet_id,))
        return found[0][1] if found else None

    def settled_bets(
        self, *, after_rowid: int = 0, limit: int = 500
    ) -> Sequence[tuple[int, SettledBet]]:
        """All bets that have a verdict, in order of their rowid. Raises EvidenceUnreadable."""
        return self._with_evidence(
            f"WHERE b.rowid > ? AND {_SETTLED} ORDER BY b.rowid LIMIT ?", (after_rowid, limit)
        )

    def open_columns(self, *, before_s: int) -> Sequence[OpenColumn]:
        """Columns with open bets whose window starts before `before_s`, or that an operator has
        ordered to be given back; oldest first."""
        ranges: dict[ColumnKey, list[tuple[int, int]]] = {}
        ordered: set[ColumnKey] = set()
        for start_s, column_s, rule, lo_cents, hi_cents, is_ordered in self._connection.execute(
            _OPEN_COLUMNS, {"before_s": before_s}
        ):
            key = ColumnKey(start_s=start_s, column_s=column_s, rule=Rule(rule))
            ranges.setdefault(key, []).append((lo_cents, hi_cents))
            if is_ordered:
                ordered.add(key)
        return [
            OpenColumn(key=key, ranges=tuple(found), void_ordered=key in ordered)
            for key, found in ranges.items()
        ]

    def operator_state(self) -> OperatorState:
        """The hold and the breaker override as stored."""
        return operator_state(self._connection)

    def house(self) -> HousePosition:
        """The bankroll, and what all open bets would cost if each were won."""
        balance, payout, bets = self._connection.execute(
            "SELECT u.balance, e.payout_micros, e.bets FROM users AS u, exposure AS e"
            " WHERE u.wallet_address = 'house' AND e.scope = 'total'"
        ).fetchone()
        return HousePosition(balance_micros=balance, open_payout_micros=payout, open_bets=bets)

    def integrity(self) -> IntegrityReport:
        """The full check, of one moment. Seconds on a million bets; the writer goes on."""
        with snapshot(self._connection):
            return check_all(self._connection)

    def audit(self) -> Audit:
        """The part of the check that a start needs: of the rows after the last verified one."""
        with snapshot(self._connection):
            after, newest = self._connection.execute(
                "SELECT verified_rowid, (SELECT ifnull(max(rowid), 0) FROM transaction_ledger)"
                " FROM meta"
            ).fetchone()
            return Audit(rowid=newest, drifts=check_since(self._connection, after=after))

    def balances(self, *, after_user_id: int = 0, limit: int = 1_000) -> Sequence[WalletBalance]:
        """Balances of traders in order of their user id."""
        rows = self._connection.execute(
            "SELECT id, wallet_address, version, balance FROM users"
            " WHERE id > max(?, 2) ORDER BY id LIMIT ?",
            (after_user_id, limit),
        )
        return [
            WalletBalance(user_id=user_id, wallet=wallet, seq=version, balance_micros=balance)
            for user_id, wallet, version, balance in rows
        ]

    def archived(
        self, *, from_ms: EpochMs | None = None, to_ms: EpochMs | None = None
    ) -> Sequence[str]:
        """None: one file knows of itself only."""
        return ()

    @cached_property
    def _bets_sql(self) -> str:
        key_id = "b.key_id" if key_commands.has_keys(self._connection) else "NULL"
        return _BETS.format(key_id=key_id)

    def _one_bet(self, where: str, values: tuple[object, ...]) -> BetRow | None:
        row = self._connection.execute(f"{self._bets_sql} {where}", values).fetchone()
        return _bet_row(row) if row is not None else None

    def _bets(
        self,
        wallet: str,
        chosen: _Condition,
        from_ms: EpochMs | None,
        to_ms: EpochMs | None,
        before: tuple[EpochMs, BetId] | None,
        limit: int,
    ) -> list[BetRow]:
        conditions: list[_Condition] = [("u.wallet_address = ?", (wallet,)), chosen]
        if from_ms is not None:
            conditions.append(("b.placed_at_ms >= ?", (from_ms,)))
        if to_ms is not None:
            conditions.append(("b.placed_at_ms < ?", (to_ms,)))
        if before is not None:
            conditions.append(("(b.placed_at_ms, b.id) < (?, ?)", before))
        where = " AND ".join(condition for condition, _ in conditions)
        values = [value for _, given in conditions for value in given]
        rows = self._connection.execute(
            f"{self._bets_sql} WHERE {where} ORDER BY b.placed_at_ms DESC, b.id DESC LIMIT ?",
            (*values, limit),
        )
        return [_bet_row(row) for row in rows]

    def _with_evidence(
        self, where: str, values: tuple[object, ...]
    ) -> Sequence[tuple[int, SettledBet]]:
        with snapshot(self._connection):
            rows = self._connection.execute(f"{self._bets_sql} {where}", values).fetchall()
            bets = [(row[0], _bet(row)) for row in rows]
            evidence = self._evidence_of(bet for _, bet in bets)
        readable: list[tuple[int, SettledBet]] = []
        unreadable: list[BetId] = []
        for rowid, bet in bets:
            found = evidence[_column_of(bet)]
            if found is None:
                unreadable.append(bet.bet_id)
            else:
                readable.append((rowid, SettledBet(bet=bet, evidence=found)))
        if unreadable:
            raise EvidenceUnreadable(unreadable, rest=readable, last_rowid=bets[-1][0])
        return readable

    def _evidence_of(self, bets: Iterable[Bet]) -> dict[ColumnKey, Evidence | None]:
        # Each column's ticks are parsed once, however many bets of the page it has.
        return {key: self._evidence(key) for key in {_column_of(bet) for bet in bets}}

    def _evidence(self, key: ColumnKey) -> Evidence | None:
        row = self._connection.execute(
            "SELECT record, void_reason, ticks_sha256 FROM columns"
            " WHERE start_s = ? AND column_s = ? AND rule = ?",
            (key.start_s, key.column_s, key.rule.value),
        ).fetchone()
        return _evidence(key.rule, *row) if row is not None else None


def _account(row: tuple[Any, ...]) -> Account:
    user_id, wallet, balance, open_stake, open_bets, version, created_at_ms, frozen = row[:8]
    return Account(
        user_id=user_id,
        wallet=wallet,
        balance_micros=balance,
        open_stake_micros=open_stake,
        open_bets=open_bets,
        seq=version,
        created_at_ms=created_at_ms,
        frozen=bool(frozen),
        limits=limits_from(row[8:]),
    )


def _one_of(statuses: Sequence[str]) -> _Condition:
    return f"b.status IN ({', '.join('?' * len(statuses))})", tuple(statuses)


def _stayed(row: BetRow | None) -> Bet | None:
    return None if row is None or row.carried else row.bet


def _bet_row(row: tuple[Any, ...]) -> BetRow:
    """Of a row of `_BETS`."""
    return BetRow(bet=_bet(row), carried=row[14] == _CARRIED, carried_from=row[18])


def _bet(row: tuple[Any, ...]) -> Bet:
    """Of a row of `_BETS`."""
    status = row[14] if row[14] != _CARRIED else BetStatus.CONFIRMED
    return Bet(
        bet_id=row[1],
        user_id=row[2],
        wallet=row[3],
        nonce=row[4],
        cell_id=row[5],
        column_start_s=row[6],
        column_s=row[7],
        lo_cents=row[8],
        hi_cents=row[9],
        rule=Rule(row[10]),
        stake_micros=row[11],
        reward_bps=row[12],
        quote_n=row[13],
        status=BetStatus(status),
        payout_micros=row[15],
        placed_at_ms=row[16],
        resolved_at_ms=row[17],
        key_id=row[19],
    )


def _ledger_row(row: tuple[Any, ...]) -> LedgerRow:
    ledger_id, amount, balance_after, ref_type, ref_id, created_at_ms, metadata = row
    return LedgerRow(
        id=ledger_id,
        amount_micros=amount,
        balance_after_micros=balance_after,
        ref_type=ref_type,
        ref_id=ref_id,
        created_at_ms=created_at_ms,
        metadata=metadata,
    )


def _column_of(bet: Bet) -> ColumnKey:
    return ColumnKey(start_s=bet.column_start_s, column_s=bet.column_s, rule=bet.rule)


def _evidence(rule: Rule, record: str, void: str | None, ticks_sha256: str) -> Evidence | None:
    """None where the stored text is not what `record_to_json` writes."""
    try:
        return Evidence(
            rule=rule,
            record=record_from_json(record),
            void=VoidReason(void) if void is not None else None,
            ticks_sha256=ticks_sha256,
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
