"""Small files that are replaced as a whole, and are there after a power cut."""

import os
from pathlib import Path
from typing import Final

PUBLIC: Final = 0o644
PRIVATE: Final = 0o600


def replace_file(path: Path, text: str, *, mode: int = PUBLIC) -> None:
    """Make `path` hold `text`; whoever reads meanwhile gets the old text or the new, never a part.

    The new file is synced before it takes the name and the folder after, so that neither an empty
    file nor the old name can come back.
    """
    beside = _write_beside(path, text, mode)
    beside.replace(path)
    sync_folder(path.parent)


def create_file(path: Path, text: str, *, mode: int = PUBLIC) -> bool:
    """Make `path` with `text` unless it is there; False if it was. Never seen half written."""
    beside = _write_beside(path, text, mode)
    try:
        os.link(beside, path)
    except FileExistsError:
        return False
    finally:
        beside.unlink()
    sync_folder(path.parent)
    return True


def sync_folder(folder: Path) -> None:
    """Put the names in `folder` on disk."""
    _sync(folder, os.O_RDONLY | os.O_DIRECTORY)


def sync_file(file: Path) -> None:
    """Put the content of `file`, whoever wrote it, on disk."""
    _sync(file, os.O_RDONLY)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_beside(path: Path, text: str, mode: int) -> Path:
    # The process id keeps two processes from writing one file; what a crash leaves is overwritten
    # or harmless.
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return beside
