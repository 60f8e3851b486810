"""What operators do: adjustments, frozen accounts, and columns given back before their verdict."""

from collections.abc import Iterator

import attrs
import pytest

from domain.refusals import Code, Refusal
from domain.resolution import Rule, VoidReason
from domain.verify import bet_faults
from protocols.account_commands import (
    AccountChange,
    AccountChanged,
    Adjust,
    Adjusted,
    BalanceChanged,
    BalanceReason,
    ColumnVoidOrdered,
    SetFrozen,
    VoidColumn,
)
from protocols.accounts import OpenColumn, claim_of
from protocols.money import (
    BetConfirmed,
    BetRefused,
    BetStatus,
    ColumnIncomplete,
    ColumnSettled,
    CommandFailed,
    Deposited,
    MoneyOutcome,
    RebuildBalance,
    SettleColumn,
)
from tests.support.ledgers import (
    ALICE,
    AT_MS,
    BANKROLL,
    BOB,
    KEY,
    STAKE,
    START_S,
    Venue,
    deposit,
    order,
    settle,
    void,
)
from tests.support.weeks import (
    AHEAD_S,
    SECOND,
    SUNDAY_MS,
    WeeklyVenue,
    check_weeks,
    in_week,
    weekly_venue,
)

LATER_MS = AT_MS + 60_000


def refused(outcome: MoneyOutcome) -> Refusal:
    assert isinstance(outcome, Refusal), outcome
    return outcome


def bet_refused(outcome: MoneyOutcome) -> Code:
    assert isinstance(outcome, BetRefused), outcome
    return outcome.refusal.code


def stored(venue: Venue) -> list[tuple[object, ...]]:
    """All that these commands write, as it stands, to see that nothing was written."""
    connection = venue.reader._connection
    return [
        row
        for table in ("users", "transaction_ledger", "adjustments", "column_voids", "columns")
        for row in connection.execute(f"SELECT * FROM {table}")
    ]


# --- adjustments --------------------------------------------------------------------------------

GIVE = Adjust(
    wallet=ALICE,
    amount_micros=7 * STAKE,
    reference="case-1",
    bet_id=None,
    reason="a tick was wrong",
    by="ann",
)


def adjusted(outcome: MoneyOutcome) -> Adjusted:
    assert isinstance(outcome, Adjusted), outcome
    return outcome


def test_an_adjustment_stands_against_the_house_with_bet_and_reason(venue: Venue) -> None:
    bet = order(1)
    venue.apply(bet)
    outcome = venue.one(attrs.evolve(GIVE, bet_id=bet.bet.bet_id), at_ms=LATER_MS)
    assert outcome == Adjusted(
        user_id=3,
        wallet=ALICE,
        amount_micros=7 * STAKE,
        reference="case-1",
        balance_micros=106 * STAKE,
        event=BalanceChanged(
            user_id=3,
            wallet=ALICE,
            seq=3,
            balance_micros=106 * STAKE,
            amount_micros=7 * STAKE,
            reason=BalanceReason.ADJUSTMENT,
            reference="case-1",
        ),
    )
    (_, own), *_ = venue.reader.statement(ALICE)
    (_, other), *_ = venue.reader.statement("house")
    assert (own.amount_micros, other.amount_micros) == (7 * STAKE, -7 * STAKE)
    assert {(row.ref_type, row.ref_id) for row in (own, other)} == {("ADJUSTMENT", "case-1")}
    assert f'"bet_id": "{bet.bet.bet_id}"' in own.metadata
    assert '"why": "a tick was wrong"' in own.metadata
    assert venue.reader.house().balance_micros == BANKROLL + STAKE - 7 * STAKE
    assert venue.reader.integrity().clean


def test_a_negative_one_takes_money_back(venue: Venue) -> None:
    outcome = adjusted(venue.one(attrs.evolve(GIVE, amount_micros=-100 * STAKE)))
    assert outcome.balance_micros == venue.balance(ALICE) == 0
    assert venue.reader.house().balance_micros == BANKROLL + 100 * STAKE
    assert venue.reader.integrity().clean


def test_the_same_reference_adjusts_once(venue: Venue) -> None:
    first = adjusted(venue.one(GIVE))
    venue.fund(ALICE, STAKE)
    before = stored(venue)
    again = adjusted(venue.one(attrs.evolve(GIVE, reason="told differently", by="bob")))
    assert again == attrs.evolve(first, event=None, balance_micros=108 * STAKE)
    assert stored(venue) == before


