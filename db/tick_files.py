"""Daily files of ticks: where they are, which are open, and what can be asked of them together.

`ticks-2026-11-20.db` holds the ticks whose exchange time falls on that UTC day. `TickFiles` makes
the days look like one sequence, for the writer and for the reader of `db/sqlite_prices.py`.
"""

import os
import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeAlias

from db.sqlite_connection import transaction
from domain.ticks import Tick
from domain.units import EpochMs

DAY_MS: Final = 86_400_000
FILES_OPEN_MAX: Final = 3
"""Today, yesterday around midnight, and one that a chart looks at. Each open file costs handles and
a page cache; opening one takes a quarter of a millisecond."""

Day: TypeAlias = int
"""Days since 1970-01-01 UTC."""

# Clustered by time: a window is one range of neighbouring pages, and an append writes no index.
TICKS_SCHEMA: Final = """
CREATE TABLE ticks (
    ts_ms INTEGER NOT NULL,
    n INTEGER NOT NULL,  -- order of acceptance within the day
    price_cents INTEGER NOT NULL,
    size_e8 INTEGER NOT NULL,
    recv_ms INTEGER NOT NULL,
    trade_id INTEGER NOT NULL,
    source TEXT NOT NULL,
    PRIMARY KEY (ts_ms, n)
) STRICT, WITHOUT ROWID;
"""

SELECT_TICKS: Final = "SELECT source, trade_id, price_cents, size_e8, ts_ms, recv_ms FROM ticks "


