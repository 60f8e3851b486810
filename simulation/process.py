"""One process of the venue: opened, run, drained or killed, as `actors/commands/serve.py` does."""

import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import ExitStack
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from typing import Final

import attrs
import trio

from actors import system
from actors.commands.exits import NO_FOLDER, REFUSED, CannotDo
from actors.commands.opening import MEMORY, Outside, opened_ports, tell_store, venue_settings
from actors.commands.serve import CUT_WITHIN_S, DrainCut
from config.settings import Settings
from db.data_folder import DataFolder
from domain.ticks import Tick
from protocols.money import LedgerCommand, MoneyOutcome, StreamEntry
from protocols.ports import Worker
from simulation.explaining import (
    HELD_UP,
    NO_ROOM,
    STUCK_S,
    is_end_explained,
    is_explained,
    is_slowed_since,
)
from simulation.giving_up import Failures
from simulation.network import SimulatedDoor
from simulation.store import StoreConnection
from simulation.watched import WatchedLedger, WatchedWriter
from simulation.watched_topic import WatchedTopic
from simulation.witness import NOBODY, Observer
from simulation.workers import SimulatedWorker
from simulation.world import World
from supervisor import (
    ChildStatus,
    Context,
    ExitReport,
    GaveUp,
    Reason,
    StartFailed,
    Supervisor,
)

OPS_TOKEN: Final = "operator-token-of-the-simulation-000000"
NOT_RESTARTED: Final = (REFUSED, NO_FOLDER)
"""Exit codes after which the unit starts no new process, since a person has to mend something."""
ROOT: Final = "venue"
BATCHER: Final = "venue/batcher"
ASK_THE_BATCHER: Final = (
    *("venue/resolver", "venue/gateway"),
    "venue/market/health_monitor",  # to keep an override
    *("venue/upkeep/auditor", "venue/upkeep/archiver"),
)
PROCESS: ContextVar["VenueProcess | None"] = ContextVar("PROCESS", default=None)
"""Of which process the running task is; None for those of the outside."""


