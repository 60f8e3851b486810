"""What the composition root makes of the settings."""

import os
import sqlite3
import threading
from pathlib import Path

import pytest

from actors.commands import opening
from actors.commands.exits import NO_FOLDER, WRONG, CannotDo
from actors.commands.opening import machine, opened_ports, venue_settings
from actors.commands.quiet_worker import NICENESS
from config.settings import DEMO, load
from db.data_folder import DataFolder
from domain.resolution import Rule


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


@pytest.mark.parametrize("rule", list(Rule))
def test_the_rule_that_settles_is_the_one_that_is_priced(rule: Rule) -> None:
    made = venue_settings(load(sets=[f"bets.rule={rule}"]).settings, token="t" * 32, version="1")
    assert (made.rules.rule, made.rewards.rule) == (rule, rule)


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


@pytest.mark.parametrize("code", [sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE])
def test_a_ledger_for_which_there_is_no_room_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """The unit starts no new process after NO_FOLDER: the venue would stay down."""

    def no_room(*_given: object, **_named: object) -> None:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = code
        raise error

    monkeypatch.setattr(opening, "open_current", no_room)
    with pytest.raises(CannotDo, match="is full") as caught:
        open_once(tmp_path / "data")
    assert caught.value.exit_code == WRONG


def test_a_ledger_that_is_damaged_needs_a_person(tmp_path: Path) -> None:
    open_once(tmp_path / "data")
    (file,) = (tmp_path / "data" / "money").glob("*.db")
    file.write_bytes(b"no ledger at all" * 1_000)
    with pytest.raises(CannotDo, match="not a database") as caught:
        open_once(tmp_path / "data")
    assert caught.value.exit_code == NO_FOLDER


def open_once(path: Path) -> None:
    """Open the ports of a demo's venue there, and close them."""
    settings = load().settings
    folder = DataFolder.open(path, mode=DEMO, chain_id=31337)
    outside = machine(settings, folder)
    with folder.lock(), opened_ports(settings, folder, sources=(), doors=(), outside=outside):
        pass
