"""A price source that a test feeds by hand."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Final

import trio

from domain.ticks import Tick
from protocols.ports import Clock, SourceLost

PRICE_CENTS: Final = 6_500_000


class HandFed:
    """A TickSource: `tick` sends one, `drop` ends the connection, `refuses` lets none come about.

    Trade ids count up; a tick happens and arrives now unless the test says otherwise.
    """

    unreadable = 0

    def __init__(self, name: str, clock: Clock, *, known_skew_ms: int = 0) -> None:
        self.name = name
        self.known_skew_ms = known_skew_ms
        self.refuses = False
        self.attempts: list[float] = []
        """When it was connected to, by trio's clock."""
        self.open_connections = 0
        self._clock = clock
        self._next_id = 1
        self._send: trio.MemorySendChannel[Tick | SourceLost] | None = None

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[AsyncIterator[Tick]]:
        """One connection, which lasts until the test drops it."""
        self.attempts.append(trio.current_time())
        if self.refuses:
            raise SourceLost("refused")
        self._send, fed = trio.open_memory_channel[Tick | SourceLost](1_000)
        self.open_connections += 1
        try:
            async with aclosing(_until_lost(fed)) as ticks:
                yield ticks
        finally:
            self.open_connections -= 1

    def tick(
        self,
        price_cents: int = PRICE_CENTS,
        *,
        trade_id: int | None = None,
        ts_ms: int | None = None,
        source: str | None = None,
    ) -> Tick:
        """Send a tick; returns it."""
        now_ms = self._clock.now_ms()
        made = Tick(
            source=source or self.name,
            trade_id=self._next_id if trade_id is None else trade_id,
            price_cents=price_cents,
            size_e8=1,
            ts_ms=now_ms if ts_ms is None else ts_ms,
            recv_ms=now_ms,
        )
        self._next_id = max(self._next_id, made.trade_id) + 1
        assert self._send is not None, f"{self.name} is not connected"
        self._send.send_nowait(made)
        return made

    def drop(self, why: str = "dropped") -> None:
        """End the connection, once what was sent has been read."""
        assert self._send is not None, f"{self.name} is not connected"
        self._send.send_nowait(SourceLost(why))


async def _until_lost(
    fed: trio.MemoryReceiveChannel[Tick | SourceLost],
) -> AsyncGenerator[Tick, None]:
    while True:
        message = await fed.receive()
        if isinstance(message, SourceLost):
            raise message
        yield message
