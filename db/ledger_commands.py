"""The ledger's rarer commands: accounts, deposits, and what operators and quotes must have kept.

Each function works within the transaction that the ledger has open.
"""

import json
import sqlite3
from typing import Final, NamedTuple

from db.key_commands import authorise, comes_of, key_of
from db.ledger_check import chain_breaks
from db.recount import recount
from db.settlement import CommandFault, next_txn
from db.transfers import EXTERNAL_ID, Transfer, next_seq, transfer
from db.ulid import UlidMaker
from domain.refusals import Code, Refusal, bad_request
from domain.units import EpochMs, Micros
from protocols.accounts import OperatorState
from protocols.market import Override
from protocols.money import (
    AccountOpened,
    BalanceRebuilt,
    Deposit,
    Deposited,
    HoldSet,
    KeepOverride,
    MarkedVerified,
    MarkVerified,
    OpenAccount,
    OverrideKept,
    QuoteNumbersReserved,
    RebuildBalance,
    ReserveQuoteNumbers,
    SetHold,
)

EXTERNAL: Final = "external"

_SUMMED: Final = """
    SELECT id, balance,
           (SELECT ifnull(sum(amount), 0) FROM transaction_ledger WHERE user_id = users.id),
           ifnull((SELECT balance_after FROM transaction_ledger WHERE user_id = users.id
                   ORDER BY rowid DESC LIMIT 1), 0)
    FROM users WHERE wallet_address = ?
"""

_POST_NOTE: Final = """
    INSERT INTO transaction_ledger
        (rowid, id, txn, user_id, amount, balance_after, ref_type, ref_id, metadata, created_at_ms)
    VALUES (?, ?, ?, ?, 0, ?, 'ADJUSTMENT', ?, ?, ?)
"""

BREAKS_NAMED_MAX: Final = 1_000
"""By one rebuild; one that has more needs another rebuild, and somebody who looks twice."""


class _Standing(NamedTuple):
    user_id: int
    balance_micros: Micros
    version: int


def open_account(
    connection: sqlite3.Connection, command: OpenAccount, *, at_ms: EpochMs
) -> AccountOpened | Refusal:
    """The account of a wallet, made if there is none, and with it the session key, if it is new."""
    key = command.key
    first = key_of(connection, key.key_id) if key is not None else None
    if first is not None and not comes_of(first, command):
        return bad_request("resources", "this session key was used before")
    created = _ensure_account(connection, command.wallet, at_ms)
    standing = _standing(connection, command.wallet)
    if key is not None and first is None:
        authorise(connection, key, user_id=standing.user_id, at_ms=at_ms)
    return AccountOpened(
        user_id=standing.user_id,
        wallet=command.wallet,
        balance_micros=standing.balance_micros,
        created=created,
    )


def deposit(
    connection: sqlite3.Connection, command: Deposit, *, at_ms: EpochMs, ulids: UlidMaker
) -> Deposited | Refusal:
    """Credit a wallet against `external`, once per reference.

    A repeated one changes nothing, whatever the balance is now, and is answered with the account as
    it stands now and with what was given.
    """
    if command.wallet == EXTERNAL:
        return bad_request("wallet", "this account is the other side of deposits")
    first = connection.execute(
        "SELECT u.wallet_address, d.amount_micros"
        " FROM deposits AS d JOIN users AS u ON u.id = d.user_id WHERE d.reference = ?",
        (command.reference,),
    ).fetchone()
    if first is not None and not _is_the_same(command, *first):
        return Refusal(Code.REFERENCE_CONFLICT)
    given_micros = _room_micros(connection, command) if first is None else first[1]
    if isinstance(given_micros, Refusal):
        return given_micros
    if first is None:
        _ensure_account(connection, command.wallet, at_ms)
        _credit(connection, command, given_micros, at_ms, ulids)
    standing = _standing(connection, command.wallet)
    return Deposited(
        user_id=standing.user_id,
        wallet=command.wallet,
        seq=standing.version,
        balance_micros=standing.balance_micros,
        amount_micros=given_micros,
        reference=command.reference,
        repeated=first is not None,
    )


def set_hold(connection: sqlite3.Connection, command: SetHold) -> HoldSet:
    """Keep the hold."""
    connection.execute(
        "UPDATE meta SET held = ?, held_by = ?, held_why = ?",
        (int(command.held), command.by, command.why),
    )
    return HoldSet(held=command.held)


def keep_override(connection: sqlite3.Connection, command: KeepOverride) -> OverrideKept:
    """Keep the breaker's override."""
    connection.execute(
        "UPDATE meta SET override = ?, override_by = ?, override_why = ?",
        (command.override.value, command.by, command.why),
    )
    return OverrideKept(override=command.override)


def reserve_quote_numbers(
    connection: sqlite3.Connection, command: ReserveQuoteNumbers
) -> QuoteNumbersReserved:
    """Give out quote numbers that were never given out before."""
    if command.count < 1:
        raise CommandFault(f"can't reserve {command.count} quote numbers")
    first = int(connection.execute("SELECT next_quote_n FROM meta").fetchone()[0])
    connection.execute("UPDATE meta SET next_quote_n = next_quote_n + ?", (command.count,))
    return QuoteNumbersReserved(first=first, count=command.count)


