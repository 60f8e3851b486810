"""What clients ask for in query strings: every parameter that can be wrong is named."""

import pytest

from domain.refusals import Code, Refusal
from protocols.client_queries import (
    HISTORY_MS_MAX,
    BetsQuery,
    HistoryQuery,
    StatementQuery,
    bets_cursor,
    parse_bets_query,
    parse_history_query,
    parse_statement_query,
)
from protocols.money import BetStatus

NOW_MS = 1_770_100_003_000
BET_ID = "01HZX3Y4Z5A6B7C8D9E0F1G2H3"


def field_of(result: object) -> object:
    """The field that a refusal names."""
    assert isinstance(result, Refusal), result
    assert result.code is Code.BAD_REQUEST
    return result.details["field"]


def test_bets_without_a_query() -> None:
    assert parse_bets_query({}) == BetsQuery(
        statuses=(), from_ms=None, to_ms=None, before=None, limit=50
    )


def test_bets_with_everything() -> None:
    asked = parse_bets_query(
        {
            "status": ["won,lost,won"],
            "from": ["5"],
            "to": ["9"],
            "cursor": [bets_cursor(7, BET_ID)],
            "limit": ["3"],
        }
    )
    assert asked == BetsQuery(
        statuses=(BetStatus.WON, BetStatus.LOST),
        from_ms=5,
        to_ms=9,
        before=(7, BET_ID),
        limit=3,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("status", "happy"),
        ("status", ""),
        ("from", "-1"),
        ("to", "x"),
        ("cursor", "7"),
        ("cursor", f"07_{BET_ID}"),
        ("cursor", "7_ABC"),
        ("limit", "0"),
        ("limit", "201"),
    ],
)
def test_a_query_that_is_not_well_formed(name: str, value: str) -> None:
    assert field_of(parse_bets_query({name: [value]})) == name


def test_a_parameter_that_occurs_twice_is_named() -> None:
    assert field_of(parse_bets_query({"limit": ["1", "2"]})) == "limit"


def test_a_statement() -> None:
    assert parse_statement_query({"cursor": ["9"]}) == StatementQuery(before=9, limit=50)
    assert field_of(parse_statement_query({"cursor": ["x"]})) == "cursor"


def test_history_is_the_last_five_minutes_by_default() -> None:
    assert parse_history_query({}, now_ms=NOW_MS) == HistoryQuery(
        from_ms=NOW_MS - 300_000, to_ms=NOW_MS, interval_ms=1_000, limit=2_000
    )


def test_history_in_ticks() -> None:
    asked = parse_history_query({"interval": ["tick"], "limit": ["7"]}, now_ms=NOW_MS)
    assert isinstance(asked, HistoryQuery)
    assert (asked.interval_ms, asked.limit) == (0, 7)


@pytest.mark.parametrize(
    ("name", "value"),
    [("from", str(NOW_MS + 1)), ("interval", "999"), ("interval", "minute"), ("limit", "2001")],
)
def test_history_that_is_not_well_formed(name: str, value: str) -> None:
    assert field_of(parse_history_query({name: [value]}, now_ms=NOW_MS)) == name


def test_history_before_the_record_is_archived() -> None:
    edge_ms = NOW_MS - HISTORY_MS_MAX
    kept = parse_history_query({"from": [str(edge_ms)]}, now_ms=NOW_MS)
    gone = parse_history_query({"from": [str(edge_ms - 1)]}, now_ms=NOW_MS)
    assert isinstance(kept, HistoryQuery)
    assert isinstance(gone, Refusal)
    assert gone.code is Code.ARCHIVED
