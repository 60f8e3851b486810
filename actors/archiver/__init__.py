"""The Archiver: begins the weeks, brings those that are over into the archive, and archived ones
back for reading."""

from actors.archiver.actor import (
    LOG_EVERY_S,
    LOOK_EVERY_S,
    ROTATE_WITHIN_S,
    ROUND_EVERY_S,
    SHOW_EVERY_S,
    WAIT_S,
    ArchiveAsk,
    ArchiverPorts,
    MoneyAsk,
    run,
)
from actors.archiver.restores import RESTORES_WAITING_MAX, RestoreAsk, RestorePorts

__all__ = [
    "LOG_EVERY_S",
    "LOOK_EVERY_S",
    "RESTORES_WAITING_MAX",
    "ROTATE_WITHIN_S",
    "ROUND_EVERY_S",
    "SHOW_EVERY_S",
    "WAIT_S",
    "ArchiveAsk",
    "ArchiverPorts",
    "MoneyAsk",
    "RestoreAsk",
    "RestorePorts",
    "run",
]
