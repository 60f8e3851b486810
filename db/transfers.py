"""Money from one account to another: a pair of ledger rows, and both balances.

For what is moved one by one: deposits, withdrawals and adjustments. Each function works within the
transaction that the ledger has open.
"""

import json
import sqlite3
from collections.abc import Mapping
from typing import Final

import attrs

from db.settlement import next_txn
from db.ulid import UlidMaker
from domain.units import EpochMs, Micros

HOUSE_ID: Final = 1
EXTERNAL_ID: Final = 2

_MOVE: Final = "UPDATE users SET balance = balance + ? WHERE id = ? RETURNING balance"

_POST: Final = """
    INSERT INTO transaction_ledger
        (id, txn, user_id, amount, balance_after, ref_type, ref_id, metadata, created_at_ms)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


@attrs.frozen
class Trader:
    """A trader's account as it stands."""

    user_id: int
    balance_micros: Micros
    frozen: bool


@attrs.frozen(kw_only=True)
class Transfer:
    """So much to one account from another; a negative amount goes the other way."""

    to: int
    against: int
    amount_micros: int
    ref_type: str
    ref_id: str
    metadata: Mapping[str, object]


def trader_of(connection: sqlite3.Connection, wallet: str) -> Trader | None:
    """None if the wallet has no account, and for `house` and `external`."""
    sql = "SELECT id, balance, frozen FROM users WHERE wallet_address = ? AND id > 2"
    row = connection.execute(sql, (wallet,)).fetchone()
    return Trader(row[0], row[1], bool(row[2])) if row is not None else None


def balance_of(connection: sqlite3.Connection, user_id: int) -> Micros:
    """As it stands."""
    sql = "SELECT balance FROM users WHERE id = ?"
    return int(connection.execute(sql, (user_id,)).fetchone()[0])


def spare_micros(connection: sqlite3.Connection) -> Micros:
    """What the house has beyond what it would need to pay every open bet."""
    sql = (
        "SELECT u.balance - e.payout_micros FROM users AS u, exposure AS e"
        f" WHERE u.id = {HOUSE_ID} AND e.scope = 'total' AND e.key = ''"
    )
    return int(connection.execute(sql).fetchone()[0])


def transfer(
    connection: sqlite3.Connection, wanted: Transfer, *, at_ms: EpochMs, ulids: UlidMaker
) -> Micros:
    """Move the money; the balance that `to` has then.

    Raises sqlite3.Error where the schema refuses it, e.g. a balance below zero: callers look first.
    """
    txn, metadata = next_txn(connection), json.dumps(wanted.metadata)
    changes = ((wanted.to, wanted.amount_micros), (wanted.against, -wanted.amount_micros))
    balances: list[Micros] = []
    for ledger_id, (user_id, change) in zip(ulids.take(2, at_ms), changes, strict=True):
        (after,) = connection.execute(_MOVE, (change, user_id)).fetchone()
        ref = (wanted.ref_type, wanted.ref_id)
        row = (ledger_id, txn, user_id, change, after, *ref, metadata, at_ms)
        connection.execute(_POST, row)
        balances.append(after)
    return balances[0]


def next_seq(connection: sqlite3.Connection, user_id: int) -> int:
    """The number of an event of this account that is about to be told."""
    sql = "UPDATE users SET version = version + 1 WHERE id = ? RETURNING version"
    return int(connection.execute(sql, (user_id,)).fetchone()[0])
