"""Requests and frames with bytes changed at random: no defect, and no connection left behind."""

import contextlib
import random
from pathlib import Path

import pytest
import trio
from structlog.testing import capture_logs

from tests.support.door import OPS_TOKEN, Door, open_door

UPGRADE = (
    b"GET /ws HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
    b"sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
REQUESTS = (
    b"POST /api/bets HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\n{}{}",
    b"POST /api/bets HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    b"GET /version HTTP/1.1\r\nhost: x\r\n\r\n" * 5,
    b"PUT /api/x?y=%ff HTTP/1.0\r\nhost: x\r\n\r\n",
    b"GET /api/prices/history?from=1 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer z\r\n\r\n",
    UPGRADE,
)
FRAMES = (
    bytes([0x81, 0x82, 0, 0, 0, 0]) + b"{}",
    bytes([0x89, 0x80, 0, 0, 0, 0]),
    bytes([0x88, 0x80, 0, 0, 0, 0]),
    bytes([0x01, 0x81, 0, 0, 0, 0]) + b"{",
    bytes([0x80, 0x81, 0, 0, 0, 0]) + b"}",
)
CLIENTS_AT_ONCE, ROUNDS, TALK_S = 10, 20, 0.05


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 3])
async def test_changed_bytes_break_nothing_and_leave_nothing(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    async with open_door(tmp_path) as door:
        with capture_logs() as lines:
            for _ in range(ROUNDS):
                async with trio.open_nursery() as nursery:
                    for _ in range(CLIENTS_AT_ONCE):
                        nursery.start_soon(talk, door, chance)
            await wait_alone(door)
    assert [line for line in lines if line["log_level"] not in ("debug", "info")] == []


async def talk(door: Door, chance: random.Random) -> None:
    """One client: a handshake and frames, or a request; changed here and there; then it leaves."""
    async with await trio.open_tcp_stream("127.0.0.1", door.port) as stream:
        with trio.move_on_after(TALK_S), contextlib.suppress(trio.BrokenResourceError):
            if chance.random() < 0.4:
                await stream.send_all(UPGRADE)
                await stream.receive_some(1_000)
                frames = b"".join(chance.choices(FRAMES, k=5))
                await stream.send_all(changed(frames, chance))
            else:
                await stream.send_all(changed(chance.choice(REQUESTS), chance))
            if chance.random() < 0.3:
                await stream.send_eof()
            while await stream.receive_some(65_536):
                pass


def changed(data: bytes, chance: random.Random) -> bytes:
    """Up to five places of `data` lose a byte or get others."""
    found = bytearray(data)
    for _ in range(chance.randint(0, 5)):
        at = chance.randrange(len(found))
        found[at : at + chance.choice([0, 1, 2])] = bytes([chance.randrange(256)]) * chance.choice(
            [1, 1, 3]
        )
    return bytes(found)


async def wait_alone(door: Door) -> None:
    """Until the one that asks is the only connection."""
    with trio.fail_after(8):
        while True:
            status = (await door.get("/ops/status", token=OPS_TOKEN)).json
            if status["gateway"]["connections"] == 1:
                return
            await trio.sleep(0.02)
