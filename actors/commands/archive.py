"""`tapgrid archive`: bring every week that is over into the archive now, or show the record.

It works beside a venue that runs: one of the two is at work on the archive at a time. Purging is
left to the venue, which knows how full its disk is.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final, TextIO

from actors.commands.backup import utc
from actors.commands.exits import NO_FOLDER, OK, WRONG, CannotDo
from actors.commands.objects import object_store
from actors.commands.step_bars import StepBars, interruptible
from config.settings import ArchiveSettings
from db.archive import WeekArchive
from db.archive_record import ArchiveRow
from db.data_folder import DataFolder
from db.disk_probe import StatvfsProbe
from db.file_lock import Locked
from domain.archiving import ArchiveState, Conditions, Partition, Step, Task, next_task
from protocols.archive import ArchiveBusy, ArchiveUnusable, StepFailed, StepOutcome
from supervisor.clock import SystemClock

BUSY: Final = (
    "another process is at work on the archive: the Archiver of the venue that runs here (see"
    " tapgrid status), or another tapgrid archive; try again later"
)


def archive(settings: ArchiveSettings, *, data: Path, out: TextIO, progress: TextIO) -> int:
    """Archive what waits, each week tried once, oldest first. WRONG if one could not be.

    Raises CannotDo when the archive is busy or can't be used.
    """
    weeks = open_archive(settings, data=data)
    asked_at_ms = SystemClock().now_ms()
    tried: dict[str, StepOutcome] = {}
    with archive_in_words(), weeks.lock.held(), StepBars(progress) as bars:
        while (task := _next(weeks, tried, asked_at_ms)) is not None:
            bars.begin(f"{task.name}: {task.step}")
            outcome = interruptible(partial(weeks.carry_out, task, work=bars), bars)
            if isinstance(outcome, StepFailed) or task.step is Step.FINISH:
                tried[task.name] = outcome
                bars.begin("")
                out.write(f"{_line(outcome, weeks.place)}\n")
                out.flush()
        left = [p for p in weeks.survey().partitions if p.state is not ArchiveState.DONE]
    if not tried:
        out.write(f"nothing waits for the archive in {weeks.place}\n")
    return WRONG if left else OK


def list_weeks(settings: ArchiveSettings, *, data: Path, out: TextIO) -> int:
    """Each closed week, oldest first, and how far it has come. The object store is not asked."""
    weeks = open_archive(settings, data=data)
    with archive_in_words():
        partitions, rows = weeks.survey().partitions, weeks.record.rows()
    for partition in partitions:
        row = rows.get(partition.name)
        out.writelines(f"{line}\n" for line in _listed(partition, row))
    done = sum(partition.state is ArchiveState.DONE for partition in partitions)
    noun = "week" if len(partitions) == 1 else "weeks"
    out.write(f"{done:,} of {len(partitions):,} closed {noun} in {weeks.place}\n")
    return OK


def open_archive(settings: ArchiveSettings, *, data: Path) -> WeekArchive:
    """The archive of the venue on that data folder. Raises NoDataFolder, StampBroken."""
    folder = DataFolder.existing(data)
    return WeekArchive(
        folder.path,
        object_store(settings, data=folder.path),
        probe=StatvfsProbe(folder.path),
        clock=SystemClock(),
        level=settings.compression_level,
    )


@contextmanager
def archive_in_words() -> Iterator[None]:
    """Raises CannotDo for what keeps a command from working on the archive at all."""
    try:
        yield
    except Locked as error:
        raise CannotDo(BUSY, NO_FOLDER) from error
    except ArchiveUnusable as error:
        raise CannotDo(str(error), NO_FOLDER) from error


def _next(weeks: WeekArchive, tried: dict[str, StepOutcome], asked_at_ms: int) -> Task | None:
    waiting = [
        partition
        for partition in weeks.survey().partitions
        if partition.state is not ArchiveState.DONE and partition.name not in tried
    ]
    conditions = Conditions(now_ms=SystemClock().now_ms(), asked_at_ms=asked_at_ms)
    return next_task(waiting, conditions)


def _line(outcome: StepOutcome, place: str) -> str:
    """What became of a week."""
    assert not isinstance(outcome, ArchiveBusy), "the lock is held"
    name = outcome.task.name
    if isinstance(outcome, StepFailed):
        return f"{name}: not archived: {outcome.task.step}: {outcome.why}"
    sizes = f"{outcome.bytes:,} bytes (unpacked {outcome.source_bytes:,})"
    return f"{name}: archived and read back, {sizes} in {place}"


def _listed(partition: Partition, row: ArchiveRow | None) -> Iterator[str]:
    closed = f"closed {utc(partition.closed_at_ms)}"
    if row is None:
        yield f"{partition.name}  {partition.state:<10}  {closed}"
        return
    sizes = f"  {row.compressed_bytes:,} of {row.bytes:,} bytes" if row.compressed_bytes else ""
    verified = f"  verified {utc(row.verified_at_ms)}" if row.verified_at_ms else ""
    purged = f"  deleted here {utc(row.purged_at_ms)}" if row.purged_at_ms else ""
    yield f"{partition.name}  {partition.state:<10}  {closed}{sizes}{verified}{purged}"
    if row.failures:
        noun = "failure" if row.failures == 1 else "failures"
        yield f"  {row.failures:,} {noun}, {utc(row.failed_at_ms)}: {row.last_failure}"
