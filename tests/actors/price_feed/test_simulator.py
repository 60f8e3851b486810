"""The simulator: the simulated market, played against the clock."""

import itertools

import pytest
import trio
from trio.testing import MockClock

from actors.price_feed.simulator import Simulator
from domain.simulated_market import MarketRule
from domain.ticks import Acceptance, Tick, accept
from supervisor import SeededChance, TrioClock

EPOCH_MS = 1_780_000_000_000
CLOCK = TrioClock(EPOCH_MS)


def simulator(seed: int, chance_seed: int = 1) -> Simulator:
    return Simulator(
        seed=seed,
        price_cents=6_500_000,
        rule=MarketRule(),
        clock=CLOCK,
        chance=SeededChance(chance_seed),
    )


async def played(source: Simulator, count: int) -> list[Tick]:
    """The next ticks, on a connection of their own."""
    found = []
    async with source.connect() as ticks:
        async for tick in ticks:
            found.append(tick)
            if len(found) == count:
                break
    return found


def left_out(ticks: list[Tick]) -> int:
    """How many of these would not enter the record."""
    state, count = Acceptance(), 0
    for tick in ticks:
        state, accepted = accept(state, tick, jump_max_bps=100)
        count += accepted.ticks != (tick,)
    return count


async def test_a_tick_happens_when_it_comes(autojump_clock: MockClock) -> None:
    source = simulator(7)
    async with source.connect() as ticks:
        for _ in range(200):
            tick = await anext(ticks)
            assert tick.source == "simulator"
            assert tick.ts_ms == tick.recv_ms == CLOCK.now_ms()
    assert trio.current_time() == pytest.approx(200 / 8, rel=0.5)


async def test_every_tick_enters_the_record(autojump_clock: MockClock) -> None:
    ticks = await played(simulator(7), 1_000)
    assert left_out(ticks) == 0
    assert all(b.trade_id > a.trade_id for a, b in itertools.pairwise(ticks))


async def test_the_same_seed_gives_the_same_ticks(autojump_clock: MockClock) -> None:
    first = await played(simulator(7), 100)
    second = await played(simulator(7), 100)
    assert [tick.price_cents for tick in first] == [tick.price_cents for tick in second]


async def test_seed_zero_is_drawn_from_chance(autojump_clock: MockClock) -> None:
    drawn = [await played(simulator(0, chance_seed), 20) for chance_seed in (1, 1, 2)]
    prices = [[tick.price_cents for tick in ticks] for ticks in drawn]
    assert prices[0] == prices[1]
    assert prices[0] != prices[2]


async def test_a_new_connection_goes_on_with_the_market(autojump_clock: MockClock) -> None:
    source = simulator(7)
    before = await played(source, 500)
    after = await played(source, 500)
    assert left_out([*before, *after]) == 0
    jump = abs(after[0].price_cents - before[-1].price_cents)
    assert jump < 6_500_000 * 0.002


async def test_ids_increase_over_restarts_of_the_venue(autojump_clock: MockClock) -> None:
    before = await played(simulator(7), 50)
    after = await played(simulator(7), 50)
    assert after[0].trade_id > before[-1].trade_id
    assert after[-1].trade_id < 2**53, "a JavaScript number holds it"
