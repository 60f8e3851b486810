"""The live sources against a local exchange that plays, breaks off, lies and goes silent.

Real sockets and real time, so limits are cut to fractions of a second and every wait is for an
event.
"""

import os
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final

import pytest
import structlog
import trio
import trustme
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection

from actors.price_feed import FeedSettings, run
from actors.price_feed.exchange import (
    BINANCE,
    COINBASE,
    MESSAGE_BYTES_MAX,
    Dialect,
    Exchange,
    Patience,
    parse_address,
)
from domain.failover import FailoverRule
from domain.ticks import Tick
from protocols.market import FeedBegan, RecordEntry, SourceState
from protocols.ports import SourceLost
from supervisor import Life, Mailbox, SeededChance, Topic, TrioClock, Watch
from tests.support.exchange_server import (
    Session,
    binance_frame,
    captured_frames,
    coinbase_frame,
    drops,
    plays,
    serving,
    serving_bytes,
    silent,
)

EPOCH_MS: Final = 1_780_000_000_000
QUICK = Patience(connect_s=2.0, trade_s=2.0, close_s=0.05, unreadable_in_a_row=5)
"""Never waited out by a test that is not about it."""


def clock() -> TrioClock:
    """One that says EPOCH_MS now."""
    return TrioClock(EPOCH_MS - round(trio.current_time() * 1000))


def exchange(
    url: str,
    *,
    dialect: Dialect = BINANCE,
    tls: ssl.SSLContext | None = None,
    patience: Patience = QUICK,
) -> Exchange:
    return Exchange(dialect, url, clock=clock(), tls=tls, patience=patience)


async def received(source: Exchange, count: int) -> list[Tick]:
    """The first ticks of a new connection."""
    found: list[Tick] = []
    with trio.fail_after(5):
        async with source.connect() as ticks:
            while len(found) < count:
                found.append(await anext(ticks))
    return found


async def why_lost(source: Exchange) -> str:
    """Why a new connection was lost, or never came about."""
    with trio.fail_after(5), pytest.raises(SourceLost) as lost:
        await received(source, 1_000_000)
    return str(lost.value)


# --- what is played ---------------------------------------------------------------------------


async def test_binance_trades_become_ticks() -> None:
    frames = [binance_frame(trade_id, EPOCH_MS + trade_id) for trade_id in range(1, 4)]
    async with serving(plays(*frames), path="/stream?streams=btcusdt@trade") as server:
        ticks = await received(exchange(server.url), 3)
        assert [tick.trade_id for tick in ticks] == [1, 2, 3]
        assert {tick.price_cents for tick in ticks} == {6_500_000}
        assert all(0 <= tick.recv_ms - EPOCH_MS < 5_000 for tick in ticks)
        assert server.sessions[0].path == "/stream?streams=btcusdt@trade"


async def test_coinbase_is_asked_for_our_trades_and_its_snapshot_is_left_out() -> None:
    asked = []

    async def script(session: Session) -> None:
        asked.extend([await session.receive(), await session.receive()])
        await session.send(
            coinbase_frame("snapshot", [(1, "2026-08-09T21:05:41Z")]),
            coinbase_frame("update", [(2, "2026-08-09T21:05:42Z"), (3, "2026-08-09T21:05:43Z")]),
        )
        await session.stay_silent()

    async with serving(script) as server:
        ticks = await received(exchange(server.url, dialect=COINBASE), 2)
    assert [(tick.source, tick.trade_id) for tick in ticks] == [("coinbase", 2), ("coinbase", 3)]
    assert [(message["type"], message["channel"]) for message in asked] == [
        ("subscribe", "market_trades"),
        ("subscribe", "heartbeats"),
    ]
    assert asked[0]["product_ids"] == ["BTC-USD"]


@pytest.mark.slow
async def test_a_captured_binance_session_is_played(market_data: Path) -> None:
    capture = market_data / "ws_capture_binance_spot.jsonl.gz"
    frames = list(islice(captured_frames(capture), 12_000))
    trades = sum('"e":"trade"' in frame for frame in frames)
    async with serving(plays(*frames)) as server:
        source = exchange(server.url)
        ticks = await received(source, trades)
    ids = [tick.trade_id for tick in ticks]
    assert ids == list(range(ids[0], ids[0] + trades))
    assert source.unreadable == 0


