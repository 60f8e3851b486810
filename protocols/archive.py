"""The archive of closed weeks as the Archiver sees it: its ports, and what an operator may ask.

What is to be done is decided by `domain.archiving`; the port does it, one step a call. Weeks are
brought back for reading by a port of its own, which only adds files.
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


# --- bringing weeks back ------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class RestoreWeek:
    """Bring an archived week back for reading. Answered with RestoreBegun, or with a Refusal:
    `not_found`, `overloaded` with too many waiting, `store_unavailable` if it can't be said."""

    week: str
    """Its Sunday, e.g. `2026-02-01`."""
    by: str


@attrs.frozen(kw_only=True)
class RestoreBegun:
    """It is wanted; the status shows how it goes on. Or it can be read already."""

    week: str
    already_here: bool


@attrs.frozen(kw_only=True)
class WeekRestored:
    """The week can be read. Zeros: it could be before."""

    bytes: int
    stored_bytes: int
    """As it is in the archive, compressed."""
    ledger_rows: int
    bets: int


class RestoreFailed(Exception):
    """The week was not brought back, and nothing of it is here; the text says why."""


class WeekRestores(Protocol):
    """Brings weeks back, beside the money and whatever runs on it. Calls block: use a Worker."""

    def is_here(self, week: str) -> bool | None:
        """Can it be read? None: the venue has no closed week of that Sunday.

        Raises ArchiveUnusable.
        """
        ...

    def bring_back(self, week: str, *, work: Work) -> WeekRestored:
        """Fetch it, and check that it is that week and adds up, before anybody can read it.

        Raises RestoreFailed and WorkStopped.
        """
        ...
