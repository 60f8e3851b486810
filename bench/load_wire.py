"""HTTP and WebSocket in as few steps as will do, for the load generator's hot loop.

Requests are encoded before the run. Of the answers only what is counted is read.
"""

import base64
import json
import struct
from collections.abc import Iterator

import msgspec
import trio

from client import SignedBet, Unreachable
from client.chance import SYSTEM
from client.http import Place


class Body(msgspec.Struct):
    """What is read of an answer."""

    id: str | int | None = None
    type: str = ""
    ok: bool = True
    error: str = ""
    bet_id: str | None = None


decode_body = msgspec.json.Decoder(Body).decode


# --- HTTP ---------------------------------------------------------------------------------------


def http_request(bet: SignedBet, *, place: Place) -> bytes:
    body = json.dumps(bet.fields(), separators=(",", ":")).encode()
    head = (
        f"POST /api/bets HTTP/1.1\r\nHost: {place.authority}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def exchange(stream: trio.abc.Stream, request: bytes) -> tuple[int, Body]:
    """Send a request and read the answer, whose length is always given."""
    await stream.send_all(request)
    received = bytearray()
    while (end := received.find(b"\r\n\r\n")) < 0:
        received += await receive(stream)
    head = bytes(received[:end]).lower()
    length = int(head.split(b"content-length: ", 1)[1].split(b"\r\n", 1)[0])
    while len(received) < end + 4 + length:
        received += await receive(stream)
    return int(head[9:12]), decode_body(received[end + 4 : end + 4 + length])


async def receive(stream: trio.abc.Stream) -> bytes:
    chunk = await stream.receive_some(65_536)
    if not chunk:
        raise trio.BrokenResourceError
    return bytes(chunk)


# --- WebSocket, several bets in flight on each ----------------------------------------------------

TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA


def socket_request(bet: SignedBet) -> bytes:
    fields = {"op": "bet", "id": bet.nonce, **bet.fields()}
    return frame(TEXT, json.dumps(fields, separators=(",", ":")).encode())


def frame(opcode: int, payload: bytes) -> bytes:
    """A client's frame. Its mask is zero: a mask is for proxies, and costs time."""
    size = len(payload)
    length = bytes([0x80 | size]) if size < 126 else b"\xfe" + struct.pack(">H", size)
    return bytes([0x80 | opcode]) + length + bytes(4) + payload


def take_frames(received: bytearray) -> Iterator[tuple[int, bytes]]:
    """Every whole frame that has come; the rest is left."""
    while len(received) >= 2:
        size, start = received[1], 2
        if size == 126:
            size, start = int.from_bytes(received[2:4], "big"), 4
        elif size == 127:
            size, start = int.from_bytes(received[2:10], "big"), 10
        if len(received) < start + size:
            return
        yield received[0] & 0xF, bytes(received[start : start + size])
        del received[: start + size]


async def shake_hands(stream: trio.abc.Stream, place: Place) -> None:
    key = base64.b64encode(SYSTEM.token_bytes(16)).decode()
    await stream.send_all(
        f"GET /ws HTTP/1.1\r\nHost: {place.authority}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: {key}\r\n\r\n".encode()
    )
    received = b""
    while b"\r\n\r\n" not in received:
        received += await receive(stream)
    if not received.startswith(b"HTTP/1.1 101 "):
        raise Unreachable(received.decode(errors="replace").splitlines()[0])
