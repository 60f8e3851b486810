"""A venue in a process of its own archives its weeks: killed in mid-step, drained, asked beside."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import trio

from db.archive_record import ArchiveRecord
from domain.archiving import ArchiveState
from tests.support.archives import FIRST, SECOND, THIRD, write_weeks
from tests.support.venue_process import REPOSITORY, venue

pytestmark = [pytest.mark.slow, pytest.mark.system]

BETS = 15_000
"""Of a week that takes zst -19 some seconds."""


def states(data: Path) -> dict[str, ArchiveState]:
    return {name: row.state for name, row in ArchiveRecord(data / "archive.db").rows().items()}


async def wait_until(true: Callable[[], bool], *, within_s: float = 60) -> None:
    with trio.fail_after(within_s):
        while not true():
            await trio.sleep(0.01)


def tapgrid(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "actors", *map(str, arguments)]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)


async def test_a_venue_killed_in_mid_step_goes_on_and_is_drained_in_mid_step(
    tmp_path: Path,
) -> None:
    data = tmp_path / "data"
    write_weeks(data, closed=2, bets=BETS)
    packing = data / "work" / f"{FIRST}.zst.new"

    async with venue(data) as running:
        await wait_until(packing.exists)
        beside = tapgrid("archive", "--data", data)
        assert beside.returncode == 3
        assert "another process is at work" in beside.stderr
        running.kill()
        await running.process.wait()
    assert packing.exists(), "a step was cut off"
    assert states(data) == {FIRST: ArchiveState.VACUUMED}

    async with venue(data) as running:
        await running.wait_line("archive_step_begun")
        await wait_until(packing.exists)
        began = trio.current_time()
        assert await running.stop() == 0
        drained_s = trio.current_time() - began
    assert drained_s < 5
    assert states(data)[FIRST] is ArchiveState.VACUUMED

    async with venue(data) as running:
        # The third week was over when the first life began: its file was closed then.
        weeks = {FIRST, SECOND, THIRD}
        await wait_until(lambda: states(data) == dict.fromkeys(weeks, ArchiveState.DONE))
        assert await running.stop() == 0
    assert sorted(file.name for file in (data / "archive" / "weeks").iterdir()) == [
        f"{name}.zst" for name in sorted(weeks)
    ]
    listed = tapgrid("archive", "--list", "--data", data)
    assert listed.stdout.endswith(f"3 of 3 closed weeks in {data}/archive\n")
    assert tapgrid("integrity", "--data", data).returncode == 0
