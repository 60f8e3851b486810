"""The price history in SQLite: one file of ticks for each UTC day, and one of the record's health.

`ticks-2026-11-20.db` holds the accepted ticks whose exchange time falls on that day, in the order
they were accepted. `record.db` holds what is known about the record itself: level changes of the
feed, impairments (CRITICAL, DOWN) and the recorder's last sign of life. It is small and is kept.

Two files can't be committed as one, so the order matters. The writer commits health before ticks;
a reader takes ticks before health, and the watermark before anything. A reader therefore never
sees a watermark without all ticks up to it, nor a tick without the impairments that came before it.
"""

import errno
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby, pairwise
from pathlib import Path
from typing import Final

from db.sqlite_connection import is_disk_full, transaction
from db.tick_files import DAY_MS, TickFiles, create, open_reader, open_writer
from domain.resolution import Impairment, ImpairmentKind, Record
from domain.ticks import Tick
from domain.units import EpochMs
from protocols.market import FeedLevel, FeedLevelChanged
from protocols.ports import Bar, RecordFull, RecordTail

DAYS_KEPT: Final = 7
ALIVE_EVERY_MS: Final = 1_000
TAIL_MS: Final = 60_000

HEALTH_SCHEMA: Final = """
CREATE TABLE levels (
    level TEXT NOT NULL CHECK (level IN ('healthy', 'degraded', 'critical')),
    at_ms INTEGER NOT NULL,
    why TEXT NOT NULL
) STRICT;
CREATE TABLE impairments (
    kind TEXT NOT NULL CHECK (kind IN ('critical', 'down')),
    from_ms INTEGER NOT NULL,
    until_ms INTEGER CHECK (until_ms > from_ms)  -- exclusive; NULL while it lasts
) STRICT;
CREATE INDEX impairments_by_start ON impairments (from_ms);
CREATE UNIQUE INDEX one_open_of_a_kind ON impairments (kind) WHERE until_ms IS NULL;
CREATE TABLE alive (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    alive_ms INTEGER NOT NULL
) STRICT;
"""


class SqlitePriceRecord:
    """`PriceRecord`: the write side. One thread at a time; the folder is made if it is missing."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        health = folder / "record.db"
        if not health.exists():
            create(health, HEALTH_SCHEMA)
        self._health = open_writer(health)
        self._files = TickFiles(folder, open_writer)
        self._is_down = self._health.execute(OPEN_DOWN).fetchone() is not None
        self._alive_ms = self._stored_alive_ms()

    def close(self) -> None:
        """Close all files; what was committed is in them."""
        self._files.close()
        self._health.close()

    def tail(self) -> RecordTail | None:
        """How the record ends, or None while it has neither a tick nor a level."""
        last = self._files.last()
        row = self._health.execute("SELECT level FROM levels ORDER BY rowid DESC LIMIT 1")
        level: tuple[str] | None = row.fetchone()
        if last is None and level is None:
            return None
        alive_ms = max(self._stored_alive_ms(), last.recv_ms if last else 0)
        return RecordTail(
            last_tick=last,
            alive_ms=alive_ms,
            level=FeedLevel(level[0]) if level else None,
            gap_since_healthy_ms=_longest_silence_ms(self._files, last, alive_ms) if last else 0,
        )

    def begin_down(self) -> None:
        """Open a DOWN stretch at the last committed tick (0 if there is none).

        If no tick was committed since the last one was opened it is still open, and goes on.
        Raises RecordFull.
        """
        if self._is_down:
            return
        last = self._files.last()
        with _saying_when_full(), transaction(self._health):
            self._health.execute(
                "INSERT INTO impairments (kind, from_ms) VALUES ('down', ?)",
                (last.ts_ms if last else 0,),
            )
        self._is_down = True

    def append(
        self,
        ticks: Sequence[Tick],
        levels: Sequence[FeedLevelChanged],
        *,
        alive_ms: EpochMs,
    ) -> None:
        """Commit level changes, then ticks in their order. On return all is on disk.

        The sign of life is written when no ticks come with it, and else once a second: the receive
        time of a committed tick is one too. Raises RecordFull, which says how far it came.
        """
        alive_is_due = not 0 <= alive_ms - self._alive_ms < ALIVE_EVERY_MS
        if levels or not ticks or alive_is_due or self._is_down:
            with _saying_when_full():
                self._keep_health(ticks, levels, alive_ms)
        kept = 0
        for day, of_day in groupby(ticks, key=lambda tick: tick.ts_ms // DAY_MS):
            ticks_of_day = list(of_day)
            with _saying_when_full(levels_kept=True, ticks_kept=kept):
                self._files.append(day, ticks_of_day)
            kept += len(ticks_of_day)

    def purge(self, *, now_ms: EpochMs) -> int:
        """Delete the files of days more than 7 days ago; returns how many.

        Today is the older of the clock's day and the newest tick's, so that a clock which jumps
        ahead can't delete the record.
        """
        last = self._files.last()
        if last is None:
            return 0
        first_kept = min(now_ms, last.ts_ms) // DAY_MS - DAYS_KEPT
        old = [day for day in self._files.days() if day < first_kept]
        for day in old:
            self._files.delete(day)
        return len(old)

    def _stored_alive_ms(self) -> EpochMs:
        row: tuple[int] | None = self._health.execute("SELECT alive_ms FROM alive").fetchone()
        return row[0] if row else 0

    def _keep_health(
        self, ticks: Sequence[Tick], levels: Sequence[FeedLevelChanged], alive_ms: EpochMs
    ) -> None:
        with transaction(self._health):
            for change in levels:
                _keep_level(self._health, change)
            if ticks and self._is_down:
                # The window that opens at the first tick, to the millisecond, is impaired too: its
                # carry-in may be among the lost ticks. Hence one millisecond more.
                self._health.execute(END_STRETCH, ("down", ticks[0].ts_ms + 1))
            self._health.execute("INSERT OR REPLACE INTO alive VALUES (1, ?)", (alive_ms,))
        self._alive_ms = alive_ms
        self._is_down = self._is_down and not ticks


@contextmanager
def _saying_when_full(*, levels_kept: bool = False, ticks_kept: int = 0) -> Iterator[None]:
    """A full disk raises RecordFull; everything else is raised as it is."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        full = is_disk_full(error) if isinstance(error, sqlite3.Error) else _lacks_room(error)
        if not full:
            raise
        raise RecordFull(levels_kept=levels_kept, ticks_kept=ticks_kept) from error


