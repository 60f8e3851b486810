"""What clients are told where the ledger's files can't be read: neither their fault nor a defect.

A disk that fails, a file that somebody moved: what was asked may be asked again once an operator
has mended it, and it is his to be told why.
"""

import structlog

from domain.refusals import Code, Refusal
from protocols.ports import LedgerUnreadable

log = structlog.get_logger("gateway")


def unreadable(error: LedgerUnreadable) -> Refusal:
    """`store_unavailable`, and a line for the operators."""
    log.error("ledger_unreadable", why=str(error))
    return Refusal(Code.STORE_UNAVAILABLE)
