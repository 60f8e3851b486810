"""Files compressed with zstd and back, in small pieces, hashed on the way."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import attrs
import zstandard

from db.object_io import CHUNK_BYTES, Passage, file_chunks, save
from protocols.ports import Work

PIECE_BYTES: Final = 256 * 1024
"""A tenth of a second at level 19: so long a stop has to wait, and longer on a busy machine."""
WINDOW_BYTES_MAX: Final = 2**27
"""The most that a frame may ask for to be read: what level 19 asks for is 8 MB."""


class NotCompressed(Exception):
    """The file is not what `compress` writes, or it is damaged."""


@attrs.frozen(kw_only=True)
class Compressed:
    """What went in and what came out."""

    plain_bytes: int
    plain_sha256: str
    stored_bytes: int
    stored_sha256: str


def compress(source: Path, target: Path, *, level: int, work: Work) -> Compressed:
    """Write `source` into the new file `target`, with a checksum of its content in the frame.

    Raises what `work` raises, OSError and FileExistsError; `target` is then not there.
    """
    total = source.stat().st_size
    passage, stored = Passage(total, work), hashlib.sha256()
    compressor = zstandard.ZstdCompressor(level=level, write_checksum=True)
    chunker = compressor.chunker(size=total, chunk_size=CHUNK_BYTES)

    def compressed() -> Iterator[bytes]:
        with open(source, "rb") as file:
            for chunk in passage.follow(file_chunks(file, PIECE_BYTES)):
                yield from chunker.compress(chunk)
        yield from chunker.finish()  # type: ignore[no-untyped-call]

    def hashed() -> Iterator[bytes]:
        for chunk in compressed():
            stored.update(chunk)
            yield chunk

    save(hashed(), str(target))
    return Compressed(
        plain_bytes=total,
        plain_sha256=passage.sha256,
        stored_bytes=os.path.getsize(target),
        stored_sha256=stored.hexdigest(),
    )


def expand(source: Path, target: Path, *, plain_bytes: int, work: Work) -> str:
    """Write what was compressed into the new file `target`; the SHA-256 of that.

    Raises NotCompressed, also for a file that holds more than `plain_bytes`.
    """
    passage = Passage(plain_bytes, work)
    save(passage.follow(_expanded(source, plain_bytes)), str(target))
    return passage.sha256


def expanded_sha256(source: Path, *, plain_bytes: int, work: Work) -> str:
    """As `expand`, without writing it."""
    return Passage(plain_bytes, work).exhaust(_expanded(source, plain_bytes))


def _expanded(source: Path, plain_bytes: int) -> Iterator[bytes]:
    # A megabyte of a hostile or damaged file can stand for gigabytes: the reader gives them out a
    # piece at a time, and no more than there should be.
    left = plain_bytes
    try:
        with open(source, "rb") as file:
            decompressor = zstandard.ZstdDecompressor(max_window_size=WINDOW_BYTES_MAX)
            reader = decompressor.stream_reader(file, read_size=CHUNK_BYTES)
            while chunk := reader.read(CHUNK_BYTES):
                left -= len(chunk)
                if left < 0:
                    raise NotCompressed(f"{source.name} holds more than {plain_bytes:,} bytes")
                yield chunk
    except zstandard.ZstdError as error:
        raise NotCompressed(f"{source.name} can't be decompressed: {error}") from error
