"""`tapgrid restore`: bring a backup of the money back into a data folder whose venue is stopped."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TextIO

from actors.commands.backup import content_line, utc
from actors.commands.exits import OK
from actors.commands.objects import backups_in_words, object_store
from actors.commands.on_record import on_record, typed_by
from actors.commands.step_bars import StepBars, interruptible
from config.settings import ArchiveSettings
from db.disk_probe import StatvfsProbe
from db.restore import Restored, choose_backup
from db.restore import restore as bring_back
from supervisor.clock import SystemClock


def restore(
    archive: ArchiveSettings, key: str | None, *, data: Path, out: TextIO, progress: TextIO
) -> int:
    """Bring back the backup `key`, or the newest. Raises CannotDo; then nothing was changed."""
    objects = object_store(archive, data=data)
    with backups_in_words(), StepBars(progress) as work:
        now_ms = SystemClock().now_ms()
        chosen = choose_backup(objects, key, now_ms=now_ms)
        restore_it = partial(
            bring_back,
            data,
            chosen.key,
            objects=objects,
            probe=StatvfsProbe(data),
            at_ms=now_ms,
            work=work,
            recorded=lambda folder: on_record(
                folder, by=typed_by("tapgrid restore"), what="restore_backup", subject=chosen.key
            ),
        )
        restored = interruptible(restore_it, work)
    out.writelines(f"{line}\n" for line in _lines(restored, data))
    return OK


def _lines(restored: Restored, data: Path) -> Iterator[str]:
    taken = utc(restored.record.taken_at_ms)
    yield f"restored {restored.key}"
    yield content_line(restored.record)
    yield f"the money is that of {taken}; what was written after that is not in it"
    if restored.aside is not None:
        yield f"the money that was here is in {restored.aside}"
    if restored.weeks_elsewhere:
        first, *_ = names = [name.removesuffix(".db") for name in restored.weeks_elsewhere]
        yield f"weeks that are not here: {', '.join(names)}"
        yield f"  to read one: tapgrid restore --week {first}"
    yield "next: check, start (on hold), put right what has happened since, release:"
    yield f"  tapgrid integrity --data {data}"
    yield f"  tapgrid serve --data {data}"
