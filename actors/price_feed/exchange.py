"""The live sources: a WebSocket to Binance or Coinbase.

One connection is one `connect()`: TCP, TLS (verified, always, where the URL says `wss`), WebSocket,
subscriptions, each within a limit. It is lost when the exchange closes it (Binance does so every
24 hours), when no trade has come for too long although it is open, or when frame after frame can't
be read. Whatever the other side does ends in SourceLost; connecting again is the actor's part.

The socket is opened here and not by trio-websocket, because that leaves it open when the other side
closes first, waits for ever for one that says goodbye and does not hang up, and hides why a
certificate was refused.
"""

import ipaddress
import math
import ssl
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final, Self, TypeAlias
from urllib.parse import urlsplit

import attrs
import h11
import structlog
import trio
from trio_websocket import (
    ConnectionClosed,
    ConnectionRejected,
    HandshakeError,
    WebSocketConnection,
    wrap_client_stream,
)
from wsproto.utilities import ProtocolError

from domain.ticks import Tick
from protocols.exchange_wire import (
    COINBASE_SUBSCRIPTIONS,
    FaultReason,
    Parse,
    ParseFault,
    parse_binance,
    parse_coinbase,
)
from protocols.ports import Clock, SourceLost

MESSAGES_QUEUED_MAX: Final = 512
"""With trio-websocket's default of 1, pings would wait behind frames that wait for us."""
MESSAGE_BYTES_MAX: Final = 256 * 1024
"""A Coinbase snapshot of 100 trades has 18 KB. (One of its order book, which we don't ask for, has
2.5 MB.)"""
LOG_REFUSAL_EVERY_S: Final = 10.0
SENT_WITHIN_S: Final = 0.1

_Stream: TypeAlias = trio.SocketStream | trio.SSLStream[trio.SocketStream]
_LOSSES: Final = (
    OSError,
    trio.BrokenResourceError,
    trio.ClosedResourceError,
    trio.TooSlowError,
    ConnectionClosed,
    HandshakeError,
    ProtocolError,
    h11.ProtocolError,  # from trio-websocket, when the handshake is answered with garbage
)

log = structlog.get_logger("price_feed")


@attrs.frozen(kw_only=True)
class Dialect:
    """How one exchange is spoken to."""

    name: str
    parse: Parse
    subscriptions: tuple[str, ...] = ()
    """Sent once connected, each a frame of its own."""


BINANCE: Final = Dialect(name="binance", parse=parse_binance)  # its URL names the stream
COINBASE: Final = Dialect(
    name="coinbase", parse=parse_coinbase, subscriptions=COINBASE_SUBSCRIPTIONS
)


@attrs.frozen(kw_only=True)
class Patience:
    """How long an exchange is waited for, and how much of its garbage is taken."""

    connect_s: float = 10.0
    """For the socket, TLS, the WebSocket and the subscriptions together."""
    trade_s: float = 10.0
    """Open but mute this long counts as lost. The longest quiet spell in an hour of Coinbase was
    8 s, and after 10 s the feed is CRITICAL anyway."""
    close_s: float = 0.5
    """For the goodbye; after it the socket is simply closed. The feed has a second to stop."""
    unreadable_in_a_row: int = 100


class Exchange:
    """A TickSource of one exchange."""

    def __init__(
        self,
        dialect: Dialect,
        url: str,
        *,
        clock: Clock,
        tls: ssl.SSLContext | None = None,
        known_skew_ms: int = 0,
        patience: Patience = Patience(),
    ) -> None:
        """`tls` None means the system's authorities. Raises ValueError for a bad URL."""
        self._dialect = dialect
        self._address = parse_address(url)
        self._clock = clock
        self._tls = (tls or ssl.create_default_context()) if self._address.secure else None
        self._patience = patience
        self.known_skew_ms = known_skew_ms
        self.unreadable = 0
        self._log_refusal_at = -math.inf

    @property
    def name(self) -> str:
        return self._dialect.name

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[AsyncIterator[Tick]]:
        """One connection. SourceLost if it can't be made, and from its ticks when it is lost."""
        with _losses_named():
            async with self._open_stream() as stream, trio.open_nursery() as nursery:
                with trio.fail_after(self._patience.connect_s):
                    socket = await self._open_socket(nursery, stream)
                try:
                    yield _Ticks(socket, self._dialect, self._clock, self._patience, self._garbage)
                finally:
                    await self._say_goodbye(socket)
                    nursery.cancel_scope.cancel()

    @asynccontextmanager
    async def _open_stream(self) -> AsyncIterator[_Stream]:
        with trio.fail_after(self._patience.connect_s):
            stream = await self._connected_stream()
        try:
            yield stream
        finally:
            await trio.aclose_forcefully(stream)

    async def _connected_stream(self) -> _Stream:
        host, port = self._address.host, self._address.port
        if self._tls is None:
            return await trio.open_tcp_stream(host, port)
        stream = await trio.open_ssl_over_tcp_stream(
            host, port, ssl_context=self._tls, https_compatible=True
        )
        try:
            await stream.do_handshake()
        except BaseException:
            await trio.aclose_forcefully(stream)
            raise
        return stream

    async def _open_socket(self, nursery: trio.Nursery, stream: _Stream) -> WebSocketConnection:
        socket = await wrap_client_stream(
            nursery,
            stream,
            self._address.host_header,
            self._address.resource,
            message_queue_size=MESSAGES_QUEUED_MAX,
            max_message_size=MESSAGE_BYTES_MAX,
        )
        for subscription in self._dialect.subscriptions:
            await socket.send_message(subscription)
        return socket

    async def _say_goodbye(self, socket: WebSocketConnection) -> None:
        # Shielded, so that the goodbye is sent when we are cancelled too; bounded by its limit. But
        # then the task that would read the answer is cancelled as well: it is not waited for.
        is_cancelled = trio.current_effective_deadline() == -math.inf
        limit_s = SENT_WITHIN_S if is_cancelled else self._patience.close_s
        with trio.move_on_after(limit_s, shield=True):
            await socket.aclose()

    def _garbage(self, fault: ParseFault) -> None:
        self.unreadable += 1
        now = trio.current_time()
        if fault.reason is FaultReason.REFUSED and now >= self._log_refusal_at:
            self._log_refusal_at = now + LOG_REFUSAL_EVERY_S
            log.warning("exchange_refused", source=self.name, said=fault.where)


