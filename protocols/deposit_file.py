"""A file of deposits: one `wallet,micros[,reference]` per line, checked as a whole.

Blank lines and lines that begin with `#` say nothing. A line without a reference gets one made of
the file's content and the line's number, so that handing the same file in twice credits once.
"""

import hashlib
from collections.abc import Iterable

import attrs

from domain.refusals import Refusal
from domain.wallet import Keccak
from protocols.client_ops import DEPOSIT, DepositRequest


@attrs.frozen(kw_only=True)
class Line:
    """One deposit, and the number of its line, from 1 on."""

    number: int
    deposit: DepositRequest


@attrs.frozen(kw_only=True)
class BadLine:
    """A line that is no deposit, and why."""

    number: int
    why: str


def parse_deposits(content: str, *, keccak: Keccak) -> tuple[tuple[Line, ...], tuple[BadLine, ...]]:
    """The deposits of a file in order, and every line that is at fault.

    A reference that occurs twice is at fault: the second would silently credit nothing.
    """
    digest = hashlib.sha256(content.encode()).hexdigest()[:32]
    entries = [
        _parse(number, line, reference=f"fund:{digest}:{number}", keccak=keccak)
        for number, line in enumerate(content.splitlines(), start=1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    lines = tuple(entry for entry in entries if isinstance(entry, Line))
    bad = [entry for entry in entries if isinstance(entry, BadLine)]
    in_order = sorted([*bad, *_repeated(lines)], key=lambda entry: entry.number)
    return lines, tuple(in_order)


def _parse(number: int, line: str, *, reference: str, keccak: Keccak) -> Line | BadLine:
    """By the rules of `POST /ops/deposits`: a file may say nothing that the API would refuse."""
    fields = [field.strip() for field in line.split(",")]
    if len(fields) not in {2, 3}:
        return BadLine(number=number, why="is not `wallet,micros` or `wallet,micros,reference`")
    wallet, micros = fields[:2]
    found = DEPOSIT.parse(
        {
            "wallet": wallet,
            "amount_micros": micros,
            "reference": fields[2] if len(fields) == 3 else reference,
        },
        keccak=keccak,
    )
    if isinstance(found, Refusal):
        return BadLine(number=number, why=found.message)
    return Line(number=number, deposit=found)


def _repeated(lines: Iterable[Line]) -> Iterable[BadLine]:
    first: dict[str, int] = {}
    for line in lines:
        number = first.setdefault(line.deposit.reference, line.number)
        if number != line.number:
            yield BadLine(number=line.number, why=f"reference: is that of line {number}")