@attrs.define(kw_only=True, eq=False)
class VenueProcess:
    """From start to end. A new one is made for each start."""

    world: World
    number: int
    """1 for the first."""
    data: Path
    settings: Settings
    channels: system.Channels = attrs.field(init=False)
    ports: system.Ports | None = None
    supervisor: Supervisor | None = None
    workers: dict[str, SimulatedWorker] = attrs.field(factory=dict)
    door: SimulatedDoor | None = None
    everything: trio.CancelScope = attrs.field(factory=trio.CancelScope)
    is_up: bool = False
    """Ready, and neither drained nor killed."""
    is_dead: bool = False
    """Killed: what its tasks still do on their way out is not done by anybody."""
    ended: trio.Event = attrs.field(factory=trio.Event)
    """For the outside: a killed process's tasks are still on their way out."""
    left: Path = attrs.field(init=False)
    """Once it has ended: the folder that the next one starts with."""
    _stop: trio.Event = attrs.field(factory=trio.Event)
    _failures: Failures = attrs.field(factory=Failures)

    def __attrs_post_init__(self) -> None:
        self.left = self.data
        self.channels = system.Channels(
            ticks=WatchedTopic("ticks", self._ticked),
            user_events=WatchedTopic("user_events", self._told),
        )

    async def run(self) -> None:
        """Until it has ended and nothing of it is left."""
        PROCESS.set(self)
        self._witness.starting(self)
        how = "start_failed"
        try:
            with ExitStack() as stack:
                how = await self._live(self._open(stack))
        except (CannotDo, sqlite3.Error, OSError) as error:
            self._could_not(error)
        self._end(how)
        if self.left != self.data:
            shutil.rmtree(self.data)

    @property
    def is_running(self) -> bool:
        """Is there something to kill?"""
        return not self.ended.is_set()

    def drain(self) -> None:
        """SIGTERM."""
        self.is_up = False
        self._stop.set()

    def kill(self, how: str = "killed") -> None:
        """SIGKILL: what is on disk now is all that the next process finds."""
        if self.ended.is_set():
            return
        self.left = self.world.folder / f"data-{self.number + 1}"
        shutil.copytree(self.data, self.left)
        if self.door is not None:
            self.door.kill()
        self._end(how)
        self.is_dead = True
        self.everything.cancel()

    # --- its life ---------------------------------------------------------------------------

    async def _live(self, ports: system.Ports) -> str:
        """Run the tree on those ports; how it ended."""
        spec = system.tree(
            self.channels,
            ports,
            venue_settings(self.settings, token=OPS_TOKEN, version="simulated"),
            status=lambda: supervisor.status(),
            restart=lambda path: supervisor.restart_child(path),
        )
        supervisor = Supervisor(spec, chance=ports.chance, report=self._report)
        self.ports, self.supervisor = ports, supervisor
        how = "stopped"
        try:
            with self.everything:
                async with trio.open_nursery() as nursery:
                    for worker in self.workers.values():
                        worker.threads = nursery
                    nursery.start_soon(self._drain, supervisor, nursery.cancel_scope)
                    await nursery.start(partial(_tree, supervisor))
                    self._up()
                    self._leave_if_stuck(await supervisor.wait_stopped())
                    nursery.cancel_scope.cancel()
        except* StartFailed:
            how = "start_failed"
        except* GaveUp:
            how = "gave_up"
            self._gave_up(ROOT, "")
        except* DrainCut:
            how = "drain_cut"
        return how

    def _could_not(self, error: Exception) -> None:
        """It could not open its ports, or not close them."""
        if self.is_dead:
            return
        self.world.happened("venue_failed", type(error).__name__)
        told = f"{type(error).__name__}: {error}"
        if not is_explained(self.world, NO_ROOM):
            self.world.violated("venue_failed", told)
        elif isinstance(error, CannotDo) and error.exit_code in NOT_RESTARTED:
            self.world.violated("left_down", f"{told} (exit code {error.exit_code})")

    async def _drain(self, supervisor: Supervisor, everything: trio.CancelScope) -> None:
        """As serve's, without a second signal."""
        await self._stop.wait()
        began_s = self.world.now_s()
        self.world.happened("draining", self.number)
        self.channels.draining.set(True)
        supervisor.request_stop()
        self._witness.draining(self)
        await trio.sleep(self.settings.venue.drain_within_s)
        self.world.happened("drain_cut", self.number)
        if not is_slowed_since(self.world, began_s):
            self.world.violated("drain_cut", f"process {self.number}: {supervisor.status()}")
        everything.cancel()
        stuck: tuple[str, ...] = ("venue",)
        with trio.move_on_after(CUT_WITHIN_S, shield=True):
            stuck = await supervisor.wait_stopped()
        self._leave_if_stuck(stuck)
        raise DrainCut

    def _leave_if_stuck(self, paths: tuple[str, ...]) -> None:
        if paths:
            self.world.happened("actors_stuck", *paths)
            if not is_explained(self.world, HELD_UP, least_s=STUCK_S):
                self.world.violated("actors_stuck", paths)
            self.kill("forced")

    def _up(self) -> None:
        if self.is_dead or self._stop.is_set():
            return
        self.is_up = True
        self.world.process = self
        self.world.happened("venue_up", self.number)
        self._witness.venue_up(self)

    def _end(self, how: str) -> None:
        """For the outside it has ended."""
        self.is_up = False
        if self.ended.is_set():
            return
        self.ended.set()
        if self.world.process is self:
            self.world.process = None
        self.world.happened("venue_ended", self.number, how)
        self._witness.venue_ended(self, how)

    # --- its outside ------------------------------------------------------------------------

    def _open(self, stack: ExitStack) -> system.Ports:
        world = self.world
        folder = DataFolder.open(
            self.data, mode=self.settings.venue.mode, chain_id=self.settings.venue.chain_id
        )
        stack.enter_context(folder.lock())
        outside = Outside(
            clock=world.clock,
            chance=world.draws("venue", self.number),
            probe=world.disk,
            objects=world.objects.bucket(is_dead=lambda: self.is_dead),
            worker=self._worker,
        )
        self.door = world.network.open_door(self.number)
        stack.callback(self.door.kill)
        opening = opened_ports(
            self.settings,
            folder,
            sources=world.exchange.sources,
            doors=(self.door,),
            outside=outside,
        )
        ports = stack.enter_context(opening)
        if self.settings.store.url != MEMORY:
            ports = attrs.evolve(ports, store=self._shared_store())
        watched = WatchedLedger(ledger=ports.ledger, committed=self._committed)
        writer = WatchedWriter(
            worker=ports.ledger_writes, recover=watched.recover, submitted=self._submitted
        )
        return attrs.evolve(ports, ledger=watched, ledger_writes=writer)

    def _shared_store(self) -> StoreConnection:
        return self.world.store.connection(
            answer_within_ms=self.settings.store.answer_within_ms,
            tell=tell_store,
            is_dead=lambda: self.is_dead,
        )

    def _worker(self, name: str, /, *, abandons: bool = False, quiet: bool = False) -> Worker:
        worker = SimulatedWorker(self.world, name, life=self.number, abandons=abandons)
        self.workers[name] = worker
        return worker

    # --- who looks on -----------------------------------------------------------------------

    @property
    def _witness(self) -> Observer:
        """Of what a dead process does nobody hears."""
        return NOBODY if self.is_dead else self.world.witness

    def _submitted(self) -> None:
        self._witness.submitted(self)

    def _committed(
        self, commands: Sequence[LedgerCommand], outcomes: Sequence[MoneyOutcome], at_ms: int
    ) -> None:
        if not self.is_dead:
            for command, outcome in zip(commands, outcomes, strict=True):
                self.world.trace.add("commit", at_ms, type(command).__name__, outcome)
        self._witness.committed(self, commands, outcomes, at_ms)

    def _ticked(self, tick: Tick) -> None:
        self._witness.ticked(self, tick)

    def _told(self, entry: StreamEntry) -> None:
        self._witness.told(self, entry)

    def _report(self, ended: ExitReport) -> None:
        self._witness.actor_ended(self, ended)
        if ended.type == "GaveUp":
            self._gave_up(ended.child, ended.message)
        self._failures.note(self.world.now_s(), ended)
        is_over = self.is_dead or bool(self.world.violations)
        if is_over or ended.reason in (Reason.NORMAL, Reason.SHUTDOWN):
            return
        self.world.happened("actor_failed", ended.child, ended.reason.value)
        if not is_end_explained(self.world, ended) and not self._waits_for_nobody(ended):
            told = f"{ended.child} {ended.reason} {ended.context} {ended.message}\n{ended.stack}"
            self.world.violated("actor_failed", told)

    def _gave_up(self, supervisor: str, why: str) -> None:
        if not self.is_dead and not self._failures.were_too_many(supervisor):
            self.world.violated("gave_up_early", f"{supervisor}: {why}")

    def _waits_for_nobody(self, ended: ExitReport) -> bool:
        """Was it told to stop, with a question to a Batcher that is no more, and cut off?"""
        if self.supervisor is None or ended.child not in ASK_THE_BATCHER:
            return False
        is_cut_off = ended.reason is Reason.KILLED and ended.context is Context.STOPPING
        return is_cut_off and any(
            isinstance(child, ChildStatus) and child.path == BATCHER and not child.waiting_on
            for child in self.supervisor.status().children
        )


async def _tree(
    supervisor: Supervisor, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    await supervisor.run(task_status=task_status)
