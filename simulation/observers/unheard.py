"""Columns that a killed process has settled, and nobody was told: read from what it has left."""

import sqlite3
from collections.abc import Container
from typing import Final

from domain.resolution import Rule
from protocols.money import BetResolved, BetStatus, ColumnKey, ColumnSettled

_SETTLED: Final = "SELECT start_s, column_s, rule FROM columns ORDER BY rowid"
_ENDED: Final = """
    SELECT b.id, b.user_id, u.wallet_address, u.version, b.cell_id, b.status, b.stake_micros,
           b.payout_micros, u.balance, b.resolved_at_ms
    FROM bets AS b JOIN users AS u ON u.id = b.user_id
    WHERE b.column_start_s = ? AND b.column_s = ? AND b.rule = ? AND b.resolved_at_ms IS NOT NULL
    ORDER BY b.rowid
"""


def settled_on_disk(ledger: sqlite3.Connection, heard: Container[ColumnKey]) -> list[ColumnSettled]:
    """Each with bets that has its verdict and was not heard of, as it would have been told."""
    found: list[ColumnSettled] = []
    for start_s, column_s, rule in ledger.execute(_SETTLED).fetchall():
        key = ColumnKey(start_s=start_s, column_s=column_s, rule=Rule(rule))
        if key not in heard:
            found.append(ColumnSettled(key=key, resolved=_ended(ledger, key)))
    return [settled for settled in found if settled.resolved]


def _ended(ledger: sqlite3.Connection, key: ColumnKey) -> tuple[BetResolved, ...]:
    rows = ledger.execute(_ENDED, (key.start_s, key.column_s, key.rule.value)).fetchall()
    return tuple(
        BetResolved(
            bet_id=row[0],
            user_id=row[1],
            wallet=row[2],
            seq=row[3],
            cell_id=row[4],
            status=BetStatus(row[5]),
            stake_micros=row[6],
            payout_micros=row[7],
            balance_micros=row[8],
            resolved_at_ms=row[9],
        )
        for row in rows
    )
