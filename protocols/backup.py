"""Backups: the record that is put beside each, the port to them, and the order to take one."""

import re
from collections.abc import Sequence
from typing import Final, Literal, Protocol

import attrs
import msgspec

from domain.backups import Backup, Retention
from domain.units import EpochMs
from protocols.ports import Work

RECORD_BYTES_MAX: Final = 64 * 1024
"""A record is about a kilobyte."""

_PARTITION: Final = re.compile(r"\d{4}-\d\d-\d\d\.db", re.ASCII)
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


class BackupFailed(Exception):
    """The backup could not be taken, or is not good: damaged, or its money does not add up.

    Its text says which. Nothing that looks like a good backup was left.
    """


class BackupBusy(Exception):
    """Another process is taking a backup of this data folder."""


class BackupWork(Work, Protocol):
    """Follows a backup or a restore: which step it is in, and how far that is."""

    def begin(self, step: str) -> None:
        """A step begins; what `step` (of `Work`) says from now on is of this one."""
        ...


# --- the record -------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class Migrated:
    """One migration of a file's schema."""

    number: int
    sha256: str


@attrs.frozen(kw_only=True)
class BackupRecord:
    """What is in a backup, as JSON beside it. Its being there makes the backup complete."""

    version: Literal[1] = 1
    partition: str
    """The file it is a copy of, e.g. `2026-11-15.db`."""
    taken_at_ms: EpochMs
    mode: str
    """Of the venue: `demo` or `production`."""
    chain_id: int
    manifest: str
    """The text of the money folder's manifest, which names the partition."""
    plain_bytes: int
    plain_sha256: str
    """Of the database file."""
    stored_bytes: int
    stored_sha256: str
    """Of the object: the file, compressed."""
    ledger_rowid: int
    """The newest ledger row in it."""
    high_ms: EpochMs
    """The highest time by which a batch in it was judged."""
    accounts: int
    ledger_rows: int
    bets: int
    migrations: tuple[Migrated, ...]


def record_to_json(record: BackupRecord) -> bytes:
    """As it is stored."""
    return msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n"


def record_from_json(text: bytes) -> BackupRecord:
    """Raises BackupFailed for text that `record_to_json` did not write."""
    try:
        record = msgspec.json.decode(text, type=BackupRecord)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BackupFailed(f"the backup's record can't be read: {error}") from error
    # The name becomes a path and the hashes decide what is written there.
    if not _PARTITION.fullmatch(record.partition):
        raise BackupFailed(f"the backup's record names {record.partition[:40]!r}, which is no week")
    if not (_SHA256.fullmatch(record.plain_sha256) and _SHA256.fullmatch(record.stored_sha256)):
        raise BackupFailed("the backup's record holds what is no SHA-256")
    return record


# --- the port ---------------------------------------------------------------------------------


class Backups(Protocol):
    """The backups of one venue. Methods block: call them through a Worker.

    Every one may raise ObjectStoreFailed (protocols.ports).
    """

    def newest(self) -> Backup | None:
        """The newest complete one, by whichever process it was taken."""
        ...

    def take(self, *, at_ms: EpochMs, work: BackupWork) -> "BackupTaken":
        """Copy the current file away, verified; on return the backup is complete.

        Raises BackupFailed, BackupBusy or WorkStopped.
        """
        ...

    def remove_surplus(self, *, keep: Retention, now_ms: EpochMs, work: Work) -> Sequence[str]:
        """Delete those that are not kept any more; the keys of the deleted. Raises WorkStopped."""
        ...


# --- messages ---------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class TakeBackup:
    """Take one now. Answered with BackupTaken, or a Refusal that says why there is none."""


@attrs.frozen(kw_only=True)
class BackupTaken:
    """A backup is complete: read back and found good."""

    key: str
    record: BackupRecord
