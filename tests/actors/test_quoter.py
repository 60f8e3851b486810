"""The Quoter: four quotes a second at most, one at least, and none that should not be."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager

import attrs
import pytest
import trio
import trio.testing

from actors import quoter
from actors.quoter import QuoterSettings
from db.sqlite_prices import SqlitePriceReader, SqlitePriceRecord
from domain.caps import HouseCaps
from domain.grid import Grid
from domain.quotes import Quote, QuoteBook
from domain.quoting import MarketView, make_quote, observe
from domain.rates import RewardSettings
from domain.ticks import Tick
from domain.volatility import initial
from protocols.market import FEED_UNKNOWN, FeedLevel, FeedStatus, Override
from protocols.money import (
    MoneyCommand,
    MoneyOutcome,
    QuoteNumbersReserved,
    ReserveQuoteNumbers,
)
from supervisor import (
    Ask,
    Life,
    Mailbox,
    Subscription,
    Topic,
    TrioClock,
    Watch,
    WhenFull,
)
from supervisor.worker import InlineWorker
from tests.support.quick_folder import quick_folder
from tests.support.ticks import T0_MS, tick

GRID = Grid(rows=4)


@attrs.define
class Bench:
    """What outlives the lives of a Quoter, and a Batcher that gives it numbers."""

    record: SqlitePriceRecord
    prices: SqlitePriceReader
    topic: Topic[Tick]
    ticks: Subscription[Tick]
    status: Watch[FeedStatus]
    book: Watch[QuoteBook] = attrs.field(factory=lambda: Watch("book", QuoteBook()))
    money: Mailbox[Ask[MoneyCommand, MoneyOutcome]] = attrs.field(
        factory=lambda: Mailbox("money", 16, WhenFull.REFUSE)
    )
    settings: QuoterSettings = attrs.field(factory=QuoterSettings)
    next_number: int = 1
    silent_batches: int = 0
    """How many commands the Batcher leaves unanswered before it answers."""
    published: list[tuple[float, Quote | None]] = attrs.field(factory=list)
    """Every change of the book: when, and the newest quote."""

    async def live(self, life: Life) -> None:
        await quoter.run(
            life,
            ticks=self.ticks,
            status=self.status,
            book=self.book,
            money=self.money,
            prices=self.prices,
            prices_worker=InlineWorker(),
            grid=GRID,
            caps=HouseCaps(),
            rewards=RewardSettings(),
            clock=TrioClock(T0_MS),
            settings=self.settings,
        )

    async def batch(self, life: Life) -> None:
        """The Batcher, as far as numbers go."""
        async with self.money.reader(life) as reader:
            async for asked in reader:
                assert isinstance(asked.question, ReserveQuoteNumbers)
                first, count = self.next_number, asked.question.count
                self.next_number += count
                if self.silent_batches:
                    self.silent_batches -= 1
                else:
                    asked.answer(QuoteNumbersReserved(first=first, count=count))

    async def note(self, life: Life) -> None:
        async for book in self.book.changes(life):
            if book.unpublished is None:
                self.published.append((trio.current_time(), book.newest))

    @asynccontextmanager
    async def alive(self) -> AsyncIterator[Life]:
        """One life beside a Batcher, asked to stop at the end of the block and waited for."""
        life, others = Life("test/quoter", heartbeat_s=30), Life("test/others")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.note, others)
            await trio.testing.wait_all_tasks_blocked()
            self.published.clear()
            nursery.start_soon(self.live, life)
            nursery.start_soon(self.batch, others)
            await trio.testing.wait_all_tasks_blocked()
            yield life
            life.stopping.set()
            others.stopping.set()

    async def tick_every(self, interval_s: float, until_s: float, source: str = "binance") -> None:
        while trio.current_time() < until_s:
            await self.publish(tick(now_ms(), source=source))
            await trio.sleep(interval_s)

    async def publish(self, one: Tick) -> None:
        await self.topic.publish(one)
        await trio.testing.wait_all_tasks_blocked()

    def set_level(self, level: FeedLevel, override: Override = Override.AUTO) -> None:
        self.status.set(attrs.evolve(self.status.value, level=level, override=override))

    def times(self) -> list[float]:
        """When quotes were published, to the millisecond."""
        return [round(at_s, 3) for at_s, quote in self.published if quote is not None]

    def numbers(self) -> list[int]:
        return [quote.n for _, quote in self.published if quote is not None]


def now_ms() -> int:
    return TrioClock(T0_MS).now_ms()


@pytest.fixture
def bench() -> Iterator[Bench]:
    topic: Topic[Tick] = Topic("ticks")
    with quick_folder() as folder:
        record, prices = SqlitePriceRecord(folder), SqlitePriceReader(folder)
        yield Bench(
            record=record,
            prices=prices,
            topic=topic,
            ticks=topic.subscribe("quoter", 1_000, WhenFull.KEEP_LATEST),
            status=Watch("feed", attrs.evolve(FEED_UNKNOWN, level=FeedLevel.HEALTHY)),
        )
        prices.close()
        record.close()


# --- cadence ----------------------------------------------------------------------------------


async def test_a_quote_follows_a_tick_at_once(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    async with bench.alive():
        await trio.sleep(0.7)
        await bench.publish(tick(now_ms(), 6_512_345))
        quote = bench.book.value.newest
        assert quote is not None
        assert (quote.price_cents, quote.published_at_ms) == (6_512_345, T0_MS + 700)
        wanted = observe(
            MarketView(volatility=initial(annual_volatility=0.6)), tick(T0_MS + 700, 6_512_345)
        )
        assert quote == make_quote(
            wanted,
            n=1,
            now_ms=T0_MS + 700,
            grid=GRID,
            caps=HouseCaps(),
            rewards=RewardSettings(),
        )


async def test_a_lively_market_gets_four_quotes_a_second(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    async with bench.alive():
        await bench.tick_every(0.010, 1.1)
    assert bench.times() == [0, 0.25, 0.5, 0.75, 1.0]


async def test_a_quiet_market_gets_a_quote_each_second(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    async with bench.alive():
        await bench.publish(tick(now_ms()))
        await trio.sleep(3.5)
    assert bench.times() == [0, 1, 2, 3]


async def test_a_tick_between_two_quotes_is_quoted_as_soon_as_it_may_be(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    async with bench.alive():
        for at_s in (0, 0.1, 0.6, 0.7):
            await trio.sleep_until(at_s)
            await bench.publish(tick(now_ms()))
        await trio.sleep_until(1.0)
    assert bench.times() == [0, 0.25, 0.6, 0.85]


async def test_each_quote_rests_on_the_newest_tick(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    async with bench.alive():
        await bench.publish(tick(now_ms(), 6_500_000))
        for n in range(1, 6):
            await bench.topic.publish(tick(T0_MS + n, 6_500_000 + n))
        await trio.sleep(0.3)
    assert [quote and quote.price_cents for _, quote in bench.published] == [6_500_000, 6_500_005]


async def test_bets_are_judged_by_a_tick_that_is_not_published_yet(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    async with bench.alive():
        await bench.publish(tick(now_ms(), 6_500_000))
        await trio.sleep(0.1)
        await bench.publish(tick(now_ms(), 6_512_345))
        book = bench.book.value
        assert book.newest is not None
        assert book.unpublished is not None
        assert (book.newest.price_cents, book.unpublished.price_cents) == (6_500_000, 6_512_345)
        assert book.unpublished.n == book.newest.n, "no number is used up by it"
        await trio.sleep(0.2)
        assert bench.book.value.unpublished is None, "it has been published meanwhile"
    assert bench.times() == [0, 0.25]


async def test_a_tick_is_priced_once_until_it_is_published(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    """The monitor shows its time on the status, which the Quoter follows as well."""
    async with bench.alive():
        await bench.publish(tick(now_ms(), 6_500_000))
        await trio.sleep(0.1)
        version = bench.book.version
        newer = tick(now_ms(), 6_512_345)
        await bench.publish(newer)
        for shown in (newer.ts_ms, newer.ts_ms + 1):
            bench.status.set(attrs.evolve(bench.status.value, last_tick_ms=shown))
            await trio.testing.wait_all_tasks_blocked()
        assert bench.book.version == version + 1


async def test_a_tick_older_than_the_newest_is_no_news(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    async with bench.alive():
        await bench.publish(tick(now_ms(), 6_500_000))
        await trio.sleep(0.3)
        await bench.publish(tick(T0_MS - 1, 6_000_000, source="coinbase"))
        assert bench.book.value.newest is not None
        await trio.sleep(0.9)
    assert bench.times() == [0, 1]
    assert bench.published[-1][1] is not None
    assert bench.published[-1][1].price_cents == 6_500_000


async def test_the_book_keeps_those_that_may_still_be_named(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    async with bench.alive():
        await bench.tick_every(0.050, 10)
    published_ms = [quote.published_at_ms for quote in bench.book.value.quotes]
    ages_ms = [published_ms[0] - at_ms for at_ms in published_ms]
    assert ages_ms == list(range(0, 3_001, 250))


async def test_nothing_is_quoted_before_the_first_tick(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    async with bench.alive():
        await trio.sleep(5)
    assert bench.published == []


# --- the feed ---------------------------------------------------------------------------------


async def test_a_critical_feed_withdraws_every_quote_at_once(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    async with bench.alive():
        await bench.tick_every(0.1, 1)
        bench.set_level(FeedLevel.CRITICAL)
        await trio.testing.wait_all_tasks_blocked()
        assert bench.book.value == QuoteBook()
        await bench.tick_every(0.1, 5)
        assert bench.book.value == QuoteBook()


async def test_quoting_goes_on_the_moment_the_feed_is_no_longer_critical(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    bench.set_level(FeedLevel.CRITICAL)
    async with bench.alive():
        await bench.publish(tick(now_ms()))
        await trio.sleep_until(0.333)
        bench.set_level(FeedLevel.HEALTHY)
        await trio.testing.wait_all_tasks_blocked()
    assert bench.times() == [0.333]


async def test_a_degraded_feed_is_quoted(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    async with bench.alive():
        await bench.publish(tick(now_ms()))
        bench.set_level(FeedLevel.DEGRADED)
        await trio.sleep(4.5)
    assert bench.times() == [0, 1, 2, 3, 4]


async def test_an_override_quotes_a_critical_feed_only_while_its_ticks_are_fresh(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    bench.set_level(FeedLevel.CRITICAL, Override.CLOSE)
    async with bench.alive():
        await bench.tick_every(0.5, 2)
        await trio.sleep_until(10)
    assert bench.times()[0] == 0
    assert bench.times()[-1] == 3.5  # the last tick was at 1.5 s, and fresh until 4.5 s


async def test_another_source_withdraws_all_quotes_for_ten_seconds_of_its_ticks(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    async with bench.alive():
        await bench.tick_every(0.25, 2)
        await bench.publish(tick(now_ms(), 6_507_000, source="coinbase"))
        assert bench.book.value == QuoteBook()
        bench.published.clear()
        await trio.sleep(0.25)
        await bench.tick_every(0.25, 13, source="coinbase")
    assert bench.times()[0] == 12


# --- numbers ----------------------------------------------------------------------------------


async def test_numbers_are_reserved_before_they_are_used(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    bench.next_number = 5_000
    async with bench.alive():
        await bench.tick_every(0.25, 2)
    assert bench.numbers() == list(range(5_000, 5_008))
    assert bench.next_number == 5_000 + bench.settings.numbers_reserved


async def test_the_next_block_goes_on_where_the_last_ended(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    bench.settings = QuoterSettings(numbers_reserved=3)
    async with bench.alive():
        await bench.publish(tick(now_ms()))
        await trio.sleep(7.5)
    assert bench.numbers() == list(range(1, 9))
    assert bench.times() == list(range(8))


async def test_a_new_life_never_uses_a_number_again(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    async with bench.alive():
        await bench.tick_every(0.25, 1)
    used = max(bench.numbers())
    async with bench.alive():
        await bench.tick_every(0.25, 2)
    assert min(bench.numbers()) == bench.settings.numbers_reserved + 1 > used


async def test_an_unanswered_reservation_is_tried_again_and_its_numbers_are_left(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    bench.silent_batches = 2
    async with bench.alive():
        await bench.tick_every(0.5, 6)
    assert bench.times()[0] == pytest.approx(2 + 0.1 + 2 + 0.2)
    assert bench.numbers()[0] == 2 * bench.settings.numbers_reserved + 1


async def test_the_next_block_is_there_before_the_last_is_used_up(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    bench.settings = QuoterSettings(numbers_reserved=8)
    async with bench.alive():
        await bench.tick_every(0.25, 1)
        assert bench.next_number == 1 + 2 * 8, "asked for with half of the first one left"
        assert max(bench.numbers()) <= 5


async def test_bets_are_judged_by_the_newest_tick_though_there_are_no_numbers(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    """A ledger that is slow must not leave the rates of an old price in force."""
    bench.settings = QuoterSettings(numbers_reserved=2)
    async with bench.alive():
        await bench.publish(tick(now_ms()))
        await trio.sleep(0.1)
        bench.silent_batches = 1_000
        await bench.tick_every(0.25, 3)
        await bench.publish(tick(now_ms(), 6_600_000))
        await trio.testing.wait_all_tasks_blocked()
        book = bench.book.value
        assert book.unpublished is not None
        assert book.unpublished.price_cents == 6_600_000


async def test_who_has_numbers_enough_is_not_taken_for_hung(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    """Also if it had to ask for them twice."""
    bench.silent_batches = 1
    async with bench.alive() as life:
        await bench.tick_every(0.5, 40)
        _, busy_since_s = life.busiest() or (None, trio.current_time())
        assert trio.current_time() - busy_since_s < 2


async def test_a_quoter_is_ready_before_it_has_numbers_and_stops_without_them(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    """The Batcher starts after it, and stops before it may have answered."""
    bench.silent_batches = 1_000
    async with bench.alive() as life:
        assert life.is_ready()
        await trio.sleep(60)
        began_s = trio.current_time()
    assert trio.current_time() - began_s <= 2


async def test_ticks_are_not_held_up_by_a_batcher_that_does_not_answer(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    bench.silent_batches = 10
    async with bench.alive():
        with trio.fail_after(1):
            for n in range(1_500):
                await bench.topic.publish(tick(T0_MS + n))


# --- warm-up ----------------------------------------------------------------------------------


def recorded(seconds: Sequence[int], source: str = "binance") -> list[Tick]:
    """One tick at each of these seconds from T0, hopping between two prices."""
    return [
        tick(T0_MS + at_s * 1_000, 6_500_000 + at_s % 7 * 900, source=source) for at_s in seconds
    ]


async def test_a_restart_knows_the_market_from_the_record(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    known = recorded(range(-900, 0))
    bench.record.append(known, [], alive_ms=T0_MS)
    await bench.topic.publish(tick(T0_MS))
    async with bench.alive():
        pass
    quote = bench.published[0][1]
    assert quote is not None
    cold = MarketView(volatility=initial(annual_volatility=0.6))
    warm = cold
    for one in [*known[300:], tick(T0_MS)]:
        warm = observe(warm, one)
    wanted = [
        make_quote(
            view, n=1, now_ms=T0_MS, grid=GRID, caps=HouseCaps(), rewards=RewardSettings()
        ).rates
        for view in (warm, observe(cold, tick(T0_MS)))
    ]
    assert quote.rates == wanted[0] != wanted[1]


async def test_a_restart_quotes_the_recorded_price_at_once(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    bench.record.append(recorded(range(-60, 0)), [], alive_ms=T0_MS)
    async with bench.alive():
        assert bench.times() == [0]


async def test_a_restart_quotes_the_tick_that_waits_for_it_not_the_recorded_one(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    bench.record.append(recorded(range(-60, 0)), [], alive_ms=T0_MS)
    await bench.topic.publish(tick(T0_MS, 6_543_210))
    async with bench.alive():
        pass
    assert [quote and quote.price_cents for _, quote in bench.published] == [6_543_210]


async def test_a_restart_on_another_source_pauses(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    bench.record.append(recorded(range(-60, 0)), [], alive_ms=T0_MS)
    bench.set_level(FeedLevel.CRITICAL)
    async with bench.alive():
        await bench.publish(tick(now_ms(), source="coinbase"))
        bench.set_level(FeedLevel.HEALTHY)
        await trio.sleep(0.25)
        await bench.tick_every(0.25, 11, source="coinbase")
    assert bench.times()[0] == 10
