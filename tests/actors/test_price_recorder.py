"""The recorder: a tick is on disk before the watermark says so; what may be lost is DOWN."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise

import attrs
import pytest
import trio
import trio.testing
from structlog.testing import capture_logs

from actors import price_recorder
from actors.price_recorder import RecorderSettings
from db.sqlite_prices import SqlitePriceReader, SqlitePriceRecord
from db.tick_files import DAY_MS
from domain.ticks import Tick
from protocols.market import FeedBegan, FeedLevel, FeedLevelChanged, RecordEntry, Watermark
from protocols.ports import RecordFull, RecordTail
from supervisor import Life, Mailbox, TrioClock, Watch
from supervisor.worker import InlineWorker
from tests.support.quick_folder import quick_folder
from tests.support.ticks import T0_MS, tick


class DiskBroke(Exception):
    """The disk failed, or the process was killed at that moment."""


@attrs.define
class Watched:
    """The real record; it notes what is appended, and can be told to fail before or after."""

    real: SqlitePriceRecord
    batches: list[tuple[int, int, int]] = attrs.field(factory=list)
    """(when, ticks, level changes), in ms since T0."""
    purges: list[int] = attrs.field(factory=list)
    fails_before: bool = False
    fails_after: bool = False
    full: RecordFull | None = None
    """What a disk without room lets through of an `append`; None while it has room."""
    tries: list[float] = attrs.field(factory=list)

    def tail(self) -> RecordTail | None:
        return self.real.tail()

    def begin_down(self) -> None:
        if self.full is not None:
            raise self.full
        self.real.begin_down()

    def append(
        self, ticks: Sequence[Tick], levels: Sequence[FeedLevelChanged], *, alive_ms: int
    ) -> None:
        if self.fails_before:
            raise DiskBroke
        if self.full is not None:
            self.tries.append(trio.current_time())
            if self.full.ticks_kept:
                self.real.append(ticks[: self.full.ticks_kept], levels, alive_ms=alive_ms)
            raise self.full
        self.real.append(ticks, levels, alive_ms=alive_ms)
        self.batches.append((alive_ms - T0_MS, len(ticks), len(levels)))
        if self.fails_after:
            raise DiskBroke

    def purge(self, *, now_ms: int) -> int:
        self.purges.append(now_ms - T0_MS)
        return self.real.purge(now_ms=now_ms)


@attrs.define
class Bench:
    """What outlives the lives of a recorder."""

    record: Watched
    reader: SqlitePriceReader
    entries: Mailbox[RecordEntry]
    watermark: Watch[Watermark]
    settings: RecorderSettings = attrs.field(factory=RecorderSettings)

    async def live(self, life: Life) -> None:
        await price_recorder.run(
            life,
            entries=self.entries,
            watermark=self.watermark,
            record=self.record,
            worker=InlineWorker(),
            clock=TrioClock(T0_MS),
            settings=self.settings,
        )

    @asynccontextmanager
    async def alive(self) -> AsyncIterator[Life]:
        """One life, asked to stop at the end of the block and waited for."""
        life = Life("test/price_recorder")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.live, life)
            yield life
            life.stopping.set()

    async def crash(self) -> None:
        """One life that ends by the record's failure."""
        with pytest.RaisesGroup(DiskBroke, flatten_subgroups=True, allow_unwrapped=True):
            await self.live(Life("test/price_recorder"))

    def ticks(self) -> list[int]:
        found = self.reader.ticks(from_ms=0, to_ms=T0_MS + 30 * DAY_MS, limit=100_000)
        return [one.ts_ms - T0_MS for one in found]

    def impairments(self) -> list[tuple[str, int, int | None]]:
        found = self.reader.record(start_ms=0, end_ms=T0_MS + DAY_MS, read_at_ms=0).impairments
        return [
            (one.kind.value, one.from_ms - T0_MS, one.until_ms and one.until_ms - T0_MS)
            for one in found
        ]


