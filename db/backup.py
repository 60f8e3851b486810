"""Backups of the current ledger file: copied, checked, compressed, stored and read back.

The copy is taken with SQLite's backup API from one read transaction on a connection of its own, so
that it is of one moment and the writer goes on. All that can be known of it is checked on the copy:
a file that is damaged, or whose money does not add up, never becomes a backup. Work files lie in
`work/backup`, under a lock; what a killed process left there is removed by the next.
"""

import hashlib
import json
import shutil
import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import attrs

from db.archive_steps import followed
from db.compression import Compressed, NotCompressed, compress, expanded_sha256
from db.data_folder import DataFolder
from db.file_lock import FileLock, Locked
from db.ledger_check import check_all
from db.migrate import SchemaMismatch
from db.partition import MANIFEST, ManifestBroken, closed_at_ms, current_file
from db.place_mark import hold_mark, mark_of
from db.sqlite_connection import DatabaseMissing, open_reader, size_with_log, snapshot
from domain.archiving import ArchiveState
from domain.backups import (
    PREFIX,
    Backup,
    Retention,
    free_key,
    listed,
    newest,
    record_key,
    surplus,
)
from domain.units import EpochMs
from protocols.accounts import IntegrityReport
from protocols.archive import Archive, ArchiveUnusable
from protocols.backup import (
    RECORD_BYTES_MAX,
    BackupBusy,
    BackupFailed,
    BackupRecord,
    BackupTaken,
    BackupWork,
    Migrated,
    record_from_json,
    record_to_json,
)
from protocols.ports import DiskProbe, ObjectMissing, ObjectStore, Work

COMPRESSION_LEVEL: Final = 6
"""An hour's backup is soon replaced: what a higher level would save is not worth its time."""
STEP_PAGES: Final = 1_024
"""4 MB between two looks at whether to go on; larger steps copy no faster."""
ROOM_SPARE_BYTES: Final = 64 * 1024 * 1024
COPIES_MAX: Final = 3
"""Begun anew where the week ended meanwhile: once, but for a clock that jumps."""
FAULTS_SHOWN: Final = 3


@attrs.frozen(kw_only=True)
class FolderBackups:
    """Implements `protocols.backup.Backups` for the ledger of a data folder."""

    folder: DataFolder
    objects: ObjectStore
    probe: DiskProbe
    """Of the file system that the data folder is on."""
    archived: Callable[[], Collection[str]] = tuple
    """The partitions that are safe in the archive. The newest backup of any other is kept."""

    def newest(self) -> Backup | None:
        """The newest complete one. Raises BackupFailed, too."""
        with as_backup_failed():
            hold_mark(self.objects, mark_of(self.folder), work=_Unwatched())
        return newest(list_backups(self.objects))

    def take(self, *, at_ms: EpochMs, work: BackupWork) -> BackupTaken:
        """Raises BackupFailed, BackupBusy, ObjectStoreFailed or WorkStopped."""
        with alone(self.folder), as_backup_failed(), work_folder(self.folder, "backup") as place:
            work.begin("place")
            hold_mark(self.objects, mark_of(self.folder), work=work)
            work.begin("copy")
            copy, manifest = self._copy(place, work)
            work.begin("check")
            found = examine(copy, work=work)
            work.begin("compress")
            packed = place / "packed"
            sizes = compress(copy, packed, level=COMPRESSION_LEVEL, work=work)
            copy.unlink()
            _check_packed(packed, sizes, work)
            record = BackupRecord(
                partition=copy.name,
                taken_at_ms=at_ms,
                mode=self.folder.mode,
                chain_id=self.folder.chain_id,
                manifest=manifest,
                plain_bytes=sizes.plain_bytes,
                plain_sha256=sizes.plain_sha256,
                stored_bytes=sizes.stored_bytes,
                stored_sha256=sizes.stored_sha256,
                ledger_rowid=found.ledger_rowid,
                high_ms=found.high_ms,
                accounts=found.report.accounts,
                ledger_rows=found.report.ledger_rows,
                bets=found.report.bets,
                migrations=found.migrations,
            )
            return self._store(packed, record, work)

    def remove_surplus(self, *, keep: Retention, now_ms: EpochMs, work: Work) -> Sequence[str]:
        """The record goes first: a backup that is half gone is none."""
        backups = list_backups(self.objects)
        removed: list[str] = []
        for backup in surplus(backups, keep=keep, archived=self.archived(), now_ms=now_ms):
            work.step(0, 0)
            self.objects.delete(record_key(backup.key))
            self.objects.delete(backup.key)
            removed.append(backup.key)
        return removed

    def _copy(self, place: Path, work: Work) -> tuple[Path, str]:
        """A copy of the current file under its own name, and the manifest that names it."""
        for _ in range(COPIES_MAX):
            source, manifest = self._current()
            self._check_room(source)
            copy = place / source.name
            copy_database(source, copy, work=work)
            # A week that ended meanwhile has its open bets in the next file.
            if closed_at_ms(copy) is None:
                return copy, manifest
            copy.unlink()
        raise BackupFailed("the current file was closed again and again while it was copied")

    def _current(self) -> tuple[Path, str]:
        manifest = self.folder.money / MANIFEST
        while True:
            source = current_file(self.folder.money)
            if source is None:
                raise BackupFailed(f"{self.folder.path} holds no ledger yet")
            text = manifest.read_text("utf-8")
            if manifest_names(text, source.name):
                return source, text

    def _check_room(self, source: Path) -> None:
        """Raises BackupFailed unless the copy and its compressed form will fit, whatever they do.

        An archive in a folder on the same disk takes what the copy, deleted by then, has left.
        """
        check_room(self.probe, 2 * size_with_log(source))

    def _store(self, packed: Path, record: BackupRecord, work: BackupWork) -> BackupTaken:
        week = record.partition.removesuffix(".db")
        stored = {each.key for each in self.objects.list(f"{PREFIX}{week}/")}
        key = free_key(record.partition, record.taken_at_ms, stored)
        work.begin("upload")
        self.objects.put(key, str(packed), sha256=record.stored_sha256, work=work)
        work.begin("read back")
        if self.objects.sha256(key, work=work) != record.stored_sha256:
            self.objects.delete(key)
            raise BackupFailed(f"{key} was read back with another content than was stored")
        text = record_to_json(record)
        beside = packed.with_name("record")
        beside.write_bytes(text)
        sha256 = hashlib.sha256(text).hexdigest()
        self.objects.put(record_key(key), str(beside), sha256=sha256, work=work)
        return BackupTaken(key=key, record=record)


