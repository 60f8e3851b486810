"""A real file system of a few megabytes, which a test fills up and makes room on again."""

import errno
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

BLOCK = bytes(4096)


@contextmanager
def small_disk(place: Path, *, mib: int) -> Iterator[Path]:
    """A tmpfs at `place`, for as long as the block lasts.

    Mounting is a right, and no program that could be installed: without it the test is skipped. The
    same story is told with a probe everywhere.
    """
    place.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={mib}m", "tmpfs"]
    mounted = subprocess.run(["mount", *options, str(place)], capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"needs root, to mount a small file system: {mounted.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


@contextmanager
def filled(disk: Path) -> Iterator[None]:
    """Not a byte is free while inside."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(BLOCK)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
    yield
    filler.unlink()
