"""The price record read once more, by SQL of its own: ticks and impairments as they are on disk."""

import hashlib
import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulation.oracle.verdicts import Price

TICKS_BEFORE_MS = 120_000
"""How far before a window its carry-in is looked for first."""


@dataclass(frozen=True)
class Stretch:
    """A stretch of time that the record calls impaired; it lasts while `until_ms` is None."""

    kind: str
    from_ms: int
    until_ms: int | None


@dataclass(frozen=True)
class Verdict:
    """A row of `columns`: what settlement stored."""

    void_reason: str | None
    source: str | None
    sha256: str
    start_ms: int
    end_ms: int
    carry_in: Price | None
    ticks: tuple[Price, ...]
    after: Price | None
    watermark_ms: int
    read_at_ms: int
    stretches: tuple[Stretch, ...]

    def due_sha256(self) -> str:
        """Over one line for each tick, the carry-in first."""
        ticks = [*([] if self.carry_in is None else [self.carry_in]), *self.ticks]
        lines = [f"{one.source},{one.ts_ms},{one.price_cents},{one.trade_id}\n" for one in ticks]
        return hashlib.sha256("".join(lines).encode()).hexdigest()


class RecordOnDisk:
    """One data folder's `prices/`, on read-only connections of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[Path, sqlite3.Connection] = {}

    def close(self) -> None:
        """Close all files."""
        for connection in self._open.values():
            connection.close()
        self._open.clear()

    def around(self, start_ms: int, end_ms: int) -> list[Price]:
        """From the last tick before the window on to the first after it, at least; in order."""
        found: list[Price] = []
        for path in sorted(self._folder.glob("ticks-????-??-??.db")):
            found += self._ticks_of(path, start_ms - TICKS_BEFORE_MS, end_ms)
        if not found or found[0].ts_ms >= start_ms:
            found = self._last_before(start_ms) + found
        return found

    def stretches(self, start_ms: int, end_ms: int) -> list[Stretch]:
        """The impairments that touch the window."""
        rows = self._connection(self._folder / "record.db").execute(
            "SELECT kind, from_ms, until_ms FROM impairments"
            " WHERE from_ms < ? AND coalesce(until_ms, 1 << 62) > ? ORDER BY from_ms, rowid",
            (end_ms, start_ms),
        )
        return [Stretch(*row) for row in rows]

    def newest_ms(self) -> int:
        """The exchange time of the newest tick; 0 without one."""
        for path in sorted(self._folder.glob("ticks-????-??-??.db"), reverse=True):
            (newest,) = self._connection(path).execute("SELECT max(ts_ms) FROM ticks").fetchone()
            if newest is not None:
                return int(newest)
        return 0

    def _ticks_of(self, path: Path, from_ms: int, end_ms: int) -> list[Price]:
        sql = "SELECT source, ts_ms, price_cents, trade_id FROM ticks WHERE "
        connection = self._connection(path)
        rows = connection.execute(
            f"{sql} ts_ms >= ? AND ts_ms < ? ORDER BY ts_ms, n", (from_ms, end_ms)
        ).fetchall()
        after = connection.execute(
            f"{sql} ts_ms >= ? ORDER BY ts_ms, n LIMIT 2", (end_ms,)
        ).fetchall()
        return [Price(*row) for row in (*rows, *after)]

    def _last_before(self, start_ms: int) -> list[Price]:
        for path in sorted(self._folder.glob("ticks-????-??-??.db"), reverse=True):
            rows = self._connection(path).execute(
                "SELECT source, ts_ms, price_cents, trade_id FROM ticks"
                " WHERE ts_ms < ? ORDER BY ts_ms DESC, n DESC LIMIT 1",
                (start_ms,),
            )
            for row in rows:
                return [Price(*row)]
        return []

    def _connection(self, path: Path) -> sqlite3.Connection:
        if path not in self._open:
            self._open[path] = opened(path)
        return self._open[path]


def opened(path: Path) -> sqlite3.Connection:
    """The file, for reading only."""
    return sqlite3.Connection(f"file:{path}?mode=ro", uri=True, isolation_level=None)


class LedgerOnDisk:
    """A data folder's current money file, on a read-only connection of its own."""

    def __init__(self, folder: Path) -> None:
        self._manifest = folder / "money" / "manifest.json"
        self._named: tuple[int, int] | None = None
        self._open: sqlite3.Connection | None = None

    def current(self) -> sqlite3.Connection:
        """The file that the manifest names now."""
        found = self._manifest.stat()
        named = found.st_ino, found.st_mtime_ns
        if self._open is None or named != self._named:
            self.close()
            stored: Any = json.loads(self._manifest.read_text("utf-8"))
            self._named = named
            self._open = opened(self._manifest.parent / str(stored["current"]))
        return self._open

    def close(self) -> None:
        """Close what is open."""
        if self._open is not None:
            self._open.close()
        self._open = None


def verdict_of(
    ledger: sqlite3.Connection, start_s: int, column_s: int, rule: str
) -> Verdict | None:
    """What is stored about a column, or None."""
    row = ledger.execute(
        "SELECT void_reason, source, record, ticks_sha256 FROM columns"
        " WHERE start_s = ? AND column_s = ? AND rule = ?",
        (start_s, column_s, rule),
    ).fetchone()
    if row is None:
        return None
    stored: Mapping[str, Any] = json.loads(row[2])
    return Verdict(
        void_reason=row[0],
        source=row[1],
        sha256=row[3],
        start_ms=stored["start_ms"],
        end_ms=stored["end_ms"],
        carry_in=_price(stored["carry_in"]),
        ticks=tuple(Price(*tick) for tick in stored["ticks"]),
        after=_price(stored["after"]),
        watermark_ms=stored["watermark_ms"],
        read_at_ms=stored["read_at_ms"],
        stretches=tuple(Stretch(*one) for one in stored["impairments"]),
    )


def _price(row: list[Any] | None) -> Price | None:
    return None if row is None else Price(*row)
