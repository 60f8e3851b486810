"""A stage for supervisor tests: children that do what the test says, and a log of what happened.

The log has `+a` when a life of child `a` became ready and `-a` when it ended. Orders to a child are
sent through a mailbox that outlives its lives, as in a real wiring.
"""

from contextlib import asynccontextmanager
from functools import partial

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from supervisor import (
    NO_BACKOFF,
    Child,
    GaveUp,
    Ignore,
    Life,
    Mailbox,
    SeededChance,
    Shutdown,
    StartFailed,
    Supervisor,
    SupervisorSpec,
)


class Broken(Exception):
    """How a child of these tests fails."""


class Stage:
    def __init__(self) -> None:
        self.log: list[str] = []
        self.reports = []
        self.end: Exception | None = None  # what the run of the supervisor raised
        self.ended_at: float | None = None
        self.start_as: dict[str, str] = {}  # id -> fail, ignore, hang, return
        self.stop_takes_s: dict[str, float] = {}
        self.release = trio.Event()  # ends shielded waits
        self.supervisor: Supervisor
        self._orders: dict[str, Mailbox[str]] = {}

    def child(self, id: str, **fields) -> Child:
        self._orders[id] = Mailbox(id, 10)
        return Child(id=id, run=partial(self._run, id), **fields)

    async def _run(self, id: str, life: Life) -> None:
        match self.start_as.get(id):
            case "fail":
                raise Broken(f"{id} can't start")
            case "ignore":
                raise Ignore
            case "hang":
                await trio.sleep_forever()
            case "return":
                return
        self.log.append(f"+{id}")
        try:
            async with self._orders[id].reader(life) as reader:
                life.ready()
                async for order in reader:
                    if await self._obey(id, order):
                        return
            await trio.sleep(self.stop_takes_s.get(id, 0))
        finally:
            self.log.append(f"-{id}")

    async def _obey(self, id: str, order: str) -> bool:
        match order:
            case "normal":
                return True
            case "shutdown":
                raise Shutdown("enough")
            case "abnormal":
                raise Broken(f"{id} broke")
            case "hang":
                await trio.sleep_forever()
            case "hang in a shield":
                with trio.CancelScope(shield=True):
                    await self.release.wait()
        return False

    def spec(self, *children: Child | SupervisorSpec, **fields) -> SupervisorSpec:
        return SupervisorSpec(
            **{"id": "top", "children": children, "backoff": NO_BACKOFF, "period_s": 3600, **fields}
        )

    @asynccontextmanager
    async def running(self, spec: SupervisorSpec):
        """Run a tree until the block is left; `end` is then what it raised, if anything."""
        self.supervisor = Supervisor(spec, chance=SeededChance(1), report=self.reports.append)
        async with trio.open_nursery() as nursery:
            started = trio.Event()
            nursery.start_soon(self._supervise, started)
            await started.wait()
            yield self.supervisor
            self.release.set()
            self.supervisor.request_stop()

    async def _supervise(self, started: trio.Event) -> None:
        try:
            async with trio.open_nursery() as nursery:
                await nursery.start(self.supervisor.run)
                started.set()
        except* (GaveUp, StartFailed) as group:
            (self.end,) = group.exceptions
        started.set()
        self.ended_at = trio.current_time()

    async def order(self, id: str, what: str) -> None:
        """Have child `id` do something, and wait until nothing more happens without time."""
        assert self._orders[id].offer(what)
        await wait_all_tasks_blocked()

    async def settle(self) -> None:
        """Wait until nothing more happens without time."""
        await wait_all_tasks_blocked()

    def take_log(self) -> list[str]:
        log, self.log = self.log, []
        return log

    def exits(self) -> list[tuple[str, str]]:
        """What was reported: child id and reason."""
        return [(report.child.rsplit("/")[-1], report.reason.value) for report in self.reports]

    def states(self, path: str = "") -> dict[str, str]:
        return {child.id: child.state.value for child in self.supervisor.list_children(path)}


@pytest.fixture
def stage() -> Stage:
    """For tests that also take `autojump_clock`: pytest-trio looks for it among their arguments."""
    return Stage()
