"""`tapgrid restore --week`: bring an archived week back for reading, while a venue runs or not."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from actors.commands.exits import NO_FOLDER, OK, REFUSED, UNREACHABLE, WRONG, CannotDo
from actors.commands.objects import object_store
from actors.commands.step_bars import StepBars, interruptible
from config.settings import ArchiveSettings
from db.archive_steps import Damaged
from db.archive_week import NoRoom
from db.data_folder import DataFolder
from db.disk_probe import StatvfsProbe
from db.file_lock import Locked
from db.partition import is_file_name
from db.week_restore import NoSuchWeek, NotThatWeek
from db.week_restore import restore_week as bring_back
from protocols.ports import ObjectMissing, ObjectStoreFailed


def restore_week(
    archive: ArchiveSettings, week: str, *, data: Path, out: TextIO, progress: TextIO
) -> int:
    """Bring the week of that Sunday, e.g. `2026-02-01`, back. Raises CannotDo; then it is not."""
    if not is_file_name(f"{week}.db"):
        raise CannotDo(f"{week} is no Sunday, such as 2026-02-01", REFUSED)
    folder = DataFolder.existing(data)
    store = object_store(archive, data=folder.path)
    probe = StatvfsProbe(folder.path)
    with _in_words(), StepBars(progress) as bars:
        bars.begin(f"{week}: fetch")
        restored = interruptible(
            lambda: bring_back(folder.path, f"{week}.db", store, probe=probe, work=bars), bars
        )
    if restored.already:
        out.write(f"{week} can be read already: {restored.file}\n")
        return OK
    sizes = f"{restored.stored_bytes:,} bytes (unpacked {restored.bytes:,})"
    out.write(f"fetched {sizes} from {store.place}\n")
    counts = f"{restored.ledger_rows:,} ledger rows, {restored.bets:,} bets"
    out.write(f"checked {counts}: zero drift\n")
    out.write(f"{week} can be read: {restored.file}\n")
    out.write("it may be deleted at any time; the archive keeps it\n")
    return OK


@contextmanager
def _in_words() -> Iterator[None]:
    try:
        yield
    except NoSuchWeek as error:
        raise CannotDo(f"{error} (see tapgrid archive --list)", REFUSED) from error
    except (NotThatWeek, Damaged) as error:
        raise CannotDo(str(error), WRONG) from error
    except NoRoom as error:
        raise CannotDo(str(error), NO_FOLDER) from error
    except Locked as error:
        raise CannotDo("another process is restoring a week: try again later", NO_FOLDER) from error
    except (ObjectMissing, ObjectStoreFailed) as error:
        raise CannotDo(str(error), UNREACHABLE) from error
