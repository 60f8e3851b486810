"""The Publisher: what others may read stands in the store, is never older than it need be, and
costs nobody anything."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

import attrs
import pytest
import trio
from trio.testing import MockClock

from actors import publisher
from actors.publisher import (
    BALANCE_TTL_S,
    LAST_WITHIN_S,
    PAGE,
    PRICE_TTL_S,
    REFRESH_EVERY_S,
    PublisherPorts,
    PublisherSettings,
)
from domain.refusals import Code, Refusal
from domain.self_limits import SelfLimits
from domain.ticks import Tick
from protocols.account_commands import (
    AccountChange,
    AccountChanged,
    BalanceChanged,
    BalanceReason,
)
from protocols.accounts import WalletBalance
from protocols.money import (
    BetConfirmed,
    BetRefused,
    BetResolved,
    BetStatus,
    Deposited,
    EventsLost,
    StreamEntry,
)
from protocols.ports import StoreUnavailable
from supervisor import Ignore, Life, Topic
from supervisor.worker import InlineWorker
from tests.support.ticks import tick


class SharedStore:
    """A store that notes what is written to it, and can be away."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.ttls: dict[str, int] = {}
        self.writes: list[tuple[float, str]] = []
        self.published: list[tuple[str, dict[str, Any]]] = []
        self.away = False
        self.refused = 0
        self.slow_s = 0.0

    async def put(self, key: str, value: str, *, ttl_s: int) -> None:
        await self._answer()
        self.values[key], self.ttls[key] = value, ttl_s
        self.writes.append((trio.current_time(), key))

    async def publish(self, channel: str, message: str) -> None:
        await self._answer()
        self.published.append((channel, json.loads(message)))

    async def _answer(self) -> None:
        await trio.sleep(self.slow_s)
        if self.away:
            self.refused += 1
            raise StoreUnavailable("away")

    def __getattr__(self, method: str) -> Any:
        raise AssertionError(f"a publisher has no need of {method}")

    def balance(self, wallet: str) -> tuple[int, int] | None:
        """Balance and version as they stand there."""
        text = self.values.get(f"balance:{wallet}")
        return (
            None if text is None else (json.loads(text)["balance_micros"], json.loads(text)["seq"])
        )


@attrs.define
class Accounts:
    """The ledger as far as a publisher reads it."""

    rows: dict[str, tuple[int, int]] = attrs.field(factory=dict)
    readings: int = 0

    def balances(self, *, after_user_id: int = 0, limit: int = 1_000) -> Sequence[WalletBalance]:
        self.readings += after_user_id == 0
        return [
            WalletBalance(user_id=user_id, wallet=wallet, seq=seq, balance_micros=balance)
            for user_id, (wallet, (balance, seq)) in enumerate(self.rows.items(), start=3)
            if user_id > after_user_id
        ][:limit]


@attrs.define
class Bench:
    """A publisher and all around it."""

    publish: bool = False
    store: SharedStore = attrs.field(factory=SharedStore)
    accounts: Accounts = attrs.field(factory=Accounts)
    ticks: Topic[Tick] = attrs.field(factory=lambda: Topic("ticks"))
    events: Topic[StreamEntry] = attrs.field(factory=lambda: Topic("user_events"))
    life: Life = attrs.field(factory=lambda: Life("venue/publisher", heartbeat_s=30))

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        self.life.on_ready(task_status.started)
        ports: Any = PublisherPorts(
            ticks=self.ticks,
            events=self.events,
            store=self.store,
            ledger=self.accounts,
            worker=InlineWorker(),
            settings=PublisherSettings(shared=True, publish=self.publish),
        )
        await publisher.run(self.life, ports)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """A life that is asked to stop at the end, and does within its limit."""
        async with trio.open_nursery() as nursery:
            await nursery.start(self.run)
            yield
            self.life.stopping.set()
            nursery.cancel_scope.deadline = trio.current_time() + 1
        assert not nursery.cancel_scope.cancelled_caught, "it did not stop"


@pytest.fixture
def bench() -> Bench:
    return Bench()


def confirmed(wallet: str, seq: int, balance: int) -> BetConfirmed:
    return BetConfirmed(
        bet_id=f"bet {seq}",
        user_id=int(wallet, 16),
        wallet=wallet,
        seq=seq,
        cell_id="1_2_3",
        stake_micros=1,
        reward_bps=20_000,
        balance_micros=balance,
        placed_at_ms=1,
    )


