"""What lies in the object store can be relied on: looked at once, at the very end.

Every complete backup is whole and is the ledger as it once was, word for word; a week that the
archive calls safe, or that is no longer on the disk, is there whole. The newest backup is young,
and what operators did is on record.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import zstandard

from simulation.keeper import settings_of
from simulation.observers.audit_log import fault_of
from simulation.scenario import Fault, FaultKind
from simulation.witness import Observer
from simulation.world import World

if TYPE_CHECKING:
    from simulation.process import VenueProcess

SAFE: Final = ("verified", "done")
COMPARED: Final = 2
"""The newest backups, whose every row is compared; of the others it is the hash."""
YOUNG: Final = 3
"""The newest backup is no older than so many of its intervals: each fails once, at most, and is
tried again within one; the rest is for the clock, which may have been 20 s off."""
STOPS_BACKUPS: Final = (FaultKind.OBJECTS_FAIL, FaultKind.OBJECTS_CORRUPT, FaultKind.DISK_FULL)


class Unsafe(Exception):
    """What was found is not what it must be; the text says which and why."""


class SafekeepingObserver(Observer):
    """Compares the bucket with the data folder that the last process left."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.data = Path()
        """What the last process left."""

    def venue_ended(self, process: "VenueProcess", how: str) -> None:
        self.data = process.left

    def finish(self) -> None:
        try:
            self._look_at_backups()
            self._look_at_weeks()
            self._look_at_age()
        except (Unsafe, sqlite3.Error, zstandard.ZstdError) as error:
            self._world.violated("not_safe_in_the_store", error)
        fault = fault_of(self.data / "audit.jsonl", self._world.orders_done)
        if fault:
            self._world.violated("audit_log_wrong", fault)

    def _look_at_backups(self) -> None:
        content = self._world.objects.content
        records = sorted(key for key in content if _is_record(key))
        for number, name in enumerate(reversed(records)):
            record = json.loads(content[name])
            key = name.removesuffix(".json") + ".db.zst"
            plain = _plain(key, content.get(key), record["stored_sha256"], record["plain_sha256"])
            # Of an older week the file may have gone, which is looked at below.
            if number < COMPARED and (self.data / "money" / record["partition"]).exists():
                self._compare_backup(key, plain, record)
            self._world.happened("backup_is_good")

    def _compare_backup(self, key: str, plain: bytes, record: dict[str, object]) -> None:
        week = str(record["partition"])
        with self._ledger(week) as ours, self._copy(plain) as copy:
            rows = "SELECT * FROM transaction_ledger WHERE rowid <= ? ORDER BY rowid"
            upto = (record["ledger_rowid"],)
            if _digest(copy.execute(rows, upto)) != _digest(ours.execute(rows, upto)):
                raise Unsafe(f"{key} is not the ledger as it was")
            (newest,) = copy.execute("SELECT ifnull(max(rowid), 0) FROM bets").fetchone()
            bets = "SELECT id, nonce, user_id FROM bets WHERE rowid <= ? ORDER BY rowid"
            if _digest(copy.execute(bets, (newest,))) != _digest(ours.execute(bets, (newest,))):
                raise Unsafe(f"{key} has not the bets that {week} had")

    def _look_at_age(self) -> None:
        """Is there a backup of the last minutes, unless something was in the way of it?"""
        within_s = YOUNG * settings_of(self._world).backup.every_minutes * 60
        since_s = self._world.now_s() - within_s
        if since_s < 0 or any(self._ended_s(fault) > since_s for fault in self._in_the_way()):
            return
        content = self._world.objects.content
        taken_ms = [json.loads(content[key])["taken_at_ms"] for key in content if _is_record(key)]
        age_s = (self._world.clock.now_ms() - max(taken_ms, default=0)) / 1000
        if age_s > within_s:
            raise Unsafe(f"the newest backup is {age_s:.0f} s old, of {len(taken_ms)}")
        self._world.happened("backup_is_young")

    def _in_the_way(self) -> list[Fault]:
        """What may make a backup fail, or wait."""
        return [
            fault
            for fault in self._world.scenario.faults
            if fault.kind in STOPS_BACKUPS or fault.target == "backup_work"
        ]

    def _ended_s(self, fault: Fault) -> float:
        """When it was over: at the calm, at the latest."""
        return min(fault.at_s + fault.lasts_s, self._world.scenario.seconds)

    def _look_at_weeks(self) -> None:
        content = self._world.objects.content
        safe = {name: found for name, *found in self._archived()}
        for name, last_rowid in self._closed():
            is_here = (self.data / "money" / name).exists()
            if name not in safe:
                if not is_here:
                    raise Unsafe(f"{name} is neither on the disk nor safe in the archive")
                continue
            key, stored_sha256, plain_sha256 = safe[name]
            plain = _plain(key, content.get(key), stored_sha256, plain_sha256)
            with self._copy(plain) as copy:
                (last,) = copy.execute("SELECT max(rowid) FROM transaction_ledger").fetchone()
                if last != last_rowid:
                    raise Unsafe(f"{key} ends with row {last}, {name} with {last_rowid}")
                if is_here:
                    self._compare_week(key, name, copy)
            self._world.happened("week_is_safe")

    def _compare_week(self, key: str, name: str, copy: sqlite3.Connection) -> None:
        with self._ledger(name) as ours:
            for table in ("transaction_ledger", "bets", "columns", "users"):
                rows = f"SELECT * FROM {table} ORDER BY 1"
                if _digest(copy.execute(rows)) != _digest(ours.execute(rows)):
                    raise Unsafe(f"{key} is not {name}: {table} differs")

    # --- what is read -----------------------------------------------------------------------

    def _archived(self) -> list[tuple[str, str, str, str]]:
        """The weeks that the archive's record calls safe: key and both hashes."""
        file = self.data / "archive.db"
        if not file.exists():
            return []
        with _read(file) as record:
            tables = record.execute("SELECT name FROM sqlite_schema").fetchall()
            if ("archives",) not in tables:
                return []
            return record.execute(
                "SELECT name, key, compressed_sha256, sha256 FROM archives WHERE state IN (?, ?)",
                SAFE,
            ).fetchall()

    def _closed(self) -> list[tuple[str, int]]:
        """The closed weeks that the current file knows, with their last rows."""
        current = json.loads((self.data / "money" / "manifest.json").read_text())["current"]
        with self._ledger(current) as ledger:
            return ledger.execute("SELECT name, last_rowid FROM partitions").fetchall()

    @contextmanager
    def _ledger(self, week: str) -> Iterator[sqlite3.Connection]:
        with _read(self.data / "money" / week) as connection:
            yield connection

    @contextmanager
    def _copy(self, plain: bytes) -> Iterator[sqlite3.Connection]:
        """The database that those bytes are; it must be sound."""
        file = self._world.folder / "looked-at.db"
        file.write_bytes(plain)
        with _read(file) as connection:
            (verdict,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
            if verdict != "ok":
                raise Unsafe(f"a database in the store is damaged: {verdict}")
            yield connection
        file.unlink()


def _is_record(key: str) -> bool:
    return key.startswith("backups/") and key.endswith(".json")


@contextmanager
def _read(file: Path) -> Iterator[sqlite3.Connection]:
    if not file.exists():
        raise Unsafe(f"{file.name} is gone")
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        yield connection


def _plain(key: str, stored: bytes | None, stored_sha256: object, plain_sha256: object) -> bytes:
    """What an object unpacks to, if it is the one on record."""
    if stored is None:
        raise Unsafe(f"{key} is not in the store")
    if hashlib.sha256(stored).hexdigest() != stored_sha256:
        raise Unsafe(f"{key} is another object than is on record")
    plain = zstandard.ZstdDecompressor().decompress(stored)
    if hashlib.sha256(plain).hexdigest() != plain_sha256:
        raise Unsafe(f"{key} unpacks to something else than is on record")
    return plain


def _digest(rows: sqlite3.Cursor) -> str:
    digest = hashlib.sha256()
    for row in rows:
        digest.update(repr(row).encode())
    return digest.hexdigest()