async def test_a_captured_coinbase_session_is_played(market_data: Path) -> None:
    frames = [
        frame
        for frame in captured_frames(market_data / "ws_capture_coinbase.jsonl.gz")
        if '"channel":"l2_data"' not in frame  # the order book, which we don't ask for
    ]
    async with serving(plays(*frames)) as server:
        source = exchange(server.url, dialect=COINBASE)
        assert len(await received(source, 47)) == 47
        assert source.unreadable == 0


async def test_pings_are_answered_while_nobody_takes_the_ticks() -> None:
    """The recorder may hold the feed up; the exchange must not take it for dead."""
    answered = trio.Event()

    async def script(session: Session) -> None:
        await session.send(*(binance_frame(n, EPOCH_MS + n) for n in range(1, 301)))
        await session.ping(b"are you there")
        answered.set()
        await session.stay_silent()

    async with serving(script) as server, exchange(server.url).connect():
        with trio.fail_after(5):
            await answered.wait()


# --- how it ends ------------------------------------------------------------------------------


async def test_leaving_says_goodbye() -> None:
    async with serving(plays(binance_frame(1, EPOCH_MS))) as server:
        await received(exchange(server.url), 1)
        with trio.fail_after(5):
            await server.sessions[0].closed.wait()
        assert server.sessions[0].close_code == 1000


async def test_leaving_when_cancelled_says_goodbye_too() -> None:
    async with serving(silent) as server:
        with trio.CancelScope() as scope:
            async with exchange(server.url).connect() as ticks:
                scope.cancel()
                await anext(ticks)
        assert scope.cancelled_caught
        with trio.fail_after(5):
            await server.sessions[0].closed.wait()
        assert server.sessions[0].close_code == 1000


async def test_leaving_when_cancelled_does_not_wait_for_an_answer_that_nobody_reads() -> None:
    async with serving(silent) as server:
        patient = exchange(server.url, patience=Patience(close_s=6))
        with trio.fail_after(5), trio.CancelScope() as scope:
            async with patient.connect() as ticks:
                scope.cancel()
                await anext(ticks)


async def test_leaving_does_not_wait_for_an_exchange_that_has_stopped_reading() -> None:
    async def deaf(session: Session) -> None:
        await session.send(binance_frame(1, EPOCH_MS))
        session._connection._reader_running = False  # its next read is its last
        await trio.sleep_forever()

    async with serving(deaf) as server:
        with trio.fail_after(1):
            await received(exchange(server.url), 1)


async def test_the_daily_disconnect_is_a_loss_with_its_reason() -> None:
    async def script(session: Session) -> None:
        await session.close(1001, "24 hours are over")

    async with serving(script) as server:
        why = await why_lost(exchange(server.url))
    assert why == "closed: 1001 24 hours are over"


async def test_a_dropped_connection_is_a_loss() -> None:
    async with serving(plays(binance_frame(1, EPOCH_MS), then=drops)) as server:
        assert "1006" in await why_lost(exchange(server.url))


async def test_an_exchange_that_says_goodbye_and_does_not_hang_up_is_left() -> None:
    async def script(session: Session) -> None:
        await session.send_bytes(b"\x88\x02\x03\xe8")  # a close frame, code 1000
        await trio.sleep_forever()

    async with serving(script) as server:
        with trio.fail_after(2):
            assert "1000" in await why_lost(exchange(server.url))


async def test_leaving_one_that_has_said_goodbye_and_does_not_hang_up() -> None:
    answered = trio.Event()

    async def script(stream: trio.SocketStream) -> None:
        exchange_end = WSConnection(ConnectionType.SERVER)
        exchange_end.receive_data(await stream.receive_some())
        assert len(list(exchange_end.events())) == 1
        for event in (AcceptConnection(), CloseConnection(code=1000)):
            await stream.send_all(exchange_end.send(event))
        assert await stream.receive_some()
        answered.set()
        await trio.sleep_forever()

    async with serving_bytes(script) as url:
        with trio.fail_after(1):
            async with exchange(url).connect():
                await answered.wait()


class Bug(Exception):
    """Something of ours that is broken."""


@pytest.mark.parametrize("raised", [Bug(), ExceptionGroup("both", [Bug(), OSError("line")])])
async def test_a_bug_is_not_taken_for_a_loss(raised: Exception) -> None:
    async with serving(silent) as server:
        with pytest.RaisesGroup(Bug, flatten_subgroups=True):
            async with exchange(server.url).connect():
                raise raised


