"""Backups: their names, when the next one is due, and which are kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.backups import (
    DAY_MS,
    HOUR_MS,
    Backup,
    Retention,
    file_key,
    free_key,
    listed,
    newest,
    next_due_ms,
    record_key,
    retry_in_ms,
    surplus,
)

WEEK = "2026-11-15.db"
NOW_MS = 1_795_176_000_000
"""2026-11-20 12:00:00 UTC."""
KEY = "backups/2026-11-15/20261120T120000Z.db.zst"
KEEP = Retention(hourly_for_hours=48, daily_for_days=35)


def backup(age_ms: int, *, partition: str = WEEK, complete: bool = True) -> Backup:
    taken_at_ms = NOW_MS - age_ms
    return Backup(
        key=file_key(partition, taken_at_ms),
        partition=partition,
        taken_at_ms=taken_at_ms,
        bytes=1,
        complete=complete,
    )


def kept(backups: list[Backup], *, archived: frozenset[str] = frozenset()) -> set[Backup]:
    return {*backups} - {*surplus(backups, keep=KEEP, archived=archived, now_ms=NOW_MS)}


# --- names ------------------------------------------------------------------------------------


def test_the_key_says_which_week_and_when() -> None:
    assert file_key(WEEK, NOW_MS) == KEY
    assert record_key(KEY) == "backups/2026-11-15/20261120T120000Z.json"


def test_a_key_that_is_taken_is_not_used_again() -> None:
    one, two = KEY, "backups/2026-11-15/20261120T120001Z.db.zst"
    assert free_key(WEEK, NOW_MS, []) == one
    assert free_key(WEEK, NOW_MS, [one]) == two
    assert free_key(WEEK, NOW_MS, [record_key(one)]) == two, "a record alone, too"


def test_a_backup_is_complete_when_its_record_is_there() -> None:
    [alone] = listed({KEY: 7})
    [both] = listed({KEY: 7, record_key(KEY): 2})
    [record] = listed({record_key(KEY): 2})
    assert (alone.complete, both.complete, record.complete) == (False, True, False)
    assert (alone.bytes, both.bytes, record.bytes) == (7, 7, 0)
    assert (both.key, both.partition, both.taken_at_ms) == (KEY, WEEK, NOW_MS)


@pytest.mark.parametrize(
    "key",
    [
        "weeks/2026-11-15.db.zst",
        "backups/note.txt",
        "backups/2026-11-15/20261120T120000Z.db",
        "backups/2026-11-15/20261332T120000Z.db.zst",
        "backups/2026-11-15/x/20261120T120000Z.db.zst",
    ],
)
def test_what_is_no_backup_is_passed_over(key: str) -> None:
    assert listed({key: 1}) == []


def test_a_listing_is_in_the_order_of_time() -> None:
    later_week = file_key("2026-11-22.db", NOW_MS + 7 * DAY_MS)
    earlier = file_key(WEEK, NOW_MS - 1000)
    found = [each.key for each in listed({later_week: 1, KEY: 1, earlier: 1})]
    assert found == [earlier, KEY, later_week]


def test_the_newest_is_a_complete_one() -> None:
    old, fresh = backup(2 * HOUR_MS), backup(HOUR_MS, complete=False)
    assert newest([fresh, old]) == old
    assert newest([fresh]) is None


# --- when the next is due ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("last_ms", "due_in_ms"),
    [
        (0, 0),
        (NOW_MS, HOUR_MS),
        (NOW_MS - HOUR_MS // 2, HOUR_MS // 2),
        (NOW_MS - 3 * HOUR_MS, -2 * HOUR_MS),
        (NOW_MS + 400 * DAY_MS, HOUR_MS),  # the clock stepped back
    ],
)
def test_the_next_is_due_a_turn_after_the_last(last_ms: int, due_in_ms: int) -> None:
    assert next_due_ms(last_ms, every_ms=HOUR_MS, now_ms=NOW_MS) == NOW_MS + due_in_ms


def test_failures_are_tried_again_ever_later_and_at_most_a_turn_later() -> None:
    waits = [retry_in_ms(n, every_ms=HOUR_MS) // 1000 for n in range(1, 10)]
    assert waits == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]
    assert retry_in_ms(10**9, every_ms=HOUR_MS) == HOUR_MS
    assert retry_in_ms(5, every_ms=60_000) == 60_000


# --- which are kept ---------------------------------------------------------------------------


def test_all_of_the_last_hours_are_kept() -> None:
    recent = [backup(n * HOUR_MS) for n in range(48)]
    assert kept(recent) == {*recent}


def test_after_that_the_last_one_of_each_day_is() -> None:
    hours = [backup(n * HOUR_MS) for n in range(48, 80)]
    survivors = kept([backup(0), *hours]) - {backup(0)}
    assert {each.key.split("/")[-1][:11] for each in survivors} == {"20261118T12", "20261117T23"}


def test_after_some_days_none_is() -> None:
    yesterday, oldest, gone = backup(DAY_MS), backup(34 * DAY_MS), backup(35 * DAY_MS)
    assert kept([gone, oldest, yesterday]) == {oldest, yesterday}


def test_the_newest_of_all_is_kept_however_old() -> None:
    old, older = backup(400 * DAY_MS), backup(401 * DAY_MS)
    assert kept([older, old], archived=frozenset({WEEK})) == {old}


def test_the_newest_of_each_week_that_is_not_in_the_archive_is_kept() -> None:
    lost, older = (backup(n * DAY_MS, partition="2026-08-02.db") for n in (100, 101))
    safe = backup(93 * DAY_MS, partition="2026-08-09.db")
    now = backup(0)
    assert kept([older, lost, safe, now], archived=frozenset({safe.partition})) == {lost, now}


def test_an_incomplete_one_is_kept_for_a_day_and_stands_for_nothing() -> None:
    on_its_way, dead = backup(DAY_MS - 1, complete=False), backup(DAY_MS, complete=False)
    good = backup(400 * DAY_MS)
    assert kept([good, dead, on_its_way]) == {good, on_its_way}


def test_one_from_the_future_is_kept() -> None:
    ahead, now = backup(-10 * DAY_MS), backup(0)
    assert kept([now, ahead], archived=frozenset({WEEK})) == {now, ahead}


WEEKS = ["2026-10-25.db", "2026-11-01.db", "2026-11-15.db"]
backups = st.builds(
    backup,
    st.integers(-DAY_MS, 60 * DAY_MS).map(lambda ms: ms - ms % 1000),
    partition=st.sampled_from(WEEKS),
    complete=st.booleans(),
)
retentions = st.builds(
    Retention, hourly_for_hours=st.integers(1, 72), daily_for_days=st.integers(1, 40)
)
some_archived = st.frozensets(st.sampled_from(WEEKS))


@given(st.lists(backups, unique=True), retentions, some_archived)
def test_whatever_there_is_the_promises_hold(
    stored: list[Backup], keep: Retention, archived: frozenset[str]
) -> None:
    gone = surplus(stored, keep=keep, archived=archived, now_ms=NOW_MS)
    left = {*stored} - {*gone}
    assert newest(stored) == newest(left)
    for week in {*WEEKS} - archived:
        of_week = [each for each in stored if each.partition == week]
        assert newest(of_week) == newest(each for each in left if each.partition == week)
    for each in gone:
        age_ms = NOW_MS - each.taken_at_ms
        if each.complete:
            same_day = [
                other
                for other in left
                if other.complete and other.taken_at_ms // DAY_MS == each.taken_at_ms // DAY_MS
            ]
            assert age_ms >= keep.hourly_for_hours * HOUR_MS
            assert same_day or NOW_MS // DAY_MS - each.taken_at_ms // DAY_MS >= keep.daily_for_days
        else:
            assert age_ms >= DAY_MS
    assert surplus([*left], keep=keep, archived=archived, now_ms=NOW_MS) == []


@given(st.sets(backups), retentions, st.integers(0, 10 * DAY_MS))
def test_removing_early_and_late_leaves_what_removing_late_leaves(
    stored: set[Backup], keep: Retention, earlier_ms: int
) -> None:
    """A backup that is not kept is never wanted later: no turn of the keeper does harm."""
    then_ms = NOW_MS - earlier_ms
    of_then = [each for each in stored if each.taken_at_ms <= then_ms]
    early = surplus(of_then, keep=keep, archived=(), now_ms=then_ms)
    in_two = surplus([*stored - {*early}], keep=keep, archived=(), now_ms=NOW_MS)
    at_once = surplus([*stored], keep=keep, archived=(), now_ms=NOW_MS)
    assert {*early, *in_two} == {*at_once}
