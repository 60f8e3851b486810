"""The folder as an object store: what it looks like on disk, and what a death leaves there."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

from db.folder_objects import FolderObjects
from protocols.ports import ObjectStoreFailed
from tests.support.objects import MIB, Sample, Watcher, disk_that_takes, make_sample
from tests.support.sources import REPOSITORY

KEY = "backups/2026-11-15/20261117T120000Z.db.zst"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "archive"


@pytest.fixture
def store(folder: Path) -> FolderObjects:
    return FolderObjects(folder)


def put(
    store: FolderObjects, sample: Sample, key: str = KEY, watcher: Watcher | None = None
) -> None:
    store.put(key, sample.file, sha256=sample.sha256, work=watcher or Watcher())


def files(folder: Path) -> list[str]:
    """Every file, hidden ones too."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return sorted(path.relative_to(folder).as_posix() for path in paths)


def test_an_object_is_a_file_of_its_keys_path(
    store: FolderObjects, folder: Path, tmp_path: Path
) -> None:
    sample = make_sample(tmp_path / "sample", 3_000)
    put(store, sample)
    assert files(folder) == [KEY]
    assert (folder / KEY).read_bytes() == sample.content


def test_nobody_else_can_read_it(store: FolderObjects, folder: Path, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        put(store, make_sample(tmp_path / "sample", 1))
    finally:
        os.umask(before)
    paths = [folder, *folder.rglob("*")]
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in paths}
    assert modes == {
        "archive": 0o700,
        "backups": 0o700,
        "2026-11-15": 0o700,
        "20261117T120000Z.db.zst": 0o600,
    }


def test_other_files_are_no_objects(store: FolderObjects, folder: Path, tmp_path: Path) -> None:
    put(store, make_sample(tmp_path / "sample", 1))
    (folder / "lost+found").mkdir()
    (folder / "lost+found" / "x").touch()
    (folder / ".DS_Store").touch()
    (folder / "backups" / "notes of mine").touch()
    assert [each.key for each in store.list("")] == [KEY]


def test_a_file_where_a_folder_must_be_is_named(store: FolderObjects, tmp_path: Path) -> None:
    sample = make_sample(tmp_path / "sample", 1)
    put(store, sample, "weeks")
    with pytest.raises(ObjectStoreFailed, match=r"can't store weeks/1 in .*archive.*weeks"):
        put(store, sample, "weeks/1")


def test_a_full_disk_leaves_the_old_object_and_nothing_else(
    store: FolderObjects, folder: Path, tmp_path: Path
) -> None:
    older = make_sample(tmp_path / "older", 1_000)
    put(store, older)
    newer = make_sample(tmp_path / "newer", 4 * MIB)
    for key in (KEY, "weeks/new"):
        with (
            disk_that_takes(3 * MIB),
            pytest.raises(ObjectStoreFailed, match=f"can't store {key} in .*File too large"),
        ):
            put(store, newer, key)
    assert files(folder) == [KEY]
    assert (folder / KEY).read_bytes() == older.content


def test_a_reader_goes_on_with_the_object_it_began(store: FolderObjects, tmp_path: Path) -> None:
    older = make_sample(tmp_path / "older", 3 * MIB)
    newer = make_sample(tmp_path / "newer", 2 * MIB, seed=2)
    put(store, older)

    @attrs.define
    class Replacer(Watcher):
        """Replaces the object when a megabyte of it has been read."""

        def step(self, done_bytes: int, total_bytes: int) -> None:
            if done_bytes == MIB:
                put(store, newer)

    assert store.get(KEY, str(tmp_path / "fetched"), work=Replacer()) == older.sha256
    assert store.sha256(KEY, work=Watcher()) == newer.sha256


def test_two_are_stored_at_once(store: FolderObjects, folder: Path, tmp_path: Path) -> None:
    first = make_sample(tmp_path / "first", 2 * MIB)
    second = make_sample(tmp_path / "second", MIB, seed=2)
    listed: list[str] = []

    @attrs.define
    class Another(Watcher):
        """Stores another object, and looks, when a megabyte of the first is done."""

        def step(self, done_bytes: int, total_bytes: int) -> None:
            if done_bytes == MIB:
                put(store, second, "weeks/second")
                listed.extend(each.key for each in store.list(""))

    put(store, first, "weeks/first", Another())
    assert listed == ["weeks/second"]
    assert files(folder) == ["weeks/first", "weeks/second"]
    assert store.sha256("weeks/first", work=Watcher()) == first.sha256


DIE_HALF_WAY = """
import os, signal, sys
from pathlib import Path
from db.folder_objects import FolderObjects

class Killer:
    def step(self, done_bytes, total_bytes):
        if done_bytes >= total_bytes // 2:
            os.kill(os.getpid(), signal.SIGKILL)

folder, key, file, sha256 = sys.argv[1:]
FolderObjects(Path(folder)).put(key, file, sha256=sha256, work=Killer())
"""


@pytest.mark.slow
def test_a_put_that_was_killed_leaves_what_was_there(
    store: FolderObjects, folder: Path, tmp_path: Path
) -> None:
    older = make_sample(tmp_path / "older", 1_000)
    put(store, older)
    newer = make_sample(tmp_path / "newer", 4 * MIB, seed=2)
    arguments = [str(folder), KEY, newer.file, newer.sha256]
    killed = subprocess.run(
        [sys.executable, "-c", DIE_HALF_WAY, *arguments], cwd=REPOSITORY, timeout=30
    )
    assert killed.returncode == -9
    assert store.sha256(KEY, work=Watcher()) == older.sha256
    assert [each.key for each in store.list("")] == [KEY]
    [left, _] = files(folder)
    assert left.endswith(".part"), "it was killed too early to leave anything"
    put(store, older, "weeks/another")  # of another key, in another folder
    assert files(folder) == [KEY, "weeks/another"]


def test_the_disk_of_a_named_folder_must_be_mounted(folder: Path, tmp_path: Path) -> None:
    store = FolderObjects(folder, make=False)
    sample = make_sample(tmp_path / "sample", 1)
    file = str(tmp_path / "fetched")
    for attempt in (
        lambda: put(store, sample),
        lambda: store.get(KEY, file, work=Watcher()),
        lambda: store.sha256(KEY, work=Watcher()),
        lambda: store.list(""),
        lambda: store.delete(KEY),
    ):
        with pytest.raises(ObjectStoreFailed, match=r"there is no folder .*: mount its disk"):
            attempt()
    assert not folder.exists()
    folder.mkdir()
    put(store, sample)
    assert [each.key for each in store.list("")] == [KEY]
