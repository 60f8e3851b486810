"""The write side of the money over the weeks: a `SqliteLedger` of the current file, and its turn.

Implements `protocols.ports.Ledger` on a money folder. Each `apply` looks at its time first: if that
lies in a later week than the current file's, the new week's file is begun before anything is
written, so that no file holds a row of a week that is not its own. How a file is built and closed
stands in `db.rotation`, which file is current in `db.partition`.
"""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

import attrs

from db.durable_file import sync_folder
from db.migrate import SchemaMismatch
from db.partition import ManifestBroken, begin_file, current_file, file_name, name_current
from db.rotation import (
    RotationFailed,
    Trace,
    Turn,
    build_file,
    close_file,
    fold_log,
    remove_attempts,
)
from db.sqlite_connection import DatabaseMissing
from db.sqlite_ledger import SqliteLedger
from db.ulid import UlidMaker
from domain.caps import HouseCaps
from domain.units import EpochMs
from protocols.money import LedgerCommand, MoneyOutcome, RebuildBalance, ReportDrift
from protocols.ports import Chance, Recovered

RETRY_MS: Final = 60_000
"""A rotation that failed is tried again after this: each try may cost what a rotation costs."""

_FAULTS: Final = (
    OSError,
    sqlite3.Error,
    RotationFailed,
    ManifestBroken,
    SchemaMismatch,
    DatabaseMissing,  # something else has the name
    RuntimeError,  # no WAL on that file system
)
"""What a rotation can fail by and leave the old file as it was."""


@attrs.frozen(kw_only=True)
class _Opening:
    """How this ledger opens a file."""

    caps: HouseCaps
    chance: Chance
    trace: Trace | None

    def open(self, path: Path) -> SqliteLedger:
        return SqliteLedger.open(
            path, caps=self.caps, chance=self.chance, trace=self.trace, partition=path.name
        )


