"""5,000 sockets that are silent, half-way through a head, or subscribed and never read don't keep a
trader from his bets: every one is confirmed while they press, and they hold a bounded room."""

import statistics
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.support.http_client import HttpClient, http_client, once
from tests.support.trader import USD, Trader, near_cells, wait_grid
from tests.support.venue_process import OPS_TOKEN, REPOSITORY, VenueProcess, venue

pytestmark = [pytest.mark.slow, pytest.mark.system]

SILENT, HALF, DEAF = 3_000, 1_500, 500
CROWD = SILENT + HALF + DEAF
BETS = 120
BET_EVERY_S = 0.05
BET_WITHIN_S = 5
BETS_A_LOOK = 10
"""At the grid, which moves with the price."""
KIB_A_SOCKET_MAX = 60
SETTINGS = (
    "--set=limits.connections_per_address=20000",
    "--set=limits.bets_per_minute=10000000",
    "--set=limits.bets_burst=1000000",
)


async def test_five_thousand_sockets_do_not_keep_a_trader_from_his_bets(
    tmp_path: Path, say: Callable[[str], None]
) -> None:
    async with venue(tmp_path, *SETTINGS) as running:
        alone = await taps(running, Trader(number=1))
        files, kib = open_files(running), rss_kib(running)
        async with crowd(running):
            count = await connections(running)
            each_kib = (rss_kib(running) - kib) / CROWD
            among = await taps(running, Trader(number=2))
        for what, took in (("alone", alone), (f"among {CROWD} sockets", among)):
            say(f"{what}: a bet took {shown(took)}")
        say(f"ratio of medians {ratio(among, alone):.2f}; {each_kib:.1f} KiB a socket")
        assert CROWD / 2 < count <= CROWD + 10, "the crowd was there, and no larger"
        assert each_kib < KIB_A_SOCKET_MAX
        await wait_gone(running)
        assert open_files(running) <= files + 8


# --- the trader ---------------------------------------------------------------------------------


async def taps(running: VenueProcess, trader: Trader) -> list[float]:
    """Seconds that each of many bets took, every one of which is confirmed."""
    money = await trader.fund(running.port, 1_000 * USD, f"for-{trader.wallet}")
    assert money.status == 200
    took: dict[str, float] = {}
    async with http_client(running.port) as client:
        while len(took) < BETS:
            grid = await wait_grid(client)
            near = near_cells(grid, columns=range(5, 13))
            for cell in [cell for cell in near if cell not in took][:BETS_A_LOOK]:
                body = trader.bet(cell, now_ms=grid["server_time_ms"])
                took[cell] = await tap(client, body)
                await trio.sleep(BET_EVERY_S)  # a trader's pace, and not a load test
    return list(took.values())


async def tap(client: HttpClient, body: dict[str, Any]) -> float:
    asked = trio.current_time()
    with trio.fail_after(BET_WITHIN_S):
        answer = await client.post("/api/bets", body)
    took_s = trio.current_time() - asked
    assert answer.status == 202, answer.body
    return took_s


def ratio(among: Sequence[float], alone: Sequence[float]) -> float:
    return statistics.median(among) / statistics.median(alone)


def shown(took: Sequence[float]) -> str:
    ordered = sorted(took)
    p99 = ordered[len(ordered) * 99 // 100]
    return f"{statistics.median(ordered) * 1000:.1f} ms, p99 {p99 * 1000:.1f} ms"


# --- the crowd ----------------------------------------------------------------------------------


@asynccontextmanager
async def crowd(running: VenueProcess) -> AsyncIterator[None]:
    """The crowd, while the block lasts."""
    command = [sys.executable, "-m", "tests.support.crowd"]
    counts = [str(count) for count in (running.port, SILENT, HALF, DEAF)]
    process = await trio.lowlevel.open_process(
        [*command, *counts], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=REPOSITORY
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        with trio.fail_after(60):
            assert (await line(process.stdout)).startswith(f"open {CROWD}".encode())
        yield
        await process.stdin.aclose()
        with trio.fail_after(30):
            assert (await line(process.stdout)).startswith(b"opened ")
            await process.wait()
    finally:
        process.kill()
        with trio.CancelScope(shield=True, deadline=trio.current_time() + 5):
            await process.wait()


async def line(stream: trio.abc.ReceiveStream) -> bytes:
    """What was printed, whole: a pipe gives it in pieces when the machine is busy."""
    got = b""
    while not got.endswith(b"\n"):
        some = await stream.receive_some()
        assert some, f"ended after {got!r}"
        got += bytes(some)
    return got


async def connections(running: VenueProcess) -> int:
    status = (await once(running.port, "GET", "/ops/status", token=OPS_TOKEN)).json
    return int(status["gateway"]["connections"])


async def wait_gone(running: VenueProcess) -> None:
    """Until whoever asks is alone."""
    with trio.fail_after(30):
        while await connections(running) > 1:
            await trio.sleep(0.1)


def open_files(running: VenueProcess) -> int:
    return len(list(Path(f"/proc/{running.process.pid}/fd").iterdir()))


def rss_kib(running: VenueProcess) -> int:
    status = Path(f"/proc/{running.process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])
