"""Which closed week is next, with which step, and when its local file may go."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.archiving import (
    DAY_MS,
    RETRY_FIRST_MS,
    RETRY_MAX_MS,
    WEEK_MS,
    ArchiveState,
    Conditions,
    Partition,
    Step,
    Tally,
    Task,
    next_look_ms,
    next_task,
    retry_at_ms,
    tally,
    week_begins_ms,
    week_file,
)
from domain.disk import DiskLevel

NOW_MS = week_begins_ms(1_770_100_000_000) + WEEK_MS
FIRST, SECOND, THIRD = "2026-02-01.db", "2026-02-08.db", "2026-02-15.db"
FOUR_WEEKS_MS = 4 * WEEK_MS


def week(
    name: str = FIRST,
    state: ArchiveState = ArchiveState.PENDING,
    *,
    closed_at_ms: int = NOW_MS - 60_000,
    failures: int = 0,
    failed_at_ms: int = 0,
    purged_at_ms: int | None = None,
) -> Partition:
    return Partition(
        name=name,
        state=state,
        closed_at_ms=closed_at_ms,
        failures=failures,
        failed_at_ms=failed_at_ms,
        purged_at_ms=purged_at_ms,
    )


def at(now_ms: int = NOW_MS, **others: object) -> Conditions:
    return Conditions(now_ms=now_ms, **others)  # type: ignore[arg-type]


# --- the next step ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "step"),
    [
        (ArchiveState.PENDING, Step.VACUUM),
        (ArchiveState.VACUUMED, Step.COMPRESS),
        (ArchiveState.COMPRESSED, Step.UPLOAD),
        (ArchiveState.UPLOADED, Step.VERIFY),
        (ArchiveState.VERIFIED, Step.FINISH),
    ],
)
def test_each_state_names_the_step_after_it(state: ArchiveState, step: Step) -> None:
    assert next_task([week(state=state)], at()) == Task(name=FIRST, step=step)


def test_there_is_nothing_to_do_where_all_is_done() -> None:
    assert next_task([], at()) is None
    assert next_task([week(state=ArchiveState.DONE)], at()) is None


def test_missed_weeks_are_caught_up_oldest_first() -> None:
    weeks = [week(FIRST, ArchiveState.DONE), week(SECOND), week(THIRD, ArchiveState.UPLOADED)]
    assert next_task(weeks, at()) == Task(name=SECOND, step=Step.VACUUM)


def test_a_week_that_fails_does_not_hold_up_the_younger_ones() -> None:
    weeks = [week(FIRST, failures=1, failed_at_ms=NOW_MS), week(SECOND)]
    assert next_task(weeks, at()) == Task(name=SECOND, step=Step.VACUUM)


def test_a_week_that_failed_is_tried_first_when_its_turn_comes() -> None:
    weeks = [week(FIRST, failures=1, failed_at_ms=NOW_MS), week(SECOND)]
    assert next_task(weeks, at(NOW_MS + RETRY_FIRST_MS)) == Task(name=FIRST, step=Step.VACUUM)


# --- attempts -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("failures", "wait_ms"),
    [(1, 60_000), (2, 120_000), (3, 240_000), (6, 1_920_000), (7, 3_600_000), (500, 3_600_000)],
)
def test_the_wait_after_a_failure_grows_to_an_hour(failures: int, wait_ms: int) -> None:
    failed = week(failures=failures, failed_at_ms=NOW_MS)
    assert retry_at_ms(failed, at(NOW_MS + wait_ms - 1)) == NOW_MS + wait_ms
    assert retry_at_ms(failed, at(NOW_MS + wait_ms)) is None


@pytest.mark.parametrize("level", [DiskLevel.WARNING, DiskLevel.FULL, DiskLevel.EMERGENCY])
def test_a_disk_that_fills_up_waits_a_minute_at_most(level: DiskLevel) -> None:
    failed = week(failures=9, failed_at_ms=NOW_MS)
    assert retry_at_ms(failed, at(disk=level)) == NOW_MS + 60_000
    assert retry_at_ms(failed, at(disk=DiskLevel.NORMAL)) == NOW_MS + RETRY_MAX_MS


def test_an_operator_who_asks_waits_for_no_attempt() -> None:
    failed = week(failures=9, failed_at_ms=NOW_MS - 1)
    assert next_task([failed], at()) is None
    assert next_task([failed], at(asked_at_ms=NOW_MS)) == Task(name=FIRST, step=Step.VACUUM)


def test_what_failed_after_an_operator_asked_waits_again() -> None:
    failed = week(failures=9, failed_at_ms=NOW_MS)
    assert next_task([failed], at(NOW_MS + 1, asked_at_ms=NOW_MS)) is None


def test_a_clock_that_was_set_back_does_not_make_it_wait() -> None:
    failed = week(failures=9, failed_at_ms=NOW_MS + DAY_MS)
    assert next_task([failed], at()) is not None


# --- purging ------------------------------------------------------------------------------------


def test_a_week_that_is_safe_goes_four_weeks_after_it_was_over() -> None:
    safe = week(state=ArchiveState.DONE, closed_at_ms=NOW_MS)
    assert next_task([safe], at(NOW_MS + FOUR_WEEKS_MS - 1)) is None
    assert next_task([safe], at(NOW_MS + FOUR_WEEKS_MS)) == Task(name=FIRST, step=Step.PURGE)


def test_the_weeks_on_disk_are_a_setting() -> None:
    safe = week(state=ArchiveState.DONE, closed_at_ms=NOW_MS)
    assert next_task([safe], at(NOW_MS + WEEK_MS, weeks_on_disk=1)) is not None


@pytest.mark.parametrize("state", [state for state in ArchiveState if state is not state.DONE])
def test_a_week_that_is_not_safe_never_goes(state: ArchiveState) -> None:
    late = at(
        NOW_MS + 100 * WEEK_MS, disk=DiskLevel.EMERGENCY, disk_looked_at_ms=NOW_MS + 100 * WEEK_MS
    )
    task = next_task([week(state=state)], late)
    assert task is not None
    assert task.step is not Step.PURGE


def test_a_week_goes_once() -> None:
    gone = week(state=ArchiveState.DONE, purged_at_ms=NOW_MS)
    assert next_task([gone], at(NOW_MS + 100 * WEEK_MS)) is None


def test_purging_goes_first_because_it_gives_room() -> None:
    old = week(state=ArchiveState.DONE, closed_at_ms=NOW_MS - FOUR_WEEKS_MS)
    assert next_task([old, week(SECOND)], at()) == Task(name=FIRST, step=Step.PURGE)


def test_in_an_emergency_the_oldest_safe_week_goes_at_any_age() -> None:
    weeks = [week(FIRST), week(SECOND, ArchiveState.DONE), week(THIRD, ArchiveState.DONE)]
    emergency = at(disk=DiskLevel.EMERGENCY, disk_looked_at_ms=NOW_MS)
    assert next_task(weeks, emergency) == Task(name=SECOND, step=Step.PURGE)


@pytest.mark.parametrize("level", [DiskLevel.NORMAL, DiskLevel.WARNING, DiskLevel.FULL])
def test_short_of_an_emergency_no_week_goes_early(level: DiskLevel) -> None:
    assert next_task([week(state=ArchiveState.DONE)], at(disk=level)) is None


def test_in_an_emergency_the_disk_is_looked_at_before_the_next_one_goes() -> None:
    weeks = [
        week(FIRST, ArchiveState.DONE, purged_at_ms=NOW_MS),
        week(SECOND, ArchiveState.DONE),
    ]
    looked_before = at(NOW_MS + 1, disk=DiskLevel.EMERGENCY, disk_looked_at_ms=NOW_MS)
    assert next_task(weeks, looked_before) is None
    looked_since = at(NOW_MS + 1, disk=DiskLevel.EMERGENCY, disk_looked_at_ms=NOW_MS + 1)
    assert next_task(weeks, looked_since) == Task(name=SECOND, step=Step.PURGE)


def test_a_purge_that_failed_waits_for_its_turn() -> None:
    old = week(
        state=ArchiveState.DONE,
        closed_at_ms=NOW_MS - FOUR_WEEKS_MS,
        failures=1,
        failed_at_ms=NOW_MS,
    )
    assert next_task([old], at()) is None
    assert next_task([old], at(NOW_MS + RETRY_FIRST_MS)) == Task(name=FIRST, step=Step.PURGE)


# --- when to look, and what to show -------------------------------------------------------------


def test_the_next_look_is_at_the_first_retry_or_purge() -> None:
    failed = week(FIRST, failures=2, failed_at_ms=NOW_MS)
    safe = week(SECOND, ArchiveState.DONE, closed_at_ms=NOW_MS)
    assert next_look_ms([failed, safe], at()) == NOW_MS + 120_000
    assert next_look_ms([safe], at()) == NOW_MS + FOUR_WEEKS_MS
    assert next_look_ms([week(state=ArchiveState.DONE, purged_at_ms=1)], at()) is None


def test_they_are_counted_by_where_they_are() -> None:
    weeks = [
        week(FIRST, ArchiveState.DONE, purged_at_ms=1),
        week(SECOND, ArchiveState.DONE),
        week(THIRD, ArchiveState.VERIFIED),
    ]
    assert tally(weeks) == Tally(waiting=1, archived=2, purged=1)


@given(
    st.lists(
        st.builds(
            week,
            st.sampled_from([FIRST, SECOND, THIRD]),
            st.sampled_from(ArchiveState),
            closed_at_ms=st.integers(NOW_MS - FOUR_WEEKS_MS, NOW_MS),
            failures=st.integers(0, 20),
            failed_at_ms=st.integers(NOW_MS - RETRY_MAX_MS, NOW_MS),
        ),
        max_size=5,
    ),
    st.sampled_from(DiskLevel),
)
def test_what_is_not_to_be_done_now_is_to_be_done_at_the_next_look(
    weeks: list[Partition], level: DiskLevel
) -> None:
    now = at(disk=level)
    if next_task(weeks, now) is None and (later_ms := next_look_ms(weeks, now)) is not None:
        assert later_ms > NOW_MS
        assert next_task(weeks, at(later_ms, disk=level)) is not None


# --- weeks --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moment", "sunday"),
    [
        ("2026-02-01T00:00:00.000", "2026-02-01"),
        ("2026-02-07T23:59:59.999", "2026-02-01"),
        ("2026-03-29T03:00:00.000", "2026-03-29"),
        ("2027-01-01T12:00:00.000", "2026-12-27"),
        ("1970-01-01T00:00:00.000", "1969-12-28"),
    ],
)
def test_a_week_begins_on_sunday_at_midnight_utc(moment: str, sunday: str) -> None:
    at_ms = int(datetime.fromisoformat(f"{moment}+00:00").timestamp() * 1000)
    begins = datetime.fromtimestamp(week_begins_ms(at_ms) / 1000, UTC)
    assert begins.isoformat() == f"{sunday}T00:00:00+00:00"
    assert week_file(at_ms) == f"{sunday}.db"
