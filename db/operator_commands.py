"""What operators do to accounts and columns: adjustments, freezing, giving a column back.

Each function works within the transaction that the ledger has open.
"""

import sqlite3
from typing import Final

from db.account_events import account_changed
from db.transfers import (
    HOUSE_ID,
    Trader,
    Transfer,
    next_seq,
    spare_micros,
    trader_of,
    transfer,
)
from db.ulid import UlidMaker
from domain.refusals import Code, Refusal
from domain.units import EpochMs, Micros
from protocols.account_commands import (
    AccountChange,
    AccountChanged,
    Adjust,
    Adjusted,
    BalanceChanged,
    BalanceReason,
    ColumnVoidOrdered,
    SetFrozen,
    VoidColumn,
)

_KEEP_ADJUSTMENT: Final = """
    INSERT INTO adjustments
        (reference, user_id, amount_micros, bet_id, by_whom, why, created_at_ms)
    VALUES (?, ?, ?, ?, ?, ?, ?)
"""

_OWNER: Final = """
    SELECT user_id FROM bets WHERE id = :bet_id
    UNION ALL SELECT user_id FROM carried_nonces WHERE bet_id = :bet_id
"""

_COLUMN: Final = """
    SELECT EXISTS (SELECT 1 FROM column_voids WHERE start_s = :start_s),
           EXISTS (SELECT 1 FROM columns WHERE start_s = :start_s),
           :start_s * 1000 < opened_at_ms AND NOT EXISTS (
               SELECT 1 FROM bets WHERE column_start_s = :start_s AND status = 'confirmed')
    FROM meta
"""


def adjust(
    connection: sqlite3.Connection, command: Adjust, *, at_ms: EpochMs, ulids: UlidMaker
) -> Adjusted | Refusal:
    """Move money between a trader and the house, once per reference; also where he is frozen.

    Neither may owe what it has not: the trader's balance stays above zero, and the house keeps what
    every open bet would cost it. A repeated one changes nothing, and is answered with the balance
    as it stands now.
    """
    trader = trader_of(connection, command.wallet)
    if trader is None:
        return Refusal(Code.NOT_FOUND, f"There is no account of {command.wallet}.")
    sql = "SELECT user_id, amount_micros, bet_id FROM adjustments WHERE reference = ?"
    first = connection.execute(sql, (command.reference,)).fetchone()
    if first is not None:
        if first != (trader.user_id, command.amount_micros, command.bet_id):
            return Refusal(
                Code.REFERENCE_CONFLICT, "This reference names another amount, wallet or bet."
            )
        return _adjusted(command, trader, trader.balance_micros)
    refusal = _refusal(connection, command, trader)
    if refusal is not None:
        return refusal
    balance = _book(connection, command, trader, at_ms=at_ms, ulids=ulids)
    event = BalanceChanged(
        user_id=trader.user_id,
        wallet=command.wallet,
        seq=next_seq(connection, trader.user_id),
        balance_micros=balance,
        amount_micros=command.amount_micros,
        reason=BalanceReason.ADJUSTMENT,
        reference=command.reference,
    )
    return _adjusted(command, trader, balance, event)


def _refusal(connection: sqlite3.Connection, command: Adjust, trader: Trader) -> Refusal | None:
    amount = command.amount_micros
    if command.bet_id is not None and not _may_be_of(connection, command.bet_id, trader):
        return Refusal(Code.NOT_FOUND, f"There is no bet {command.bet_id} of this wallet.")
    if trader.balance_micros + amount < 0:
        return Refusal(Code.INSUFFICIENT_FUNDS, "The trader's balance does not cover this.")
    # What comes in is never refused: it can only help a house that is short.
    if amount > 0 and amount > spare_micros(connection):
        return Refusal(
            Code.EXPOSURE_LIMIT, "The house could no longer pay every open bet after this."
        )
    return None


def _may_be_of(connection: sqlite3.Connection, bet_id: str, trader: Trader) -> bool:
    """Is the bet that trader's, as far as this file can tell?

    A bet of an earlier week is not in it, and often a wrong result is found only when its week is
    in the archive. So a bet that is unknown here is taken for one of his where there are earlier
    files; what is known here to be another's never is.
    """
    owners = {user_id for (user_id,) in connection.execute(_OWNER, {"bet_id": bet_id})}
    if owners:
        return owners == {trader.user_id}
    sql = "SELECT EXISTS (SELECT 1 FROM partitions)"
    return bool(connection.execute(sql).fetchone()[0])


def _book(
    connection: sqlite3.Connection,
    command: Adjust,
    trader: Trader,
    *,
    at_ms: EpochMs,
    ulids: UlidMaker,
) -> Micros:
    connection.execute(
        _KEEP_ADJUSTMENT,
        (
            command.reference,
            trader.user_id,
            command.amount_micros,
            command.bet_id,
            command.by,
            command.reason,
            at_ms,
        ),
    )
    return transfer(
        connection,
        Transfer(
            to=trader.user_id,
            against=HOUSE_ID,
            amount_micros=command.amount_micros,
            ref_type="ADJUSTMENT",
            ref_id=command.reference,
            metadata={"bet_id": command.bet_id, "by": command.by, "why": command.reason},
        ),
        at_ms=at_ms,
        ulids=ulids,
    )


def _adjusted(
    command: Adjust, trader: Trader, balance_micros: Micros, event: BalanceChanged | None = None
) -> Adjusted:
    return Adjusted(
        user_id=trader.user_id,
        wallet=command.wallet,
        amount_micros=command.amount_micros,
        reference=command.reference,
        balance_micros=balance_micros,
        event=event,
    )


def set_frozen(
    connection: sqlite3.Connection, command: SetFrozen, *, at_ms: EpochMs
) -> AccountChanged | Refusal:
    """Freeze or unfreeze an account: an event of the trader, each time it is commanded.

    A frozen one bets and withdraws nothing. What comes to it goes on: deposits, the ends of its
    bets, adjustments, withdrawals that are given back.
    """
    trader = trader_of(connection, command.wallet)
    if trader is None:
        return Refusal(Code.NOT_FOUND, f"There is no account of {command.wallet}.")
    connection.execute(
        "UPDATE users SET frozen = ? WHERE id = ?", (int(command.frozen), trader.user_id)
    )
    what = AccountChange.FROZEN if command.frozen else AccountChange.UNFROZEN
    return account_changed(connection, trader.user_id, what, at_ms=at_ms)


def void_column(
    connection: sqlite3.Connection, command: VoidColumn, *, at_ms: EpochMs
) -> ColumnVoidOrdered | Refusal:
    """Note that a column is to be given back: from now on it takes no bets and no other verdict.

    The order stands for bets by every rule on windows that begin then, also where there are none.
    """
    given = {"start_s": command.start_s}
    is_ordered, is_judged, is_over = connection.execute(_COLUMN, given).fetchone()
    if is_ordered:
        return ColumnVoidOrdered(start_s=command.start_s, repeated=True)
    if is_judged:
        return Refusal(Code.REFERENCE_CONFLICT, "This column has its verdict.")
    if is_over:
        # Its verdict, if it had bets, stands in an earlier file.
        return Refusal(Code.REFERENCE_CONFLICT, "This column is of an earlier week, and over.")
    connection.execute(
        "INSERT INTO column_voids (start_s, by_whom, why, created_at_ms) VALUES (?, ?, ?, ?)",
        (command.start_s, command.by, command.reason, at_ms),
    )
    return ColumnVoidOrdered(start_s=command.start_s, repeated=False)
