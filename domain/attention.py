"""Which figures of a venue need somebody's eye: the one place that says so.

Pure: plain values in, findings out. `/ops/status` answers them as `attention`; the operators' page
and `tapgrid status` colour by them and know no thresholds of their own, and the alerts of
deploy/prometheus-rules.yml have the same numbers (a test compares them).

*Act*: traders or their money are concerned, now or soon, and it does not end by itself. *Look*: it
may come to that, or somebody has done something on purpose that must not be forgotten.
"""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Final

import attrs

from domain.disk import DiskLevel, DiskThresholds, DiskUse
from domain.feed_health import FeedLevel
from domain.limits import (
    FEED_CRITICAL_AFTER_MS,
    FEED_SKEW_MAX_MS,
    FEED_STEADY_MS,
    QUOTE_LIVE_MS,
    VOID_UNJUDGED_AFTER_MS,
)
from domain.units import EpochMs, Micros

HOUR_S: Final = 3_600
DAY_S: Final = 24 * HOUR_S

EXPOSURE_LOOK_PERCENT: Final = 80
EXPOSURE_ACT_PERCENT: Final = 95
"""Of the bankroll. At 100 % bets are refused, and a deposit from outside takes its time."""
MAILBOX_LOOK_PERCENT: Final = 50
MAILBOX_ACT_PERCENT: Final = 90
CONNECTIONS_LOOK_PERCENT: Final = 80
CONNECTIONS_ACT_PERCENT: Final = 95
COLUMN_LOOK_MS: Final = VOID_UNJUDGED_AFTER_MS // 2
"""The longest delay of a settlement that can be set; a column that waits longer waits for more."""
ARCHIVE_AGE_MAX_S: Final = 8 * DAY_S
"""A week and a day: weeks reach the archive within hours of their end."""
BACKUP_AGE_MAX_S: Final = 3 * HOUR_S
CHECK_AGE_MAX_S: Final = 2 * DAY_S
FAILED_LATELY_S: Final = 15 * 60
"""So long after an actor has failed and begun anew its row says so: who is woken takes minutes to
reach a screen."""
CLOCK_AHEAD_MAX_MS: Final = FEED_SKEW_MAX_MS
_TEXT_CHARS_MAX: Final = 160


class Urgency(StrEnum):
    """How much a finding wants."""

    LOOK = "look"
    ACT = "act"


@attrs.frozen
class Finding:
    """One figure that needs somebody's eye."""

    where: str
    """The field of the status: `feed.level`; of an actor `actors.venue/batcher`, of one of its
    channels `actors.venue/batcher.money`."""
    level: Urgency
    text: str
    runbook: str = ""
    """Which one of docs/operating.md, if there is one."""


@attrs.frozen(kw_only=True)
class Thresholds:
    """Where figures begin to want somebody's eye; the rest of them are constants of this module."""

    disk: DiskThresholds = attrs.field(factory=DiskThresholds)
    archive_age_max_s: int = ARCHIVE_AGE_MAX_S
    backup_age_max_s: int = BACKUP_AGE_MAX_S
    check_age_max_s: int = CHECK_AGE_MAX_S

    @classmethod
    def of(cls, *, disk: DiskThresholds, backup_every_s: int, check_every_s: int) -> "Thresholds":
        """Those of a venue that takes a backup and adds its money up so often."""
        return cls(
            disk=disk,
            backup_age_max_s=max(BACKUP_AGE_MAX_S, 3 * backup_every_s),
            check_age_max_s=max(CHECK_AGE_MAX_S, 2 * check_every_s),
        )


def by_urgency(findings: Iterable[Finding]) -> list[Finding]:
    """Those that want an act first; else in their order."""
    return sorted(findings, key=lambda finding: finding.level is Urgency.LOOK)


# --- betting ------------------------------------------------------------------------------------


def of_feed(
    *, level: FeedLevel, age_ms: int | None, skew_ms: int, held_closed: bool
) -> Iterator[Finding]:
    """Feed and clocks; `held_closed`: does an operator let bets through whatever the feed is?"""
    if level is FeedLevel.CRITICAL:
        rest = "" if held_closed else "; betting is refused"
        text = f"{_why_critical(age_ms, skew_ms)}{rest}"
        yield Finding("feed.level", Urgency.ACT, text, "stuck breaker")
    elif level is FeedLevel.DEGRADED:
        text = f"The newest price is {_age(age_ms)} old; at {_s(FEED_CRITICAL_AFTER_MS)} betting is"
        yield Finding("feed.level", Urgency.LOOK, f"{text} refused", "stuck breaker")
    if level is not FeedLevel.CRITICAL and abs(skew_ms) * 2 > FEED_SKEW_MAX_MS:
        text = f"The clocks of venue and exchange are {_s(abs(skew_ms))} apart; above"
        text += f" {_s(FEED_SKEW_MAX_MS)} betting is refused"
        yield Finding("feed.skew_ms", Urgency.LOOK, text, "stuck breaker")


