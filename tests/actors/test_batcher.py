"""The Batcher: when a batch is committed, by which time it is judged, and who is told what, when.

Real ledger, real channels, virtual time. What a crash must not cost is tried on both sides of the
COMMIT.
"""

import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import TypeVar

import attrs
import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors import batcher
from actors.batcher import BatcherPorts, MoneyAsk
from db.sqlite_ledger import LedgerBroken, SqliteLedger
from db.sqlite_ledger_reader import SqliteLedgerReader
from db.weekly_ledger import WeeklyLedger
from db.weekly_reader import WeeklyReader
from domain.batching import BatchRule
from domain.caps import HouseCaps
from domain.grid import Cell, Grid
from domain.placement import Rules
from domain.quotes import Quote, QuoteBook
from domain.refusals import Code, Refusal
from domain.units import MICROS_PER_USD
from protocols.account_commands import SetFrozen
from protocols.market import FEED_UNKNOWN, FeedLevel, FeedStatus, Hold
from protocols.money import (
    AccountOpened,
    BetConfirmed,
    BetRefused,
    BetResolved,
    BetStatus,
    ColumnSettled,
    CommandFailed,
    Deposited,
    EventsLost,
    HoldSet,
    LedgerCommand,
    MoneyCommand,
    MoneyOutcome,
    OpenAccount,
    PlaceBet,
    QuoteNumbersReserved,
    RebuildBalance,
    ReserveQuoteNumbers,
    SetHold,
    StreamEntry,
    WriterStatus,
)
from protocols.ports import Recovered
from protocols.upkeep import DiskStatus
from supervisor import (
    Ask,
    Life,
    Mailbox,
    RefusedBecause,
    SeededChance,
    StatusUnknown,
    Subscription,
    Topic,
    TrioClock,
    Watch,
    WhenFull,
)
from supervisor.worker import InlineWorker
from tests.support.ledgers import ALICE, BOB, START_S, deposit, order, settle
from tests.support.quick_folder import quick_folder

T = TypeVar("T")

USD = MICROS_PER_USD
EPOCH_MS = START_S * 1000 - 20_000
"""Twenty seconds before the column that most bets are on."""
GRID = Grid(rows=40)
RATE_BPS = 20_000
COMMANDS_MAX, LINGER_MS = 100, 5


class Crash(Exception):
    """A life of the Batcher ends here."""


@attrs.define
class SteppedClock:
    """The venue's clock: trio's, and stepped as machines do. Counts how often it is read."""

    step_ms: int = 0
    readings: int = 0
    _trio: TrioClock = attrs.field(factory=lambda: TrioClock(EPOCH_MS))

    def now_ms(self) -> int:
        self.readings += 1
        return self._trio.now_ms() + self.step_ms


@attrs.define
class WatchedLedger:
    """The real ledger, and what a test does just before and just after its COMMIT."""

    real: SqliteLedger | WeeklyLedger
    before: Callable[[], None] = lambda: None
    after: Callable[[], None] = lambda: None
    batches: list[tuple[float, int, int]] = attrs.field(factory=list)
    """Of each: trio's time, how many commands, and the time they were judged at."""

    def recover(self) -> Recovered:
        return self.real.recover()

    def partition(self) -> str:
        return self.real.partition()

    def rotation_failure(self) -> str:
        return self.real.rotation_failure()

    def apply(self, commands: Sequence[LedgerCommand], *, at_ms: int) -> Sequence[MoneyOutcome]:
        self.batches.append((trio.current_time(), len(commands), at_ms))
        self.before()
        outcomes = self.real.apply(commands, at_ms=at_ms)
        self.after()
        return outcomes

    def sizes(self) -> list[int]:
        return [commands for _, commands, _ in self.batches]


@attrs.define
class SlowWorker(InlineWorker):
    """A disk that takes its time, in virtual seconds."""

    took_s: float = 0.0

    async def run(self, call: Callable[[], T]) -> T:
        result = await super().run(call)
        await trio.sleep(self.took_s)
        return result


