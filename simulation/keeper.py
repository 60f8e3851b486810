"""Who starts the venue again when it has ended, as systemd would."""

from typing import Final

import trio

from config.settings import Settings, load
from simulation.process import VenueProcess
from simulation.scenario import Fault
from simulation.world import World

RESTART_AFTER_S: Final = 1.0


class Keeper:
    """Keeps one process of the venue running until told to end."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._settings = settings_of(world)
        self._is_ending = False
        self._gone = trio.Event()

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Start it again and again. Started when it is up for the first time."""
        number = 0
        while not self._is_ending:
            number += 1
            process = VenueProcess(
                world=self._world,
                number=number,
                data=self._world.folder / "data",
                settings=self._settings,
            )
            ended = await process.run(task_status if number == 1 else trio.TASK_STATUS_IGNORED)
            self._world.happened("venue_ended", number, ended)
            if not self._is_ending:
                await trio.sleep(RESTART_AFTER_S)
        self._gone.set()

    async def strike(self, fault: Fault) -> None:
        """Crash, hang, kill or drain it, or step its clock."""

    async def end(self) -> None:
        """Drain it, and start it no more."""
        self._is_ending = True
        if self._world.process is not None:
            self._world.process.drain()
        await self._gone.wait()


def settings_of(world: World) -> Settings:
    """The demo's settings, with what the scenario says differently."""
    return load(flags=world.scenario.settings).settings
