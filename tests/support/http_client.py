"""A small HTTP client on trio and h11: one connection, exactly the bytes that a test asks for."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import attrs
import h11
import trio

ANSWER_WITHIN_S = 20


@attrs.frozen
class Response:
    """One answer. Header names are lower-case; the last of a name counts."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def error(self) -> str | None:
        """The error code, if this is a refusal."""
        code = self.json.get("error")
        return None if code is None else str(code)


class HttpClient:
    """One kept-alive connection."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self.stream = stream
        self._connection = h11.Connection(h11.CLIENT)

    async def request(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
        token: str | None = None,
    ) -> Response:
        """Ask and read the answer. `body`: bytes as they are, anything else as JSON."""
        payload = _payload(body)
        sent = {"host": "test", **(headers or {})}
        if payload or method == "POST":
            sent["content-length"] = str(len(payload))
        if token is not None:
            sent["authorization"] = f"Bearer {token}"
        with trio.fail_after(ANSWER_WITHIN_S):
            await self._send(h11.Request(method=method, target=path, headers=_encoded(sent)))
            if payload:
                await self._send(h11.Data(data=payload))
            await self._send(h11.EndOfMessage())
            return await self.read_response()

    async def get(self, path: str, *, token: str | None = None) -> Response:
        """GET."""
        return await self.request("GET", path, token=token)

    async def post(self, path: str, body: object = None, *, token: str | None = None) -> Response:
        """POST."""
        return await self.request("POST", path, body, token=token)

    async def read_response(self) -> Response:
        """The next answer on this connection."""
        head: h11.Response | None = None
        body = b""
        while True:
            event = self._connection.next_event()
            if event is h11.NEED_DATA:
                self._connection.receive_data(await self.stream.receive_some(65_536))
            elif isinstance(event, h11.Response):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                break
            elif isinstance(event, h11.ConnectionClosed):
                raise ConnectionError("closed without an answer")
        assert head is not None
        if self._connection.our_state is h11.DONE and self._connection.their_state is h11.DONE:
            self._connection.start_next_cycle()
        headers = {name.decode(): value.decode() for name, value in head.headers}
        return Response(head.status_code, headers, body)

    async def _send(self, event: h11.Request | h11.Data | h11.EndOfMessage) -> None:
        data = self._connection.send(event)
        if data:
            await self.stream.send_all(data)


def _encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]


def _payload(body: object) -> bytes:
    if body is None:
        return b""
    return body if isinstance(body, bytes) else json.dumps(body).encode()


@asynccontextmanager
async def http_client(port: int) -> AsyncIterator[HttpClient]:
    """A connection for as long as the block lasts."""
    stream = await trio.open_tcp_stream("127.0.0.1", port)
    async with stream:
        yield HttpClient(stream)


async def once(
    port: int,
    method: str,
    path: str,
    body: object = None,
    *,
    headers: Mapping[str, str] | None = None,
    token: str | None = None,
) -> Response:
    """One request on a connection of its own."""
    async with http_client(port) as client:
        return await client.request(method, path, body, headers=headers, token=token)
