"""The Resolver: when a column is settled, in which order, and what happens when it can't be.

Real ledger and real price record; the Batcher is its mailbox here, answered by the real ledger.
Times are seconds of virtual time: the column of most tests is the window from 20 to 25.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing
from functools import partial

import attrs
import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors import resolver
from actors.resolver import DISK_FULL_PAUSE_S, ROUND_S, SETTLE_WITHIN_S, MoneyAsk, ResolverPorts
from db.sqlite_ledger import SqliteLedger
from db.sqlite_ledger_reader import SqliteLedgerReader
from db.sqlite_prices import SqlitePriceReader, SqlitePriceRecord
from domain.caps import HouseCaps
from domain.refusals import Code, Refusal
from domain.resolution import VoidReason
from domain.verify import bet_faults
from protocols.account_commands import ColumnVoidOrdered, VoidColumn
from protocols.accounts import Bet, claim_of
from protocols.market import FEED_UNKNOWN, FeedLevel, FeedLevelChanged, FeedStatus, Watermark
from protocols.money import (
    BetStatus,
    ColumnIncomplete,
    CommandFailed,
    MoneyOutcome,
    OpenAccount,
    ResolverStatus,
    SettleColumn,
)
from supervisor import Ask, Life, Mailbox, SeededChance, TrioClock, Watch, WhenFull
from supervisor.worker import InlineWorker
from tests.support.ledgers import ALICE, STAKE, START_S, deposit, order
from tests.support.quick_folder import quick_folder
from tests.support.ticks import tick

EPOCH_MS = START_S * 1000 - 20_000
END_S = 25
SETTLE_DELAY_S = 2
PRICE_CENTS = 1_500
"""In row 1."""

Unanswered = Callable[[SettleColumn], MoneyOutcome | None]
"""What the Batcher says instead of settling; None: nothing, ever."""


@attrs.define(kw_only=True)
class Bench:
    """What outlives the lives of a Resolver, and the other end of its mailbox."""

    ledger: SqliteLedger
    reader: SqliteLedgerReader
    record: SqlitePriceRecord
    prices: SqlitePriceReader
    clock: TrioClock = attrs.field(factory=lambda: TrioClock(EPOCH_MS))
    watermark: Watch[Watermark] = attrs.field(factory=lambda: Watch("watermark", Watermark()))
    feed: Watch[FeedStatus] = attrs.field(
        factory=lambda: Watch("feed", attrs.evolve(FEED_UNKNOWN, level=FeedLevel.HEALTHY))
    )
    money: Mailbox[MoneyAsk] = attrs.field(factory=lambda: Mailbox("money", 2, WhenFull.REFUSE))
    status: Watch[ResolverStatus] = attrs.field(factory=lambda: Watch("resolver", ResolverStatus()))
    asked: list[tuple[float, int]] = attrs.field(factory=list)
    """When the Batcher was asked to settle, and which column, by its start."""
    instead: list[Unanswered] = attrs.field(factory=list)
    """What it does with the next ones instead."""
    life: Life = attrs.field(factory=lambda: Life("test/resolver"))

    async def live(self) -> None:
        ports = ResolverPorts(
            watermark=self.watermark,
            feed=self.feed,
            money=self.money,
            status=self.status,
            ledger=self.reader,
            ledger_worker=InlineWorker(),
            prices=self.prices,
            prices_worker=InlineWorker(),
            clock=self.clock,
            settle_delay_ms=SETTLE_DELAY_S * 1000,
        )
        await resolver.run(self.life, ports)

    async def settle(self, life: Life, *, after_s: float) -> None:
        """The Batcher, as far as the Resolver goes."""
        await trio.sleep(after_s)
        async with self.money.reader(life) as reader:
            async for asked in reader:
                if asked.expired():
                    continue
                command = asked.question
                assert isinstance(command, SettleColumn)
                self.asked.append((trio.current_time(), command.key.start_s))
                if self.instead:
                    outcome = self.instead.pop(0)(command)
                else:
                    (outcome,) = self.ledger.apply([command], at_ms=self.clock.now_ms())
                if outcome is not None:
                    asked.answer(outcome)

    @asynccontextmanager
    async def alive(self, *, batcher_after_s: float = 0) -> AsyncIterator[None]:
        """One life, asked to stop at the end of the block and waited for."""
        others = Life("test/batcher")
        with trio.fail_after(1_000):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(partial(self.settle, others, after_s=batcher_after_s))
                async with trio.open_nursery() as own:
                    own.start_soon(self.live)
                    yield
                    self.life.stopping.set()
                others.stopping.set()

    def bet(self, row: int = 1, *, column: int = 0) -> str:
        """A bet of Alice's on that row; columns are counted from the one from 20 to 25."""
        placed = order(row, start_s=START_S + 5 * column)
        self.ledger.apply([placed], at_ms=EPOCH_MS)
        return placed.bet.bet_id

    def order_void(self, *, column: int = 0) -> None:
        """An operator's order to give that column back."""
        command = VoidColumn(start_s=START_S + 5 * column, reason="wrong ticks", by="ann")
        (outcome,) = self.ledger.apply([command], at_ms=self.clock.now_ms())
        assert isinstance(outcome, ColumnVoidOrdered)

    def tick(self, at_s: float, *, price_cents: int = PRICE_CENTS) -> None:
        """A tick that the recorder commits at once."""
        made = tick(EPOCH_MS + round(at_s * 1000), price_cents)
        self.record.append([made], [], alive_ms=made.recv_ms)
        self.watermark.set(Watermark(ts_ms=made.ts_ms))

    async def market(self, *, until_s: float, every_s: float = 0.5) -> None:
        """A tick now and every so often, the last at `until_s`."""
        while trio.current_time() < until_s:
            self.tick(trio.current_time())
            await trio.sleep(every_s)
        self.tick(trio.current_time())

    def set_level(self, level: FeedLevel) -> None:
        """As the HealthMonitor does: the record learns it before anybody else."""
        change = FeedLevelChanged(level=level, at_ms=self.clock.now_ms(), why="test")
        self.record.append([], [change], alive_ms=change.at_ms)
        self.feed.set(attrs.evolve(self.feed.value, level=level))

    def stored(self, bet_id: str) -> Bet:
        bet = self.reader.bet(bet_id)
        assert bet is not None
        return bet

    def verdict(self, bet_id: str) -> tuple[BetStatus, VoidReason | None]:
        """How a bet has ended, and why it is void if it is."""
        settled = self.reader.settled_bet(bet_id)
        assert settled is not None
        return settled.bet.status, settled.evidence.void

    async def wait_settled(self, bet_id: str) -> float:
        """When the bet was settled, on trio's clock."""
        version = self.status.version
        while self.stored(bet_id).status is BetStatus.CONFIRMED:
            version, _ = await self.status.changed(version)
        return trio.current_time()


