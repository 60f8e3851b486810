"""The edge: what every request passes, whoever answers it.

It gives the request its id, says whose address it is, refuses heads and bodies that can't be right
(`heads.py`), reads the body within size and time, says which pages elsewhere may read the answer,
counts, and answers `internal` where the code behind it raised. The exception itself goes on to
hypercorn, which logs it and closes the connection.
"""

import re
from types import TracebackType
from typing import Final, Self

import structlog
import trio

from actors.gateway.addresses import canonical, client_address, counted_as
from actors.gateway.asgi import (
    App,
    Event,
    Headers,
    Receive,
    Scope,
    Send,
    header,
    refusal_answer,
    reject_socket,
    send_answer,
)
from actors.gateway.cors import Cors
from actors.gateway.fair_reads import CLIENT
from actors.gateway.heads import refused_form, refused_head
from actors.gateway.metrics import Metrics
from actors.gateway.pages import Pages
from actors.gateway.ports import GatewayPorts
from domain.limits import BODY_BYTES_MAX
from domain.refusals import Code, Refusal, bad_request
from protocols.ports import Chance

log = structlog.get_logger("gateway")

BODY_WITHIN_S: Final = 10
LINGER_S: Final = 2
LINGER_BYTES_MAX: Final = 1024 * 1024
"""So much of a body that is refused is still read and dropped: were it left unread, closing the
socket would reset it, and a client that is still sending would never see the answer."""
BETS_PATH: Final = "/api/bets"
SOCKET_PATH: Final = "/ws"

_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


def new_request_id(chance: Chance) -> str:
    """What a request is called that did not bring a name of its own."""
    return chance.token_bytes(8).hex()


