"""The pool of connections, against a server that does what it is told."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import attrs
import pytest
import trio

from client import AnswerLost, BadAnswer, Unreachable
from client.http import HttpPool, parse_url

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
CLOSING = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n{}"

Answer = Callable[[trio.SocketStream], Awaitable[bool]]
"""What the server does with one request. True: it goes on with the connection."""


def says(answer: bytes, *, stays: bool = True) -> Answer:
    async def act(stream: trio.SocketStream) -> bool:
        await stream.send_all(answer)
        return stays

    return act


async def hangs_up(_: trio.SocketStream) -> bool:
    return False


async def is_mute(_: trio.SocketStream) -> bool:
    await trio.sleep_forever()
    return False


@attrs.define
class Server:
    """Answers one request after the other, in the order of a list."""

    answers: list[Answer]
    url: str = ""
    connections: int = 0
    requests: list[bytes] = attrs.field(factory=list)
    closed: trio.Event = attrs.field(factory=trio.Event)  # replaced each time it is set

    async def serve(self, stream: trio.SocketStream) -> None:
        self.connections += 1
        async with stream:
            while request := await stream.receive_some(65_536):
                self.requests.append(bytes(request))
                if not await self.answers.pop(0)(stream):
                    break
        self.closed.set()
        self.closed = trio.Event()


@asynccontextmanager
async def server(*answers: Answer) -> AsyncIterator[Server]:
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    serving = Server(list(answers), f"http://127.0.0.1:{listener.socket.getsockname()[1]}")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, serving.serve, [listener])
        yield serving
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def pool_at(
    url: str, *, connections_max: int = 4, within_s: float = 5
) -> AsyncIterator[HttpPool]:
    pool = HttpPool(parse_url(url), connections_max=connections_max, within_s=within_s)
    try:
        yield pool
    finally:
        await pool.aclose()


async def test_a_connection_serves_one_request_after_the_other() -> None:
    async with server(says(OK), says(OK), says(OK)) as serving, pool_at(serving.url) as pool:
        for _ in range(3):
            answer = await pool.request("GET", "/x")
            assert (answer.status, answer.body) == (200, b"{}")
        assert serving.connections == 1


async def test_a_request_says_what_it_must_in_one_write() -> None:
    async with server(says(OK)) as serving, pool_at(serving.url) as pool:
        await pool.request("POST", "/x?y=1", body=b'{"a":1}', token="secret")
        [request] = serving.requests
    head, _, body = request.partition(b"\r\n\r\n")
    lines = head.decode().lower().split("\r\n")
    assert body == b'{"a":1}'
    assert lines[0] == "post /x?y=1 http/1.1"
    assert {"content-length: 7", "authorization: bearer secret"} <= set(lines)
    assert f"host: {serving.url.removeprefix('http://')}" in lines


async def test_a_connection_that_the_venue_ends_is_not_used_again() -> None:
    async with (
        server(says(CLOSING, stays=False), says(OK)) as serving,
        pool_at(serving.url) as pool,
    ):
        await pool.request("POST", "/x")
        await pool.request("POST", "/x")
        assert serving.connections == 2


async def test_a_connection_that_was_closed_while_idle_is_not_used_again() -> None:
    async with server(says(OK, stays=False), says(OK)) as serving, pool_at(serving.url) as pool:
        closed = serving.closed
        await pool.request("POST", "/x")
        await closed.wait()
        await pool.request("POST", "/x")
        assert serving.connections == 2


async def test_a_get_that_a_kept_connection_loses_is_sent_once_more() -> None:
    async with server(says(OK), hangs_up, says(OK)) as serving, pool_at(serving.url) as pool:
        await pool.request("GET", "/x")
        await pool.request("GET", "/x")
        assert (serving.connections, len(serving.requests)) == (2, 3)


@pytest.mark.parametrize("kept", [True, False])
async def test_a_post_is_never_sent_twice(kept: bool) -> None:
    first: Sequence[Answer] = [says(OK)] if kept else []
    async with server(*first, hangs_up, says(OK)) as serving, pool_at(serving.url) as pool:
        if kept:
            await pool.request("GET", "/x")
        with pytest.raises(AnswerLost):
            await pool.request("POST", "/x")
        assert len(serving.requests) == 1 + kept


@pytest.mark.parametrize("answer", [hangs_up, says(HALF, stays=False)], ids=["none", "half"])
async def test_no_whole_answer_is_a_lost_one(answer: Answer) -> None:
    async with server(answer) as serving, pool_at(serving.url) as pool:
        with pytest.raises(AnswerLost, match="GET /x"):
            await pool.request("GET", "/x")


async def test_an_answer_is_not_waited_for_for_ever() -> None:
    async with server(is_mute) as serving, pool_at(serving.url, within_s=0.05) as pool:
        with pytest.raises(AnswerLost, match=r"no answer in 0\.05 s"):
            await pool.request("POST", "/x")


async def test_what_is_not_http_is_no_answer() -> None:
    async with server(says(b"SSH-2.0-OpenSSH\r\n\r\n")) as serving, pool_at(serving.url) as pool:
        with pytest.raises(BadAnswer):
            await pool.request("GET", "/x")


async def test_nobody_there_is_unreachable() -> None:
    async with server() as serving:
        url = serving.url
    async with pool_at(url) as pool:
        with pytest.raises(Unreachable, match=r"127\.0\.0\.1"):
            await pool.request("POST", "/x")


async def test_no_more_connections_than_allowed() -> None:
    async with server(*[says(OK)] * 20) as serving:
        async with pool_at(serving.url, connections_max=3) as pool, trio.open_nursery() as nursery:
            for _ in range(20):
                nursery.start_soon(pool.request, "GET", "/x")
        assert 1 <= serving.connections <= 3


@pytest.mark.parametrize(
    ("url", "authority", "socket_url"),
    [
        ("http://127.0.0.1:8080", "127.0.0.1:8080", "ws://127.0.0.1:8080/ws"),
        ("http://venue.example/", "venue.example", "ws://venue.example/ws"),
        ("https://venue.example", "venue.example", "wss://venue.example/ws"),
        ("https://venue.example:8443", "venue.example:8443", "wss://venue.example:8443/ws"),
        ("http://[::1]:8080", "[::1]:8080", "ws://[::1]:8080/ws"),
    ],
)
def test_an_origin_is_taken_apart(url: str, authority: str, socket_url: str) -> None:
    place = parse_url(url)
    assert (place.authority, place.socket_url) == (authority, socket_url)


@pytest.mark.parametrize("url", ["127.0.0.1:8080", "ftp://x", "http://", "http://x/api", ""])
def test_what_is_no_origin_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="not the origin"):
        parse_url(url)
