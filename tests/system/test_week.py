"""The whole venue over the end of a week, in virtual time: nothing stops, and nothing is lost."""

from contextlib import closing
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from db.weekly_check import check_weeks
from db.weekly_reader import WeeklyReader
from domain.units import payout_micros
from protocols.money import BetConfirmed, PlaceBet
from tests.support.venue import WALLET, Venue, running_venue

pytestmark = pytest.mark.slow

SUNDAY_MS = 1_770_508_800_000  # 2026-02-08 00:00:00 UTC
WEEK_MS = 7 * 86_400_000
FIRST, SECOND = "2026-02-01.db", "2026-02-08.db"


async def confirmed(venue: Venue, bet: PlaceBet) -> BetConfirmed:
    outcome = await venue.order(bet)
    assert isinstance(outcome, BetConfirmed), outcome
    return outcome


async def wait_archived(venue: Venue, weeks: int) -> None:
    """Until so many weeks are in the archive."""
    archive = venue.channels.archive
    version = archive.version
    while archive.value.archived < weeks:
        version, _ = await archive.changed(version)


def all_drifts(data: Path) -> list[object]:
    """Of every file that is here, and between them."""
    with closing(WeeklyReader(data / "money")) as reader:
        weeks = [week for week in check_weeks(reader.weeks()) if week.report is not None]
    return [drift for week in weeks if week.report for drift in week.report.drifts]


async def test_a_week_ends_while_bets_are_open(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with (
        running_venue(tmp_path, epoch_ms=SUNDAY_MS - 45_000) as venue,
        venue.source.running(),
    ):
        await venue.fund(100_000_000)
        await venue.wait_quote()
        placed = []
        while venue.clock.now_ms() < SUNDAY_MS + 20_000:
            for rows_up in (-1, 1):
                bet = venue.bet(venue.cell(columns_ahead=4, rows_up=rows_up))
                placed.append(await confirmed(venue, bet))
            await trio.sleep(5)
        assert venue.channels.writer.value.partition == SECOND
        assert venue.channels.writer.value.rotations == 1
        ends = [await venue.wait_ended(bet.bet_id) for bet in placed]
        # The price stands on the edge of two rows: it touches the one below it and not the next.
        assert ends == ["won", "lost"] * (len(placed) // 2)
        assert [bet.seq for bet in placed] == sorted(bet.seq for bet in placed)
        await wait_archived(venue, 1)
        reader = venue.ports.ledger_reader
        listed = [bet.bet_id for bet in reader.bets(WALLET, limit=200)]
        assert listed == [bet.bet_id for bet in reversed(placed)]
        paid = sum(payout_micros(1_000_000, bet.reward_bps) for bet in placed[::2])
        booked = sum(row.amount_micros for _, row in reader.statement(WALLET, limit=200))
        left = 100_000_000 - 1_000_000 * len(placed) + paid
        assert booked == venue.balance_micros() == left
    assert all_drifts(tmp_path) == []


async def test_a_venue_that_slept_for_weeks_gives_back_what_was_open_and_goes_on(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with (
        running_venue(tmp_path, epoch_ms=SUNDAY_MS - 60_000) as venue,
        venue.source.running(),
    ):
        await venue.fund(10_000_000)
        await venue.wait_quote()
        bet = await confirmed(venue, venue.bet(venue.cell(columns_ahead=6)))
        assert venue.channels.writer.value.partition == FIRST
    async with (
        running_venue(tmp_path, epoch_ms=SUNDAY_MS + 5 * WEEK_MS) as venue,
        venue.source.running(),
    ):
        assert await venue.wait_ended(bet.bet_id) == "void"
        assert venue.balance_micros() == 10_000_000
        assert venue.channels.writer.value.partition == "2026-03-15.db"
        await venue.wait_quote()
        await confirmed(venue, venue.bet(venue.cell(columns_ahead=4)))
        await wait_archived(venue, 1)
    names = sorted(path.name for path in (tmp_path / "money").glob("*.db"))
    assert names == [FIRST, "2026-03-15.db"], "no files of weeks in which nothing was"
    assert all_drifts(tmp_path) == []


async def test_a_month_later_the_week_is_in_the_archive_only(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with (
        running_venue(tmp_path, epoch_ms=SUNDAY_MS - 60_000) as venue,
        venue.source.running(),
    ):
        await venue.fund(10_000_000)
        await venue.wait_quote()
        bet = await confirmed(venue, venue.bet(venue.cell(columns_ahead=4)))
        await venue.wait_ended(bet.bet_id)
    for weeks_later in (0, 5):  # it ends, and four weeks after that it may leave
        epoch_ms = SUNDAY_MS + weeks_later * WEEK_MS
        async with running_venue(tmp_path, epoch_ms=epoch_ms) as venue, venue.source.running():
            await wait_archived(venue, 1)
            archive = venue.channels.archive
            version = archive.version
            while weeks_later and not archive.value.purged:
                version, _ = await archive.changed(version)
            reader = venue.ports.ledger_reader
            assert list(reader.archived()) == ([FIRST] if weeks_later else [])
            assert (reader.bet(bet.bet_id) is None) == bool(weeks_later)
    assert not (tmp_path / "money" / FIRST).exists()
    assert (tmp_path / "archive" / "weeks" / f"{FIRST}.zst").is_file()
    assert all_drifts(tmp_path) == []
