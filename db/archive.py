"""The archive of closed weeks: one step at a time, each recorded when it is done and on disk.

    money/2026-02-01.db -> work/2026-02-01.db -> work/2026-02-01.db.zst -> weeks/2026-02-01.db.zst

A step whose input is missing or damaged sends the week back to the step that makes it. Which weeks
there are is read from the current ledger file; the record (`db.archive_record`) says only how far
each has come. So a record that is lost is no harm: what stands in the object store already is
fetched, looked at and adopted, and never overwritten unless it was put there by this archive, or is
no whole object.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import attrs

from db.archive_record import ArchiveRecord, ArchiveRow, RecordMismatch
from db.archive_week import STEP_FAULTS, GoBack, WeekSteps, object_key
from db.closed_weeks import ClosedWeek, Weeks, weeks_of
from db.file_lock import FileLock, Locked
from db.partition import ManifestBroken
from db.sqlite_connection import DatabaseMissing
from domain.archiving import ArchiveState, Step, Task
from protocols.archive import (
    ArchiveBusy,
    ArchiveSurvey,
    ArchiveUnusable,
    StepDone,
    StepFailed,
    StepOutcome,
)
from protocols.ports import Clock, DiskProbe, ObjectStore, Work

_UNUSABLE: Final = (ManifestBroken, DatabaseMissing, RecordMismatch, sqlite3.Error, OSError)


class WeekArchive:
    """Implements `protocols.archive.Archive` on a data folder. One call at a time."""

    def __init__(
        self, data: Path, store: ObjectStore, *, probe: DiskProbe, clock: Clock, level: int
    ) -> None:
        """`probe` looks at the disk of `data`; `level` is zstd's."""
        self.record = ArchiveRecord(data / "archive.db")
        self.lock = FileLock(data / "archive.lock")
        self._clock = clock
        self._steps = WeekSteps(
            money=data / "money",
            work_folder=data / "work",
            store=store,
            probe=probe,
            clock=clock,
            level=level,
        )

    @property
    def place(self) -> str:
        """Where the archive is."""
        return self._steps.store.place

    def survey(self) -> ArchiveSurvey:
        """Where all closed weeks stand. Raises ArchiveUnusable."""
        with _usable():
            weeks, rows = weeks_of(self._steps.money), self.record.rows()
        verified = [row.verified_at_ms for row in rows.values() if row.verified_at_ms is not None]
        return ArchiveSurvey(
            partitions=tuple(
                self._row(week, rows.get(week.name)).partition for week in weeks.closed.values()
            ),
            last_success_ms=max(verified, default=weeks.opened_at_ms),
        )

    def carry_out(self, task: Task, *, work: Work) -> StepOutcome:
        """Do the step and record what became of it. Raises WorkStopped and ArchiveUnusable."""
        try:
            with _usable(), self.lock.held():
                weeks, rows = weeks_of(self._steps.money), self.record.rows()
                week = weeks.closed.get(task.name)
                if week is None:
                    why = f"{task.name} is no closed week"
                    return StepFailed(task=task, state=ArchiveState.PENDING, why=why)
                row = self._row(week, rows.get(task.name))
                if not _is_next(task, row):
                    return StepDone(task=task, state=row.state, note="another process has done it")
                self._steps.work_folder.mkdir(mode=0o700, exist_ok=True)
                return self._recorded(task, row, weeks, work)
        except Locked:
            return ArchiveBusy()

    def _recorded(self, task: Task, row: ArchiveRow, weeks: Weeks, work: Work) -> StepOutcome:
        try:
            done = self._steps.do(task.step, row, weeks, work)
        except STEP_FAULTS as error:
            failed = attrs.evolve(
                row,
                state=error.to if isinstance(error, GoBack) else row.state,
                failures=row.failures + 1,
                failed_at_ms=self._clock.now_ms(),
                last_failure=str(error) or type(error).__name__,
            )
            self.record.save(failed)
            return StepFailed(task=task, state=failed.state, why=failed.last_failure)
        self.record.save(done.row)
        return StepDone(
            task=task,
            state=done.row.state,
            bytes=done.bytes,
            source_bytes=done.source_bytes,
            note=done.note,
        )

    def _row(self, week: ClosedWeek, row: ArchiveRow | None) -> ArchiveRow:
        """What is on record of a week, as far as it counts for the object store of today."""
        if row is None or not row.is_of(week.closed_at_ms, week.last_rowid):
            return ArchiveRow(
                name=week.name,
                closed_at_ms=week.closed_at_ms,
                last_rowid=week.last_rowid,
                place=self.place,
                key=object_key(week.name),
            )
        if row.place != self.place and self._steps.local(row).is_file():
            # The archive is somewhere else now, so this week goes there too while it can.
            return attrs.evolve(
                row,
                state=ArchiveState.PENDING,
                place=self.place,
                uploaded_at_ms=None,
                failures=0,
            )
        return row


def _is_next(task: Task, row: ArchiveRow) -> bool:
    if task.step is Step.PURGE:
        return row.partition.purgeable
    return row.partition.step is task.step


@contextmanager
def _usable() -> Iterator[None]:
    try:
        yield
    except _UNUSABLE as error:
        raise ArchiveUnusable(f"the archive can't be used: {error}") from error
