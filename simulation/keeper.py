"""Who starts the venue again when it has ended, as systemd would; and what strikes the process."""

from typing import Final

import trio

from config.settings import Settings, load
from simulation.crashes import Crash
from simulation.process import PROCESS, VenueProcess
from simulation.scenario import Fault, FaultKind
from simulation.world import World

RESTART_AFTER_S: Final = 1.0
"""As the unit's RestartSec."""
MOMENT_WITHIN_S: Final = 60
"""So long a fault waits for the step at which it is to strike."""
CUT_OFF_WITHIN_S: Final = 30
"""A drain has its time; then 3 s, and whoever still hangs is left behind."""


class Keeper:
    """Keeps one process of the venue running until told to end."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.settings = settings_of(world)
        self._is_ending = False
        self._stays_down_s = 0.0
        self._gone = trio.Event()
        self.process: VenueProcess | None = None
        """The one that starts, runs or stops now."""

    async def run(self) -> None:
        """Start it again and again. What a killed one leaves behind ends beside the next one."""
        data, number = self._world.folder / "data-1", 0
        async with trio.open_nursery() as nursery:
            while not self._is_ending:
                number += 1
                process = VenueProcess(
                    world=self._world, number=number, data=data, settings=self.settings
                )
                self.process = process
                nursery.start_soon(process.run)
                await process.ended.wait()
                self.process, data = None, process.left
                await self._stay_down()
            self._gone.set()

    async def strike(self, fault: Fault) -> None:
        """Crash, hang, kill or drain it."""
        process = self.process
        if process is None:
            return
        match fault.kind:
            case FaultKind.KILL if fault.amount:
                await self._kill_inside(process, fault)
            case FaultKind.KILL:
                self._kill(process, fault)
            case FaultKind.DRAIN:
                self._stays_down_s = fault.lasts_s
                self._world.fault_took_effect(fault.kind)
                process.drain()
            case FaultKind.ACTOR_CRASH:
                await self._crash(process, fault)
            case FaultKind.ACTOR_HANG if fault.target in process.workers:
                await process.workers[fault.target].hang(fault.lasts_s)

    def _kill(self, process: VenueProcess, fault: Fault, at: str = "") -> None:
        if process.is_running:
            self._stays_down_s = fault.lasts_s
            self._world.fault_took_effect(fault.kind, at)
            process.kill()

    async def _kill_inside(self, process: VenueProcess, fault: Fault) -> None:
        """Kill it in the middle of a call, before that step on the disk."""
        disk = self._world.disk

        def act(step: str) -> None:
            if PROCESS.get() is process:
                self._kill(process, fault, step)
            elif process.is_running:
                disk.at_step(1, act)  # somebody else's step: its own next one

        disk.at_step(fault.amount, act)
        await self._until(process.ended)
        disk.forget_step(act)

    async def _crash(self, process: VenueProcess, fault: Fault) -> None:
        """Arm a crash; where the actor has nothing to do for long it never comes to it."""
        crash = Crash(process, fault.target, fault.amount)
        trio.lowlevel.add_instrument(crash)
        await self._until(crash.struck)
        trio.lowlevel.remove_instrument(crash)
        if crash.struck.is_set():
            self._world.fault_took_effect(fault.kind, fault.target, fault.amount)

    async def _until(self, done: trio.Event) -> None:
        """Wait for it, for the time that a fault waits for its moment, or for the calm."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_cancel_after, done, nursery.cancel_scope)
            await self._world.lasting(MOMENT_WITHIN_S)
            nursery.cancel_scope.cancel()

    async def end(self) -> None:
        """Drain it, and start it no more."""
        self._is_ending = True
        if self.process is not None:
            self.process.drain()
        with trio.move_on_after(self.settings.venue.drain_within_s + CUT_OFF_WITHIN_S):
            await self._gone.wait()
        if not self._gone.is_set():
            self._world.violated("venue_never_ends", "told to, and cut off when it did not")
            await trio.lowlevel.checkpoint()  # there is no more to look at

    async def _stay_down(self) -> None:
        if not self._is_ending:
            await trio.sleep(RESTART_AFTER_S)
            await self._world.lasting(self._stays_down_s)
            self._stays_down_s = 0.0


def settings_of(world: World) -> Settings:
    """The demo's settings, with what the scenario says differently."""
    return load(flags=world.scenario.settings).settings


async def _cancel_after(done: trio.Event, scope: trio.CancelScope) -> None:
    await done.wait()
    scope.cancel()
