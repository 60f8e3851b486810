"""The twins of two exchanges: their trades on the way to the venue, and all that can fail there.

A source is what `actors/price_feed/exchange.py` is to the venue: one connection at a time, ticks
stamped when they are read, SourceLost when it ends. Trades go on whatever the venue does; a process
that connects gets those from then on. What a fault does, it does to one source or (no target) to
both, and it is counted when it has really changed what a connection gets to see.
"""

from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Final

import attrs
import trio

from actors.price_feed.exchange import Patience
from domain.ticks import Tick
from protocols.ports import SourceLost
from simulation.draws import Draws
from simulation.market import Geometry, Market, Trade, busy_trades, slow_trades
from simulation.scenario import Fault, FaultKind
from simulation.world import World

PRIMARY: Final = "primary"
FALLBACK: Final = "fallback"
PRICE_CENTS: Final = 6_500_000
UNREAD_MAX: Final = 1_000
"""Trades on a connection that the venue does not read; then the exchange hangs up."""
MUTE_MAX_S: Final = Patience().trade_s
"""A connection that is open but mute counts as lost."""
CONNECT_MAX_S: Final = Patience().connect_s
LATENCY_S: Final = (0.004, 0.06)
SPIKE_WITHIN_S: Final = 5.0
"""In which the one trade comes that is off."""
RECENT: Final = 20
"""Trades that may come again."""


class SimulatedExchange:
    """The market and the two sources that show it, in the order of their priority."""

    def __init__(self, world: World) -> None:
        self._world = world
        market = Market(world.draws("market"), PRICE_CENTS)
        geometry, from_ms = Geometry.of(world.scenario.settings), world.scenario.epoch_ms
        busy = busy_trades(world.draws(PRIMARY), market, geometry, from_ms=from_ms)
        slow = slow_trades(world.draws(FALLBACK), market, from_ms=from_ms)
        self.sources: Final = (
            SimulatedSource(world, PRIMARY, busy),
            SimulatedSource(world, FALLBACK, slow),
        )

    async def trade(self) -> None:
        """The market, for as long as the run lasts."""
        async with trio.open_nursery() as nursery:
            for source in self.sources:
                nursery.start_soon(source.trade)

    async def strike(self, fault: Fault) -> None:
        """Let the source of that name fail, or both, for as long as the fault lasts."""
        struck = Struck(world=self._world, kind=fault.kind)
        async with trio.open_nursery() as nursery:
            for source in self.sources:
                if fault.target in ("", source.name):
                    nursery.start_soon(source.strike, fault, struck)


@attrs.define(kw_only=True, eq=False)
class Struck:
    """One fault in force; says once that it has taken effect."""

    world: World
    kind: FaultKind
    is_felt: bool = False

    def felt(self, source: str) -> None:
        """It changed what the venue gets to see."""
        if not self.is_felt:
            self.is_felt = True
            self.world.fault_took_effect(self.kind, source)


@attrs.define(kw_only=True, eq=False)
class _Connection:
    """One that the venue holds."""

    send: trio.MemorySendChannel[Trade]
    why_lost: str = ""
    """Empty: the other side said goodbye."""

    def lose(self, why: str) -> None:
        self.why_lost = why
        self.send.close()


