"""Requests over the WebSocket: every field that can be wrong is named, and nothing raises."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.client_socket import (
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


@given(st.text(max_size=100) | JSON_VALUES.map(json.dumps))
def test_any_frame_is_a_request_or_a_refusal(frame: str) -> None:
    parse_op(frame)
