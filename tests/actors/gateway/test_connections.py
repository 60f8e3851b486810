"""Connections: hostile bytes, limits, and clients that would hold up a stop."""

import contextlib
import errno
import gc
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import h11
import pytest
import trio
from structlog.testing import capture_logs
from structlog.typing import EventDict

from actors.gateway import connections, wire
from domain.refusals import Code, Refusal
from protocols.money import BetRefused, PlaceBet
from supervisor import Life
from tests.support.door import OPS_TOKEN, Door, open_door
from tests.support.http_client import HttpClient

UPGRADE = (
    b"GET /ws HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
    b"sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
HEALTH = b"GET /version HTTP/1.1\r\nhost: x\r\n\r\n"


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async with open_door(tmp_path) as door:
        yield door


async def say(door: Door, data: bytes) -> bytes:
    """Send bytes, and read until the venue closes, or has said nothing for a moment."""
    heard = b""
    async with await trio.open_tcp_stream("127.0.0.1", door.port) as stream:
        await stream.send_all(data)
        while True:
            with trio.move_on_after(0.1) as silence:
                chunk = await stream.receive_some(65_536)
            if silence.cancelled_caught or not chunk:
                return heard
            heard += chunk


async def read_all(stream: trio.SocketStream) -> None:
    """Read until the venue closes."""
    with trio.fail_after(5), contextlib.suppress(trio.BrokenResourceError):
        while await stream.receive_some(65_536):
            pass


def troubles(lines: list[EventDict]) -> list[EventDict]:
    """What was logged as a warning or worse."""
    return [line for line in lines if line["log_level"] not in ("debug", "info")]


@pytest.mark.parametrize(
    "data",
    [
        b"hello\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"a" * 100,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\ncontent-length: -5\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: x\r\ncontent-length: " + b"9" * 5_000 + b"\r\n\r\n",
        b"POST /api/bets HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET ?a HTTP/1.1\r\nhost: x\r\n\r\n",
    ],
)
async def test_what_is_no_request_is_refused_in_json(door: Door, data: bytes) -> None:
    heard = await say(door, data)
    assert heard.startswith(b"HTTP/1.1 400 ")
    assert b'"error":"bad_request"' in heard
    assert (await door.get("/version")).status == 200


@pytest.mark.parametrize(
    "data",
    [
        UPGRADE + b"\r\n" + b"\xff" * 200,  # bytes ahead of the handshake's answer
        UPGRADE + b"content-length: 5\r\n\r\nhello",
        UPGRADE.replace(b"version: 13", b"version: 8") + b"\r\n",
        UPGRADE.replace(b"GET", b"POST") + b"\r\n",
        UPGRADE.replace(b"HTTP/1.1", b"HTTP/1.0") + b"\r\n",
        b"GET /x HTTP/1.1\r\nhost: x\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n",
    ],
)
async def test_half_a_handshake_is_refused_and_breaks_nothing(door: Door, data: bytes) -> None:
    with capture_logs() as lines:
        heard = await say(door, data)
    assert heard.split()[1] in (b"400", b"404")
    assert troubles(lines) == []


async def test_what_comes_before_the_handshake_is_done_ends_the_connection(door: Door) -> None:
    with capture_logs() as lines:
        for moments in range(20):  # with the head, before the answer to it, or right after
            async with await trio.open_tcp_stream("127.0.0.1", door.port) as stream:
                await stream.send_all(UPGRADE + b"\r\n")
                for _ in range(moments):
                    await trio.lowlevel.checkpoint()
                await stream.send_all(b"\xff" * 20 + b"\r\n\r\n")
                await read_all(stream)
    assert troubles(lines) == []


@pytest.mark.parametrize(
    "frame",
    [
        b"\xff" * 200,
        bytes([0x81, 0x82, 0, 0, 0, 0, 0xFF, 0xFE]),  # text that is not UTF-8
        bytes([0x88, 0x80, 0, 0, 0, 0]) + b"\x81\x81" * 20,  # more after the close
        bytes([0x88, 0x81, 0, 0, 0, 0, 0]),
        bytes([0x09, 0x80, 0, 0, 0, 0]),  # a ping in pieces
        bytes([0x81, 0x02]) + b"{}",  # not masked
    ],
)
async def test_frames_that_are_none_end_only_their_own_socket(door: Door, frame: bytes) -> None:
    async with await trio.open_tcp_stream("127.0.0.1", door.port) as stream:
        await stream.send_all(UPGRADE + b"\r\n")
        assert (await stream.receive_some(1_000)).startswith(b"HTTP/1.1 101 ")
        await stream.send_all(frame)
        await read_all(stream)
    assert (await door.get("/version")).status == 200


async def test_compression_is_not_taken_up(door: Door) -> None:
    offer = b"sec-websocket-extensions: permessage-deflate; client_max_window_bits=zz\r\n"
    heard = await say(door, UPGRADE + offer + b"\r\n")
    assert heard.startswith(b"HTTP/1.1 101 ")
    assert b"permessage-deflate" not in heard


async def test_requests_on_one_connection_are_answered_in_order(door: Door) -> None:
    heard = await say(door, HEALTH * 3)
    assert heard.count(b"HTTP/1.1 200 ") == 3


async def test_a_connection_that_its_client_left_is_let_go_at_once(door: Door) -> None:
    async with door.client() as gone:
        await gone.get("/version")
        await trio.testing.wait_all_tasks_blocked(0.01)  # the connection is idle now
    async with door.client() as alone:
        await wait_alone(alone)


async def test_connections_of_one_address_are_counted(tmp_path: Path) -> None:
    async with open_door(tmp_path, connections_per_address=2) as door:
        async with door.client() as first, door.client() as second:
            assert (await first.get("/version")).status == 200
            assert (await second.get("/version")).status == 200
            refused = await door.get("/version")
            assert (refused.status, refused.error) == (429, "rate_limited")
            assert (await first.get("/version")).status == 200
        with trio.fail_after(5):
            while True:
                if (await door.get("/version")).status == 200:
                    return
                await trio.sleep(0.01)


async def test_behind_a_trusted_proxy_it_is_the_clients_who_are_counted(tmp_path: Path) -> None:
    proxied = open_door(
        tmp_path,
        trusted_proxies=("127.0.0.1",),
        connections_per_address=1,
        requests_per_minute=6,
        requests_burst=1,
    )
    async with proxied as door, door.client() as first, door.client() as second:
        for client, forwarded in ((first, "198.51.100.1"), (second, "198.51.100.2")):
            headers = {"x-forwarded-for": forwarded}
            assert (await client.request("GET", "/api/grid", headers=headers)).status == 200
            assert (await client.request("GET", "/api/grid", headers=headers)).status == 429


async def test_a_client_that_never_finishes_its_body_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actors.gateway.edge.BODY_WITHIN_S", 0.05)
    async with open_door(tmp_path) as door:
        heard = await say(
            door, b"POST /api/bets HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nab"
        )
        assert b"did not arrive in time" in heard


async def test_a_client_that_never_finishes_its_head_is_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "HEADERS_WITHIN_S", 0.05)
    async with (
        open_door(tmp_path) as door,
        await trio.open_tcp_stream("127.0.0.1", door.port) as stream,
    ):
        await stream.send_all(b"GET / HTTP/1.1\r\nhost:")
        with trio.fail_after(5):
            assert await stream.receive_some(100) == b""


