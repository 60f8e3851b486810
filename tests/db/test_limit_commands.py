"""Limits that traders set for themselves, in the ledger: set, kept, and begun in mid-day."""

import pytest

from db.weekly_ledger import RETRY_MS, open_current
from domain.caps import HouseCaps
from domain.refusals import Code, Refusal
from domain.self_limits import DAY_MS, LimitsAsked, MaxAsked, PendingMax, SelfLimits
from protocols.account_commands import AccountChange, AccountChanged, SetLimits
from protocols.money import BetConfirmed, CommandFailed, MoneyOutcome, SettleColumn
from supervisor.chance import SeededChance
from tests.support.ledgers import (
    ALICE,
    AT_MS,
    BOB,
    STAKE,
    START_S,
    Venue,
    order,
    settle,
    void,
)
from tests.support.weeks import AHEAD_S, FIRST, SECOND, SUNDAY_MS, weekly_venue

NOTHING = LimitsAsked()


def ask(
    venue: Venue, asked: LimitsAsked = NOTHING, *, at_ms: int = AT_MS, wallet: str = ALICE
) -> MoneyOutcome:
    return venue.one(SetLimits(wallet=wallet, asked=asked), at_ms=at_ms)


def stake_max(micros: int | None) -> LimitsAsked:
    return LimitsAsked(stake_max=MaxAsked(micros=micros))


def limits_of(venue: Venue, wallet: str = ALICE) -> SelfLimits:
    account = venue.reader.account(wallet)
    assert account is not None
    return account.limits


def lost(venue: Venue) -> tuple[int, int]:
    """The day and what was lost on it, as they are kept."""
    sql = "SELECT day, day_lost_micros FROM account_limits"
    found: tuple[int, int] = venue.ledger._connection.execute(sql).fetchone()
    return found


# --- set --------------------------------------------------------------------------------------


def test_who_set_nothing_has_no_limits(venue: Venue) -> None:
    assert limits_of(venue) == SelfLimits()


def test_setting_limits_is_an_event_that_shows_them(venue: Venue) -> None:
    asked = LimitsAsked(
        stake_max=MaxAsked(micros=3 * STAKE),
        loss_day_max=MaxAsked(micros=9 * STAKE),
        paused_until_ms=AT_MS + 5,
    )
    limits = SelfLimits(
        stake_max_micros=3 * STAKE, loss_day_max_micros=9 * STAKE, paused_until_ms=AT_MS + 5
    )
    assert ask(venue, asked) == AccountChanged(
        user_id=3, wallet=ALICE, seq=2, what=AccountChange.LIMITS, frozen=False, limits=limits
    )
    account = venue.reader.account(ALICE)
    assert account is not None
    assert (account.seq, account.limits) == (2, limits)


def test_a_raise_is_kept_with_its_time_and_taken_up_by_the_next_change(venue: Venue) -> None:
    ask(venue, stake_max(STAKE))
    ask(venue, stake_max(None))
    waiting = PendingMax(micros=None, from_ms=AT_MS + DAY_MS)
    assert limits_of(venue) == SelfLimits(stake_max_micros=STAKE, next_stake_max=waiting)
    due = ask(venue, at_ms=AT_MS + DAY_MS)
    assert isinstance(due, AccountChanged)
    assert due.limits == SelfLimits()
    assert limits_of(venue) == SelfLimits()


def test_asking_for_nothing_is_an_event_too(venue: Venue) -> None:
    ask(venue, stake_max(STAKE))
    outcome = ask(venue)
    assert isinstance(outcome, AccountChanged)
    assert (outcome.seq, outcome.limits) == (3, SelfLimits(stake_max_micros=STAKE))


@pytest.mark.parametrize("wallet", [BOB, "house", "external"])
def test_only_traders_have_limits(venue: Venue, wallet: str) -> None:
    outcome = ask(venue, stake_max(0), wallet=wallet)
    assert isinstance(outcome, Refusal)
    assert outcome.code is Code.NOT_FOUND


@pytest.mark.parametrize("micros", [-1, 2**63])
def test_a_limit_that_the_schema_refuses_fails_alone(venue: Venue, micros: int) -> None:
    before = venue.reader.account(ALICE)
    assert isinstance(ask(venue, stake_max(micros)), CommandFailed)
    assert venue.reader.account(ALICE) == before


