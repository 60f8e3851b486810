"""What was not running, and when: from what the keeper and the supervisors tell, not the record.

Also what an outsider knows of disturbances: faults in force, and where the clock stood.
"""

from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import attrs
import trio

from domain.ticks import Tick
from simulation.scenario import Fault, FaultKind
from simulation.witness import Observer
from simulation.world import World
from supervisor import ExitReport

if TYPE_CHECKING:
    from simulation.process import VenueProcess

FEEDS: Final = ("price_feed", "market", "venue")
"""The feed does not run when one of them has ended; each path ends with the name."""
RECORDERS: Final = ("price_recorder",)
KEPT: Final = 200
SLOWING: Final = frozenset(
    {FaultKind.ACTOR_HANG, FaultKind.DISK_FULL, FaultKind.DISK_SLOW, FaultKind.FEED_LAG}
)
"""What makes the record lag behind the market."""
CLOCKS: Final = frozenset({FaultKind.CLOCK_FORWARD, FaultKind.CLOCK_BACK})


@attrs.define(kw_only=True)
class Pause:
    """The feed or the recorder was not running, if only for a moment."""

    who: str
    at_ms: int
    """True time."""
    watermark_ms: int
    """What was on record then."""
    first_after_ms: int | None = None
    """Exchange time of the first tick that the feed accepted afterwards."""


class Lives(Observer):
    """Knows each pause of the feed and the recorder, and what disturbed the venue."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.pauses: deque[Pause] = deque(maxlen=KEPT)
        self.starts_ms: deque[int] = deque(maxlen=KEPT)
        """When something began or ended, true time."""
        self._waiting: list[Pause] = []
        """Those since which no tick has come."""
        self._newest: Tick | None = None
        self._offsets: deque[tuple[int, int]] = deque([(self.now_ms(), 0)], maxlen=KEPT)
        """Where the clock stood, from when on."""
        world.clock.on_step.append(self._note_clock)

    def now_ms(self) -> int:
        """The true time."""
        return self._world.true_clock.now_ms()

    def starting(self, process: "VenueProcess") -> None:
        self._paused("venue", 0)

    def venue_up(self, process: "VenueProcess") -> None:
        self.starts_ms.append(self.now_ms())

    def venue_ended(self, process: "VenueProcess", how: str) -> None:
        self._paused("venue", process.channels.watermark.value.ts_ms)

    def actor_ended(self, process: "VenueProcess", ended: ExitReport) -> None:
        name = ended.child.rpartition("/")[2]
        if not process.is_dead and name in (*FEEDS, *RECORDERS):
            self._paused(name, process.channels.watermark.value.ts_ms)

    def ticked(self, process: "VenueProcess", tick: Tick) -> None:
        before = self._newest
        if before is not None and tick.ts_ms <= before.ts_ms and tick.source == before.source:
            return  # behind what was accepted before a restart: it never enters the record
        self._newest = tick
        for pause in self._waiting:
            pause.first_after_ms = tick.ts_ms
        self._waiting.clear()

    def _note_clock(self) -> None:
        self._offsets.append((self.now_ms(), self._world.clock.off_by_ms))

    # --- what is asked ----------------------------------------------------------------------

    def must_void(self, start_ms: int, end_ms: int) -> Pause | None:
        """A pause that for certain lies in the window, or None."""
        for pause in self.pauses:
            if pause.who in RECORDERS:
                # What waits in its mailbox is not lost, and the next life begins with it.
                is_in = start_ms <= pause.watermark_ms and pause.at_ms < end_ms
            else:
                until_ms = pause.first_after_ms
                is_in = pause.at_ms < end_ms and (until_ms is None or until_ms >= start_ms)
                is_in = is_in and (until_ms is None or until_ms >= pause.at_ms)
            if is_in:
                return pause
        return None

    def explains(self, from_ms: int, until_ms: int | None) -> bool:
        """Did something begin or end within that stretch of the record?"""
        slack_ms = 20_000 if self.disturbed(SLOWING, back_s=60) else 4_000
        # A recorder that hangs is ended after half a minute: what it left undone began before.
        slack_ms = max(slack_ms, 4_000 + self._hung_for_ms(back_s=60))
        until_ms = self.now_ms() if until_ms is None else until_ms + slack_ms
        return any(from_ms - 1_000 <= at_ms <= until_ms for at_ms in self.starts_ms)

    def disturbed(self, kinds: frozenset[FaultKind], *, back_s: float) -> bool:
        """Was a fault of these kinds in force within the last `back_s`?"""
        return any(self._in_force(kinds, back_s))

    def _in_force(self, kinds: frozenset[FaultKind], back_s: float) -> Iterator[Fault]:
        """... and which."""
        now_s = trio.current_time()
        return (
            fault
            for fault in self._world.scenario.faults
            if fault.kind in kinds
            and fault.at_s <= now_s
            and fault.at_s + max(fault.lasts_s, 1) >= now_s - back_s
        )

    def _hung_for_ms(self, *, back_s: float) -> int:
        """How long the longest hang lasts of those in force within the last `back_s`."""
        hangs = self._in_force(frozenset({FaultKind.ACTOR_HANG}), back_s)
        return round(1000 * max((fault.lasts_s for fault in hangs), default=0))

    def slowed_until_ms(self) -> int:
        """When the last of what slows the venue down now is over, true time; 0 if nothing does."""
        now_s = trio.current_time()
        ends_s = [
            fault.at_s + fault.lasts_s
            for fault in self._world.scenario.faults
            if fault.kind in SLOWING and fault.at_s <= now_s + 1 < fault.at_s + fault.lasts_s + 1
        ]
        return self._world.scenario.epoch_ms + round(max(ends_s) * 1000) if ends_s else 0

    def offsets_ms(self, back_ms: int) -> list[int]:
        """Where the venue's clock has stood within that time."""
        from_ms = self.now_ms() - back_ms
        current = [off for since, off in self._offsets if since <= from_ms][-1:]
        return current + [off for since, off in self._offsets if since > from_ms]

    def clock_steps_ms(self, from_ms: int, until_ms: int) -> list[int]:
        """When the clock was stepped, there or back, within that time."""
        steps = list(self._offsets)[1:]  # the first is where it stood
        return [at_ms for at_ms, _ in steps if from_ms < at_ms <= until_ms]

    def paused_within(self, back_ms: int) -> bool:
        """Did anything of the market begin or end within that time?"""
        return bool(self.starts_ms) and self.starts_ms[-1] >= self.now_ms() - back_ms

    def _paused(self, who: str, watermark_ms: int) -> None:
        pause = Pause(who=who, at_ms=self.now_ms(), watermark_ms=watermark_ms)
        self.starts_ms.append(pause.at_ms)
        self.pauses.append(pause)
        self._waiting.append(pause)
