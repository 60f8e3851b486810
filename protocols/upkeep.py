"""What keeps the venue's data whole: archive, backups, audits, disk. Statuses, each a Watch.

The actors that publish them stand in `actors/archiver/`, `actors/backup_keeper.py`,
`actors/auditor.py` and `actors/disk_monitor.py`; status, metrics and the page read them.
"""

import attrs

from domain.archiving import ArchiveState as ArchiveState
from domain.disk import DiskLevel, DiskUse
from domain.units import EpochMs


@attrs.frozen(kw_only=True)
class RestoreStatus:
    """How archived weeks are brought back for reading."""

    now: str = ""
    """The Sunday of the week in hand; empty when there is none."""
    done_bytes: int = 0
    total_bytes: int = 0
    """Of what is being fetched or unpacked; 0 where it can't be known."""
    waiting: int = 0
    """Weeks that were asked for and are not here yet, the one in hand among them."""
    restored: int = 0
    last_restored: str = ""
    failures: int = 0
    """Since the venue started, as what follows."""
    last_failure: str = ""
    last_failure_ms: EpochMs | None = None


@attrs.frozen(kw_only=True)
class ArchiveStatus:
    """How the archive is doing (a Watch of the Archiver)."""

    last_success_ms: EpochMs = 0
    """The dead man's switch: when a partition was last archived and verified; before the first one,
    when the venue's first partition was opened. 0: not known yet."""
    waiting: int = 0
    """Closed partitions that are not in the archive yet."""
    archived: int = 0
    """Partitions in the archive, verified."""
    purged: int = 0
    """... of these, those whose local file was deleted."""
    now: str = ""
    """What is being done, e.g. `2026-02-01.db: compress`; empty when there is nothing to do."""
    done_bytes: int = 0
    total_bytes: int = 0
    """Of the step in hand; 0 where it can't be known."""
    failures: int = 0
    """Failed attempts since the venue started."""
    last_failure: str = ""
    last_failure_ms: EpochMs | None = None
    restores: RestoreStatus = attrs.field(factory=RestoreStatus)


@attrs.frozen(kw_only=True)
class BackupStatus:
    """How the backups are doing (a Watch of the BackupKeeper)."""

    last_success_ms: EpochMs = 0
    """When the newest verified backup was taken, also by an earlier life. 0: never."""
    last_key: str = ""
    last_bytes: int = 0
    """As stored, compressed."""
    took_ms: int = 0
    taken: int = 0
    failures: int = 0
    """Since the venue started."""
    last_failure: str = ""
    last_failure_ms: EpochMs | None = None


@attrs.frozen(kw_only=True)
class AuditStatus:
    """Whether the money adds up (a Watch of the Auditor)."""

    checked_at_ms: EpochMs = 0
    """When a full check last ended. 0: none yet in this life of the venue."""
    drifts: int = 0
    """What it found; 0 is as it must be."""
    first_drift: str = ""
    took_ms: int = 0
    failures: int = 0
    """Checks that could not be carried out."""
    verified_rowid: int = 0
    """Ledger rows up to here were found to add up, by a full check or a partial one."""


@attrs.frozen(kw_only=True)
class DiskStatus:
    """How full the data folder's disk is (a Watch of the DiskMonitor)."""

    level: DiskLevel = DiskLevel.NORMAL
    use: DiskUse | None = None
    """None until it was looked at."""
    looked_at_ms: EpochMs = 0
    failures: int = 0
    """Looks that failed; the level stays as it was."""
