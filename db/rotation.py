"""From one week's file to the next: build it beside the old one, check it; close the old one.

`build_file` makes a file that nobody knows of yet: until the manifest names it (db.weekly_ledger
does that) it is an attempt, which `remove_attempts` clears away. `close_file` ends the old file
when the manifest has named the new one, and is repeated at the next start if the process died
before. So a crash at any point leaves the rotation either not begun or done.

What becomes of each table stands in `rotation.sql`.
"""

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final, TypeAlias

import attrs

from db.durable_file import sync_file, sync_folder
from db.ledger_check import check_opening
from db.partition import ManifestBroken, closed_at_ms, is_file_name
from db.sqlite_connection import (
    is_busy,
    is_damage,
    is_statement_fault,
    open_reader,
    open_writer,
    transaction,
)
from db.ulid import UlidMaker
from domain.units import EpochMs
from protocols.accounts import Drift

Trace: TypeAlias = Callable[[str], None]

YOUNG_MS: Final = 120_000
"""A bet's signature is honoured for less than this: so long its nonce must be known."""
_BUILDER_CACHE_KIB: Final = 262_144
"""100,000 accounts make 35 MB; a page is written once, when the file is complete."""
_BESIDE: Final = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a file. It must go first: a log without its file would be taken for
that of the next file of that name."""
_PART: Final = re.compile(r"^-- table (\w+): (.+)$", re.M)
_ULID_TIME_CHARACTERS: Final = 10


class RotationFailed(Exception):
    """The new file is not what the old one was; it was not made current."""

    def __init__(self, drifts: tuple[Drift, ...]) -> None:
        super().__init__("; ".join(drift.text for drift in drifts))
        self.drifts = drifts


@attrs.frozen(kw_only=True)
class Turn:
    """From the file of one week to that of another."""

    old: Path
    new: Path
    at_ms: EpochMs
    """When the old one ends and the new one begins."""


@attrs.frozen
class Part:
    """What becomes of one table."""

    table: str
    meaning: str
    statement: str
    """Empty if the table begins empty."""


@cache
def parts() -> tuple[Part, ...]:
    """`rotation.sql`, in order."""
    text = (resources.files("db") / "rotation.sql").read_text("utf-8")
    _, *pieces = _PART.split(text)
    triples = zip(pieces[::3], pieces[1::3], pieces[2::3], strict=True)
    return tuple(Part(table, meaning, _statement(body)) for table, meaning, body in triples)


def build_file(turn: Turn, *, ulids: UlidMaker, trace: Trace | None = None) -> None:
    """Make the new week's file, complete, checked and on disk, while the old one stands still.

    Raises RotationFailed, sqlite3.Error or OSError (FileExistsError if there is one of that name).
    """
    if turn.new.exists():
        raise FileExistsError(turn.new)
    try:
        _build(turn, ulids, trace)
    except BaseException:
        with suppress(OSError):
            _remove(turn.new)
        raise


def close_file(path: Path, *, at_ms: EpochMs, trace: Trace | None = None) -> None:
    """End a file whose successor is current, in one transaction: its open bets are `carried`, and
    nothing more is written to it. Repeating it changes nothing.

    Raises sqlite3.Error or OSError.
    """
    if closed_at_ms(path) is not None:
        return  # not even opened for writing, which would change it
    with closing(open_writer(path, trace=trace)) as connection, transaction(connection):
        connection.execute("UPDATE bets SET status = 'carried' WHERE status = 'confirmed'")
        connection.execute("DELETE FROM exposure WHERE scope <> 'total'")
        connection.execute("UPDATE exposure SET bets = 0, stake_micros = 0, payout_micros = 0")
        connection.execute("UPDATE meta SET closed_at_ms = max(opened_at_ms, ?)", (at_ms,))


def fold_log(path: Path, *, trace: Trace | None = None) -> bool:
    """Make a closed file one plain file, which can be read, copied and hashed without a log beside
    it. False if somebody reads it just now: then try again later; whoever reads it can meanwhile.

    Raises sqlite3.Error or OSError.
    """
    with closing(open_reader(path)) as connection:
        if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            return True
    with closing(open_writer(path, trace=trace)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        try:
            connection.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.OperationalError as error:
            if not is_busy(error):
                raise
            return False
    return True


def remove_attempts(folder: Path, current: Path) -> None:
    """Clear away the files of later weeks than the current one: rotations that did not get far.

    Raises ManifestBroken if one of them has money of its own, which no attempt has: the manifest is
    then older than the files beside it.
    """
    for path in sorted(folder.glob("*.db")):
        if is_file_name(path.name) and path.name > current.name:
            if _has_own_money(path):
                raise ManifestBroken(f"{path} is later than the current {current.name} and in use")
            _remove(path)


# --- building ---------------------------------------------------------------------------------


def _build(turn: Turn, ulids: UlidMaker, trace: Trace | None) -> None:
    with _builder(turn, trace) as connection:
        given = _given(connection, turn, ulids)
        connection.execute("BEGIN")
        _copy_schema(connection, "table")
        for part in parts():
            if part.statement:
                connection.execute(part.statement, given)
        # Filled first and indexed then: an index is sorted once instead of searched for every row.
        _copy_schema(connection, "index")
        _copy_schema(connection, "trigger")
        connection.execute("COMMIT")
        drifts = (*_differences(connection), *check_opening(connection))
        if drifts:
            raise RotationFailed(drifts)
    sync_file(turn.new)
    sync_folder(turn.new.parent)


@contextmanager
def _builder(turn: Turn, trace: Trace | None) -> Iterator[sqlite3.Connection]:
    """A connection to the new file as `main` and the old one as `old`."""
    _remove_beside(turn.new)
    connection = sqlite3.connect(
        f"{turn.new.absolute().as_uri()}?mode=rwc", uri=True, isolation_level=None, timeout=0
    )
    with closing(connection):
        # The file counts for nothing before it is complete: no log, and one sync when it is.
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(f"PRAGMA cache_size = -{_BUILDER_CACHE_KIB}")
        connection.execute("PRAGMA temp_store = MEMORY")
        # The CHECKs of 100,000 CARRY rows cost 90 ms. All other rows are checked ones, and what a
        # CARRY row must be is asked below.
        connection.execute("PRAGMA ignore_check_constraints = ON")
        if trace is not None:
            connection.set_trace_callback(trace)
        # Not mode=ro, though it is only read: that doubles the 50 ms which 100,000 users take.
        connection.execute("ATTACH ? AS old", (f"{turn.old.absolute().as_uri()}?mode=rw",))
        yield connection


def _given(connection: sqlite3.Connection, turn: Turn, ulids: UlidMaker) -> dict[str, object]:
    """What the statements of `rotation.sql` know besides the old file."""
    sql = "SELECT ifnull(max(rowid), 0) FROM old.transaction_ledger"
    (last_rowid,) = connection.execute(sql).fetchone()
    return {
        "old_name": turn.old.name,
        "at_ms": turn.at_ms,
        "last_rowid": last_rowid,
        "ulid_time": ulids.make(turn.at_ms)[:_ULID_TIME_CHARACTERS],
        "young_ms": turn.at_ms - YOUNG_MS,
    }


def _copy_schema(connection: sqlite3.Connection, kind: str) -> None:
    # Indexes that come with a table have no SQL of their own; `sqlite_` tables are SQLite's.
    found = connection.execute(
        "SELECT sql FROM old.sqlite_master"
        " WHERE type = ? AND sql IS NOT NULL AND name NOT GLOB 'sqlite_*' ORDER BY rowid",
        (kind,),
    ).fetchall()
    for (sql,) in found:
        connection.execute(sql)


def _statement(body: str) -> str:
    lines = [line for line in body.splitlines() if not line.lstrip().startswith("--")]
    return "\n".join(lines).strip()


# --- checking ---------------------------------------------------------------------------------

_BET: Final = (
    "rowid, id, user_id, nonce, column_start_s, column_s, lo_cents, hi_cents, rule,"
    " stake_micros, reward_bps, quote_n, status, placed_at_ms, key_id"
)

_QUESTIONS: Final = (
    (
        "accounts that are as they were",
        "SELECT count(*) FROM old.users",
        "SELECT count(*) FROM old.users AS o JOIN main.users AS n ON n.id = o.id"
        " AND n.balance = o.balance AND n.version = o.version AND n.frozen = o.frozen"
        " AND n.wallet_address = o.wallet_address",
    ),
    ("accounts", "SELECT count(*) FROM old.users", "SELECT count(*) FROM main.users"),
    (
        "rows",
        "SELECT count(*) FROM old.users WHERE balance <> 0 OR id <= 2",
        "SELECT count(*) FROM main.transaction_ledger",
    ),
    (
        "rows that carry a balance",
        "SELECT count(*) FROM main.transaction_ledger",
        "SELECT count(*) FROM main.transaction_ledger AS l JOIN old.users AS o ON o.id = l.user_id"
        " AND l.amount = o.balance AND l.balance_after = o.balance AND l.ref_type = 'CARRY'"
        " AND l.txn = (SELECT min(rowid) FROM main.transaction_ledger)"
        " WHERE o.balance <> 0 OR o.id <= 2",
    ),
    (
        "accounts that have one",
        "SELECT count(*) FROM main.transaction_ledger",
        "SELECT count(*) FROM (SELECT DISTINCT user_id FROM main.transaction_ledger)",
    ),
    (
        "number of the first row",
        "SELECT ifnull(max(rowid), 0) + 1 FROM old.transaction_ledger",
        "SELECT min(rowid) FROM main.transaction_ledger",
    ),
    (
        "open bets that are as they were",
        "SELECT count(*) FROM old.bets WHERE status = 'confirmed'",
        f"SELECT count(*) FROM (SELECT {_BET} FROM main.bets INTERSECT"
        f" SELECT {_BET} FROM old.bets WHERE status = 'confirmed')",
    ),
    (
        "stakes of open bets",
        "SELECT ifnull(sum(stake_micros), 0) FROM old.bets WHERE status = 'confirmed'",
        "SELECT ifnull(sum(stake_micros), 0) FROM main.bets",
    ),
    (
        "payouts of open bets",
        "SELECT ifnull(sum(payout_if_won_micros), 0) FROM old.bets WHERE status = 'confirmed'",
        "SELECT ifnull(sum(payout_if_won_micros), 0) FROM main.bets",
    ),
    ("deposits", "SELECT count(*) FROM old.deposits", "SELECT count(*) FROM main.deposits"),
    (
        "sum of deposits",
        "SELECT ifnull(sum(amount_micros), 0) FROM old.deposits",
        "SELECT ifnull(sum(amount_micros), 0) FROM main.deposits",
    ),
    # A key is kept for ever, so there may be too many to compare them one by one.
    *(
        (what, f"SELECT {number} FROM old.session_keys", f"SELECT {number} FROM main.session_keys")
        for what, number in (
            ("session keys", "count(*)"),
            ("session keys that are revoked", "count(revoked_at_ms)"),
            ("stakes of session keys", "ifnull(sum(day_stake_micros), 0)"),
        )
    ),
    *(
        (
            f"{table} that are as they were",
            f"SELECT count(*) FROM old.{table}",
            f"SELECT count(*) FROM"
            f" (SELECT * FROM main.{table} INTERSECT SELECT * FROM old.{table})",
        )
        for table in ("account_limits", "withdrawals", "adjustments", "column_voids")
    ),
)
"""What, what it must be (in the old file, mostly), and what it is in the new one.

