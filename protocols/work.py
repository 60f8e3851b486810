"""Following work on another thread: how far it is, and the word that ends it."""

import attrs

from protocols.ports import WorkStopped


@attrs.define
class FollowedWork:
    """Implements `protocols.ports.Work`: goes on until told to end.

    Its steps come from the thread that works; whoever follows it reads and tells from another.
    """

    done_bytes: int = 0
    total_bytes: int = 0
    told: bool = False

    def step(self, done_bytes: int, total_bytes: int) -> None:
        """Raises WorkStopped when it was told to end."""
        if self.told:
            raise WorkStopped
        self.done_bytes, self.total_bytes = done_bytes, total_bytes
