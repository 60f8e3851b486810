"""The audit log of a run: what the venue writes is found well, and what is wrong in it is found."""

from collections.abc import Callable
from pathlib import Path

import pytest

from db.audit_log import FileAuditLog
from protocols.audit_log import Action, Outcome
from simulation.observers.audit_log import fault_of
from simulation.orders import Order

DONE = (
    Order("hold", "", "drill"),
    Order("restart", "batcher", "drill"),
    Order("adjust", "0x1", "drill", -5, "r"),
    Order("withdrawal_paid", "w", "", reference="tx"),
)
FACTS = (
    Action(by="op", what="hold", why="drill"),
    Action(by="op", what="restart", subject="venue/batcher", why="drill"),
    Outcome(of=1),
    Action(
        by="op",
        what="adjust",
        subject="0x1",
        why="drill",
        figures={"amount_micros": -5, "reference": "r", "bet_id": None},
    ),
    Action(
        by="op",
        what="withdrawal_paid",
        subject="w",
        figures={"amount_micros": 9, "reference": "tx"},
    ),
)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    file = tmp_path / "audit.jsonl"
    for fact in FACTS:
        FileAuditLog(file).write(fact, at_ms=1_770_100_000_000)
    return file


def test_what_the_venue_writes_is_well(written: Path, tmp_path: Path) -> None:
    assert fault_of(written, DONE) == ""
    assert fault_of(tmp_path / "none.jsonl", []) == ""


def test_the_beginning_of_a_line_is_none(written: Path) -> None:
    written.write_bytes(written.read_bytes() + b'{"n":6,')
    assert fault_of(written, DONE) == ""


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda content: content.replace(b":-5,", b":-6,"), "does not follow"),
        (lambda content: content.split(b"\n", 1)[1], "does not follow"),
        (lambda content: content[:-1].rpartition(b"\n")[0] + b"\n", "not on record"),
        (lambda content: b"", "not on record"),
    ],
)
def test_what_is_wrong_is_found(written: Path, spoil: Callable[[bytes], bytes], why: str) -> None:
    written.write_bytes(spoil(written.read_bytes()))
    assert why in fault_of(written, DONE)


def test_an_order_that_was_done_twice_stands_there_twice(written: Path) -> None:
    assert "not on record" in fault_of(written, [*DONE, DONE[0]])
