"""What the archive does with files: copy a closed week, read one back, check that it is sound.

Every function here streams: it holds a few megabytes, whatever the file's size. What makes a file
writes beside it and gives the name last, synced, so that a file of the right name is whole. `work`
ends any of them within about a second; nothing that looks complete is left then.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import attrs
import trio
import zstandard

from db.compression import Compressed, NotCompressed, compress, expand
from db.durable_file import sync_file, sync_folder
from db.ledger_check import check_all
from db.object_io import Passage, file_chunks
from db.sqlite_connection import is_damage, size_with_log, snapshot
from domain.units import EpochMs
from protocols.ports import ObjectStore, Work, WorkStopped

CACHE_KIB: Final = 4_096
"""Pages are read once, one after the other: four times as much takes 25 MiB more and as long."""
LOOK_S: Final = 0.2
"""How often a long statement of SQLite's is followed."""
FRAME_HEAD_BYTES_MAX: Final = 18
"""Of a zstd frame."""


class Damaged(Exception):
    """A file is not what it must be: unreadable, incomplete, or its money does not add up."""


class NotClosed(Exception):
    """The week's file is not closed yet: the venue has still to finish its rotation."""


@attrs.frozen(kw_only=True)
class Content:
    """What is in a file."""

    bytes: int
    sha256: str


@attrs.frozen(kw_only=True)
class LedgerFacts:
    """What tells one week's ledger from every other, and a copy from a part of one."""

    opened_at_ms: EpochMs
    closed_at_ms: EpochMs | None
    last_rowid: int
    last_ledger_id: str
    """A ULID: no two venues have the same."""
    rows: tuple[tuple[str, int], ...]
    """How many there are in each table, by its name."""


# --- a ledger file ------------------------------------------------------------------------------


@contextmanager
def opened_whole(file: Path, *, mode: str = "ro") -> Iterator[sqlite3.Connection]:
    """A connection for one long piece of work on a file that nobody writes.

    `mode` is `ro`; `rw` for VACUUM INTO only, which on a read-only connection of SQLite 3.40 fails
    for a table with generated columns. It writes nothing to the file either way.
    """
    uri = f"{file.absolute().as_uri()}?mode={mode}"
    with closing(
        sqlite3.connect(uri, uri=True, isolation_level=None, timeout=5, check_same_thread=False)
    ) as connection:
        connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        # What is sorted goes to a file when it outgrows the cache.
        connection.execute("PRAGMA temp_store = FILE")
        yield connection


def facts_of(connection: sqlite3.Connection) -> LedgerFacts:
    """Read them; `count(*)` walks one index of each table."""
    with snapshot(connection):
        opened_at_ms, closed_at_ms = connection.execute(
            "SELECT opened_at_ms, closed_at_ms FROM meta"
        ).fetchone()
        last_rowid, last_ledger_id = connection.execute(
            "SELECT ifnull(max(rowid), 0), ifnull((SELECT id FROM transaction_ledger"
            " ORDER BY rowid DESC LIMIT 1), '') FROM transaction_ledger"
        ).fetchone()
        tables = connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"
        ).fetchall()
        rows = tuple(
            (name, connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0])
            for (name,) in tables
        )
    return LedgerFacts(
        opened_at_ms=opened_at_ms,
        closed_at_ms=closed_at_ms,
        last_rowid=last_rowid,
        last_ledger_id=last_ledger_id,
        rows=rows,
    )


def closed_facts(file: Path, *, work: Work) -> LedgerFacts:
    """The facts of a week that is over. Raises NotClosed if its file may still change."""
    with opened_whole(file) as connection, followed(connection, work):
        facts = facts_of(connection)
        open_bets = connection.execute(
            "SELECT count(*) FROM bets WHERE status = 'confirmed'"
        ).fetchone()[0]
    if facts.closed_at_ms is None or open_bets:
        raise NotClosed(f"{file.name} is not closed yet: the venue finishes that when it starts")
    return facts


