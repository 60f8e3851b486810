"""What lies in the object store is looked at in the end, and what is wrong there is found."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import attrs
import pytest
import trio
import trio.testing

from db.backup import FolderBackups
from db.data_folder import DataFolder
from simulation.clock import SteppedClock
from simulation.objects import SimulatedObjects
from simulation.observers.safekeeping import SafekeepingObserver
from simulation.scenario import Fault, FaultKind, Scenario
from simulation.world import World
from supervisor import TrioClock
from tests.support.archives import FIRST, SECOND, ArchivedVenue, archived_venue
from tests.support.backups import Watched
from tests.support.ledgers import AT_MS
from tests.support.simulated import a_world


@attrs.frozen
class Looked:
    """A venue of two weeks with an archive and a backup, and who looks at them."""

    world: World
    venue: ArchivedVenue

    @property
    def content(self) -> dict[str, bytes]:
        return self.world.objects.content

    @property
    def backup(self) -> str:
        return next(key for key in self.content if key.endswith(".db.zst") and "backups" in key)

    def found(self) -> list[str]:
        observer = SafekeepingObserver(self.world)
        observer.data = self.venue.data
        observer.finish()
        return [violation.details for violation in self.world.violations]


@pytest.fixture
def looked(tmp_path: Path) -> Iterator[Looked]:
    world = a_world(tmp_path, traced=False)
    world.objects = SimulatedObjects(world)
    with archived_venue() as venue:
        venue.store = world.objects.bucket()
        venue.run()
        folder = DataFolder.existing(venue.data)
        backups = FolderBackups(folder=folder, objects=venue.store, probe=venue.room)
        backups.take(at_ms=venue.clock.now_ms(), work=Watched())
        yield Looked(world, venue)


async def test_what_is_whole_is_found_good(looked: Looked) -> None:
    assert looked.found() == []
    assert looked.world.counts["backup_is_good"] == looked.world.counts["week_is_safe"] == 1


def damage(looked: Looked, key: str) -> None:
    content = looked.content[key]
    looked.content[key] = content[:-1] + bytes([content[-1] ^ 1])


def forget_both(looked: Looked) -> None:
    """The week is neither here nor there."""
    (looked.venue.data / "archive.db").unlink()
    (looked.venue.money / FIRST).unlink()


def change_history(looked: Looked) -> None:
    """The backup is of a ledger that has never been."""
    with closing(sqlite3.connect(looked.venue.money / SECOND)) as ledger, ledger:
        ledger.execute("DROP TRIGGER ledger_is_never_changed")
        ledger.execute("UPDATE transaction_ledger SET created_at_ms = created_at_ms + 1")


def forget_a_bet(looked: Looked) -> None:
    """The backup lacks a bet that was there when it was taken."""
    with closing(sqlite3.connect(looked.venue.money / SECOND)) as ledger, ledger:
        ledger.execute("PRAGMA foreign_keys = OFF")
        ledger.execute("UPDATE bets SET nonce = nonce || '-another'")


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda looked: damage(looked, looked.backup), "is another object than is on record"),
        (lambda looked: looked.content.pop(looked.backup), "is not in the store"),
        (lambda looked: damage(looked, f"weeks/{FIRST}.zst"), "is another object"),
        (lambda looked: looked.content.pop(f"weeks/{FIRST}.zst"), "is not in the store"),
        (forget_both, "is neither on the disk nor safe in the archive"),
        (change_history, "is not the ledger as it was"),
        (forget_a_bet, "has not the bets that"),
    ],
)
async def test_what_is_not_safe_is_found(
    looked: Looked, spoil: Callable[[Looked], object], why: str
) -> None:
    spoil(looked)
    [found] = looked.found()
    assert why in found


@pytest.mark.parametrize(
    ("minutes", "faults", "why"),
    [
        (2, (), ""),
        (4, (), "old, of 1"),
        (4, (Fault(at_s=30, lasts_s=100, kind=FaultKind.OBJECTS_FAIL),), ""),
        (4, (Fault(at_s=30, lasts_s=20, kind=FaultKind.OBJECTS_FAIL),), "old, of 1"),
        (4, (Fault(at_s=30, lasts_s=60, kind=FaultKind.ACTOR_HANG, target="backup_work"),), ""),
        (4, (Fault(at_s=200, kind=FaultKind.KILL),), "old, of 1"),
    ],
)
async def test_a_backup_is_taken_every_minute(
    looked: Looked,
    autojump_clock: trio.testing.MockClock,
    minutes: int,
    faults: tuple[Fault, ...],
    why: str,
) -> None:
    """Nothing that comes later in a run than people stop is a fault."""
    every_minute = {"backup.every_minutes": 1}
    looked.world.scenario = Scenario(
        seed=1, seconds=240, epoch_ms=AT_MS, settings=every_minute, faults=faults
    )
    looked.world.clock = SteppedClock(TrioClock(looked.venue.clock.now_ms()))
    await trio.sleep(minutes * 60)
    assert [why in found for found in looked.found()] == ([True] if why else [])
