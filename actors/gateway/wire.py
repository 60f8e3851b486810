"""One client's connection: hypercorn's HTTP/1.1, held against clients that mean ill.

Parsing, keep-alive and framing are hypercorn's, h11's and wsproto's. Ours is what bounds a client
in time and memory, whatever it sends or does not send:

* A head has `HEADERS_WITHIN_S`, however slowly its bytes come; so has an idle connection. (A body
  has its own limit, at the edge.)
* A write that finds no room within `SEND_WITHIN_S` ends the connection.
* Bytes are read in small portions: one client's never keep the others waiting for long.

What a WebSocket's client may leave unfinished is in `frames.py`.

Left out are HTTP/2, a proxy's business, and permessage-deflate: some 300 KiB of memory a client,
and every broadcast frame compressed once per client instead of encoded once for all.
"""

import re
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Final, Self, cast

import attrs
import h11
import structlog
import trio
from hypercorn.config import Config
from hypercorn.events import Closed, RawData, Updated
from hypercorn.events import Event as WireEvent
from hypercorn.logging import Logger
from hypercorn.protocol import ProtocolWrapper
from hypercorn.protocol.events import Request
from hypercorn.protocol.h11 import STREAM_ID, H11Protocol, H11WSConnection
from hypercorn.protocol.http_stream import HTTPStream
from hypercorn.protocol.ws_stream import WSStream
from hypercorn.trio.task_group import TaskGroup
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.typing import (
    AppWrapper,
    ASGIReceiveEvent,
    ASGISendEvent,
    ConnectionState,
    Scope,
)
from wsproto.utilities import ProtocolError

from actors.gateway.asgi import Headers, refusal_answer
from actors.gateway.doors import ClientSocket, ClientStream
from actors.gateway.frames import LOOK_EVERY_S, SocketStream
from domain.refusals import Code, Refusal, bad_request

log = structlog.get_logger("gateway")

HEADERS_WITHIN_S: Final = 15
"""A request's head must be there by then; also how long an idle connection is kept."""
SEND_WITHIN_S: Final = 10
"""A client that has not made room for one write by then is gone, or wants to hold us up."""
RECEIVE_BYTES_MAX: Final = 4 * 1024
"""Of the shortest frames these are 680, which take some 5 ms; 64 KiB at once would take 80."""
EVENTS_WAITING_MAX: Final = 10
"""Pieces of a body, or messages, that wait for the application; then no more are read."""

_ABSOLUTE_FORM: Final = re.compile(rb"https?://[^/?#]*", re.IGNORECASE)


class HypercornLog(Logger):
    """hypercorn's log calls, as our log lines. Its access log would hold query strings."""

    async def access(self, *_: object) -> None:
        """Requests are counted and logged at the edge."""

    async def warning(self, message: str, *_: object, **__: object) -> None:
        log.warning("hypercorn", message=message)

    async def exception(self, message: str, *_: object, **__: object) -> None:
        log.exception("request_failed", message=message)


class WireConfig(Config):
    """What of hypercorn's settings differs from its defaults; and headers for every answer, also
    for those that no code of ours gives."""

    def __init__(self, headers: Headers, new_request_id: Callable[[], str]) -> None:
        super().__init__()
        self.logger_class = HypercornLog
        self.errorlog = None
        self.include_server_header = False
        self.keep_alive_timeout = HEADERS_WITHIN_S
        self.keep_alive_max_requests = 1_000_000
        self.websocket_ping_interval = LOOK_EVERY_S  # SocketStream looks then, and may ping
        self._headers = headers
        self._new_request_id = new_request_id

    def response_headers(self, protocol: str) -> list[tuple[bytes, bytes]]:
        """The date, and ours."""
        return [*super().response_headers(protocol), *self._headers]

    def unread_headers(self) -> Headers:
        """The headers of an answer to what was not read as a request, which then ends."""
        request_id = (b"x-request-id", self._new_request_id().encode())
        return (*self.response_headers("h11"), request_id, (b"connection", b"close"))


