"""Where log lines go and what they look like. Called once, by the composition root.

An actor writes `log.info("column_settled", column=..., bets=...)`: an event's name and plain
fields, enough to rebuild a dispute. A line is one JSON object, or readable text on a terminal.

Secrets never reach a line, whoever wrote it: fields that bear such a name are masked; so are,
anywhere in the finished line, the venue's own secrets and what looks like a signature, a bearer
token or the password of a URL. A traceback shows code and the exception's message, never values of
variables.
"""

import json
import logging
import re
from collections.abc import Callable, Collection, Mapping, MutableMapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TextIO

import structlog

from protocols.ports import Clock

MASK: Final = "********"
SECRET_FIELDS: Final = frozenset(
    {
        "authorization",
        "cookie",
        "password",
        "private_key",
        "secret",
        "secret_access_key",
        "signature",
        "token",
        "tokens",
    }
)
SECRET_LENGTH_MIN: Final = 4
"""A shorter password is masked only in URLs: it would be found in every second word."""
SECRET_SHAPES: Final = (
    (re.compile(r"\b0x[0-9a-fA-F]{128,}"), f"0x{MASK}"),  # r,s,v or r,s; a key or a hash has 64
    (re.compile(r"\b(bearer)(\s+)[^\s\"',]+", re.IGNORECASE), rf"\1\2{MASK}"),
    (re.compile(r"://[^/\s@\"']*@"), f"://{MASK}@"),
)
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

Event = MutableMapping[str, Any]


def configure(
    *, form: str, level: str, clock: Clock, stream: TextIO, secrets: Collection[str] = ()
) -> None:
    """Send every line of the venue and of its libraries to `stream`.

    `form` is `json`, `text`, or `auto`: text if `stream` is a terminal. `level` is the least that
    is written; of the libraries only warnings and worse. `secrets` are masked wherever they stand.
    """
    on_terminal = stream.isatty()
    as_text = form == "text" or (form == "auto" and on_terminal)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            _name_the_actor,
            _stamp(clock),
            _mask_secrets,
            structlog.processors.format_exc_info,
            *_rendering(as_text=as_text, colors=on_terminal),
            _scrub(secrets),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=lambda *names: _Named(stream, names[0] if names else ""),
        cache_logger_on_first_use=False,  # a module's logger must follow a later configuration
    )
    root = logging.getLogger()
    root.handlers = [_Forward()]
    root.setLevel(max(_LEVELS[level], logging.WARNING))


_LEVELS: Final[Mapping[str, int]] = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


class _Named(structlog.WriteLogger):
    """Writes lines to a stream, and knows the name it was got by."""

    def __init__(self, stream: TextIO, name: str) -> None:
        super().__init__(stream)
        self.name = name

    def msg(self, message: str) -> None:
        """Write a line. One that can't be written, because the disk is full or whoever read them
        has gone, is lost: no actor may die of it."""
        with suppress(OSError):
            super().msg(message)

    log = debug = info = warn = warning = msg
    fatal = failure = err = error = critical = exception = msg


class _Forward(logging.Handler):
    """Hands the lines of libraries over, so that they come out in the same form."""

    def emit(self, record: logging.LogRecord) -> None:
        log = structlog.get_logger(record.name)
        log.log(record.levelno, record.getMessage(), exc_info=record.exc_info)


def _name_the_actor(logger: Any, _method: str, event: Event) -> Event:
    if name := getattr(logger, "name", ""):
        event.setdefault("actor", name)
    return event


def _stamp(clock: Clock) -> Callable[[Any, str, Event], Event]:
    """RFC 3339 in UTC with milliseconds, by the venue's clock."""

    def stamp(_logger: Any, _method: str, event: Event) -> Event:
        when = EPOCH + timedelta(milliseconds=clock.now_ms())
        event["timestamp"] = when.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return event

    return stamp


def _mask_secrets(_logger: Any, _method: str, event: Event) -> Event:
    return {name: _masked(name, value) for name, value in event.items()}


def _masked(name: object, value: object) -> object:
    """A field as it may be seen, with what is in it."""
    if isinstance(name, str) and name.lower() in SECRET_FIELDS:
        return MASK
    if isinstance(value, Mapping):
        return {inner: _masked(inner, held) for inner, held in value.items()}
    return value


def _scrub(secrets: Collection[str]) -> Callable[[Any, str, Any], str]:
    """The last look at a finished line: no secret, also not in the spelling of JSON."""
    long_enough = {secret for secret in secrets if len(secret) >= SECRET_LENGTH_MIN}
    spellings = long_enough | {json.dumps(secret)[1:-1] for secret in long_enough}

    def scrub(_logger: Any, _method: str, rendered: Any) -> str:
        line = str(rendered)
        for spelling in spellings:
            line = line.replace(spelling, MASK)
        for shape, mask in SECRET_SHAPES:
            line = shape.sub(mask, line)
        return line

    return scrub


def _rendering(*, as_text: bool, colors: bool) -> list[Any]:
    if as_text:
        plain = structlog.dev.plain_traceback  # the prettier ones show values of variables
        return [structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=plain)]
    order = ["timestamp", "level", "actor", "event"]
    return [
        lambda _logger, _method, event: {
            **{key: event[key] for key in order if key in event},
            **event,
        },
        structlog.processors.JSONRenderer(default=repr, ensure_ascii=False),
    ]
