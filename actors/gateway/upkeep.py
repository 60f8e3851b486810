"""What operators are shown of archive, backups, audits and disk, and what they may ask for."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from actors.gateway.asgi import Answer, json_answer
from actors.gateway.asking import ask_archiver, ask_auditor, ask_backup_keeper, ask_restore
from actors.gateway.attention import age_s
from actors.gateway.operators import Operators, Told
from actors.gateway.ports import GatewayPorts
from actors.gateway.routes import Route, read_body
from domain.refusals import Refusal
from domain.units import EpochMs
from protocols.archive import ArchiveNow, RestoreWeek
from protocols.client_ops import REASON
from protocols.client_orders import RestoreBegunJson
from protocols.client_status import (
    ArchiveBegunJson,
    ArchiveStatusJson,
    AuditStatusJson,
    BackupJson,
    BackupStatusJson,
    DiskStatusJson,
    IntegrityJson,
    RestoreStatusJson,
    UpkeepJson,
)
from protocols.operations import ops
from protocols.upkeep import RestoreStatus

A = TypeVar("A")


class UpkeepRoutes:
    """Work that otherwise comes by itself, now; and weeks brought back from the archive."""

    def __init__(self, ports: GatewayPorts, operators: Operators) -> None:
        self._ports = ports
        self._operators = operators

    def routes(self) -> list[Route]:
        """All of them."""
        return [
            (ops.ARCHIVE, self.archive),
            (ops.BACKUP, self.backup),
            (ops.INTEGRITY, self.integrity),
            (ops.RESTORE, self.restore),
        ]

    async def archive(self) -> ArchiveBegunJson | Refusal:
        """Archive what waits, without regard to earlier failures. The status shows how it goes."""
        return await self._order("archive", self._archive)

    async def _archive(self, who: str, _: str) -> ArchiveBegunJson | Refusal:
        begun = await ask_archiver(self._ports, ArchiveNow(by=who))
        return begun if isinstance(begun, Refusal) else {"waiting": begun.waiting}

    async def backup(self) -> BackupJson | Refusal:
        """Take a backup, and wait for it."""
        return await self._order("backup", self._backup)

    async def _backup(self, _who: str, _why: str) -> BackupJson | Refusal:
        taken = await ask_backup_keeper(self._ports)
        if isinstance(taken, Refusal):
            return taken
        record = taken.record
        return {"key": taken.key, "taken_at_ms": record.taken_at_ms, "bytes": record.stored_bytes}

    async def integrity(self) -> IntegrityJson | Refusal:
        """Add the money up, and wait for it."""
        return await self._order("integrity", self._integrity)

    async def _integrity(self, _who: str, _why: str) -> IntegrityJson | Refusal:
        report = await ask_auditor(self._ports)
        if isinstance(report, Refusal):
            return report
        return {
            "clean": report.clean,
            "accounts": report.accounts,
            "ledger_rows": report.ledger_rows,
            "bets": report.bets,
            "drifts": [
                {"what": d.what, "where": d.where, "expected": d.expected, "found": d.found}
                for d in report.drifts
            ],
        }

    async def restore(self, week: str) -> Answer | Refusal:
        """Have an archived week brought back for reading, in the background."""

        async def begin(who: str, _: str) -> Answer | Refusal:
            begun = await ask_restore(self._ports, RestoreWeek(week=week, by=who))
            if isinstance(begun, Refusal):
                return begun
            body: RestoreBegunJson = {"week": begun.week, "already_here": begun.already_here}
            return json_answer(body, status=202)

        return await self._order("restore", begin, subject=week)

    async def _order(
        self, what: str, do: Callable[[str, str], Awaitable[A | Refusal]], *, subject: str = ""
    ) -> A | Refusal:
        """An order that says no more than why."""
        return await self._operators.order(
            partial(read_body, self._ports, REASON), lambda why: Told(what, subject, why), do
        )


def upkeep_json(ports: GatewayPorts, now_ms: EpochMs) -> UpkeepJson:
    """One object for each of them; ages in seconds, null where it has not happened yet."""
    return {
        "archive": _archive(ports, now_ms),
        "backups": _backups(ports, now_ms),
        "audit": _audit(ports, now_ms),
        "disk": _disk(ports),
    }


def _archive(ports: GatewayPorts, now_ms: EpochMs) -> ArchiveStatusJson:
    archive = ports.archive.value
    return {
        "age_s": age_s(archive.last_success_ms, now_ms),
        "waiting": archive.waiting,
        "archived": archive.archived,
        "purged": archive.purged,
        "now": archive.now,
        "done_bytes": archive.done_bytes,
        "total_bytes": archive.total_bytes,
        "failures": archive.failures,
        "last_failure": archive.last_failure,
        "restores": _restores(archive.restores),
    }


def _restores(restores: RestoreStatus) -> RestoreStatusJson:
    return {
        "now": restores.now,
        "done_bytes": restores.done_bytes,
        "total_bytes": restores.total_bytes,
        "waiting": restores.waiting,
        "restored": restores.restored,
        "last_restored": restores.last_restored,
        "failures": restores.failures,
        "last_failure": restores.last_failure,
    }


def _backups(ports: GatewayPorts, now_ms: EpochMs) -> BackupStatusJson:
    backups = ports.backups.value
    return {
        "age_s": age_s(backups.last_success_ms, now_ms),
        "last": backups.last_key,
        "bytes": backups.last_bytes,
        "took_ms": backups.took_ms,
        "taken": backups.taken,
        "failures": backups.failures,
        "last_failure": backups.last_failure,
    }


def _audit(ports: GatewayPorts, now_ms: EpochMs) -> AuditStatusJson:
    audit = ports.audit.value
    return {
        "age_s": age_s(audit.checked_at_ms, now_ms),
        "drifts": audit.drifts,
        "first_drift": audit.first_drift,
        "took_ms": audit.took_ms,
        "failures": audit.failures,
        "verified_rowid": audit.verified_rowid,
    }


def _disk(ports: GatewayPorts) -> DiskStatusJson:
    disk = ports.disk.value
    use = disk.use
    return {
        "level": disk.level,
        "total_bytes": use.total_bytes if use is not None else None,
        "free_bytes": use.free_bytes if use is not None else None,
        "failures": disk.failures,
    }
