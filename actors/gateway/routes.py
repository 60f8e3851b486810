"""The routes of Quart: everything over HTTP but the hot path of placing bets and the WebSocket.

A view gives a body, a `Refusal` or a finished `Answer`; here they become responses. What Quart or a
view raises becomes JSON too: its own errors by the table, anything unexpected `internal`, logged.
"""

from collections.abc import Awaitable, Callable, Mapping
from types import TracebackType
from typing import Final, TypeAlias, TypeVar

import structlog
from quart import request
from quart_trio import QuartTrio
from quart_trio.wrappers import TrioResponse
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from actors.gateway.asgi import Answer, Headers, answer_of, refusal_answer
from actors.gateway.limits import limit_headers, take_request
from actors.gateway.ports import GatewayPorts
from actors.gateway.unreadable import unreadable
from domain.refusals import Code, Refusal, bad_request
from protocols.client_fields import parse_object
from protocols.forms import Form
from protocols.operations import Operation
from protocols.operations.bets import PLACE
from protocols.ports import LedgerUnreadable, StoreUnavailable

log = structlog.get_logger("gateway")

T = TypeVar("T")

View: TypeAlias = Callable[..., Awaitable[Mapping[str, object] | Refusal | Answer]]
Route: TypeAlias = tuple[Operation, View]

_BESIDE: Final[Mapping[str, tuple[str, ...]]] = {PLACE.path: (PLACE.method,)}
"""What does not pass through here, at a path that does."""
_NO_STORE: Final[Headers] = ((b"cache-control", b"no-store"),)


class Routes(QuartTrio):
    """Quart, answering in our words."""

    def __init__(self, ports: GatewayPorts) -> None:
        super().__init__("gateway", static_folder=None)
        self._ports = ports
        self.url_map.merge_slashes = False
        self.url_map.strict_slashes = True
        self.url_map.redirect_defaults = False
        self.register_error_handler(HTTPException, _http_error)
        self.register_error_handler(500, _defect)
        self.register_error_handler(StoreUnavailable, _store_unavailable)
        self.register_error_handler(LedgerUnreadable, _ledger_unreadable)

    def add(self, routes: list[Route]) -> None:
        """Serve these operations by these views."""
        for operation, view in routes:
            path = operation.path.replace("{", "<").replace("}", ">")
            self.add_url_rule(
                path.replace("<", "<path:") if operation.with_slashes else path,
                endpoint=f"{operation.method} {operation.path}",
                view_func=self._served(view, path, counted=_is_counted(operation)),
                methods=[operation.method],
                provide_automatic_options=False,
            )

    def log_exception(
        self,
        exception_info: tuple[type, BaseException, TracebackType] | tuple[None, None, None],
    ) -> None:
        """Quart's hook for what a view raised."""
        log.error("request_failed", path=request.path, exc_info=exception_info)

    def _served(
        self, view: View, path: str, *, counted: bool
    ) -> Callable[..., Awaitable[TrioResponse]]:
        async def serve(**parameters: str) -> TrioResponse:
            request.scope["state"]["route"] = path
            if not counted:
                return _response(answer_of(await view(**parameters)), _NO_STORE)
            address: str = request.scope["state"]["address"]
            taken, refused = await take_request(self._ports, address)
            answer = answer_of(refused or await view(**parameters))
            return _response(answer, (*_NO_STORE, *limit_headers(taken)))

        return serve


def _is_counted(operation: Operation) -> bool:
    """Before its view, that is."""
    return operation.limited and not operation.counts_itself


async def read_body(ports: GatewayPorts, form: Form[T]) -> T | Refusal:
    """What the body of the request in hand asks for. An empty body is an empty object."""
    body = await request.get_data(as_text=False)
    fields = parse_object(body) if body else {}
    return fields if isinstance(fields, Refusal) else form.parse(fields, keccak=ports.keccak)


def read_query(ports: GatewayPorts, form: Form[T]) -> T | Refusal:
    """What the query string of the request in hand asks for."""
    return form.parse_query(dict(request.args.lists()), keccak=ports.keccak)


def client() -> str:
    """The address of the client in hand."""
    address: str = request.scope["state"]["address"]
    return address


def request_id() -> str:
    """The id of the request in hand, as its answer and the log have it."""
    found: str = request.scope["state"]["request_id"]
    return found


def bearer() -> str | Refusal:
    """The bearer token of the request in hand."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token or len(token) > 256:
        return Refusal(Code.UNAUTHORIZED)
    return token.strip()


def _response(answer: Answer, headers: Headers = ()) -> TrioResponse:
    response = TrioResponse(answer.body, answer.status)
    for name, value in (*headers, *answer.headers):  # of one name, the answer's own counts
        response.headers[name.decode()] = value.decode()
    return response


async def _http_error(error: HTTPException) -> TrioResponse:
    """What Quart itself refuses: an unknown path, a method that the path does not take."""
    if isinstance(error, MethodNotAllowed):
        methods = [*(error.valid_methods or ()), *_BESIDE.get(request.path, ())]
        allowed = ", ".join(methods).encode()
        refusal = Refusal(Code.METHOD_NOT_ALLOWED)
        return _response(refusal_answer(refusal, headers=((b"allow", allowed),)))
    if error.code == 404:
        return _response(refusal_answer(Refusal(Code.NOT_FOUND)))
    if error.code == 500:
        return await _defect(error)
    return _response(refusal_answer(bad_request("request", error.name)))


async def _defect(_: Exception) -> TrioResponse:
    return _response(refusal_answer(Refusal(Code.INTERNAL)))


async def _store_unavailable(_: StoreUnavailable) -> TrioResponse:
    return _response(refusal_answer(Refusal(Code.STORE_UNAVAILABLE)))


async def _ledger_unreadable(error: LedgerUnreadable) -> TrioResponse:
    return _response(refusal_answer(unreadable(error)))
