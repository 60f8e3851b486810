"""What forbids a trader's bets and withdrawals, as far as he was told that it holds.

Pure. A maximum that he has set can be raised, and a pause be ended, a day later only. So the lowest
maximum and the latest end that he was told of hold for a day from then on.
"""

from collections.abc import Sequence
from typing import Final, TypeAlias

import attrs

from simulation.people.books import Complain, Json, Ticket

DAY_MS: Final = 86_400_000
HOLDS_FOR_S: Final = 23 * 3_600
"""A day, less what the clock may have been wrong by: then it may have been raised."""
Known: TypeAlias = tuple[int, float]
"""What holds, and since when he knows: by the run's clock, as all that ends in `_s` here."""


class Bounds:
    """Of one trader."""

    def __init__(self, complain: Complain) -> None:
        self._complain = complain
        self.stake_max: Known | None = None
        self.loss_day_max: Known | None = None
        self.paused_until_ms: Known | None = None
        """By the venue's clock."""
        self.frozen_since_s: float | None = None
        """Since when the operator knows that he is; None as soon as that may be over."""
        self.under_loss_max: dict[str, int] = {}
        """His bets that were sent when he knew of a maximum of losses, by nonce: which one."""

    def told_limits(self, asked: Json, now_s: float) -> None:
        """The venue has taken a change of his limits."""
        stake_max, loss_max = asked.get("stake_max_micros"), asked.get("loss_day_max_micros")
        if stake_max is not None and (self.stake_max is None or stake_max < self.stake_max[0]):
            self.stake_max = stake_max, now_s
        if loss_max is not None and (self.loss_day_max is None or loss_max < self.loss_day_max[0]):
            self.loss_day_max = loss_max, now_s
        until_ms = asked.get("paused_until_ms")
        is_later = self.paused_until_ms is None or (until_ms or 0) > self.paused_until_ms[0]
        if until_ms is not None and is_later:
            self.paused_until_ms = until_ms, now_s

    def bet_taken(
        self, ticket: Ticket, taken: Json, *, sent_s: float, held_since_s: float | None
    ) -> None:
        """None of what would have forbidden it may have been so all the while."""
        if ticket.sends > 1:  # an earlier one may have been taken, before
            return
        if self.stake_max is not None:
            most_micros, known_s = self.stake_max
            if ticket.stake_micros > most_micros and _holds(known_s, sent_s):
                self._complain("a_limit_does_not_hold", (most_micros, ticket.fields))
        if self.paused_until_ms is not None:
            until_ms, known_s = self.paused_until_ms
            if taken["placed_at_ms"] < until_ms and _holds(known_s, sent_s):
                self._complain("a_pause_does_not_hold", (until_ms, taken))
        if self.loss_day_max is not None and _holds(self.loss_day_max[1], sent_s):
            self.under_loss_max[ticket.nonce] = self.loss_day_max[0]
        for what, since_s in (
            ("a_bet_while_held", held_since_s),
            ("a_frozen_account_bets", self.frozen_since_s),
        ):
            if since_s is not None and since_s < sent_s:
                self._complain(what, (since_s, sent_s, ticket.fields))

    def withdrawal_taken(self, body: Json, *, sent_s: float) -> None:
        """The first request of one was taken."""
        if self.frozen_since_s is not None and self.frozen_since_s < sent_s:
            self._complain("a_frozen_account_withdraws", (self.frozen_since_s, sent_s, body))

    def compare_losses(self, bets: Sequence[Json]) -> None:
        """None of his bets has brought the day's loss above what he had set before.

        The loss is at least this: the stakes since then, less all that came back on that day.
        """
        under = [bet for bet in bets if bet["nonce"] in self.under_loss_max]
        for bet in under:
            at_ms, day = bet["placed_at_ms"], bet["placed_at_ms"] // DAY_MS
            staked = bet["stake_micros"] + sum(
                other["stake_micros"]
                for other in under
                if other["placed_at_ms"] < at_ms and other["placed_at_ms"] // DAY_MS == day
            )
            back = sum(
                other["payout_micros"] or 0
                for other in bets
                if (other["resolved_at_ms"] or 0) // DAY_MS == day
                and other["resolved_at_ms"] <= at_ms
            )
            if staked - back > self.under_loss_max[bet["nonce"]]:
                self._complain("a_loss_limit_does_not_hold", (staked, back, bet))


def _holds(known_s: float, sent_s: float) -> bool:
    return known_s < sent_s < known_s + HOLDS_FOR_S


@attrs.define(kw_only=True)
class Cashing:
    """A withdrawal that he has asked for."""

    amount_micros: int
    destination: str
    is_taken: bool = False
    """... says the venue."""
    is_refused: bool = False
    """It was certainly not taken."""
