"""HEALTHY under 3 s, DEGRADED from 3 s, CRITICAL from 10 s; back after 30 s of steady ticks."""

from collections.abc import Iterable
from itertools import pairwise, takewhile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.feed_health import (
    SKEW_TICKS_KEPT,
    FeedHealth,
    FeedLevel,
    RecordTail,
    Why,
    begin,
    next_look_ms,
    step,
)
from domain.ticks import Tick
from tests.support.ticks import T0_MS, tick

HEALTHY, DEGRADED, CRITICAL = FeedLevel.HEALTHY, FeedLevel.DEGRADED, FeedLevel.CRITICAL


def after_ticks(ticks: Iterable[Tick], health: FeedHealth | None = None) -> FeedHealth:
    """The health after these ticks, each looked at when it arrived; begun in a new folder."""
    health = begin(None, now_ms=T0_MS) if health is None else health
    for one in ticks:
        health = step(health, one, one.recv_ms)
    return health


def healthy() -> FeedHealth:
    """HEALTHY since a single tick at T0."""
    return after_ticks([tick(T0_MS)])


def silenced() -> FeedHealth:
    """CRITICAL since T0 + 10 s, by silence since T0."""
    return step(healthy(), None, T0_MS + 10_000)


def each_second(from_ms: int, until_ms: int) -> list[Tick]:
    return [tick(at_ms) for at_ms in range(from_ms, until_ms + 1, 1_000)]


def tail(
    *,
    level: FeedLevel | None = HEALTHY,
    gap_ms: int = 0,
    alive_ms: int = T0_MS,
    last: Tick | None = None,
) -> RecordTail:
    return RecordTail(
        last_tick=last or tick(T0_MS), alive_ms=alive_ms, level=level, gap_since_healthy_ms=gap_ms
    )


# --- age --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("age_ms", "level"),
    [
        (0, HEALTHY),
        (2_999, HEALTHY),
        (3_000, DEGRADED),
        (9_999, DEGRADED),
        (10_000, CRITICAL),
        (3_600_000, CRITICAL),
        (-2_000, HEALTHY),  # our clock was stepped back a little
    ],
)
def test_level_by_the_age_of_the_newest_tick(age_ms: int, level: FeedLevel) -> None:
    assert step(healthy(), None, T0_MS + age_ms).level is level


@pytest.mark.parametrize(
    ("exchange_ms", "receive_ms", "known_skew_ms", "age_ms"),
    [
        (T0_MS - 1_500, T0_MS, 0, 1_500),  # a feed that hands out old trades is old
        (T0_MS + 1_500, T0_MS, 0, 0),  # an exchange ahead of us does not make a tick younger
        (T0_MS - 1_300, T0_MS, 1_300, 0),  # a known delay is no fault
        (T0_MS + 1_272, T0_MS, -1_272, 0),  # nor is a recorder's slow clock
    ],
)
def test_age_counts_from_the_older_time_less_the_known_skew(
    exchange_ms: int, receive_ms: int, known_skew_ms: int, age_ms: int
) -> None:
    health = begin(None, now_ms=T0_MS, known_skew_ms=known_skew_ms)
    health = step(health, tick(exchange_ms, recv_ms=receive_ms), T0_MS)
    assert health.age_ms(T0_MS) == age_ms
    assert health.age_ms(T0_MS + 400) == age_ms + 400


def test_there_is_no_age_before_the_first_tick() -> None:
    assert begin(None, now_ms=T0_MS).age_ms(T0_MS) is None


def test_a_level_remembers_when_and_why_it_began() -> None:
    slow = step(healthy(), None, T0_MS + 3_000)
    assert (slow.why, slow.since_ms) == (Why.SLOW, T0_MS + 3_000)
    later = step(slow, None, T0_MS + 4_000)
    assert (later.why, later.since_ms) == (Why.SLOW, T0_MS + 3_000)
    silent = step(later, None, T0_MS + 10_000)
    assert (silent.why, silent.since_ms) == (Why.SILENT, T0_MS + 10_000)


def test_a_silence_counts_although_nobody_looked_until_it_ended() -> None:
    health = step(healthy(), tick(T0_MS + 10_000), T0_MS + 10_000)
    assert (health.level, health.why) == (CRITICAL, Why.SILENT)
    assert step(healthy(), tick(T0_MS + 9_999), T0_MS + 9_999).level is HEALTHY