@pytest.mark.parametrize("path", ["/version", "/", "/api/bets"])
async def test_an_idle_connection_is_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(wire, "HEADERS_WITHIN_S", 0.05)
    async with open_door(tmp_path) as door, door.client() as client:
        await client.request("POST" if path == "/api/bets" else "GET", path)
        with trio.fail_after(5):
            assert await client.stream.receive_some(100) == b""


# --- too many ---------------------------------------------------------------------------------


async def test_connections_are_limited_in_all(tmp_path: Path) -> None:
    limited = open_door(tmp_path, connections=2)
    async with limited as door, door.client() as first, door.client() as second:
        assert (await first.get("/version")).status == 200
        assert (await second.get("/version")).status == 200
        refused = await door.get("/version")
        assert (refused.status, refused.error) == (503, "overloaded")
        assert refused.headers["connection"] == "close"
        assert refused.headers["retry-after"] == "1"
        assert (await first.get("/version")).status == 200


async def test_a_proxy_counts_against_the_limit_of_all(tmp_path: Path) -> None:
    proxied = open_door(tmp_path, connections=1, trusted_proxies=("127.0.0.1",))
    async with proxied as door, door.client() as first:
        assert (await first.get("/version")).status == 200
        assert (await door.get("/version")).error == "overloaded"


@pytest.mark.slow
async def test_of_many_that_are_refused_only_some_are_told_and_none_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "LAST_WORDS_AT_ONCE_MAX", 2)
    async with open_door(tmp_path, connections=1) as door, door.client() as first:
        assert (await first.get("/version")).status == 200
        told, all_told = list[int](), trio.Event()
        async with trio.open_nursery() as nursery:
            for _ in range(6):
                nursery.start_soon(stay_refused, door, told, all_told)
        assert told.count(0) == 4
        await wait_alone(first)


async def stay_refused(door: Door, told: list[int], all_told: trio.Event) -> None:
    """Connect, and read until the venue closes, without ever leaving."""
    async with await trio.open_tcp_stream("127.0.0.1", door.port) as stream:
        heard = 0
        with trio.fail_after(5), contextlib.suppress(trio.BrokenResourceError):
            while chunk := await stream.receive_some(1_000):
                heard += len(chunk)
        told.append(heard)
        if len(told) == 6:
            all_told.set()
        await all_told.wait()  # or the next one would find its place


