"""The archive's own record: `archives` in `archive.db`, one row for each closed week.

Written only by whoever holds the archive's lock; anybody may read. Each call opens the file anew,
for a record that is written a few times a week need not be held open, and one that an operator has
put back in place is seen at once. A record that is lost is made anew from the ledger's own list of
weeks and from what stands in the object store (`db.archive`).
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

import attrs

from db.sqlite_connection import transaction
from domain.archiving import ArchiveState, Partition
from domain.units import EpochMs

SCHEMA_VERSION: Final = 1
WAIT_S: Final = 5
"""A reader meets a lock only while a row is written: milliseconds."""

_SCHEMA: Final = """
CREATE TABLE archives (
    name TEXT PRIMARY KEY CHECK (name GLOB '????-??-??.db'),
    state TEXT NOT NULL CHECK (
        state IN ('pending', 'vacuumed', 'compressed', 'uploaded', 'verified', 'done')),
    -- What the next week's file says of it: the same name may stand for another file after a backup
    -- was restored.
    closed_at_ms INTEGER NOT NULL,
    last_rowid INTEGER NOT NULL,
    -- Where the object is, and its key there.
    place TEXT NOT NULL,
    key TEXT NOT NULL CHECK (key <> ''),
    -- Of the vacuumed file, and of the compressed one that is the object.
    bytes INTEGER CHECK (bytes > 0),
    sha256 TEXT CHECK (length(sha256) = 64),
    compressed_bytes INTEGER CHECK (compressed_bytes > 0),
    compressed_sha256 TEXT CHECK (length(compressed_sha256) = 64),
    -- When each step was done last.
    vacuumed_at_ms INTEGER,
    compressed_at_ms INTEGER,
    uploaded_at_ms INTEGER,
    verified_at_ms INTEGER,
    done_at_ms INTEGER,
    purged_at_ms INTEGER,
    -- Failed attempts since it was last verified, and the last of them.
    failures INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0),
    failed_at_ms INTEGER NOT NULL DEFAULT 0,
    last_failure TEXT NOT NULL DEFAULT '',
    CHECK (state = 'pending' OR (bytes IS NOT NULL AND sha256 IS NOT NULL)),
    CHECK (state IN ('pending', 'vacuumed') OR compressed_sha256 IS NOT NULL),
    CHECK (state IN ('pending', 'vacuumed', 'compressed', 'uploaded') OR verified_at_ms IS NOT NULL)
) STRICT;
"""


class RecordMismatch(Exception):
    """The record was made by other code than this."""


@attrs.frozen(kw_only=True)
class ArchiveRow:
    """What is known of one closed week; the columns of `archives`."""

    name: str
    state: ArchiveState = attrs.field(default=ArchiveState.PENDING, converter=ArchiveState)
    closed_at_ms: EpochMs
    last_rowid: int
    place: str
    key: str
    bytes: int | None = None
    sha256: str | None = None
    compressed_bytes: int | None = None
    compressed_sha256: str | None = None
    vacuumed_at_ms: EpochMs | None = None
    compressed_at_ms: EpochMs | None = None
    uploaded_at_ms: EpochMs | None = None
    verified_at_ms: EpochMs | None = None
    done_at_ms: EpochMs | None = None
    purged_at_ms: EpochMs | None = None
    failures: int = 0
    failed_at_ms: EpochMs = 0
    last_failure: str = ""

    def is_of(self, closed_at_ms: EpochMs, last_rowid: int) -> bool:
        """Was it that file? After a backup was restored, a week of the name may have ended anew."""
        return (self.closed_at_ms, self.last_rowid) == (closed_at_ms, last_rowid)

    @property
    def partition(self) -> Partition:
        """The row in the words of `domain.archiving`."""
        return Partition(
            name=self.name,
            closed_at_ms=self.closed_at_ms,
            state=self.state,
            failures=self.failures,
            failed_at_ms=self.failed_at_ms,
            purged_at_ms=self.purged_at_ms,
        )


_COLUMNS: Final = tuple(field.name for field in attrs.fields(ArchiveRow))


@attrs.frozen
class ArchiveRecord:
    """The record in that file. Every method may raise sqlite3.Error, and RecordMismatch."""

    file: Path

    def rows(self) -> dict[str, ArchiveRow]:
        """All rows by name, oldest first; none where there is no record yet."""
        if not self.file.is_file():
            return {}
        with self._opened("ro") as connection:
            if _version(connection) == 0:  # made by a life that died before its first row
                return {}
            found = connection.execute(f"SELECT {', '.join(_COLUMNS)} FROM archives ORDER BY name")
            rows = [ArchiveRow(**dict(zip(_COLUMNS, row, strict=True))) for row in found]
        return {row.name: row for row in rows}

    def save(self, row: ArchiveRow) -> None:
        """Write the row, in place of the one of its name; on disk when it returns."""
        values: dict[str, Any] = attrs.asdict(row) | {"state": row.state.value}
        marks = ", ".join(f":{name}" for name in _COLUMNS)
        with self._opened("rwc") as connection:
            if _version(connection) == 0:
                connection.executescript(
                    f"BEGIN; {_SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
                )
            with transaction(connection):
                connection.execute(
                    f"INSERT OR REPLACE INTO archives ({', '.join(_COLUMNS)}) VALUES ({marks})",
                    values,
                )

    @contextmanager
    def _opened(self, mode: str) -> Iterator[sqlite3.Connection]:
        uri = f"{self.file.absolute().as_uri()}?mode={mode}"
        with closing(
            sqlite3.connect(uri, uri=True, isolation_level=None, timeout=WAIT_S)
        ) as connection:
            # One file and no log beside it: also the folder is synced when the row counts.
            connection.execute("PRAGMA synchronous = EXTRA")
            version = _version(connection)
            if version not in (0, SCHEMA_VERSION):
                raise RecordMismatch(f"{self.file} is of version {version}, not {SCHEMA_VERSION}")
            yield connection


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