def test_degraded_is_left_with_the_next_fresh_tick() -> None:
    degraded = step(healthy(), None, T0_MS + 9_000)
    assert step(degraded, tick(T0_MS + 9_500), T0_MS + 9_500).level is HEALTHY


def test_a_tick_that_is_old_when_it_comes_leaves_the_feed_degraded() -> None:
    late = tick(T0_MS + 1_000, recv_ms=T0_MS + 4_500)
    assert step(healthy(), late, T0_MS + 4_500).level is DEGRADED


# --- the way back -----------------------------------------------------------------------------


def test_critical_ends_after_thirty_seconds_of_steady_ticks_and_not_before() -> None:
    begun_ms = T0_MS + 20_000
    health = after_ticks(each_second(begun_ms, begun_ms + 29_000), silenced())
    assert health.level is CRITICAL
    almost = step(health, tick(begun_ms + 29_999), begun_ms + 29_999)
    assert almost.level is CRITICAL
    exactly = step(health, tick(begun_ms + 30_000), begun_ms + 30_000)
    assert (exactly.level, exactly.since_ms) == (HEALTHY, begun_ms + 30_000)


def test_the_clock_alone_does_not_end_critical() -> None:
    begun_ms = T0_MS + 20_000
    health = after_ticks(each_second(begun_ms, begun_ms + 28_000), silenced())
    assert step(health, None, begun_ms + 30_500).level is CRITICAL


@pytest.mark.parametrize(("apart_ms", "level"), [(3_000, HEALTHY), (3_001, CRITICAL)])
def test_a_steady_run_allows_three_seconds_between_ticks(apart_ms: int, level: FeedLevel) -> None:
    begun_ms = T0_MS + 20_000
    times_ms = range(begun_ms, begun_ms + 11 * apart_ms, apart_ms)
    assert after_ticks(map(tick, times_ms), silenced()).level is level


@pytest.mark.parametrize(
    "late_by_ms",
    [
        pytest.param(3_001, id="the receive times have a hole"),
        pytest.param(0, id="the exchange times have a hole"),
    ],
)
def test_a_hole_in_either_clock_begins_the_run_anew(late_by_ms: int) -> None:
    begun_ms = T0_MS + 20_000
    run = each_second(begun_ms, begun_ms + 15_000)
    hole = tick(begun_ms + 15_000 + (3_001 if not late_by_ms else 100), trade_id=1)
    health = after_ticks(run, silenced())
    health = step(
        health, tick(hole.ts_ms, recv_ms=hole.ts_ms + late_by_ms), hole.ts_ms + late_by_ms
    )
    again_ms = hole.ts_ms + late_by_ms
    health = after_ticks(each_second(again_ms + 1_000, again_ms + 29_000), health)
    assert health.level is CRITICAL
    assert after_ticks(each_second(again_ms + 30_000, again_ms + 31_000), health).level is HEALTHY


def test_a_look_during_a_hole_does_not_make_it_smaller() -> None:
    begun_ms = T0_MS + 20_000
    health = after_ticks(each_second(begun_ms, begun_ms + 15_000), silenced())
    for late_ms in (1_000, 2_000, 3_000, 4_000):
        health = step(health, None, begun_ms + 15_000 + late_ms)
    health = after_ticks(each_second(begun_ms + 19_000, begun_ms + 48_000), health)
    assert health.level is CRITICAL


# --- clocks -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("skew_ms", "known_skew_ms", "level"),
    [
        (2_000, 0, HEALTHY),
        (2_001, 0, CRITICAL),
        (-2_000, 0, HEALTHY),
        (-2_001, 0, CRITICAL),
        (3_300, 1_300, HEALTHY),
        (3_301, 1_300, CRITICAL),
    ],
)
def test_clocks_more_than_two_seconds_apart_are_critical(
    skew_ms: int, known_skew_ms: int, level: FeedLevel
) -> None:
    health = begin(None, now_ms=T0_MS, known_skew_ms=known_skew_ms)
    health = after_ticks(
        [tick(at_ms - skew_ms, recv_ms=at_ms) for at_ms in range(T0_MS, T0_MS + 5_000, 500)], health
    )
    assert health.level is level
    assert health.skew_ms == skew_ms - known_skew_ms


def test_a_few_late_ticks_are_outvoted() -> None:
    health = after_ticks(each_second(T0_MS, T0_MS + 10_000))
    late = [tick(T0_MS + 10_000 + n, recv_ms=T0_MS + 12_500 + n) for n in range(5)]
    assert after_ticks(late, health).why is Why.FRESH


