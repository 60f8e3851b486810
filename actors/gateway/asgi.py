"""The little of ASGI that the Gateway speaks by itself, and the answers that its routes give."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any, Final, TypeAlias

import attrs
import msgspec

from domain.refusals import Code, Refusal

Scope: TypeAlias = MutableMapping[str, Any]
Event: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Event]]
Send: TypeAlias = Callable[[Event], Awaitable[None]]
Headers: TypeAlias = tuple[tuple[bytes, bytes], ...]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

JSON_TYPE: Final = (b"content-type", b"application/json")
encode_json = msgspec.json.Encoder().encode


@attrs.frozen
class Answer:
    """One HTTP answer, ready to be sent."""

    status: int
    body: bytes
    headers: Headers = (JSON_TYPE,)


def json_answer(body: object, *, status: int = 200, headers: Headers = ()) -> Answer:
    """An answer with a JSON body."""
    return Answer(status, encode_json(body), (JSON_TYPE, *headers))


def refusal_answer(refusal: Refusal, *, headers: Headers = ()) -> Answer:
    """The answer that says no: status and body from the one table, Retry-After where it helps."""
    body = refusal.to_json()
    retry_after = body.get("retry_after")
    if retry_after is not None:
        headers = (*headers, (b"retry-after", str(retry_after).encode()))
    if refusal.code is Code.UNAUTHORIZED:
        headers = (*headers, (b"www-authenticate", b"Bearer"))
    return json_answer(body, status=refusal.meaning.http_status, headers=headers)


def answer_of(value: Mapping[str, object] | Refusal | Answer) -> Answer:
    """A route may give a body, a refusal, or a finished answer."""
    if isinstance(value, Answer):
        return value
    if isinstance(value, Refusal):
        return refusal_answer(value)
    return json_answer(value)


async def send_answer(send: Send, answer: Answer, *, more: bool = False) -> None:
    """Answer a request; the length is known, so that the connection can be kept. With `more` the
    answer is all sent, but its end is left to the caller."""
    length = (b"content-length", str(len(answer.body)).encode())
    headers = [*answer.headers, length]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body, "more_body": more})


async def reject_socket(send: Send, refusal: Refusal) -> None:
    """Refuse a WebSocket's handshake, with the answer that HTTP would have."""
    answer = refusal_answer(refusal)
    length = (b"content-length", str(len(answer.body)).encode())
    headers = [*answer.headers, length, (b"connection", b"close")]
    await send(
        {"type": "websocket.http.response.start", "status": answer.status, "headers": headers}
    )
    await send({"type": "websocket.http.response.body", "body": answer.body})


def header(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> str | None:
    """The last header of that (lower-case) name."""
    found = [value for key, value in headers if key.lower() == name]
    return found[-1].decode("latin-1") if found else None
