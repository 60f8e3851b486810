"""Connections: hypercorn's HTTP/1.1 and WebSocket protocol on sockets that the venue can let go of.

hypercorn's own `serve` waits for its clients: a send is shielded, so a client that never reads
would hold a shutdown, or a crash, open for ever. So the accept loop and the transport are ours:
every send has a limit, every transport can be closed from outside, and an address has a limited
number of connections. Parsing, keep-alive and framing stay hypercorn's; of them we leave out
HTTP/2 (a proxy's business) and permessage-deflate (some 300 KiB of memory a client, and every
broadcast frame compressed once per client instead of encoded once for all).
"""

import contextlib
import socket
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any, Final, cast

import attrs
import h11
import structlog
import trio
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.config import Config
from hypercorn.events import Closed, Event, RawData, Updated
from hypercorn.logging import Logger
from hypercorn.protocol import ProtocolWrapper
from hypercorn.protocol.h11 import H11Protocol
from hypercorn.protocol.ws_stream import WebsocketBuffer, WSStream
from hypercorn.trio.task_group import TaskGroup
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import ASGIFramework, ConnectionState
from wsproto.events import Message
from wsproto.utilities import ProtocolError

from actors.gateway.addresses import OpenConnections
from actors.gateway.asgi import App, refusal_answer
from domain.limits import BODY_BYTES_MAX
from domain.refusals import Code, Refusal, bad_request

log = structlog.get_logger("gateway")

HEADERS_WITHIN_S: Final = 15
"""A request's head must be there by then; also how long an idle connection is kept."""
SEND_WITHIN_S: Final = 10
"""A client that has not made room for one write by then is gone, or wants to hold us up."""
LAST_WORDS_S: Final = 1
FRAME_CHARACTERS_KEPT: Final = BODY_BYTES_MAX + 1


class HypercornLog(Logger):
    """hypercorn's log calls, as our log lines. Its access log would hold query strings."""

    async def access(self, *_: object) -> None:
        """Requests are counted and logged at the edge."""

    async def warning(self, message: str, *_: object, **__: object) -> None:
        log.warning("hypercorn", message=message)

    async def exception(self, message: str, *_: object, **__: object) -> None:
        log.exception("request_failed", message=message)


def hypercorn_config() -> Config:
    """What of hypercorn's settings differs from its defaults."""
    config = Config()
    config.logger_class = HypercornLog
    config.errorlog = None
    config.include_server_header = False
    config.keep_alive_timeout = HEADERS_WITHIN_S
    config.keep_alive_max_requests = 1_000_000
    return config


@attrs.define(eq=False)
class Transport:
    """A client's socket as hypercorn uses it: sends are limited, and it can be closed at once."""

    stream: trio.SocketStream
    is_closed: bool = False

    @property
    def socket(self) -> trio.socket.SocketType:
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
        return await self.stream.receive_some(max_bytes)

    async def send_eof(self) -> None:
        """Say that nothing more comes, also while another task is sending."""
        try:
            self.stream.socket.shutdown(socket.SHUT_WR)
        except OSError as error:
            raise trio.BrokenResourceError("the client has gone") from error

    async def aclose(self) -> None:
        await self.stream.aclose()

    def close(self) -> None:
        """Close now, without waiting: whoever sends or receives is woken."""
        self.is_closed = True
        self.stream.socket.close()


class FrameBuffer(WebsocketBuffer):
    """One WebSocket message as it comes in. Of one that is too large only so much is kept that
    the Gateway sees it is too large, answers so and closes."""

    def __init__(self) -> None:
        super().__init__(FRAME_CHARACTERS_KEPT)

    def extend(self, event: Message[Any]) -> None:
        """Append, up to the limit."""
        room = self.max_length - self.length
        if room > 0 or self.value is None:
            kept = type(event)(data=event.data[: max(room, 0)])
            super().extend(kept)


class WireProtocol(H11Protocol):
    """HTTP/1.1 and WebSocket without compression; never HTTP/2."""

    async def _check_protocol(self, event: h11.Request) -> None:
        """Offers to change to HTTP/2 are not taken up."""

    async def handle(self, event: Event) -> None:
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
        answer = refusal_answer(refusal, headers=((b"connection", b"close"),))
        length = (b"content-length", str(len(answer.body)).encode())
        headers = [*answer.headers, length, *self.config.response_headers("h11")]
        await self._send_h11_event(h11.Response(status_code=answer.status, headers=headers))
        await self._send_h11_event(h11.Data(data=answer.body))
        await self._send_h11_event(h11.EndOfMessage())

    async def _create_stream(self, request: h11.Request) -> None:
        is_alone = not self.connection.trailing_data[0]
        await super()._create_stream(_as_we_serve(request, is_alone=is_alone))
        if isinstance(self.stream, WSStream):
            self.stream.buffer = FrameBuffer()


