"""One connection: what a client may leave unfinished, for how long, and what it may not hold."""

import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
from structlog.testing import capture_logs
from wsproto.events import TextMessage

from actors.gateway import edge, frames, wire
from actors.gateway.frames import FrameBuffer
from actors.gateway.wire import Inlet
from domain.limits import BODY_BYTES_MAX
from tests.support.door import OPS_TOKEN, Door, open_door
from tests.support.http_client import HttpClient

pytestmark = pytest.mark.slow

UPGRADE = (
    b"GET /ws HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
    b"sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
BETS = b"POST /api/bets HTTP/1.1\r\nhost: x\r\n"
TEXT, CONTINUED, PING, PONG = 0x1, 0x0, 0x9, 0xA
WITHIN_S = 0.1
"""What the limits are cut down to here."""


@pytest.fixture
async def door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Door]:
    monkeypatch.setattr(wire, "HEADERS_WITHIN_S", WITHIN_S)
    monkeypatch.setattr(wire, "SEND_WITHIN_S", WITHIN_S)
    monkeypatch.setattr(frames, "MESSAGE_WITHIN_S", WITHIN_S)
    monkeypatch.setattr(frames, "PING_AFTER_S", WITHIN_S)
    monkeypatch.setattr(frames, "HEARD_WITHIN_S", 4 * WITHIN_S)
    monkeypatch.setattr(frames, "LOOK_EVERY_S", WITHIN_S / 2)
    monkeypatch.setattr(edge, "BODY_WITHIN_S", WITHIN_S)
    monkeypatch.setattr(edge, "LINGER_S", WITHIN_S)
    async with open_door(tmp_path, requests_burst=100_000) as door:
        yield door


def frame(kind: int, data: bytes = b"", *, final: bool = True, length: int | None = None) -> bytes:
    """A client's frame under a mask of zeros; `length` is what it claims to have."""
    claimed = len(data) if length is None else length
    head = bytes([(0x80 if final else 0) | kind])
    if claimed < 126:
        return head + bytes([0x80 | claimed]) + bytes(4) + data
    return head + bytes([0x80 | 126]) + claimed.to_bytes(2, "big") + bytes(4) + data


@asynccontextmanager
async def websocket(door: Door) -> AsyncIterator[trio.SocketStream]:
    """A WebSocket by hand: nothing is answered unless a test does."""
    async with await trio.open_tcp_stream("127.0.0.1", door.port) as stream:
        await stream.send_all(UPGRADE)
        assert (await stream.receive_some(4_096)).startswith(b"HTTP/1.1 101 ")
        yield stream


async def read_to_end(stream: trio.SocketStream) -> bytes:
    """All that the venue says until it closes."""
    heard = b""
    with trio.fail_after(5), contextlib.suppress(trio.BrokenResourceError):
        while chunk := await stream.receive_some(65_536):
            heard += chunk
    return heard


async def send_on(stream: trio.SocketStream, data: bytes, *, every_s: float = 0.0) -> None:
    """Send `data` again and again until the venue has closed."""
    with contextlib.suppress(trio.BrokenResourceError):
        while True:
            await stream.send_all(data)
            await trio.sleep(every_s)


