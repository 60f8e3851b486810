"""The files of the web client, read when a life begins: some dozens, small. A process compresses
a file once, however many lives it has.

They are the same for everybody and hold no secret, so nothing is learned from how well they
compress; the answers of the API, which do, are sent as they are.

A page asks for its scripts and styles below a name that stands for all of them as they are now.
What is at such an address never changes, so a browser that has it need not ask again: to ask for
each of some hundred modules costs a round trip for every six. After an update the old name is gone,
and old and new are never mixed on one page.
"""

import gzip
import hashlib
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final, Self

import attrs

from actors.gateway.asgi import Answer, Headers

_TYPES: Final = {
    ".html": b"text/html; charset=utf-8",
    ".css": b"text/css; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".svg": b"image/svg+xml",
    ".png": b"image/png",
    ".json": b"application/json",
    ".webmanifest": b"application/manifest+json",
}
_VARY: Final = (b"vary", b"accept-encoding")
_ASK_AGAIN: Final = (b"cache-control", b"no-cache")
_NEVER_CHANGES: Final = (b"cache-control", b"public, max-age=31536000, immutable")
_ASKED_FOR: Final = re.compile(rb'\b(src|href)="/([^"]+\.(?:js|css))"')
"""Scripts and styles in a page."""


@attrs.frozen
class Variant:
    """One file in one encoding. Each has an ETag of its own: caches must not mix them up."""

    etag: str
    answer: Answer
    unchanged: Answer
    """For a client that has it already."""


@attrs.frozen
class Page:
    """One file."""

    plain: Variant
    gzipped: Variant | None
    """None where compressing saves nothing."""

    def answer(self, *, accepts: str | None, has: str | None) -> Answer:
        """The answer to a request of these headers: Accept-Encoding, If-None-Match."""
        variant = self.gzipped if self.gzipped and takes_gzip(accepts or "") else self.plain
        return variant.unchanged if _names(has or "", variant.etag) else variant.answer


@attrs.frozen
class Pages:
    """All files by their path, a page also without its `.html`; `/` is index.html. Anything else
    in the folder is not served."""

    by_path: dict[str, Page]

    @classmethod
    def read(cls, root: Path | None) -> Self:
        """The files below `root`; none without a root."""
        files = [] if root is None else sorted(root.rglob("*"))
        found = {
            f"/{file.relative_to(root).as_posix()}": file.read_bytes()
            for file in files
            if root is not None and file.is_file() and file.suffix in _TYPES
        }
        version = _version(found)
        pages = {path: _page(path, body, version) for path, body in found.items()}
        lasting = {
            f"/{version}{path}": _page(path, body, version, lasts=True)
            for path, body in found.items()
            if path.endswith((".js", ".css"))
        }
        return cls({**pages, **{_short(path): page for path, page in pages.items()}, **lasting})

    def find(self, path: str) -> Page | None:
        """The page at `path`, if there is one."""
        return self.by_path.get(path)


def _short(path: str) -> str:
    """What people type: `/operate`, and `/` for the index of a folder."""
    short = path.removesuffix(".html")
    return short.removesuffix("index") if short.endswith("/index") else short


def takes_gzip(accept_encoding: str) -> bool:
    """Does a client that sends this header take gzip? Named is better than `*`, q=0 is no."""
    weights = dict[str, bool]()
    for part in accept_encoding.lower().split(","):
        coding, _, parameters = part.partition(";")
        weights[coding.strip()] = not _is_zero(parameters)
    return weights.get("gzip", weights.get("*", False))


def _is_zero(parameters: str) -> bool:
    name, _, weight = parameters.partition("=")
    return name.strip() == "q" and not weight.strip().strip("0.")


def _names(if_none_match: str, etag: str) -> bool:
    """Is the entity among those that the client has? A proxy on the way may have marked it weak."""
    named = [part.strip().removeprefix("W/") for part in if_none_match.split(",")]
    return etag in named or "*" in named


def _version(files: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for path, body in files.items():
        digest.update(f"{path} {len(body)} ".encode() + body)
    return digest.hexdigest()[:16]


@lru_cache(maxsize=1_024)
def _page(path: str, body: bytes, version: str, *, lasts: bool = False) -> Page:
    suffix = Path(path).suffix
    kind, cache = _TYPES[suffix], _NEVER_CHANGES if lasts else _ASK_AGAIN
    if suffix == ".html":
        body = _ASKED_FOR.sub(rb'\1="/%b/\2"' % version.encode(), body)
    digest = hashlib.sha256(body).hexdigest()[:16]
    # Without a time in it, so that the same file is the same bytes in every life.
    packed = gzip.compress(body, mtime=0)
    smaller = len(packed) < len(body)
    plain: Headers = ((b"content-type", kind),)
    return Page(
        plain=_variant(body, f'"{digest}"', plain, cache=cache, vary=smaller),
        gzipped=_variant(
            packed,
            f'"{digest}-gzip"',
            (*plain, (b"content-encoding", b"gzip")),
            cache=cache,
            vary=True,
        )
        if smaller
        else None,
    )


def _variant(
    body: bytes, etag: str, headers: Headers, *, cache: tuple[bytes, bytes], vary: bool
) -> Variant:
    kept: Headers = ((b"etag", etag.encode()), cache)
    kept = (*kept, _VARY) if vary else kept
    return Variant(etag, Answer(200, body, (*headers, *kept)), Answer(304, b"", kept))