def test_only_the_newest_ticks_tell_the_skew() -> None:
    apart = [tick(at_ms - 9_000, recv_ms=at_ms) for at_ms in range(T0_MS, T0_MS + 3_000, 10)]
    health = after_ticks(apart)
    assert len(health.skews_ms) == SKEW_TICKS_KEPT
    mended = each_second(T0_MS + 4_000, T0_MS + 3_000 + SKEW_TICKS_KEPT * 1_000)
    assert not after_ticks(mended, health).clocks_differ(T0_MS + 3_000 + SKEW_TICKS_KEPT * 1_000)


@pytest.mark.parametrize(
    ("back_ms", "level", "why"),
    [(2_000, HEALTHY, Why.FRESH), (2_001, CRITICAL, Why.CLOCKS_DIFFER)],
)
def test_a_clock_stepped_back_further_than_clocks_may_differ_is_critical(
    back_ms: int, level: FeedLevel, why: Why
) -> None:
    """No tick tells of it: all that come are ahead of such a clock, and left out."""
    health = step(healthy(), None, T0_MS - back_ms)
    assert (health.level, health.why) == (level, why)


def test_a_clock_that_has_caught_up_with_the_last_tick_leaves_a_steady_run_to_be_served() -> None:
    health = after_ticks(each_second(T0_MS, T0_MS + 40_000))
    health = step(health, None, T0_MS + 10_000)
    health = after_ticks(each_second(T0_MS + 41_000, T0_MS + 70_000), health)
    assert health.steady_from == tick(T0_MS + 41_000)
    assert health.level is CRITICAL
    assert after_ticks([tick(T0_MS + 71_000)], health).level is HEALTHY


def test_the_steady_run_begins_when_the_clocks_agree_again() -> None:
    apart = [tick(at_ms - 2_500, recv_ms=at_ms) for at_ms in range(T0_MS, T0_MS + 5_000, 1_000)]
    health = after_ticks(apart)
    assert (health.level, health.steady_from) == (CRITICAL, None)
    # The five ticks that came late are outvoted by the fifth of the others, at 10 s.
    health = after_ticks(each_second(T0_MS + 6_000, T0_MS + 39_000), health)
    assert health.steady_from == tick(T0_MS + 10_000)
    assert health.level is CRITICAL
    assert after_ticks([tick(T0_MS + 40_000)], health).level is HEALTHY


# --- sources ----------------------------------------------------------------------------------


def test_another_source_is_not_critical_by_itself() -> None:
    health = after_ticks([tick(T0_MS), tick(T0_MS + 500, source="coinbase")])
    assert health.level is HEALTHY


def test_another_source_is_judged_by_its_own_clock() -> None:
    before = [tick(at_ms - 1_900, recv_ms=at_ms) for at_ms in range(T0_MS, T0_MS + 20_000, 500)]
    health = after_ticks([*before, tick(T0_MS + 20_000, source="coinbase")])
    assert health.skews_ms == (0,)


# --- a life begins ----------------------------------------------------------------------------


def test_a_life_begins_critical_and_stays_so_without_ticks() -> None:
    health = begin(None, now_ms=T0_MS)
    assert (health.level, health.why, health.since_ms) == (CRITICAL, Why.STARTING, T0_MS)
    assert step(health, None, T0_MS + 60_000).level is CRITICAL


def test_a_new_folder_opens_at_the_first_tick() -> None:
    assert after_ticks([tick(T0_MS + 60_000)]).level is HEALTHY


def test_a_first_tick_that_is_old_already_opens_nothing() -> None:
    stale = tick(T0_MS, recv_ms=T0_MS + 10_000)
    health = after_ticks([stale, tick(T0_MS + 10_500)])
    assert health.level is CRITICAL


