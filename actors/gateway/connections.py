"""Connections: who may connect, how many, and how all of them are let go.

hypercorn's own `serve` waits for its clients: a send is shielded, so a client that never reads
would hold a shutdown, or a crash, open for ever. So the accept loop and the transport are ours:
every send has a limit, every transport can be closed from outside, and there is a limit on
connections, of one address and of all. What is said on a connection is in `wire.py`.
"""

import contextlib
import errno
import os
import socket
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import aclosing, asynccontextmanager
from http import HTTPStatus
from typing import Any, Final, cast

import structlog
import trio
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import ASGIFramework

from actors.gateway.addresses import OpenConnections, canonical, counted_as
from actors.gateway.asgi import App, Headers, refusal_answer
from actors.gateway.doors import ClientStream, Door, Listening
from actors.gateway.wire import Connection, Transport, WireConfig
from domain.limits import BODY_BYTES_MAX
from domain.refusals import Code, Refusal

log = structlog.get_logger("gateway")

LAST_WORDS_S: Final = 1
LAST_WORDS_AT_ONCE_MAX: Final = 200
"""So many that are refused are told so, each for a second; more are closed without a word."""
ACCEPT_AGAIN_AFTER_S: Final = 0.1
TELL_AGAIN_AFTER_S: Final = 60
EXHAUSTED: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS})


class Connections:
    """Accepts and serves until told to stop; then lets every connection go, in time or by force."""

    def __init__(
        self,
        app: App,
        *,
        most: int,
        most_per_address: int,
        uncounted: Collection[str],
        headers: Headers,
        new_request_id: Callable[[], str],
    ) -> None:
        """`uncounted`: proxies, who bring many clients each. `headers` are on every answer."""
        self._app = ASGIWrapper(cast(ASGIFramework, app))
        self._config = WireConfig(headers, new_request_id)
        self._context = WorkerContext(None)
        self._accepting = trio.CancelScope()
        self._open: dict[Transport, None] = {}  # in order: a run under simulation repeats
        self._none_open = trio.lowlevel.ParkingLot()
        self._most = most
        self._uncounted = uncounted
        self._addresses = OpenConnections(most_per_address)
        self._last_words = trio.CapacityLimiter(LAST_WORDS_AT_ONCE_MAX)
        self._told_s = -float(TELL_AGAIN_AFTER_S)

    @property
    def count(self) -> int:
        """Connections open now."""
        return len(self._open)

    @asynccontextmanager
    async def serve(self, doors: Collection[Door]) -> AsyncIterator[None]:
        """Serve while the block lasts. Leaving it closes what is still open, whoever holds it.

        The doors stay open for the next life.
        """
        async with trio.open_nursery() as nursery:
            try:
                for door in doors:
                    nursery.start_soon(self._accept, door, nursery)
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

    async def _accept(self, door: Door, nursery: trio.Nursery) -> None:
        async with aclosing(door.listen()) as listening:
            with self._accepting:
                while True:
                    stream = await self._next_client(listening)
                    nursery.start_soon(self._handle, stream)

    async def _next_client(self, listening: Listening) -> ClientStream:
        """The next client. Where no file is left for it, it waits in the backlog."""
        while True:
            try:
                return await listening.accept()
            except OSError as error:
                if error.errno not in EXHAUSTED:
                    raise
                self._tell_exhausted(error)
                await trio.sleep(ACCEPT_AGAIN_AFTER_S)

    def _tell_exhausted(self, error: OSError) -> None:
        now = trio.current_time()
        if now - self._told_s >= TELL_AGAIN_AFTER_S:
            self._told_s = now
            why = os.strerror(error.errno or 0)
            log.error("accepting_stalled", why=why, connections=len(self._open))

    async def _handle(self, stream: ClientStream) -> None:
        transport = Transport(stream)
        self._open[transport] = None
        try:
            await self._serve_one(transport)
        finally:
            transport.close()
            self._open.pop(transport, None)
            if not self._open:
                self._none_open.unpark_all()

    async def _serve_one(self, transport: Transport) -> None:
        peer = _set_up(transport)
        if peer is None:
            return
        with self._addresses.one_more(counted_as(peer)) as is_allowed:
            if len(self._open) > self._most:
                await self._refuse(transport, TOO_MANY)
            elif is_allowed or canonical(peer) in self._uncounted:
                stream = cast(Any, transport)  # hypercorn names the class of its own
                await Connection(self._app, self._config, self._context, {}, stream).run()
            else:
                await self._refuse(transport, TOO_MANY_OF_ONE)

    async def _refuse(self, transport: Transport, refusal: Refusal) -> None:
        """Say why, and wait a moment that it is read."""
        try:
            self._last_words.acquire_nowait()
        except trio.WouldBlock:
            return
        try:
            with trio.move_on_after(LAST_WORDS_S), contextlib.suppress(trio.BrokenResourceError):
                await transport.send_all(self._words(refusal))
                await transport.send_eof()
                while await transport.receive_some(BODY_BYTES_MAX):
                    pass
        finally:
            self._last_words.release()

    def _words(self, refusal: Refusal) -> bytes:
        """The whole answer to a client whose request is not read."""
        answer = refusal_answer(refusal, headers=self._config.unread_headers())
        status = HTTPStatus(answer.status)
        length = (b"content-length", str(len(answer.body)).encode())
        headers = (*answer.headers, length)
        lines = [f"HTTP/1.1 {status.value} {status.phrase}".encode()]
        lines += [name + b": " + value for name, value in headers]
        return b"\r\n".join(lines) + b"\r\n\r\n" + answer.body


TOO_MANY: Final = Refusal(Code.OVERLOADED, "Too many connections.")
TOO_MANY_OF_ONE: Final = Refusal(Code.RATE_LIMITED, "Too many connections from this address.")


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
