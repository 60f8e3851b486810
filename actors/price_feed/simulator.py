"""The simulator: a source that makes its market up (demo mode only)."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Final

from actors.price_feed.pacing import Pace
from domain.simulated_market import PRINTS_MAX, Market, MarketRule, open_market, step
from domain.ticks import Tick
from domain.units import Cents
from protocols.ports import Chance, Clock

IDS_PER_MS: Final = 1_000
"""Ids are made of the time, so that they go on increasing over restarts; 1.7e15 in 2026, which
even a JavaScript number holds exactly."""
assert PRINTS_MAX <= IDS_PER_MS


class Simulator:
    """A TickSource. Its market goes on where it stood when it is connected to again."""

    name: Final = "simulator"
    known_skew_ms: Final = 0
    unreadable: Final = 0

    def __init__(
        self, *, seed: int, price_cents: Cents, rule: MarketRule, clock: Clock, chance: Chance
    ) -> None:
        """A `seed` of 0 means another market each time. ValueError if the price is not above 0."""
        drawn = seed or int.from_bytes(chance.token_bytes(8), "big")
        self._market = open_market(seed=drawn, price_cents=price_cents)
        self._rule = rule
        self._clock = clock

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[AsyncIterator[Tick]]:
        """The endless ticks of the market; never lost."""
        async with aclosing(self._ticks()) as ticks:
            yield ticks

    async def _ticks(self) -> AsyncGenerator[Tick, None]:
        pace = Pace(self._clock)
        began: Market = self._market
        while True:
            self._market, prints = step(self._market, self._rule)
            ts_ms = await pace.wait_until(self._market.elapsed_ms - began.elapsed_ms)
            for index, made in enumerate(prints):
                yield Tick(
                    source=self.name,
                    trade_id=ts_ms * IDS_PER_MS + index,
                    price_cents=made.price_cents,
                    size_e8=made.size_e8,
                    ts_ms=ts_ms,
                    recv_ms=self._clock.now_ms(),
                )
