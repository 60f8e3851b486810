"""Withdrawals in the ledger: requested by traders, decided by operators, and the bankroll's.

Each function works within the transaction that the ledger has open. All of them stand against
`external`, like deposits. A trader's money leaves his balance when he asks for it, so that he can't
bet what is on its way out; what an operator rejects comes back by a second pair of rows.
"""

import sqlite3
from collections.abc import Sequence
from typing import Any, Final

import attrs

from db.account_events import account_changed
from db.transfers import (
    EXTERNAL_ID,
    HOUSE_ID,
    Trader,
    Transfer,
    balance_of,
    next_seq,
    spare_micros,
    trader_of,
    transfer,
)
from db.ulid import UlidMaker
from domain.refusals import Code, Refusal
from domain.units import EpochMs
from protocols.account_commands import (
    AccountChange,
    AccountChanged,
    BalanceChanged,
    BalanceReason,
    BankrollWithdrawn,
    DecideWithdrawal,
    RequestWithdrawal,
    Withdrawal,
    WithdrawalDecided,
    WithdrawalRequested,
    WithdrawalStatus,
    WithdrawBankroll,
)

_WITHDRAWALS: Final = """
    SELECT w.id, w.user_id, u.wallet_address, w.nonce, w.amount_micros, w.destination, w.status,
           w.requested_at_ms, w.decided_at_ms, w.decided_by, w.reference, w.reason
    FROM withdrawals AS w JOIN users AS u ON u.id = w.user_id
"""

_KEEP: Final = """
    INSERT INTO withdrawals
        (id, user_id, nonce, amount_micros, destination, signed_at_s, signature, status,
         requested_at_ms, decided_at_ms, decided_by, reference, reason)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""

_DECIDE: Final = """
    UPDATE withdrawals
    SET status = ?, decided_at_ms = ?, decided_by = ?, reference = ?, reason = ?
    WHERE id = ? AND status = 'pending'
