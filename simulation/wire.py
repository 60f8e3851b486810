"""What the simulated people speak: HTTP/1.1 and WebSocket, over connections in memory.

    http = HttpClient(world.network, who=3, address=address_of(3))
    answer = await http.request("GET", "/api/grid")             # connects, keeps the connection
    answer = await http.request("POST", "/api/bets", {...}, token=None, within_s=10)
    answer.status, answer.body, answer.code                     # body: parsed JSON; code: refusal
    http.hang_up()                                              # also wakes a request in flight

    socket = Socket(world.network, who=3, address=address_of(3))
    await socket.open()
    await socket.send({"op": "auth", "id": 1, "token": token})
    frame = await socket.receive(within_s=30)                   # one frame, parsed JSON
    socket.hang_up()                                            # without a word
    await socket.close()                                        # with a close frame

Whatever goes wrong with a connection raises `Lost`, and nothing else does: refused, reset, ended,
not answered in time. `Lost.was_sent` says whether the venue may have read the request. A request
that is cancelled hangs up: `with trio.move_on_after(0.03): await http.request(...)` is a trader who
leaves in mid-request. So does a `Socket` whose `send` is cancelled; its `receive` may be cancelled
at no loss. A socket is read by one task; any task may send.

What it costs on one core: a GET some 1.2 ms, a frame that is asked for and answered 0.3 ms, and
each frame of a public channel 0.2 ms for each socket: subscribe few of them.
"""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import attrs
import trio

from simulation.connection import End
from simulation.network import SimulatedNetwork

WITHIN_S: Final = 10.0
"""How long people wait for an answer, unless they say otherwise."""
RECEIVE_BYTES: Final = 64 * 1024
HOST: Final = "127.0.0.1:8080"


class Lost(Exception):
    """The connection is gone, did not come about, or was given up."""

    def __init__(self, why: str, *, was_sent: bool) -> None:
        super().__init__(why)
        self.was_sent = was_sent
        """May the venue have read what was asked?"""


@attrs.frozen(kw_only=True)
class HttpAnswer:
    """What the venue answered."""

    status: int
    headers: Mapping[str, str]
    body: Any
    """Parsed if it is JSON, else text."""

    @property
    def code(self) -> str:
        """The refusal's code, or ""."""
        if self.status < 400 or not isinstance(self.body, dict):
            return ""
        return str(self.body.get("error", ""))


@attrs.frozen(kw_only=True)
class Closed:
    """The venue has closed a socket, and said so."""

    code: int
    reason: str


def address_of(who: int) -> str:
    """The address of a trader, one for each; the operator's is the -1st."""
    return f"198.51.{100 + (who + 1) // 250}.{(who + 1) % 250 + 1}"


class _Wire:
    """A connection as both kinds of clients use it."""

    def __init__(self, network: SimulatedNetwork, *, who: int, address: str) -> None:
        self._network = network
        self._who = who
        self._address = address
        self._end: End | None = None
        self._read = bytearray()

    @property
    def is_open(self) -> bool:
        """Is there a connection, as far as is known?"""
        return self._end is not None

    def hang_up(self) -> None:
        """Leave without a word."""
        if self._end is not None:
            self._end.close()
            self._end = None
        self._read.clear()

    async def _connect(self, sent: "_Sent") -> End:
        self.hang_up()
        sent.end = self._end = await self._network.connect(self._who, self._address)
        return self._end

    def _leave(self, sent: "_Sent") -> None:
        """Hang up, unless that is another connection by now."""
        if sent.end is not None:
            sent.end.close()
        if self._end is sent.end:
            self.hang_up()

    async def _more(self, end: End) -> None:
        """Read on. Raises EOFError at the end."""
        data = await end.receive_some(RECEIVE_BYTES)
        if not data:
            raise EOFError("the venue has ended the connection")
        self._read += data

    async def _head(self, end: End) -> tuple[int, dict[str, str]]:
        """Status and headers of an answer."""
        while (at := self._read.find(b"\r\n\r\n")) < 0:
            await self._more(end)
        first, *lines = self._read[:at].decode("latin-1").split("\r\n")
        del self._read[: at + 4]
        pairs = (line.partition(": ") for line in lines)
        return int(first.split(" ", 2)[1]), {name.lower(): value for name, _, value in pairs}

    async def _bytes(self, end: End, count: int) -> bytes:
        while len(self._read) < count:
            await self._more(end)
        taken = bytes(self._read[:count])
        del self._read[:count]
        return taken

    @asynccontextmanager
    async def _losing(self, within_s: float) -> AsyncIterator["_Sent"]:
        """What goes wrong with the connection inside is `Lost`; so is what takes too long."""
        sent = _Sent(self._end)
        try:
            with trio.fail_after(within_s):
                yield sent
        except (OSError, EOFError, trio.TooSlowError) as error:
            self._leave(sent)
            raise Lost(str(error) or "too slow", was_sent=sent.something) from error
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            self._leave(sent)
            raise Lost(str(error), was_sent=sent.something) from error
        except trio.Cancelled:
            if not sent.is_whole:
                self._leave(sent)
            raise


@attrs.define
class _Sent:
    """How far something has come that goes wrong."""

    end: End | None
    something: bool = False
    """Has the venue been sent anything?"""
    is_whole: bool = False
    """May it be left as it is, and be gone on with?"""


