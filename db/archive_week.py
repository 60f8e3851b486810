"""The steps of one week on its way into the archive, from row to row of the record.

    money/2026-02-01.db -> work/2026-02-01.db -> work/2026-02-01.db.zst -> weeks/2026-02-01.db.zst

Each may be done again after a crash at any point of it. A step whose input is missing or damaged
raises GoBack: the step before must make it again. What stands in the object store without being on
record is fetched, looked at and adopted; nothing whole is overwritten there that this archive has
not put there.
"""

import sqlite3
from pathlib import Path
from typing import Final, TypeVar

import attrs

from db.archive_record import ArchiveRow
from db.archive_steps import (
    Damaged,
    LedgerFacts,
    NotClosed,
    closed_facts,
    content_of,
    fetch,
    packed,
    sound_facts,
    vacuum,
)
from db.closed_weeks import ClosedWeek, Weeks
from db.compression import Compressed, NotCompressed, expanded_sha256
from db.durable_file import sync_folder
from db.sqlite_connection import DatabaseMissing, size_with_log
from domain.archiving import ArchiveState, Step
from protocols.ports import (
    Clock,
    DiskProbe,
    ObjectMissing,
    ObjectStore,
    ObjectStoreFailed,
    StoredObject,
    Work,
)

T = TypeVar("T")

ROOM_SPARE_BYTES: Final = 256 * 1024 * 1024
"""What a step leaves for the venue's own writing: three of its write-ahead logs."""


class NoRoom(Exception):
    """The disk has not the room that a step needs, with something to spare for the venue."""


class OtherContent(Exception):
    """Under the key of a week stands something whole that is not this week of this venue."""


class GoBack(Exception):
    """What a step works on is missing or not what it was: the step before must make it again."""

    def __init__(self, why: str, to: ArchiveState) -> None:
        super().__init__(why)
        self.to = to


STEP_FAULTS: Final = (
    GoBack,
    NoRoom,
    OtherContent,
    NotClosed,
    Damaged,
    NotCompressed,
    ObjectStoreFailed,
    ObjectMissing,
    DatabaseMissing,
    sqlite3.Error,
    OSError,
)
"""What can go wrong with one week; the others are not held up by it."""


@attrs.frozen(kw_only=True)
class Done:
    """What a step has reached, to be recorded; the rest as in `protocols.archive.StepDone`."""

    row: ArchiveRow
    bytes: int = 0
    source_bytes: int = 0
    note: str = ""


