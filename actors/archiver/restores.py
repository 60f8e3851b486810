"""Archived weeks, brought back for reading on an operator's word: one after the other.

Nothing else waits for them: the work is done on a worker of its own, and whether a week is here is
looked up on another, so that the answer to a request comes at once. A restore that is cut off by
the end of a life, or failed, is not tried again by itself: whoever asked asks again.
"""

from typing import Final, TypeAlias

import attrs
import structlog
import trio

from domain.refusals import Code, Refusal
from protocols.archive import (
    ArchiveUnusable,
    RestoreBegun,
    RestoreFailed,
    RestoreWeek,
    WeekRestored,
    WeekRestores,
)
from protocols.ports import Clock, Worker, WorkStopped
from protocols.upkeep import ArchiveStatus, RestoreStatus
from protocols.work import FollowedWork
from supervisor import Ask, Life, Mailbox, Reader, Watch

log = structlog.get_logger("archiver")

RestoreAsk: TypeAlias = Ask[RestoreWeek, RestoreBegun | Refusal]

RESTORES_WAITING_MAX: Final = 8
"""More weeks at once nobody reads; a week takes minutes."""
SHOW_EVERY_S: Final = 1.0


@attrs.frozen(kw_only=True)
class RestorePorts:
    """What is needed to bring weeks back."""

    requests: Mailbox[RestoreAsk]
    weeks: WeekRestores
    worker: Worker
    """Of its own: a large week takes long."""
    looks: Worker
    """Of its own: a look takes milliseconds, and must not wait for the work."""


class Restores:
    """One life: which weeks are wanted, in which order."""

    def __init__(
        self, life: Life, ports: RestorePorts, *, status: Watch[ArchiveStatus], clock: Clock
    ) -> None:
        self._life = life
        self._ports = ports
        self._status = status
        self._clock = clock
        self._wanted: dict[str, None] = {}  # in hand and waiting; each once
        self._send, self._weeks = trio.open_memory_channel[str](RESTORES_WAITING_MAX)
        self._show_idle()

    # --- requests -------------------------------------------------------------------------------

    async def answer(self, requests: Reader[RestoreAsk]) -> None:
        """Say what is known of the week, and have it brought back if it is not here."""
        async for asked in requests:
            asked.answer(await self._begin(asked.question))

    async def _begin(self, command: RestoreWeek) -> RestoreBegun | Refusal:
        week = command.week
        try:
            is_here = await self._ports.looks.run(lambda: self._ports.weeks.is_here(week))
        except ArchiveUnusable as error:
            return Refusal(Code.STORE_UNAVAILABLE, str(error))
        if is_here is None:
            return Refusal(Code.NOT_FOUND, f"There is no closed week {week}.")
        if is_here:
            return RestoreBegun(week=week, already_here=True)
        log.info("restore_asked_for", week=week, by=command.by)
        return self._enqueue(week)

    def _enqueue(self, week: str) -> RestoreBegun | Refusal:
        if self._life.stopping.is_set():
            return Refusal(Code.DRAINING)
        if week not in self._wanted:
            try:
                self._send.send_nowait(week)
            except trio.WouldBlock:
                return Refusal(Code.OVERLOADED, "Too many weeks are waiting to be brought back.")
            self._wanted[week] = None
            self._show(attrs.evolve(self._was, waiting=len(self._wanted)))
        return RestoreBegun(week=week, already_here=False)

    # --- work -----------------------------------------------------------------------------------

    async def run(self) -> None:
        """Bring back what is wanted, until asked to stop."""
        self._life.stopping.on_set(self._send.close)
        if self._life.stopping.is_set():
            return
        with self._life.idle():
            async for week in self._weeks:
                if self._life.stopping.is_set():
                    return
                await self._bring_back(week)
                del self._wanted[week]
                self._show_idle()

    async def _bring_back(self, week: str) -> None:
        began = trio.current_time()
        self._show(attrs.evolve(self._was, now=week))
        outcome = await self._followed(week)
        if isinstance(outcome, RestoreFailed):
            self._failed(week, str(outcome))
        if isinstance(outcome, WeekRestored):
            took_s = round(trio.current_time() - began, 3)
            log.info("week_restored", week=week, took_s=took_s, **attrs.asdict(outcome))
            count = self._was.restored + 1
            self._show(attrs.evolve(self._was, restored=count, last_restored=week))

    async def _followed(self, week: str) -> WeekRestored | RestoreFailed | None:
        """None: it was cut off."""
        weeks, progress = self._ports.weeks, FollowedWork()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._follow, progress)
            try:
                return await self._ports.worker.run(lambda: weeks.bring_back(week, work=progress))
            except WorkStopped:
                log.info("restore_cut_off", week=week)
                return None
            except RestoreFailed as error:
                return error
            finally:
                nursery.cancel_scope.cancel()

    async def _follow(self, progress: FollowedWork) -> None:
        """Show how far it is; end it when the life is to stop, or is cancelled."""
        try:
            while not await self._life.sleep_or_stop(SHOW_EVERY_S):
                done, total = progress.done_bytes, progress.total_bytes
                self._show(attrs.evolve(self._was, done_bytes=done, total_bytes=total))
        finally:
            progress.told = True

    # --- what is shown --------------------------------------------------------------------------

    @property
    def _was(self) -> RestoreStatus:
        return self._status.value.restores

    def _failed(self, week: str, why: str) -> None:
        log.error("restore_failed", week=week, why=why)
        self._show(
            attrs.evolve(
                self._was,
                failures=self._was.failures + 1,
                last_failure=f"{week}: {why}",
                last_failure_ms=self._clock.now_ms(),
            )
        )

    def _show(self, restores: RestoreStatus) -> None:
        self._status.set(attrs.evolve(self._status.value, restores=restores))

    def _show_idle(self) -> None:
        waiting = len(self._wanted)
        self._show(attrs.evolve(self._was, now="", done_bytes=0, total_bytes=0, waiting=waiting))
