"""Won, lost or void: tables of each rule's edges, then everything against a plain oracle."""

from collections.abc import Sequence
from itertools import pairwise

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.resolution import (
    CellResult,
    Impairment,
    ImpairmentKind,
    Judgeable,
    Outcome,
    Record,
    Rule,
    VoidReason,
    judge_cell,
    judge_cells,
    may_judge,
    void_reason,
)
from domain.ticks import Tick
from tests.support.ticks import T0_MS, tick

START_MS = T0_MS
END_MS = T0_MS + 5_000
LO, HI = 4_200_000, 4_201_000
BELOW, INSIDE, ABOVE = 4_199_999, 4_200_500, 4_201_001
DELAY_MS = 2_000


def seen(
    *prices: tuple[int, int], source: str = "binance", read_at_ms: int | None = None
) -> Record:
    """The record of the window from all `(ms since its start, price)` of the market, in order."""
    ticks = [tick(START_MS + at_ms, price, source=source) for at_ms, price in prices]
    return recorded(ticks, read_at_ms=read_at_ms)


def recorded(ticks: Sequence[Tick], *, read_at_ms: int | None = None) -> Record:
    before = [one for one in ticks if one.ts_ms < START_MS]
    within = [one for one in ticks if START_MS <= one.ts_ms < END_MS]
    after = [one for one in ticks if one.ts_ms >= END_MS]
    watermark_ms = ticks[-1].ts_ms if ticks else 0
    return Record(
        start_ms=START_MS,
        end_ms=END_MS,
        carry_in=before[-1] if before else None,
        ticks=tuple(within),
        after=after[0] if after else None,
        watermark_ms=watermark_ms,
        read_at_ms=watermark_ms if read_at_ms is None else read_at_ms,
    )


def impaired(record: Record, kind: ImpairmentKind, from_ms: int, until_ms: int | None) -> Record:
    """The record with one more impairment, its times counted from the window's start."""
    made = Impairment(
        kind=kind,
        from_ms=START_MS + from_ms,
        until_ms=None if until_ms is None else START_MS + until_ms,
    )
    return attrs.evolve(record, impairments=(*record.impairments, made))


def outcome(rule: Rule, record: Record) -> Outcome:
    return judge_cell(rule, record, lo_cents=LO, hi_cents=HI).outcome


CALM = seen((-500, BELOW), (1_000, BELOW), (3_000, BELOW), (5_500, BELOW), (7_000, BELOW))

# --- rule touch -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("price", "won"),
    [(LO - 1, False), (LO, True), (INSIDE, True), (HI, True), (HI + 1, False)],
)
@pytest.mark.parametrize("rule", Rule)
def test_the_range_is_closed_at_both_ends(rule: Rule, price: int, won: bool) -> None:
    record = seen((-500, price), (1_000, price), (5_500, price))
    assert outcome(rule, record) is (Outcome.WON if won else Outcome.LOST)


@pytest.mark.parametrize(
    ("at_ms", "won"),
    [
        (-1, True),  # in force when the window opens
        (0, True),
        (4_999, True),
        (5_000, False),  # the window is half-open
    ],
)
def test_a_touch_counts_in_the_window_or_in_force_at_its_start(at_ms: int, won: bool) -> None:
    times = sorted({-500: BELOW, 2_500: BELOW, 6_000: BELOW, at_ms: INSIDE}.items())
    assert outcome(Rule.TOUCH, seen(*times)) is (Outcome.WON if won else Outcome.LOST)


def test_only_the_last_price_before_the_window_is_in_force() -> None:
    record = seen((-600, INSIDE), (-500, BELOW), (1_000, BELOW), (5_500, BELOW))
    assert outcome(Rule.TOUCH, record) is Outcome.LOST


def test_the_carry_in_counts_also_when_a_tick_falls_on_the_start() -> None:
    record = seen((-500, INSIDE), (0, BELOW), (5_500, BELOW))
    assert outcome(Rule.TOUCH, record) is Outcome.WON


def test_the_deciding_tick_is_the_first_in_the_range() -> None:
    record = seen((-500, BELOW), (1_000, ABOVE), (2_000, HI), (3_000, INSIDE), (5_500, BELOW))
    result = judge_cell(Rule.TOUCH, record, lo_cents=LO, hi_cents=HI)
    assert result == CellResult(outcome=Outcome.WON, deciding_tick=tick(START_MS + 2_000, HI))