@attrs.define(eq=False)
class Transport:
    """A client's socket as hypercorn uses it: sends are limited, and it can be closed at once."""

    stream: ClientStream
    is_closed: bool = False

    @property
    def socket(self) -> ClientSocket:
        """For hypercorn, which asks it for both addresses."""
        return self.stream.socket

    async def send_all(self, data: bytes) -> None:
        """As SocketStream's, but BrokenResourceError also when the client has not read in time."""
        try:
            with trio.fail_after(SEND_WITHIN_S):
                await self.stream.send_all(data)
        except (trio.TooSlowError, trio.BrokenResourceError) as error:
            self.close()
            raise trio.BrokenResourceError("the client does not read") from error

    async def receive_some(self, max_bytes: int) -> bytes | bytearray:
        return await self.stream.receive_some(min(max_bytes, RECEIVE_BYTES_MAX))

    async def send_eof(self) -> None:
        """Say that nothing more comes, also while another task is sending."""
        try:
            self.stream.socket.shutdown(socket.SHUT_WR)
        except OSError as error:
            raise trio.BrokenResourceError("the client has gone") from error

    async def aclose(self) -> None:
        self.is_closed = True
        await self.stream.aclose()

    def close(self) -> None:
        """Close now, without waiting: whoever sends or receives is woken."""
        self.is_closed = True
        self.stream.socket.close()


class Inlet:
    """What the application of one request has yet to receive.

    Once the client has left, or the application has ended, nobody waits for room in it any more.
    With hypercorn's own a client that never stops sending would hold its connection for ever: the
    word that it is over would wait behind its bytes, for a reader that waits for that word.
    """

    def __init__(self) -> None:
        self._into, self._out = trio.open_memory_channel[ASGIReceiveEvent](EVENTS_WAITING_MAX)
        self._left: ASGIReceiveEvent | None = None

    async def put(self, event: ASGIReceiveEvent) -> None:
        """Hand over one event; a disconnect is the last one and waits for nothing."""
        if event["type"] in ("http.disconnect", "websocket.disconnect"):
            self._left = event
            self._into.close()
        else:
            with suppress(trio.ClosedResourceError, trio.BrokenResourceError):
                await self._into.send(event)

    async def receive(self) -> ASGIReceiveEvent:
        """The next event; after the last one that the client has left, as often as asked."""
        try:
            return await self._out.receive()
        except trio.EndOfChannel:
            assert self._left is not None, "only the end of the application closes it otherwise"
            return self._left

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._into.close()
        self._out.close()


class Tasks(TaskGroup):
    """The tasks of one connection; each application gets an Inlet."""

    async def spawn_app(
        self,
        app: AppWrapper,
        config: Config,
        scope: Scope,
        send: Callable[[ASGISendEvent | None], Awaitable[None]],
    ) -> Callable[[ASGIReceiveEvent], Awaitable[None]]:
        """Run the application on its own task; what it is to receive goes to the function."""
        inlet = Inlet()

        async def run(scope: Scope, _: object, *others: Any) -> None:
            with inlet:
                await app(scope, inlet.receive, *others)

        await super().spawn_app(cast(AppWrapper, run), config, scope, send)
        return inlet.put


class Requests(h11.Connection):
    """The requests of one connection. What comes behind the last of them, the one that is answered
    with `connection: close`, is not looked at: hypercorn would take offence at it and close before
    that answer is out."""

    def next_event(self) -> Any:
        """The next event; PAUSED behind the last request."""
        return h11.PAUSED if self.their_state is h11.MUST_CLOSE else super().next_event()


