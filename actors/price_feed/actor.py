"""The PriceFeed: keeps every source connected, and lets the active one's ticks into the record.

One task per source connects, hands its ticks on, and connects again after a pause when it is lost.
One loop takes the ticks in turn and decides, by `domain.failover` which source counts and by
`domain.ticks` which tick enters the record. An accepted tick goes to the recorder first and is
published after, so that nobody acts on a price that will not be on record.

The Watch of source states outlives a life of this actor: the next one counts on from it, and does
not accept again what the last one accepted. What that one accepted and could not send any more is
missing: a life begins by telling the recorder so.
"""

from collections.abc import Sequence
from typing import Final

import attrs
import structlog
import trio

from actors.price_feed.states import States
from domain.failover import Failover, FailoverRule, begin, choose, hear, lose
from domain.ticks import AHEAD_MAX_MS, Acceptance, Tick, accept
from domain.units import Bps
from protocols.market import FeedBegan, RecordEntry, SourceState
from protocols.ports import Chance, Clock, SourceLost, TickSource
from supervisor import Life, Mailbox, Topic, Watch

ARRIVALS_MAX: Final = 256
"""Ticks between the sources and the loop. When the recorder holds us up they fill, then the
sources' own buffers, and then the exchange is no longer read: nothing grows."""
SHOW_EVERY_S: Final = 1.0

log = structlog.get_logger("price_feed")


@attrs.frozen(kw_only=True)
class FeedSettings:
    """What the PriceFeed goes by."""

    jump_max_bps: Bps = 100
    """A tick further than this from the last accepted one waits for a second one near it."""
    failover: FailoverRule = attrs.field(factory=FailoverRule)
    reconnect_min_s: float = 1.0
    reconnect_max_s: float = 60.0


async def run(
    life: Life,
    *,
    sources: Sequence[TickSource],
    recorder: Mailbox[RecordEntry],
    ticks: Topic[Tick],
    source_states: Watch[tuple[SourceState, ...]],
    clock: Clock,
    chance: Chance,
    settings: FeedSettings,
) -> None:
    """Feed the venue from `sources`, which stand in priority order, until asked to stop.

    Each accepted tick is sent to `recorder`, waiting for room, then published on `ticks`.
    """
    feed = _Feed(sources, source_states, settings)
    send_arrivals, arrivals = trio.open_memory_channel[tuple[int, Tick]](ARRIVALS_MAX)
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_cancel_when_stopping, life, nursery.cancel_scope)
            for index in range(len(sources)):
                nursery.start_soon(_keep_connected, feed, index, send_arrivals, chance)
            life.ready()  # before the recorder starts, which alone makes room in a full mailbox
            with life.idle():
                await recorder.send(FeedBegan())
            while True:
                for tick in feed.take(await _next_arrival(life, arrivals)):
                    with life.idle():  # a recorder that hangs is not our hang
                        await recorder.send(tick)
                        await ticks.publish(tick)
                feed.show_in_time()
    finally:
        feed.end()


async def _cancel_when_stopping(life: Life, scope: trio.CancelScope) -> None:
    await life.stopping.wait()
    scope.cancel()


async def _next_arrival(
    life: Life, arrivals: trio.MemoryReceiveChannel[tuple[int, Tick]]
) -> tuple[int, Tick] | None:
    """The next tick with its source's index; None if none comes for a while."""
    with trio.move_on_after(SHOW_EVERY_S), life.idle():
        return await arrivals.receive()
    return None


async def _keep_connected(
    feed: "_Feed",
    index: int,
    arrivals: trio.MemorySendChannel[tuple[int, Tick]],
    chance: Chance,
) -> None:
    """Connect, hand on what comes, and again, with growing pauses while it does not hold."""
    failures = 0
    settings = feed.settings
    while True:
        steady = await _one_connection(feed, index, arrivals)
        failures = 1 if steady else failures + 1
        await trio.sleep(
            reconnect_delay_s(
                failures,
                chance.random(),
                min_s=settings.reconnect_min_s,
                max_s=settings.reconnect_max_s,
            )
        )