@pytest.fixture
def bench() -> Iterator[Bench]:
    with quick_folder() as folder:
        file = folder / "ledger.db"
        with (
            closing(SqliteLedger.open(file, caps=HouseCaps(), chance=SeededChance(1))) as ledger,
            closing(SqliteLedgerReader.open(file)) as reader,
            closing(SqlitePriceRecord(folder / "prices")) as record,
            closing(SqlitePriceReader(folder / "prices")) as prices,
        ):
            funds = [deposit("house", 1_000 * STAKE), deposit(ALICE, 100 * STAKE)]
            ledger.apply(funds, at_ms=EPOCH_MS)
            yield Bench(ledger=ledger, reader=reader, record=record, prices=prices)


# --- when ---------------------------------------------------------------------------------------


async def test_a_column_is_settled_when_the_record_is_past_its_end_by_the_delay(
    bench: Bench, autojump_clock: MockClock
) -> None:
    won, lost = bench.bet(1), bench.bet(2)
    async with bench.alive():
        await bench.market(until_s=26.5)
        await trio.sleep(2)
        assert bench.asked == [], "the clock alone says nothing"
        bench.tick(26.999)
        await trio.sleep(1)
        assert bench.asked == []
        bench.tick(27.0)
        await trio.sleep(ROUND_S)
    assert [start_s for _, start_s in bench.asked] == [START_S]
    assert bench.verdict(won) == (BetStatus.WON, None)
    assert bench.verdict(lost) == (BetStatus.LOST, None)


