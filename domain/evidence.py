"""What settlement writes about a column, and recomputing a result from it alone.

The evidence holds all that the verdict rests on: window, rule, impairments, carry-in, ticks, the
first tick after, the watermark, and a hash of the ticks. Proof, `tapgrid verify` and the archive
read only this. Its JSON form is plain text, so that anyone can read and recompute it.
"""

import hashlib
import json
from collections.abc import Iterable

import attrs

from domain.resolution import (
    Impairment,
    ImpairmentKind,
    Judgeable,
    Record,
    Rule,
    VoidReason,
    void_reason,
)
from domain.ticks import Tick


@attrs.frozen(kw_only=True)
class Evidence:
    """One judged column: the rule in force, the record it was judged on, and the void reason."""

    rule: Rule
    record: Record
    void: VoidReason | None
    ticks_sha256: str


def gather(rule: Rule, record: Record, judgeable: Judgeable) -> Evidence:
    """The evidence for a column that may be judged."""
    return Evidence(
        rule=rule,
        record=record,
        void=judgeable.void,
        ticks_sha256=ticks_sha256(record),
    )


def ticks_sha256(record: Record) -> str:
    """SHA-256 over UTF-8 lines `{source},{ts_ms},{price_cents},{trade_id}\\n`, carry-in first."""
    carried = () if record.carry_in is None else (record.carry_in,)
    digest = hashlib.sha256()
    for tick in (*carried, *record.ticks):
        line = f"{tick.source},{tick.ts_ms},{tick.price_cents},{tick.trade_id}\n"
        digest.update(line.encode())
    return digest.hexdigest()


def source_of(record: Record) -> str | None:
    """The source that the window was judged on: that of the price in force at its end."""
    if record.ticks:
        return record.ticks[-1].source
    return record.carry_in.source if record.carry_in is not None else None


EXTERNAL_REASONS = frozenset({VoidReason.NOT_JUDGED_IN_TIME, VoidReason.OPERATOR})
"""Void reasons that time or an operator gave, which the record alone can't show."""


def faults(evidence: Evidence) -> list[str]:
    """What is wrong with stored evidence: its hash, or a void reason its ticks don't bear out."""
    found: list[str] = []
    if ticks_sha256(evidence.record) != evidence.ticks_sha256:
        found.append("the ticks do not match their hash")
    recomputed = void_reason(evidence.record)
    stored = evidence.void
    if recomputed is not None and stored is None:
        found.append(f"the column should be void: {recomputed.value}")
    if stored is not None and recomputed is not stored and stored not in EXTERNAL_REASONS:
        found.append(f"the ticks don't show the void reason {stored.value}")
    return found


def record_to_json(record: Record) -> str:
    """The record as compact JSON text; ticks as `[source, ts_ms, price_cents, trade_id]`."""
    return json.dumps(
        {
            "start_ms": record.start_ms,
            "end_ms": record.end_ms,
            "carry_in": _tick_to_row(record.carry_in),
            "ticks": [_tick_to_row(tick) for tick in record.ticks],
            "after": _tick_to_row(record.after),
            "watermark_ms": record.watermark_ms,
            "read_at_ms": record.read_at_ms,
            "impairments": [
                [impairment.kind.value, impairment.from_ms, impairment.until_ms]
                for impairment in record.impairments
            ],
        },
        separators=(",", ":"),
    )


def record_from_json(text: str) -> Record:
    """The record that `record_to_json` wrote. Raises ValueError, KeyError or TypeError if not."""
    stored = json.loads(text)
    return Record(
        start_ms=stored["start_ms"],
        end_ms=stored["end_ms"],
        carry_in=_tick_from_row(stored["carry_in"]),
        ticks=_ticks_from_rows(stored["ticks"]),
        after=_tick_from_row(stored["after"]),
        watermark_ms=stored["watermark_ms"],
        read_at_ms=stored["read_at_ms"],
        impairments=tuple(
            Impairment(kind=ImpairmentKind(kind), from_ms=from_ms, until_ms=until_ms)
            for kind, from_ms, until_ms in stored["impairments"]
        ),
    )


def _tick_to_row(tick: Tick | None) -> list[object] | None:
    if tick is None:
        return None
    return [tick.source, tick.ts_ms, tick.price_cents, tick.trade_id]


def _tick_from_row(row: list[object] | None) -> Tick | None:
    if row is None:
        return None
    source, ts_ms, price_cents, trade_id = row
    if not (isinstance(ts_ms, int) and isinstance(price_cents, int) and isinstance(trade_id, int)):
        raise ValueError("a stored tick has a number that is none")
    return Tick(
        source=str(source),
        trade_id=trade_id,
        price_cents=price_cents,
        size_e8=0,
        ts_ms=ts_ms,
        recv_ms=ts_ms,
    )


def _ticks_from_rows(rows: Iterable[list[object]]) -> tuple[Tick, ...]:
    return tuple(tick for row in rows if (tick := _tick_from_row(row)) is not None)
