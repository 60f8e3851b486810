"""The object store on Amazon S3 or a service that speaks its language, through boto3.

No more than one part of an object is in memory. A part is hashed from the very bytes that are
sent, and named by its MD5, which the service checks; the file as a whole is checked against its
SHA-256 before the parts are joined, which is the moment when the object is there.

Each request is made on a thread of its own (db.watched_call): a service that stands still or
trickles can hold up neither a drain nor, for more than its limit, the archive. What is left behind
in such a moment is a request that ends by itself, or parts that were never joined: the bucket's
lifecycle rule (deploy/s3-lifecycle.json) removes those. Whether a request whose answer never came
was carried out nobody can know: then the object is the old one or the new one, whole.
"""

import base64
import hashlib
import http.client
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any, BinaryIO, Final, TypeVar, cast

import attrs
import boto3.session
import urllib3.exceptions
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from db.object_io import (
    CHUNK_BYTES,
    Passage,
    checked_key,
    checked_prefix,
    file_chunks,
    is_key,
    save,
)
from db.s3_reasons import MISSING, error_code, plain_reason, without_secrets
from db.watched_call import StillRunning, watched_call
from protocols.ports import ObjectMissing, ObjectStoreFailed, StoredObject, Work

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import CompletedPartTypeDef, GetObjectOutputTypeDef
    from urllib3 import BaseHTTPResponse

T = TypeVar("T")

MIB: Final = 1024 * 1024
PARTS_MAX: Final = 10_000
"""Of one upload, by S3's rules."""

_FORESEEN: Final = (
    BotoCoreError,
    ClientError,
    OSError,
    ResponseParserError,
    ObjectStoreFailed,
    http.client.HTTPException,
    urllib3.exceptions.HTTPError,
)


@attrs.frozen(kw_only=True)
class S3Limits:
    """How long to wait for the service, how often to ask, and how much to send at once."""

    connect_s: float = 10
    silence_s: float = 30
    """Without a byte from the service, after which a request is made again."""
    request_s: float = 120
    """For one request with its repetitions: a part up (70 kB/s at least), a megabyte down (9 kB/s),
    the joining of parts."""
    question_s: float = 10
    """The same for those that nobody can stop, so that a drain may have to wait for: a page of a
    listing, a deletion."""
    attempts: int = 3
    """Of a request that could not be made, or that the service was too busy for."""
    part_bytes: int = 8 * MIB
    """5 GiB are 640 parts; what does not fit into 10,000 of them is cut into bigger ones."""
    goodbye_s: float = 1
    """For giving up an upload; what is not given up in time the lifecycle rule removes."""


