"""The Auditor: has the ledger checked, again and again, and says so when it does not add up.

Daily it has every row added up again; every few minutes those written since the last verified one,
and when they are clean it has the Batcher move that mark, so that a start has little to check. It
reads on a connection and a thread of its own, and never corrects anything: drift is shown, as long
as a later full check has not found it gone, and an operator decides (`tapgrid integrity`).
"""

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias, TypeVar

import attrs
import structlog
import trio

from domain.auditing import FULL_CHECK_AGAIN_AFTER_S, full_check_in_s
from domain.refusals import Code, Refusal
from protocols.accounts import Audit, Drift, IntegrityReport
from protocols.auditing import CheckIntegrity, LedgerChecks, LedgerUncheckable
from protocols.money import (
    DriftReported,
    MarkedVerified,
    MarkVerified,
    MoneyCommand,
    MoneyOutcome,
    ReportDrift,
)
from protocols.ports import Clock, Work, Worker, WorkStopped
from protocols.upkeep import AuditStatus
from protocols.work import FollowedWork
from supervisor import Ask, EndOfMailbox, Life, Mailbox, Watch, ask

log = structlog.get_logger("auditor")

MoneyAsk: TypeAlias = Ask[MoneyCommand, MoneyOutcome]
CheckAsk: TypeAlias = Ask[CheckIntegrity, IntegrityReport | Refusal]

CHECK_WITHIN_S: Final = 600.0
"""A full check takes some 10 s per million bets."""
MARK_WITHIN_S: Final = 5.0
DRIFTS_LOGGED_MAX: Final = 20

T = TypeVar("T")


@attrs.frozen(kw_only=True)
class AuditorPorts:
    """What the Auditor needs of the venue."""

    checks: LedgerChecks
    worker: Worker
    """Of its own: a check takes seconds."""
    commands: Mailbox[CheckAsk]
    money: Mailbox[MoneyAsk]
    status: Watch[AuditStatus]
    clock: Clock
    full_every_s: int
    partial_every_s: int


async def run(life: Life, ports: AuditorPorts) -> None:
    """Check when it is time and when asked, until asked to stop."""
    auditor = _Auditor(life, ports)
    async with ports.commands.reader(life) as reader:
        life.ready()
        while True:
            try:
                asked = await reader.receive_before(auditor.next_at())
            except EndOfMailbox:
                return
            if asked is None:
                await auditor.check_what_is_due()
            elif not asked.expired():
                asked.answer(await auditor.check_all())
            reader.done()


