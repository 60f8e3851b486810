"""Randomness of a run: one stream of draws for each purpose, all from the one seed.

Since no two purposes share a stream, leaving a fault out, as shrinking does, changes no price and
no trader.
"""

import hashlib
from collections.abc import Sequence
from typing import TypeVar

from supervisor import Chance, SeededChance

T = TypeVar("T")


def stream(seed: int, *purpose: object) -> "Draws":
    """The stream of draws of that purpose, the same in every process."""
    named = ":".join(str(part) for part in (seed, *purpose))
    return Draws(SeededChance(int.from_bytes(hashlib.sha256(named.encode()).digest()[:8], "big")))


class Draws:
    """What is drawn, in the words of whoever draws. Also a `Chance`, for what wants one."""

    def __init__(self, chance: Chance) -> None:
        self._chance = chance

    def random(self) -> float:
        """Evenly from [0, 1)."""
        return self._chance.random()

    def uniform(self, a: float, b: float) -> float:
        """Evenly from a to b."""
        return self._chance.uniform(a, b)

    def token_bytes(self, count: int) -> bytes:
        """`count` random bytes."""
        return self._chance.token_bytes(count)

    def whole(self, lowest: int, highest: int) -> int:
        """Evenly one of lowest..highest, both in."""
        return lowest + int(self.random() * (highest - lowest + 1))

    def happens(self, probability: float) -> bool:
        """True with that probability."""
        return self.random() < probability

    def one_of(self, choices: Sequence[T]) -> T:
        """Evenly one of them."""
        return choices[self.whole(0, len(choices) - 1)]

    def weighted(self, choices: Sequence[tuple[T, float]]) -> T:
        """One of them, by weight."""
        left = self.random() * sum(weight for _, weight in choices)
        for choice, weight in choices:
            left -= weight
            if left < 0:
                return choice
        return choices[-1][0]
