"""The figures of `/ops/status` as lines of text: what the operators' page shows on its cards.

Pure. One entry a line: its label, the field of the status by which the venue says that it needs
somebody's eye, and how it reads. Nothing is judged here: that is `attention`'s.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

import attrs

from actors.commands.status_fields import (
    Fields,
    age,
    ago,
    bar,
    bytes_of,
    percent,
    plain,
    took,
    usd,
)

HEAD: Final = (
    *("venue", "version", "demo", "operator", "draining", "server_time_ms"),
    *("attention", "thresholds", "actors"),
)
"""What stands elsewhere."""


@attrs.frozen
class Section:
    """One line, or a few where it is long."""

    label: str
    of: str
    """The field of the status: without it there is no line."""
    read: Callable[[Fields, Fields | None], str]
    """The status, and the one before, if there is one."""


def sections(status: Fields) -> Iterator[Section]:
    """Those that this status has, then what this version does not know by name."""
    known = {section.of for section in SECTIONS}
    yield from (section for section in SECTIONS if section.of in status)
    for name in status.values:
        if name not in known and name not in HEAD:
            yield Section(name, name, partial(_as_it_is, name))


def _as_it_is(name: str, status: Fields, _: Fields | None) -> str:
    return plain(status.values[name])


def _feed(status: Fields, _: Fields | None) -> str:
    feed, now_ms = status.within("feed"), status.number("server_time_ms")
    since_ms, tick_age_ms = feed.number("since_ms"), feed.number("feed_age_ms")
    lasts = f" for {age(now_ms - since_ms)}" if now_ms and since_ms else ""
    newest = "no price yet" if tick_age_ms is None else f"newest price {age(tick_age_ms)} old"
    return f"{feed.text('level')}{lasts}, {newest}, clocks {feed.text('skew_ms')} ms apart"


def _sources(status: Fields, _: Fields | None) -> str:
    return "; ".join(map(_source, status.rows("sources"))) or "none"


def _source(source: Fields) -> str:
    connected = "connected" if source.flag("connected") else "not connected"
    role = "" if source.flag("active") else ", fallback"
    again = f", {source.whole('reconnects')} reconnects" if source.whole("reconnects") else ""
    why = f" ({source.text('last_error')})" if source.values.get("last_error") else ""
    return f"{source.text('name')} {connected}{role}{again}{why}"


def _quote(status: Fields, _: Fields | None) -> str:
    if status.values.get("quote") is None:
        return "none"
    quote = status.within("quote")
    price = quote.number("price_cents")
    shown = f", at {price / 100:,.2f}" if price is not None else ""
    return f"number {quote.whole('n'):,}, {age(quote.number('age_ms'))} old{shown}"


def _breaker(status: Fields, _: Fields | None) -> str:
    breaker = status.within("breaker")
    state = "open: bets are refused" if breaker.flag("open") else "closed"
    return f"{state}, override {breaker.text('override')}{_whose(breaker)}"


def _hold(status: Fields, _: Fields | None) -> str:
    hold = status.within("hold")
    return f"betting is on hold{_whose(hold)}" if hold.flag("held") else "none"


def _whose(of: Fields) -> str:
    by = f" by {of.text('by')}" if of.values.get("by") else ""
    return by + (f": {of.text('why')}" if of.values.get("why") else "")


def _house(status: Fields, _: Fields | None) -> str:
    if status.values.get("house") is None:
        return "the ledger can't be read"
    house, at = status.within("house"), status.within("thresholds")
    stake, bankroll = house.number("open_payout_micros") or 0, house.number("balance_micros") or 0
    marks = (at.number("exposure_look_percent"), at.number("exposure_act_percent"))
    shares = f"{bar(stake, bankroll, marks)} {percent(stake, bankroll)} at stake"
    return f"{shares}: {usd(stake)} of {usd(bankroll)} USD, {house.whole('open_bets'):,} open bets"


def _writer(status: Fields, before: Fields | None) -> str:
    writer = status.within("writer")
    batches = writer.whole("batches")
    in_batches = f"{batches:,} {'batch' if batches == 1 else 'batches'}"
    counts = f"{writer.whole('commands'):,} commands in {in_batches}"
    commit = f"last of {writer.text('last_batch')} in {took(writer.number('last_commit_ms'))}"
    failure = writer.values.get("rotation_failure")
    week = f"{writer.text('partition')}" + (
        f" (can't be closed: {plain(failure)})" if failure else ""
    )
    expired = f", {writer.whole('expired'):,} expired" if writer.whole("expired") else ""
    return f"{_per_s(status, before)}{counts}, {commit}{expired}, week {week}{_behind(status)}"


def _per_s(status: Fields, before: Fields | None) -> str:
    """How many commands a second since the status before."""
    if before is None:
        return ""
    spent_ms = status.whole("server_time_ms") - before.whole("server_time_ms")
    more = status.within("writer").whole("commands") - before.within("writer").whole("commands")
    return f"{more * 1000 / spent_ms:,.1f} commands a second, " if spent_ms > 0 <= more else ""


def _behind(status: Fields) -> str:
    ahead_ms = status.within("writer").whole("high_ms") - status.whole("server_time_ms")
    return f", the clock is {age(ahead_ms)} behind" if ahead_ms > 0 else ""


def _resolver(status: Fields, _: Fields | None) -> str:
    resolver, now_ms = status.within("resolver"), status.whole("server_time_ms")
    oldest_ms = resolver.number("oldest_open_end_ms")
    waiting = (
        "no column waits"
        if oldest_ms is None
        else f"{resolver.whole('open_columns')} columns wait, the oldest {age(now_ms - oldest_ms)}"
    )
    bets = ", ".join(f"{resolver.whole(f'bets_{end}'):,} {end}" for end in ("won", "lost", "void"))
    return f"{waiting}, {resolver.whole('columns_settled'):,} settled: {bets}"


def _audit(status: Fields, _: Fields | None) -> str:
    audit, most_s = status.within("audit"), status.within("thresholds").number("check_age_max_s")
    first = f" ({audit.text('first_drift')})" if audit.values.get("first_drift") else ""
    age_s = audit.number("age_s")
    checked = "none yet in this run" if age_s is None else ago(age_s, most_s=most_s)
    failures = f", {audit.whole('failures')} failed" if audit.whole("failures") else ""
    return (
        f"{audit.text('drifts')} drifts{first}, whole check {checked}{failures},"
        f" adds up to row {audit.whole('verified_rowid'):,}"
    )


def _backups(status: Fields, _: Fields | None) -> str:
    backups = status.within("backups")
    most_s = status.within("thresholds").number("backup_age_max_s")
    size = f"{bytes_of(backups.number('bytes'))} in {took(backups.number('took_ms'))}"
    newest = ago(backups.number("age_s"), most_s=most_s)
    return f"newest {newest}, {size}, {backups.text('taken')} taken{_failures(backups)}"


def _archive(status: Fields, _: Fields | None) -> str:
    archive = status.within("archive")
    most_s = status.within("thresholds").number("archive_age_max_s")
    weeks = ", ".join(f"{archive.text(name)} {name}" for name in ("waiting", "archived", "purged"))
    last = ago(archive.number("age_s"), most_s=most_s)
    lines = f"last success {last}, weeks: {weeks}{_work(archive)}{_failures(archive)}"
    restores = archive.within("restores")
    if not (restores.whole("waiting") or restores.whole("restored") or restores.whole("failures")):
        return lines
    counts = ", ".join(f"{restores.text(name)} {name}" for name in ("waiting", "restored"))
    return f"{lines}; brought back: {counts}{_work(restores)}{_failures(restores)}"


def _work(of: Fields) -> str:
    if not of.values.get("now"):
        return ""
    total = of.number("total_bytes") or 0
    done = f" {percent(of.number('done_bytes') or 0, total)}" if total else ""
    return f", now {of.text('now')}{done}"


def _failures(of: Fields) -> str:
    count, why = of.whole("failures"), of.values.get("last_failure")
    return f", {count} failed" + (f": {plain(why)}" if why else "") if count else ""


def _disk(status: Fields, _: Fields | None) -> str:
    disk, at = status.within("disk"), status.within("thresholds")
    total, free = disk.number("total_bytes"), disk.number("free_bytes")
    if total is None or free is None:
        return f"{disk.text('level')}, not looked at yet"
    marks = tuple(at.number(f"disk_{name}_percent") for name in ("warning", "full", "emergency"))
    use = f"{bar(total - free, total, marks)} {percent(total - free, total)} used"
    return f"{use}, {disk.text('level')}, {bytes_of(free)} free of {bytes_of(total)}"


def _store(status: Fields, _: Fields | None) -> str:
    return "answers" if status.within("store").flag("up") else "does not answer"


def _door(status: Fields, _: Fields | None) -> str:
    door = status.within("gateway")
    most = f" of {door.whole('connections_max'):,}" if "connections_max" in door else ""
    return f"{door.whole('connections'):,}{most} connections, {door.whole('sockets'):,} WebSockets"


SECTIONS: Final = (
    Section("feed", "feed", _feed),
    Section("sources", "sources", _sources),
    Section("quote", "quote", _quote),
    Section("breaker", "breaker", _breaker),
    Section("hold", "hold", _hold),
    Section("house", "house", _house),
    Section("writer", "writer", _writer),
    Section("resolver", "resolver", _resolver),
    Section("money", "audit", _audit),
    Section("backups", "backups", _backups),
    Section("archive", "archive", _archive),
    Section("disk", "disk", _disk),
    Section("store", "store", _store),
    Section("door", "gateway", _door),
)
