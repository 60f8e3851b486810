"""The twin of Redis: outlives the venue's processes, may be down, slow, or lose everything."""

from simulation.scenario import Fault
from simulation.world import World


class SimulatedStore:
    """One key-value store; each process talks to it through a connection of its own."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def strike(self, fault: Fault) -> None:
        """Let it fail that way, for as long as it lasts."""
