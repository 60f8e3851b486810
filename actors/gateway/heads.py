"""What the head of a request may be, over what HTTP itself demands (h11 has looked at that).

Read by the edge before a byte of the body is. Nothing here waits or remembers.
"""

from typing import Final

from actors.gateway.asgi import Scope, header
from domain.refusals import Code, Refusal, bad_request

HEAD_BYTES_MAX: Final = 16 * 1024
"""h11 stops reading a head at this size, but takes a larger one that came whole."""
HEADERS_MAX: Final = 100
TARGET_BYTES_MAX: Final = 4 * 1024
"""Path and query. The longest of ours, a page of bets with a cursor, has some 300."""
JSON: Final = "application/json"


def refused_head(scope: Scope) -> Refusal | None:
    """Why this request is not served, whatever its body; None if nothing is wrong with its head."""
    return _too_large(scope) or _bad_framing(scope) or _bad_target(scope)


def refused_form(scope: Scope) -> Refusal | None:
    """Why a body can't be read: bodies are JSON, as they are. Not to be asked without a body."""
    headers = scope["headers"]
    encoding = (header(headers, b"content-encoding") or "identity").strip().lower()
    if encoding != "identity":
        return bad_request("content-encoding", "bodies can't be compressed")
    kind = (header(headers, b"content-type") or JSON).partition(";")[0].strip().lower()
    if kind != JSON:
        return bad_request("content-type", f"must be {JSON}, or left out")
    return None


def _too_large(scope: Scope) -> Refusal | None:
    headers, target_bytes = scope["headers"], len(scope["raw_path"]) + len(scope["query_string"])
    head_bytes = target_bytes + sum(len(name) + len(value) for name, value in headers)
    if target_bytes > TARGET_BYTES_MAX or head_bytes > HEAD_BYTES_MAX or len(headers) > HEADERS_MAX:
        return Refusal(Code.TOO_LARGE)
    return None


def _bad_framing(scope: Scope) -> Refusal | None:
    """A body whose length two readers could see differently: a proxy in front of us and we would
    then disagree about where the next request begins, which may be another trader's."""
    names = {name for name, _ in scope["headers"]}
    if b"transfer-encoding" not in names:
        return None
    if b"content-length" in names:
        return bad_request("content-length", "stands beside transfer-encoding")
    if scope["http_version"] < "1.1":
        return bad_request("transfer-encoding", "is of HTTP/1.1")
    return None


def _bad_target(scope: Scope) -> Refusal | None:
    """No path of ours begins with two slashes, or has an encoded one: such a path could only be
    read as one thing by whoever guards a path in front of us, and as another by our routes."""
    method: str = scope.get("method", "GET")
    if method != method.upper():
        return bad_request("method", "is written in capitals")
    if not scope["path"].startswith("/"):
        return bad_request("path", "must begin with a slash")
    raw_path: bytes = scope["raw_path"].lower()
    if scope["path"].startswith("//") or any(sign in raw_path for sign in (b"%2f", b"%5c", b"%00")):
        return Refusal(Code.NOT_FOUND)
    return None
