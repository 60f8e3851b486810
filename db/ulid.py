"""ULIDs: 26 characters of time and chance that sort in the order they were made.

48 bits of milliseconds, then 80 bits of chance, in Crockford's base 32. Rows whose ids grow are
appended to their index instead of strewn over it.
"""

from typing import Final

from domain.units import EpochMs
from protocols.ports import Chance

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PAIRS: Final = [high + low for high in _ALPHABET for low in _ALPHABET]
_LOW_BITS: Final = 20
"""The last four characters: all that differs between neighbours in a block."""


class UlidMaker:
    """Makes ULIDs that grow, within a millisecond and when the clock steps back too."""

    def __init__(self, chance: Chance) -> None:
        self._chance = chance
        self._last = 0

    def make(self, at_ms: EpochMs) -> str:
        """One ULID."""
        return self.take(1, at_ms)[0]

    def take(self, count: int, at_ms: EpochMs) -> list[str]:
        """`count` ULIDs in growing order; `at_ms` counts unless it lies behind the last one."""
        if at_ms > self._last >> 80:
            # One bit less than there is room for: a block can then never run into the next
            # millisecond.
            tail = int.from_bytes(self._chance.token_bytes(10), "big") >> 1
            self._last = (at_ms << 80) | tail
        first = self._last + 1
        self._last += count
        return _encoded(range(first, first + count))


def _encoded(values: range) -> list[str]:
    texts: list[str] = []
    head, prefix = -1, ""
    for value in values:
        if value >> _LOW_BITS != head:
            head = value >> _LOW_BITS
            prefix = "".join(_PAIRS[(head >> shift) & 1023] for shift in range(100, -1, -10))
        texts.append(prefix + _PAIRS[(value >> 10) & 1023] + _PAIRS[value & 1023])
    return texts
