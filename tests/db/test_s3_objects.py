"""S3 as an object store, on a real server over real HTTP, through a network that fails.

Nothing here waits for luck: a stalled network says so, and each limit is small and stated.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs
import pytest

from db.s3_objects import PARTS_MAX, S3Limits, S3Objects, part_bytes_of
from protocols.ports import ObjectStoreFailed, WorkStopped
from tests.support.objects import MIB, Sample, Watcher, make_sample
from tests.support.s3_server import (
    ACCESS_KEY_ID,
    PART_BYTES_MIN,
    SECRET_ACCESS_KEY,
    Network,
    S3Server,
    closed_port,
    corrupt_at,
    cut_after,
    methods_of,
    network_before,
)

# Each makes a client of its own, and most wait for a limit: a quarter of a second each and more.
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_aws_settings")]

KEY = "weeks/2026-11-15.db.zst"
PART = PART_BYTES_MIN
IN_PARTS = 3 * PART + 7
LIMITS = S3Limits(
    connect_s=1, silence_s=0.4, request_s=5, attempts=1, part_bytes=PART, goodbye_s=0.25
)
PATIENT = attrs.evolve(LIMITS, silence_s=30, request_s=60)
OFTEN = 1_000


@attrs.frozen(kw_only=True)
class Site:
    """A bucket, reached through a network, or straight by those who look behind its back."""

    server: S3Server
    network: Network
    bucket: str

    def store(self, prefix: str = "", **changed: object) -> S3Objects:
        given: dict[str, object] = {
            "endpoint_url": self.network.url,
            "access_key_id": ACCESS_KEY_ID,
            "secret_access_key": SECRET_ACCESS_KEY,
            "limits": LIMITS,
        }
        return S3Objects(self.bucket, prefix, **{**given, **changed})  # type: ignore[arg-type]

    def patient_store(self, attempts: int = 2) -> S3Objects:
        """One that makes a failed request again."""
        return self.store(limits=attrs.evolve(LIMITS, attempts=attempts))

    def keys(self) -> list[str]:
        found = self.server.client.list_objects_v2(Bucket=self.bucket)
        return [each["Key"] for each in found.get("Contents", [])]

    def unfinished(self) -> int:
        """Uploads whose parts cost money and are no object."""
        found = self.server.client.list_multipart_uploads(Bucket=self.bucket)
        return len(found.get("Uploads", []))

    def place(self, sample: Sample, key: str = KEY) -> None:
        """Store it without the adapter."""
        self.server.client.put_object(Bucket=self.bucket, Key=key, Body=sample.content)

    def content(self, key: str = KEY) -> bytes:
        return self.server.client.get_object(Bucket=self.bucket, Key=key)["Body"].read()


@pytest.fixture
def site(s3_server: S3Server) -> Iterator[Site]:
    with network_before(s3_server.url) as network:
        yield Site(server=s3_server, network=network, bucket=s3_server.new_bucket())


@pytest.fixture
def older(site: Site, tmp_path: Path) -> Sample:
    """What stands under the key already."""
    sample = make_sample(tmp_path / "older", 500, seed=9)
    site.place(sample)
    return sample


@pytest.fixture
def small(tmp_path: Path) -> Sample:
    return make_sample(tmp_path / "small", 200_000)


@pytest.fixture
def big(tmp_path: Path) -> Sample:
    return make_sample(tmp_path / "big", IN_PARTS, seed=2)


@pytest.fixture
def fetched(tmp_path: Path) -> Path:
    return tmp_path / "fetched"


def put(store: S3Objects, sample: Sample, key: str = KEY, watcher: Watcher | None = None) -> None:
    store.put(key, sample.file, sha256=sample.sha256, work=watcher or Watcher())


# --- what is stored -----------------------------------------------------------------------------


@pytest.mark.parametrize("size_bytes", [10, IN_PARTS])
@pytest.mark.parametrize(
    ("key", "storage_class"),
    [(KEY, "STANDARD_IA"), ("backups/2026-11-15/20261117T120000Z.db.zst", None)],
)
def test_weeks_are_kept_as_rarely_read_and_backups_are_not(
    site: Site, tmp_path: Path, key: str, storage_class: str | None, size_bytes: int
) -> None:
    sample = make_sample(tmp_path / "sample", size_bytes)
    put(site.store("venue"), sample, key)
    found = site.server.client.head_object(Bucket=site.bucket, Key=f"venue/{key}")
    assert found.get("StorageClass") == storage_class  # not said: STANDARD
    assert found["Metadata"] == {"sha256": sample.sha256}


@pytest.mark.parametrize("size_bytes", [10, IN_PARTS])
def test_a_service_with_one_class_only_keeps_weeks_as_well(
    site: Site, tmp_path: Path, size_bytes: int
) -> None:
    sample = make_sample(tmp_path / "sample", size_bytes)
    site.network.add(answer=(400, "InvalidStorageClass"))
    put(site.store(), sample)
    assert site.content() == sample.content


def test_two_venues_share_a_bucket(site: Site, small: Sample) -> None:
    one, two = site.store("one"), site.store("two/")
    put(one, small)
    put(two, small, "weeks/2")
    assert [each.key for each in one.list("")] == [KEY]
    one.delete("weeks/2")
    assert site.keys() == [f"one/{KEY}", "two/weeks/2"]


def test_what_others_put_there_is_not_listed(site: Site, small: Sample) -> None:
    for key in ("weeks/", "weeks/notes of mine", "other/.x"):
        site.place(small, key)
    put(site.store(), small)
    assert [each.key for each in site.store().list("")] == [KEY]


def test_parts_of_the_real_size_are_taken(site: Site, tmp_path: Path) -> None:
    sample = make_sample(tmp_path / "sample", 17 * MIB)
    store = site.store(limits=S3Limits())
    put(store, sample)
    assert store.sha256(KEY, work=Watcher()) == sample.sha256
    assert methods_of(site.network.requests) == ["POST", "PUT", "PUT", "PUT", "POST", "GET"]


@pytest.mark.parametrize("size_bytes", [0, 1, 5 << 30, 80 << 30, (80 << 30) + 1, 5 << 40])
def test_every_size_fits_into_the_parts_of_one_upload(size_bytes: int) -> None:
    part_bytes = part_bytes_of(size_bytes, 8 * MIB)
    assert -(-size_bytes // part_bytes) <= PARTS_MAX
    assert part_bytes == 8 * MIB or size_bytes > 8 * MIB * PARTS_MAX


# --- the way up ---------------------------------------------------------------------------------

UP = [
    pytest.param({"method": "PUT"}, id="whole"),
    pytest.param({"query": "uploads"}, id="begin"),
    pytest.param({"query": "partNumber=2"}, id="part"),
    pytest.param({"method": "POST", "query": "uploadId"}, id="join"),
]


def sample_for(which: dict[str, str], request: pytest.FixtureRequest) -> Sample:
    sample: Sample = request.getfixturevalue("small" if which == {"method": "PUT"} else "big")
    return sample


@pytest.mark.parametrize("which", UP)
@pytest.mark.parametrize("code", ["InternalError", "SlowDown"])
def test_a_put_that_fails_leaves_what_was_there(
    site: Site, older: Sample, which: dict[str, str], code: str, request: pytest.FixtureRequest
) -> None:
    site.network.add(**which, answer=(503, code), times=OFTEN)
    with pytest.raises(ObjectStoreFailed, match=rf"can't store {KEY} in s3://.*\({code}\)"):
        put(site.store(), sample_for(which, request))
    assert site.content() == older.content
    assert site.unfinished() == 0


@pytest.mark.parametrize("which", UP[:1] + UP[2:3])
def test_a_connection_cut_on_the_way_up_leaves_what_was_there(
    site: Site, older: Sample, which: dict[str, str], request: pytest.FixtureRequest
) -> None:
    site.network.add(**which, up=cut_after(100_000), times=OFTEN)
    with pytest.raises(ObjectStoreFailed, match=f"can't store {KEY} .*[Cc]onnection"):
        put(site.store(), sample_for(which, request))
    assert site.content() == older.content
    assert site.unfinished() == 0


@pytest.mark.parametrize("which", UP[:1] + UP[2:3])
def test_a_body_damaged_on_the_way_up_is_not_stored(
    site: Site, older: Sample, which: dict[str, str], request: pytest.FixtureRequest
) -> None:
    site.network.add(**which, up=corrupt_at(70_000), times=OFTEN)
    with pytest.raises(ObjectStoreFailed, match="what arrived is not what was sent"):
        put(site.store(), sample_for(which, request))
    assert site.content() == older.content
    assert site.unfinished() == 0


@pytest.mark.parametrize("which", UP[:1] + UP[2:3])
def test_a_service_silent_on_the_way_up_is_given_up(
    site: Site, older: Sample, which: dict[str, str], request: pytest.FixtureRequest
) -> None:
    site.network.add(**which, before=site.network.stall, times=OFTEN)
    with within(2), pytest.raises(ObjectStoreFailed, match=f"can't store {KEY} .*timeout"):
        put(site.store(), sample_for(which, request))
    assert site.content() == older.content
    assert site.unfinished() == 0


@pytest.mark.parametrize("which", UP)
@pytest.mark.parametrize("code", ["InternalError", "SlowDown", "ServiceUnavailable"])
def test_a_busy_service_is_asked_again(
    site: Site, which: dict[str, str], code: str, request: pytest.FixtureRequest
) -> None:
    fault = site.network.add(**which, answer=(503, code))
    sample = sample_for(which, request)
    put(site.patient_store(), sample)
    assert site.content() == sample.content
    assert fault.hits == 1


@pytest.mark.parametrize("which", UP[:1] + UP[2:3])
def test_a_part_that_was_cut_off_is_sent_again(
    site: Site, which: dict[str, str], request: pytest.FixtureRequest
) -> None:
    site.network.add(**which, up=cut_after(100_000))
    sample = sample_for(which, request)
    put(site.patient_store(), sample)
    assert site.content() == sample.content


# --- the way down -------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 5_000, IN_PARTS - 1])
def test_a_connection_cut_on_the_way_down_leaves_no_file(
    site: Site, big: Sample, fetched: Path, count: int
) -> None:
    site.place(big)
    site.network.add(down=cut_after(count), times=OFTEN)
    with pytest.raises(ObjectStoreFailed, match=f"can't fetch {KEY} "):
        site.store().get(KEY, str(fetched), work=Watcher())
    assert not fetched.exists()
    with pytest.raises(ObjectStoreFailed, match=f"can't read {KEY} "):
        site.store().sha256(KEY, work=Watcher())


def test_a_body_damaged_on_the_way_down_shows_in_its_hash(
    site: Site, big: Sample, fetched: Path
) -> None:
    put(site.store(), big)
    site.network.add(method="GET", down=corrupt_at(PART + 5))
    read = site.store().get(KEY, str(fetched), work=Watcher())
    assert read == Sample(fetched).sha256 != big.sha256


@pytest.mark.parametrize("count", [0, 5_000, 2 * PART])
def test_a_service_that_falls_silent_on_the_way_down_is_given_up(
    site: Site, big: Sample, fetched: Path, count: int
) -> None:
    site.place(big)
    site.network.add(down=site.network.stall_after(count), times=OFTEN)
    with within(2), pytest.raises(ObjectStoreFailed, match=f"can't fetch {KEY} .*time"):
        site.store().get(KEY, str(fetched), work=Watcher())
    assert not fetched.exists()


def test_a_service_that_trickles_is_given_up(site: Site, big: Sample, fetched: Path) -> None:
    site.place(big)
    site.network.add(down=site.network.trickle_after(5_000), times=OFTEN)
    store = site.store(limits=attrs.evolve(LIMITS, request_s=1))
    with within(3), pytest.raises(ObjectStoreFailed, match="no answer within 1 s"):
        store.get(KEY, str(fetched), work=Watcher())
    assert not fetched.exists()


def test_a_silent_service_is_asked_again(site: Site, big: Sample) -> None:
    site.place(big)
    site.network.add(before=site.network.stall)
    assert site.patient_store().sha256(KEY, work=Watcher()) == big.sha256


@pytest.mark.parametrize(
    "ask",
    [
        pytest.param(lambda store: store.list("weeks/"), id="list"),
        pytest.param(lambda store: store.delete(KEY), id="delete"),
    ],
)
def test_no_question_hangs(site: Site, ask: Callable[[S3Objects], object]) -> None:
    site.network.add(before=site.network.stall, times=OFTEN)
    store = site.store(limits=attrs.evolve(PATIENT, question_s=0.5))
    with within(2), pytest.raises(ObjectStoreFailed, match=r"no answer within 0\.5 s"):
        ask(store)


# --- told to stop -------------------------------------------------------------------------------


@attrs.define(kw_only=True)
class Drain(Watcher):
    """Says stop from the moment on at which the network stands still."""

    network: Network
    at_s: float = 0

    def step(self, done_bytes: int, total_bytes: int) -> None:
        if self.network.stalled.is_set():
            self.at_s = self.at_s or time.monotonic()
            raise WorkStopped("the venue drains")


@pytest.mark.parametrize("which", UP)
def test_a_put_stops_although_the_service_is_silent(
    site: Site, older: Sample, which: dict[str, str], request: pytest.FixtureRequest
) -> None:
    site.network.add(**which, before=site.network.stall, times=OFTEN)
    drain = Drain(network=site.network)
    with pytest.raises(WorkStopped):
        put(site.store(limits=PATIENT), sample_for(which, request), watcher=drain)
    assert time.monotonic() - drain.at_s < 1
    assert site.content() == older.content
    assert site.unfinished() == 0


@pytest.mark.parametrize("count", [0, 5_000, 2 * PART])
def test_a_get_stops_although_the_service_is_silent(
    site: Site, big: Sample, fetched: Path, count: int
) -> None:
    site.place(big)
    site.network.add(down=site.network.stall_after(count), times=OFTEN)
    drain = Drain(network=site.network)
    with pytest.raises(WorkStopped):
        site.store(limits=PATIENT).get(KEY, str(fetched), work=drain)
    assert time.monotonic() - drain.at_s < 1
    assert not fetched.exists()


def test_giving_up_has_a_limit_too(site: Site, big: Sample) -> None:
    site.network.add(query="partNumber=2", before=site.network.stall)
    site.network.add(method="DELETE", before=site.network.stall)
    drain = Drain(network=site.network)
    with pytest.raises(WorkStopped):
        put(site.store(limits=PATIENT), big, watcher=drain)
    assert time.monotonic() - drain.at_s < 1
    assert site.keys() == []
    assert site.unfinished() == 1  # for the lifecycle rule


# --- who may ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("ExpiredToken", "the credentials have expired"),
        ("InvalidAccessKeyId", "the service does not know the access key id"),
        ("SignatureDoesNotMatch", "the secret access key is not that of the access key id"),
        ("AccessDenied", "the credentials do not allow it"),
        ("RequestTimeTooSkewed", "this machine's clock is off"),
    ],
)
def test_credentials_that_are_refused_are_said_to_be(
    site: Site, small: Sample, fetched: Path, code: str, reason: str
) -> None:
    site.network.add(answer=(403, code), times=OFTEN)
    store = site.patient_store()
    for ask, doing in {
        lambda: put(store, small): f"store {KEY}",
        lambda: store.get(KEY, str(fetched), work=Watcher()): f"fetch {KEY}",
        lambda: store.sha256(KEY, work=Watcher()): f"read {KEY}",
        lambda: store.list("weeks/"): "list weeks/",
        lambda: store.delete(KEY): f"delete {KEY}",
    }.items():
        with pytest.raises(ObjectStoreFailed) as failed:
            ask()
        text = str(failed.value)
        assert text.startswith(f"can't {doing} in s3://{site.bucket}: {reason}")
        assert ACCESS_KEY_ID not in text
        assert SECRET_ACCESS_KEY not in text
    assert site.network.faults[0].hits == 5, "asking again does not help"


def test_without_settings_the_environment_is_asked(
    site: Site, small: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "from-the-environment")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "also-from-there")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    put(site.store(access_key_id="", secret_access_key=""), small)
    assert "from-the-environment/" in site.network.authorizations[-1]
    assert "/eu-central-1/s3/" in site.network.authorizations[-1]


@pytest.mark.parametrize(("region", "used"), [("", "us-east-1"), ("eu-west-3", "eu-west-3")])
def test_the_region_is_the_settings_or_a_default(
    site: Site, small: Sample, region: str, used: str
) -> None:
    put(site.store(region=region), small)
    assert f"{ACCESS_KEY_ID}/" in site.network.authorizations[-1]
    assert f"/{used}/s3/" in site.network.authorizations[-1]


def test_credentials_that_came_meanwhile_are_used(
    site: Site, small: Sample, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "credentials"
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(file))
    store = site.store(access_key_id="", secret_access_key="")
    site.network.add(answer=(403, "ExpiredToken"))
    for id_ in ("spent", "fresh"):
        file.write_text(f"[default]\naws_access_key_id = {id_}\naws_secret_access_key = x\n")
        if id_ == "spent":
            with pytest.raises(ObjectStoreFailed, match="have expired"):
                put(store, small)
    put(store, small)
    assert ["spent/" in each for each in site.network.authorizations] == [True, False]
    assert "fresh/" in site.network.authorizations[-1]


@pytest.mark.parametrize("id_", ["", ACCESS_KEY_ID])
def test_missing_credentials_are_said_to_be_missing(site: Site, id_: str) -> None:
    with pytest.raises(ObjectStoreFailed, match=r"no credentials: set archive\.access_key_id"):
        site.store(access_key_id=id_, secret_access_key="").list("")


# --- what else is wrong ---------------------------------------------------------------------------


def test_a_refused_connection_is_named(site: Site) -> None:
    with (
        closed_port() as url,
        pytest.raises(ObjectStoreFailed, match=f"list weeks/ in s3://{site.bucket}: .*{url}"),
    ):
        site.store(endpoint_url=url).list("weeks/")


def test_a_password_in_the_endpoint_is_not_told(site: Site) -> None:
    with closed_port() as url, pytest.raises(ObjectStoreFailed) as failed:
        site.store(endpoint_url=url.replace("//", "//me:password@")).list("")
    assert "password" not in str(failed.value)
    assert "//***@127.0.0.1" in str(failed.value)


def test_a_missing_bucket_is_no_missing_object(site: Site, fetched: Path) -> None:
    store = S3Objects(
        "no-such-bucket",
        endpoint_url=site.network.url,
        access_key_id=ACCESS_KEY_ID,
        secret_access_key=SECRET_ACCESS_KEY,
    )
    with pytest.raises(ObjectStoreFailed, match="there is no such bucket"):
        store.get(KEY, str(fetched), work=Watcher())


@pytest.mark.parametrize("endpoint_url", ["nonsense", "http://", "https://[::1"])
def test_an_endpoint_that_is_none_is_named(site: Site, endpoint_url: str) -> None:
    with pytest.raises(ObjectStoreFailed, match="can't list objects in s3://"):
        site.store(endpoint_url=endpoint_url).list("")


def test_an_answer_that_is_none_is_a_failure(site: Site) -> None:
    site.network.add(down=lambda _, piece: piece.replace(b"<", b"&"))
    with pytest.raises(ObjectStoreFailed, match="can't list objects in s3://"):
        site.store().list("")


def test_no_connection_stays_open(site: Site, small: Sample, fetched: Path) -> None:
    store = site.store()
    put(store, small)
    store.get(KEY, str(fetched), work=Watcher())
    store.list("")
    site.network.wait_all_closed()


class within:
    """The block takes no longer than that, in seconds: the stated limits and the time to act."""

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s

    def __enter__(self) -> None:
        self._began_s = time.monotonic()

    def __exit__(self, *_: object) -> None:
        took_s = time.monotonic() - self._began_s
        assert took_s < self._limit_s, f"it took {took_s:.1f} s"
