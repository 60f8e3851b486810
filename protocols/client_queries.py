"""What clients ask for in query strings: which page, which stretch of time."""

from typing import Final

import attrs

from domain.refusals import Code, Refusal, bad_request
from domain.units import BetId, EpochMs, parse_natural
from domain.wallet import Keccak
from protocols.client_bets import BET_ID
from protocols.client_fields import BadField, Fields, Json, natural, present
from protocols.digits import digits_pattern
from protocols.forms import LATEST_MS, Choices, Field, Form, Given, Natural, Optional
from protocols.money import BetStatus

PAGE_ROWS_MAX: Final = 200
PAGE_ROWS: Final = 50
HISTORY_MS_MAX: Final = 7 * 86_400_000
HISTORY_ROWS_MAX: Final = 2_000
_INTERVAL_MS_MIN: Final = 1_000
_INTERVAL_MS_MAX: Final = 86_400_000

_TIME: Final = Optional(Natural(most=LATEST_MS), None)
LIMIT: Final = Field(
    "limit",
    Optional(Natural(least=1, most=PAGE_ROWS_MAX), PAGE_ROWS),
    f"The most rows of a page; {PAGE_ROWS} if not given.",
)


# --- bets ---------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class BetsQuery:
    """`GET /api/bets`: which of his bets a trader asks for."""

    statuses: tuple[BetStatus, ...]
    from_ms: EpochMs | None
    to_ms: EpochMs | None
    before: tuple[EpochMs, BetId] | None
    limit: int

    @property
    def has_range(self) -> bool:
        """Did he say from when on, or until when?"""
        return self.from_ms is not None or self.to_ms is not None


def bets_cursor(placed_at_ms: EpochMs, bet_id: BetId) -> str:
    """What `cursor` must say to get the page after this row."""
    return f"{placed_at_ms}_{bet_id}"


@attrs.frozen
class _BetsCursor:
    def read(self, fields: Fields, name: str, _: Keccak) -> tuple[EpochMs, BetId]:
        placed_at, _separator, bet_id = str(present(fields, name)).partition("_")
        placed_at_ms = parse_natural(placed_at)
        if placed_at_ms is None or placed_at_ms > LATEST_MS or not BET_ID.holds(bet_id):
            raise BadField(name, "is not one that a page gave out")
        return placed_at_ms, bet_id

    def schema(self) -> Json:
        time = digits_pattern(0, LATEST_MS)
        return {"type": "string", "pattern": f"^({time})_({BET_ID.pattern})$"}


_STATUS: Final = Field(
    "status", Optional(Choices(BetStatus), ()), "Only these, joined by commas; all if not given."
)
_FROM: Final = Field("from", _TIME, "Placed at or after this time: ms since 1970, UTC.")
_TO: Final = Field("to", _TIME, "Placed before this time: ms since 1970, UTC.")
_AFTER_BET: Final = Field(
    "cursor", Optional(_BetsCursor(), None), "The `next_cursor` of the page before."
)


def _bets(given: Given) -> BetsQuery:
    return BetsQuery(
        statuses=given[_STATUS],
        from_ms=given[_FROM],
        to_ms=given[_TO],
        before=given[_AFTER_BET],
        limit=given[LIMIT],
    )


BETS: Final = Form((_STATUS, _FROM, _TO, _AFTER_BET, LIMIT), _bets)


# --- the statement ------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class StatementQuery:
    """`GET /api/ledger`: a page of the statement."""

    before: int | None
    limit: int


_AFTER_ROW: Final = Field(
    "cursor", Optional(Natural(), None), "The `next_cursor` of the page before."
)


def _statement(given: Given) -> StatementQuery:
    return StatementQuery(before=given[_AFTER_ROW], limit=given[LIMIT])


STATEMENT: Final = Form((_AFTER_ROW, LIMIT), _statement)


# --- prices -------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class HistoryQuery:
    """`GET /api/prices/history`: bars of `interval_ms`, or the ticks themselves when it is 0."""

    from_ms: EpochMs | None
    """None: five minutes before the end."""
    to_ms: EpochMs | None
    """None: now."""
    interval_ms: int
    limit: int


@attrs.frozen(kw_only=True)
class HistoryRange:
    """The stretch of time that is meant, both ends included."""

    from_ms: EpochMs
    to_ms: EpochMs


@attrs.frozen
class _Interval:
    """Milliseconds; 0 for `tick`."""

    def read(self, fields: Fields, name: str, _: Keccak) -> int:
        if fields.get(name) == "tick":
            return 0
        return natural(fields, name, least=_INTERVAL_MS_MIN, most=_INTERVAL_MS_MAX)

    def schema(self) -> Json:
        number = {"type": "integer", "minimum": _INTERVAL_MS_MIN, "maximum": _INTERVAL_MS_MAX}
        return {"anyOf": [number, {"const": "tick"}]}


_SINCE: Final = Field(
    "from", _TIME, "Ms since 1970, UTC; five minutes before `to` if not given, 7 days ago at most."
)
_UNTIL: Final = Field("to", _TIME, "Ms since 1970, UTC; now if not given.")
_INTERVAL: Final = Field(
    "interval",
    Optional(_Interval(), 1_000),
    "The length of a bar in ms, 1000 if not given; `tick`: the ticks themselves.",
)
_ROWS: Final = Field(
    "limit",
    Optional(Natural(least=1, most=HISTORY_ROWS_MAX), HISTORY_ROWS_MAX),
    f"The most rows; {HISTORY_ROWS_MAX} if not given.",
)


def _history(given: Given) -> HistoryQuery:
    return HistoryQuery(
        from_ms=given[_SINCE],
        to_ms=given[_UNTIL],
        interval_ms=given[_INTERVAL],
        limit=given[_ROWS],
    )


HISTORY: Final = Form((_SINCE, _UNTIL, _INTERVAL, _ROWS), _history)


def history_range(asked: HistoryQuery, *, now_ms: EpochMs) -> HistoryRange | Refusal:
    """At most 7 days back, which is what the record keeps: earlier is `archived`."""
    to_ms = now_ms if asked.to_ms is None else asked.to_ms
    from_ms = max(0, to_ms - 300_000) if asked.from_ms is None else asked.from_ms
    if from_ms > to_ms:
        return bad_request("from", "must not be after `to`")
    if from_ms < now_ms - HISTORY_MS_MAX:
        return Refusal(Code.ARCHIVED, "Prices are kept for 7 days.", {"field": "from"})
    return HistoryRange(from_ms=from_ms, to_ms=to_ms)