@attrs.define(kw_only=True)
class Bench:
    """What outlives the lives of a Batcher."""

    file: Path
    ledger: WatchedLedger
    reader: SqliteLedgerReader | WeeklyReader
    commands: Mailbox[MoneyAsk] = attrs.field(
        factory=lambda: Mailbox("money", 1_000, WhenFull.REFUSE)
    )
    topic: Topic[StreamEntry] = attrs.field(factory=lambda: Topic("user_events"))
    feed: Watch[FeedStatus] = attrs.field(
        factory=lambda: Watch("feed", attrs.evolve(FEED_UNKNOWN, level=FeedLevel.HEALTHY))
    )
    hold: Watch[Hold] = attrs.field(factory=lambda: Watch("hold", Hold()))
    disk: Watch[DiskStatus] = attrs.field(factory=lambda: Watch("disk", DiskStatus()))
    book: Watch[QuoteBook] = attrs.field(factory=lambda: Watch("book", QuoteBook()))
    writer: Watch[WriterStatus] = attrs.field(factory=lambda: Watch("writer", WriterStatus()))
    worker: SlowWorker = attrs.field(factory=SlowWorker)
    clock: SteppedClock = attrs.field(factory=SteppedClock)
    rules: Rules = attrs.field(factory=lambda: Rules(grid=GRID))
    bets: int = 0

    async def live(self, life: Life) -> None:
        ports = BatcherPorts(
            commands=self.commands,
            events=self.topic,
            feed=self.feed,
            hold=self.hold,
            disk=self.disk,
            book=self.book,
            writer=self.writer,
            ledger=self.ledger,
            worker=self.worker,
            clock=self.clock,
            rules=self.rules,
            batch=BatchRule(commands_max=COMMANDS_MAX, linger_ms=LINGER_MS),
        )
        await batcher.run(life, ports)

    @asynccontextmanager
    async def alive(self) -> AsyncIterator[Life]:
        """One life, asked to stop at the end of the block and waited for."""
        life = Life("test/batcher")
        with trio.fail_after(1_000):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self.live, life)
                await wait_all_tasks_blocked()
                yield life
                life.stopping.set()

    async def crash(self) -> None:
        """One life that ends by the crash that the test has laid."""
        with pytest.raises(Crash), trio.fail_after(1_000):
            await self.live(Life("test/batcher"))
        self.ledger.before = self.ledger.after = lambda: None

    def send(self, command: MoneyCommand, *, within_s: float = 60) -> MoneyAsk:
        """A command into the mailbox, as `ask` puts it there."""
        asked: MoneyAsk = Ask(command, trio.current_time() + within_s)
        assert self.commands.offer(asked)
        return asked

    async def order(self, command: MoneyCommand) -> MoneyOutcome | StatusUnknown:
        return await self.send(command).wait_answer()

    def quote(self, at_ms: int = EPOCH_MS, *, rate_bps: int = RATE_BPS) -> None:
        """Publish a quote with one rate for all cells, made at that time."""
        first_s = GRID.placeable_starts_s(at_ms)[0]
        quote = Quote(
            n=7,
            published_at_ms=at_ms,
            price_cents=20_000,
            column_s=GRID.column_s,
            row_cents=GRID.row_cents,
            first_column_s=first_s,
            lowest_row_cents=0,
            rates=((rate_bps,) * GRID.rows,) * GRID.horizon_columns,
        )
        self.book.set(QuoteBook(quotes=(quote,)))

    def bet(self, row: int = 0, *, start_s: int = START_S, wallet: str = ALICE) -> PlaceBet:
        """A good bet with an id and a nonce of its own."""
        self.bets += 1
        lo_cents = row * GRID.row_cents
        return PlaceBet(
            bet_id=f"bet-{self.bets}",
            wallet=wallet,
            nonce=f"nonce-{self.bets}",
            cell=Cell(
                column_start_s=start_s, lo_cents=lo_cents, hi_cents=lo_cents + GRID.row_cents
            ),
            stake_micros=USD,
        )

    def subscribe(self) -> Subscription[StreamEntry]:
        return self.topic.subscribe("test", 100, WhenFull.WAIT)

    def balance(self, wallet: str = ALICE) -> int:
        account = self.reader.account(wallet)
        assert account is not None
        return account.balance_micros

    def sql(self, statement: str) -> None:
        """Change the file behind the ledger's back."""
        with closing(sqlite3.connect(self.file)) as connection, connection:
            connection.execute(statement)


