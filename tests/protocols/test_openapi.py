"""The API's document: valid, whole, and its examples are examples."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from eth_hash.auto import keccak
from openapi_spec_validator import OpenAPIV31SpecValidator

from domain.refusals import TABLE, Code, Refusal
from protocols.forms import Form
from protocols.openapi import JSON_TYPE, document, operation_id
from protocols.openapi_schemas import component_of
from protocols.operations import OPERATIONS, Auth, Operation, market

DOCUMENT: dict[str, Any] = document(origin="https://tap.example", version="1.2.3")
NEVER_OVER_HTTP = {Code.METHOD_NOT_ALLOWED}
"""What no operation answers: there is none for that method."""


def described(operation: Operation) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["paths"][operation.path][operation.method.lower()]
    return found


def name_of(operation: Operation) -> str:
    return f"{operation.method} {operation.path}"


operations = pytest.mark.parametrize("operation", OPERATIONS, ids=name_of)


def is_valid(schema: dict[str, Any], value: object) -> bool:
    whole = {**schema, "components": DOCUMENT["components"]}
    return jsonschema_rs.Draft202012Validator(whole).is_valid(value)


# --- the whole ----------------------------------------------------------------------------------


@pytest.mark.slow
def test_it_is_an_openapi_document_of_3_1() -> None:
    assert DOCUMENT["openapi"] == "3.1.0"
    assert [error.message for error in OpenAPIV31SpecValidator(DOCUMENT).iter_errors()] == []


def test_it_says_where_and_what() -> None:
    assert DOCUMENT["servers"] == [{"url": "https://tap.example"}]
    assert DOCUMENT["info"]["version"] == "1.2.3"


def test_each_operation_is_there_once() -> None:
    assert Counter(name_of(operation) for operation in OPERATIONS).most_common(1)[0][1] == 1
    ids = Counter(operation_id(operation) for operation in OPERATIONS)
    assert [name for name, count in ids.items() if count > 1] == []
    served = {(method.upper(), path) for path, of in DOCUMENT["paths"].items() for method in of}
    assert served == {(operation.method, operation.path) for operation in OPERATIONS}


def test_every_code_that_an_operation_can_be_refused_with_is_described() -> None:
    used = {code for operation in OPERATIONS for code in operation.all_codes}
    assert set(Code) - used == NEVER_OVER_HTTP


def test_every_schema_is_used() -> None:
    used = {ref.rpartition("/")[2] for ref in refs(DOCUMENT["paths"])}
    added = used
    while added:
        schemas = DOCUMENT["components"]["schemas"]
        added = {ref.rpartition("/")[2] for name in added for ref in refs(schemas[name])} - used
        used |= added
    never = {component_of(code) for code in NEVER_OVER_HTTP}
    assert set(DOCUMENT["components"]["schemas"]) - used == never


def refs(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        ref = node.get("$ref", "")
        if isinstance(ref, str) and ref.startswith("#/components/schemas/"):
            yield ref
        for inner in node.values():
            yield from refs(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from refs(inner)


# --- one operation ------------------------------------------------------------------------------


@operations
def test_the_parameters_of_a_path_are_described(operation: Operation) -> None:
    in_path = [part[1:-1] for part in operation.path.split("/") if part.startswith("{")]
    assert [field.name for field in operation.parameters] == in_path


@operations
def test_a_token_is_demanded_of_those_who_need_one(operation: Operation) -> None:
    by_auth: dict[Auth, list[dict[str, list[str]]]] = {
        Auth.NONE: [],
        Auth.OPTIONAL: [{}, {"session": []}],
        Auth.SESSION: [{"session": []}],
        Auth.OPERATOR: [{"operator": []}],
    }
    assert described(operation)["security"] == by_auth[operation.auth]
    assert (operation.auth is Auth.OPERATOR) == operation.path.startswith("/ops/")


@operations
def test_each_code_stands_under_its_status(operation: Operation) -> None:
    responses = described(operation)["responses"]
    for code in operation.all_codes:
        response = responses[str(TABLE[code].http_status)]
        assert f"`{code.value}`: {TABLE[code].message}" in response["description"]
        assert ".;" not in response["description"]
        assert f"#/components/schemas/{component_of(code)}" in set(refs(response))
        assert ("Retry-After" in response["headers"]) >= (TABLE[code].retry_after_s is not None)


@operations
def test_examples_of_answers_are_as_described(operation: Operation) -> None:
    for response in described(operation)["responses"].values():
        content = response["content"].get(JSON_TYPE, {})
        if "example" in content:
            assert is_valid(content["schema"], content["example"]), content["example"]


@operations
def test_examples_of_requests_are_read(operation: Operation) -> None:
    if operation.body is None:
        return
    content = described(operation)["requestBody"]["content"][JSON_TYPE]
    for example in content["examples"].values():
        assert is_valid(content["schema"], example["value"]), example["value"]
        form: Form[object] = operation.body
        read = form.parse(example["value"], keccak=keccak)
        assert not isinstance(read, Refusal), read


def test_examples_tell_something() -> None:
    """A reader of the grid's example sees a grid: columns of 5 s, rows of 10 USD, a cell of it."""
    content = described(market.GRID)["responses"]["200"]["content"][JSON_TYPE]
    assert content["example"] == {
        "server_time_ms": 1_770_100_003_000,
        "chain_id": 31_337,
        "column_s": 5,
        "row_cents": 1_000,
        "lockout_columns": 1,
        "horizon_columns": 12,
        "presets_micros": [1_000_000],
        "rule": "touch",
        "quote": {
            "n": 812,
            "published_at_ms": 1_770_100_003_000,
            "price_cents": 4_200_500,
            "cells": [
                {
                    "cell_id": "1770100010_4200000_4201000",
                    "reward_bps": 18_500,
                    "max_stake_micros": 1_000_000,
                }
            ],
        },
    }


def test_both_bounds_of_a_cell_are_included() -> None:
    """As the rule has it: a price on the edge is in the range."""
    bounds = DOCUMENT["components"]["schemas"]["Proof"]["properties"]
    for name in ("lo_cents", "hi_cents"):
        assert bounds[name]["description"].endswith("in cents, included.")


@pytest.mark.parametrize("code", Code)
def test_a_refusal_of_each_code_is_as_described(code: Code) -> None:
    schema = DOCUMENT["components"]["schemas"][component_of(code)]
    assert is_valid(schema, schema["examples"][0])
    assert schema["examples"][0]["error"] == code.value


def test_the_fields_of_an_answer_stand_in_the_order_of_their_declaration() -> None:
    tick = DOCUMENT["components"]["schemas"]["Tick"]
    assert list(tick["properties"]) == ["ts_ms", "price_cents", "trade_id", "source"]
    assert tick["required"] == list(tick["properties"])
