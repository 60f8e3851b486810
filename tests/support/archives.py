"""A data folder with closed weeks in it, an archive of them, and ways to have it fail."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import attrs

from db.archive import WeekArchive
from db.data_folder import DataFolder
from db.folder_objects import FolderObjects
from db.weekly_ledger import WeeklyLedger
from domain.archiving import ArchiveState, Conditions, Task, next_task
from domain.caps import HouseCaps
from domain.disk import DiskUse
from protocols.archive import StepDone, StepOutcome
from protocols.money import Rotate
from protocols.ports import ObjectStore
from supervisor.chance import SeededChance
from tests.support.hand_clock import HandClock
from tests.support.ledgers import ALICE, AT_MS, BANKROLL, STAKE, START_S, deposit, order, settle
from tests.support.objects import Watcher
from tests.support.quick_folder import quick_folder

WEEK_MS = 7 * 86_400_000
FIRST, SECOND, THIRD, FOURTH = (f"2026-02-{day:02}.db" for day in (1, 8, 15, 22))
GIB = 1024**3


@attrs.define
class Room:
    """A disk with as much room as a test says."""

    free_bytes: int = 100 * GIB

    def look(self) -> DiskUse:
        return DiskUse(total_bytes=200 * GIB, free_bytes=self.free_bytes)


def write_weeks(data: Path, closed: int, *, bets: int = 3, seed: int = 1) -> None:
    """A venue of so many closed weeks from that of `AT_MS` on, and a current one."""
    folder = DataFolder.open(data, mode="demo", chain_id=31337)
    opened = WeeklyLedger.open(
        folder.money, at_ms=AT_MS, caps=HouseCaps(), chance=SeededChance(seed)
    )
    with closing(opened) as ledger:
        ledger.apply([deposit("house", BANKROLL), deposit(ALICE, 1_000 * STAKE)], at_ms=AT_MS)
        for week in range(closed):
            at_ms, start_s = AT_MS + week * WEEK_MS, START_S + week * WEEK_MS // 1000
            rows = range(bets)
            ledger.apply([order(row, start_s=start_s) for row in rows], at_ms=at_ms)
            ledger.apply([settle(won=[0], lost=rows[1:], start_s=start_s)], at_ms=at_ms + 30_000)
            ledger.apply([order(0, start_s=start_s + WEEK_MS // 1000 + 60)], at_ms=at_ms + 60_000)
            ledger.apply([Rotate()], at_ms=at_ms + WEEK_MS)
            assert ledger.rotation_failure() == ""


@attrs.define
class ArchivedVenue:
    """A data folder, the object store beside it, and the archive that works on both."""

    data: Path
    clock: HandClock
    store: ObjectStore
    room: Room = attrs.field(factory=Room)
    level: int = 3

    @property
    def money(self) -> Path:
        return self.data / "money"

    @property
    def work(self) -> Path:
        return self.data / "work"

    @property
    def objects(self) -> Path:
        return self.data / "archive" / "weeks"

    def archive(self, store: ObjectStore | None = None) -> WeekArchive:
        """As a life of the venue opens it."""
        return WeekArchive(
            self.data,
            store or self.store,
            probe=self.room,
            clock=self.clock,
            level=self.level,
        )

    def next_task(self, conditions: Conditions | None = None) -> Task | None:
        conditions = conditions or Conditions(now_ms=self.clock.now_ms())
        return next_task(self.archive().survey().partitions, conditions)

    def step(self, *, store: ObjectStore | None = None, work: Watcher | None = None) -> StepOutcome:
        """The next step of the oldest week that is due."""
        task = self.next_task()
        assert task is not None, "nothing is to be done"
        return self.archive(store).carry_out(task, work=work or Watcher())

    def run(self) -> list[StepDone]:
        """All that is to be done, none of which may fail."""
        done = []
        while self.next_task() is not None:
            outcome = self.step()
            assert isinstance(outcome, StepDone), outcome
            done.append(outcome)
        return done

    def run_until(self, name: str, state: ArchiveState) -> None:
        """Step by step until that week has come that far."""
        while self.state(name) is not state:
            assert isinstance(self.step(), StepDone)

    def state(self, name: str) -> ArchiveState:
        found = {p.name: p.state for p in self.archive().survey().partitions}
        return found[name]

    def later(self, seconds: float) -> None:
        """Let time pass."""
        self.clock = HandClock(self.clock.now_ms() + round(seconds * 1000))

    def left_over(self) -> list[str]:
        """What lies in the work folder."""
        return sorted(file.name for file in self.work.iterdir()) if self.work.exists() else []


@contextmanager
def archived_venue(closed: int = 1, *, bets: int = 3) -> Iterator[ArchivedVenue]:
    """A venue with so many closed weeks, a minute after the last of them was over."""
    with quick_folder() as folder:
        data = folder / "data"
        write_weeks(data, closed, bets=bets)
        clock = HandClock(AT_MS + closed * WEEK_MS + 60_000)
        yield ArchivedVenue(data, clock, FolderObjects(data / "archive"))
