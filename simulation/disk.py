"""The twin of the disk: how full it is, and what happens to writes when it is."""

from domain.disk import DiskUse
from simulation.scenario import Fault
from simulation.world import World


class SimulatedDisk:
    """A DiskProbe, and what SQLite finds when it writes."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.use = DiskUse(total_bytes=10**12, free_bytes=9 * 10**11)

    def look(self) -> DiskUse:
        """How full it is."""
        return self.use

    async def strike(self, fault: Fault) -> None:
        """Let it fail that way, for as long as it lasts."""