@pytest.fixture
def bench() -> Iterator[Bench]:
    with open_bench() as made:
        yield made


@contextmanager
def open_bench(*, house_micros: int = 1_000_000 * USD) -> Iterator[Bench]:
    """A house with money, Alice with 100 USD, a quote and a healthy feed."""
    with quick_folder() as folder:
        file = folder / "ledger.db"
        with (
            closing(SqliteLedger.open(file, caps=HouseCaps(), chance=SeededChance(1))) as ledger,
            closing(SqliteLedgerReader.open(file)) as reader,
        ):
            ledger.apply(
                [deposit("house", house_micros), deposit(ALICE, 100 * USD)], at_ms=EPOCH_MS
            )
            made = Bench(file=file, ledger=WatchedLedger(ledger), reader=reader)
            made.quote()
            yield made


def confirmed(outcome: object) -> BetConfirmed:
    assert isinstance(outcome, BetConfirmed), outcome
    return outcome


def refusal(outcome: object) -> Refusal:
    assert isinstance(outcome, BetRefused), outcome
    return outcome.refusal


# --- when a batch is committed ----------------------------------------------------------------


async def test_a_batch_is_committed_as_soon_as_it_is_full(
    bench: Bench, autojump_clock: MockClock
) -> None:
    async with bench.alive():
        asked = [bench.send(OpenAccount(wallet=f"0x{n:040x}")) for n in range(250)]
        for one in asked:
            assert isinstance(await one.wait_answer(), AccountOpened)
    times = [round(at_s, 6) for at_s, _, _ in bench.ledger.batches]
    assert bench.ledger.sizes() == [100, 100, 50]
    assert times == [0, 0, LINGER_MS / 1000]


async def test_a_batch_waits_for_company_as_long_as_its_oldest_may_linger(
    bench: Bench, autojump_clock: MockClock
) -> None:
    async with bench.alive():
        for _ in range(3):
            bench.send(OpenAccount(wallet=ALICE))
            await trio.sleep(0.003)
    times = [round(at_s, 6) for at_s, _, _ in bench.ledger.batches]
    assert bench.ledger.sizes() == [2, 1]
    assert times == [0.005, 0.009], "the last was cut short by the stop"


async def test_the_next_batch_gathers_while_one_is_flushed(
    bench: Bench, autojump_clock: MockClock
) -> None:
    bench.worker.took_s = 0.050
    async with bench.alive():
        await trio.sleep(0.050)  # the recovery
        bench.send(OpenAccount(wallet=ALICE))
        for _ in range(30):
            await trio.sleep(0.001)
            bench.send(OpenAccount(wallet=ALICE))
        await trio.sleep(0.2)
    assert bench.ledger.sizes() == [1 + 4, 26]


async def test_who_waited_for_a_flush_has_lingered_enough(
    bench: Bench, autojump_clock: MockClock
) -> None:
    bench.worker.took_s = 0.050
    async with bench.alive():
        await trio.sleep(0.050)  # the recovery
        bench.send(OpenAccount(wallet=ALICE))
        await trio.sleep(0.010)
        bench.send(OpenAccount(wallet=ALICE))
        await trio.sleep(0.2)
    times = [round(at_s, 6) for at_s, _, _ in bench.ledger.batches]
    assert times == [0.055, 0.105], "the second is committed when the first is through"


async def test_the_writers_state_is_shown(bench: Bench, autojump_clock: MockClock) -> None:
    bench.worker.took_s = 0.025
    async with bench.alive():
        await trio.sleep(0.1)
        assert bench.writer.value.synchronous == 2, "FULL"
        asked = [bench.send(bench.bet(row)) for row in range(3)]
        for one in asked:
            await one.wait_answer()
    assert bench.writer.value == WriterStatus(
        batches=1,
        commands=3,
        last_batch=3,
        last_commit_ms=25.0,
        high_ms=EPOCH_MS + 105,
        synchronous=2,
    )


