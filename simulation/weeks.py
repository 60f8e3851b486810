"""The turn of the week, after which the money is kept in a new file. The date of a run makes it."""

from typing import Final

import trio

from db.partition import file_name
from simulation.scenario import Fault
from simulation.world import World

TURNS_WITHIN_S: Final = 60.0


async def turn(world: World, fault: Fault) -> None:
    """Nothing is struck: the date does it. Seen to have happened by the ledger's new file."""
    begins_ms = world.scenario.epoch_ms + round(fault.at_s * 1000)
    before, new = file_name(begins_ms - 1), file_name(begins_ms)
    with trio.move_on_after(TURNS_WITHIN_S):
        while before != new and not world.calm.is_set():
            if _partition(world) == new:
                world.fault_took_effect(fault.kind, before, new)
                return
            await trio.sleep(0.25)


def _partition(world: World) -> str:
    process = world.process
    if process is None or process.ports is None or not process.is_up:
        return ""
    return process.ports.ledger.partition()
