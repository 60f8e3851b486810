"""A deposit that fills a balance up to a limit, and no further: the faucet's."""

import pytest

from domain.refusals import Code, Refusal
from protocols.money import CommandFailed, Deposit, Deposited, MoneyOutcome
from tests.support.ledgers import ALICE, BANKROLL, BOB, STAKE, Venue, deposit, order


def drop(
    venue: Venue,
    amount: int,
    *,
    most: int | None = 10 * STAKE,
    reference: str = "drop",
    wallet: str = BOB,
) -> MoneyOutcome:
    return venue.one(
        Deposit(
            wallet=wallet,
            amount_micros=amount,
            reference=reference,
            by="faucet",
            balance_max_micros=most,
        )
    )


def given(outcome: MoneyOutcome) -> tuple[int, int, bool]:
    assert isinstance(outcome, Deposited)
    return outcome.amount_micros, outcome.balance_micros, outcome.repeated


@pytest.mark.parametrize(
    ("before", "amount", "expected"),
    [(0, 4, 4), (0, 10, 10), (0, 11, 10), (7, 4, 3), (9, 1, 1), (9, 10**6, 1)],
)
def test_it_gives_what_the_limit_leaves_room_for(
    empty: Venue, before: int, amount: int, expected: int
) -> None:
    if before:
        empty.fund(BOB, before * STAKE)
    outcome = drop(empty, amount * STAKE)
    assert given(outcome) == (expected * STAKE, (before + expected) * STAKE, False)
    assert empty.balance(BOB) == (before + expected) * STAKE
    assert empty.reader.integrity().clean


@pytest.mark.parametrize("over", [0, 1, 5 * STAKE])
def test_it_gives_nothing_where_the_balance_is_as_high(empty: Venue, over: int) -> None:
    empty.fund(BOB, 10 * STAKE + over)
    refused = drop(empty, STAKE)
    assert isinstance(refused, Refusal)
    assert refused.code is Code.LIMIT_REACHED
    assert refused.details == {
        "balance_max_micros": 10 * STAKE,
        "balance_micros": 10 * STAKE + over,
    }
    assert empty.reader.account(BOB).seq == 1  # type: ignore[union-attr]


def test_a_limit_of_nothing_gives_nothing_and_opens_no_account(empty: Venue) -> None:
    refused = drop(empty, STAKE, most=0)
    assert isinstance(refused, Refusal)
    assert refused.details == {"balance_max_micros": 0, "balance_micros": 0}
    assert empty.reader.account(BOB) is None


def test_a_refused_one_has_not_used_up_its_reference(empty: Venue) -> None:
    empty.fund("house", BANKROLL)
    empty.fund(BOB, 10 * STAKE)
    assert isinstance(drop(empty, STAKE), Refusal)
    empty.one(order(1, wallet=BOB))
    assert given(drop(empty, 5 * STAKE)) == (STAKE, 10 * STAKE, False)


@pytest.mark.parametrize("amount", [4, 40])
def test_a_repeated_one_is_answered_as_before_whatever_the_balance_is_now(
    empty: Venue, amount: int
) -> None:
    empty.fund("house", BANKROLL)
    first = given(drop(empty, amount * STAKE))[0]
    assert given(drop(empty, amount * STAKE)) == (first, first, True)
    empty.one(order(1, wallet=BOB))
    assert given(drop(empty, amount * STAKE)) == (first, first - STAKE, True)
    empty.fund(BOB, 500 * STAKE)
    assert given(drop(empty, amount * STAKE)) == (first, first + 499 * STAKE, True)


def test_what_was_given_is_what_is_kept(empty: Venue) -> None:
    """So that deposits and ledger rows agree; the row says no more than that."""
    drop(empty, 40 * STAKE)
    ((_, row),) = empty.reader.statement(BOB)
    sql = "SELECT amount_micros FROM deposits"
    assert empty.ledger._connection.execute(sql).fetchall() == [(10 * STAKE,)]
    assert (row.amount_micros, row.ref_id) == (10 * STAKE, "drop")


@pytest.mark.parametrize(
    "other",
    [
        {"wallet": ALICE, "amount": 40 * STAKE},
        {"amount": 10 * STAKE - 1},
        {"amount": 40 * STAKE, "most": None},
    ],
    ids=["another wallet", "less than was given", "a deposit in full"],
)
def test_its_reference_is_no_other_deposits(empty: Venue, other: dict[str, object]) -> None:
    drop(empty, 40 * STAKE)
    outcome = drop(empty, **other)  # type: ignore[arg-type]
    assert isinstance(outcome, Refusal)
    assert outcome.code is Code.REFERENCE_CONFLICT
    assert empty.balance(BOB) == 10 * STAKE
    assert empty.reader.account(ALICE) is None


def test_one_may_name_a_deposit_in_full_that_gave_as_much(empty: Venue) -> None:
    empty.one(deposit(BOB, 4 * STAKE, "drop"))
    assert given(drop(empty, 4 * STAKE)) == (4 * STAKE, 4 * STAKE, True)


def test_two_in_one_batch_fill_the_balance_once(empty: Venue) -> None:
    commands = [
        Deposit(
            wallet=BOB,
            amount_micros=7 * STAKE,
            reference=reference,
            by="faucet",
            balance_max_micros=10 * STAKE,
        )
        for reference in ("one", "two", "three")
    ]
    first, second, third = empty.apply(*commands)
    assert [given(first)[0], given(second)[0]] == [7 * STAKE, 3 * STAKE]
    assert isinstance(third, Refusal)
    assert empty.balance(BOB) == 10 * STAKE


@pytest.mark.parametrize("amount", [0, -1])
def test_an_amount_that_is_none_fails(empty: Venue, amount: int) -> None:
    assert isinstance(drop(empty, amount), CommandFailed)
    assert empty.reader.account(BOB) is None