class Connection(TCPServer):
    """One client's connection, from accept to close. What it has begun to serve it finishes, also
    when the client has gone: a bet is then with the Batcher."""

    stream: Transport  # type: ignore[assignment]  # hypercorn names the class of its own
    _has_left = False

    async def protocol_send(self, event: Event) -> None:
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
            async with TaskGroup() as task_group:
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


class Connections:
    """Accepts and serves until told to stop; then lets every connection go, in time or by force."""

    def __init__(self, app: App, *, most_per_address: int, uncounted: Collection[str]) -> None:
        self._app = ASGIWrapper(cast(ASGIFramework, app))
        self._config = hypercorn_config()
        self._context = WorkerContext(None)
        self._accepting = trio.CancelScope()
        self._open: set[Transport] = set()
        self._none_open = trio.lowlevel.ParkingLot()
        self._uncounted = uncounted  # proxies, who bring many clients each
        self._addresses = OpenConnections(most_per_address)

    @property
    def count(self) -> int:
        """Connections open now."""
        return len(self._open)

    @asynccontextmanager
    async def serve(self, listeners: Collection[socket.socket]) -> AsyncIterator[None]:
        """Serve while the block lasts. Leaving it closes what is still open, whoever holds it.

        The listeners stay open for the next life: this one listens on duplicates.
        """
        async with trio.open_nursery() as nursery:
            try:
                for listener in listeners:
                    nursery.start_soon(self._accept, listener, nursery)
                yield
            finally:
                self._accepting.cancel()
                self.close_all()
                nursery.cancel_scope.cancel()

    async def stop_accepting(self) -> None:
        """Take no new connection; the idle ones are closed, and each other after its answer."""
        self._accepting.cancel()
        await self._context.terminated.set()

    async def wait_none_open(self) -> None:
        """Wait until no connection is open, for which a client may make us wait as it likes."""
        if self._open:
            await self._none_open.park()

    def close_all(self) -> None:
        """Close every transport now."""
        for transport in tuple(self._open):
            transport.close()

    async def _accept(self, listener: socket.socket, nursery: trio.Nursery) -> None:
        listening = trio.SocketListener(trio.socket.from_stdlib_socket(listener.dup()))
        with self._accepting:
            await trio.serve_listeners(self._handle, [listening], handler_nursery=nursery)

    async def _handle(self, stream: trio.SocketStream) -> None:
        transport = Transport(stream)
        self._open.add(transport)
        try:
            await self._serve_one(transport)
        finally:
            transport.close()
            self._open.discard(transport)
            if not self._open:
                self._none_open.unpark_all()

    async def _serve_one(self, transport: Transport) -> None:
        peer = _set_up(transport)
        if peer is None:
            return
        with self._addresses.one_more(peer) as is_allowed:
            if is_allowed or peer in self._uncounted:
                stream = cast(Any, transport)  # hypercorn names the class of its own
                await Connection(self._app, self._config, self._context, {}, stream).run()
            else:
                await _refuse_connection(transport)


def _as_we_serve(request: h11.Request, *, is_alone: bool) -> h11.Request:
    """The request without what we don't do: compressed frames, and half a WebSocket handshake.

    hypercorn looks at fewer headers than h11 before it takes a request for a WebSocket; where they
    disagree both break. What is no handshake is a plain request for the same path.
    """
    headers = dict(request.headers)
    offers_websocket = (
        is_alone
        and headers.get(b"sec-websocket-version") == b"13"
        and b"sec-websocket-key" in headers
        and not headers.keys() & {b"content-length", b"transfer-encoding"}
    )
    dropped = {b"sec-websocket-extensions"} | (set() if offers_websocket else {b"upgrade"})
    if not headers.keys() & dropped:
        return request
    return h11.Request(
        method=request.method,
        target=request.target,
        headers=[(name, value) for name, value in request.headers if name not in dropped],
        http_version=request.http_version,
    )


def _set_up(transport: Transport) -> str | None:
    """The client's address, or None if it has gone already.

    A client that vanished without a word (a phone in a tunnel) is noticed by the kernel within a
    minute, whether or not we have something to send it.
    """
    options = (
        (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
        (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 30),
        (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10),
        (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
    )
    try:
        for option in options:
            transport.socket.setsockopt(*option)
        return str(transport.socket.getpeername()[0])
    except OSError:
        return None


async def _refuse_connection(transport: Transport) -> None:
    """Too many connections from this address: say so, and wait a moment that it is read."""
    answer = refusal_answer(Refusal(Code.RATE_LIMITED, "Too many connections from this address."))
    head = b"HTTP/1.1 429 Too Many Requests\r\ncontent-type: application/json\r\n"
    length = b"content-length: %d\r\nconnection: close\r\n\r\n" % len(answer.body)
    with trio.move_on_after(LAST_WORDS_S), contextlib.suppress(trio.BrokenResourceError):
        await transport.send_all(head + length + answer.body)
        await transport.send_eof()
        while await transport.receive_some(BODY_BYTES_MAX):
            pass
