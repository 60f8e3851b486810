"""The BackupKeeper: has the money copied away, verified, every hour and when asked.

It remembers nothing that the backups themselves don't say: at its start it reads from the listing
when the newest was taken, so that a venue which is restarted again and again neither piles them up
nor waits an hour anew. A backup that fails is tried again, ever later, at most a turn later; what
is not kept any more is removed after each one that succeeded. What a backup must stand, and how it
is taken, is the port's business (`db.backup`).
"""

import math
from collections.abc import Callable
from typing import Final, TypeAlias, TypeVar

import attrs
import structlog
import trio

from domain.backups import Retention, next_due_ms, retry_in_ms
from domain.refusals import Code, Refusal
from domain.units import EpochMs
from protocols.backup import (
    BackupBusy,
    BackupFailed,
    Backups,
    BackupTaken,
    BackupWork,
    TakeBackup,
)
from protocols.ports import Clock, ObjectStoreFailed, Worker, WorkStopped
from protocols.upkeep import BackupStatus
from protocols.work import FollowedWork
from supervisor import Ask, EndOfMailbox, Life, Mailbox, Watch

log = structlog.get_logger("backup_keeper")

BackupAsk: TypeAlias = Ask[TakeBackup, BackupTaken | Refusal]

TAKE_WITHIN_S: Final = 3_600.0
"""A gigabyte takes half a minute, and as long again as its upload."""
LOOK_AGAIN_AFTER_S: Final = 30.0
"""While another process takes one."""

T = TypeVar("T")


@attrs.frozen(kw_only=True)
class KeeperPorts:
    """What the BackupKeeper needs of the venue."""

    backups: Backups
    worker: Worker
    """Of its own: a backup takes seconds to minutes."""
    commands: Mailbox[BackupAsk]
    status: Watch[BackupStatus]
    clock: Clock
    every_ms: int
    keep: Retention


async def run(life: Life, ports: KeeperPorts) -> None:
    """Take a backup when it is due and when asked; asked to stop, leave the one in hand undone."""
    keeper = _Keeper(life, ports)
    async with ports.commands.reader(life) as reader:
        life.ready()
        while True:
            try:
                asked = await reader.receive_before(keeper.next_at)
            except EndOfMailbox:
                return
            if asked is None:
                await keeper.take_if_due()
            elif not asked.expired():
                asked.answer(await keeper.take())
            reader.done()


