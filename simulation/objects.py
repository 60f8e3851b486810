"""The twin of S3: outlives the venue's processes; calls may fail half-way, or lie."""

from simulation.scenario import Fault
from simulation.world import World


class SimulatedObjects:
    """One bucket."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def strike(self, fault: Fault) -> None:
        """Let it fail that way, for as long as it lasts."""
