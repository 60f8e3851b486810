"""What every object store promises, on a folder, on S3 over real HTTP, and on the twin that the
simulation has of it; which one is meant."""

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from db.folder_objects import FolderObjects
from db.object_store import open_object_store
from db.s3_objects import S3Limits, S3Objects
from protocols.ports import ObjectMissing, ObjectStore, ObjectStoreFailed, StoredObject, WorkStopped
from simulation.objects import SimulatedObjects
from tests.support.objects import MIB, Sample, Watcher, disk_that_takes, make_sample
from tests.support.s3_server import (
    ACCESS_KEY_ID,
    PART_BYTES_MIN,
    SECRET_ACCESS_KEY,
    S3Server,
)
from tests.support.simulated import a_world

pytestmark = pytest.mark.usefixtures("no_aws_settings")

KEY = "weeks/2026-11-15.db.zst"
PART = PART_BYTES_MIN
SMALL, IN_PARTS = 3_000, 3 * PART + 7


@pytest.fixture(params=["folder", "s3", "simulated"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    """An empty one."""
    if request.param == "folder":
        return FolderObjects(tmp_path / "archive")
    if request.param == "simulated":
        return SimulatedObjects(a_world(tmp_path, traced=False)).bucket()
    server: S3Server = request.getfixturevalue("s3_server")
    return S3Objects(
        server.new_bucket(),
        "venue/one",
        endpoint_url=server.url,
        access_key_id=ACCESS_KEY_ID,
        secret_access_key=SECRET_ACCESS_KEY,
        limits=S3Limits(part_bytes=PART),
    )


Stored = Callable[..., Sample]


@pytest.fixture
def stored(store: ObjectStore, tmp_path: Path) -> Stored:
    """Makes a file and puts it under a key."""

    def put(key: str = KEY, size_bytes: int = SMALL, *, seed: int = 1) -> Sample:
        sample = make_sample(tmp_path / "sample", size_bytes, seed=seed)
        store.put(key, sample.file, sha256=sample.sha256, work=Watcher())
        return sample

    return put


def content_of(store: ObjectStore, folder: Path, key: str = KEY) -> bytes:
    file = folder / "read back"
    store.get(key, str(file), work=Watcher())
    content = file.read_bytes()
    file.unlink()
    return content


# --- what is put is there -----------------------------------------------------------------------


@pytest.mark.parametrize("size_bytes", [0, 1, SMALL, PART - 1, PART, PART + 1, IN_PARTS])
def test_an_object_comes_back_as_it_was(
    store: ObjectStore, stored: Stored, tmp_path: Path, size_bytes: int
) -> None:
    sample = stored(size_bytes=size_bytes)
    file = tmp_path / "fetched"
    assert store.get(KEY, str(file), work=Watcher()) == sample.sha256
    assert file.read_bytes() == sample.content
    assert store.sha256(KEY, work=Watcher()) == sample.sha256
    assert store.list("") == [StoredObject(key=KEY, bytes=size_bytes)]


@pytest.mark.parametrize("sizes", [(SMALL, IN_PARTS), (IN_PARTS, SMALL)])
def test_an_object_is_replaced(
    store: ObjectStore, stored: Stored, tmp_path: Path, sizes: tuple[int, int]
) -> None:
    stored(size_bytes=sizes[0])
    newer = stored(size_bytes=sizes[1], seed=2)
    assert content_of(store, tmp_path) == newer.content
    assert len(store.list("")) == 1


def test_a_fetched_file_is_private(store: ObjectStore, stored: Stored, tmp_path: Path) -> None:
    stored()
    store.get(KEY, str(tmp_path / "fetched"), work=Watcher())
    assert stat.S_IMODE((tmp_path / "fetched").stat().st_mode) == 0o600


@pytest.mark.parametrize("size_bytes", [0, SMALL, IN_PARTS])
def test_progress_goes_from_nothing_to_all(
    store: ObjectStore, tmp_path: Path, size_bytes: int
) -> None:
    sample = make_sample(tmp_path / "sample", size_bytes)
    put, got, read = Watcher(), Watcher(), Watcher()
    store.put(KEY, sample.file, sha256=sample.sha256, work=put)
    store.get(KEY, str(tmp_path / "fetched"), work=got)
    store.sha256(KEY, work=read)
    for watcher in (put, got, read):
        assert watcher.steps == sorted(watcher.steps)
        assert (0, size_bytes) in watcher.steps
        assert watcher.steps[-1] == (size_bytes, size_bytes)


def test_a_deleted_object_is_gone(store: ObjectStore, stored: Stored) -> None:
    stored()
    stored("weeks/2026-11-22.db.zst")
    store.delete(KEY)
    assert [each.key for each in store.list("")] == ["weeks/2026-11-22.db.zst"]


def test_deleting_what_is_not_there_does_nothing(store: ObjectStore, stored: Stored) -> None:
    store.delete(KEY)
    stored()
    store.delete(KEY)
    store.delete(KEY)
    store.delete("weeks")
    store.delete(f"{KEY}/below")
    assert store.list("") == []


# --- lists --------------------------------------------------------------------------------------


def test_objects_are_listed_in_order_of_their_keys(store: ObjectStore, stored: Stored) -> None:
    keys = ["a-b/x", "a/b", "a/b.json", "a/c/d", "a0/x", "z"]
    for key in reversed(keys):
        stored(key, len(key))
    assert store.list("") == [StoredObject(key=key, bytes=len(key)) for key in sorted(keys)]


def test_a_prefix_is_the_beginning_of_keys(store: ObjectStore, stored: Stored) -> None:
    for key in ("weeks/1.db", "weeks/2.db", "weekset", "backups/2026-11-15/x"):
        stored(key, 1)
    for prefix, found in {
        "weeks/": ["weeks/1.db", "weeks/2.db"],
        "weeks/1": ["weeks/1.db"],
        "w": ["weeks/1.db", "weeks/2.db", "weekset"],
        "backups/2026-11-15/": ["backups/2026-11-15/x"],
        "backups/2026-11": ["backups/2026-11-15/x"],
        "nothing/": [],
    }.items():
        assert [each.key for each in store.list(prefix)] == found, prefix


def test_a_new_store_is_empty(store: ObjectStore) -> None:
    assert store.list("") == []


@pytest.mark.slow
def test_more_than_one_page_of_objects_is_listed(store: ObjectStore, stored: Stored) -> None:
    keys = [f"backups/{n:04}" for n in range(1_001)]
    for key in keys:
        stored(key, 1)
    assert [each.key for each in store.list("backups/")] == keys


# --- what is not there --------------------------------------------------------------------------


def test_a_missing_object_is_said_to_be_missing(
    store: ObjectStore, stored: Stored, tmp_path: Path
) -> None:
    stored("weeks/2026-11-22.db.zst")
    for key in (KEY, "weeks", "weeks/2026-11-22.db.zst/below"):
        with pytest.raises(ObjectMissing, match=key):
            store.get(key, str(tmp_path / "fetched"), work=Watcher())
        with pytest.raises(ObjectMissing, match=key):
            store.sha256(key, work=Watcher())
        assert not (tmp_path / "fetched").exists()


def test_a_missing_file_is_not_stored(store: ObjectStore, tmp_path: Path) -> None:
    with pytest.raises(ObjectStoreFailed, match=f"can't store {KEY} .*No such file"):
        store.put(KEY, str(tmp_path / "nothing"), sha256="0" * 64, work=Watcher())


# --- all or nothing -----------------------------------------------------------------------------


@pytest.mark.parametrize("size_bytes", [SMALL, IN_PARTS])
def test_a_file_that_is_not_what_it_should_be_is_refused(
    store: ObjectStore, stored: Stored, tmp_path: Path, size_bytes: int
) -> None:
    older = stored().content
    sample = make_sample(tmp_path / "sample", size_bytes, seed=2)
    with pytest.raises(ObjectStoreFailed, match=f"SHA-256 is {sample.sha256}, not 0000"):
        store.put(KEY, sample.file, sha256="0" * 64, work=Watcher())
    assert content_of(store, tmp_path) == older


@pytest.mark.parametrize("size_bytes", [SMALL, IN_PARTS])
def test_a_stopped_put_leaves_what_was_there(
    store: ObjectStore, stored: Stored, tmp_path: Path, size_bytes: int
) -> None:
    older = stored().content
    sample = make_sample(tmp_path / "sample", size_bytes, seed=2)
    for key in (KEY, "weeks/new"):
        with pytest.raises(WorkStopped):
            store.put(key, sample.file, sha256=sample.sha256, work=Watcher(size_bytes // 2))
    assert content_of(store, tmp_path) == older
    assert [each.key for each in store.list("")] == [KEY]


@pytest.mark.parametrize("size_bytes", [0, SMALL, IN_PARTS])
def test_a_stopped_get_leaves_no_file(
    store: ObjectStore, stored: Stored, tmp_path: Path, size_bytes: int
) -> None:
    stored(size_bytes=size_bytes)
    with pytest.raises(WorkStopped):
        store.get(KEY, str(tmp_path / "fetched"), work=Watcher(size_bytes // 2))
    assert not (tmp_path / "fetched").exists()


def test_reading_can_be_stopped(store: ObjectStore, stored: Stored) -> None:
    stored(size_bytes=IN_PARTS)
    watcher = Watcher(2 * MIB)
    with pytest.raises(WorkStopped):
        store.sha256(KEY, work=watcher)
    assert watcher.steps[-1] == (2 * MIB, IN_PARTS)


def test_a_file_that_is_there_is_not_overwritten(
    store: ObjectStore, stored: Stored, tmp_path: Path
) -> None:
    stored()
    (tmp_path / "fetched").write_bytes(b"something else")
    with pytest.raises(ObjectStoreFailed, match=f"can't fetch {KEY} .*File exists"):
        store.get(KEY, str(tmp_path / "fetched"), work=Watcher())
    assert (tmp_path / "fetched").read_bytes() == b"something else"


def test_a_full_disk_leaves_no_fetched_file(
    store: ObjectStore, stored: Stored, tmp_path: Path
) -> None:
    stored(size_bytes=4 * MIB)
    with (
        disk_that_takes(3 * MIB),
        pytest.raises(ObjectStoreFailed, match=f"can't fetch {KEY} .*File too large"),
    ):
        store.get(KEY, str(tmp_path / "fetched"), work=Watcher())
    assert not (tmp_path / "fetched").exists()


# --- keys ---------------------------------------------------------------------------------------

NO_KEYS = [
    *("", "/", "/weeks", "weeks/", "weeks//1", "..", "../x", "weeks/../../x", "weeks/./1", "."),
    *(".hidden", "weeks/.1.part", "a b", "a\\b", "a\n", "a\0", "ü", "a%2f", "a:b", "~", "a*"),
    *("n" * 129, "/".join("long-name" for _ in range(60))),
]


@pytest.mark.parametrize("key", NO_KEYS)
def test_odd_keys_are_refused(store: ObjectStore, tmp_path: Path, key: str) -> None:
    sample = make_sample(tmp_path / "sample", 1)
    with pytest.raises(ValueError, match="can't be the key of an object"):
        store.put(key, sample.file, sha256=sample.sha256, work=Watcher())
    with pytest.raises(ValueError, match="can't be the key of an object"):
        store.get(key, str(tmp_path / "fetched"), work=Watcher())
    with pytest.raises(ValueError, match="can't be the key of an object"):
        store.sha256(key, work=Watcher())
    with pytest.raises(ValueError, match="can't be the key of an object"):
        store.delete(key)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["sample"]


@pytest.mark.parametrize("prefix", ["/", "/weeks", "weeks//", "..", "../", "weeks/.", "a b", "ü"])
def test_odd_prefixes_are_refused(store: ObjectStore, prefix: str) -> None:
    with pytest.raises(ValueError, match="can't be the beginning of an object's key"):
        store.list(prefix)


# --- which one ----------------------------------------------------------------------------------


def test_the_default_folder_is_made_when_it_is_needed(tmp_path: Path) -> None:
    store = open_object_store("folder:", default_folder=tmp_path / "archive")
    assert store.place == str(tmp_path / "archive")
    assert store.list("") == []
    sample = make_sample(tmp_path / "sample", 1)
    store.put(KEY, sample.file, sha256=sample.sha256, work=Watcher())
    assert (tmp_path / "archive" / KEY).read_bytes() == sample.content


def test_a_folder_that_is_named_must_be_there(tmp_path: Path) -> None:
    store = open_object_store(f"folder:{tmp_path}/disk", default_folder=tmp_path / "archive")
    assert store.place == f"{tmp_path}/disk"
    with pytest.raises(ObjectStoreFailed, match=r"there is no folder .*disk: mount its disk"):
        store.list("")
    (tmp_path / "disk").mkdir()
    assert store.list("") == []


@pytest.mark.parametrize("url", ["s3://bucket/venue/one", "s3://bucket/venue/one/"])
def test_a_bucket_is_meant(tmp_path: Path, s3_server: S3Server, url: str) -> None:
    bucket = s3_server.new_bucket()
    store = open_object_store(
        url.replace("bucket", bucket),
        default_folder=tmp_path / "archive",
        endpoint_url=s3_server.url,
        access_key_id=ACCESS_KEY_ID,
        secret_access_key=SECRET_ACCESS_KEY,
    )
    assert store.place == f"s3://{bucket}/venue/one"
    sample = make_sample(tmp_path / "sample", 1)
    store.put(KEY, sample.file, sha256=sample.sha256, work=Watcher())
    [found] = s3_server.client.list_objects_v2(Bucket=bucket)["Contents"]
    assert found["Key"] == f"venue/one/{KEY}"


@pytest.mark.parametrize("url", ["", "folder", "folder:relative", "s3://", "https://bucket"])
def test_other_urls_mean_nothing(tmp_path: Path, url: str) -> None:
    with pytest.raises(ValueError, match="neither a folder nor a bucket"):
        open_object_store(url, default_folder=tmp_path)