# --- the time that a batch is judged by -------------------------------------------------------


async def test_a_transaction_has_one_clock_reading(bench: Bench, autojump_clock: MockClock) -> None:
    async with bench.alive():
        asked = [bench.send(bench.bet(row)) for row in range(10)]
        placed = {confirmed(await one.wait_answer()).placed_at_ms for one in asked}
    assert placed == {EPOCH_MS + LINGER_MS}
    assert bench.clock.readings == 1


async def test_a_clock_that_is_stepped_back_opens_no_column_again(
    bench: Bench, autojump_clock: MockClock
) -> None:
    async with bench.alive():
        await trio.sleep(15)
        bench.quote(EPOCH_MS + 15_000)
        late = refusal(await bench.order(bench.bet()))
        last = confirmed(await bench.order(bench.bet(start_s=START_S + 5)))
        bench.clock.step_ms = -15_000
        again = refusal(await bench.order(bench.bet()))
        next_one = confirmed(await bench.order(bench.bet(1, start_s=START_S + 5)))
    assert late == again == Refusal(Code.CELL_UNAVAILABLE, "This column can't be tapped now.")
    assert next_one.placed_at_ms == last.placed_at_ms


async def test_the_next_life_goes_on_where_the_last_one_was(
    bench: Bench, autojump_clock: MockClock
) -> None:
    async with bench.alive():
        await trio.sleep(15)
        bench.quote(EPOCH_MS + 15_000)
        last = confirmed(await bench.order(bench.bet(start_s=START_S + 5)))
    bench.clock.step_ms = -15_000
    async with bench.alive():
        again = refusal(await bench.order(bench.bet()))
        next_one = confirmed(await bench.order(bench.bet(1, start_s=START_S + 5)))
    assert again == Refusal(Code.CELL_UNAVAILABLE, "This column can't be tapped now.")
    assert next_one.placed_at_ms == last.placed_at_ms


async def test_the_next_life_goes_on_from_a_time_that_the_ledger_does_not_tell(
    bench: Bench, autojump_clock: MockClock
) -> None:
    """An account that is unfrozen leaves no row with the time in it."""
    async with bench.alive():
        await trio.sleep(15)
        await bench.order(SetFrozen(wallet=ALICE, frozen=False, reason="over", by="ops"))
    bench.clock.step_ms = -15_000
    bench.quote(EPOCH_MS + 15_000)
    async with bench.alive():
        placed = confirmed(await bench.order(bench.bet(start_s=START_S + 5)))
    assert placed.placed_at_ms >= EPOCH_MS + 15_000


async def test_a_tick_ahead_of_the_clock_closes_its_column(
    bench: Bench, autojump_clock: MockClock
) -> None:
    tick_ms = EPOCH_MS + 15_000
    bench.feed.set(attrs.evolve(bench.feed.value, last_tick_ms=tick_ms))
    bench.quote(tick_ms)
    async with bench.alive():
        assert refusal(await bench.order(bench.bet())).code is Code.CELL_UNAVAILABLE
        placed = confirmed(await bench.order(bench.bet(start_s=START_S + 5)))
    assert placed.placed_at_ms == tick_ms


# --- what nobody waits for any more -----------------------------------------------------------


async def test_a_command_whose_asker_has_gone_is_not_written(
    bench: Bench, autojump_clock: MockClock
) -> None:
    async with bench.alive():
        gone, stays = bench.bet(0), bench.bet(1)
        expired = bench.send(gone, within_s=0.004)
        answered = bench.send(stays, within_s=0.006)
        assert await expired.wait_answer() == StatusUnknown()
        confirmed(await answered.wait_answer())
    assert bench.reader.bet(gone.bet_id) is None
    assert bench.balance() == 99 * USD
    assert bench.writer.value.expired == 1
    assert bench.ledger.sizes() == [1]


