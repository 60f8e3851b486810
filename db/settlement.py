"""Settling a column: a handful of set-based statements, however many bets it has.

All within the caller's transaction and savepoint. A second run changes nothing: only bets that are
still `confirmed` are taken up, and a verdict is written once.
"""

import json
import sqlite3
from importlib import resources
from typing import Final

from db.ulid import UlidMaker
from domain.evidence import record_to_json, source_of
from domain.resolution import VoidReason
from domain.self_limits import utc_day
from domain.units import EpochMs
from protocols.money import (
    BetResolved,
    BetStatus,
    ColumnIncomplete,
    ColumnKey,
    ColumnSettled,
    SettleColumn,
)

_TAKE_UP: Final = """
    WITH verdict AS MATERIALIZED (
        SELECT value ->> 0 AS lo_cents, value ->> 1 AS hi_cents, value ->> 2 AS status
        FROM json_each(:results)
    ), ending AS (
        SELECT b.rowid AS bet_rowid, b.id, b.user_id, b.cell_id, b.stake_micros,
               b.payout_if_won_micros, v.status,
               CASE v.status WHEN 'won' THEN b.payout_if_won_micros
                             WHEN 'void' THEN b.stake_micros ELSE 0 END AS credit_micros
        FROM bets AS b JOIN verdict AS v USING (lo_cents, hi_cents)
        WHERE b.column_start_s = :start_s AND b.column_s = :column_s AND b.rule = :rule
          AND b.status = 'confirmed'
    )
    INSERT INTO settling
    SELECT NULL, bet_rowid, e.id, user_id, u.wallet_address, cell_id, stake_micros,
           payout_if_won_micros, status, credit_micros,
           u.version + row_number() OVER one_user,
           u.balance + sum(credit_micros) OVER one_user
    FROM ending AS e JOIN users AS u ON u.id = e.user_id
    WINDOW one_user AS (PARTITION BY user_id ORDER BY bet_rowid ROWS UNBOUNDED PRECEDING)
    ORDER BY user_id, bet_rowid
"""

_STANDING: Final = """
    SELECT (SELECT count(*) FROM settling),
           (SELECT count(*) FROM bets WHERE column_start_s = :start_s AND column_s = :column_s
            AND rule = :rule AND status = 'confirmed'),
           EXISTS (SELECT 1 FROM columns WHERE start_s = :start_s AND column_s = :column_s
                   AND rule = :rule),
           EXISTS (SELECT 1 FROM column_voids WHERE start_s = :start_s)
"""

_WRITE_VERDICT: Final = """
    INSERT INTO columns
        (start_s, column_s, rule, void_reason, source, record, ticks_sha256, judged_at_ms)
    VALUES (:start_s, :column_s, :rule, :void_reason, :source, :record, :ticks_sha256, :at_ms)
"""

_END_BETS: Final = """
    UPDATE bets SET status = s.status, payout_micros = s.credit_micros, resolved_at_ms = :at_ms
    FROM settling AS s WHERE bets.rowid = s.bet_rowid AND bets.status = 'confirmed'
"""

_CREDIT_LEDGER: Final = """
    INSERT INTO transaction_ledger
        (id, txn, user_id, amount, balance_after, ref_type, ref_id, metadata, created_at_ms)
    SELECT fresh.value, :txn, s.user_id, s.credit_micros, s.balance,
           CASE s.status WHEN 'won' THEN 'PAYOUT' ELSE 'REFUND' END,
           s.bet_id, json_object('cell_id', s.cell_id), :at_ms
    FROM json_each(:ledger_ids) AS fresh JOIN settling AS s ON s.n = fresh.key
    WHERE s.credit_micros > 0 ORDER BY s.n
"""
"""In order of `n`, so that a user's several wins chain. The first id is the house's."""

_CREDIT_USERS: Final = """
    UPDATE users SET balance = balance + e.credit_micros, version = e.seq
    FROM (SELECT user_id, max(seq) AS seq, sum(credit_micros) AS credit_micros
          FROM settling GROUP BY user_id) AS e
    WHERE users.id = e.user_id
"""

_LOWER_LOSSES: Final = """
    UPDATE account_limits
    SET day_lost_micros = iif(day = :today, day_lost_micros, 0) - e.credit_micros, day = :today
    FROM (SELECT user_id, sum(credit_micros) AS credit_micros FROM settling
          WHERE credit_micros > 0 GROUP BY user_id) AS e
    WHERE account_limits.user_id = e.user_id
"""
"""Of traders with limits of their own (intake.sql adds the stakes)."""

_DEBIT_HOUSE: Final = """
    UPDATE users SET balance = balance - (SELECT sum(credit_micros) FROM settling) WHERE id = 1
"""

_HOUSE_LEDGER: Final = """
    INSERT INTO transaction_ledger
        (id, txn, user_id, amount, balance_after, ref_type, ref_id, metadata, created_at_ms)
    SELECT :ledger_ids ->> 0, :txn, 1, -sum(credit_micros),
           (SELECT balance FROM users WHERE id = 1),
           iif(:void_reason IS NULL, 'PAYOUT', 'REFUND'),
           'column:' || :start_s || '_' || :column_s || '_' || :rule,
           json_object('bets', count(*)), :at_ms
    FROM settling WHERE credit_micros > 0 HAVING count(*) > 0
"""

_PAY: Final = (
    _END_BETS,
    _CREDIT_LEDGER,
    _CREDIT_USERS,
    _LOWER_LOSSES,
    _DEBIT_HOUSE,
    _HOUSE_LEDGER,
)

