"""The trace of a run: one line for all that happened, in order, and a hash over all lines.

Two runs of a scenario are the same run if their hashes are. A line holds times, numbers and texts
only: nothing whose text has an address of memory, an unordered set, or a signature in it.
"""

import hashlib
from collections import deque
from typing import Final, TextIO

import trio

KEPT_LINES: Final = 400
"""Shown with a failure: what came just before it."""


class Trace:
    """Collects the lines. With `to`, each is written there as well."""

    def __init__(self, to: TextIO | None = None) -> None:
        self._hash = hashlib.sha256()
        self._to = to
        self.last: deque[str] = deque(maxlen=KEPT_LINES)

    def add(self, what: str, *facts: object) -> None:
        """One line: the venue time, what it was, its facts."""
        line = f"{trio.current_time():.6f} {what} {' '.join(map(str, facts))}".rstrip()
        self._hash.update(line.encode())
        self._hash.update(b"\n")
        self.last.append(line)
        if self._to is not None:
            self._to.write(line + "\n")

    def hexdigest(self) -> str:
        """The hash so far."""
        return self._hash.hexdigest()
