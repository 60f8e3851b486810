"""The twin of S3: what its faults do to calls. What it promises else is with all adapters'."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from protocols.ports import ObjectStoreFailed
from simulation.objects import Bucket, SimulatedObjects
from simulation.scenario import Fault, FaultKind
from tests.support.objects import Sample, Watcher, make_sample
from tests.support.simulated import a_world

KEY = "weeks/2026-11-15.db.zst"


@pytest.fixture
def objects(tmp_path: Path) -> SimulatedObjects:
    return SimulatedObjects(a_world(tmp_path))


@pytest.fixture
def bucket(objects: SimulatedObjects) -> Bucket:
    return objects.bucket()


@pytest.fixture
def sample(tmp_path: Path) -> Sample:
    return make_sample(tmp_path / "sample", 5_000)


@asynccontextmanager
async def struck(
    objects: SimulatedObjects, kind: FaultKind, *, target: str = "", amount: int = 0
) -> AsyncIterator[None]:
    """A fault that lasts as long as the block."""
    async with trio.open_nursery() as nursery:
        fault = Fault(at_s=0, kind=kind, lasts_s=10_000, target=target, amount=amount)
        nursery.start_soon(objects.strike, fault)
        await wait_all_tasks_blocked()
        yield
        objects.world.calm.set()


def fails(call: Callable[[], object]) -> bool:
    try:
        call()
    except ObjectStoreFailed:
        return True
    return False


async def test_a_put_that_fails_is_done_or_not_and_never_by_half(
    objects: SimulatedObjects, bucket: Bucket, sample: Sample
) -> None:
    found = set()
    async with struck(objects, FaultKind.OBJECTS_FAIL):
        for number in range(60):
            key = f"weeks/{number}"
            put = partial(bucket.put, key, sample.file, sha256=sample.sha256, work=Watcher())
            failed = fails(put)
            found.add((failed, objects.content.get(key)))
    assert found == {(False, sample.content), (True, sample.content), (True, None)}


async def test_a_get_that_fails_leaves_no_file(
    objects: SimulatedObjects, bucket: Bucket, sample: Sample, tmp_path: Path
) -> None:
    bucket.put(KEY, sample.file, sha256=sample.sha256, work=Watcher())
    file = tmp_path / "fetched"
    failures = 0
    async with struck(objects, FaultKind.OBJECTS_FAIL, target="get"):
        for _ in range(40):
            if fails(lambda: bucket.get(KEY, str(file), work=Watcher())):
                failures += 1
            file.unlink(missing_ok=True)
    assert 0 < failures < 40
    assert not fails(lambda: bucket.get(KEY, str(file), work=Watcher()))


async def test_a_fault_is_about_the_calls_it_names(
    objects: SimulatedObjects, bucket: Bucket
) -> None:
    async with struck(objects, FaultKind.OBJECTS_FAIL, target="delete"):
        assert not any(fails(lambda: bucket.list("")) for _ in range(20))
        assert any(fails(lambda: bucket.delete(KEY)) for _ in range(20))


async def test_a_fault_strikes_as_many_calls_as_it_says(
    objects: SimulatedObjects, bucket: Bucket
) -> None:
    async with struck(objects, FaultKind.OBJECTS_FAIL, amount=2):
        assert sum(fails(lambda: bucket.list("")) for _ in range(50)) == 2
    assert objects.world.counts["fault.objects_fail"] == 2


async def test_what_is_read_is_not_what_was_stored(
    objects: SimulatedObjects, bucket: Bucket, sample: Sample, tmp_path: Path
) -> None:
    bucket.put(KEY, sample.file, sha256=sample.sha256, work=Watcher())
    hashes, sizes = set(), set()
    async with struck(objects, FaultKind.OBJECTS_CORRUPT):
        for number in range(40):
            file = tmp_path / f"fetched {number}"
            hashes.add(bucket.get(KEY, str(file), work=Watcher()) == sample.sha256)
            sizes.add(file.stat().st_size)
    assert hashes == {True, False}
    assert min(sizes) < 5_000 == max(sizes)
    assert bucket.sha256(KEY, work=Watcher()) == sample.sha256, "the object itself is sound"


async def test_it_outlives_a_process_and_a_dead_one_changes_nothing(
    objects: SimulatedObjects, bucket: Bucket, sample: Sample
) -> None:
    bucket.put(KEY, sample.file, sha256=sample.sha256, work=Watcher())
    dead = objects.bucket(is_dead=lambda: True)
    assert fails(lambda: dead.delete(KEY))
    assert [each.key for each in objects.bucket().list("")] == [KEY]
