"""A rebuild adds up anew what keys staked and a trader lost on their newest day."""

import json
from collections.abc import Iterator

import pytest

from domain.self_limits import DAY_MS, LimitsAsked
from protocols.account_commands import SetLimits
from protocols.money import BalanceRebuilt, OpenAccount, RebuildBalance, ReportDrift, Rotate
from tests.support.ledgers import ALICE, AT_MS, BOB, STAKE, START_S, Venue, grant, order, settle
from tests.support.weeks import (
    AHEAD_S,
    FIRST,
    SECOND,
    SUNDAY_MS,
    WeeklyVenue,
    in_week,
    weekly_venue,
)

KEY, OTHER, UNUSED = (grant(number).key_id for number in (1, 2, 3))
TODAY = AT_MS // DAY_MS
REBUILD = RebuildBalance(wallet=ALICE, by="ann", why="drill")


@pytest.fixture
def used(venue: Venue) -> Venue:
    """Two keys of Alice's that have signed, on two days, one that has not, one of Bob's; both have
    limits, and a bet of Alice's was won."""
    venue.fund(BOB, 10 * STAKE)
    venue.apply(*(OpenAccount(wallet=ALICE, key=grant(number)) for number in (1, 2, 3)))
    venue.one(OpenAccount(wallet=BOB, key=grant(4)))
    venue.apply(*(SetLimits(wallet=wallet, asked=LimitsAsked()) for wallet in (ALICE, BOB)))
    venue.apply(order(8, key_id=OTHER), order(9, key_id=KEY), at_ms=AT_MS - DAY_MS)
    venue.apply(order(1, key_id=KEY), order(2, key_id=KEY), order(3))
    venue.apply(order(1, wallet=BOB, key_id=grant(4).key_id))
    venue.one(settle(won=[1], lost=[2, 3, 8, 9]), at_ms=AT_MS + 60_000)
    return venue


def kept(venue: Venue) -> list[tuple[object, ...]]:
    return [
        row
        for sql in (
            "SELECT id, day, day_stake_micros FROM session_keys ORDER BY id",
            "SELECT user_id, day, day_lost_micros FROM account_limits ORDER BY user_id",
        )
        for row in venue.ledger._connection.execute(sql)
    ]


def tamper(venue: Venue, sql: str) -> None:
    assert venue.ledger._connection.execute(sql).rowcount > 0, sql


def test_sums_that_are_right_are_left_alone(used: Venue) -> None:
    before = kept(used)
    outcome = used.one(REBUILD, at_ms=AT_MS + DAY_MS)
    assert isinstance(outcome, BalanceRebuilt)
    assert outcome.rowid is None
    assert kept(used) == before


@pytest.mark.parametrize(
    "damage",
    [
        f"UPDATE session_keys SET day_stake_micros = 7 WHERE id = '{KEY}'",
        f"UPDATE session_keys SET day_stake_micros = {9 * STAKE} WHERE id = '{KEY}'",
        f"UPDATE session_keys SET day_stake_micros = 0 WHERE id = '{OTHER}'",
        f"UPDATE session_keys SET day = 0, day_stake_micros = 0 WHERE id = '{KEY}'",
        f"UPDATE session_keys SET day = {TODAY + 99} WHERE id = '{KEY}'",
        "UPDATE account_limits SET day_lost_micros = 5 WHERE user_id = 3",
        "UPDATE account_limits SET day_lost_micros = -5 WHERE user_id = 3",
        f"UPDATE account_limits SET day = {TODAY - 1}, day_lost_micros = 0 WHERE user_id = 3",
        f"UPDATE account_limits SET day = {TODAY + 99} WHERE user_id = 3",
    ],
)
def test_a_sum_that_is_wrong_is_set_right_and_noted(used: Venue, damage: str) -> None:
    before, balance = kept(used), used.balance(ALICE)
    tamper(used, damage)
    assert not used.reader.integrity().clean
    outcome = used.one(REBUILD, at_ms=AT_MS + 60_000)
    assert isinstance(outcome, BalanceRebuilt)
    assert outcome.before_micros == outcome.after_micros == balance
    assert kept(used) == before
    assert used.reader.integrity().clean
    sql = "SELECT metadata FROM transaction_ledger WHERE rowid = ?"
    (note,) = used.ledger._connection.execute(sql, (outcome.rowid,)).fetchone()
    assert json.loads(note)["recounted"] == 1