# --- rule path --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prices", "won"),
    [
        pytest.param([(-500, BELOW), (1_000, ABOVE)], True, id="up, from the carry-in"),
        pytest.param([(-500, ABOVE), (1_000, BELOW)], True, id="down, from the carry-in"),
        pytest.param([(-500, BELOW), (1_000, BELOW), (1_000, ABOVE)], True, id="in one ms"),
        pytest.param([(-500, BELOW), (1_000, BELOW)], False, id="stays below"),
        pytest.param([(-500, ABOVE), (1_000, ABOVE)], False, id="stays above"),
        pytest.param([(-600, BELOW), (-500, ABOVE)], False, id="crossed before the window"),
        pytest.param([(-500, BELOW), (5_000, ABOVE)], False, id="crossed after the window"),
    ],
)
def test_path_also_wins_by_crossing_the_range(prices: list[tuple[int, int]], won: bool) -> None:
    record = seen(*prices)
    assert outcome(Rule.PATH, record) is (Outcome.WON if won else Outcome.LOST)
    assert outcome(Rule.TOUCH, record) is Outcome.LOST


def test_the_tick_that_crossed_decides() -> None:
    record = seen((-500, BELOW), (1_000, BELOW), (2_000, ABOVE), (3_000, INSIDE), (5_500, BELOW))
    result = judge_cell(Rule.PATH, record, lo_cents=LO, hi_cents=HI)
    assert result.deciding_tick == tick(START_MS + 2_000, ABOVE)


# --- void -------------------------------------------------------------------------------------


def test_a_calm_window_is_not_void() -> None:
    assert void_reason(CALM) is None


@pytest.mark.parametrize(
    ("from_ms", "until_ms", "void"),
    [
        (-10_000, 0, False),
        (-10_000, 1, True),
        (2_000, 2_001, True),
        (4_999, None, True),
        (5_000, None, False),
        (-99_000, None, True),
    ],
)
@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (ImpairmentKind.CRITICAL, VoidReason.FEED_CRITICAL),
        (ImpairmentKind.DOWN, VoidReason.NOT_RUNNING),
    ],
)
def test_an_impairment_in_any_part_of_the_window_voids(
    kind: ImpairmentKind, reason: VoidReason, from_ms: int, until_ms: int | None, void: bool
) -> None:
    assert void_reason(impaired(CALM, kind, from_ms, until_ms)) is (reason if void else None)


def test_without_a_price_in_force_at_the_start_it_is_void() -> None:
    assert void_reason(seen((0, INSIDE), (1_000, INSIDE), (6_000, INSIDE))) is VoidReason.NO_PRICE


@pytest.mark.parametrize(
    "times_ms",
    [
        pytest.param([-8_000, 2_000, 6_000], id="up to the first tick"),
        pytest.param([-100, 4_000, 14_000], id="after the last tick"),
        pytest.param([-4_000, 6_000], id="over the whole window"),
    ],
)
def test_ticks_ten_seconds_apart_are_no_gap_and_a_millisecond_more_is(times_ms: list[int]) -> None:
    gaps = [later - earlier for earlier, later in pairwise(times_ms)]
    widest = gaps.index(10_000)
    assert void_reason(seen(*((at_ms, BELOW) for at_ms in times_ms))) is None
    wider = [at_ms + (number > widest) for number, at_ms in enumerate(times_ms)]
    assert void_reason(seen(*((at_ms, BELOW) for at_ms in wider))) is VoidReason.TICK_GAP


def test_a_gap_outside_the_window_voids_nothing() -> None:
    assert void_reason(seen((-60_000, BELOW), (-1, BELOW), (5_000, BELOW), (60_000, BELOW))) is None


@pytest.mark.parametrize(("silent_ms", "void"), [(10_000, False), (10_001, True)])
def test_with_no_later_tick_silence_lasts_until_the_record_was_read(
    silent_ms: int, void: bool
) -> None:
    record = seen((-500, BELOW), (4_000, BELOW), read_at_ms=START_MS + 4_000 + silent_ms)
    assert void_reason(record) is (VoidReason.TICK_GAP if void else None)


