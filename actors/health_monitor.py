"""The HealthMonitor: watches the price feed and works the circuit breaker.

`domain.feed_health` decides the level; this actor brings it ticks and time, publishes the level
and has each change recorded, which may take a while: a recorder that hangs stops the feed, and
betting must hear of that, too. An operator's override is a word over the breaker only: it never
touches the level, because settlement reads the level and a house must not be able to void what it
is losing.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import attrs
import structlog
import trio

from domain.feed_health import (
    FeedHealth,
    FeedLevel,
    RecordTail,
    Why,
    begin,
    next_look_ms,
    step,
)
from domain.refusals import Code, Refusal
from domain.ticks import Tick
from protocols.accounts import OperatorState
from protocols.market import FeedLevelChanged, FeedStatus, RecordEntry, SetOverride
from protocols.money import KeepOverride, MoneyCommand, MoneyOutcome, OverrideKept
from protocols.ports import Clock
from supervisor import (
    Ask,
    EndOfMailbox,
    Life,
    Mailbox,
    Refused,
    RefusedBecause,
    StatusUnknown,
    Subscription,
    Watch,
    ask,
)

log = structlog.get_logger("health_monitor")

OverrideAsk: TypeAlias = Ask[SetOverride, FeedStatus | Refusal]
MoneyAsk: TypeAlias = Ask[MoneyCommand, MoneyOutcome]

LOOK_EVERY_MS = 1_000
KEEP_WITHIN_S = 5.0
"""A batch is on disk in milliseconds; five seconds are a Batcher that is being restarted."""
REREAD_AFTER_S = 2.0
CHANGES_WAITING_MAX = 8
"""For room at the recorder. While it has none no tick gets past it either, and so the level can
only fall: two changes."""


async def run(
    life: Life,
    *,
    ticks: Subscription[Tick],
    commands: Mailbox[OverrideAsk],
    status: Watch[FeedStatus],
    recorder: Mailbox[RecordEntry],
    money: Mailbox[MoneyAsk],
    record_tail: Callable[[], Awaitable[RecordTail | None]],
    operator_state: Callable[[], Awaitable[OperatorState]],
    clock: Clock,
    known_skew_ms: int = 0,
) -> None:
    """Watch until asked to stop.

    `record_tail` and `operator_state` read the price record and the ledger, each in the thread
    that owns it.
    """
    was_critical = status.version > 0 and status.value.level is FeedLevel.CRITICAL
    # The life before may have shown CRITICAL and ended before it was on record.
    since_ms = status.value.since_ms if was_critical else clock.now_ms()
    changes, unrecorded = trio.open_memory_channel[FeedLevelChanged](CHANGES_WAITING_MAX)
    monitor = _Monitor(
        health=begin(None, now_ms=since_ms), status=status, changes=changes, clock=clock
    )
    monitor.publish()  # closed at once, whatever the life before had last said
    tail = await record_tail()
    if tail is not None and tail.last_tick is not None:
        status.set(_with_tick(status.value, tail.last_tick))
    monitor.put_in_force(await operator_state())
    monitor.health = begin(
        tail, now_ms=since_ms, known_skew_ms=known_skew_ms, was_critical=was_critical
    )
    await monitor.report()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_have_recorded, unrecorded, recorder)
        nursery.start_soon(_watch, life, ticks, monitor)
        nursery.start_soon(_obey, life, commands, monitor, money, operator_state)
        life.ready()


async def _watch(life: Life, ticks: Subscription[Tick], monitor: "_Monitor") -> None:
    """Look at each tick, each second, and at the moment when silence changes the level."""
    async with monitor.changes, ticks.reader(life) as reader:
        while True:
            try:
                tick = await reader.receive_before(monitor.next_look())
            except EndOfMailbox:
                return
            await monitor.look(tick)
            reader.done()
            life.beat()


async def _have_recorded(
    changes: trio.MemoryReceiveChannel[FeedLevelChanged], recorder: Mailbox[RecordEntry]
) -> None:
    """Hand the changes on in their order, as the recorder has room; ends after the last."""
    async with changes:
        async for change in changes:
            await recorder.send(change)


async def _obey(
    life: Life,
    commands: Mailbox[OverrideAsk],
    monitor: "_Monitor",
    money: Mailbox[MoneyAsk],
    operator_state: Callable[[], Awaitable[OperatorState]],
) -> None:
    """Carry out operators' overrides: stored first, then in force, then answered."""
    async with commands.reader(life) as reader:
        async for asked in reader:
            if asked.expired():
                continue
            outcome = await _keep(money, asked)
            if outcome is None:
                monitor.put_in_force(_as_stored(asked.question))
                asked.answer(monitor.status.value)
                continue
            asked.answer(outcome)
            if outcome.code is Code.STATUS_UNKNOWN:
                # By then it is stored or never will be: nothing expired is written any more.
                await life.sleep_or_stop(REREAD_AFTER_S)
                monitor.put_in_force(await operator_state())


