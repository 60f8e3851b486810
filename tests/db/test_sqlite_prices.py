"""The price record: every tick once, over midnights and restarts, with what impaired it."""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import product
from pathlib import Path

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db import tick_files
from db.sqlite_prices import SqlitePriceReader, SqlitePriceRecord
from db.tick_files import DAY_MS, FILES_OPEN_MAX, open_writer
from domain.resolution import Impairment, ImpairmentKind, void_reason
from domain.ticks import Tick
from protocols.market import FeedLevel, FeedLevelChanged
from protocols.ports import Bar, PriceReader, PriceRecord, RecordFull, RecordTail
from tests.support.quick_folder import quick_folder
from tests.support.small_disk import filled, small_disk
from tests.support.ticks import T0_MS, tick

MIDNIGHT_MS = T0_MS - T0_MS % DAY_MS + DAY_MS
FAR_MS = T0_MS + 30 * DAY_MS

# The type checker sees here that the ports are kept.
_RECORD: type[PriceRecord] = SqlitePriceRecord
_READER: type[PriceReader] = SqlitePriceReader


@pytest.fixture
def folder() -> Iterator[Path]:
    with quick_folder() as made:
        yield made


@pytest.fixture
def record(folder: Path) -> Iterator[SqlitePriceRecord]:
    made = SqlitePriceRecord(folder)
    yield made
    made.close()


@pytest.fixture
def reader(record: SqlitePriceRecord, folder: Path) -> Iterator[SqlitePriceReader]:
    made = SqlitePriceReader(folder)
    yield made
    made.close()


def append(record: SqlitePriceRecord, *ticks: Tick) -> None:
    record.append(ticks, [], alive_ms=ticks[-1].recv_ms)


def level(record: SqlitePriceRecord, to: FeedLevel, at_ms: int) -> None:
    record.append([], [FeedLevelChanged(level=to, at_ms=at_ms, why="test")], alive_ms=at_ms)


def impairments(
    reader: SqlitePriceReader, start_ms: int = 0, end_ms: int = FAR_MS
) -> list[tuple[str, int, int | None]]:
    found = reader.record(start_ms=start_ms, end_ms=end_ms, read_at_ms=end_ms).impairments
    return [(one.kind.value, one.from_ms, one.until_ms) for one in found]


def all_ticks(reader: SqlitePriceReader) -> list[Tick]:
    return list(reader.ticks(from_ms=0, to_ms=FAR_MS, limit=1_000_000))


# --- a full disk ------------------------------------------------------------------------------


def test_what_finds_no_room_is_not_recorded_and_can_be_tried_again(tmp_path: Path) -> None:
    with (
        small_disk(tmp_path / "disk", mib=1) as disk,
        closing(SqlitePriceRecord(disk / "prices")) as record,
        closing(SqlitePriceReader(disk / "prices")) as reader,
    ):
        append(record, tick(T0_MS))
        many = [tick(T0_MS + n) for n in range(1, 1_000)]
        with filled(disk):
            with pytest.raises(RecordFull) as full:
                append(record, *many)
            assert full.value.ticks_kept == 0
        assert all_ticks(reader) == [tick(T0_MS)]
        append(record, *many)
        assert all_ticks(reader) == [tick(T0_MS), *many]