@pytest.mark.parametrize("changes_at", [1, 2, 3])
def test_a_change_of_source_voids_the_window_it_falls_in(changes_at: int) -> None:
    times_ms = [-500, 1_000, 3_000, 5_500]
    ticks = [
        tick(START_MS + at_ms, source="coinbase" if number >= changes_at else "binance")
        for number, at_ms in enumerate(times_ms)
    ]
    assert void_reason(recorded(ticks)) is VoidReason.SOURCE_CHANGED


def test_a_change_of_source_before_the_carry_in_or_after_the_next_tick_voids_nothing() -> None:
    sources = ["old", "now", "now", "now", "next"]
    times_ms = [-600, -500, 1_000, 5_500, 5_600]
    ticks = [
        tick(START_MS + at_ms, source=source)
        for at_ms, source in zip(times_ms, sources, strict=True)
    ]
    assert void_reason(recorded(ticks)) is None


def test_void_reasons_apply_in_their_order() -> None:
    """Everything is wrong at once; mended one by one, the next reason shows."""
    record = recorded([tick(START_MS + 1_000), tick(START_MS + 12_000, source="coinbase")])
    record = impaired(record, ImpairmentKind.DOWN, 0, 1)
    record = impaired(record, ImpairmentKind.CRITICAL, 0, 1)
    found = [void_reason(record)]
    record = attrs.evolve(record, impairments=record.impairments[:1])
    found.append(void_reason(record))
    record = attrs.evolve(record, impairments=())
    found.append(void_reason(record))
    record = attrs.evolve(record, carry_in=tick(START_MS - 500))
    found.append(void_reason(record))
    record = attrs.evolve(record, after=tick(START_MS + 12_000))
    found.append(void_reason(record))
    record = attrs.evolve(record, after=tick(START_MS + 6_000))
    found.append(void_reason(record))
    assert found == [
        VoidReason.FEED_CRITICAL,
        VoidReason.NOT_RUNNING,
        VoidReason.NO_PRICE,
        VoidReason.SOURCE_CHANGED,
        VoidReason.TICK_GAP,
        None,
    ]


def test_a_void_column_gives_every_cell_back_whatever_the_ticks_say() -> None:
    results = judge_cells(Rule.TOUCH, CALM, [(LO, HI), (0, HI)], void=VoidReason.OPERATOR)
    assert results == (CellResult(outcome=Outcome.VOID),) * 2


def test_cells_are_judged_in_the_order_asked() -> None:
    results = judge_cells(Rule.TOUCH, CALM, [(LO, HI), (BELOW, BELOW), (HI, HI)], void=None)
    assert [result.outcome for result in results] == [Outcome.LOST, Outcome.WON, Outcome.LOST]


# --- when -------------------------------------------------------------------------------------


def judgeable(record: Record, *, feed_critical: bool = False) -> Judgeable | None:
    return may_judge(record, settle_delay_ms=DELAY_MS, feed_critical=feed_critical)


OPEN_END = seen((-500, BELOW), (4_900, BELOW))


@pytest.mark.parametrize(("watermark_ms", "judged"), [(6_999, False), (7_000, True)])
def test_a_window_is_judged_when_the_watermark_has_passed_its_end_by_the_delay(
    watermark_ms: int, judged: bool
) -> None:
    record = seen((-500, BELOW), (4_900, BELOW), (5_100, BELOW), (watermark_ms, BELOW))
    assert judgeable(record) == (Judgeable(void=None) if judged else None)


def test_the_delay_is_the_sources_own() -> None:
    record = seen((-500, BELOW), (4_900, BELOW), (5_100, BELOW), (9_999, BELOW))
    assert may_judge(record, settle_delay_ms=5_000, feed_critical=False) is None


@pytest.mark.parametrize(
    ("read_at_ms", "found"),
    [(14_999, None), (15_000, Judgeable(void=VoidReason.TICK_GAP))],
)
def test_without_a_later_tick_it_is_judged_ten_seconds_after_its_end_by_the_clock(
    read_at_ms: int, found: Judgeable | None
) -> None:
    assert judgeable(attrs.evolve(OPEN_END, read_at_ms=START_MS + read_at_ms)) == found