def sound_facts(file: Path, *, work: Work) -> LedgerFacts:
    """The facts of a ledger whose every page is sound and whose money adds up. Raises Damaged."""
    try:
        with opened_whole(file) as connection, followed(connection, work):
            (verdict,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
            if verdict != "ok":
                raise Damaged(f"{file.name} is damaged: {verdict}")
            with snapshot(connection):
                report = check_all(connection)
            facts = facts_of(connection)
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise
        raise Damaged(f"{file.name} is damaged: {error}") from error
    if not report.clean:
        first = report.drifts[0]
        raise Damaged(f"{file.name} does not add up: {first.what} {first.where}")
    return facts


@contextmanager
def followed(
    connection: sqlite3.Connection,
    work: Work,
    *,
    done_bytes: Callable[[], int] = lambda: 0,
    total_bytes: int = 0,
) -> Iterator[None]:
    """Long statements in the block follow `work`, from a thread of their own.

    SQLite's progress handler would not do: it is not asked while the integrity check walks a table.
    On the event loop's own thread, as under virtual time, nobody could say meanwhile that it is to
    end, and what a thread would see would depend on the machine: there none is started.
    """
    work.step(0, total_bytes)
    if trio.lowlevel.in_trio_run():
        yield
        return
    ended, stopped = threading.Event(), list[WorkStopped]()

    def follow() -> None:
        while not ended.wait(LOOK_S):
            try:
                work.step(done_bytes(), total_bytes)
            except WorkStopped as stop:
                stopped.append(stop)
                break
        # Again and again: a statement that begins just after an interrupt has not heard it.
        while stopped and not ended.wait(LOOK_S / 10):
            connection.interrupt()

    follower = threading.Thread(target=follow, name="archive follower", daemon=True)
    follower.start()
    try:
        yield
    except sqlite3.OperationalError as error:
        if stopped:
            raise stopped[0] from error
        raise
    finally:
        ended.set()
        follower.join()
    if stopped:
        raise stopped[0]


# --- the steps ----------------------------------------------------------------------------------


def vacuum(source: Path, target: Path, *, work: Work) -> Content:
    """A compact copy of a closed week, checked: sound, adding up, with as many rows everywhere.

    Raises NotClosed, Damaged, sqlite3.Error and OSError (the disk is full).
    """
    wanted = closed_facts(source, work=work)
    source_bytes = size_with_log(source)
    with _fresh(target) as fresh:
        with (
            opened_whole(source, mode="rw") as connection,
            followed(connection, work, done_bytes=lambda: _size(fresh), total_bytes=source_bytes),
        ):
            connection.execute("VACUUM INTO ?", (str(fresh),))
        if sound_facts(fresh, work=work) != wanted:
            raise Damaged(f"the copy of {source.name} has not the rows of the original")
        return content_of(fresh, work=work)


def packed(source: Path, target: Path, *, level: int, work: Work) -> Compressed:
    """Compress `source` into `target`; sizes and hashes of both. Raises OSError."""
    with _fresh(target) as fresh:
        return compress(source, fresh, level=level, work=work)


def fetch(
    store: ObjectStore, key: str, target: Path, *, need_room: Callable[[int], None], work: Work
) -> Compressed:
    """An archived week, unpacked into `target`; sizes and hashes of both.

    The object is read into a file beside it, which is gone afterwards. Raises ObjectMissing,
    ObjectStoreFailed, Damaged if it is not one whole zstd frame, OSError, and what `need_room`
    raises when it is told how large the content is.
    """
    object_ = target.with_name(f"{target.name}.zst.new")
    object_.unlink(missing_ok=True)
    try:
        stored_sha256 = store.get(key, str(object_), work=work)
        plain_bytes = _plain_bytes(object_)
        need_room(plain_bytes)
        with _fresh(target) as fresh:
            plain_sha256 = _unpack(object_, fresh, plain_bytes, work=work)
        return Compressed(
            plain_bytes=plain_bytes,
            plain_sha256=plain_sha256,
            stored_bytes=object_.stat().st_size,
            stored_sha256=stored_sha256,
        )
    finally:
        object_.unlink(missing_ok=True)


def content_of(file: Path, *, work: Work) -> Content:
    """Size and hash. Raises OSError."""
    size = file.stat().st_size
    with file.open("rb") as reading:
        return Content(bytes=size, sha256=Passage(size, work).exhaust(file_chunks(reading)))


# --- parts --------------------------------------------------------------------------------------


def _unpack(object_: Path, target: Path, plain_bytes: int, *, work: Work) -> str:
    try:
        sha256 = expand(object_, target, plain_bytes=plain_bytes, work=work)
    except NotCompressed as error:
        raise Damaged(str(error)) from error
    # Its end may be missing, which looks like the end of its content.
    if (got_bytes := target.stat().st_size) != plain_bytes:
        raise Damaged(f"{object_.name} holds {got_bytes:,} bytes of {plain_bytes:,}")
    return sha256


def _plain_bytes(object_: Path) -> int:
    """How much it holds, by its own account."""
    with object_.open("rb") as reading:
        head = reading.read(FRAME_HEAD_BYTES_MAX)
    try:
        return zstandard.get_frame_parameters(head).content_size
    except zstandard.ZstdError as error:
        raise Damaged(f"{object_.name} is no packed file: {error}") from error


@contextmanager
def _fresh(target: Path) -> Iterator[Path]:
    """A file to be made beside `target`, which it becomes, synced, if all of the block is done."""
    fresh = target.with_name(f"{target.name}.new")
    _discard(fresh)
    try:
        yield fresh
        sync_file(fresh)
        fresh.replace(target)
    except BaseException:
        _discard(fresh)
        raise
    sync_folder(target.parent)


def _discard(fresh: Path) -> None:
    """What an attempt has left, SQLite's own leavings included."""
    for leftover in sorted(fresh.parent.glob(f"{fresh.name}*")):
        leftover.unlink(missing_ok=True)


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0