class WeeklyLedger:
    """Implements `protocols.ports.Ledger`. One call at a time, from any thread.

    It never goes back in time: a clock that is stepped back counts as standing still. So the rows
    of a file lie in `[opened_at_ms, closed_at_ms)`, and a new week is begun once.
    """

    def __init__(self, folder: Path, ledger: SqliteLedger, opening: _Opening) -> None:
        """`WeeklyLedger.open` makes one."""
        self._folder = folder
        self._ledger = ledger
        self._opening = opening
        self._ulids = UlidMaker(opening.chance)
        self._at_ms = ledger.newest_ms()
        self._drift = ""
        """What a check found and no later one has found gone."""
        self._not_begun = ""
        self._not_closed = ""
        self._unfinished = True
        """May the file before still need closing? It may after each start."""
        self._rotate_from_ms = self._finish_from_ms = 0
        """Not before: a try that fails holds betting up each time."""
        self._named: SqliteLedger | None = None
        """The new week's file, while it is not known whether the manifest names it."""

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        at_ms: EpochMs,
        caps: HouseCaps,
        chance: Chance,
        trace: Callable[[str], None] | None = None,
    ) -> Self:
        """The ledger of the file that the folder's manifest names, or of a first one.

        A week that is over is still that file's, until the first `apply`. `trace` gets every
        statement before it runs. Raises ManifestBroken (db.partition) or SchemaMismatch
        (db.migrate).
        """
        opening = _Opening(caps=caps, chance=chance, trace=trace)
        named = current_file(folder)
        if named is not None:
            remove_attempts(folder, named)
            return cls(folder, opening.open(named), opening)
        path = begin_file(folder, at_ms=at_ms)
        ledger = opening.open(path)
        ledger.begin(at_ms)
        name_current(folder, path)
        return cls(folder, ledger, opening)

    def close(self) -> None:
        """Copy the logs into the files and let go of them."""
        if self._named is not None:
            self._named.let_go()
        with suppress(sqlite3.Error):  # the next start does it too
            self._finish()
        self._ledger.close()

    def synchronous(self) -> int:
        """The running connection's setting: 2 is FULL, a sync at every COMMIT."""
        return self._ledger.synchronous()

    def partition(self) -> str:
        """The name of the current file."""
        return self._ledger.partition()

    @property
    def path(self) -> Path:
        """Where the current file is."""
        return self._folder / self.partition()

    def rotation_failure(self) -> str:
        """Why a week that is over still has the current file, or why the file before is not closed.

        It names the moment of the attempt, so that each attempt's is another one. Empty if all is
        as it should be.
        """
        return self._not_begun or self._not_closed

    def recover(self) -> Recovered:
        """Finish what a rotation left undone, check what was written since the last check, and say
        where things stand.

        Raises LedgerBroken (db.sqlite_ledger) if the money does not add up.
        """
        self._settle_doubt()
        self._finish()
        return self._ledger.recover()

    def apply(self, commands: Sequence[LedgerCommand], *, at_ms: EpochMs) -> Sequence[MoneyOutcome]:
        """Begin a new week if `at_ms` lies in one, then carry the commands out in one transaction.

        A rotation that fails costs nothing but time: the old file goes on, and this is tried again
        a minute later. A balance is rebuilt before the week turns: what is carried over is taken
        for right, and the rows that say otherwise stay behind. So no week begins either on money
        that was found not to add up. Otherwise as `SqliteLedger.apply`.
        """
        self._settle_doubt()
        self._hear(commands)
        at_ms = self._at_ms = max(self._at_ms, at_ms)
        is_over = file_name(at_ms) > self.partition() and at_ms >= self._rotate_from_ms
        if is_over and not any(isinstance(command, RebuildBalance) for command in commands):
            # Ahead of what a life before wrote in it when the week could not be begun.
            at_ms = self._at_ms = max(at_ms, self._ledger.newest_ms() + 1)
            self._rotate(at_ms)
        elif self._unfinished and at_ms >= self._finish_from_ms:
            self._finish()
        return self._ledger.apply(commands, at_ms=at_ms)

    def _hear(self, commands: Sequence[LedgerCommand]) -> None:
        """Keep what the last check found, and lose no time when it found all well."""
        for command in commands:
            if isinstance(command, ReportDrift):
                if self._drift and not command.drifts:
                    self._rotate_from_ms, self._not_begun = 0, ""
                self._drift = command.first if command.drifts else ""

    def _rotate(self, at_ms: EpochMs) -> None:
        self._finish()  # mostly done since days
        if self._drift:
            self._not_begun = self._failed("no new week: the money does not add up", self._drift)
        # What is not closed is known from the file after it only, so one at a time.
        if self._drift or self._not_closed:
            self._rotate_from_ms = at_ms + RETRY_MS
            return
        turn = Turn(old=self.path, new=self._folder / file_name(at_ms), at_ms=at_ms)
        try:
            self._begin(turn)
        except _FAULTS as error:
            self._not_begun = self._failed(f"{turn.new.name} could not be begun", error)
            self._rotate_from_ms = at_ms + RETRY_MS
            self._settle_doubt()
            with suppress(*_FAULTS):  # what is left is cleared away before the next attempt, too
                remove_attempts(self._folder, self.path)
        if self.path == turn.new:
            self._finish(quickly=True)

    def _begin(self, turn: Turn) -> None:
        remove_attempts(self._folder, turn.old)
        build_file(turn, ulids=self._ulids, trace=self._opening.trace)
        # Opened before it is named: from then on there is no way back to the old file.
        self._named = self._opening.open(turn.new)
        name_current(self._folder, turn.new)
        self._take_over(self._named)

    def _take_over(self, new: SqliteLedger) -> None:
        self._named = None
        self._ledger.let_go()
        self._ledger = new
        self._not_begun = ""
        self._unfinished = True

    def _settle_doubt(self) -> None:
        """Find out which file the manifest names, when replacing it failed half-way.

        Raises OSError as long as that can't be known and be on disk: until then nothing may be
        written, for it could be to a file that no later start reads.
        """
        if self._named is None:
            return
        sync_folder(self._folder)
        named = current_file(self._folder)
        if named is not None and named.name == self._named.partition():
            self._take_over(self._named)
        else:
            self._named.let_go()
            self._named = None

    def _finish(self, *, quickly: bool = False) -> None:
        """Close the file before, unless that is done; its log, up to 80 MB, a minute later."""
        self._finish_from_ms = self._at_ms + RETRY_MS
        before = self._ledger.file_before() if self._unfinished else None
        self._not_closed = ""
        self._unfinished = False
        if before is None or not (self._folder / before[0]).is_file():
            return  # there is none, or it is in the archive
        (name, closed_at_ms), trace = before, self._opening.trace
        try:
            close_file(self._folder / name, at_ms=closed_at_ms, trace=trace)
            self._unfinished = quickly or not fold_log(self._folder / name, trace=trace)
        except (OSError, sqlite3.Error, DatabaseMissing) as error:
            self._not_closed = self._failed(f"{name} could not be closed", error)
            self._unfinished = True

    def _failed(self, what: str, why: BaseException | str) -> str:
        text = why if isinstance(why, str) else f"{type(why).__name__}: {why}"
        return f"{what} at {self._at_ms}: {text}"


def open_current(
    folder: Path,
    *,
    at_ms: EpochMs,
    caps: HouseCaps,
    chance: Chance,
    trace: Callable[[str], None] | None = None,
) -> tuple[WeeklyLedger, Path]:
    """The ledger of a money folder, and the file it writes now: `WeeklyLedger.open`."""
    ledger = WeeklyLedger.open(folder, at_ms=at_ms, caps=caps, chance=chance, trace=trace)
    return ledger, ledger.path