def _why_critical(age_ms: int | None, skew_ms: int) -> str:
    if age_ms is None:
        return "No price has come since the start"
    if age_ms >= FEED_CRITICAL_AFTER_MS:
        return f"No price for {_age(age_ms)}"
    if abs(skew_ms) > FEED_SKEW_MAX_MS:
        return f"The clocks of venue and exchange are {_s(abs(skew_ms))} apart"
    return f"Prices come again, and count after {_s(FEED_STEADY_MS)} without a gap"


def of_source(name: str, *, connected: bool, active: bool, last_error: str) -> Iterator[Finding]:
    """One source of prices."""
    if not connected:
        role = "The source in use" if active else "A fallback"
        text = f"{role}, {name}, is not connected{_because(last_error)}"
        yield Finding(f"sources.{name}", Urgency.LOOK, text, "stuck breaker")


def of_quote(*, age_ms: int | None, wanted: bool) -> Iterator[Finding]:
    """The newest quote; `wanted`: do feed and overrides let there be one?"""
    if not wanted:
        return
    if age_ms is None:
        text = "There is no quote, so nothing can be tapped; after a change of source it takes 10 s"
        yield Finding("quote", Urgency.LOOK, text, "an actor that hangs")
    elif age_ms > QUOTE_LIVE_MS:
        text = f"The newest quote is {_s(age_ms)} old, so nothing can be tapped"
        yield Finding("quote", Urgency.ACT, text, "an actor that hangs")


def of_override(override: str, *, by: str, why: str, level: FeedLevel) -> Iterator[Finding]:
    """An operator's word over the breaker: `auto`, `open` or `close`."""
    whose = f"by {_short(by) or 'somebody'}{_because(why)}"
    if override == "open":
        text = f"The breaker is held open {whose}; bets are refused until it is set to auto"
        yield Finding("breaker.override", Urgency.LOOK, text, "stuck breaker")
    elif override == "close" and level is FeedLevel.CRITICAL:
        text = f"Bets are taken on a critical feed: the breaker is held closed {whose}"
        yield Finding("breaker.override", Urgency.ACT, text, "stuck breaker")
    elif override == "close":
        text = f"The breaker is held closed {whose}; it will not open by itself"
        yield Finding("breaker.override", Urgency.LOOK, text, "stuck breaker")


def of_hold(*, held: bool, by: str, why: str) -> Iterator[Finding]:
    """The operators' hold."""
    if held:
        text = f"Betting is on hold by {_short(by) or 'somebody'}{_because(why)}; until it is"
        yield Finding("hold.held", Urgency.LOOK, f"{text} released")


def of_drain(*, draining: bool) -> Iterator[Finding]:
    """A stop that has begun."""
    if draining:
        yield Finding("draining", Urgency.LOOK, "The venue is stopping; bets are refused")


# --- money --------------------------------------------------------------------------------------


def of_house(*, balance_micros: Micros, open_payout_micros: Micros) -> Iterator[Finding]:
    """What may have to be paid, against the bankroll."""
    percent = exposure_percent(balance_micros=balance_micros, open_payout_micros=open_payout_micros)
    if percent is None:
        text = "The bankroll is empty: no bet can be taken"
        yield Finding("house.balance_micros", Urgency.ACT, text, "fund")
    elif percent >= EXPOSURE_LOOK_PERCENT:
        level = Urgency.ACT if percent >= EXPOSURE_ACT_PERCENT else Urgency.LOOK
        text = f"{percent} % of the bankroll is at stake; at 100 % bets are refused"
        yield Finding("house.open_payout_micros", level, text, "fund")


def exposure_percent(*, balance_micros: Micros, open_payout_micros: Micros) -> int | None:
    """The share of the bankroll that is at stake, rounded down; None without a bankroll."""
    return open_payout_micros * 100 // balance_micros if balance_micros > 0 else None


def of_ledger(*, readable: bool) -> Iterator[Finding]:
    """Can the ledger be read?"""
    if not readable:
        text = "The ledger can't be read; the log has why (ledger_unreadable)"
        yield Finding("house", Urgency.ACT, text, "the ledger can't be read")


