"""The twin of the disk: how full it is, and what happens to writes when it is."""

import attrs

from domain.disk import DiskUse


@attrs.define
class SimulatedDisk:
    """A DiskProbe that says what the run wants."""

    use: DiskUse = attrs.field(factory=lambda: DiskUse(total_bytes=10**12, free_bytes=9 * 10**11))

    def look(self) -> DiskUse:
        """How full it is."""
        return self.use