@pytest.fixture
def bench() -> Iterator[Bench]:
    with quick_folder() as folder:
        record, reader = SqlitePriceRecord(folder), SqlitePriceReader(folder)
        yield Bench(
            record=Watched(record),
            reader=reader,
            entries=Mailbox("record", 1_000),
            watermark=Watch("watermark", Watermark()),
        )
        reader.close()
        record.close()


async def test_a_tick_is_on_disk_before_the_watermark_says_so(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    async with bench.alive():
        await bench.entries.send(tick(T0_MS + 5))
        _, watermark = await bench.watermark.changed(0)
        assert watermark == Watermark(ts_ms=T0_MS + 5)
        assert bench.ticks() == [5]


async def test_ticks_are_gathered_for_fifty_milliseconds(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    async with bench.alive():
        for at_ms in range(0, 200, 20):
            await bench.entries.send(tick(T0_MS + at_ms))
            await trio.sleep(0.020)
        await trio.sleep(0.100)
    assert [ticks for _, ticks, _ in bench.record.batches if ticks] == [3, 3, 3, 1]


async def test_a_batch_is_bounded(bench: Bench, autojump_clock: trio.testing.MockClock) -> None:
    bench.settings = RecorderSettings(batch_max=40)
    for at_ms in range(100):
        bench.entries.offer(tick(T0_MS + at_ms))
    async with bench.alive():
        await trio.sleep(0.2)
    assert [ticks for _, ticks, _ in bench.record.batches] == [40, 40, 20]


async def test_a_quiet_recorder_gives_a_sign_of_life_each_second(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    async with bench.alive():
        await trio.sleep(3.5)
    assert bench.record.batches == [(1_000, 0, 0), (2_000, 0, 0), (3_000, 0, 0)]


async def test_a_stopping_recorder_commits_what_had_arrived(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    async with bench.alive() as life:
        await trio.testing.wait_all_tasks_blocked()
        for at_ms in range(5):
            await bench.entries.send(tick(T0_MS + at_ms))
        life.stopping.set()
    assert bench.ticks() == [0, 1, 2, 3, 4]
    assert bench.watermark.value.ts_ms == T0_MS + 4


async def test_ticks_behind_the_watermark_never_enter_and_are_counted(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    committed = tick(T0_MS + 1_000, trade_id=7)
    async with bench.alive():
        await bench.entries.send(committed)
        await bench.watermark.changed(0)
        for behind in (
            tick(T0_MS + 999, trade_id=8),
            committed,
            attrs.evolve(committed, trade_id=6),
            tick(T0_MS + 999, source="coinbase"),
        ):
            await bench.entries.send(behind)
        version, watermark = await bench.watermark.changed(1)
        assert watermark == Watermark(ts_ms=T0_MS + 1_000, behind_ticks=4)
        for ahead in (
            attrs.evolve(committed, trade_id=8),
            tick(T0_MS + 1_000, trade_id=1, source="coinbase"),
        ):
            await bench.entries.send(ahead)
        await bench.watermark.changed(version)
    assert bench.ticks() == [1_000, 1_000, 1_000]
    assert bench.watermark.value.behind_ticks == 4


async def test_a_tick_behind_another_of_its_batch_never_enters(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    for at_ms in (10, 30, 20, 40):
        bench.entries.offer(tick(T0_MS + at_ms))
    async with bench.alive():
        await bench.watermark.changed(0)
    assert bench.ticks() == [10, 30, 40]


async def test_level_changes_become_stretches(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    async with bench.alive():
        for level, at_ms in ((FeedLevel.CRITICAL, 10), (FeedLevel.HEALTHY, 30_010)):
            await bench.entries.send(
                FeedLevelChanged(level=level, at_ms=T0_MS + at_ms, why="silent")
            )
        await trio.sleep(0.1)
    assert ("critical", 10, 30_010) in bench.impairments()


async def test_a_life_says_where_the_record_stands_before_any_tick(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    bench.record.real.append([tick(T0_MS - 500)], [], alive_ms=T0_MS)
    async with bench.alive() as life:
        await trio.testing.wait_all_tasks_blocked()
        assert life.is_ready()
        assert bench.watermark.value == Watermark(ts_ms=T0_MS - 500)


async def test_a_life_is_down_until_its_first_tick(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    bench.record.real.append([tick(T0_MS - 500)], [], alive_ms=T0_MS)
    async with bench.alive():
        await trio.sleep(2.5)
        assert bench.impairments() == [("down", -500, None)]
        await bench.entries.send(tick(T0_MS + 2_500))
        await bench.watermark.changed(1)
        assert bench.impairments() == [("down", -500, 2_501)]


@pytest.mark.parametrize("is_committed", [False, True])
async def test_what_a_crashed_life_had_in_hand_is_covered_by_down(
    bench: Bench, autojump_clock: trio.testing.MockClock, is_committed: bool
) -> None:
    async with bench.alive():
        await bench.entries.send(tick(T0_MS))
        await bench.watermark.changed(0)
    bench.record.fails_before, bench.record.fails_after = not is_committed, is_committed
    bench.entries.offer(tick(T0_MS + 100))
    bench.entries.offer(tick(T0_MS + 200))
    await bench.crash()
    assert bench.watermark.value.ts_ms == T0_MS  # nobody was told of what may be lost
    bench.record.fails_before = bench.record.fails_after = False

    bench.entries.offer(tick(T0_MS + 300))
    async with bench.alive():
        await bench.watermark.changed(bench.watermark.version)
        await trio.sleep(0.1)
    lost_from = 200 if is_committed else 0
    assert bench.ticks() == ([0, 100, 200, 300] if is_committed else [0, 300])
    assert bench.impairments()[-1] == ("down", lost_from, 301)
    assert bench.watermark.value.ts_ms == T0_MS + 300


async def test_a_feed_that_begins_is_down_since_the_last_tick_of_the_life_before(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    async with bench.alive():
        for entry in (tick(T0_MS), tick(T0_MS + 100), FeedBegan(), tick(T0_MS + 700)):
            await bench.entries.send(entry)
        await trio.sleep(0.1)
        await bench.entries.send(tick(T0_MS + 800))
    assert bench.ticks() == [0, 100, 700, 800]
    assert bench.impairments()[-1] == ("down", 100, 701)
    assert bench.watermark.value.ts_ms == T0_MS + 800


async def test_a_feed_that_crashed_and_a_recorder_that_could_not_drain_lose_no_tick_unseen(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    """The tick at 300 was accepted but not sent: the feed crashed; the one at 100 was in hand when
    the recorder crashed too, and the one at 200 was left in the mailbox."""
    async with bench.alive():
        await bench.entries.send(tick(T0_MS))
    bench.settings = RecorderSettings(batch_max=1)
    bench.record.fails_before = True
    bench.entries.offer(tick(T0_MS + 100))
    bench.entries.offer(tick(T0_MS + 200))
    await bench.crash()
    bench.record.fails_before = False

    async with bench.alive():
        bench.entries.offer(FeedBegan())
        await trio.sleep(2)
        assert bench.impairments()[1:] == [("down", 0, 201), ("down", 200, None)]
        bench.entries.offer(tick(T0_MS + 2_000))
    assert bench.ticks() == [0, 200, 2_000]
    assert bench.impairments()[1:] == [("down", 0, 201), ("down", 200, 2_001)]


async def test_a_feed_that_begins_while_nothing_was_committed_goes_on_with_what_is_down(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    bench.record.real.append([tick(T0_MS - 500)], [], alive_ms=T0_MS)
    for entry in (FeedBegan(), FeedBegan(), tick(T0_MS + 10)):
        bench.entries.offer(entry)
    async with bench.alive():
        await trio.sleep(0.1)
    assert bench.impairments() == [("down", -500, 11)]


async def test_a_crash_while_critical_leaves_it_open_for_the_next_life(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    critical = FeedLevelChanged(level=FeedLevel.CRITICAL, at_ms=T0_MS + 5, why="silent")
    bench.entries.offer(critical)
    bench.record.fails_after = True
    await bench.crash()
    bench.record.fails_after = False
    async with bench.alive():
        await bench.entries.send(attrs.evolve(critical, at_ms=T0_MS + 900, why="starting"))
        await trio.sleep(0.1)
        assert ("critical", 5, None) in bench.impairments()


async def test_old_files_are_purged_at_the_start_and_each_day(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    bench.settings = RecorderSettings(alive_every_ms=3_600_000)
    async with bench.alive():
        await trio.sleep(2.5 * 86_400)
    assert [at_ms // DAY_MS for at_ms in bench.record.purges] == [0, 1, 2]


# --- a full disk ----------------------------------------------------------------------------------


async def test_a_full_disk_costs_neither_a_tick_nor_a_life(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    with capture_logs() as logs:
        async with bench.alive():
            await trio.sleep(0.5)
            bench.record.full = RecordFull()
            for at_ms in range(1_000, 6_000, 500):
                await bench.entries.send(tick(T0_MS + at_ms))
                await trio.sleep(0.5)
            assert bench.ticks() == []
            assert bench.watermark.value.ts_ms == 0, "settlement waits"
            gaps = [later - first for first, later in pairwise(bench.record.tries)]
            assert gaps == pytest.approx([price_recorder.TRY_AGAIN_S] * len(gaps))
            assert len(gaps) >= 3
            bench.record.full = None
            await trio.sleep(2)
            assert bench.watermark.value.ts_ms == T0_MS + 5_500
    assert bench.ticks() == list(range(1_000, 6_000, 500))
    assert bench.impairments() == [("down", -T0_MS, 1_001)], "only what was before its first tick"
    assert [entry["event"] for entry in logs] == ["prices_not_recorded", "prices_recorded_again"]


async def test_what_was_kept_before_the_disk_was_full_is_not_written_twice(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    change = FeedLevelChanged(level=FeedLevel.HEALTHY, at_ms=T0_MS + 1, why="fresh")
    async with bench.alive():
        await trio.sleep(0.5)
        bench.record.full = RecordFull(levels_kept=True, ticks_kept=2)
        await bench.entries.send(change)
        for at_ms in (1, 2, 3):
            await bench.entries.send(tick(T0_MS + at_ms))
        await trio.sleep(0.1)
        assert bench.ticks() == [1, 2]
        bench.record.full = None
        await trio.sleep(2)
    assert bench.ticks() == [1, 2, 3]
    assert [batch[1:] for batch in bench.record.batches if batch[1]] == [(1, 0)]


async def test_a_life_that_begins_on_a_full_disk_waits_for_room(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    bench.record.full = RecordFull()
    async with bench.alive() as life:
        await trio.sleep(5)
        assert not life.is_ready()
        bench.record.full = None
        await trio.sleep(1)
        assert life.is_ready()


async def test_a_stop_does_not_wait_for_room_and_the_next_life_knows_what_may_be_missing(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    async with bench.alive():
        await bench.entries.send(tick(T0_MS + 100))
        await trio.sleep(1)
    began = trio.current_time()
    with pytest.RaisesGroup(RecordFull, flatten_subgroups=True, allow_unwrapped=True):
        async with bench.alive():
            await trio.sleep(0.1)
            bench.record.full = RecordFull()
            await bench.entries.send(tick(T0_MS + 2_000))
            await trio.sleep(0.5)
    assert trio.current_time() - began < 1
    bench.record.full = None
    async with bench.alive():
        await bench.entries.send(tick(T0_MS + 3_000))
        await trio.sleep(1)
    assert bench.ticks() == [100, 3_000]
    assert ("down", 100, 3_001) in bench.impairments()
