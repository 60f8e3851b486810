"""What operators are told of what they had done, and of what operators did before."""

import json
from collections.abc import Sequence
from typing import Annotated, Final, Literal, NotRequired, TypeAlias, TypedDict, cast

import attrs
from msgspec import Meta

from protocols.account_commands import Adjusted, ColumnVoidOrdered
from protocols.answer_fields import AtMs, AtS, Bytes, OwnerText, SignedMicros, WeekText
from protocols.audit_log import AuditEntry, line_of
from protocols.client_queries import LIMIT
from protocols.forms import Field, Form, Given, Natural, Optional, Pattern, alone

# --- money --------------------------------------------------------------------------------------


class AdjustedJson(TypedDict):
    """An adjustment that is in the ledger."""

    user_id: int
    wallet: OwnerText
    amount_micros: SignedMicros
    reference: str
    balance_micros: Annotated[int, Meta(description="The trader's, micros of a USD.", ge=0)]
    repeated: Annotated[bool, Meta(description="Had an earlier request done it?")]


def adjusted_json(done: Adjusted) -> AdjustedJson:
    """`POST /ops/adjustments`."""
    return {
        "user_id": done.user_id,
        "wallet": done.wallet,
        "amount_micros": done.amount_micros,
        "reference": done.reference,
        "balance_micros": done.balance_micros,
        "repeated": done.event is None,
    }


# --- columns ------------------------------------------------------------------------------------

COLUMN: Final = Field(
    "start", Natural(least=1, most=10**10 - 1), "Where the column begins: s since 1970, UTC."
)
COLUMN_START: Final = alone(COLUMN)


class ColumnVoidJson(TypedDict):
    """A column that is given back: no more bets on it, and those that there are refunded."""

    start_s: AtS
    repeated: Annotated[bool, Meta(description="Had an earlier request ordered it?")]


def column_void_json(ordered: ColumnVoidOrdered) -> ColumnVoidJson:
    """`POST /ops/columns/{start}/void`."""
    return {"start_s": ordered.start_s, "repeated": ordered.repeated}


# --- actors -------------------------------------------------------------------------------------

ACTOR: Final = Field(
    "name",
    Pattern(
        pattern="[a-z0-9_]+(/[a-z0-9_]+)*",
        why="must be the name of an actor, or its path",
        example="quoter",
    ),
    "The actor or supervisor: the last part of its path, or all of it.",
)

Became: TypeAlias = Literal[
    "started", "running", "restarting", "stopped", "stuck", "ignored", "start_failed"
]


class RestartedJson(TypedDict):
    """An actor that was restarted."""

    path: Annotated[str, Meta(examples=["venue/market/quoter"])]
    became: Annotated[
        Became,
        Meta(
            description="`restarting`: it will be tried again by itself; `stuck`: its last life "
            "does not end, and it is started once it does; `start_failed`: it stays stopped."
        ),
    ]


# --- weeks --------------------------------------------------------------------------------------

WEEK: Final = Field(
    "week",
    Pattern(pattern="[0-9]{4}-[0-9]{2}-[0-9]{2}", why="must be a date", example="2026-02-01"),
    "The Sunday on which the week began, in UTC.",
)


class RestoreBegunJson(TypedDict):
    """A week that is being brought back for reading; the status shows how it goes on."""

    week: WeekText
    already_here: Annotated[bool, Meta(description="Could it be read before?")]


# --- the audit log ------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class AuditQuery:
    """A page of the audit log, newest first."""

    before: int | None
    limit: int


_AFTER: Final = Field(
    "cursor", Optional(Natural(least=1), None), "The `next_cursor` of the page before."
)


def _audit(given: Given) -> AuditQuery:
    return AuditQuery(before=given[_AFTER], limit=given[LIMIT])


AUDIT: Final = Form((_AFTER, LIMIT), _audit)


class AuditEntryJson(TypedDict):
    """One line of the audit log. `action`: what an operator was about to have done. `outcome`: what
    became of it. `set_aside`: a crash had cut a line off."""

    n: Annotated[int, Meta(description="The number of the line, from 1 on.", ge=1)]
    at_ms: AtMs
    prev: Annotated[str, Meta(description="SHA-256 of the line before; zeros in the first.")]
    sha256: Annotated[str, Meta(description="Of this line.")]
    kind: Literal["action", "outcome", "set_aside"]
    by: NotRequired[Annotated[str, Meta(description="The operator, or the tool and its user.")]]
    what: NotRequired[Annotated[str, Meta(description="The operation.", examples=["freeze"])]]
    subject: NotRequired[Annotated[str, Meta(description="Whom or what it concerned.")]]
    why: NotRequired[str]
    request_id: NotRequired[Annotated[str, Meta(description="As answer and log have it.")]]
    of: NotRequired[Annotated[int, Meta(description="The number of the action's line.")]]
    code: NotRequired[Annotated[str, Meta(description="`done`, or the error code.")]]
    status: NotRequired[
        Annotated[int | None, Meta(description="Of the answer; null where a tool did it.")]
    ]
    figures: NotRequired[
        Annotated[
            dict[str, int | str | bool | None],
            Meta(description="Amounts and references, with their units in their names."),
        ]
    ]
    file: NotRequired[Annotated[str, Meta(description="Where what was left of the line is.")]]
    bytes: NotRequired[Bytes]
    file_sha256: NotRequired[str]


class AuditPageJson(TypedDict):
    """A page of the audit log, newest first."""

    entries: list[AuditEntryJson]
    next_cursor: Annotated[
        str | None, Meta(description="`cursor` of the next page; null on the last one.")
    ]


def audit_page_json(entries: Sequence[AuditEntry], limit: int) -> AuditPageJson:
    """`GET /ops/audit`."""
    more = len(entries) == limit and entries[-1].n > 1
    return {
        "entries": [_entry_json(entry) for entry in entries],
        "next_cursor": str(entries[-1].n) if more else None,
    }


def _entry_json(entry: AuditEntry) -> AuditEntryJson:
    """The line and its hash, as one object."""
    line = json.loads(line_of(entry.fact, n=entry.n, prev=entry.prev, at_ms=entry.at_ms))
    return cast(AuditEntryJson, {**line, "sha256": entry.sha256})
