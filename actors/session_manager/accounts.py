"""What sign-in asks of the ledger, and what is told of an answer that did not come."""

from typing import Final, TypeAlias, TypeVar

import structlog

from domain.refusals import Code, Refusal
from protocols.money import MoneyCommand, MoneyOutcome
from supervisor import Ask, Mailbox, Refused, RefusedBecause, StatusUnknown, ask

log = structlog.get_logger("session_manager")

MoneyMailbox: TypeAlias = Mailbox[Ask[MoneyCommand, MoneyOutcome]]

LEDGER_WITHIN_S: Final = 4
"""A second less than the Gateway waits for a sign-in: the client is told what did not answer."""

A = TypeVar("A")


async def ask_ledger(money: MoneyMailbox, command: MoneyCommand, kind: type[A]) -> A | Refusal:
    """The outcome of the command. `status_unknown`: it may have been carried out, or may yet be."""
    outcome = await ask(money, command, within_s=LEDGER_WITHIN_S)
    if isinstance(outcome, (kind, Refusal)):
        return outcome
    match outcome:
        case Refused(reason=RefusedBecause.CLOSED):
            return Refusal(Code.DRAINING)
        case Refused():
            return Refusal(Code.OVERLOADED)
        case StatusUnknown():
            return Refusal(Code.STATUS_UNKNOWN, "The ledger did not answer in time; try again.")
    log.error("ledger_failed", command=type(command).__name__, outcome=repr(outcome)[:200])
    return Refusal(Code.INTERNAL)
