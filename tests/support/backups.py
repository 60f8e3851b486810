"""A data folder with a ledger, a folder of objects beside it, and a `BackupWork` that watches."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path

import attrs

from db.backup import FolderBackups, list_backups
from db.data_folder import DataFolder
from db.folder_objects import FolderObjects
from db.partition import current_file
from db.sqlite_ledger_reader import SqliteLedgerReader
from db.weekly_ledger import WeeklyLedger, open_current
from domain.backups import Backup
from domain.caps import HouseCaps
from domain.disk import DiskUse
from protocols.accounts import IntegrityReport
from protocols.backup import BackupTaken
from protocols.money import CommandFailed, LedgerCommand, MoneyOutcome
from protocols.ports import WorkStopped
from supervisor.chance import SeededChance
from tests.support.ledgers import ALICE, AT_MS, BANKROLL, STAKE, deposit

WEEK_MS = 7 * 86_400_000

_lives = count(1)
"""Each life of a ledger needs a seed of its own, or it makes the ids of the one before."""


@attrs.define
class Watched:
    """Remembers the steps; stops the work in one of them, or calls back at each look."""

    stop_in: str = ""
    each_look: Callable[[], object] = lambda: None
    steps: list[str] = attrs.field(factory=list)
    looks: int = 0

    def begin(self, step: str) -> None:
        self.steps.append(step)

    def step(self, done_bytes: int, total_bytes: int) -> None:
        assert 0 <= done_bytes <= total_bytes or total_bytes == 0
        self.looks += 1
        self.each_look()
        if self.steps and self.steps[-1] == self.stop_in:
            raise WorkStopped


@attrs.define
class Room:
    """A disk with so much left."""

    free_bytes: int = 10**12
    each_look: Callable[[], object] = lambda: None

    def look(self) -> DiskUse:
        self.each_look()
        return DiskUse(total_bytes=10**13, free_bytes=self.free_bytes)


@attrs.define(kw_only=True)
class Place:
    """A data folder, and where its backups go."""

    data: Path
    store: Path
    probe: Room = attrs.field(factory=Room)

    @property
    def objects(self) -> FolderObjects:
        return FolderObjects(self.store)

    @property
    def folder(self) -> DataFolder:
        return DataFolder.open(self.data, mode="demo", chain_id=31337)

    @property
    def backups(self) -> FolderBackups:
        return FolderBackups(folder=self.folder, objects=self.objects, probe=self.probe)

    def take(self, *, at_ms: int = AT_MS, work: Watched | None = None) -> BackupTaken:
        return self.backups.take(at_ms=at_ms, work=work or Watched())

    def listed(self) -> list[Backup]:
        return list_backups(self.objects)

    @contextmanager
    def ledger(self, *, at_ms: int = AT_MS) -> Iterator[WeeklyLedger]:
        """The venue's writer, for as long as the block lasts."""
        chance = SeededChance(next(_lives))
        ledger, _ = open_current(self.folder.money, at_ms=at_ms, caps=HouseCaps(), chance=chance)
        with closing(ledger):
            ledger.recover()
            yield ledger

    def apply(self, *commands: LedgerCommand, at_ms: int = AT_MS) -> list[MoneyOutcome]:
        """A venue that starts, carries these out and stops."""
        with self.ledger(at_ms=at_ms) as ledger:
            outcomes = list(ledger.apply(commands, at_ms=at_ms))
        assert not any(isinstance(each, CommandFailed) for each in outcomes), outcomes
        return outcomes

    def fund(self) -> None:
        """A bankroll, and a hundred stakes for Alice."""
        self.apply(deposit("house", BANKROLL), deposit(ALICE, 100 * STAKE))

    def balance(self, wallet: str = ALICE) -> int:
        with self.reader() as reader:
            account = reader.account(wallet)
            return account.balance_micros if account is not None else 0

    def integrity(self) -> IntegrityReport:
        with self.reader() as reader:
            return reader.integrity()

    @contextmanager
    def reader(self) -> Iterator[SqliteLedgerReader]:
        """The current file, for reading."""
        path = current_file(self.data / "money")
        assert path is not None
        with closing(SqliteLedgerReader.open(path)) as reader:
            yield reader

    def work_files(self) -> list[Path]:
        """What is left of work that has ended."""
        return [each for each in (self.data / "work").rglob("*") if each.is_file()]
