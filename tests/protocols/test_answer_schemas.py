"""TypedDicts described by their annotations."""

from enum import StrEnum
from typing import Annotated, Any, Literal, NotRequired, TypedDict

import pytest
from msgspec import Meta

from protocols.answer_schemas import first_words, schema_of
from protocols.samples import sample


class Colour(StrEnum):
    """What it looks like."""

    RED = "red"


class LeafJson(TypedDict):
    """A leaf.

    Nobody outside needs to know more.
    """

    colour: Colour


class TwigJson(TypedDict):
    """A twig."""

    length_cents: Annotated[int | None, Meta(description="How long.", ge=1)]
    kind: Literal["dry", "green"]
    grows_on: LeafJson | None
    buds: list[Annotated[str, Meta(pattern="^b+$", examples=["bb"])]]
    share: NotRequired[float]
    figures: dict[str, int]


class TreeJson(TypedDict):
    """A tree, which may hold trees."""

    parts: list["TwigJson | LeafJson"]
    smaller: "TreeJson | None"


def described(kind: type) -> tuple[Any, dict[str, Any]]:
    components: dict[str, Any] = {}
    return schema_of(kind, components), components


def test_a_typed_dict_is_a_component_by_its_name() -> None:
    schema, components = described(LeafJson)
    assert schema == {"$ref": "#/components/schemas/Leaf"}
    assert components["Leaf"] == {
        "type": "object",
        "properties": {"colour": {"$ref": "#/components/schemas/Colour"}},
        "required": ["colour"],
        "description": "A leaf.",
    }
    assert components["Colour"]["enum"] == ["red"]


def test_every_type_of_a_field() -> None:
    twig = described(TwigJson)[1]["Twig"]
    assert list(twig["properties"]) == list(TwigJson.__annotations__)
    assert twig["required"] == ["length_cents", "kind", "grows_on", "buds", "figures"]
    assert twig["properties"] == {
        "length_cents": {
            "anyOf": [{"type": "integer"}, {"type": "null"}],
            "description": "How long.",
            "minimum": 1,
        },
        "kind": {"enum": ["dry", "green"]},
        "grows_on": {"anyOf": [{"$ref": "#/components/schemas/Leaf"}, {"type": "null"}]},
        "buds": {
            "type": "array",
            "items": {"type": "string", "pattern": "^b+$", "examples": ["bb"]},
        },
        "share": {"type": "number"},
        "figures": {"type": "object", "additionalProperties": {"type": "integer"}},
    }


def test_several_typed_dicts_in_one_field_and_one_in_itself() -> None:
    tree = described(TreeJson)[1]["Tree"]
    either = tree["properties"]["parts"]["items"]["anyOf"]
    assert [kind["$ref"].rpartition("/")[2] for kind in either] == ["Twig", "Leaf"]
    assert tree["properties"]["smaller"]["anyOf"][0] == {"$ref": "#/components/schemas/Tree"}


def test_what_no_answer_holds_is_an_error() -> None:
    with pytest.raises(TypeError, match="no answer holds"):
        schema_of(bytes, {})


def test_of_a_docstring_the_first_paragraph_is_told() -> None:
    assert first_words("One\n    two.\n\n    Three.") == "One two."
    assert first_words(None) == ""


def test_a_sample_has_what_must_be_there_and_no_more() -> None:
    schema, components = described(TwigJson)
    assert sample(schema, components) == {
        "length_cents": 4_200_500,
        "kind": "dry",
        "grows_on": {"colour": "red"},
        "buds": ["bb"],
        "figures": {},
    }
