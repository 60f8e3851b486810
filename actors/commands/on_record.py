"""What a tool does to a venue that is stopped, on record in its audit log as operators' orders are.

Whoever writes holds the data folder's lock, as the running venue does.
"""

import os
import pwd
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Final

import attrs

from actors.commands.exits import NO_FOLDER, WRONG, CannotDo
from db.audit_log import FileAuditLog
from db.data_folder import DataFolder
from protocols.audit_log import DONE, Action, AuditLogUnwritable, Figure, Outcome
from supervisor.clock import SystemClock

FAILED: Final = "failed"
"""The outcome of an action that raised: what it said is with whoever typed it."""


@attrs.define
class OnRecord:
    """What the outcome is to say of what was done."""

    code: str = DONE
    figures: dict[str, Figure] = attrs.field(factory=dict)


@contextmanager
def on_record(
    folder: DataFolder,
    *,
    by: str,
    what: str,
    subject: str = "",
    why: str = "",
    figures: Mapping[str, Figure] | None = None,
) -> Iterator[OnRecord]:
    """Write the action, let it be done, and write what became of it.

    Raises CannotDo if the action can't be written, and then nothing was done; or if its outcome
    can't, and then it was.
    """
    log, clock, told = FileAuditLog(folder.audit_file), SystemClock(), OnRecord()
    action = Action(by=by, what=what, subject=subject, why=why, figures=figures or {})
    try:
        entry = log.write(action, at_ms=clock.now_ms())
    except AuditLogUnwritable as error:
        raise CannotDo(f"nothing was done: {error}", NO_FOLDER) from error
    try:
        yield told
    except BaseException:
        with suppress(AuditLogUnwritable):
            log.write(Outcome(of=entry.n, code=FAILED), at_ms=clock.now_ms())
        raise
    outcome = Outcome(of=entry.n, code=told.code, figures=told.figures)
    try:
        log.write(outcome, at_ms=clock.now_ms())
    except AuditLogUnwritable as error:
        raise CannotDo(f"it was done, but that is not on record: {error}", WRONG) from error


def typed_by(tool: str) -> str:
    """Who types this, as far as the machine knows."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = f"uid {os.getuid()}"
    return f"{tool}, {name}"
