"""The DiskMonitor: looks how full the data folder's disk is.

`domain.disk` decides what that calls for; this actor looks at once, before anything that waits for
it may begin, and then every ten seconds. The Batcher and the Gateway refuse bets by the level it
publishes, and the Archiver makes room by it. A file system that does not answer holds up nobody:
the level stays as it was, and the failure is counted.
"""

import attrs
import structlog
import trio

from domain.disk import DiskLevel, DiskThresholds, DiskUse, disk_level
from protocols.ports import Clock, DiskProbe, Worker
from protocols.upkeep import DiskStatus
from supervisor import Life, Watch

log = structlog.get_logger("disk_monitor")

LOOK_EVERY_S = 10.0
"""A venue at 3,000 bets a second writes some 20 MB meanwhile."""
LOOK_WITHIN_S = 3.0
"""A look takes microseconds; a network file system that is gone takes for ever."""


async def run(
    life: Life,
    *,
    probe: DiskProbe,
    worker: Worker,
    status: Watch[DiskStatus],
    clock: Clock,
    thresholds: DiskThresholds,
    every_s: float = LOOK_EVERY_S,
) -> None:
    """Look until asked to stop. The first look is over when the life is ready.

    A worker that leaves a call behind when its caller gives up (`ThreadWorker(abandons=True)`) lets
    the monitor go on and stop beside a file system that hangs.
    """
    monitor = _Monitor(
        probe=probe, worker=worker, status=status, clock=clock, thresholds=thresholds
    )
    await monitor.look()
    life.ready()
    while not await life.sleep_or_stop(every_s):
        life.beat()
        await monitor.look()


@attrs.define(kw_only=True)
class _Monitor:
    probe: DiskProbe
    worker: Worker
    status: Watch[DiskStatus]
    clock: Clock
    thresholds: DiskThresholds
    failing: bool = False

    async def look(self) -> None:
        """One look, and what follows from it."""
        use: DiskUse | None = None
        why = f"no answer within {LOOK_WITHIN_S:g} s"
        with trio.move_on_after(LOOK_WITHIN_S):
            try:
                use = await self.worker.run(self.probe.look)
            except OSError as error:
                why = str(error)
        if use is None:
            self._failed(why)
        else:
            self._found(use)

    def _found(self, use: DiskUse) -> None:
        before = self.status.value
        level = disk_level(use, self.thresholds, before=before.level)
        now_ms = self.clock.now_ms()
        self.status.set(attrs.evolve(before, level=level, use=use, looked_at_ms=now_ms))
        if level is not before.level:
            _tell(level, before.level, use)
        if self.failing:
            log.info("disk_is_seen_again", level=level.value)
        self.failing = False

    def _failed(self, why: str) -> None:
        before = self.status.value
        self.status.set(attrs.evolve(before, failures=before.failures + 1))
        if not self.failing:  # once, not every ten seconds
            log.error("disk_not_seen", why=why, level_stays=before.level.value)
        self.failing = True


def _tell(level: DiskLevel, before: DiskLevel, use: DiskUse) -> None:
    fields = {
        "level": level.value,
        "before": before.value,
        "used_percent": round(use.used_bytes * 100 / use.total_bytes, 1),
        "free_mib": use.free_bytes // 2**20,
    }
    if level.severity < before.severity:
        log.info("disk_has_room_again", **fields)
        return
    match level:
        case DiskLevel.EMERGENCY:
            log.critical("disk_emergency", **fields)
        case DiskLevel.FULL:
            log.error("disk_full", **fields)
        case _:
            log.warning("disk_fills_up", **fields)
