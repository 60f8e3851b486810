"""HTTP and WebSocket over TLS, behind a proxy that ends it as a venue's does."""

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import attrs
import pytest
import trio
import trustme

from client import Session, Stream, Unreachable, Venue, Wallet
from client.events import BalanceChanged
from supervisor import SeededChance
from tests.support.door import KEY, WALLET, Door, open_door

USD = 1_000_000


@attrs.frozen(kw_only=True)
class TlsProxy:
    """Where it listens, and who vouches for it."""

    port: int
    authority: trustme.CA

    @property
    def trusting(self) -> ssl.SSLContext:
        """Of a client that knows the authority."""
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        return context


async def pump(
    source: trio.abc.Stream, sink: trio.abc.Stream, both: trio.CancelScope | None = None
) -> None:
    try:
        async for chunk in source:
            await sink.send_all(chunk)
    except trio.BrokenResourceError:
        pass
    if both is not None:
        both.cancel()


def forward_to(port: int) -> Callable[[trio.abc.Stream], Awaitable[None]]:
    async def serve(client: trio.abc.Stream) -> None:
        async with AsyncExitStack() as stack:
            server = await stack.enter_async_context(await trio.open_tcp_stream("127.0.0.1", port))
            nursery = await stack.enter_async_context(trio.open_nursery())
            nursery.start_soon(pump, server, client, nursery.cancel_scope)
            await pump(client, server, nursery.cancel_scope)
        await trio.aclose_forcefully(client)

    return serve


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async with open_door(tmp_path) as door:
        await door.fund(WALLET, 100 * USD)
        yield door


@pytest.fixture
async def proxy(door: Door) -> AsyncIterator[TlsProxy]:
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    async with trio.open_nursery() as nursery:
        (plain,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        listener = trio.SSLListener(plain, context, https_compatible=True)
        nursery.start_soon(trio.serve_listeners, forward_to(door.port), [listener])
        port = plain.socket.getsockname()[1]
        yield TlsProxy(port=port, authority=authority)
        nursery.cancel_scope.cancel()


@pytest.mark.slow
async def test_a_bet_over_https_and_its_events_over_wss(door: Door, proxy: TlsProxy) -> None:
    url = f"https://127.0.0.1:{proxy.port}"
    async with Venue(url, chance=SeededChance(3), ssl_context=proxy.trusting) as venue:
        assert venue.place.socket_url == f"wss://127.0.0.1:{proxy.port}/ws"
        session: Session = await venue.sign_in(Wallet.from_private_key(KEY))
        first = await session.place_bet(door.cell().id, stake_micros=USD)
        async with Stream(venue, session) as stream:
            second = await session.place_bet(door.cell(row=1).id, stake_micros=USD, over=stream)
            await door.fund(WALLET, 5)
            with trio.fail_after(10):
                while not isinstance(await anext(stream), BalanceChanged):
                    pass
        kept = [bet.bet_id for bet in (await session.bets()).bets]
    assert kept == [second.bet_id, first.bet_id]


async def test_a_certificate_that_nobody_vouches_for_is_told(proxy: TlsProxy) -> None:
    """Here the machine's own authorities are asked, who know nothing of ours."""
    async with Venue(f"https://127.0.0.1:{proxy.port}") as venue:
        with pytest.raises(Unreachable, match="certificate verify failed"):
            await venue.grid()


async def test_a_certificate_of_another_name_is_told(proxy: TlsProxy) -> None:
    async with Venue(f"https://localhost:{proxy.port}", ssl_context=proxy.trusting) as venue:
        with pytest.raises(Unreachable, match="localhost"):
            await venue.grid()
