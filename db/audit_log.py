"""The operators' audit log as a file of lines, each on disk before the next thing happens.

Every call looks at the end of the file anew, and remembers nothing: a file that an operator has
moved away is begun anew, and what a crash has left of a line is seen by whoever writes next. That
part is put in a file of its own, `audit.jsonl.torn-N`, where N is the number that its line would
have had; the file's presence then says that entry N has to be the note about it, so that a crash
in the middle of this loses nothing either.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import attrs

from db.durable_file import PRIVATE, replace_file, sync_folder
from domain.units import EpochMs
from protocols.audit_log import (
    LINE_BYTES_MAX,
    NO_LINE_BEFORE,
    AuditEntry,
    AuditFact,
    AuditLogUnreadable,
    AuditLogUnwritable,
    NoEntry,
    SetAside,
    line_of,
    parse_line,
    sha256_of,
)

_BLOCK_BYTES = 2 * LINE_BYTES_MAX + 2
"""Read from any place, so much holds one whole line, if there is one after that place."""


@attrs.frozen
class _End:
    """Where the next line goes, and what it follows."""

    offset: int
    """After the last newline."""
    n: int
    sha256: str
    torn: bytes
    """What follows that newline: the beginning of a line that was cut off."""


class FileAuditLog:
    """Implements `protocols.audit_log.AuditLog`. Whoever writes holds the data folder's lock."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def write(self, fact: AuditFact, *, at_ms: EpochMs) -> AuditEntry:
        """Add an entry; on disk when it returns. Raises AuditLogUnwritable."""
        try:
            with self._for_writing() as descriptor:
                end = self._mended(descriptor, at_ms)
                return _append(descriptor, end, fact, at_ms)
        except (OSError, NoEntry) as error:
            raise AuditLogUnwritable(f"{self._file} can't be written: {error}") from error

    def page(self, *, before: int | None = None, limit: int = 50) -> tuple[AuditEntry, ...]:
        """Newest first. Raises AuditLogUnreadable."""
        try:
            with self._file.open("rb") as file:
                end = _offset_before(file, before)
                return tuple(parse_line(line) for line in _last_lines(file, end, limit))
        except FileNotFoundError:
            return ()
        except (OSError, NoEntry) as error:
            raise AuditLogUnreadable(f"{self._file} can't be read: {error}") from error

    @contextmanager
    def _for_writing(self) -> Iterator[int]:
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        descriptor = os.open(self._file, flags, PRIVATE)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def _mended(self, descriptor: int, at_ms: EpochMs) -> _End:
        """The end of the log, after a line that was cut off has been set aside and noted."""
        end = _end_of(descriptor)
        if end.offset == 0:
            sync_folder(self._file.parent)  # the file may be new
        aside = self._file.with_name(f"{self._file.name}.torn-{end.n + 1}")
        if end.torn and not aside.exists():
            replace_file(aside, end.torn.decode("ascii", "backslashreplace"), mode=PRIVATE)
        if end.torn:
            os.ftruncate(descriptor, end.offset)
        if not aside.exists():
            return end
        content = aside.read_bytes()
        note = SetAside(file=aside.name, bytes=len(content), file_sha256=sha256_of(content))
        _append(descriptor, end, note, at_ms)
        return _end_of(descriptor)


def _end_of(descriptor: int) -> _End:
    """Raises NoEntry where the last line is none."""
    size = os.fstat(descriptor).st_size
    begin = max(0, size - _BLOCK_BYTES)
    whole, newline, torn = os.pread(descriptor, _BLOCK_BYTES, begin).rpartition(b"\n")
    if not newline and begin:
        raise NoEntry(f"there is no end of a line in its last {_BLOCK_BYTES:,} bytes")
    if not newline:
        return _End(0, 0, NO_LINE_BEFORE, torn)
    last = parse_line(whole.rpartition(b"\n")[2])
    return _End(size - len(torn), last.n, last.sha256, torn)


def _append(descriptor: int, end: _End, fact: AuditFact, at_ms: EpochMs) -> AuditEntry:
    """One line at the end, or nothing."""
    line = line_of(fact, n=end.n + 1, prev=end.sha256, at_ms=at_ms)
    try:
        if os.write(descriptor, line + b"\n") <= len(line):
            raise OSError("the disk took a part of the line only")
        os.fsync(descriptor)
    except OSError:
        with suppress(OSError):  # then the next one sets it aside
            os.ftruncate(descriptor, end.offset)
        raise
    return parse_line(line)


# --- reading ------------------------------------------------------------------------------------


def whole_lines(file: Path) -> Iterator[bytes]:
    """The lines without their newlines, from the first. What follows the last newline is left out:
    it is being written, or was cut off."""
    with file.open("rb") as opened:
        for line in opened:
            if line.endswith(b"\n"):
                yield line[:-1]


def _offset_before(file: BinaryIO, n: int | None) -> int:
    """Where the lines before entry `n` end; by default where all do. Numbers rise, so it is found
    by halving."""
    low, high = 0, file.seek(0, os.SEEK_END)
    if n is None:
        return high
    while low < high:
        middle = (low + high) // 2
        begin, line = _line_from(file, middle)
        if line is None or parse_line(line).n >= n:
            high = middle
        else:
            low = begin + len(line) + 1
    return _line_from(file, low)[0]


def _line_from(file: BinaryIO, offset: int) -> tuple[int, bytes | None]:
    """The first whole line that begins there or later, and where; None at the end."""
    begin = max(0, offset - 1)
    file.seek(begin)
    block = file.read(_BLOCK_BYTES)
    skipped = block.find(b"\n") + 1 if offset else 0
    end = block.find(b"\n", skipped)
    if (offset and not skipped) or end < 0:
        return begin + len(block), None
    return begin + skipped, block[skipped:end]


def _last_lines(file: BinaryIO, end: int, limit: int) -> list[bytes]:
    """At most so many whole lines before `end`, the last one first."""
    begin, read = end, b""
    while begin > 0 and read.count(b"\n") <= limit:
        before = max(0, begin - _BLOCK_BYTES)
        file.seek(before)
        read = file.read(begin - before) + read
        begin = before
    *lines, _ = read.split(b"\n")
    return lines[::-1][: min(limit, len(lines) - (begin > 0))]
