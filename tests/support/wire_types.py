"""`web/types/wire.d.ts`: what the venue tells clients, as types for the page's own code.

Made by `make docs` from the TypedDicts that the Gateway answers with, so that a field which is
renamed there is an error in the page before anybody opens it.
"""

import json
from collections.abc import Mapping
from types import UnionType
from typing import Any, Final, get_args

from domain.refusals import Code
from protocols.answer_schemas import schema_of
from protocols.client_fields import Json
from protocols.client_frames import FRAMES, REPLIES
from protocols.operations import OPERATIONS

HEAD: Final = """\
// Made by `make docs` from the shapes in protocols/client_*.py. Edit those.
//
// What the venue answers over HTTP and sends over the WebSocket. Amounts, prices and rates are
// integers in the units that their names say.
"""
PLAIN: Final[Mapping[str, str]] = {
    "string": "string",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "null": "null",
}
REFERENCE: Final = "#/components/schemas/"
WIDTH: Final = 96


def wire_types() -> str:
    """The whole file."""
    components: Json = {}
    for operation in OPERATIONS:
        for answer in (operation.answer, *operation.also.values()):
            for kind in get_args(answer) if isinstance(answer, UnionType) else (answer,):
                if isinstance(kind, type):
                    schema_of(kind, components)
    for shapes in (*FRAMES.values(), *REPLIES.values()):
        for shape in shapes:
            schema_of(shape, components)
    declared = [_declaration(name, schema) for name, schema in sorted(components.items())]
    return "\n".join([HEAD, _codes(), _frames(), *declared])


def _codes() -> str:
    codes = "\n".join(f"  | {json.dumps(code.value)}" for code in Code)
    return f"/** Every reason that the venue refuses for. */\nexport type Code =\n{codes};\n"


def _frames() -> str:
    components: Json = {}
    names = [_type(schema_of(shape, components)) for shapes in FRAMES.values() for shape in shapes]
    lines = "\n".join(f"  | {name}" for name in names)
    return f"/** Every frame but replies. */\nexport type Frame =\n{lines};\n"


def _declaration(name: str, schema: Json) -> str:
    about = _comment(schema.get("description", ""), "")
    if schema.get("type") != "object":
        return f"{about}export type {name} = {_type(schema)};\n"
    required = set(schema.get("required", ()))
    fields = "".join(
        _comment(field.get("description", ""), "  ")
        + f"  {key}{'' if key in required else '?'}: {_type(field)};\n"
        for key, field in schema.get("properties", {}).items()
    )
    return f"{about}export interface {name} {{\n{fields}}}\n"


def _type(schema: Json) -> str:
    """One schema as a type; what none of our answers has is a KeyError."""
    if "$ref" in schema:
        return str(schema["$ref"]).removeprefix(REFERENCE)
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return " | ".join(map(json.dumps, schema["enum"]))
    if "anyOf" in schema:
        return " | ".join(_type(kind) for kind in schema["anyOf"])
    if "allOf" in schema:
        return " & ".join(_type(kind) for kind in schema["allOf"])
    if schema.get("type") == "array":
        inner = _type(schema["items"])
        return f"({inner})[]" if " " in inner else f"{inner}[]"
    if schema.get("type") == "object":
        return f"Record<string, {_type(_values(schema))}>"
    if not schema.keys() - {"description", "examples"}:
        return "unknown"
    return PLAIN[schema["type"]]


def _values(schema: Json) -> Any:
    values = schema.get("additionalProperties")
    return values if isinstance(values, dict) else {}


def _comment(text: str, indent: str) -> str:
    words = " ".join(text.split())
    return f"{indent}/** {words} */\n" if words else ""
