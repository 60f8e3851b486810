"""The lines of the operators' audit log, and the chain that they make."""

import json
from collections.abc import Sequence

import attrs
import pytest

from protocols.audit_log import (
    LINE_BYTES_MAX,
    NO_LINE_BEFORE,
    Action,
    AuditFact,
    ChainBroken,
    NoEntry,
    Outcome,
    SetAside,
    check_chain,
    line_of,
    parse_line,
    sha256_of,
)

FREEZE = Action(
    by="ann",
    what="freeze",
    subject="0x" + "ab" * 20,
    why="chargeback",
    request_id="r-1",
    figures={"amount_micros": 5, "reference": None, "repeated": False},
)
FACTS: Sequence[AuditFact] = (
    FREEZE,
    Outcome(of=1, status=200),
    Action(by="bob", what="hold", why='he said "stop"\n\u202e'),
    Outcome(of=3, code="overloaded", status=503),
    SetAside(file="audit.jsonl.torn-5", bytes=17, file_sha256="ab" * 32),
)


def chain(facts: Sequence[AuditFact] = FACTS) -> list[bytes]:
    lines: list[bytes] = []
    prev = NO_LINE_BEFORE
    for n, fact in enumerate(facts, start=1):
        lines.append(line_of(fact, n=n, prev=prev, at_ms=1_000 + n))
        prev = sha256_of(lines[-1])
    return lines


def test_the_first_line_follows_64_zeros() -> None:
    assert json.loads(chain()[0])["prev"] == "0" * 64


def test_each_line_holds_the_hash_of_the_one_before() -> None:
    first, second, *_ = chain()
    assert json.loads(second)["prev"] == sha256_of(first)


def test_a_line_is_one_line_of_ascii_whatever_it_says() -> None:
    for line in chain():
        assert b"\n" not in line
        assert line.isascii()


@pytest.mark.parametrize("fact", FACTS)
def test_what_is_written_is_read(fact: AuditFact) -> None:
    line = line_of(fact, n=7, prev="cd" * 32, at_ms=5)
    entry = parse_line(line)
    assert (entry.n, entry.prev, entry.at_ms, entry.fact) == (7, "cd" * 32, 5, fact)
    assert entry.sha256 == sha256_of(line)


def test_a_line_says_what_it_is() -> None:
    assert [json.loads(line)["kind"] for line in chain()] == [
        "action",
        "outcome",
        "action",
        "outcome",
        "set_aside",
    ]


def test_no_line_is_longer_than_a_reader_looks_for() -> None:
    with pytest.raises(ValueError, match="bytes"):
        line_of(attrs.evolve(FREEZE, why="x" * LINE_BYTES_MAX), n=1, prev="", at_ms=0)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\x00\x00",
        b"[]",
        b"7",
        b'{"n":1}',
        b'{"n":1,"prev":"","at_ms":1,"kind":"other"}',
        b'{"n":1,"prev":"","at_ms":1,"kind":"action"}',
        b'{"n":"1","prev":"","at_ms":1,"kind":"outcome","of":1}',
        b'{"n":1,"prev":"","at_ms":1,"kind":["action"]}',
        b"[" * 20_000,
    ],
)
def test_what_is_no_entry_is_told(line: bytes) -> None:
    with pytest.raises(NoEntry):
        parse_line(line)


# --- the chain ----------------------------------------------------------------------------------


def test_a_whole_chain_is_given_back() -> None:
    assert [entry.fact for entry in check_chain(chain())] == list(FACTS)


def test_a_log_of_no_lines_is_whole() -> None:
    assert list(check_chain([])) == []


def broken_at(lines: list[bytes]) -> int:
    with pytest.raises(ChainBroken) as broken:
        list(check_chain(lines))
    assert f"line {broken.value.line} " in str(broken.value)
    return broken.value.line


def test_a_changed_line_is_named_by_the_one_after() -> None:
    lines = chain()
    lines[2] = lines[2].replace(b"bob", b"ann")
    assert broken_at(lines) == 4


def test_a_line_that_was_taken_out_is_seen() -> None:
    lines = chain()
    del lines[1]
    assert broken_at(lines) == 2


def test_a_line_that_was_put_in_is_seen() -> None:
    lines = chain()
    lines.insert(1, lines[1])
    assert broken_at(lines) == 3


def test_lines_that_were_swapped_are_seen() -> None:
    lines = chain()
    lines[1], lines[3] = lines[3], lines[1]
    assert broken_at(lines) == 2


def test_a_line_that_was_renumbered_is_seen() -> None:
    lines = chain()
    lines[1] = lines[1].replace(b'"n":2', b'"n":3')
    assert broken_at(lines) == 2


def test_a_log_whose_beginning_is_gone_is_seen() -> None:
    assert broken_at(chain()[1:]) == 1


def test_a_line_that_is_no_entry_is_named() -> None:
    lines = chain()
    lines[3] = b"{}"
    assert broken_at(lines) == 4
