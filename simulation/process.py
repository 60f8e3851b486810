"""One process of the venue: opened, run, drained or killed, as `actors/commands/serve.py` does."""

from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Final

import attrs
import structlog
import trio

from actors import system
from actors.commands.opening import MEMORY, Outside, opened_ports, tell_store, venue_settings
from config.settings import Settings
from db.data_folder import DataFolder
from domain.ticks import Tick
from protocols.money import LedgerCommand, MoneyOutcome, StreamEntry
from protocols.ports import Worker
from simulation.network import SimulatedDoor
from simulation.store import StoreConnection
from simulation.watched import WatchedLedger
from simulation.watched_topic import WatchedTopic
from simulation.workers import SimulatedWorker
from simulation.world import World
from supervisor import ExitReport, GaveUp, Reason, StartFailed, Supervisor

log = structlog.get_logger("simulation")

OPS_TOKEN: Final = "operator-token-of-the-simulation-000000"


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

    def __attrs_post_init__(self) -> None:
        self.channels = system.Channels(
            ticks=WatchedTopic("ticks", self._ticked),
            user_events=WatchedTopic("user_events", self._told),
        )

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> str:
        """Until it ends: `stopped`, `killed`, `gave_up` or `start_failed`. Started when up."""
        ended = "stopped"
        for observer in self.world.witness.observers:
            observer.starting(self)
        with ExitStack() as stack:
            ports = self._open(stack)
            spec = system.tree(
                self.channels,
                ports,
                venue_settings(self.settings, token=OPS_TOKEN, version="simulated"),
                status=lambda: supervisor.status(),
                restart=lambda path: supervisor.restart_child(path),
            )
            supervisor = Supervisor(spec, chance=ports.chance, report=self._report)
            self.ports, self.supervisor = ports, supervisor
            try:
                with self.everything:
                    async with trio.open_nursery() as nursery:
                        await nursery.start(partial(self._tree, supervisor))
                        self._up()
                        task_status.started()
            except* (StartFailed, GaveUp) as failed:
                kinds = {type(error) for error in failed.exceptions}
                ended = "gave_up" if GaveUp in kinds else "start_failed"
            finally:
                self.is_up = False
        return "killed" if self.is_dead else ended

    def drain(self) -> None:
        """SIGTERM."""
        if self.supervisor is not None and self.is_up:
            self.is_up = False
            self.world.happened("draining", self.number)
            self.channels.draining.set(True)
            self.supervisor.request_stop()

    async def _tree(
        self, supervisor: Supervisor, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        await supervisor.run(task_status=task_status)

    def _up(self) -> None:
        self.is_up = True
        self.world.process = self
        self.world.happened("venue_up", self.number)
        for observer in self.world.witness.observers:
            observer.venue_up(self)

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
        return attrs.evolve(ports, ledger=watched)

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

    def _committed(
        self, commands: Sequence[LedgerCommand], outcomes: Sequence[MoneyOutcome], at_ms: int
    ) -> None:
        for command, outcome in zip(commands, outcomes, strict=True):
            self.world.trace.add("commit", at_ms, type(command).__name__, outcome)
        for observer in self.world.witness.observers:
            observer.committed(self, commands, outcomes, at_ms)

    def _ticked(self, tick: Tick) -> None:
        for observer in self.world.witness.observers:
            observer.ticked(self, tick)

    def _told(self, entry: StreamEntry) -> None:
        for observer in self.world.witness.observers:
            observer.told(self, entry)

    def _report(self, ended: ExitReport) -> None:
        for observer in self.world.witness.observers:
            observer.actor_ended(self, ended)
        well = ended.reason in (Reason.NORMAL, Reason.SHUTDOWN)
        if not well:
            self.world.happened("actor_failed", ended.child, ended.reason.value)
