"""The twin of the exchange: a market made up from the seed, and a connection that can fail."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import trio

from domain.ticks import Tick
from simulation.scenario import Fault
from simulation.world import World

SEND_MAX: Final = 1_000


class SimulatedExchange:
    """The market goes on whatever the venue does; each process connects to it anew."""

    name: Final = "simulated"
    known_skew_ms: Final = 0
    unreadable: Final = 0

    def __init__(self, world: World) -> None:
        self._world = world
        self._draws = world.draws("market")
        self._connections: dict[int, trio.MemorySendChannel[Tick]] = {}
        self._last_id = 0
        self.price_cents = 6_500_000

    async def trade(self) -> None:
        """The market, for as long as the run lasts: a trade about every half second."""
        while True:
            await trio.sleep(self._draws.uniform(0.2, 0.8))
            self.price_cents += self._draws.whole(-400, 400)
            self._last_id += 1
            now_ms = self._world.true_clock.now_ms()
            for send in self._connections.values():
                with suppress(trio.WouldBlock):
                    send.send_nowait(
                        Tick(
                            source=self.name,
                            trade_id=self._last_id,
                            price_cents=self.price_cents,
                            size_e8=1_000_000,
                            ts_ms=now_ms,
                            recv_ms=self._world.clock.now_ms(),
                        )
                    )

    async def strike(self, fault: Fault) -> None:
        """Let it fail that way, for as long as it lasts."""

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[AsyncIterator[Tick]]:
        """One connection of the price feed."""
        send, receive = trio.open_memory_channel[Tick](SEND_MAX)
        number = self._last_id
        self._connections[number] = send
        try:
            yield receive
        finally:
            del self._connections[number]