def _lacks_room(error: OSError) -> bool:
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


OPEN_DOWN: Final = "SELECT 1 FROM impairments WHERE kind = 'down' AND until_ms IS NULL"
# A stretch is never empty, though a clock may have been stepped back since it began.
END_STRETCH: Final = """
UPDATE impairments SET until_ms = max(?2, from_ms + 1) WHERE kind = ?1 AND until_ms IS NULL
"""


def _keep_level(health: sqlite3.Connection, change: FeedLevelChanged) -> None:
    """CRITICAL opens a stretch unless one is open (an earlier life's); any other level ends it."""
    health.execute(
        "INSERT INTO levels VALUES (?, ?, ?)", (change.level.value, change.at_ms, change.why)
    )
    if change.level is FeedLevel.CRITICAL:
        health.execute(
            "INSERT OR IGNORE INTO impairments (kind, from_ms) VALUES ('critical', ?)",
            (change.at_ms,),
        )
    else:
        health.execute(END_STRETCH, ("critical", change.at_ms))


class SqlitePriceReader:
    """`PriceReader`: the read side, on connections of its own. One thread at a time.

    Raises sqlite3.OperationalError when made for a folder that no SqlitePriceRecord has made.
    """

    def __init__(self, folder: Path) -> None:
        self._health = open_reader(folder / "record.db")
        self._files = TickFiles(folder, open_reader)

    def close(self) -> None:
        """Close all files."""
        self._files.close()
        self._health.close()

    def record(self, *, start_ms: EpochMs, end_ms: EpochMs, read_at_ms: EpochMs) -> Record:
        """All that a verdict on `[start_ms, end_ms)` rests on, as the clock shows `read_at_ms`."""
        # In this order, because the writer may commit between any two of these reads: what is read
        # later is only ever more complete. `after` before `ticks`, or a batch committed in between
        # would show an end of the window without the ticks that came before that end.
        newest = self._files.last()
        after = self._files.first_from(end_ms)
        ticks = tuple(self._files.between(start_ms, end_ms))
        carry_in = self._files.last_before(start_ms)
        return Record(
            start_ms=start_ms,
            end_ms=end_ms,
            carry_in=carry_in,
            ticks=ticks,
            after=after,
            watermark_ms=newest.ts_ms if newest else 0,
            read_at_ms=read_at_ms,
            impairments=self._impairments(start_ms, end_ms),
        )

    def ticks(self, *, from_ms: EpochMs, to_ms: EpochMs, limit: int) -> Sequence[Tick]:
        """The first `limit` ticks of `[from_ms, to_ms)`, oldest first."""
        return list(self._files.between(from_ms, to_ms, limit))

    def bars(
        self, *, from_ms: EpochMs, to_ms: EpochMs, interval_ms: int, limit: int
    ) -> Sequence[Bar]:
        """The first `limit` bars, oldest first, of the intervals that `[from_ms, to_ms)` touches.

        Intervals are aligned to the epoch and whole; one without a tick gives no bar.
        """
        bars: list[Bar] = []
        from_ms -= from_ms % interval_ms
        while len(bars) < limit:
            first = self._files.first_from(from_ms)
            if first is None or first.ts_ms - first.ts_ms % interval_ms >= to_ms:
                break
            bars.append(self._bar(first, interval_ms))
            from_ms = bars[-1].start_ms + interval_ms
        return bars

    def _bar(self, first: Tick, interval_ms: int) -> Bar:
        start_ms = first.ts_ms - first.ts_ms % interval_ms
        end_ms = start_ms + interval_ms
        count, low_cents, high_cents = self._files.spread(start_ms, end_ms)
        last = self._files.last_before(end_ms) or first
        return Bar(
            start_ms=start_ms,
            open_cents=first.price_cents,
            high_cents=high_cents,
            low_cents=low_cents,
            close_cents=last.price_cents,
            ticks=count,
        )

    def _impairments(self, start_ms: EpochMs, end_ms: EpochMs) -> tuple[Impairment, ...]:
        rows = self._health.execute(
            "SELECT kind, from_ms, until_ms FROM impairments"
            " WHERE from_ms < ? AND (until_ms IS NULL OR until_ms > ?) ORDER BY from_ms, rowid",
            (end_ms, start_ms),
        )
        return tuple(
            Impairment(kind=ImpairmentKind(kind), from_ms=from_ms, until_ms=until_ms)
            for kind, from_ms, until_ms in rows
        )


def _longest_silence_ms(files: TickFiles, last: Tick, alive_ms: EpochMs) -> int:
    """Over the minute before the last tick, the gap it begins in included, and from it to now."""
    from_ms = last.ts_ms - TAIL_MS
    before = files.last_before(from_ms)
    ticks = [*([before] if before else []), *files.between(from_ms, last.ts_ms + 1)]
    gaps_ms = (later.ts_ms - earlier.ts_ms for earlier, later in pairwise(ticks))
    return max(alive_ms - last.recv_ms, *gaps_ms, 0)
