"""The PriceFeed: what reaches the recorder and the readers, from which source, through what."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from itertools import pairwise
from typing import Any

import attrs
import pytest
import structlog
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.price_feed import FeedSettings, run
from actors.price_feed.actor import reconnect_delay_s
from domain.ticks import Tick
from protocols.market import FeedBegan, FeedLevel, FeedLevelChanged, RecordEntry, SourceState
from supervisor import Life, Mailbox, SeededChance, Topic, TrioClock, Watch, WhenFull
from tests.support.hand_fed import PRICE_CENTS, HandFed

EPOCH_MS = 1_780_000_000_000
CLOCK = TrioClock(EPOCH_MS)


class NoJitter:
    """A Chance that always draws the same."""

    def __init__(self, draw: float = 0.0) -> None:
        self._draw = draw

    def random(self) -> float:
        return self._draw

    def token_bytes(self, count: int) -> bytes:
        return bytes(count)


@attrs.define(kw_only=True)
class Venue:
    """What surrounds the actor: its channels, and what came out of them."""

    sources: Sequence[HandFed]
    settings: FeedSettings = attrs.field(factory=FeedSettings)
    draw: float = 0.0
    record: Mailbox[RecordEntry] = attrs.field(factory=lambda: Mailbox("record", 1_000))
    ticks: Topic[Tick] = attrs.field(factory=lambda: Topic("ticks"))
    watch: Watch[tuple[SourceState, ...]] = attrs.field(factory=lambda: Watch("sources", ()))
    life: Life = attrs.field(factory=lambda: Life("price_feed", heartbeat_s=5))
    hears_beginning: bool = True
    """Is that a life began taken from the recorder's mailbox at once?"""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """One life of the actor, which is asked to stop at the end and must do so."""
        actor = partial(
            run,
            self.life,
            sources=self.sources,
            recorder=self.record,
            ticks=self.ticks,
            source_states=self.watch,
            clock=CLOCK,
            chance=NoJitter(self.draw),
            settings=self.settings,
        )
        with trio.CancelScope() as within:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(actor)
                await wait_all_tasks_blocked()
                assert self.life.is_ready()
                if self.hears_beginning:
                    assert await self.recorded() == [FeedBegan()]
                yield
                self.life.stopping.set()
                within.deadline = trio.current_time() + 1
        assert not within.cancelled_caught, "it did not stop within a second"

    async def recorded(self) -> list[RecordEntry]:
        """What is in the recorder's mailbox now, once everything has come to rest."""
        await wait_all_tasks_blocked()
        async with self.record.reader(Life("recorder")) as reader:
            found: list[RecordEntry] = []
            while (entry := reader.receive_nowait()) is not None:
                found.append(entry)
            return found

    def state(self, index: int = 0) -> SourceState:
        return self.watch.value[index]

    def active(self) -> list[str]:
        return [state.name for state in self.watch.value if state.active]


async def shown() -> None:
    """Let the states be shown that are shown once a second."""
    await trio.sleep(1.1)


async def ticking(seconds: float, *sources: HandFed, every_s: float = 0.5) -> None:
    """These sources tick steadily for so long, beginning now."""
    for _ in range(round(seconds / every_s)):
        for source in sources:
            source.tick()
        await trio.sleep(every_s)


def venue(*names: str, **given: Any) -> Venue:
    return Venue(sources=[HandFed(name, CLOCK) for name in names], **given)


# --- what is accepted -------------------------------------------------------------------------


async def test_a_life_is_ready_and_then_tells_the_recorder_that_it_began(
    autojump_clock: MockClock,
) -> None:
    here = venue("a", record=Mailbox("record", 1, WhenFull.WAIT), hears_beginning=False)
    left = FeedLevelChanged(level=FeedLevel.HEALTHY, at_ms=EPOCH_MS, why="fresh")
    here.record.offer(left)
    async with here.running():  # it is ready though the mailbox is full: its reader starts later
        tick = here.sources[0].tick()
        await trio.sleep(60)
        assert here.life.busiest() is None, "a recorder that is not there yet is not our hang"
        assert await here.recorded() == [left, FeedBegan()]
        assert await here.recorded() == [tick]


async def test_an_accepted_tick_reaches_the_recorder_and_the_readers(
    autojump_clock: MockClock,
) -> None:
    here = venue("a")
    reader = here.ticks.subscribe("test", 10)
    async with here.running():
        tick = here.sources[0].tick()
        assert await here.recorded() == [tick]
        assert reader.receive_nowait() == tick


