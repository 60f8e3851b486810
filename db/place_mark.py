"""Whose backups are these? A mark in the object store keeps two venues from sharing a place.

Keys name weeks and times, and those are the same for every venue: a second one in the same place
would take the first one's backups for its own, and remove them by its own rules. So the first
one to come leaves a mark, and any other is refused.
"""

import hashlib
import json
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from db.data_folder import DataFolder
from db.partition import current_file
from db.sqlite_connection import open_reader
from protocols.backup import BackupFailed
from protocols.ports import ObjectStore, Work

MARK_KEY: Final = "venue.json"
MARK_BYTES_MAX: Final = 4_096

_OPENED: Final = "SELECT ifnull((SELECT min(opened_at_ms) FROM partitions), opened_at_ms) FROM meta"


def mark_of(folder: DataFolder) -> str:
    """What tells a venue from any other: of which kind it is, and when its first week was opened.

    A restored venue is the same one. Raises BackupFailed where there is no ledger yet, and what
    reading one raises.
    """
    file = current_file(folder.money)
    if file is None:
        raise BackupFailed(f"{folder.path} holds no ledger yet")
    with closing(open_reader(file)) as reader:
        (opened_at_ms,) = reader.execute(_OPENED).fetchone()
    mark = {"mode": folder.mode, "chain_id": folder.chain_id, "opened_at_ms": opened_at_ms}
    return json.dumps(mark)


def hold_mark(objects: ObjectStore, mark: str, *, work: Work) -> None:
    """Leave the mark in a place that has none. Raises BackupFailed if it bears another's,
    ObjectStoreFailed, WorkStopped."""
    sizes = [each.bytes for each in objects.list(MARK_KEY) if each.key == MARK_KEY]
    with TemporaryDirectory() as folder:
        file = Path(folder) / "mark"
        if not sizes:
            file.write_text(mark, "utf-8")
            sha256 = hashlib.sha256(mark.encode()).hexdigest()
            objects.put(MARK_KEY, str(file), sha256=sha256, work=work)
            return
        found = ""
        if sizes[0] <= MARK_BYTES_MAX:
            objects.get(MARK_KEY, str(file), work=work)
            found = file.read_text("utf-8", errors="replace")
    if found != mark:
        raise BackupFailed(
            f"{objects.place} holds the backups of another venue ({found[:200]}; this one is"
            f" {mark}): name a place of its own in archive.url"
        )
