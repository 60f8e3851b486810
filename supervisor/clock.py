"""What time it is, as a fact. Waits use trio's clock; this is for what is stored, signed and shown.

The only module that may read the machine's wall clock.
"""

import math
import time
from typing import Protocol

import trio


class Clock(Protocol):
    """Says what time it is."""

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC."""
        ...


class SystemClock:
    """The machine's clock. It may step, in either direction, when the machine corrects it."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000


class TrioClock:
    """Trio's clock, read as a wall clock that showed `epoch_ms` at trio's zero.

    A MockClock begins at zero, so under one every moment of a test has an exact date.
    """

    def __init__(self, epoch_ms: int) -> None:
        self._epoch_ms = epoch_ms

    def now_ms(self) -> int:
        # 1.001 s is 1000.9999999999999 ms as a float: a thousandth of a microsecond mends that.
        return self._epoch_ms + math.floor(trio.current_time() * 1000 + 1e-6)
