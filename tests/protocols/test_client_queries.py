"""What clients ask for in query strings: every parameter that can be wrong is named."""

import pytest
from eth_hash.auto import keccak

from domain.refusals import Code, Refusal
from protocols.client_queries import (
    BETS,
    HISTORY,
    HISTORY_MS_MAX,
    STATEMENT,
    BetsQuery,
    HistoryQuery,
    HistoryRange,
    StatementQuery,
    bets_cursor,
    history_range,
)
from protocols.forms import Query
from protocols.money import BetStatus
from tests.support.client_json import field_of

NOW_MS = 1_770_100_003_000
BET_ID = "01HZX3Y4Z5A6B7C8D9E0F1G2H3"


def bets(query: Query) -> BetsQuery | Refusal:
    return BETS.parse_query(query, keccak=keccak)


def statement(query: Query) -> StatementQuery | Refusal:
    return STATEMENT.parse_query(query, keccak=keccak)


def history(query: Query) -> HistoryQuery | Refusal:
    return HISTORY.parse_query(query, keccak=keccak)


def within(query: Query) -> HistoryRange | Refusal:
    asked = history(query)
    assert isinstance(asked, HistoryQuery)
    return history_range(asked, now_ms=NOW_MS)


def test_bets_without_a_query() -> None:
    assert bets({}) == BetsQuery(statuses=(), from_ms=None, to_ms=None, before=None, limit=50)


def test_bets_with_everything() -> None:
    asked = bets(
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
    assert field_of(bets({name: [value]})) == name


def test_a_parameter_that_occurs_twice_is_named() -> None:
    assert field_of(bets({"limit": ["1", "2"]})) == "limit"


def test_a_statement() -> None:
    assert statement({"cursor": ["9"]}) == StatementQuery(before=9, limit=50)
    assert field_of(statement({"cursor": ["x"]})) == "cursor"


def test_history_is_the_last_five_minutes_by_default() -> None:
    assert history({}) == HistoryQuery(from_ms=None, to_ms=None, interval_ms=1_000, limit=2_000)
    assert within({}) == HistoryRange(from_ms=NOW_MS - 300_000, to_ms=NOW_MS)


def test_history_in_ticks() -> None:
    asked = history({"interval": ["tick"], "limit": ["7"]})
    assert isinstance(asked, HistoryQuery)
    assert (asked.interval_ms, asked.limit) == (0, 7)


@pytest.mark.parametrize(
    ("name", "value"), [("interval", "999"), ("interval", "minute"), ("limit", "2001")]
)
def test_history_that_is_not_well_formed(name: str, value: str) -> None:
    assert field_of(history({name: [value]})) == name


def test_history_that_ends_before_it_begins() -> None:
    assert field_of(within({"from": [str(NOW_MS + 1)]})) == "from"


def test_history_before_the_record_is_archived() -> None:
    edge_ms = NOW_MS - HISTORY_MS_MAX
    assert isinstance(within({"from": [str(edge_ms)]}), HistoryRange)
    gone = within({"from": [str(edge_ms - 1)]})
    assert isinstance(gone, Refusal)
    assert gone.code is Code.ARCHIVED
