"""While the venue drains no bet enters it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from protocols.money import BetConfirmed, LedgerCommand, MoneyOutcome
from simulation.observers.lives import Lives
from simulation.witness import Observer
from simulation.world import World

if TYPE_CHECKING:
    from simulation.process import VenueProcess

DIGITS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
TIME_CHARS: Final = 10
"""Of a ULID: the milliseconds at which it was made."""


class DrainObserver(Observer):
    """The Gateway names a bet just before it enters the mailbox, by the time."""

    def __init__(self, world: World, lives: Lives) -> None:
        self._world = world
        self._lives = lives
        self._began_ms = self._lives.now_ms()
        self._drains_since_ms: int | None = None

    def starting(self, process: "VenueProcess") -> None:
        self._began_ms = self._lives.now_ms()
        self._drains_since_ms = None

    def draining(self, process: "VenueProcess") -> None:
        self._drains_since_ms = self._world.clock.now_ms()

    def committed(
        self,
        process: "VenueProcess",
        commands: Sequence[LedgerCommand],
        outcomes: Sequence[MoneyOutcome],
        at_ms: int,
    ) -> None:
        since_ms = self._drains_since_ms
        if since_ms is None:
            return
        if len(self._lives.offsets_ms(self._lives.now_ms() - self._began_ms)) != 1:
            return  # names don't follow a clock that goes back
        for outcome in outcomes:
            if isinstance(outcome, BetConfirmed):
                self._world.counts["bet_while_draining"] += 1
                if named_ms(outcome.bet_id) > since_ms + 1:
                    self._world.violated(
                        "bet_entered_while_draining", f"{outcome}; draining since {since_ms}"
                    )


def named_ms(bet_id: str) -> int:
    """When a ULID was made."""
    made_ms = 0
    for char in bet_id[:TIME_CHARS]:
        made_ms = made_ms * len(DIGITS) + DIGITS.index(char)
    return made_ms
