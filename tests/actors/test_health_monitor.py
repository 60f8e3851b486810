"""The HealthMonitor: levels exact to the millisecond; overrides change betting only."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import attrs
import pytest
import trio
import trio.testing

from actors import health_monitor
from actors.health_monitor import KEEP_WITHIN_S, REREAD_AFTER_S
from domain.feed_health import FeedLevel, RecordTail
from domain.refusals import Code, Refusal
from domain.ticks import Tick
from protocols.accounts import OperatorState
from protocols.market import (
    FEED_UNKNOWN,
    FeedLevelChanged,
    FeedStatus,
    Override,
    RecordEntry,
    SetOverride,
)
from protocols.money import (
    CommandFailed,
    KeepOverride,
    MoneyCommand,
    MoneyOutcome,
    OverrideKept,
)
from supervisor import (
    Ask,
    Life,
    Mailbox,
    Refused,
    RefusedBecause,
    StatusUnknown,
    Subscription,
    Topic,
    TrioClock,
    Watch,
    WhenFull,
    ask,
)
from tests.support.ticks import T0_MS, tick

HEALTHY, DEGRADED, CRITICAL = FeedLevel.HEALTHY, FeedLevel.DEGRADED, FeedLevel.CRITICAL


@attrs.define
class Bench:
    """What outlives the lives of a HealthMonitor, and a ledger that keeps overrides."""

    topic: Topic[Tick]
    ticks: Subscription[Tick]
    tail: RecordTail | None = None
    stored: OperatorState = attrs.field(factory=OperatorState)
    known_skew_ms: int = 0
    answers: bool = True
    """Does the Batcher answer?"""
    fails_to_read: bool = False
    commands: Mailbox[Ask[SetOverride, FeedStatus | Refusal]] = attrs.field(
        factory=lambda: Mailbox("circuit", 16, WhenFull.REFUSE)
    )
    status: Watch[FeedStatus] = attrs.field(factory=lambda: Watch("feed", FEED_UNKNOWN))
    recorder: Mailbox[RecordEntry] = attrs.field(factory=lambda: Mailbox("record", 1_000))
    money: Mailbox[Ask[MoneyCommand, MoneyOutcome]] = attrs.field(
        factory=lambda: Mailbox("money", 16, WhenFull.REFUSE)
    )

    async def record_tail(self) -> RecordTail | None:
        await trio.lowlevel.checkpoint()
        if self.fails_to_read:
            raise OSError("no disk")
        return self.tail

    async def operator_state(self) -> OperatorState:
        await trio.lowlevel.checkpoint()
        return self.stored

    async def live(self, life: Life) -> None:
        await health_monitor.run(
            life,
            ticks=self.ticks,
            commands=self.commands,
            status=self.status,
            recorder=self.recorder,
            money=self.money,
            record_tail=self.record_tail,
            operator_state=self.operator_state,
            clock=TrioClock(T0_MS),
            known_skew_ms=self.known_skew_ms,
        )

    async def batch(self, life: Life) -> None:
        """The Batcher, as far as overrides go."""
        async with self.money.reader(life) as reader:
            async for asked in reader:
                command = asked.question
                assert isinstance(command, KeepOverride)
                if self.answers:
                    self.stored = OperatorState(
                        override=command.override,
                        override_by=command.by,
                        override_why=command.why,
                    )
                    asked.answer(OverrideKept(override=command.override))

    @asynccontextmanager
    async def alive(self) -> AsyncIterator[Life]:
        """One life beside a Batcher, asked to stop at the end of the block and waited for."""
        life, batcher = Life("test/health_monitor"), Life("test/batcher")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.live, life)
            nursery.start_soon(self.batch, batcher)
            await trio.testing.wait_all_tasks_blocked()
            yield life
            life.stopping.set()
            batcher.stopping.set()

    async def steady(self, seconds: int) -> None:
        """A tick now, and one each second for so many seconds."""
        await self.topic.publish(tick(now_ms()))
        for _ in range(seconds):
            await trio.sleep(1)
            await self.topic.publish(tick(now_ms()))
        await trio.testing.wait_all_tasks_blocked()

    async def override(self, to: Override, *, within_s: float = 30) -> object:
        command = SetOverride(override=to, by="ops", why="a test")
        return await ask(self.commands, command, within_s=within_s)

    async def recorded(self) -> list[tuple[str, int, str]]:
        """Level changes sent to the recorder since last asked: level, ms since T0, why."""
        life = Life("test/recorder")
        life.stopping.set()  # so that reading ends with what is there
        found: list[tuple[str, int, str]] = []
        async with self.recorder.reader(life) as reader:
            async for entry in reader:
                assert isinstance(entry, FeedLevelChanged)
                found.append((entry.level.value, entry.at_ms - T0_MS, entry.why))
        return found


def now_ms() -> int:
    return TrioClock(T0_MS).now_ms()


async def sleep_until(at_s: float) -> None:
    """And let everyone do what is due by then."""
    await trio.sleep_until(at_s)
    await trio.testing.wait_all_tasks_blocked()


@pytest.fixture
def bench() -> Bench:
    topic: Topic[Tick] = Topic("ticks")
    return Bench(topic=topic, ticks=topic.subscribe("health_monitor", 1_000))


# --- levels -----------------------------------------------------------------------------------


async def test_the_feed_stops(bench: Bench, autojump_clock: trio.testing.MockClock) -> None:
    """DEGRADED at 3 s, CRITICAL at 10 s, open again after 30 s of steady ticks: to the ms."""
    async with bench.alive():
        await bench.steady(5)
        assert bench.status.value.level is HEALTHY
        stopped_s = trio.current_time()
        for at_s, level in ((2.999, HEALTHY), (3, DEGRADED), (9.999, DEGRADED), (10, CRITICAL)):
            await sleep_until(stopped_s + at_s)
            assert bench.status.value.level is level, at_s
        await sleep_until(60)
        await bench.steady(29)
        await sleep_until(89.999)
        assert bench.status.value.breaker_open()
        await sleep_until(90)
        await bench.topic.publish(tick(now_ms()))
        await trio.testing.wait_all_tasks_blocked()
        assert not bench.status.value.breaker_open()
    assert await bench.recorded() == [
        ("critical", 0, "starting"),
        ("healthy", 0, "fresh"),
        ("degraded", 8_000, "slow"),
        ("critical", 15_000, "silent"),
        ("healthy", 90_000, "fresh"),
    ]


async def test_a_silence_is_noticed_to_the_millisecond_between_the_seconds(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    async with bench.alive():
        await sleep_until(0.4)
        await bench.topic.publish(tick(now_ms() - 250, recv_ms=now_ms()))
        await sleep_until(20)
    assert await bench.recorded() == [
        ("critical", 0, "starting"),
        ("healthy", 400, "fresh"),
        ("degraded", 3_150, "slow"),
        ("critical", 10_150, "silent"),
    ]


async def test_the_status_follows_every_tick(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    bench.known_skew_ms = 1_000
    async with bench.alive():
        await bench.topic.publish(tick(T0_MS - 900, recv_ms=T0_MS, source="replay"))
        await trio.testing.wait_all_tasks_blocked()
        assert bench.status.value == FeedStatus(
            level=HEALTHY,
            since_ms=T0_MS,
            last_tick_ms=T0_MS - 900,
            last_recv_ms=T0_MS,
            skew_ms=-100,
            source="replay",
        )


async def test_nothing_is_shown_when_nothing_changed(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    async with bench.alive():
        version = bench.status.version
        await sleep_until(100)
        assert bench.status.version == version


# --- lives ------------------------------------------------------------------------------------


async def test_a_life_begins_critical_whatever_the_last_one_said(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    bench.tail = RecordTail(
        last_tick=tick(T0_MS), alive_ms=T0_MS, level=HEALTHY, gap_since_healthy_ms=0
    )
    async with bench.alive():
        await bench.steady(2)
    assert bench.status.value.level is HEALTHY
    await bench.recorded()
    async with bench.alive() as life:
        assert life.is_ready()
        assert bench.status.value.level is CRITICAL
        assert bench.status.value.last_tick_ms == T0_MS + 2_000  # that is still true
        assert await bench.recorded() == [("critical", 2_000, "starting")]
        await bench.topic.publish(tick(now_ms()))
        await trio.testing.wait_all_tasks_blocked()
        assert bench.status.value.level is HEALTHY


async def test_betting_closes_before_anything_is_read(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    async with bench.alive():
        await bench.steady(2)
    bench.fails_to_read = True
    with pytest.raises(OSError, match="no disk"):
        await bench.live(Life("test/health_monitor"))
    assert bench.status.value.breaker_open()


async def test_a_critical_level_that_missed_the_record_is_recorded_from_its_beginning(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    bench.recorder = Mailbox("record", 1)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(bench.live, Life("test/health_monitor"))
        await trio.testing.wait_all_tasks_blocked()
        await bench.recorded()
        await bench.steady(0)  # HEALTHY: the mailbox is full
        await sleep_until(12)
        assert bench.status.value.level is CRITICAL
        nursery.cancel_scope.cancel()  # while it waits for room
    assert await bench.recorded() == [("healthy", 0, "fresh")]
    await sleep_until(20)
    async with bench.alive():
        assert await bench.recorded() == [("critical", 10_000, "starting")]


async def test_a_crash_loop_cannot_skip_the_steady_run(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    """Each life dies before its first tick, and none of them got a word into the record."""
    bench.tail = RecordTail(
        last_tick=tick(T0_MS), alive_ms=T0_MS, level=HEALTHY, gap_since_healthy_ms=0
    )
    for _ in range(2):
        async with bench.alive():
            pass
    async with bench.alive():
        await bench.steady(29)
        assert bench.status.value.level is CRITICAL
        await trio.sleep(1)
        await bench.steady(0)
        assert bench.status.value.level is HEALTHY


async def test_a_venue_that_was_critical_serves_the_steady_run_after_a_restart(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    bench.tail = RecordTail(
        last_tick=tick(T0_MS - 1_000), alive_ms=T0_MS, level=CRITICAL, gap_since_healthy_ms=0
    )
    async with bench.alive():
        await bench.steady(29)
        assert bench.status.value.level is CRITICAL
        await trio.sleep(1)
        await bench.steady(0)
        assert bench.status.value.level is HEALTHY


async def test_a_full_recorder_is_waited_for_and_nothing_is_left_out(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    bench.recorder = Mailbox("record", 1)
    got: list[FeedLevel] = []
    async with bench.alive():
        await bench.steady(0)
        await sleep_until(10)
        assert bench.status.value.level is CRITICAL, "betting does not wait for the recorder"
        life = Life("test/recorder")
        async with bench.recorder.reader(life) as reader:
            with trio.move_on_after(5):
                async for entry in reader:
                    assert isinstance(entry, FeedLevelChanged)
                    got.append(entry.level)
    assert got == [CRITICAL, HEALTHY, DEGRADED, CRITICAL]


# --- overrides --------------------------------------------------------------------------------


async def test_an_override_is_stored_then_in_force_then_answered(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    async with bench.alive():
        await bench.steady(1)
        answer = await bench.override(Override.OPEN)
        assert answer == bench.status.value
        assert bench.status.value.breaker_open()
        assert bench.status.value.override_by == "ops"
        assert bench.stored.override is Override.OPEN
        await bench.override(Override.AUTO)
        assert not bench.status.value.breaker_open()


async def test_an_override_never_touches_the_level_or_the_record(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    async with bench.alive():
        await bench.steady(1)
        await bench.recorded()
        for override in (Override.OPEN, Override.CLOSE, Override.AUTO):
            await bench.override(override)
            assert bench.status.value.level is HEALTHY
        await bench.override(Override.CLOSE)
        await sleep_until(30)
        assert bench.status.value.level is CRITICAL
        assert not bench.status.value.breaker_open()
    assert [level for level, _, _ in await bench.recorded()] == ["degraded", "critical"]


async def test_a_stored_override_is_in_force_from_the_start(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    bench.stored = OperatorState(override=Override.OPEN, override_by="eve", override_why="night")
    async with bench.alive():
        await bench.steady(1)
        assert bench.status.value.level is HEALTHY
        assert bench.status.value.breaker_open()
        assert bench.status.value.override_why == "night"


async def test_an_override_that_nobody_confirms_is_not_in_force(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    bench.answers = False
    async with bench.alive():
        began_s = trio.current_time()
        answer = await bench.override(Override.OPEN)
        assert isinstance(answer, Refusal)
        assert answer.code is Code.STATUS_UNKNOWN
        assert trio.current_time() == began_s + KEEP_WITHIN_S
        assert bench.status.value.override is Override.AUTO


async def test_an_override_found_stored_after_all_comes_into_force(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    bench.answers = False
    async with bench.alive():
        await bench.override(Override.OPEN)
        bench.stored = OperatorState(override=Override.OPEN, override_by="ops")
        await trio.sleep(REREAD_AFTER_S)
        await trio.testing.wait_all_tasks_blocked()
        assert bench.status.value.override is Override.OPEN


def _close(bench: Bench) -> None:
    bench.money.close()


def _fill(bench: Bench) -> None:
    bench.money = Mailbox("money", 1, WhenFull.REFUSE)
    bench.money.offer(Ask(KeepOverride(override=Override.AUTO, by="", why=""), 0))


@pytest.mark.parametrize(("prepare", "code"), [(_close, Code.DRAINING), (_fill, Code.OVERLOADED)])
async def test_an_override_that_the_batcher_refuses_is_refused(
    bench: Bench,
    autojump_clock: trio.testing.MockClock,
    prepare: Callable[[Bench], None],
    code: Code,
) -> None:
    prepare(bench)
    life = Life("test/health_monitor")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(bench.live, life)
        answer = await bench.override(Override.OPEN)
        assert isinstance(answer, Refusal)
        assert answer.code is code
        assert bench.status.value.override is Override.AUTO
        life.stopping.set()


async def test_an_override_that_breaks_the_ledger_is_an_internal_error(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    life = Life("test/health_monitor")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(bench.live, life)

        async def fail() -> None:
            async with bench.money.reader(Life("test/batcher")) as reader:
                (await reader.receive()).answer(CommandFailed(why="a defect"))

        nursery.start_soon(fail)
        answer = await bench.override(Override.OPEN)
        assert isinstance(answer, Refusal)
        assert answer.code is Code.INTERNAL
        life.stopping.set()


async def test_ticks_are_watched_while_an_override_is_being_stored(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    bench.answers = False
    async with bench.alive():
        await bench.steady(0)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(bench.override, Override.OPEN)
            await sleep_until(3)
            assert bench.status.value.level is DEGRADED


async def test_a_command_whose_asker_has_gone_is_not_carried_out(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    command = SetOverride(override=Override.OPEN, by="ops", why="too late")
    assert isinstance(await ask(bench.commands, command, within_s=1), StatusUnknown)
    async with bench.alive():
        await bench.steady(2)
        assert bench.status.value.override is Override.AUTO
        assert bench.stored.override is Override.AUTO


async def test_a_stopping_monitor_takes_no_new_commands(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    async with bench.alive() as life:
        life.stopping.set()
        assert await bench.override(Override.OPEN) == Refused(reason=RefusedBecause.CLOSED)


async def test_the_newest_tick_is_the_records_until_a_newer_one_comes(
    bench: Bench, autojump_clock: trio.testing.MockClock
) -> None:
    """The clock was stepped back a minute before the start: what is on record is a known past."""
    bench.tail = RecordTail(
        last_tick=tick(T0_MS + 60_000),
        alive_ms=T0_MS + 60_000,
        level=HEALTHY,
        gap_since_healthy_ms=0,
    )
    async with bench.alive():
        assert bench.status.value.last_tick_ms == T0_MS + 60_000
        await bench.steady(59)
        assert bench.status.value.last_tick_ms == T0_MS + 60_000
        await bench.steady(2)
        assert bench.status.value.last_tick_ms == T0_MS + 61_000
