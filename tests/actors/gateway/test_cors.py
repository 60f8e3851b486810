"""Pages elsewhere: none may use the venue but those of the configured origins."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from actors.gateway.cors import Cors
from tests.support.door import Door, open_door
from tests.support.http_client import Response, once

FRIEND, STRANGER = "https://a.example", "https://b.example"
HANDSHAKE = {
    "upgrade": "websocket",
    "connection": "upgrade",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async with open_door(tmp_path, cors_origins=(FRIEND,)) as door:
        yield door


async def ask(door: Door, method: str, path: str, **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await once(door.port, method, path, headers=named)


def allowed(answer: Response) -> dict[str, str]:
    return {key: text for key, text in answer.headers.items() if key.startswith("access-control")}


async def test_cors_is_off_unless_configured(tmp_path: Path) -> None:
    async with open_door(tmp_path) as door:
        for method in ("GET", "OPTIONS"):
            answer = await ask(
                door, method, "/version", origin=FRIEND, access_control_request_method="GET"
            )
            assert allowed(answer) == {}
            assert "vary" not in answer.headers


async def test_a_friend_may_read_the_answer_and_what_helps_it_wait(door: Door) -> None:
    answer = await ask(door, "GET", "/api/grid", origin=FRIEND)
    assert answer.status == 200
    assert answer.headers["access-control-allow-origin"] == FRIEND
    exposed = answer.headers["access-control-expose-headers"].split(", ")
    assert {"x-request-id", "retry-after", "ratelimit", "ratelimit-policy"} <= set(exposed)


async def test_a_friend_may_read_refusals_too(door: Door) -> None:
    for path in ("/nowhere", "/api/account", "/api%2Fgrid"):
        answer = await ask(door, "GET", path, origin=FRIEND)
        assert answer.headers["access-control-allow-origin"] == FRIEND


@pytest.mark.parametrize("origin", [STRANGER, "null", "https://a.example.evil", "http://a.example"])
async def test_a_stranger_may_not(door: Door, origin: str) -> None:
    assert allowed(await ask(door, "GET", "/api/grid", origin=origin)) == {}


async def test_every_answer_varies_by_origin(door: Door) -> None:
    for headers in ({}, {"origin": FRIEND}, {"origin": STRANGER}):
        assert (await ask(door, "GET", "/version", **headers)).headers["vary"] == "origin"


async def test_a_preflight_names_exactly_what_may_be_sent(door: Door) -> None:
    answer = await ask(
        door, "OPTIONS", "/api/bets", origin=FRIEND, access_control_request_method="POST"
    )
    assert (answer.status, answer.body) == (204, b"")
    assert allowed(answer) == {
        "access-control-allow-origin": FRIEND,
        "access-control-allow-methods": "GET, POST",
        "access-control-allow-headers": "authorization, content-type, x-request-id",
        "access-control-expose-headers": allowed(answer)["access-control-expose-headers"],
        "access-control-max-age": "600",
    }


async def test_a_strangers_preflight_is_no_preflight(door: Door) -> None:
    answer = await ask(
        door, "OPTIONS", "/api/bets", origin=STRANGER, access_control_request_method="POST"
    )
    assert answer.status == 405
    assert allowed(answer) == {}


async def test_options_that_asks_for_no_method_is_no_preflight(door: Door) -> None:
    assert (await ask(door, "OPTIONS", "/api/bets", origin=FRIEND)).status == 405


async def test_credentials_are_never_allowed(door: Door) -> None:
    for method in ("GET", "OPTIONS"):
        answer = await ask(
            door, method, "/api/bets", origin=FRIEND, access_control_request_method="GET"
        )
        assert "access-control-allow-credentials" not in answer.headers
        assert answer.headers["access-control-allow-origin"] != "*"


# --- sockets ----------------------------------------------------------------------------------


async def test_a_strangers_page_may_not_open_a_socket(door: Door) -> None:
    answer = await once(door.port, "GET", "/ws", headers={**HANDSHAKE, "origin": STRANGER})
    assert (answer.status, answer.error) == (403, "forbidden")


@pytest.mark.parametrize(
    ("origin", "host", "expected"),
    [
        (None, "x", True),
        (FRIEND, "x", True),
        ("https://tap.example", "inner:8080", True),
        ("http://localhost:8080", "localhost:8080", True),
        ("http://localhost:8081", "localhost:8080", False),
        (STRANGER, "tap.example", False),
        ("null", "tap.example", False),
        ("http://[", "tap.example", False),
        ("http://a]b", "tap.example", False),
        ("null", None, False),
    ],
)
def test_who_may_open_a_socket(origin: str | None, host: str | None, expected: bool) -> None:
    given = {b"origin": origin, b"host": host}
    headers = [(name, text.encode()) for name, text in given.items() if text is not None]
    assert Cors("https://tap.example", (FRIEND,)).allows_socket({"headers": headers}) is expected
