"""`tapgrid audit`: what operators did, checked line by line against the chain."""

from collections.abc import Iterator, Mapping
from itertools import tee
from pathlib import Path
from typing import TextIO

from actors.commands.backup import utc
from actors.commands.exits import NO_FOLDER, OK, WRONG, CannotDo
from db.audit_log import whole_lines
from db.data_folder import DataFolder
from protocols.audit_log import (
    DONE,
    NO_LINE_BEFORE,
    Action,
    AuditEntry,
    ChainBroken,
    Figure,
    Outcome,
    SetAside,
    check_chain,
)


def audit(*, data: Path, as_json: bool, out: TextIO, notes: TextIO) -> int:
    """Print every entry, oldest first, while a venue may run. WRONG at the first broken line.

    As JSON the lines are printed as they stand; what is said of them goes to `notes`.
    """
    file = DataFolder.existing(data).audit_file
    count, sha256 = 0, NO_LINE_BEFORE
    try:
        for entry, line in _checked(file):
            out.write(f"{line.decode('ascii') if as_json else entry_line(entry)}\n")
            count, sha256 = entry.n, entry.sha256
    except FileNotFoundError:
        notes.write(f"nothing is on record: there is no {file}\n")
        return OK
    except ChainBroken as broken:
        notes.write(f"{file}: {broken}; the {count:,} lines before it are as they were written\n")
        return WRONG
    notes.write(f"checked {count:,} lines: the chain holds; the last is {sha256}\n")
    return OK


def _checked(file: Path) -> Iterator[tuple[AuditEntry, bytes]]:
    """Each entry, and the line that it was."""
    lines, same = tee(_read(file))
    return zip(check_chain(lines), same, strict=False)


def _read(file: Path) -> Iterator[bytes]:
    """Its lines. What goes wrong with printing them is not the file's fault."""
    try:
        yield from whole_lines(file)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise CannotDo(f"{file} can't be read: {error}", NO_FOLDER) from error


def entry_line(entry: AuditEntry) -> str:
    """One line for people; nothing in it can move their cursor or change their screen."""
    words = _words(entry)
    shown = "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in words)
    return f"{entry.n:>6}  {utc(entry.at_ms)}  {shown}"


def _words(entry: AuditEntry) -> str:
    match entry.fact:
        case Action() as of:
            what = " ".join(word for word in (of.what, of.subject) if word)
            why = f"  because {of.why}" if of.why else ""
            return f"{of.by}: {what}{_figures(of.figures)}{why}"
        case Outcome() as of:
            status = f" ({of.status})" if of.status is not None and of.code != DONE else ""
            return f"  -> {of.of}: {of.code}{status}{_figures(of.figures)}"
        case SetAside() as of:
            return f"a line was cut off; what was left of it is in {of.file}"


def _figures(figures: Mapping[str, Figure]) -> str:
    return "".join(
        f"  {name}={value}" for name, value in figures.items() if value not in (None, "")
    )
