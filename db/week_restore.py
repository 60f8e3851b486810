"""Bring one archived week back for reading: into `money/restored/`, beside the money.

The week is fetched, unpacked and looked at under another name, and gets its own only when all of
it is right: whoever reads the folder, a running venue too, finds it whole or not at all. Both
hashes must be those on record; where the record was lost, the ledger in it must be the one that the
current file says there was. Nothing else is touched, and no lock of the venue's is needed.
"""

import sqlite3
from pathlib import Path
from typing import Final

import attrs

from db.archive_record import ArchiveRecord, ArchiveRow, RecordMismatch
from db.archive_steps import Damaged, fetch, sound_facts
from db.archive_week import NoRoom, is_that_week, need_room, object_key
from db.closed_weeks import ClosedWeek, weeks_of
from db.durable_file import sync_folder
from db.file_lock import FileLock, Locked
from db.partition import ManifestBroken
from db.sqlite_connection import DatabaseMissing
from db.weekly_reader import RESTORED
from protocols.archive import ArchiveUnusable, RestoreFailed, WeekRestored
from protocols.ports import DiskProbe, ObjectMissing, ObjectStore, ObjectStoreFailed, Work

UNCHECKED: Final = ".unchecked"
"""What a week is called until it is known to be right. No reader looks for such names."""


class NoSuchWeek(Exception):
    """The venue has no closed week of that name."""


class NotThatWeek(Exception):
    """What stands in the archive is not what was put there, or not that week."""


_UNREADABLE: Final = (ManifestBroken, DatabaseMissing, sqlite3.Error, OSError)
"""What reading the ledger's list of weeks raises."""
_FAILURES: Final = (
    *(NoSuchWeek, NotThatWeek, Damaged, NoRoom, RecordMismatch),
    *(ObjectMissing, ObjectStoreFailed, *_UNREADABLE),
)


@attrs.frozen(kw_only=True)
class RestoredWeek:
    """Where it can be read, and what was done for it."""

    file: Path
    already: bool = False
    """It could be read before: nothing was fetched."""
    bytes: int = 0
    stored_bytes: int = 0
    ledger_rows: int = 0
    bets: int = 0


def restore_week(
    data: Path, name: str, store: ObjectStore, *, probe: DiskProbe, work: Work
) -> RestoredWeek:
    """Bring the week of that file name, e.g. `2026-02-01.db`, back.

    Raises NoSuchWeek, NotThatWeek, Damaged (db.archive_steps), NoRoom (db.archive_week), Locked
    (db.file_lock) if another does the same, ObjectMissing, ObjectStoreFailed, WorkStopped, and what
    reading the ledger's list of weeks raises. Nothing is left then.
    """
    weeks = weeks_of(data / "money")
    week = weeks.closed.get(name)
    if week is None:
        raise NoSuchWeek(f"there is no closed week {name.removesuffix('.db')} here")
    if (file := _readable(data, name)) is not None:
        return RestoredWeek(file=file, already=True)
    folder = data / "money" / RESTORED
    folder.mkdir(mode=0o700, exist_ok=True)
    with FileLock(folder / ".lock").held():
        return _bring_back(folder, week, _on_record(data, week), store, probe, work)


def _readable(data: Path, name: str) -> Path | None:
    """Where the week can be read now."""
    places = (data / "money" / name, data / "money" / RESTORED / name)
    return next((file for file in places if file.is_file()), None)


def _bring_back(
    folder: Path,
    week: ClosedWeek,
    row: ArchiveRow | None,
    store: ObjectStore,
    probe: DiskProbe,
    work: Work,
) -> RestoredWeek:
    key = row.key if row is not None else object_key(week.name)
    unchecked = folder / f"{week.name}{UNCHECKED}"

    def room(bytes_: int) -> None:
        need_room(probe, bytes_, f"restore {week.name}")

    if row is not None:
        room((row.bytes or 0) + (row.compressed_bytes or 0))
    try:
        sizes = fetch(store, key, unchecked, need_room=room, work=work)
        if row is not None and (sizes.stored_sha256, sizes.plain_sha256) != (
            row.compressed_sha256,
            row.sha256,
        ):
            raise NotThatWeek(
                f"{key} in {store.place} is not what was put there: its SHA-256 is"
                f" {sizes.stored_sha256}, unpacked {sizes.plain_sha256}"
            )
        facts = sound_facts(unchecked, work=work)
        if not is_that_week(facts, week):
            raise NotThatWeek(f"{key} in {store.place} is another {week.name} than this venue's")
        file = unchecked.replace(folder / week.name)
    finally:
        unchecked.unlink(missing_ok=True)
    sync_folder(folder)
    rows = dict(facts.rows)
    return RestoredWeek(
        file=file,
        bytes=sizes.plain_bytes,
        stored_bytes=sizes.stored_bytes,
        ledger_rows=rows["transaction_ledger"],
        bets=rows["bets"],
    )


def _on_record(data: Path, week: ClosedWeek) -> ArchiveRow | None:
    """What this archive put there, if it did: the hashes that must be found again."""
    row = ArchiveRecord(data / "archive.db").rows().get(week.name)
    if row is None or not row.is_of(week.closed_at_ms, week.last_rowid):
        return None
    return row if row.verified_at_ms is not None else None


class WeeksBackHere:
    """Implements `protocols.archive.WeekRestores` for a venue that runs on the data folder."""

    def __init__(self, data: Path, store: ObjectStore, *, probe: DiskProbe) -> None:
        self._data = data
        self._store = store
        self._probe = probe

    def is_here(self, week: str) -> bool | None:
        """Can the week of that Sunday be read? None: there is none. Raises ArchiveUnusable."""
        name = f"{week}.db"
        try:
            known = name in weeks_of(self._data / "money").closed
        except _UNREADABLE as error:
            raise ArchiveUnusable(f"the list of weeks can't be read: {error}") from error
        return _readable(self._data, name) is not None if known else None

    def bring_back(self, week: str, *, work: Work) -> WeekRestored:
        """Fetch and check it. Raises RestoreFailed and WorkStopped."""
        try:
            done = restore_week(self._data, f"{week}.db", self._store, probe=self._probe, work=work)
        except Locked as error:
            raise RestoreFailed("another process is restoring a week") from error
        except _FAILURES as error:
            raise RestoreFailed(str(error) or type(error).__name__) from error
        return WeekRestored(
            bytes=done.bytes,
            stored_bytes=done.stored_bytes,
            ledger_rows=done.ledger_rows,
            bets=done.bets,
        )
