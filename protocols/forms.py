"""What a request may hold: forms of named fields, each of which both reads and describes itself.

A `Kind` reads one sort of value and gives its JSON schema. A `Field` names a kind. A `Form` lists
fields in the order in which they are checked and builds the request of them; it gives the request
or a `bad_request` that names the field at fault, and never raises, whatever the bytes.

Numbers may be integers or canonical decimal text, because a browser's JSON can't hold every
integer; a number that does not format back to the same text is refused, since what was signed, sent
and stored must compare equal.

Fields that are not known are ignored: a newer client must not be locked out, and a signature binds
nothing that is not known.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Final, Generic, Protocol, TypeAlias, TypeVar, cast

import attrs

from domain.grid import Cell, parse_cell_id
from domain.refusals import Refusal
from domain.units import Micros, parse_natural
from domain.wallet import Keccak, checksum_holds, parse_wallet
from protocols.client_fields import (
    NATURAL_MAX,
    BadField,
    Fields,
    Json,
    free_text,
    matching,
    natural,
    present,
    shown,
)
from protocols.digits import digits_pattern

T = TypeVar("T")
D = TypeVar("D")
E = TypeVar("E", bound=StrEnum)
T_co = TypeVar("T_co", covariant=True)

Query: TypeAlias = Mapping[str, Sequence[str]]
"""A decoded query string: each name with all its values."""

LATEST_MS: Final = 9_999_999_999_999
"""The year 2286: no time in a request is later."""


class Kind(Protocol[T_co]):
    """One sort of value that a field can have."""

    def read(self, fields: Fields, name: str, keccak: Keccak) -> T_co:
        """The value of that name. Raises BadField."""

    def schema(self) -> Json:
        """The JSON schema of what `read` takes."""


class MayBeAbsent:
    """A kind of field that need not be sent."""


@attrs.frozen
class Field(Generic[T_co]):
    """A field of a request, or a parameter of a path or query."""

    name: str
    kind: Kind[T_co]
    about: str
    """What it means and in which unit, for those who send it."""

    @property
    def required(self) -> bool:
        """Must it be sent?"""
        return not isinstance(self.kind, MayBeAbsent)

    def url_schema(self) -> Json:
        """The JSON schema of it in a path or a query, where all is text."""
        kind = self.kind.kind if isinstance(self.kind, Optional) else self.kind
        return kind.number_schema() if isinstance(kind, Natural) else kind.schema()


class Given:
    """The values of a form's fields: `given[AMOUNT]` has the type that the field reads."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = values

    def __getitem__(self, field: Field[T]) -> T:
        return cast(T, self._values[field.name])


@attrs.frozen
class Form(Generic[T_co]):
    """A request: its fields in the order of their checks, and what is built of them."""

    fields: tuple[Field[object], ...]
    build: Callable[[Given], T_co]
    """May raise BadField, for what only several fields together can be wrong in."""
    also: Json = attrs.field(factory=dict)
    """What `build` demands beyond the fields, as further keywords of the JSON schema."""
    examples: tuple[Json, ...] = ()
    """Of well-formed ones, for those whom the examples of the single fields tell too little."""

    def parse(self, fields: Fields, *, keccak: Keccak) -> T_co | Refusal:
        """The request, or which field is at fault. `keccak` is for the checksums of wallets."""
        try:
            values = {
                field.name: field.kind.read(fields, field.name, keccak) for field in self.fields
            }
            return self.build(Given(values))
        except BadField as bad:
            return bad.refusal

    def parse_query(self, query: Query, *, keccak: Keccak) -> T_co | Refusal:
        """As `parse`, of a query string. A parameter that occurs twice is refused by its name."""
        for name, values in query.items():
            if len(values) > 1:
                return BadField(shown(name), "occurs twice").refusal
        return self.parse({name: values[0] for name, values in query.items()}, keccak=keccak)

    def is_needed(self) -> bool:
        """Must anything be sent at all?"""
        nothing = self.parse({}, keccak=bytes)  # no wallet, no checksum
        return isinstance(nothing, Refusal)

    def schema(self) -> Json:
        """The JSON schema of a body of this form."""
        properties = {
            field.name: {**field.kind.schema(), "description": field.about} for field in self.fields
        }
        required = [field.name for field in self.fields if field.required]
        form = {"type": "object", "properties": properties, "required": required, **self.also}
        return {**form, "examples": list(self.examples)} if self.examples else form


