"""Trio's clock in a run: it stands still while anything can go on, and then goes to what is next.

Trio's own MockClock does the same, by a turn of the scheduler of its own for each jump, and by
asking for the real time whenever it is asked for its own. Here to be asked how long to sleep is to
be told that nothing can go on before `deadline`, so it is then that the time passes.
"""

import math
from collections.abc import Callable
from typing import Final

from trio.abc import Clock

FOR_EVER_S: Final = 999_999_999.0
"""What a MockClock says: there is nothing to wait for but what comes from outside."""


class VirtualClock(Clock):
    """Begins at 0. Calls `housekeeping` each time that so many seconds have passed, when no task
    can go on: it takes no turn of the scheduler, so the run is the same with it and without."""

    def __init__(
        self,
        *,
        every_s: float = math.inf,
        housekeeping: Callable[[], object] = lambda: None,
    ) -> None:
        self._now_s = 0.0
        self._every_s = every_s
        self._next_s = every_s
        self._housekeeping = housekeeping

    def start_clock(self) -> None:
        """It needs no start."""

    def current_time(self) -> float:
        """Venue seconds since the run began."""
        return self._now_s

    def deadline_to_sleep_time(self, deadline: float) -> float:
        """No real time at all. Trio asks when no task can go on."""
        if deadline == math.inf:
            return FOR_EVER_S
        self._now_s = max(self._now_s, deadline)
        if self._now_s >= self._next_s:
            self._next_s = self._now_s + self._every_s
            self._housekeeping()
        return 0.0
