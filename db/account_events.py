"""Events of an account that are about no money: what it is when it has changed.

Within the transaction that the ledger has open.
"""

import sqlite3

from db.limit_commands import limits_of
from db.transfers import next_seq
from domain.self_limits import SelfLimits, in_force
from domain.units import EpochMs
from protocols.account_commands import AccountChange, AccountChanged


def account_changed(
    connection: sqlite3.Connection,
    user_id: int,
    what: AccountChange,
    *,
    at_ms: EpochMs,
    reference: str = "",
) -> AccountChanged:
    """The event that tells a trader of it, with the account as it stands now."""
    seq = next_seq(connection, user_id)
    limits = limits_of(connection, user_id) or SelfLimits()
    sql = "SELECT wallet_address, frozen FROM users WHERE id = ?"
    wallet, frozen = connection.execute(sql, (user_id,)).fetchone()
    return AccountChanged(
        user_id=user_id,
        wallet=wallet,
        seq=seq,
        what=what,
        frozen=bool(frozen),
        limits=in_force(limits, at_ms),
        reference=reference,
    )
