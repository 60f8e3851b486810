"""A lock between processes: a file that one of them holds, and that its end lets go."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Locked(Exception):
    """Another process holds it."""


class FileLock:
    """A lock on a file of its own. Who holds it may take it again."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._depth = 0

    @contextmanager
    def held(self) -> Iterator[None]:
        """Raises Locked at once if another holds it, and OSError if its file can't be made."""
        if self._depth:
            with self._counted():
                yield
            return
        descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise Locked(f"{self._file} is held by another process") from error
            with self._counted():
                yield
        finally:
            os.close(descriptor)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