async def heard_while_sending(
    stream: trio.SocketStream, data: bytes, *, every_s: float = 0.0
) -> bytes:
    """What the venue says until it closes, to a client that never stops sending."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: send_on(stream, data, every_s=every_s))
        heard = await read_to_end(stream)
        nursery.cancel_scope.cancel()
    return heard


async def connections_of(client: HttpClient) -> int:
    status = (await client.get("/ops/status", token=OPS_TOKEN)).json
    return int(status["gateway"]["connections"])


async def wait_alone(door: Door) -> None:
    """Until no connection is open but the one that asks."""
    with trio.fail_after(5):
        while True:
            async with door.client() as client:
                if await connections_of(client) == 1:
                    return
            await trio.sleep(0.01)


# --- HTTP, slowly -----------------------------------------------------------------------------


async def test_a_head_that_comes_byte_by_byte_has_as_long_as_any_other(door: Door) -> None:
    async with await trio.open_tcp_stream("127.0.0.1", door.port) as stream:
        await stream.send_all(b"GET /version HTTP/1.1\r\n")
        assert await heard_while_sending(stream, b"a", every_s=WITHIN_S / 20) == b""
    await wait_alone(door)


async def test_half_a_head_and_then_nothing(door: Door) -> None:
    async with await trio.open_tcp_stream("127.0.0.1", door.port) as stream:
        await stream.send_all(b"GET /version HTTP/1.1\r\nhost:")
        assert await read_to_end(stream) == b""


async def test_a_connection_on_which_nothing_is_ever_said(door: Door) -> None:
    async with await trio.open_tcp_stream("127.0.0.1", door.port) as stream:
        assert await read_to_end(stream) == b""


async def test_a_handshake_left_half(door: Door) -> None:
    async with await trio.open_tcp_stream("127.0.0.1", door.port) as stream:
        await stream.send_all(UPGRADE[:-2])
        assert await read_to_end(stream) == b""


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"content-length: 9000\r\n\r\n", b"x"),
        (b"transfer-encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (b"transfer-encoding: chunked\r\n\r\n1;", b"x"),  # an extension of a chunk without end
        (b"transfer-encoding: chunked\r\n\r\n0\r\na: ", b"x"),  # a trailer without end
    ],
)
async def test_a_body_that_comes_byte_by_byte_is_refused_in_time(
    door: Door, head: bytes, piece: bytes
) -> None:
    async with await trio.open_tcp_stream("127.0.0.1", door.port) as stream:
        await stream.send_all(BETS + head)
        heard = await heard_while_sending(stream, piece, every_s=WITHIN_S / 20)
    assert b"body: did not arrive in time" in heard
    await wait_alone(door)


async def test_a_body_that_never_ends_does_not_hold_its_connection(door: Door) -> None:
    async with await trio.open_tcp_stream("127.0.0.1", door.port) as stream:
        await stream.send_all(BETS + b"content-length: 1000000000\r\n\r\n")
        heard = await heard_while_sending(stream, b"x" * 65_536)
    assert heard.startswith(b"HTTP/1.1 413 ")
    await wait_alone(door)


async def test_a_client_that_has_said_all_and_shut_its_side_is_answered(door: Door) -> None:
    async with await trio.open_tcp_stream("127.0.0.1", door.port) as stream:
        await stream.send_all(BETS + b"content-length: 2\r\n\r\n{}")
        await stream.send_eof()
        assert (await read_to_end(stream)).startswith(b"HTTP/1.1 400 ")
    await wait_alone(door)


@pytest.mark.parametrize("said", [b"", b"GET / HT", BETS + b"content-length: 9\r\n\r\n{}"])
async def test_a_client_that_shuts_its_side_too_early_is_let_go(door: Door, said: bytes) -> None:
    async with await trio.open_tcp_stream("127.0.0.1", door.port) as stream:
        await stream.send_all(said)
        await stream.send_eof()
        await read_to_end(stream)
    await wait_alone(door)


async def test_what_comes_ahead_of_its_turn_is_not_read_without_bound(door: Door) -> None:
    """Pipelined requests wait in the client's own network, not in our memory."""
    async with await trio.open_tcp_stream("127.0.0.1", door.port) as stream:
        sent = 0
        with contextlib.suppress(trio.BrokenResourceError):
            while sent < 100_000_000:
                with trio.move_on_after(WITHIN_S) as full:
                    await stream.send_all(b"GET /version HTTP/1.1\r\nhost: x\r\n\r\n" * 1_000)
                if full.cancelled_caught:
                    break
                sent += 37_000
        assert sent < 20_000_000, "the kernel's buffers on both sides, and no more"
    await wait_alone(door)


