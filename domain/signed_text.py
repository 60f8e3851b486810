"""The exact texts that wallets sign: of a bet (reference ADR-007), in two versions, and of a
withdrawal.

Version 2 of a bet adds the least rate the trader accepts and the quote he saw, so that the
signature binds the odds. A withdrawal has a heading and an action of its own: no signature can
stand for both.
"""

import attrs

from domain.units import Bps, EpochS, Micros

HEADING = "Tap Trading Bet"
WITHDRAWAL_HEADING = "Tap Trading Withdrawal"


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


@attrs.frozen(kw_only=True)
class WithdrawalText:
    """What a withdrawal signs. Only wallets sign it, never a session key."""

    amount_micros: Micros
    destination: str
    """A lower-case 0x address."""
    nonce: str
    timestamp_s: EpochS
    chain_id: int

    @property
    def version(self) -> int:
        """There is one."""
        return 1

    def render(self) -> str:
        """The text: lines joined by newlines, none at the end."""
        return "\n".join(
            [
                WITHDRAWAL_HEADING,
                "Action: withdraw",
                f"Amount: {self.amount_micros}",
                f"Destination: {self.destination}",
                f"Nonce: {self.nonce}",
                f"Timestamp: {self.timestamp_s}",
                f"Chain: {self.chain_id}",
                f"Version: {self.version}",
            ]
        )
