"""The ledger against a plain dict: nothing created, nothing lost, after every step."""

from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from domain.caps import HouseCaps
from protocols.money import (
    BetConfirmed,
    BetOrder,
    BetRefused,
    ColumnIncomplete,
    ColumnSettled,
    Deposited,
    MoneyOutcome,
)
from tests.support.ledgers import STAKE, START_S, Venue, deposit, open_venue, order, settle, void

WALLETS = tuple(f"0x{letter * 40}" for letter in "abc")
COLUMNS = tuple(START_S + 5 * n for n in range(3))
ROWS = range(4)
CAPS = HouseCaps(
    payout_per_user_micros=12 * STAKE,
    payout_per_cell_micros=8 * STAKE,
    payout_per_column_micros=20 * STAKE,
)


class Cell(NamedTuple):
    start_s: int
    row: int


class Placed(NamedTuple):
    """A bet as the model has it."""

    bet_id: str
    wallet: str
    cell: Cell
    stake: int
    payout: int


wallets = st.sampled_from(WALLETS)
cells = st.builds(Cell, st.sampled_from(COLUMNS), st.sampled_from(ROWS))
bets = st.tuples(
    wallets, cells, st.sampled_from([1, 2, 5]), st.sampled_from([10_500, 20_000, 35_001])
)


