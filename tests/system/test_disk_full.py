"""A disk that fills up: bets are refused in time, what is owed is paid, and nothing is lost.

First the whole venue in virtual time, with a disk that is as full as the test says; then a venue in
a process of its own on a real file system of a few megabytes, filled to the last byte.
"""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import attrs
import pytest
import trio
from trio.testing import MockClock

from db.sqlite_ledger_reader import SqliteLedgerReader
from domain.disk import DiskLevel, DiskUse
from domain.grid import Grid
from tests.support.disk import bets_on_disk, ledger_file, wait_all_ended
from tests.support.http_client import HttpClient, Response, http_client, once
from tests.support.small_disk import filled, small_disk
from tests.support.trader import USD, Trader, near_cells, wait_grid
from tests.support.venue import HandProbe, Venue, running_venue
from tests.support.venue_process import REPOSITORY, venue

pytestmark = [pytest.mark.slow]

QUIET_S = 0.004
"""Real time without an event after which the clock may jump: loopback answers in far less."""
SETTINGS = (
    "--set=limits.bets_per_minute=1000000",
    "--set=limits.bets_burst=100000",
    "--set=grid.column_s=1",
)
FULL_FOR_S = 12.0
"""Longer than it takes an actor that fails again and again to bring the venue down."""


# --- in virtual time --------------------------------------------------------------------------


@attrs.define
class Story:
    """A trader at a venue whose disk fills up."""

    venue: Venue
    trader: Trader

    async def fill(self, percent: int) -> DiskLevel:
        """Let the disk be that full, and the monitor see it; the level then."""
        disk, channel = self.venue.ports.disk, self.venue.channels.disk
        assert isinstance(disk, HandProbe)
        disk.use = DiskUse(total_bytes=100, free_bytes=100 - percent)
        version = channel.version
        while channel.value.use != disk.use:
            version, _ = await channel.changed(version)
        return channel.value.level

    async def bet(self) -> Response:
        """A bet on a cell of its own, some seconds ahead."""
        columns_ahead, rows_up = 4 + self.trader.tapped % 5, self.trader.tapped // 5 % 3 - 1
        cell = self.venue.cell(columns_ahead=columns_ahead, rows_up=rows_up)
        body = self.trader.bet(cell.id, now_ms=self.venue.clock.now_ms())
        return await once(self.venue.port, "POST", "/api/bets", body)


def test_bets_are_refused_from_85_percent_on_and_what_is_owed_is_paid() -> None:
    with TemporaryDirectory() as folder:
        trio.run(_told, Path(folder), clock=MockClock(autojump_threshold=QUIET_S))


async def _told(data: Path) -> None:
    trader = Trader(number=1)
    whole = running_venue(data, with_gateway=True, grid=Grid(column_s=1))
    with trio.fail_after(600):
        async with whole as venue, venue.source.running():
            await venue.fund(100 * USD, trader.wallet)
            await venue.wait_quote()
            await fill_and_make_room(Story(venue, trader))


async def fill_and_make_room(story: Story) -> None:
    assert await story.fill(70) is DiskLevel.WARNING
    assert (await story.bet()).status == 202, "a warning is for operators"

    open_bet = (await story.bet()).json["bet_id"]
    assert await story.fill(85) is DiskLevel.FULL
    refused = await story.bet()
    assert (refused.status, refused.error) == (503, "disk_full")
    assert refused.json["retry_after"] == 60
    assert await story.venue.wait_ended(open_bet) in ("won", "lost"), "settlement goes on"
    await story.venue.fund(5 * USD, story.trader.wallet)
    assert story.venue.balance_micros(story.trader.wallet) > 100 * USD, "and so do deposits"

    assert await story.fill(95) is DiskLevel.EMERGENCY
    assert (await story.bet()).error == "disk_full"
    assert await story.fill(84) is DiskLevel.FULL, "not clear of the threshold yet"
    assert (await story.bet()).error == "disk_full"
    assert await story.fill(82) is DiskLevel.WARNING
    again = await story.bet()
    assert again.status == 202
    assert await story.fill(60) is DiskLevel.NORMAL
    assert await story.venue.wait_ended(again.json["bet_id"]) in ("won", "lost")
    stored = story.venue.ports.ledger_reader.bets(story.trader.wallet, limit=100)
    assert len(stored) == 3, "a refused bet has left nothing"
    charged = sum(bet.stake_micros - (bet.payout_micros or 0) for bet in stored)
    assert story.venue.balance_micros(story.trader.wallet) == 105 * USD - charged
    assert story.venue.drifts() == ()


# --- on a real disk ---------------------------------------------------------------------------


@pytest.mark.system
async def test_a_venue_lives_through_a_disk_that_is_full_to_the_last_byte(
    tmp_path: Path, say: Callable[[str], None]
) -> None:
    trader, answers = Trader(number=1), Counter[str]()
    with small_disk(tmp_path / "disk", mib=16) as disk:
        async with venue(disk / "data", *SETTINGS) as running:
            assert (await trader.fund(running.port, 1_000 * USD, "f")).status == 200
            acknowledged: set[str] = set()
            async with http_client(running.port) as client:
                acknowledged |= await tap(client, trader, answers, count=20)
                assert len(acknowledged) >= 10
                with filled(disk):
                    full_until = trio.current_time() + FULL_FOR_S
                    while trio.current_time() < full_until:
                        acknowledged |= await tap(client, trader, answers, count=5)
                        await trio.sleep(0.5)
                before = answers["202"]
                with trio.fail_after(60):
                    while answers["202"] == before:
                        acknowledged |= await tap(client, trader, answers, count=1)
                        await trio.sleep(0.25)
            await wait_all_ended(disk / "data")
            assert await running.stop() == 0
        say(f"on a full disk: {dict(answers)}")
        stored = {bet["id"]: bet for bet in bets_on_disk(disk / "data")}
        assert set(stored) == acknowledged, "what was acknowledged is there, what was refused not"
        charged = sum(bet["stake_micros"] - bet["payout_micros"] for bet in stored.values())
        with closing(SqliteLedgerReader.open(ledger_file(disk / "data"))) as reader:
            account = reader.account(trader.wallet)
        assert account is not None
        assert account.balance_micros == 1_000 * USD - charged
        for command in (["integrity"], ["verify", "--all"]):
            check = [sys.executable, "-m", "actors", *command, "--data", str(disk / "data")]
            done = await trio.run_process(
                check, cwd=REPOSITORY, check=False, capture_stdout=True, stderr=subprocess.STDOUT
            )
            assert done.returncode == 0, done.stdout.decode()
    assert answers["disk_full"] >= 20
    assert set(answers) <= {"202", "disk_full", "cell_taken", "price_feed_stale"}


async def tap(client: HttpClient, trader: Trader, answers: Counter[str], *, count: int) -> set[str]:
    """Bets on the nearest cells; the ids of those that were acknowledged."""
    grid = await wait_grid(client)
    cells = near_cells(grid, columns=range(4, 12))
    acknowledged = set()
    for _ in range(count):
        cell_id = cells[trader.tapped * 7 % len(cells)]
        answer = await client.post("/api/bets", trader.bet(cell_id, now_ms=grid["server_time_ms"]))
        answers[answer.error or str(answer.status)] += 1
        if answer.status == 202:
            acknowledged.add(json.loads(answer.body)["bet_id"])
    return acknowledged
