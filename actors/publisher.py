"""The Publisher: keeps in a store that others can read what they would else ask the venue for.

* `price:btc:usd`: the newest accepted tick, ten times a second at most, for an hour.
* `balance:WALLET`: a trader's balance and the version it belongs to. It is a copy to be read, and
  nothing rests on it: whether a trader can pay is decided by the ledger alone.
* With `publish`: ticks on the channel `prices:btc:usd`, a trader's events on `user:ID:bets`, by his
  user id. A channel keeps nothing; who finds a gap in `seq` takes a snapshot.

Balances come from users' events. What those can't tell comes from the ledger, page by page: at the
start, after events were lost, after the store was away, and every few hours, because an entry must
have an end (what a venue leaves behind when it is moved must not stay for ever).

Nobody waits for this actor: it reads the newest tick only, and one that falls behind with events
drops them and reads the ledger. In a store of the venue's own there is nothing for it to do.
"""

import json
from collections import OrderedDict, defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Final

import attrs
import structlog
import trio

from domain.ticks import Tick
from domain.units import Micros
from protocols.account_commands import AccountChanged
from protocols.client_frames import event_frame
from protocols.money import BetRefused, EventsLost, StreamEntry, UserEvent
from protocols.ports import KeyValueStore, LedgerReader, StoreUnavailable, Worker
from supervisor import EndOfMailbox, Ignore, Life, Overrun, Reader, Topic, WhenFull

log = structlog.get_logger("publisher")

PRICE_KEY: Final = "price:btc:usd"
PRICE_CHANNEL: Final = "prices:btc:usd"
PRICE_TTL_S: Final = 3_600
PRICE_EVERY_S: Final = 0.1

BALANCE_TTL_S: Final = 24 * 3_600
REFRESH_EVERY_S: Final = 6 * 3_600
"""An entry that no event renews is renewed three times before its end."""
PAGE: Final = 500
PAGE_EVERY_S: Final = 0.1
"""5,000 balances a second: 100,000 take 20 s, in pieces that hold up nobody."""
AT_ONCE: Final = 64
"""Calls of the store that wait together; a quarter of a pipeline, so that bets find room in it."""
EVENTS_AT_ONCE: Final = 1_000
EVENTS_WAITING_MAX: Final = 50_000
"""A column of 10,000 bets settles at once; after five of those the ledger is read."""
NEWEST_KEPT: Final = 100_000

RETRY_S_MIN: Final = 0.1
RETRY_S_MAX: Final = 5.0

LAST_WITHIN_S: Final = 0.15
"""Of the stop, for what has come by then. A store may take longer to answer than a drain can wait
for, and what it misses is read anew from the ledger by the next life."""


@attrs.frozen(kw_only=True)
class PublisherSettings:
    """Whether there is anybody to publish for."""

    shared: bool
    """Can others read the store?"""
    publish: bool
    """Do prices and events go out on channels too?"""


@attrs.frozen(kw_only=True)
class PublisherPorts:
    """What the Publisher needs of the venue."""

    ticks: Topic[Tick]
    events: Topic[StreamEntry]
    store: KeyValueStore
    ledger: LedgerReader
    worker: Worker
    settings: PublisherSettings


async def run(life: Life, ports: PublisherPorts) -> None:
    """One life: publish until asked to stop, and then, if the store lets it, what has come."""
    if not ports.settings.shared:
        raise Ignore
    async with trio.open_nursery() as nursery:
        await nursery.start(_publish_prices, life, ports)
        await nursery.start(_keep_balances, life, ports)
        life.ready()
        await life.stopping.wait()
        nursery.cancel_scope.deadline = trio.current_time() + LAST_WITHIN_S
    if nursery.cancel_scope.cancelled_caught:
        log.warning("not_all_published", why="the store is slow, and the venue stops")


# --- prices -------------------------------------------------------------------------------------


async def _publish_prices(
    life: Life, ports: PublisherPorts, task_status: trio.TaskStatus[None]
) -> None:
    ticks = ports.ticks.subscribe("publisher", 1, WhenFull.KEEP_LATEST)
    try:
        async with ticks.reader(life) as reader:
            task_status.started()
            failures = 0
            async for tick in reader:
                try:
                    await _publish_price(ports, tick)
                    failures = 0
                except StoreUnavailable:
                    failures += 1
                await life.sleep_or_stop(_retry_s(failures) if failures else PRICE_EVERY_S)
    finally:
        ticks.close()


async def _publish_price(ports: PublisherPorts, tick: Tick) -> None:
    text = _text({"price_cents": tick.price_cents, "ts_ms": tick.ts_ms, "source": tick.source})
    await ports.store.put(PRICE_KEY, text, ttl_s=PRICE_TTL_S)
    if ports.settings.publish:
        await ports.store.publish(PRICE_CHANNEL, text)


# --- balances and events ------------------------------------------------------------------------


async def _keep_balances(
    life: Life, ports: PublisherPorts, task_status: trio.TaskStatus[None]
) -> None:
    """Follow the events; whenever some were missed, with a new subscription and from the ledger."""
    started: Callable[[], None] = task_status.started
    while True:
        events = ports.events.subscribe("publisher", EVENTS_WAITING_MAX, WhenFull.DISCONNECT)
        try:
            async with events.reader(life) as reader:
                started()
                await _Balances(ports).follow(reader)
        except EndOfMailbox:
            return
        except Overrun:
            log.warning("publisher_overrun", waiting=EVENTS_WAITING_MAX)
        finally:
            events.close()
        started = _nothing


