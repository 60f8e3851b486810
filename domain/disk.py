"""How full the disk is, and what follows from it.

At 70 % an operator is warned and the archive hurries, at 85 % no new bet is taken, at 95 % the
oldest verified partitions are deleted before their time. A level is reached at its percentage, and
left only when use is two points below it, so that a disk at the brink does not open and close
betting with every file that comes and goes.
"""

from enum import StrEnum
from typing import Final

import attrs

HYSTERESIS_POINTS: Final = 2
"""Of a small disk of 40 GB they are 800 MB: hours of bets, and more than any working file of the
venue that comes and goes by itself."""
HYSTERESIS_AMPLE_PERCENT: Final = 10
"""So much more than ample must be free before a level is left for that reason."""


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
    """What is used and what this user may still write, together. Blocks that are kept for root are
    in neither, so that the percentage is the one that `df` shows (which rounds it up)."""
    free_bytes: int
    """What this user may still write."""

    @property
    def used_bytes(self) -> int:
        return self.total_bytes - self.free_bytes


@attrs.frozen(kw_only=True)
class DiskThresholds:
    """At which use, in percent, each level is reached."""

    warning_percent: int = 70
    full_percent: int = 85
    emergency_percent: int = 95
    ample_free_bytes: int = 0
    """As long as so much is free no percentage counts; 0: they always do. A laptop's disk that is
    90 % full with 100 GB to spare is no reason to refuse bets."""

    def __attrs_post_init__(self) -> None:
        if not 0 < self.warning_percent < self.full_percent < self.emergency_percent <= 100:
            raise ValueError(f"{self}: the percentages must rise, from above 0 to 100 at most")
        if self.ample_free_bytes < 0:
            raise ValueError(f"{self}: ample_free_bytes can't be negative")


def disk_level(use: DiskUse, thresholds: DiskThresholds, *, before: DiskLevel) -> DiskLevel:
    """The level after a look, if it was `before` until then.

    A disk that gets fuller counts at once; one that gets emptier when it is clear of the threshold.
    """
    reached = _reached(use, thresholds, points_below=0, ample=thresholds.ample_free_bytes)
    clear_of = thresholds.ample_free_bytes * (100 + HYSTERESIS_AMPLE_PERCENT) // 100
    held = _reached(use, thresholds, points_below=HYSTERESIS_POINTS, ample=clear_of)
    return max(reached, min(before, held, key=_severity), key=_severity)


def _reached(
    use: DiskUse, thresholds: DiskThresholds, *, points_below: int, ample: int
) -> DiskLevel:
    if 0 < ample <= use.free_bytes:
        return DiskLevel.NORMAL
    percentages = {
        DiskLevel.EMERGENCY: thresholds.emergency_percent,
        DiskLevel.FULL: thresholds.full_percent,
        DiskLevel.WARNING: thresholds.warning_percent,
    }
    for level, percent in percentages.items():
        if use.used_bytes * 100 >= (percent - points_below) * use.total_bytes:
            return level
    return DiskLevel.NORMAL


def _severity(level: DiskLevel) -> int:
    return level.severity
