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
_NAMED: Final[Mapping[str, object]] = {
    # a moment, as far as its name does not end in `_at_ms`
    **dict.fromkeys(("server_time_ms", "ts_ms", "at_ms", "since_ms"), 1_770_100_003_000),
    **dict.fromkeys(("start_ms", "from_ms", "window_start_ms"), 1_770_100_010_000),
    **dict.fromkeys(("until_ms", "window_end_ms", "watermark_ms"), 1_770_100_015_000),
    **dict.fromkeys(("column_start_s", "start_s"), 1_770_100_010),
    "timestamp": 1_770_100_003,
    # the grid, and a cell of it
    "column_s": 5,
    "row_cents": 1_000,
    "lockout_columns": 1,
    "horizon_columns": 12,
    "lo_cents": 4_200_000,
    "hi_cents": 4_201_000,
    "low_cents": 4_199_876,
    "high_cents": 4_200_640,
    # what numbers and names there are
    "chain_id": 31_337,
    "user_id": 3,
    **dict.fromkeys(("n", "quote"), 812),
    "trade_id": 3_120_045_512,
    "source": "binance",
    "seq": 2,
    "interval_ms": 1_000,
    **dict.fromkeys(("amount", "micros"), 1_000_000),
    "reference": "wire-17",
    "reason": "asked for by phone",
    "decided_by": "alice",
    "nonce": "6f1c0f4e-2a7b-4c1d-9e8f-0123456789ab",
    **dict.fromkeys(("id", "ref_id"), "01HZX3Y4Z5A6B7C8D9E0F1G2H3"),
    **dict.fromkeys(("wallet", "destination"), "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf"),
    "session_id": "9f86d081884c7d659a2feaa0c55ad015",
    **dict.fromkeys(("prev", "sha256"), "0f" * 32),
    "venue": "running",
    "partition": "2026-02-01.db",
    # what is as it should be
    **dict.fromkeys(("frozen", "repeated"), False),
    "faults": [],
    "down": [],
    **dict.fromkeys(("last_failure", "last_error", "first_drift", "rotation_failure", "now"), ""),
    **dict.fromkeys(("by", "why"), ""),
    "next_cursor": None,
}
"""Samples of fields that carry no example of their own, by their names."""
_BY_UNIT: Final[Mapping[str, object]] = {
    "_micros": 1_000_000,
    "_bps": 18_500,
    "_cents": 4_200_500,
    "_at_ms": 1_770_100_003_000,
}


def sample(schema: Mapping[str, Any], components: Mapping[str, Any], *, name: str = "") -> object:
    """A value that the schema describes: its example, or the first of what it allows, with what
    must be there and no more. What has no example is as its `name`, or its unit, says.

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
    if name in _NAMED:
        return _NAMED[name]
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
