"""The Archiver: begins each new week, and brings the weeks that are over into the archive.

What is to be done next is decided by `domain.archiving`, from the archive's own record; so a life
remembers nothing, and a restart goes on with the step that was cut off. Blocking steps run on a
thread of their own and end within about a second when the life is to stop.

Nothing that goes wrong here ends a life, let alone the venue: it is logged, shown in the status and
tried again. Money goes on in the current file whether or not the weeks before are archived.
"""

from typing import Final, TypeAlias

import attrs
import structlog
import trio

from actors.archiver.restores import RestorePorts, Restores
from domain.archiving import (
    WEEK_MS,
    Conditions,
    Step,
    Task,
    next_look_ms,
    next_task,
    tally,
    week_begins_ms,
    week_file,
)
from domain.disk import DiskLevel
from domain.units import EpochMs
from protocols.archive import (
    Archive,
    ArchiveBegun,
    ArchiveBusy,
    ArchiveNow,
    ArchiveSurvey,
    ArchiveUnusable,
    StepDone,
    StepFailed,
    StepOutcome,
)
from protocols.money import MoneyCommand, MoneyOutcome, Rotate, Rotated
from protocols.ports import Clock, Worker, WorkStopped
from protocols.upkeep import ArchiveStatus, DiskStatus
from protocols.work import FollowedWork
from supervisor import Ask, Life, Mailbox, Reader, Watch, ask

log = structlog.get_logger("archiver")

MoneyAsk: TypeAlias = Ask[MoneyCommand, MoneyOutcome]
ArchiveAsk: TypeAlias = Ask[ArchiveNow, ArchiveBegun]

ROTATE_WITHIN_S: Final = 5.0
LOOK_EVERY_S: Final = 60.0
"""A quiet week is begun at most so long after its midnight, by whatever way the clock got there; a
rotation that failed is not tried again sooner by the ledger either."""
ROUND_EVERY_S: Final = 300.0
WAIT_S: Final = 60.0
"""After a round that could not be begun: another process was at work, or the record is unusable."""
SHOW_EVERY_S: Final = 1.0
LOG_EVERY_S: Final = 10.0


@attrs.frozen(kw_only=True)
class ArchiverPorts:
    """What the Archiver needs of the venue."""

    money: Mailbox[MoneyAsk]
    requests: Mailbox[ArchiveAsk]
    disk: Watch[DiskStatus]
    status: Watch[ArchiveStatus]
    archive: Archive
    worker: Worker
    """Of its own: a step of a large week takes an hour."""
    clock: Clock
    weeks_on_disk: int
    restores: RestorePorts


async def run(life: Life, ports: ArchiverPorts) -> None:
    """Begin weeks and archive them, and bring archived ones back, until asked to stop."""
    archiver = _Archiver(life, ports)
    restores = Restores(life, ports.restores, status=ports.status, clock=ports.clock)
    async with (
        ports.requests.reader(life) as requests,
        ports.restores.requests.reader(life) as wanted,
        trio.open_nursery() as nursery,
    ):
        nursery.start_soon(archiver.turn_weeks)
        nursery.start_soon(archiver.follow_disk)
        nursery.start_soon(archiver.answer, requests)
        nursery.start_soon(restores.answer, wanted)
        life.ready()
        async with trio.open_nursery() as work:
            work.start_soon(restores.run)
            await archiver.archive()
        # Whoever waits for an answer of the Batcher by now loses nothing by not getting it.
        nursery.cancel_scope.cancel()


