"""When the ledger is next looked at as a whole."""

from typing import Final

from domain.units import EpochMs

FIRST_FULL_CHECK_AFTER_S: Final = 300
"""After a start that knows of no earlier full check. Each start has just checked what was written
since the last verified row; five minutes leave the disk to traders who come back, and a venue that
is restarted again and again does not read its whole ledger each time."""
FULL_CHECK_AGAIN_AFTER_S: Final = 900
"""After one that could not be carried out; a day without any would be long."""


def full_check_in_s(*, checked_at_ms: EpochMs, now_ms: EpochMs, every_s: int) -> float:
    """Seconds until the next full check, if the last one ended at `checked_at_ms` (0: none known).

    Between 0 and `every_s`, whatever the clock has done meanwhile.
    """
    if not checked_at_ms:
        return min(FIRST_FULL_CHECK_AFTER_S, every_s)
    left_s = every_s - (now_ms - checked_at_ms) / 1000
    return min(max(left_s, 0), every_s)
