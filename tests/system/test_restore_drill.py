"""The restore drill: a venue runs, its disk is destroyed, a backup brings it back, trading goes on.

Real processes and files; the backups lie in a folder elsewhere, and once on a real S3 server.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import attrs
import pytest
import trio

from db.partition import file_name
from supervisor.clock import SystemClock
from tests.support.backups import Place
from tests.support.disk import bets_on_disk, ledger_file, wait_all_ended
from tests.support.http_client import Response, http_client, once
from tests.support.ledgers import AT_MS, order
from tests.support.s3_server import ACCESS_KEY_ID, SECRET_ACCESS_KEY, running_s3
from tests.support.trader import USD, Trader, near_cells, wait_grid
from tests.support.venue_process import OPS_TOKEN, REPOSITORY, VenueProcess, venue

pytestmark = [pytest.mark.slow, pytest.mark.system]

FUNDS_MICROS = 100 * USD
ENDS = {"won", "lost", "void"}
QUICK = ("--set=grid.column_s=1",)
"""Windows of a second, so that nobody has to wait for their end."""


@attrs.frozen(kw_only=True)
class Elsewhere:
    """Where backups go: what survives the data folder."""

    settings: tuple[str, ...]
    environment: Mapping[str, str] = attrs.field(factory=dict)


@pytest.fixture(params=["folder", "s3"])
def elsewhere(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Elsewhere]:
    if request.param == "folder":
        (tmp_path / "elsewhere").mkdir()
        yield Elsewhere(settings=(f"--set=archive.url=folder:{tmp_path / 'elsewhere'}",))
        return
    with running_s3() as server:
        bucket = server.new_bucket()
        yield Elsewhere(
            settings=(
                f"--set=archive.url=s3://{bucket}/venue",
                f"--set=archive.endpoint_url={server.url}",
                "--set=archive.region=us-east-1",
                f"--set=archive.access_key_id={ACCESS_KEY_ID}",
            ),
            environment={"TAPGRID_ARCHIVE__SECRET_ACCESS_KEY": SECRET_ACCESS_KEY},
        )


@attrs.frozen
class Tool:
    """`tapgrid` in a process of its own."""

    data: Path
    where: Elsewhere

    async def run(self, *arguments: str, code: int = 0) -> str:
        """What it printed; fails unless it ended with that code."""
        command = [sys.executable, "-m", "actors", *arguments, "--data", str(self.data)]
        done = await trio.run_process(
            command,
            cwd=REPOSITORY,
            check=False,
            capture_stdout=True,
            stderr=subprocess.STDOUT,
            env=os.environ | dict(self.where.environment),
        )
        said = done.stdout.decode()
        assert done.returncode == code, said
        return said


async def test_the_drill(tmp_path: Path, elsewhere: Elsewhere) -> None:
    data, trader = tmp_path / "data", Trader(number=7)
    tool = Tool(data, elsewhere)
    with trio.fail_after(150):
        async with venue(
            data, *elsewhere.settings, *QUICK, environment=elsewhere.environment
        ) as running:
            assert (await trader.fund(running.port, FUNDS_MICROS, "funds")).status == 200
            before = await bet(running, trader, count=3, columns=range(3, 6))
            await running.wait_line("backup_taken")  # its own first one, of before the bets or not
            said = await tool.run("backup", *elsewhere.settings)
            assert "3 bets: zero drift" in said
            assert (await trader.fund(running.port, USD, "too-late")).status == 200
            lost = await bet(running, trader, count=2, columns=range(6, 9))
            running.kill()
            await running.process.wait()
        shutil.rmtree(data)

        said = await tool.run("restore", *elsewhere.settings)
        assert "3 bets: zero drift" in said
        assert "zero drift" in await tool.run("integrity")
        assert {row["id"] for row in bets_on_disk(data)} == before
        await wait_windows_passed(data)

        async with venue(
            data, *elsewhere.settings, *QUICK, environment=elsewhere.environment
        ) as running:
            await wait_all_ended(data, within_s=60)
            given_back = {row["id"]: row["status"] for row in bets_on_disk(data)}
            assert given_back == dict.fromkeys(before, "void"), "nobody saw those windows"
            assert await balance(running, trader) == FUNDS_MICROS
            assert await refusal(running, trader) == "held"
            assert (await release(running)).status == 200
            fresh = await bet(running, trader, count=2, columns=range(3, 6))
            await wait_all_ended(data, within_s=60)
            ended = {row["id"]: row for row in bets_on_disk(data)}
            assert ended.keys() == before | fresh
            assert not lost & ended.keys(), "what came after the backup went with the disk"
            assert {ended[bet_id]["status"] for bet_id in fresh} <= ENDS
            paid = sum(ended[bet_id]["payout_micros"] for bet_id in fresh)
            assert await balance(running, trader) == FUNDS_MICROS - 2 * USD + paid
            assert (await trader.fund(running.port, USD, "too-late")).status == 200
            await tool.run("backup", *elsewhere.settings)
            assert await running.stop() == 0
        assert "zero drift" in await tool.run("integrity")
        assert "all right" in await tool.run("verify", "--all")


async def test_a_running_venue_is_not_restored_over(tmp_path: Path) -> None:
    data = tmp_path / "data"
    tool = Tool(data, Elsewhere(settings=()))
    async with venue(data) as running:
        await running.wait_line("backup_taken")
        await tool.run("backup")
        said = await tool.run("restore", code=3)
        assert "is in use by another process" in said
        assert await running.stop() == 0


async def test_a_backup_of_an_earlier_week_begins_this_week_by_itself(tmp_path: Path) -> None:
    """Its open bets are given back, too: nobody saw their windows."""
    place = Place(data=tmp_path / "data", store=tmp_path / "store")
    place.fund()
    place.apply(order(0), order(1))
    place.store.mkdir()
    tool = Tool(place.data, Elsewhere(settings=()))
    settings = f"--set=archive.url=folder:{place.store}"
    await tool.run("backup", settings)
    shutil.rmtree(place.data)
    await tool.run("restore", settings)
    assert ledger_file(place.data).name == file_name(AT_MS)

    with trio.fail_after(60):
        async with venue(place.data, settings) as running:
            await wait_all_ended(place.data, within_s=40)
            assert {row["status"] for row in bets_on_disk(place.data)} == {"void"}
            assert await running.stop() == 0
    assert ledger_file(place.data).name == file_name(SystemClock().now_ms())
    assert (place.data / "money" / file_name(AT_MS)).exists()
    assert "zero drift" in await tool.run("integrity")


async def bet(running: VenueProcess, trader: Trader, *, count: int, columns: range) -> set[str]:
    """Ids of so many confirmed bets on cells of those columns, counted from the current one."""
    async with http_client(running.port) as client:
        grid = await wait_grid(client)
        cells = near_cells(grid, columns=columns, spare_ms=500)
        confirmed: set[str] = set()
        while len(confirmed) < count:
            body = trader.bet(cells.pop(0), now_ms=grid["server_time_ms"])
            answer = await client.post("/api/bets", body)
            assert answer.status == 202, answer.body
            confirmed.add(answer.json["bet_id"])
        return confirmed


async def refusal(running: VenueProcess, trader: Trader) -> str | None:
    """Why a bet is not taken."""
    async with http_client(running.port) as client:
        grid = await wait_grid(client)
        cell = near_cells(grid, columns=range(3, 6), spare_ms=500)[0]
        return (
            await client.post("/api/bets", trader.bet(cell, now_ms=grid["server_time_ms"]))
        ).error


async def release(running: VenueProcess) -> Response:
    """All is put right: betting goes on."""
    reason = {"reason": "a drill"}
    return await once(running.port, "POST", "/ops/release", reason, token=OPS_TOKEN)


async def wait_windows_passed(data: Path) -> None:
    """Until every window with an open bet has ended."""
    ends_s = [row["column_start_s"] + row["column_s"] for row in bets_on_disk(data)]
    while SystemClock().now_ms() < max(ends_s) * 1000:
        await trio.sleep(0.05)


async def balance(running: VenueProcess, trader: Trader) -> int:
    """By a repeated deposit, which answers the balance and changes nothing."""
    answer = await trader.fund(running.port, FUNDS_MICROS, "funds")
    assert answer.status == 200, answer.body
    return int(answer.json["balance_micros"])
