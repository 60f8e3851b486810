"""A trader's session keys: what his wallet lets each stake, until when, and which he has had."""

from typing import Final

from simulation.draws import Draws
from simulation.people.books import Json
from simulation.people.wallets import USD, SessionKey, new_session_key

CAPS: Final = (
    ((1_000 * USD, 10_000_000 * USD), 4.0),
    ((10 * USD, 10_000_000 * USD), 1.0),
    ((1_000 * USD, 300 * USD), 1.0),
)
"""The most that a session key may stake, at once and in a day; and how many want it so."""
IS_SHORT: Final = 0.25
SHORT_S: Final = (30, 200)
LONG_S: Final = 20_000
"""Longer than a run of some hours."""


class Keys:
    """All that he ever had, to the newest."""

    def __init__(self, draws: Draws, ends: Draws) -> None:
        self._draws = draws
        self._ends = ends
        self.by_id: dict[str, SessionKey] = {}

    def make(self, at_ms: int) -> SessionKey:
        """A new one, to be authorised at that time of the venue."""
        lasts_s = self._ends.whole(*SHORT_S) if self._ends.happens(IS_SHORT) else LONG_S
        bet_max_micros, day_max_micros = self._draws.weighted(CAPS)
        return new_session_key(
            self._draws,
            bet_max_micros=bet_max_micros,
            day_max_micros=day_max_micros,
            until_s=at_ms // 1000 + lasts_s,
        )

    def add(self, key: SessionKey) -> None:
        """The venue has taken it."""
        self.by_id[key.key_id] = key

    def outlived(self, key_id: str | None, bet: Json) -> SessionKey | None:
        """The key that signed this bet, if it had ended when the bet was placed."""
        key = self.by_id.get(key_id or "")
        return key if key is not None and bet["placed_at_ms"] >= key.until_s * 1000 else None
