"""Group commit: when is a batch due?"""

import attrs


@attrs.frozen(kw_only=True)
class BatchRule:
    """Flush when `commands_max` wait or the oldest has waited `linger_ms`."""

    commands_max: int = 100
    linger_ms: int = 5

    def due(self, *, waiting: int, oldest_waited_ms: float) -> bool:
        """Is a batch of `waiting` commands due?"""
        return waiting >= self.commands_max or (waiting > 0 and oldest_waited_ms >= self.linger_ms)
