"""What becomes of a closed week: its next step on the way into the archive, and when it may go.

`next_task` is asked again after every step; whoever asks it carries out what it says and records
what became of it. So a restart, on any day, goes on where the last life stopped.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

import attrs

from domain.disk import DiskLevel
from domain.units import EpochMs

DAY_MS: Final = 86_400_000
WEEK_MS: Final = 7 * DAY_MS
_EPOCH_AFTER_SUNDAY_MS: Final = 4 * DAY_MS
"""The epoch was a Thursday."""

RETRY_FIRST_MS: Final = 60_000
RETRY_MAX_MS: Final = 3_600_000
"""An hour: an object store that was down all night is noticed soon, and not hammered."""
RETRY_IN_A_HURRY_MAX_MS: Final = 60_000


class ArchiveState(StrEnum):
    """How far a closed partition has come on its way into the archive; each names what is done."""

    PENDING = "pending"
    VACUUMED = "vacuumed"
    COMPRESSED = "compressed"
    UPLOADED = "uploaded"
    VERIFIED = "verified"
    DONE = "done"


class Step(StrEnum):
    """What can be done for a partition."""

    VACUUM = "vacuum"
    COMPRESS = "compress"
    UPLOAD = "upload"
    VERIFY = "verify"
    FINISH = "finish"
    PURGE = "purge"


_STEP_AFTER: Final = {
    ArchiveState.PENDING: Step.VACUUM,
    ArchiveState.VACUUMED: Step.COMPRESS,
    ArchiveState.COMPRESSED: Step.UPLOAD,
    ArchiveState.UPLOADED: Step.VERIFY,
    ArchiveState.VERIFIED: Step.FINISH,
}


@attrs.frozen(kw_only=True)
class Partition:
    """A closed week as the archive's record has it."""

    name: str
    """E.g. `2026-02-01.db`; names sort by time."""
    closed_at_ms: EpochMs
    state: ArchiveState = ArchiveState.PENDING
    failures: int = 0
    """Attempts that failed, since it was last verified."""
    failed_at_ms: EpochMs = 0
    purged_at_ms: EpochMs | None = None
    """When its local file was deleted; None while nobody did."""

    @property
    def purgeable(self) -> bool:
        """Is it safe in the archive, and here as well?"""
        return self.state is ArchiveState.DONE and self.purged_at_ms is None

    @property
    def step(self) -> Step | None:
        """What brings it further into the archive; None if it is there."""
        return _STEP_AFTER.get(self.state)


@attrs.frozen(kw_only=True)
class Task:
    """One step of one partition."""

    name: str
    step: Step


@attrs.frozen(kw_only=True)
class Conditions:
    """What else decides what is to be done now."""

    now_ms: EpochMs
    weeks_on_disk: int = 4
    disk: DiskLevel = DiskLevel.NORMAL
    disk_looked_at_ms: EpochMs = 0
    """When the disk was last found to be on that level."""
    asked_at_ms: EpochMs = 0
    """When an operator asked for it: what failed before that is tried again at once."""


@attrs.frozen(kw_only=True)
class Tally:
    """How many partitions stand where."""

    waiting: int
    """Not in the archive yet."""
    archived: int
    purged: int


def tally(partitions: Iterable[Partition]) -> Tally:
    """Count them."""
    all_of_them = tuple(partitions)
    done = sum(partition.state is ArchiveState.DONE for partition in all_of_them)
    return Tally(
        waiting=len(all_of_them) - done,
        archived=done,
        purged=sum(partition.purged_at_ms is not None for partition in all_of_them),
    )


def next_task(partitions: Sequence[Partition], conditions: Conditions) -> Task | None:
    """What to do now, if anything; `partitions` oldest first.

    Purging goes first, because it gives room. Then the oldest week that is not waiting for its next
    attempt: one that fails again and again is tried in its turn and holds nobody up.
    """
    due = [partition for partition in partitions if retry_at_ms(partition, conditions) is None]
    for partition in due:
        if partition.purgeable and _may_go(partition, partitions, conditions):
            return Task(name=partition.name, step=Step.PURGE)
    for partition in due:
        if partition.step is not None:
            return Task(name=partition.name, step=partition.step)
    return None


def retry_at_ms(partition: Partition, conditions: Conditions) -> EpochMs | None:
    """When it may be tried again; None: now."""
    hurry = conditions.disk.severity >= DiskLevel.WARNING.severity
    longest_ms = RETRY_IN_A_HURRY_MAX_MS if hurry else RETRY_MAX_MS
    doublings = min(max(partition.failures - 1, 0), 10)  # more would be past the longest anyway
    at_ms = partition.failed_at_ms + min(RETRY_FIRST_MS << doublings, longest_ms)
    asked_since = partition.failed_at_ms < conditions.asked_at_ms
    # A failure in the future is a clock that was set back: not a reason to wait for it.
    waits = partition.failed_at_ms <= conditions.now_ms < at_ms
    return at_ms if partition.failures and waits and not asked_since else None


def next_look_ms(partitions: Iterable[Partition], conditions: Conditions) -> EpochMs | None:
    """When something that is not to be done now comes due by time alone; None: nothing does."""
    retries = [retry_at_ms(partition, conditions) for partition in partitions]
    purges = [_purge_at_ms(p, conditions) for p in partitions if p.purgeable]
    moments = [moment for moment in (*retries, *purges) if moment is not None]
    return min((moment for moment in moments if moment > conditions.now_ms), default=None)


def week_begins_ms(at_ms: EpochMs) -> EpochMs:
    """The Sunday 00:00 UTC at or before `at_ms`."""
    return at_ms - (at_ms + _EPOCH_AFTER_SUNDAY_MS) % WEEK_MS


def week_file(at_ms: EpochMs) -> str:
    """The name of the file of the week of `at_ms`; names sort by time."""
    sunday = datetime.fromtimestamp(week_begins_ms(at_ms) // 1000, UTC).date()
    return f"{sunday.isoformat()}.db"


def _may_go(partition: Partition, partitions: Sequence[Partition], conditions: Conditions) -> bool:
    if conditions.now_ms >= _purge_at_ms(partition, conditions):
        return True
    # One at a time: the disk is looked at again before the next one goes.
    last_purged_ms = max((other.purged_at_ms or 0 for other in partitions), default=0)
    emergency = conditions.disk is DiskLevel.EMERGENCY
    return emergency and conditions.disk_looked_at_ms > last_purged_ms


def _purge_at_ms(partition: Partition, conditions: Conditions) -> EpochMs:
    return partition.closed_at_ms + conditions.weeks_on_disk * WEEK_MS
