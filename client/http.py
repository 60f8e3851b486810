"""HTTP/1.1 on kept-alive connections: a small pool, with a limit on every wait.

It says of each failure whether the request can have been carried out: `Unreachable` if not,
`AnswerLost` if it may.
"""

import ssl
from typing import Final, TypeAlias
from urllib.parse import urlsplit

import attrs
import h11
import trio

from client.errors import AnswerLost, BadAnswer, Unreachable

CONNECTIONS_MAX: Final = 16
CONNECT_WITHIN_S: Final = 10.0
ANSWER_WITHIN_S: Final = 30.0
"""The venue answers a bet within 5 s, and all else within its own limits below this."""
ANSWER_BYTES_MAX: Final = 64 * 1024 * 1024
READ_BYTES: Final = 65_536


@attrs.frozen(kw_only=True)
class Place:
    """Where a venue is: its origin, taken apart."""

    host: str
    port: int
    tls: bool

    @property
    def authority(self) -> str:
        """As the Host header has it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.tls else 80) else f"{host}:{self.port}"

    @property
    def socket_url(self) -> str:
        """Of the WebSocket."""
        return f"{'wss' if self.tls else 'ws'}://{self.authority}/ws"


def parse_url(url: str) -> Place:
    """The venue at an origin such as `http://127.0.0.1:8080`. Raises ValueError for others."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/"):
        raise ValueError(f"not the origin of a venue: {url!r}")
    tls = parts.scheme == "https"
    return Place(host=parts.hostname, port=parts.port or (443 if tls else 80), tls=tls)


@attrs.frozen(kw_only=True)
class HttpAnswer:
    """One whole answer; names of headers in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class HttpPool:
    """Connections to one venue, kept for the next request; at most `connections_max` at once."""

    def __init__(
        self,
        place: Place,
        *,
        connections_max: int = CONNECTIONS_MAX,
        within_s: float = ANSWER_WITHIN_S,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._place = place
        self._within_s = within_s
        self._ssl_context = ssl_context
        self._idle: list[_Connection] = []
        self._free = trio.Semaphore(connections_max)

    async def request(
        self, method: str, path: str, *, body: bytes = b"", token: str | None = None
    ) -> HttpAnswer:
        """Send one request and read its answer. Raises Unreachable, AnswerLost or BadAnswer.

        A GET on a kept connection that the venue has just closed is sent once more on a new one;
        nothing else is ever sent twice.
        """
        async with self._free:
            kept = self._take_idle()
            if kept is None or method != "GET":
                return await self._exchange(kept, method, path, body, token)
            try:
                return await self._exchange(kept, method, path, body, token)
            except AnswerLost:
                return await self._exchange(None, method, path, body, token)

    async def aclose(self) -> None:
        """Close what is kept."""
        while self._idle:
            await trio.aclose_forcefully(self._idle.pop().stream)

    async def _exchange(
        self,
        kept: "_Connection | None",
        method: str,
        path: str,
        body: bytes,
        token: str | None,
    ) -> HttpAnswer:
        connection = kept or await self._connect()
        headers = [("Host", self._place.authority), ("Accept", "application/json")]
        if token is not None:
            headers.append(("Authorization", f"Bearer {token}"))
        if body or method == "POST":
            headers.append(("Content-Type", "application/json"))
            headers.append(("Content-Length", str(len(body))))
        try:
            with trio.fail_after(self._within_s):
                return await connection.exchange(
                    h11.Request(method=method, target=path, headers=headers), body
                )
        except (OSError, trio.BrokenResourceError, trio.ClosedResourceError) as error:
            raise AnswerLost(f"{method} {path}: the connection was lost") from error
        except trio.TooSlowError as error:
            raise AnswerLost(f"{method} {path}: no answer in {self._within_s:g} s") from error
        except h11.RemoteProtocolError as error:
            raise BadAnswer(f"{method} {path}: {error}") from error
        finally:
            await self._keep_or_close(connection)

    async def _keep_or_close(self, connection: "_Connection") -> None:
        if connection.start_next():
            self._idle.append(connection)
        else:
            await trio.aclose_forcefully(connection.stream)

    def _take_idle(self) -> "_Connection | None":
        """A kept connection on which nothing has come: the end of it, most likely, if it has."""
        while self._idle:
            connection = self._idle.pop()
            if not connection.socket.is_readable():
                return connection
            connection.socket.close()
        return None

    async def _connect(self) -> "_Connection":
        plain, stream = await connect(self._place, self._ssl_context)
        return _Connection(stream, plain.socket)


Talk: TypeAlias = trio.SocketStream | trio.SSLStream[trio.SocketStream]


async def connect(
    place: Place, ssl_context: ssl.SSLContext | None
) -> tuple[trio.SocketStream, Talk]:
    """A connection: its TCP stream, and what to talk through, which is the same or TLS on it.

    Raises Unreachable.
    """
    try:
        with trio.fail_after(CONNECT_WITHIN_S):
            plain = await trio.open_tcp_stream(place.host, place.port)
            return plain, await _with_tls(plain, place, ssl_context) if place.tls else plain
    except trio.TooSlowError as error:
        why = f"no connection in {CONNECT_WITHIN_S:g} s"
        raise Unreachable(f"there is no venue at {place.authority}: {why}") from error
    except (OSError, trio.BrokenResourceError) as error:
        # What is wrong with a certificate stands in the cause: trio's own error is empty.
        why = str(error.__cause__ or error)
        raise Unreachable(f"there is no venue at {place.authority}: {why}") from error


async def _with_tls(
    plain: trio.SocketStream, place: Place, ssl_context: ssl.SSLContext | None
) -> trio.SSLStream[trio.SocketStream]:
    context = ssl_context or ssl.create_default_context()
    tls = trio.SSLStream(plain, context, server_hostname=place.host, https_compatible=True)
    try:
        await tls.do_handshake()
    except BaseException:
        await trio.aclose_forcefully(plain)
        raise
    return tls


class _Connection:
    """One connection; after each whole answer it may serve the next request."""

    def __init__(self, stream: trio.abc.Stream, socket: trio.socket.SocketType) -> None:
        self.stream = stream
        self.socket = socket
        self._http = h11.Connection(h11.CLIENT)

    async def exchange(self, request: h11.Request, body: bytes) -> HttpAnswer:
        """Send, in one write, and read the answer."""
        http = self._http
        sent = [request, *([h11.Data(data=body)] if body else []), h11.EndOfMessage()]
        await self.stream.send_all(b"".join(http.send(event) or b"" for event in sent))
        status, headers, parts, size = 0, dict[str, str](), list[bytes](), 0
        while True:
            event = http.next_event()
            if event is h11.NEED_DATA:
                received = bytes(await self.stream.receive_some(READ_BYTES))
                if not received:
                    raise trio.BrokenResourceError("closed without a whole answer")
                http.receive_data(received)
            elif isinstance(event, h11.Response):
                status = event.status_code
                headers = {name.decode(): value.decode() for name, value in event.headers}
            elif isinstance(event, h11.Data):
                parts.append(bytes(event.data))
                size += len(event.data)
                if size > ANSWER_BYTES_MAX:
                    raise BadAnswer(f"the answer is longer than {ANSWER_BYTES_MAX} bytes")
            elif isinstance(event, h11.EndOfMessage):
                return HttpAnswer(status=status, headers=headers, body=b"".join(parts))

    def start_next(self) -> bool:
        """Is all of the last exchange done, and the connection still good?"""
        http = self._http
        if http.our_state is h11.DONE and http.their_state is h11.DONE:
            http.start_next_cycle()
            return True
        return False
