"""Bring the ledger of a backup back into a data folder: all of it, or nothing.

Everything is fetched, examined and laid out beside the money first; one renaming then puts it in
the place of what was there, which is kept. A crash at any point leaves the old money or the new.

The new folder is made as `work/restore/money`, becomes `money.incoming-TIME`, and changes names
with `money` in one step (Linux can do that). Then the old one, which has that name by now, becomes
`money.before-restore-TIME`. Which of the two a crash has left as `money.incoming-TIME` is told by
the note that lies in the new one.
"""

import ctypes
import errno
import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import attrs

from db.backup import (
    Findings,
    as_backup_failed,
    check_room,
    copy_database,
    examine,
    list_backups,
    manifest_names,
    read_record,
    work_folder,
)
from db.closed_weeks import ClosedWeek, weeks_of
from db.compression import expand
from db.data_folder import DataFolder, NoDataFolder
from db.durable_file import replace_file, sync_file, sync_folder
from db.ledger_check import check_pair
from db.ledger_commands import set_hold
from db.migrate import migrate
from db.partition import MANIFEST, closed_at_ms
from db.rotation import close_file, fold_log
from db.sqlite_connection import open_reader, snapshot
from domain.backups import Backup, newest
from domain.units import EpochMs
from protocols.accounts import IntegrityReport
from protocols.backup import BackupFailed, BackupRecord, BackupWork
from protocols.money import SetHold
from protocols.ports import DiskProbe, ObjectStore, Work

NOTE: Final = "restored-from.json"
"""In a money folder that was restored: which backup, and when."""
QUOTE_NUMBERS_SKIPPED: Final = 1_000_000
"""Numbers that were given out after the backup was taken must not be used again. Four a second, as
long as a backup may be old at the worst: three days."""
_END_KEYS: Final = """
    UPDATE session_keys SET revoked_at_ms = max(?, (SELECT high_ms FROM meta))
    WHERE revoked_at_ms IS NULL
"""
"""Which of them were revoked after the backup was taken is not in it, and a revoked key must sign
nothing ever again. They last a day at most: whoever has one signs in anew. None has signed after
`high_ms`, whatever the clock says."""
_HOLD: Final = SetHold(
    held=True,
    by="tapgrid restore",
    why="restored from a backup: order again what it lacks, then release",
)
"""What was paid out after the backup was taken is whole again in the balances. Nobody bets with it
before an operator has put that right."""
_INCOMING: Final = "money.incoming-"
_ASIDE: Final = "money.before-restore-"
_SAME_FOLDER: Final = -100  # AT_FDCWD: paths are relative to the working directory
_EXCHANGE: Final = 2  # RENAME_EXCHANGE
AHEAD_MAX_MS: Final = 300_000
"""Two machines' clocks may differ by so much."""


class NoSuchBackup(Exception):
    """There is no complete backup of that name, or none at all, or it can't be said which is the
    newest."""


class CannotSwap(Exception):
    """The file system can't put one folder in the place of another in one step."""


@attrs.frozen(kw_only=True)
class Restored:
    """What was brought back, and what became of what was there."""

    key: str
    record: BackupRecord
    report: IntegrityReport
    aside: Path | None
    """The money that was there; None where there was none."""
    weeks_here: tuple[str, ...]
    """Closed weeks that were here and still are."""
    weeks_elsewhere: tuple[str, ...]
    """Those that are not: in the archive, if they came that far."""


def choose_backup(objects: ObjectStore, key: str | None, *, now_ms: EpochMs) -> Backup:
    """The complete backup of that key, or the newest. Raises NoSuchBackup, ObjectStoreFailed.

    One that was taken while the clock was ahead is not taken for the newest unless it is named: it
    would hide all that came after it.
    """
    complete = [backup for backup in list_backups(objects) if backup.complete]
    found = newest(each for each in complete if key is None or each.key == key)
    if found is None:
        what = f"no complete backup {key}" if key else "no complete backup"
        raise NoSuchBackup(f"there is {what} in {objects.place}")
    if key is None and found.taken_at_ms > now_ms + AHEAD_MAX_MS:
        raise NoSuchBackup(f"{found.key} bears a time that is still to come: name the one you mean")
    return found


