"""Limits of one's own: lowering holds at once, raising waits a day, a pause ends no sooner."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.self_limits import (
    DAY_MS,
    LimitsAsked,
    MaxAsked,
    PendingMax,
    SelfLimits,
    after,
    in_force,
    utc_day,
)

NOW_MS = 1_770_100_000_000
HOUR_MS = 3_600_000


def ask(limits: SelfLimits, micros: int | None, now_ms: int = NOW_MS) -> SelfLimits:
    """A change of the most that one bet may stake."""
    return after(limits, LimitsAsked(stake_max=MaxAsked(micros=micros)), now_ms)


def pause(limits: SelfLimits, until_ms: int, now_ms: int = NOW_MS) -> int:
    """When betting goes on."""
    return after(limits, LimitsAsked(paused_until_ms=until_ms), now_ms).paused_until_ms


FIFTY = SelfLimits(stake_max_micros=50)


def pending(micros: int | None, from_ms: int) -> SelfLimits:
    next_max = PendingMax(micros=micros, from_ms=from_ms)
    return SelfLimits(stake_max_micros=50, next_stake_max=next_max)


# --- a maximum --------------------------------------------------------------------------------


@pytest.mark.parametrize(("before", "micros"), [(None, 50), (50, 49), (50, 0), (50, 50), (0, 0)])
def test_a_first_or_lower_maximum_holds_at_once(before: int | None, micros: int) -> None:
    assert ask(SelfLimits(stake_max_micros=before), micros) == SelfLimits(stake_max_micros=micros)


@pytest.mark.parametrize("micros", [51, 10**15, None])
def test_a_higher_maximum_and_none_wait_a_day(micros: int | None) -> None:
    asked = ask(FIFTY, micros)
    assert asked == pending(micros, NOW_MS + DAY_MS)
    assert in_force(asked, NOW_MS + DAY_MS - 1) == asked
    assert in_force(asked, NOW_MS + DAY_MS) == SelfLimits(stake_max_micros=micros)


def test_no_limit_asked_for_where_there_is_none_changes_nothing() -> None:
    assert ask(SelfLimits(), None) == SelfLimits()


@pytest.mark.parametrize("micros", [50, 49])
def test_asking_for_no_more_than_holds_takes_back_what_was_to_come(micros: int) -> None:
    assert ask(pending(None, NOW_MS + 5), micros) == SelfLimits(stake_max_micros=micros)


@pytest.mark.parametrize(("waiting", "micros"), [(80, 80), (80, 60), (None, None), (None, 80)])
def test_asking_again_for_as_much_or_less_does_not_wait_anew(
    waiting: int | None, micros: int | None
) -> None:
    assert ask(pending(waiting, NOW_MS + 5), micros) == pending(micros, NOW_MS + 5)


@pytest.mark.parametrize(("waiting", "micros"), [(80, 81), (80, None)])
def test_asking_for_more_than_was_to_come_waits_anew(waiting: int, micros: int | None) -> None:
    assert ask(pending(waiting, NOW_MS + 5), micros) == pending(micros, NOW_MS + DAY_MS)


def test_what_has_come_due_is_what_a_change_starts_from() -> None:
    due = pending(80, NOW_MS)
    assert ask(due, 70) == SelfLimits(stake_max_micros=70)
    assert ask(due, 81).stake_max_micros == 80


def test_the_two_maxima_are_each_their_own() -> None:
    limits = SelfLimits(stake_max_micros=50, loss_day_max_micros=500)
    asked = after(
        limits,
        LimitsAsked(stake_max=MaxAsked(micros=60), loss_day_max=MaxAsked(micros=400)),
        NOW_MS,
    )
    assert asked == SelfLimits(
        stake_max_micros=50,
        next_stake_max=PendingMax(micros=60, from_ms=NOW_MS + DAY_MS),
        loss_day_max_micros=400,
    )
    raised = after(asked, LimitsAsked(loss_day_max=MaxAsked(micros=None)), NOW_MS + 1)
    assert raised.next_loss_day_max == PendingMax(micros=None, from_ms=NOW_MS + 1 + DAY_MS)
    assert raised.next_stake_max == asked.next_stake_max
    assert in_force(raised, NOW_MS + 1 + DAY_MS) == SelfLimits(stake_max_micros=60)


def test_asking_for_nothing_changes_nothing() -> None:
    limits = pending(80, NOW_MS + 1)
    assert after(limits, LimitsAsked(), NOW_MS) == limits


# --- a pause ----------------------------------------------------------------------------------


def test_a_pause_begins_and_is_lengthened_at_once() -> None:
    assert pause(SelfLimits(), NOW_MS + 5) == NOW_MS + 5
    paused = SelfLimits(paused_until_ms=NOW_MS + 5)
    assert pause(paused, NOW_MS + 90 * DAY_MS) == NOW_MS + 90 * DAY_MS


@pytest.mark.parametrize(
    ("until_ms", "asked_ms", "ends_ms"),
    [
        (NOW_MS + 7 * DAY_MS, 0, NOW_MS + DAY_MS),
        (NOW_MS + 7 * DAY_MS, NOW_MS + HOUR_MS, NOW_MS + DAY_MS),
        (NOW_MS + 7 * DAY_MS, NOW_MS + 2 * DAY_MS, NOW_MS + 2 * DAY_MS),
        (NOW_MS + HOUR_MS, 0, NOW_MS + HOUR_MS),
        (NOW_MS + DAY_MS, NOW_MS, NOW_MS + DAY_MS),
    ],
)
def test_a_pause_ends_no_sooner_than_a_day_after_that_was_asked(
    until_ms: int, asked_ms: int, ends_ms: int
) -> None:
    assert pause(SelfLimits(paused_until_ms=until_ms), asked_ms) == ends_ms


def test_asking_again_for_a_shorter_pause_does_not_wait_anew() -> None:
    paused = SelfLimits(paused_until_ms=NOW_MS + 7 * DAY_MS)
    shorter = after(paused, LimitsAsked(paused_until_ms=0), NOW_MS)
    assert pause(shorter, 0, NOW_MS + 5 * HOUR_MS) == NOW_MS + DAY_MS


# --- what always holds ------------------------------------------------------------------------

maxima = st.none() | st.integers(0, 100)
steps = st.lists(st.tuples(st.integers(0, 2 * DAY_MS), maxima), max_size=8)


def number(micros: int | None) -> float:
    return float("inf") if micros is None else micros


@given(steps)
def test_no_bet_is_above_anything_that_was_asked_for_within_a_day(
    steps: list[tuple[int, int | None]],
) -> None:
    limits, now_ms = SelfLimits(), NOW_MS
    asked: list[tuple[int, float]] = []
    for wait_ms, micros in steps:
        now_ms += wait_ms
        limits = ask(limits, micros, now_ms)
        asked.append((now_ms, number(micros)))
        held = number(in_force(limits, now_ms).stake_max_micros)
        assert held <= min(wish for at_ms, wish in asked if at_ms > now_ms - DAY_MS)


@given(steps, maxima)
def test_a_day_after_the_last_wish_it_holds(
    steps: list[tuple[int, int | None]], wish: int | None
) -> None:
    limits, now_ms = SelfLimits(), NOW_MS
    for wait_ms, micros in [*steps, (0, wish)]:
        now_ms += wait_ms
        limits = ask(limits, micros, now_ms)
    assert in_force(limits, now_ms + DAY_MS) == SelfLimits(stake_max_micros=wish)


@given(steps, st.integers(0, 3 * DAY_MS))
def test_to_look_early_or_twice_changes_nothing(
    steps: list[tuple[int, int | None]], later_ms: int
) -> None:
    limits, now_ms = SelfLimits(), NOW_MS
    for wait_ms, micros in steps:
        now_ms += wait_ms
        limits = ask(limits, micros, now_ms)
    later = in_force(limits, now_ms + later_ms)
    assert in_force(in_force(limits, now_ms), now_ms + later_ms) == later
    assert in_force(later, now_ms + later_ms) == later


def test_days_are_of_utc() -> None:
    midnight = 1_770_076_800_000  # 2026-02-03T00:00:00Z
    assert utc_day(midnight) == utc_day(midnight - 1) + 1
    assert midnight % DAY_MS == 0
