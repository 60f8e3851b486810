"""Each example runs against a venue and says what it should; the trader has a test of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import trio

from client import Session, SessionKey, Stream, Venue
from client.events import BetResolved
from tests.support.venue_process import REPOSITORY, venue

pytestmark = [pytest.mark.slow, pytest.mark.system]


async def run(*command: str) -> subprocess.CompletedProcess[bytes]:
    """A program of the repository, from its root."""
    with trio.fail_after(60):
        return await trio.run_process(
            [sys.executable, *command],
            cwd=REPOSITORY,
            env=os.environ | {"PYTHONUTF8": "1"},
            capture_stdout=True,
            capture_stderr=True,
            check=False,
        )


async def a_settled_bet(url: str) -> str:
    """The id of one that has ended."""
    async with Venue(url) as seen:
        session = await seen.demo_sign_in(SessionKey.new())
        with trio.fail_after(150):
            return await tap_and_wait(seen, session)


async def tap_and_wait(seen: Venue, session: Session) -> str:
    async with Stream(seen, session) as stream:
        quote = await stream.wait_quote()
        cell = quote.cells[len(quote.cells) // 4]  # not of the next column to close
        placed = await session.place_bet(cell.cell_id, stake_micros=1_000_000)
        async for event in stream:
            if isinstance(event, BetResolved):
                break
    return placed.bet_id


async def test_watching_the_market_and_checking_a_proof(tmp_path: Path) -> None:
    async with venue(tmp_path, "--demo", "--feed", "simulator") as running:
        bet_id = await a_settled_bet(running.url)
        watched = await run("examples/watch.py", "--url", running.url, "--seconds", "3")
        checked = await run("examples/check_proof.py", bet_id, "--url", running.url)
        absent = await run("examples/check_proof.py", "0" * 26, "--url", running.url)
    away = await run("examples/check_proof.py", bet_id, "--url", running.url)
    assert watched.returncode == 0, watched.stderr
    lines = watched.stdout.decode().splitlines()
    assert "USD  feed healthy  " in lines[-1]
    assert "cells pay" in lines[-1]
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert checked.stdout.count(b"right: ") == 2
    assert (absent.returncode, absent.stderr[:10]) == (2, b"no proof: ")
    assert (away.returncode, away.stderr[:9]) == (2, b"no venue ")
