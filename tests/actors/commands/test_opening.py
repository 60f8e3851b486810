"""What the composition root makes of the settings."""

import os
import threading
from pathlib import Path

import pytest

from actors.commands.opening import machine, opened_ports, venue_settings
from actors.commands.quiet_worker import NICENESS
from config.settings import DEMO, load
from db.data_folder import DataFolder


@pytest.mark.parametrize(
    ("source", "looks_back_s"),
    [("binance", 600), ("coinbase", 600), ("simulator", 0), ("replay:day.csv@10", 0)],
)
def test_only_a_live_market_is_known_from_the_record_of_an_earlier_process(
    source: str, looks_back_s: int
) -> None:
    """A played one begins anew: the jump from where it ended to where it begins is no move."""
    settings = load(sets=[f"feed.source={source}"]).settings
    made = venue_settings(settings, token="t" * 32, version="1")
    assert made.quotes.warm_up_s == looks_back_s


async def test_archiving_gives_way_to_the_venue(tmp_path: Path) -> None:
    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    settings = load().settings
    folder = DataFolder.open(tmp_path / "data", mode=DEMO, chain_id=31337)
    with (
        folder.lock(),
        opened_ports(
            settings, folder, sources=(), doors=(), outside=machine(settings, folder)
        ) as ports,
    ):
        assert await ports.archive_work.run(niceness) == max(niceness(), NICENESS)
        assert await ports.ledger_writes.run(niceness) == niceness()