def _nothing() -> None:
    pass


class _Balances:
    """The copies of balances, from one reading of the ledger to the next.

    It reads the ledger from the beginning first. `due_at` is when the next page is due, or the
    next reading.
    """

    def __init__(self, ports: PublisherPorts) -> None:
        self._ports = ports
        self._newest = _Newest()
        self._failures = 0
        self._after_user_id = 0
        self._found = 0
        self._due_at = trio.current_time()

    async def follow(self, reader: Reader[StreamEntry]) -> None:
        """Take events and pages in turn, for ever. Raises EndOfMailbox and Overrun."""
        while True:
            entries = await _gather(reader, self._due_at)
            try:
                if self._failures == 0:  # else they would fail too, and the ledger knows them
                    await self._tell(entries)
                if trio.current_time() >= self._due_at:
                    await self._take_page()
            except StoreUnavailable:
                self._failures += 1
                self._read_anew(after_s=_retry_s(self._failures))
            reader.done()

    def _read_anew(self, *, after_s: float) -> None:
        """Begin with the first account again: what stands in the store may be too old, or gone."""
        self._after_user_id = self._found = 0
        self._due_at = trio.current_time() + after_s

    async def _tell(self, entries: Sequence[StreamEntry]) -> None:
        by_wallet: defaultdict[str, list[UserEvent]] = defaultdict(list)
        for entry in entries:
            if not isinstance(entry, EventsLost):
                by_wallet[entry.wallet].append(entry)
        await _all_of([partial(self._tell_one, events) for events in by_wallet.values()])
        if any(isinstance(entry, EventsLost) for entry in entries):
            self._read_anew(after_s=0)

    async def _tell_one(self, events: Sequence[UserEvent]) -> None:
        """All that happened to one trader, in order; of his balances the last."""
        if self._ports.settings.publish:
            for event in events:
                if event.seq is not None:
                    text = _text(event_frame(event))
                    await self._ports.store.publish(f"user:{event.user_id}:bets", text)
        for event in reversed(events):
            if not isinstance(event, BetRefused | AccountChanged):  # they move no money
                await self._keep(event.wallet, event.seq, event.balance_micros)
                break

    async def _take_page(self) -> None:
        """The next accounts of the ledger. An event may have brought a newer balance meanwhile."""
        if self._after_user_id == 0:
            self._newest.clear()  # what was written long ago must be renewed, or be gone by now
        read = partial(self._ports.ledger.balances, after_user_id=self._after_user_id, limit=PAGE)
        page = await self._ports.worker.run(read)
        await _all_of(
            [partial(self._keep, row.wallet, row.seq, row.balance_micros) for row in page]
        )
        self._failures = 0
        self._found += len(page)
        if len(page) == PAGE:
            self._after_user_id = page[-1].user_id
            self._due_at = trio.current_time() + PAGE_EVERY_S
        else:
            log.info("balances_cached", accounts=self._found)
            self._read_anew(after_s=REFRESH_EVERY_S)

    async def _keep(self, wallet: str, seq: int, balance_micros: Micros) -> None:
        if self._newest.is_news(wallet, seq):
            text = _text({"balance_micros": balance_micros, "seq": seq})
            await self._ports.store.put(f"balance:{wallet}", text, ttl_s=BALANCE_TTL_S)


class _Newest:
    """Which version of a wallet's balance was written last, for those written lately.

    A page of the ledger and the events that wait were seen within a second of each other, so that
    the last hundred thousand are more than can meet.
    """

    def __init__(self) -> None:
        self._seqs: OrderedDict[str, int] = OrderedDict()

    def is_news(self, wallet: str, seq: int) -> bool:
        """Is it newer than what was written? It counts as written from now on."""
        if self._seqs.get(wallet, -1) >= seq:
            return False
        self._seqs[wallet] = seq
        self._seqs.move_to_end(wallet)
        if len(self._seqs) > NEWEST_KEPT:
            self._seqs.popitem(last=False)
        return True

    def clear(self) -> None:
        self._seqs.clear()


async def _gather(reader: Reader[StreamEntry], due_at: float) -> list[StreamEntry]:
    """The entries that are waiting, or the first that comes; none if none came by `due_at`."""
    entries: list[StreamEntry] = []
    entry = await reader.receive_before(due_at)
    while entry is not None:
        entries.append(entry)
        entry = reader.receive_nowait() if len(entries) < EVENTS_AT_ONCE else None
    return entries


async def _all_of(calls: Sequence[Callable[[], Awaitable[None]]]) -> None:
    """Make the calls, some at a time. Raises StoreUnavailable if one did; the rest is then left."""
    waiting, failed = iter(calls), list[StoreUnavailable]()

    async def make_calls() -> None:
        for call in waiting:
            if failed:
                break
            try:
                await call()
            except StoreUnavailable as error:
                failed.append(error)

    async with trio.open_nursery() as nursery:
        for _ in range(min(AT_ONCE, len(calls))):
            nursery.start_soon(make_calls)
    if failed:
        raise failed[0]


def _retry_s(failures: int) -> float:
    return min(RETRY_S_MAX, RETRY_S_MIN * 2.0 ** min(failures - 1, 10))


def _text(value: Mapping[str, object]) -> str:
    return json.dumps(value, separators=(",", ":"))