def resolved(wallet: str, seq: int, balance: int) -> BetResolved:
    return BetResolved(
        bet_id=f"bet {seq}",
        user_id=int(wallet, 16),
        wallet=wallet,
        seq=seq,
        cell_id="1_2_3",
        status=BetStatus.WON,
        stake_micros=1,
        payout_micros=2,
        balance_micros=balance,
        resolved_at_ms=2,
    )


def deposited(wallet: str, seq: int, balance: int) -> Deposited:
    return Deposited(
        user_id=int(wallet, 16),
        wallet=wallet,
        seq=seq,
        balance_micros=balance,
        amount_micros=balance,
        reference="r",
        repeated=False,
    )


def withdrawn(wallet: str, seq: int, balance: int) -> BalanceChanged:
    return BalanceChanged(
        user_id=int(wallet, 16),
        wallet=wallet,
        seq=seq,
        balance_micros=balance,
        amount_micros=-1,
        reason=BalanceReason.WITHDRAWAL,
        reference="w",
    )


def frozen(wallet: str, seq: int) -> AccountChanged:
    return AccountChanged(
        user_id=int(wallet, 16),
        wallet=wallet,
        seq=seq,
        what=AccountChange.FROZEN,
        frozen=True,
        limits=SelfLimits(),
    )


def refused(wallet: str, seq: int | None) -> BetRefused:
    return BetRefused(
        bet_id="bet",
        wallet=wallet,
        cell_id="1_2_3",
        refusal=Refusal(Code.INSUFFICIENT_FUNDS),
        seq=seq,
    )


async def test_in_a_store_of_the_venue_s_own_there_is_nothing_to_do(bench: Bench) -> None:
    settings = PublisherSettings(shared=False, publish=True)
    ports: Any = PublisherPorts(
        ticks=bench.ticks,
        events=bench.events,
        store=bench.store,
        ledger=bench.accounts,
        worker=InlineWorker(),
        settings=settings,
    )
    with pytest.raises(Ignore):
        await publisher.run(bench.life, ports)
    assert bench.ticks.statistics().capacity == 0, "and no channel fills up behind it"


# --- prices -------------------------------------------------------------------------------------


async def test_the_newest_tick_stands_there_for_an_hour(
    bench: Bench, autojump_clock: MockClock
) -> None:
    async with bench.running():
        newest = tick(1, price_cents=6_500_123)
        await bench.ticks.publish(newest)
        await trio.sleep(0.01)
        assert json.loads(bench.store.values["price:btc:usd"]) == {
            "price_cents": 6_500_123,
            "ts_ms": newest.ts_ms,
            "source": newest.source,
        }
        assert bench.store.ttls["price:btc:usd"] == PRICE_TTL_S == 3_600
    assert bench.store.published == []


async def test_a_lively_market_is_thinned_to_ten_a_second(
    bench: Bench, autojump_clock: MockClock
) -> None:
    async with bench.running():
        for number in range(1_000):
            await bench.ticks.publish(tick(number, price_cents=number + 1))
            await trio.sleep(0.001)
        await trio.sleep(0.1)
    assert 10 <= len(bench.store.writes) <= 12
    assert json.loads(bench.store.values["price:btc:usd"])["price_cents"] == 1_000


async def test_prices_are_published_when_asked_for(autojump_clock: MockClock) -> None:
    bench = Bench(publish=True)
    async with bench.running():
        await bench.ticks.publish(tick(1, price_cents=6_500_123))
        await trio.sleep(0.01)
    [(channel, message)] = bench.store.published
    assert channel == "prices:btc:usd"
    assert message["price_cents"] == 6_500_123


async def test_prices_come_again_when_the_store_does(
    bench: Bench, autojump_clock: MockClock
) -> None:
    bench.store.away = True
    async with bench.running():
        for number in range(300):
            await bench.ticks.publish(tick(number, price_cents=number + 1))
            await trio.sleep(0.1)
        assert bench.store.refused <= 2 * 20, "30 s of it are tried ever more rarely"
        bench.store.away = False
        await trio.sleep(5.1)
        assert json.loads(bench.store.values["price:btc:usd"])["price_cents"] == 300


# --- balances -----------------------------------------------------------------------------------


