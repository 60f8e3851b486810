"""Ticks + cell -> won, lost or void; and when a column may be judged (product.md, Resolution).

The verdict is a pure function of rule version, cell, the ticks from the last before to the first
after the window (or the watermark), and the impairments of the feed. It never looks at a stored
outcome, so the same function settles a column and verifies it years later.
"""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from itertools import pairwise

import attrs

from domain.limits import (
    FEED_CRITICAL_AFTER_MS,
    JUDGE_WITHOUT_TICK_AFTER_MS,
    VOID_UNJUDGED_AFTER_MS,
)
from domain.ticks import Tick
from domain.units import Cents, EpochMs


class Outcome(StrEnum):
    """How a bet ends."""

    WON = "won"
    LOST = "lost"
    VOID = "void"


class Rule(StrEnum):
    """Rule versions. A new rule gets a new name; an old one keeps its meaning for ever."""

    TOUCH = "touch"
    """Won if a tick in the window, or the price in force when it opens, lies in the range."""
    PATH = "path"
    """Also won if two consecutive ticks lie on either side of the range."""


class ImpairmentKind(StrEnum):
    """Why a stretch of time can't be judged."""

    CRITICAL = "critical"
    """The feed was CRITICAL."""
    DOWN = "down"
    """The venue, the price feed or the recorder was not running."""


@attrs.frozen(kw_only=True)
class Impairment:
    """A stretch `[from_ms, until_ms)` that can't be judged; it lasts while `until_ms` is None."""

    kind: ImpairmentKind
    from_ms: EpochMs
    until_ms: EpochMs | None


class VoidReason(StrEnum):
    """Why a column was given back; the first that applies, in this order."""

    FEED_CRITICAL = "feed_critical"
    NOT_RUNNING = "not_running"
    SOURCE_CHANGED = "source_changed"
    TICK_GAP = "tick_gap"
    NO_PRICE = "no_price"
    NOT_JUDGED_IN_TIME = "not_judged_in_time"
    OPERATOR = "operator"


@attrs.frozen(kw_only=True)
class Record:
    """What is on record about one window `[start_ms, end_ms)`: all that a verdict rests on."""

    start_ms: EpochMs
    end_ms: EpochMs
    carry_in: Tick | None
    """The last tick before the window: the price in force when it opens."""
    ticks: tuple[Tick, ...]
    """The accepted ticks of the window, in order."""
    after: Tick | None
    """The first tick at or after the end; None while the record has none."""
    watermark_ms: EpochMs
    """Exchange time of the last committed tick when the record was read."""
    read_at_ms: EpochMs
    """The venue's clock when the record was read: with no tick after, silence lasted until then."""
    impairments: tuple[Impairment, ...] = ()
    """Those that overlap the window, in order of their start."""


@attrs.frozen(kw_only=True)
class CellResult:
    """The outcome of one cell and the tick that decided it."""

    outcome: Outcome
    deciding_tick: Tick | None = None
    """The first tick in the range (`path`: or the one that crossed it); None if lost or void."""


@attrs.frozen(kw_only=True)
class Judgeable:
    """The column may be judged now; `void` says that it must be void, and why."""

    void: VoidReason | None


def may_judge(
    record: Record, *, settle_delay_ms: int, feed_critical: bool, void_ordered: bool = False
) -> Judgeable | None:
    """Whether the window of `record` may be judged, or None: not yet.

    It may when the committed watermark has passed its end + the settle delay, or else 10 s after
    its end by the clock. An ended window that is void already is given back at once while the feed
    is CRITICAL, and one that is not judged 60 s after its end is void whatever the record says.
    One that an operator has ordered to be void is so at once, whether or not it has begun.
    """
    if void_ordered:
        return Judgeable(void=VoidReason.OPERATOR)
    if max(record.read_at_ms, record.watermark_ms) < record.end_ms:
        return None
    reason = void_reason(record)
    if record.read_at_ms >= record.end_ms + VOID_UNJUDGED_AFTER_MS:
        return Judgeable(void=reason or VoidReason.NOT_JUDGED_IN_TIME)
    complete = record.watermark_ms >= record.end_ms + settle_delay_ms
    waited = record.read_at_ms >= record.end_ms + JUDGE_WITHOUT_TICK_AFTER_MS
    if complete or waited or (feed_critical and reason is not None):
        return Judgeable(void=reason)
    return None


def void_reason(record: Record) -> VoidReason | None:
    """Why the window can't be judged, or None. This rule comes before any other."""
    kinds = {impairment.kind for impairment in record.impairments if _overlaps(impairment, record)}
    if ImpairmentKind.CRITICAL in kinds:
        return VoidReason.FEED_CRITICAL
    if ImpairmentKind.DOWN in kinds:
        return VoidReason.NOT_RUNNING
    if record.carry_in is None:
        return VoidReason.NO_PRICE
    steps = list(pairwise(_known(record)))
    if any(before.source != tick.source for before, tick in steps):
        return VoidReason.SOURCE_CHANGED
    if any(tick.ts_ms - before.ts_ms > FEED_CRITICAL_AFTER_MS for before, tick in steps):
        return VoidReason.TICK_GAP
    last = record.ticks[-1] if record.ticks else record.carry_in
    silent_ms = record.read_at_ms - last.ts_ms
    if record.after is None and silent_ms > FEED_CRITICAL_AFTER_MS:
        return VoidReason.TICK_GAP
    return None


def judge_cell(rule: Rule, record: Record, *, lo_cents: Cents, hi_cents: Cents) -> CellResult:
    """Won or lost, for a window that is not void. The range is closed: both edges win."""
    previous: Tick | None = None
    for tick in _in_force(record):
        if lo_cents <= tick.price_cents <= hi_cents:
            return CellResult(outcome=Outcome.WON, deciding_tick=tick)
        crossed = previous is not None and (
            (previous.price_cents < lo_cents) != (tick.price_cents < lo_cents)
        )
        if rule is Rule.PATH and crossed:
            return CellResult(outcome=Outcome.WON, deciding_tick=tick)
        previous = tick
    return CellResult(outcome=Outcome.LOST)


def judge_cells(
    rule: Rule,
    record: Record,
    cells: Sequence[tuple[Cents, Cents]],
    *,
    void: VoidReason | None,
) -> tuple[CellResult, ...]:
    """One result per `(lo, hi)`, in order."""
    if void is not None:
        return tuple(CellResult(outcome=Outcome.VOID) for _ in cells)
    return tuple(judge_cell(rule, record, lo_cents=lo, hi_cents=hi) for lo, hi in cells)


def _in_force(record: Record) -> Iterator[Tick]:
    """The price in force at the open, then the ticks of the window."""
    if record.carry_in is not None:
        yield record.carry_in
    yield from record.ticks


def _known(record: Record) -> Iterator[Tick]:
    yield from _in_force(record)
    if record.after is not None:
        yield record.after


def _overlaps(impairment: Impairment, record: Record) -> bool:
    ends_after_open = impairment.until_ms is None or impairment.until_ms > record.start_ms
    return ends_after_open and impairment.from_ms < record.end_ms
