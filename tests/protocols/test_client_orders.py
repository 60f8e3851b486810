"""What operators are told of their orders, and of the audit log."""

import json

import pytest
from eth_hash.auto import keccak

from protocols.audit_log import NO_LINE_BEFORE, Action, Outcome, SetAside, line_of, parse_line
from protocols.client_orders import ACTOR, AUDIT, COLUMN_START, AuditQuery, audit_page_json
from tests.support.client_json import field_of

FACTS = (
    Action(by="ann", what="hold", why="drill", figures={"amount_micros": 5}),
    Outcome(of=1, status=200),
    SetAside(file="audit.jsonl.torn-3", bytes=7, file_sha256="ab" * 32),
)


def test_a_page_of_the_audit_log_is_what_stands_in_it() -> None:
    lines = [line_of(fact, n=n, prev=NO_LINE_BEFORE, at_ms=n) for n, fact in enumerate(FACTS, 2)]
    entries = [parse_line(line) for line in lines]
    page = audit_page_json(entries[::-1], limit=3)
    assert page["next_cursor"] == "2"
    for line, shown in zip(lines[::-1], page["entries"], strict=True):
        assert json.loads(line).items() <= shown.items()
    assert [shown["sha256"] for shown in page["entries"]] == [e.sha256 for e in entries[::-1]]


def test_after_the_first_line_there_is_no_page() -> None:
    entry = parse_line(line_of(FACTS[0], n=1, prev=NO_LINE_BEFORE, at_ms=1))
    assert audit_page_json([entry], limit=1)["next_cursor"] is None
    assert audit_page_json([], limit=1)["next_cursor"] is None


def test_which_page_of_the_audit_log() -> None:
    assert AUDIT.parse_query({}, keccak=keccak) == AuditQuery(before=None, limit=50)
    asked = AUDIT.parse_query({"cursor": ["7"], "limit": ["2"]}, keccak=keccak)
    assert asked == AuditQuery(before=7, limit=2)
    assert field_of(AUDIT.parse_query({"cursor": ["0"]}, keccak=keccak)) == "cursor"


@pytest.mark.parametrize("start", ["0", "x", "01", "1" * 11, None])
def test_what_names_no_column(start: object) -> None:
    assert field_of(COLUMN_START.parse({"start": start}, keccak=keccak)) == "start"


@pytest.mark.parametrize("name", ["quoter", "venue/market/quoter"])
def test_what_may_name_an_actor(name: str) -> None:
    assert ACTOR.kind.read({"name": name}, "name", keccak) == name