async def test_a_market_ahead_of_the_clock_does_not_wait_for_it(
    bench: Bench, autojump_clock: MockClock
) -> None:
    bet = bench.bet()
    for at_s in range(18, 29):
        bench.tick(at_s)
    async with bench.alive():
        assert await bench.wait_settled(bet) == 0
    assert bench.verdict(bet) == (BetStatus.WON, None)


async def test_without_a_later_tick_it_is_settled_10_s_after_its_end(
    bench: Bench, autojump_clock: MockClock
) -> None:
    bet = bench.bet()
    async with bench.alive():
        await bench.market(until_s=25.5)
        assert await bench.wait_settled(bet) == END_S + 10
    assert bench.verdict(bet) == (BetStatus.WON, None)


async def test_a_silence_of_more_than_10_s_is_void_when_it_is_settled(
    bench: Bench, autojump_clock: MockClock
) -> None:
    bet = bench.bet()
    async with bench.alive():
        await bench.market(until_s=24.5)
        assert await bench.wait_settled(bet) == END_S + 10
    assert bench.verdict(bet) == (BetStatus.VOID, VoidReason.TICK_GAP)


async def test_a_void_column_is_given_back_while_the_feed_is_critical(
    bench: Bench, autojump_clock: MockClock
) -> None:
    bet = bench.bet()
    async with bench.alive():
        await bench.market(until_s=18)
        await trio.sleep_until(28)
        bench.set_level(FeedLevel.CRITICAL)
        assert await bench.wait_settled(bet) == pytest.approx(28.25, abs=ROUND_S)
    assert bench.verdict(bet) == (BetStatus.VOID, VoidReason.TICK_GAP)


async def test_a_window_during_which_the_feed_was_critical_is_void(
    bench: Bench, autojump_clock: MockClock
) -> None:
    bet = bench.bet()
    async with bench.alive():
        await bench.market(until_s=21)
        bench.set_level(FeedLevel.CRITICAL)
        await bench.market(until_s=23)
        bench.set_level(FeedLevel.HEALTHY)
        await bench.market(until_s=28)
        await bench.wait_settled(bet)
    assert bench.verdict(bet) == (BetStatus.VOID, VoidReason.FEED_CRITICAL)


async def test_a_column_that_is_not_void_waits_though_the_feed_is_critical(
    bench: Bench, autojump_clock: MockClock
) -> None:
    bet = bench.bet()
    async with bench.alive():
        await bench.market(until_s=25.5)
        bench.set_level(FeedLevel.CRITICAL)
        assert await bench.wait_settled(bet) == END_S + 10
    assert bench.verdict(bet) == (BetStatus.WON, None)


async def test_a_column_that_nobody_judged_for_60_s_is_void(
    bench: Bench, autojump_clock: MockClock
) -> None:
    in_time, too_late = bench.bet(column=1), bench.bet()
    await bench.market(until_s=85)  # and no Resolver
    async with bench.alive():
        await bench.wait_settled(in_time)
    assert bench.verdict(too_late) == (BetStatus.VOID, VoidReason.NOT_JUDGED_IN_TIME)
    assert bench.verdict(in_time) == (BetStatus.WON, None)


async def test_a_restart_settles_what_the_last_life_left(
    bench: Bench, autojump_clock: MockClock
) -> None:
    first, second = bench.bet(), bench.bet(column=1)
    async with bench.alive():
        await bench.market(until_s=28)
    assert bench.stored(second).status is BetStatus.CONFIRMED
    bench.life = Life("test/resolver")
    async with bench.alive():
        await bench.market(until_s=33)
    assert [bench.stored(bet).status for bet in (first, second)] == [BetStatus.WON] * 2
    assert len(bench.asked) == 2


# --- on an operator's order ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "at_s", [0, 19.9, 22, 25, 26.9], ids=["long before", "before", "in it", "at its end", "waiting"]
)
async def test_a_column_is_given_back_at_once_on_an_operators_order(
    bench: Bench, autojump_clock: MockClock, at_s: float
) -> None:
    bet, same, other = bench.bet(1), bench.bet(2), bench.bet(1, column=1)
    async with bench.alive():
        await bench.market(until_s=at_s)
        bench.order_void()
        assert await bench.wait_settled(bet) <= at_s + 2 * ROUND_S
        assert bench.stored(other).status is BetStatus.CONFIRMED, "the next column goes on"
        await bench.market(until_s=33)
    assert bench.verdict(bet) == bench.verdict(same) == (BetStatus.VOID, VoidReason.OPERATOR)
    assert bench.verdict(other) == (BetStatus.WON, None)
    assert [start_s - START_S for _, start_s in bench.asked] == [0, 5]
    for bet_id in (bet, same):
        settled = bench.reader.settled_bet(bet_id)
        assert settled is not None
        assert bet_faults(claim_of(settled.bet), settled.evidence) == (), "it can be proven"
    assert bench.reader.integrity().clean


