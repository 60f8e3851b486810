"""Nesting is bounded before decoding, whatever the interpreter's recursion limit is."""

import json
import sys
from collections.abc import Iterator

import pytest

from domain.refusals import Refusal
from protocols.client_fields import parse_object
from protocols.exchange_wire import FaultReason, parse_binance, parse_coinbase
from protocols.json_text import DEPTH_MAX, nests_too_deep


@pytest.fixture
def high_recursion_limit() -> Iterator[None]:
    """As a library may leave it; decoding 100,000 brackets then ends the process."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(100_000)
    yield
    sys.setrecursionlimit(before)


@pytest.mark.parametrize("opener", ["[", '{"a":'])
def test_the_deepest_that_is_let_through(opener: str) -> None:
    assert not nests_too_deep(opener * DEPTH_MAX)
    assert nests_too_deep(opener * (DEPTH_MAX + 1))
    assert nests_too_deep((opener * (DEPTH_MAX + 1)).encode())


@pytest.mark.parametrize(
    "text",
    [
        "[" + "[1]," * 5_000 + "[1]]",
        '{"bids":' + "[[1,2],[3,4]]" * 300 + "}",
        '"' + "[" * 5_000 + '"',
        r'"\" ""' + "[" * 5_000 + '"',
        json.dumps({"a": "[{" * 500, "b": ['"', "[" * 500]}),
    ],
    ids=["wide", "book", "in a string", "after an escape", "dumped"],
)
def test_wide_text_and_brackets_in_strings_are_not_deep(text: str) -> None:
    assert not nests_too_deep(text)
    assert not nests_too_deep(text.encode())


@pytest.mark.usefixtures("high_recursion_limit")
@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 50_000])
def test_deep_nesting_is_refused_at_any_recursion_limit(text: str) -> None:
    for parse in (parse_binance, parse_coinbase):
        fault = parse(text, 0).fault
        assert fault is not None
        assert fault.reason is FaultReason.NOT_JSON
    assert isinstance(parse_object(text), Refusal)
