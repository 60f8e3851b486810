"""A slot: one child's place under its supervisor, through all its lives."""

from typing import TYPE_CHECKING

import attrs
import trio
from trio.lowlevel import Task

from supervisor.backoff import Failures
from supervisor.child import Child, SupervisorSpec
from supervisor.life import Life
from supervisor.report import Ending, Verdict
from supervisor.stacks import waiting_on
from supervisor.statistics import ChannelStatistics
from supervisor.status import (
    ChildListing,
    ChildStatus,
    Kind,
    LastFailure,
    State,
)

if TYPE_CHECKING:
    from supervisor.level import Level


@attrs.define(eq=False)
class Slot:
    """Written by the level it belongs to, and by the task that runs its life."""

    spec: Child | SupervisorSpec
    path: str
    place: int  # in the start order
    state: State = State.STOPPED
    is_held: bool = False  # stopped by hand: no restart of its group starts it
    is_forgotten: bool = False  # temporary, and ended
    lives: int = 0
    failures: Failures = attrs.field(factory=Failures)
    restarted_at: tuple[float, ...] = ()
    failed: Ending | None = None
    failed_at: float = 0.0

    # The current life, or the latest
    life: Life | None = None
    level: "Level | None" = None  # of a child that is a supervisor
    scope: trio.CancelScope = attrs.field(factory=trio.CancelScope)
    task: Task | None = None
    verdict: Verdict | None = None
    ending: Ending | None = None
    is_reported: bool = False

    def begin(self, life: Life, level: "Level | None") -> None:
        """A new life."""
        self.lives += 1
        self.state = State.STARTING
        self.life = life
        self.level = level
        self.scope = trio.CancelScope()
        self.task = self.verdict = self.ending = None
        self.is_reported = False

    def is_gone(self) -> bool:
        """True if nothing of its latest life runs any more, nor of anything below it."""
        if self.life is None:
            return True
        return self.ending is not None and (self.level is None or self.level.is_gone())

    def cancel(self) -> None:
        """Cancel the life. First the scope: a reader must not see a polite end of its mailbox."""
        self.scope.cancel()
        if self.life is not None:
            self.life.stopping.set()

    def uptime_s(self) -> float | None:
        if self.state is not State.RUNNING or self.life is None or self.life.ready_at is None:
            return None
        return trio.current_time() - self.life.ready_at

    def last_failure(self) -> LastFailure | None:
        if self.failed is None:
            return None
        return LastFailure(
            type=self.failed.type or self.failed.reason.value,
            message=self.failed.message,
            at=self.failed_at,
            ago_s=trio.current_time() - self.failed_at,
        )

    def listing(self) -> ChildListing:
        kind = Kind.SUPERVISOR if isinstance(self.spec, SupervisorSpec) else Kind.WORKER
        return ChildListing(id=self.spec.id, path=self.path, kind=kind, state=self.state)

    def status(self, *, restarts_in_window: int, retry_in_s: float | None) -> ChildStatus:
        return ChildStatus(
            path=self.path,
            state=self.state,
            restarts_in_window=restarts_in_window,
            restarts_total=max(0, self.lives - 1),
            uptime_s=self.uptime_s(),
            retry_in_s=retry_in_s,
            last_failure=self.last_failure(),
            waiting_on=self._waiting_on(),
            channels=self._channels(),
        )

    def _waiting_on(self) -> str:
        return "" if self.task is None or self.ending is not None else waiting_on(self.task)

    def _channels(self) -> tuple[ChannelStatistics, ...]:
        if self.life is None:
            return ()
        return tuple(channel.statistics() for channel in self.life.channels.values())
