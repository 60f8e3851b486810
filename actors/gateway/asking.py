"""Asking the other actors for what is no bet: the answer, or the refusal that a client is told."""

from typing import Final, TypeVar

from actors.gateway.bets import refusal_of
from actors.gateway.ports import GatewayPorts
from actors.gateway.routes import bearer
from domain.refusals import Code, Refusal
from protocols.accounts import IntegrityReport
from protocols.archive import ArchiveBegun, ArchiveNow, RestoreBegun, RestoreWeek
from protocols.auditing import CheckIntegrity
from protocols.backup import BackupTaken, TakeBackup
from protocols.market import FeedStatus, SetOverride
from protocols.money import CommandFailed, MoneyCommand, MoneyOutcome
from protocols.sign_in import Authenticate, Session, SignInCommand
from supervisor import Refused, StatusUnknown, ask

ANSWER_WITHIN_S: Final = 5
WORK_WITHIN_S: Final = 60
"""Backups and full checks take seconds per million bets."""

A = TypeVar("A")


async def ask_sign_in(ports: GatewayPorts, command: SignInCommand, kind: type[A]) -> A | Refusal:
    """Ask the SessionManager. Nothing is lost with an answer that did not come: `overloaded`."""
    outcome = await ask(ports.sign_in, command, within_s=ANSWER_WITHIN_S)
    if isinstance(outcome, StatusUnknown):
        return Refusal(Code.OVERLOADED)
    if isinstance(outcome, Refused):
        return refusal_of(outcome, draining=ports.draining.value)
    return _expected(outcome, kind)


async def ask_money(ports: GatewayPorts, command: MoneyCommand, kind: type[A]) -> A | Refusal:
    """Ask the Batcher. Without an answer it may have been done: `status_unknown`."""
    within_s = ports.settings.answer_within_ms / 1000
    answer: MoneyOutcome | Refused | StatusUnknown
    answer = await ask(ports.money, command, within_s=within_s)
    outcome = _certain(ports, answer)
    if isinstance(outcome, CommandFailed):
        return Refusal(Code.INTERNAL)
    return _expected(outcome, kind)


async def ask_circuit(ports: GatewayPorts, command: SetOverride) -> FeedStatus | Refusal:
    """Ask the HealthMonitor."""
    outcome = await ask(ports.circuit, command, within_s=ANSWER_WITHIN_S)
    return _certain(ports, outcome)


async def ask_archiver(ports: GatewayPorts, command: ArchiveNow) -> ArchiveBegun | Refusal:
    """Have closed weeks archived now; the answer does not wait for it."""
    outcome = await ask(ports.archive_requests, command, within_s=ANSWER_WITHIN_S)
    return _certain(ports, outcome)


async def ask_restore(ports: GatewayPorts, command: RestoreWeek) -> RestoreBegun | Refusal:
    """Have an archived week brought back; the answer does not wait for it."""
    outcome = await ask(ports.restore_requests, command, within_s=ANSWER_WITHIN_S)
    return _certain(ports, outcome)


async def ask_backup_keeper(ports: GatewayPorts) -> BackupTaken | Refusal:
    """Have a backup taken; it may be there yet when the answer does not come in time."""
    outcome = await ask(ports.backup_requests, TakeBackup(), within_s=WORK_WITHIN_S)
    return _certain(ports, outcome)


async def ask_auditor(ports: GatewayPorts) -> IntegrityReport | Refusal:
    """Have the money added up."""
    outcome = await ask(ports.check_requests, CheckIntegrity(), within_s=WORK_WITHIN_S)
    return _certain(ports, outcome)


async def authenticate(ports: GatewayPorts, token: str) -> Session | Refusal:
    """Whose token is this?"""
    return await ask_sign_in(ports, Authenticate(token=token), Session)


async def session_of(ports: GatewayPorts) -> Session | Refusal:
    """Whose bearer token has the request in hand?"""
    token = bearer()
    return token if isinstance(token, Refusal) else await authenticate(ports, token)


def _certain(ports: GatewayPorts, outcome: A | Refused | StatusUnknown) -> A | Refusal:
    if isinstance(outcome, StatusUnknown):
        return Refusal(Code.STATUS_UNKNOWN)
    if isinstance(outcome, Refused):
        return refusal_of(outcome, draining=ports.draining.value)
    return outcome


def _expected(outcome: object, kind: type[A]) -> A | Refusal:
    if isinstance(outcome, (kind, Refusal)):
        return outcome
    raise TypeError(f"asked for {kind.__name__}, answered {type(outcome).__name__}")
