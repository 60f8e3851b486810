"""What operators do to accounts and columns: adjustments, freezing, giving a column back.

Each function works within the transaction that the ledger has open.
"""

import sqlite3

from db.settlement import CommandFault
from db.ulid import UlidMaker
from domain.refusals import Refusal
from domain.units import EpochMs
from protocols.account_commands import (
    AccountChanged,
    Adjust,
    Adjusted,
    ColumnVoidOrdered,
    SetFrozen,
    VoidColumn,
)


def adjust(
    connection: sqlite3.Connection, command: Adjust, *, at_ms: EpochMs, ulids: UlidMaker
) -> Adjusted | Refusal:
    """Move money between a trader and the house, once per reference."""
    raise CommandFault(f"{command} at {at_ms}, {ulids}")


def set_frozen(
    connection: sqlite3.Connection, command: SetFrozen, *, at_ms: EpochMs
) -> AccountChanged | Refusal:
    """Freeze or unfreeze an account; an event of the trader."""
    raise CommandFault(f"{command} at {at_ms}")


def void_column(
    connection: sqlite3.Connection, command: VoidColumn, *, at_ms: EpochMs
) -> ColumnVoidOrdered | Refusal:
    """Note that a column is to be given back."""
    raise CommandFault(f"{command} at {at_ms}")