async def _one_connection(
    feed: "_Feed", index: int, arrivals: trio.MemorySendChannel[tuple[int, Tick]]
) -> bool:
    """From connecting to its loss; whether it ticked for a stable minute."""
    first_tick_at: float | None = None
    why = "it ended"
    try:
        async with feed.sources[index].connect() as stream:
            feed.connected(index)
            async for tick in stream:
                if first_tick_at is None:
                    first_tick_at = trio.current_time()
                await arrivals.send((index, tick))
    except SourceLost as lost:
        why = str(lost)
    feed.lost(index, why)
    if first_tick_at is None:
        return False
    return (trio.current_time() - first_tick_at) * 1000 >= feed.settings.failover.steady_ms


def reconnect_delay_s(failures: int, draw: float, *, min_s: float, max_s: float) -> float:
    """Full jitter between `min_s` and a ceiling that doubles with each failure up to `max_s`.

    `failures` in a row, from 1; `draw` is even from [0, 1). So sources that were lost together
    don't come back together, and an exchange that is down is not asked more than once a second.
    """
    ceiling_s = min(max_s, min_s * 2.0 ** min(failures, 30))
    return min_s + draw * (ceiling_s - min_s)


class _Feed:
    """What the tasks of one life share: which source is active and what was accepted."""

    def __init__(
        self,
        sources: Sequence[TickSource],
        source_states: Watch[tuple[SourceState, ...]],
        settings: FeedSettings,
    ) -> None:
        if not sources:
            raise ValueError("a price feed needs a source")
        self.sources = sources
        self.settings = settings
        self._states = States(sources, source_states)
        self._acceptance = Acceptance(last=self._states.last_tick())
        self._failover: Failover = begin(len(sources), now_ms=_steady_ms())
        self._show_at = trio.current_time()

    def take(self, arrival: tuple[int, Tick] | None) -> Sequence[Tick]:
        """The ticks that enter the record now that this one has come."""
        if arrival is None:
            return ()
        index, tick = arrival
        self._states.heard(index, tick)
        if index != self._failover.active and self._is_fresh(index, tick):
            self._hear(index)
            self._switch()
        return self._accept(index, tick) if index == self._failover.active else ()

    def connected(self, index: int) -> None:
        """The source answers."""
        log.info("source_connected", source=self.sources[index].name)
        self._states.connected(index)
        self.show()

    def lost(self, index: int, why: str) -> None:
        """The source's connection ended, or never came about."""
        log.warning("source_lost", source=self.sources[index].name, why=why)
        self._states.lost(index, why)
        self._failover = lose(self._failover, index)
        self.show()

    def show_in_time(self) -> None:
        """Show the states if that is due."""
        if trio.current_time() >= self._show_at:
            self._show_at = trio.current_time() + SHOW_EVERY_S
            self.show()

    def show(self) -> None:
        """Show the states now, and log what was rejected."""
        self._states.show(active=self._failover.active)

    def end(self) -> None:
        """This life is over, and with it every connection."""
        self._states.disconnected()
        self.show()

    def _accept(self, index: int, tick: Tick) -> Sequence[Tick]:
        self._acceptance, accepted = accept(
            self._acceptance,
            tick,
            jump_max_bps=self.settings.jump_max_bps,
            ahead_max_ms=AHEAD_MAX_MS - self.sources[index].known_skew_ms,
        )
        self._states.accepted(index, accepted)
        if accepted.ticks and self._is_fresh(index, tick):
            self._hear(index)
        return accepted.ticks

    def _is_fresh(self, index: int, tick: Tick) -> bool:
        """A source that sends old trades over again is as good as silent."""
        lag_ms = tick.recv_ms - tick.ts_ms - self.sources[index].known_skew_ms
        return -AHEAD_MAX_MS <= lag_ms < self.settings.failover.silent_after_ms

    def _hear(self, index: int) -> None:
        rule = self.settings.failover
        self._failover = hear(self._failover, index, now_ms=_steady_ms(), rule=rule)

    def _switch(self) -> None:
        before = self._failover.active
        rule = self.settings.failover
        self._failover = choose(self._failover, now_ms=_steady_ms(), rule=rule)
        if self._failover.active != before:
            log.warning(
                "source_switched",
                source=self.sources[self._failover.active].name,
                before=self.sources[before].name,
            )
            self.show()


def _steady_ms() -> int:
    """Milliseconds of trio's clock, which never steps: a silence is not a fact to be stamped."""
    return round(trio.current_time() * 1000)
