"""The audit log of a venue that is killed while operators work: nothing done is missing from it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import trio

from db.weekly_reader import WeeklyReader
from tests.support.http_client import http_client
from tests.support.venue_process import OPS_TOKEN, REPOSITORY, VenueProcess, venue

pytestmark = [pytest.mark.slow, pytest.mark.system]

LIVES = 3
ORDERS_PER_LIFE = 5
OPERATORS = 4


async def test_every_order_that_was_carried_out_is_on_record_after_kill_9(tmp_path: Path) -> None:
    credited: set[str] = set()
    for life in range(LIVES):
        async with venue(tmp_path) as running, trio.open_nursery() as nursery:
            busy = [trio.Event() for _ in range(OPERATORS)]
            for operator, worked in enumerate(busy):
                nursery.start_soon(operate, running, f"{life}-{operator}", credited, worked)
            with trio.fail_after(30):
                for worked in busy:
                    await worked.wait()
            running.kill()
            nursery.cancel_scope.cancel()
    on_record = actions(tmp_path)
    assert credited <= on_record.keys(), "all that was answered is on record"
    assert on_disk(tmp_path) <= on_record.keys(), "and all that was done"
    checked = tapgrid("audit", "--data", str(tmp_path))
    assert checked.returncode == 0, checked.stderr
    assert "the chain holds" in checked.stderr


async def operate(running: VenueProcess, name: str, credited: set[str], worked: trio.Event) -> None:
    """Deposit after deposit, until the venue is gone."""
    async with http_client(running.port) as client:
        for n in range(10_000):
            reference = f"{name}-{n}"
            body = {"wallet": "0x" + "ab" * 20, "amount_micros": 1, "reference": reference}
            try:
                answer = await client.post("/ops/deposits", body, token=OPS_TOKEN)
            except (trio.BrokenResourceError, ConnectionError):
                return
            assert answer.status == 200, answer.body
            credited.add(reference)
            if n == ORDERS_PER_LIFE:
                worked.set()


def actions(data: Path) -> dict[str, str]:
    """References of the deposits on record, and why."""
    lines = tapgrid("audit", "--json", "--data", str(data)).stdout.splitlines()
    entries = [json.loads(line) for line in lines]
    return {
        entry["figures"]["reference"]: entry["why"]
        for entry in entries
        if entry["kind"] == "action" and entry["what"] == "deposit"
    }


def on_disk(data: Path) -> set[str]:
    """References of the deposits that the ledger has."""
    reader = WeeklyReader(data / "money")
    try:
        rows = reader.statement("0x" + "ab" * 20, limit=100_000)
        return {row.ref_id for _, row in rows if row.ref_type == "DEPOSIT"}
    finally:
        reader.close()


def tapgrid(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "actors", *arguments]
    return subprocess.run(
        command, cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=60
    )