@pytest.mark.parametrize(
    "changed",
    [{"amount_micros": 8 * STAKE}, {"amount_micros": -7 * STAKE}, {"wallet": BOB}, {"bet_id": "b"}],
    ids=["amount", "sign", "wallet", "bet"],
)
def test_adjustment_refused_when_the_reference_names_another(
    venue: Venue, changed: dict[str, object]
) -> None:
    venue.fund(BOB, STAKE)
    venue.one(GIVE)
    before = stored(venue)
    other = attrs.evolve(GIVE, **changed)  # type: ignore[arg-type]
    assert refused(venue.one(other)).code is Code.REFERENCE_CONFLICT
    assert stored(venue) == before


def test_a_deposit_may_have_the_reference_of_an_adjustment(venue: Venue) -> None:
    adjusted(venue.one(GIVE))
    outcome = venue.one(deposit(ALICE, STAKE, "case-1"))
    assert isinstance(outcome, Deposited)
    assert not outcome.repeated
    assert venue.reader.integrity().clean


@pytest.mark.parametrize("wallet", [BOB, "house", "external"])
def test_adjustment_refused_for_a_wallet_without_an_account(venue: Venue, wallet: str) -> None:
    before = stored(venue)
    assert refused(venue.one(attrs.evolve(GIVE, wallet=wallet))).code is Code.NOT_FOUND
    assert stored(venue) == before


def test_adjustment_refused_below_zero(venue: Venue) -> None:
    before = stored(venue)
    take = attrs.evolve(GIVE, amount_micros=-100 * STAKE - 1)
    assert refused(venue.one(take)).code is Code.INSUFFICIENT_FUNDS
    assert stored(venue) == before
    venue.fund(ALICE, 1)
    assert adjusted(venue.one(take)).balance_micros == 0, "its reference was not used up"


def test_adjustment_refused_when_the_house_could_not_pay_every_open_bet(empty: Venue) -> None:
    empty.fund("house", 10 * STAKE)
    empty.fund(ALICE, 10 * STAKE)
    empty.apply(order(1, bps=40_000), order(2, bps=40_000))
    spare = (10 + 2 - 8) * STAKE
    before = stored(empty)
    assert refused(empty.one(attrs.evolve(GIVE, amount_micros=spare + 1))).code is (
        Code.EXPOSURE_LIMIT
    )
    assert stored(empty) == before
    adjusted(empty.one(attrs.evolve(GIVE, amount_micros=spare)))
    position = empty.reader.house()
    assert position.balance_micros == position.open_payout_micros
    adjusted(empty.one(attrs.evolve(GIVE, amount_micros=-STAKE, reference="case-2")))
    empty.one(settle(won=[1, 2]), at_ms=LATER_MS)
    assert empty.reader.integrity().clean


def test_a_house_that_is_short_may_be_given_money(venue: Venue) -> None:
    """Somebody has altered its balance: what comes in can only help."""
    venue.apply(order(1), order(2))
    venue.ledger._connection.execute("UPDATE users SET balance = 1 WHERE id = 1")
    adjusted(venue.one(attrs.evolve(GIVE, amount_micros=-STAKE)))
    assert venue.reader.house().balance_micros == STAKE + 1


def test_a_bet_of_the_same_batch_counts_before_an_adjustment(empty: Venue) -> None:
    empty.fund("house", 2 * STAKE)
    empty.fund(ALICE, STAKE)
    placed, outcome = empty.apply(order(1, bps=30_000), attrs.evolve(GIVE, amount_micros=1))
    assert isinstance(placed, BetConfirmed)
    assert refused(outcome).code is Code.EXPOSURE_LIMIT


def test_adjustment_refused_when_the_bet_is_another_traders(venue: Venue) -> None:
    venue.fund(BOB, STAKE)
    bet = order(1, wallet=BOB)
    venue.apply(bet)
    before = stored(venue)
    wanted = attrs.evolve(GIVE, bet_id=bet.bet.bet_id)
    assert refused(venue.one(wanted)).code is Code.NOT_FOUND
    assert stored(venue) == before


def test_adjustment_refused_when_there_is_no_such_bet(venue: Venue) -> None:
    """There is no earlier week that it could be of."""
    wanted = attrs.evolve(GIVE, bet_id="01JZZZZZZZZZZZZZZZZZZZZZZZ")
    assert refused(venue.one(wanted)).code is Code.NOT_FOUND


@pytest.mark.parametrize("amount", [0, 2**63, -(2**63) - 1])
def test_an_adjustment_by_no_amount_moves_nothing(venue: Venue, amount: int) -> None:
    before = stored(venue)
    outcome = venue.one(attrs.evolve(GIVE, amount_micros=amount))
    assert isinstance(outcome, CommandFailed if amount == 0 else Refusal)
    assert stored(venue) == before


