"""The schemas of the API's document: of every answer, and of every refusal."""

from collections.abc import Iterable, Sequence
from types import UnionType
from typing import Any, get_args

from domain.refusals import TABLE, Code
from protocols.answer_schemas import first_words, schema_of
from protocols.client_fields import Json
from protocols.client_refusals import DETAILS
from protocols.operations import Operation
from protocols.samples import sample


class Schemas:
    """All of them by their names, and the reference to each."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        components: Json = {}
        for operation in operations:
            for answer in (operation.answer, *operation.also.values()):
                for kind in _kinds(answer):
                    schema_of(kind, components)
        for code in Code:
            refusal = _refusal(code, components)
            components[component_of(code)] = {**refusal, "examples": [sample(refusal, components)]}
        self.components: Json = dict(sorted(components.items()))

    def of(self, answer: object) -> Json:
        """The schema of an answer, by reference."""
        return either([schema_of(kind, self.components) for kind in _kinds(answer)])

    def about(self, answer: object) -> str:
        """What an answer's schema says of itself."""
        return " Or: ".join(first_words(kind.__doc__) for kind in _kinds(answer))


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


def _refusal(code: Code, components: Json) -> Json:
    meaning, details = TABLE[code], _details(code, components)
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


def _details(code: Code, components: Json) -> Any:
    """What it tells beyond that: fields of its own, not a component."""
    if code not in DETAILS:
        return {}
    schema_of(DETAILS[code], components)
    return components.pop(DETAILS[code].__name__)
