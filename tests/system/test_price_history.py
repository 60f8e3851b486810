"""The price history of nine days: today and the seven days before are there, older ones are not.

The recorder with real files in virtual time; ticks every six hours, one start in the middle.
"""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trio
from trio.testing import MockClock

from actors import price_recorder
from actors.price_recorder import RecorderSettings
from db.sqlite_prices import SqlitePriceReader, SqlitePriceRecord
from protocols.market import FeedBegan, RecordEntry, Watermark
from supervisor import Life, Mailbox, TrioClock, Watch
from supervisor.worker import InlineWorker
from tests.support.quick_folder import quick_folder
from tests.support.ticks import tick

FIRST = datetime(2026, 11, 17, 3, tzinfo=UTC)
EPOCH_MS = int(FIRST.timestamp()) * 1000
DAY_S = 86_400
DAYS = 9
TICK_EVERY_S = DAY_S // 4
FIRST_LIFE_DAYS = 5


def test_nine_days_leave_today_and_the_seven_before() -> None:
    with quick_folder() as folder:
        seen: list[set[str]] = []
        trio.run(nine_days, folder, seen, clock=MockClock(autojump_threshold=0))
        last_day = (FIRST + timedelta(days=DAYS)).date()
        kept = {f"ticks-{last_day - timedelta(days=back)}.db" for back in range(8)}
        assert files(folder) == kept
        assert [len(names) for names in seen] == [1, 2, 3, 4, 5, 6, 7, 8, 8]
        assert (folder / "record.db").exists(), "what is known of the record itself is kept"
        assert_readable(folder)


async def nine_days(folder: Path, seen: list[set[str]]) -> None:
    entries = Mailbox[RecordEntry]("record", 100)
    clock = TrioClock(EPOCH_MS)
    with closing(SqlitePriceRecord(folder)) as record, closing(SqlitePriceReader(folder)) as reader:
        for days in (FIRST_LIFE_DAYS, DAYS - FIRST_LIFE_DAYS):
            life = Life("test/price_recorder")
            async with trio.open_nursery() as nursery:
                nursery.start_soon(live, life, entries, record, clock)
                await entries.send(FeedBegan())
                for _ in range(days):
                    await one_day(entries, clock)
                    # Whoever reads all along, as the Gateway does, is not hindered.
                    assert reader.ticks(from_ms=0, to_ms=clock.now_ms(), limit=1)
                    seen.append(files(folder))
                life.stopping.set()
        await record_one_more(entries, record, clock)


async def live(
    life: Life, entries: Mailbox[RecordEntry], record: SqlitePriceRecord, clock: TrioClock
) -> None:
    await price_recorder.run(
        life,
        entries=entries,
        watermark=Watch("watermark", Watermark()),
        record=record,
        worker=InlineWorker(),
        clock=clock,
        settings=RecorderSettings(alive_every_ms=3_600_000),
    )


async def one_day(entries: Mailbox[RecordEntry], clock: TrioClock) -> None:
    for _ in range(DAY_S // TICK_EVERY_S):
        await entries.send(tick(clock.now_ms()))
        await trio.sleep(TICK_EVERY_S)


async def record_one_more(
    entries: Mailbox[RecordEntry], record: SqlitePriceRecord, clock: TrioClock
) -> None:
    """A start on the tenth day: it purges before the first day's timer would."""
    life = Life("test/price_recorder")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(live, life, entries, record, clock)
        await entries.send(tick(clock.now_ms()))
        await trio.sleep(7_200)
        life.stopping.set()


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("ticks-*.db")}


def assert_readable(folder: Path) -> None:
    """All ticks of the days kept, four a day, and none before them."""
    with closing(SqlitePriceReader(folder)) as reader:
        found = reader.ticks(from_ms=0, to_ms=EPOCH_MS + 99 * DAY_S * 1000, limit=1_000)
    first_kept = (FIRST + timedelta(days=DAYS - 7)).date()
    assert datetime.fromtimestamp(found[0].ts_ms / 1000, UTC).date() == first_kept
    assert len(found) == 7 * 4 + 1