def mark_verified(connection: sqlite3.Connection, command: MarkVerified) -> MarkedVerified:
    """Keep how far the ledger was found to add up; never less far than before."""
    newest = "(SELECT ifnull(max(rowid), 0) FROM transaction_ledger)"
    connection.execute(
        f"UPDATE meta SET verified_rowid = max(verified_rowid, min(?, {newest}))", (command.rowid,)
    )
    found = connection.execute("SELECT verified_rowid FROM meta").fetchone()
    return MarkedVerified(rowid=found[0])


def rebuild_balance(
    connection: sqlite3.Connection, command: RebuildBalance, *, at_ms: EpochMs, ulids: UlidMaker
) -> BalanceRebuilt | Refusal:
    """Set a balance to the sum of its ledger rows, and add a row of nothing that says so.

    What its keys staked and it lost on their newest day is added up anew, too.

    A drift between balance and ledger was put there by something else than a transaction, so the
    other side of it is in no account: no row with an amount could be right. Where bets went on from
    a wrong balance, the account's chain is broken for good; the row names the breaks (its own, too,
    if it makes one), and the integrity check takes them as settled from then on.

    It raises the version without an event, so that whoever resumes is given the new balance.
    """
    row = connection.execute(_SUMMED, (command.wallet,)).fetchone()
    if row is None:
        return Refusal(Code.NOT_FOUND, f"There is no account of {command.wallet}.")
    user_id, before, after, last = row
    if after < 0 and command.wallet != EXTERNAL:
        return bad_request("wallet", f"its ledger rows add up to {after}, which no balance can be")
    breaks = chain_breaks(connection, user_id=user_id)
    recounted = recount(connection, user_id, at_ms=at_ms)
    if before == after == last and not breaks and not recounted:
        return BalanceRebuilt(
            wallet=command.wallet, before_micros=before, after_micros=after, rowid=None
        )
    rowid = next_txn(connection)
    named = ([] if last == after else [rowid]) + breaks[:BREAKS_NAMED_MAX]
    note = {"rebuild": True, "by": command.by, "why": command.why, "balance_before": before}
    (ledger_id,) = ulids.take(1, at_ms)
    connection.execute(
        "UPDATE users SET balance = ?, version = version + 1 WHERE id = ?", (after, user_id)
    )
    connection.execute(
        _POST_NOTE,
        (
            rowid,
            ledger_id,
            rowid,
            user_id,
            after,
            ledger_id,
            json.dumps(note | {"breaks": named, "recounted": recounted}),
            at_ms,
        ),
    )
    return BalanceRebuilt(
        wallet=command.wallet, before_micros=before, after_micros=after, rowid=rowid
    )


def operator_state(connection: sqlite3.Connection) -> OperatorState:
    """The hold and the override as stored."""
    held, held_by, held_why, override, override_by, override_why = connection.execute(
        "SELECT held, held_by, held_why, override, override_by, override_why FROM meta"
    ).fetchone()
    return OperatorState(
        held=bool(held),
        held_by=held_by,
        held_why=held_why,
        override=Override(override),
        override_by=override_by,
        override_why=override_why,
    )


def _ensure_account(connection: sqlite3.Connection, wallet: str, at_ms: EpochMs) -> bool:
    cursor = connection.execute(
        "INSERT INTO users (wallet_address, created_at_ms) VALUES (?, ?)"
        " ON CONFLICT (wallet_address) DO NOTHING",
        (wallet, at_ms),
    )
    return cursor.rowcount == 1


def _standing(connection: sqlite3.Connection, wallet: str) -> _Standing:
    sql = "SELECT id, balance, version FROM users WHERE wallet_address = ?"
    return _Standing(*connection.execute(sql, (wallet,)).fetchone())


def _is_the_same(command: Deposit, wallet: str, given_micros: Micros) -> bool:
    """Is it the deposit that was made with its reference?

    What is kept is what was given, so that deposits and ledger rows agree. One that may be cut is
    the same if it could have given that; what was asked for then is not known any more.
    """
    if command.balance_max_micros is None:
        return (command.wallet, command.amount_micros) == (wallet, given_micros)
    return command.wallet == wallet and given_micros <= command.amount_micros


def _room_micros(connection: sqlite3.Connection, command: Deposit) -> Micros | Refusal:
    """How much of it the balance may be raised by."""
    most = command.balance_max_micros
    if most is None:
        return command.amount_micros
    sql = "SELECT balance FROM users WHERE wallet_address = ?"
    (balance,) = connection.execute(sql, (command.wallet,)).fetchone() or (0,)
    if balance >= most:
        return Refusal(
            Code.LIMIT_REACHED,
            "The balance is as high as this may raise it.",
            {"balance_max_micros": most, "balance_micros": balance},
        )
    return min(command.amount_micros, most - balance)


def _credit(
    connection: sqlite3.Connection,
    command: Deposit,
    amount_micros: Micros,
    at_ms: EpochMs,
    ulids: UlidMaker,
) -> None:
    user_id = _standing(connection, command.wallet).user_id
    connection.execute(
        "INSERT INTO deposits (reference, user_id, amount_micros, by_whom, created_at_ms)"
        " VALUES (?, ?, ?, ?, ?)",
        (command.reference, user_id, amount_micros, command.by, at_ms),
    )
    wanted = Transfer(
        to=user_id,
        against=EXTERNAL_ID,
        amount_micros=amount_micros,
        ref_type="DEPOSIT",
        ref_id=command.reference,
        metadata={"by": command.by},
    )
    transfer(connection, wanted, at_ms=at_ms, ulids=ulids)
    next_seq(connection, user_id)