async def test_open_but_mute_is_a_loss() -> None:
    async with serving(silent) as server:
        source = exchange(server.url, patience=Patience(trade_s=0.05, close_s=0.05))
        assert await why_lost(source) == "open but mute: no trade in 0.05 s"


async def test_frames_without_our_trades_are_as_good_as_mute() -> None:
    """A wrong subscription: the line is busy, and nothing on it is for us."""

    async def script(session: Session) -> None:
        trade_id = 1
        while True:
            await session.send(binance_frame(trade_id, EPOCH_MS, symbol="ETHUSDT"))
            await trio.sleep(0.005)
            trade_id += 1

    async with serving(script) as server:
        source = exchange(server.url, patience=Patience(trade_s=0.05, close_s=0.05))
        assert "mute" in await why_lost(source)


async def test_time_in_which_nobody_listens_is_not_silence() -> None:
    frames = [binance_frame(n, EPOCH_MS + n) for n in range(1, 4)]
    async with serving(plays(*frames)) as server:
        source = exchange(server.url, patience=Patience(trade_s=0.02, close_s=0.05))
        found = []
        async with source.connect() as ticks:
            with trio.move_on_after(0.05):
                await trio.sleep_forever()
            while len(found) < 3:
                found.append(await anext(ticks))
        assert [tick.trade_id for tick in found] == [1, 2, 3]


async def test_garbage_is_counted_and_skipped() -> None:
    frames = ["{", b"\x00\xff", "[]", '{"e":"trade"}', binance_frame(1, EPOCH_MS)]
    async with serving(plays(*frames)) as server:
        source = exchange(server.url)
        assert len(await received(source, 1)) == 1
        assert source.unreadable == 4


async def test_a_flood_of_garbage_is_a_loss() -> None:
    good = binance_frame(1, EPOCH_MS)
    async with serving(plays(*["{"] * 4, good, *["{"] * 5)) as server:
        source = exchange(server.url)
        assert await why_lost(source) == "5 frames in a row can't be read"
        assert source.unreadable == 9


async def test_a_refused_subscription_is_logged_once_in_ten_seconds() -> None:
    refusal = '{"type":"error","message":"unknown channel"}'
    async with serving(plays(refusal, refusal)) as server:
        source = exchange(server.url, dialect=COINBASE, patience=Patience(trade_s=0.05, close_s=0))
        with structlog.testing.capture_logs() as lines:
            await why_lost(source)
    (line,) = (line for line in lines if line["event"] == "exchange_refused")
    assert line["said"] == "unknown channel"
    assert source.unreadable == 2


async def test_a_huge_frame_is_a_loss() -> None:
    async with serving(plays("x" * (MESSAGE_BYTES_MAX + 1))) as server:
        assert "1009" in await why_lost(exchange(server.url))


@pytest.mark.parametrize(
    "data",
    [b"\xff" * 64, b"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff", b"\x00\x01x", b"\x81\x02\xff\xff"],
)
async def test_bytes_that_are_no_frames_are_a_loss(data: bytes) -> None:
    async def script(session: Session) -> None:
        await session.send_bytes(data)
        await session.stay_silent()

    async with serving(script) as server:
        assert await why_lost(exchange(server.url))


# --- when it does not begin -------------------------------------------------------------------


async def test_a_port_where_nobody_listens_is_a_loss() -> None:
    async with serving(silent) as server:
        url = server.url
    assert "OSError" in await why_lost(exchange(url))


async def test_an_exchange_that_never_answers_is_a_loss() -> None:
    """A half-open line: it takes the connection and says nothing."""

    async def script(stream: trio.SocketStream) -> None:
        await trio.sleep_forever()

    async with serving_bytes(script) as url:
        assert await why_lost(exchange(url, patience=Patience(connect_s=0.05))) == (
            "no answer in time"
        )


@pytest.mark.parametrize("bytes_sent", [b"", b"SSH-2.0-OpenSSH\r\n\r\n", b"\x00" * 100])
async def test_what_speaks_something_else_is_a_loss(bytes_sent: bytes) -> None:
    async def script(stream: trio.SocketStream) -> None:
        await stream.receive_some()
        if bytes_sent:
            await stream.send_all(bytes_sent)

    async with serving_bytes(script) as url:
        assert await why_lost(exchange(url, patience=Patience(connect_s=0.1, close_s=0.05)))