def restore(
    data: Path,
    key: str,
    *,
    objects: ObjectStore,
    probe: DiskProbe,
    at_ms: EpochMs,
    work: BackupWork,
    recorded: Callable[[DataFolder], AbstractContextManager[object]],
) -> Restored:
    """Bring the backup `key` back into the data folder `data`, made if there is none.

    It is done within `recorded`, once the folder is held.

    Raises StampMismatch, StampBroken or FolderInUse (db.data_folder) if that can't be done there;
    BackupFailed if the backup is not good; CannotSwap, ObjectMissing, ObjectStoreFailed and
    WorkStopped. After any of them the money is what it was.
    """
    record = read_record(objects, key, work=work)
    if not manifest_names(record.manifest, record.partition):
        raise BackupFailed(f"the manifest in the record of {key} names another file")
    folder = _claimed(data, record)
    with (
        folder.lock(),
        recorded(folder),
        as_backup_failed(),
        work_folder(folder, "restore") as place,
    ):
        _tidy_up(folder, place)
        fetched = _fetch(place, key, record, objects=objects, probe=probe, work=work)
        work.begin("check")
        found = _bring_up_to_date(fetched, record, work, at_ms=at_ms)
        work.begin("put in place")
        money = place / "money"
        here, elsewhere = _lay_out(money, fetched, folder, record, work)
        time = _free_time(folder, at_ms)
        note = {"key": key, "restored": time, "taken_at_ms": record.taken_at_ms}
        replace_file(money / NOTE, json.dumps(note) + "\n")
        DataFolder.open(data, mode=record.mode, chain_id=record.chain_id)
        aside = _swap(folder, money, time)
    return Restored(
        key=key,
        record=record,
        report=found.report,
        aside=aside,
        weeks_here=here,
        weeks_elsewhere=elsewhere,
    )


def _claimed(data: Path, record: BackupRecord) -> DataFolder:
    """The folder to restore into: it is of the backup's kind, or new and not stamped yet."""
    folder = DataFolder(path=data, mode=record.mode, chain_id=record.chain_id)
    if folder.stamp_file.exists() or folder.money.exists():
        return DataFolder.open(data, mode=record.mode, chain_id=record.chain_id)
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise NoDataFolder(f"{data} can't be a data folder: a file is in the way") from error
    return folder


# --- what is brought back -----------------------------------------------------------------------


def _fetch(
    place: Path,
    key: str,
    record: BackupRecord,
    *,
    objects: ObjectStore,
    probe: DiskProbe,
    work: BackupWork,
) -> Path:
    """The backup's file, and it is that file to the last bit."""
    check_room(probe, record.stored_bytes + record.plain_bytes)
    packed, file = place / "packed", place / record.partition
    work.begin("fetch")
    if objects.get(key, str(packed), work=work) != record.stored_sha256:
        raise BackupFailed(f"{key} is not what was stored: its SHA-256 is another one")
    work.begin("unpack")
    if expand(packed, file, plain_bytes=record.plain_bytes, work=work) != record.plain_sha256:
        raise BackupFailed(f"{key} does not unpack to what was backed up")
    packed.unlink()
    return file


def _bring_up_to_date(file: Path, record: BackupRecord, work: Work, *, at_ms: EpochMs) -> Findings:
    """Migrate the schema, end session keys, hold betting, skip quote numbers, and then examine what
    the venue will start with."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        migrate(connection)
        connection.execute(_END_KEYS, (at_ms,))
        set_hold(connection, _HOLD)
        connection.execute(
            "UPDATE meta SET next_quote_n = next_quote_n + ?", (QUOTE_NUMBERS_SKIPPED,)
        )
    found = examine(file, work=work)
    if (found.ledger_rowid, found.report.bets) != (record.ledger_rowid, record.bets):
        raise BackupFailed(f"{file.name} holds other rows than its record says")
    return found


def _lay_out(
    money: Path, file: Path, folder: DataFolder, record: BackupRecord, work: Work
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The new money folder, complete; which closed weeks it has, and which it has not."""
    money.mkdir(mode=0o700)
    current = money / record.partition
    file.rename(current)
    replace_file(money / MANIFEST, record.manifest)
    here: list[str] = []
    elsewhere: list[str] = []
    for week in weeks_of(money).closed.values():
        is_here = _keep_week(week, folder.money, current, work)
        (here if is_here else elsewhere).append(week.name)
    sync_folder(money)
    return tuple(here), tuple(elsewhere)