def alone(field: Field[T]) -> Form[T]:
    """The form of a request that has one field, and is its value."""
    return Form((field,), lambda given: given[field])


# --- numbers ------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class Natural:
    """An integer, or its canonical decimal digits as text."""

    least: int = 0
    most: int = NATURAL_MAX

    def read(self, fields: Fields, name: str, _: Keccak) -> int:
        """The number."""
        return natural(fields, name, least=self.least, most=self.most)

    def schema(self) -> Json:
        """An integer or text."""
        text = {"type": "string", "pattern": f"^({digits_pattern(self.least, self.most)})$"}
        return {"anyOf": [self.number_schema(), text]}

    def number_schema(self) -> Json:
        """An integer."""
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


@attrs.frozen(kw_only=True)
class Signed:
    """An amount that is not nothing: an integer, or its canonical decimal text with a minus."""

    most: int

    def read(self, fields: Fields, name: str, _: Keccak) -> Micros:
        """The amount."""
        given = present(fields, name)
        number = _signed(given)
        if number is None:
            raise BadField(name, "must be an integer, or one as canonical decimal text")
        if not 1 <= abs(number) <= self.most:
            raise BadField(name, f"must be from 1 to {self.most}, or that with a minus")
        return number

    def schema(self) -> Json:
        """An integer or text, and never zero."""
        text = {"type": "string", "pattern": f"^-?({digits_pattern(1, self.most)})$"}
        return {
            "anyOf": [
                {"type": "integer", "minimum": -self.most, "maximum": -1},
                {"type": "integer", "minimum": 1, "maximum": self.most},
                text,
            ],
        }


def _signed(given: object) -> int | None:
    if isinstance(given, int) and not isinstance(given, bool):
        number = parse_natural(abs(given))
        return None if number is None else given
    if isinstance(given, str) and given.startswith("-"):
        number = parse_natural(given[1:])
        return None if number is None else -number
    return parse_natural(given)


# --- text ---------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class Text:
    """Any text that can be written as UTF-8."""

    most: int
    """Characters."""
    example: str = "text"

    def read(self, fields: Fields, name: str, _: Keccak) -> str:
        """The text as it came."""
        return free_text(fields, name, most=self.most)

    def schema(self) -> Json:
        """Text and its bounds."""
        bounds: Json = {"type": "string", "minLength": 1, "maxLength": self.most}
        return {**bounds, "examples": [self.example]}


@attrs.frozen(kw_only=True)
class Words:
    """Text that says something: spaces at its ends are dropped, and something must be left."""

    most: int
    """Characters, with those spaces."""
    example: str = "asked for by phone"

    def read(self, fields: Fields, name: str, keccak: Keccak) -> str:
        """The text without spaces at its ends."""
        words = Text(most=self.most).read(fields, name, keccak).strip()
        if not words:
            raise BadField(name, "must say something")
        return words

    def schema(self) -> Json:
        """Text with something to see."""
        return {**Text(most=self.most, example=self.example).schema(), "pattern": r"\S"}


@attrs.frozen(kw_only=True)
class Pattern:
    """Text that the whole of a pattern matches."""

    pattern: str
    """Of the part of the language that Python and JSON schemas share."""
    why: str
    """What is told to those whose text does not match: "must be ..."."""
    example: str

    def read(self, fields: Fields, name: str, _: Keccak) -> str:
        """The text as it came."""
        return matching(fields, name, re.compile(self.pattern), self.why)

    def holds(self, text: str) -> bool:
        """Is this one?"""
        return re.fullmatch(self.pattern, text) is not None

    def schema(self) -> Json:
        """Text, its pattern and an example."""
        return {"type": "string", "pattern": f"^(?:{self.pattern})$", "examples": [self.example]}