async def test_a_batch_of_expired_commands_is_no_transaction(
    bench: Bench, autojump_clock: MockClock
) -> None:
    async with bench.alive():
        bench.send(bench.bet(), within_s=0.001)
        await trio.sleep(0.1)
        assert bench.commands.statistics().handled == 1
    assert bench.ledger.batches == []
    assert bench.writer.value.expired > 0, "they are counted all the same"


# --- refusals ---------------------------------------------------------------------------------


async def test_of_all_that_is_wrong_with_a_bet_the_first_rule_refuses(
    autojump_clock: MockClock,
) -> None:
    """A bet with every flaw there is; after each refusal that flaw, and no other, is mended."""
    with open_bench(house_micros=2 * USD) as bench:
        bench.rules = attrs.evolve(bench.rules, caps=HouseCaps(payout_per_bet_micros=40 * USD))
        async with bench.alive():
            await bench.order(deposit(BOB, 2 * USD))
            used, taken = bench.bet(9, wallet=BOB), bench.bet(3, wallet=BOB)
            for earlier in (used, taken):
                confirmed(await bench.order(earlier))
            await bench.order(settle(lost=[3, 9]))
            bench.sql(f"UPDATE users SET frozen = 1 WHERE wallet_address = '{BOB}'")
            bench.feed.set(attrs.evolve(bench.feed.value, level=FeedLevel.CRITICAL))
            bench.hold.set(Hold(held=True))
            bench.book.set(QuoteBook())
            off_grid = Cell(column_start_s=START_S - 15, lo_cents=1, hi_cents=2)
            bet = attrs.evolve(used, bet_id="flawed", cell=off_grid, stake_micros=1, least_bps=1)

            await refused(bench, bet, Code.REPLAY_DETECTED)
            bet = attrs.evolve(bet, nonce="of its own", wallet="0x" + "cc" * 20)
            await refused(bench, bet, Code.PRICE_FEED_STALE)
            bench.feed.set(attrs.evolve(bench.feed.value, level=FeedLevel.HEALTHY))
            await refused(bench, bet, Code.HELD)
            bench.hold.set(Hold())
            await refused(bench, bet, Code.CELL_UNAVAILABLE, "This cell is not on the grid.")
            bet = attrs.evolve(bet, cell=attrs.evolve(taken.cell, column_start_s=START_S - 15))
            await refused(bench, bet, Code.CELL_UNAVAILABLE, "This column can't be tapped now.")
            bet = attrs.evolve(bet, cell=taken.cell)
            await refused(bench, bet, Code.BAD_STAKE)
            bet = attrs.evolve(bet, stake_micros=25 * USD)
            await refused(bench, bet, Code.PRICE_FEED_STALE, "There is no live quote now.")
            bench.quote(rate_bps=0)
            await refused(bench, bet, Code.CELL_UNAVAILABLE, "This cell is not offered now.")
            bench.quote(rate_bps=20_000)
            bet = attrs.evolve(bet, least_bps=20_001)
            await refused(bench, bet, Code.QUOTE_EXPIRED)
            bet = attrs.evolve(bet, least_bps=15_000)
            await refused(bench, bet, Code.EXPOSURE_LIMIT)
            bench.quote(rate_bps=15_600)
            await refused(bench, bet, Code.INSUFFICIENT_FUNDS)
            bet = attrs.evolve(bet, wallet=BOB)
            await refused(bench, bet, Code.CELL_TAKEN)
            bet = attrs.evolve(bet, cell=bench.bet(4).cell)
            await refused(bench, bet, Code.CELL_UNAVAILABLE, "This column has its verdict.")
            bet = attrs.evolve(bet, cell=bench.bet(4, start_s=START_S + 5).cell)
            await refused(bench, bet, Code.FROZEN)
            bench.sql(f"UPDATE users SET frozen = 0 WHERE wallet_address = '{BOB}'")
            await refused(bench, bet, Code.INSUFFICIENT_FUNDS)
            await bench.order(deposit(BOB, 100 * USD))
            bet = attrs.evolve(bet, bet_id="second", nonce="another")
            await refused(bench, bet, Code.EXPOSURE_LIMIT)
            assert bench.balance(BOB) == 100 * USD, "no refusal has taken anything"
            await bench.order(deposit("house", USD * 100))
            confirmed(await bench.order(bet))
        assert bench.reader.integrity().clean


