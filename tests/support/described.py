"""Holds answers against the API's own document, in both directions.

What is described must be answered, and what is answered must be described: a field, a code or a
status that the document does not have is a failure, wherever in the tests it is answered first.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import jsonschema_rs

from protocols.openapi import JSON_TYPE, document
from protocols.operations import OPERATIONS, Operation
from tests.support.http_client import Response

UNROUTED = {
    "not_found",
    "method_not_allowed",
    "bad_request",
    "too_large",
    "rate_limited",
    "overloaded",
}
"""How a request that reaches no operation is refused."""


def check_described(method: str, target: str, answer: Response) -> Response:
    """The answer, once it is found to be as the document has it."""
    operation = operation_of(method, target.partition("?")[0])
    if operation is None:
        is_page = answer.headers.get("content-type", JSON_TYPE) != JSON_TYPE
        assert is_page or not answer.body or answer.error in UNROUTED, (method, target, answer)
        return answer
    said = described(operation).get(str(answer.status))
    assert said is not None, f"{method} {target}: {answer.status} is not described: {answer.body!r}"
    missing = [name for name in said["headers"] if is_needed(name) and not has(answer, name)]
    assert not missing, f"{method} {target}: {answer.status} lacks the headers {missing}"
    more = [name for name in api()["components"]["headers"] if has(answer, name)]
    undescribed = [name for name in more if name not in said["headers"]]
    assert not undescribed, f"{method} {target}: {answer.status} has the headers {undescribed}"
    assert answer.headers["content-type"] in said["content"], answer.headers["content-type"]
    if answer.headers["content-type"] == JSON_TYPE:
        faults = [
            f"{'/'.join(map(str, fault.instance_path))}: {fault.message}"
            for fault in _validator(operation.path, method, str(answer.status)).iter_errors(
                answer.json
            )
        ]
        assert not faults, f"{method} {target} answered {answer.status} otherwise: {faults}"
    return answer


def operation_of(method: str, path: str) -> Operation | None:
    """The operation that serves this; one without parameters goes before one with."""
    found = [
        operation
        for operation in OPERATIONS
        if operation.method == method and re.fullmatch(_pattern(operation), path)
    ]
    return min(found, key=lambda operation: operation.path.count("{"), default=None)


def described(operation: Operation) -> Mapping[str, Any]:
    """The operation's responses by status."""
    responses: Mapping[str, Any] = api()["paths"][operation.path][operation.method.lower()][
        "responses"
    ]
    return responses


@cache
def api() -> dict[str, Any]:
    """The document."""
    made: dict[str, Any] = document(origin="http://127.0.0.1", version="0")
    return made


def is_needed(header: str) -> bool:
    """Must every answer have it?"""
    return bool(api()["components"]["headers"][header].get("required", False))


def has(answer: Response, header: str) -> bool:
    return header.lower() in answer.headers


def _pattern(operation: Operation) -> str:
    return re.sub(
        r"\\{\w+\\}", ".+" if operation.with_slashes else "[^/]+", re.escape(operation.path)
    )


@cache
def _validator(path: str, method: str, status: str) -> Any:
    response = api()["paths"][path][method.lower()]["responses"][status]
    schema = response["content"][JSON_TYPE]["schema"]
    return jsonschema_rs.Draft202012Validator({**_closed(schema), "components": _components()})


@cache
def _components() -> dict[str, Any]:
    return {"schemas": _closed(api()["components"]["schemas"])}


def _closed(schema: Any) -> Any:
    """The schema, of which every object has the properties that are described and no others."""
    if isinstance(schema, list):
        return [_closed(inner) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(inner) for key, inner in schema.items()}
    is_object = closed.get("type") == "object" and "properties" in closed
    return {**closed, "additionalProperties": False} if is_object else closed
