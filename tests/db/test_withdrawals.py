"""Withdrawals: the money leaves at once, is paid or comes back once, and nobody's is touched twice.

Alice has a hundred stakes.
"""

from collections.abc import Iterator

import attrs
import pytest

from domain.refusals import Code, Refusal
from domain.self_limits import LimitsAsked, MaxAsked
from protocols.account_commands import (
    AccountChange,
    AccountChanged,
    BalanceChanged,
    BalanceReason,
    BankrollWithdrawn,
    DecideWithdrawal,
    RequestWithdrawal,
    SetFrozen,
    SetLimits,
    Withdrawal,
    WithdrawalDecided,
    WithdrawalRequested,
    WithdrawalStatus,
    WithdrawBankroll,
)
from protocols.money import BetConfirmed, CommandFailed, MoneyOutcome
from tests.support.ledgers import ALICE, AT_MS, BANKROLL, BOB, STAKE, Venue, order, settle
from tests.support.weeks import SUNDAY_MS, WeeklyVenue, check_weeks, in_week, weekly_venue

DESTINATION = "0x" + "d0" * 20
WITHDRAW = RequestWithdrawal(
    wallet=ALICE,
    nonce="n-1",
    amount_micros=30 * STAKE,
    destination=DESTINATION,
    signed_at_s=AT_MS // 1000,
    signature="0x" + "5a" * 65,
)
LATER_MS = AT_MS + 60_000


def requested(outcome: MoneyOutcome) -> Withdrawal:
    assert isinstance(outcome, WithdrawalRequested)
    return outcome.withdrawal


def decided(outcome: MoneyOutcome) -> WithdrawalDecided:
    assert isinstance(outcome, WithdrawalDecided)
    return outcome


def refused(outcome: MoneyOutcome) -> Refusal:
    assert isinstance(outcome, Refusal)
    return outcome


def pay(withdrawal_id: str, reference: str = "0xfeed") -> DecideWithdrawal:
    return DecideWithdrawal(
        withdrawal_id=withdrawal_id, paid=True, reference=reference, reason="", by="ann"
    )


def reject(withdrawal_id: str) -> DecideWithdrawal:
    return DecideWithdrawal(
        withdrawal_id=withdrawal_id, paid=False, reference="", reason="unknown place", by="bob"
    )


def stored(venue: Venue) -> list[tuple[object, ...]]:
    """Accounts, ledger and withdrawals as they stand, to see that nothing was written."""
    connection = venue.reader._connection
    return [
        row
        for table in ("users", "transaction_ledger", "withdrawals")
        for row in connection.execute(f"SELECT * FROM {table}")
    ]


# --- asking for one -----------------------------------------------------------------------------


def test_the_money_leaves_the_balance_at_once(venue: Venue) -> None:
    outcome = venue.one(WITHDRAW, at_ms=LATER_MS)
    assert isinstance(outcome, WithdrawalRequested)
    asked = outcome.withdrawal
    assert asked == Withdrawal(
        id=asked.id,
        user_id=3,
        wallet=ALICE,
        nonce="n-1",
        amount_micros=30 * STAKE,
        destination=DESTINATION,
        status=WithdrawalStatus.PENDING,
        requested_at_ms=LATER_MS,
    )
    assert outcome.event == BalanceChanged(
        user_id=3,
        wallet=ALICE,
        seq=2,
        balance_micros=70 * STAKE,
        amount_micros=-30 * STAKE,
        reason=BalanceReason.WITHDRAWAL,
        reference=asked.id,
    )
    assert len(asked.id) == 26
    assert venue.balance(ALICE) == 70 * STAKE
    assert venue.reader.withdrawal(asked.id) == asked
    assert venue.reader.integrity().clean


def test_it_stands_against_external_in_one_transaction(venue: Venue) -> None:
    before = venue.balance("external")
    asked = requested(venue.one(WITHDRAW))
    (_, own), *_ = venue.reader.statement(ALICE)
    (_, other), *_ = venue.reader.statement("external")
    assert (own.amount_micros, other.amount_micros) == (-30 * STAKE, 30 * STAKE)
    assert {own.ref_type, other.ref_type} == {"WITHDRAWAL"}
    assert {own.ref_id, other.ref_id} == {asked.id}
    assert own.balance_after_micros == 70 * STAKE
    assert venue.balance("external") == before + 30 * STAKE