_RELEASE: Final = """
    INSERT INTO released
    SELECT 'total', '', count(*), sum(stake_micros), sum(payout_if_won_micros) FROM settling
    UNION ALL
    SELECT 'user', CAST(user_id AS TEXT), count(*), sum(stake_micros), sum(payout_if_won_micros)
    FROM settling GROUP BY user_id
    UNION ALL
    SELECT 'cell', cell_id, count(*), sum(stake_micros), sum(payout_if_won_micros)
    FROM settling GROUP BY cell_id
    UNION ALL
    SELECT 'column', :start_s || '_' || :column_s, count(*), sum(stake_micros),
           sum(payout_if_won_micros)
    FROM settling
"""

_LOWER_EXPOSURE: Final = """
    UPDATE exposure SET bets = exposure.bets - r.bets,
                        stake_micros = exposure.stake_micros - r.stake_micros,
                        payout_micros = exposure.payout_micros - r.payout_micros
    FROM released AS r WHERE exposure.scope = r.scope AND exposure.key = r.key
"""

_DROP_EMPTY_EXPOSURE: Final = """
    DELETE FROM exposure
    WHERE (scope, key) IN (SELECT scope, key FROM released WHERE scope <> 'total')
      AND bets = 0 AND stake_micros = 0 AND payout_micros = 0
"""

_RESOLVED: Final = """
    SELECT json_group_array(json_array(
        bet_id, user_id, wallet, seq, cell_id, status, stake_micros, credit_micros, balance))
    FROM (SELECT * FROM settling ORDER BY n)
"""


_STATUSES: Final = {status.value: status for status in BetStatus}
"""Quicker than BetStatus(...), which counts when a column has ten thousand bets."""


class CommandFault(Exception):
    """This one command can't be carried out: a defect of whoever sent it, or of an earlier one."""


def install_settlement(connection: sqlite3.Connection) -> None:
    """Make the temporary tables of the write connection."""
    connection.executescript((resources.files("db") / "settlement.sql").read_text("utf-8"))


def settle(
    connection: sqlite3.Connection, command: SettleColumn, *, at_ms: EpochMs, ulids: UlidMaker
) -> ColumnSettled | ColumnIncomplete:
    """Write the verdict and pay it, within the open transaction.

    A column that an operator has ordered to be given back gets no other verdict, also if one was on
    its way; and none is given back in his name without his order.

    Raises CommandFault, or sqlite3.Error if the schema refuses (the caller rolls back).
    """
    key = command.key
    wanted = _parameters(command, at_ms)
    connection.execute("DELETE FROM settling")
    connection.execute(_TAKE_UP, wanted)
    taken, still_open, judged, ordered = connection.execute(_STANDING, wanted).fetchone()
    if judged and still_open:
        raise CommandFault(f"{key} has its verdict, and {still_open} open bets")
    if judged:
        return ColumnSettled(key=key, resolved=())
    by_operator = command.evidence.void is VoidReason.OPERATOR
    if by_operator and not ordered:
        raise CommandFault(f"{key} is to be void by no operator's order")
    if taken != still_open or by_operator != bool(ordered):
        return ColumnIncomplete(key=key)
    connection.execute(_WRITE_VERDICT, wanted)
    if taken == 0:
        return ColumnSettled(key=key, resolved=())
    wanted["ledger_ids"] = json.dumps(ulids.take(taken + 1, at_ms), separators=(",", ":"))
    wanted["txn"] = next_txn(connection)
    for statement in _PAY:
        connection.execute(statement, wanted)
    _release_exposure(connection, wanted)
    return ColumnSettled(key=key, resolved=_resolved(connection, at_ms))


def next_txn(connection: sqlite3.Connection) -> int:
    """The number of the transaction about to be written: the rowid of its first row."""
    sql = "SELECT ifnull(max(rowid), 0) + 1 FROM transaction_ledger"
    return int(connection.execute(sql).fetchone()[0])


def _parameters(command: SettleColumn, at_ms: EpochMs) -> dict[str, object]:
    evidence = command.evidence
    results = [
        [lo_cents, hi_cents, result.outcome.value]
        for (lo_cents, hi_cents), result in command.results.items()
    ]
    return {
        **_key(command.key),
        "results": json.dumps(results),
        "void_reason": evidence.void.value if evidence.void is not None else None,
        "source": source_of(evidence.record),
        "record": record_to_json(evidence.record),
        "ticks_sha256": evidence.ticks_sha256,
        "at_ms": at_ms,
        "today": utc_day(at_ms),
    }


def _key(key: ColumnKey) -> dict[str, object]:
    return {"start_s": key.start_s, "column_s": key.column_s, "rule": key.rule.value}


def _release_exposure(connection: sqlite3.Connection, wanted: dict[str, object]) -> None:
    connection.execute("DELETE FROM released")
    connection.execute(_RELEASE, wanted)
    connection.execute(_LOWER_EXPOSURE)
    connection.execute(_DROP_EMPTY_EXPOSURE)


def _resolved(connection: sqlite3.Connection, at_ms: EpochMs) -> tuple[BetResolved, ...]:
    rows = json.loads(connection.execute(_RESOLVED).fetchone()[0])
    return tuple(
        BetResolved(
            bet_id=bet_id,
            user_id=user_id,
            wallet=wallet,
            seq=seq,
            cell_id=cell_id,
            status=_STATUSES[status],
            stake_micros=stake_micros,
            payout_micros=credit_micros,
            balance_micros=balance_micros,
            resolved_at_ms=at_ms,
        )
        for (
            bet_id,
            user_id,
            wallet,
            seq,
            cell_id,
            status,
            stake_micros,
            credit_micros,
            balance_micros,
        ) in rows
    )
