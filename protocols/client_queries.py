"""What clients ask for in query strings: which page, which stretch of time."""

from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

import attrs

from domain.refusals import Code, Refusal
from domain.units import BetId, EpochMs, parse_natural
from protocols.client_fields import BadField, Fields, optional, shown
from protocols.client_wire import LATEST_MS, is_bet_id
from protocols.money import BetStatus

Query: TypeAlias = Mapping[str, Sequence[str]]
"""A decoded query string: each name with all its values."""

PAGE_ROWS_MAX: Final = 200
HISTORY_MS_MAX: Final = 7 * 86_400_000
HISTORY_ROWS_MAX: Final = 2_000


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


def parse_bets_query(query: Query) -> BetsQuery | Refusal:
    """`status` may list several, joined by commas; `cursor` is the `next_cursor` of a page."""
    try:
        fields = _once(query)
        return BetsQuery(
            statuses=_statuses(fields),
            from_ms=optional(fields, "from", most=LATEST_MS),
            to_ms=optional(fields, "to", most=LATEST_MS),
            before=_bets_cursor(fields),
            limit=optional(fields, "limit", least=1, most=PAGE_ROWS_MAX) or 50,
        )
    except BadField as bad:
        return bad.refusal


def bets_cursor(placed_at_ms: EpochMs, bet_id: BetId) -> str:
    """What `cursor` must say to get the page after this row."""
    return f"{placed_at_ms}_{bet_id}"


def _bets_cursor(fields: Fields) -> tuple[EpochMs, BetId] | None:
    if "cursor" not in fields:
        return None
    placed_at, _, bet_id = str(fields["cursor"]).partition("_")
    placed_at_ms = parse_natural(placed_at)
    if placed_at_ms is None or not is_bet_id(bet_id):
        raise BadField("cursor", "is not one that a page gave out")
    return placed_at_ms, bet_id


def _statuses(fields: Fields) -> tuple[BetStatus, ...]:
    if "status" not in fields:
        return ()
    names = str(fields["status"]).split(",")
    if not set(names) <= set(BetStatus):
        raise BadField("status", f"must be of {', '.join(BetStatus)}")
    return tuple(BetStatus(name) for name in dict.fromkeys(names))


@attrs.frozen(kw_only=True)
class StatementQuery:
    """`GET /api/ledger`: a page of the statement."""

    before: int | None
    limit: int


def parse_statement_query(query: Query) -> StatementQuery | Refusal:
    """`cursor` is the `next_cursor` of the page before."""
    try:
        fields = _once(query)
        return StatementQuery(
            before=optional(fields, "cursor"),
            limit=optional(fields, "limit", least=1, most=PAGE_ROWS_MAX) or 50,
        )
    except BadField as bad:
        return bad.refusal


@attrs.frozen(kw_only=True)
class HistoryQuery:
    """`GET /api/prices/history`: bars of `interval_ms`, or the ticks themselves when it is 0."""

    from_ms: EpochMs
    to_ms: EpochMs
    interval_ms: int
    limit: int


def parse_history_query(query: Query, *, now_ms: EpochMs) -> HistoryQuery | Refusal:
    """`from` and `to` in ms (default: the last five minutes), `interval` in ms or `tick`.

    At most 7 days back, which is what the record keeps: earlier is `archived`.
    """
    try:
        fields = _once(query)
        to_ms = _or(optional(fields, "to", most=LATEST_MS), now_ms)
        from_ms = _or(optional(fields, "from", most=LATEST_MS), max(0, to_ms - 300_000))
        if from_ms > to_ms:
            raise BadField("from", "must not be after `to`")
        if from_ms < now_ms - HISTORY_MS_MAX:
            return Refusal(Code.ARCHIVED, "Prices are kept for 7 days.", {"field": "from"})
        return HistoryQuery(
            from_ms=from_ms,
            to_ms=to_ms,
            interval_ms=_interval_ms(fields),
            limit=optional(fields, "limit", least=1, most=HISTORY_ROWS_MAX) or HISTORY_ROWS_MAX,
        )
    except BadField as bad:
        return bad.refusal


def _interval_ms(fields: Fields) -> int:
    if fields.get("interval") == "tick":
        return 0
    return optional(fields, "interval", least=1_000, most=86_400_000) or 1_000


def _once(query: Query) -> Fields:
    for name, values in query.items():
        if len(values) > 1:
            raise BadField(shown(name), "occurs twice")
    return {name: values[0] for name, values in query.items()}


def _or(value: int | None, default: int) -> int:
    return default if value is None else value