"""

_TOO_LITTLE: Final = Refusal(Code.INSUFFICIENT_FUNDS, "The balance does not cover this withdrawal.")


# --- reading ----------------------------------------------------------------------------------


def withdrawal(connection: sqlite3.Connection, withdrawal_id: str) -> Withdrawal | None:
    """One by its id."""
    return _one(connection, "WHERE w.id = ?", (withdrawal_id,))


def withdrawals(
    connection: sqlite3.Connection,
    *,
    wallet: str | None = None,
    status: WithdrawalStatus | None = None,
    before: str | None = None,
    limit: int = 50,
) -> Sequence[Withdrawal]:
    """Newest first, by id; of one wallet or all. `before` is the last id of the page before."""
    given: dict[str, object] = {}
    if wallet is not None:
        given["w.user_id = (SELECT id FROM users WHERE wallet_address = ?)"] = wallet
    if before is not None:
        given["w.id < ?"] = before
    conditions = list(given)
    if status is not None:
        # Written out, so that what is pending is found by the index of just those.
        conditions.append(f"w.status = '{WithdrawalStatus(status).value}'")
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    rows = connection.execute(
        f"{_WITHDRAWALS} {where} ORDER BY w.id DESC LIMIT ?", (*given.values(), limit)
    )
    return [_withdrawal(row) for row in rows]


def _one(
    connection: sqlite3.Connection, where: str, values: tuple[object, ...]
) -> Withdrawal | None:
    row = connection.execute(f"{_WITHDRAWALS} {where}", values).fetchone()
    return _withdrawal(row) if row is not None else None


def _by_nonce(connection: sqlite3.Connection, user_id: int, nonce: str) -> Withdrawal | None:
    return _one(connection, "WHERE w.user_id = ? AND w.nonce = ?", (user_id, nonce))


def _withdrawal(row: tuple[Any, ...]) -> Withdrawal:
    """Of a row of `_WITHDRAWALS`."""
    return Withdrawal(
        id=row[0],
        user_id=row[1],
        wallet=row[2],
        nonce=row[3],
        amount_micros=row[4],
        destination=row[5],
        status=WithdrawalStatus(row[6]),
        requested_at_ms=row[7],
        decided_at_ms=row[8],
        decided_by=row[9],
        reference=row[10],
        reason=row[11],
    )


# --- a trader's -------------------------------------------------------------------------------


def request_withdrawal(
    connection: sqlite3.Connection, command: RequestWithdrawal, *, at_ms: EpochMs, ulids: UlidMaker
) -> WithdrawalRequested | Refusal:
    """Take the money out of the balance, once per nonce.

    The nonce goes before all else: a retry is told of the first one, whatever has become of the
    account since. A refusal writes nothing, so there is no event of it and its nonce stays free.
    """
    trader = trader_of(connection, command.wallet)
    if trader is None:
        return _TOO_LITTLE
    refusal = _refusal(connection, command, trader)
    if refusal is not None:
        return refusal
    asked = Withdrawal(
        id=ulids.make(at_ms),
        user_id=trader.user_id,
        wallet=command.wallet,
        nonce=command.nonce,
        amount_micros=command.amount_micros,
        destination=command.destination,
        status=WithdrawalStatus.PENDING,
        requested_at_ms=at_ms,
    )
    _keep(connection, asked, signed_at_s=command.signed_at_s, signature=command.signature)
    event = _move(connection, asked, BalanceReason.WITHDRAWAL, at_ms=at_ms, ulids=ulids)
    return WithdrawalRequested(withdrawal=asked, event=event)


def _refusal(
    connection: sqlite3.Connection, command: RequestWithdrawal, trader: Trader
) -> Refusal | None:
    first = _by_nonce(connection, trader.user_id, command.nonce)
    if first is not None:
        told = {
            "id": first.id,
            "status": first.status.value,
            "amount_micros": first.amount_micros,
        }
        return Refusal(Code.REPLAY_DETECTED, details={"withdrawal": told})
    if trader.frozen:
        return Refusal(Code.FROZEN)
    return _TOO_LITTLE if trader.balance_micros < command.amount_micros else None


def decide_withdrawal(
    connection: sqlite3.Connection, command: DecideWithdrawal, *, at_ms: EpochMs, ulids: UlidMaker
) -> WithdrawalDecided | Refusal:
    """Mark it paid, or give the money back, also to an account that is frozen.

    One that was decided so before is answered as it stands. Paid under another reference is not the
    same decision: somebody may have paid it twice, and must hear of it.
    """
    found = withdrawal(connection, command.withdrawal_id)
    if found is None:
        return Refusal(Code.NOT_FOUND, "There is no withdrawal of this id.")
    if found.status is not WithdrawalStatus.PENDING:
        return _decided_before(found, command)
    decided = attrs.evolve(
        found,
        status=_wanted(command),
        decided_at_ms=at_ms,
        decided_by=command.by,
        reference=command.reference or None,
        reason=command.reason or None,
    )
    kept = (decided.status.value, at_ms, command.by, decided.reference, decided.reason, decided.id)
    connection.execute(_DECIDE, kept)
    return WithdrawalDecided(
        withdrawal=decided, event=_event(connection, decided, at_ms=at_ms, ulids=ulids)
    )


def _wanted(command: DecideWithdrawal) -> WithdrawalStatus:
    return WithdrawalStatus.PAID if command.paid else WithdrawalStatus.REJECTED


def _decided_before(found: Withdrawal, command: DecideWithdrawal) -> WithdrawalDecided | Refusal:
    is_same_payment = not command.paid or found.reference == (command.reference or None)
    if found.status is _wanted(command) and is_same_payment:
        return WithdrawalDecided(withdrawal=found, event=None)
    under = f" under the reference {found.reference}" if found.reference is not None else ""
    return Refusal(
        Code.REFERENCE_CONFLICT, f"This withdrawal is {found.status.value} already{under}."
    )


def _event(
    connection: sqlite3.Connection, decided: Withdrawal, *, at_ms: EpochMs, ulids: UlidMaker
) -> BalanceChanged | AccountChanged:
    """What the trader is told; the money goes back here."""
    if decided.status is WithdrawalStatus.REJECTED:
        reason = BalanceReason.WITHDRAWAL_REJECTED
        return _move(connection, decided, reason, at_ms=at_ms, ulids=ulids)
    what = AccountChange.WITHDRAWAL_PAID
    return account_changed(connection, decided.user_id, what, at_ms=at_ms, reference=decided.id)


def _keep(
    connection: sqlite3.Connection,
    asked: Withdrawal,
    *,
    signed_at_s: int | None = None,
    signature: str | None = None,
) -> None:
    connection.execute(
        _KEEP,
        (
            asked.id,
            asked.user_id,
            asked.nonce,
            asked.amount_micros,
            asked.destination,
            signed_at_s,
            signature,
            asked.status.value,
            asked.requested_at_ms,
            asked.decided_at_ms,
            asked.decided_by,
            asked.reference,
            asked.reason,
        ),
    )


def _move(
    connection: sqlite3.Connection,
    of: Withdrawal,
    reason: BalanceReason,
    *,
    at_ms: EpochMs,
    ulids: UlidMaker,
) -> BalanceChanged:
    """Out of the trader's balance, or back into it."""
    is_back = reason is BalanceReason.WITHDRAWAL_REJECTED
    amount = of.amount_micros if is_back else -of.amount_micros
    balance = transfer(
        connection,
        Transfer(
            to=of.user_id,
            against=EXTERNAL_ID,
            amount_micros=amount,
            ref_type="WITHDRAWAL",
            ref_id=of.id,
            metadata={"rejected": True} if is_back else {"destination": of.destination},
        ),
        at_ms=at_ms,
        ulids=ulids,
    )
    return BalanceChanged(
        user_id=of.user_id,
        wallet=of.wallet,
        seq=next_seq(connection, of.user_id),
        balance_micros=balance,
        amount_micros=amount,
        reason=reason,
        reference=of.id,
    )


