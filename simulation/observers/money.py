"""Watches the money: after every commit the files are read, and must add up with all before."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from db.partition import current_file
from domain.refusals import Code
from protocols.account_commands import (
    Adjusted,
    BankrollWithdrawn,
    WithdrawalDecided,
    WithdrawalRequested,
)
from protocols.money import (
    BetConfirmed,
    BetOrder,
    BetRefused,
    BetResolved,
    ColumnSettled,
    Deposited,
    LedgerCommand,
    MoneyOutcome,
)
from simulation.oracle.books import NONCE_LIVES_MS, Books, Caps
from simulation.oracle.ledger_file import BROKE, Bet, LedgerFile
from simulation.oracle.recheck import recheck
from simulation.witness import Observer
from simulation.world import World

if TYPE_CHECKING:
    from simulation.process import VenueProcess

RECHECK_EVERY_S: Final = 120.0


class MoneyObserver(Observer):
    """Keeps the books beside the venue."""

    def __init__(self, world: World, caps: Caps) -> None:
        self._world = world
        self._file: LedgerFile | None = None
        self._is_open = False
        self._rechecked_s = 0.0
        self._left: Path | None = None
        """What the last process left behind."""
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
        self._look(process.data, process.ports.ledger.partition() if process.ports else "")
        for command, outcome in zip(commands, outcomes, strict=True):
            _is_on_disk(self.books, command, outcome, at_ms)
        if self._world.now_s() - self._rechecked_s >= RECHECK_EVERY_S:
            self._recheck()
        self._report()

    def venue_ended(self, process: "VenueProcess", how: str) -> None:
        """What it has written since the last look is seen in what it leaves."""
        self._left = process.left
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


def _is_on_disk(books: Books, command: LedgerCommand, outcome: MoneyOutcome, at_ms: int) -> None:
    """What is about to be answered must be what is on disk now."""
    match outcome:
        case BetConfirmed() if isinstance(command, BetOrder):
            _bet_is(books, command, outcome, at_ms)
        case BetRefused():
            bet = books.bets.get(outcome.bet_id)
            is_replay = outcome.refusal.code is Code.REPLAY_DETECTED
            if bet is not None and bet.status != BROKE and not is_replay:
                books.found("refused_but_charged", f"{outcome}: {bet}")
            if is_replay and isinstance(command, BetOrder):
                _replays(books, command, outcome)
            elif isinstance(command, BetOrder) and outcome.refusal.code is not Code.DISK_FULL:
                _is_no_replay(books, command, at_ms)
        case ColumnSettled():
            for end in outcome.resolved:
                _end_is(books, end)
        case Deposited():
            given = books.references.deposits.get(outcome.reference)
            if given is None or given[2:] != (outcome.user_id, outcome.amount_micros):
                books.found("answered_but_not_on_disk", f"{outcome}: {given}")
        case Adjusted():
            given = books.references.adjustments.get(outcome.reference)
            if given is None or given[2:] != (outcome.user_id, outcome.amount_micros):
                books.found("answered_but_not_on_disk", f"{outcome}: {given}")
        case WithdrawalRequested() | WithdrawalDecided() | BankrollWithdrawn():
            told = outcome.withdrawal
            there = books.references.withdrawals.get(told.id)
            wanted = (told.user_id, told.nonce, told.amount_micros, told.status.value)
            if there is None or there[1:] != wanted:
                books.found("answered_but_not_on_disk", f"{outcome}: {there}")
        case _:
            pass


def _bet_is(books: Books, order: BetOrder, outcome: BetConfirmed, at_ms: int) -> None:
    asked, bet = order.bet, books.bets.get(outcome.bet_id)
    if bet is None or bet.status == BROKE:
        books.found("answered_but_not_on_disk", f"{outcome}: {bet}")
        return
    wanted = (
        *(asked.bet_id, books.ids.get(asked.wallet), asked.nonce, asked.cell.column_start_s),
        *(asked.cell.lo_cents, asked.cell.hi_cents, asked.stake_micros, asked.key_id),
        *(outcome.reward_bps, outcome.placed_at_ms, at_ms),
    )
    there = (
        *(bet.id, bet.user_id, bet.nonce, bet.column_start_s),
        *(bet.lo_cents, bet.hi_cents, bet.stake_micros, bet.key_id),
        *(bet.reward_bps, bet.placed_at_ms, bet.placed_at_ms),
    )
    stake = books.stake_of(bet.id)
    if there != wanted or stake is None or stake.balance_after != outcome.balance_micros:
        books.found("confirmed_otherwise", f"{order} {outcome}: {bet} {stake}")


def _replays(books: Books, order: BetOrder, outcome: BetRefused) -> None:
    """What is called a replay must be one."""
    first = outcome.refusal.details.get("bet")
    bet = books.bets.get(str(first.get("bet_id"))) if isinstance(first, dict) else None
    asked = order.bet
    if bet is None or (bet.user_id, bet.nonce) != (books.ids.get(asked.wallet), asked.nonce):
        books.found("replay_of_nothing", f"{outcome}: {bet}")


def _is_no_replay(books: Books, order: BetOrder, at_ms: int) -> None:
    """A nonce goes before all other reasons: a retry is told of its first bet."""
    asked = order.bet
    first = books.by_nonce(books.ids.get(asked.wallet, 0), asked.nonce)
    if first is not None and first.id != asked.bet_id and _is_remembered(first, at_ms):
        books.found("nonce_forgotten", f"{asked}: {first}")


def _is_remembered(first: Bet, at_ms: int) -> bool:
    """Of the same batch it may have come after."""
    return 0 < at_ms - first.placed_at_ms < NONCE_LIVES_MS


def _end_is(books: Books, end: BetResolved) -> None:
    bet = books.bets.get(end.bet_id)
    wanted = (end.status.value, end.payout_micros, end.resolved_at_ms)
    if bet is None or (bet.status, bet.payout_micros, bet.resolved_at_ms) != wanted:
        books.found("resolved_otherwise", f"{end}: {bet}")