def test_a_frozen_account_is_adjusted_too(venue: Venue) -> None:
    venue.one(FREEZE)
    adjusted(venue.one(GIVE))
    assert venue.balance(ALICE) == 107 * STAKE


def test_a_rebuilt_balance_is_no_adjustment(venue: Venue) -> None:
    """Its note is an ADJUSTMENT row, too: of nothing, against nobody."""
    connection = venue.ledger._connection
    connection.execute("UPDATE users SET balance = balance + 5 WHERE id = 3")
    venue.apply(RebuildBalance(wallet=ALICE, by="ann", why="drill"), GIVE)
    assert venue.balance(ALICE) == 107 * STAKE
    assert venue.reader.integrity().clean


# --- freezing -----------------------------------------------------------------------------------

FREEZE = SetFrozen(wallet=ALICE, frozen=True, reason="drill", by="ann")
THAW = attrs.evolve(FREEZE, frozen=False)


def test_a_frozen_account_places_no_bet_until_it_is_released(venue: Venue) -> None:
    outcome = venue.one(FREEZE)
    assert isinstance(outcome, AccountChanged)
    assert (outcome.what, outcome.frozen, outcome.seq) == (AccountChange.FROZEN, True, 2)
    account = venue.reader.account(ALICE)
    assert account is not None
    assert (account.frozen, account.seq) == (True, 2)
    assert bet_refused(venue.one(order(1))) is Code.FROZEN
    outcome = venue.one(THAW)
    assert isinstance(outcome, AccountChanged)
    assert (outcome.what, outcome.frozen, outcome.seq) == (AccountChange.UNFROZEN, False, 3)
    assert isinstance(venue.one(order(1)), BetConfirmed)


def test_what_comes_to_a_frozen_account_goes_on(venue: Venue) -> None:
    venue.apply(order(1), order(2, start_s=START_S + 5), FREEZE)
    venue.fund(ALICE, STAKE)
    venue.apply(settle(won=[1]), void([2], start_s=START_S + 5), at_ms=LATER_MS)
    assert venue.balance(ALICE) == (100 - 2 + 1 + 2 + 1) * STAKE


def test_freezing_it_again_is_an_event_again(venue: Venue) -> None:
    events = venue.apply(FREEZE, FREEZE, THAW, THAW)
    assert [event.seq for event in events if isinstance(event, AccountChanged)] == [2, 3, 4, 5]


@pytest.mark.parametrize("wallet", [BOB, "house", "external"])
@pytest.mark.parametrize("frozen", [True, False])
def test_freezing_refused_for_a_wallet_without_an_account(
    venue: Venue, wallet: str, frozen: bool
) -> None:
    before = stored(venue)
    wanted = attrs.evolve(FREEZE, wallet=wallet, frozen=frozen)
    assert refused(venue.one(wanted)).code is Code.NOT_FOUND
    assert stored(venue) == before


# --- giving a column back -----------------------------------------------------------------------

GIVE_BACK = VoidColumn(start_s=START_S, reason="wrong ticks", by="ann")
ORDERED = ColumnVoidOrdered(start_s=START_S, repeated=False)


def given_back(*rows: int, start_s: int = START_S) -> SettleColumn:
    """The verdict that the Resolver writes on the order."""
    return void(rows, start_s=start_s, reason=VoidReason.OPERATOR)


def test_a_column_that_is_given_back_takes_no_bets(venue: Venue) -> None:
    before, ordered, after = venue.apply(order(1), GIVE_BACK, order(2))
    assert isinstance(before, BetConfirmed)
    assert ordered == ORDERED
    assert bet_refused(after) is Code.CELL_UNAVAILABLE
    assert isinstance(venue.one(order(2, start_s=START_S + 5)), BetConfirmed)


def test_a_column_without_bets_can_be_given_back_and_stays_untappable(venue: Venue) -> None:
    assert venue.one(GIVE_BACK) == ORDERED
    assert venue.reader.open_columns(before_s=2**40) == []
    assert bet_refused(venue.one(order(1))) is Code.CELL_UNAVAILABLE


