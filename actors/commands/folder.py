"""The data folder as commands see it: its ledger to read, and the venue that runs on it."""

import json
import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from actors.commands.exits import NO_FOLDER, UNREACHABLE, CannotDo
from actors.commands.venue_client import VenueClient
from db.archive_record import ArchiveRecord, RecordMismatch
from db.data_folder import DataFolder, FolderInUse, NoDataFolder, StampBroken, StampMismatch
from db.migrate import SchemaMismatch
from db.partition import ManifestBroken, current_file
from db.sqlite_connection import DatabaseMissing
from db.weekly_reader import ReadFailed, WeeklyReader
from domain.archiving import ArchiveState

FOLDER_FAULTS: Final = (
    NoDataFolder,
    StampMismatch,
    StampBroken,
    FolderInUse,
    ManifestBroken,
    SchemaMismatch,
    DatabaseMissing,
    PermissionError,
)
"""Why a data folder can't be used. `main` shows the text of any of them."""


@contextmanager
def ledger_reader(data: Path) -> Iterator[WeeklyReader]:
    """The ledger in the folder, for reading; a venue may go on writing meanwhile."""
    money = DataFolder.existing(data).money
    path = current_file(money)
    if path is None:
        raise CannotDo(f"{data} holds no ledger yet: start the venue once", NO_FOLDER)
    try:
        with closing(WeeklyReader(money)) as reader:
            yield reader
    except (sqlite3.DatabaseError, ReadFailed) as error:
        raise CannotDo(f"{path} can't be read: {error}", NO_FOLDER) from error


def archived_weeks(data: Path) -> set[str]:
    """The names that the record has as safe in the archive; none where it can't be read."""
    try:
        rows = ArchiveRecord(data / "archive.db").rows()
    except (RecordMismatch, sqlite3.Error):
        return set()
    return {name for name, row in rows.items() if row.state is ArchiveState.DONE}


def missing_line(name: str, archived: Collection[str]) -> str:
    """Of a week that is not here: is it where it should be?"""
    where = "in the archive only" if name in archived else "not here, nor on record as archived"
    return f"{name}: {where}"


def running_venue(folder: DataFolder, *, token: str = "") -> VenueClient:
    """The venue that says it runs on this folder, with `token` or else the folder's own."""
    try:
        url = json.loads(folder.run_file.read_text(encoding="utf-8"))["url"]
        return VenueClient(str(url), token or folder.token_file.read_text("utf-8").strip())
    except FileNotFoundError as error:
        name = Path(error.filename).name
        raise CannotDo(f"no venue runs on {folder.path}: no {name} there", UNREACHABLE) from error
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise CannotDo(f"{folder.path} does not say where its venue is: {error}", NO_FOLDER) from (
            error
        )
