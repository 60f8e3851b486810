"""Withdrawals in the ledger: requested by traders, decided by operators, and the bankroll's.

Each function works within the transaction that the ledger has open. All of them stand against
`external`, like deposits.
"""

import sqlite3

from db.settlement import CommandFault
from db.ulid import UlidMaker
from domain.refusals import Refusal
from domain.units import EpochMs
from protocols.account_commands import (
    BankrollWithdrawn,
    DecideWithdrawal,
    RequestWithdrawal,
    WithdrawalDecided,
    WithdrawalRequested,
    WithdrawBankroll,
)


def request_withdrawal(
    connection: sqlite3.Connection, command: RequestWithdrawal, *, at_ms: EpochMs, ulids: UlidMaker
) -> WithdrawalRequested | Refusal:
    """Take the money out of the balance, once per nonce."""
    raise CommandFault(f"{command} at {at_ms}, {ulids}")


def decide_withdrawal(
    connection: sqlite3.Connection, command: DecideWithdrawal, *, at_ms: EpochMs, ulids: UlidMaker
) -> WithdrawalDecided | Refusal:
    """Mark it paid, or give the money back."""
    raise CommandFault(f"{command} at {at_ms}, {ulids}")


def withdraw_bankroll(
    connection: sqlite3.Connection, command: WithdrawBankroll, *, at_ms: EpochMs, ulids: UlidMaker
) -> BankrollWithdrawn | Refusal:
    """Take money out of the house, as long as the rest pays every open bet."""
    raise CommandFault(f"{command} at {at_ms}, {ulids}")
