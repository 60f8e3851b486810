"""`/ops/status` in a terminal of 100 columns, with the same sections as the operators' page. Pure:
JSON in, lines out.

Fields that are missing are left out and new ones show up by themselves: the tool may be older or
newer than the venue it looks at. What needs somebody's eye is the venue's word (`attention`): it
comes first, and marks its line with `!!` (act) or `!` (look), in colour where there is any.
"""

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from actors.commands.status_fields import UNKNOWN, Fields, duration, plain
from actors.commands.status_sections import sections
from actors.commands.terminal import printable

WIDTH: Final = 100
HEADINGS: Final = (
    *("actor", "state", "up", "restarts"),
    *("mailbox", "waiting", "peak", "p50 / p99 ms"),
)
RIGHT: Final = frozenset({"up", "restarts", "waiting", "peak", "p50 / p99 ms"})
HEALTHY: Final = frozenset({"running", "ignored"})
MARKS: Final = {"act": "!!", "look": "! "}
COLOURS: Final = {"act": "\x1b[1;33m", "look": "\x1b[33m"}
PLAIN: Final = "\x1b[0m"
_GUTTER: Final = 3
_LABEL: Final = 10
_YEAR_10000_MS: Final = 253_402_300_800_000


def everything_runs(status: Mapping[str, Any]) -> bool:
    """Does every actor do what it should?"""
    actors = list(Fields.of(status).rows("actors"))
    return bool(actors) and all(actor.values.get("state") in HEALTHY for actor in actors)


def render(
    status: Mapping[str, Any], *, before: Mapping[str, Any] | None = None, colour: bool = False
) -> list[str]:
    """What needs an eye, the figures, then a line an actor. `before`: the status drawn last, for
    what is counted by the second."""
    now, last = Fields.of(status), Fields.of(before) if before is not None else None
    wanted = dict(_wanted(now))
    lines = [("", _head(now)), ("", ""), *_attention(now)]
    for section in sections(now):
        level = _level_of(wanted, section.of)
        lines += [(level, line) for line in _line(level, section.label, section.read(now, last))]
    lines += [("", ""), *_tree(list(now.rows("actors")), wanted)]
    return [
        _coloured(printable(line)[:WIDTH].rstrip(), level if colour else "")
        for level, line in lines
    ]


def _coloured(line: str, level: str) -> str:
    return f"{COLOURS[level]}{line}{PLAIN}" if level in COLOURS else line


def _head(status: Fields) -> str:
    demo = status.values.get("demo")
    parts = [
        f"tapgrid {status.text('version')}" if "version" in status else "tapgrid",
        status.text("venue") + (", stopping" if status.flag("draining") else ""),
        "" if demo is None else "demo, paper money" if demo else "production, real money",
        _utc(status.number("server_time_ms")),
        f"as {status.text('operator')}" if "operator" in status else "",
    ]
    return "  ".join(part for part in parts if part)


def _utc(at_ms: float | None) -> str:
    if at_ms is None or not 0 <= at_ms < _YEAR_10000_MS:
        return ""
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"


# --- what needs somebody's eye ------------------------------------------------------------------


def _wanted(status: Fields) -> Iterator[tuple[str, str]]:
    """Level by field, the least urgent first, so that the most urgent of one field is kept."""
    for finding in reversed(list(status.rows("attention"))):
        yield finding.text("where"), finding.text("level")


def _level_of(wanted: Mapping[str, str], where: str) -> str:
    """What a field wants: itself, or the most urgent one within it."""
    levels = {
        level for name, level in wanted.items() if name == where or name.startswith(f"{where}.")
    }
    return next((level for level in MARKS if level in levels), "")


def _attention(status: Fields) -> Iterator[tuple[str, str]]:
    if "attention" not in status:
        return
    findings = list(status.rows("attention"))
    if not findings:
        yield "", "Nothing needs your eye."
    for finding in findings:
        level, runbook = finding.text("level"), finding.values.get("runbook")
        text = finding.text("text") + (f" (runbook: {plain(runbook)})" if runbook else "")
        for line in _line(level, level.upper(), text):
            yield level, line
    yield "", ""