@attrs.frozen(kw_only=True)
class WeekSteps:
    """What the steps need: folders, the object store, the disk's room, the time."""

    money: Path
    work_folder: Path
    store: ObjectStore
    probe: DiskProbe
    clock: Clock
    level: int
    """Of zstd."""

    def do(self, step: Step, row: ArchiveRow, weeks: Weeks, work: Work) -> Done:
        """Raises one of STEP_FAULTS, or WorkStopped."""
        match step:
            case Step.VACUUM:
                return self._adopt(row, weeks, work) or self._vacuum(row, work)
            case Step.COMPRESS:
                return self._compress(row, work)
            case Step.UPLOAD:
                return self._upload(row, work)
            case Step.VERIFY:
                return self._verify(row, work)
            case Step.FINISH:
                return self._finish(row)
            case Step.PURGE:
                return self._purge(row, weeks)

    # --- the steps ------------------------------------------------------------------------------

    def _vacuum(self, row: ArchiveRow, work: Work) -> Done:
        source = self.local(row)
        if not source.is_file():
            raise DatabaseMissing(f"{row.name} is neither on this disk nor in {self.store.place}")
        source_bytes = size_with_log(source)
        self._need_room(source_bytes, "copy", row)
        copy = vacuum(source, self._copy(row), work=work)
        return Done(
            row=attrs.evolve(
                row,
                state=ArchiveState.VACUUMED,
                bytes=copy.bytes,
                sha256=copy.sha256,
                vacuumed_at_ms=self.clock.now_ms(),
            ),
            bytes=copy.bytes,
            source_bytes=source_bytes,
        )

    def _compress(self, row: ArchiveRow, work: Work) -> Done:
        copy = self._copy(row)
        if not copy.is_file() or copy.stat().st_size != row.bytes:
            raise GoBack(f"the copy of {row.name} is not there any more", ArchiveState.PENDING)
        # Half of it: a ledger comes down to a third.
        self._need_room(copy.stat().st_size // 2, "compress", row)
        sizes = packed(copy, self._packed(row), level=self.level, work=work)
        if sizes.plain_sha256 != row.sha256:
            raise GoBack(f"the copy of {row.name} was changed meanwhile", ArchiveState.PENDING)
        return Done(
            row=attrs.evolve(
                row,
                state=ArchiveState.COMPRESSED,
                compressed_bytes=sizes.stored_bytes,
                compressed_sha256=sizes.stored_sha256,
                compressed_at_ms=self.clock.now_ms(),
            ),
            bytes=sizes.stored_bytes,
            source_bytes=sizes.plain_bytes,
        )

    def _upload(self, row: ArchiveRow, work: Work) -> Done:
        # The copy has done its work: an object store that is down must not cost its room.
        self._copy(row).unlink(missing_ok=True)
        file = self._packed(row)
        if not file.is_file() or content_of(file, work=work).sha256 != row.compressed_sha256:
            raise GoBack(f"what was made of {row.name} is missing or damaged", ArchiveState.PENDING)
        note = "it was there already" if self._stands(row, work) else ""
        if not note:
            self.store.put(row.key, str(file), sha256=_known(row.compressed_sha256), work=work)
        return Done(
            row=attrs.evolve(row, state=ArchiveState.UPLOADED, uploaded_at_ms=self.clock.now_ms()),
            bytes=_known(row.compressed_bytes),
            note=note,
        )

    def _verify(self, row: ArchiveRow, work: Work) -> Done:
        """Read the object back as a restore would, and unpack it to nowhere."""
        self._need_room(_known(row.compressed_bytes), "read back", row)
        back = self._packed(row).with_suffix(".back")
        back.unlink(missing_ok=True)
        try:
            found_sha256 = self.store.get(row.key, str(back), work=work)
            if found_sha256 != row.compressed_sha256:
                raise GoBack(
                    f"{row.key} in {self.store.place} is not what was sent: its SHA-256 is"
                    f" {found_sha256}, not {row.compressed_sha256}",
                    ArchiveState.COMPRESSED,
                )
            plain_sha256 = expanded_sha256(back, plain_bytes=_known(row.bytes), work=work)
        except ObjectMissing as missing:
            raise GoBack(str(missing), ArchiveState.COMPRESSED) from missing
        finally:
            back.unlink(missing_ok=True)
        if plain_sha256 != row.sha256:
            # What was compressed was read wrongly, or written so: made again from the beginning.
            raise GoBack(f"{row.key} does not hold the copy of {row.name}", ArchiveState.PENDING)
        return Done(row=self._verified(row), bytes=_known(row.compressed_bytes))

    def _finish(self, row: ArchiveRow) -> Done:
        _delete(self.work_folder, row.name)
        done = attrs.evolve(row, state=ArchiveState.DONE, done_at_ms=self.clock.now_ms())
        return Done(row=done, bytes=_known(row.compressed_bytes), source_bytes=_known(row.bytes))

    def _purge(self, row: ArchiveRow, weeks: Weeks) -> Done:
        """Delete the local file, if the object is there and as large as it was when verified."""
        if row.name == weeks.current:
            raise AssertionError(f"{row.name} is the current file")
        local = self.local(row)
        if row.place != self.store.place and not local.is_file():
            # Nothing to delete, and the archive of today knows nothing of it.
            return Done(row=attrs.evolve(row, purged_at_ms=self.clock.now_ms(), failures=0))
        stored = self._stored(row)
        if stored is None or stored.bytes != row.compressed_bytes:
            found = "is gone from" if stored is None else f"has {stored.bytes:,} bytes in"
            raise GoBack(
                f"{row.key} {found} {self.store.place}: not deleted here", ArchiveState.PENDING
            )
        freed_bytes = local.stat().st_size if local.is_file() else 0
        _delete(self.money, row.name)
        purged = attrs.evolve(row, purged_at_ms=self.clock.now_ms(), failures=0)
        return Done(row=purged, bytes=freed_bytes)

    # --- what stands in the object store already ------------------------------------------------

    def _adopt(self, row: ArchiveRow, weeks: Weeks, work: Work) -> Done | None:
        """An object that no record tells of is fetched whole and, if it is this week, taken on.

        None: there is none, or none that matters. Raises OtherContent.
        """
        if row.uploaded_at_ms is not None or (stored := self._stored(row)) is None:
            return None
        local = self.local(row)
        expected = closed_facts(local, work=work) if local.is_file() else None
        self._need_room(stored.bytes, "fetch", row)
        try:
            sizes, facts = self._fetched(row, work)
        except Damaged:
            if expected is None:
                raise  # the last copy there is: a person must look at it
            return None
        if not is_that_week(facts, weeks.closed[row.name]) or facts != (expected or facts):
            raise OtherContent(
                f"{row.key} in {self.store.place} is not this venue's {row.name}: give the venue a"
                " place of its own, or move that object away"
            )
        adopted = attrs.evolve(
            row,
            bytes=sizes.plain_bytes,
            sha256=sizes.plain_sha256,
            compressed_bytes=sizes.stored_bytes,
            compressed_sha256=sizes.stored_sha256,
            purged_at_ms=None if local.is_file() else self.clock.now_ms(),
        )
        return Done(
            row=self._verified(adopted),
            bytes=sizes.stored_bytes,
            source_bytes=sizes.plain_bytes,
            note="it was in the archive already",
        )

    def _fetched(self, row: ArchiveRow, work: Work) -> tuple[Compressed, LedgerFacts]:
        def need_room(plain_bytes: int) -> None:
            self._need_room(plain_bytes, "unpack", row)

        copy = self._copy(row)
        try:
            sizes = fetch(self.store, row.key, copy, need_room=need_room, work=work)
            return sizes, sound_facts(copy, work=work)
        finally:
            copy.unlink(missing_ok=True)

    def _stands(self, row: ArchiveRow, work: Work) -> bool:
        """Is the very object there already: from a life that died before it could record it?"""
        stored = self._stored(row)
        if stored is None or stored.bytes != row.compressed_bytes:
            return False
        return self.store.sha256(row.key, work=work) == row.compressed_sha256

    def _stored(self, row: ArchiveRow) -> StoredObject | None:
        return next((found for found in self.store.list(row.key) if found.key == row.key), None)

    # --- parts ----------------------------------------------------------------------------------

    def _verified(self, row: ArchiveRow) -> ArchiveRow:
        now_ms = self.clock.now_ms()
        return attrs.evolve(
            row,
            state=ArchiveState.VERIFIED,
            uploaded_at_ms=row.uploaded_at_ms or now_ms,
            verified_at_ms=now_ms,
            failures=0,
        )

    def _need_room(self, bytes_: int, what: str, row: ArchiveRow) -> None:
        need_room(self.probe, bytes_, f"{what} {row.name}")

    def local(self, row: ArchiveRow) -> Path:
        """Its file among the money's."""
        return self.money / row.name

    def _copy(self, row: ArchiveRow) -> Path:
        return self.work_folder / row.name

    def _packed(self, row: ArchiveRow) -> Path:
        return self.work_folder / f"{row.name}.zst"


def need_room(probe: DiskProbe, bytes_: int, what: str) -> None:
    """Raises NoRoom unless there is room for so much, and some to spare."""
    free_bytes = probe.look().free_bytes
    if free_bytes < bytes_ + ROOM_SPARE_BYTES:
        raise NoRoom(
            f"to {what} takes {bytes_:,} bytes and {ROOM_SPARE_BYTES:,} to spare,"
            f" {free_bytes:,} are free"
        )


def object_key(name: str) -> str:
    """Where a week stands in the object store."""
    return f"weeks/{name}.zst"


def is_that_week(facts: LedgerFacts, week: ClosedWeek) -> bool:
    """Is a ledger of these facts the file that the next one says it followed?"""
    return (facts.closed_at_ms, facts.last_rowid) == (week.closed_at_ms, week.last_rowid)


def _delete(folder: Path, name: str) -> None:
    """The file and what belongs to it (`-wal`, `-shm`, `.zst`), durably."""
    # In this order: without its log a file might tell less than all.
    for file in sorted(folder.glob(f"{name}*")):
        file.unlink(missing_ok=True)
    sync_folder(folder)


def _known(value: T | None) -> T:
    """A column that the row's state says is set."""
    assert value is not None, "the record's own rules hold this"
    return value
