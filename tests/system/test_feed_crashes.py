"""The price feed is crashed at each of its awaits, alone and with a recorder that then fails to
drain its mailbox: no window that is free of DOWN lacks a tick there was."""

from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import attrs
import pytest
import trio
from trio.lowlevel import Task
from trio.testing import MockClock

from domain.resolution import ImpairmentKind, Record
from domain.ticks import Tick
from tests.support.crash import Crasher
from tests.support.tree import restarts_of, wait_back
from tests.support.venue import Venue, running_venue

pytestmark = pytest.mark.slow

FEED = "venue/market/price_feed"
RECORDER = "venue/market/price_recorder"
MEMORY = Path("/dev/shm")
PAUSES_S = (0.013, 0.0, 0.21, 0.002, 0.0, 0.4, 0.031, 0.0, 0.049, 0.3)
"""Between ticks: bursts, so that a crash finds some on their way, and longer than a linger."""


@attrs.define(eq=False)
class CrasherAfter(Crasher):
    """Crashes its actor too, at the first await after another was crashed."""

    first: Crasher = attrs.field(kw_only=True)

    def before_task_step(self, task: Task) -> None:
        if self.first.crashed:
            super().before_task_step(task)


@pytest.mark.parametrize("recorder_drains", [True, False])
def test_no_window_lacks_a_tick_that_a_crash_of_the_feed_lost(recorder_drains: bool) -> None:
    counter = Crasher(FEED)
    one_run(counter, recorder_drains)
    print(f"{FEED}: {counter.seen} checkpoints")
    crashers = [Crasher(FEED, at=at) for at in range(1, counter.seen + 1)]
    lost = sum(one_run(crasher, recorder_drains) for crasher in crashers)
    print(f"{FEED}: {lost} ticks lost")
    assert sum(crasher.crashed for crasher in crashers) >= counter.seen * 0.9
    assert lost > 0, "or nothing was shown"


def one_run(crasher: Crasher, recorder_drains: bool) -> int:
    """The story in virtual time with this crasher; how many ticks it lost."""
    with TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        recorder = CrasherAfter(RECORDER, at=None if recorder_drains else 1, first=crasher)
        clock = MockClock(autojump_threshold=0)
        return trio.run(story, Path(folder), crasher, recorder, clock=clock)


async def story(data: Path, crasher: Crasher, recorder: Crasher) -> int:
    with trio.fail_after(200):
        async with running_venue(data) as venue:
            market = await ticking(venue)
            trio.lowlevel.add_instrument(crasher)
            trio.lowlevel.add_instrument(recorder)
            market += await ticking(venue)
            trio.lowlevel.remove_instrument(crasher)
            trio.lowlevel.remove_instrument(recorder)
            await wait_back(venue, crasher)
            market += await ticking(venue)
            await trio.sleep(1)
            assert restarts_of(venue, FEED) >= crasher.crashed
            check_windows(venue, market)
            return len(market) - len(recorded(venue))


async def ticking(venue: Venue) -> list[Tick]:
    market: list[Tick] = []
    for pause_s in PAUSES_S:
        market.append(venue.source.tick())
        await trio.sleep(pause_s)
    return market


def recorded(venue: Venue) -> list[Tick]:
    now_ms = venue.clock.now_ms()
    return list(venue.ports.price_reader.ticks(from_ms=0, to_ms=now_ms, limit=1_000))


def check_windows(venue: Venue, market: list[Tick]) -> None:
    """Every window from or to a tick, or just after one, that the watermark has passed."""
    edges = sorted({tick.ts_ms + shift for tick in market for shift in (0, 1)})
    for start_ms, end_ms in product(edges, edges):
        if start_ms < end_ms:
            found = venue.ports.price_reader.record(
                start_ms=start_ms, end_ms=end_ms, read_at_ms=end_ms
            )
            if end_ms <= found.watermark_ms and not is_down(found):
                check_window(found, market)


def is_down(found: Record) -> bool:
    return any(impairment.kind is ImpairmentKind.DOWN for impairment in found.impairments)


def check_window(found: Record, market: list[Tick]) -> None:
    before = [tick for tick in market if tick.ts_ms < found.start_ms]
    within = [tick for tick in market if found.start_ms <= tick.ts_ms < found.end_ms]
    assert (found.carry_in, found.ticks) == (before[-1], tuple(within))