def test_its_bets_are_refunded_once(venue: Venue) -> None:
    venue.fund(BOB, STAKE)
    venue.apply(order(1), order(2), order(1, wallet=BOB), GIVE_BACK)
    first, second = venue.apply(given_back(1, 2), given_back(1, 2), at_ms=LATER_MS)
    assert isinstance(first, ColumnSettled)
    assert [bet.status for bet in first.resolved] == [BetStatus.VOID] * 3
    assert second == ColumnSettled(key=KEY, resolved=())
    assert (venue.balance(ALICE), venue.balance(BOB)) == (100 * STAKE, STAKE)
    assert venue.reader.integrity().clean
    for bet in first.resolved:
        settled = venue.reader.settled_bet(bet.bet_id)
        assert settled is not None
        assert settled.evidence.void is VoidReason.OPERATOR
        assert bet_faults(claim_of(settled.bet), settled.evidence) == ()


def test_the_order_is_shown_with_the_open_column_before_its_window_too(venue: Venue) -> None:
    venue.apply(order(1), order(1, rule=Rule.PATH, wallet=ALICE, start_s=START_S + 5))
    venue.apply(order(2, start_s=START_S + 10))
    both = (GIVE_BACK, attrs.evolve(GIVE_BACK, start_s=START_S + 10))
    venue.apply(*both)
    path = attrs.evolve(KEY, start_s=START_S + 5, rule=Rule.PATH)
    later = attrs.evolve(KEY, start_s=START_S + 10)
    first, second, third = (
        OpenColumn(key=KEY, ranges=((1_000, 2_000),), void_ordered=True),
        OpenColumn(key=path, ranges=((1_000, 2_000),)),
        OpenColumn(key=later, ranges=((2_000, 3_000),), void_ordered=True),
    )
    assert venue.reader.open_columns(before_s=START_S + 20) == [first, second, third]
    assert venue.reader.open_columns(before_s=START_S + 6) == [first, second, third]
    assert venue.reader.open_columns(before_s=START_S) == [first, third]


@pytest.mark.parametrize(
    "verdict",
    [settle(won=[1]), settle(lost=[1]), void([1])],
    ids=["won", "lost", "void for another reason"],
)
def test_another_verdict_is_not_written_once_it_is_ordered(
    venue: Venue, verdict: SettleColumn
) -> None:
    venue.apply(order(1), GIVE_BACK)
    before = stored(venue)
    assert venue.one(verdict, at_ms=LATER_MS) == ColumnIncomplete(key=KEY)
    assert stored(venue) == before
    assert isinstance(venue.one(given_back(1), at_ms=LATER_MS), ColumnSettled)
    assert venue.one(verdict, at_ms=LATER_MS) == ColumnSettled(key=KEY, resolved=())


def test_the_order_stands_for_bets_by_every_rule(venue: Venue) -> None:
    venue.apply(order(1), order(2, rule=Rule.PATH), GIVE_BACK)
    by_path = attrs.evolve(settle(won=[2]), key=attrs.evolve(KEY, rule=Rule.PATH))
    assert isinstance(venue.one(by_path, at_ms=LATER_MS), ColumnIncomplete)
    assert all(column.void_ordered for column in venue.reader.open_columns(before_s=2**40))


def test_nothing_is_given_back_in_an_operators_name_without_his_order(venue: Venue) -> None:
    venue.one(order(1))
    before = stored(venue)
    assert isinstance(venue.one(given_back(1), at_ms=LATER_MS), CommandFailed)
    assert stored(venue) == before


@pytest.mark.parametrize("verdict", [settle(won=[1]), settle(lost=[1]), void([1])])
def test_void_refused_once_the_column_has_a_verdict(venue: Venue, verdict: SettleColumn) -> None:
    venue.apply(order(1), verdict)
    before = stored(venue)
    assert refused(venue.one(GIVE_BACK, at_ms=LATER_MS)).code is Code.REFERENCE_CONFLICT
    assert stored(venue) == before


def test_ordering_it_again_changes_nothing_also_when_it_is_done(venue: Venue) -> None:
    venue.apply(order(1), GIVE_BACK)
    again = attrs.evolve(GIVE_BACK, by="bob", reason="other")
    repeated = attrs.evolve(ORDERED, repeated=True)
    assert venue.one(again) == repeated
    venue.one(given_back(1), at_ms=LATER_MS)
    assert venue.one(again) == repeated
    orders = venue.reader._connection.execute("SELECT * FROM column_voids").fetchall()
    assert orders == [(START_S, "ann", "wrong ticks", AT_MS)]


# --- over the end of a week ---------------------------------------------------------------------


@pytest.fixture
def weeks() -> Iterator[WeeklyVenue]:
    with weekly_venue() as venue:
        yield venue