def _line(level: str, label: str, text: str) -> Iterator[str]:
    """A marked and labelled text, in as many lines as it takes."""
    indent = " " * (_GUTTER + _LABEL)
    head = f"{MARKS.get(level, ''):<{_GUTTER}}{label:<{_LABEL}}"
    wrapped = textwrap.wrap(text, WIDTH - len(indent)) or [""]
    yield head + wrapped[0]
    yield from (indent + line for line in wrapped[1:])


# --- the tree -----------------------------------------------------------------------------------


def _tree(actors: Sequence[Fields], wanted: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """A line an actor, one for each further channel, and one for what is wrong with it."""
    rows = [(actor, row) for actor in actors for row in _rows(actor)]
    texts = [HEADINGS, *(row for _, row in rows)]
    widths = [max(len(row[index]) for row in texts) for index in range(len(HEADINGS))]
    for (actor, row), line in zip([(None, HEADINGS), *rows], _aligned(texts, widths), strict=True):
        level = _level_of(wanted, f"actors.{actor.text('path')}") if actor is not None else ""
        mark = f"{MARKS.get(level, ''):<{_GUTTER}}"
        yield level, mark + line
        if actor is not None and row[1]:
            yield from ((level, f"{mark}    {trouble}") for trouble in _troubles(actor))


def _aligned(rows: Iterable[Sequence[str]], widths: Sequence[int]) -> Iterator[str]:
    for row in rows:
        yield "  ".join(map(_cell, row, HEADINGS, widths)).rstrip()


def _cell(text: str, heading: str, width: int) -> str:
    return text.rjust(width) if heading in RIGHT else text.ljust(width)


def _rows(actor: Fields) -> Iterator[tuple[str, ...]]:
    path = actor.text("path")
    name = "  " * path.count("/") + path.rpartition("/")[2]
    channels = list(actor.rows("channels"))
    if not channels and actor.values.get("mailbox"):
        channels = [actor.within("mailbox")]
    first = _mailbox(channels[0]) if channels else ("", "", "", "")
    state = (name, actor.text("state"), duration(actor.number("uptime_s")), _restarts(actor))
    yield (*state, *first)
    yield from (("", "", "", "", *_mailbox(channel)) for channel in channels[1:])


def _restarts(actor: Fields) -> str:
    """Of a supervisor, those below it that count, and how many it allows."""
    if "restarts_max" in actor:
        return f"{actor.whole('restarts_in_window')} of {actor.text('restarts_max')}"
    return actor.text("restarts") if "restarts" in actor else ""


def _mailbox(channel: Fields) -> tuple[str, str, str, str]:
    handling = [channel.number("handling_p50_ms"), channel.number("handling_p99_ms")]
    times = " / ".join(UNKNOWN if value is None else f"{value:.1f}" for value in handling)
    waiting = f"{channel.text('depth')}/{channel.text('capacity')}"
    name = channel.text("name").rpartition("/")[2]
    return name, waiting, channel.text("peak"), times if channel.values.get("handled") else ""


def _troubles(actor: Fields) -> Iterator[str]:
    """What does not fit the row: the last failure, the next attempt, messages that were lost."""
    failure, retry_s = actor.within("last_failure"), actor.number("retry_in_s")
    again = f"tried again in {duration(retry_s)}; " if retry_s is not None else ""
    if failure.values:
        what = f"{failure.text('type')}: {failure.text('message')}"
        yield f"{again}failed {duration(failure.number('ago_s'))} ago: {what}"
    elif again:
        yield again.removesuffix("; ")
    for channel in actor.rows("channels"):
        lost = {name: channel.whole(name) for name in ("refused", "dropped")}
        told = ", ".join(f"{count:,} {name}" for name, count in lost.items() if count)
        if told:
            yield f"{told} by {channel.text('name')}"