class _Unwatched:
    """Implements `Work` for what takes a moment."""

    def step(self, done_bytes: int, total_bytes: int) -> None:
        """Never ends the work."""


# --- what there is ----------------------------------------------------------------------------


def list_backups(objects: ObjectStore) -> list[Backup]:
    """All backups, oldest first, the incomplete ones among them. Raises ObjectStoreFailed."""
    return listed({each.key: each.bytes for each in objects.list(PREFIX)})


def archived_weeks(archive: Archive) -> Collection[str]:
    """The partitions that are safe in the archive; none where that can't be known now."""
    try:
        found = archive.survey().partitions
    except ArchiveUnusable:
        return ()
    safe = (ArchiveState.VERIFIED, ArchiveState.DONE)
    return {each.name for each in found if each.state in safe}


def read_record(objects: ObjectStore, key: str, *, work: Work) -> BackupRecord:
    """The record beside the backup `key`. Raises BackupFailed, ObjectMissing, ObjectStoreFailed."""
    name = record_key(key)
    sizes = [each.bytes for each in objects.list(name) if each.key == name]
    if not sizes:
        raise ObjectMissing(f"{objects.place} has no {name}")
    if sizes[0] > RECORD_BYTES_MAX:
        raise BackupFailed(f"{name} is too long to be a backup's record")
    with TemporaryDirectory() as place:
        file = Path(place) / "record"
        objects.get(name, str(file), work=work)
        return record_from_json(file.read_bytes())


def manifest_names(manifest: str, partition: str) -> bool:
    """Does that manifest name that partition as the current one?"""
    try:
        return bool(json.loads(manifest)["current"] == partition)
    except (ValueError, KeyError, TypeError):
        return False


# --- what a copy is made of, and what it must stand -------------------------------------------


@attrs.frozen(kw_only=True)
class Findings:
    """What was found in a copy that is good."""

    report: IntegrityReport
    ledger_rowid: int
    """The newest ledger row in it."""
    high_ms: EpochMs
    migrations: tuple[Migrated, ...]