class WireProtocol(H11Protocol):
    """HTTP/1.1 and WebSocket without compression; never HTTP/2."""

    config: WireConfig

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.connection = Requests(
            h11.SERVER, max_incomplete_event_size=self.config.h11_max_incomplete_size
        )

    async def _check_protocol(self, event: h11.Request) -> None:
        """Offers to change to HTTP/2 are not taken up."""

    async def handle(self, event: WireEvent) -> None:
        """What comes before a WebSocket is accepted ends the connection; no client may send it,
        and hypercorn would answer twice."""
        if isinstance(event, RawData) and event.data and self._is_shaking_hands():
            await self.send(Closed())
        else:
            await super().handle(event)

    def _is_shaking_hands(self) -> bool:
        return isinstance(self.stream, WSStream) and not self.stream.handshake.accepted

    async def _send_error_response(self, status_code: int) -> None:
        """What is no HTTP is refused in the venue's words too."""
        is_large = status_code in (413, 431)
        refusal = Refusal(Code.TOO_LARGE) if is_large else bad_request("request", "is not HTTP/1.1")
        answer = refusal_answer(refusal, headers=self.config.unread_headers())
        length = (b"content-length", str(len(answer.body)).encode())
        headers = [*answer.headers, length]
        await self._send_h11_event(h11.Response(status_code=answer.status, headers=headers))
        await self._send_h11_event(h11.Data(data=answer.body))
        await self._send_h11_event(h11.EndOfMessage())

    async def _create_stream(self, request: h11.Request) -> None:
        """As hypercorn's, but a whole handshake or none: what is half of one is a plain request
        for the same path. And a method keeps its letters: hypercorn would take `head` for HEAD, and
        h11 not, so that they disagree about the body of the answer."""
        headers = dict(request.headers)
        is_socket = not self.connection.trailing_data[0] and _offers_websocket(request, headers)
        kind = SocketStream if is_socket else HTTPStream
        self.stream = kind(
            self.app,
            self.config,
            self.context,
            self.task_group,
            self.ssl,
            self.client,
            self.server,
            self.stream_send,
            STREAM_ID,
        )
        if is_socket:
            self.connection = H11WSConnection(cast(h11.Connection, self.connection))
        await self.stream.handle(
            Request(
                stream_id=STREAM_ID,
                headers=[pair for pair in request.headers if pair[0] != _EXTENSIONS],
                http_version=request.http_version.decode(),
                method=request.method.decode("ascii"),
                raw_path=_origin_form(request.target),
                state=self.connection_state,
            )
        )
        self.keep_alive_requests += 1


_EXTENSIONS: Final = b"sec-websocket-extensions"
"""Compression is the only one there is, and we leave it out."""


def _offers_websocket(request: h11.Request, headers: dict[bytes, bytes]) -> bool:
    tokens = headers.get(b"connection", b"").lower().split(b",")
    return (
        request.method == b"GET"
        and request.http_version == b"1.1"
        and headers.get(b"upgrade", b"").lower() == b"websocket"
        and b"upgrade" in [token.strip() for token in tokens]
        and headers.get(b"sec-websocket-version") == b"13"
        and b"sec-websocket-key" in headers
        and not headers.keys() & {b"content-length", b"transfer-encoding"}
    )


def _origin_form(target: bytes) -> bytes:
    """The target as clients send it to an origin, for one that was written for a proxy: every
    server must take `http://host/path`, too (RFC 9112, 3.2.2). The host decides nothing here."""
    whole = _ABSOLUTE_FORM.match(target)
    if whole is None:
        return target
    rest = target[whole.end() :]
    return rest if rest.startswith(b"/") else b"/" + rest


class Connection(TCPServer):
    """One client's connection, from accept to close. What it has begun to serve it finishes, also
    when the client has gone: a bet is then with the Batcher."""

    stream: Transport  # type: ignore[assignment]  # hypercorn names the class of its own
    _has_left = False

    async def protocol_send(self, event: WireEvent) -> None:
        """As hypercorn's; but once the transport is closed reading ends, which may be waiting for
        its turn, and no timer of an idle connection is started."""
        if self._has_left and isinstance(event, Updated):
            return
        await super().protocol_send(event)
        if self.stream.is_closed:
            self._reading.cancel()

    async def run(self) -> None:
        """Serve requests until either side is through."""
        self._reading = trio.CancelScope()
        try:
            peer = self.stream.socket.getpeername()
            own = self.stream.socket.getsockname()
            async with Tasks() as task_group:
                self._task_group = task_group
                protocol = WireProtocol(
                    self.app,
                    self.config,
                    self.context,
                    task_group,
                    ConnectionState(self.state),
                    False,
                    (peer[0], peer[1]),
                    (own[0], own[1]),
                    self.protocol_send,
                )
                self.protocol = cast(ProtocolWrapper, protocol)  # less its switch to HTTP/2
                await self.idle_task.restart(task_group, self._idle_timeout)
                with self._reading:
                    await self._read_data()
                self._has_left = True
                await self.protocol.handle(Closed())
                await self.idle_task.stop()
        except* OSError:
            pass  # it was gone before we looked
        except* (h11.ProtocolError, ProtocolError) as broken:
            log.warning("connection_broken", why=[str(error) for error in broken.exceptions])
        finally:
            await self._close()
            # The two refer to one another. So they are freed now, and not by a full collection,
            # which 5,000 connections make half a second long.
            self.protocol = cast(ProtocolWrapper, None)
