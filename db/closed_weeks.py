"""Which weeks are over: what the current ledger file says of those before it."""

from collections.abc import Mapping
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Final

import attrs

from db.partition import current_file
from db.sqlite_connection import open_reader, snapshot
from domain.archiving import DAY_MS
from domain.units import EpochMs

_EPOCH: Final = date(1970, 1, 1)


@attrs.frozen(kw_only=True)
class ClosedWeek:
    """A row of `partitions`."""

    name: str
    opened_at_ms: EpochMs
    closed_at_ms: EpochMs
    last_rowid: int


@attrs.frozen(kw_only=True)
class Weeks:
    """All weeks of a venue."""

    current: str
    """The file that is written now; empty in a folder without a ledger."""
    opened_at_ms: EpochMs
    """When the first of them began; 0 in a folder without a ledger."""
    closed: Mapping[str, ClosedWeek]
    """By name, oldest first."""


def weeks_of(money: Path) -> Weeks:
    """What the current file in that folder knows.

    Raises ManifestBroken (db.partition), DatabaseMissing (db.sqlite_connection), sqlite3.Error.
    """
    file = current_file(money)
    if file is None:
        return Weeks(current="", opened_at_ms=0, closed={})
    with closing(open_reader(file)) as connection, snapshot(connection):
        (opened_at_ms,) = connection.execute("SELECT opened_at_ms FROM meta").fetchone()
        rows = connection.execute(
            "SELECT name, opened_at_ms, closed_at_ms, last_rowid FROM partitions ORDER BY name"
        ).fetchall()
    closed = [
        ClosedWeek(name=name, opened_at_ms=opened, closed_at_ms=ended, last_rowid=last_rowid)
        for name, opened, ended, last_rowid in rows
    ]
    first, first_ms = (
        (closed[0].name, closed[0].opened_at_ms) if closed else (file.name, opened_at_ms)
    )
    return Weeks(
        current=file.name,
        # Files of before there was such a mark have 0: they began on their Sunday or after it.
        opened_at_ms=first_ms or sunday_ms(first),
        closed={week.name: week for week in closed},
    )


def sunday_ms(name: str) -> EpochMs:
    """The beginning of the week that a file is named after."""
    return (date.fromisoformat(name.removesuffix(".db")) - _EPOCH).days * DAY_MS
