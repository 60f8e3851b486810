"""The machine's wall clock, which a run may step. Waits go by trio's clock and do not notice."""

from domain.units import EpochMs
from supervisor import TrioClock


class SteppedClock:
    """A wall clock that is as far from the true time as it was stepped."""

    def __init__(self, true: TrioClock) -> None:
        self._true = true
        self.off_by_ms = 0

    def now_ms(self) -> EpochMs:
        """What the machine believes."""
        return self._true.now_ms() + self.off_by_ms
