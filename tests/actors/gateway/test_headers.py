"""What every answer tells browsers, whoever gives it."""

from pathlib import Path

import pytest
import trio

from actors.gateway.headers import security_headers
from tests.support.door import Door, open_door
from tests.support.http_client import Response, http_client, once

ALWAYS = {name.decode(): value.decode() for name, value in security_headers("http://test")}


def policy(origin: str) -> dict[str, str]:
    """The content security policy as directives and their values."""
    headers = dict(security_headers(origin))
    parts = headers[b"content-security-policy"].decode().split("; ")
    return dict(part.split(" ", 1) for part in parts)


def test_no_script_runs_but_ours_and_none_inline() -> None:
    found = policy("https://tap.example")
    assert found["default-src"] == "'none'"
    assert found["script-src"] == found["style-src"] == "'self'"
    assert "unsafe" not in str(found)
    assert {found["base-uri"], found["form-action"], found["frame-ancestors"]} == {"'none'"}


@pytest.mark.parametrize(
    ("origin", "socket"),
    [
        ("https://tap.example", "wss://tap.example"),
        ("http://127.0.0.1:8080", "ws://127.0.0.1:8080"),
    ],
)
def test_a_page_may_connect_to_the_venue_and_its_socket(origin: str, socket: str) -> None:
    assert policy(origin)["connect-src"] == f"'self' {socket}"


def test_an_image_is_ours_or_came_with_a_wallet() -> None:
    assert policy("https://tap.example")["img-src"] == "'self' data:"


def test_browsers_are_told_to_stay_with_tls_only_where_there_is_any() -> None:
    assert dict(security_headers("https://tap.example"))[b"strict-transport-security"]
    assert b"strict-transport-security" not in dict(security_headers("http://tap.example"))


def test_a_wallet_that_opens_a_window_may_answer_the_page() -> None:
    assert ALWAYS["cross-origin-opener-policy"] == "same-origin-allow-popups"


async def test_every_kind_of_answer_has_them(tmp_path: Path) -> None:
    root = tmp_path / "web"
    root.mkdir()
    (root / "index.html").write_text("<!doctype html>")
    async with open_door(tmp_path, web_root=root) as door:
        for name, answer in (await every_kind(door)).items():
            missing = {key for key, value in ALWAYS.items() if answer.headers.get(key) != value}
            assert not missing, name
            assert answer.headers["x-request-id"], name
            assert "server" not in answer.headers
            assert "set-cookie" not in answer.headers


async def every_kind(door: Door) -> dict[str, Response]:
    """An answer of each part of the door that gives any."""
    etag = (await door.get("/")).headers["etag"]
    upgrade = {
        "upgrade": "websocket",
        "connection": "upgrade",
        "sec-websocket-version": "13",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    asked = {"origin": "https://a.example", "access-control-request-method": "POST"}
    async with await trio.open_tcp_stream("127.0.0.1", door.port) as stream:
        await stream.send_all(b"nonsense\r\n\r\n")
        nonsense = parsed(await stream.receive_some(8_192))
    return {
        "a read": await door.get("/api/grid"),
        "a page": await door.get("/"),
        "a page that is known": await once(door.port, "GET", "/", headers={"if-none-match": etag}),
        "an unknown path": await door.get("/nowhere"),
        "a wrong method": await once(door.port, "DELETE", "/api/grid"),
        "a bet that is none": await door.post("/api/bets", {}),
        "a body that is none": await door.post("/api/bets", b"{"),
        "a body that is too large": await door.post("/api/bets", b"x" * 20_000),
        "no token": await door.get("/api/account"),
        "an operator's": await door.get("/ops/status"),
        "health": await door.get("/healthz"),
        "metrics": await door.get("/metrics"),
        "a preflight that is refused": await once(door.port, "OPTIONS", "/", headers=asked),
        "a handshake for nothing": await door.handshake("/elsewhere"),
        "half a handshake": await once(door.port, "GET", "/ws"),
        "a socket": await opened(door, upgrade),
        "no http": nonsense,
    }


async def opened(door: Door, upgrade: dict[str, str]) -> Response:
    """The answer to a handshake that is taken."""
    lines = ["GET /ws HTTP/1.1", "host: x", *(f"{name}: {text}" for name, text in upgrade.items())]
    async with await trio.open_tcp_stream("127.0.0.1", door.port) as stream:
        await stream.send_all("\r\n".join([*lines, "", ""]).encode())
        answer = parsed(await stream.receive_some(8_192))
    assert answer.status == 101
    return answer


def parsed(data: bytes) -> Response:
    head, _, body = data.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return Response(int(status.split()[1]), headers, body)


async def test_who_is_one_too_many_has_them_too(tmp_path: Path) -> None:
    async with open_door(tmp_path, connections_per_address=1) as door:
        async with http_client(door.port) as first:
            await first.get("/version")
            refused = await door.get("/version")
        assert refused.error == "rate_limited"
        assert ALWAYS.items() <= refused.headers.items()
