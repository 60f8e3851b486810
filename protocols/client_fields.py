"""The JSON objects that clients send, and how a field that is at fault is named.

Inside a form (`protocols.forms`) a field at fault is an exception, so that a form reads like the
list of its fields; no form lets it out.
"""

import json
import re
from collections.abc import Mapping
from typing import Final, NoReturn, TypeAlias

from domain.refusals import Refusal, bad_request
from domain.units import parse_natural
from protocols.json_text import nests_too_deep

NATURAL_MAX: Final = 10**18 - 1

Fields: TypeAlias = Mapping[str, object]
"""A decoded JSON object."""
Json: TypeAlias = dict[str, object]
"""A JSON object of ours, ready to be encoded."""


class BadField(Exception):
    """A field is at fault. Raised by the readers, caught by the parser that called them."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(field)
        self.refusal = bad_request(field, why)


# --- JSON text --------------------------------------------------------------------------------


def parse_object(body: bytes | str) -> Fields | Refusal:
    """The JSON object that `body` is.

    Refused as `body`: bytes that are not UTF-8, text that is not JSON or not an object, nesting too
    deep to read, NaN and the infinities, numbers with thousands of digits. A key that occurs twice
    is refused by its name: which of the two was signed would be anybody's guess.
    """
    try:
        text = body if isinstance(body, str) else body.decode("utf-8")
        if nests_too_deep(text):
            return bad_request("body", "nests too deep")
        found = json.loads(text, object_pairs_hook=_without_repeats, parse_constant=_no_number)
    except BadField as bad:
        return bad.refusal
    except UnicodeDecodeError:
        return bad_request("body", "is not UTF-8")
    except (ValueError, RecursionError):
        return bad_request("body", "is not JSON")
    if not isinstance(found, dict):
        return bad_request("body", "must be a JSON object")
    return found


def _without_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:  # in one pass: a body has room for 2,300 names
            if name in seen:
                raise BadField(shown(name), "occurs twice")
            seen.add(name)
    return fields


def _no_number(constant: str) -> NoReturn:
    raise BadField("body", f"{constant} is not JSON")


def shown(name: str) -> str:
    """A client's own field name as it may be sent back: short, and always valid text."""
    return name[:40].encode("ascii", "backslashreplace").decode("ascii")


# --- fields -------------------------------------------------------------------------------------


def present(fields: Fields, name: str) -> object:
    """The field, which must be there and not null."""
    value = fields.get(name)
    if value is None:
        raise BadField(name, "is missing")
    return value


def natural(fields: Fields, name: str, *, least: int = 0, most: int = NATURAL_MAX) -> int:
    """An integer, or its canonical decimal digits as text."""
    number = parse_natural(present(fields, name))
    if number is None:
        raise BadField(name, "must be an integer, or one as canonical decimal text")
    if not least <= number <= most:
        raise BadField(name, f"must be from {least} to {most}")
    return number


def matching(fields: Fields, name: str, pattern: re.Pattern[str], why: str) -> str:
    """Text that the whole pattern matches."""
    value = present(fields, name)
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise BadField(name, why)
    return value


def free_text(fields: Fields, name: str, *, most: int) -> str:
    """Any text of at most so many characters, as long as it can be written as UTF-8."""
    value = present(fields, name)
    if not isinstance(value, str) or not 1 <= len(value) <= most or not is_unicode(value):
        raise BadField(name, f"must be text of 1 to {most} characters")
    return value


def is_unicode(text: str) -> bool:
    """False with a lone surrogate, which JSON can spell and UTF-8 can't."""
    return text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text)
