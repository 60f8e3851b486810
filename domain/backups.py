"""Backups: what they are called, when the next one is due, and which are kept.

A backup of the file `2026-11-15.db`, taken on 2026-11-20 at 12:00:00 UTC, is two objects:
`backups/2026-11-15/20261120T120000Z.db.zst`, and beside it `….json`, which is written last and says
what is in the first. A backup is complete when both are there.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

import attrs

from domain.units import EpochMs

PREFIX: Final = "backups/"
FILE_SUFFIX: Final = ".db.zst"
RECORD_SUFFIX: Final = ".json"

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
INCOMPLETE_KEPT_MS: Final = DAY_MS
"""A backup without its record may still be on its way; after a day it is not."""
RETRY_FIRST_MS: Final = 30_000

_TIME: Final = "%Y%m%dT%H%M%SZ"
_KEY: Final = re.compile(
    rf"{PREFIX}(\d{{4}}-\d\d-\d\d)/(\d{{8}}T\d{{6}}Z)(\.db\.zst|\.json)", re.ASCII
)


@attrs.frozen(kw_only=True)
class Backup:
    """A backup as a listing of the objects shows it."""

    key: str
    """Of the compressed file; `record_key` names the other object."""
    partition: str
    """The file it is a copy of, e.g. `2026-11-15.db`."""
    taken_at_ms: EpochMs
    """By its name, so to the second."""
    bytes: int
    """As stored; 0 if only the record is there."""
    complete: bool


@attrs.frozen(kw_only=True)
class Retention:
    """Which backups are kept: all of some hours, and one a day of some days."""

    hourly_for_hours: int = 48
    daily_for_days: int = 35
    """The last one of each UTC day, today included."""


def file_key(partition: str, taken_at_ms: EpochMs) -> str:
    """Where a backup of that file is put."""
    taken = datetime.fromtimestamp(taken_at_ms // 1000, UTC)
    return f"{PREFIX}{partition.removesuffix('.db')}/{taken:{_TIME}}{FILE_SUFFIX}"


def free_key(partition: str, taken_at_ms: EpochMs, stored: Collection[str]) -> str:
    """As `file_key`, a second later for each time that such a backup is there."""
    while True:
        key = file_key(partition, taken_at_ms)
        if not {key, record_key(key)} & set(stored):
            return key
        taken_at_ms += 1000


def record_key(key: str) -> str:
    """Where the record of the backup `key` is put."""
    return key.removesuffix(FILE_SUFFIX) + RECORD_SUFFIX


def listed(objects: Mapping[str, int]) -> list[Backup]:
    """The backups among these objects (key -> bytes), oldest first; other objects are passed over.

    Two of one second are in the order of their partitions, so that the last one is the newest.
    """
    found: dict[str, Backup] = {}
    for key in objects:
        match = _KEY.fullmatch(key)
        taken_at_ms = _parse_time(match[2]) if match else None
        if match is None or taken_at_ms is None:
            continue
        partition = f"{match[1]}.db"
        name = file_key(partition, taken_at_ms)
        found[name] = Backup(
            key=name,
            partition=partition,
            taken_at_ms=taken_at_ms,
            bytes=objects.get(name, 0),
            complete=name in objects and record_key(name) in objects,
        )
    return sorted(found.values(), key=_age)


def newest(backups: Iterable[Backup]) -> Backup | None:
    """The newest complete one."""
    return max((backup for backup in backups if backup.complete), key=_age, default=None)


def surplus(
    backups: Sequence[Backup],
    *,
    keep: Retention,
    archived: Collection[str],
    now_ms: EpochMs,
) -> list[Backup]:
    """Those that are not kept any more, oldest first.

    Kept are, of the complete ones, all of the last hours, the last of each of the last days, the
    newest of each partition that is not among the `archived` (it may be all there is of it), and
    the newest of all, however old. One whose time has not come yet is kept, too: a clock may step.
    """
    complete = sorted((backup for backup in backups if backup.complete), key=_age)
    today = now_ms // DAY_MS
    # Later ones replace earlier ones: what is left is the last of each day, of each partition.
    last_of_day = {backup.taken_at_ms // DAY_MS: backup for backup in complete}
    last_of_partition = {backup.partition: backup for backup in complete}
    kept = {
        *(b for b in complete if now_ms - b.taken_at_ms < keep.hourly_for_hours * HOUR_MS),
        *(b for day, b in last_of_day.items() if today - day < keep.daily_for_days),
        *(b for name, b in last_of_partition.items() if name not in archived),
        *complete[-1:],
        *(b for b in backups if not b.complete and now_ms - b.taken_at_ms < INCOMPLETE_KEPT_MS),
    }
    return sorted({*backups} - kept, key=_age)


def next_due_ms(last_ms: EpochMs, *, every_ms: int, now_ms: EpochMs) -> EpochMs:
    """When the next backup is due after one at `last_ms` (0: there was none, it is due now).

    Never further ahead than `every_ms`: a clock that stepped back must not put backups off.
    """
    return min(last_ms + every_ms, now_ms + every_ms) if last_ms else now_ms


def retry_in_ms(failures: int, *, every_ms: int) -> int:
    """How long to wait after so many failures in a row: 30 s, doubled each time, at most a turn."""
    doubled = RETRY_FIRST_MS << min(failures - 1, 20)
    return min(doubled, every_ms)


def _age(backup: Backup) -> tuple[EpochMs, str]:
    return backup.taken_at_ms, backup.partition


def _parse_time(text: str) -> EpochMs | None:
    try:
        return int(datetime.strptime(text, _TIME).replace(tzinfo=UTC).timestamp()) * 1000
    except ValueError:
        return None
