"""Limits of one's own, in the deduction: pause, stake and loss of the day."""

import sqlite3

import attrs
import pytest

from domain.refusals import Code, Refusal
from domain.self_limits import DAY_MS, LimitsAsked, MaxAsked
from protocols.account_commands import AccountChanged, SetLimits
from protocols.money import BetConfirmed, BetRefused, MoneyOutcome, OpenAccount
from tests.support.ledgers import (
    ALICE,
    AT_MS,
    BOB,
    STAKE,
    START_S,
    Venue,
    grant,
    order,
    settle,
    void,
)

MIDNIGHT_MS = (AT_MS // DAY_MS + 1) * DAY_MS
LATER_MS = AT_MS + 60_000
FAR_S = MIDNIGHT_MS // 1000 + 5 * 86_400


def ask(
    venue: Venue,
    *,
    at_ms: int = AT_MS,
    paused_until_ms: int | None = None,
    **maxima: int | None,
) -> None:
    asked = {name: MaxAsked(micros=micros) for name, micros in maxima.items()}
    changed = venue.one(
        SetLimits(wallet=ALICE, asked=LimitsAsked(paused_until_ms=paused_until_ms, **asked)),
        at_ms=at_ms,
    )
    assert isinstance(changed, AccountChanged)


def refusal(outcome: MoneyOutcome) -> Refusal:
    assert isinstance(outcome, BetRefused)
    assert outcome.seq is None, "a refusal that is no event"
    return outcome.refusal


def is_taken(venue: Venue, row: int, *, at_ms: int, stake: int = STAKE) -> bool:
    placed = order(row, stake=stake, start_s=FAR_S)
    return isinstance(venue.one(placed, at_ms=at_ms), BetConfirmed)


def loss(max_stakes: int, lost_stakes: int) -> dict[str, object]:
    return {
        "limit": "loss_day",
        "max_micros": max_stakes * STAKE,
        "lost_micros": lost_stakes * STAKE,
    }


# --- pause ------------------------------------------------------------------------------------


def test_a_pause_refuses_every_bet_until_its_time(venue: Venue) -> None:
    until_ms = AT_MS + 5_000
    ask(venue, paused_until_ms=until_ms)
    refused = refusal(venue.one(order(1), at_ms=until_ms - 1))
    assert refused.code is Code.LIMIT_REACHED
    assert refused.details == {"limit": "paused", "until_ms": until_ms}
    assert is_taken(venue, 1, at_ms=until_ms)


def test_a_pause_leaves_open_bets_alone(venue: Venue) -> None:
    venue.one(order(1))
    ask(venue, paused_until_ms=AT_MS + 9 * DAY_MS)
    venue.one(settle(won=[1]), at_ms=LATER_MS)
    assert venue.balance(ALICE) == 101 * STAKE


# --- stake ------------------------------------------------------------------------------------


def test_a_stake_may_reach_the_limit_and_not_pass_it(venue: Venue) -> None:
    ask(venue, stake_max=3 * STAKE)
    assert is_taken(venue, 1, at_ms=AT_MS, stake=3 * STAKE)
    refused = refusal(venue.one(order(2, stake=3 * STAKE + 1)))
    assert refused.code is Code.LIMIT_REACHED
    assert refused.details == {"limit": "stake", "max_micros": 3 * STAKE}


def test_a_limit_of_nothing_allows_no_bet(venue: Venue) -> None:
    ask(venue, stake_max=0)
    refused = refusal(venue.one(order(1, stake=1)))
    assert refused.details == {"limit": "stake", "max_micros": 0}


def test_a_raised_limit_holds_from_its_time_on_without_anybody_writing_it(venue: Venue) -> None:
    ask(venue, stake_max=STAKE)
    ask(venue, stake_max=2 * STAKE)
    due_ms = AT_MS + DAY_MS
    before = refusal(venue.one(order(1, stake=2 * STAKE, start_s=FAR_S), at_ms=due_ms - 1))
    assert before.details == {"limit": "stake", "max_micros": STAKE}
    assert is_taken(venue, 1, at_ms=due_ms, stake=2 * STAKE)
    after = refusal(venue.one(order(2, stake=3 * STAKE, start_s=FAR_S), at_ms=due_ms))
    assert after.details == {"limit": "stake", "max_micros": 2 * STAKE}


def test_a_removed_limit_is_gone_from_its_time_on(venue: Venue) -> None:
    ask(venue, stake_max=0, loss_day_max=0)
    ask(venue, stake_max=None, loss_day_max=None)
    assert not is_taken(venue, 1, at_ms=AT_MS + DAY_MS - 1)
    assert is_taken(venue, 1, at_ms=AT_MS + DAY_MS, stake=90 * STAKE)


def test_a_lowered_limit_holds_in_the_batch_that_lowers_it(venue: Venue) -> None:
    asked = LimitsAsked(stake_max=MaxAsked(micros=STAKE - 1))
    first, _, second = venue.apply(order(1), SetLimits(wallet=ALICE, asked=asked), order(2))
    assert isinstance(first, BetConfirmed)
    assert refusal(second).details["limit"] == "stake"


# --- loss of the day --------------------------------------------------------------------------


def test_open_stakes_count_as_lost(venue: Venue) -> None:
    ask(venue, loss_day_max=3 * STAKE)
    outcomes = venue.apply(*(order(row) for row in range(5)))
    assert [isinstance(outcome, BetConfirmed) for outcome in outcomes] == [True] * 3 + [False] * 2
    refused = refusal(outcomes[3])
    assert (refused.code, refused.details) == (Code.LIMIT_REACHED, loss(3, 3))
    assert venue.reader.integrity().clean


def test_the_last_stake_may_reach_the_limit_and_not_pass_it(venue: Venue) -> None:
    ask(venue, loss_day_max=3 * STAKE)
    venue.one(order(1, stake=2 * STAKE))
    assert refusal(venue.one(order(2, stake=STAKE + 1))).details == loss(3, 2)
    assert is_taken(venue, 2, at_ms=AT_MS)


@pytest.mark.parametrize(
    ("verdict", "lost_stakes"),
    [(settle(lost=[1, 2]), 3), (settle(won=[1], lost=[2]), -1), (void([1, 2]), 0)],
    ids=["lost", "won", "void"],
)
def test_what_comes_back_on_the_day_lowers_the_loss(
    venue: Venue, verdict: object, lost_stakes: int
) -> None:
    ask(venue, loss_day_max=3 * STAKE)
    venue.apply(order(1, stake=2 * STAKE), order(2))
    venue.one(verdict, at_ms=LATER_MS)  # type: ignore[arg-type]
    room = (3 - lost_stakes) * STAKE
    over = order(3, stake=room + 1, start_s=FAR_S)
    assert refusal(venue.one(over, at_ms=LATER_MS)).details == loss(3, lost_stakes)
    if room:
        assert is_taken(venue, 3, at_ms=LATER_MS, stake=room)
    assert venue.reader.integrity().clean


def test_a_limit_of_nothing_lets_winnings_of_the_day_be_played(venue: Venue) -> None:
    venue.one(order(1))
    venue.one(settle(won=[1]), at_ms=LATER_MS)
    ask(venue, at_ms=LATER_MS, loss_day_max=0)
    assert is_taken(venue, 2, at_ms=LATER_MS)
    assert not is_taken(venue, 3, at_ms=LATER_MS, stake=1)


def test_a_new_utc_day_begins_with_no_loss(venue: Venue) -> None:
    ask(venue, loss_day_max=STAKE)
    assert is_taken(venue, 1, at_ms=AT_MS)
    assert not is_taken(venue, 2, at_ms=MIDNIGHT_MS - 1)
    assert is_taken(venue, 2, at_ms=MIDNIGHT_MS)
    assert not is_taken(venue, 3, at_ms=MIDNIGHT_MS)
    assert venue.reader.integrity().clean


def test_what_comes_back_a_day_later_counts_on_its_own_day(venue: Venue) -> None:
    ask(venue, loss_day_max=STAKE)
    start_s = MIDNIGHT_MS // 1000 - 5
    venue.one(order(1, start_s=start_s))
    venue.one(settle(won=[1], start_s=start_s), at_ms=MIDNIGHT_MS + 5_000)
    assert venue.reader.integrity().clean
    assert is_taken(venue, 2, at_ms=MIDNIGHT_MS + 5_000, stake=3 * STAKE)
    assert not is_taken(venue, 3, at_ms=MIDNIGHT_MS + 5_000, stake=1)


def test_deposits_are_no_winnings(venue: Venue) -> None:
    ask(venue, loss_day_max=STAKE)
    venue.one(order(1))
    venue.fund(ALICE, 50 * STAKE)
    assert refusal(venue.one(order(2))).details == loss(1, 1)


def test_a_raised_limit_of_loss_holds_from_its_time_on(venue: Venue) -> None:
    ask(venue, loss_day_max=0)
    ask(venue, loss_day_max=STAKE)
    assert not is_taken(venue, 1, at_ms=AT_MS + DAY_MS - 1)
    assert is_taken(venue, 1, at_ms=AT_MS + DAY_MS)
    refused = refusal(venue.one(order(2, start_s=FAR_S), at_ms=AT_MS + DAY_MS))
    assert refused.details == loss(1, 1)


def test_several_wins_of_several_traders_are_each_their_own(venue: Venue) -> None:
    venue.fund(BOB, 10 * STAKE)
    ask(venue, loss_day_max=10 * STAKE)
    venue.one(SetLimits(wallet=BOB, asked=LimitsAsked(loss_day_max=MaxAsked(micros=STAKE))))
    venue.apply(*(order(row) for row in range(3)), order(1, wallet=BOB))
    venue.one(settle(won=[0, 1], lost=[2]), at_ms=LATER_MS)
    alice = refusal(venue.one(order(5, stake=50 * STAKE), at_ms=LATER_MS))
    assert alice.code is Code.CELL_UNAVAILABLE
    over = [
        refusal(venue.one(order(5, stake=stake, start_s=FAR_S, wallet=wallet), at_ms=LATER_MS))
        for wallet, stake in ((ALICE, 50 * STAKE), (BOB, 9 * STAKE))
    ]
    assert [refused.details for refused in over] == [loss(10, -1), loss(1, -1)]
    assert venue.reader.integrity().clean


def test_bets_that_are_refused_for_want_of_money_are_no_loss(venue: Venue) -> None:
    ask(venue, loss_day_max=500 * STAKE)
    outcome = venue.one(order(1, stake=101 * STAKE))
    assert isinstance(outcome, BetRefused)
    assert outcome.refusal.code is Code.INSUFFICIENT_FUNDS
    assert refusal(venue.one(order(2, stake=501 * STAKE))).details == loss(500, 0)
    assert venue.reader.integrity().clean


def test_limits_near_the_largest_number_there_is_do_not_turn_over(venue: Venue) -> None:
    ask(venue, stake_max=2**63 - 1, loss_day_max=2**63 - 1)
    venue.one(order(1))
    venue.one(settle(won=[1]), at_ms=LATER_MS)  # the loss is below zero, the room above 2**63
    assert is_taken(venue, 2, at_ms=LATER_MS, stake=90 * STAKE)


# --- keys and order ---------------------------------------------------------------------------


def test_limits_hold_whoever_signs(venue: Venue) -> None:
    ask(venue, loss_day_max=2 * STAKE)
    for number in (1, 2):
        venue.one(OpenAccount(wallet=ALICE, key=grant(number)))
    signers = (grant(1).key_id, None, grant(2).key_id, None)
    outcomes = venue.apply(*(order(row, key_id=key_id) for row, key_id in enumerate(signers)))
    taken = [isinstance(outcome, BetConfirmed) for outcome in outcomes]
    assert taken == [True, True, False, False]
    key = venue.reader.session_key(grant(2).key_id)
    assert key is not None
    assert key.day_stake_micros == 0, "what a limit refuses counts for no key"


def test_the_order_of_refusal(filed: Venue) -> None:
    """Each refusal stands alone when all before it are gone, and hides all behind it."""
    key = grant(1, bet_max=STAKE, day_max=2 * STAKE)
    filed.one(OpenAccount(wallet=ALICE, key=key))
    ask(filed, paused_until_ms=AT_MS + 5, stake_max=STAKE // 2, loss_day_max=0)
    connection = filed.ledger._connection

    def says(at_ms: int = AT_MS, stake: int = 200 * STAKE) -> object:
        found = filed.one(order(1, key_id=key.key_id, stake=stake, bps=10**12), at_ms=at_ms)
        assert isinstance(found, BetRefused)
        return found.refusal.details.get("limit", found.refusal.code.value)

    def alter(statement: str) -> None:
        assert connection.execute(statement).rowcount == 1

    connection.execute("UPDATE users SET frozen = 1 WHERE id = 3")
    connection.execute("UPDATE session_keys SET revoked_at_ms = 1")
    assert says() == "frozen"
    alter("UPDATE users SET frozen = 0 WHERE id = 3")
    assert says() == "unauthorized"
    alter("UPDATE session_keys SET revoked_at_ms = NULL")
    assert says() == "key_bet"
    alter("UPDATE session_keys SET bet_max_micros = 500000000")
    assert says() == "key_day"
    alter("UPDATE session_keys SET day_max_micros = 500000000")
    assert says() == "paused"
    alter("UPDATE account_limits SET paused_until_ms = 0")
    assert says() == "stake"
    alter("UPDATE account_limits SET stake_max_micros = NULL")
    assert says() == "loss_day"
    alter("UPDATE account_limits SET loss_day_max_micros = NULL")
    assert says() == "insufficient_funds"
    assert says(stake=STAKE) == "exposure_limit"


@pytest.mark.parametrize(
    "wrong",
    [
        "UPDATE session_keys SET day_stake_micros = -1",
        "UPDATE session_keys SET day_max_micros = 0",
        "UPDATE account_limits SET stake_max_micros = -1",
        "UPDATE account_limits SET next_loss_day_max_micros = -1",
        "UPDATE account_limits SET user_id = 1",
    ],
)
def test_hand_made_sql_can_not_write_what_must_never_be(venue: Venue, wrong: str) -> None:
    venue.one(OpenAccount(wallet=ALICE, key=grant(1)))
    ask(venue, stake_max=STAKE)
    with pytest.raises(sqlite3.IntegrityError, match="CHECK"):
        venue.ledger._connection.execute(wrong)


def test_a_replay_is_told_of_its_first_bet_whatever_limits_say(venue: Venue) -> None:
    first = order(1)
    venue.one(first)
    ask(venue, stake_max=0, loss_day_max=0, paused_until_ms=AT_MS + DAY_MS)
    for again in (first, attrs.evolve(first, reward_bps=1)):
        assert refusal(venue.one(again)).code is Code.REPLAY_DETECTED
    assert refusal(venue.one(order(1))).code is Code.CELL_TAKEN
    assert START_S * 1000 > AT_MS
