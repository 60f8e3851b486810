"""Limits that traders set for themselves, in the ledger.

Each function works within the transaction that the ledger has open. They are enforced in
`intake.sql`; what becomes of a change is decided by `domain.self_limits`.
"""

import sqlite3

from db.settlement import CommandFault
from domain.refusals import Refusal
from domain.units import EpochMs
from protocols.account_commands import AccountChanged, SetLimits


def set_limits(
    connection: sqlite3.Connection, command: SetLimits, *, at_ms: EpochMs
) -> AccountChanged | Refusal:
    """Change an account's limits; an event of the trader."""
    raise CommandFault(f"{command} at {at_ms}")
