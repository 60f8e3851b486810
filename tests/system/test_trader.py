"""A new user's first minutes: the venue on its simulator, the example trader, then the checks.

Forty bets are placed and settled; the money adds up and every outcome follows from its ticks. Then
one stored tick is altered in the stopped venue's file, and `verify` names the bets of its column.
"""

import json
import os
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.support.disk import bets_on_disk, ledger_file
from tests.support.venue_process import REPOSITORY, venue

pytestmark = [pytest.mark.slow, pytest.mark.system]

BETS_MIN = 40
SEED = 7
"""Of market and taps: much the same run every time, though never to the millisecond."""
TRADES_WITHIN_S = 300
"""A run takes about 75 s; one bet that can't be judged is given back only a minute later."""


async def test_the_example_trader_wins_some_and_loses_some_and_all_of_it_can_be_verified(
    tmp_path: Path,
) -> None:
    market = ("--demo", "--feed", "simulator", f"--set=simulator.seed={SEED}")
    taps = ("--bets", str(BETS_MIN), "--seed", str(SEED))
    async with venue(tmp_path, *market) as running:
        done = await run("examples/trader.py", "--url", running.url, *taps)
        assert done.returncode == 0, done.stdout + done.stderr
        integrity = await tapgrid("integrity", data=tmp_path)  # also while the venue runs
        assert integrity.returncode == 0, integrity.stdout
        assert await running.stop() == 0
    bets = bets_on_disk(tmp_path)
    ends = Counter(bet["status"] for bet in bets)
    print(f"{len(bets)} bets: {dict(ends)}")
    assert sum(ends[end] for end in ("won", "lost", "void")) == len(bets) >= BETS_MIN
    assert ends["won"] > 0
    assert ends["lost"] > 0

    integrity = await tapgrid("integrity", data=tmp_path)
    assert (integrity.returncode, integrity.stderr) == (0, "")
    assert "zero drift" in integrity.stdout
    verified = await tapgrid("verify", "--all", data=tmp_path)
    assert verified.returncode == 0
    assert verified.stdout == f"verified {len(bets)} settled bets: all right\n"

    altered, others = alter_one_tick(tmp_path, bets)
    verified = await tapgrid("verify", "--all", data=tmp_path)
    *bad, summary = verified.stdout.splitlines()
    assert verified.returncode == 1
    assert {line.split(":")[0] for line in bad} == altered
    assert summary == f"verified {len(bets)} settled bets: {len(altered)} bad"
    for bet_id in altered:
        one = await tapgrid("verify", bet_id, data=tmp_path)
        assert one.returncode == 1
        assert one.stdout.startswith(f"{bet_id}: the ticks do not match their hash")
    assert (await tapgrid("verify", min(others), data=tmp_path)).returncode == 0


async def run(*command: str) -> subprocess.CompletedProcess[str]:
    """A Python program of the repository, from its root."""
    with trio.fail_after(TRADES_WITHIN_S):
        done = await trio.run_process(
            [sys.executable, *command],
            cwd=REPOSITORY,
            env=os.environ | {"PYTHONUTF8": "1"},
            capture_stdout=True,
            capture_stderr=True,
            check=False,
        )
    out, err = (text.decode() for text in (done.stdout, done.stderr))
    return subprocess.CompletedProcess(done.args, done.returncode, out, err)


async def tapgrid(*arguments: str, data: Path) -> subprocess.CompletedProcess[str]:
    return await run("-m", "actors", *arguments, "--data", str(data))


def alter_one_tick(data: Path, bets: list[dict[str, Any]]) -> tuple[set[str], set[str]]:
    """Move the price of one tick that a won bet's column was judged on by a cent.

    The ledger itself is append-only by triggers, but evidence has none to stand in the way: what
    shows the change is the hash, and that anybody can judge again. Returns the ids of the column's
    bets and of all others.
    """
    won = next(bet for bet in bets if bet["status"] == "won")
    key = (won["column_start_s"], won["column_s"], won["rule"])
    which = "WHERE start_s = ? AND column_s = ? AND rule = ?"
    with closing(sqlite3.connect(ledger_file(data))) as connection, connection:
        [text] = connection.execute(f"SELECT record FROM columns {which}", key).fetchone()
        record = json.loads(text)
        record["ticks"][0][2] += 1
        changed = (json.dumps(record, separators=(",", ":")), *key)
        updated = connection.execute(f"UPDATE columns SET record = ? {which}", changed)
        assert updated.rowcount == 1
    of_column = {
        bet["id"] for bet in bets if (bet["column_start_s"], bet["column_s"], bet["rule"]) == key
    }
    return of_column, {bet["id"] for bet in bets} - of_column
