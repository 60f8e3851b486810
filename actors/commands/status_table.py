"""`/ops/status` as a table for people. Pure: JSON in, lines out.

Fields that are missing are left blank and new ones of the summary show up by themselves: the tool
may be older or newer than the venue it looks at.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

HEADINGS: Final = (
    *("actor", "state", "up", "restarts", "waiting", "peak", "handled", "p50 / p99 ms"),
    "last failure",
)
RIGHT: Final = frozenset({"up", "restarts", "waiting", "peak", "handled", "p50 / p99 ms"})
HEALTHY: Final = frozenset({"running", "ignored"})
FAILURE_CHARS_MAX: Final = 60


def everything_runs(status: Mapping[str, Any]) -> bool:
    """Does every actor do what it should?"""
    actors = status.get("actors") or []
    return bool(actors) and all(actor.get("state") in HEALTHY for actor in actors)


def render(status: Mapping[str, Any]) -> list[str]:
    """The summary, one line a topic, then one line an actor."""
    summary = [f"{key}: {_plain(value)}" for key, value in status.items() if key != "actors"]
    return [*summary, "", *table([_row(actor) for actor in status.get("actors") or []])]


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows under their headings, in columns as wide as they must be."""
    everything = [HEADINGS, *rows]
    widths = [max(len(row[index]) for row in everything) for index in range(len(HEADINGS))]
    return ["  ".join(map(_cell, row, HEADINGS, widths)).rstrip() for row in everything]


def _cell(text: str, heading: str, width: int) -> str:
    return text.rjust(width) if heading in RIGHT else text.ljust(width)


def _row(actor: Mapping[str, Any]) -> tuple[str, ...]:
    path = str(actor.get("path", "?"))
    indent = "  " * path.count("/")
    return (
        indent + path.rpartition("/")[2],
        str(actor.get("state", "?")),
        duration(actor.get("uptime_s")),
        str(actor.get("restarts", "")),
        *_mailbox(actor.get("mailbox") or {}),
        _failure(actor.get("last_failure") or {}),
    )


def _mailbox(mailbox: Mapping[str, Any]) -> tuple[str, str, str, str]:
    if not mailbox:
        return "", "", "", ""
    handling = [mailbox.get("handling_p50_ms"), mailbox.get("handling_p99_ms")]
    times = " / ".join("?" if value is None else f"{value:.1f}" for value in handling)
    waiting = f"{mailbox.get('depth', '?')}/{mailbox.get('capacity', '?')}"
    return waiting, str(mailbox.get("peak", "?")), str(mailbox.get("handled", "?")), times


def _failure(failure: Mapping[str, Any]) -> str:
    if not failure:
        return ""
    ago = duration(failure.get("ago_s"))
    text = f"{ago} ago {failure.get('type', '?')}: {failure.get('message', '')}"
    return _printable(text)[:FAILURE_CHARS_MAX]


def duration(seconds: object) -> str:
    """`45s`, `12m05s`, `3h04m`, `2d03h`; blank for none."""
    if not isinstance(seconds, int | float):
        return ""
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    if days:
        return f"{days}d{hour:02}h"
    if hours:
        return f"{hours}h{minute:02}m"
    return f"{minutes}m{second:02}s" if minutes else f"{second}s"


def _plain(value: object) -> str:
    """A value of the summary in one line."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_plain(entry)}" for key, entry in value.items())
    if isinstance(value, list):
        return "; ".join(map(_plain, value)) or "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}" if abs(value) < 10**12 else str(value)
    return "-" if value is None or value == "" else _printable(str(value))


def _printable(text: str) -> str:
    """Without control characters: a message must not steer the terminal."""
    return "".join(char if char.isprintable() else " " for char in text)
