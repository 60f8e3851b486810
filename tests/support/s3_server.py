"""A real S3 server on the loopback, and a proxy before it that does what networks do.

The server is moto's, in a process of its own that ends with ours. It is told one thing that moto
leaves out and S3 does: a body that does not match its Content-MD5 is refused (BadDigest).
"""

import base64
import hashlib
import http.client
import io
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import attrs
import boto3.session

from tests.support.sources import REPOSITORY

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

PART_BYTES_MIN = 1024 * 1024
"""Of all parts of an upload but the last. S3 wants 5 MiB; a test has no time for them."""
ACCESS_KEY_ID = "tests-access-key-id"
SECRET_ACCESS_KEY = "tests-secret-access-key"

# --- the server -------------------------------------------------------------------------------


@attrs.define(kw_only=True)
class S3Server:
    """Where it listens, and a client for tests to look behind the adapter's back."""

    url: str
    client: "S3Client"
    buckets: int = 0

    def new_bucket(self) -> str:
        self.buckets += 1
        name = f"bucket-{self.buckets:04}"
        self.client.create_bucket(Bucket=name)
        return name


@contextmanager
def running_s3() -> Iterator[S3Server]:
    """The server, for as long as the context lasts."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.support.s3_server"],
        cwd=REPOSITORY,
        env={**os.environ, "S3_UPLOAD_PART_MIN_SIZE": str(PART_BYTES_MIN)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url, "the S3 server did not start; its output says why"
        with closing(s3_client(url)) as client:
            yield S3Server(url=url, client=client)
        process.stdin.close()


def s3_client(url: str) -> "S3Client":
    """A plain client, as somebody else would use it."""
    session = boto3.session.Session(ACCESS_KEY_ID, SECRET_ACCESS_KEY, region_name="us-east-1")
    return session.client("s3", endpoint_url=url)


def serve() -> None:
    """Serve until standard input ends, which is when the process that started this one does."""
    # Imported here: it takes a second, and patches boto3 in the process that does it.
    from moto.moto_server.werkzeug_app import (
        DomainDispatcherApplication,
        MotoRequestHandler,
        create_backend_app,
    )
    from werkzeug.serving import make_server

    class Quiet(MotoRequestHandler):
        protocol_version = "HTTP/1.1"

        def log(self, type: str, message: str, *args: Any) -> None:
            pass

    app = checking_md5(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    sys.stdin.read()


def checking_md5(app: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    """The application, with what S3 does about a body that was damaged on its way."""

    def checked(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if (wanted := environ.get("HTTP_CONTENT_MD5")) is None:
            return app(environ, start_response)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        if base64.b64encode(hashlib.md5(body).digest()).decode() != wanted:
            start_response("400 Bad Request", [("Content-Type", "application/xml")])
            return [refusal("BadDigest")]
        return app({**environ, "wsgi.input": io.BytesIO(body)}, start_response)

    return checked


def refusal(code: str) -> bytes:
    """How S3 says no."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code>'
        f"<Message>This is what {code} says.</Message></Error>"
    ).encode()


# --- the network ------------------------------------------------------------------------------


class Cut(Exception):
    """The connection ends here."""


@attrs.define(kw_only=True)
class Fault:
    """What happens to the requests it is meant for: once, or as often as `times` says.

    Bodies are shown to `up` and `down` in pieces with the number of bytes before; what they return
    goes on. They may raise Cut, or wait.
    """

    method: str = ""
    """Empty: any."""
    query: str = ""
    """What the request's target must hold, e.g. `partNumber=2`."""
    times: int = 1
    answer: tuple[int, str] | None = None
    """Status and code to refuse with, in the server's place."""
    before: Callable[[], None] = lambda: None
    """Done when the request has been read and nothing of it passed on."""
    up: Callable[[int, bytes], bytes] = lambda _, piece: piece
    down: Callable[[int, bytes], bytes] = lambda _, piece: piece
    hits: int = 0

    def meant_for(self, method: str, target: str) -> bool:
        return self.hits < self.times and self.method in ("", method) and self.query in target