async def test_what_the_ledger_has_is_there_soon_after_the_start(
    bench: Bench, autojump_clock: MockClock
) -> None:
    count = 3 * PAGE + 7
    bench.accounts.rows = {f"0x{number}": (number, 1) for number in range(count)}
    async with bench.running():
        await trio.sleep(1)
    assert [bench.store.balance(f"0x{number}") for number in range(count)] == [
        (number, 1) for number in range(count)
    ]
    assert set(bench.store.ttls.values()) == {BALANCE_TTL_S}
    assert bench.accounts.readings == 1


async def test_each_event_with_a_balance_brings_it(bench: Bench, autojump_clock: MockClock) -> None:
    async with bench.running():
        for event, expected in [
            (deposited("0xa", 1, 100), (100, 1)),
            (confirmed("0xa", 2, 90), (90, 2)),
            (refused("0xa", 3), (90, 2)),
            (resolved("0xa", 4, 110), (110, 4)),
            (withdrawn("0xa", 5, 80), (80, 5)),
            (frozen("0xa", 6), (80, 5)),
        ]:
            await bench.events.publish(event)
            await trio.sleep(0.01)
            assert bench.store.balance("0xa") == expected


async def test_of_many_events_the_last_balance_stands(
    bench: Bench, autojump_clock: MockClock
) -> None:
    async with bench.running():
        bench.store.slow_s = 0.01
        for seq in range(1, 2_001):
            await bench.events.publish(resolved(f"0x{seq % 5}", seq, seq))
        await trio.sleep(1)
    assert [bench.store.balance(f"0x{n}") for n in range(5)] == [
        (2000, 2000),
        (1996, 1996),
        (1997, 1997),
        (1998, 1998),
        (1999, 1999),
    ]
    assert len(bench.store.writes) <= 15, "a balance that is old already is not written"


async def test_a_page_never_overwrites_what_an_event_has_brought(
    bench: Bench, autojump_clock: MockClock
) -> None:
    bench.accounts.rows = {f"0x{number}": (number, 5) for number in range(PAGE + 10)}
    late = f"0x{PAGE + 5}"
    async with bench.running():
        await trio.sleep(0.05)  # the first page is written, the second is still to come
        assert bench.store.balance(late) is None
        await bench.events.publish(deposited(late, 6, 777))
        await trio.sleep(0.01)
        assert bench.store.balance(late) == (777, 6)
        await trio.sleep(1)
        assert bench.store.balance(f"0x{PAGE + 6}") is not None
        assert bench.store.balance(late) == (777, 6)


async def test_an_event_older_than_the_page_changes_nothing(
    bench: Bench, autojump_clock: MockClock
) -> None:
    """The ledger may be read between a commit and its event."""
    bench.accounts.rows = {"0xa": (200, 8)}
    async with bench.running():
        await trio.sleep(0.05)
        await bench.events.publish(deposited("0xa", 7, 100))
        await trio.sleep(0.05)
        assert bench.store.balance("0xa") == (200, 8)


async def test_entries_are_renewed_long_before_they_end(
    bench: Bench, autojump_clock: MockClock
) -> None:
    bench.accounts.rows = {"0xa": (1, 1)}
    async with bench.running():
        await bench.events.publish(deposited("0xa", 2, 2))
        await trio.sleep(1)
        bench.accounts.rows = {"0xa": (2, 2)}
        await trio.sleep(4 * REFRESH_EVERY_S)
    times = [at for at, key in bench.store.writes if key == "balance:0xa"]
    assert len(times) == 6, "at the start, by the event, and four times since"
    assert max(later - before for before, later in pairwise(times)) < BALANCE_TTL_S / 3
    assert bench.accounts.readings == 5


async def test_after_lost_events_the_ledger_is_read_again(
    bench: Bench, autojump_clock: MockClock
) -> None:
    bench.accounts.rows = {"0xa": (1, 1)}
    async with bench.running():
        await trio.sleep(1)
        bench.accounts.rows = {"0xa": (50, 1), "0xb": (7, 3)}  # by a rebuild, whose seq is the same
        await bench.events.publish(EventsLost())
        await trio.sleep(1)
        assert bench.store.balance("0xa") == (50, 1)
        assert bench.store.balance("0xb") == (7, 3)