@pytest.mark.parametrize(
    ("found", "first_ms", "level"),
    [
        pytest.param(tail(), 8_000, HEALTHY, id="a short restart"),
        pytest.param(tail(level=DEGRADED), 8_000, HEALTHY, id="degraded is not critical"),
        pytest.param(tail(level=None), 8_000, HEALTHY, id="crashed before any level"),
        pytest.param(tail(level=CRITICAL), 1_000, CRITICAL, id="it was critical"),
        pytest.param(tail(gap_ms=10_000), 1_000, HEALTHY, id="the widest gap allowed"),
        pytest.param(tail(gap_ms=10_001), 1_000, CRITICAL, id="a gap in the record"),
        pytest.param(tail(), 10_000, HEALTHY, id="the longest outage allowed"),
        pytest.param(tail(), 10_001, CRITICAL, id="a long outage"),
        pytest.param(
            tail(alive_ms=T0_MS + 60_000), 60_500, CRITICAL, id="alive but without a price"
        ),
        pytest.param(
            tail(last=tick(T0_MS + 11_000), alive_ms=T0_MS), 11_000, CRITICAL, id="no sign of life"
        ),
    ],
)
def test_the_steady_run_is_spared_only_if_nothing_was_wrong(
    found: RecordTail, first_ms: int, level: FeedLevel
) -> None:
    health = begin(found, now_ms=T0_MS + first_ms - 500)
    assert step(health, tick(T0_MS + first_ms), T0_MS + first_ms).level is level


def test_only_the_first_tick_can_spare_the_steady_run() -> None:
    health = begin(tail(), now_ms=T0_MS)
    skewed = tick(T0_MS + 500, recv_ms=T0_MS + 3_000)
    health = step(health, skewed, T0_MS + 3_000)
    assert health.level is CRITICAL
    fresh = [tick(at_ms) for at_ms in range(T0_MS + 3_100, T0_MS + 9_000, 100)]
    assert after_ticks(fresh, health).level is CRITICAL


@pytest.mark.parametrize("found", [None, tail()])
def test_a_life_after_a_critical_one_is_never_spared(found: RecordTail | None) -> None:
    health = begin(found, now_ms=T0_MS, was_critical=True)
    health = after_ticks(each_second(T0_MS + 1_000, T0_MS + 30_000), health)
    assert health.level is CRITICAL
    assert after_ticks([tick(T0_MS + 31_000)], health).level is HEALTHY


# --- when to look -----------------------------------------------------------------------------


def test_the_next_look_is_when_silence_changes_the_level() -> None:
    health = healthy()
    assert next_look_ms(health, T0_MS + 100) == T0_MS + 3_000
    health = step(health, None, T0_MS + 3_000)
    assert next_look_ms(health, T0_MS + 3_000) == T0_MS + 10_000
    assert next_look_ms(silenced(), T0_MS + 10_000) is None
    assert next_look_ms(begin(None, now_ms=T0_MS), T0_MS) is None
    assert next_look_ms(healthy(), T0_MS + 99_000) == T0_MS + 99_000  # the clock was set forward


# --- properties -------------------------------------------------------------------------------

GAPS_MS = st.lists(st.sampled_from([1, 400, 1_000, 2_999, 3_000, 3_001, 9_999, 10_000, 12_000]))


def plain_level(times_ms: list[int], at_ms: int) -> FeedLevel:
    """The level at `at_ms`, from the words: what a reader of the rule would work out by hand."""
    critical = False
    run_from = times_ms[0]
    for before, now in pairwise(times_ms):
        if now - before >= 10_000:
            critical = True
        if now - before > 3_000:
            run_from = now
        if critical and now - run_from >= 30_000:
            critical = False
    age_ms = at_ms - times_ms[-1]
    if critical or age_ms >= 10_000:
        return CRITICAL
    return DEGRADED if age_ms >= 3_000 else HEALTHY


@given(gaps_ms=GAPS_MS, then_ms=st.integers(0, 15_000))
def test_the_level_is_what_the_words_say(gaps_ms: list[int], then_ms: int) -> None:
    times_ms = [T0_MS]
    for gap_ms in gaps_ms:
        times_ms.append(times_ms[-1] + gap_ms)
    at_ms = times_ms[-1] + then_ms
    health = step(after_ticks(map(tick, times_ms)), None, at_ms)
    assert health.level is plain_level(times_ms, at_ms)


@given(gaps_ms=GAPS_MS, looks_ms=st.lists(st.integers(1, 4_000)))
def test_looking_more_often_changes_nothing(gaps_ms: list[int], looks_ms: list[int]) -> None:
    seldom = often = healthy()
    at_ms = T0_MS
    looks = iter(looks_ms)
    for gap_ms in gaps_ms:
        for look_ms in takewhile(lambda look_ms, gap_ms=gap_ms: look_ms < gap_ms, looks):
            often = step(often, None, at_ms + look_ms)
        at_ms += gap_ms
        seldom = step(seldom, tick(at_ms), at_ms)
        often = step(often, tick(at_ms), at_ms)
        assert (often.level, often.steady_from) == (seldom.level, seldom.steady_from)
