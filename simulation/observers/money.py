"""Watches the money: after every commit the files are read, and must add up with all before."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from db.partition import current_file
from protocols.money import LedgerCommand, MoneyOutcome
from simulation.observers.answers import Terms, check_answer
from simulation.observers.orders import check_orders, standing
from simulation.oracle.books import Books, Caps
from simulation.oracle.ledger_file import BROKE, LedgerFile
from simulation.oracle.recheck import recheck
from simulation.witness import Observer
from simulation.world import World

if TYPE_CHECKING:
    from simulation.process import VenueProcess

RECHECK_EVERY_S: Final = 120.0


class MoneyObserver(Observer):
    """Keeps the books beside the venue."""

    def __init__(self, world: World, caps: Caps, terms: Terms) -> None:
        self._world = world
        self._terms = terms
        self._file: LedgerFile | None = None
        self._is_open = False
        self._rechecked_s = 0.0
        self._left: Path | None = None
        """What the last process left behind."""
        self._has_looked = False
        """In this process; what the last one did in its last moments was seen then."""
        self.books = Books(caps)

    # --- told -------------------------------------------------------------------------------

    def venue_up(self, process: "VenueProcess") -> None:
        self._look(process.data)
        self._recheck()
        self._report()

    def committed(
        self,
        process: "VenueProcess",
        commands: Sequence[LedgerCommand],
        outcomes: Sequence[MoneyOutcome],
        at_ms: int,
    ) -> None:
        before = standing(self.books) if self._has_looked else None
        self._look(process.data, process.ports.ledger.partition() if process.ports else "")
        for command, outcome in zip(commands, outcomes, strict=True):
            check_answer(self.books, self._terms, command, outcome, at_ms)
        if before is not None:
            check_orders(self.books, before, commands, outcomes)
        if self._world.now_s() - self._rechecked_s >= RECHECK_EVERY_S:
            self._recheck()
        self._report()

    def venue_ended(self, process: "VenueProcess", how: str) -> None:
        """What it has written since the last look is seen in what it leaves."""
        self._left = process.left
        self._has_looked = False
        if self._file is not None:
            self._file.close()
        self._is_open = False

    def acknowledged(self, wallet: str, bet_id: str, answer: dict[str, object]) -> None:
        bet = self.books.bets.get(bet_id)
        if bet is None or bet.status == BROKE or self.books.ids.get(wallet) != bet.user_id:
            self._world.violated("acknowledged_but_not_on_disk", f"{wallet} {answer}: {bet}")
            return
        for field in ("stake_micros", "reward_bps"):
            if answer.get(field, getattr(bet, field)) != getattr(bet, field):
                self._world.violated("acknowledged_otherwise", f"{answer}: {bet}")
        self._world.counts["acknowledged_and_on_disk"] += 1

    def finish(self) -> None:
        if self._left is None:
            return
        self._look(self._left)
        self._recheck()
        for bet in self.books.open.values():
            self.books.found("bet_never_ended", bet)
        self._report()
        if self._file is not None:
            self._file.close()

    # --- reads ------------------------------------------------------------------------------

    def _look(self, data: Path, partition: str = "") -> None:
        path = data / "money" / partition if partition else current_file(data / "money")
        if path is None:
            return
        if self._file is None or not self._is_open or path != self._file.path:
            self._file = self._opened(path)
            self._is_open = True
        self.books.take(self._file.news(list(self.books.open)))
        self._has_looked = True
        self._world.counts["money_looked_at"] += 1

    def _opened(self, path: Path) -> LedgerFile:
        before, file = self._file, LedgerFile(path)
        if before is None:
            return file
        if path.name == before.path.name:
            file.go_on_from(before)
            return file
        before.close()
        closed = path.with_name(before.path.name)
        if closed.is_file():
            last = LedgerFile(closed)
            last.go_on_from(before)
            self.books.take(last.news(list(self.books.open)), is_closed=True)
            last.close()
        self.books.turn(file)
        self._world.counts["money_turned"] += 1
        return file

    def _recheck(self) -> None:
        self._rechecked_s = self._world.now_s()
        if self._file is not None and self._is_open:
            recheck(self._file, self.books)

    def _report(self) -> None:
        for what, details in self.books.findings[:1]:
            self._world.violated(what, details)
