"""The twin of the disk: how full it is, what SQLite and files find when they write, and each step
that the venue takes on it, so that a kill can strike between any two."""

import errno
import os
import sqlite3
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import ModuleType
from typing import Any, Final, TypeAlias

import attrs

from domain.disk import DiskUse
from simulation.scenario import Fault, FaultKind
from simulation.world import World

TOTAL_BYTES: Final = 40 * 10**9
USED_PERCENT: Final = 10
SLOW_MS: Final = 200
"""What a call takes longer while the disk is slow and the fault says nothing else."""

Act: TypeAlias = Callable[[str], None]
"""Told what the step is. May raise."""

_READS: Final = frozenset({"SELECT", "PRAGMA", "ROLLBA"})
"""By its first six letters: a statement that changes nothing on disk."""
_FILE_CALLS: Final = ("fsync", "replace", "unlink", "link")


@attrs.define(kw_only=True, eq=False)
class _Awaited:
    """Something to be done before a step."""

    act: Act
    left: int
    """Steps until then, that one among them."""


class SimulatedDisk:
    """A DiskProbe, and what SQLite finds when it writes."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._in_force: list[Fault] = []
        """One that ends leaves the others as they are."""
        self._slow_s = 0.0
        self._used_percent = USED_PERCENT
        self._is_full = False
        self._awaited: list[_Awaited] = []
        self.is_watching = False
        """Is anything to be done at a step? Looked at for every statement, so it is kept."""

    # --- how it fails ---------------------------------------------------------------------------

    def delay_s(self) -> float:
        """How much longer a call of a worker takes now."""
        if self._slow_s:
            self.world.fault_took_effect(FaultKind.DISK_SLOW)
        return self._slow_s

    def look(self) -> DiskUse:
        """How full it is."""
        if self._used_percent != USED_PERCENT:
            self.world.fault_took_effect(FaultKind.DISK_FULL, "look")
        used_bytes = TOTAL_BYTES * self._used_percent // 100
        return DiskUse(total_bytes=TOTAL_BYTES, free_bytes=TOTAL_BYTES - used_bytes)

    async def strike(self, fault: Fault) -> None:
        """Let it fail that way, for as long as it lasts. A disk is full, and writes fail, unless
        the fault's amount says to how many percent it is."""
        self._in_force.append(fault)
        self._derive()
        await self.world.lasting(fault.lasts_s)
        self._in_force.remove(fault)
        self._derive()

    def _derive(self) -> None:
        """Of several faults the worst counts."""
        self._slow_s = self._worst(FaultKind.DISK_SLOW, SLOW_MS) / 1000
        self._used_percent = self._worst(FaultKind.DISK_FULL, 100) or USED_PERCENT
        self._is_full = self._used_percent >= 100
        self._watch()

    def _worst(self, kind: FaultKind, unless_said: int) -> int:
        amounts = (one.amount or unless_said for one in self._in_force if one.kind is kind)
        return max(amounts, default=0)

    # --- steps ----------------------------------------------------------------------------------

    def at_step(self, number: int, act: Act) -> None:
        """Have `act` called before the `number`th step from now on (1: the next one), once.

        A step is a statement that writes, or a call that syncs, renames or deletes a file; after a
        COMMIT there is one more, when all is on disk and nobody knows.
        """
        self._awaited.append(_Awaited(act=act, left=number))
        self._watch()

    def forget_step(self, act: Act) -> None:
        """That is not to be done any more; what others wait for is."""
        self._awaited = [one for one in self._awaited if one.act != act]
        self._watch()

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """While inside, what modules of `db` do to files and databases is done on this disk.

        Syncs have no effect: what a kill leaves of a file is what was written.
        """
        with ExitStack() as stack:
            stack.enter_context(_replaced(sqlite3, "connect", self._connector()))
            for name in _FILE_CALLS:
                stack.enter_context(_replaced(os, name, self._through(name)))
            yield
        self._awaited.clear()
        self._watch()

    def _watch(self) -> None:
        self.is_watching = self._is_full or bool(self._awaited)

    def _step(self, what: str) -> None:
        for one in tuple(self._awaited):
            one.left -= 1
            if one.left <= 0:
                self._awaited.remove(one)
                self._watch()
                one.act(what)

    def _connector(self) -> Callable[..., sqlite3.Connection]:
        real = sqlite3.connect

        def connect(*given: Any, **named: Any) -> sqlite3.Connection:
            # Who observes the venue reads its files as well: that is no step of the venue's.
            if sys._getframe(1).f_globals["__name__"].startswith("db."):
                connection: _Connection = real(*given, **named, factory=_Connection)
                connection.disk = self
                return connection
            others: sqlite3.Connection = real(*given, **named)
            return others

        return connect

    def _through(self, name: str) -> Callable[..., Any]:
        real = getattr(os, name)

        def call(*given: Any, **named: Any) -> Any:
            # With one, it is a whole folder that is removed, mostly not by the venue.
            if self.is_watching and "dir_fd" not in named:
                self._step(name)
            if name != "fsync":
                return real(*given, **named)
            if self._is_full and stat.S_ISREG(os.fstat(given[0]).st_mode):
                self.world.fault_took_effect(FaultKind.DISK_FULL, "file")
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return None

        return call

    def before(self, connection: sqlite3.Connection, sql: str, changes_before: int) -> bool:
        """A statement is about to run. Raises what SQLite raises if there is no room for it.

        True if it begins a transaction. `changes_before` are those of the connection when its
        transaction began.
        """
        head = sql.lstrip()[:6].upper()
        if head in _READS and "CHECKPOINT" not in sql.upper():
            return False
        if head != "BEGIN":
            self._step(" ".join(sql.split())[:60])
        if self._is_full and _needs_room(connection, head, changes_before):
            self.world.fault_took_effect(FaultKind.DISK_FULL, head)
            _roll_back(connection)
            raise _no_room()
        return head.startswith("BEGIN")

    def after(self, sql: str) -> None:
        """A statement has run."""
        if sql == "COMMIT":
            self._step("committed")


