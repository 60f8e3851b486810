"""What is in a venue's ledger file, read by a connection of the test's own."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import trio


def ledger_file(data: Path) -> Path:
    """The file that the manifest names."""
    money = data / "money"
    return money / json.loads((money / "manifest.json").read_text())["current"]


def bets_on_disk(data: Path) -> list[dict[str, Any]]:
    """Every bet row."""
    connection = sqlite3.connect(f"file:{ledger_file(data)}?mode=ro", uri=True)
    connection.row_factory = sqlite3.Row
    try:
        return [dict(row) for row in connection.execute("SELECT * FROM bets ORDER BY id")]
    finally:
        connection.close()


async def wait_all_ended(data: Path, *, within_s: float = 150) -> None:
    """Until no bet is open."""
    with trio.fail_after(within_s):
        while any(bet["status"] == "confirmed" for bet in bets_on_disk(data)):  # noqa: ASYNC110
            await trio.sleep(0.25)
