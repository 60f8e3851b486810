"""The root of a tree: runs the lives of all actors in it, and answers for all levels.

This is the one place where any exception of a child is caught.
"""

from collections.abc import Awaitable, Callable

import trio

from supervisor import by_hand, view
from supervisor.chance import Chance
from supervisor.child import Child, FaultySpec, SupervisorSpec, check_spec
from supervisor.level import CANCEL_GRACE_S, Level, Obey
from supervisor.life import Life
from supervisor.report import ExitReport, GaveUp, StartFailed, ending_of, split_foreign
from supervisor.slot import Slot
from supervisor.status import ChildCounts, ChildListing, Managed, SupervisorStatus


class Supervisor:
    """A tree of supervised actors, for one run.

    `report` is called once for each end of a life, from within the tree: it must neither block nor
    raise. `chance` draws the jitter of the back-off. Raises FaultySpec, naming every fault.
    """

    def __init__(
        self, spec: SupervisorSpec, *, chance: Chance, report: Callable[[ExitReport], None]
    ) -> None:
        if faults := check_spec(spec):
            raise FaultySpec(faults)
        self.chance = chance
        self.report = report
        self._life = Life(spec.id)
        self._level = Level(spec, self._life, tree=self, tell_parent=lambda: None)
        self._nursery: trio.Nursery | None = None
        self._stopped = trio.Event()

    # The run

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Start the tree, report started when all is up, and return when it was stopped.

        Raises StartFailed if the first start fails, GaveUp when restarts at the root are too many;
        all children have been stopped by then. As long as a stuck child lives this does not
        return, because trio can't leave a task behind: `wait_stopped` tells when all others ended.
        """
        if self._nursery is not None:
            raise RuntimeError("a supervisor runs once")
        self._life.on_ready(task_status.started)
        end: StartFailed | GaveUp | None = None
        async with trio.open_nursery() as self._nursery:
            try:
                await self._level.run()
            except (StartFailed, GaveUp) as error:
                end = error
            finally:
                self._stopped.set()
        if end is not None:
            raise end

    def request_stop(self) -> None:
        """Ask the whole tree to stop, last started first, each child within its limit."""
        self._life.stopping.set()

    async def wait_stopped(self) -> tuple[str, ...]:
        """Wait until every child has ended or was left behind; the paths of the stuck ones.

        With any of them the process can only be left by force, because `run` can't return.
        """
        await self._stopped.wait()
        return view.stuck_below(self._level)

    # Lives, called by the levels

    def spawn(self, slot: Slot, life: Life, level: Level) -> None:
        assert self._nursery is not None
        self._nursery.start_soon(self._live, slot, life, level, name=f"{life.path}#{life.number}")

    async def _live(self, slot: Slot, life: Life, level: Level) -> None:
        """One life of one child, from its first line to its end.

        Its failure is caught outside its cancel scope: inside, a failure during a cancellation
        arrives mixed with trio's Cancelled, and would take the nursery of all down.
        """
        assert self._nursery is not None
        slot.task = trio.lowlevel.current_task()
        watch = trio.CancelScope()
        if life.heartbeat_s is not None:
            self._nursery.start_soon(self._watch, slot, life, level, watch)
        failure: Exception | None = None
        foreign: BaseException | None = None
        try:
            with slot.scope:
                await _body_of(slot, life)
        except BaseException as raised:  # noqa: BLE001 - whatever it is, the supervisor decides
            failure, foreign = split_foreign(raised)
        watch.cancel()
        ending = ending_of(
            error=failure,
            verdict=slot.verdict,
            is_ready=life.is_ready(),
            is_asked=life.stopping.is_set(),
            is_cancelled=slot.scope.cancel_called or foreign is not None,
        )
        level.ended(slot, ending)
        if foreign is not None:
            raise foreign

    async def _watch(self, slot: Slot, life: Life, level: Level, watch: trio.CancelScope) -> None:
        """Cancel the life when one of its tasks is busy beyond the limit; tell if it then stays."""
        limit_s = life.heartbeat_s
        assert limit_s is not None
        with watch:
            while True:
                busy = life.busiest()
                task, since = busy if busy is not None else (None, trio.current_time())
                # The very sum that is slept until: a difference may be rounded to less than the
                # limit, and would be looked at again and again without the time going on.
                if trio.current_time() >= since + limit_s:
                    break
                await trio.sleep_until(since + limit_s)
            if not life.stopping.is_set():  # a stop has its own limit
                level.find_hung(slot, task, limit_s)
                await trio.sleep(CANCEL_GRACE_S)
                level.find_stuck(slot)

    # Management, by path: "venue/market/price_feed"

    async def stop_child(self, path: str) -> Managed:
        """Stop a child; it stays stopped until it is started by hand."""
        return await self._command(path, by_hand.stop)

    async def start_child(self, path: str) -> Managed:
        """Start a child that is stopped."""
        return await self._command(path, by_hand.start)

    async def restart_child(self, path: str) -> Managed:
        """Stop and start a child; one that is backing off is tried at once."""
        return await self._command(path, by_hand.restart)

    def list_children(self, path: str = "") -> tuple[ChildListing, ...]:
        """The children of the supervisor at `path`, of the root by default, in start order."""
        level = self._level_at(path)
        return view.listing_of(level) if level is not None else ()

    def count_children(self, path: str = "") -> ChildCounts:
        """How many children the supervisor at `path` has itself; zeros if there is none."""
        level = self._level_at(path)
        if level is None:
            return ChildCounts(specs=0, active=0, supervisors=0, workers=0)
        return view.counts_of(level)

    def status(self) -> SupervisorStatus:
        """A snapshot of the whole tree, at any moment of the run."""
        return view.status_of(self._level)

    async def _command(self, path: str, obey: Obey) -> Managed:
        above, _, child_id = path.rpartition("/")
        level = self._level_at(above) if above else None
        slot = level.slot(child_id) if level is not None else None
        if level is None or slot is None:
            return Managed.NOT_FOUND
        return await level.command(slot, obey)

    def _level_at(self, path: str) -> Level | None:
        root_id, *ids = path.split("/") if path else [self._level.path]
        level: Level | None = self._level if root_id == self._level.path else None
        for child_id in ids:
            slot = level.slot(child_id) if level is not None else None
            level = slot.level if slot is not None else None
        return level


def _body_of(slot: Slot, life: Life) -> Awaitable[None]:
    if isinstance(slot.spec, Child):
        return slot.spec.run(life)
    assert slot.level is not None
    return slot.level.run()