async def test_a_column_is_given_back_on_order_also_where_there_was_never_a_price(
    bench: Bench, autojump_clock: MockClock
) -> None:
    bet = bench.bet()
    bench.order_void()
    async with bench.alive():
        assert await bench.wait_settled(bet) == 0
    assert bench.verdict(bet) == (BetStatus.VOID, VoidReason.OPERATOR)
    settled = bench.reader.settled_bet(bet)
    assert settled is not None
    assert bet_faults(claim_of(settled.bet), settled.evidence) == ()


async def test_an_order_that_overtakes_a_verdict_is_carried_out_instead(
    bench: Bench, autojump_clock: MockClock
) -> None:
    def order_first(command: SettleColumn) -> MoneyOutcome:
        bench.order_void()
        (outcome,) = bench.ledger.apply([command], at_ms=bench.clock.now_ms())
        assert isinstance(outcome, ColumnIncomplete)
        return outcome

    bet = bench.bet()
    await bench.market(until_s=28)
    bench.instead = [order_first]
    async with bench.alive():
        await bench.wait_settled(bet)
    assert [at_s for at_s, _ in bench.asked] == [28, 28 + ROUND_S]
    assert bench.verdict(bet) == (BetStatus.VOID, VoidReason.OPERATOR)


async def test_a_column_that_is_given_back_ahead_does_not_count_as_waiting(
    bench: Bench, autojump_clock: MockClock
) -> None:
    bench.bet(column=3)
    bench.order_void(column=3)
    bench.instead = [lambda _: CommandFailed(why="a defect")] * 3
    async with bench.alive():
        await trio.sleep(2 * ROUND_S)
        assert bench.status.value == ResolverStatus()


# --- in which order -----------------------------------------------------------------------------


async def test_the_oldest_column_is_settled_first(bench: Bench, autojump_clock: MockClock) -> None:
    for column in (2, 0, 3, 1):
        bench.bet(column=column)
    await bench.market(until_s=50)
    async with bench.alive():
        await trio.sleep(1)
    assert [start_s - START_S for _, start_s in bench.asked] == [0, 5, 10, 15]


async def test_asked_to_stop_it_finishes_the_column_in_hand_and_no_other(
    bench: Bench, autojump_clock: MockClock
) -> None:
    first, second = bench.bet(), bench.bet(column=1)
    await bench.market(until_s=40)

    def stop_first(command: SettleColumn) -> MoneyOutcome:
        bench.life.stopping.set()
        (outcome,) = bench.ledger.apply([command], at_ms=bench.clock.now_ms())
        return outcome

    bench.instead = [stop_first]
    async with bench.alive():
        await wait_all_tasks_blocked()
    assert bench.stored(first).status is BetStatus.WON
    assert bench.stored(second).status is BetStatus.CONFIRMED
    assert bench.status.value.columns_settled == 1, "the answer was waited for"
    assert trio.current_time() == 40, "and nothing else was"


# --- when it can't be settled -------------------------------------------------------------------


async def test_an_incomplete_column_is_asked_for_again_with_what_is_open_then(
    bench: Bench, autojump_clock: MockClock
) -> None:
    late: list[str] = []

    def one_more_bet(command: SettleColumn) -> MoneyOutcome:
        late.append(bench.bet(2))
        (outcome,) = bench.ledger.apply([command], at_ms=bench.clock.now_ms())
        assert isinstance(outcome, ColumnIncomplete)
        return outcome

    bet = bench.bet(1)
    await bench.market(until_s=28)
    bench.instead = [one_more_bet]
    async with bench.alive():
        await bench.wait_settled(bet)
    assert [at_s for at_s, _ in bench.asked] == [28, 28 + ROUND_S]
    assert bench.stored(bet).status is BetStatus.WON
    assert bench.stored(late[0]).status is BetStatus.LOST


