"""What a session key may sign: its caps, in the deduction, and when they count as what."""

import pytest

from domain.refusals import Code, Refusal
from domain.self_limits import DAY_MS
from protocols.account_commands import RevokeKeys, VoidColumn
from protocols.money import BetConfirmed, BetRefused, MoneyOutcome, OpenAccount
from tests.support.ledgers import (
    ALICE,
    AT_MS,
    BANKROLL,
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
LATE_S = MIDNIGHT_MS // 1000 + 600
KEY = grant(1).key_id
"""May stake 5 in one bet and 20 in one day."""


@pytest.fixture
def keyed(venue: Venue) -> Venue:
    """Alice has a key."""
    venue.one(OpenAccount(wallet=ALICE, key=grant(1, expires_at_ms=MIDNIGHT_MS + DAY_MS)))
    return venue


def refusal(outcome: MoneyOutcome) -> Refusal:
    assert isinstance(outcome, BetRefused)
    assert outcome.seq is None, "a refusal that is no event"
    return outcome.refusal


def staked(venue: Venue, key_id: str = KEY) -> int:
    key = venue.reader.session_key(key_id)
    assert key is not None
    return key.day_stake_micros


def key_day(max_stakes: int) -> dict[str, object]:
    return {"limit": "key_day", "max_micros": max_stakes * STAKE}


# --- a bet that a key signed ------------------------------------------------------------------


def test_a_bet_says_which_key_signed_it(keyed: Venue) -> None:
    signed, own = order(1, key_id=KEY), order(2)
    keyed.apply(signed, own)
    for placed, key_id in ((signed, KEY), (own, None)):
        bet = keyed.reader.bet(placed.bet.bet_id)
        assert bet is not None
        assert bet.key_id == key_id
    assert keyed.reader.integrity().clean


def test_a_bet_that_was_broke_says_it_too_and_counts_towards_nothing(keyed: Venue) -> None:
    keyed.one(OpenAccount(wallet=BOB, key=grant(2)))
    placed = order(1, wallet=BOB, key_id=grant(2).key_id)
    outcome = keyed.one(placed)
    assert isinstance(outcome, BetRefused)
    assert (outcome.refusal.code, outcome.seq) == (Code.INSUFFICIENT_FUNDS, 1)
    bet = keyed.reader.bet(placed.bet.bet_id)
    assert bet is not None
    assert bet.key_id == grant(2).key_id
    assert staked(keyed, grant(2).key_id) == 0
    assert keyed.reader.integrity().clean


# --- validity ---------------------------------------------------------------------------------


def test_an_unknown_key_signs_nothing(keyed: Venue) -> None:
    refused = refusal(keyed.one(order(1, key_id="0" * 32)))
    assert (refused.code, refused.details) == (Code.UNAUTHORIZED, {"key_id": "0" * 32})


def test_a_key_of_another_signs_nothing(keyed: Venue) -> None:
    keyed.fund(BOB, STAKE)
    refused = refusal(keyed.one(order(1, wallet=BOB, key_id=KEY)))
    assert (refused.code, refused.details) == (Code.UNAUTHORIZED, {"key_id": KEY})
    assert keyed.balance(BOB) == STAKE


def test_a_key_signs_until_it_expires(keyed: Venue) -> None:
    end_ms = AT_MS + 60_000
    key = grant(2, expires_at_ms=end_ms)
    keyed.one(OpenAccount(wallet=ALICE, key=key))
    last = order(1, key_id=key.key_id, start_s=LATE_S)
    assert isinstance(keyed.one(last, at_ms=end_ms - 1), BetConfirmed)
    refused = refusal(keyed.one(order(2, key_id=key.key_id, start_s=LATE_S), at_ms=end_ms))
    assert (refused.code, refused.details) == (Code.UNAUTHORIZED, {"key_id": key.key_id})


def test_a_revoked_key_signs_nothing_from_then_on(keyed: Venue) -> None:
    before, _, after = keyed.apply(
        order(1, key_id=KEY), RevokeKeys(wallet=ALICE, session_id="session-1"), order(2, key_id=KEY)
    )
    assert isinstance(before, BetConfirmed)
    assert refusal(after).code is Code.UNAUTHORIZED
    assert isinstance(keyed.one(order(2)), BetConfirmed), "the wallet itself signs on"
    assert keyed.reader.integrity().clean


def test_a_replay_by_a_revoked_key_is_told_of_its_first_bet(keyed: Venue) -> None:
    first = order(1, key_id=KEY)
    keyed.apply(first, RevokeKeys(wallet=ALICE, session_id="session-1"))
    again = refusal(keyed.one(first))
    assert again.code is Code.REPLAY_DETECTED
    assert again.details == {"bet": {"bet_id": first.bet.bet_id, "status": "confirmed"}}


# --- caps -------------------------------------------------------------------------------------


def test_a_stake_may_reach_the_cap_of_a_bet_and_not_pass_it(keyed: Venue) -> None:
    assert isinstance(keyed.one(order(1, key_id=KEY, stake=5 * STAKE)), BetConfirmed)
    over = refusal(keyed.one(order(2, key_id=KEY, stake=5 * STAKE + 1)))
    assert over.code is Code.LIMIT_REACHED
    assert over.details == {"limit": "key_bet", "max_micros": 5 * STAKE}
    assert staked(keyed) == 5 * STAKE


def test_the_stakes_of_a_day_may_reach_its_cap_and_not_pass_it(keyed: Venue) -> None:
    keyed.apply(*(order(row, key_id=KEY, stake=5 * STAKE) for row in range(3)))
    keyed.one(order(3, key_id=KEY, stake=4 * STAKE))
    over = refusal(keyed.one(order(4, key_id=KEY, stake=STAKE + 1)))
    assert (over.code, over.details) == (Code.LIMIT_REACHED, key_day(20))
    assert isinstance(keyed.one(order(4, key_id=KEY, stake=STAKE)), BetConfirmed)
    assert refusal(keyed.one(order(5, key_id=KEY, stake=1))).details == key_day(20)
    assert staked(keyed) == 20 * STAKE


@pytest.mark.parametrize("batches", [1, 5, 30])
def test_each_bet_of_a_batch_sees_the_ones_before(keyed: Venue, batches: int) -> None:
    orders = [order(row, key_id=KEY) for row in range(30)]
    size = 30 // batches
    outcomes = [
        outcome for n in range(0, 30, size) for outcome in keyed.apply(*orders[n : n + size])
    ]
    taken = [isinstance(outcome, BetConfirmed) for outcome in outcomes]
    assert taken == [True] * 20 + [False] * 10
    assert staked(keyed) == 20 * STAKE
    assert keyed.reader.integrity().clean


def test_a_refused_bet_leaves_room_for_a_smaller_one_behind_it(keyed: Venue) -> None:
    outcomes = keyed.apply(
        *(order(row, key_id=KEY, stake=4 * STAKE) for row in range(4)),
        order(4, key_id=KEY, stake=5 * STAKE),
        order(5, key_id=KEY, stake=4 * STAKE),
    )
    assert [type(outcome) for outcome in outcomes[4:]] == [BetRefused, BetConfirmed]


@pytest.mark.parametrize("verdict", [settle(won=[1]), settle(lost=[1]), void([1])])
def test_a_stake_counts_whether_or_not_it_comes_back(keyed: Venue, verdict: object) -> None:
    keyed.one(order(1, key_id=KEY, stake=5 * STAKE))
    keyed.one(verdict, at_ms=AT_MS + 60_000)  # type: ignore[arg-type]
    assert staked(keyed) == 5 * STAKE
    assert keyed.reader.integrity().clean


@pytest.mark.parametrize(("at_ms", "taken"), [(MIDNIGHT_MS - 1, False), (MIDNIGHT_MS, True)])
def test_the_day_is_of_utc(keyed: Venue, at_ms: int, taken: bool) -> None:
    keyed.apply(*(order(row, key_id=KEY, stake=5 * STAKE) for row in range(4)))
    outcome = keyed.one(order(9, key_id=KEY, start_s=LATE_S), at_ms=at_ms)
    assert isinstance(outcome, BetConfirmed) is taken
    assert staked(keyed) == (STAKE if taken else 20 * STAKE)
    assert keyed.reader.integrity().clean


def test_each_key_of_an_account_has_its_own_caps(keyed: Venue) -> None:
    other = grant(2, day_max=2 * STAKE)
    keyed.one(OpenAccount(wallet=ALICE, key=other))
    outcomes = keyed.apply(
        *(order(row, key_id=KEY, stake=5 * STAKE) for row in range(4)),
        *(order(row, key_id=other.key_id) for row in range(4, 7)),
    )
    assert [isinstance(outcome, BetConfirmed) for outcome in outcomes] == [True] * 6 + [False]
    assert refusal(outcomes[6]).details == key_day(2)
    assert (staked(keyed), staked(keyed, other.key_id)) == (20 * STAKE, 2 * STAKE)


def test_what_the_wallet_signs_is_not_the_keys(keyed: Venue) -> None:
    outcomes = keyed.apply(
        order(1, stake=50 * STAKE), order(2, key_id=KEY, stake=5 * STAKE), order(3, stake=9 * STAKE)
    )
    assert all(isinstance(outcome, BetConfirmed) for outcome in outcomes)
    assert staked(keyed) == 5 * STAKE


def test_bets_that_the_rules_or_the_house_refuse_do_not_count(keyed: Venue) -> None:
    keyed.apply(
        order(1, key_id=KEY, refusal=Refusal(Code.QUOTE_EXPIRED)),
        order(2, key_id=KEY, bps=10_000 * BANKROLL // STAKE),
        order(3, key_id=KEY),
        order(3, key_id=KEY),
    )
    assert staked(keyed) == STAKE


def test_caps_near_the_largest_number_there_is_do_not_turn_over(keyed: Venue) -> None:
    most = grant(2, bet_max=2**63 - 1, day_max=2**63 - 1)
    keyed.one(OpenAccount(wallet=ALICE, key=most))
    rich = 10**15
    keyed.fund("house", rich)
    keyed.fund(ALICE, rich)
    for row in range(2):
        placed = order(row, key_id=most.key_id, stake=40 * STAKE)
        assert isinstance(keyed.one(placed), BetConfirmed)
    assert staked(keyed, most.key_id) == 80 * STAKE


def test_a_cap_of_a_day_below_that_of_a_bet_is_the_one_that_counts(keyed: Venue) -> None:
    small = grant(2, bet_max=5 * STAKE, day_max=STAKE)
    keyed.one(OpenAccount(wallet=ALICE, key=small))
    refused = refusal(keyed.one(order(1, key_id=small.key_id, stake=2 * STAKE)))
    assert refused.details == key_day(1)


# --- the order of refusal ---------------------------------------------------------------------


def test_a_column_that_is_being_given_back_takes_no_bet(keyed: Venue) -> None:
    keyed.one(VoidColumn(start_s=START_S, reason="test", by="ann"))
    for key_id in (None, KEY, "0" * 32):
        assert refusal(keyed.one(order(1, key_id=key_id))).code is Code.CELL_UNAVAILABLE
    assert isinstance(keyed.one(order(1, start_s=START_S + 5)), BetConfirmed)


def test_a_taken_cell_and_the_rules_go_before_the_key(keyed: Venue) -> None:
    keyed.one(order(1))
    unknown = "0" * 32
    assert refusal(keyed.one(order(1, key_id=unknown))).code is Code.CELL_TAKEN
    by_rule = order(2, key_id=unknown, refusal=Refusal(Code.HELD))
    assert refusal(keyed.one(by_rule)).code is Code.HELD
    stranger = keyed.one(order(1, wallet=BOB, key_id=KEY))
    assert refusal(stranger).code is Code.INSUFFICIENT_FUNDS


def test_the_keys_caps_go_before_the_want_of_money(keyed: Venue) -> None:
    refused = refusal(keyed.one(order(1, key_id=KEY, stake=1_000 * STAKE)))
    assert refused.details["limit"] == "key_bet"
    assert keyed.reader.account(ALICE).seq == 1  # type: ignore[union-attr]