One row per account that has its balance means that each balance is its rows' sum, and each chain
right: the questions that `check_since` would ask of it cost four times as much.
"""


def _differences(connection: sqlite3.Connection) -> Iterator[Drift]:
    for what, before, after in _QUESTIONS:
        (expected,), (found,) = (connection.execute(sql).fetchone() for sql in (before, after))
        if expected != found:
            yield Drift(what="carry", where=what, expected=expected, found=found)


# --- files ------------------------------------------------------------------------------------


_OWN_MONEY: Final = (
    "transaction_ledger WHERE ref_type <> 'CARRY'",
    "bets WHERE carried_from IS NULL",
    # These write no row of the ledger.
    "withdrawals, meta WHERE decided_at_ms >= opened_at_ms",
    "column_voids, meta WHERE created_at_ms >= opened_at_ms",
)
"""One by one: a file of an earlier version has not all of these tables."""


def _has_own_money(path: Path) -> bool:
    """Was anything written to it that it was not given by the file before it?"""
    return any(_is_any(path, what) for what in _OWN_MONEY)


def _is_any(path: Path, what: str) -> bool:
    try:
        with closing(open_reader(path)) as connection:
            found = connection.execute(f"SELECT EXISTS (SELECT 1 FROM {what})").fetchone()
    except sqlite3.Error as error:
        if is_statement_fault(error) or is_damage(error):
            return False  # no such table, or pages that never came to the disk
        raise
    return bool(found[0])


def _remove(path: Path) -> None:
    _remove_beside(path)
    path.unlink(missing_ok=True)


def _remove_beside(path: Path) -> None:
    for suffix in _BESIDE:
        path.with_name(path.name + suffix).unlink(missing_ok=True)
