"""The recorder: the one writer of the price record.

Every accepted tick and every change of the feed's level goes through its mailbox into the record,
in batches. After each commit it publishes the watermark, which settlement waits for.

A life that crashes loses what it had in hand. The next life does not look for it: it opens a DOWN
stretch at the last committed tick, which ends with the first tick that it commits itself, so that
no window from which a tick may be missing is ever judged. A life of the price feed that begins does
the same, at its place among the ticks: those of the life before may still be waiting in the mailbox
while the one that it could not send any more is not.

A full disk costs no tick and no life: the recorder tries again each second, with what it has in
hand. Its mailbox keeps what comes meanwhile, and holds up the feed when it is full, too.
"""

from collections.abc import Callable, Iterable
from functools import partial

import attrs
import structlog
import trio

from domain.ticks import Tick
from domain.units import EpochMs
from protocols.market import FeedBegan, FeedLevelChanged, RecordEntry, Watermark
from protocols.ports import Clock, PriceRecord, RecordFull, Worker
from supervisor import EndOfMailbox, Life, Mailbox, Reader, Watch

log = structlog.get_logger("price_recorder")

PURGE_EVERY_MS = 86_400_000
TRY_AGAIN_S = 1.0
"""After a write for which the disk had no room. Settlement waits two seconds anyway."""


@attrs.frozen(kw_only=True)
class RecorderSettings:
    """How ticks are gathered."""

    linger_ms: int = 50
    """How long the first tick of a batch waits for others. Settlement waits for two seconds, so
    nobody feels it, and a lively market costs twenty commits a second instead of two hundred."""
    batch_max: int = 1_000
    alive_every_ms: int = 1_000
    """Without ticks, how often the record is told that the recorder runs."""


async def run(
    life: Life,
    *,
    entries: Mailbox[RecordEntry],
    watermark: Watch[Watermark],
    record: PriceRecord,
    worker: Worker,
    clock: Clock,
    settings: RecorderSettings,
) -> None:
    """Record until asked to stop, and then what had arrived by then."""
    recorder = _Recorder(life=life, record=record, worker=worker, clock=clock, watermark=watermark)
    await recorder.begin()
    async with entries.reader(life) as reader:
        life.ready()
        while True:
            try:
                batch = await _gather(reader, settings)
            except EndOfMailbox:
                return
            await recorder.keep(batch)
            reader.done()


async def _gather(reader: Reader[RecordEntry], settings: RecorderSettings) -> list[RecordEntry]:
    """What came within the linger of the first entry; nothing if none came for a second.

    Raises EndOfMailbox when nothing is left and the life is to stop.
    """
    first = await reader.receive_before(trio.current_time() + settings.alive_every_ms / 1000)
    batch = [] if first is None else [first]
    deadline = trio.current_time() + settings.linger_ms / 1000
    while 0 < len(batch) < settings.batch_max:
        try:
            entry = await reader.receive_before(deadline)
        except EndOfMailbox:
            break
        if entry is None:
            break
        batch.append(entry)
    return batch


@attrs.define(kw_only=True)
class _Recorder:
    """One life's view of the record."""

    life: Life
    record: PriceRecord
    worker: Worker
    clock: Clock
    watermark: Watch[Watermark]
    last: Tick | None = None
    """The newest committed tick."""
    purged_at_ms: EpochMs | None = None
    lacks_room: bool = False

    async def begin(self) -> None:
        await self._begin_down()
        tail = await self.worker.run(self.record.tail)
        if tail is not None and tail.last_tick is not None:
            self.last = tail.last_tick
            self._publish(behind=0)

    async def keep(self, entries: Iterable[RecordEntry]) -> None:
        """Commit the entries in their order, or a sign of life if there are none."""
        together: list[Tick | FeedLevelChanged] = []
        for entry in entries:
            if isinstance(entry, FeedBegan):
                await self._commit(together)
                await self._begin_down()
                together = []
            else:
                together.append(entry)
        await self._commit(together)

    async def _commit(self, entries: Iterable[Tick | FeedLevelChanged]) -> None:
        """Commit these at once; then publish the watermark."""
        ticks: list[Tick] = []
        levels: list[FeedLevelChanged] = []
        behind: list[Tick] = []
        newest = self.last
        for entry in entries:
            if isinstance(entry, FeedLevelChanged):
                levels.append(entry)
            elif newest is not None and _is_behind(newest, entry):
                behind.append(entry)
            else:
                ticks.append(entry)
                newest = entry
        await self._append(ticks, levels)
        self.last = newest
        if behind:
            log.warning("ticks_behind_watermark", ticks=len(behind), first=repr(behind[0]))
        if ticks or behind:
            self._publish(behind=len(behind))
        await self._purge_daily(self.clock.now_ms())

    async def _begin_down(self) -> None:
        while (full := await self._try(self.record.begin_down)) is not None:
            await self._wait_for_room(full)

    async def _append(self, ticks: list[Tick], levels: list[FeedLevelChanged]) -> None:
        while True:
            now_ms = self.clock.now_ms()
            full = await self._try(partial(self.record.append, ticks, levels, alive_ms=now_ms))
            if full is None:
                return
            ticks, levels = ticks[full.ticks_kept :], [] if full.levels_kept else levels
            await self._wait_for_room(full)

    async def _try(self, write: Callable[[], None]) -> RecordFull | None:
        """None when it is on disk."""
        try:
            await self.worker.run(write)
        except RecordFull as full:
            return full
        if self.lacks_room:
            log.info("prices_recorded_again")
        self.lacks_room = False
        return None

    async def _wait_for_room(self, full: RecordFull) -> None:
        """Raises `full` when asked to stop: what is in hand is lost, and the next life knows."""
        if not self.lacks_room:  # once, not every second
            log.error("prices_not_recorded", why=str(full), last_ms=self.watermark.value.ts_ms)
        self.lacks_room = True
        if await self.life.sleep_or_stop(TRY_AGAIN_S):
            raise full

    def _publish(self, *, behind: int) -> None:
        before = self.watermark.value
        ts_ms = self.last.ts_ms if self.last is not None else before.ts_ms
        self.watermark.set(Watermark(ts_ms=ts_ms, behind_ticks=before.behind_ticks + behind))

    async def _purge_daily(self, now_ms: EpochMs) -> None:
        if self.purged_at_ms is not None and 0 <= now_ms - self.purged_at_ms < PURGE_EVERY_MS:
            return
        self.purged_at_ms = now_ms
        files = await self.worker.run(partial(self.record.purge, now_ms=now_ms))
        if files:
            log.info("price_files_purged", files=files)


def _is_behind(newest: Tick, tick: Tick) -> bool:
    """Is `tick` older than the record's end, or of the same source and there already?"""
    if tick.source == newest.source:
        return tick.order <= newest.order
    return tick.ts_ms < newest.ts_ms