@attrs.define(kw_only=True)
class Network:
    """The proxy: its URL and what is to go wrong."""

    url: str = ""
    faults: list[Fault] = attrs.field(factory=list)
    closing: threading.Event = attrs.field(factory=threading.Event)
    stalled: threading.Event = attrs.field(factory=threading.Event)
    requests: list[str] = attrs.field(factory=list)
    authorizations: list[str] = attrs.field(factory=list)
    """What they were signed as, one a request."""
    open_connections: int = 0
    changed: threading.Condition = attrs.field(factory=threading.Condition)

    def count(self, opened: int) -> None:
        with self.changed:
            self.open_connections += opened
            self.changed.notify_all()

    def wait_all_closed(self) -> None:
        """Until no client keeps a connection."""
        with self.changed:
            assert self.changed.wait_for(lambda: self.open_connections == 0, timeout=5)

    def add(self, **fields: Any) -> Fault:
        fault = Fault(**fields)
        self.faults.append(fault)
        return fault

    def stall(self, *_: object) -> bytes:
        """Stand still until the test is over; a `before`, or in `up` and `down`."""
        self.stalled.set()
        self.closing.wait()
        raise Cut

    def stall_after(self, count: int) -> Callable[[int, bytes], bytes]:
        """Let `count` bytes pass, then stand still."""
        return lambda at, piece: piece if at + len(piece) <= count else self.stall()

    def trickle_after(self, count: int) -> Callable[[int, bytes], bytes]:
        """Let `count` bytes pass at once, then a piece every twentieth of a second."""

        def pause(at: int, piece: bytes) -> bytes:
            if at >= count:
                self.stalled.set()
                if self.closing.wait(0.05):
                    raise Cut
            return piece

        return pause

    def fault_of(self, method: str, target: str) -> Fault:
        """The first that is meant for the request, or none."""
        self.requests.append(f"{method} {target}")
        meant = next((f for f in self.faults if f.meant_for(method, target)), Fault())
        meant.hits += 1
        return meant


def cut_after(count: int) -> Callable[[int, bytes], bytes]:
    """Let `count` bytes pass, then hang up."""

    def cut(at: int, piece: bytes) -> bytes:
        if at + len(piece) > count:
            raise Cut
        return piece

    return cut


def corrupt_at(place: int) -> Callable[[int, bytes], bytes]:
    """Turn one byte into another."""

    def corrupt(at: int, piece: bytes) -> bytes:
        if not at <= place < at + len(piece):
            return piece
        here = place - at
        return piece[:here] + bytes([piece[here] ^ 1]) + piece[here + 1 :]

    return corrupt


PIECE_BYTES = 4096


class Proxy(BaseHTTPRequestHandler):
    """One connection from a client; a request to the server for each of its own."""

    protocol_version = "HTTP/1.1"
    network: Network
    server_url: str

    def handle(self) -> None:
        self.network.count(+1)
        try:
            with suppress(Cut, ConnectionError):
                super().handle()
        finally:
            self.network.count(-1)

    def any_method(self) -> None:
        fault = self.network.fault_of(self.command, self.path)
        self.network.authorizations.append(self.headers.get("Authorization", ""))
        try:
            body = self.body_up(fault)
            fault.before()
            if fault.answer is not None:
                self.refuse(*fault.answer)
            else:
                self.pass_on(body, fault)
        except Cut:
            self.close_connection = True
            with suppress(OSError):
                self.connection.shutdown(socket.SHUT_RDWR)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = any_method

    def body_up(self, fault: Fault) -> bytes:
        length, pieces = int(self.headers.get("Content-Length") or 0), []
        for at in range(0, length, PIECE_BYTES):
            pieces.append(fault.up(at, self.rfile.read(min(PIECE_BYTES, length - at))))
        return b"".join(pieces)

    def refuse(self, status: int, code: str) -> None:
        body = refusal(code)
        self.send_response(status)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def pass_on(self, body: bytes, fault: Fault) -> None:
        there = urlsplit(self.server_url)
        assert there.hostname is not None
        with closing(http.client.HTTPConnection(there.hostname, there.port)) as server:
            server.request(self.command, self.path, body, dict(self.headers))
            answer = server.getresponse()
            self.send_response_only(answer.status, answer.reason)
            for name, value in answer.getheaders():
                if name.lower() not in ("connection", "transfer-encoding"):
                    self.send_header(name, value)
            content = answer.read()
            if answer.getheader("Content-Length") is None and answer.status != 204:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            for at in range(0, len(content), PIECE_BYTES):
                self.wfile.write(fault.down(at, content[at : at + PIECE_BYTES]))

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def network_before(server_url: str) -> Iterator[Network]:
    """A proxy that passes everything on until it is given faults."""
    network = Network()
    handler = type("ThisProxy", (Proxy,), {"network": network, "server_url": server_url})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as proxy:
        proxy.daemon_threads = True
        network.url = f"http://127.0.0.1:{proxy.server_port}"
        thread = threading.Thread(target=lambda: proxy.serve_forever(poll_interval=0.02))
        thread.start()
        try:
            yield network
        finally:
            network.closing.set()
            proxy.shutdown()
            thread.join()


@contextmanager
def closed_port() -> Iterator[str]:
    """The URL of a port where nobody listens, and nobody else will meanwhile."""
    with closing(socket.socket()) as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


def methods_of(requests: Sequence[str]) -> list[str]:
    """The methods of recorded requests."""
    return [request.split()[0] for request in requests]


if __name__ == "__main__":
    serve()