def of_store(*, up: bool) -> Iterator[Finding]:
    """The key-value store."""
    if not up:
        text = "The store does not answer: bets and sign-ins are refused"
        yield Finding("store.up", Urgency.ACT, text, "the store is down or full")


def of_writer(*, high_ms: EpochMs, rotation_failure: str, now_ms: EpochMs) -> Iterator[Finding]:
    """The writer of the ledger."""
    if high_ms - now_ms > CLOCK_AHEAD_MAX_MS:
        text = f"The clock is {_s(high_ms - now_ms)} behind what the ledger has seen; until it has"
        text += " caught up nothing can be tapped"
        yield Finding("writer.high_ms", Urgency.ACT, text, "the machine's clock was ahead")
    if rotation_failure:
        text = f"The week is over, and its file can't be closed{_because(rotation_failure)}"
        yield Finding("writer.rotation_failure", Urgency.ACT, text, "the disk fills up")


def of_resolver(*, oldest_open_end_ms: EpochMs | None, now_ms: EpochMs) -> Iterator[Finding]:
    """Columns that are over and not settled."""
    waits_ms = now_ms - oldest_open_end_ms if oldest_open_end_ms is not None else 0
    if waits_ms > COLUMN_LOOK_MS:
        level = Urgency.ACT if waits_ms > VOID_UNJUDGED_AFTER_MS else Urgency.LOOK
        text = f"A column that ended {_s(waits_ms)} ago is not settled"
        yield Finding("resolver.oldest_open_end_ms", level, text, "an actor that hangs")


def of_audit(
    *, age_s: int | None, drifts: int, first_drift: str, failures: int, limits: Thresholds
) -> Iterator[Finding]:
    """Whether the money adds up."""
    if drifts:
        ways = f"in {drifts} ways" if drifts > 1 else "in one way"
        text = f"The money does not add up {ways}: {_short(first_drift)}"
        yield Finding("audit.drifts", Urgency.ACT, text, "drift found")
    if age_s is not None and age_s > limits.check_age_max_s:
        text = f"The money was last added up {_s(age_s * 1000)} ago"
        yield Finding("audit.age_s", Urgency.LOOK, text, "drift found")
    elif age_s is None and failures:
        text = "The money could not be added up since the start; the log has why"
        yield Finding("audit.failures", Urgency.LOOK, text, "drift found")


# --- storage ------------------------------------------------------------------------------------


def of_archive(
    *, age_s: int | None, waiting: int, failure: str, limits: Thresholds
) -> Iterator[Finding]:
    """The archive; `failure`: the last one, if nothing was archived since."""
    if age_s is not None and age_s > limits.archive_age_max_s:
        text = f"No week has reached the archive for {_s(age_s * 1000)}"
        yield Finding("archive.age_s", Urgency.ACT, text, "the archive fails")
    if waiting and failure:
        weeks = "A week does" if waiting == 1 else f"{waiting} weeks do"
        text = f"{weeks} not get into the archive{_because(failure)}"
        yield Finding("archive.waiting", Urgency.LOOK, text, "the archive fails")


def of_restores(*, waiting: int, failure: str, failed_ago_s: int | None) -> Iterator[Finding]:
    """Weeks that come back; a failure is told for a while, since nothing is tried again."""
    if failure and failed_ago_s is not None and failed_ago_s <= FAILED_LATELY_S:
        rest = f"; {waiting} more wait" if waiting else ""
        text = f"A week could not be brought back{_because(failure)}{rest}"
        yield Finding("archive.restores", Urgency.LOOK, text, "the archive fails")


def of_backups(*, age_s: int | None, failure: str, limits: Thresholds) -> Iterator[Finding]:
    """The backups; `failure`: the last one, if none was taken since."""
    if age_s is None and failure:
        text = f"There is no backup{_because(failure)}"
        yield Finding("backups.age_s", Urgency.ACT, text, "the archive fails")
    elif age_s is not None and age_s > limits.backup_age_max_s:
        text = f"The newest verified backup is {_s(age_s * 1000)} old{_because(failure)}"
        yield Finding("backups.age_s", Urgency.ACT, text, "the archive fails")
    elif failure:
        text = f"The last backup failed{_because(failure)}; it is tried again"
        yield Finding("backups.last_failure", Urgency.LOOK, text, "the archive fails")


