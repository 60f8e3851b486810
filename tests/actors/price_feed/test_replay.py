"""The replay: a trade file of any known form, played as if it happened now."""

import gzip
import zipfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from actors.price_feed.replay import (
    UNREADABLE_IN_A_ROW_MAX,
    Replay,
    ReplaySpec,
    parse_replay_spec,
)
from domain.ticks import Acceptance, Tick, accept
from protocols.ports import SourceLost, TickSource
from supervisor import TrioClock

EPOCH_MS = 1_780_000_000_000
CLOCK = TrioClock(EPOCH_MS)
OWN = "ts_ms,price,qty\n1693929601000,100,1\n1693929601000,101,1\n1693929602500,102.5,0.5\n"


async def played(source: TickSource, count: int) -> list[tuple[float, Tick]]:
    """The first ticks of a new connection, each with when it came by trio's clock."""
    found = []
    async with source.connect() as ticks:
        async for tick in ticks:
            found.append((trio.current_time(), tick))
            if len(found) == count:
                break
    return found


def replay(path: Path, speed: str = "1") -> Replay:
    return Replay(ReplaySpec(path=path, speed=Fraction(speed)), clock=CLOCK)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A small file in our own form: two trades at once, and one 1.5 s later."""
    path = tmp_path / "own.csv"
    path.write_text(OWN)
    return path


# --- the spec ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "path", "speed"),
    [
        ("day.csv", "day.csv", 1),
        ("day.csv@10", "day.csv", 10),
        ("/data/day.csv.gz@0.5", "/data/day.csv.gz", Fraction(1, 2)),
        ("day.csv@2.", "day.csv", 2),
        ("btcusdt@trade.csv", "btcusdt@trade.csv", 1),
        ("btcusdt@trade.csv@3", "btcusdt@trade.csv", 3),
        ("day.csv@fast", "day.csv@fast", 1),
        ("day.csv@-1", "day.csv@-1", 1),
        ("day.csv@", "day.csv@", 1),
        ("day.csv@.5", "day.csv@.5", 1),
        ("day.csv@٣", "day.csv@٣", 1),
    ],
)
def test_a_spec_is_a_file_and_a_speed(text: str, path: str, speed: Fraction) -> None:
    assert parse_replay_spec(text) == ReplaySpec(path=Path(path), speed=Fraction(speed))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "needs a file"),
        ("@10", "needs a file"),
        ("day.csv@0", "above 0"),
        ("day.csv@0.0", "above 0"),
        ("day.csv@1001", "at most 1000"),
    ],
)
def test_a_spec_that_makes_no_sense_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_replay_spec(text)


# --- playing ----------------------------------------------------------------------------------


async def test_the_first_trade_happens_now_and_the_others_at_their_distance(
    own: Path, autojump_clock: MockClock
) -> None:
    await trio.sleep(7)
    ticks = await played(replay(own), 3)
    assert [(at, tick.ts_ms - EPOCH_MS) for at, tick in ticks] == [
        (7, 7_000),
        (7, 7_000),
        (8.5, 8_500),
    ]
    assert ticks[2][1] == Tick(
        source="replay:own.csv",
        trade_id=4,  # the row's number: the file has no ids
        price_cents=10_250,
        size_e8=50_000_000,
        ts_ms=EPOCH_MS + 8_500,
        recv_ms=EPOCH_MS + 8_500,
    )


@pytest.mark.parametrize(("speed", "seconds"), [("10", 0.15), ("0.5", 3.0), ("3", 0.5)])
async def test_a_multiple_of_real_time_shortens_the_distances(
    own: Path, speed: str, seconds: float, autojump_clock: MockClock
) -> None:
    ticks = await played(replay(own, speed), 3)
    at, tick = ticks[2]
    assert at == pytest.approx(seconds)
    assert tick.ts_ms == EPOCH_MS + seconds * 1000, "a tick is as old as it looks at any speed"


async def test_a_gap_in_the_file_is_a_silence(tmp_path: Path, autojump_clock: MockClock) -> None:
    path = tmp_path / "gap.csv"
    path.write_text("ts_ms,price,qty\n1693929601000,100,1\n1693929613000,100,1\n")
    assert [at for at, _ in await played(replay(path), 2)] == [0, 12]


async def test_each_pass_has_a_name_of_its_own(own: Path, autojump_clock: MockClock) -> None:
    ticks = await played(replay(own), 7)
    assert [tick.source for _, tick in ticks] == [
        *["replay:own.csv"] * 3,
        *["replay:own.csv#2"] * 3,
        "replay:own.csv#3",
    ]
    times = [tick.ts_ms for _, tick in ticks]
    assert times == sorted(times)
    assert times[3] > times[2], "two sources are told apart by time alone"


async def test_a_new_connection_is_a_new_pass(own: Path, autojump_clock: MockClock) -> None:
    source = replay(own)
    await played(source, 2)
    (_, tick), *_ = await played(source, 1)
    assert (tick.source, tick.price_cents) == ("replay:own.csv#2", 10_000)
    assert source.name == "replay:own.csv", "the source itself keeps its name"


async def test_after_a_restart_of_the_venue_ids_repeat_and_ticks_stay_in_order(
    own: Path, autojump_clock: MockClock
) -> None:
    """The same ids at later times: acceptance goes by time first."""
    before = await played(replay(own), 3)
    await trio.sleep(0.001)
    after = await played(replay(own), 3)
    assert [tick.trade_id for _, tick in before] == [tick.trade_id for _, tick in after]
    state = Acceptance()
    for _, tick in [*before, *after]:
        state, accepted = accept(state, tick, jump_max_bps=1_000)
        assert accepted.ticks == (tick,)


async def test_a_reader_that_holds_the_replay_up_gets_fresh_ticks_after(
    own: Path, autojump_clock: MockClock
) -> None:
    found = []
    async with replay(own).connect() as ticks:
        found.append(await anext(ticks))
        await trio.sleep(60)
        found.extend([await anext(ticks) for _ in range(2)])
    assert all(tick.ts_ms == tick.recv_ms for tick in found)
    assert [tick.ts_ms - EPOCH_MS for tick in found] == [0, 60_000, 61_500], (
        "those to come keep their distances"
    )


async def test_a_row_out_of_order_is_played_in_its_place(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    path = tmp_path / "mixed.csv"
    seconds = [602, 604, 603, 605, 601]
    path.write_text("ts_ms,price,qty\n" + "".join(f"1693929{s}000,{s},1\n" for s in seconds))
    times = [tick.ts_ms - EPOCH_MS for _, tick in await played(replay(path), 5)]
    assert times == [0, 2_000, 2_000, 3_000, 3_000]


async def test_a_file_of_one_row_does_not_spin(tmp_path: Path, autojump_clock: MockClock) -> None:
    path = tmp_path / "one.csv"
    path.write_text("ts_ms,price,qty\n1693929602000,1,1\n")
    assert [at for at, _ in await played(replay(path), 3)] == [0, 1, 2]


# --- forms ------------------------------------------------------------------------------------

SPOT = (
    "3735683259,61837.63000000,0.02000000,1236.75260000,1723161255342,True,True\n"
    "3735683260,61837.64000000,0.01000000,618.37640000,1723161255442,True,True\n"
)
AGGREGATED_US = (
    "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker\n"
    "3111,61837.63,0.068,3735683259,3735683260,1735689600000000,true\n"
    "3112,61837.64,0.068,3735683261,3735683261,1735689600100999,true\n"
)


def zipped(path: Path, text: str) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("inside.csv", text)


def gzipped(path: Path, text: str) -> None:
    path.write_bytes(gzip.compress(text.encode()))


def plain(path: Path, text: str) -> None:
    path.write_text(text)


@pytest.mark.parametrize(("write", "suffix"), [(plain, ""), (gzipped, ".gz"), (zipped, ".zip")])
@pytest.mark.parametrize(("text", "first_id"), [(SPOT, 3735683259), (AGGREGATED_US, 3111)])
async def test_binance_files_are_played_plain_gzipped_and_zipped(
    write: Callable[[Path, str], None],
    suffix: str,
    text: str,
    first_id: int,
    tmp_path: Path,
    autojump_clock: MockClock,
) -> None:
    path = tmp_path / f"BTCUSDT-trades-2024-08-08.csv{suffix}"
    write(path, text)
    (_, first), (_, second) = await played(replay(path), 2)
    assert (first.trade_id, first.price_cents) == (first_id, 6183763)
    assert (second.trade_id, second.price_cents) == (first_id + 1, 6183764)
    assert second.ts_ms - first.ts_ms == 100


async def test_rows_that_cannot_be_read_are_counted_and_skipped(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    path = tmp_path / "torn.csv"
    path.write_text(OWN.replace("1693929601000,101,1", "1693929601000,1O1,1"))
    source = replay(path)
    ticks = await played(source, 2)
    assert [tick.price_cents for _, tick in ticks] == [10_000, 10_250]
    assert source.unreadable == 1


async def test_a_file_that_turns_to_garbage_is_lost(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    path = tmp_path / "torn.csv"
    path.write_text(OWN + "x,y,z\n" * UNREADABLE_IN_A_ROW_MAX)
    with pytest.raises(SourceLost, match="can't be read"):
        await played(replay(path), 4)


async def test_a_file_that_goes_away_is_lost(own: Path, autojump_clock: MockClock) -> None:
    source = replay(own)
    await trio.Path(own).unlink()
    with pytest.raises(SourceLost, match="No such file"):
        await played(source, 1)


async def test_a_file_cut_off_in_its_compression_is_lost(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    rows = "".join(
        f"{1693929601000 + i * 7},{100 + i * i % 97},{i**3 % 9_973}\n" for i in range(2_000)
    )
    whole = gzip.compress(("ts_ms,price,qty\n" + rows).encode())
    path = tmp_path / "cut.csv.gz"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SourceLost, match="end-of-stream"):
        await played(replay(path), 2_000)


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("empty.csv", b"", "no trade"),
        ("header.csv", b"ts_ms,price,qty\n", "no trade"),
        ("text.csv", b"hello\nworld\n", "columns"),
        ("bars.csv", b"ts_ms,open,high,low,close,volume_usd\n1,2,3,4,5,6\n", "columns"),
        ("seconds.csv", b"ts_ms,price,qty\n1693929601,100,1\n", "neither milli- nor micro"),
        ("binary.csv", b"\xff\xfe\x00\x01", "codec"),
        ("not.csv.gz", b"ts_ms,price,qty\n", "gzip"),
        ("not.csv.zip", b"ts_ms,price,qty\n", "zip"),
    ],
)
def test_what_cannot_be_played_is_refused_at_once(
    name: str, content: bytes, why: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ValueError, match=why):
        replay(path)


def test_a_missing_file_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no such file"):
        replay(tmp_path / "none.csv")


def test_an_archive_of_several_files_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "two.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", SPOT)
        archive.writestr("b.csv", SPOT)
    with pytest.raises(ValueError, match="holds 2 files"):
        replay(path)


# --- recorded data ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "count", "seconds"),
    [
        pytest.param(
            "btcusdt_trades_binance_spot_20240808.csv.gz", 19_904, 650.458, marks=pytest.mark.slow
        ),
        ("btcusd_price_1hz_chainlink_20260608.csv.gz", 300, 304.0),
        ("btcusd_trades_coinbase_20230905.csv.gz", 500, 120.393),
        ("btcusdt_trades_kraken_20251110.csv.gz", 1_000, 24_602.011),
    ],
)
async def test_recorded_files_are_played_in_order_and_nothing_is_left_out(
    name: str, count: int, seconds: float, market_data: Path, autojump_clock: MockClock
) -> None:
    state = Acceptance()
    source = replay(market_data / name)
    ticks = await played(source, count)
    for _, tick in ticks:
        state, accepted = accept(state, tick, jump_max_bps=100)
        assert accepted.ticks == (tick,)
    assert source.unreadable == 0
    assert trio.current_time() == pytest.approx(seconds, abs=1)
