"""What operators are shown of archive, backups, audits and disk."""

from actors.gateway.ports import GatewayPorts
from domain.units import EpochMs
from protocols.client_answers import Json


def upkeep_json(ports: GatewayPorts, now_ms: EpochMs) -> Json:
    """One object for each of them; ages in seconds, null where it has not happened yet."""
    return {
        "archive": _archive(ports, now_ms),
        "backups": _backups(ports, now_ms),
        "audit": _audit(ports, now_ms),
        "disk": _disk(ports),
    }


def _archive(ports: GatewayPorts, now_ms: EpochMs) -> Json:
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


def _backups(ports: GatewayPorts, now_ms: EpochMs) -> Json:
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


def _audit(ports: GatewayPorts, now_ms: EpochMs) -> Json:
    audit = ports.audit.value
    return {
        "age_s": _age_s(audit.checked_at_ms, now_ms),
        "drifts": audit.drifts,
        "first_drift": audit.first_drift,
        "took_ms": audit.took_ms,
        "failures": audit.failures,
        "verified_rowid": audit.verified_rowid,
    }


def _disk(ports: GatewayPorts) -> Json:
    disk = ports.disk.value
    use = disk.use
    return {
        "level": disk.level.value,
        "total_bytes": use.total_bytes if use is not None else None,
        "free_bytes": use.free_bytes if use is not None else None,
        "failures": disk.failures,
    }


def _age_s(at_ms: EpochMs, now_ms: EpochMs) -> int | None:
    return (now_ms - at_ms) // 1000 if at_ms else None