def test_a_column_of_next_week_that_is_given_back_stays_untappable(weeks: WeeklyVenue) -> None:
    bet = order(1, start_s=AHEAD_S)
    weeks.apply(bet, attrs.evolve(GIVE_BACK, start_s=AHEAD_S), at_ms=SUNDAY_MS - 1)
    late = weeks.apply(order(2, start_s=AHEAD_S), at_ms=SUNDAY_MS)[0]
    assert weeks.ledger.partition() == SECOND
    assert bet_refused(late) is Code.CELL_UNAVAILABLE
    (column,) = weeks.reader.open_columns(before_s=SUNDAY_MS // 1000)
    assert column.void_ordered
    verdict = given_back(1, start_s=AHEAD_S)
    won = settle(won=[1], start_s=AHEAD_S)
    outcomes = weeks.apply(won, verdict, verdict, at_ms=SUNDAY_MS + 1)
    assert isinstance(outcomes[0], ColumnIncomplete)
    assert [len(one.resolved) for one in outcomes if isinstance(one, ColumnSettled)] == [1, 0]
    account = weeks.reader.account(ALICE)
    assert account is not None
    assert account.balance_micros == 100 * STAKE
    weeks.ledger.recover()
    check_weeks(weeks.money)


def test_a_column_given_back_and_refunded_stays_untappable_after_the_week(
    weeks: WeeklyVenue,
) -> None:
    ordered = attrs.evolve(GIVE_BACK, start_s=AHEAD_S)
    verdict = given_back(1, start_s=AHEAD_S)
    weeks.apply(order(1, start_s=AHEAD_S), ordered, verdict, at_ms=SUNDAY_MS - 1)
    again, late, repeated = weeks.apply(
        verdict, order(2, start_s=AHEAD_S), ordered, at_ms=SUNDAY_MS
    )
    assert weeks.ledger.partition() == SECOND
    assert isinstance(again, ColumnSettled)
    assert again.resolved == ()
    assert bet_refused(late) is Code.CELL_UNAVAILABLE
    assert repeated == ColumnVoidOrdered(start_s=AHEAD_S, repeated=True)
    weeks.ledger.recover()
    check_weeks(weeks.money)


def test_void_refused_of_a_column_whose_verdict_is_in_an_earlier_file(weeks: WeeklyVenue) -> None:
    weeks.apply(order(1), settle(won=[1]))
    outcome = weeks.apply(GIVE_BACK, at_ms=in_week(1))[0]
    assert refused(outcome).code is Code.REFERENCE_CONFLICT


def test_a_column_of_last_week_with_open_bets_can_be_given_back(weeks: WeeklyVenue) -> None:
    weeks.apply(order(1))
    ordered, settled = weeks.apply(GIVE_BACK, given_back(1), at_ms=in_week(1))
    assert ordered == ORDERED
    assert isinstance(settled, ColumnSettled)
    assert len(settled.resolved) == 1


def test_a_bet_of_an_earlier_week_can_be_made_good(weeks: WeeklyVenue) -> None:
    """This week's file knows nothing of it any more, and its own may be in the archive."""
    weeks.apply(deposit(BOB, STAKE), order(1, bet_id="old"), order(2, bet_id="bobs", wallet=BOB))
    weeks.apply(settle(lost=[1, 2]), order(3, bet_id="open", start_s=AHEAD_S), at_ms=LATER_MS)
    late_ms = SUNDAY_MS - 1
    weeks.apply(deposit(BOB, STAKE), order(4, bet_id="new", wallet=BOB, start_s=AHEAD_S))
    weeks.apply(order(5, bet_id="young", wallet=BOB, start_s=AHEAD_S + 5), at_ms=late_ms)
    weeks.apply(settle(lost=[5], start_s=AHEAD_S + 5), at_ms=late_ms)
    outcomes = weeks.apply(
        *(
            attrs.evolve(GIVE, bet_id=bet_id, reference=f"case of {bet_id}", amount_micros=1)
            for bet_id in ("old", "open", "bobs", "new", "young")
        ),
        at_ms=SUNDAY_MS,
    )
    taken = [isinstance(outcome, Adjusted) for outcome in outcomes]
    # That `bobs` is his is not known here any more; `new` is open, and the nonce of `young` is new.
    assert taken == [True, True, True, False, False]
    assert {refused(outcome).code for outcome in outcomes[3:]} == {Code.NOT_FOUND}


def test_an_adjustment_is_made_once_over_the_weeks(weeks: WeeklyVenue) -> None:
    weeks.apply(GIVE)
    again, other = weeks.apply(GIVE, attrs.evolve(GIVE, amount_micros=1), at_ms=in_week(1))
    assert adjusted(again).event is None
    assert refused(other).code is Code.REFERENCE_CONFLICT
    weeks.ledger.recover()
    check_weeks(weeks.money)
