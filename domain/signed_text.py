"""The exact text that a bet signs (reference ADR-007), and its second version.

Version 2 adds the least rate the trader accepts and the quote he saw, so that the signature binds
the odds.
"""

import attrs

from domain.units import Bps, EpochS, Micros

HEADING = "Tap Trading Bet"


@attrs.frozen(kw_only=True)
class BetText:
    """What a bet signs; `least_bps` and `quote_n` are set in version 2 and only there.

    Raises ValueError if only one of the two is set: such a text would bind half of the odds.
    """

    cell_id: str
    stake_micros: Micros
    nonce: str
    timestamp_s: EpochS
    chain_id: int
    least_bps: Bps | None = None
    quote_n: int | None = None

    def __attrs_post_init__(self) -> None:
        if (self.least_bps is None) != (self.quote_n is None):
            raise ValueError("a bet text has both a least rate and a quote, or neither")

    @property
    def version(self) -> int:
        """1, or 2 when the odds are bound."""
        return 1 if self.quote_n is None else 2

    def render(self) -> str:
        """The text: lines joined by newlines, none at the end."""
        odds = [] if self.quote_n is None else [f"Rate: {self.least_bps}", f"Quote: {self.quote_n}"]
        return "\n".join(
            [
                HEADING,
                "Action: place_bet",
                f"Cell: {self.cell_id}",
                f"Amount: {self.stake_micros}",
                f"Nonce: {self.nonce}",
                f"Timestamp: {self.timestamp_s}",
                f"Chain: {self.chain_id}",
                *odds,
                f"Version: {self.version}",
            ]
        )