async def test_nobody_reads_a_tick_that_the_recorder_has_not_taken(
    autojump_clock: MockClock,
) -> None:
    here = venue("a", record=Mailbox("record", 1, WhenFull.WAIT))
    reader = here.ticks.subscribe("test", 10)
    async with here.running():
        first, second = here.sources[0].tick(), here.sources[0].tick()
        await wait_all_tasks_blocked()
        assert reader.receive_nowait() == first
        assert reader.receive_nowait() is None, "the second waits for room at the recorder"
        assert await here.recorded() == [first, second]
        await wait_all_tasks_blocked()
        assert reader.receive_nowait() == second


async def test_a_recorder_that_hangs_is_not_a_hang_of_the_feed(autojump_clock: MockClock) -> None:
    here = venue("a", record=Mailbox("record", 1, WhenFull.WAIT))
    async with here.running():
        for _ in range(5):
            here.sources[0].tick()
        await trio.sleep(60)
        assert here.life.busiest() is None


async def test_an_idle_feed_is_not_hung(autojump_clock: MockClock) -> None:
    here = venue("a")
    async with here.running():
        await trio.sleep(60)
        assert here.life.busiest() is None


async def test_what_is_not_accepted_is_counted_by_reason_and_goes_nowhere(
    autojump_clock: MockClock,
) -> None:
    here = venue("a")
    reader = here.ticks.subscribe("test", 10)
    async with here.running():
        source = here.sources[0]
        await trio.sleep(10)
        good = source.tick(trade_id=5)
        source.tick(trade_id=5)
        source.tick(trade_id=4)
        source.tick(trade_id=6, ts_ms=CLOCK.now_ms() + 60_000)
        source.tick(PRICE_CENTS * 2, trade_id=7)
        assert await here.recorded() == [good]
        assert reader.receive_nowait() == good
        assert reader.receive_nowait() is None
        await shown()
    state = here.state()
    assert (state.accepted, state.last_tick) == (1, good)
    assert (state.duplicates, state.late, state.ahead, state.held) == (1, 1, 1, 1)


async def test_a_jump_is_recorded_with_the_tick_that_confirms_it(autojump_clock: MockClock) -> None:
    here = venue("a")
    async with here.running():
        source = here.sources[0]
        expected = [source.tick(), source.tick(PRICE_CENTS * 2), source.tick(PRICE_CENTS * 2)]
        assert await here.recorded() == expected


async def test_a_reconnect_repeats_nothing(autojump_clock: MockClock) -> None:
    """The exchange sends its last trades again: each is on record once, and in order."""
    here = venue("a")
    async with here.running():
        source = here.sources[0]
        before = [source.tick(), source.tick()]
        await wait_all_tasks_blocked()
        source.drop()
        await trio.sleep(2)
        for tick in before:
            source.tick(trade_id=tick.trade_id, ts_ms=tick.ts_ms)
        after = source.tick(trade_id=9)
        assert await here.recorded() == [*before, after]


# --- failover ---------------------------------------------------------------------------------


async def test_only_the_active_source_is_on_record(autojump_clock: MockClock) -> None:
    here = venue("a", "b")
    async with here.running():
        first, second = here.sources
        second.tick()
        tick = first.tick()
        second.tick()
        assert await here.recorded() == [tick]
        assert [source.open_connections for source in here.sources] == [1, 1], "a hot standby"


async def test_a_silent_source_is_replaced_by_the_next_that_ticks(
    autojump_clock: MockClock,
) -> None:
    here = venue("a", "b", "c")
    async with here.running():
        first, _, third = here.sources
        last = first.tick()
        await ticking(3, third)
        assert await here.recorded() == [last]
        takes_over = third.tick()
        assert await here.recorded() == [takes_over]
        assert here.active() == ["c"]


async def test_the_first_source_comes_back_after_a_stable_minute(autojump_clock: MockClock) -> None:
    here = venue("a", "b")
    async with here.running():
        first, second = here.sources
        await ticking(3.5, second)
        await ticking(60, second, first)
        assert here.active() == ["b"]
        await here.recorded()
        await ticking(0.5, second, first)
        assert here.active() == ["a"]
        second.tick()
        back = first.tick()
        assert (await here.recorded())[-1] == back


async def test_a_dropped_source_is_replaced_too(autojump_clock: MockClock) -> None:
    here = venue("a", "b")
    async with here.running():
        first, second = here.sources
        await ticking(10, first, second)
        first.refuses = True
        first.drop()
        await ticking(5, second)
        assert here.active() == ["b"]
        assert not here.state(0).connected
        assert here.state(0).last_error == "refused"


