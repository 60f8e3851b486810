"""The twins of the exchanges: the market they show, and what each fault does to a connection."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from itertools import islice, pairwise
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from domain.ticks import Tick
from protocols.ports import SourceLost
from simulation import draws
from simulation.clock import SteppedClock, step
from simulation.exchange import FALLBACK, PRIMARY, SimulatedExchange
from simulation.market import Geometry, Market, busy_trades, slow_trades
from simulation.scenario import Fault, FaultKind, Scenario
from simulation.trace import Trace
from simulation.world import World
from supervisor import TrioClock

EPOCH_MS = 1_770_100_000_000
GEOMETRY = Geometry(column_ms=5_000, row_cents=1_000)


class Reader:
    """Reads one source as the price feed does, and notes how each connection ended."""

    def __init__(self) -> None:
        self.ticks: list[Tick] = []
        self.losses: list[str] = []

    async def run(self, exchange: SimulatedExchange, index: int) -> None:
        while True:
            try:
                async with exchange.sources[index].connect() as stream:
                    async for tick in stream:
                        self.ticks.append(tick)
                self.losses.append("goodbye")
            except SourceLost as lost:
                self.losses.append(str(lost))
            await trio.sleep(1)


def made_world(seed: int, *faults: Fault) -> World:
    true_clock = TrioClock(EPOCH_MS)
    world = World(
        scenario=Scenario(seed=seed, seconds=600, epoch_ms=EPOCH_MS, faults=faults),
        trace=Trace(),
        folder=Path(),
        true_clock=true_clock,
        clock=SteppedClock(true_clock),
    )
    world.exchange = SimulatedExchange(world)
    return world


def watched(
    *faults: Fault, seconds: float = 60, seed: int = 1
) -> tuple[World, tuple[Reader, Reader]]:
    """A run of the exchange alone, read from both sources."""
    return trio.run(_watched, seed, faults, seconds, clock=MockClock(autojump_threshold=0))


async def _watched(
    seed: int, faults: Sequence[Fault], seconds: float
) -> tuple[World, tuple[Reader, Reader]]:
    world = made_world(seed, *faults)
    readers = Reader(), Reader()
    with trio.move_on_after(seconds):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(world.exchange.trade)
            for index, reader in enumerate(readers):
                nursery.start_soon(reader.run, world.exchange, index)
            for fault in faults:
                nursery.start_soon(at, fault.at_s, world.exchange.strike, fault)
    return world, readers


async def at(at_s: float, strike: Callable[[Fault], Awaitable[None]], fault: Fault) -> None:
    await trio.sleep_until(at_s)
    await strike(fault)


def feed_fault(
    kind: FaultKind, lasts_s: float = 0, *, target: str = PRIMARY, amount: int = 0
) -> Fault:
    return Fault(at_s=20, kind=kind, lasts_s=lasts_s, target=target, amount=amount)


def ids(reader: Reader) -> list[int]:
    return [tick.trade_id for tick in reader.ticks]


def longest_silence_s(reader: Reader) -> float:
    return max(b.recv_ms - a.recv_ms for a, b in pairwise(reader.ticks)) / 1000


# --- the market ----------------------------------------------------------------------------------


def test_market_of_a_seed_is_always_the_same_and_of_two_seeds_is_not() -> None:
    def trades(seed: int) -> object:
        market = Market(draws.stream(seed, "market"), 6_500_000)
        made = busy_trades(draws.stream(seed, "p"), market, GEOMETRY, from_ms=EPOCH_MS)
        return list(islice(made, 500))

    assert trades(1) == trades(1) != trades(2)


def test_market_trades_about_twice_a_second_and_falls_on_edges() -> None:
    market = Market(draws.stream(5, "market"), 6_500_000)
    trades = list(
        islice(busy_trades(draws.stream(5, "p"), market, GEOMETRY, from_ms=EPOCH_MS), 8_000)
    )
    seconds = (trades[-1].ts_ms - EPOCH_MS) / 1000
    assert 1.2 < len(trades) / seconds < 3.5
    assert all(a.ts_ms <= b.ts_ms and a.trade_id < b.trade_id for a, b in pairwise(trades))
    assert max(b.ts_ms - a.ts_ms for a, b in pairwise(trades)) < 3_000
    counts = Counter[str]()
    for before, trade in pairwise(trades):
        counts["row edge"] += trade.price_cents % 1_000 == 0
        counts["column edge"] += trade.ts_ms % 5_000 == 0
        counts["last moment"] += trade.ts_ms % 5_000 == 4_999
        counts["same moment"] += before.ts_ms == trade.ts_ms
        counts["over a row"] += abs(before.price_cents - trade.price_cents) > 1_000
    assert min(counts.values()) > 50, counts


def test_slow_exchange_has_a_price_of_its_own() -> None:
    market = Market(draws.stream(5, "market"), 6_500_000)
    trades = list(islice(slow_trades(draws.stream(5, "s"), market, from_ms=EPOCH_MS), 100))
    assert len({trade.price_cents for trade in trades}) > 30
    assert min(b.ts_ms - a.ts_ms for a, b in pairwise(trades)) >= 500
    assert max(b.ts_ms - a.ts_ms for a, b in pairwise(trades)) < 3_000


# --- the connection, and what can fail on it ------------------------------------------------------


def test_ticks_arrive_soon_and_in_order() -> None:
    world, (primary, fallback) = watched()
    assert not primary.losses
    assert not fallback.losses
    assert ids(primary) == sorted(ids(primary))
    assert {tick.source for tick in fallback.ticks} == {FALLBACK}
    assert all(0 <= tick.recv_ms - tick.ts_ms < 200 for tick in primary.ticks)
    assert world.exchange.sources[0].sent == primary.ticks


def test_silence_holds_trades_back_and_they_come_at_once() -> None:
    world, (primary, fallback) = watched(feed_fault(FaultKind.FEED_SILENCE, 6))
    _, (untouched, _) = watched()
    assert world.counts == {"fault.feed_silence": 1}
    assert 5 < longest_silence_s(primary) < 8
    assert longest_silence_s(fallback) < 3
    assert ids(primary) == ids(untouched)


def test_long_silence_loses_the_connection_and_the_trades() -> None:
    world, (primary, _) = watched(feed_fault(FaultKind.FEED_SILENCE, 15))
    _, (untouched, _) = watched()
    assert primary.losses == ["no trade in 10.0 s"]
    assert world.counts["fault.feed_silence"] == 1
    assert len(ids(primary)) < len(ids(untouched))


def test_lost_connection_does_not_come_about_again_for_its_time() -> None:
    world, (primary, fallback) = watched(feed_fault(FaultKind.FEED_LOST, 8, target=""))
    assert world.counts["fault.feed_lost"] == 1
    for reader in (primary, fallback):
        assert len(reader.losses) >= 1
        assert 8 < longest_silence_s(reader) < 21


def test_gap_leaves_trades_out() -> None:
    world, (primary, _) = watched(feed_fault(FaultKind.FEED_GAP, 4))
    _, (untouched, _) = watched()
    assert world.counts["fault.feed_gap"] == 1
    missing = set(ids(untouched)) - set(ids(primary))
    assert missing
    assert set(ids(primary)) < set(ids(untouched))


def test_duplicates_come_again() -> None:
    world, (primary, _) = watched(feed_fault(FaultKind.FEED_DUPLICATES, 20))
    _, (untouched, _) = watched()
    assert world.counts["fault.feed_duplicates"] == 1
    assert max(Counter(ids(primary)).values()) > 1
    assert set(ids(primary)) == set(ids(untouched))


def test_reordered_trades_come_after_their_successors_and_none_is_lost() -> None:
    world, (primary, _) = watched(feed_fault(FaultKind.FEED_REORDER, 20))
    _, (untouched, _) = watched()
    assert world.counts["fault.feed_reorder"] == 1
    assert ids(primary) != ids(untouched)
    assert sorted(ids(primary)) == ids(untouched)


@pytest.mark.parametrize(("lasts_s", "spikes"), [(0, (1, 1)), (12, (5, 60))])
def test_spike_moves_one_trade_or_all_of_its_time(lasts_s: float, spikes: tuple[int, int]) -> None:
    world, (primary, _) = watched(feed_fault(FaultKind.FEED_SPIKE, lasts_s, amount=500))
    _, (untouched, _) = watched()
    assert world.counts["fault.feed_spike"] == 1
    moved = [
        tick.price_cents / true.price_cents
        for tick, true in zip(primary.ticks, untouched.ticks, strict=True)
        if tick.price_cents != true.price_cents
    ]
    assert spikes[0] <= len(moved) <= spikes[1]
    assert moved == pytest.approx([1.05] * len(moved), abs=1e-4)


def test_lag_delays_and_keeps_the_order() -> None:
    world, (primary, _) = watched(feed_fault(FaultKind.FEED_LAG, 10, amount=1_500))
    _, (untouched, _) = watched()
    assert world.counts["fault.feed_lag"] == 1
    lags = [tick.recv_ms - tick.ts_ms for tick in primary.ticks]
    assert 1_500 < max(lags) < 2_000
    assert lags[-1] < 200
    assert ids(primary) == ids(untouched)


def test_fault_without_anybody_connected_took_no_effect() -> None:
    async def run() -> World:
        world = made_world(1)
        with trio.move_on_after(30):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(world.exchange.trade)
                nursery.start_soon(world.exchange.strike, feed_fault(FaultKind.FEED_GAP, 5))
        return world

    assert not trio.run(run, clock=MockClock(autojump_threshold=0)).counts


def test_exchange_that_is_not_read_hangs_up() -> None:
    async def run() -> None:
        world = made_world(1)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(world.exchange.trade)
            async with world.exchange.sources[0].connect() as stream:
                await trio.sleep(1_200)
                with pytest.raises(SourceLost, match="it is not read"):
                    async for _ in stream:
                        pass
            nursery.cancel_scope.cancel()

    trio.run(run, clock=MockClock(autojump_threshold=0))


def test_faults_end_with_the_calm() -> None:
    async def run() -> float:
        world = made_world(1)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(world.exchange.strike, feed_fault(FaultKind.FEED_SILENCE, 1_000))
            nursery.start_soon(step, world, feed_fault(FaultKind.CLOCK_BACK, 0, amount=500))
            await trio.sleep(25)
            assert world.clock.off_by_ms == -500
            world.calm.set()
        assert world.clock.off_by_ms == 0
        return trio.current_time()

    assert trio.run(run, clock=MockClock(autojump_threshold=0)) == 25


def test_clock_is_stepped_and_put_right() -> None:
    async def run() -> None:
        world = made_world(1)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(step, world, feed_fault(FaultKind.CLOCK_FORWARD, 3, amount=4_000))
            await trio.sleep(1)
            assert world.clock.now_ms() == world.true_clock.now_ms() + 4_000
        assert world.clock.now_ms() == world.true_clock.now_ms() == EPOCH_MS + 3_000

    trio.run(run, clock=MockClock(autojump_threshold=0))
