"""Who starts the venue again when it has ended, as systemd would; and what strikes the process."""

from typing import Final

import trio

from config.settings import Settings, load
from simulation.process import VenueProcess
from simulation.scenario import Fault, FaultKind
from simulation.world import World

RESTART_AFTER_S: Final = 1.0
"""As the unit's RestartSec."""


class Keeper:
    """Keeps one process of the venue running until told to end."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._settings = settings_of(world)
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
                    world=self._world, number=number, data=data, settings=self._settings
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
        if fault.kind is FaultKind.KILL:
            self._stays_down_s = fault.lasts_s
            self._world.fault_took_effect(fault.kind)
            process.kill()
        elif fault.kind is FaultKind.DRAIN and process.is_up:
            self._stays_down_s = fault.lasts_s
            self._world.fault_took_effect(fault.kind)
            process.drain()

    async def end(self) -> None:
        """Drain it, and start it no more."""
        self._is_ending = True
        if self.process is not None:
            self.process.drain()
        await self._gone.wait()

    async def _stay_down(self) -> None:
        if not self._is_ending:
            await trio.sleep(RESTART_AFTER_S)
            await self._world.lasting(self._stays_down_s)
            self._stays_down_s = 0.0


def settings_of(world: World) -> Settings:
    """The demo's settings, with what the scenario says differently."""
    return load(flags=world.scenario.settings).settings
