"""The Batcher and what is done to accounts: who is told of it, and what a crash costs."""

from collections.abc import Iterator

import attrs
import pytest
import trio
from trio.testing import MockClock

from domain.refusals import Code, Refusal
from domain.resolution import VoidReason
from protocols.account_commands import (
    AccountChange,
    AccountChanged,
    Adjust,
    Adjusted,
    BalanceChanged,
    BalanceReason,
    ColumnVoidOrdered,
    DecideWithdrawal,
    RequestWithdrawal,
    SetFrozen,
    VoidColumn,
    Withdrawal,
    WithdrawalRequested,
    WithdrawBankroll,
)
from protocols.money import (
    AccountOpened,
    ColumnIncomplete,
    ColumnSettled,
    MoneyCommand,
    OpenAccount,
)
from supervisor import Life, WhenFull
from tests.actors.test_batcher import EPOCH_MS, USD, Bench, confirmed, crash, open_bench
from tests.actors.test_batcher import refusal as bet_refusal
from tests.support.ledgers import ALICE, BOB, KEY, START_S, deposit, grant, settle, void

WITHDRAW = RequestWithdrawal(
    wallet=ALICE,
    nonce="n-1",
    amount_micros=30 * USD,
    destination="0x" + "d0" * 20,
    signed_at_s=EPOCH_MS // 1000,
    signature="0x" + "5a" * 65,
)
ADJUST = Adjust(wallet=ALICE, amount_micros=5, reference="a-1", bet_id=None, reason="x", by="ann")
GIVE_BACK = VoidColumn(start_s=START_S, reason="wrong ticks", by="ann")
Told = BalanceReason | AccountChange


@pytest.fixture
def bench() -> Iterator[Bench]:
    with open_bench() as made:
        yield made


def refusal(outcome: object) -> Refusal:
    assert isinstance(outcome, Refusal), outcome
    return outcome


def decide(asked: Withdrawal, *, paid: bool) -> DecideWithdrawal:
    reference = "0xfeed" if paid else ""
    return DecideWithdrawal(
        withdrawal_id=asked.id, paid=paid, reference=reference, reason="", by="ann"
    )


async def requested(bench: Bench, nonce: str) -> Withdrawal:
    outcome = await bench.order(attrs.evolve(WITHDRAW, nonce=nonce))
    assert isinstance(outcome, WithdrawalRequested)
    return outcome.withdrawal


async def test_what_is_done_to_an_account_is_told_once_and_in_order(
    bench: Bench, autojump_clock: MockClock
) -> None:
    events, told = bench.subscribe(), list[tuple[Told, int]]()
    async with bench.alive():
        paid, back = [await requested(bench, nonce) for nonce in "ab"]
        for command in (
            *(decide(paid, paid=True), decide(paid, paid=True)),
            *(decide(back, paid=False), decide(back, paid=False)),
            *(ADJUST, ADJUST, attrs.evolve(ADJUST, amount_micros=6)),
            SetFrozen(wallet=ALICE, frozen=True, reason="drill", by="ann"),
            *(attrs.evolve(WITHDRAW, nonce="a"), attrs.evolve(WITHDRAW, nonce="c")),
            SetFrozen(wallet=ALICE, frozen=False, reason="drill over", by="ann"),
            GIVE_BACK,
            WithdrawBankroll(amount_micros=1, destination="", reference="r", reason="", by="ann"),
        ):
            await bench.order(command)
    while (event := events.receive_nowait()) is not None:
        assert isinstance(event, BalanceChanged | AccountChanged)
        what = event.reason if isinstance(event, BalanceChanged) else event.what
        told.append((what, event.seq))
    assert told == [
        (BalanceReason.WITHDRAWAL, 2),
        (BalanceReason.WITHDRAWAL, 3),
        (AccountChange.WITHDRAWAL_PAID, 4),
        (BalanceReason.WITHDRAWAL_REJECTED, 5),
        (BalanceReason.ADJUSTMENT, 6),
        (AccountChange.FROZEN, 7),
        (AccountChange.UNFROZEN, 8),
    ]


async def test_a_withdrawal_and_a_bet_of_one_batch_can_not_spend_the_same_money(
    bench: Bench, autojump_clock: MockClock
) -> None:
    async with bench.alive():
        asked = bench.send(attrs.evolve(WITHDRAW, amount_micros=99 * USD + 1))
        placed = bench.send(bench.bet())
        assert isinstance(await asked.wait_answer(), WithdrawalRequested)
        assert bet_refusal(await placed.wait_answer()).code is Code.INSUFFICIENT_FUNDS
    assert bench.ledger.sizes() == [2]
    assert bench.balance() == USD - 1


