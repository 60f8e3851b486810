"""Randomness for keys, nonces and the jitter of reconnects.

The only module of the client that draws any. Hand in another `Chance` for runs that can be
repeated; never for keys that hold money.
"""

import secrets
import uuid
from typing import Final, Protocol


class Chance(Protocol):
    """A source of randomness."""

    def random(self) -> float:
        """Evenly from [0, 1)."""
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

    def token_bytes(self, n: int) -> bytes:
        return secrets.token_bytes(n)


SYSTEM: Final[Chance] = SystemChance()
"""What is used where nothing else is handed in."""


def new_nonce(chance: Chance) -> str:
    """A UUID of version 4 in its one canonical spelling."""
    return str(uuid.UUID(bytes=chance.token_bytes(16), version=4))


def new_secret(chance: Chance, order: int) -> int:
    """A private key of a curve of that order: evenly from 1 to order - 1."""
    while True:
        drawn = int.from_bytes(chance.token_bytes(32), "big")
        if 0 < drawn < order:
            return drawn
