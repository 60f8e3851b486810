"""The model of the ledger with money that comes and goes by hand, frozen accounts and columns that
are given back: still nothing is created and nothing lost, after every step.

All that `test_ledger_model` does goes on meanwhile.
"""

from typing import NamedTuple

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from domain.refusals import Code, Refusal
from domain.resolution import VoidReason
from protocols.account_commands import (
    AccountChanged,
    Adjusted,
    BalanceChanged,
    BankrollWithdrawn,
    ColumnVoidOrdered,
    WithdrawalDecided,
    WithdrawalRequested,
    WithdrawBankroll,
)
from protocols.money import (
    BetOrder,
    ColumnIncomplete,
    ColumnSettled,
    LedgerCommand,
    MoneyOutcome,
)
from tests.db.test_ledger_model import COLUMNS, ROWS, WALLETS, Cell, LedgerModel, wallets
from tests.support.ledgers import STAKE, adjust, decide, freeze, give_back, settle, void, withdraw

numbers = st.integers(0, 5)
amounts = st.integers(1, 10)


class Asked(NamedTuple):
    """A withdrawal as the model has it."""

    wallet: str
    amount: int
    status: str


class TransfersModel(LedgerModel):
    """The same traders, and operators."""

    def __init__(self) -> None:
        super().__init__()
        self.opened_ms = self.at_ms
        """When this week's file was begun."""
        self.withdrawals: dict[str, Asked] = {}
        self.withdrawal_ids: dict[tuple[str, str], str] = {}
        """By wallet and nonce; the bankroll's by `house` and reference."""
        self.adjustments: dict[str, tuple[str, int]] = {}
        self.frozen: set[str] = set()
        self.ordered: set[int] = set()

    def one(self, command: LedgerCommand) -> MoneyOutcome:
        return self.apply(command)[0]

    # --- steps -------------------------------------------------------------------------------

    @rule(wallet=wallets, stakes=amounts, number=numbers)
    def withdraw(self, wallet: str, stakes: int, number: int) -> None:
        nonce, amount = f"w-{number}", stakes * STAKE
        outcome = self.one(withdraw(amount, wallet=wallet, nonce=nonce))
        if wallet not in self.balances:
            self.check_refused(outcome, Code.INSUFFICIENT_FUNDS)
        elif (wallet, nonce) in self.withdrawal_ids:
            self.check_refused(outcome, Code.REPLAY_DETECTED)
            assert isinstance(outcome, Refusal)
            withdrawal_id = self.withdrawal_ids[wallet, nonce]
            first = self.withdrawals[withdrawal_id]
            told = {"id": withdrawal_id, "status": first.status, "amount_micros": first.amount}
            assert outcome.details == {"withdrawal": told}
        elif wallet in self.frozen:
            self.check_refused(outcome, Code.FROZEN)
        elif self.balances[wallet] < amount:
            self.check_refused(outcome, Code.INSUFFICIENT_FUNDS)
        else:
            assert isinstance(outcome, WithdrawalRequested)
            self.withdrawal_ids[wallet, nonce] = outcome.withdrawal.id
            self.withdrawals[outcome.withdrawal.id] = Asked(wallet, amount, "pending")
            self.transfer(wallet, -amount, against="external")
            self.check_event(outcome.event, wallet)

    @rule(which=st.integers(0, 10**6), paid=st.booleans())
    def decide(self, which: int, paid: bool) -> None:
        of_traders = [
            withdrawal_id
            for (wallet, _), withdrawal_id in self.withdrawal_ids.items()
            if wallet != "house"
        ]
        if not of_traders:
            self.check_refused(self.one(decide("none", paid=paid)), Code.NOT_FOUND)
            return
        withdrawal_id = of_traders[which % len(of_traders)]
        before, wanted = self.withdrawals[withdrawal_id], "paid" if paid else "rejected"
        outcome = self.one(decide(withdrawal_id, paid=paid))
        if before.status not in ("pending", wanted):
            self.check_refused(outcome, Code.REFERENCE_CONFLICT)
            return
        assert isinstance(outcome, WithdrawalDecided)
        assert (outcome.event is None) == (before.status == wanted)
        if outcome.event is not None:
            self.withdrawals[withdrawal_id] = before._replace(status=wanted)
            if not paid:
                self.transfer(before.wallet, before.amount, against="external")
            self.check_event(outcome.event, before.wallet)

    @rule(stakes=st.integers(1, 40), number=numbers)
    def take_bankroll(self, stakes: int, number: int) -> None:
        reference, amount = f"b-{number}", stakes * STAKE
        outcome = self.one(
            WithdrawBankroll(
                amount_micros=amount, destination="", reference=reference, reason="", by="ann"
            )
        )
        first = self.withdrawal_ids.get(("house", reference))
        if first is not None and self.withdrawals[first].amount != amount:
            self.check_refused(outcome, Code.REFERENCE_CONFLICT)
        elif first is None and amount > self.spare():
            self.check_refused(outcome, Code.EXPOSURE_LIMIT)
        else:
            assert isinstance(outcome, BankrollWithdrawn)
            assert outcome.repeated is (first is not None)
            if first is None:
                self.withdrawal_ids["house", reference] = outcome.withdrawal.id
                self.withdrawals[outcome.withdrawal.id] = Asked("house", amount, "paid")
                self.transfer("house", -amount, against="external")
            assert outcome.balance_micros == self.balances["house"]

    @rule(wallet=wallets, stakes=st.integers(-10, 10).filter(bool), number=numbers)
    def adjust(self, wallet: str, stakes: int, number: int) -> None:
        reference, amount = f"a-{number}", stakes * STAKE
        outcome = self.one(adjust(amount, wallet=wallet, reference=reference))
        first = self.adjustments.get(reference)
        if wallet not in self.balances:
            self.check_refused(outcome, Code.NOT_FOUND)
        elif first not in (None, (wallet, amount)):
            self.check_refused(outcome, Code.REFERENCE_CONFLICT)
        elif first is None and self.balances[wallet] + amount < 0:
            self.check_refused(outcome, Code.INSUFFICIENT_FUNDS)
        elif first is None and amount > max(self.spare(), 0):
            self.check_refused(outcome, Code.EXPOSURE_LIMIT)
        else:
            assert isinstance(outcome, Adjusted)
            assert (outcome.event is None) == (first is not None)
            if outcome.event is not None:
                self.adjustments[reference] = (wallet, amount)
                self.transfer(wallet, amount, against="house")
                self.check_event(outcome.event, wallet)
            assert outcome.balance_micros == self.balances[wallet]

    @rule(wallet=wallets, frozen=st.booleans())
    def freeze(self, wallet: str, frozen: bool) -> None:
        outcome = self.one(freeze(wallet, frozen=frozen))
        if wallet not in self.balances:
            self.check_refused(outcome, Code.NOT_FOUND)
            return
        assert isinstance(outcome, AccountChanged)
        assert outcome.frozen is frozen
        self.frozen = self.frozen | {wallet} if frozen else self.frozen - {wallet}
        self.check_event(outcome, wallet)

    @rule(column=st.sampled_from(COLUMNS))
    def order_void(self, column: int) -> None:
        start_s = self.start_s(column)
        outcome = self.one(give_back(start_s))
        is_over = start_s * 1000 < self.opened_ms and not self.open_on(start_s)
        if start_s not in self.ordered and (start_s in self.judged or is_over):
            self.check_refused(outcome, Code.REFERENCE_CONFLICT)
            return
        assert outcome == ColumnVoidOrdered(start_s=start_s, repeated=start_s in self.ordered)
        self.ordered.add(start_s)

    @rule(column=st.sampled_from(COLUMNS))
    def carry_out_order(self, column: int) -> None:
        """As the Resolver does, whenever it comes to it."""
        start_s = self.start_s(column)
        if start_s not in self.ordered:
            return
        ended = self.take_open(start_s)
        outcome = self.one(void(ROWS, start_s=start_s, reason=VoidReason.OPERATOR))
        assert isinstance(outcome, ColumnSettled)
        assert {bet.bet_id for bet in outcome.resolved} == {bet.bet_id for bet in ended}
        for bet in ended:
            self.end(bet, bet.stake, "void")
        self.check_seqs(outcome)

    @rule(column=st.sampled_from(COLUMNS), won=st.sets(st.sampled_from(ROWS)))
    def settle(self, column: int, won: set[int]) -> None:
        start_s = self.start_s(column)
        if start_s in self.ordered - self.judged:
            verdict = settle(won=won, lost=set(ROWS) - won, start_s=start_s)
            assert isinstance(self.one(verdict), ColumnIncomplete)
        else:
            super().settle(column, won)

    @rule(column=st.sampled_from(COLUMNS))
    def give_back(self, column: int) -> None:
        start_s = self.start_s(column)
        if start_s in self.ordered - self.judged:
            assert isinstance(self.one(void(ROWS, start_s=start_s)), ColumnIncomplete)
        else:
            super().give_back(column)

    # --- the model ---------------------------------------------------------------------------

    def expect(self, placed: BetOrder) -> tuple[str, int | None]:
        bet = placed.bet
        cell = Cell(bet.cell.column_start_s, bet.cell.lo_cents // 1_000)
        is_refused_before = (
            (bet.wallet, bet.nonce) in self.nonces
            or bet.wallet not in self.balances
            or (bet.wallet, cell) in self.holders
            or cell.start_s in self.judged
        )
        if not is_refused_before:
            if cell.start_s in self.ordered:
                return "cell_unavailable", None
            if bet.wallet in self.frozen:
                return "frozen", None
        return super().expect(placed)

    def forget(self) -> None:
        self.opened_ms = self.at_ms
        super().forget()

    def spare(self) -> int:
        return self.balances["house"] - sum(bet.payout for bet in self.open_bets)

    def open_on(self, start_s: int) -> bool:
        return any(bet.cell.start_s == start_s for bet in self.open_bets)

    def transfer(self, account: str, amount: int, *, against: str) -> None:
        self.move(account, amount)
        self.move(against, -amount)

    def check_event(self, event: BalanceChanged | AccountChanged, wallet: str) -> None:
        self.seqs[wallet] += 1
        assert (event.wallet, event.seq) == (wallet, self.seqs[wallet])
        if isinstance(event, BalanceChanged):
            assert event.balance_micros == self.balances[wallet]

    def check_refused(self, outcome: MoneyOutcome, code: Code) -> None:
        assert isinstance(outcome, Refusal)
        assert outcome.code is code

    # --- what always holds -------------------------------------------------------------------

    @invariant()
    def every_withdrawal_is_there_once(self) -> None:
        found = self.reader.withdrawals(limit=1_000)
        assert {
            one.id: Asked(one.wallet, one.amount_micros, one.status.value) for one in found
        } == self.withdrawals
        assert len(found) == len(self.withdrawals)

    @invariant()
    def accounts_are_frozen_and_columns_ordered_as_operators_said(self) -> None:
        for wallet in WALLETS:
            account = self.reader.account(wallet)
            assert account is None or account.frozen is (wallet in self.frozen)
        open_columns = self.reader.open_columns(before_s=2**40)
        assert {column.key.start_s: column.void_ordered for column in open_columns} == {
            bet.cell.start_s: bet.cell.start_s in self.ordered for bet in self.open_bets
        }
        ahead = self.reader.open_columns(before_s=0)
        assert ahead == [column for column in open_columns if column.void_ordered]


TransfersModel.TestCase.settings = settings(
    max_examples=settings().max_examples // 4, stateful_step_count=30
)
TestTransfersModel = pytest.mark.slow(TransfersModel.TestCase)
