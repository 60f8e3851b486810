"""The schemas of the API's document: of every answer, and of every refusal."""

from collections.abc import Iterable, Iterator, Sequence
from types import UnionType
from typing import Any, Final, get_args, get_type_hints, is_typeddict

import msgspec

from domain.refusals import TABLE, Code
from protocols.client_fields import Json
from protocols.client_refusals import DETAILS
from protocols.operations import Operation
from protocols.samples import REF, sample

_ENDING: Final = "Json"
"""What the names of our TypedDicts end in, and those of the document don't."""


class Schemas:
    """All of them by their names, and the reference to each."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        answers = [
            kind
            for operation in operations
            for answer in (operation.answer, *operation.also.values())
            for kind in _kinds(answer)
        ]
        kinds = [*dict.fromkeys(answers), *DETAILS.values()]
        refs, described = msgspec.json.schema_components(kinds, ref_template=REF + "{name}")
        orders = dict(order for kind in kinds for order in _orders(kind))
        components = {
            name.removesuffix(_ENDING): _told(_in_order(of, orders.get(name, ())))
            for name, of in described.items()
        }
        self._refs = {kind: _told(ref) for kind, ref in zip(kinds, refs, strict=True)}
        details = {code: components.pop(kind.__name__) for code, kind in DETAILS.items()}
        refusals = {component_of(code): _refusal(code, details.get(code, {})) for code in Code}
        for refusal in refusals.values():
            refusal["examples"] = [sample(refusal, components)]
        self.components: Json = dict(sorted({**components, **refusals}.items()))

    def of(self, answer: object) -> Json:
        """The schema of an answer, by reference."""
        return either([self._refs[kind] for kind in _kinds(answer)])

    def about(self, answer: object) -> str:
        """What an answer's schema says of itself."""
        names = [kind.__name__.removesuffix(_ENDING) for kind in _kinds(answer)]
        described: dict[str, Any] = {name: self.components[name] for name in names}
        return " Or: ".join(of["description"] for of in described.values())


def either(schemas: Sequence[Json]) -> Json:
    """One of these."""
    return schemas[0] if len(schemas) == 1 else {"anyOf": list(schemas)}


def component_of(code: Code) -> str:
    """The name of a refusal's schema: `BadRequestRefusal`."""
    return "".join(word.capitalize() for word in code.value.split("_")) + "Refusal"


def _kinds(answer: object) -> tuple[type, ...]:
    """The TypedDicts of an answer: one, several, or none of what is no JSON of ours."""
    if isinstance(answer, UnionType):
        return get_args(answer)
    return (answer,) if isinstance(answer, type) else ()


def _orders(hint: Any) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The fields of every TypedDict in a type, in the order in which they were declared."""
    if is_typeddict(hint):
        hints = get_type_hints(hint)
        yield hint.__name__, tuple(hints)
        for inner in hints.values():
            yield from _orders(inner)
    for inner in get_args(hint):
        yield from _orders(inner)


def _in_order(schema: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """A schema of msgspec's, which sorts the fields of TypedDicts."""
    if not names:
        return schema
    required = [name for name in names if name in schema["required"]]
    properties = {name: schema["properties"][name] for name in names}
    return {**schema, "properties": properties, "required": required}


def _told(schema: Any) -> Any:
    """The schema with the document's names, and of each docstring the first paragraph."""
    if isinstance(schema, list):
        return [_told(inner) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    told = {key: _told(inner) for key, inner in schema.items()}
    for key in ("$ref", "title"):
        if isinstance(told.get(key), str):
            told[key] = told[key].removesuffix(_ENDING)
    if isinstance(told.get("description"), str):
        told["description"] = " ".join(told["description"].split("\n\n")[0].split())
    return told


def _refusal(code: Code, details: Any) -> Json:
    meaning = TABLE[code]
    properties: Json = {
        "error": {"const": code.value},
        "message": {
            "type": "string",
            "description": "For people; may be reworded.",
            "examples": [meaning.message],
        },
    }
    if meaning.retry_after_s is not None:
        properties["retry_after"] = {
            "type": "integer",
            "minimum": 0,
            "description": "Seconds after which trying again makes sense.",
            "examples": [meaning.retry_after_s],
        }
    again = "may" if meaning.retry_can_succeed else "can't"
    return {
        "type": "object",
        "description": f"{meaning.message} The same request {again} succeed later.",
        "properties": {**properties, **details.get("properties", {})},
        "required": [*properties, *details.get("required", [])],
    }
