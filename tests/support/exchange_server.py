"""A local exchange: plays captured or made-up frames, and misbehaves as it is told.

Each connection is served by a script, an async function of its `Session`; the first connection by
the first script, and so on, the last script serving all that follow. When a script returns, the
session says goodbye properly. What an exchange does below the WebSocket (never answering, sending
bytes that are none) is played by `serving_bytes`.
"""

import gzip
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

import attrs
import trio
from trio_websocket import (
    ConnectionClosed,
    WebSocketConnection,
    WebSocketRequest,
    serve_websocket,
)

GOODBYE_S = 0.1
"""How long the server waits for an answer to its own goodbye."""


class Session:
    """One connection, as the exchange has it."""

    def __init__(self, number: int, path: str, connection: WebSocketConnection) -> None:
        self.number = number
        self.path = path
        self.closed = trio.Event()
        """Set once the connection is over."""
        self.close_code: int | None = None
        self._connection = connection

    async def send(self, *frames: str | bytes) -> None:
        """Send frames, one after the other."""
        for frame in frames:
            await self._connection.send_message(frame)

    async def send_bytes(self, data: bytes) -> None:
        """Send bytes below the WebSocket, whatever they mean to the other side."""
        await self._connection._stream.send_all(data)

    async def receive(self) -> Any:
        """The next message, as JSON."""
        return json.loads(await self._connection.get_message())

    async def ping(self, payload: bytes) -> None:
        """Ping, and wait for the answer."""
        await self._connection.ping(payload)

    async def close(self, code: int, reason: str) -> None:
        """Say goodbye."""
        await self._connection.aclose(code, reason)

    async def drop(self) -> None:
        """Hang up without a word."""
        await trio.aclose_forcefully(self._connection._stream)

    async def stay_silent(self) -> None:
        """Say nothing more, and leave the connection open, until the other side leaves."""
        while True:
            await self._connection.get_message()


Script: TypeAlias = Callable[[Session], Awaitable[None]]


@attrs.define(kw_only=True)
class ExchangeServer:
    """Where the exchange is, and who has connected so far."""

    url: str
    sessions: list[Session] = attrs.field(factory=list)
    _changed: trio.Event = attrs.field(factory=trio.Event)

    async def wait_connections(self, count: int) -> None:
        """Wait until so many connections have been made in all."""
        while len(self.sessions) < count:
            await self._changed.wait()

    def add(self, session: Session) -> None:
        self.sessions.append(session)
        self._changed.set()
        self._changed = trio.Event()


@asynccontextmanager
async def serving(
    *scripts: Script, tls: ssl.SSLContext | None = None, path: str = "/"
) -> AsyncIterator[ExchangeServer]:
    """A WebSocket exchange on the loopback; its URL says 127.0.0.1."""
    scheme = "ws" if tls is None else "wss"
    server = ExchangeServer(url="")

    async def serve(request: WebSocketRequest) -> None:
        connection = await request.accept()
        session = Session(len(server.sessions), request.path, connection)
        server.add(session)
        try:
            await scripts[min(session.number, len(scripts) - 1)](session)
        except (ConnectionClosed, trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # the other side has left, or the script hung up
        finally:
            with trio.move_on_after(GOODBYE_S, shield=True):
                await connection.aclose()
            session.close_code = connection.closed.code if connection.closed else None
            session.closed.set()

    async with trio.open_nursery() as nursery:
        listening = await nursery.start(_serve, serve, tls)
        server.url = f"{scheme}://127.0.0.1:{listening.port}{path}"
        yield server
        nursery.cancel_scope.cancel()


async def _serve(
    handler: Callable[[WebSocketRequest], Awaitable[None]],
    tls: ssl.SSLContext | None,
    *,
    task_status: trio.TaskStatus[Any],
) -> None:
    await serve_websocket(
        handler,
        "127.0.0.1",
        0,
        tls,
        connect_timeout=1,
        disconnect_timeout=GOODBYE_S,
        task_status=task_status,
    )


@asynccontextmanager
async def serving_bytes(
    script: Callable[[trio.SocketStream], Awaitable[None]],
) -> AsyncIterator[str]:
    """A server on the loopback that knows nothing of WebSockets; its URL."""
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listener.socket.getsockname()[1]

    async def serve(stream: trio.SocketStream) -> None:
        try:
            async with stream:
                await script(stream)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # the other side has left

    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, serve, [listener])
        yield f"ws://127.0.0.1:{port}/"
        nursery.cancel_scope.cancel()


# --- scripts ----------------------------------------------------------------------------------


def plays(*frames: str | bytes, then: Script | None = None) -> Script:
    """Send these, then do `then`, or stay silent."""

    async def script(session: Session) -> None:
        await session.send(*frames)
        await (then(session) if then is not None else session.stay_silent())

    return script


async def silent(session: Session) -> None:
    """Open but mute."""
    await session.stay_silent()


async def drops(session: Session) -> None:
    """Hang up without a word."""
    await session.drop()


# --- frames -----------------------------------------------------------------------------------


def binance_frame(
    trade_id: int, ts_ms: int, price: str = "65000.00000000", symbol: str = "BTCUSDT"
) -> str:
    """A trade of the combined stream, as Binance spells it."""
    trade = {"e": "trade", "E": ts_ms + 1, "s": symbol, "t": trade_id, "p": price}
    trade |= {"q": "0.00100000", "T": ts_ms, "m": True, "M": True}
    return json.dumps({"stream": f"{symbol.lower()}@trade", "data": trade}, separators=(",", ":"))


def coinbase_frame(kind: str, trades: Sequence[tuple[int, str]], price: str = "65000.01") -> str:
    """A market_trades message of `(trade id, ISO time)`s, newest first, as Coinbase spells it."""
    newest_first = [
        {
            "product_id": "BTC-USD",
            "trade_id": str(trade_id),
            "price": price,
            "size": "0.001",
            "time": time,
            "side": "BUY",
        }
        for trade_id, time in reversed(trades)
    ]
    return json.dumps(
        {
            "channel": "market_trades",
            "client_id": "",
            "sequence_num": 0,
            "events": [{"type": kind, "trades": newest_first}],
        }
    )


def captured_frames(file: Path) -> Iterator[str]:
    """The messages of a capture (`{"t": ns, "msg": message}` a line), as the exchange sent them."""
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield line.partition('"msg":')[2].rstrip().removesuffix("}")