async def _keep(money: Mailbox[MoneyAsk], asked: OverrideAsk) -> Refusal | None:
    """Store the override durably. None when it is."""
    command = KeepOverride(
        override=asked.question.override, by=asked.question.by, why=asked.question.why
    )
    within_s = min(KEEP_WITHIN_S, asked.deadline - trio.current_time())
    outcome = await ask(money, command, within_s=within_s)
    match outcome:
        case OverrideKept():
            return None
        case Refusal():
            return outcome
        case Refused(reason=RefusedBecause.CLOSED):
            return Refusal(Code.DRAINING)
        case Refused():
            return Refusal(Code.OVERLOADED)
        case StatusUnknown():
            return Refusal(Code.STATUS_UNKNOWN, "The override may have been stored; look again.")
        case _:
            log.error("override_not_kept", outcome=repr(outcome)[:200])
            return Refusal(Code.INTERNAL)


def _severity(health: FeedHealth) -> int:
    """Of the log line: a start is CRITICAL by rule, but nobody need be woken for it."""
    if health.level is FeedLevel.CRITICAL:
        return logging.WARNING if health.why is Why.STARTING else logging.ERROR
    return logging.WARNING if health.level is FeedLevel.DEGRADED else logging.INFO


def _with_tick(status: FeedStatus, tick: Tick) -> FeedStatus:
    """Exchange time never goes back here, restarts included, because bets are judged by it.

    With a clock that was stepped back while the venue was down, columns whose ticks are on record
    could else be tapped again.
    """
    return attrs.evolve(
        status,
        last_tick_ms=max(status.last_tick_ms or 0, tick.ts_ms),
        last_recv_ms=tick.recv_ms,
        source=tick.source,
    )


def _as_stored(command: SetOverride) -> OperatorState:
    return OperatorState(
        override=command.override, override_by=command.by, override_why=command.why
    )


@attrs.define(kw_only=True)
class _Monitor:
    """The state that both tasks work on; nothing is awaited between reading and writing it."""

    health: FeedHealth
    status: Watch[FeedStatus]
    changes: trio.MemorySendChannel[FeedLevelChanged]
    clock: Clock

    def next_look(self) -> float:
        """When to look again if no tick comes, on trio's clock."""
        now_ms = self.clock.now_ms()
        due_ms = next_look_ms(self.health, now_ms)
        wait_ms = LOOK_EVERY_MS if due_ms is None else min(LOOK_EVERY_MS, due_ms - now_ms)
        return trio.current_time() + wait_ms / 1000

    async def look(self, tick: Tick | None) -> None:
        before = self.health
        self.health = step(before, tick, self.clock.now_ms())
        self.publish()
        if self.health.level is not before.level:
            await self.report()

    def publish(self) -> None:
        """Show the level; what is known of the newest tick stays until there is a newer one."""
        health, shown = self.health, self.status.value
        after = attrs.evolve(
            shown, level=health.level, since_ms=health.since_ms, skew_ms=health.skew_ms
        )
        if health.last is not None:
            after = _with_tick(after, health.last)
        if after != shown:
            self.status.set(after)

    async def report(self) -> None:
        """Log the level and have it recorded. Betting has heard of it by then."""
        health = self.health
        self.publish()
        log.log(
            _severity(health),
            f"PRICE_FEED_{health.level.name}",
            why=health.why.value,
            at_ms=health.since_ms,
            skew_ms=health.skew_ms,
            source=self.status.value.source,
        )
        await self.changes.send(
            FeedLevelChanged(level=health.level, at_ms=health.since_ms, why=health.why.value)
        )

    def put_in_force(self, state: OperatorState) -> None:
        """Let an override act on the breaker from now on."""
        shown = self.status.value
        after = attrs.evolve(
            shown,
            override=state.override,
            override_by=state.override_by,
            override_why=state.override_why,
        )
        if after != shown:
            log.warning(
                "BREAKER_OVERRIDE",
                override=state.override.value,
                by=state.override_by,
                why=state.override_why,
            )
            self.status.set(after)
