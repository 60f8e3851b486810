"""What is no JSON object is refused, and nothing raises."""

import json
import timeit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.limits import BODY_BYTES_MAX
from domain.refusals import Refusal
from protocols.client_fields import parse_object
from tests.support.client_json import field_of


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b"{} {}",
        b'{"a": 01}',
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": ' + b"9" * 5_000 + b"}",
        b"[" * 16_000,
        b'{"a": ' * 2_500 + b"1" + b"}" * 2_500,
        b'{"a": "\xff"}',
        b'\xef\xbb\xbf{"a": 1}',
        b"\x00",
        b"{'a': 1}",
    ],
)
def test_what_is_no_json_object_is_refused_as_body(body: bytes) -> None:
    assert field_of(parse_object(body)) == "body"


def test_a_key_that_occurs_twice_is_named() -> None:
    assert field_of(parse_object(b'{"amount": 1, "b": 2, "amount": 3}')) == "amount"
    assert field_of(parse_object(b'{"a": {"inner": 1, "inner": 1}}')) == "inner"


def test_a_body_full_of_names_holds_nobody_up() -> None:
    """85 ms where each name was looked for among all others: twelve such bodies a second, which no
    limit counts, were all that the venue had time for."""
    names = [f"{n:03x}" for n in range(1_600)]
    body = json.dumps(dict.fromkeys(names, 1), separators=(",", ":"))[:-1] + ',"last":1,"last":1}'
    assert len(body) < BODY_BYTES_MAX
    assert field_of(parse_object(body)) == "last"
    assert min(timeit.repeat(lambda: parse_object(body), number=1, repeat=5)) < 0.015


def test_a_key_is_named_only_in_text_that_can_be_sent_back() -> None:
    refusal = parse_object(b'{"\\ud800": 1, "\\ud800": 2}')
    json.dumps(field_of(refusal)).encode("utf-8")


@given(st.binary(max_size=200))
def test_any_bytes_are_an_object_or_a_refusal(body: bytes) -> None:
    assert isinstance(parse_object(body), dict | Refusal)