class _Connection(sqlite3.Connection):
    """One that the venue has open on this disk."""

    disk: SimulatedDisk | None = None
    changes_before = 0

    def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
        if self.disk is None or not self.disk.is_watching:
            return super().execute(sql, *values)
        self._look(sql)
        done = super().execute(sql, *values)
        self.disk.after(sql)
        return done

    def executemany(self, sql: str, *values: Any) -> sqlite3.Cursor:
        if self.disk is not None and self.disk.is_watching:
            self._look(sql)
        return super().executemany(sql, *values)

    def executescript(self, script: str, /) -> sqlite3.Cursor:
        if self.disk is not None and self.disk.is_watching and "TEMP" not in script.upper():
            self._look("CREATE")
        return super().executescript(script)

    def _look(self, sql: str) -> None:
        assert self.disk is not None, "asked by the callers"
        if self.disk.before(self, sql, self.changes_before):
            self.changes_before = self.total_changes


@contextmanager
def _replaced(module: ModuleType, name: str, by: Callable[..., Any]) -> Iterator[None]:
    before = getattr(module, name)
    setattr(module, name, by)
    try:
        yield
    finally:
        setattr(module, name, before)


def _needs_room(connection: sqlite3.Connection, head: str, changes_before: int) -> bool:
    """A transaction is written when it is committed; what is outside of one, at once."""
    if head.startswith(("COMMIT", "END")):
        return connection.total_changes > changes_before
    if connection.in_transaction:
        return False
    return not head.startswith(("BEGIN", "SAVEPO", "RELEAS", "DETACH", "ATTACH"))


def _roll_back(connection: sqlite3.Connection) -> None:
    """As SQLite does by itself when a COMMIT finds no room."""
    if connection.in_transaction:
        sqlite3.Connection.execute(connection, "ROLLBACK")


def _no_room() -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL
    error.sqlite_errorname = "SQLITE_FULL"
    return error