async def test_no_bet_is_placed_on_a_column_that_is_given_back_in_the_same_batch(
    bench: Bench, autojump_clock: MockClock
) -> None:
    async with bench.alive():
        sent = [bench.send(one) for one in (bench.bet(1), GIVE_BACK, bench.bet(2))]
        before, ordered, after = [await one.wait_answer() for one in sent]
    confirmed(before)
    assert ordered == ColumnVoidOrdered(start_s=START_S, repeated=False)
    assert bet_refusal(after).code is Code.CELL_UNAVAILABLE
    assert bench.ledger.sizes() == [3]


async def test_a_verdict_on_its_way_gives_way_to_the_order_to_give_back(
    bench: Bench, autojump_clock: MockClock
) -> None:
    async with bench.alive():
        bet = confirmed(await bench.order(bench.bet(1)))
        commands: tuple[MoneyCommand, ...] = (
            *(GIVE_BACK, settle(won=[1]), void([1])),
            void([1], reason=VoidReason.OPERATOR),
        )
        sent = [bench.send(command) for command in commands]
        _, won, other, given_back = [await one.wait_answer() for one in sent]
    assert won == other == ColumnIncomplete(key=KEY)
    assert isinstance(given_back, ColumnSettled)
    assert [end.bet_id for end in given_back.resolved] == [bet.bet_id]
    assert bench.ledger.sizes() == [1, 4]
    assert bench.balance() == 100 * USD


# --- crashes ------------------------------------------------------------------------------------


async def test_a_withdrawal_that_was_refused_is_not_tried_again_by_the_next_life(
    bench: Bench, autojump_clock: MockClock
) -> None:
    """Its trader was told no; by the end of that batch his balance would cover it."""
    slow = bench.topic.subscribe("slow", 1, WhenFull.WAIT)
    told = bench.send(attrs.evolve(WITHDRAW, amount_micros=101 * USD))
    for _ in range(3):
        bench.send(deposit(ALICE, USD))
    with trio.move_on_after(1):
        await bench.live(Life("test/batcher"))
    slow.close()
    assert refusal(await told.wait_answer()).code is Code.INSUFFICIENT_FUNDS
    async with bench.alive():
        await bench.order(OpenAccount(wallet=BOB))
    assert bench.balance() == 103 * USD
    assert bench.reader.withdrawals() == []


@pytest.mark.parametrize("is_committed", [False, True], ids=["before COMMIT", "after COMMIT"])
async def test_a_withdrawal_whose_request_crashed_is_taken_once(
    bench: Bench, autojump_clock: MockClock, is_committed: bool
) -> None:
    asked = bench.send(WITHDRAW)
    await crash_in_flush(bench, is_committed)
    async with bench.alive():
        outcome = await asked.wait_answer()
    (kept,) = bench.reader.withdrawals()
    assert bench.balance() == 70 * USD
    if is_committed:
        told = {"id": kept.id, "status": "pending", "amount_micros": 30 * USD}
        assert refusal(outcome).details == {"withdrawal": told}
    else:
        assert isinstance(outcome, WithdrawalRequested)
        assert outcome.withdrawal == kept


@pytest.mark.parametrize("is_committed", [False, True], ids=["before COMMIT", "after COMMIT"])
async def test_an_adjustment_that_crashed_is_made_once(
    bench: Bench, autojump_clock: MockClock, is_committed: bool
) -> None:
    asked = bench.send(ADJUST)
    await crash_in_flush(bench, is_committed)
    async with bench.alive():
        outcome = await asked.wait_answer()
    assert isinstance(outcome, Adjusted)
    assert (outcome.event is None) is is_committed
    assert bench.balance() == 100 * USD + 5


@pytest.mark.parametrize("is_committed", [False, True], ids=["before COMMIT", "after COMMIT"])
async def test_a_sign_in_that_crashed_has_its_key(
    bench: Bench, autojump_clock: MockClock, is_committed: bool
) -> None:
    key = grant(1)
    asked = bench.send(OpenAccount(wallet=BOB, key=key))
    await crash_in_flush(bench, is_committed)
    async with bench.alive():
        outcome = await asked.wait_answer()
    assert isinstance(outcome, AccountOpened)
    assert outcome.wallet == BOB
    (kept,) = bench.reader.session_keys(BOB)
    assert (kept.key_id, kept.revoked_at_ms) == (key.key_id, None)


async def crash_in_flush(bench: Bench, is_committed: bool) -> None:
    if is_committed:
        bench.ledger.after = crash
    else:
        bench.ledger.before = crash
    await bench.crash()