def test_a_key_that_never_signed_has_staked_nothing(used: Venue) -> None:
    tamper(used, f"UPDATE session_keys SET day = 5, day_stake_micros = 7 WHERE id = '{UNUSED}'")
    used.one(REBUILD)
    assert used.reader.integrity().clean


def test_only_the_account_that_is_rebuilt_is_recounted(used: Venue) -> None:
    tamper(used, "UPDATE account_limits SET day_lost_micros = 5")
    used.one(REBUILD, at_ms=AT_MS + 60_000)
    (drift,) = used.reader.integrity().drifts
    assert drift.where.startswith(BOB)


def test_what_a_bet_says_against_its_key_stays(used: Venue) -> None:
    """It is no sum: somebody has to find out what happened."""
    tamper(used, f"UPDATE session_keys SET bet_max_micros = 1 WHERE id = '{KEY}'")
    used.one(REBUILD)
    assert {drift.what for drift in used.reader.integrity().drifts} == {"key"}


# --- over the end of a week ---------------------------------------------------------------------


@pytest.fixture
def late() -> Iterator[WeeklyVenue]:
    """A week that began late on its first day: half of what was staked then is in the file before,
    and a bet that was carried over."""
    with weekly_venue() as weeks:
        weeks.apply(
            OpenAccount(wallet=ALICE, key=grant(1, expires_at_ms=SUNDAY_MS + DAY_MS)),
            SetLimits(wallet=ALICE, asked=LimitsAsked()),
        )
        weeks.apply(ReportDrift(drifts=1, first="a test"))
        weeks.apply(
            order(1, key_id=KEY, start_s=START_S),
            order(2, key_id=KEY, start_s=AHEAD_S),
            settle(lost=[1]),
            at_ms=SUNDAY_MS + 1,
        )
        assert weeks.ledger.partition() == FIRST
        weeks.apply(ReportDrift(drifts=0), Rotate(), at_ms=SUNDAY_MS + 5_000)
        assert weeks.ledger.partition() == SECOND
        yield weeks


def test_what_is_in_the_file_before_is_not_lost(late: WeeklyVenue) -> None:
    current = late.ledger._ledger._connection
    sql = "SELECT k.day_stake_micros, a.day_lost_micros FROM session_keys k, account_limits a"
    assert current.execute(sql).fetchone() == (2 * STAKE, 2 * STAKE)
    (outcome,) = late.apply(REBUILD, at_ms=SUNDAY_MS + 6_000)
    assert isinstance(outcome, BalanceRebuilt)
    assert outcome.rowid is None
    assert current.execute(sql).fetchone() == (2 * STAKE, 2 * STAKE)


def test_a_sum_below_what_is_here_is_raised_to_it(late: WeeklyVenue) -> None:
    current = late.ledger._ledger._connection
    current.execute("UPDATE session_keys SET day_stake_micros = 0")
    late.apply(REBUILD, at_ms=SUNDAY_MS + 6_000)
    assert current.execute("SELECT day_stake_micros FROM session_keys").fetchone() == (STAKE,)
    assert late.reader.integrity().clean


def test_a_week_that_was_held_up_by_a_wrong_sum_begins_after_a_rebuild() -> None:
    with weekly_venue() as weeks:
        weeks.apply(SetLimits(wallet=ALICE, asked=LimitsAsked()), order(1))
        weeks.ledger._ledger._connection.execute("UPDATE account_limits SET day_lost_micros = 9")
        drifts = weeks.reader.integrity().drifts
        weeks.apply(ReportDrift(drifts=len(drifts), first=drifts[0].text))
        weeks.apply(Rotate(), at_ms=in_week(1))
        assert weeks.ledger.partition() == FIRST
        weeks.apply(REBUILD, at_ms=in_week(1, 1))
        drifts = weeks.reader.integrity().drifts
        weeks.apply(ReportDrift(drifts=len(drifts)), Rotate(), at_ms=in_week(1, 2))
        assert weeks.ledger.partition() == SECOND
        assert weeks.reader.integrity().clean
