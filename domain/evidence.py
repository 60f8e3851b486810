"""What settlement writes about a column, and recomputing a result from it alone.

The evidence holds all that the verdict rests on: window, rule, impairments, carry-in, ticks, the
first tick after, the watermark, and a hash of the ticks. Proof, `tapgrid verify` and the archive
read only this. Its JSON form is plain text, so that anyone can read and recompute it.
"""

import hashlib
import json
from collections.abc import Iterable

import attrs

from domain.limits import VOID_UNJUDGED_AFTER_MS
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


def faults(evidence: Evidence) -> list[str]:
    """What is wrong with stored evidence: its hash, its void reason, or that it came too early."""
    found: list[str] = []
    if ticks_sha256(evidence.record) != evidence.ticks_sha256:
        found.append("the ticks do not match their hash")
    stored = evidence.void
    if stored is VoidReason.OPERATOR:
        return found  # given by a person, which no tick can show or deny
    recomputed = _void_reason_when_read(evidence.record)
    if recomputed is not None and stored is None:
        found.append(f"the column should be void: {recomputed.value}")
    if stored is not None and recomputed is not stored:
        found.append(f"the ticks don't show the void reason {stored.value}")
    if stored is None and recomputed is None and evidence.record.after is None:
        # Only a later tick shows that all ticks of a window are there; 10 s without one are void.
        found.append("the column was judged before its end was on record")
    return found


def _void_reason_when_read(record: Record) -> VoidReason | None:
    """As `may_judge` had it: a record read too late is void whatever it says."""
    reason = void_reason(record)
    if reason is None and record.read_at_ms >= record.end_ms + VOID_UNJUDGED_AFTER_MS:
        return VoidReason.NOT_JUDGED_IN_TIME
    return reason


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
    """The record that `record_to_json` wrote. Raises ValueError, KeyError or TypeError if not.

    Sizes and receive times of ticks are not kept: no verdict rests on them.
    """
    stored = json.loads(text)
    return Record(
        start_ms=_integer(stored["start_ms"]),
        end_ms=_integer(stored["end_ms"]),
        carry_in=_tick_from_row(stored["carry_in"]),
        ticks=_ticks_from_rows(stored["ticks"]),
        after=_tick_from_row(stored["after"]),
        watermark_ms=_integer(stored["watermark_ms"]),
        read_at_ms=_integer(stored["read_at_ms"]),
        impairments=tuple(
            Impairment(
                kind=ImpairmentKind(kind),
                from_ms=_integer(from_ms),
                until_ms=None if until_ms is None else _integer(until_ms),
            )
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
    if not isinstance(source, str):
        raise ValueError(f"not a source: {source!r:.40}")
    return Tick(
        source=source,
        trade_id=_integer(trade_id),
        price_cents=_integer(price_cents),
        size_e8=0,
        ts_ms=_integer(ts_ms),
        recv_ms=_integer(ts_ms),
    )


def _integer(value: object) -> int:
    """JSON's `true` is an int to Python, and 1.0 equals 1: neither is one of our numbers."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"not an integer: {value!r:.40}")
    return value


def _ticks_from_rows(rows: Iterable[list[object]]) -> tuple[Tick, ...]:
    ticks = [_tick_from_row(row) for row in rows]
    if None in ticks:
        raise ValueError("a tick is missing")
    return tuple(tick for tick in ticks if tick is not None)