def test_who_runs_out_of_room_after_midnight_says_what_is_kept(
    record: SqlitePriceRecord, reader: SqlitePriceReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(record, tick(MIDNIGHT_MS - 10))
    ticks = [tick(MIDNIGHT_MS + at_ms) for at_ms in (-2, -1, 0, 1)]
    change = FeedLevelChanged(level=FeedLevel.HEALTHY, at_ms=MIDNIGHT_MS, why="test")

    def no_room(path: Path, schema: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as full_disk:
        full_disk.setattr(tick_files, "create", no_room)
        with pytest.raises(RecordFull) as full:
            record.append(ticks, [change], alive_ms=MIDNIGHT_MS)
    assert (full.value.levels_kept, full.value.ticks_kept) == (True, 2)
    append(record, *ticks[full.value.ticks_kept :])
    assert all_ticks(reader)[1:] == ticks


def test_any_other_failure_is_raised_as_it_is(
    record: SqlitePriceRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(path: Path, schema: str) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(tick_files, "create", broken)
    with pytest.raises(PermissionError):
        append(record, tick(T0_MS))


# --- ticks ------------------------------------------------------------------------------------


def test_a_tick_is_read_back_as_it_was_written(
    record: SqlitePriceRecord, reader: SqlitePriceReader
) -> None:
    made = Tick(
        source="replay:a,b\n.csv",
        trade_id=2**62,
        price_cents=12_345_678_901,
        size_e8=0,
        ts_ms=T0_MS,
        recv_ms=T0_MS + 321,
    )
    append(record, made)
    assert all_ticks(reader) == [made]


def test_ticks_of_one_millisecond_keep_their_order(
    record: SqlitePriceRecord, reader: SqlitePriceReader
) -> None:
    same = [tick(T0_MS, price, trade_id=n) for n, price in enumerate([5, 3, 4, 3])]
    append(record, *same[:2])
    append(record, *same[2:])
    assert all_ticks(reader) == same


def test_ticks_are_filed_by_the_utc_day_of_their_exchange_time(
    record: SqlitePriceRecord, reader: SqlitePriceReader, folder: Path
) -> None:
    append(record, tick(MIDNIGHT_MS - 1), tick(MIDNIGHT_MS), tick(MIDNIGHT_MS + DAY_MS))
    assert sorted(path.name for path in folder.glob("ticks-*.db")) == [
        "ticks-2026-02-03.db",
        "ticks-2026-02-04.db",
        "ticks-2026-02-05.db",
    ]
    assert [one.ts_ms - MIDNIGHT_MS for one in all_ticks(reader)] == [-1, 0, DAY_MS]


def test_a_range_is_half_open_and_its_limit_takes_the_oldest(
    record: SqlitePriceRecord, reader: SqlitePriceReader
) -> None:
    times_ms = [MIDNIGHT_MS - 2, MIDNIGHT_MS - 1, MIDNIGHT_MS, MIDNIGHT_MS + 1]
    append(record, *map(tick, times_ms))

    def read(from_ms: int, to_ms: int, limit: int) -> list[int]:
        return [one.ts_ms for one in reader.ticks(from_ms=from_ms, to_ms=to_ms, limit=limit)]

    assert read(times_ms[0], times_ms[-1], 10) == times_ms[:3]
    assert read(times_ms[0], times_ms[-1] + 1, 3) == times_ms[:3]
    assert read(times_ms[0], times_ms[-1], 0) == []


def test_what_is_committed_is_there_for_the_next_process(
    record: SqlitePriceRecord, folder: Path
) -> None:
    append(record, tick(T0_MS))
    # No close: as after a kill. The other process opens the same files beside the open ones.
    other = SqlitePriceRecord(folder)
    append(other, tick(T0_MS + 1))
    reader = SqlitePriceReader(folder)
    assert [one.ts_ms for one in all_ticks(reader)] == [T0_MS, T0_MS + 1]
    reader.close()
    other.close()


def test_a_file_whose_making_was_cut_short_is_made_again(
    record: SqlitePriceRecord, reader: SqlitePriceReader, folder: Path
) -> None:
    (folder / "ticks-2026-02-03.new").write_bytes(b"half a database")
    append(record, tick(T0_MS))
    assert all_ticks(reader) == [tick(T0_MS)]


def test_a_commit_that_fails_leaves_nothing_of_its_day(
    record: SqlitePriceRecord, reader: SqlitePriceReader
) -> None:
    append(record, tick(T0_MS))
    too_large = attrs.evolve(tick(T0_MS + 2), trade_id=2**63)
    with pytest.raises(OverflowError):
        append(record, tick(T0_MS + 1), too_large)
    assert all_ticks(reader) == [tick(T0_MS)]
    append(record, tick(T0_MS + 3))
    assert len(all_ticks(reader)) == 2


def test_every_file_is_synced_at_each_commit(record: SqlitePriceRecord, folder: Path) -> None:
    append(record, tick(T0_MS))
    for path in folder.glob("*.db"):
        connection = open_writer(path)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        connection.close()


def test_a_reader_cannot_write(reader: SqlitePriceReader) -> None:
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader._health.execute("DELETE FROM levels")


def test_a_reader_needs_a_record(folder: Path) -> None:
    with pytest.raises(sqlite3.OperationalError):
        SqlitePriceReader(folder / "nowhere")


def test_few_files_are_open_at_a_time(record: SqlitePriceRecord, reader: SqlitePriceReader) -> None:
    for day in range(FILES_OPEN_MAX + 1):
        append(record, tick(T0_MS + day * DAY_MS))
    assert len(all_ticks(reader)) == FILES_OPEN_MAX + 1
    assert len(reader._files._open) == len(record._files._open) == FILES_OPEN_MAX


# --- the record of a window -------------------------------------------------------------------


def test_the_record_of_an_empty_folder(reader: SqlitePriceReader) -> None:
    found = reader.record(start_ms=T0_MS, end_ms=T0_MS + 5_000, read_at_ms=T0_MS + 9_000)
    assert (found.carry_in, found.ticks, found.after) == (None, (), None)
    assert (found.watermark_ms, found.read_at_ms) == (0, T0_MS + 9_000)


def test_the_record_of_a_window_that_begins_at_midnight(
    record: SqlitePriceRecord, reader: SqlitePriceReader
) -> None:
    append(record, *map(tick, range(MIDNIGHT_MS - 3_000, MIDNIGHT_MS + 8_000, 1_000)))
    found = reader.record(
        start_ms=MIDNIGHT_MS, end_ms=MIDNIGHT_MS + 5_000, read_at_ms=MIDNIGHT_MS + 9_000
    )
    assert found.carry_in == tick(MIDNIGHT_MS - 1_000)
    assert found.ticks == tuple(map(tick, range(MIDNIGHT_MS, MIDNIGHT_MS + 5_000, 1_000)))
    assert found.after == tick(MIDNIGHT_MS + 5_000)
    assert found.watermark_ms == MIDNIGHT_MS + 7_000


def test_carry_in_and_after_may_be_days_away(
    record: SqlitePriceRecord, reader: SqlitePriceReader
) -> None:
    append(record, tick(T0_MS), tick(T0_MS + 6 * DAY_MS))
    start_ms = T0_MS + 3 * DAY_MS
    found = reader.record(start_ms=start_ms, end_ms=start_ms + 5_000, read_at_ms=start_ms + 9_000)
    assert (found.carry_in, found.after) == (tick(T0_MS), tick(T0_MS + 6 * DAY_MS))


@attrs.define
class Meddler:
    """Commits one more batch before each statement of a reader: the writer is never still."""

    record: SqlitePriceRecord
    next_ms: int

    def __call__(self, _: str) -> None:
        append(self.record, *(tick(self.next_ms + n * 700) for n in range(10)))
        self.next_ms += 7_000


def test_a_window_read_while_the_writer_commits_has_all_ticks_up_to_its_end(
    record: SqlitePriceRecord, reader: SqlitePriceReader
) -> None:
    append(record, tick(T0_MS))
    connection = reader._files._connection(T0_MS // DAY_MS)
    meddler = Meddler(record, T0_MS + 700)
    for ahead_ms in range(1_000, 26_000, 3_000):  # so that the end falls into each of the batches
        start_ms = meddler.next_ms + ahead_ms
        end_ms = start_ms + 4_000
        connection.set_trace_callback(meddler)
        found = reader.record(start_ms=start_ms, end_ms=end_ms, read_at_ms=T0_MS)
        connection.set_trace_callback(None)
        truth = reader.record(start_ms=start_ms, end_ms=end_ms, read_at_ms=T0_MS)
        if found.after is not None or found.watermark_ms >= end_ms:
            assert (found.carry_in, found.ticks) == (truth.carry_in, truth.ticks)
        if found.watermark_ms >= end_ms:
            assert found.after == truth.after


# --- impairments ------------------------------------------------------------------------------


def test_a_new_folder_was_down_since_ever_until_its_first_tick(
    record: SqlitePriceRecord, reader: SqlitePriceReader
) -> None:
    record.begin_down()
    assert impairments(reader) == [("down", 0, None)]
    append(record, tick(T0_MS), tick(T0_MS + 100))
    assert impairments(reader) == [("down", 0, T0_MS + 1)]


def test_a_new_life_is_down_from_the_last_tick_through_its_own_first(
    record: SqlitePriceRecord, reader: SqlitePriceReader
) -> None:
    append(record, tick(T0_MS), tick(T0_MS + 200))
    record.begin_down()
    append(record, tick(T0_MS + 900), tick(T0_MS + 1_000))
    append(record, tick(T0_MS + 1_100))
    assert impairments(reader) == [("down", T0_MS + 200, T0_MS + 901)]


def test_the_window_that_opens_at_a_lifes_first_tick_is_impaired(
    record: SqlitePriceRecord, reader: SqlitePriceReader
) -> None:
    """The tick that was its price in force may be lost, and another would pass for it."""
    append(record, tick(T0_MS - 3_000))
    record.begin_down()
    append(record, tick(T0_MS))
    assert impairments(reader, T0_MS, T0_MS + 5_000) == [("down", T0_MS - 3_000, T0_MS + 1)]
    assert impairments(reader, T0_MS + 1, T0_MS + 5_000) == []


def test_lives_without_a_tick_make_one_long_stretch(
    record: SqlitePriceRecord, reader: SqlitePriceReader, folder: Path
) -> None:
    append(record, tick(T0_MS))
    record.begin_down()
    record.begin_down()
    record.append([], [], alive_ms=T0_MS + 50_000)
    record.close()
    again = SqlitePriceRecord(folder)
    again.begin_down()
    append(again, tick(T0_MS + 60_000))
    again.close()
    assert impairments(reader) == [("down", T0_MS, T0_MS + 60_001)]


def test_critical_lasts_from_its_first_report_to_the_next_other_level(
    record: SqlitePriceRecord, reader: SqlitePriceReader
) -> None:
    level(record, FeedLevel.CRITICAL, T0_MS)
    level(record, FeedLevel.CRITICAL, T0_MS + 500)  # a new HealthMonitor begins CRITICAL again
    assert impairments(reader) == [("critical", T0_MS, None)]
    level(record, FeedLevel.DEGRADED, T0_MS + 30_000)
    level(record, FeedLevel.HEALTHY, T0_MS + 31_000)
    level(record, FeedLevel.CRITICAL, T0_MS + 60_000)
    assert impairments(reader) == [
        ("critical", T0_MS, T0_MS + 30_000),
        ("critical", T0_MS + 60_000, None),
    ]


def test_a_restart_does_not_forget_an_open_critical(
    record: SqlitePriceRecord, reader: SqlitePriceReader, folder: Path
) -> None:
    level(record, FeedLevel.CRITICAL, T0_MS)
    record.close()
    again = SqlitePriceRecord(folder)
    again.begin_down()
    append(again, tick(T0_MS + 1_000))
    assert ("critical", T0_MS, None) in impairments(reader)
    level(again, FeedLevel.HEALTHY, T0_MS + 40_000)
    assert ("critical", T0_MS, T0_MS + 40_000) in impairments(reader)
    again.close()


def test_a_stretch_is_never_empty_though_the_clock_went_back(
    record: SqlitePriceRecord, reader: SqlitePriceReader
) -> None:
    level(record, FeedLevel.CRITICAL, T0_MS)
    level(record, FeedLevel.HEALTHY, T0_MS - 5_000)
    assert impairments(reader) == [("critical", T0_MS, T0_MS + 1)]


@pytest.mark.parametrize(
    ("start_ms", "end_ms", "is_impaired"),
    [
        (T0_MS - 5_000, T0_MS, False),
        (T0_MS - 5_000, T0_MS + 1, True),
        (T0_MS + 9_999, T0_MS + 15_000, True),
        (T0_MS + 10_000, T0_MS + 15_000, False),
    ],
)
def test_a_record_has_the_impairments_that_overlap_its_window(
    record: SqlitePriceRecord,
    reader: SqlitePriceReader,
    start_ms: int,
    end_ms: int,
    is_impaired: bool,
) -> None:
    level(record, FeedLevel.CRITICAL, T0_MS)
    level(record, FeedLevel.HEALTHY, T0_MS + 10_000)
    found = reader.record(start_ms=start_ms, end_ms=end_ms, read_at_ms=end_ms)
    whole = Impairment(kind=ImpairmentKind.CRITICAL, from_ms=T0_MS, until_ms=T0_MS + 10_000)
    assert found.impairments == ((whole,) if is_impaired else ())


GAPS_MS = st.lists(st.sampled_from([0, 1, 2, 900, 4_000]), max_size=4)


@settings(max_examples=50)
@given(lives=st.lists(st.tuples(GAPS_MS, GAPS_MS), min_size=1, max_size=4))
def test_a_window_that_is_not_void_has_every_tick_there_was(
    lives: list[tuple[list[int], list[int]]],
) -> None:
    """Each life commits some ticks, then crashes with others in hand: those are lost for ever.

    Whatever was lost, and be it in the same millisecond as what was not, no window that may be
    judged lacks one of its ticks or has a carry-in that was not the last one.
    """
    market = [tick(T0_MS - 5_000, 1)]
    with quick_folder() as folder:
        record, reader = SqlitePriceRecord(folder), SqlitePriceReader(folder)
        append(record, *market)
        for kept, lost in lives:
            record.begin_down()
            for gap_ms in kept:
                market.append(tick(market[-1].ts_ms + gap_ms, trade_id=len(market)))
                append(record, market[-1])
            for gap_ms in lost:
                market.append(tick(market[-1].ts_ms + gap_ms, trade_id=len(market)))
        edges = sorted({one.ts_ms + shift for one in market for shift in (0, 1)})
        for start_ms, end_ms in product(edges, edges):
            found = reader.record(start_ms=start_ms, end_ms=end_ms, read_at_ms=end_ms)
            if start_ms < end_ms <= found.watermark_ms and void_reason(found) is None:
                before = [one for one in market if one.ts_ms < start_ms]
                within = [one for one in market if start_ms <= one.ts_ms < end_ms]
                assert (found.carry_in, found.ticks) == (before[-1], tuple(within))
        reader.close()
        record.close()


# --- the tail ---------------------------------------------------------------------------------


def tail_of(record: SqlitePriceRecord) -> RecordTail:
    found = record.tail()
    assert found is not None
    return found


def test_a_new_folder_has_no_tail_though_a_recorder_runs(record: SqlitePriceRecord) -> None:
    assert record.tail() is None
    record.begin_down()
    record.append([], [], alive_ms=T0_MS)
    assert record.tail() is None


def test_the_tail_is_the_end_of_the_record(record: SqlitePriceRecord) -> None:
    level(record, FeedLevel.CRITICAL, T0_MS - 1_000)
    level(record, FeedLevel.HEALTHY, T0_MS)
    append(record, tick(T0_MS), tick(T0_MS + 2_000))
    record.append([], [], alive_ms=T0_MS + 5_000)
    assert record.tail() == RecordTail(
        last_tick=tick(T0_MS + 2_000),
        alive_ms=T0_MS + 5_000,
        level=FeedLevel.HEALTHY,
        gap_since_healthy_ms=3_000,
    )


@pytest.mark.parametrize(
    ("times_s", "alive_s", "gap_s"),
    [
        ([0], 0, 0),
        ([0, 1, 5, 6], 6, 4),
        ([0, 1, 2], 14, 12),  # the silence at the end
        ([0, 300], 300, 300),  # the outage that the last minute begins in
        ([0, 20, 100], 100, 80),
        ([0, 30, *range(31, 130)], 129, 1),  # older than a minute
    ],
)
def test_the_tail_knows_the_longest_silence_of_the_last_minute(
    record: SqlitePriceRecord, times_s: list[int], alive_s: int, gap_s: int
) -> None:
    append(record, *(tick(MIDNIGHT_MS - 1_000 + at_s * 1_000) for at_s in times_s))
    record.append([], [], alive_ms=MIDNIGHT_MS - 1_000 + alive_s * 1_000)
    assert tail_of(record).gap_since_healthy_ms == gap_s * 1_000


def test_a_committed_tick_is_a_sign_of_life(record: SqlitePriceRecord) -> None:
    append(record, tick(T0_MS))
    append(record, tick(T0_MS + 400))
    assert tail_of(record).alive_ms == T0_MS + 400


def test_the_sign_of_life_follows_a_clock_that_is_set_back(record: SqlitePriceRecord) -> None:
    record.append([tick(T0_MS)], [], alive_ms=T0_MS + 3_600_000)
    record.append([tick(T0_MS + 100)], [], alive_ms=T0_MS + 100)
    assert tail_of(record).alive_ms == T0_MS + 100


# --- purge ------------------------------------------------------------------------------------


def test_purge_keeps_today_and_the_seven_days_before(
    record: SqlitePriceRecord, reader: SqlitePriceReader, folder: Path
) -> None:
    for day in (0, 1, 2, 9):
        append(record, tick(T0_MS + day * DAY_MS))
    assert len(all_ticks(reader)) == 4
    now_ms = T0_MS + 9 * DAY_MS
    assert record.purge(now_ms=now_ms) == 2
    assert record.purge(now_ms=now_ms) == 0
    assert [(one.ts_ms - T0_MS) // DAY_MS for one in all_ticks(reader)] == [2, 9]
    days = {path.name[:16] for path in folder.glob("ticks-*")}
    assert days == {"ticks-2026-02-05", "ticks-2026-02-12"}


def test_a_clock_that_jumps_ahead_purges_nothing(record: SqlitePriceRecord) -> None:
    append(record, tick(T0_MS))
    assert record.purge(now_ms=T0_MS + 400 * DAY_MS) == 0


def test_an_empty_record_has_nothing_to_purge(record: SqlitePriceRecord) -> None:
    assert record.purge(now_ms=T0_MS) == 0


# --- bars -------------------------------------------------------------------------------------


def test_bars_are_open_high_low_close_of_aligned_intervals(
    record: SqlitePriceRecord, reader: SqlitePriceReader
) -> None:
    prices = [(0, 50), (400, 70), (999, 60), (1_000, 65), (4_000, 40), (4_001, 45)]
    append(record, *(tick(MIDNIGHT_MS - 1_000 + at_ms, cents) for at_ms, cents in prices))
    assert reader.bars(
        from_ms=MIDNIGHT_MS - 400, to_ms=MIDNIGHT_MS + 9_000, interval_ms=1_000, limit=9
    ) == [
        Bar(
            start_ms=MIDNIGHT_MS - 1_000,
            open_cents=50,
            high_cents=70,
            low_cents=50,
            close_cents=60,
            ticks=3,
        ),
        Bar(
            start_ms=MIDNIGHT_MS,
            open_cents=65,
            high_cents=65,
            low_cents=65,
            close_cents=65,
            ticks=1,
        ),
        Bar(
            start_ms=MIDNIGHT_MS + 3_000,
            open_cents=40,
            high_cents=45,
            low_cents=40,
            close_cents=45,
            ticks=2,
        ),
    ]


BASE_MS = MIDNIGHT_MS - 20_000
ROWS = sorted((n * n * 97 % 40_000, 10 + n * 31 % 80) for n in range(60))
"""Sixty ticks in forty seconds over midnight, in bursts and with holes: `(ms, cents)`."""


@pytest.fixture(scope="module")
def sixty() -> Iterator[SqlitePriceReader]:
    """A record of the sixty ticks."""
    with quick_folder() as folder:
        record = SqlitePriceRecord(folder)
        append(record, *(tick(BASE_MS + at_ms, cents) for at_ms, cents in ROWS))
        reader = SqlitePriceReader(folder)
        yield reader
        reader.close()
        record.close()


@given(
    interval_ms=st.sampled_from([700, 1_000, 7_000, 60_000]),
    from_ms=st.integers(BASE_MS - 9_000, BASE_MS + 45_000),
    span_ms=st.integers(0, 60_000),
    limit=st.integers(0, 20),
)
def test_bars_are_those_of_a_plain_count(
    sixty: SqlitePriceReader, interval_ms: int, from_ms: int, span_ms: int, limit: int
) -> None:
    prices: dict[int, list[int]] = {}
    for at_ms, cents in ROWS:
        prices.setdefault((BASE_MS + at_ms) // interval_ms * interval_ms, []).append(cents)
    first_ms = from_ms // interval_ms * interval_ms
    wanted = [
        Bar(
            start_ms=start_ms,
            open_cents=cents[0],
            high_cents=max(cents),
            low_cents=min(cents),
            close_cents=cents[-1],
            ticks=len(cents),
        )
        for start_ms, cents in prices.items()
        if first_ms <= start_ms < from_ms + span_ms
    ]
    to_ms = from_ms + span_ms
    found = sixty.bars(from_ms=from_ms, to_ms=to_ms, interval_ms=interval_ms, limit=limit)
    assert found == wanted[:limit]


@given(
    from_ms=st.integers(BASE_MS - 9_000, BASE_MS + 45_000),
    span_ms=st.integers(0, 60_000),
    limit=st.integers(0, 70),
)
def test_a_window_is_that_of_a_plain_filter(
    sixty: SqlitePriceReader, from_ms: int, span_ms: int, limit: int
) -> None:
    ticks = [tick(BASE_MS + at_ms, cents) for at_ms, cents in ROWS]
    before = [one for one in ticks if one.ts_ms < from_ms]
    within = [one for one in ticks if from_ms <= one.ts_ms < from_ms + span_ms]
    after = [one for one in ticks if one.ts_ms >= from_ms + span_ms]
    found = sixty.record(start_ms=from_ms, end_ms=from_ms + span_ms, read_at_ms=0)
    assert found.carry_in == (before[-1] if before else None)
    assert found.ticks == tuple(within)
    assert found.after == (after[0] if after else None)
    assert sixty.ticks(from_ms=from_ms, to_ms=from_ms + span_ms, limit=limit) == within[:limit]
