"""Where runs have their files: in memory, where a sync costs nothing, as long as there is room."""

import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

MEMORY: Final = Path("/dev/shm")
ROOM_BYTES_MIN: Final = 64 * 1024 * 1024
"""For each run that goes on at once. An hour of a venue with its backups and archive takes some
ten; in a container all of the memory's folder may be 64 MiB."""


def new_folder(*, runs: int = 1, within: Path | None = None) -> TemporaryDirectory[str]:
    """A folder for so many runs at once, gone when it is left. Its name says whose it is, in case
    that one is killed."""
    place = within or (MEMORY if has_room(MEMORY, runs) else None)
    return TemporaryDirectory(
        prefix=f"tapgrid-simulation-{os.getpid()}-", dir=place, ignore_cleanup_errors=True
    )


def has_room(place: Path, runs: int) -> bool:
    """Can so many runs write there?"""
    if not os.access(place, os.W_OK | os.X_OK):
        return False
    return shutil.disk_usage(place).free >= runs * ROOM_BYTES_MIN
