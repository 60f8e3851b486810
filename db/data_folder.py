"""The data folder: what it is stamped with, who holds it, and where everything in it is.

venue.json   the stamp: mode and chain id, for good        lock     held by whoever writes
money/       the ledger's weekly files and their manifest  prices/  the ticks
run.json     url and pid of the running venue              ops.token
archive/     archive and backups, unless elsewhere         archive.db  how far each week has come
work/        what is being made of weeks and backups       archive.lock, backup.lock
audit.jsonl  what operators did                            audit.jsonl.torn-N: a line cut off
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Self

import attrs

from db.durable_file import create_file, sync_folder
from db.file_lock import FileLock, Locked


class NoDataFolder(Exception):
    """There is no data folder of a venue at that path."""


class StampMismatch(Exception):
    """The folder was made for another mode or chain id: paper never becomes money."""


class StampBroken(Exception):
    """The folder holds money, but no stamp that can be read says of which kind."""


class FolderInUse(Exception):
    """Another process holds the folder's lock: a venue that runs, or a tool that writes."""


@attrs.frozen(kw_only=True)
class DataFolder:
    """A stamped data folder. Opening it takes no lock; `lock` does."""

    path: Path
    mode: str
    """`demo` or `production`."""
    chain_id: int

    @classmethod
    def open(cls, path: Path, *, mode: str, chain_id: int) -> Self:
        """The folder at `path`, made and stamped if there is none.

        Raises StampMismatch, naming both, if it was made for another mode or chain id,
        StampBroken if it holds money without a stamp, and NoDataFolder if a file is in the way.
        """
        wanted = cls(path=path, mode=mode, chain_id=chain_id)
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise NoDataFolder(f"{path} can't be a data folder: a file is in the way") from error
        if wanted.money.exists() and not wanted.stamp_file.exists():
            raise StampBroken(f"{path} holds money, but {wanted.stamp_file.name} is missing")
        # Of two first starts at once, one makes the stamp and both obey it.
        create_file(wanted.stamp_file, json.dumps({"mode": mode, "chain_id": chain_id}) + "\n")
        found = cls.existing(path)
        if found != wanted:
            raise StampMismatch(
                f"{path} was made for {found._words()}; it can't be used for {wanted._words()}"
            )
        for folder in (found.money, found.prices):
            folder.mkdir(mode=0o700, exist_ok=True)
        sync_folder(path)
        return found

    @classmethod
    def existing(cls, path: Path) -> Self:
        """The folder at `path`, as it is stamped: for tools. Raises NoDataFolder, StampBroken."""
        try:
            stamp: Any = json.loads((path / "venue.json").read_text("utf-8"))
            return cls(path=path, mode=str(stamp["mode"]), chain_id=int(stamp["chain_id"]))
        except (FileNotFoundError, NotADirectoryError) as error:
            raise NoDataFolder(f"{path} is not a data folder of a venue") from error
        except (ValueError, KeyError, TypeError) as error:
            raise StampBroken(f"{path / 'venue.json'} can't be read: {error}") from error

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the folder as its only writer. Raises FolderInUse at once if another does.

        The lock is the kernel's and ends with the process, however it ends.
        """
        with ExitStack() as held:
            try:
                held.enter_context(FileLock(self.lock_file).held())
            except Locked as error:
                raise FolderInUse(f"{self.path} is in use by another process") from error
            yield

    @property
    def stamp_file(self) -> Path:
        return self.path / "venue.json"

    @property
    def lock_file(self) -> Path:
        return self.path / "lock"

    @property
    def money(self) -> Path:
        """The folder of the ledger's files (db.partition)."""
        return self.path / "money"

    @property
    def prices(self) -> Path:
        """The folder of the price history."""
        return self.path / "prices"

    @property
    def run_file(self) -> Path:
        """Where a running venue says how to reach it: url and pid, as JSON."""
        return self.path / "run.json"

    @property
    def token_file(self) -> Path:
        """The operators' token of a running venue; to be written with `durable_file.PRIVATE`."""
        return self.path / "ops.token"

    @property
    def audit_file(self) -> Path:
        """The operators' audit log (db.audit_log)."""
        return self.path / "audit.jsonl"

    def _words(self) -> str:
        return f"mode {self.mode}, chain id {self.chain_id}"