async def test_an_answer_that_does_not_come_is_asked_for_again(
    bench: Bench, autojump_clock: MockClock
) -> None:
    bet = bench.bet()
    await bench.market(until_s=28)
    bench.instead = [lambda command: None]
    async with bench.alive():
        await bench.wait_settled(bet)
    assert [at_s for at_s, _ in bench.asked] == [28, 28 + SETTLE_WITHIN_S + ROUND_S]
    assert bench.verdict(bet) == (BetStatus.WON, None)


async def test_a_column_that_was_settled_without_an_answer_is_not_asked_for_again(
    bench: Bench, autojump_clock: MockClock
) -> None:
    def settle_silently(command: SettleColumn) -> None:
        bench.ledger.apply([command], at_ms=bench.clock.now_ms())

    bet = bench.bet()
    await bench.market(until_s=28)
    bench.instead = [settle_silently]
    async with bench.alive():
        await trio.sleep(30)
    assert len(bench.asked) == 1
    assert bench.verdict(bet) == (BetStatus.WON, None)


async def test_a_full_mailbox_is_tried_again_in_the_next_round(
    bench: Bench, autojump_clock: MockClock
) -> None:
    bet = bench.bet()
    await bench.market(until_s=28)
    while bench.money.offer(Ask(OpenAccount(wallet=ALICE), trio.current_time() + 0.1)):
        pass
    async with bench.alive(batcher_after_s=0.9):
        settled_s = await bench.wait_settled(bet)
    assert bench.money.statistics().refused == 1 + 4, "ours, and those at 28, 28.25, 28.5, 28.75"
    assert settled_s == 29


async def test_one_column_that_fails_does_not_hold_up_the_next(
    bench: Bench, autojump_clock: MockClock
) -> None:
    first, second = bench.bet(), bench.bet(column=1)
    await bench.market(until_s=40)
    bench.instead = [lambda _: CommandFailed(why="a defect")] * 2
    async with bench.alive():
        await bench.wait_settled(first)
    settled = [start_s - START_S for _, start_s in bench.asked]
    assert settled == [0, 5, 0, 5]
    assert bench.stored(second).status is BetStatus.WON


async def test_a_full_disk_is_tried_again_now_and_then_and_not_column_by_column(
    bench: Bench, autojump_clock: MockClock
) -> None:
    first, second = bench.bet(), bench.bet(column=1)
    await bench.market(until_s=40)
    bench.instead = [lambda _: Refusal(Code.DISK_FULL)] * 2
    async with bench.alive():
        await bench.wait_settled(first)
        await bench.wait_settled(second)
    asked = [(at_s - 40, start_s - START_S) for at_s, start_s in bench.asked]
    assert asked == [(0, 0), (DISK_FULL_PAUSE_S, 0), (10, 0), (10, 5)]


# --- what it shows ------------------------------------------------------------------------------


async def test_it_counts_what_it_settled(bench: Bench, autojump_clock: MockClock) -> None:
    for row in (1, 2, 3):
        bench.bet(row)
    void = bench.bet(column=2)
    async with bench.alive():
        await bench.market(until_s=31)
        await trio.sleep_until(42)
        bench.set_level(FeedLevel.CRITICAL)
        await bench.wait_settled(void)
        await trio.sleep(2 * ROUND_S)  # the next round sees that nothing waits any more
    assert bench.status.value == ResolverStatus(
        columns_settled=2, bets_won=1, bets_lost=2, bets_void=1
    )


async def test_it_shows_what_waits_for_its_verdict(bench: Bench, autojump_clock: MockClock) -> None:
    bench.bet(), bench.bet(column=1), bench.bet(column=2)
    async with bench.alive():
        await bench.market(until_s=24.9)
        assert bench.status.value == ResolverStatus(), "what is still running does not wait"
        await trio.sleep_until(30.5)
        assert bench.status.value == ResolverStatus(
            open_columns=2, oldest_open_end_ms=EPOCH_MS + END_S * 1000
        )
        for at_s in range(26, 45):
            bench.tick(at_s)
        await trio.sleep(1)
        assert bench.status.value.open_columns == 0
        assert bench.status.value.oldest_open_end_ms is None
    assert bench.status.value.columns_settled == 3
