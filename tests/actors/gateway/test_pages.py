"""The files of the web client: their paths, compressed or not, and what a cache is told."""

import gzip
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from actors.gateway.pages import Pages, takes_gzip
from tests.support.door import Door, open_door
from tests.support.http_client import Response, once

SCRIPT = "export const answer = 42;\n" * 100


@pytest.fixture
def web_root(tmp_path: Path) -> Path:
    root = tmp_path / "web"
    (root / "art").mkdir(parents=True)
    (root / "index.html").write_text("<!doctype html><title>trade</title>")
    (root / "operate.html").write_text("<!doctype html><title>operate</title>")
    (root / "art" / "index.html").write_text("<!doctype html><title>art</title>")
    (root / "art" / "myindex.html").write_text("<!doctype html><title>mine</title>")
    (root / "grid.js").write_text(SCRIPT)
    (root / "dot.svg").write_text("<svg/>")
    return root


async def ask(door: Door, path: str, headers: Mapping[str, str], method: str = "GET") -> Response:
    return await once(door.port, method, path, headers=headers)


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("/", "trade"),
        ("/index.html", "trade"),
        ("/operate", "operate"),
        ("/operate.html", "operate"),
        ("/art/", "art"),
        ("/art/myindex", "mine"),
    ],
)
def test_a_page_is_found_without_its_html(web_root: Path, path: str, title: str) -> None:
    page = Pages.read(web_root).find(path)
    assert page is not None
    assert f"<title>{title}</title>".encode() in page.plain.answer.body


@pytest.mark.parametrize("path", ["/index", "/operate/", "/art", "/art/my", "/grid", "operate", ""])
def test_and_by_no_other_name(web_root: Path, path: str) -> None:
    assert Pages.read(web_root).find(path) is None


async def test_a_client_that_takes_gzip_gets_less(tmp_path: Path, web_root: Path) -> None:
    async with open_door(tmp_path, web_root=web_root) as door:
        packed = await ask(door, "/grid.js", {"accept-encoding": "gzip, deflate, br, zstd"})
        plain = await ask(door, "/grid.js", {})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["content-type"] == plain.headers["content-type"]
    assert gzip.decompress(packed.body) == plain.body == SCRIPT.encode()
    assert len(packed.body) < len(plain.body) / 10
    assert "content-encoding" not in plain.headers


async def test_each_encoding_is_an_entity_of_its_own(tmp_path: Path, web_root: Path) -> None:
    async with open_door(tmp_path, web_root=web_root) as door:
        plain = await ask(door, "/grid.js", {})
        packed = await ask(door, "/grid.js", {"accept-encoding": "gzip"})
        other = {"accept-encoding": "gzip", "if-none-match": plain.headers["etag"]}
        same = {"accept-encoding": "gzip", "if-none-match": packed.headers["etag"]}
        sent_again, unchanged = (
            await ask(door, "/grid.js", other),
            await ask(door, "/grid.js", same),
        )
    assert plain.headers["etag"] != packed.headers["etag"]
    assert [a.headers["vary"] for a in (plain, packed, unchanged)] == ["accept-encoding"] * 3
    assert (sent_again.status, sent_again.headers["content-encoding"]) == (200, "gzip")
    assert (unchanged.status, unchanged.body) == (304, b"")
    assert unchanged.headers["etag"] == packed.headers["etag"]


async def test_what_a_page_asks_for_is_kept_without_asking_again(
    tmp_path: Path, web_root: Path
) -> None:
    (web_root / "index.html").write_text('<link href="/dot.svg"><script src="/grid.js"></script>')
    async with open_door(tmp_path, web_root=web_root) as door:
        page = await ask(door, "/", {})
        [script] = re.findall(r'src="([^"]+)"', page.body.decode())
        kept, bare = await ask(door, script, {}), await ask(door, "/grid.js", {})
    assert page.headers["cache-control"] == bare.headers["cache-control"] == "no-cache"
    assert 'href="/dot.svg"' in page.body.decode()
    assert kept.body == bare.body == SCRIPT.encode()
    assert "immutable" in kept.headers["cache-control"]


def test_once_any_file_changes_all_have_another_address(web_root: Path) -> None:
    (web_root / "index.html").write_text('<script src="/grid.js"></script>')

    def address() -> str:
        page = Pages.read(web_root).find("/")
        assert page is not None
        [script] = re.findall(r'src="([^"]+)"', page.plain.answer.body.decode())
        return str(script)

    before = address()
    assert address() == before
    (web_root / "dot.svg").write_text("<svg></svg>")
    assert address() != before
    assert Pages.read(web_root).find(before) is None


async def test_what_does_not_compress_is_sent_as_it_is(tmp_path: Path, web_root: Path) -> None:
    async with open_door(tmp_path, web_root=web_root) as door:
        icon = await ask(door, "/dot.svg", {"accept-encoding": "gzip"})
    assert (icon.status, icon.body) == (200, b"<svg/>")
    assert not icon.headers.keys() & {"content-encoding", "vary"}


async def test_every_name_that_the_client_has_counts(tmp_path: Path, web_root: Path) -> None:
    """A proxy that compresses by itself marks the entity as weak."""
    async with open_door(tmp_path, web_root=web_root) as door:
        etag = (await ask(door, "/operate", {})).headers["etag"]
        for has in (f'"old", {etag}', f"W/{etag}", "*"):
            assert (await ask(door, "/operate", {"if-none-match": has})).status == 304, has
        assert (await ask(door, "/operate", {"if-none-match": '"old"'})).status == 200


async def test_the_answers_of_the_api_are_never_compressed(tmp_path: Path, web_root: Path) -> None:
    """How well they do would tell of the secrets in them."""
    async with open_door(tmp_path, web_root=web_root) as door:
        answer = await ask(door, "/openapi.json", {"accept-encoding": "gzip"})
    assert answer.status == 200
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize(
    ("header", "takes"),
    [
        ("", False),
        ("gzip", True),
        ("GZIP", True),
        ("br, gzip;q=0.5", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000", False),
        ("identity", False),
        ("*", True),
        ("*;q=0", False),
        ("gzip;q=0, *", False),
        ("*;q=0, gzip", True),
        ("x-gzip", False),
        (";;,,=", False),
    ],
)
def test_whether_a_client_takes_gzip(header: str, takes: bool) -> None:
    assert takes_gzip(header) is takes
