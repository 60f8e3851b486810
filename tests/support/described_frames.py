"""Holds every frame that a test is sent against the shapes that the code declares, in both
directions: what is declared must be sent, and what is sent must be declared."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, TypeAlias

import jsonschema_rs
import msgspec

from protocols.client_frames import FRAMES, REPLIES, RefusedJson

Frame: TypeAlias = dict[str, Any]

ENVELOPE = ("type", "id", "ok")


def check_frame(frame: Frame, *, op: str | None = None) -> Frame:
    """The frame, once it is found to be as declared; `op` is what a reply is to, if it is known."""
    shapes = shapes_of(frame, op)
    assert shapes, f"{frame} has none of the shapes declared for it"
    return frame


def shapes_of(frame: Frame, op: str | None = None) -> list[type]:
    """The declared shapes that the frame has."""
    if frame["type"] != "reply":
        return [shape for shape in FRAMES.get(frame["type"], ()) if fits(frame, shape)]
    assert frame.keys() >= set(ENVELOPE)
    body = {name: value for name, value in frame.items() if name not in ENVELOPE}
    if not frame["ok"]:
        return [RefusedJson] if fits(body, RefusedJson, closed=False) else []
    shapes = (shape for name, shapes in REPLIES.items() if op in (name, None) for shape in shapes)
    return [shape for shape in shapes if fits(body, shape)]


def fits(value: Frame, shape: type, *, closed: bool = True) -> bool:
    """Is the value of that shape? `closed`: it has no field that the shape does not have."""
    return _validator(shape, closed).is_valid(value)


def fields_of(shapes: Iterable[type]) -> set[str]:
    """The names of all fields, also of what lies within."""
    _, components = msgspec.json.schema_components(list(shapes))
    return {name for component in components.values() for name in component.get("properties", {})}


@cache
def _validator(shape: type, closed: bool) -> Any:
    (reference,), components = msgspec.json.schema_components([shape])
    if closed:
        components = {name: _closed(component) for name, component in components.items()}
    return jsonschema_rs.Draft202012Validator({**reference, "$defs": components})


def _closed(component: Mapping[str, Any]) -> dict[str, Any]:
    is_object = component.get("type") == "object"
    return {**component, "additionalProperties": False} if is_object else dict(component)
