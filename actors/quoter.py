"""The Quoter: publishes what each cell pays, from the newest ticks.

A quote follows a new tick, at most four times a second, and is repeated at least every second while
the feed lives, because a quote is live for three seconds only and an older price is worth less.
There is none while the feed is CRITICAL, nor for ten seconds after another source took over.

A restart knows the market from the record: the last ten minutes of ticks are read before the first
quote. Quote numbers are taken from the ledger in blocks, so that none is ever used twice; the next
block is there before the last one is used up, because who waits for the ledger hears no ticks, and
bets would be paid by old rates meanwhile.
"""

from collections import deque
from functools import partial
from typing import TypeAlias

import attrs
import structlog
import trio

from domain.caps import HouseCaps
from domain.feed_health import FeedLevel
from domain.grid import Grid
from domain.limits import FEED_DEGRADED_AFTER_MS
from domain.quotes import Quote, QuoteBook
from domain.quoting import MarketView, is_settled, make_quote, observe
from domain.rates import RewardSettings
from domain.ticks import Tick
from domain.volatility import initial
from protocols.market import FeedStatus, Override
from protocols.money import (
    MoneyCommand,
    MoneyOutcome,
    QuoteNumbersReserved,
    ReserveQuoteNumbers,
)
from protocols.ports import Clock, PriceReader, Worker
from supervisor import Ask, EndOfMailbox, Life, Mailbox, Reader, Subscription, Watch, ask

log = structlog.get_logger("quoter")

MoneyAsk: TypeAlias = Ask[MoneyCommand, MoneyOutcome]

RESERVE_WITHIN_S = 2.0
RETRY_S_MIN = 0.1
RETRY_S_MAX = 5.0
WARM_UP_PART_MS = 60_000
WARM_UP_TICKS_MAX = 20_000
"""Of each minute: five times the busiest minute we have seen."""


@attrs.frozen(kw_only=True)
class QuoterSettings:
    """How often, and on what belief to begin."""

    interval_ms: int = 250
    interval_max_ms: int = 1_000
    source_pause_s: int = 10
    warm_up_s: int = 600
    annual_volatility_bps: int = 6_000
    """Believed of a market that is not on record yet."""
    numbers_reserved: int = 1_000
    """Four minutes of quotes, or more: one write to the ledger, few numbers wasted by a restart."""


async def run(
    life: Life,
    *,
    ticks: Subscription[Tick],
    status: Watch[FeedStatus],
    book: Watch[QuoteBook],
    money: Mailbox[MoneyAsk],
    prices: PriceReader,
    prices_worker: Worker,
    grid: Grid,
    caps: HouseCaps,
    rewards: RewardSettings,
    clock: Clock,
    settings: QuoterSettings,
) -> None:
    """Quote until asked to stop.

    `ticks` should keep the latest when full, with room for some seconds of them: the price feed
    must not wait for who reads the record first.
    """
    quoter = _Quoter(
        view=MarketView(
            volatility=initial(annual_volatility=settings.annual_volatility_bps / 10_000)
        ),
        status=status,
        book=book,
        grid=grid,
        caps=caps,
        rewards=rewards,
        clock=clock,
        settings=settings,
    )
    life.ready()  # the Batcher, who gives the numbers, starts after this actor
    await _warm_up(life, quoter, prices, prices_worker)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_follow_status, life, quoter)
        nursery.start_soon(_keep_numbers, life, quoter, money)
        # In this task, which beat while it warmed up: waiting here it would be taken for hung.
        await _follow_ticks(life, quoter, ticks)
        nursery.cancel_scope.cancel()  # asked to stop: no more numbers are wanted


async def _warm_up(life: Life, quoter: "_Quoter", prices: PriceReader, worker: Worker) -> None:
    """Observe what is on record, a minute at a time, so that nothing waits long for it."""
    now_ms = quoter.clock.now_ms()
    for from_ms in range(now_ms - quoter.settings.warm_up_s * 1000, now_ms, WARM_UP_PART_MS):
        recorded = await worker.run(
            partial(
                prices.ticks,
                from_ms=from_ms,
                to_ms=from_ms + WARM_UP_PART_MS,
                limit=WARM_UP_TICKS_MAX,
            )
        )
        for tick in recorded:
            quoter.view = observe(quoter.view, tick)
        life.beat()


async def _follow_ticks(life: Life, quoter: "_Quoter", ticks: Subscription[Tick]) -> None:
    async with ticks.reader(life) as reader:
        until = trio.current_time()  # first what came while the record was read
        while True:
            try:
                await _take_ticks(reader, quoter, until)
            except EndOfMailbox:
                return
            quoter.has_caught_up = True
            quoter.publish_if_due()
            life.beat()
            until = quoter.due_at()


async def _take_ticks(reader: Reader[Tick], quoter: "_Quoter", until: float) -> None:
    """Wait for ticks until then, when the next quote is due, and observe all that are waiting."""
    tick = await reader.receive_before(until)
    while tick is not None:
        quoter.take(tick)
        reader.done()
        tick = reader.receive_nowait()


async def _follow_status(life: Life, quoter: "_Quoter") -> None:
    """Withdraw all quotes the moment the feed is CRITICAL; quote again the moment it is not."""
    async for _ in quoter.status.changes(life):
        if quoter.feed_allows():
            quoter.publish_if_due()
        else:
            quoter.withdraw()