async def refused(bench: Bench, bet: PlaceBet, code: Code, message: str = "") -> None:
    """The bet is refused with that code."""
    found = refusal(await bench.order(bet))
    assert (found.code, found.message) == (code, message)


async def test_one_bad_command_fails_alone(bench: Bench, autojump_clock: MockClock) -> None:
    async with bench.alive():
        asked = [
            bench.send(bench.bet(1)),
            bench.send(attrs.evolve(bench.bet(2), nonce="")),
            bench.send(bench.bet(3)),
            bench.send(ReserveQuoteNumbers(count=0)),
            bench.send(ReserveQuoteNumbers(count=10)),
        ]
        outcomes = [await one.wait_answer() for one in asked]
    kinds = [type(outcome) for outcome in outcomes]
    assert kinds == [
        BetConfirmed,
        CommandFailed,
        BetConfirmed,
        CommandFailed,
        QuoteNumbersReserved,
    ]
    assert bench.ledger.sizes() == [5]
    assert bench.balance() == 98 * USD


# --- answers and events -----------------------------------------------------------------------


async def test_nobody_is_told_anything_before_the_commit(
    bench: Bench, autojump_clock: MockClock
) -> None:
    events, told = bench.subscribe(), list[object]()
    async with bench.alive():
        asked = [bench.send(bench.bet(1)), bench.send(SetHold(held=True, by="ops", why="test"))]

        def look() -> None:
            told.append([one.answered() for one in asked])
            told.append(events.receive_nowait())
            told.append(bench.hold.value.held)

        bench.ledger.after = look
        confirmed(await asked[0].wait_answer())
        assert bench.reader.bet("bet-1") is not None
    assert told == [[False, False], None, False]
    assert events.receive_nowait() is not None
    assert bench.hold.value == Hold(held=True, by="ops", why="test")


async def test_events_come_in_order_and_only_those_that_are_numbered(
    bench: Bench, autojump_clock: MockClock
) -> None:
    events, topped_up = bench.subscribe(), deposit(ALICE, 5 * USD)
    async with bench.alive():
        asked = [
            bench.send(command)
            for command in (
                bench.bet(1),
                bench.bet(1),  # the cell is taken: nothing is written, so it has no number
                topped_up,
                topped_up,  # repeated
                attrs.evolve(bench.bet(2), stake_micros=100 * USD),
                attrs.evolve(bench.bet(3), stake_micros=100 * USD),  # the money lacks
                OpenAccount(wallet=BOB),
                settle(won=[1], lost=[2]),
            )
        ]
        for one in asked:
            await one.wait_answer()
    seen = []
    while (event := events.receive_nowait()) is not None:
        seen.append(event)
    assert [type(event) for event in seen] == [
        BetConfirmed,
        Deposited,
        BetConfirmed,
        BetRefused,
        BetResolved,
        BetResolved,
    ]
    assert [event.seq for event in seen] == [2, 3, 4, 5, 6, 7]
    assert bench.ledger.sizes() == [8]


async def test_a_rebuilt_balance_has_streams_resume_and_one_that_was_right_has_not(
    bench: Bench, autojump_clock: MockClock
) -> None:
    events, command = bench.subscribe(), RebuildBalance(wallet=ALICE, by="ann", why="drill")
    async with bench.alive():
        await bench.order(command)
        assert events.receive_nowait() is None
        bench.sql("UPDATE users SET balance = balance + 1 WHERE id > 2")
        await bench.order(command)
        assert isinstance(events.receive_nowait(), EventsLost)


