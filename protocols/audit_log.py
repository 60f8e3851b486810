"""The operators' audit log: who asked for what and why, before it is done; then what became of it.

One JSON object a line. Each holds the SHA-256 of the line before it (`prev`, 64 zeros in the first)
and its own number `n`, so that nothing before the end can be changed, put in or taken out unseen.
Lines are hashed as they stand, without the newline. What is written here holds no secret.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Protocol, TypeAlias

import attrs
import msgspec

from domain.units import EpochMs

NO_LINE_BEFORE: Final = "0" * 64
LINE_BYTES_MAX: Final = 32_768
"""Twice the longest that forms let through: a reason of 500 characters is 6,000 bytes at most."""
DONE: Final = "done"

Figure: TypeAlias = int | str | bool | None


@attrs.frozen(kw_only=True)
class Action:
    """What an operator is about to have done. On disk before anything of it is."""

    by: str
    what: str
    """The operation, e.g. `deposit`."""
    subject: str = ""
    """Whom or what it concerns: a wallet, a column, an actor."""
    why: str = ""
    request_id: str = ""
    figures: Mapping[str, Figure] = attrs.field(factory=dict)
    """Amounts and references, with their units in their names."""


@attrs.frozen(kw_only=True)
class Outcome:
    """What became of an action. An action without one was cut off: look what was done of it."""

    of: int
    """The number of the action's entry."""
    code: str = DONE
    """`done`, or the error code: `status_unknown` says that it may have been done."""
    status: int | None = None
    """Of the HTTP answer; null where a tool did it."""
    figures: Mapping[str, Figure] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class SetAside:
    """A crash, or a full disk, had cut the last line off; what was there of it is in `file`.

    The action of such a line was not begun.
    """

    file: str
    bytes: int
    file_sha256: str


AuditFact: TypeAlias = Action | Outcome | SetAside


@attrs.frozen(kw_only=True)
class AuditEntry:
    """One line."""

    n: int
    """From 1 on, without a gap."""
    prev: str
    at_ms: EpochMs
    fact: AuditFact
    sha256: str
    """Of this line: the `prev` of the next."""


class AuditLogUnwritable(Exception):
    """The log could not be written, so what was to be done must not be. Nothing of it counts."""


class AuditLogUnreadable(Exception):
    """The log can't be read, or holds a line that is no entry."""


class AuditLog(Protocol):
    """The log. Calls block: use a Worker. One writer at a time: whoever holds the data folder."""

    def write(self, fact: AuditFact, *, at_ms: EpochMs) -> AuditEntry:
        """Add an entry; on disk when it returns. Raises AuditLogUnwritable."""
        ...

    def page(self, *, before: int | None = None, limit: int = 50) -> Sequence[AuditEntry]:
        """Newest first; `before` is the last number of the page before.

        Raises AuditLogUnreadable.
        """
        ...


# --- lines --------------------------------------------------------------------------------------


class NoEntry(Exception):
    """The line is no entry of an audit log; the text says why."""


_KINDS: Final[Mapping[str, type[AuditFact]]] = {
    "action": Action,
    "outcome": Outcome,
    "set_aside": SetAside,
}
_NAMES: Final = {kind: name for name, kind in _KINDS.items()}


def line_of(fact: AuditFact, *, n: int, prev: str, at_ms: EpochMs) -> bytes:
    """The line, without its newline. Raises ValueError for one that is longer than may be."""
    head = {"n": n, "prev": prev, "at_ms": at_ms, "kind": _NAMES[type(fact)]}
    line = json.dumps({**head, **attrs.asdict(fact)}, separators=(",", ":")).encode()
    if len(line) > LINE_BYTES_MAX:
        raise ValueError(f"an audit line of {len(line)} bytes")
    return line


def parse_line(line: bytes) -> AuditEntry:
    """The entry that the line is. Raises NoEntry."""
    try:
        fields: dict[str, Any] = json.loads(line)
        fact = msgspec.convert(fields, _KINDS[fields["kind"]])
        head = msgspec.convert(fields, _Head)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise NoEntry(f"is no entry: {error}") from error
    return AuditEntry(n=head.n, prev=head.prev, at_ms=head.at_ms, fact=fact, sha256=sha256_of(line))


@attrs.frozen(kw_only=True)
class _Head:
    n: int
    prev: str
    at_ms: EpochMs


def sha256_of(line: bytes) -> str:
    """What the next line's `prev` must be."""
    return hashlib.sha256(line).hexdigest()


# --- the chain ----------------------------------------------------------------------------------


class ChainBroken(Exception):
    """A line is not the one that was written there, or the one before it is not."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(f"line {line} {why}")
        self.line = line


def check_chain(lines: Iterable[bytes]) -> Iterator[AuditEntry]:
    """The entries of a whole log, each checked against the one before. Raises ChainBroken."""
    prev = NO_LINE_BEFORE
    for number, line in enumerate(lines, start=1):
        try:
            entry = parse_line(line)
        except NoEntry as error:
            raise ChainBroken(number, str(error)) from error
        if entry.n != number:
            raise ChainBroken(number, f"has the number {entry.n}")
        if entry.prev != prev:
            raise ChainBroken(number, "does not follow the line before: one of the two was changed")
        yield entry
        prev = entry.sha256
