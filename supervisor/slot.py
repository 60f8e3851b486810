"""A slot: one child's place under its supervisor, through all its lives."""

from typing import TYPE_CHECKING

import attrs
import trio
from trio.lowlevel import Task

from supervisor.backoff import Failures
from supervisor.child import Child, SupervisorSpec
from supervisor.life import Life
from supervisor.report import Ending, Verdict
from supervisor.status import State

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

    def is_over(self) -> bool:
        """True if its latest life has ended; below a supervisor a stuck child may be left."""
        return self.life is None or self.ending is not None

    def is_gone(self) -> bool:
        """True if nothing of its latest life runs any more, nor of anything below it."""
        return self.is_over() and (self.level is None or self.level.is_gone())

    def is_cancelled(self) -> bool:
        return self.scope.cancel_called

    def is_asked_to_stop(self) -> bool:
        return self.life is not None and self.life.stopping.is_set()

    def ask_to_stop(self) -> None:
        if self.life is not None:
            self.life.stopping.set()

    def cancel(self) -> None:
        """Cancel the life. First the scope: a reader must not see a polite end of its mailbox."""
        self.scope.cancel()
        self.ask_to_stop()
