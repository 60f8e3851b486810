"""Does the money add up over the weeks? Each way in which it may not is found, and where."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from db.ledger_check import DRIFTS_PER_QUESTION_MAX
from db.weekly_check import WeekChecked, check_weeks
from tests.support.ledgers import ALICE, START_S, order, settle
from tests.support.weeks import FIRST, SECOND, THIRD, WEEK_MS, WeeklyVenue, in_week, weekly_venue

SEVEN_TO_THE_HOUSE = (
    "UPDATE transaction_ledger SET amount = amount - 7 WHERE user_id = 3 AND ref_type = 'CARRY'",
    "UPDATE transaction_ledger SET amount = amount + 7 WHERE user_id = 1 AND ref_type = 'CARRY'",
    "UPDATE transaction_ledger SET balance_after = balance_after - 7 WHERE user_id = 3",
    "UPDATE transaction_ledger SET balance_after = balance_after + 7 WHERE user_id = 1",
    "UPDATE users SET balance = balance - 7 WHERE id = 3",
    "UPDATE users SET balance = balance + 7 WHERE id = 1",
)
"""In one file everything adds up again after this."""


@pytest.fixture
def venue() -> Iterator[WeeklyVenue]:
    """Three weeks: in each of the first two a bet was won, and one was open at its end."""
    with weekly_venue() as venue:
        for week in range(2):
            start_s = START_S + week * WEEK_MS // 1000
            bets = order(1, start_s=start_s), order(2, start_s=start_s + 60)
            venue.apply(*bets, at_ms=in_week(week))
            venue.apply(settle(won=[1], start_s=start_s), at_ms=in_week(week, 30_000))
            venue.rotate(week + 1)
            venue.apply(settle(lost=[2], start_s=start_s + 60), at_ms=in_week(week + 1))
        yield venue


def check(venue: WeeklyVenue) -> dict[str, WeekChecked]:
    return {week.name: week for week in check_weeks(venue.reader.weeks())}


def drifts(venue: WeeklyVenue) -> dict[str, list[tuple[str, str]]]:
    """What and where, by file; of files without any nothing."""
    return {
        name: [(drift.what, drift.where) for drift in week.report.drifts]
        for name, week in check(venue).items()
        if week.report is not None and week.report.drifts
    }


def alter(venue: WeeklyVenue, name: str, *statements: str) -> None:
    """Behind the venue's back, and past the trigger that forbids it."""
    with closing(sqlite3.connect(venue.money / name)) as other, other:
        other.execute("DROP TRIGGER ledger_is_never_changed")
        for statement in statements:
            other.execute(statement)


def test_weeks_that_add_up(venue: WeeklyVenue) -> None:
    found = check(venue)
    assert list(found) == [FIRST, SECOND, THIRD]
    assert drifts(venue) == {}
    assert [week.report.bets for week in found.values() if week.report] == [2, 3, 1]


def test_a_drift_is_found_in_its_file_and_at_the_border_to_the_next(venue: WeeklyVenue) -> None:
    alter(venue, FIRST, "UPDATE users SET balance = balance + 7 WHERE id = 3")
    found = drifts(venue)
    assert {what for what, _ in found[FIRST]} == {"balance", "zero_sum"}
    assert found[SECOND] == [("carry", f"{ALICE}: opening balance")]
    assert THIRD not in found


def test_money_that_moved_between_two_weeks_is_found(venue: WeeklyVenue) -> None:
    for name in (SECOND, THIRD):
        alter(venue, name, *SEVEN_TO_THE_HOUSE)
    assert drifts(venue) == {
        SECOND: [("carry", f"{ALICE}: opening balance"), ("carry", "house: opening balance")],
        THIRD: [("balance", f"{ALICE}, all weeks"), ("balance", "house, all weeks")],
    }
    last = check(venue)[THIRD].report
    assert last is not None
    assert last.drifts[0].expected - last.drifts[0].found == 7
    venue.archive(FIRST)  # which alone knows better
    assert drifts(venue) == {}


def test_a_carried_bet_that_is_another_is_found(venue: WeeklyVenue) -> None:
    alter(venue, SECOND, "UPDATE bets SET id = 'other' WHERE carried_from IS NOT NULL")
    assert "carry" in {what for what, _ in drifts(venue)[SECOND]}


@pytest.mark.parametrize("gone", [(FIRST,), (SECOND,), (FIRST, SECOND)])
def test_what_is_in_the_archive_is_not_checked(venue: WeeklyVenue, gone: tuple[str, ...]) -> None:
    venue.archive(*gone)
    found = check(venue)
    assert {name for name, week in found.items() if week.report is None} == set(gone)
    assert all(not week.unreadable for week in found.values())
    assert drifts(venue) == {}


def test_a_restored_week_is_checked_like_the_others(venue: WeeklyVenue) -> None:
    content = (venue.money / FIRST).read_bytes()
    venue.archive(FIRST)
    venue.restore(FIRST, content)
    assert check(venue)[FIRST].report is not None
    assert drifts(venue) == {}


def test_a_file_that_is_purged_while_others_are_checked_is_archived(venue: WeeklyVenue) -> None:
    checks = check_weeks(venue.reader.weeks())
    assert next(checks).report is not None
    venue.archive(FIRST, SECOND)
    second, third = checks
    assert (second.report, second.unreadable) == (None, "")
    assert third.report is not None
    assert third.report.clean


def test_a_week_that_has_just_ended_is_held_against_the_next_when_it_says_so(
    venue: WeeklyVenue,
) -> None:
    """As after a death between naming the new file and ending the old one."""
    venue.apply(order(3, start_s=START_S + 2 * WEEK_MS // 1000), at_ms=in_week(2, 1))
    before = venue.money / "before.db"
    with closing(sqlite3.connect(venue.money / THIRD)) as file:
        file.execute("VACUUM INTO ?", [str(before)])
    venue.rotate(3)
    venue.reader.house()
    venue.ledger.recover()
    shutil.move(before, venue.money / THIRD)
    assert drifts(venue) == {}


def test_a_damaged_file_is_named_and_the_others_are_checked(venue: WeeklyVenue) -> None:
    content = (venue.money / FIRST).read_bytes()
    venue.archive(FIRST)
    venue.restore(FIRST, content[:4096] + b"\xff" * (len(content) - 4096))
    found = check(venue)
    assert found[FIRST].report is None
    assert "malformed" in found[FIRST].unreadable
    assert drifts(venue) == {}
    assert found[THIRD].report is not None


def test_a_damaged_current_file_ends_it(venue: WeeklyVenue) -> None:
    venue.reader.house()
    weeks = venue.reader.weeks()
    (venue.money / THIRD).write_bytes(b"no database " * 1_000)
    checks = check_weeks(weeks)
    assert [next(checks).name for _ in range(2)] == [FIRST, SECOND]
    with pytest.raises(sqlite3.DatabaseError):
        next(checks)
    shutil.copy(venue.money / SECOND, venue.money / THIRD)


def test_drifts_beyond_a_hundred_are_not_listed(venue: WeeklyVenue) -> None:
    with closing(sqlite3.connect(venue.money / THIRD)) as other, other:
        other.executemany(
            "INSERT INTO users (wallet_address, balance, created_at_ms) VALUES (?, 1, 0)",
            [("0x" + f"{n:040}",) for n in range(150)],
        )
    report = check(venue)[THIRD].report
    assert report is not None
    over_all = [drift for drift in report.drifts if drift.where.endswith("all weeks")]
    assert len(over_all) == DRIFTS_PER_QUESTION_MAX
