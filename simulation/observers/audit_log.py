"""The operators' audit log as the last process has left it, read by the specification alone
(docs/decisions/0016-audit-log.md): each line holds the number after the last one's and its hash,
and every order that was answered as done is there, with its subject, reason and figures.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from simulation.orders import Order

NO_LINE_BEFORE: Final = "0" * 64


def fault_of(file: Path, done: Sequence[Order]) -> str:
    """What is wrong with it; empty: nothing."""
    try:
        lines = list(_chain(file.read_bytes() if file.exists() else b""))
    except ValueError as error:
        return str(error)
    there = Counter(_order(line) for line in lines if line["kind"] == "action")
    missing = Counter(done) - there
    return f"not on record: {sorted(missing, key=str)[0]}" if missing else ""


def _chain(content: bytes) -> Iterator[dict[str, Any]]:
    """The entries. What follows the last newline is no line. Raises ValueError."""
    prev = NO_LINE_BEFORE
    for number, text in enumerate(content.split(b"\n")[:-1], start=1):
        line: dict[str, Any] = json.loads(text)
        if (line["n"], line["prev"]) != (number, prev):
            raise ValueError(f"line {number} does not follow the one before: {line}")
        prev = hashlib.sha256(text).hexdigest()
        yield line


def _order(line: dict[str, Any]) -> Order:
    """As `simulation.orders` has it: of an actor's path the last part."""
    subject, figures = line["subject"], line["figures"]
    return Order(
        what=line["what"],
        subject=subject.rpartition("/")[2] if line["what"] == "restart" else subject,
        why=line["why"],
        amount_micros=figures.get("amount_micros") if line["what"] in OF_MONEY else None,
        reference=figures.get("reference"),
    )


OF_MONEY: Final = ("deposit", "adjust", "withdraw_bankroll")
"""Orders that name an amount. Whoever decides a withdrawal does not, though the line has it."""
