"""Heads of requests: what is refused before a byte of the body is read, and which bodies are."""

import pytest

from actors.gateway.asgi import Scope
from actors.gateway.heads import (
    HEAD_BYTES_MAX,
    HEADERS_MAX,
    TARGET_BYTES_MAX,
    refused_form,
    refused_head,
)
from domain.refusals import Refusal

Pairs = list[tuple[bytes, bytes]]


def scope(
    headers: Pairs | None = None,
    *,
    path: str = "/api/grid",
    raw_path: bytes | None = None,
    query: bytes = b"",
    method: str = "GET",
    http_version: str = "1.1",
) -> Scope:
    return {
        "type": "http",
        "method": method,
        "http_version": http_version,
        "path": path,
        "raw_path": path.encode() if raw_path is None else raw_path,
        "query_string": query,
        "headers": [(b"host", b"x")] if headers is None else headers,
    }


def code(refused: Refusal | None) -> str | None:
    return None if refused is None else refused.code.value


def field(refused: Refusal | None) -> object:
    return None if refused is None else refused.details.get("field")


def test_a_plain_request_is_served() -> None:
    assert refused_head(scope()) is None


def test_the_target_has_a_length() -> None:
    assert refused_head(scope(query=b"x" * (TARGET_BYTES_MAX - len("/api/grid")))) is None
    assert code(refused_head(scope(query=b"x" * TARGET_BYTES_MAX))) == "too_large"
    assert code(refused_head(scope(path="/" + "x" * TARGET_BYTES_MAX))) == "too_large"


def test_headers_have_a_number() -> None:
    assert refused_head(scope([(b"x", b"")] * HEADERS_MAX)) is None
    assert code(refused_head(scope([(b"x", b"")] * (HEADERS_MAX + 1)))) == "too_large"


def test_headers_have_a_size_together() -> None:
    assert code(refused_head(scope([(b"x", b"y" * 2_000)] * 9))) == "too_large"
    assert refused_head(scope([(b"x", b"y" * (HEAD_BYTES_MAX - 100))])) is None


def test_two_lengths_of_a_body_are_refused() -> None:
    both = [(b"content-length", b"5"), (b"transfer-encoding", b"chunked")]
    assert field(refused_head(scope(both))) == "content-length"
    assert field(refused_head(scope(both[::-1]))) == "content-length"


def test_chunks_are_not_of_http_1_0() -> None:
    chunked = [(b"transfer-encoding", b"chunked")]
    assert refused_head(scope(chunked)) is None
    assert field(refused_head(scope(chunked, http_version="1.0"))) == "transfer-encoding"


@pytest.mark.parametrize("path", ["*", "x", "?a", ""])
def test_a_path_begins_with_a_slash(path: str) -> None:
    assert field(refused_head(scope(path=path))) == "path"


@pytest.mark.parametrize("raw", [b"/api%2Fgrid", b"/api%2fgrid", b"/api%5cgrid", b"/api/grid%00"])
def test_an_encoded_slash_is_no_slash(raw: bytes) -> None:
    assert code(refused_head(scope(raw_path=raw))) == "not_found"


def test_two_slashes_are_not_one() -> None:
    assert code(refused_head(scope(path="//ops/status"))) == "not_found"


def test_other_characters_may_be_encoded() -> None:
    assert refused_head(scope(raw_path=b"/%61pi/grid")) is None  # the same path, by RFC 3986


@pytest.mark.parametrize(
    "kind", ["application/json", "Application/JSON", "application/json; charset=utf-8", " "]
)
def test_a_body_is_json(kind: str) -> None:
    headers = [(b"content-type", kind.encode())] if kind.strip() else []
    assert refused_form(scope(headers)) is None


@pytest.mark.parametrize(
    "kind",
    [
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain",
        "text/plain; application/json",
        "application/jsonp",
    ],
)
def test_a_body_that_is_something_else_is_refused(kind: str) -> None:
    assert field(refused_form(scope([(b"content-type", kind.encode())]))) == "content-type"


@pytest.mark.parametrize("encoding", ["gzip", "br", "identity, gzip", "zstd"])
def test_a_compressed_body_is_refused(encoding: str) -> None:
    headers = [(b"content-encoding", encoding.encode())]
    assert field(refused_form(scope(headers))) == "content-encoding"


def test_a_body_may_say_that_it_is_not_compressed() -> None:
    assert refused_form(scope([(b"content-encoding", b"Identity")])) is None
