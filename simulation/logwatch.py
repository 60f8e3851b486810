"""Listens to what the venue logs: an error that no fault explains is a defect.

Nothing is written: the lines are there to be judged. A line belongs to the process whose task
wrote it; what a dead one still says counts for nothing.
"""

import logging
import sys
import traceback
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any, NoReturn

import structlog

from simulation.explaining import is_error_explained
from simulation.process import PROCESS
from simulation.world import World

Line = MutableMapping[str, Any]


@contextmanager
def listening(world: World) -> Iterator[None]:
    """While inside, every line of level `error` is held against the faults."""
    was_configured, before = structlog.is_configured(), structlog.get_config()
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    structlog.configure(
        processors=[_Judge(world)],
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        logger_factory=lambda *_names: None,
        cache_logger_on_first_use=False,
    )
    root.handlers, root.level = [_Forward()], logging.ERROR
    try:
        yield
    finally:
        root.handlers, root.level = handlers, level
        if was_configured:
            structlog.configure(**before)
        else:
            structlog.reset_defaults()


class _Judge:
    """Looks at a line, and drops it."""

    def __init__(self, world: World) -> None:
        self._world = world

    def __call__(self, _logger: object, _method: str, line: Line) -> NoReturn:
        process, event = PROCESS.get(), str(line["event"])
        if process is not None and not process.is_dead:
            self._world.happened("error_logged", event)
            if not is_error_explained(self._world, event):
                self._world.violated("error_logged", _told(event, line))
        raise structlog.DropEvent


class _Forward(logging.Handler):
    """Hands the lines of libraries over."""

    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger()
        log.error("library", said=record.getMessage(), exc_info=record.exc_info)


def _told(event: str, line: Line) -> str:
    """The line in words, with the traceback of what was raised."""
    fields = {name: value for name, value in line.items() if name not in ("event", "exc_info")}
    raised = line.get("exc_info")
    error = raised[1] if isinstance(raised, tuple) else sys.exc_info()[1] if raised else None
    stack = traceback.format_exception(error) if isinstance(error, BaseException) else ()
    return "\n".join((f"{event} {fields}", *stack))