async def test_with_no_file_left_clients_wait_and_nothing_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "ACCEPT_AGAIN_AFTER_S", 0.01)
    accept, failures = trio.SocketListener.accept, [errno.EMFILE, errno.ENFILE, errno.ENOBUFS] * 3

    async def exhausted(self: trio.SocketListener) -> trio.SocketStream:
        stream = await accept(self)
        if failures:
            await stream.aclose()
            raise OSError(failures.pop(), "exhausted")
        return stream

    async with open_door(tmp_path) as door:
        with capture_logs() as lines:
            monkeypatch.setattr(trio.SocketListener, "accept", exhausted)
            while failures:
                with contextlib.suppress(trio.BrokenResourceError, h11.RemoteProtocolError):
                    await door.get("/version")
            assert (await door.get("/version")).status == 200
        assert [line["event"] for line in troubles(lines)] == ["accepting_stalled"]


# --- stopping ---------------------------------------------------------------------------------


async def test_an_idle_connection_does_not_hold_up_a_stop(door: Door) -> None:
    async with door.client() as client:
        assert (await client.get("/version")).status == 200
        door.life.stopping.set()
        with trio.fail_after(1):
            await door.stopped.wait()
            assert await client.stream.receive_some(100) == b""


async def test_a_client_that_never_reads_does_not_hold_up_a_stop(tmp_path: Path) -> None:
    async with open_door(tmp_path, drain_within_s=0.7) as door, deaf_client(door):
        door.life.stopping.set()
        with trio.fail_after(1.5):
            await door.stopped.wait()


async def test_a_socket_that_ignores_the_close_does_not_hold_up_a_stop(tmp_path: Path) -> None:
    async with (
        open_door(tmp_path, drain_within_s=0.7) as door,
        await trio.open_tcp_stream("127.0.0.1", door.port) as stream,
    ):
        await stream.send_all(UPGRADE + b"\r\n")
        await stream.receive_some(1_000)
        door.life.stopping.set()
        with trio.fail_after(1.5):
            await door.stopped.wait()


async def test_a_stopped_gateway_leaves_the_port_to_its_next_life(tmp_path: Path) -> None:
    async with open_door(tmp_path) as door:
        door.life.stopping.set()
        await door.stopped.wait()
        async with trio.open_nursery() as nursery:
            await nursery.start(door.next_life)
            assert (await door.get("/version")).status == 200
            door.life.stopping.set()


async def test_a_client_that_does_not_read_in_time_is_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "SEND_WITHIN_S", 0.05)
    async with open_door(tmp_path) as door, deaf_client(door), door.client() as alone:
        await wait_alone(alone)


@asynccontextmanager
async def deaf_client(door: Door) -> AsyncIterator[trio.SocketStream]:
    """A client that has asked for more than all buffers hold, and does not read it."""
    connection = trio.socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
    await connection.connect(("127.0.0.1", door.port))
    async with trio.SocketStream(connection) as stream:
        await stream.send_all(b"GET /api/grid HTTP/1.1\r\nhost: x\r\n\r\n" * 10)
        await trio.testing.wait_all_tasks_blocked(0.01)
        yield stream


async def wait_alone(client: HttpClient) -> None:
    """Until this is the only connection."""
    with trio.fail_after(5):
        while True:
            status = (await client.get("/ops/status", token=OPS_TOKEN)).json
            if status["gateway"]["connections"] == 1:
                return
            await trio.sleep(0.01)


async def test_the_door_of_a_draining_venue_is_open_until_no_bet_is_in_flight(
    tmp_path: Path,
) -> None:
    async with open_door(tmp_path, with_batcher=False) as door, trio.open_nursery() as nursery:
        nursery.start_soon(door.post, "/api/bets", door.bet())
        async with door.channels.money.reader(Life("venue/batcher")) as reader:
            asked = await reader.receive()
        door.channels.draining.set(True)
        door.life.stopping.set()
        for answer in (await door.get("/readyz"), await door.post("/api/bets", door.bet())):
            assert (answer.status, answer.error) == (503, "draining")
        assert not door.stopped.is_set()
        bet = asked.question
        assert isinstance(bet, PlaceBet)
        refused = BetRefused(
            bet_id=bet.bet_id, wallet=bet.wallet, cell_id=bet.cell.id, refusal=Refusal(Code.HELD)
        )
        asked.answer(refused)
        with trio.fail_after(1):
            await door.stopped.wait()
        with pytest.raises(OSError, match="all attempts to connect"):
            await door.get("/readyz")


@pytest.mark.slow
async def test_a_connection_that_is_over_leaves_no_circle_for_the_collector(door: Door) -> None:
    """With 5,000 of them that come and go each full collection would stop all for half a second."""
    for _ in range(3):  # what is made once is there
        await say(door, HEALTH)
    gc.collect()
    gc.disable()
    try:
        for asked in (b"", b"GET / HT", HEALTH) * 10:
            async with await trio.open_tcp_stream("127.0.0.1", door.port) as stream:
                await stream.send_all(asked)
                await trio.testing.wait_all_tasks_blocked(0.001)
        async with door.client() as alone:
            await wait_alone(alone)
        kept = [thing for thing in gc.get_objects() if isinstance(thing, wire.WireProtocol)]
        assert len(kept) <= 1, "of the client that is alone, if any"
    finally:
        gc.enable()