# --- WebSocket, slowly ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("begun", "piece"),
    [
        (frame(TEXT, b"", length=100)[:1], b""),
        (frame(TEXT, b"{", length=100), b""),
        (frame(TEXT, b"{", length=10_000), b" "),
        (frame(TEXT, b"{", final=False), b""),
        (frame(TEXT, b"{", final=False), frame(CONTINUED, b" ", final=False)),
        (frame(TEXT, b"", final=False), frame(CONTINUED, b"", final=False)),
        (frame(TEXT, b"{", final=False), frame(PONG)),  # alive, and yet it never ends
        (frame(TEXT, b"{", final=False), frame(PING)),
    ],
)
async def test_a_message_that_is_never_finished_ends_its_socket(
    door: Door, begun: bytes, piece: bytes
) -> None:
    async with websocket(door) as stream:
        await stream.send_all(begun)
        heard = await heard_while_sending(stream, piece, every_s=WITHIN_S / 5)
    assert b"too long" in heard
    await wait_alone(door)


async def test_a_socket_that_does_not_answer_pings_is_let_go(door: Door) -> None:
    async with websocket(door) as stream:
        heard = await read_to_end(stream)
    assert heard.startswith(bytes([0x89, 0]))
    assert heard.endswith(b"nothing was heard for too long")
    await wait_alone(door)


async def test_a_socket_that_answers_pings_may_be_as_silent_as_it_likes(door: Door) -> None:
    async with door.socket() as talk:
        with trio.move_on_after(6 * WITHIN_S) as limit:  # longer than a mute one is kept
            await talk.end()
        assert limit.cancelled_caught
        assert (await talk.ask("ping"))["ok"]


async def test_a_message_that_is_too_large_is_refused_before_it_ends(door: Door) -> None:
    async with websocket(door) as stream:
        await stream.send_all(frame(TEXT, b"x" * BODY_BYTES_MAX, final=False))
        heard = await heard_while_sending(stream, frame(CONTINUED, b"x" * 100, final=False))
    assert b'"error":"too_large"' in heard
    assert b"the frame is too large" in heard
    await wait_alone(door)


@pytest.mark.parametrize("kind", [0x2, PONG, PING])
async def test_a_flood_of_frames_holds_nothing(door: Door, kind: int) -> None:
    async with websocket(door) as stream:
        with trio.move_on_after(3 * WITHIN_S):
            await heard_while_sending(stream, frame(kind, b"x") * 1_000)
    await wait_alone(door)


async def test_of_many_pings_at_once_the_last_is_answered(door: Door) -> None:
    async with websocket(door) as stream:
        await stream.send_all(b"".join(frame(PING, bytes([n])) for n in range(50)))
        heard = await stream.receive_some(4_096)
        while not heard.endswith(bytes([0x8A, 1, 49])):
            heard += await stream.receive_some(4_096)
        assert len(heard) < 50 * 3


async def test_a_socket_that_never_reads_is_cut_off(door: Door) -> None:
    connection = trio.socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
    await connection.connect(("127.0.0.1", door.port))
    async with trio.SocketStream(connection) as stream:
        await stream.send_all(UPGRADE)
        await stream.receive_some(200)
        await send_on(stream, frame(TEXT, b'{"op":"nothing","id":1}') * 100)
        await wait_alone(door)


async def test_frames_that_are_none_are_told_why(door: Door) -> None:
    async with websocket(door) as stream:
        await stream.send_all(b"\xff" * 200)
        heard = await read_to_end(stream)
    assert heard[:1] == b"\x88"
    assert int.from_bytes(heard[2:4], "big") == 1002


# --- HTTP, oddly ------------------------------------------------------------------------------