def test_ten_seconds_after_its_end_a_tick_within_the_delay_is_enough() -> None:
    record = seen((-500, BELOW), (4_900, BELOW), (5_100, BELOW), read_at_ms=END_MS + 10_000)
    assert judgeable(record) == Judgeable(void=None)


def test_a_window_that_has_not_ended_is_never_judged() -> None:
    record = impaired(CALM, ImpairmentKind.CRITICAL, 0, None)
    record = attrs.evolve(record, watermark_ms=END_MS - 1, read_at_ms=END_MS - 1, after=None)
    assert judgeable(record, feed_critical=True) is None


@pytest.mark.parametrize("feed_critical", [False, True])
def test_while_the_feed_is_critical_a_void_window_is_given_back_at_once(
    feed_critical: bool,
) -> None:
    record = impaired(
        attrs.evolve(OPEN_END, read_at_ms=END_MS), ImpairmentKind.CRITICAL, 4_999, None
    )
    found = judgeable(record, feed_critical=feed_critical)
    assert found == (Judgeable(void=VoidReason.FEED_CRITICAL) if feed_critical else None)


def test_while_the_feed_is_critical_a_window_that_may_be_well_is_waited_for() -> None:
    assert judgeable(attrs.evolve(OPEN_END, read_at_ms=END_MS), feed_critical=True) is None


@pytest.mark.parametrize(
    ("late_ms", "void"), [(59_999, None), (60_000, VoidReason.NOT_JUDGED_IN_TIME)]
)
def test_a_column_not_judged_in_a_minute_is_void(late_ms: int, void: VoidReason | None) -> None:
    assert judgeable(attrs.evolve(CALM, read_at_ms=END_MS + late_ms)) == Judgeable(void=void)


def test_a_better_reason_is_given_also_when_it_is_late() -> None:
    record = attrs.evolve(impaired(CALM, ImpairmentKind.DOWN, 0, 1), read_at_ms=END_MS + 3_600_000)
    assert judgeable(record) == Judgeable(void=VoidReason.NOT_RUNNING)


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(
            attrs.evolve(CALM, ticks=(), after=None, watermark_ms=START_MS - 1, read_at_ms=0),
            id="before it begins",
        ),
        pytest.param(attrs.evolve(OPEN_END, read_at_ms=END_MS - 1), id="while it runs"),
        pytest.param(CALM, id="when it is on record"),
        pytest.param(impaired(CALM, ImpairmentKind.DOWN, 0, 1), id="with another reason"),
        pytest.param(attrs.evolve(CALM, read_at_ms=END_MS + 3_600_000), id="an hour later"),
    ],
)
def test_a_column_that_an_operator_gives_back_is_void_at_once(record: Record) -> None:
    found = may_judge(record, settle_delay_ms=2_000, feed_critical=False, void_ordered=True)
    assert found == Judgeable(void=VoidReason.OPERATOR)


# --- against a plain oracle -------------------------------------------------------------------
#
# It works on bare tuples of the whole market and takes nothing from the code under test.

Market = list[tuple[int, int, str]]
"""`(ms since the window's start, price, source)`, in order."""
Stretch = tuple[str, int, int | None]


def plain_void(market: Market, stretches: list[Stretch], read_ms: int) -> str | None:
    for kind, name in (("critical", "feed_critical"), ("down", "not_running")):
        for stretch_kind, from_ms, until_ms in stretches:
            for moment in range(5_000):
                inside = from_ms <= moment and (until_ms is None or moment < until_ms)
                if stretch_kind == kind and inside:
                    return name
    if not any(at_ms < 0 for at_ms, _, _ in market):
        return "no_price"
    first = max(n for n, (at_ms, _, _) in enumerate(market) if at_ms < 0)
    lasts = [n for n, (at_ms, _, _) in enumerate(market) if at_ms >= 5_000]
    part = market[first : lasts[0] + 1] if lasts else market[first:]
    if len({source for _, _, source in part}) > 1:
        return "source_changed"
    times = [at_ms for at_ms, _, _ in part] + ([] if lasts else [read_ms])
    if any(times[n] - times[n - 1] > 10_000 for n in range(1, len(times))):
        return "tick_gap"
    return None


