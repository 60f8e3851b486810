"""The archive of closed weeks as the Archiver sees it: its port, and what an operator may ask.

What is to be done is decided by `domain.archiving`; the port does it, one step a call.
"""

from typing import Protocol, TypeAlias

import attrs

from domain.archiving import ArchiveState, Partition, Task
from domain.units import EpochMs
from protocols.ports import Work


class ArchiveUnusable(Exception):
    """The archive's record or the ledger's list of weeks can't be read or written.

    Nothing was lost by it; try again later. What concerns one week only is a StepFailed.
    """


@attrs.frozen(kw_only=True)
class ArchiveSurvey:
    """Where all closed weeks stand."""

    partitions: tuple[Partition, ...]
    """Oldest first."""
    last_success_ms: EpochMs
    """When one was last verified in the archive; before that, when the first one was opened. 0 in
    a folder without a ledger."""


@attrs.frozen(kw_only=True)
class StepDone:
    """The step is done, on disk and in the record."""

    task: Task
    state: ArchiveState
    """What the partition has reached: not always the next state, see `note`."""
    bytes: int = 0
    """Of what the step made, sent, read or deleted."""
    source_bytes: int = 0
    """Of what it made that from, where that has another size."""
    note: str = ""
    """What was special about it; mostly empty."""


@attrs.frozen(kw_only=True)
class StepFailed:
    """The step failed, which is on record; the partition may have gone back to an earlier state."""

    task: Task
    state: ArchiveState
    why: str


@attrs.frozen(kw_only=True)
class ArchiveBusy:
    """Another process is at work on the archive; nothing was done."""


StepOutcome: TypeAlias = StepDone | StepFailed | ArchiveBusy


class Archive(Protocol):
    """The record, the files and the object store behind it. Calls block: use a Worker."""

    @property
    def place(self) -> str:
        """Where the archive is, for people; holds no secret."""
        ...

    def survey(self) -> ArchiveSurvey:
        """Raises ArchiveUnusable."""
        ...

    def carry_out(self, task: Task, *, work: Work) -> StepOutcome:
        """Do one step that `next_task` named. Doing it again, after a crash at any point, is safe.

        Raises WorkStopped when `work` ends it, which is no failure, and ArchiveUnusable.
        """
        ...


@attrs.frozen(kw_only=True)
class ArchiveNow:
    """Archive what waits, without regard to earlier failures. Answered with ArchiveBegun."""

    by: str


@attrs.frozen(kw_only=True)
class ArchiveBegun:
    """The Archiver has heard; its status shows how it goes on."""

    waiting: int
    """Closed weeks that were not in the archive yet when it was asked."""