@pytest.mark.parametrize("target", [b"http://x/version", b"HTTPS://other.example/version"])
async def test_a_target_as_for_a_proxy_is_taken(door: Door, target: bytes) -> None:
    async with await trio.open_tcp_stream("127.0.0.1", door.port) as stream:
        head = b"GET " + target + b" HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
        await stream.send_all(head)
        assert (await read_to_end(stream)).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "request_line",
    [b"CONNECT x:443 HTTP/1.1", b"GET x HTTP/1.1", b"GET ftp://x/version HTTP/1.1"],
)
async def test_other_targets_are_refused(door: Door, request_line: bytes) -> None:
    async with await trio.open_tcp_stream("127.0.0.1", door.port) as stream:
        await stream.send_all(request_line + b"\r\nhost: x\r\nconnection: close\r\n\r\n")
        assert (await read_to_end(stream)).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("method", [b"TRACE", b"CONNECT", b"PATCH"])
async def test_methods_that_nothing_takes(door: Door, method: bytes) -> None:
    async with await trio.open_tcp_stream("127.0.0.1", door.port) as stream:
        head = method + b" /version HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
        await stream.send_all(head)
        assert (await read_to_end(stream)).startswith(b"HTTP/1.1 405 ")


@pytest.mark.parametrize("method", [b"head", b"Get", b"post"])
async def test_a_method_in_small_letters_is_another_and_breaks_nothing(
    door: Door, method: bytes
) -> None:
    with capture_logs() as lines:
        async with await trio.open_tcp_stream("127.0.0.1", door.port) as stream:
            await stream.send_all(method + b" /version HTTP/1.1\r\nhost: x\r\n\r\n")
            heard = await read_to_end(stream)
    assert heard.startswith(b"HTTP/1.1 400 ")
    assert b'"field":"method"' in heard
    assert [line for line in lines if line["log_level"] not in ("debug", "info")] == []


async def test_http_1_0_is_answered_and_closed(door: Door) -> None:
    async with await trio.open_tcp_stream("127.0.0.1", door.port) as stream:
        await stream.send_all(b"GET /version HTTP/1.0\r\n\r\n")
        assert (await read_to_end(stream)).startswith(b"HTTP/1.1 200 ")


async def test_what_follows_the_last_request_does_not_cost_its_answer(door: Door) -> None:
    last = b"GET /version HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    for _ in range(20):
        async with await trio.open_tcp_stream("127.0.0.1", door.port) as stream:
            await stream.send_all(last + b"GET /version HTTP/1.1\r\nhost: x\r\n\r\n")
            heard = await read_to_end(stream)
        assert heard.count(b"HTTP/1.1 200 ") == 1
        assert heard.endswith(b"}")


# --- the parts --------------------------------------------------------------------------------


def test_a_buffer_keeps_no_more_than_shows_that_it_is_too_much() -> None:
    buffer = FrameBuffer()
    for _ in range(100):
        buffer.extend(TextMessage(data="x" * 1_000))
    assert buffer.is_full
    assert len(buffer.to_message()["text"]) == BODY_BYTES_MAX + 1


async def test_an_inlet_holds_a_sender_back_until_there_is_room() -> None:
    inlet = Inlet()
    piece = {"type": "http.request", "body": b"x", "more_body": True}
    with trio.move_on_after(0.01) as limit:
        for _ in range(100):
            await inlet.put(piece)  # type: ignore[arg-type]
    assert limit.cancelled_caught


async def test_who_left_says_so_behind_what_waits_and_as_often_as_asked() -> None:
    inlet = Inlet()
    piece, left = {"type": "http.request", "body": b"x"}, {"type": "http.disconnect"}
    await inlet.put(piece)  # type: ignore[arg-type]
    await inlet.put(left)  # type: ignore[arg-type]
    await inlet.put(piece)  # type: ignore[arg-type]
    assert [await inlet.receive() for _ in range(3)] == [piece, left, left]


async def test_nobody_waits_for_an_application_that_has_ended() -> None:
    inlet = Inlet()
    piece = {"type": "http.request", "body": b"x", "more_body": True}

    async def fill() -> None:
        for _ in range(100):
            await inlet.put(piece)  # type: ignore[arg-type]

    with trio.fail_after(1):
        async with trio.open_nursery() as nursery:
            with inlet:
                nursery.start_soon(fill)
                await trio.testing.wait_all_tasks_blocked()
