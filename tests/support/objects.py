"""Files to keep in an object store, and somebody who watches it being done."""

import hashlib
import random
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs

from protocols.ports import WorkStopped

MIB = 1024 * 1024


@attrs.define
class Watcher:
    """A Work that remembers each step, and may end it all."""

    stop_at_bytes: int | None = None
    steps: list[tuple[int, int]] = attrs.field(factory=list)

    def step(self, done_bytes: int, total_bytes: int) -> None:
        self.steps.append((done_bytes, total_bytes))
        if self.stop_at_bytes is not None and done_bytes >= self.stop_at_bytes:
            raise WorkStopped("told to stop")


@attrs.frozen
class Sample:
    """A file and what it should be."""

    path: Path

    @property
    def file(self) -> str:
        return str(self.path)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.path.read_bytes()).hexdigest()

    @property
    def content(self) -> bytes:
        return self.path.read_bytes()


def make_sample(path: Path, size_bytes: int, *, seed: int = 1) -> Sample:
    """A file of so many bytes that no two seeds share."""
    path.write_bytes(random.Random(seed).randbytes(size_bytes))
    return Sample(path)


@contextmanager
def disk_that_takes(size_bytes: int) -> Iterator[None]:
    """The kernel refuses to let any file of this process grow beyond that, as a full disk would."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