def copy_database(source: Path, target: Path, *, work: Work) -> None:
    """Copy one moment of a database that may be written meanwhile, its log included.

    A backup in steps begins anew whenever somebody writes, unless its connection holds a read
    transaction: then all steps read the moment at which that began. `target` needs no log.
    """
    with (
        closing(open_reader(source)) as reader,
        closing(sqlite3.connect(target, isolation_level=None)) as copy,
    ):
        page_bytes = int(reader.execute("PRAGMA page_size").fetchone()[0])
        # The copy is a work file: it need not survive a power cut, nor be rolled back.
        copy.execute("PRAGMA journal_mode = OFF")
        copy.execute("PRAGMA synchronous = OFF")

        def look(_: int, remaining: int, total: int) -> None:
            work.step((total - remaining) * page_bytes, total * page_bytes)

        with snapshot(reader):
            reader.execute("SELECT count(*) FROM sqlite_schema").fetchone()  # the moment is now
            reader.backup(copy, pages=STEP_PAGES, progress=look, sleep=0)
        # It is in WAL mode like its source until it is told otherwise.
        mode = copy.execute("PRAGMA journal_mode = DELETE").fetchone()[0]
        if mode != "delete":
            raise BackupFailed(f"the copy is in journal mode {mode!r}")


def examine(file: Path, *, work: Work) -> Findings:
    """Look at every page and add up all the money. Raises BackupFailed if anything is wrong."""
    with closing(open_reader(file)) as reader, followed(reader, work):
        faults = [row[0] for row in reader.execute(f"PRAGMA integrity_check({FAULTS_SHOWN})")]
        if faults != ["ok"]:
            raise BackupFailed(f"{file.name} is damaged: {'; '.join(faults)}")
        report = check_all(reader)
        if not report.clean:
            shown = "; ".join(f"{each.what} {each.where}" for each in report.drifts[:FAULTS_SHOWN])
            raise BackupFailed(
                f"the money in {file.name} does not add up ({len(report.drifts)} drifts): {shown}"
            )
        ledger_rowid, high_ms = reader.execute(
            "SELECT (SELECT ifnull(max(rowid), 0) FROM transaction_ledger), high_ms FROM meta"
        ).fetchone()
        migrations = reader.execute("SELECT number, sha256 FROM schema_migrations ORDER BY number")
        return Findings(
            report=report,
            ledger_rowid=ledger_rowid,
            high_ms=high_ms,
            migrations=tuple(Migrated(number=number, sha256=sha) for number, sha in migrations),
        )


def check_room(probe: DiskProbe, needed_bytes: int) -> None:
    """Raises BackupFailed unless so much, and a little more, can be written."""
    free_bytes = probe.look().free_bytes
    if free_bytes < needed_bytes + ROOM_SPARE_BYTES:
        raise BackupFailed(
            f"too little room: {(needed_bytes + ROOM_SPARE_BYTES) >> 20:,} MiB are needed,"
            f" {free_bytes >> 20:,} MiB are free"
        )


def _check_packed(packed: Path, sizes: Compressed, work: Work) -> None:
    found = expanded_sha256(packed, plain_bytes=sizes.plain_bytes, work=work)
    if found != sizes.plain_sha256:
        raise BackupFailed("the copy was compressed into something else")


# --- how it is done ---------------------------------------------------------------------------


@contextmanager
def alone(folder: DataFolder) -> Iterator[None]:
    """No other process takes a backup of this folder meanwhile. Raises BackupBusy at once."""
    try:
        with FileLock(folder.path / "backup.lock").held():
            yield
    except Locked as error:
        raise BackupBusy(f"another process is taking a backup of {folder.path}") from error


@contextmanager
def work_folder(folder: DataFolder, name: str) -> Iterator[Path]:
    """An empty folder for work files, gone at the end. The caller holds a lock on its name."""
    place = folder.path / "work" / name
    with suppress(FileNotFoundError):
        shutil.rmtree(place)
    place.mkdir(mode=0o700, parents=True)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


@contextmanager
def as_backup_failed() -> Iterator[None]:
    """Raise what can go wrong with files and databases as BackupFailed."""
    try:
        yield
    except (
        sqlite3.Error,
        OSError,
        ManifestBroken,
        DatabaseMissing,
        SchemaMismatch,
        NotCompressed,
        ObjectMissing,
    ) as error:
        raise BackupFailed(f"{type(error).__name__}: {error}") from error
