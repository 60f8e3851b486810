"""The files of the web client, read once when a life begins: a dozen small ones."""

import hashlib
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


@attrs.frozen(kw_only=True)
class Page:
    """One file, as it is answered."""

    etag: str
    answer: Answer
    unchanged: Answer
    """For a client that has it already."""


@attrs.frozen
class Pages:
    """All files by their path; `/` is index.html. Anything else in the folder is not served."""

    by_path: dict[str, Page]

    @classmethod
    def read(cls, root: Path | None) -> Self:
        """The files below `root`; none without a root."""
        files = [] if root is None else sorted(root.rglob("*"))
        pages = {
            f"/{file.relative_to(root).as_posix()}": _page(file)
            for file in files
            if root is not None and file.is_file() and file.suffix in _TYPES
        }
        if "/index.html" in pages:
            pages["/"] = pages["/index.html"]
        return cls(pages)

    def find(self, path: str) -> Page | None:
        """The page at `path`, if there is one."""
        return self.by_path.get(path)


def _page(file: Path) -> Page:
    body = file.read_bytes()
    etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
    cache: Headers = ((b"etag", etag.encode()), (b"cache-control", b"no-cache"))
    return Page(
        etag=etag,
        answer=Answer(200, body, ((b"content-type", _TYPES[file.suffix]), *cache)),
        unchanged=Answer(304, b"", cache),
    )
