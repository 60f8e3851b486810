"""An operator's override of the breaker holds, whatever becomes of the process: while `open` is
stored, nobody bets."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from protocols.market import Override
from protocols.money import BetConfirmed, KeepOverride, LedgerCommand, MoneyOutcome
from simulation.oracle.books import Books
from simulation.witness import Observer
from simulation.world import World

if TYPE_CHECKING:
    from simulation.process import VenueProcess


class OverrideObserver(Observer):
    """To be told before who keeps the books."""

    def __init__(self, world: World, books: Books) -> None:
        self._world = world
        self._books = books
        self._was_ordered = False
        """In this process; then it is in force a moment after it is stored."""
        self._is_in_force = False
        """Must the stored one be in force?"""

    def starting(self, process: "VenueProcess") -> None:
        self._was_ordered = self._is_in_force = False

    def venue_up(self, process: "VenueProcess") -> None:
        """What the life before has stored was put in force before anybody could bet."""
        self._is_in_force = self._is_in_force or not self._was_ordered

    def submitted(self, process: "VenueProcess") -> None:
        if process.channels.feed.value.override.value == self._books.override:
            self._is_in_force = True

    def committed(
        self,
        process: "VenueProcess",
        commands: Sequence[LedgerCommand],
        outcomes: Sequence[MoneyOutcome],
        at_ms: int,
    ) -> None:
        is_open = self._is_in_force and self._books.override == Override.OPEN.value
        if is_open:
            self._world.counts["batch_in_an_override"] += 1
        for command, outcome in zip(commands, outcomes, strict=True):
            if is_open and isinstance(outcome, BetConfirmed):
                self._world.violated("a_bet_against_the_override", f"{command} {outcome}")
        if any(isinstance(command, KeepOverride) for command in commands):
            self._was_ordered, self._is_in_force = True, False