def plain_outcome(rule: str, market: Market, lo: int, hi: int) -> str:
    before = [price for at_ms, price, _ in market if at_ms < 0]
    prices = before[-1:] + [price for at_ms, price, _ in market if 0 <= at_ms < 5_000]
    if any(price in range(lo, hi + 1) for price in prices):
        return "won"
    sides = [price > hi for price in prices]
    if rule == "path" and any(sides) and not all(sides):
        return "won"
    return "lost"


MARKETS = st.lists(
    st.tuples(
        st.integers(-12_000, 19_000),
        st.integers(95, 106),
        st.sampled_from(["a"] * 9 + ["b"]),
    ),
    max_size=12,
).map(lambda market: sorted(market, key=lambda one: one[0]))
STRETCHES = st.lists(
    st.builds(
        lambda kind, from_ms, lasts_ms: (kind, from_ms, lasts_ms and from_ms + lasts_ms),
        st.sampled_from(["critical", "down"]),
        st.integers(-3_000, 8_000),
        st.none() | st.integers(1, 4_000),
    ),
    max_size=1,
)


def as_record(market: Market, stretches: list[Stretch], read_ms: int) -> Record:
    ticks = [
        tick(START_MS + at_ms, price, trade_id=number, source=source)
        for number, (at_ms, price, source) in enumerate(market)
    ]
    record = recorded(ticks, read_at_ms=START_MS + read_ms)
    for kind, from_ms, until_ms in stretches:
        record = impaired(record, ImpairmentKind(kind), from_ms, until_ms)
    return record


@given(market=MARKETS, stretches=STRETCHES, read_ms=st.integers(5_000, 30_000))
def test_void_is_what_the_words_say(market: Market, stretches: list[Stretch], read_ms: int) -> None:
    found = void_reason(as_record(market, stretches, read_ms))
    assert (found and found.value) == plain_void(market, stretches, read_ms)


@given(
    market=MARKETS,
    lo=st.integers(94, 106),
    height=st.integers(0, 4),
    rule=st.sampled_from(Rule),
)
def test_the_outcome_is_what_the_words_say(
    market: Market, lo: int, height: int, rule: Rule
) -> None:
    record = as_record(market, [], 30_000)
    found = judge_cell(rule, record, lo_cents=lo, hi_cents=lo + height)
    assert found.outcome.value == plain_outcome(rule.value, market, lo, lo + height)
    assert (found.deciding_tick is None) == (found.outcome is Outcome.LOST)


@given(market=MARKETS, lo=st.integers(94, 106), height=st.integers(0, 4))
def test_whatever_touch_wins_path_wins_too(market: Market, lo: int, height: int) -> None:
    record = as_record(market, [], 30_000)
    touch, path = (judge_cell(rule, record, lo_cents=lo, hi_cents=lo + height) for rule in Rule)
    assert touch.outcome is not Outcome.WON or path.outcome is Outcome.WON


@given(
    market=MARKETS,
    stretches=STRETCHES,
    read_ms=st.integers(0, 90_000),
    feed_critical=st.booleans(),
)
def test_whatever_is_judged_well_has_ended_and_its_end_is_on_record(
    market: Market, stretches: list[Stretch], read_ms: int, feed_critical: bool
) -> None:
    market = [one for one in market if one[0] <= read_ms]
    record = as_record(market, stretches, read_ms)
    found = judgeable(record, feed_critical=feed_critical)
    if found is not None and found.void is None:
        assert record.after is not None
        assert read_ms >= 5_000
    if read_ms >= 65_000:
        assert found is not None
        assert found.void is not None


@given(market=MARKETS, stretches=STRETCHES, read_ms=st.integers(0, 30_000))
def test_a_verdict_that_could_be_given_stays_the_same_when_the_record_grows(
    market: Market, stretches: list[Stretch], read_ms: int
) -> None:
    """Judged as soon as it may be or later, within the minute: the same result."""
    early = as_record([one for one in market if one[0] <= read_ms], stretches, read_ms)
    found = judgeable(early)
    late = as_record(market, stretches, max(read_ms, 30_000))
    if found is not None and market[-1:] and market[-1][0] >= 5_000:
        later = void_reason(late)
        gap_by_clock = found.void is VoidReason.TICK_GAP and early.after is None
        assert found.void is later or gap_by_clock
