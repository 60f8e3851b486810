"""The twin of the disk: full and slow, and what can be done between two steps on it.

That SQLite does the same on a disk that is really full is shown in `tests/db` on a small one.
"""

import errno
import os
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from db.durable_file import replace_file
from db.sqlite_connection import is_disk_full, open_reader, open_writer, transaction
from domain.disk import DiskLevel, DiskThresholds, disk_level
from simulation.disk import SimulatedDisk
from simulation.scenario import Fault, FaultKind
from simulation.workers import SimulatedWorker
from tests.support.simulated import a_world


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SimulatedDisk]:
    made = SimulatedDisk(a_world(tmp_path))
    made.world.disk = made
    with made.in_force():
        yield made


@pytest.fixture
def connection(disk: SimulatedDisk, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """As the ledger has one, with a table of one row."""
    with closing(open_writer(tmp_path / "ledger.db")) as made:
        made.execute("CREATE TABLE t (n INTEGER PRIMARY KEY)")
        made.execute("INSERT INTO t VALUES (1)")
        yield made


@asynccontextmanager
async def struck(disk: SimulatedDisk, kind: FaultKind, *, amount: int = 0) -> AsyncIterator[None]:
    """A fault that lasts as long as the block."""
    async with trio.open_nursery() as nursery:
        fault = Fault(at_s=0, kind=kind, lasts_s=10_000, amount=amount)
        nursery.start_soon(disk.strike, fault)
        await wait_all_tasks_blocked()
        yield
        disk.world.calm.set()


def rows(connection: sqlite3.Connection) -> list[int]:
    return [n for (n,) in connection.execute("SELECT n FROM t ORDER BY n")]


class Killed(Exception):
    """Stands for kill -9."""


def kill(_what: str) -> None:
    raise Killed


# --- full ---------------------------------------------------------------------------------------


async def test_a_commit_finds_no_room_and_nothing_of_it_stays(
    disk: SimulatedDisk, connection: sqlite3.Connection
) -> None:
    async with struck(disk, FaultKind.DISK_FULL):
        with pytest.raises(sqlite3.OperationalError) as caught, transaction(connection):
            connection.execute("INSERT INTO t VALUES (2)")
        assert is_disk_full(caught.value)
        assert not connection.in_transaction
        assert rows(connection) == [1]
        with transaction(connection):
            assert rows(connection) == [1], "what writes nothing needs no room"
    with transaction(connection):
        connection.execute("INSERT INTO t VALUES (3)")
    assert rows(connection) == [1, 3]
    assert disk.world.counts["fault.disk_full"] == 1


async def test_a_write_without_a_transaction_finds_no_room(
    disk: SimulatedDisk, connection: sqlite3.Connection, tmp_path: Path
) -> None:
    async with struck(disk, FaultKind.DISK_FULL):
        for statement in ("INSERT INTO t VALUES (2)", "CREATE TABLE u (n)", "VACUUM INTO 'x'"):
            with pytest.raises(sqlite3.OperationalError, match="disk is full"):
                connection.execute(statement)
    assert rows(connection) == [1]


async def test_a_file_finds_no_room(disk: SimulatedDisk, tmp_path: Path) -> None:
    file = tmp_path / "manifest.json"
    replace_file(file, "old")
    async with struck(disk, FaultKind.DISK_FULL):
        with pytest.raises(OSError, match="No space left") as caught:
            replace_file(file, "new")
    assert caught.value.errno == errno.ENOSPC
    assert file.read_text() == "old"
    replace_file(file, "new")
    assert file.read_text() == "new"


@pytest.mark.parametrize(
    ("amount", "level", "has_room"),
    [
        (0, DiskLevel.EMERGENCY, False),
        (100, DiskLevel.EMERGENCY, False),
        (90, DiskLevel.FULL, True),
        (75, DiskLevel.WARNING, True),
    ],
)
async def test_it_says_how_full_it_is(
    disk: SimulatedDisk,
    connection: sqlite3.Connection,
    amount: int,
    level: DiskLevel,
    has_room: bool,
) -> None:
    def seen() -> DiskLevel:
        ample = DiskThresholds(ample_free_bytes=10_240 * 1024**2)
        return disk_level(disk.look(), ample, before=DiskLevel.NORMAL)

    assert seen() is DiskLevel.NORMAL
    async with struck(disk, FaultKind.DISK_FULL, amount=amount):
        assert seen() is level
        if has_room:
            connection.execute("INSERT INTO t VALUES (2)")
    assert seen() is DiskLevel.NORMAL


# --- slow ---------------------------------------------------------------------------------------


async def test_a_slow_disk_slows_the_calls_of_workers(
    autojump_clock: MockClock, disk: SimulatedDisk
) -> None:
    worker = SimulatedWorker(disk.world, "ledger_writes", life=1, abandons=False)
    async with struck(disk, FaultKind.DISK_SLOW, amount=700):
        began_at = trio.current_time()
        await worker.run(lambda: None)
        assert 0.7 <= trio.current_time() - began_at < 0.8
    assert disk.world.counts["fault.disk_slow"] == 1


async def test_of_several_faults_the_worst_counts_until_it_ends(
    autojump_clock: MockClock, disk: SimulatedDisk
) -> None:
    slow = [(3, 200), (1, 700)]
    full = [(3, 80), (1, 100), (2, 90)]
    async with trio.open_nursery() as nursery:
        for kind, faults in ((FaultKind.DISK_SLOW, slow), (FaultKind.DISK_FULL, full)):
            for lasts_s, amount in faults:
                fault = Fault(at_s=0, kind=kind, lasts_s=lasts_s, amount=amount)
                nursery.start_soon(disk.strike, fault)
        found = []
        for _ in range(4):
            await trio.sleep(0.5)
            use = disk.look()
            found.append((disk.delay_s(), 100 - 100 * use.free_bytes // use.total_bytes))
            await trio.sleep(0.5)
    assert found == [(0.7, 100), (0.2, 90), (0.2, 80), (0, 10)]


# --- steps --------------------------------------------------------------------------------------


async def test_a_kill_can_strike_before_any_step(
    disk: SimulatedDisk, connection: sqlite3.Connection
) -> None:
    found = []
    for number in range(1, 6):
        disk.at_step(number, kill)
        try:
            with transaction(connection):
                connection.execute("INSERT INTO t SELECT max(n) + 1 FROM t")
            found.append("nobody was killed")
        except Killed:
            found.append(f"killed with {len(rows(connection))}")
        disk.forget_step(kill)
    assert found == [*["killed with 1"] * 3, "killed with 2", "nobody was killed"]
    assert rows(connection) == [1, 2, 3]


async def test_a_step_says_what_it_is_and_is_struck_once(
    disk: SimulatedDisk, connection: sqlite3.Connection, tmp_path: Path
) -> None:
    steps: list[str] = []
    disk.at_step(1, steps.append)
    connection.execute("INSERT INTO t\n VALUES (2)")
    connection.execute("INSERT INTO t VALUES (3)")
    disk.at_step(3, steps.append)
    replace_file(tmp_path / "manifest.json", "new")
    assert steps == ["INSERT INTO t VALUES (2)", "replace"]


async def test_two_may_wait_for_a_step(disk: SimulatedDisk, connection: sqlite3.Connection) -> None:
    first: list[str] = []
    second: list[str] = []
    disk.at_step(2, first.append)
    disk.at_step(1, second.append)
    disk.at_step(1, kill)
    disk.forget_step(kill)
    for n in (2, 3, 4):
        connection.execute(f"INSERT INTO t VALUES ({n})")
    assert (first, second) == (["INSERT INTO t VALUES (3)"], ["INSERT INTO t VALUES (2)"])
    assert not disk.is_watching


async def test_what_is_read_is_no_step(
    disk: SimulatedDisk, connection: sqlite3.Connection, tmp_path: Path
) -> None:
    disk.at_step(1, kill)
    assert rows(connection) == [1]
    with closing(open_reader(tmp_path / "ledger.db")) as reader:
        assert rows(reader) == [1]


async def test_what_others_do_is_no_step(disk: SimulatedDisk, tmp_path: Path) -> None:
    disk.at_step(1, kill)
    with closing(sqlite3.connect(tmp_path / "mine.db")) as mine:
        mine.execute("CREATE TABLE t (n)")


def test_all_is_as_before_when_it_is_over(tmp_path: Path) -> None:
    before = sqlite3.connect, os.fsync, os.replace, os.unlink, os.link
    with SimulatedDisk(a_world(tmp_path)).in_force():
        assert sqlite3.connect is not before[0]
    assert (sqlite3.connect, os.fsync, os.replace, os.unlink, os.link) == before
