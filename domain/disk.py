"""How full the disk is, and what follows from it.

At 70 % an operator is warned and the archive hurries, at 85 % no new bet is taken, at 95 % the
oldest verified partitions are deleted before their time.
"""

from enum import StrEnum
from typing import Final

import attrs


class DiskLevel(StrEnum):
    """What the fullness of the disk calls for; the order is of severity."""

    NORMAL = "normal"
    WARNING = "warning"
    """Archive early."""
    FULL = "full"
    """... and take no new bets."""
    EMERGENCY = "emergency"
    """... and delete the oldest verified partitions."""

    @property
    def severity(self) -> int:
        """0 for NORMAL; the larger the worse."""
        return _SEVERITY[self]

    @property
    def refuses_bets(self) -> bool:
        """Is there too little room to take on anything new?"""
        return self.severity >= DiskLevel.FULL.severity


_SEVERITY: Final = {level: number for number, level in enumerate(DiskLevel)}


@attrs.frozen(kw_only=True)
class DiskUse:
    """What a look at the data folder's file system found."""

    total_bytes: int
    free_bytes: int
    """What this user may still write."""
