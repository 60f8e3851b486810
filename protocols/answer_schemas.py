"""JSON schemas of TypedDicts, from their annotations alone.

`msgspec.json.schema` would sort the fields and takes no union of two TypedDicts; of its `Meta` the
same is read here. A type that no answer of ours has is a TypeError.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Final,
    Literal,
    NotRequired,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from msgspec import Meta

from protocols.client_fields import Json
from protocols.samples import REF

ENDING: Final = "Json"
"""What the names of our TypedDicts end in, and those of the document don't."""
_PLAIN: Final[Mapping[object, str]] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    NoneType: "null",
}
_KEYWORDS: Final[Mapping[str, str]] = {
    "description": "description",
    "examples": "examples",
    "pattern": "pattern",
    "ge": "minimum",
    "le": "maximum",
    "gt": "exclusiveMinimum",
    "lt": "exclusiveMaximum",
    "min_length": "minLength",
    "max_length": "maxLength",
}


def schema_of(hint: Any, components: Json) -> Json:
    """The schema of a type. TypedDicts and enumerations are put into `components`, by their names,
    and referred to."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        keywords = [_keywords(meta) for meta in inner[1:] if isinstance(meta, Meta)]
        return _joined([schema_of(inner[0], components), *keywords])
    if origin is NotRequired:
        return schema_of(inner[0], components)
    if origin in (Union, UnionType):
        return {"anyOf": [schema_of(kind, components) for kind in inner]}
    if origin is Literal:
        return {"enum": list(inner)}
    if origin is list:
        return {"type": "array", "items": schema_of(inner[0], components)}
    if origin in (dict, Mapping):
        return {"type": "object", "additionalProperties": schema_of(inner[1], components)}
    if hint is object:
        return {}  # anything
    if hint in _PLAIN:
        return {"type": _PLAIN[hint]}
    return _named(hint, components)


def name_of(kind: type) -> str:
    """What the document calls a TypedDict or an enumeration."""
    return kind.__name__.removesuffix(ENDING)


def first_words(text: str | None) -> str:
    """The first paragraph of a docstring, on one line."""
    return " ".join((text or "").split("\n\n")[0].split())


def _named(kind: type, components: Json) -> Json:
    name = name_of(kind)
    if name not in components:
        components[name] = {}  # so that one that holds itself ends
        components[name] = {**_body(kind, components), "description": first_words(kind.__doc__)}
    return {"$ref": REF + name}


def _body(kind: type, components: Json) -> Json:
    if is_typeddict(kind):
        hints = get_type_hints(kind, include_extras=True)
        required: frozenset[str] = getattr(kind, "__required_keys__")  # noqa: B009
        return {
            "type": "object",
            "properties": {name: schema_of(hint, components) for name, hint in hints.items()},
            "required": [name for name in hints if name in required],
        }
    if issubclass(kind, StrEnum):
        return {"type": "string", "enum": [member.value for member in kind]}
    raise TypeError(f"no answer holds a {kind}")


def _keywords(meta: Meta) -> Json:
    found = {key: getattr(meta, name) for name, key in _KEYWORDS.items()}
    told = {key: value for key, value in found.items() if value is not None}
    return {**told, **(meta.extra_json_schema or {})}


def _joined(schemas: list[Json]) -> Json:
    return {key: value for schema in schemas for key, value in schema.items()}
