"""What every request passes: ids, headers, sizes, unknown paths, and the answer to a defect."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.limits import BODY_BYTES_MAX
from tests.support.door import WALLET, Door, open_door
from tests.support.http_client import once


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async with open_door(tmp_path) as door:
        yield door


@pytest.fixture
def web_root(tmp_path: Path) -> Path:
    root = tmp_path / "web"
    (root / "art").mkdir(parents=True)
    (root / "index.html").write_text("<!doctype html><title>t</title>")
    (root / "art" / "grid.js").write_text("export {}")
    (root / "secret.env").write_text("no")
    return root


# --- unknown and unfit ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/nowhere",
        "/api",
        "/api/",
        "/api/grid/",
        "/api//grid",
        "/api/../grid",
        "/%2e%2e/x",
        "/%00",
        "/api%2Fgrid",
        "/ops%2fstatus",
        "/api%5cgrid",
        "/api/grid;x",
        "/api/grid%20",
        "/API/GRID",
        "//api/grid",
        "/%ff%fe",
    ],
)
async def test_an_unknown_path_is_not_found(door: Door, path: str) -> None:
    answer = await door.get(path)
    assert (answer.status, answer.error) == (404, "not_found")
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/api/grid", {"GET", "HEAD"}),
        ("DELETE", "/api/bets", {"GET", "HEAD", "POST"}),
        ("GET", "/api/faucet", {"POST"}),
        ("OPTIONS", "/api/grid", {"GET", "HEAD"}),
        ("BREW", "/healthz", {"GET", "HEAD"}),
    ],
)
async def test_a_method_that_a_path_does_not_take(
    door: Door, method: str, path: str, allowed: set[str]
) -> None:
    answer = await once(door.port, method, path)
    assert (answer.status, answer.error) == (405, "method_not_allowed")
    assert set(answer.headers["allow"].split(", ")) == allowed


@pytest.mark.parametrize("path", ["/api/bets", "/api/faucet", "/ops/deposits", "/nowhere"])
@pytest.mark.parametrize("size", [BODY_BYTES_MAX + 1, 200_000, 2_000_000])
async def test_a_body_over_16_kib_is_too_large(door: Door, path: str, size: int) -> None:
    async with door.client() as client:
        head = f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {size}\r\n\r\n"
        await client.stream.send_all(head.encode() + b"x" * min(size, 500_000))
        answer = await client.read_response()
    assert (answer.status, answer.error) == (413, "too_large")


async def test_a_body_of_16_kib_is_read(door: Door) -> None:
    body = json.dumps({"pad": "x" * (BODY_BYTES_MAX - 11)}).encode()
    assert len(body) == BODY_BYTES_MAX
    answer = await door.post("/api/bets", body)
    assert (answer.status, answer.json["field"]) == (400, "wallet")


async def test_a_body_of_more_than_16_kib_in_chunks_is_too_large(door: Door) -> None:
    async with door.client() as client:
        head = b"POST /api/bets HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
        await client.stream.send_all(head + (b"400\r\n" + b"x" * 1024 + b"\r\n") * 17)
        answer = await client.read_response()
    assert (answer.status, answer.error) == (413, "too_large")


async def test_a_form_is_no_json(door: Door) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    for path in ("/api/bets", "/api/auth/login", "/nowhere"):
        answer = await once(door.port, "POST", path, b"wallet=0x1", headers=headers)
        assert (answer.status, answer.json["field"]) == (400, "content-type")


async def test_a_compressed_body_is_not_read(door: Door) -> None:
    headers = {"content-encoding": "gzip", "content-type": "application/json"}
    answer = await once(door.port, "POST", "/api/bets", b"\x1f\x8b", headers=headers)
    assert (answer.status, answer.json["field"]) == (400, "content-encoding")


async def test_without_a_body_its_kind_does_not_matter(door: Door) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    assert (await once(door.port, "GET", "/api/grid", headers=headers)).status == 200


@pytest.mark.parametrize(
    "framing",
    [
        b"content-length: 5\r\ncontent-length: 6\r\n\r\n{}",
        b"content-length: 5, 6\r\n\r\n{}",
        b"content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n\r\n0\r\n\r\n",
        b"transfer-encoding: identity, chunked\r\n\r\n0\r\n\r\n",
        b"transfer-encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"transfer-encoding : chunked\r\n\r\n0\r\n\r\n",
        b"content-length: +4\r\n\r\n{}{}",
        b"content-length: 0x4\r\n\r\n{}{}",
    ],
)
async def test_a_request_that_could_hide_another_is_refused_and_the_other_is_not_served(
    door: Door, framing: bytes
) -> None:
    hidden = b"GET /version HTTP/1.1\r\nhost: x\r\n\r\n"
    async with await trio.open_tcp_stream("127.0.0.1", door.port) as stream:
        await stream.send_all(b"POST /api/bets HTTP/1.1\r\nhost: x\r\n" + framing + hidden)
        heard = b""
        with trio.fail_after(5):
            while chunk := await stream.receive_some(65_536):
                heard += chunk
    assert heard.startswith(b"HTTP/1.1 400 ")
    assert heard.count(b"HTTP/1.1 ") == 1


async def test_the_same_length_twice_is_one_length(door: Door) -> None:
    async with door.client() as client:
        head = b"POST /api/bets HTTP/1.1\r\nhost: x\r\n" + b"content-length: 2\r\n" * 2
        await client.stream.send_all(head + b"\r\n{}")
        assert (await client.read_response()).json["field"] == "wallet"


@pytest.mark.parametrize(
    "head",
    [
        b"GET /version?" + b"x" * 5_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET /version HTTP/1.1\r\nhost: x\r\n" + b"a: b\r\n" * 101 + b"\r\n",
        b"GET /version HTTP/1.1\r\nhost: x\r\na: " + b"x" * 17_000 + b"\r\n\r\n",
        b"GET /version HTTP/1.1\r\nhost: x\r\na: " + b"x" * 17_000,
        b"GET /" + b"x" * 17_000,
    ],
)
async def test_a_head_that_is_too_large_is_told_so(door: Door, head: bytes) -> None:
    async with door.client() as client:
        await client.stream.send_all(head)
        answer = await client.read_response()
    assert (answer.status, answer.error) == (413, "too_large")


async def test_a_plain_request_for_the_websocket_says_what_goes_there(door: Door) -> None:
    answer = await door.get("/ws")
    assert (answer.status, answer.json["field"]) == (400, "upgrade")


async def test_a_websocket_elsewhere_is_not_found(door: Door) -> None:
    answer = await door.handshake("/elsewhere")
    assert (answer.status, answer.error) == (404, "not_found")


# --- request ids ------------------------------------------------------------------------------


async def test_a_request_id_comes_back(door: Door) -> None:
    answer = await once(door.port, "GET", "/version", headers={"x-request-id": "abc.1-2_3"})
    assert answer.headers["x-request-id"] == "abc.1-2_3"


@pytest.mark.parametrize("given_id", ["", "a b", "x" * 65, "é", "<script>"])
async def test_a_request_id_that_is_none_is_replaced(door: Door, given_id: str) -> None:
    answer = await once(door.port, "GET", "/version", headers={"x-request-id": given_id})
    assert answer.headers["x-request-id"] not in ("", given_id)


async def test_a_socket_is_given_its_request_id(door: Door) -> None:
    refused = await door.handshake("/elsewhere")
    assert refused.headers["x-request-id"]


# --- defects ----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/api/bets", "/api/faucet"])
async def test_a_defect_is_internal_in_json_and_logged(tmp_path: Path, path: str) -> None:
    async with open_door(tmp_path, keccak=_broken) as door:
        wallet = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"
        answer = await door.post(path, door.bet(wallet=wallet))
        assert (answer.status, answer.json["error"]) == (500, "internal")
        assert "broken" not in answer.body.decode()
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert (await door.get("/version")).status == 200


def _broken(data: bytes) -> bytes:
    raise ZeroDivisionError("broken on purpose")


# --- pages ------------------------------------------------------------------------------------


async def test_pages_are_served_with_their_type(tmp_path: Path, web_root: Path) -> None:
    async with open_door(tmp_path, web_root=web_root) as door:
        page = await door.get("/")
        assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
        script = await door.get("/art/grid.js")
        assert script.headers["content-type"] == "text/javascript; charset=utf-8"


async def test_a_page_that_has_not_changed_is_not_sent_again(
    tmp_path: Path, web_root: Path
) -> None:
    async with open_door(tmp_path, web_root=web_root) as door:
        etag = (await door.get("/")).headers["etag"]
        again = await once(door.port, "GET", "/", headers={"if-none-match": etag})
        assert (again.status, again.body) == (304, b"")


@pytest.mark.parametrize("path", ["/secret.env", "/art", "/../web/index.html", "/%2e%2e/x.js"])
async def test_nothing_else_is_served(tmp_path: Path, web_root: Path, path: str) -> None:
    async with open_door(tmp_path, web_root=web_root) as door:
        assert (await door.get(path)).status == 404


# --- anything at all --------------------------------------------------------------------------


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


NAMES = ("wallet", "cell_id", "amount", "nonce", "timestamp", "version", "rate", "signature")
BODIES = st.dictionaries(st.sampled_from(NAMES), JSON_VALUES, min_size=1) | JSON_VALUES
MANY = settings(max_examples=5, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.slow
@MANY
@given(bodies=st.lists(BODIES, min_size=30, max_size=30))
async def test_whatever_is_posted_is_a_refusal_and_never_a_defect(bodies: list[object]) -> None:
    with TemporaryDirectory() as data:
        async with open_door(Path(data)) as door, door.client() as client:
            for changed in bodies:
                body = {**door.bet(), **changed} if isinstance(changed, dict) else changed
                answer = await client.post("/api/bets", body)
                assert answer.error is not None, body
                assert answer.status < 500, (body, answer.body)
            assert list(door.ports.ledger.bets(WALLET)) == []


@pytest.mark.slow
@MANY
@given(frames=st.lists(JSON_VALUES | st.text() | BODIES, min_size=30, max_size=30))
async def test_whatever_is_said_is_a_refusal_and_never_a_defect(frames: list[object]) -> None:
    with TemporaryDirectory() as data:
        async with open_door(Path(data)) as door, door.socket() as talk:
            for frame in frames:
                bet = {"op": "bet", **frame} if isinstance(frame, dict) else frame
                text = bet if isinstance(bet, str) else json.dumps(bet)
                await talk.socket.send_message(text.encode("utf-8", "replace").decode())
                reply = await talk.next_of("reply")
                assert not reply["ok"], frame
                assert reply["error"] != "internal", frame
            assert (await talk.ask("ping"))["ok"]