# --- the bankroll's ---------------------------------------------------------------------------


def withdraw_bankroll(
    connection: sqlite3.Connection, command: WithdrawBankroll, *, at_ms: EpochMs, ulids: UlidMaker
) -> BankrollWithdrawn | Refusal:
    """Take money out of the house, as long as the rest pays every open bet. It counts as paid."""
    first = _by_nonce(connection, HOUSE_ID, command.reference)
    if first is not None:
        return _repeated(connection, command, first)
    if command.amount_micros > spare_micros(connection):
        return Refusal(
            Code.EXPOSURE_LIMIT, "What is left of the bankroll could not pay every open bet."
        )
    taken = Withdrawal(
        id=ulids.make(at_ms),
        user_id=HOUSE_ID,
        wallet="house",
        nonce=command.reference,
        amount_micros=command.amount_micros,
        destination=command.destination,
        status=WithdrawalStatus.PAID,
        requested_at_ms=at_ms,
        decided_at_ms=at_ms,
        decided_by=command.by,
        reference=command.reference,
        reason=command.reason or None,
    )
    _keep(connection, taken)
    balance = transfer(
        connection,
        Transfer(
            to=HOUSE_ID,
            against=EXTERNAL_ID,
            amount_micros=-command.amount_micros,
            ref_type="WITHDRAWAL",
            ref_id=taken.id,
            metadata={"destination": command.destination, "by": command.by},
        ),
        at_ms=at_ms,
        ulids=ulids,
    )
    return BankrollWithdrawn(withdrawal=taken, balance_micros=balance, repeated=False)


def _repeated(
    connection: sqlite3.Connection, command: WithdrawBankroll, first: Withdrawal
) -> BankrollWithdrawn | Refusal:
    same = (command.amount_micros, command.destination)
    if (first.amount_micros, first.destination) != same:
        return Refusal(Code.REFERENCE_CONFLICT, "This reference names another amount or place.")
    balance = balance_of(connection, HOUSE_ID)
    return BankrollWithdrawn(withdrawal=first, balance_micros=balance, repeated=True)