@attrs.frozen
class Choice(Generic[E]):
    """One of the names of an enumeration."""

    of: type[E]

    def read(self, fields: Fields, name: str, _: Keccak) -> E:
        """The member."""
        value = present(fields, name)
        if value not in tuple(self.of):
            raise BadField(name, f"must be one of {', '.join(self.of)}")
        return self.of(str(value))

    def schema(self) -> Json:
        """The names."""
        return {"type": "string", "enum": [member.value for member in self.of]}


@attrs.frozen
class Choices(Generic[E]):
    """Several of the names of an enumeration, joined by commas: for query strings."""

    of: type[E]

    def read(self, fields: Fields, name: str, _: Keccak) -> tuple[E, ...]:
        """The members, each once, in the order given."""
        names = str(present(fields, name)).split(",")
        if not set(names) <= set(self.of):
            raise BadField(name, f"must be of {', '.join(self.of)}")
        return tuple(self.of(name) for name in dict.fromkeys(names))

    def schema(self) -> Json:
        """Names with commas between them."""
        either = "|".join(self.of)
        return {"type": "string", "pattern": f"^({either})(,({either}))*$"}


# --- wallets and cells --------------------------------------------------------------------------


@attrs.frozen
class Wallet:
    """A wallet in any capitalisation, but mixed capitals are an EIP-55 checksum and must hold as
    one; or one of the house's own accounts where those are `also` meant."""

    also: tuple[str, ...] = ()

    def read(self, fields: Fields, name: str, keccak: Keccak) -> str:
        """The wallet in lower case."""
        text = present(fields, name)
        wallet = parse_wallet(text)
        if isinstance(text, str) and text in self.also:
            return text
        if wallet is None or not isinstance(text, str):
            raise BadField(name, "must be 0x and 40 hexadecimal digits")
        digits = text[2:]
        is_mixed = digits not in (digits.lower(), digits.upper())
        if is_mixed and not checksum_holds(text, keccak):
            raise BadField(name, "has mixed capitals that are not its EIP-55 checksum")
        return wallet

    def schema(self) -> Json:
        """Digits; of mixed ones the format says the rest."""
        spellings: list[Json] = [
            {"pattern": "^0x[0-9a-f]{40}$"},
            {"pattern": "^0x[0-9A-F]{40}$"},
            {"pattern": "^0x[0-9A-Fa-f]{40}$", "format": "eip55"},
        ]
        if self.also:
            spellings.append({"enum": list(self.also)})
        return {
            "type": "string",
            "anyOf": spellings,
            "examples": ["0x7e5f4552091a69125d5dfcb7b8c2659029395bdf"],
        }


@attrs.frozen
class CellId:
    """A cell of the grid: `{column_start_s}_{lo_cents}_{hi_cents}`."""

    def read(self, fields: Fields, name: str, _: Keccak) -> Cell:
        """The cell."""
        cell = parse_cell_id(present(fields, name))
        if cell is None:
            raise BadField(
                name, "must be {column_start_s}_{lo_cents}_{hi_cents} in canonical digits"
            )
        return cell

    def schema(self) -> Json:
        """Three numbers."""
        number = digits_pattern(0, NATURAL_MAX)
        return {
            "type": "string",
            "pattern": f"^({number})_({number})_({number})$",
            "examples": ["1770100010_4200000_4201000"],
        }


# --- what may be left out -----------------------------------------------------------------------


@attrs.frozen
class Optional(MayBeAbsent, Generic[T_co, D]):
    """A field that may be left out, and then is the default. Null is not the same as left out."""

    kind: Kind[T_co]
    default: D

    def read(self, fields: Fields, name: str, keccak: Keccak) -> T_co | D:
        """The value, or the default."""
        return self.kind.read(fields, name, keccak) if name in fields else self.default

    def schema(self) -> Json:
        """That of what it holds when it is there."""
        return self.kind.schema()


@attrs.frozen
class Nullable(Generic[T_co]):
    """A field that must be sent and may be null."""

    kind: Kind[T_co]

    def read(self, fields: Fields, name: str, keccak: Keccak) -> T_co | None:
        """The value, or None."""
        if name in fields and fields[name] is None:
            return None
        return self.kind.read(fields, name, keccak)

    def schema(self) -> Json:
        """That of the value, or null."""
        return {"anyOf": [self.kind.schema(), {"type": "null"}]}
