"""Connections to a money ledger file: one that writes, any number that only read.

Every PRAGMA stands here with its reason. `bench/bench_ledger.py` made the choices that a number
decides; `bench/RESULTS.md` has the figures.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeAlias

import attrs

from protocols.ports import LedgerUnreadable

WAL_CHECKPOINT_PAGES: Final = 20_000
"""80 MB of write-ahead log between checkpoints: hot index pages are then copied into the file once
for many batches. A third fewer bytes written a bet than with SQLite's 1,000; 80,000 would save 3 %
more and hold a commit for 100 ms instead of 48."""
WRITER_CACHE_KIB: Final = 65_536
READER_CACHE_KIB: Final = 16_384


@attrs.frozen
class Memory:
    """A database that lives in this process only, by name, while a connection to it is open."""

    name: str


Database: TypeAlias = Path | Memory
"""Where a ledger is: a file, or memory (tests and simulation, on the same code)."""


class DatabaseMissing(LedgerUnreadable):
    """There is no ledger file to read at that path."""


def open_writer(
    database: Database, *, trace: Callable[[str], None] | None = None
) -> sqlite3.Connection:
    """The write connection; makes the file if there is none. Transactions are explicit.

    `trace` gets every statement before it runs. The connection may be handed from thread to
    thread, but serves one call at a time.
    """
    match database:
        case Memory(name):
            uri = f"file:{name}?mode=memory&cache=shared"
        case path:
            uri = f"{path.absolute().as_uri()}?mode=rwc"
    # isolation_level=None: BEGIN and COMMIT are written where they happen.
    # timeout=0: there is one writer, so "busy" is a defect, and waiting would only hide it.
    connection = sqlite3.connect(
        uri, uri=True, isolation_level=None, timeout=0, check_same_thread=False
    )
    # Readers go on while a batch is written, and a commit is one append and one sync.
    mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if isinstance(database, Path) and mode != "wal":
        connection.close()
        raise RuntimeError(f"{database} can't be put into WAL mode (it is in {mode!r})")
    # Acknowledged means on disk: the log is synced by every COMMIT, not only by checkpoints.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    # So that INSERT OR REPLACE can't slip past the trigger that forbids deleting ledger rows.
    connection.execute("PRAGMA recursive_triggers = ON")
    connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_CHECKPOINT_PAGES}")
    # The indexes of a busy week are larger than SQLite's 2 MB; a miss is a read in mid-batch.
    connection.execute(f"PRAGMA cache_size = -{WRITER_CACHE_KIB}")
    # The intake's tables are the batch in hand: no business of the disk's.
    connection.execute("PRAGMA temp_store = MEMORY")
    if trace is not None:
        connection.set_trace_callback(trace)
    return connection


def open_reader(database: Database) -> sqlite3.Connection:
    """A connection that can't write. Raises DatabaseMissing where there is no file."""
    match database:
        case Memory(name):
            uri = f"file:{name}?mode=memory&cache=shared"
        case path:
            if not path.is_file():
                raise DatabaseMissing(str(path))
            uri = f"{path.absolute().as_uri()}?mode=ro"
    # A reader meets a lock only while the writer opens or closes the file: milliseconds.
    connection = sqlite3.connect(
        uri, uri=True, isolation_level=None, timeout=5, check_same_thread=False
    )
    connection.execute("PRAGMA query_only = ON")
    connection.execute(f"PRAGMA cache_size = -{READER_CACHE_KIB}")
    # Sorting a whole ledger for the integrity check goes to a file when it outgrows the cache.
    connection.execute("PRAGMA temp_store = FILE")
    return connection


def close_writer(connection: sqlite3.Connection) -> None:
    """Close with an empty write-ahead log, as far as readers and the disk let us.

    Where there is no room for what the log holds it stays beside the file, for the next one.
    """
    try:
        _rollback(connection)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error as error:
        if not is_disk_full(error):
            raise
    finally:
        connection.close()


def size_with_log(file: Path) -> int:
    """Of a ledger whose write-ahead log may not have been copied into it yet: mostly a little too
    much, and after a rotation else far too little. 0 for one that is not there."""
    parts = (file, file.with_name(f"{file.name}-wal"))
    return sum(part.stat().st_size for part in parts if part.exists())


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of the block, on disk when it ends, or nothing of it."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        _rollback(connection)
        raise


@contextmanager
def savepoint(connection: sqlite3.Connection) -> Iterator[None]:
    """Within a transaction: all of the block or nothing of it, whatever becomes of the rest."""
    connection.execute("SAVEPOINT command")
    try:
        yield
        connection.execute("RELEASE command")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK TO command")
            connection.execute("RELEASE command")
        raise


@contextmanager
def snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """Every SELECT of the block sees the same moment."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        _rollback(connection)


def _rollback(connection: sqlite3.Connection) -> None:
    # A full disk or an I/O error makes SQLite roll back by itself.
    if connection.in_transaction:
        connection.execute("ROLLBACK")


_STATEMENT_FAULTS: Final = frozenset(
    {
        sqlite3.SQLITE_ERROR,
        sqlite3.SQLITE_TOOBIG,
        sqlite3.SQLITE_CONSTRAINT,
        sqlite3.SQLITE_MISMATCH,
        sqlite3.SQLITE_RANGE,
    }
)


def is_statement_fault(error: sqlite3.Error) -> bool:
    """Is the statement or its data at fault, and not the file, the disk or the machine?

    Then the other commands of the batch can be carried out.
    """
    return _primary_code(error) in _STATEMENT_FAULTS


def is_disk_full(error: sqlite3.Error) -> bool:
    """Is it "database or disk is full"?"""
    return _primary_code(error) == sqlite3.SQLITE_FULL


def is_damage(error: sqlite3.Error) -> bool:
    """Does the file itself not make sense, wherever it lies?"""
    return _primary_code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def is_busy(error: sqlite3.Error) -> bool:
    """Does another connection hold what this one needs?"""
    return _primary_code(error) == sqlite3.SQLITE_BUSY


def _primary_code(error: sqlite3.Error) -> int:
    # The low byte; the rest says more exactly which constraint or which I/O call. Errors that the
    # driver raises by itself (a number beyond 64 bits is OverflowError) have no code.
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