class LedgerModel(RuleBasedStateMachine):
    """Three traders, three columns, a small bankroll, and a process that dies."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory(prefix="ledger-model-")
        self.path = Path(self.folder.name) / "money.db"
        self.lives = count(1)
        self.venue: Venue = self.open()
        self.balances: dict[str, int] = {"house": 0, "external": 0}
        self.seqs: dict[str, int] = {}
        self.nonces: dict[tuple[str, str], str] = {}
        self.statuses: dict[str, str] = {}
        self.holders: dict[tuple[str, Cell], str] = {}
        self.open_bets: list[Placed] = []
        self.judged: set[int] = set()
        self.deposits: dict[str, tuple[str, int]] = {}
        self.used: list[BetOrder] = []

    def open(self) -> Venue:
        return open_venue(self.path, caps=CAPS, seed=next(self.lives))

    @initialize(bankroll=st.integers(1, 40))
    def begin(self, bankroll: int) -> None:
        self.deposit("house", bankroll, "bankroll")

    # --- steps -------------------------------------------------------------------------------

    @rule(wallet=wallets, amount=st.integers(1, 10), number=st.integers(0, 5))
    def fund(self, wallet: str, amount: int, number: int) -> None:
        self.deposit(wallet, amount, f"reference-{number}")

    @rule(wanted=st.lists(bets, min_size=1, max_size=8))
    def place(self, wanted: list[tuple[str, Cell, int, int]]) -> None:
        self.place_orders(
            [
                order(cell.row, start_s=cell.start_s, wallet=wallet, stake=stakes * STAKE, bps=bps)
                for wallet, cell, stakes, bps in wanted
            ]
        )

    @rule(which=st.integers(0, 10**6))
    def replay(self, which: int) -> None:
        if self.used:
            self.place_orders([self.used[which % len(self.used)]] * 2)

    @rule(start_s=st.sampled_from(COLUMNS), won=st.sets(st.sampled_from(ROWS)))
    def settle(self, start_s: int, won: set[int]) -> None:
        command = settle(won=won, lost=set(ROWS) - won, start_s=start_s)
        ended = self.take_open(start_s)
        (outcome,) = self.venue.apply(command)
        assert isinstance(outcome, ColumnSettled)
        assert {bet.bet_id for bet in outcome.resolved} == {bet.bet_id for bet in ended}
        for bet in ended:
            is_won = bet.cell.row in won
            self.end(bet, bet.payout if is_won else 0, "won" if is_won else "lost")
        self.check_seqs(outcome)

    @rule(start_s=st.sampled_from(COLUMNS))
    def give_back(self, start_s: int) -> None:
        ended = self.take_open(start_s)
        (outcome,) = self.venue.apply(void(ROWS, start_s=start_s))
        assert isinstance(outcome, ColumnSettled)
        for bet in ended:
            self.end(bet, bet.stake, "void")
        self.check_seqs(outcome)

    @rule(start_s=st.sampled_from(COLUMNS))
    def judge_nothing(self, start_s: int) -> None:
        if any(bet.cell.start_s == start_s for bet in self.open_bets):
            (outcome,) = self.venue.apply(settle(start_s=start_s))
            assert isinstance(outcome, ColumnIncomplete)

    @rule(wanted=st.lists(bets, min_size=1, max_size=4), start_s=st.sampled_from(COLUMNS))
    def crash(self, wanted: list[tuple[str, Cell, int, int]], start_s: int) -> None:
        """Die with a batch in hand that has not been committed."""
        connection = self.venue.ledger._connection
        connection.execute("BEGIN IMMEDIATE")
        self.venue.ledger._place(
            [order(cell.row, start_s=cell.start_s, wallet=wallet) for wallet, cell, *_ in wanted],
            1,
        )
        self.venue.ledger._carry_out(void(ROWS, start_s=start_s), 1)
        connection.close()
        self.venue.reader.close()
        self.venue = self.open()
        self.venue.ledger.recover()

    # --- the model ---------------------------------------------------------------------------

    def deposit(self, wallet: str, stakes: int, reference: str) -> None:
        amount = stakes * STAKE
        outcome = self.venue.one(deposit(wallet, amount, reference))
        first = self.deposits.setdefault(reference, (wallet, amount))
        if first != (wallet, amount):
            assert not isinstance(outcome, Deposited)
            return
        assert isinstance(outcome, Deposited)
        if not outcome.repeated:
            self.move(wallet, amount)
            self.move("external", -amount)
            self.seqs[wallet] = self.seqs.get(wallet, 0) + 1
        assert (outcome.balance_micros, outcome.seq) == (self.balances[wallet], self.seqs[wallet])

    def place_orders(self, orders: list[BetOrder]) -> None:
        outcomes = self.venue.apply(*orders)
        for placed, outcome in zip(orders, outcomes, strict=True):
            assert self.say(outcome) == self.expect(placed)

    def say(self, outcome: MoneyOutcome) -> tuple[str, int | None]:
        if isinstance(outcome, BetConfirmed):
            return "confirmed", outcome.seq
        assert isinstance(outcome, BetRefused)
        return outcome.refusal.code.value, outcome.seq

    def expect(self, placed: BetOrder) -> tuple[str, int | None]:
        """What must become of an order, by the rules as the product page has them."""
        bet = placed.bet
        cell = Cell(bet.cell.column_start_s, bet.cell.lo_cents // 1_000)
        payout = bet.stake_micros * placed.reward_bps // 10_000
        if (bet.wallet, bet.nonce) in self.nonces:
            return "replay_detected", None
        if bet.wallet not in self.balances:
            return "insufficient_funds", None
        if (bet.wallet, cell) in self.holders:
            return "cell_taken", None
        if cell.start_s in self.judged:
            return "cell_unavailable", None
        if self.balances[bet.wallet] < bet.stake_micros:
            self.seqs[bet.wallet] += 1
            self.remember(placed, "insufficient_funds")
            return "insufficient_funds", self.seqs[bet.wallet]
        if not self.house_can_take(bet.wallet, cell, bet.stake_micros, payout):
            return "exposure_limit", None
        self.move(bet.wallet, -bet.stake_micros)
        self.move("house", bet.stake_micros)
        self.seqs[bet.wallet] += 1
        self.holders[bet.wallet, cell] = bet.bet_id
        self.open_bets.append(Placed(bet.bet_id, bet.wallet, cell, bet.stake_micros, payout))
        self.remember(placed, "confirmed")
        return "confirmed", self.seqs[bet.wallet]

    def house_can_take(self, wallet: str, cell: Cell, stake: int, payout: int) -> bool:
        def with_open(bets: list[Placed]) -> int:
            return payout + sum(bet.payout for bet in bets)

        of_user = [bet for bet in self.open_bets if bet.wallet == wallet]
        of_cell = [bet for bet in self.open_bets if bet.cell == cell]
        of_column = [bet for bet in self.open_bets if bet.cell.start_s == cell.start_s]
        return (
            with_open(self.open_bets) <= self.balances["house"] + stake
            and with_open(of_user) <= CAPS.payout_per_user_micros
            and with_open(of_cell) <= CAPS.payout_per_cell_micros
            and with_open(of_column) <= CAPS.payout_per_column_micros
        )

    def remember(self, placed: BetOrder, status: str) -> None:
        self.nonces[placed.bet.wallet, placed.bet.nonce] = placed.bet.bet_id
        self.statuses[placed.bet.bet_id] = status
        self.used.append(placed)

    def take_open(self, start_s: int) -> list[Placed]:
        self.judged.add(start_s)
        ended = [bet for bet in self.open_bets if bet.cell.start_s == start_s]
        self.open_bets = [bet for bet in self.open_bets if bet.cell.start_s != start_s]
        return ended

    def end(self, bet: Placed, credit: int, status: str) -> None:
        self.move("house", -credit)
        self.move(bet.wallet, credit)
        self.statuses[bet.bet_id] = status

    def check_seqs(self, outcome: ColumnSettled) -> None:
        for bet in outcome.resolved:
            self.seqs[bet.wallet] += 1
            assert bet.seq == self.seqs[bet.wallet]

    def move(self, account: str, amount: int) -> None:
        self.balances[account] = self.balances.get(account, 0) + amount

    # --- what always holds -------------------------------------------------------------------

    @invariant()
    def nothing_is_created_and_nothing_lost(self) -> None:
        assert sum(self.balances.values()) == 0
        for account, balance in self.balances.items():
            found = self.venue.reader.account(account)
            seq = self.seqs.get(account, 0)
            assert (found.balance_micros, found.seq) == (balance, seq) if found else not balance
        report = self.venue.reader.integrity()
        assert report.clean, report.drifts

    @invariant()
    def every_bet_is_there_once(self) -> None:
        found = [bet for wallet in WALLETS for bet in self.venue.reader.bets(wallet, limit=1_000)]
        assert {bet.bet_id: bet.status.value for bet in found} == self.statuses
        assert len(found) == len(self.statuses)

    @invariant()
    def the_house_can_pay(self) -> None:
        position = self.venue.reader.house()
        owed = sum(bet.payout for bet in self.open_bets)
        assert position.open_payout_micros == owed <= position.balance_micros
        assert position.open_bets == len(self.open_bets)

    def teardown(self) -> None:
        self.venue.close()
        self.folder.cleanup()


# An example is twenty transactions on a real file, so a quarter as many as of pure functions.
LedgerModel.TestCase.settings = settings(
    max_examples=settings().max_examples // 4, stateful_step_count=20
)
TestLedgerModel = pytest.mark.slow(LedgerModel.TestCase)
