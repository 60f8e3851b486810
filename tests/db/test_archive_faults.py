"""The archive on a real S3 server, through a network that fails: late, but never wrong."""

import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import attrs
import pytest

from db.s3_objects import S3Limits, S3Objects
from domain.archiving import ArchiveState, Step, Task
from protocols.archive import StepDone, StepFailed
from protocols.ports import WorkStopped
from tests.support.archives import FIRST, ArchivedVenue, archived_venue
from tests.support.objects import Watcher
from tests.support.s3_server import (
    ACCESS_KEY_ID,
    SECRET_ACCESS_KEY,
    Network,
    S3Server,
    corrupt_at,
    cut_after,
    network_before,
)

# Each waits for limits of the network: a quarter of a second each and more.
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_aws_settings")]

KEY = f"weeks/{FIRST}.zst"
LIMITS = S3Limits(connect_s=1, silence_s=0.4, request_s=5, attempts=1, goodbye_s=0.25)


@attrs.frozen(kw_only=True)
class Site:
    """A venue whose archive is in a bucket, behind a network."""

    venue: ArchivedVenue
    network: Network
    server: S3Server
    bucket: str

    def object_(self) -> bytes | None:
        """What is in the bucket, seen from behind."""
        with suppress(self.server.client.exceptions.NoSuchKey):
            return self.server.client.get_object(Bucket=self.bucket, Key=KEY)["Body"].read()
        return None

    def failures(self) -> list[StepFailed]:
        """Archive as far as it goes now; what failed."""
        failed = []
        while self.venue.next_task() is not None:
            outcome = self.venue.step()
            if isinstance(outcome, StepFailed):
                failed.append(outcome)
        return failed


def store_of(bucket: str, network: Network, **limits: float) -> S3Objects:
    return S3Objects(
        bucket,
        endpoint_url=network.url,
        access_key_id=ACCESS_KEY_ID,
        secret_access_key=SECRET_ACCESS_KEY,
        limits=attrs.evolve(LIMITS, **limits),
    )


@pytest.fixture
def site(s3_server: S3Server) -> Iterator[Site]:
    with network_before(s3_server.url) as network, archived_venue(closed=1) as venue:
        bucket = s3_server.new_bucket()
        venue.store = store_of(bucket, network)
        yield Site(venue=venue, network=network, server=s3_server, bucket=bucket)


@pytest.mark.parametrize(
    ("fault", "step", "why"),
    [
        ({"method": "PUT", "answer": (403, "AccessDenied")}, Step.UPLOAD, "AccessDenied"),
        ({"query": "list-type", "answer": (400, "ExpiredToken")}, Step.VACUUM, "ExpiredToken"),
        ({"method": "PUT", "answer": (503, "SlowDown")}, Step.UPLOAD, "SlowDown"),
        ({"method": "PUT", "up": cut_after(2_000)}, Step.UPLOAD, ""),
        ({"method": "PUT", "up": corrupt_at(1_000)}, Step.UPLOAD, "BadDigest"),
        ({"method": "GET", "query": KEY, "down": cut_after(2_000)}, Step.VERIFY, ""),
    ],
    ids=["refused", "expired", "slow down", "cut off", "spoilt", "cut off coming back"],
)
def test_what_fails_once_is_done_a_minute_later(
    site: Site, fault: dict[str, Any], step: Step, why: str
) -> None:
    injected = site.network.add(**fault)
    if step is Step.VERIFY:
        site.venue.run_until(FIRST, ArchiveState.UPLOADED)
        injected.hits = 0
    [failed] = site.failures()
    assert (failed.task.step, injected.hits) == (step, 1)
    assert why in failed.why
    assert SECRET_ACCESS_KEY not in failed.why
    site.venue.later(60)
    assert site.failures() == []
    assert site.venue.state(FIRST) is ArchiveState.DONE
    assert site.object_() is not None


def test_a_service_that_is_silent_is_given_up(site: Site) -> None:
    site.venue.run_until(FIRST, ArchiveState.COMPRESSED)
    site.network.add(method="PUT", before=site.network.stall)
    [failed] = site.failures()
    assert failed.task.step is Step.UPLOAD
    assert site.object_() is None


def test_what_is_read_back_otherwise_is_not_relied_on_and_sent_again(site: Site) -> None:
    site.venue.run_until(FIRST, ArchiveState.UPLOADED)
    site.network.add(method="GET", query=KEY, down=corrupt_at(1_000), times=2)
    failed = site.venue.step()
    assert isinstance(failed, StepFailed)
    assert (failed.task.step, failed.state) == (Step.VERIFY, ArchiveState.COMPRESSED)
    assert "is not what was sent" in failed.why
    site.venue.archive().carry_out(Task(name=FIRST, step=Step.PURGE), work=Watcher())
    assert (site.venue.money / FIRST).exists(), "never deleted on such a word"
    site.venue.later(60)
    # The second answer is spoilt too, so that it looks as if another object stood there.
    again = site.venue.step()
    assert isinstance(again, StepDone)
    assert (again.task.step, again.note) == (Step.UPLOAD, "")
    assert site.failures() == []


@pytest.mark.parametrize("state", [ArchiveState.COMPRESSED, ArchiveState.UPLOADED])
def test_a_drain_does_not_wait_for_a_network_that_stands_still(
    site: Site, state: ArchiveState
) -> None:
    class Told(Watcher):
        def step(self, done_bytes: int, total_bytes: int) -> None:
            if site.network.stalled.is_set():
                raise WorkStopped

    site.venue.store = store_of(site.bucket, site.network, silence_s=30, request_s=60)
    site.venue.run_until(FIRST, state)
    method = "PUT" if state is ArchiveState.COMPRESSED else "GET"
    site.network.add(method=method, query=KEY, before=site.network.stall)
    ended = threading.Event()

    def work() -> None:
        with suppress(WorkStopped):
            site.venue.step(work=Told())
        ended.set()

    threading.Thread(target=work, daemon=True).start()
    assert site.network.stalled.wait(5)
    assert ended.wait(1.5)
    assert site.venue.state(FIRST) is state


def test_a_week_in_a_bucket_is_purged_when_it_is_there_and_not_otherwise(site: Site) -> None:
    site.venue.run()
    purge = Task(name=FIRST, step=Step.PURGE)
    site.network.add(query="list-type", answer=(403, "AccessDenied"))
    assert isinstance(site.venue.archive().carry_out(purge, work=Watcher()), StepFailed)
    assert (site.venue.money / FIRST).exists()
    assert isinstance(site.venue.archive().carry_out(purge, work=Watcher()), StepDone)
    assert not (site.venue.money / FIRST).exists()