async def test_a_hold_closes_betting_until_it_is_released(
    bench: Bench, autojump_clock: MockClock
) -> None:
    async with bench.alive():
        assert await bench.order(SetHold(held=True, by="ops", why="test")) == HoldSet(held=True)
        assert refusal(await bench.order(bench.bet())).code is Code.HELD
        await bench.order(SetHold(held=False, by="ops", why=""))
        confirmed(await bench.order(bench.bet()))


# --- stopping ---------------------------------------------------------------------------------


async def test_a_stop_empties_the_mailbox_and_answers_all(
    bench: Bench, autojump_clock: MockClock
) -> None:
    bench.worker.took_s = 0.010
    async with bench.alive() as life:
        await trio.sleep(0.010)  # the recovery
        asked = [bench.send(OpenAccount(wallet=f"0x{n:040x}")) for n in range(250)]
        life.stopping.set()
        late: MoneyAsk = Ask(OpenAccount(wallet=ALICE), trio.current_time() + 1)
        assert bench.commands.try_send(late) is RefusedBecause.CLOSED
    assert all(one.answered() for one in asked)
    assert bench.ledger.sizes() == [100, 100, 50]
    assert trio.current_time() == pytest.approx(0.040), "the last batch does not linger"


# --- crashes ----------------------------------------------------------------------------------


def crash() -> None:
    raise Crash


@pytest.mark.parametrize("is_committed", [False, True], ids=["before COMMIT", "after COMMIT"])
async def test_a_crash_in_a_flush_is_settled_by_the_next_life(
    bench: Bench, autojump_clock: MockClock, is_committed: bool
) -> None:
    bets, topped_up = [bench.bet(row) for row in range(3)], deposit(ALICE, 5 * USD)
    asked = [bench.send(bet) for bet in bets]
    credited = bench.send(topped_up)
    if is_committed:
        bench.ledger.after = crash
    else:
        bench.ledger.before = crash
    await bench.crash()
    assert not any(one.answered() for one in (*asked, credited))

    began_s = trio.current_time()
    async with bench.alive():
        waiting = bench.send(bench.bet(9))
        outcomes = [await one.wait_answer() for one in asked]
        given = await credited.wait_answer()
        assert trio.current_time() == began_s, "what was in hand does not linger again"
        confirmed(await waiting.wait_answer())
    if is_committed:
        assert outcomes == [StatusUnknown()] * 3
    else:
        assert [confirmed(one).bet_id for one in outcomes] == [bet.bet_id for bet in bets]
    assert isinstance(given, Deposited)
    assert given.repeated is is_committed
    assert all(bench.reader.bet(bet.bet_id) for bet in bets)
    assert bench.balance() == (100 + 5 - 3 - 1) * USD
    assert bench.reader.integrity().clean


@pytest.mark.parametrize("is_committed", [False, True], ids=["before COMMIT", "after COMMIT"])
async def test_a_column_whose_settlement_crashed_is_paid_once(
    bench: Bench, autojump_clock: MockClock, is_committed: bool
) -> None:
    placed = order(1)
    bench.ledger.real.apply([placed], at_ms=EPOCH_MS)
    settled = bench.send(settle(won=[1]))
    if is_committed:
        bench.ledger.after = crash
    else:
        bench.ledger.before = crash
    await bench.crash()
    async with bench.alive():
        outcome = await settled.wait_answer()
    assert isinstance(outcome, ColumnSettled)
    assert len(outcome.resolved) == (0 if is_committed else 1)
    stored = bench.reader.bet(placed.bet.bet_id)
    assert stored is not None
    assert stored.status is BetStatus.WON
    assert bench.balance() == 101 * USD


async def test_after_a_crash_streams_are_told_that_events_may_be_missing(
    bench: Bench, autojump_clock: MockClock
) -> None:
    """Between COMMIT and its event a life can end: the trader would wait for ever."""
    events = bench.subscribe()
    bench.send(bench.bet(0))
    bench.ledger.after = crash
    await bench.crash()
    bench.send(bench.bet(1))
    async with bench.alive():
        assert isinstance(await events.receive(), EventsLost)
        assert isinstance(await events.receive(), BetConfirmed)


