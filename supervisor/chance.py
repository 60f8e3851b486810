"""Where randomness comes from: ids, nonces and jitter are drawn from a `Chance` that is handed in.

The only module that may use the machine's randomness.
"""

import random
import secrets
from typing import Protocol


class Chance(Protocol):
    """A source of randomness."""

    def random(self) -> float:
        """Evenly from [0, 1)."""
        ...

    def uniform(self, a: float, b: float) -> float:
        """Evenly from a to b."""
        ...

    def token_bytes(self, n: int) -> bytes:
        """`n` random bytes."""
        ...


class SystemChance:
    """The operating system's randomness, fit for secrets."""

    def __init__(self) -> None:
        self._source = secrets.SystemRandom()

    def random(self) -> float:
        return self._source.random()

    def uniform(self, a: float, b: float) -> float:
        return self._source.uniform(a, b)

    def token_bytes(self, n: int) -> bytes:
        return secrets.token_bytes(n)


class SeededChance:
    """The same draws for the same seed: for tests and simulation, never for secrets."""

    def __init__(self, seed: int) -> None:
        self._source = random.Random(seed)

    def random(self) -> float:
        return self._source.random()

    def uniform(self, a: float, b: float) -> float:
        return self._source.uniform(a, b)

    def token_bytes(self, n: int) -> bytes:
        return self._source.randbytes(n)