def test_what_the_wallet_signed_is_kept(venue: Venue) -> None:
    asked = requested(venue.one(WITHDRAW))
    sql = "SELECT nonce, signed_at_s, signature FROM withdrawals WHERE id = ?"
    found = venue.reader._connection.execute(sql, (asked.id,)).fetchone()
    assert found == ("n-1", AT_MS // 1000, WITHDRAW.signature)
    assert WITHDRAW.signature not in repr(WITHDRAW)


def test_the_whole_balance_can_be_withdrawn_and_then_nothing_can_be_bet(venue: Venue) -> None:
    outcomes = venue.apply(attrs.evolve(WITHDRAW, amount_micros=100 * STAKE), order(1))
    requested(outcomes[0])
    assert venue.balance(ALICE) == 0
    assert not isinstance(outcomes[1], BetConfirmed)


def test_open_bets_of_the_trader_are_left_alone(venue: Venue) -> None:
    venue.apply(order(1), order(2))
    requested(venue.one(attrs.evolve(WITHDRAW, amount_micros=98 * STAKE)))
    venue.one(settle(won=[1], lost=[2]), at_ms=LATER_MS)
    assert venue.balance(ALICE) == 2 * STAKE
    assert venue.reader.integrity().clean


def test_a_retry_is_told_of_the_first_one(venue: Venue) -> None:
    asked = requested(venue.one(WITHDRAW))
    before = stored(venue)
    refusal = refused(venue.one(WITHDRAW, at_ms=LATER_MS))
    told = {"id": asked.id, "status": "pending", "amount_micros": 30 * STAKE}
    assert (refusal.code, refusal.details) == (Code.REPLAY_DETECTED, {"withdrawal": told})
    assert stored(venue) == before


def test_a_retry_is_told_so_within_one_batch_too(venue: Venue) -> None:
    first, second = venue.apply(WITHDRAW, WITHDRAW)
    requested(first)
    assert refused(second).code is Code.REPLAY_DETECTED
    assert venue.balance(ALICE) == 70 * STAKE


@pytest.mark.parametrize(
    "changed",
    [
        attrs.evolve(WITHDRAW, amount_micros=STAKE),
        attrs.evolve(WITHDRAW, destination="0x" + "d1" * 20),
        attrs.evolve(WITHDRAW, amount_micros=10**6 * STAKE),
    ],
    ids=["another amount", "another place", "more than there is"],
)
def test_a_nonce_is_used_up_whatever_else_is_asked_for(
    venue: Venue, changed: RequestWithdrawal
) -> None:
    requested(venue.one(WITHDRAW))
    assert refused(venue.one(changed)).code is Code.REPLAY_DETECTED


def test_a_retry_says_what_became_of_it(venue: Venue) -> None:
    asked = requested(venue.one(WITHDRAW))
    venue.apply(pay(asked.id), SetFrozen(wallet=ALICE, frozen=True, reason="drill", by="ann"))
    told = refused(venue.one(WITHDRAW)).details["withdrawal"]
    assert told == {"id": asked.id, "status": "paid", "amount_micros": 30 * STAKE}


def test_two_traders_may_use_one_nonce(venue: Venue) -> None:
    venue.fund(BOB, 50 * STAKE)
    first, second = venue.apply(WITHDRAW, attrs.evolve(WITHDRAW, wallet=BOB))
    assert requested(first).id != requested(second).id
    assert (venue.balance(ALICE), venue.balance(BOB)) == (70 * STAKE, 20 * STAKE)


def test_a_bet_may_use_the_nonce_of_a_withdrawal(venue: Venue) -> None:
    placed, asked = venue.apply(order(1, nonce="n-1"), WITHDRAW)
    assert isinstance(placed, BetConfirmed)
    requested(asked)


def test_withdrawal_refused_when_frozen(venue: Venue) -> None:
    venue.one(SetFrozen(wallet=ALICE, frozen=True, reason="drill", by="ann"))
    before = stored(venue)
    assert refused(venue.one(WITHDRAW)).code is Code.FROZEN
    assert refused(venue.one(attrs.evolve(WITHDRAW, amount_micros=10**12))).code is Code.FROZEN
    assert stored(venue) == before
    venue.one(SetFrozen(wallet=ALICE, frozen=False, reason="drill over", by="ann"))
    requested(venue.one(WITHDRAW))


@pytest.mark.parametrize("wallet", [BOB, "house", "external"])
def test_withdrawal_refused_for_a_wallet_without_an_account(venue: Venue, wallet: str) -> None:
    before = stored(venue)
    asked = attrs.evolve(WITHDRAW, wallet=wallet, amount_micros=1)
    assert refused(venue.one(asked)).code is Code.INSUFFICIENT_FUNDS
    assert stored(venue) == before


def test_withdrawal_refused_above_the_balance_and_its_nonce_stays_free(venue: Venue) -> None:
    before = stored(venue)
    asked = attrs.evolve(WITHDRAW, amount_micros=100 * STAKE + 1)
    assert refused(venue.one(asked)).code is Code.INSUFFICIENT_FUNDS
    assert stored(venue) == before, "no event, no number, no row"
    venue.fund(ALICE, 1)
    assert requested(venue.one(asked)).amount_micros == 100 * STAKE + 1


@pytest.mark.parametrize("amount", [0, -STAKE, 2**63])
def test_an_amount_that_is_none_moves_nothing(venue: Venue, amount: int) -> None:
    before = stored(venue)
    outcome = venue.one(attrs.evolve(WITHDRAW, amount_micros=amount))
    assert isinstance(outcome, CommandFailed if amount <= 0 else Refusal)
    assert stored(venue) == before


# --- deciding one -------------------------------------------------------------------------------


@pytest.fixture
def pending(venue: Venue) -> str:
    """The id of one that waits for an operator."""
    return requested(venue.one(WITHDRAW)).id


def test_a_paid_one_is_paid_for_good_and_moves_nothing_more(venue: Venue, pending: str) -> None:
    rows = venue.reader.integrity().ledger_rows
    outcome = decided(venue.one(pay(pending), at_ms=LATER_MS))
    kept = venue.reader.withdrawal(pending)
    assert outcome.withdrawal == kept
    assert kept is not None
    assert (kept.status, kept.decided_at_ms, kept.decided_by, kept.reference, kept.reason) == (
        *(WithdrawalStatus.PAID, LATER_MS, "ann", "0xfeed", None),
    )
    assert isinstance(outcome.event, AccountChanged)
    assert (outcome.event.what, outcome.event.seq) == (AccountChange.WITHDRAWAL_PAID, 3)
    assert (outcome.event.reference, outcome.event.wallet) == (pending, ALICE)
    assert venue.balance(ALICE) == 70 * STAKE
    assert venue.reader.integrity().ledger_rows == rows


def test_the_event_of_a_paid_one_has_the_limits_of_its_trader(venue: Venue, pending: str) -> None:
    asked = LimitsAsked(stake_max=MaxAsked(micros=5 * STAKE))
    venue.one(SetLimits(wallet=ALICE, asked=asked))
    event = decided(venue.one(pay(pending))).event
    assert isinstance(event, AccountChanged)
    assert event.limits.stake_max_micros == 5 * STAKE


def test_a_rejected_one_comes_back_in_full(venue: Venue, pending: str) -> None:
    external = venue.balance("external")
    outcome = decided(venue.one(reject(pending), at_ms=LATER_MS))
    assert outcome.withdrawal.status is WithdrawalStatus.REJECTED
    assert (outcome.withdrawal.decided_by, outcome.withdrawal.reason) == ("bob", "unknown place")
    assert outcome.event == BalanceChanged(
        user_id=3,
        wallet=ALICE,
        seq=3,
        balance_micros=100 * STAKE,
        amount_micros=30 * STAKE,
        reason=BalanceReason.WITHDRAWAL_REJECTED,
        reference=pending,
    )
    (_, back), (_, out), _ = venue.reader.statement(ALICE)
    assert (back.amount_micros, out.amount_micros) == (30 * STAKE, -30 * STAKE)
    assert (back.ref_id, back.metadata) == (pending, '{"rejected": true}')
    assert venue.balance("external") == external - 30 * STAKE
    assert venue.reader.integrity().clean


def test_a_rejected_one_comes_back_to_a_frozen_account_too(venue: Venue, pending: str) -> None:
    venue.one(SetFrozen(wallet=ALICE, frozen=True, reason="drill", by="ann"))
    decided(venue.one(reject(pending)))
    assert venue.balance(ALICE) == 100 * STAKE


@pytest.mark.parametrize("decide", [pay, reject])
def test_deciding_it_so_again_changes_nothing(venue: Venue, pending: str, decide: type) -> None:
    first = decided(venue.one(decide(pending)))
    before = stored(venue)
    again = decided(venue.one(attrs.evolve(decide(pending), by="eve"), at_ms=LATER_MS))
    assert again == WithdrawalDecided(withdrawal=first.withdrawal, event=None)
    assert stored(venue) == before


@pytest.mark.parametrize("decisions", [(pay, reject), (reject, pay)], ids=["paid", "rejected"])
def test_decision_refused_when_it_was_decided_otherwise(
    venue: Venue, pending: str, decisions: tuple[type, type]
) -> None:
    first, other = decisions
    decided(venue.one(first(pending)))
    before = stored(venue)
    assert refused(venue.one(other(pending))).code is Code.REFERENCE_CONFLICT
    assert stored(venue) == before


def test_decision_refused_when_it_was_paid_under_another_reference(
    venue: Venue, pending: str
) -> None:
    decided(venue.one(pay(pending, "0xfeed")))
    refusal = refused(venue.one(pay(pending, "0xbeef")))
    assert refusal.code is Code.REFERENCE_CONFLICT
    assert "0xfeed" in refusal.message


@pytest.mark.parametrize("decide", [pay, reject])
def test_decision_refused_of_one_that_is_not(venue: Venue, decide: type) -> None:
    assert refused(venue.one(decide("nothing"))).code is Code.NOT_FOUND


# --- the bankroll's -----------------------------------------------------------------------------

TAKE = WithdrawBankroll(
    amount_micros=STAKE, destination="the bank", reference="r-1", reason="profit", by="ann"
)


def test_the_bankroll_can_be_taken_out_against_external(venue: Venue) -> None:
    external = venue.balance("external")
    outcome = venue.one(TAKE, at_ms=LATER_MS)
    assert isinstance(outcome, BankrollWithdrawn)
    taken = outcome.withdrawal
    assert outcome == BankrollWithdrawn(
        withdrawal=Withdrawal(
            id=taken.id,
            user_id=1,
            wallet="house",
            nonce="r-1",
            amount_micros=STAKE,
            destination="the bank",
            status=WithdrawalStatus.PAID,
            requested_at_ms=LATER_MS,
            decided_at_ms=LATER_MS,
            decided_by="ann",
            reference="r-1",
            reason="profit",
        ),
        balance_micros=BANKROLL - STAKE,
        repeated=False,
    )
    assert venue.reader.withdrawal(taken.id) == taken
    assert venue.reader.house().balance_micros == BANKROLL - STAKE
    assert venue.balance("external") == external + STAKE
    assert venue.reader.integrity().clean


def test_the_same_reference_takes_it_out_once(venue: Venue) -> None:
    first, second = venue.apply(TAKE, TAKE)
    assert isinstance(first, BankrollWithdrawn)
    assert second == attrs.evolve(first, repeated=True)
    assert venue.reader.house().balance_micros == BANKROLL - STAKE


@pytest.mark.parametrize("changed", [{"amount_micros": 2 * STAKE}, {"destination": "elsewhere"}])
def test_bankroll_withdrawal_refused_when_the_reference_names_another(
    venue: Venue, changed: dict[str, object]
) -> None:
    venue.one(TAKE)
    other = attrs.evolve(TAKE, **changed)  # type: ignore[arg-type]
    assert refused(venue.one(other)).code is Code.REFERENCE_CONFLICT
    assert venue.reader.house().balance_micros == BANKROLL - STAKE


def test_bankroll_withdrawal_refused_when_the_rest_could_not_pay_every_open_bet(
    venue: Venue,
) -> None:
    venue.apply(order(1, bps=30_000), order(2, bps=30_000))
    spare = BANKROLL + 2 * STAKE - 6 * STAKE
    assert refused(venue.one(attrs.evolve(TAKE, amount_micros=spare + 1))).code is (
        Code.EXPOSURE_LIMIT
    )
    assert isinstance(venue.one(attrs.evolve(TAKE, amount_micros=spare)), BankrollWithdrawn), (
        "the last of what is not needed"
    )
    assert refused(venue.one(attrs.evolve(TAKE, amount_micros=1, reference="r-2"))).code is (
        Code.EXPOSURE_LIMIT
    )
    position = venue.reader.house()
    assert position.balance_micros == position.open_payout_micros == 6 * STAKE
    venue.one(settle(won=[1, 2]), at_ms=LATER_MS)
    assert venue.reader.integrity().clean


def test_a_bet_of_the_same_batch_counts_before_the_bankroll_is_taken_out(venue: Venue) -> None:
    all_of_it = attrs.evolve(TAKE, amount_micros=BANKROLL)
    placed, taken = venue.apply(order(1), all_of_it)
    assert isinstance(placed, BetConfirmed)
    assert refused(taken).code is Code.EXPOSURE_LIMIT


# --- reading ------------------------------------------------------------------------------------


@pytest.fixture
def several(venue: Venue) -> list[str]:
    """Ids of Alice's three (pending, paid, rejected), the bankroll's, Bob's; oldest first."""
    venue.fund(BOB, 50 * STAKE)
    ids = [
        requested(venue.one(attrs.evolve(WITHDRAW, nonce=f"n-{n}", amount_micros=STAKE))).id
        for n in range(3)
    ]
    taken = venue.one(TAKE)
    assert isinstance(taken, BankrollWithdrawn)
    ids += [taken.withdrawal.id, requested(venue.one(attrs.evolve(WITHDRAW, wallet=BOB))).id]
    venue.apply(pay(ids[1]), reject(ids[2]))
    return ids


def test_withdrawals_come_newest_first(venue: Venue, several: list[str]) -> None:
    assert [one.id for one in venue.reader.withdrawals()] == several[::-1]


def test_withdrawals_of_one_wallet_are_no_one_elses(venue: Venue, several: list[str]) -> None:
    assert [one.id for one in venue.reader.withdrawals(wallet=ALICE)] == several[2::-1]
    assert [one.id for one in venue.reader.withdrawals(wallet="house")] == [several[3]]
    assert venue.reader.withdrawals(wallet="0x" + "e0" * 20) == []


@pytest.mark.parametrize(
    ("status", "which"),
    [
        (WithdrawalStatus.PENDING, [4, 0]),
        (WithdrawalStatus.PAID, [3, 1]),
        (WithdrawalStatus.REJECTED, [2]),
    ],
)
def test_withdrawals_of_one_status(
    venue: Venue, several: list[str], status: WithdrawalStatus, which: list[int]
) -> None:
    found = venue.reader.withdrawals(status=status)
    assert [one.id for one in found] == [several[n] for n in which]
    of_alice = venue.reader.withdrawals(wallet=ALICE, status=status)
    assert [one.id for one in of_alice] == [several[n] for n in which if n < 3]


def test_withdrawals_come_in_pages(venue: Venue, several: list[str]) -> None:
    first = venue.reader.withdrawals(limit=2)
    second = venue.reader.withdrawals(before=first[-1].id, limit=2)
    third = venue.reader.withdrawals(before=second[-1].id, limit=2)
    assert [one.id for one in (*first, *second, *third)] == several[::-1]


def test_what_is_pending_is_found_without_looking_at_what_is_not(venue: Venue) -> None:
    plans: list[str] = []
    connection = venue.reader._connection
    connection.set_trace_callback(plans.append)
    venue.reader.withdrawals(status=WithdrawalStatus.PENDING)
    connection.set_trace_callback(None)
    plan = connection.execute(f"EXPLAIN QUERY PLAN {plans[-1]}").fetchall()
    assert any("withdrawals_pending" in row[3] for row in plan), plan


def test_there_is_no_withdrawal_by_another_name(venue: Venue) -> None:
    assert venue.reader.withdrawal("nothing") is None
    assert venue.reader.withdrawals() == []


# --- over the end of a week ---------------------------------------------------------------------


@pytest.fixture
def weeks() -> Iterator[WeeklyVenue]:
    with weekly_venue() as venue:
        yield venue


def test_a_withdrawal_goes_on_in_the_next_week(weeks: WeeklyVenue) -> None:
    ids = [
        requested(weeks.apply(attrs.evolve(WITHDRAW, nonce=f"n-{n}", amount_micros=STAKE))[0]).id
        for n in range(3)
    ]
    weeks.apply(pay(ids[0]), TAKE)
    weeks.rotate(1)
    at_ms = in_week(1)
    again, *outcomes = weeks.apply(
        attrs.evolve(WITHDRAW, nonce="n-0"), pay(ids[1]), reject(ids[2]), pay(ids[0]), at_ms=at_ms
    )
    assert refused(again).code is Code.REPLAY_DETECTED, "a nonce is used up for ever"
    assert [decided(one).event is None for one in outcomes] == [False, False, True]
    assert weeks.apply(TAKE, at_ms=at_ms)[0] == BankrollWithdrawn(
        withdrawal=weeks.reader.withdrawals(wallet="house")[0],
        balance_micros=BANKROLL - STAKE,
        repeated=True,
    )
    found = {one.id: one.status.value for one in weeks.reader.withdrawals(wallet=ALICE)}
    assert found == dict(zip(ids, ["paid", "paid", "rejected"], strict=True))
    weeks.ledger.recover()
    check_weeks(weeks.money)


def test_a_frozen_account_stays_frozen_over_the_end_of_a_week(weeks: WeeklyVenue) -> None:
    weeks.apply(SetFrozen(wallet=ALICE, frozen=True, reason="drill", by="ann"))
    assert refused(weeks.apply(WITHDRAW, at_ms=SUNDAY_MS)[0]).code is Code.FROZEN
