"""The object store of the settings, as commands see it: opened, and its failures in words."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from actors.commands.exits import NO_FOLDER, REFUSED, UNREACHABLE, WRONG, CannotDo
from config.settings import ArchiveSettings
from db.object_store import open_object_store
from db.restore import CannotSwap, NoSuchBackup
from protocols.backup import BackupBusy, BackupFailed
from protocols.ports import ObjectMissing, ObjectStore, ObjectStoreFailed


def object_store(archive: ArchiveSettings, *, data: Path) -> ObjectStore:
    """Where the archive and the backups of the venue on that data folder are."""
    return open_object_store(
        archive.url,
        # Absolute: the archive's record keeps the place, and it is one wherever it is seen from.
        default_folder=data.absolute() / "archive",
        endpoint_url=archive.endpoint_url,
        region=archive.region,
        access_key_id=archive.access_key_id,
        secret_access_key=archive.secret_access_key,
    )


@contextmanager
def backups_in_words() -> Iterator[None]:
    """Raises CannotDo for what can go wrong with a backup or a restore."""
    try:
        yield
    except BackupFailed as error:
        raise CannotDo(str(error), WRONG) from error
    except NoSuchBackup as error:
        raise CannotDo(f"{error} (see tapgrid backup --list)", REFUSED) from error
    except BackupBusy as error:
        raise CannotDo(f"{error}: try again later", NO_FOLDER) from error
    except CannotSwap as error:
        raise CannotDo(f"{error}: restore into a new data folder", NO_FOLDER) from error
    except (ObjectStoreFailed, ObjectMissing) as error:
        raise CannotDo(str(error), UNREACHABLE) from error