async def test_a_source_that_lags_behind_is_as_good_as_silent(autojump_clock: MockClock) -> None:
    """Its ticks are new to us, so they are on record; but the price is not what it says."""
    here = venue("a", "b")
    async with here.running():
        first, second = here.sources
        await ticking(2, first)
        await trio.sleep(8)
        for _ in range(7):
            first.tick(ts_ms=CLOCK.now_ms() - 4_000)
            await wait_all_tasks_blocked()
            assert here.active() == ["a"]
            await trio.sleep(0.1)
        second.tick()
        await wait_all_tasks_blocked()
        assert here.active() == ["b"]
        assert here.state(0).accepted == 4 + 7


async def test_a_short_loss_begins_the_stable_minute_anew(autojump_clock: MockClock) -> None:
    here = venue("a", "b")
    async with here.running():
        first, second = here.sources
        await ticking(3.5, second)
        await ticking(30, second, first)
        first.drop()
        await ticking(2, second)
        await ticking(59.5, second, first)
        assert here.active() == ["b"]
        await ticking(1, second, first)
        assert here.active() == ["a"]


async def test_a_known_skew_is_not_the_future_either(autojump_clock: MockClock) -> None:
    """As in the captured stream: the recorder's clock was 1.27 s slow."""
    here = Venue(sources=[HandFed("a", CLOCK, known_skew_ms=-1_270)])
    async with here.running():
        tick = here.sources[0].tick(ts_ms=CLOCK.now_ms() + 3_270)
        here.sources[0].tick(ts_ms=CLOCK.now_ms() + 3_271)
        assert await here.recorded() == [tick]


async def test_a_standby_that_sends_old_trades_does_not_take_over(
    autojump_clock: MockClock,
) -> None:
    here = venue("a", "b")
    async with here.running():
        for _ in range(20):
            here.sources[1].tick(ts_ms=CLOCK.now_ms() - 3_000)
            await trio.sleep(0.5)
        assert await here.recorded() == []
        assert here.active() == ["a"]


async def test_a_known_skew_is_not_age(autojump_clock: MockClock) -> None:
    here = Venue(sources=[HandFed("a", CLOCK), HandFed("b", CLOCK, known_skew_ms=10_000)])
    async with here.running():
        for _ in range(8):
            here.sources[1].tick(ts_ms=CLOCK.now_ms() - 10_000)
            await trio.sleep(0.5)
        assert here.active() == ["b"]


async def test_a_new_source_never_goes_back_in_time(autojump_clock: MockClock) -> None:
    """Its clock is behind the old one's: what it says of a time on record already is left out."""
    here = venue("a", "b")
    async with here.running():
        first, second = here.sources
        await trio.sleep(10)
        last = first.tick(ts_ms=CLOCK.now_ms() + 2_000)
        await wait_all_tasks_blocked()
        for _ in range(7):
            second.tick(ts_ms=last.ts_ms)
            await trio.sleep(0.5)
        assert here.active() == ["b"]
        fresh = second.tick(ts_ms=last.ts_ms + 1)
        assert await here.recorded() == [last, fresh]


# --- connections ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("failures", "draw", "delay_s"),
    [(1, 0.0, 1.0), (1, 0.5, 1.5), (2, 0.5, 2.5), (3, 0.25, 2.75), (6, 1.0, 60.0), (99, 0.0, 1.0)],
)
def test_the_pause_is_drawn_from_a_range_that_doubles(
    failures: int, draw: float, delay_s: float
) -> None:
    assert reconnect_delay_s(failures, draw, min_s=1, max_s=60) == delay_s


@pytest.mark.parametrize("seed", range(20))
def test_the_pause_is_never_under_a_second_nor_over_a_minute(seed: int) -> None:
    chance = SeededChance(seed)
    for failures in range(1, 100):
        assert 1 <= reconnect_delay_s(failures, chance.random(), min_s=1, max_s=60) <= 60


async def test_a_source_that_refuses_is_asked_less_and_less_often(
    autojump_clock: MockClock,
) -> None:
    here = venue("a", draw=1.0)  # the whole range, so the pauses are the ceilings
    here.sources[0].refuses = True
    async with here.running():
        await trio.sleep(200)
    attempts = here.sources[0].attempts
    pauses = [round(after - before) for before, after in pairwise(attempts)]
    assert pauses == [2, 4, 8, 16, 32, 60, 60]


async def test_the_pauses_begin_anew_after_a_stable_minute(autojump_clock: MockClock) -> None:
    here = venue("a", draw=1.0)
    source = here.sources[0]
    source.refuses = True
    async with here.running():
        await trio.sleep(20)
        source.refuses = False
        await trio.sleep(20)
        await ticking(60, source)
        source.drop("the venue's 24 hours are over")
        dropped_at = trio.current_time()
        await trio.sleep(3)
        assert source.attempts[-1] - dropped_at == pytest.approx(2)
    assert here.state().last_error == "the venue's 24 hours are over"