class SimulatedSource:
    """A TickSource: one exchange, and what its trades go through on the way."""

    known_skew_ms: Final = 0
    unreadable: Final = 0

    def __init__(self, world: World, name: str, trades: Iterator[Trade]) -> None:
        self._world = world
        self._trades = trades
        self._draws = world.draws("connections", name)
        self._connections: list[_Connection] = []
        self._recent: deque[Trade] = deque(maxlen=RECENT)
        self._late: deque[tuple[float, Trade]] = deque()
        """With the time at which each arrives; while the source lags, and a little longer."""
        self._kept: list[Trade] = []
        """Held back by a silence."""
        self._behind: list[Trade] = []
        """To come after one that they were before."""
        self._in_force: list[tuple[Fault, Struck, Draws]] = []
        self.name = name
        self.sent: list[Tick] = []
        """All that the venue has read, in that order."""

    async def trade(self) -> None:
        """Its trades reach whoever is connected, one by one."""
        arrives_at = 0.0
        for trade in self._trades:
            happens_at = (trade.ts_ms - self._world.scenario.epoch_ms) / 1000
            arrives_at = max(arrives_at, happens_at + self._draws.uniform(*LATENCY_S))
            await self._bring_late_ones(arrives_at)
            await trio.sleep_until(arrives_at)
            self._recent.append(trade)
            self._pass_on(trade)

    async def strike(self, fault: Fault, struck: Struck) -> None:
        """Fail that way, for as long as it lasts."""
        draws = self._world.draws("feed", self.name, fault.kind.value, fault.at_s)
        mine = (fault, struck, draws)
        self._in_force.append(mine)
        match fault.kind:
            case FaultKind.FEED_LOST:
                self._lose_all("reset by the exchange" if draws.happens(0.5) else "", struck)
                await self._world.lasting(fault.lasts_s)
            case FaultKind.FEED_SILENCE:
                await self._be_mute(fault, struck)
            case FaultKind.FEED_SPIKE:
                await self._world.lasting(fault.lasts_s or SPIKE_WITHIN_S)
            case _:
                await self._world.lasting(fault.lasts_s)
        self._in_force.remove(mine)
        self._send_all(self._kept)
        self._send_all(self._behind)

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[AsyncIterator[Tick]]:
        """One connection of the price feed."""
        await trio.sleep(self._draws.uniform(0.01, 0.3))
        await self._refuse_if_lost()
        send, receive = trio.open_memory_channel[Trade](UNREAD_MAX)
        connection = _Connection(send=send)
        self._connections.append(connection)
        try:
            yield _Ticks(self, connection, receive)
        finally:
            self._connections.remove(connection)
            receive.close()

    def tick(self, trade: Trade) -> Tick:
        """The trade as the venue reads it now."""
        tick = Tick(
            source=self.name,
            trade_id=trade.trade_id,
            price_cents=trade.price_cents,
            size_e8=trade.size_e8,
            ts_ms=trade.ts_ms,
            recv_ms=self._world.clock.now_ms(),
        )
        self.sent.append(tick)
        self._world.trace.add("tick", self.name, tick.trade_id, tick.price_cents, tick.ts_ms)
        return tick

    async def _refuse_if_lost(self) -> None:
        for fault, struck, draws in self._in_force:
            if fault.kind is FaultKind.FEED_LOST:
                struck.felt(self.name)
                if draws.happens(0.2):
                    await trio.sleep(CONNECT_MAX_S)
                raise SourceLost("connection refused")

    async def _be_mute(self, fault: Fault, struck: Struck) -> None:
        left_s = fault.lasts_s
        while left_s > 0 and not self._world.calm.is_set():
            await self._world.lasting(min(left_s, MUTE_MAX_S))
            left_s -= MUTE_MAX_S
            if left_s > 0:
                self._kept.clear()
                self._lose_all(f"no trade in {MUTE_MAX_S} s", struck)

    def _lose_all(self, why: str, struck: Struck) -> None:
        for connection in self._connections:
            struck.felt(self.name)
            connection.lose(why)

    async def _bring_late_ones(self, until: float) -> None:
        while self._late and self._late[0][0] <= until:
            await trio.sleep_until(self._late[0][0])
            self._send(self._late.popleft()[1])

    def _send_all(self, trades: list[Trade]) -> None:
        for trade in trades:
            self._send(trade)
        trades.clear()

    def _pass_on(self, trade: Trade) -> None:
        """Through all faults in force, in the order in which they began."""
        again: list[Trade] = []
        late_s = 0.0
        for fault, struck, draws in tuple(self._in_force):
            if not self._connections:
                break
            match fault.kind:
                case FaultKind.FEED_GAP:
                    struck.felt(self.name)
                    return
                case FaultKind.FEED_SILENCE:
                    struck.felt(self.name)
                    self._kept.append(trade)
                    return
                case FaultKind.FEED_REORDER if len(self._behind) < 3 and draws.happens(0.4):
                    self._behind.insert(0, trade)
                    return
                case FaultKind.FEED_DUPLICATES if draws.happens(0.5):
                    struck.felt(self.name)
                    again.append(draws.one_of((trade, *self._recent)))
                case FaultKind.FEED_SPIKE if fault.lasts_s > 0 or not struck.is_felt:
                    struck.felt(self.name)
                    off_cents = trade.price_cents * fault.amount // 10_000
                    trade = attrs.evolve(trade, price_cents=trade.price_cents + off_cents)
                case FaultKind.FEED_LAG:
                    struck.felt(self.name)
                    late_s += fault.amount / 1000
                case _:
                    pass
        for one in (trade, *again):
            self._send_in_time(one, late_s)
        self._bring_out_of_order()

    def _bring_out_of_order(self) -> None:
        """What was kept comes now, behind its successor."""
        for fault, struck, _ in self._in_force:
            if fault.kind is FaultKind.FEED_REORDER and self._behind:
                struck.felt(self.name)
                self._send_all(self._behind)

    def _send_in_time(self, trade: Trade, late_s: float) -> None:
        if late_s == 0 and not self._late:
            self._send(trade)
            return
        behind = self._late[-1][0] if self._late else 0.0
        self._late.append((max(behind, trio.current_time() + late_s), trade))

    def _send(self, trade: Trade) -> None:
        for connection in self._connections:
            try:
                connection.send.send_nowait(trade)
            except trio.WouldBlock:
                self._world.happened("feed_not_read", self.name)
                connection.lose("it is not read")
            except (trio.ClosedResourceError, trio.BrokenResourceError):
                pass  # lost, and the venue has not noticed yet


class _Ticks:
    """The ticks of one connection."""

    def __init__(
        self,
        source: SimulatedSource,
        connection: _Connection,
        receive: trio.MemoryReceiveChannel[Trade],
    ) -> None:
        self._source = source
        self._connection = connection
        self._receive = receive

    def __aiter__(self) -> AsyncIterator[Tick]:
        return self

    async def __anext__(self) -> Tick:
        try:
            return self._source.tick(await self._receive.receive())
        except trio.EndOfChannel:
            if self._connection.why_lost:
                raise SourceLost(self._connection.why_lost) from None
            raise StopAsyncIteration from None
