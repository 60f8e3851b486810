"""Group commit: when is a batch due?"""

import attrs


@attrs.frozen(kw_only=True)
class BatchRule:
    """A batch is due when `commands_max` wait or the oldest has waited `linger_ms`."""

    commands_max: int = 100
    linger_ms: int = 5

    def is_full(self, waiting: int) -> bool:
        """Are that many commands a batch, however short they have waited?"""
        return waiting >= self.commands_max

    def due_at(self, oldest_arrived_at: float) -> float:
        """When a batch that is not full is due, in seconds of the clock of `oldest_arrived_at`."""
        return oldest_arrived_at + self.linger_ms / 1000