def _keep_week(week: ClosedWeek, was: Path, current: Path, work: Work) -> bool:
    """Take a closed week over from the money that was here, if it is the one that is meant."""
    old, new = was / week.name, current.with_name(week.name)
    if not old.is_file():
        return False
    try:
        with closing(open_reader(old)) as reader:
            sql = "SELECT ifnull(max(rowid), 0) FROM transaction_ledger"
            is_same = reader.execute(sql).fetchone()[0] == week.last_rowid
        old_closed_ms = closed_at_ms(old)
        if not is_same or old_closed_ms not in (week.closed_at_ms, None):
            return False
        if old_closed_ms is not None and not _has_log(old):
            new.hardlink_to(old)  # neither is ever written again
            return True
        # What is still to be written must not reach the money that is put aside.
        copy_database(old, new, work=work)
        if old_closed_ms is None and not _ends_before(new, week, current):
            _remove(new)
            return False
        sync_file(new)
    except sqlite3.Error:
        _remove(new)
        return False  # what destroyed the rest has destroyed this, too
    return True


def _ends_before(file: Path, week: ClosedWeek, current: Path) -> bool:
    """Write the end of a week that was not closed yet. Does the current one go on from there?

    Its last row alone does not say so: a bet that is lost leaves none.
    """
    close_file(file, at_ms=week.closed_at_ms)
    fold_log(file)
    with (
        closing(open_reader(file)) as old,
        closing(open_reader(current)) as new,
        snapshot(old),
        snapshot(new),
    ):
        return not check_pair(old, new)


def _remove(file: Path) -> None:
    # In this order: without its log a file might tell less than all.
    for each in sorted(file.parent.glob(f"{file.name}*")):
        each.unlink()


def _has_log(file: Path) -> bool:
    log = file.with_name(f"{file.name}-wal")
    return log.exists() and log.stat().st_size > 0


# --- one folder in the place of another ---------------------------------------------------------


def _swap(folder: DataFolder, money: Path, time: str) -> Path | None:
    """Put the new money in its place. Where the old money is now, if there was any."""
    incoming = folder.path / f"{_INCOMING}{time}"
    money.rename(incoming)
    sync_folder(folder.path)
    if not any(folder.money.iterdir()):
        incoming.rename(folder.money)  # an empty folder may be replaced
        sync_folder(folder.path)
        return None
    try:
        exchange(incoming, folder.money)
    except CannotSwap:
        shutil.rmtree(incoming)
        raise
    sync_folder(folder.path)
    return _put_aside(folder, incoming)


def _put_aside(folder: DataFolder, incoming: Path) -> Path:
    """Give the old money, which has changed names with the new, the name that it is to keep."""
    time = incoming.name.removeprefix(_INCOMING)
    aside = incoming.rename(folder.path / f"{_ASIDE}{time}")
    sync_folder(folder.path)
    return aside


def _tidy_up(folder: DataFolder, place: Path) -> None:
    """Finish what a restore that was killed has begun: put its old money aside, or forget its new.

    The note in the new one says the time that its folder is named by; an older note says another.
    """
    for left in sorted(folder.path.glob(f"{_INCOMING}*")):
        if _noted_time(left) == left.name.removeprefix(_INCOMING):
            left.rename(place / left.name)  # goes with the other work files
        else:
            _put_aside(folder, left)


def _noted_time(money: Path) -> str | None:
    try:
        return str(json.loads((money / NOTE).read_text("utf-8"))["restored"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _free_time(folder: DataFolder, at_ms: EpochMs) -> str:
    """The time of this restore as names have it; a second later for each that was named so."""
    noted = _noted_time(folder.money)  # what tells the new folder from the old must differ
    while True:
        time = f"{datetime.fromtimestamp(at_ms // 1000, UTC):%Y%m%dT%H%M%SZ}"
        taken = any((folder.path / f"{name}{time}").exists() for name in (_INCOMING, _ASIDE))
        if time != noted and not taken:
            return time
        at_ms += 1000


def exchange(one: Path, other: Path) -> None:
    """Let two folders change names, in one step that no crash can halve. Raises CannotSwap."""
    try:
        rename: Callable[..., int] = ctypes.CDLL(None, use_errno=True).renameat2
    except AttributeError as error:
        raise CannotSwap("this system can't let two folders change names") from error
    paths = [os.fsencode(path.absolute()) for path in (one, other)]
    if rename(_SAME_FOLDER, paths[0], _SAME_FOLDER, paths[1], ctypes.c_uint(_EXCHANGE)) == 0:
        return
    code = ctypes.get_errno()
    if code in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
        raise CannotSwap(f"the file system of {one.parent} can't let two folders change names")
    raise OSError(code, os.strerror(code), str(other))
