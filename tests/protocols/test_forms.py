"""Forms: a field reads what its schema allows, and nothing else."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import jsonschema_rs
import pytest
from eth_hash.auto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.refusals import Refusal
from domain.wallet import checksummed
from protocols.client_fields import BadField
from protocols.forms import (
    CellId,
    Choice,
    Choices,
    Field,
    Form,
    Given,
    Kind,
    Natural,
    Nullable,
    Optional,
    Pattern,
    Signed,
    Text,
    Wallet,
    Words,
    alone,
)
from tests.support.client_json import CHECKSUMMED, JSON_VALUES, WALLET, field_of


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


HEX = Pattern(pattern="[0-9a-f]{4}", why="must be four hexadecimal digits", example="0a1b")
KINDS: Mapping[str, Kind[object]] = {
    "natural": Natural(least=1, most=2_000),
    "signed": Signed(most=1_000),
    "text": Text(most=5),
    "words": Words(most=5),
    "pattern": HEX,
    "choice": Choice(Colour),
    "choices": Choices(Colour),
    "wallet": Wallet(also=("house",)),
    "cell": CellId(),
    "nullable": Nullable(Natural(most=9)),
    "optional": Optional(Nullable(HEX), "left out"),
}
VALUES = [
    *(0, 1, 2_000, 2_001, -1, -1_000, -1_001, 10**30, 1.5, True, None, [], {}, ["red"]),
    *(
        "",
        " ",
        "x",
        "xxxxx",
        "xxxxxx",
        "\n",
        "é",
        "\u3000",
        "0",
        "1",
        "01",
        "-1",
        "-0",
        "--1",
        "2000",
    ),
    *("0a1b", "0A1B", "0a1b\n", "red", "green", "red,green", "red,", "red,blue", "RED"),
    *(WALLET, CHECKSUMMED, "0x" + WALLET[2:].upper(), WALLET[:-1], "house", "external"),
    *("1770100010_4200000_4201000", "1770100010_4200000", "01_2_3", "1_2_3", "1_3_2"),
]


def reads(kind: Kind[object], fields: Mapping[str, object]) -> bool:
    read = alone(Field("it", kind, "")).parse(fields, keccak=keccak)
    return not isinstance(read, Refusal) or field_of(read) != "it"


def allows(kind: Kind[object], value: object) -> bool:
    checker = {"eip55": lambda text: text == checksummed(text.lower(), keccak)}
    return jsonschema_rs.Draft202012Validator(
        kind.schema(), formats=checker, validate_formats=True
    ).is_valid(value)


@pytest.mark.parametrize("value", VALUES, ids=repr)
@pytest.mark.parametrize("name", KINDS)
def test_a_kind_reads_what_its_schema_allows(name: str, value: object) -> None:
    assert reads(KINDS[name], {"it": value}) == allows(KINDS[name], value)


@settings(max_examples=50)
@given(st.sampled_from(list(KINDS.values())), JSON_VALUES)
def test_a_kind_reads_what_its_schema_allows_whatever_it_is(
    kind: Kind[object], value: object
) -> None:
    is_float = isinstance(value, float)  # of 1.0 a schema says that it is an integer; we don't
    is_surrogate = isinstance(value, str) and not value.isascii()
    if not is_float and not is_surrogate:
        assert reads(kind, {"it": value}) == allows(kind, value)


@pytest.mark.parametrize("name", KINDS)
def test_a_field_that_is_missing_is_named_unless_it_may_be_left_out(name: str) -> None:
    assert reads(KINDS[name], {}) is (name == "optional")
    assert Field("it", KINDS[name], "").required is (name != "optional")


@pytest.mark.parametrize(("given", "read"), [(-5, -5), ("-5", -5), ("5", 5), (5, 5)])
def test_a_signed_amount(given: object, read: int) -> None:
    assert Signed(most=9).read({"it": given}, "it", keccak) == read


def test_words_are_read_without_spaces_at_their_ends() -> None:
    assert Words(most=9).read({"it": " why \n"}, "it", keccak) == "why"


def test_what_may_be_null_and_what_may_be_left_out() -> None:
    kind = KINDS["optional"]
    assert kind.read({}, "it", keccak) == "left out"
    assert kind.read({"it": None}, "it", keccak) is None
    assert kind.read({"it": "0a1b"}, "it", keccak) == "0a1b"


# --- forms --------------------------------------------------------------------------------------

LOW = Field("low", Natural(), "The lower bound.")
HIGH = Field("high", Optional(Natural(), None), "The upper bound.")


def build(given: Given) -> tuple[int, int]:
    low, high = given[LOW], given[HIGH]
    if high is not None and high < low:
        raise BadField("high", "must not be below `low`")
    return low, low if high is None else high


RANGE = Form((LOW, HIGH), build)


def test_a_form_builds_its_request() -> None:
    assert RANGE.parse({"low": 1, "high": "2", "colour": "red"}, keccak=keccak) == (1, 2)
    assert alone(LOW).parse({"low": 1}, keccak=keccak) == 1


@pytest.mark.parametrize(
    ("fields", "field"),
    [({}, "low"), ({"low": "x", "high": "y"}, "low"), ({"low": 2, "high": 1}, "high")],
)
def test_a_form_names_the_first_field_at_fault(fields: dict[str, object], field: str) -> None:
    assert field_of(RANGE.parse(fields, keccak=keccak)) == field


def test_a_query_has_each_parameter_once() -> None:
    assert RANGE.parse_query({"low": ["1"]}, keccak=keccak) == (1, 1)
    assert field_of(RANGE.parse_query({"low": ["1"], "x": ["1", "2"]}, keccak=keccak)) == "x"


def test_whether_anything_must_be_sent() -> None:
    def one_of_them(given: Given) -> int:
        if given[HIGH] is None:
            raise BadField("high", "must be there after all")
        return given[HIGH] or 0

    assert RANGE.is_needed()
    assert not alone(HIGH).is_needed()
    assert Form((HIGH,), one_of_them).is_needed()


def test_a_form_describes_itself() -> None:
    schema: Any = RANGE.schema()
    assert schema["required"] == ["low"]
    assert schema["properties"]["high"]["description"] == "The upper bound."
    assert HIGH.url_schema() == {"type": "integer", "minimum": 0, "maximum": 10**18 - 1}


@settings(max_examples=30)
@given(st.dictionaries(st.sampled_from(["low", "high"]), JSON_VALUES))
def test_a_form_never_raises(fields: dict[str, Any]) -> None:
    assert isinstance(RANGE.parse(fields, keccak=keccak), tuple | Refusal)
