"""Plays something recorded, or made up, against the venue's clock.

A played trade has an offset from the beginning of its pass. Its exchange time is the moment that
the pass began plus the offset, and it is due at that very moment, so that what is played is as
fresh as a live feed.
"""

from typing import Final

import trio

from domain.units import EpochMs
from protocols.ports import Clock

BEHIND_MAX_MS: Final = 1_000
"""Further behind (the machine slept, its clock was set, a reader held us up) the rest is shifted:
ticks are never stale because of what happened to us before."""


class Pace:
    """One pass, begun when it is made."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began_ms = clock.now_ms()

    async def wait_until(self, offset_ms: int) -> EpochMs:
        """Wait until the trade at `offset_ms` is due; its exchange time.

        Offsets must not decrease; then exchange times don't either.
        """
        due_ms = self._began_ms + offset_ms
        await trio.sleep(max(0, due_ms - self._clock.now_ms()) / 1000)
        behind_ms = self._clock.now_ms() - due_ms
        if behind_ms > BEHIND_MAX_MS:
            self._began_ms += behind_ms
            due_ms += behind_ms
        return due_ms
