"""The witness: is told whatever happens, and holds it against the invariants.

Each fact goes to all observers; an observer that finds an invariant broken calls `world.violated`.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from domain.ticks import Tick
from protocols.money import LedgerCommand, MoneyOutcome, StreamEntry
from supervisor import ExitReport

if TYPE_CHECKING:
    from simulation.process import VenueProcess


class Observer:
    """What can be observed. Every method is called inside one step of the run and must not wait."""

    def starting(self, process: "VenueProcess") -> None:
        """A process begins; nothing of it runs yet."""

    def venue_up(self, process: "VenueProcess") -> None:
        """A process is ready."""

    def actor_ended(self, process: "VenueProcess", ended: ExitReport) -> None:
        """A life of one of its actors or supervisors has ended, well or not."""

    def ticked(self, process: "VenueProcess", tick: Tick) -> None:
        """The price feed has accepted a tick and publishes it."""

    def told(self, process: "VenueProcess", entry: StreamEntry) -> None:
        """The Batcher publishes an event for the traders' streams."""

    def draining(self, process: "VenueProcess") -> None:
        """It was told to stop."""

    def venue_ended(self, process: "VenueProcess", how: str) -> None:
        """`stopped`, `drain_cut`, `gave_up`, `start_failed`, its files closed; or in the middle of
        what it did, `killed`, or `forced` where an actor was stuck."""

    def submitted(self, process: "VenueProcess") -> None:
        """The Batcher has judged a batch and hands it to the ledger's worker: what it judged by is
        what the process's channels show now."""

    def committed(
        self,
        process: "VenueProcess",
        commands: Sequence[LedgerCommand],
        outcomes: Sequence[MoneyOutcome],
        at_ms: int,
    ) -> None:
        """A batch is on disk; nobody has been told yet. The file can be read."""

    def acknowledged(self, wallet: str, bet_id: str, answer: dict[str, object]) -> None:
        """A trader has just read that his bet is placed."""

    def event(self, wallet: str, frame: dict[str, object]) -> None:
        """A trader has just read an event of his private stream."""

    def finish(self) -> None:
        """All has come to its end and the last process has stopped: the last look."""


class Witness(Observer):
    """Passes what happens on to the observers, in their order."""

    def __init__(self) -> None:
        self.observers: list[Observer] = []

    def starting(self, process: "VenueProcess") -> None:
        for observer in self.observers:
            observer.starting(process)

    def venue_up(self, process: "VenueProcess") -> None:
        for observer in self.observers:
            observer.venue_up(process)

    def actor_ended(self, process: "VenueProcess", ended: ExitReport) -> None:
        for observer in self.observers:
            observer.actor_ended(process, ended)

    def ticked(self, process: "VenueProcess", tick: Tick) -> None:
        for observer in self.observers:
            observer.ticked(process, tick)

    def told(self, process: "VenueProcess", entry: StreamEntry) -> None:
        for observer in self.observers:
            observer.told(process, entry)

    def draining(self, process: "VenueProcess") -> None:
        for observer in self.observers:
            observer.draining(process)

    def venue_ended(self, process: "VenueProcess", how: str) -> None:
        for observer in self.observers:
            observer.venue_ended(process, how)

    def submitted(self, process: "VenueProcess") -> None:
        for observer in self.observers:
            observer.submitted(process)

    def committed(
        self,
        process: "VenueProcess",
        commands: Sequence[LedgerCommand],
        outcomes: Sequence[MoneyOutcome],
        at_ms: int,
    ) -> None:
        for observer in self.observers:
            observer.committed(process, commands, outcomes, at_ms)

    def acknowledged(self, wallet: str, bet_id: str, answer: dict[str, object]) -> None:
        for observer in self.observers:
            observer.acknowledged(wallet, bet_id, answer)

    def event(self, wallet: str, frame: dict[str, object]) -> None:
        for observer in self.observers:
            observer.event(wallet, frame)

    def finish(self) -> None:
        for observer in self.observers:
            observer.finish()


NOBODY: Final = Observer()
"""Hears of what a dead process still does on its way out."""
