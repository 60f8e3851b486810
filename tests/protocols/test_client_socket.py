"""Requests over the WebSocket: every field that can be wrong is named, and nothing raises."""

import json
import math
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.client_socket import (
    OPS,
    AuthOp,
    BadOp,
    BetOp,
    Channel,
    PingOp,
    ResumeOp,
    SubscribeOp,
    parse_op,
)
from tests.support.client_json import BET, JSON_VALUES, field_of


@pytest.mark.parametrize(
    ("frame", "op"),
    [
        ('{"op": "ping"}', PingOp(id=None)),
        ('{"op": "ping", "id": 7}', PingOp(id=7)),
        ('{"op": "auth", "id": "a", "token": "t"}', AuthOp(id="a", token="t")),
        ('{"op": "auth", "token": "t", "seq": "3"}', AuthOp(id=None, token="t", seq=3)),
        ('{"op": "resume", "seq": 3}', ResumeOp(id=None, seq=3)),
        (
            '{"op": "subscribe", "channels": ["price", "grid", "price"]}',
            SubscribeOp(id=None, channels=(Channel.PRICE, Channel.GRID)),
        ),
        ('{"op": "subscribe", "channels": []}', SubscribeOp(id=None, channels=())),
    ],
)
def test_a_request(frame: str, op: object) -> None:
    assert parse_op(frame) == op


def test_a_bet_keeps_its_fields_for_the_desk() -> None:
    op = parse_op(json.dumps({"op": "bet", "id": "a1", **BET}))
    assert isinstance(op, BetOp)
    assert BET.items() <= op.fields.items()


@pytest.mark.parametrize(
    ("frame", "field"),
    [
        ("hello", "body"),
        ("{}", "op"),
        ('{"op": "dance", "id": 1}', "op"),
        ('{"op": ["bet"]}', "op"),
        ('{"op": "ping", "id": {}}', "id"),
        ('{"op": "ping", "id": true}', "id"),
        ('{"op": "ping", "id": 1.5}', "id"),
        ('{"op": "ping", "id": "\\ud800"}', "id"),
        ('{"op": "ping", "id": 99999999999999999999}', "id"),
        ('{"op": "auth"}', "token"),
        ('{"op": "auth", "token": "a b"}', "token"),
        ('{"op": "auth", "token": "t", "seq": -1}', "seq"),
        ('{"op": "auth", "token": "t", "seq": null}', "seq"),
        ('{"op": "resume"}', "seq"),
        ('{"op": "subscribe"}', "channels"),
        ('{"op": "subscribe", "channels": "price"}', "channels"),
        ('{"op": "subscribe", "channels": [{}]}', "channels"),
    ],
)
def test_a_request_that_is_not_well_formed(frame: str, field: str) -> None:
    op = parse_op(frame)
    assert isinstance(op, BadOp)
    assert field_of(op.refusal) == field


def test_a_bad_request_is_answered_under_its_id() -> None:
    assert parse_op('{"op": "dance", "id": "x"}').id == "x"


IDS = st.none() | st.booleans() | st.floats() | st.text(max_size=70) | st.integers()
WORDS = st.lists(st.sampled_from(["price", "grid", "status", "bet", "", None, 1]))
REQUESTS = st.fixed_dictionaries(
    {"op": st.sampled_from([op for op in OPS if op != "bet"])},
    optional={
        "id": IDS,
        "token": st.text("aZ9 \n\x7f", max_size=5) | st.integers(),
        "seq": st.integers(-2, 10**19) | st.sampled_from(["0", "7", "07", "-1", None, True]),
        "channels": WORDS | st.text(max_size=3),
    },
)


@given(REQUESTS)
def test_a_request_is_read_if_and_only_if_it_is_as_its_schema_says(request: dict[str, Any]) -> None:
    frame = json.dumps(request, allow_nan=False) if is_json(request) else ""
    schema = jsonschema_rs.Draft202012Validator(OPS[request["op"]].schema())
    if frame:
        assert schema.is_valid(request) == (not isinstance(parse_op(frame), BadOp))


def is_json(request: dict[str, Any]) -> bool:
    given_id = request.get("id")
    return not isinstance(given_id, float) or math.isfinite(given_id)


@given(st.text(max_size=100) | JSON_VALUES.map(json.dumps))
def test_any_frame_is_a_request_or_a_refusal(frame: str) -> None:
    parse_op(frame)
