"""What operators are shown of archive, backups, audits and disk, and what they may ask for."""

import structlog

from actors.gateway.asking import ask_archiver, ask_auditor, ask_backup_keeper
from actors.gateway.operators import operator_asks
from actors.gateway.ports import GatewayPorts
from actors.gateway.routes import Route
from domain.refusals import Refusal
from domain.units import EpochMs
from protocols.archive import ArchiveNow
from protocols.client_ops import REASON
from protocols.client_status import (
    ArchiveBegunJson,
    ArchiveStatusJson,
    AuditStatusJson,
    BackupJson,
    BackupStatusJson,
    DiskStatusJson,
    IntegrityJson,
    UpkeepJson,
)
from protocols.operations import ops

log = structlog.get_logger("ops")


class UpkeepRoutes:
    """Work that otherwise comes by itself, now."""

    def __init__(self, ports: GatewayPorts) -> None:
        self._ports = ports

    def routes(self) -> list[Route]:
        """All of them."""
        return [
            (ops.ARCHIVE, self.archive),
            (ops.BACKUP, self.backup),
            (ops.INTEGRITY, self.integrity),
        ]

    async def archive(self) -> ArchiveBegunJson | Refusal:
        """Archive what waits, without regard to earlier failures. The status shows how it goes."""
        who = await self._logged("archive")
        if isinstance(who, Refusal):
            return who
        begun = await ask_archiver(self._ports, ArchiveNow(by=who))
        return begun if isinstance(begun, Refusal) else {"waiting": begun.waiting}

    async def backup(self) -> BackupJson | Refusal:
        """Take a backup, and wait for it."""
        who = await self._logged("backup")
        if isinstance(who, Refusal):
            return who
        taken = await ask_backup_keeper(self._ports)
        if isinstance(taken, Refusal):
            return taken
        record = taken.record
        return {"key": taken.key, "taken_at_ms": record.taken_at_ms, "bytes": record.stored_bytes}

    async def integrity(self) -> IntegrityJson | Refusal:
        """Add the money up, and wait for it."""
        who = await self._logged("integrity")
        if isinstance(who, Refusal):
            return who
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

    async def _logged(self, what: str) -> str | Refusal:
        """Whose request this is, with its reason on record."""
        request = await operator_asks(self._ports, REASON)
        if isinstance(request, Refusal):
            return request
        who, why = request
        log.warning("ops_upkeep", who=who, what=what, why=why)
        return who


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
        "age_s": _age_s(archive.last_success_ms, now_ms),
        "waiting": archive.waiting,
        "archived": archive.archived,
        "purged": archive.purged,
        "now": archive.now,
        "done_bytes": archive.done_bytes,
        "total_bytes": archive.total_bytes,
        "failures": archive.failures,
        "last_failure": archive.last_failure,
    }


def _backups(ports: GatewayPorts, now_ms: EpochMs) -> BackupStatusJson:
    backups = ports.backups.value
    return {
        "age_s": _age_s(backups.last_success_ms, now_ms),
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
        "age_s": _age_s(audit.checked_at_ms, now_ms),
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


def _age_s(at_ms: EpochMs, now_ms: EpochMs) -> int | None:
    return (now_ms - at_ms) // 1000 if at_ms else None
