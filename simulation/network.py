"""The twin of the network: connections in memory, which may be slow, stall, or be cut."""

from simulation.scenario import Fault
from simulation.world import World


class SimulatedNetwork:
    """Between the traders and whatever process of the venue is there."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def strike(self, fault: Fault) -> None:
        """Let it fail that way, for as long as it lasts."""
