"""A TCP proxy of the tests: counts what passes, and cuts or holds it as it is told."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs
import trio


@attrs.define(kw_only=True)
class TcpProxy:
    """Where it listens, what it has passed on, and what it is to do."""

    port: int = 0
    target: int | None = None
    """The port it passes on to. None: whoever connects is hung up on."""
    connections: int = 0
    requests: list[bytes] = attrs.field(factory=list)
    """What clients sent, as it came in."""
    cut_replies_after: int | None = None
    """Hang up on both sides once the server has said so many bytes more."""
    drop_replies: bool = False
    """Swallow what the server says, and keep the connection."""
    drop_requests: bool = False
    """Swallow what clients say, and keep the connection."""
    _replies_pass: trio.Event = attrs.field(factory=trio.Event)
    _streams: set[trio.SocketStream] = attrs.field(factory=set)
    _connected: trio.Event = attrs.field(factory=trio.Event)  # replaced each time it is set

    def __attrs_post_init__(self) -> None:
        self._replies_pass.set()

    def hold_replies(self) -> None:
        """Keep what the server says until `pass_replies`."""
        self._replies_pass = trio.Event()

    def pass_replies(self) -> None:
        """Send on what was held, in order, and all that comes."""
        self._replies_pass.set()

    async def wait_connections(self, count: int) -> None:
        """Until so many connections have been made in all."""
        while self.connections < count:
            await self._connected.wait()

    async def hang_up(self) -> None:
        """Break every connection."""
        for stream in tuple(self._streams):
            await trio.aclose_forcefully(stream)

    async def serve(self, client: trio.SocketStream) -> None:
        """One client, until either side has gone."""
        self.connections += 1
        self._connected.set()
        self._connected = trio.Event()
        if self.target is None:
            await trio.aclose_forcefully(client)
            return
        try:
            server = await trio.open_tcp_stream("127.0.0.1", self.target)
        except OSError:
            await trio.aclose_forcefully(client)
            return
        self._streams |= {client, server}
        try:
            async with client, server, trio.open_nursery() as nursery:
                nursery.start_soon(self._requests, client, server, nursery.cancel_scope)
                await self._replies(server, client)
                nursery.cancel_scope.cancel()
        finally:
            self._streams -= {client, server}

    async def _requests(
        self, client: trio.SocketStream, server: trio.SocketStream, both: trio.CancelScope
    ) -> None:
        try:
            async for chunk in client:
                self.requests.append(bytes(chunk))
                if not self.drop_requests:
                    await server.send_all(chunk)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        both.cancel()

    async def _replies(self, server: trio.SocketStream, client: trio.SocketStream) -> None:
        try:
            async for chunk in server:
                await self._replies_pass.wait()
                if self.drop_replies:
                    continue
                if self.cut_replies_after is not None:
                    await client.send_all(chunk[: self.cut_replies_after])
                    self.cut_replies_after -= len(chunk)
                    if self.cut_replies_after <= 0:
                        self.cut_replies_after = None
                        return
                else:
                    await client.send_all(chunk)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass


@asynccontextmanager
async def tcp_proxy(target: int | None = None) -> AsyncIterator[TcpProxy]:
    """A proxy on a free port of the loopback, in front of port `target`."""
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    proxy = TcpProxy(port=listener.socket.getsockname()[1], target=target)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, proxy.serve, [listener])
        yield proxy
        nursery.cancel_scope.cancel()
