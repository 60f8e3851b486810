"""Which file holds the money now: one per week, named by its Sunday, and a manifest that says so.

`money/2026-11-15.db` is the week from Sunday 2026-11-15 00:00 UTC on. A file is never renamed;
`money/manifest.json`, replaced atomically, names the current one. The ones before it are closed and
never written again; `db.rotation` makes one of the other.
"""

import json
import re
import sqlite3
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from db.durable_file import replace_file
from db.sqlite_connection import is_statement_fault, open_reader
from domain.units import EpochMs
from protocols.ports import LedgerUnreadable

MANIFEST: Final = "manifest.json"

_NAME: Final = re.compile(r"\d{4}-\d\d-\d\d\.db")
_DAY_MS: Final = 86_400_000
_EPOCH: Final = date(1970, 1, 1)
"""A Thursday: four days after a Sunday."""


class ManifestBroken(LedgerUnreadable):
    """The manifest is missing beside older files, is not what was written, or names no file, or one
    that is closed or has a later one with money of its own beside it.

    Starting a new ledger then, or going on with that one, would lose money, so nothing is begun.
    """


def week_sunday(at_ms: EpochMs) -> date:
    """The Sunday (UTC) on which the week of `at_ms` begins."""
    day = at_ms // _DAY_MS
    return _EPOCH + timedelta(days=day - (day + 4) % 7)


def file_name(at_ms: EpochMs) -> str:
    """The name of the file of the week of `at_ms`."""
    return f"{week_sunday(at_ms).isoformat()}.db"


def is_file_name(name: str) -> bool:
    """Is it the name of a week's file?"""
    if _NAME.fullmatch(name) is None:
        return False
    try:
        return date.fromisoformat(name.removesuffix(".db")).isoweekday() == 7
    except ValueError:
        return False


def current_file(folder: Path) -> Path | None:
    """The file that the manifest names, or None in a folder where no money was ever kept.

    Raises ManifestBroken.
    """
    manifest = folder / MANIFEST
    try:
        stored = json.loads(manifest.read_text("utf-8"))
        name = stored["current"]
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise ManifestBroken(f"{manifest} can't be read: {error}") from error
    if not isinstance(name, str) or not is_file_name(name) or not (folder / name).is_file():
        raise ManifestBroken(f"{manifest} names {name!r}, which is no week's file beside it")
    return folder / name


def begin_file(folder: Path, *, at_ms: EpochMs) -> Path:
    """Where the first ledger of a folder without a manifest goes; `name_current` makes it count.

    A start that died between the two has left this very file, or that of an earlier week, with no
    money in it yet. Any other ledger without a manifest raises ManifestBroken.
    """
    path = folder / file_name(at_ms)
    others = sorted(file.name for file in folder.glob("*.db") if file != path)
    if len(others) == 1 and others[0] < path.name and not path.exists():
        only = folder / others[0]
        if is_file_name(only.name) and not _has_rows(only):
            return only
    if others:
        raise ManifestBroken(f"{folder / MANIFEST} is missing beside {', '.join(others)}")
    return path


def name_current(folder: Path, path: Path) -> None:
    """Make `path`, a complete ledger in `folder`, the current one."""
    replace_file(folder / MANIFEST, json.dumps({"current": path.name}) + "\n")


def _has_rows(path: Path) -> bool:
    """Was anything ever booked in it? Raises sqlite3.Error if it is damaged."""
    with closing(open_reader(path)) as connection:
        try:
            found = connection.execute("SELECT EXISTS (SELECT 1 FROM transaction_ledger)")
        except sqlite3.Error as error:
            if not is_statement_fault(error):
                raise
            return False  # there is no such table yet
        return bool(found.fetchone()[0])


def closed_at_ms(path: Path) -> EpochMs | None:
    """When the ledger in that file was closed; None for one that is not, or is none yet.

    Reads only: to open a file for writing would change it. Raises sqlite3.Error if it is damaged.
    """
    with closing(open_reader(path)) as connection:
        try:
            found = connection.execute("SELECT closed_at_ms FROM meta").fetchone()
        except sqlite3.Error as error:
            if not is_statement_fault(error):
                raise
            return None  # of an older schema, or empty: nobody can have closed it
    return found[0] if found is not None else None