class S3Objects:
    """An ObjectStore (protocols.ports) in a bucket, under a prefix."""

    def __init__(
        self,
        bucket: str,
        prefix: str = "",
        *,
        endpoint_url: str = "",
        region: str = "",
        access_key_id: str = "",
        secret_access_key: str = "",
        rarely_read: Sequence[str] = ("weeks/",),
        limits: S3Limits | None = None,
    ) -> None:
        """Empty settings are looked for where boto3 always looks: environment, files, role.

        `rarely_read`: what keys begin with whose objects are stored as STANDARD_IA. That costs
        half as much to keep, but is billed for 30 days and 128 KiB at least and per gigabyte read:
        right for weeks, which stay for ever; wrong for backups, most of which go after two days.
        """
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._endpoint_url = endpoint_url
        self._region = region
        self._access_key_id = access_key_id
        self._secret_access_key = secret_access_key
        self._rarely_read = tuple(rarely_read)
        self._limits = limits or S3Limits()

    @property
    def place(self) -> str:
        """`s3://bucket/prefix`."""
        return f"s3://{self._bucket}/{self._prefix}".rstrip("/")

    def put(self, key: str, file: str, *, sha256: str, work: Work) -> None:
        """Store the file; one of another SHA-256 is refused. Big ones go up in parts."""
        checked_key(key)
        with self._plainly(f"store {key}"), open(file, "rb") as source:
            object_ = {"Bucket": self._bucket, "Key": self._prefix + key}
            upload = _Upload(
                source=source,
                file=file,
                sha256=sha256,
                object_={**object_, "Metadata": {"sha256": sha256}},
            )
            if not key.startswith(self._rarely_read):
                self._send(upload, work)
                return
            try:
                self._send(upload.stored_as("STANDARD_IA"), work)
            except ClientError as error:
                # Services other than Amazon's may have one class only.
                if error_code(error) != "InvalidStorageClass":
                    raise
                self._send(upload, work)

    def get(self, key: str, file: str, *, work: Work) -> str:
        """Write the object into a new file; the SHA-256 of what was read."""
        checked_key(key)
        with self._plainly(f"fetch {key}"), self._content(key, work) as (passage, chunks):
            save(passage.follow(chunks), file)
            return passage.sha256

    def sha256(self, key: str, *, work: Work) -> str:
        """The SHA-256 of the object, read whole."""
        checked_key(key)
        with self._plainly(f"read {key}"), self._content(key, work) as (passage, chunks):
            return passage.exhaust(chunks)

    def list(self, prefix: str) -> Sequence[StoredObject]:
        """The objects whose key begins with `prefix`, in order of key. Asks page by page."""
        checked_prefix(prefix)
        with self._plainly(f"list {prefix or 'objects'}"):
            found = [object_ for page in self._pages(prefix) for object_ in page]
        return sorted(found, key=lambda object_: object_.key)

    def delete(self, key: str) -> None:
        """Remove the object, if there is one. (A bucket with versions keeps the old one.)"""
        name = self._prefix + checked_key(key)
        with self._plainly(f"delete {key}"):
            self._question(lambda s3: s3.delete_object(Bucket=self._bucket, Key=name))

    # Up

    def _send(self, upload: "_Upload", work: Work) -> None:
        upload.source.seek(0)
        size_bytes = os.fstat(upload.source.fileno()).st_size
        part_bytes = part_bytes_of(size_bytes, self._limits.part_bytes)
        passage = Passage(size_bytes, work)
        if size_bytes <= part_bytes:
            self._send_whole(upload, passage)
        else:
            self._send_in_parts(upload, passage, part_bytes)

    def _send_whole(self, upload: "_Upload", passage: Passage) -> None:
        content = b"".join(passage.follow(file_chunks(upload.source)))
        passage.expect(upload.sha256, upload.file)
        self._ask(
            lambda s3: s3.put_object(**upload.object_, Body=content, ContentMD5=_md5(content)),
            passage.look,
        )

    def _send_in_parts(self, upload: "_Upload", passage: Passage, part_bytes: int) -> None:
        begun = self._ask(lambda s3: s3.create_multipart_upload(**upload.object_), passage.look)
        named = {name: upload.object_[name] for name in ("Bucket", "Key")}
        named["UploadId"] = begun["UploadId"]
        try:
            contents = passage.follow(file_chunks(upload.source, part_bytes))
            parts = [
                self._send_part(named, number, content, passage.look)
                for number, content in enumerate(contents, start=1)
            ]
            passage.expect(upload.sha256, upload.file)
            self._ask(
                lambda s3: s3.complete_multipart_upload(**named, MultipartUpload={"Parts": parts}),
                passage.look,
            )
        except BaseException:
            self._give_up(named)
            raise

    def _send_part(
        self, named: Mapping[str, Any], number: int, content: bytes, look: Callable[[], None]
    ) -> "CompletedPartTypeDef":
        answer = self._ask(
            lambda s3: s3.upload_part(
                **named, PartNumber=number, Body=content, ContentMD5=_md5(content)
            ),
            look,
        )
        return {"PartNumber": number, "ETag": answer["ETag"]}

    def _give_up(self, named: Mapping[str, Any]) -> None:
        with suppress(StillRunning, *_FORESEEN):
            self._question(
                lambda s3: s3.abort_multipart_upload(**named), within_s=self._limits.goodbye_s
            )

    # Down

    @contextmanager
    def _content(self, key: str, work: Work) -> Iterator[tuple[Passage, Iterator[bytes]]]:
        asked = Passage(0, work)
        answer = self._ask_for(key, asked.look)
        passage = Passage(answer["ContentLength"], work)
        body = answer["Body"]
        with body as inner:
            response = cast("BaseHTTPResponse", inner)  # what botocore says itself is wrong
            try:
                yield passage, self._chunks(lambda: body.read(CHUNK_BYTES), passage.look)
            except BaseException:
                # A reader on its thread holds a lock that closing needs: wake it up first.
                with suppress(ValueError, RuntimeError):  # it has read all, and gone
                    response.shutdown()
                raise

    def _ask_for(self, key: str, look: Callable[[], None]) -> "GetObjectOutputTypeDef":
        name = self._prefix + key
        try:
            return self._ask(lambda s3: s3.get_object(Bucket=self._bucket, Key=name), look)
        except ClientError as error:
            if error_code(error) not in MISSING:
                raise
            raise ObjectMissing(f"{self.place} has no {key}") from error

    def _chunks(self, read: Callable[[], bytes], look: Callable[[], None]) -> Iterator[bytes]:
        while chunk := self._watch(read, look, self._limits.request_s):
            yield chunk

    def _pages(self, prefix: str) -> Iterator[Iterator[StoredObject]]:
        asked: dict[str, Any] = {"Bucket": self._bucket, "Prefix": self._prefix + prefix}
        while True:
            page = self._question(lambda s3: s3.list_objects_v2(**asked))
            yield (
                StoredObject(key=key, bytes=each["Size"])
                for each in page.get("Contents", ())
                if is_key(key := each["Key"].removeprefix(self._prefix))
            )
            if not page["IsTruncated"]:
                return
            asked["ContinuationToken"] = page["NextContinuationToken"]

    # Asking

    def _ask(self, request: "Callable[[S3Client], T]", look: Callable[[], None]) -> T:
        """Make one request. Raises what boto3 raises, StillRunning, or what `look` does."""
        return self._watch(lambda: request(self._client), look, self._limits.request_s)

    def _question(self, request: "Callable[[S3Client], T]", within_s: float | None = None) -> T:
        """Make one request that nobody can stop."""
        limit_s = self._limits.question_s if within_s is None else within_s
        return self._watch(lambda: request(self._client), lambda: None, limit_s)

    def _watch(self, call: Callable[[], T], look: Callable[[], None], within_s: float) -> T:
        return watched_call(call, foreseen=_FORESEEN, look=look, within_s=within_s)

    @cached_property
    def _client(self) -> "S3Client":
        """Made at the first request, on its thread: it takes a quarter of a second, and may ask the
        machine's role for credentials."""
        session = boto3.session.Session(region_name=self._region or None)
        config = Config(
            connect_timeout=self._limits.connect_s,
            read_timeout=self._limits.silence_s,
            retries={"mode": "standard", "total_max_attempts": self._limits.attempts},
            # Only Amazon is sure to have a host name for each bucket.
            s3={"addressing_style": "path" if self._endpoint_url else "auto"},
            # MD5 up and SHA-256 down are ours; botocore's newer sums not every service knows.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        try:
            return session.client(
                "s3",
                endpoint_url=self._endpoint_url or None,
                aws_access_key_id=self._access_key_id or None,
                aws_secret_access_key=self._secret_access_key or None,
                config=config,
            )
        except ValueError as error:  # an endpoint or a region that is none
            raise ObjectStoreFailed(str(error)) from error

    @contextmanager
    def _plainly(self, doing: str) -> Iterator[None]:
        """Say in one line what could not be done, where and why; leave no connection open."""
        try:
            yield
        except (ObjectStoreFailed, StillRunning, *_FORESEEN) as error:
            secrets = (self._access_key_id, self._secret_access_key)
            why = without_secrets(plain_reason(error), secrets)
            self._hang_up()
            # The next attempt begins anew, with what credentials there are by then.
            self.__dict__.pop("_client", None)
            raise ObjectStoreFailed(f"can't {doing} in {self.place}: {why}") from error
        finally:
            self._hang_up()

    def _hang_up(self) -> None:
        """Work comes once an hour, and services drop an idle connection after seconds."""
        if "_client" in self.__dict__:
            self._client.close()


@attrs.frozen(kw_only=True)
class _Upload:
    """A file, what it should be, and what the request for the object says."""

    source: BinaryIO
    file: str
    sha256: str
    object_: Mapping[str, Any]

    def stored_as(self, storage_class: str) -> "_Upload":
        return attrs.evolve(self, object_={**self.object_, "StorageClass": storage_class})


def part_bytes_of(size_bytes: int, least_bytes: int) -> int:
    """How big the parts of a file are: as small as asked for, unless there were too many."""
    return max(least_bytes, -(-size_bytes // PARTS_MAX))


def _md5(content: bytes) -> str:
    """As the header Content-MD5 has it."""
    return base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
