"""The object store in a folder: the embedded default, or another disk that is mounted there.

An object is a file of its key's path. It is copied beside its place, checked, synced and renamed,
so that a reader, or a start after a power cut, finds the old object or the new one, whole. Files
being copied are named `.NAME.XXXX.part`, which no key can be, and are locked by whoever writes
them: one without a lock was left by a process that died, and the next `put` removes it.
"""

import fcntl
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from db.durable_file import sync_folder
from db.object_io import (
    Passage,
    checked_key,
    checked_prefix,
    file_chunks,
    is_key,
    os_reason,
    save,
    write_synced,
)
from protocols.ports import ObjectMissing, ObjectStoreFailed, StoredObject, Work


class FolderObjects:
    """An ObjectStore (protocols.ports) in a folder of ours alone."""

    def __init__(self, path: Path, *, make: bool = True) -> None:
        """`make`: whether a folder that is not there is made, or counts as a disk not mounted."""
        self._path = path
        self._make = make

    @property
    def place(self) -> str:
        """The folder."""
        return str(self._path)

    def put(self, key: str, file: str, *, sha256: str, work: Work) -> None:
        """Copy the file to its place; a file of another SHA-256 is refused."""
        target = self._path / checked_key(key)
        with self._plainly(f"store {key}"), open(file, "rb") as source:
            self._make_folder(target.parent)
            self._remove_left_behind()
            passage = Passage(os.fstat(source.fileno()).st_size, work)
            with _beside(target) as (descriptor, beside):
                write_synced(descriptor, passage.follow(file_chunks(source)))
                passage.expect(sha256, file)
                beside.replace(target)
            sync_folder(target.parent)

    def get(self, key: str, file: str, *, work: Work) -> str:
        """Copy the object into a new file; the SHA-256 of what was read."""
        with self._plainly(f"fetch {key}"), self._content(key, work) as (passage, chunks):
            save(passage.follow(chunks), file)
            return passage.sha256

    def sha256(self, key: str, *, work: Work) -> str:
        """The SHA-256 of the object, read whole."""
        with self._plainly(f"read {key}"), self._content(key, work) as (passage, chunks):
            return passage.exhaust(chunks)

    def list(self, prefix: str) -> Sequence[StoredObject]:
        """The objects whose key begins with `prefix`, in order of key."""
        checked_prefix(prefix)
        with self._plainly(f"list {prefix or 'objects'}"):
            self._check_there()
            found = [object_ for object_ in self._objects() if object_.key.startswith(prefix)]
        return sorted(found, key=lambda object_: object_.key)

    def delete(self, key: str) -> None:
        """Remove the object, if there is one."""
        target = self._path / checked_key(key)
        with self._plainly(f"delete {key}"):
            self._check_there()
            with suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError):
                target.unlink()
                sync_folder(target.parent)

    def _objects(self) -> Iterator[StoredObject]:
        if not self._path.exists():
            return
        for folder, _, names in os.walk(self._path, onerror=_raise):
            for name in names:
                path = Path(folder, name)
                key = path.relative_to(self._path).as_posix()
                with suppress(FileNotFoundError):  # deleted meanwhile
                    if is_key(key):
                        yield StoredObject(key=key, bytes=path.stat().st_size)

    @contextmanager
    def _content(self, key: str, work: Work) -> Iterator[tuple[Passage, Iterator[bytes]]]:
        self._check_there()
        try:
            source = open(self._path / checked_key(key), "rb")  # noqa: SIM115
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            raise ObjectMissing(f"{self.place} has no {key}") from error
        with source:
            passage = Passage(os.fstat(source.fileno()).st_size, work)
            yield passage, file_chunks(source)

    def _check_there(self) -> None:
        if not self._make and not self._path.is_dir():
            raise ObjectStoreFailed(
                f"there is no folder {self.place}: mount its disk, or make it if it is new"
            )

    def _make_folder(self, folder: Path) -> None:
        """Make it and those above it, each synced into its own."""
        self._check_there()
        missing = [each for each in (folder, *folder.parents) if not each.exists()]
        for each in reversed(missing):
            each.mkdir(mode=0o700, exist_ok=True)
            sync_folder(each.parent)

    def _remove_left_behind(self) -> None:
        for part in self._path.rglob(".*.part"):
            with suppress(FileNotFoundError), open(part, "rb") as file:
                if _lock(file.fileno()):
                    part.unlink()

    @contextmanager
    def _plainly(self, doing: str) -> Iterator[None]:
        """Say in one line what could not be done, where and why."""
        try:
            yield
        except ObjectStoreFailed as error:
            raise ObjectStoreFailed(f"can't {doing} in {self.place}: {error}") from error
        except OSError as error:
            raise ObjectStoreFailed(f"can't {doing} in {self.place}: {os_reason(error)}") from error


@contextmanager
def _beside(target: Path) -> Iterator[tuple[int, Path]]:
    """A new private file in the folder of `target`, gone at the end unless it was renamed.

    A second descriptor holds the lock, so that it lasts until the file has its name.
    """
    descriptor, name = tempfile.mkstemp(
        prefix=f".{target.name}.", suffix=".part", dir=target.parent
    )
    lock = os.dup(descriptor)
    try:
        # Only one who took this for left behind, between the two calls, can hold the lock: then
        # it is being removed, and the renaming fails.
        _lock(lock)
        yield descriptor, Path(name)
    finally:
        os.close(lock)
        Path(name).unlink(missing_ok=True)


def _lock(descriptor: int) -> bool:
    """Take the lock that ends with the last descriptor, or with the process."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _raise(error: OSError) -> None:
    raise error