def of_disk(*, level: DiskLevel, use: DiskUse | None, limits: Thresholds) -> Iterator[Finding]:
    """How full the disk is."""
    if level is DiskLevel.NORMAL:
        return
    percent = f"{use.used_bytes * 100 // use.total_bytes} %" if use and use.total_bytes else "?"
    what = {
        DiskLevel.WARNING: f"bets are refused at {limits.disk.full_percent} %",
        DiskLevel.FULL: "new bets are refused",
        DiskLevel.EMERGENCY: "new bets are refused, and the oldest archived weeks are deleted here",
    }[level]
    urgency = Urgency.ACT if level.refuses_bets else Urgency.LOOK
    yield Finding("disk.level", urgency, f"The disk is {percent} full: {what}", "the disk fills up")


# --- what runs ----------------------------------------------------------------------------------


def of_door(*, connections: int, connections_max: int) -> Iterator[Finding]:
    """Who is at the door."""
    percent = connections * 100 // connections_max
    if percent >= CONNECTIONS_LOOK_PERCENT:
        level = Urgency.ACT if percent >= CONNECTIONS_ACT_PERCENT else Urgency.LOOK
        text = f"{connections} of {connections_max} connections are taken; more are turned away"
        yield Finding("gateway.connections", level, text)


def of_actor(
    path: str,
    state: str,
    *,
    failure: str,
    failed_ago_s: float | None,
    retry_in_s: float | None,
    draining: bool,
) -> Iterator[Finding]:
    """An actor or supervisor: one that is down, or was a short while ago."""
    where, name = f"actors.{path}", path.rpartition("/")[2]
    if state == "restarting":
        again = f", is tried again in {retry_in_s:.0f} s" if retry_in_s is not None else ""
        text = f"{name} is down{again}{_because(failure)}"
        yield Finding(where, Urgency.ACT, text, "an actor that keeps restarting")
    elif state == "stuck":
        text = f"{name} does not end and is in its own way; only a stop of the venue helps"
        yield Finding(where, Urgency.ACT, text, "an actor that hangs")
    elif state == "stopped" and not draining:
        text = f"{name} is stopped and stays so until it is restarted{_because(failure)}"
        yield Finding(where, Urgency.ACT, text, "an actor that hangs")
    elif state == "starting" and failure:
        text = f"{name} is starting again{_because(failure)}"
        yield Finding(where, Urgency.LOOK, text, "an actor that keeps restarting")
    elif failure and failed_ago_s is not None and failed_ago_s <= FAILED_LATELY_S:
        text = f"{name} failed {_s(failed_ago_s * 1000)} ago and runs again{_because(failure)}"
        yield Finding(where, Urgency.LOOK, text, "an actor that keeps restarting")


def of_supervisor(
    path: str, *, restarts_in_window: int, restarts_max: int, period_s: float
) -> Iterator[Finding]:
    """A supervisor that will soon have had enough."""
    if restarts_in_window and restarts_in_window >= restarts_max - 1:
        name = path.rpartition("/")[2]
        text = f"{restarts_in_window} restarts below {name} within {period_s:.0f} s; with more than"
        text += f" {restarts_max} it gives up"
        yield Finding(f"actors.{path}", Urgency.ACT, text, "an actor that keeps restarting")


def of_channel(path: str, channel: str, *, depth: int, capacity: int) -> Iterator[Finding]:
    """A mailbox that fills up."""
    percent = depth * 100 // capacity if capacity > 1 else 0
    if percent >= MAILBOX_LOOK_PERCENT:
        level = Urgency.ACT if percent >= MAILBOX_ACT_PERCENT else Urgency.LOOK
        text = f"{depth:,} of {capacity:,} wait for {path.rpartition('/')[2]} in {channel}"
        yield Finding(f"actors.{path}.{channel}", level, text, "an actor that hangs")


# --- words --------------------------------------------------------------------------------------


def _because(why: str) -> str:
    return f": {_short(why)}" if why else ""


def _short(text: str) -> str:
    """In one line, and no longer than one looks at."""
    line = " ".join(text.split())
    return line if len(line) <= _TEXT_CHARS_MAX else f"{line[: _TEXT_CHARS_MAX - 1]}…"


def _age(age_ms: int | None) -> str:
    return "unknown" if age_ms is None else _s(age_ms)


def _s(ms: float) -> str:
    """`2.4 s`, `45 s`, `12 min`, `5 h`, `9 days`."""
    seconds = ms / 1000
    for limit, unit_s, unit in ((120, 1, "s"), (7_200, 60, "min"), (2 * DAY_S, 3_600, "h")):
        if seconds < limit:
            shown = seconds / unit_s
            whole = shown == int(shown) or shown >= 10
            return f"{shown:.0f} {unit}" if whole else f"{shown:.1f} {unit}"
    return f"{seconds / DAY_S:.0f} days"