async def _keep_numbers(life: Life, quoter: "_Quoter", money: Mailbox[MoneyAsk]) -> None:
    """Have more numbers when half of a block is left."""
    while numbers := await _reserve(life, money, quoter.settings.numbers_reserved):
        quoter.numbers.append(numbers)
        quoter.publish_if_due()
        quoter.wants_numbers = trio.Event()
        if quoter.has_numbers_enough():
            with life.idle():
                await quoter.wants_numbers.wait()


async def _reserve(life: Life, money: Mailbox[MoneyAsk], count: int) -> range:
    """Quote numbers that are ours. Tries for as long as it takes; empty when asked to stop."""
    retry_s = RETRY_S_MIN
    while True:
        command = ReserveQuoteNumbers(count=count)
        outcome = await ask(money, command, within_s=RESERVE_WITHIN_S)
        if isinstance(outcome, QuoteNumbersReserved):
            return range(outcome.first, outcome.first + outcome.count)
        log.warning("quote_numbers_not_reserved", outcome=repr(outcome)[:200])
        if await life.sleep_or_stop(retry_s):
            return range(0)
        retry_s = min(2 * retry_s, RETRY_S_MAX)


@attrs.define(kw_only=True)
class _Quoter:
    """The state that both tasks work on; nothing is awaited between reading and writing it."""

    view: MarketView
    status: Watch[FeedStatus]
    book: Watch[QuoteBook]
    grid: Grid
    caps: HouseCaps
    rewards: RewardSettings
    clock: Clock
    settings: QuoterSettings
    numbers: deque[range] = attrs.field(factory=deque)
    """Not used yet, the next one first."""
    wants_numbers: trio.Event = attrs.field(factory=trio.Event)
    has_caught_up: bool = False
    """Have the ticks been taken that came while the record was read?"""
    is_new_tick: bool = False
    """Has a tick come since the newest quote?"""
    priced: Tick | None = None
    """The tick that the rates in force rest on, published or not."""
    published_at: float | None = None
    """When, on trio's clock: a step of the wall clock must not stop the quotes."""

    def take(self, tick: Tick) -> None:
        before = self.view
        self.view = observe(before, tick)
        if self.view is before:
            return
        self.is_new_tick = True
        if before.newest is not None and before.newest.source != tick.source:
            log.info("quoting_paused", source=tick.source, before=before.newest.source)
            self.withdraw()

    def due_at(self) -> float:
        """When to quote next if nothing comes in between, on trio's clock."""
        if not (self.numbers and self._may_quote()):
            return trio.current_time() + self.settings.interval_max_ms / 1000
        if self.published_at is None:
            return trio.current_time()
        wait_ms = self.settings.interval_ms if self.is_new_tick else self.settings.interval_max_ms
        return self.published_at + wait_ms / 1000

    def publish_if_due(self) -> None:
        """Publish a quote, unless there may be none; while it is too early, or there is no number
        for it, put it in force."""
        if not (self.has_caught_up and self._may_quote()):
            return
        is_early = self.published_at is not None and trio.current_time() < self.due_at()
        if is_early or not self.numbers:
            self._put_in_force()
            return
        quote = self._quote(self._next_number())
        self.published_at = trio.current_time()
        self.is_new_tick = False
        self.book.set(self.book.value.with_quote(quote))

    def has_numbers_enough(self) -> bool:
        """Are there more than half a block of them?"""
        return sum(map(len, self.numbers)) > self.settings.numbers_reserved // 2

    def _next_number(self) -> int:
        block = self.numbers.popleft()
        if len(block) > 1:
            self.numbers.appendleft(block[1:])
        if not self.has_numbers_enough():
            self.wants_numbers.set()
        return block[0]

    def _put_in_force(self) -> None:
        """Judge bets by the newest tick though its rates are published a little later."""
        newest = self.book.value.newest
        if self.priced is not self.view.newest and newest is not None:
            self.book.set(self.book.value.with_unpublished(self._quote(newest.n)))

    def _quote(self, n: int) -> Quote:
        self.priced = self.view.newest
        return make_quote(
            self.view,
            n=n,
            now_ms=self.clock.now_ms(),
            grid=self.grid,
            caps=self.caps,
            rewards=self.rewards,
        )

    def withdraw(self) -> None:
        """Take all quotes off the market."""
        if self.book.value.newest is not None:
            self.book.set(QuoteBook())

    def feed_allows(self) -> bool:
        """Is there a price to quote on?

        An operator's `close` lets quotes through a CRITICAL feed whose ticks are fresh again; it
        can't sell a stale price.
        """
        if self.status.value.level is not FeedLevel.CRITICAL:
            return True
        return self.status.value.override is Override.CLOSE and self._is_fresh()

    def _is_fresh(self) -> bool:
        newest = self.view.newest
        if newest is None:
            return False
        older_ms = min(newest.ts_ms, newest.recv_ms)
        return self.clock.now_ms() - older_ms < FEED_DEGRADED_AFTER_MS

    def _may_quote(self) -> bool:
        pause_ms = self.settings.source_pause_s * 1000
        return self.feed_allows() and is_settled(self.view, pause_ms=pause_ms)