class _Keeper:
    """Its times are trio's, and dates the clock's; what it has done is in the status."""

    def __init__(self, life: Life, ports: KeeperPorts) -> None:
        self._life = life
        self._ports = ports
        self._newest_known = False
        self._failures_in_row = 0
        self.next_at = trio.current_time()
        """When there is something to do; infinite when the life ends."""

    async def take_if_due(self) -> None:
        """Take one, unless the newest is young, whoever has taken it."""
        if self._newest_known or await self._learn_newest():
            await self.take()

    async def take(self) -> BackupTaken | Refusal:
        """Take one now; then remove those that it makes superfluous."""
        began, at_ms = trio.current_time(), self._ports.clock.now_ms()
        backups = self._ports.backups
        taken = await self._work("take", lambda work: backups.take(at_ms=at_ms, work=work))
        if isinstance(taken, BackupTaken):
            self._succeeded(taken, took_ms=round((trio.current_time() - began) * 1000))
            await self._remove_surplus()
        return taken

    async def _learn_newest(self) -> bool:
        """Read from the listing when the newest was taken. Is one due now?"""
        newest = await self._work("list", lambda _: self._ports.backups.newest())
        if isinstance(newest, Refusal):
            return False
        self._newest_known = True
        if newest is None:
            return True
        self._ports.status.set(
            attrs.evolve(
                self._ports.status.value,
                last_success_ms=newest.taken_at_ms,
                last_key=newest.key,
                last_bytes=newest.bytes,
            )
        )
        self._wait_after(newest.taken_at_ms)
        return self.next_at <= trio.current_time()

    async def _remove_surplus(self) -> None:
        backups, keep, now_ms = self._ports.backups, self._ports.keep, self._ports.clock.now_ms()
        removed = await self._attempt(
            lambda work: backups.remove_surplus(keep=keep, now_ms=now_ms, work=work)
        )
        if isinstance(removed, _NotDone):
            # They take room and do no other harm; the next backup is followed by the next attempt.
            if not self._life.stopping.is_set():
                log.warning("backups_not_removed", why=removed.why)
        elif removed:
            log.info("backups_removed", backups=len(removed), oldest=removed[0])

    async def _work(self, what: str, call: Callable[[BackupWork], T]) -> T | Refusal:
        """What the call returns, or the refusal that its asker is to get, after it was noted."""
        done = await self._attempt(call)
        if not isinstance(done, _NotDone):
            return done
        if self._life.stopping.is_set():
            self.next_at = math.inf
            return Refusal(Code.DRAINING)
        if done.busy:
            log.info("backup_by_another", why=done.why)
            self._newest_known = False
            self.next_at = trio.current_time() + LOOK_AGAIN_AFTER_S
            return Refusal(Code.OVERLOADED, f"{done.why}.")
        return self._failed(what, done.why)

    async def _attempt(self, call: Callable[[BackupWork], T]) -> "T | _NotDone":
        work = _LoggedWork()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._tell_to_end, work)
            try:
                return await self._ports.worker.run(lambda: call(work))
            except WorkStopped:
                return _NotDone(f"not done within {TAKE_WITHIN_S:g} s")
            except BackupBusy as error:
                return _NotDone(str(error), busy=True)
            except (BackupFailed, ObjectStoreFailed) as error:
                return _NotDone(str(error))
            finally:
                nursery.cancel_scope.cancel()

    async def _tell_to_end(self, work: FollowedWork) -> None:
        try:
            await self._life.sleep_or_stop(TAKE_WITHIN_S)
        finally:
            # Also when the life is cancelled, which has to wait for the call.
            work.told = True

    def _succeeded(self, taken: BackupTaken, *, took_ms: int) -> None:
        record = taken.record
        self._newest_known = True
        self._failures_in_row = 0
        self._wait_after(record.taken_at_ms)
        before = self._ports.status.value
        self._ports.status.set(
            attrs.evolve(
                before,
                last_success_ms=record.taken_at_ms,
                last_key=taken.key,
                last_bytes=record.stored_bytes,
                took_ms=took_ms,
                taken=before.taken + 1,
            )
        )
        log.info(
            "backup_taken",
            key=taken.key,
            bytes=record.stored_bytes,
            plain_bytes=record.plain_bytes,
            rows=record.ledger_rows,
            bets=record.bets,
            accounts=record.accounts,
            took_ms=took_ms,
        )

    def _failed(self, what: str, why: str) -> Refusal:
        self._failures_in_row += 1
        again_in_s = retry_in_ms(self._failures_in_row, every_ms=self._ports.every_ms) / 1000
        self.next_at = trio.current_time() + again_in_s
        before = self._ports.status.value
        self._ports.status.set(
            attrs.evolve(
                before,
                failures=before.failures + 1,
                last_failure=why,
                last_failure_ms=self._ports.clock.now_ms(),
            )
        )
        log.error("backup_failed", what=what, why=why, again_in_s=again_in_s)
        return Refusal(Code.STORE_UNAVAILABLE, f"There is no new backup: {why}")

    def _wait_after(self, last_ms: EpochMs) -> None:
        now_ms = self._ports.clock.now_ms()
        due_ms = next_due_ms(last_ms, every_ms=self._ports.every_ms, now_ms=now_ms)
        self.next_at = trio.current_time() + max(0, due_ms - now_ms) / 1000


@attrs.frozen
class _NotDone:
    """Why a call on the backups came to nothing."""

    why: str
    busy: bool = False
    """Because another process is at it."""


@attrs.define
class _LoggedWork(FollowedWork):
    """Implements `BackupWork`: logs each step when it is over."""

    _step: str = ""

    def begin(self, step: str) -> None:
        if self._step:
            log.info("backup_step", step=self._step, bytes=self.done_bytes)
        self._step, self.done_bytes = step, 0
