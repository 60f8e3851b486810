"""The price feed's duties and the level it is on, held against `simulation.oracle.feed`.

Every tick that is accepted was read from an exchange, comes once and in order, and none is far from
the one before unless another confirms it. The level that gates betting is that of the rules.
"""

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from domain.ticks import Tick
from protocols.market import FeedLevel, Override
from protocols.money import BetConfirmed, LedgerCommand, MoneyOutcome
from simulation.observers.lives import CLOCKS, SLOWING, Lives
from simulation.oracle.feed import LOOKS_EVERY_MS, FeedOracle
from simulation.witness import Observer
from simulation.world import World
from supervisor import ExitReport

if TYPE_CHECKING:
    from simulation.process import VenueProcess

AHEAD_MAX_MS: Final = 2_000
KEPT_TICKS: Final = 4_000
SETTLED_MS: Final = 3_000
"""After a start or a crash the monitor may still be busy."""
LAST_MINUTE_S: Final = 75
"""The record's last minute, and the silence that it begins in."""


class FeedObserver(Observer):
    """Hears every accepted tick."""

    def __init__(self, world: World, lives: Lives) -> None:
        self._world = world
        self._lives = lives
        self.oracle = FeedOracle()
        self.accepted: deque[Tick] = deque(maxlen=KEPT_TICKS)
        """In force: without those that came behind the record's end after a restart."""
        self.behind: deque[Tick] = deque(maxlen=KEPT_TICKS)
        self._of_process = 0
        self._newest: Tick | None = None
        """Of this process."""
        self._jumped: tuple[Tick, int] | None = None
        self._read: dict[str, dict[tuple[int, int, int], None]] = {}
        self._read_up_to: dict[str, int] = {}
        self._looked_ms = self._true_ms()
        self.ended_in_drains_ms: deque[int] = deque(maxlen=KEPT_TICKS)
        """When a monitor ended while the venue was draining, true time."""
        self._closed_at_ms = -(1 << 62)
        """When an override was last seen to close the breaker by hand."""

    # --- lives ------------------------------------------------------------------------------

    def starting(self, process: "VenueProcess") -> None:
        self._newest = self._jumped = None
        self._begin(is_process=True)

    def venue_ended(self, process: "VenueProcess", how: str) -> None:
        self.oracle.process_ended(self._true_ms())

    def actor_ended(self, process: "VenueProcess", ended: ExitReport) -> None:
        if ended.child.endswith("price_feed"):
            self._jumped = None  # the tick that was to confirm it may have ended with that life
        if not ended.child.endswith("health_monitor"):
            return
        if process.is_up:
            self._begin(is_process=False)
        else:
            # Mostly for good; but an order to restart it may still be carried out.
            self.ended_in_drains_ms.append(self._true_ms())

    # --- ticks ------------------------------------------------------------------------------

    def ticked(self, process: "VenueProcess", tick: Tick) -> None:
        if process.is_dead:
            return
        self._world.counts["tick"] += 1
        self._check_level(process)
        self._check_was_read(tick)
        self._check_order(tick)
        self._check_jump(process, tick)
        self._newest = tick
        last = self.accepted[-1] if self.accepted else None
        if last is not None and _is_behind(last, tick):
            self.behind.append(tick)
        else:
            self.accepted.append(tick)
        self.oracle.tick(
            tick.source, tick.ts_ms, tick.recv_ms, now_ms=self._now_ms(), at_ms=self._true_ms()
        )

    def _check_was_read(self, tick: Tick) -> None:
        for source in self._world.exchange.sources:
            read = self._read.setdefault(source.name, {})
            done = self._read_up_to.get(source.name, 0)
            for sent in source.sent[done:]:
                read[sent.trade_id, sent.ts_ms, sent.price_cents] = None
            self._read_up_to[source.name] = len(source.sent)
        known = self._read.get(tick.source, {})
        if (tick.trade_id, tick.ts_ms, tick.price_cents) not in known:
            self._world.violated("tick_from_nowhere", tick)

    def _check_order(self, tick: Tick) -> None:
        if self._newest is not None and _is_behind(self._newest, tick):
            self._world.violated("tick_out_of_order", f"{tick} after {self._newest}")
        if tick.ts_ms - tick.recv_ms > AHEAD_MAX_MS:
            self._world.violated("tick_from_the_future", tick)

    def _check_jump(self, process: "VenueProcess", tick: Tick) -> None:
        bound_bps = process.settings.feed.jump_max_bps
        if self._jumped is not None:
            off, at_ms = self._jumped
            if _jump_bps(off, tick) > bound_bps or self._true_ms() - at_ms > SETTLED_MS:
                self._world.violated("jump_not_confirmed", f"{off}, then {tick}")
            self._jumped = None
        elif self._newest is not None and _jump_bps(self._newest, tick) > bound_bps:
            self._world.counts["jump_confirmed"] += 1
            self._jumped = tick, self._true_ms()

    # --- the level --------------------------------------------------------------------------

    def _check_level(self, process: "VenueProcess") -> None:
        """As it is shown just before a tick arrives: the monitor has had time to look."""
        status = process.channels.feed.value
        if status.override is Override.CLOSE:
            self._closed_at_ms = self._true_ms()
        self._look()
        if not process.is_up or not self._is_quiet() or self._lives.paused_within(SETTLED_MS):
            return
        until_ms = self._true_ms()
        from_ms = until_ms - LOOKS_EVERY_MS
        shown = status.level is FeedLevel.CRITICAL
        if shown and not self.oracle.may_be_critical(from_ms, until_ms + 1):
            self._world.violated("feed_level_wrong", f"CRITICAL without reason: {status}")
        if not shown and self.oracle.lenient.is_critical:
            since_ms = self.oracle.lenient.since_ms
            if since_ms < from_ms:
                self._world.violated(
                    "feed_level_wrong", f"not CRITICAL, since {since_ms}: {status}"
                )
        self._world.counts["level_checked"] += 1

    def committed(
        self,
        process: "VenueProcess",
        commands: Sequence[LedgerCommand],
        outcomes: Sequence[MoneyOutcome],
        at_ms: int,
    ) -> None:
        self._look()
        for outcome in outcomes:
            if isinstance(outcome, BetConfirmed):
                self._check_bet(process, outcome)

    def _check_bet(self, process: "VenueProcess", bet: BetConfirmed) -> None:
        """None is judged while the feed is CRITICAL, unless an operator has closed the breaker."""
        if process.channels.feed.value.override is Override.CLOSE:
            self._closed_at_ms = self._true_ms()
        offsets = self._lives.offsets_ms(30_000)
        if len(offsets) != 1 or self._closed_at_ms > self._true_ms() - 30_000:
            return
        judged_ms = bet.placed_at_ms - offsets[0]
        lenient = self.oracle.lenient
        since = [lenient.since_ms] if lenient.is_critical else []
        until = [self._true_ms()] if lenient.is_critical else []
        since += [begun for begun, _ in lenient.stretches]
        until += [ended for _, ended in lenient.stretches]
        for begun_ms, ended_ms in zip(since, until, strict=True):
            if begun_ms + LOOKS_EVERY_MS < judged_ms < ended_ms - 1:
                self._world.violated("bet_while_critical", f"{bet}; CRITICAL since {begun_ms}")

    def _begin(self, *, is_process: bool) -> None:
        """A life begins, of the whole process or of the monitor alone."""
        self._look()
        self.oracle.begin(
            self._true_ms(),
            is_process=is_process,
            is_sure=self._is_sure(),
            runs_from_ms=self._lives.slowed_until_ms() + LOOKS_EVERY_MS,
        )

    def _look(self) -> None:
        """Time has passed for the oracle, too."""
        true_ms = self._true_ms()
        for at_ms in self._lives.clock_steps_ms(self._looked_ms, true_ms):
            self.oracle.clock_stepped(at_ms)
        self._looked_ms = true_ms
        is_seen = len(self._lives.offsets_ms(LOOKS_EVERY_MS)) == 1
        self.oracle.look(self._now_ms(), true_ms, is_seen=is_seen)

    def _is_sure(self) -> bool:
        """Does the record hold, to the second, what was accepted in its last minute?

        What a recorder could not write before it was killed is a gap of the record only.
        """
        is_whole = not self._lives.disturbed(SLOWING, back_s=LAST_MINUTE_S)
        return self._is_quiet() and is_whole

    def _is_quiet(self) -> bool:
        """Nothing is in force that hides when the monitor looked, or what the record holds."""
        return len(self._lives.offsets_ms(5_000)) == 1 and not self._lives.disturbed(
            SLOWING | CLOCKS, back_s=5
        )

    def _now_ms(self) -> int:
        return self._world.clock.now_ms()

    def _true_ms(self) -> int:
        return self._world.true_clock.now_ms()


def _is_behind(before: Tick, tick: Tick) -> bool:
    if tick.source == before.source:
        return (tick.ts_ms, tick.trade_id) <= (before.ts_ms, before.trade_id)
    return tick.ts_ms <= before.ts_ms


def _jump_bps(before: Tick, tick: Tick) -> float:
    return abs(tick.price_cents - before.price_cents) * 10_000 / before.price_cents