class TickFiles:
    """The daily files of a folder, with connections to the few that were used last."""

    def __init__(self, folder: Path, open_file: Callable[[Path], sqlite3.Connection]) -> None:
        self._folder = folder
        self._open_file = open_file
        self._open: OrderedDict[Day, sqlite3.Connection] = OrderedDict()

    def close(self) -> None:
        """Close what is open."""
        while self._open:
            self._open.popitem()[1].close()

    def days(self) -> list[Day]:
        """The days that have a file, oldest first."""
        dates = (path.name[6:16] for path in self._folder.glob("ticks-????-??-??.db"))
        midnights = (datetime.fromisoformat(date).replace(tzinfo=UTC) for date in dates)
        return sorted(int(midnight.timestamp()) * 1000 // DAY_MS for midnight in midnights)

    def delete(self, day: Day) -> None:
        """Delete a day's file. Another process that reads it keeps what it has open."""
        connection = self._open.pop(day, None)
        if connection is not None:
            connection.close()
        for suffix in ("", "-wal", "-shm"):
            Path(f"{self._path(day)}{suffix}").unlink(missing_ok=True)

    def append(self, day: Day, ticks: Sequence[Tick]) -> None:
        """Commit ticks of one day, in order and none before the last one there."""
        if day not in self._open and not self._path(day).exists():
            create(self._path(day), TICKS_SCHEMA)
        connection = self._connection(day)
        with transaction(connection):
            row = connection.execute("SELECT n FROM ticks ORDER BY ts_ms DESC, n DESC LIMIT 1")
            (last_n,) = row.fetchone() or (0,)
            connection.executemany(
                "INSERT INTO ticks VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    (t.ts_ms, n, t.price_cents, t.size_e8, t.recv_ms, t.trade_id, t.source)
                    for n, t in enumerate(ticks, last_n + 1)
                ),
            )

    def last(self) -> Tick | None:
        """The newest tick."""
        return self._last_of(reversed(self.days()), None)

    def last_before(self, ts_ms: EpochMs) -> Tick | None:
        """The newest tick whose exchange time is before `ts_ms`."""
        return self._last_of((day for day in reversed(self.days()) if day * DAY_MS < ts_ms), ts_ms)

    def first_from(self, ts_ms: EpochMs) -> Tick | None:
        """The first tick at `ts_ms` or later."""
        query = f"{SELECT_TICKS}WHERE ts_ms >= ? ORDER BY ts_ms, n LIMIT 1"
        for day in self.days():
            if (day + 1) * DAY_MS > ts_ms:
                row = self._connection(day).execute(query, (ts_ms,)).fetchone()
                if row is not None:
                    return _tick(row)
        return None

    def between(self, from_ms: EpochMs, to_ms: EpochMs, limit: int = -1) -> Iterator[Tick]:
        """The first `limit` ticks (-1: all) of `[from_ms, to_ms)`, in order."""
        query = f"{SELECT_TICKS}WHERE ts_ms >= ? AND ts_ms < ? ORDER BY ts_ms, n LIMIT ?"
        for day in self._overlapping(from_ms, to_ms):
            rows = self._connection(day).execute(query, (from_ms, to_ms, limit)).fetchall()
            yield from map(_tick, rows)
            if limit >= 0:
                limit -= len(rows)

    def spread(self, from_ms: EpochMs, to_ms: EpochMs) -> tuple[int, int, int]:
        """How many ticks `[from_ms, to_ms)` has, at least one; their lowest and highest price."""
        query = (
            "SELECT count(*), min(price_cents), max(price_cents) FROM ticks"
            " WHERE ts_ms >= ? AND ts_ms < ? HAVING count(*) > 0"
        )
        days = self._overlapping(from_ms, to_ms)
        rows = [self._connection(day).execute(query, (from_ms, to_ms)).fetchone() for day in days]
        counts, lows, highs = zip(*(row for row in rows if row is not None), strict=True)
        return sum(counts), min(lows), max(highs)

    def _path(self, day: Day) -> Path:
        date = datetime.fromtimestamp(day * DAY_MS // 1000, UTC).date()
        return self._folder / f"ticks-{date.isoformat()}.db"

    def _overlapping(self, from_ms: EpochMs, to_ms: EpochMs) -> list[Day]:
        return [day for day in self.days() if from_ms // DAY_MS <= day <= (to_ms - 1) // DAY_MS]

    def _connection(self, day: Day) -> sqlite3.Connection:
        connection = self._open.pop(day, None) or self._open_file(self._path(day))
        self._open[day] = connection
        if len(self._open) > FILES_OPEN_MAX:
            self._open.popitem(last=False)[1].close()
        return connection

    def _last_of(self, newest_first: Iterator[Day], before_ms: EpochMs | None) -> Tick | None:
        where = "" if before_ms is None else "WHERE ts_ms < :before_ms "
        query = f"{SELECT_TICKS}{where}ORDER BY ts_ms DESC, n DESC LIMIT 1"
        for day in newest_first:
            row = self._connection(day).execute(query, {"before_ms": before_ms}).fetchone()
            if row is not None:
                return _tick(row)
        return None


def _tick(row: tuple[str, int, int, int, int, int]) -> Tick:
    source, trade_id, price_cents, size_e8, ts_ms, recv_ms = row
    return Tick(
        source=source,
        trade_id=trade_id,
        price_cents=price_cents,
        size_e8=size_e8,
        ts_ms=ts_ms,
        recv_ms=recv_ms,
    )


def create(path: Path, schema: str) -> None:
    """Make a database file that is complete from the moment it has its name."""
    unfinished = path.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    connection = sqlite3.connect(unfinished, isolation_level=None)
    connection.executescript(f"PRAGMA synchronous = FULL; BEGIN; {schema} COMMIT;")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
    unfinished.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # or a power cut could take the name, and all commits with it
    finally:
        os.close(folder)


def open_writer(path: Path) -> sqlite3.Connection:
    """One that writes. Transactions are explicit; calls may come from any one thread at a time."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        isolation_level=None,  # BEGIN and COMMIT are written where they happen
        # There is one writer, but a reader that closes a file which nobody else has open locks it
        # for a moment.
        timeout=5,
        check_same_thread=False,
    )
    # FULL, because settlement waits for "committed" and rests on it. Under NORMAL a power cut takes
    # the newest commits of each file by itself: the end of Saturday's file could be lost and the
    # beginning of Sunday's survive, or a CRITICAL stretch be lost and the ticks after it survive;
    # the next life would open its DOWN stretch at the last surviving tick and never know. Under
    # FULL what is lost is always the end of the record. It costs 0.26 ms a commit against 0.02, for
    # some 20 commits a second, off the money path.
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def open_reader(path: Path) -> sqlite3.Connection:
    """One that only reads. Raises sqlite3.OperationalError if there is no such file."""
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
    )
