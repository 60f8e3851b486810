"""Acknowledged means on disk: seen in the system calls of the running venue, not only in a kill."""

import os
import re
import shutil
from pathlib import Path

import pytest
import trio

from tests.support.http_client import http_client, once
from tests.support.trader import USD, Trader, near_cells, wait_grid
from tests.support.venue_process import OPS_TOKEN, venue

pytestmark = [pytest.mark.slow, pytest.mark.system]


async def test_the_running_write_connection_syncs_at_every_commit(tmp_path: Path) -> None:
    async with venue(tmp_path) as running:
        answer = await once(running.port, "GET", "/ops/status", token=OPS_TOKEN)
        assert answer.json["writer"]["synchronous"] == 2, "2 is FULL"


@pytest.mark.skipif(
    shutil.which("strace") is None and not os.environ.get("CI"), reason="apt-get install strace"
)
async def test_the_log_is_synced_before_the_reply_is_sent(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    strace = ("strace", "-f", "-y", "-s", "4096", "-e", "trace=pwrite64,fdatasync,fsync,sendto")
    data = tmp_path / "data"
    trader = Trader(number=1)
    async with venue(data, prefix=(*strace, "-o", str(trace)), ready_within_s=60) as running:
        assert (await trader.fund(running.port, 10 * USD, "f")).status == 200
        async with http_client(running.port) as client:
            grid = await wait_grid(client)
            cell_id = near_cells(grid, columns=range(4, 7))[0]
            answer = await client.post(
                "/api/bets", trader.bet(cell_id, now_ms=grid["server_time_ms"])
            )
        assert answer.status == 202, answer.body
        bet_id = answer.json["bet_id"]
        await wait_for_text(trace, f'\\"bet_id\\":\\"{bet_id}')
    calls = trace.read_text(errors="replace").splitlines()
    written = first(calls, rf"pwrite64\(\d+<[^>]*money/[^>]*-wal>.*{bet_id}")
    sync = first(calls, r"(fdatasync|fsync)\(\d+<[^>]*money/[^>]*-wal>", after=written)
    synced = returned(calls, sync)
    replied = first(calls, rf"sendto\(\d+<.*{bet_id}")
    assert written < synced < replied


def returned(calls: list[str], number: int) -> int:
    """The number of the line on which a call came back: another one if it was interrupted."""
    if "<unfinished" not in calls[number]:
        return number
    process = calls[number].split()[0]
    return first(calls, rf"^{process} .*resumed>.* = 0$", after=number)


def first(calls: list[str], pattern: str, *, after: int = -1) -> int:
    """The number of the first call that matches, later than `after`."""
    found = [
        number for number, call in enumerate(calls) if number > after and re.search(pattern, call)
    ]
    assert found, f"no call like {pattern}"
    return found[0]


async def wait_for_text(file: Path, text: str) -> None:
    """Until strace has written a line with it."""
    with trio.fail_after(10):
        while text not in file.read_text(errors="replace"):  # noqa: ASYNC240
            await trio.sleep(0.05)