class HttpClient(_Wire):
    """One connection, on which requests are made one after the other; made anew when it ends."""

    async def request(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        within_s: float = WITHIN_S,
    ) -> HttpAnswer:
        """Ask, and wait for the answer. `body` is made JSON, unless it is bytes. Raises Lost."""
        async with self._losing(within_s) as sent:
            end = self._end
            if end is None or end.has_ended:
                end = await self._connect(sent)
            await self._send(end, method, path, body, token, headers or {}, sent)
            status, got = await self._head(end)
            text = await self._bytes(end, int(got.get("content-length", "0")))
            if got.get("connection", "").lower() == "close":
                self.hang_up()
            is_json = got.get("content-type", "").startswith("application/json")
            parsed = json.loads(text) if is_json and text else text.decode()
            return HttpAnswer(status=status, headers=got, body=parsed)

    async def _send(
        self,
        end: End,
        method: str,
        path: str,
        body: object,
        token: str | None,
        headers: Mapping[str, str],
        sent: _Sent,
    ) -> None:
        lines = [f"{method} {path} HTTP/1.1", f"host: {HOST}"]
        if token is not None:
            lines.append(f"authorization: Bearer {token}")
        lines += [f"{name}: {value}" for name, value in headers.items()]
        data = b"" if body is None else body if isinstance(body, bytes) else _json(body)
        if body is not None:
            lines += ["content-type: application/json", f"content-length: {len(data)}"]
        sent.something = True
        await end.send_all("\r\n".join(lines).encode() + b"\r\n\r\n" + data)


class Socket(_Wire):
    """One WebSocket."""

    closed: Closed | None = None
    """How the venue closed it, if it did."""

    async def open(self, path: str = "/ws", *, within_s: float = WITHIN_S) -> None:
        """Connect and shake hands. Raises Lost, also if the venue refuses it."""
        self.closed = None
        async with self._losing(within_s) as sent:
            end = await self._connect(sent)
            lines = (
                f"GET {path} HTTP/1.1",
                f"host: {HOST}",
                "connection: Upgrade",
                "upgrade: websocket",
                "sec-websocket-version: 13",
                "sec-websocket-key: c2ltdWxhdGVkIHRyYWRlcg==",
            )
            sent.something = True
            await end.send_all("\r\n".join(lines).encode() + b"\r\n\r\n")
            status, _ = await self._head(end)
            if status != 101:
                raise EOFError(f"the venue refused the handshake with {status}")

    async def send(self, op: object, *, within_s: float = WITHIN_S) -> None:
        """One frame, of JSON unless it is text. It is on its way; whether it arrives nobody says.
        Raises Lost."""
        async with self._losing(within_s) as sent:
            data = op.encode() if isinstance(op, str) else _json(op)
            await self._send_frame(_TEXT, data, sent)

    async def receive(self, *, within_s: float = WITHIN_S) -> dict[str, Any]:
        """The next frame. Raises Lost; `closed` then says how the venue closed it, if it did."""
        async with self._losing(within_s) as sent:
            sent.something = sent.is_whole = True
            while True:
                kind, data = await self._frame()
                if kind == _TEXT:
                    frame: dict[str, Any] = json.loads(data)
                    return frame
                if kind == _PING:
                    sent.is_whole = False
                    await self._send_frame(_PONG, data, sent)
                    sent.is_whole = True
                elif kind == _CLOSE:
                    code = int.from_bytes(data[:2], "big") if data else 1005
                    self.closed = Closed(code=code, reason=data[2:].decode())
                    await self._send_frame(_CLOSE, data[:2], sent)
                    raise EOFError(f"the venue closed it: {self.closed}")

    async def close(self) -> None:
        """Say so, and leave."""
        async with self._losing(WITHIN_S) as sent:
            await self._send_frame(_CLOSE, (1000).to_bytes(2, "big"), sent)
        self.hang_up()

    async def _frame(self) -> tuple[int, bytes]:
        """The next frame; taken as a whole, or not at all."""
        end = self._end
        if end is None:
            raise EOFError("it is not open")
        read = self._read
        while (size := _frame_size(read)) is None or len(read) < sum(size):
            await self._more(end)
        kind, data = read[0] & 15, bytes(read[size[0] : sum(size)])
        del read[: sum(size)]
        return kind, data

    async def _send_frame(self, kind: int, data: bytes, sent: _Sent) -> None:
        if self._end is None:
            raise EOFError("it is not open")
        size = len(data)
        if size < 126:
            head = bytes((128 | kind, 128 | size))
        elif size < 65_536:
            head = bytes((128 | kind, 254)) + size.to_bytes(2, "big")
        else:
            head = bytes((128 | kind, 255)) + size.to_bytes(8, "big")
        sent.something = True
        await self._end.send_all(head + _MASK + _masked(data))


_TEXT: Final = 1
_CLOSE: Final = 8
_PING: Final = 9
_PONG: Final = 10
_MASK: Final = b"\x37\xfa\x21\x3d"


def _frame_size(read: bytearray) -> tuple[int, int] | None:
    """Of the frame's head and of what it holds; None as long as that can't be told."""
    if len(read) < 2:
        return None
    length = read[1] & 127
    if length <= 125:
        return 2, length
    head = 4 if length == 126 else 10
    return (head, int.from_bytes(read[2:head], "big")) if len(read) >= head else None


def _masked(data: bytes) -> bytes:
    """With the mask that a client must put on what it sends."""
    mask = (_MASK * (len(data) // 4 + 1))[: len(data)]
    whole = int.from_bytes(data, "big") ^ int.from_bytes(mask, "big")
    return whole.to_bytes(len(data), "big")


def _json(body: object) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()