async def test_a_source_that_ticks_and_drops_is_not_hammered(autojump_clock: MockClock) -> None:
    here = venue("a", draw=1.0)
    source = here.sources[0]
    pauses = []
    async with here.running():
        for _ in range(4):
            source.tick()
            source.drop()
            dropped_at = trio.current_time()
            await trio.sleep(20)
            pauses.append(source.attempts[-1] - dropped_at)
    assert pauses == pytest.approx([2, 4, 8, 16])


async def test_stopping_leaves_every_connection(autojump_clock: MockClock) -> None:
    here = venue("a", "b")
    async with here.running():
        here.sources[0].tick()
        await wait_all_tasks_blocked()
    assert [source.open_connections for source in here.sources] == [0, 0]
    assert [state.connected for state in here.watch.value] == [False, False]
    assert [state.reconnects for state in here.watch.value] == [0, 0], "nothing was lost"


async def test_stopping_is_not_held_up_by_a_full_recorder(autojump_clock: MockClock) -> None:
    here = venue("a", record=Mailbox("record", 1, WhenFull.WAIT))
    async with here.running():
        for _ in range(600):
            here.sources[0].tick()
        await wait_all_tasks_blocked()


async def test_a_feed_without_sources_is_a_wiring_bug(autojump_clock: MockClock) -> None:
    with pytest.raises(ValueError, match="needs a source"):
        await run(
            Life("price_feed"),
            sources=[],
            recorder=Mailbox("record", 1),
            ticks=Topic("ticks"),
            source_states=Watch("sources", ()),
            clock=CLOCK,
            chance=NoJitter(),
            settings=FeedSettings(),
        )


# --- what is shown ----------------------------------------------------------------------------


async def test_the_states_say_who_is_connected_and_who_is_active(autojump_clock: MockClock) -> None:
    here = venue("a", "b", draw=1.0)
    here.sources[1].refuses = True
    async with here.running():
        tick = here.sources[0].tick()
        await shown()
        first, second = here.watch.value
        assert (first.connected, first.active, first.last_recv_ms) == (True, True, tick.recv_ms)
        assert (second.connected, second.active, second.last_error) == (False, False, "refused")
        assert (first.reconnects, second.reconnects) == (0, 1)


async def test_a_state_is_set_only_when_it_has_changed(autojump_clock: MockClock) -> None:
    here = venue("a")
    async with here.running():
        await shown()
        version = here.watch.version
        await trio.sleep(60)
        assert here.watch.version == version


async def test_the_next_life_goes_on_where_the_last_one_ended(autojump_clock: MockClock) -> None:
    """It counts on, and accepts nothing that came before what is on record."""
    here = venue("a")
    async with here.running():
        await trio.sleep(5)
        last = here.sources[0].tick(trade_id=7)
        assert await here.recorded() == [last]
    here.life = Life("price_feed", 2, heartbeat_s=5)
    async with here.running():
        here.sources[0].tick(trade_id=7, ts_ms=last.ts_ms)
        here.sources[0].tick(trade_id=6, ts_ms=last.ts_ms)
        fresh = here.sources[0].tick(trade_id=8)
        assert await here.recorded() == [fresh]
        await shown()
    state = here.state()
    assert (state.accepted, state.duplicates, state.late) == (2, 1, 1)


async def test_a_flood_of_rejections_is_logged_once_in_ten_seconds(
    autojump_clock: MockClock,
) -> None:
    here = venue("a")
    with structlog.testing.capture_logs() as lines:
        async with here.running():
            await trio.sleep(10)
            here.sources[0].tick()
            for _ in range(125):  # for 25 seconds
                for _ in range(10):
                    here.sources[0].tick(ts_ms=EPOCH_MS)
                await trio.sleep(0.2)
    logged = [line for line in lines if line["event"] == "ticks_left_out"]
    assert 2 <= len(logged) <= 4
    assert sum(line["late"] for line in logged) > 750


async def test_losses_and_switches_are_logged(autojump_clock: MockClock) -> None:
    here = venue("a", "b")
    with structlog.testing.capture_logs() as lines:
        async with here.running():
            here.sources[0].drop("gone")
            await ticking(4, here.sources[1])
    lost, switched = (line for line in lines if line["event"] in ("source_lost", "source_switched"))
    assert (lost["source"], lost["why"]) == ("a", "gone")
    assert (switched["source"], switched["before"]) == ("b", "a")
