"""A sample of what a JSON schema describes, made of the schema's own examples."""

from collections.abc import Mapping
from typing import Any, Final

REF: Final = "#/components/schemas/"
_PLAIN: Final[Mapping[str, object]] = {
    "string": "text",
    "integer": 0,
    "number": 0.5,
    "boolean": True,
    "null": None,
}
_BY_UNIT: Final[Mapping[str, object]] = {
    "_micros": 1_000_000,
    "_bps": 18_500,
    "_cents": 4_200_500,
    "_at_ms": 1_770_100_003_000,
    "server_time_ms": 1_770_100_003_000,
}


def sample(schema: Mapping[str, Any], components: Mapping[str, Any], *, name: str = "") -> object:
    """A value that the schema describes: its example, or the first of what it allows, with what
    must be there and no more. An integer is one of the unit that its `name` says.

    Of our own schemas only, whose patterns all have an example: a test holds each sample against
    its schema.
    """
    if "examples" in schema:
        return schema["examples"][0]
    if "$ref" in schema:
        return sample(components[schema["$ref"].removeprefix(REF)], components)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return sample(schema["anyOf"][0], components, name=name)
    return _of_type(schema, components, name)


def _of_type(schema: Mapping[str, Any], components: Mapping[str, Any], name: str) -> object:
    kind = schema["type"]
    if kind == "object":
        required = schema.get("required", ())
        inner = {key: of for key, of in schema.get("properties", {}).items() if key in required}
        return {key: sample(of, components, name=key) for key, of in inner.items()}
    if kind == "array":
        return [sample(schema["items"], components, name=name)]
    if kind == "integer":
        units = (value for unit, value in _BY_UNIT.items() if name.endswith(unit))
        return next(units, schema.get("minimum", 0))
    return _PLAIN[kind]
