"""`tapgrid backup`: copy the money away now, also while a venue runs; or list what there is."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from actors.commands.exits import OK
from actors.commands.objects import backups_in_words, object_store
from actors.commands.step_bars import StepBars, interruptible
from config.settings import ArchiveSettings
from db.backup import FolderBackups, list_backups
from db.data_folder import DataFolder
from db.disk_probe import StatvfsProbe
from domain.backups import Backup
from domain.units import EpochMs
from protocols.backup import BackupRecord
from supervisor.clock import SystemClock


def backup(archive: ArchiveSettings, *, data: Path, out: TextIO, progress: TextIO) -> int:
    """Take one. Raises CannotDo if it can't be taken or is not good; then there is none."""
    folder = DataFolder.existing(data)
    backups = FolderBackups(
        folder=folder,
        objects=object_store(archive, data=data),
        probe=StatvfsProbe(folder.path),
    )
    with backups_in_words(), StepBars(progress) as work:
        at_ms = SystemClock().now_ms()
        taken = interruptible(lambda: backups.take(at_ms=at_ms, work=work), work)
    sizes = f"{taken.record.stored_bytes:,} bytes (unpacked {taken.record.plain_bytes:,})"
    out.write(f"{taken.key}: {sizes}\n{content_line(taken.record)}\n")
    return OK


def list_stored(archive: ArchiveSettings, *, data: Path, out: TextIO) -> int:
    """Every backup, oldest first. The data folder need not be there any more."""
    objects = object_store(archive, data=data)
    with backups_in_words():
        backups = list_backups(objects)
    complete = sum(backup.complete for backup in backups)
    out.writelines(f"{_line(backup)}\n" for backup in backups)
    noun = "backup" if complete == 1 else "backups"
    out.write(f"{complete:,} complete {noun} in {objects.place}\n")
    return OK


def content_line(record: BackupRecord) -> str:
    """What is in a backup that was checked, in the words of `tapgrid integrity`."""
    return (
        f"checked {record.accounts:,} accounts, {record.ledger_rows:,} ledger rows, "
        f"{record.bets:,} bets: zero drift"
    )


def utc(at_ms: EpochMs) -> str:
    """E.g. `2026-11-20 12:00:00 UTC`."""
    return f"{datetime.fromtimestamp(at_ms // 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _line(backup: Backup) -> str:
    note = "" if backup.complete else "  (incomplete)"
    return f"{utc(backup.taken_at_ms)}  {backup.bytes:>15,} bytes  {backup.key}{note}"