class _Auditor:
    """Its times are trio's; what it found is in the status, which outlives it."""

    def __init__(self, life: Life, ports: AuditorPorts) -> None:
        self._life = life
        self._ports = ports
        now_s, now_ms = trio.current_time(), ports.clock.now_ms()
        checked_at_ms = ports.status.value.checked_at_ms
        # An earlier life may have told the ledger: it is told anew when all is well.
        self._told_of_drift = ports.status.value.drifts > 0
        self._full_at = now_s + full_check_in_s(
            checked_at_ms=checked_at_ms, now_ms=now_ms, every_s=ports.full_every_s
        )
        self._partial_at = now_s + ports.partial_every_s

    def next_at(self) -> float:
        """When the next check is due."""
        return min(self._full_at, self._partial_at)

    async def check_what_is_due(self) -> None:
        """A full check, a partial one, or both."""
        now_s = trio.current_time()
        if now_s >= self._full_at:
            await self.check_all()
        if now_s >= self._partial_at:
            await self._check_new()

    async def check_all(self) -> IntegrityReport | Refusal:
        """Look at every row, and show what was found."""
        began = trio.current_time()
        self._full_at = began + min(self._ports.full_every_s, FULL_CHECK_AGAIN_AFTER_S)
        report = await self._look("full", lambda work: self._ports.checks.full(work=work))
        if isinstance(report, Refusal):
            return report
        ended = trio.current_time()
        self._full_at = ended + self._ports.full_every_s
        took_ms = round((ended - began) * 1000)
        self._ports.status.set(
            attrs.evolve(
                _with_drift(self._ports.status.value, report.drifts),
                checked_at_ms=self._ports.clock.now_ms(),
                took_ms=took_ms,
            )
        )
        counts = {"rows": report.ledger_rows, "bets": report.bets, "accounts": report.accounts}
        log.info("ledger_checked", drifts=len(report.drifts), took_ms=took_ms, **counts)
        _alert(report.drifts)
        await self._tell_ledger()
        return report

    async def _check_new(self) -> None:
        """Look at what is new. Drift that was found before stays shown: this did not look at it."""
        self._partial_at = trio.current_time() + self._ports.partial_every_s
        audit = await self._look("partial", lambda work: self._ports.checks.partial(work=work))
        if isinstance(audit, Refusal):
            return
        if not audit.drifts:
            await self._mark(audit)
            return
        status = self._ports.status
        if len(audit.drifts) > status.value.drifts:
            status.set(_with_drift(status.value, audit.drifts))
        _alert(audit.drifts)
        await self._tell_ledger()

    async def _mark(self, audit: Audit) -> None:
        """Have it kept how far the ledger adds up. If that fails the next check says it again."""
        command, status = MarkVerified(rowid=audit.rowid), self._ports.status
        outcome = await ask(self._ports.money, command, within_s=MARK_WITHIN_S)
        if isinstance(outcome, MarkedVerified):
            status.set(attrs.evolve(status.value, verified_rowid=audit.rowid))
        else:
            log.warning("mark_not_moved", rowid=audit.rowid, outcome=repr(outcome)[:200])

    async def _tell_ledger(self) -> None:
        """So that it begins no week on such money. If that fails the next check says it again."""
        shown = self._ports.status.value
        if shown.drifts == 0 and not self._told_of_drift:
            return
        command = ReportDrift(drifts=shown.drifts, first=shown.first_drift)
        outcome = await ask(self._ports.money, command, within_s=MARK_WITHIN_S)
        if isinstance(outcome, DriftReported):
            self._told_of_drift = shown.drifts > 0
        else:
            log.warning("drift_not_reported", outcome=repr(outcome)[:200])

    async def _look(self, kind: str, check: Callable[[Work], T]) -> T | Refusal:
        """What the check found, unless it could not be carried out or the venue stops."""
        work = FollowedWork()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._tell_to_end, work)
            try:
                return await self._ports.worker.run(lambda: check(work))
            except WorkStopped:
                if self._life.stopping.is_set():
                    return Refusal(Code.DRAINING)
                return self._failed(kind, f"not done within {CHECK_WITHIN_S:g} s")
            except LedgerUncheckable as error:
                return self._failed(kind, str(error))
            finally:
                nursery.cancel_scope.cancel()

    async def _tell_to_end(self, work: FollowedWork) -> None:
        try:
            await self._life.sleep_or_stop(CHECK_WITHIN_S)
        finally:
            # Also when the life is cancelled, which has to wait for the call.
            work.told = True

    def _failed(self, kind: str, why: str) -> Refusal:
        log.error("ledger_not_checked", kind=kind, why=why)
        before = self._ports.status.value
        self._ports.status.set(attrs.evolve(before, failures=before.failures + 1))
        return Refusal(Code.STORE_UNAVAILABLE, f"The ledger could not be checked: {why}")


def _with_drift(status: AuditStatus, drifts: Sequence[Drift]) -> AuditStatus:
    first = drifts[0].text if drifts else ""
    return attrs.evolve(status, drifts=len(drifts), first_drift=first)


def _alert(drifts: Sequence[Drift]) -> None:
    """Each one in the log, up to a number that can be read; the CLI shows all."""
    for drift in drifts[:DRIFTS_LOGGED_MAX]:
        log.critical("ledger_drift", **attrs.asdict(drift))
    if len(drifts) > DRIFTS_LOGGED_MAX:
        log.critical("ledger_drifts_more", drifts=len(drifts), logged=DRIFTS_LOGGED_MAX)