async def test_streams_are_told_so_before_anything_newer(
    bench: Bench, autojump_clock: MockClock
) -> None:
    """What was refused and never answered is judged again, and may have an event of its own."""
    events, too_far = bench.subscribe(), bench.bet(1, start_s=START_S + 50)
    asked = [bench.send(bet) for bet in (bench.bet(0), too_far)]
    bench.ledger.after = crash
    await bench.crash()
    await trio.sleep(5)
    bench.quote(EPOCH_MS + 6_000)
    async with bench.alive():
        assert await asked[0].wait_answer() == StatusUnknown()
        placed = confirmed(await asked[1].wait_answer())
        assert isinstance(await events.receive(), EventsLost)
        assert await events.receive() == placed
    assert placed.seq == 3, "that of the first bet was never told"


async def test_a_life_that_ends_before_all_streams_are_told_leaves_it_to_the_next(
    bench: Bench, autojump_clock: MockClock
) -> None:
    slow = bench.topic.subscribe("slow", 1, WhenFull.WAIT)
    bench.send(bench.bet(0))
    with trio.move_on_after(1):
        await bench.live(Life("test/batcher"))
    asked = bench.send(bench.bet(1))
    bench.ledger.after = crash
    await bench.crash()
    with trio.move_on_after(1):
        await bench.live(Life("test/batcher"))
    assert isinstance(slow.receive_nowait(), BetConfirmed), "it had no room for more"
    assert slow.receive_nowait() is None
    async with bench.alive():
        assert await asked.wait_answer() == StatusUnknown()
        assert isinstance(await slow.receive(), EventsLost)


async def test_a_life_that_finds_nothing_in_hand_loses_no_events(
    bench: Bench, autojump_clock: MockClock
) -> None:
    events = bench.subscribe()
    async with bench.alive():
        confirmed(await bench.order(bench.bet()))
        assert isinstance(await events.receive(), BetConfirmed)


async def test_crash_upon_crash_loses_nothing_that_was_in_hand(
    bench: Bench, autojump_clock: MockClock
) -> None:
    bet = bench.bet()
    asked = bench.send(bet)
    for _ in range(3):
        bench.ledger.before = crash
        await bench.crash()
    async with bench.alive():
        assert confirmed(await asked.wait_answer()).bet_id == bet.bet_id
    assert bench.balance() == 99 * USD


async def test_a_life_that_ends_while_it_tells_events_has_answered_for_good(
    bench: Bench, autojump_clock: MockClock
) -> None:
    """The answers are out, the events wait for a slow reader, and the life is cut off."""
    slow = bench.topic.subscribe("slow", 1, WhenFull.WAIT)
    asked = [bench.send(bench.bet(row)) for row in range(3)]
    with trio.move_on_after(1):
        await bench.live(Life("test/batcher"))
    slow.close()
    for one in asked:
        confirmed(await one.wait_answer())
    async with bench.alive():
        confirmed(await bench.order(bench.bet(9)))
    assert bench.balance() == 96 * USD
    assert bench.ledger.sizes() == [3, 1], "they were not judged again"


# --- a new life -------------------------------------------------------------------------------


async def test_a_new_life_finds_betting_held_as_it_was(
    bench: Bench, autojump_clock: MockClock
) -> None:
    async with bench.alive():
        await bench.order(SetHold(held=True, by="ops", why="drift"))
    bench.hold = Watch("hold", Hold())
    async with bench.alive():
        assert refusal(await bench.order(bench.bet())).code is Code.HELD
        assert bench.hold.value == Hold(held=True, by="ops", why="drift")


async def test_nothing_is_served_on_money_that_does_not_add_up(
    bench: Bench, autojump_clock: MockClock
) -> None:
    bench.sql(f"UPDATE users SET balance = balance + 1 WHERE wallet_address = '{ALICE}'")
    waiting, life = bench.send(bench.bet()), Life("test/batcher")
    with pytest.raises(LedgerBroken, match="balance"):
        await bench.live(life)
    assert not life.is_ready()
    assert not waiting.answered()
    assert bench.ledger.batches == []