async def test_an_exchange_that_is_down_for_maintenance_is_a_loss() -> None:
    async def script(stream: trio.SocketStream) -> None:
        await stream.receive_some()
        await stream.send_all(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
        await stream.receive_some()

    async with serving_bytes(script) as url:
        assert await why_lost(exchange(url)) == "the exchange answered 503"


async def test_connecting_can_be_cancelled() -> None:
    connected = trio.Event()

    async def script(stream: trio.SocketStream) -> None:
        connected.set()
        await trio.sleep_forever()

    async def connect(url: str) -> None:
        async with exchange(url).connect():
            raise AssertionError("it never answers")

    async with serving_bytes(script) as url, trio.open_nursery() as nursery:
        nursery.start_soon(connect, url)
        with trio.fail_after(1):
            await connected.wait()
            nursery.cancel_scope.cancel()


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts open files in /proc")
async def test_no_loss_leaves_a_socket_open() -> None:
    async def goodbye_only(session: Session) -> None:
        await session.send_bytes(b"\x88\x02\x03\xe8")
        await trio.sleep_forever()

    scripts = [plays("x" * (MESSAGE_BYTES_MAX + 1)), drops, goodbye_only, plays(*["{"] * 5)]
    for script in scripts:
        async with serving(script) as server:
            source = exchange(server.url)
            await why_lost(source)
            with trio.fail_after(5):
                await server.sessions[0].closed.wait() if script is not goodbye_only else None
            before = len(os.listdir("/proc/self/fd"))
            await why_lost(source)
            after = len(os.listdir("/proc/self/fd"))
            assert after - before <= 1, "at most the server's end of it"


# --- TLS --------------------------------------------------------------------------------------


def server_tls(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(*names).configure_cert(context)
    return context


def client_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


async def test_an_exchange_with_a_good_certificate_is_listened_to(authority: trustme.CA) -> None:
    frame = binance_frame(1, EPOCH_MS)
    async with serving(plays(frame), tls=server_tls(authority, "127.0.0.1")) as server:
        assert server.url.startswith("wss://")
        assert len(await received(exchange(server.url, tls=client_tls(authority)), 1)) == 1


async def test_a_certificate_of_an_unknown_authority_is_refused(authority: trustme.CA) -> None:
    frame = binance_frame(1, EPOCH_MS)
    async with serving(plays(frame), tls=server_tls(authority, "127.0.0.1")) as server:
        why = await why_lost(exchange(server.url))
        assert "CERTIFICATE_VERIFY_FAILED" in why
        assert server.sessions == [], "nothing was asked of it"


async def test_a_certificate_for_another_name_is_refused(authority: trustme.CA) -> None:
    frame = binance_frame(1, EPOCH_MS)
    async with serving(plays(frame), tls=server_tls(authority, "exchange.example")) as server:
        why = await why_lost(exchange(server.url, tls=client_tls(authority)))
        assert "CERTIFICATE_VERIFY_FAILED" in why
        assert server.sessions == []


async def test_an_exchange_that_speaks_plain_text_is_not_listened_to(authority: trustme.CA) -> None:
    async with serving(plays(binance_frame(1, EPOCH_MS))) as server:
        url = server.url.replace("ws://", "wss://")
        source = exchange(url, tls=client_tls(authority))
        assert (await why_lost(source)).startswith(("TLS", "no answer"))
        assert server.sessions == []


@pytest.mark.parametrize(
    ("url", "host_header", "resource"),
    [
        (
            "wss://stream.binance.com:9443/stream?streams=btcusdt@trade",
            "stream.binance.com:9443",
            "/stream?streams=btcusdt@trade",
        ),
        ("wss://advanced-trade-ws.coinbase.com", "advanced-trade-ws.coinbase.com", "/"),
        ("wss://exchange.example:443/ws", "exchange.example", "/ws"),
        ("ws://[::1]:8080/", "[::1]:8080", "/"),
        ("ws://localhost/", "localhost", "/"),
    ],
)
def test_an_address_is_taken_apart(url: str, host_header: str, resource: str) -> None:
    address = parse_address(url)
    assert (address.host_header, address.resource) == (host_header, resource)
    assert address.secure == url.startswith("wss")


# --- under the actor --------------------------------------------------------------------------

EAGER = FeedSettings(
    reconnect_min_s=0.001,
    reconnect_max_s=0.002,
    failover=FailoverRule(silent_after_ms=100, steady_ms=60_000),
)


class Feeding:
    """The actor at work on these sources, and what it shows of them."""

    def __init__(self, *sources: Exchange) -> None:
        self.watch: Watch[tuple[SourceState, ...]] = Watch("sources", ())
        self._sources = sources
        self._record: Mailbox[RecordEntry] = Mailbox("record", 10_000)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """One life of the actor, asked to stop at the end."""
        life = Life("price_feed")
        actor = partial(
            run,
            life,
            sources=self._sources,
            recorder=self._record,
            ticks=Topic("ticks"),
            source_states=self.watch,
            clock=clock(),
            chance=SeededChance(1),
            settings=EAGER,
        )
        async with trio.open_nursery() as nursery:
            nursery.start_soon(actor)
            yield
            life.stopping.set()

    async def record(self, count: int) -> list[Tick]:
        """The first ticks that enter the record."""
        found: list[Tick] = []
        async with self.running(), self._record.reader(Life("test")) as reader:
            with trio.fail_after(5):
                assert await reader.receive() == FeedBegan()
                while len(found) < count:
                    entry = await reader.receive()
                    assert isinstance(entry, Tick)
                    found.append(entry)
        return found


def frames(*ids: int) -> list[str]:
    return [binance_frame(n, EPOCH_MS + n) for n in ids]


async def test_after_a_reconnect_no_tick_is_there_twice_and_none_out_of_order() -> None:
    scripts = [
        plays(*frames(1, 2, 3, 4, 5), then=drops),
        plays(*frames(3, 4, 5, 6), then=drops),
        plays("{", *frames(6, 8, 7, 8, 9, 2, 10)),
    ]
    async with serving(*scripts) as server:
        feeding = Feeding(exchange(server.url))
        record = await feeding.record(9)
        assert [tick.trade_id for tick in record] == [1, 2, 3, 4, 5, 6, 8, 9, 10]
        (state,) = feeding.watch.value
        assert state.reconnects >= 2
        assert state.accepted == 9
        assert state.duplicates + state.late == 7
        assert state.unreadable == 1


async def test_every_way_of_losing_a_connection_leads_to_the_next() -> None:
    async def goodbye(session: Session) -> None:
        await session.close(1001, "going away")

    scripts = [
        drops,
        goodbye,
        plays(*["{"] * 5),
        plays("x" * (MESSAGE_BYTES_MAX + 1)),
        plays(*frames(1)),
    ]
    async with serving(*scripts) as server:
        (tick,) = await Feeding(exchange(server.url)).record(1)
        assert tick.trade_id == 1
        assert len(server.sessions) == len(scripts)


async def test_a_bad_certificate_is_reported_and_tried_again(authority: trustme.CA) -> None:
    async with serving(silent, tls=server_tls(authority, "127.0.0.1")) as server:
        feeding = Feeding(exchange(server.url))
        version = 0
        async with feeding.running():
            with trio.fail_after(5):
                while not feeding.watch.value or feeding.watch.value[0].reconnects < 3:
                    version, _ = await feeding.watch.changed(version)
        (state,) = feeding.watch.value
        assert "CERTIFICATE_VERIFY_FAILED" in state.last_error
        assert not state.connected
        assert server.sessions == []


def iso(ts_ms: int) -> str:
    return datetime.fromtimestamp(ts_ms / 1000, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


async def test_coinbase_takes_over_from_a_binance_that_falls_silent() -> None:
    now = clock()

    async def coinbase(session: Session) -> None:
        trade_id = 0
        while True:
            trade_id += 1
            await session.send(coinbase_frame("update", [(trade_id, iso(now.now_ms()))]))
            await trio.sleep(0.01)

    async with serving(plays(*frames(1, 2))) as first, serving(coinbase) as second:
        feeding = Feeding(exchange(first.url), exchange(second.url, dialect=COINBASE))
        record = await feeding.record(5)
        sources = [tick.source for tick in record]
        assert sources == ["binance", "binance", "coinbase", "coinbase", "coinbase"]
        assert [tick.ts_ms for tick in record] == sorted(tick.ts_ms for tick in record)
        assert [state.active for state in feeding.watch.value] == [False, True]
