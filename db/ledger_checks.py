"""The integrity checks of a running venue, each on a connection of its own.

Every check opens the file that the manifest names at that moment: so it goes on with the new week's
file, and notices when the file is gone from the folder, which whoever holds it open does not.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import attrs

from db.partition import ManifestBroken, current_file
from db.sqlite_connection import DatabaseMissing, open_reader
from db.sqlite_ledger_reader import SqliteLedgerReader
from protocols.accounts import Audit, IntegrityReport
from protocols.auditing import LedgerUncheckable
from protocols.ports import Work, WorkStopped

LOOK_EVERY_OPCODES: Final = 50_000
"""Of SQLite's machine: some milliseconds."""


@attrs.frozen
class FolderLedgerChecks:
    """Implements `protocols.auditing.LedgerChecks` for the folder of the ledger's files."""

    money: Path

    def full(self, *, work: Work) -> IntegrityReport:
        """Raises LedgerUncheckable or WorkStopped."""
        with self._reader(work) as reader:
            return reader.integrity()

    def partial(self, *, work: Work) -> Audit:
        """Raises LedgerUncheckable or WorkStopped."""
        with self._reader(work) as reader:
            return reader.audit()

    @contextmanager
    def _reader(self, work: Work) -> Iterator[SqliteLedgerReader]:
        look = _Look(work)
        try:
            file = current_file(self.money)
            if file is None:
                raise LedgerUncheckable(f"{self.money} holds no ledger")
            with closing(open_reader(file)) as connection:
                connection.set_progress_handler(look, LOOK_EVERY_OPCODES)
                yield SqliteLedgerReader(connection)
        except (ManifestBroken, DatabaseMissing, OSError) as error:
            raise LedgerUncheckable(str(error)) from error
        except sqlite3.Error as error:
            if look.stopped is not None:
                raise look.stopped from None
            raise LedgerUncheckable(f"{type(error).__name__}: {error}") from error


@attrs.define
class _Look:
    """Asks `work` from within a statement. SQLite swallows what a handler raises, so it is kept."""

    work: Work
    stopped: WorkStopped | None = None

    def __call__(self) -> bool:
        """True ends the statement."""
        try:
            self.work.step(0, 0)
        except WorkStopped as stopped:
            self.stopped = stopped
        return self.stopped is not None