class _Ticks:
    """The ticks of one connection, without end; losing it raises."""

    def __init__(
        self,
        socket: WebSocketConnection,
        dialect: Dialect,
        clock: Clock,
        patience: Patience,
        garbage: Callable[[ParseFault], None],
    ) -> None:
        self._socket = socket
        self._dialect = dialect
        self._clock = clock
        self._patience = patience
        self._garbage = garbage
        self._unreadable_in_a_row = 0
        self._ready: deque[Tick] = deque()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Tick:
        """The next tick. Its silence counts only while we listen, not while we are held up."""
        with trio.move_on_after(self._patience.trade_s):
            while not self._ready:
                self._read(await self._socket.get_message())
            return self._ready.popleft()
        raise SourceLost(f"open but mute: no trade in {self._patience.trade_s:g} s")

    def _read(self, frame: str | bytes) -> None:
        parsed = self._dialect.parse(frame, self._clock.now_ms())
        self._ready.extend(parsed.ticks)
        if parsed.fault is None:
            self._unreadable_in_a_row = 0
            return
        self._garbage(parsed.fault)
        self._unreadable_in_a_row += 1
        if self._unreadable_in_a_row >= self._patience.unreadable_in_a_row:
            raise SourceLost(f"{self._unreadable_in_a_row} frames in a row can't be read")


@attrs.frozen(kw_only=True)
class Address:
    """A WebSocket URL taken apart."""

    secure: bool
    host: str
    port: int
    resource: str

    @property
    def host_header(self) -> str:
        """As in the request: the port is left out where it is the usual one."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == (443 if self.secure else 80) else f"{name}:{self.port}"


def parse_address(url: str) -> Address:
    """Raises ValueError for what is no `wss` URL, nor a `ws` one of this machine.

    Prices decide about money: they are not taken from a line that anybody may write on.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("wss", "ws") or not parts.hostname:
        raise ValueError(f"not the URL of an exchange: {url!r} (wss://host[:port]/path)")
    secure = parts.scheme == "wss"
    if not secure and not _is_loopback(parts.hostname):
        raise ValueError(f"an exchange is spoken to over TLS only: {url!r}")
    return Address(
        secure=secure,
        host=parts.hostname,
        port=parts.port or (443 if secure else 80),
        resource=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@contextmanager
def _losses_named() -> Iterator[None]:
    """Turn what a lost connection raises, alone or in a nursery's group, into SourceLost."""
    try:
        yield
    except _LOSSES as error:
        raise SourceLost(_reason(error)) from error
    except BaseExceptionGroup as group:
        lost, other = group.split((*_LOSSES, SourceLost))
        if lost is None:
            raise
        if other is not None:  # we are cancelled, or broken: that the line was lost is no matter
            raise other from None
        raise SourceLost(_reason(_first(lost))) from group


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _reason(error: BaseException) -> str:
    match error:
        case SourceLost():
            return str(error)
        case ConnectionClosed(reason=reason) if reason is not None:
            return f"closed: {reason.code} {reason.reason or reason.name}"
        case ConnectionRejected(status_code=status):
            return f"the exchange answered {status}"
        case trio.TooSlowError():
            return "no answer in time"
        case trio.BrokenResourceError(__cause__=ssl.SSLError() as cause):
            return f"TLS: {cause.reason or cause} {getattr(cause, 'verify_message', '')}".strip()
    return f"{type(error).__name__}: {error}"