class _Archiver:
    """One life: when to look, and what was seen. What to do is asked of `domain.archiving`."""

    def __init__(self, life: Life, ports: ArchiverPorts) -> None:
        self._life = life
        self._ports = ports
        self._woken = trio.Event()
        self._asked_at_ms: EpochMs = 0
        self._partition = ""

    # --- weeks ----------------------------------------------------------------------------------

    async def turn_weeks(self) -> None:
        """At each Sunday 00:00 UTC by the clock, and at the start, have the new week begun."""
        turned = ""
        while True:
            now_ms = self._ports.clock.now_ms()
            week = week_file(now_ms)
            if week != turned and await self._turned(week):
                turned = week
            left_s = (week_begins_ms(now_ms) + WEEK_MS - now_ms) / 1000
            if await self._life.sleep_or_stop(min(LOOK_EVERY_S, left_s)):
                return

    async def _turned(self, week: str) -> bool:
        """Have the ledger begin that week, if it has not. False: try again."""
        with self._life.idle():
            outcome = await ask(self._ports.money, Rotate(), within_s=ROTATE_WITHIN_S)
        if not isinstance(outcome, Rotated):
            log.warning("week_not_begun", week=week, outcome=repr(outcome)[:200])
            return False
        if outcome.partition != self._partition:
            self._partition = outcome.partition
            log.info("week_is_current", partition=outcome.partition)
            self._woken.set()
        if outcome.partition and outcome.partition < week:
            log.warning("week_not_begun", week=week, partition=outcome.partition)
            return False
        return True

    # --- when to look ---------------------------------------------------------------------------

    async def follow_disk(self) -> None:
        """Look at once when the level changes, and in an emergency whenever it was measured."""
        level = self._ports.disk.value.level
        async for disk in self._ports.disk.changes(self._life):
            if disk.level is not level or disk.level is DiskLevel.EMERGENCY:
                self._woken.set()
            level = disk.level

    async def answer(self, requests: Reader[ArchiveAsk]) -> None:
        """An operator asks: whatever failed before is tried again now."""
        async for asked in requests:
            log.info("archive_asked_for", by=asked.question.by)
            self._asked_at_ms = self._ports.clock.now_ms()
            self._woken.set()
            asked.answer(ArchiveBegun(waiting=self._ports.status.value.waiting))

    async def archive(self) -> None:
        """Round after round, until asked to stop."""
        self._life.stopping.on_set(self._wake)
        while not self._life.stopping.is_set():
            self._woken = trio.Event()  # before looking, so that nothing that comes is missed
            wait_s = await self._round()
            with trio.move_on_after(wait_s), self._life.idle():
                await self._woken.wait()

    def _wake(self) -> None:
        self._woken.set()

    # --- what to do -----------------------------------------------------------------------------

    async def _round(self) -> float:
        """All that can be done now; how long to wait then, unless something happens."""
        while not self._life.stopping.is_set():
            outcome = await self._next()
            if isinstance(outcome, float):
                return outcome
            if isinstance(outcome, ArchiveBusy):
                log.info("archive_busy")
                return WAIT_S
        return 0.0

    async def _next(self) -> StepOutcome | float | None:
        """Look, and do one step. A number: there is nothing to do for so many seconds."""
        ports = self._ports
        try:
            with self._life.idle():
                survey = await ports.worker.run(ports.archive.survey)
            conditions = self._conditions()
            self._show(survey)
            task = next_task(survey.partitions, conditions)
            if task is None:
                return _wait_s(survey, conditions)
            return await self._carry_out(task)
        except ArchiveUnusable as error:
            self._failed(str(error))
            log.error("archive_unusable", why=str(error))
            return WAIT_S

    def _conditions(self) -> Conditions:
        disk = self._ports.disk.value
        return Conditions(
            now_ms=self._ports.clock.now_ms(),
            weeks_on_disk=self._ports.weeks_on_disk,
            disk=disk.level,
            disk_looked_at_ms=disk.looked_at_ms,
            asked_at_ms=self._asked_at_ms,
        )

    async def _carry_out(self, task: Task) -> StepOutcome | None:
        """One step, followed. None: it was cut off, to be done again some time."""
        log.info("archive_step_begun", partition=task.name, step=task.step.value)
        began = trio.current_time()
        self._show_step(task, FollowedWork())
        outcome = await self._followed(task)
        self._show_step(None, FollowedWork())
        if isinstance(outcome, ArchiveUnusable):
            raise outcome
        if isinstance(outcome, StepDone):
            _log_done(outcome, took_s=trio.current_time() - began)
        if isinstance(outcome, StepFailed):
            self._failed(f"{task.name}: {task.step}: {outcome.why}")
            log.error(
                "archive_step_failed",
                partition=task.name,
                step=task.step.value,
                back_to=outcome.state.value,
                why=outcome.why,
            )
        return outcome

    async def _followed(self, task: Task) -> StepOutcome | ArchiveUnusable | None:
        ports, progress = self._ports, FollowedWork()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._follow, task, progress)
            try:
                with self._life.idle():
                    return await ports.worker.run(
                        lambda: ports.archive.carry_out(task, work=progress)
                    )
            except WorkStopped:
                log.info("archive_step_cut_off", partition=task.name, step=task.step.value)
                return None
            except ArchiveUnusable as error:
                return error
            finally:
                nursery.cancel_scope.cancel()

    async def _follow(self, task: Task, progress: FollowedWork) -> None:
        """Show how far the step is; end it when the life is to stop, or is cancelled."""
        try:
            log_at = trio.current_time() + LOG_EVERY_S
            while not await self._life.sleep_or_stop(SHOW_EVERY_S):
                self._show_step(task, progress)
                if trio.current_time() >= log_at:
                    log_at += LOG_EVERY_S
                    _log_progress(task, progress)
        finally:
            progress.told = True

    # --- what is shown --------------------------------------------------------------------------

    def _show(self, survey: ArchiveSurvey) -> None:
        counted = tally(survey.partitions)
        # A time that is still to come was recorded by a clock that was ahead. Shown, it would keep
        # the dead man's switch silent for as long.
        is_past = survey.last_success_ms <= self._ports.clock.now_ms()
        self._ports.status.set(
            attrs.evolve(
                self._ports.status.value,
                last_success_ms=survey.last_success_ms if is_past else 0,
                waiting=counted.waiting,
                archived=counted.archived,
                purged=counted.purged,
            )
        )

    def _show_step(self, task: Task | None, progress: FollowedWork) -> None:
        self._ports.status.set(
            attrs.evolve(
                self._ports.status.value,
                now=f"{task.name}: {task.step}" if task is not None else "",
                done_bytes=progress.done_bytes,
                total_bytes=progress.total_bytes,
            )
        )

    def _failed(self, why: str) -> None:
        before = self._ports.status.value
        self._ports.status.set(
            attrs.evolve(
                before,
                failures=before.failures + 1,
                last_failure=why,
                last_failure_ms=self._ports.clock.now_ms(),
            )
        )


def _wait_s(survey: ArchiveSurvey, conditions: Conditions) -> float:
    due_ms = next_look_ms(survey.partitions, conditions)
    if due_ms is None:
        return ROUND_EVERY_S
    return min(ROUND_EVERY_S, (due_ms - conditions.now_ms) / 1000)


def _log_progress(task: Task, progress: FollowedWork) -> None:
    log.info(
        "archive_step_progress",
        partition=task.name,
        step=task.step.value,
        done_bytes=progress.done_bytes,
        total_bytes=progress.total_bytes,
    )


def _log_done(done: StepDone, *, took_s: float) -> None:
    event = "partition_purged" if done.task.step is Step.PURGE else "archive_step_ended"
    ratio = {"ratio": round(done.bytes / done.source_bytes, 3)} if done.source_bytes else {}
    note = {"note": done.note} if done.note else {}
    log.info(
        event,
        partition=done.task.name,
        step=done.task.step.value,
        reached=done.state.value,
        bytes=done.bytes,
        took_s=round(took_s, 3),
        **ratio,
        **note,
    )
