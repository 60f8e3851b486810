"""The monitor: looks before it is ready, then every ten seconds; a hung disk holds up nobody."""

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs
import pytest
import trio
from structlog.testing import capture_logs
from trio.testing import MockClock, wait_all_tasks_blocked

from actors import disk_monitor
from actors.disk_monitor import LOOK_EVERY_S, LOOK_WITHIN_S
from domain.disk import DiskLevel, DiskThresholds, DiskUse
from protocols.ports import Worker
from protocols.upkeep import DiskStatus
from supervisor import Life, TrioClock, Watch
from supervisor.worker import InlineWorker, ThreadWorker

EPOCH_MS = 1_770_000_000_000


@attrs.define
class Disk:
    """A disk that is as full as a test says, or can't be asked."""

    percent: int = 10
    failure: OSError | None = None
    hangs: threading.Event | None = None
    looks: list[float] = attrs.field(factory=list)

    def look(self) -> DiskUse:
        if self.hangs is not None:
            assert self.hangs.wait(10)
        else:
            self.looks.append(trio.current_time())
        if self.failure is not None:
            raise self.failure
        return DiskUse(total_bytes=100, free_bytes=100 - self.percent)


@attrs.define
class Bench:
    """What outlives the lives of a monitor."""

    disk: Disk = attrs.field(factory=Disk)
    worker: Worker = attrs.field(factory=InlineWorker)
    status: Watch[DiskStatus] = attrs.field(factory=lambda: Watch("disk", DiskStatus()))
    life: Life = attrs.field(factory=lambda: Life("test/disk_monitor", heartbeat_s=30))

    async def live(self) -> None:
        await disk_monitor.run(
            self.life,
            probe=self.disk,
            worker=self.worker,
            status=self.status,
            clock=TrioClock(EPOCH_MS),
            thresholds=DiskThresholds(),
        )

    @asynccontextmanager
    async def alive(self) -> AsyncIterator[None]:
        """One life, asked to stop at the end of the block and waited for."""
        self.life = Life("test/disk_monitor", heartbeat_s=30)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.live)
            yield
            self.life.stopping.set()

    @property
    def level(self) -> DiskLevel:
        return self.status.value.level


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_it_is_ready_when_it_has_looked(bench: Bench, autojump_clock: MockClock) -> None:
    bench.disk.percent = 90
    levels: list[DiskLevel] = []
    bench.life.on_ready(lambda: levels.append(bench.level))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(bench.live)
        await bench.status.changed(0)
        await wait_all_tasks_blocked()
        bench.life.stopping.set()
    assert levels == [DiskLevel.FULL], "betting on a full disk is not open for a moment"


async def test_it_looks_every_ten_seconds(bench: Bench, autojump_clock: MockClock) -> None:
    began = trio.current_time()
    async with bench.alive():
        await trio.sleep(35)
    assert [at - began for at in bench.disk.looks] == [0, 10, 20, 30]


async def test_it_shows_what_it_saw(bench: Bench, autojump_clock: MockClock) -> None:
    async with bench.alive():
        await trio.sleep(10.5)
    assert bench.status.value == DiskStatus(
        level=DiskLevel.NORMAL,
        use=DiskUse(total_bytes=100, free_bytes=90),
        looked_at_ms=EPOCH_MS + 10_000,
    )


async def test_levels_rise_at_once_fall_with_a_margin_and_are_logged(
    bench: Bench, autojump_clock: MockClock
) -> None:
    seen: list[DiskLevel] = []
    with capture_logs() as logs:
        async with bench.alive():
            await trio.sleep(1)
            for percent in (70, 84, 85, 95, 94, 92, 84, 83, 82, 67):
                bench.disk.percent = percent
                await trio.sleep(LOOK_EVERY_S)
                seen.append(bench.level)
    normal, warning, full, emergency = DiskLevel
    rise, fall = [warning, warning, full, emergency], [emergency, full, full, full, warning, normal]
    assert seen == rise + fall
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [
        ("disk_fills_up", "warning"),
        ("disk_full", "error"),
        ("disk_emergency", "critical"),
        *[("disk_has_room_again", "info")] * 3,
    ]
    assert logs[1]["used_percent"] == 85.0


async def test_a_later_life_goes_on_from_the_level_of_the_one_before(
    bench: Bench, autojump_clock: MockClock
) -> None:
    for percent in (85, 84):
        bench.disk.percent = percent
        async with bench.alive():
            await trio.sleep(1)
    assert bench.level is DiskLevel.FULL


async def test_a_look_that_fails_is_counted_logged_once_and_changes_no_level(
    bench: Bench, autojump_clock: MockClock
) -> None:
    bench.disk.percent = 90
    with capture_logs() as logs:
        async with bench.alive():
            await trio.sleep(1)
            bench.disk.failure = OSError(5, "Input/output error")
            await trio.sleep(3 * LOOK_EVERY_S)
            assert bench.level is DiskLevel.FULL
            assert bench.status.value.failures == 3
            assert bench.status.value.looked_at_ms == EPOCH_MS, "the age of what is shown is true"
            bench.disk.failure = None
            await trio.sleep(LOOK_EVERY_S)
            assert bench.status.value.failures == 3
            bench.disk.failure = OSError(5, "Input/output error")
            await trio.sleep(LOOK_EVERY_S)
    assert [entry["event"] for entry in logs] == [
        "disk_full",
        "disk_not_seen",
        "disk_is_seen_again",
        "disk_not_seen",
    ]
    assert logs[1]["why"] == "[Errno 5] Input/output error"


async def test_a_first_look_that_fails_keeps_nobody_from_starting(
    bench: Bench, autojump_clock: MockClock
) -> None:
    bench.disk.failure = OSError("no")
    async with bench.alive():
        await bench.status.changed(0)
        await wait_all_tasks_blocked()
        assert bench.life.is_ready()


async def test_a_disk_that_hangs_holds_up_neither_the_loop_nor_the_stop(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert LOOK_WITHIN_S < LOOK_EVERY_S
    monkeypatch.setattr(disk_monitor, "LOOK_WITHIN_S", 0.02)
    bench.worker = ThreadWorker(abandons=True)
    bench.disk.hangs = threading.Event()
    with trio.fail_after(5):
        async with bench.alive():
            await bench.status.changed(0)
            assert bench.status.value.failures == 1
            assert bench.level is DiskLevel.NORMAL
        bench.disk.hangs.set()
        assert await bench.worker.run(lambda: "the look has ended and given its turn back")
