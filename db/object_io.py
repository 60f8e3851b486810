"""What every object store does alike: which keys there are, and how content is hashed on its way
into a file that is there whole and synced, or not at all."""

import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

from db.durable_file import PRIVATE, sync_folder
from protocols.ports import ObjectStoreFailed, Work

CHUNK_BYTES: Final = 1024 * 1024
"""Read, hashed and written at once: big enough for disks and few enough for a step a megabyte."""

SYNC_EVERY_BYTES: Final = 64 * CHUNK_BYTES
"""Synced at the end only, gigabytes would go to disk in one call: nobody could stop it, and the
ledger's commits on the same disk would wait for it. This much takes half a second."""

_NAME: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,127}")
"""No dot in front: `..` leads out of a folder, and dotted names are those of unfinished files."""
_KEY_LENGTH_MAX: Final = 512
"""S3 takes 1,024 bytes with the prefix of the bucket, Linux 255 a name and 4,096 in all."""


def checked_key(key: str) -> str:
    """The key. Raises ValueError if it is none, such as `../x`, `/x`, `x//y`, `.x` or `ü`."""
    if len(key) > _KEY_LENGTH_MAX or not all(map(_NAME.fullmatch, key.split("/"))):
        raise ValueError(f"{key!r} can't be the key of an object")
    return key


def checked_prefix(prefix: str) -> str:
    """The beginning of a key: any number of whole names, the last of which may be a part.

    Raises ValueError if no key can begin like that.
    """
    *names, last = prefix.split("/")
    if len(prefix) > _KEY_LENGTH_MAX or not all(map(_NAME.fullmatch, [*names, last or "_"])):
        raise ValueError(f"{prefix!r} can't be the beginning of an object's key")
    return prefix


def is_key(text: str) -> bool:
    """Can an object of ours have that key? Buckets hold what others put there as well."""
    try:
        checked_key(text)
    except ValueError:
        return False
    return True


def file_chunks(file: BinaryIO, chunk_bytes: int = CHUNK_BYTES) -> Iterator[bytes]:
    """The rest of the file."""
    while chunk := file.read(chunk_bytes):
        yield chunk


class Passage:
    """Content on its way: hashed, counted and reported to a `Work`, chunk by chunk."""

    def __init__(self, total_bytes: int, work: Work) -> None:
        self._digest = hashlib.sha256()
        self._done_bytes = 0
        self._total_bytes = total_bytes
        self._work = work

    @property
    def sha256(self) -> str:
        """Of all that has been read so far, in hex."""
        return self._digest.hexdigest()

    def look(self) -> None:
        """Report how far it is. Raises WorkStopped when it is to end here."""
        self._work.step(self._done_bytes, self._total_bytes)

    def follow(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """The same chunks; each counts as done when the next one is asked for."""
        self.look()
        for chunk in chunks:
            self._digest.update(chunk)
            yield chunk
            self._done_bytes += len(chunk)
            self.look()

    def exhaust(self, chunks: Iterable[bytes]) -> str:
        """Read it all and keep nothing but the SHA-256."""
        for _ in self.follow(chunks):
            pass
        return self.sha256

    def expect(self, sha256: str, file: str) -> None:
        """Raises ObjectStoreFailed unless what has been read has that SHA-256."""
        if self.sha256 != sha256.lower():
            raise ObjectStoreFailed(
                f"{file} is not the file it should be: its SHA-256 is {self.sha256}, not {sha256}"
            )


def save(chunks: Iterable[bytes], file: str) -> None:
    """Write a new file, private and synced with its name. On any failure it is not there.

    Raises FileExistsError, and leaves the file as it is, if there is one.
    """
    path = Path(file)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE)
    try:
        write_synced(descriptor, chunks)
        sync_folder(path.parent)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def write_synced(descriptor: int, chunks: Iterable[bytes]) -> None:
    """Write the chunks, put them on disk and close the descriptor, whatever happens."""
    unsynced_bytes = 0
    with os.fdopen(descriptor, "wb") as out:
        for chunk in chunks:
            out.write(chunk)
            unsynced_bytes += len(chunk)
            if unsynced_bytes >= SYNC_EVERY_BYTES:
                out.flush()
                os.fdatasync(descriptor)
                unsynced_bytes = 0
        out.flush()
        os.fsync(descriptor)


def os_reason(error: OSError) -> str:
    """What an operating system's refusal means, for people."""
    what = error.strerror or " ".join(str(error).split()) or type(error).__name__
    return f"{what}: {error.filename}" if error.filename else what
