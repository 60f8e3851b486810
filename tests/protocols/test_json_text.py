"""Nesting is bounded before decoding, whatever the interpreter's recursion limit is."""

import sys
from collections.abc import Iterator

import pytest

from domain.refusals import Refusal
from protocols.client_fields import parse_object
from protocols.exchange_wire import FaultReason, parse_binance, parse_coinbase
from protocols.json_text import opens_more_than


@pytest.fixture
def high_recursion_limit() -> Iterator[None]:
    """As a library may leave it; decoding 100,000 brackets then ends the process."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(100_000)
    yield
    sys.setrecursionlimit(before)


@pytest.mark.parametrize("text", ["[{[", b"[{[", 'a"[["{'])
def test_openers_are_counted(text: str | bytes) -> None:
    assert opens_more_than(text, 2)
    assert not opens_more_than(text, 3)


@pytest.mark.usefixtures("high_recursion_limit")
@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 50_000])
def test_deep_nesting_is_refused_at_any_recursion_limit(text: str) -> None:
    for parse in (parse_binance, parse_coinbase):
        fault = parse(text, 0).fault
        assert fault is not None
        assert fault.reason is FaultReason.NOT_JSON
    assert isinstance(parse_object(text), Refusal)