async def test_after_the_store_was_away_the_ledger_is_read_again(
    bench: Bench, autojump_clock: MockClock
) -> None:
    bench.accounts.rows = {"0xa": (1, 1)}
    async with bench.running():
        await trio.sleep(1)
        bench.store.away = True
        bench.store.values.clear()  # it comes back empty
        for seq in range(2, 302):
            await bench.events.publish(resolved("0xa", seq, seq))
            bench.accounts.rows = {"0xa": (seq, seq), "0xb": (9, 9)}
            await trio.sleep(0.1)
        assert bench.store.refused < 25, "30 s of it are tried ever more rarely"
        bench.store.away = False
        await trio.sleep(6)
        assert bench.store.balance("0xa") == (301, 301)
        assert bench.store.balance("0xb") == (9, 9)
        await bench.events.publish(resolved("0xa", 302, 400))
        await trio.sleep(0.05)
        assert bench.store.balance("0xa") == (400, 302)


async def test_one_that_falls_behind_drops_events_and_reads_the_ledger(
    bench: Bench, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publisher, "EVENTS_WAITING_MAX", 500)
    async with bench.running():
        await trio.sleep(1)
        bench.store.slow_s = 60
        await bench.events.publish(resolved("0xa", 1, 1))
        await trio.sleep(1)
        began_at = trio.current_time()
        for seq in range(2, 600):
            await bench.events.publish(resolved("0xa", seq, seq))
        assert trio.current_time() == began_at, "nobody waits for it"
        bench.accounts.rows = {"0xa": (12345, 600)}
        bench.store.slow_s = 0
        await trio.sleep(200)
        assert bench.store.balance("0xa") == (12345, 600)
        await bench.events.publish(resolved("0xa", 601, 6))
        await trio.sleep(0.05)
        assert bench.store.balance("0xa") == (6, 601)


def channel_of(wallet: str) -> str:
    """Where the events of the builders above go."""
    return f"user:{int(wallet, 16)}:bets"


# --- events -------------------------------------------------------------------------------------


async def test_events_go_out_in_order_for_each_trader(autojump_clock: MockClock) -> None:
    bench = Bench(publish=True)
    async with bench.running():
        for seq in range(1, 101):
            for wallet in ("0xa", "0xb", "0xc"):
                await bench.events.publish(confirmed(wallet, seq, 1_000 - seq))
        await trio.sleep(1)
    for wallet in ("0xa", "0xb", "0xc"):
        told = [event for channel, event in bench.store.published if channel == channel_of(wallet)]
        assert [event["seq"] for event in told] == list(range(1, 101))
        assert {event["type"] for event in told} == {"bet:confirmed"}


async def test_a_refusal_that_wrote_nothing_is_no_event(autojump_clock: MockClock) -> None:
    bench = Bench(publish=True)
    async with bench.running():
        await bench.events.publish(refused("0xa", None))
        await bench.events.publish(refused("0xa", 4))
        await trio.sleep(0.1)
    assert [event["seq"] for _, event in bench.store.published] == [4]


async def test_what_is_done_to_an_account_is_published_too(autojump_clock: MockClock) -> None:
    bench = Bench(publish=True)
    async with bench.running():
        await bench.events.publish(withdrawn("0xa", 1, 80))
        await bench.events.publish(frozen("0xa", 2))
        await trio.sleep(0.1)
    told = [(event["type"], event["seq"]) for _, event in bench.store.published]
    assert told == [("balance", 1), ("account", 2)]


async def test_what_came_before_the_stop_is_published_still(autojump_clock: MockClock) -> None:
    bench = Bench(publish=True)
    async with bench.running():
        await trio.sleep(1)
        for seq in range(1, 3_001):
            await bench.events.publish(confirmed("0xa", seq, seq))
    assert [event["seq"] for _, event in bench.store.published] == list(range(1, 3_001))
    assert bench.store.balance("0xa") == (3_000, 3_000)


async def test_a_restart_leaves_no_subscription_behind(
    bench: Bench, autojump_clock: MockClock
) -> None:
    for _ in range(3):
        async with bench.running():
            await trio.sleep(0.1)
        bench.life = Life("venue/publisher", heartbeat_s=30)
    assert bench.ticks.statistics().capacity == 0
    assert bench.events.statistics().capacity == 0


async def test_a_store_that_does_not_answer_holds_up_no_stop(
    bench: Bench, autojump_clock: MockClock
) -> None:
    async with bench.running():
        await bench.ticks.publish(tick(1))
        await trio.sleep(1)
        bench.store.slow_s = 0.5  # as long as `store.answer_within_ms`
        await bench.ticks.publish(tick(2))
        await bench.events.publish(deposited("0xa", 1, 100))
        await trio.sleep(0.01)
        asked_at = trio.current_time()
    assert trio.current_time() - asked_at <= LAST_WITHIN_S
    assert bench.store.balance("0xa") is None