class Edge:
    """The ASGI application that hypercorn serves."""

    def __init__(
        self,
        ports: GatewayPorts,
        metrics: Metrics,
        *,
        bets: App,
        routes: App,
        sockets: App,
        pages: Pages,
    ) -> None:
        self._ports = ports
        self._metrics = metrics
        self._bets = bets
        self._routes = routes
        self._sockets = sockets
        self._pages = pages
        settings = ports.settings
        self._cors = Cors(settings.origin, settings.cors_origins)
        self._trusted = frozenset(map(canonical, settings.trusted_proxies))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or one WebSocket."""
        request_id = self._identify(scope)
        structlog.contextvars.bind_contextvars(request_id=request_id)
        extra = ((b"x-request-id", request_id.encode()), *self._cors.headers(scope))
        if scope["type"] == "http":
            async with Exchange(scope, send, extra, self._metrics) as exchange:
                await self._serve(scope, receive, exchange.send)
        else:
            await self._serve_socket(scope, receive, with_headers(send, extra))

    def _identify(self, scope: Scope) -> str:
        """Name the request and its sender, for all that comes after."""
        given = header(scope["headers"], b"x-request-id") or ""
        is_sane = _REQUEST_ID.fullmatch(given) is not None
        request_id = given if is_sane else new_request_id(self._ports.chance)
        client = client_address(scope["client"][0], scope["headers"], self._trusted)
        scope["state"]["request_id"] = request_id
        scope["state"]["address"] = counted_as(client)
        CLIENT.set(scope["state"]["address"])
        scope["state"]["route"] = "unmatched"
        return request_id

    async def _serve_socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = refused_head(scope)
        if refused is None and scope["path"] != SOCKET_PATH:
            refused = Refusal(Code.NOT_FOUND)
        if refused is None and not self._cors.allows_socket(scope):
            refused = Refusal(Code.FORBIDDEN, "Pages of this origin may not connect.")
        if refused is None:
            await self._sockets(scope, receive, send)
        else:
            await receive()  # websocket.connect
            await reject_socket(send, refused)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = refused_head(scope)
        if refused is not None:
            await _refuse_unread(refused, receive, send)
            return
        body = await _read_body(scope, receive)
        if isinstance(body, Refusal):
            await _refuse_unread(body, receive, send)
        elif body is not None:
            await self._serve_whole(scope, body, receive, send)

    async def _serve_whole(self, scope: Scope, body: bytes, receive: Receive, send: Send) -> None:
        """A request whose body is here."""
        refused = refused_form(scope) if body else None
        preflight = self._cors.preflight(scope)
        if refused is not None:
            await send_answer(send, refusal_answer(refused))
        elif preflight is not None:
            await send_answer(send, preflight)
        elif scope["path"] == SOCKET_PATH:
            await send_answer(send, refusal_answer(NO_HANDSHAKE))
        else:
            await self._dispatch(scope, _Replay(body, receive), send)

    async def _dispatch(self, scope: Scope, receive: Receive, send: Send) -> None:
        path, method = scope["path"], scope["method"]
        if path == BETS_PATH and method == "POST":
            scope["state"]["route"] = BETS_PATH
            await self._bets(scope, receive, send)
            return
        page = self._pages.find(path) if method in ("GET", "HEAD") else None
        if page is None:
            held = HeldAnswer()
            await self._routes(scope, receive, held.send)
            await held.pass_on(send)
            return
        scope["state"]["route"] = "page"
        headers = scope["headers"]
        accepts, has = header(headers, b"accept-encoding"), header(headers, b"if-none-match")
        await send_answer(send, page.answer(accepts=accepts, has=has))


NO_HANDSHAKE: Final = bad_request("upgrade", "here goes a WebSocket handshake of version 13, alone")
_CLOSE: Final[Headers] = ((b"connection", b"close"),)


class Exchange:
    """One HTTP request on its way: adds headers to its answer, counts it when it is over."""

    def __init__(self, scope: Scope, send: Send, extra: Headers, metrics: Metrics) -> None:
        self._scope = scope
        self._send = send
        self._extra = extra
        self._metrics = metrics
        self._status: int | None = None
        self._began = trio.current_time()

    async def send(self, event: Event) -> None:
        """Pass on one piece of the answer."""
        if event["type"] == "http.response.start":
            self._status = event["status"]
            event["headers"] = [*event["headers"], *self._extra]
        await self._send(event)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """A defect is answered as `internal`, and raised on to be logged."""
        if isinstance(error, Exception) and self._status is None:
            await send_answer(self.send, refusal_answer(Refusal(Code.INTERNAL), headers=_CLOSE))
        if self._status is not None:
            self._count(self._status)

    def _count(self, status: int) -> None:
        route, method = self._scope["state"]["route"], self._scope["method"]
        known = method if method in ("GET", "POST", "HEAD", "OPTIONS") else "other"
        took_s = trio.current_time() - self._began
        self._metrics.requests.labels(known, route, str(status)).inc()
        self._metrics.durations.labels(route).observe(took_s)
        log.debug("request", method=known, route=route, status=status, ms=round(took_s * 1000, 2))


def with_headers(send: Send, extra: Headers) -> Send:
    """`send` of a WebSocket, with these headers on the answer to its handshake."""

    async def sending(event: Event) -> None:
        if event["type"] in ("websocket.accept", "websocket.http.response.start"):
            event["headers"] = [*event["headers"], *extra]
        await send(event)

    return sending


class HeldAnswer:
    """Holds an answer until the routes have returned.

    Quart cancels its own task the moment hypercorn has the whole answer, which is before hypercorn
    has started the timer of the idle connection: it would stay open for ever.
    """

    def __init__(self) -> None:
        self._events: list[Event] = []

    async def send(self, event: Event) -> None:
        """Keep one piece of the answer. All of ours are small."""
        self._events.append(event)

    async def pass_on(self, send: Send) -> None:
        """Send it; nothing if the client has gone and no answer was made."""
        for event in self._events:
            await send(event)


class _Replay:
    """`receive` for whoever comes after the edge: the whole body, then what the client does."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Event:
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}


async def _read_body(scope: Scope, receive: Receive) -> bytes | Refusal | None:
    """The whole body; None when the client has gone before its end."""
    length = header(scope["headers"], b"content-length")
    if length is not None and int(length) > BODY_BYTES_MAX:  # digits: h11 has looked
        return Refusal(Code.TOO_LARGE)
    body = bytearray()
    with trio.move_on_after(BODY_WITHIN_S):
        while len(body) <= BODY_BYTES_MAX:
            event = await receive()
            if event["type"] == "http.disconnect":
                return None
            body += event.get("body", b"")
            if not event.get("more_body", False):
                return bytes(body) if len(body) <= BODY_BYTES_MAX else Refusal(Code.TOO_LARGE)
        return Refusal(Code.TOO_LARGE)
    return bad_request("body", "did not arrive in time")


async def _refuse_unread(refusal: Refusal, receive: Receive, send: Send) -> None:
    """Answer at once, then read on for a moment, and close."""
    answer, dropped = refusal_answer(refusal, headers=_CLOSE), 0
    await send_answer(send, answer, more=True)
    with trio.move_on_after(LINGER_S):
        while dropped < LINGER_BYTES_MAX:
            event = await receive()
            dropped += len(event.get("body", b""))
            if not event.get("more_body", False):
                break
    await send({"type": "http.response.body", "body": b""})
