"""What settlement stores: enough to judge again for ever, and any change to it shows."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.evidence import (
    Evidence,
    faults,
    gather,
    record_from_json,
    record_to_json,
    source_of,
    ticks_sha256,
)
from domain.resolution import (
    Impairment,
    ImpairmentKind,
    Judgeable,
    Record,
    Rule,
    VoidReason,
    judge_cell,
    may_judge,
    void_reason,
)
from domain.ticks import Tick
from tests.support.ticks import T0_MS, tick

START_MS, END_MS = T0_MS, T0_MS + 5_000
RECORD = Record(
    start_ms=START_MS,
    end_ms=END_MS,
    carry_in=tick(START_MS - 400, 4_200_000, trade_id=11),
    ticks=(
        tick(START_MS + 100, 4_200_100, trade_id=12),
        tick(START_MS + 4_100, 4_199_900, trade_id=13),
    ),
    after=tick(END_MS + 20, 4_200_300, trade_id=14),
    watermark_ms=END_MS + 2_100,
    read_at_ms=END_MS + 2_500,
)
CRITICAL = Impairment(
    kind=ImpairmentKind.CRITICAL, from_ms=START_MS + 1_000, until_ms=START_MS + 2_000
)


def evidence_of(record: Record, void: VoidReason | None = None) -> Evidence:
    return gather(Rule.TOUCH, record, Judgeable(void=void))


# --- the hash ---------------------------------------------------------------------------------


def test_the_hash_is_over_the_published_lines_carry_in_first() -> None:
    lines = (
        f"binance,{START_MS - 400},4200000,11\n"
        f"binance,{START_MS + 100},4200100,12\n"
        f"binance,{START_MS + 4_100},4199900,13\n"
    )
    assert ticks_sha256(RECORD) == hashlib.sha256(lines.encode()).hexdigest()


def test_the_hash_of_no_ticks_is_that_of_no_text() -> None:
    empty = attrs.evolve(RECORD, carry_in=None, ticks=())
    assert ticks_sha256(empty) == hashlib.sha256(b"").hexdigest()


# --- the source -------------------------------------------------------------------------------


def test_the_source_is_that_of_the_price_in_force_at_the_end() -> None:
    assert source_of(RECORD) == "binance"
    last = attrs.evolve(RECORD.ticks[-1], source="coinbase")
    assert source_of(attrs.evolve(RECORD, ticks=(RECORD.ticks[0], last))) == "coinbase"
    assert source_of(attrs.evolve(RECORD, ticks=())) == "binance"
    assert source_of(attrs.evolve(RECORD, ticks=(), carry_in=None)) is None


# --- faults -----------------------------------------------------------------------------------


def test_sound_evidence_has_no_fault() -> None:
    assert faults(evidence_of(RECORD)) == []


@pytest.mark.parametrize("number", [0, 1, 2])
@pytest.mark.parametrize(
    "change",
    [
        lambda one: attrs.evolve(one, price_cents=one.price_cents + 1),
        lambda one: attrs.evolve(one, ts_ms=one.ts_ms + 1),
        lambda one: attrs.evolve(one, trade_id=one.trade_id + 1),
        lambda one: attrs.evolve(one, source="other"),
    ],
    ids=["price", "time", "trade id", "source"],
)
def test_an_altered_tick_shows(number: int, change: Callable[[Tick], Tick]) -> None:
    evidence = evidence_of(RECORD)
    assert RECORD.carry_in is not None
    ticks = [RECORD.carry_in, *RECORD.ticks]
    ticks[number] = change(ticks[number])
    altered = attrs.evolve(RECORD, carry_in=ticks[0], ticks=tuple(ticks[1:]))
    assert "the ticks do not match their hash" in faults(attrs.evolve(evidence, record=altered))


@pytest.mark.parametrize("kept", [(), (0,), (1,), (1, 0), (0, 0, 1)])
def test_a_tick_taken_away_added_or_moved_shows(kept: tuple[int, ...]) -> None:
    altered = attrs.evolve(RECORD, ticks=tuple(RECORD.ticks[number] for number in kept))
    found = faults(attrs.evolve(evidence_of(RECORD), record=altered))
    assert "the ticks do not match their hash" in found


@pytest.mark.parametrize(
    ("record", "void", "found"),
    [
        pytest.param(
            attrs.evolve(RECORD, impairments=(CRITICAL,)),
            VoidReason.FEED_CRITICAL,
            [],
            id="void as the record has it",
        ),
        pytest.param(
            attrs.evolve(RECORD, impairments=(CRITICAL,)),
            None,
            ["the column should be void: feed_critical"],
            id="paid out although void",
        ),
        pytest.param(
            RECORD,
            VoidReason.TICK_GAP,
            ["the ticks don't show the void reason tick_gap"],
            id="void for no reason",
        ),
        pytest.param(
            attrs.evolve(RECORD, impairments=(CRITICAL,)),
            VoidReason.NOT_RUNNING,
            ["the ticks don't show the void reason not_running"],
            id="void for another reason",
        ),
        pytest.param(RECORD, VoidReason.OPERATOR, [], id="an operator's word"),
        pytest.param(
            attrs.evolve(RECORD, read_at_ms=END_MS + 60_000),
            VoidReason.NOT_JUDGED_IN_TIME,
            [],
            id="too late",
        ),
        pytest.param(
            RECORD,
            VoidReason.NOT_JUDGED_IN_TIME,
            ["the ticks don't show the void reason not_judged_in_time"],
            id="called late although it was read in time",
        ),
        pytest.param(
            attrs.evolve(RECORD, read_at_ms=END_MS + 60_000),
            None,
            ["the column should be void: not_judged_in_time"],
            id="paid out although late",
        ),
        pytest.param(
            attrs.evolve(RECORD, after=None, watermark_ms=START_MS + 4_100),
            None,
            ["the column was judged before its end was on record"],
            id="judged too early",
        ),
    ],
)
def test_the_void_reason_is_borne_out_by_the_record(
    record: Record, void: VoidReason | None, found: list[str]
) -> None:
    assert faults(evidence_of(record, void)) == found


# --- JSON -------------------------------------------------------------------------------------

INTEGERS = st.integers(-(2**60), 2**60)
TICKS = st.builds(
    Tick,
    source=st.text(max_size=8),
    trade_id=INTEGERS,
    price_cents=INTEGERS,
    size_e8=INTEGERS,
    ts_ms=INTEGERS,
    recv_ms=INTEGERS,
)
RECORDS = st.builds(
    Record,
    start_ms=INTEGERS,
    end_ms=INTEGERS,
    carry_in=st.none() | TICKS,
    ticks=st.lists(TICKS, max_size=4).map(tuple),
    after=st.none() | TICKS,
    watermark_ms=INTEGERS,
    read_at_ms=INTEGERS,
    impairments=st.lists(
        st.builds(
            Impairment,
            kind=st.sampled_from(ImpairmentKind),
            from_ms=INTEGERS,
            until_ms=st.none() | INTEGERS,
        ),
        max_size=3,
    ).map(tuple),
)


def bare(record: Record) -> Record:
    """The record without what no verdict rests on."""

    def strip(one: Tick | None) -> Tick | None:
        return None if one is None else attrs.evolve(one, size_e8=0, recv_ms=one.ts_ms)

    return attrs.evolve(
        record,
        carry_in=strip(record.carry_in),
        ticks=tuple(attrs.evolve(one, size_e8=0, recv_ms=one.ts_ms) for one in record.ticks),
        after=strip(record.after),
    )


@given(record=RECORDS)
def test_a_record_is_read_back_but_for_sizes_and_receive_times(record: Record) -> None:
    assert record_from_json(record_to_json(record)) == bare(record)


@given(record=RECORDS, lo=INTEGERS, height=st.integers(0, 2**40), rule=st.sampled_from(Rule))
def test_a_stored_record_is_judged_as_the_first_one_was(
    record: Record, lo: int, height: int, rule: Rule
) -> None:
    stored = record_from_json(record_to_json(record))
    assert ticks_sha256(stored) == ticks_sha256(record)
    assert void_reason(stored) is void_reason(record)
    first, again = (
        judge_cell(rule, one, lo_cents=lo, hi_cents=lo + height) for one in (record, stored)
    )
    assert again.outcome is first.outcome


@given(
    offsets_ms=st.lists(st.integers(-12_000, 19_000), max_size=12).map(sorted),
    lag_ms=st.integers(0, 70_000),
    delay_ms=st.integers(0, 10_000),
    critical=st.booleans(),
    impaired=st.booleans(),
)
def test_whatever_settlement_gathers_is_without_fault(
    offsets_ms: list[int], lag_ms: int, delay_ms: int, critical: bool, impaired: bool
) -> None:
    ticks = [tick(START_MS + at_ms) for at_ms in offsets_ms]
    before = [one for one in ticks if one.ts_ms < START_MS]
    after = [one for one in ticks if one.ts_ms >= END_MS]
    watermark_ms = ticks[-1].ts_ms if ticks else 0
    record = Record(
        start_ms=START_MS,
        end_ms=END_MS,
        carry_in=before[-1] if before else None,
        ticks=tuple(one for one in ticks if START_MS <= one.ts_ms < END_MS),
        after=after[0] if after else None,
        watermark_ms=watermark_ms,
        read_at_ms=max(watermark_ms, START_MS) + lag_ms,
        impairments=(CRITICAL,) if impaired else (),
    )
    judgeable = may_judge(record, settle_delay_ms=delay_ms, feed_critical=critical)
    if judgeable is not None:
        assert faults(gather(Rule.TOUCH, record, judgeable)) == []


def test_the_json_form_is_plain_and_compact() -> None:
    record = attrs.evolve(RECORD, ticks=RECORD.ticks[:1], impairments=(CRITICAL,))
    assert record_to_json(record) == (
        f'{{"start_ms":{START_MS},"end_ms":{END_MS},'
        f'"carry_in":["binance",{START_MS - 400},4200000,11],'
        f'"ticks":[["binance",{START_MS + 100},4200100,12]],'
        f'"after":["binance",{END_MS + 20},4200300,14],'
        f'"watermark_ms":{END_MS + 2_100},"read_at_ms":{END_MS + 2_500},'
        f'"impairments":[["critical",{START_MS + 1_000},{START_MS + 2_000}]]}}'
    )


def put(*path: str | int, value: object) -> Callable[[Any], None]:
    """A change of stored JSON: the value at that path."""

    def change(stored: Any) -> None:
        for step in path[:-1]:
            stored = stored[step]
        stored[path[-1]] = value

    return change


def drop(name: str) -> Callable[[Any], None]:
    return lambda stored: stored.pop(name) and None


@pytest.mark.parametrize(
    "change",
    [
        *(drop(name) for name in json.loads(record_to_json(RECORD))),
        put("start_ms", value="1770100000000"),
        put("start_ms", value=1.0),
        put("end_ms", value=True),
        put("watermark_ms", value=None),
        put("read_at_ms", value=[]),
        put("carry_in", value=["binance", 1, 2]),
        put("carry_in", value=7),
        put("carry_in", 0, value=None),
        put("carry_in", 3, value=True),
        put("ticks", value=None),
        put("ticks", 0, value=None),
        put("ticks", 0, 1, value="1"),
        put("ticks", 0, 2, value=4.2e6),
        put("after", value="binance"),
        put("impairments", value=[["late", 1, 2]]),
        put("impairments", value=[["down", None, 2]]),
        put("impairments", value=[["down", 1, "2"]]),
        put("impairments", value=[["down", 1]]),
    ],
)
def test_a_record_that_was_not_written_so_is_refused(change: Callable[[Any], None]) -> None:
    stored = json.loads(record_to_json(RECORD))
    change(stored)
    with pytest.raises((ValueError, KeyError, TypeError)):
        record_from_json(json.dumps(stored))


@pytest.mark.parametrize("text", ["", "{", "[]", '"text"', "null", "7"])
def test_what_is_no_record_at_all_is_refused(text: str) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        record_from_json(text)
