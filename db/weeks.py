"""The weeks of a money folder as a reader finds them at one moment: all there are, and those here.

Times and row numbers of one week's ledger lie wholly before those of the next. Only a bet that was
open when its week ended is in more than one file: `carried` in each but the newest.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path

import attrs

from domain.units import EpochMs


@attrs.frozen(kw_only=True)
class Week:
    """One file. What is in it was written in `[opened_at_ms, closed_at_ms)`."""

    name: str
    """E.g. `2026-02-01.db`; names sort by time."""
    opened_at_ms: EpochMs
    closed_at_ms: EpochMs | None
    """None: this is the current one."""
    after_rowid: int
    """The last ledger row of the weeks before."""

    def ends_by(self, at_ms: EpochMs) -> bool:
        """Was it closed by then?"""
        return self.closed_at_ms is not None and self.closed_at_ms <= at_ms


def weeks_known_to(current: sqlite3.Connection, name: str) -> tuple[Week, ...]:
    """All weeks, newest first, as the current file knows them; it is the one of that name."""
    (opened_at_ms,) = current.execute("SELECT opened_at_ms FROM meta").fetchone()
    closed = current.execute(
        "SELECT name, opened_at_ms, closed_at_ms, last_rowid FROM partitions ORDER BY name"
    ).fetchall()
    starts = [0, *(last_rowid for *_, last_rowid in closed)]
    spans = [*(row[:3] for row in closed), (name, opened_at_ms, None)]
    weeks = [
        Week(name=name, opened_at_ms=begin_ms, closed_at_ms=end_ms, after_rowid=after_rowid)
        for (name, begin_ms, end_ms), after_rowid in zip(spans, starts, strict=True)
    ]
    return tuple(reversed(weeks))


@attrs.frozen(kw_only=True)
class WeeksHere:
    """All weeks, and where the files are that can be read."""

    newest_first: tuple[Week, ...]
    here: Mapping[str, Path]
    """The files by name, the current one's among them."""

    @property
    def current(self) -> Week:
        """The week whose file is written."""
        return self.newest_first[0]

    def readable(self) -> Iterator[Week]:
        """Those whose file is here, newest first."""
        return (week for week in self.newest_first if week.name in self.here)

    def missing(self) -> Iterator[Week]:
        """Those that are in the archive only, oldest first."""
        return (week for week in reversed(self.newest_first) if week.name not in self.here)

    def before(self, week: Week) -> Week | None:
        """The week before that one."""
        return next((older for older in self.newest_first if older.name < week.name), None)

    def after(self, week: Week) -> Iterator[Week]:
        """The readable weeks after that one, oldest first."""
        return reversed([newer for newer in self.readable() if newer.name > week.name])

    def follows_readable(self, week: Week) -> bool:
        """Is the file of the week before here too?"""
        before = self.before(week)
        return before is not None and before.name in self.here

    def has_from(self, first: str, week: Week) -> bool:
        """Is any file here from the one named `first` to the one before that week's?"""
        return any(first <= name < week.name for name in self.here)

    def listing(self, from_ms: EpochMs | None, until_ms: EpochMs | None) -> Iterator[Week]:
        """The readable weeks that may list bets placed in `[from_ms, until_ms)`, newest first.

        A file lists its own bets and, of those that were carried into it, the ones that no older
        file here has: they were placed after the end of the readable file before.
        """
        readable = list(self.readable())
        for week, older in zip(readable, [*readable[1:], None], strict=True):
            if from_ms is not None and week.ends_by(from_ms):
                return
            if until_ms is None or older is None or older.ends_by(until_ms - 1):
                yield week