def test_each_account_has_its_own(venue: Venue) -> None:
    venue.fund(BOB, STAKE)
    ask(venue, stake_max(1))
    ask(venue, stake_max(2), wallet=BOB)
    assert [limits_of(venue, wallet).stake_max_micros for wallet in (ALICE, BOB)] == [1, 2]


# --- begun in mid-day -------------------------------------------------------------------------


def test_what_was_lost_on_the_day_before_counts_from_the_first_limit_on(venue: Venue) -> None:
    """Before: that is, earlier on this day; deposits are no winnings."""
    yesterday_ms = AT_MS - DAY_MS
    venue.one(order(9, start_s=START_S - 86_400), at_ms=yesterday_ms)
    venue.apply(order(1, stake=5 * STAKE), order(2), order(3), order(4, start_s=START_S + 60))
    venue.one(settle(won=[1], lost=[2, 3]), at_ms=AT_MS + 60_000)
    venue.fund(ALICE, 50 * STAKE)
    ask(venue, at_ms=AT_MS + 61_000)
    assert lost(venue) == (AT_MS // DAY_MS, (5 + 1 + 1 + 1 - 10) * STAKE)
    assert venue.reader.integrity().clean


def test_it_is_counted_once_however_often_limits_are_set(venue: Venue) -> None:
    venue.one(order(1))
    ask(venue)
    venue.one(order(2))
    ask(venue)
    assert lost(venue) == (AT_MS // DAY_MS, 2 * STAKE)


def test_a_first_limit_on_a_quiet_day_begins_with_nothing(venue: Venue) -> None:
    venue.one(order(1))
    ask(venue, at_ms=AT_MS + DAY_MS)
    assert lost(venue) == (AT_MS // DAY_MS + 1, 0)


@pytest.mark.parametrize(
    ("ending", "lost_stakes"),
    [(None, 1), (settle(won=[1], start_s=AHEAD_S), -1), (void([1], start_s=AHEAD_S), 0)],
    ids=["open", "won", "void"],
)
def test_in_a_file_that_was_begun_on_the_day_what_is_carried_over_counts(
    ending: SettleColumn | None, lost_stakes: int
) -> None:
    """The week could not be begun at midnight, so the day's first bet is in the file before."""
    with weekly_venue() as weeks:
        (weeks.money / SECOND).mkdir()
        weeks.apply(order(1, start_s=AHEAD_S), at_ms=SUNDAY_MS)
        assert weeks.ledger.partition() == FIRST
        (weeks.money / SECOND).rmdir()
        begun_ms = SUNDAY_MS + RETRY_MS
        weeks.apply(*([ending] if ending is not None else []), at_ms=begun_ms)
        assert weeks.ledger.partition() == SECOND
        weeks.apply(SetLimits(wallet=ALICE, asked=NOTHING), at_ms=begun_ms + 1)
        sql = "SELECT day_lost_micros FROM account_limits"
        found = weeks.ledger._ledger._connection.execute(sql).fetchone()
        assert found == (lost_stakes * STAKE,)
        assert weeks.reader.integrity().clean


def test_a_clock_that_is_stepped_back_over_midnight_loses_no_loss() -> None:
    """A first limit begins to count on a day, and writes no row that says which."""
    with weekly_venue() as weeks:
        late_ms, midnight_ms = SUNDAY_MS - DAY_MS - 1, SUNDAY_MS - DAY_MS
        weeks.apply(order(1), at_ms=late_ms)
        weeks.apply(SetLimits(wallet=ALICE, asked=NOTHING), at_ms=midnight_ms)
        weeks.ledger.close()
        weeks.ledger, _ = open_current(
            weeks.money, at_ms=late_ms, caps=HouseCaps(), chance=SeededChance(2)
        )
        assert weeks.ledger.recover().high_ms == midnight_ms
        (placed,) = weeks.apply(order(2), at_ms=late_ms)
        assert isinstance(placed, BetConfirmed)
        assert placed.placed_at_ms == midnight_ms, "it stands still"
        assert weeks.reader.integrity().clean
