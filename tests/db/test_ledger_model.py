"""The ledger against a plain dict: nothing created, nothing lost, after every step."""

from collections.abc import Sequence
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from db.partition import file_name
from db.weekly_ledger import WeeklyLedger
from db.weekly_reader import WeeklyReader
from domain.caps import HouseCaps
from domain.refusals import Refusal
from domain.self_limits import (
    DAY_MS,
    LimitsAsked,
    MaxAsked,
    SelfLimits,
    after,
    in_force,
    utc_day,
)
from protocols.account_commands import AccountChanged, KeysRevoked, RevokeKeys, SetLimits
from protocols.money import (
    AccountOpened,
    BetConfirmed,
    BetOrder,
    BetRefused,
    ColumnIncomplete,
    ColumnSettled,
    Deposited,
    LedgerCommand,
    MoneyOutcome,
    OpenAccount,
    PlaceBet,
    Rotate,
    Rotated,
)
from supervisor.chance import SeededChance
from tests.support.ledgers import STAKE, deposit, grant, order, settle, void
from tests.support.quick_folder import MEMORY
from tests.support.weeks import SUNDAY_MS, WEEK_MS, check_weeks

WALLETS = tuple(f"0x{letter * 40}" for letter in "abc")
COLUMNS = range(6)
"""Of each week three: their windows end a minute after it, so that bets on them are carried."""
ROWS = range(4)
YOUNG_MS = 120_000
KEY_LIFE_MS = 3 * 86_400_000
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


class Key(NamedTuple):
    """A session key as the model has it: whose it is, and of which session."""

    wallet: str
    session: str
    expires_at_ms: int
    revoked: bool = False


class Used(NamedTuple):
    """An order that has used up its nonce, and when."""

    order: BetOrder
    at_ms: int


KEYS = range(4)
KEY_BET_MAX, KEY_DAY_MAX = 2 * STAKE, 5 * STAKE
wallets = st.sampled_from(WALLETS)
NUMBERS = {grant(number).key_id: number for number in KEYS}
signers = st.sampled_from(["wallet", "wallet", "key", "key", "key", 0, 3])
"""The wallet, its newest key, or a key by number, whosever it is."""
maxima = st.none() | st.integers(0, 8).map(lambda stakes: MaxAsked(micros=stakes * STAKE))
no_max = st.just(MaxAsked(micros=None))
places = st.tuples(st.sampled_from(COLUMNS), st.sampled_from(ROWS))
bets = st.tuples(
    wallets, places, st.sampled_from([1, 2, 5]), st.sampled_from([10_500, 20_000, 35_001]), signers
)
Wanted = tuple[str, tuple[int, int], int, int, str | int]


class LedgerModel(RuleBasedStateMachine):
    """Three traders, a few columns, a small bankroll, weeks that end, and a process that dies."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory(
            prefix="ledger-model-", dir=MEMORY if MEMORY.is_dir() else None
        )
        self.money = Path(self.folder.name)
        self.lives = count(1)
        self.sprees = count(1)
        self.sunday_ms = SUNDAY_MS
        """When this week ends."""
        self.at_ms = SUNDAY_MS - 4 * YOUNG_MS
        self.files = [file_name(self.at_ms)]
        self.ledger = self.open()
        self.reader = WeeklyReader(self.money)
        self.balances: dict[str, int] = {"house": 0, "external": 0}
        self.seqs: dict[str, int] = {}
        self.nonces: dict[tuple[str, str], str] = {}
        self.statuses: dict[str, str] = {}
        self.holders: dict[tuple[str, Cell], str] = {}
        self.open_bets: list[Placed] = []
        self.judged: set[int] = set()
        self.deposits: dict[str, tuple[str, int]] = {}
        self.used: list[Used] = []
        self.keys: dict[int, Key] = {}
        self.limits: dict[str, SelfLimits] = {}
        self.key_staked: dict[tuple[int, int], int] = {}
        """By key and day."""
        self.lost: dict[tuple[str, int], int] = {}
        """By wallet and day: of all, though the ledger counts for those who have limits only."""

    def open(self) -> WeeklyLedger:
        chance = SeededChance(next(self.lives))
        return WeeklyLedger.open(self.money, at_ms=self.at_ms, caps=CAPS, chance=chance)

    def apply(self, *commands: LedgerCommand) -> Sequence[MoneyOutcome]:
        return self.ledger.apply(commands, at_ms=self.at_ms)

    def start_s(self, column: int) -> int:
        """Columns 0-2 began in the week before, or will: those of this one are 3-5."""
        end_ms = self.sunday_ms if column >= 3 else self.sunday_ms - WEEK_MS
        return end_ms // 1000 + 55 + 5 * (column % 3) - 10

    def is_past(self, start_s: int) -> bool:
        return (start_s + 5) * 1000 <= self.at_ms

    @initialize(bankroll=st.integers(1, 200), funds=st.integers(0, 60))
    def begin(self, bankroll: int, funds: int) -> None:
        self.deposit("house", bankroll, "bankroll")
        if funds:
            self.deposit(WALLETS[0], funds, "funds")
        self.authorise(WALLETS[0], 0, "a")

    # --- steps -------------------------------------------------------------------------------

    @rule(wallet=wallets, amount=st.integers(1, 10), number=st.integers(0, 5))
    def fund(self, wallet: str, amount: int, number: int) -> None:
        self.deposit(wallet, amount, f"reference-{number}")

    @rule(wanted=st.lists(bets, min_size=1, max_size=8))
    def place(self, wanted: list[Wanted]) -> None:
        self.place_orders(
            [
                order(
                    row,
                    start_s=self.start_s(n),
                    wallet=wallet,
                    stake=stakes * STAKE,
                    bps=bps,
                    key_id=self.key_id(wallet, signer),
                )
                for wallet, (n, row), stakes, bps, signer in wanted
                if not self.is_past(self.start_s(n))  # the Batcher lets none of those through
            ]
        )

    @rule(wallet=wallets, number=st.sampled_from(KEYS), session=st.sampled_from("ab"))
    def authorise(self, wallet: str, number: int, session: str) -> None:
        """Keys are used again on purpose: once is all that each is good for."""
        key = grant(
            number,
            session_id=session,
            bet_max=KEY_BET_MAX,
            day_max=KEY_DAY_MAX,
            expires_at_ms=self.at_ms + KEY_LIFE_MS,
        )
        (outcome,) = self.apply(OpenAccount(wallet=wallet, key=key))
        if number in self.keys:
            is_the_same = self.keys[number] == Key(wallet, session, key.expires_at_ms)
            assert isinstance(outcome, AccountOpened if is_the_same else Refusal)
            return
        assert isinstance(outcome, AccountOpened)
        self.keys[number] = Key(wallet, session, key.expires_at_ms)
        self.balances.setdefault(wallet, 0)
        self.seqs.setdefault(wallet, 0)

    @rule(wallet=wallets, session=st.sampled_from("ab"))
    def log_out(self, wallet: str, session: str) -> None:
        ended = {
            number: key._replace(revoked=True)
            for number, key in self.keys.items()
            if (key.wallet, key.session, key.revoked) == (wallet, session, False)
        }
        command = RevokeKeys(wallet=wallet, session_id=session)
        assert self.apply(command, command) == [KeysRevoked(count=len(ended)), KeysRevoked(count=0)]
        self.keys |= ended

    @rule(
        wallet=wallets,
        stake=maxima | no_max,
        loss=maxima | no_max,
        pause_ms=st.none() | st.sampled_from([0, 2_000, 30 * 3_600_000]),
    )
    def limit(
        self, wallet: str, stake: MaxAsked | None, loss: MaxAsked | None, pause_ms: int | None
    ) -> None:
        until_ms = self.at_ms + pause_ms if pause_ms is not None else None
        asked = LimitsAsked(stake_max=stake, loss_day_max=loss, paused_until_ms=until_ms)
        (outcome,) = self.apply(SetLimits(wallet=wallet, asked=asked))
        if wallet not in self.balances:
            assert isinstance(outcome, Refusal)
            return
        self.limits[wallet] = after(self.limits.get(wallet, SelfLimits()), asked, self.at_ms)
        self.seqs[wallet] += 1
        assert isinstance(outcome, AccountChanged)
        assert (outcome.seq, outcome.limits) == (self.seqs[wallet], self.limits[wallet])

    @rule(
        wallet=wallets,
        loss=maxima,
        taps=st.lists(st.tuples(st.sampled_from([1, 2, 5]), signers), min_size=1, max_size=8),
        won=st.sets(st.sampled_from(ROWS)),
    )
    def spree(
        self,
        wallet: str,
        loss: MaxAsked | None,
        taps: list[tuple[int, str | int]],
        won: set[int],
    ) -> None:
        """One trader with money, who limits his loss, taps much, and has some of it back."""
        number = next(self.sprees)
        self.deposit(wallet, 10, f"spree-{number}")
        if loss is not None:
            self.limit(wallet, stake=None, loss=loss, pause_ms=None)
        for half, start_s in ((taps[:4], 0), (taps[4:], 5)):
            column_s = self.at_ms // 1000 + 1_000_000 + 10 * number + start_s
            self.place_orders(
                [
                    order(
                        row,
                        start_s=column_s,
                        wallet=wallet,
                        stake=stakes * STAKE,
                        key_id=self.key_id(wallet, signer),
                    )
                    for row, (stakes, signer) in enumerate(half)
                ]
            )
            self.settle_at(column_s, won)

    @rule(late_ms=st.sampled_from([1, 3_600_000, 2 * DAY_MS]))
    def wait(self, late_ms: int) -> None:
        """Within the week."""
        self.at_ms = max(self.at_ms, min(self.at_ms + late_ms, self.sunday_ms - YOUNG_MS))

    @rule(which=st.integers(0, 10**6))
    def replay(self, which: int) -> None:
        if self.used:
            self.place_orders([self.used[which % len(self.used)].order] * 2)

    @rule(column=st.sampled_from(COLUMNS), won=st.sets(st.sampled_from(ROWS)))
    def settle(self, column: int, won: set[int]) -> None:
        self.settle_at(self.start_s(column), won)

    def settle_at(self, start_s: int, won: set[int]) -> None:
        command = settle(won=won, lost=set(ROWS) - won, start_s=start_s)
        ended = self.take_open(start_s)
        (outcome,) = self.apply(command)
        assert isinstance(outcome, ColumnSettled)
        assert {bet.bet_id for bet in outcome.resolved} == {bet.bet_id for bet in ended}
        for bet in ended:
            is_won = bet.cell.row in won
            self.end(bet, bet.payout if is_won else 0, "won" if is_won else "lost")
        self.check_seqs(outcome)

    @rule(column=st.sampled_from(COLUMNS))
    def give_back(self, column: int) -> None:
        start_s = self.start_s(column)
        ended = self.take_open(start_s)
        (outcome,) = self.apply(void(ROWS, start_s=start_s))
        assert isinstance(outcome, ColumnSettled)
        for bet in ended:
            self.end(bet, bet.stake, "void")
        self.check_seqs(outcome)

    @rule(column=st.sampled_from(COLUMNS))
    def judge_nothing(self, column: int) -> None:
        start_s = self.start_s(column)
        if any(bet.cell.start_s == start_s for bet in self.open_bets):
            (outcome,) = self.apply(settle(start_s=start_s))
            assert isinstance(outcome, ColumnIncomplete)

    @rule(before_ms=st.sampled_from([1, 1_000, YOUNG_MS - 1, YOUNG_MS]))
    def near_the_end(self, before_ms: int) -> None:
        """So late in the week."""
        self.at_ms = max(self.at_ms, self.sunday_ms - before_ms)

    @rule(late_ms=st.sampled_from([0, 1, 5_000, 70_000]), by_a_bet=st.booleans())
    def turn(self, late_ms: int, by_a_bet: bool) -> None:
        """The week ends, and so much later a command comes."""
        self.at_ms = self.sunday_ms + late_ms
        self.sunday_ms += WEEK_MS
        self.files.append(file_name(self.at_ms))
        self.forget()
        if by_a_bet:
            self.place([(WALLETS[0], (4, 0), 1, 20_000, "wallet")])
        else:
            assert self.apply(Rotate()) == [Rotated(partition=self.files[-1])]

    @rule(wanted=st.lists(bets, min_size=1, max_size=4), voided=st.sampled_from([3, 4, 5]))
    def rush(self, wanted: list[Wanted], voided: int) -> None:
        """Bets of the last second, a column voided ahead, and all of it again after midnight."""
        self.near_the_end(1_000)
        self.place(wanted)
        self.give_back(voided)
        again = [used.order for used in self.used if used.at_ms == self.at_ms]
        self.turn(0, by_a_bet=False)
        self.place_orders([*again, order(3, start_s=self.start_s(voided - 3), wallet=WALLETS[0])])

    @rule(weeks=st.integers(1, 3))
    def sleep(self, weeks: int) -> None:
        self.sunday_ms += weeks * WEEK_MS
        self.turn(1, by_a_bet=False)

    @rule(wanted=st.lists(bets, min_size=1, max_size=4), column=st.sampled_from(COLUMNS))
    def crash(self, wanted: list[Wanted], column: int) -> None:
        """Die with a batch in hand that has not been committed."""
        current = self.ledger._ledger
        current._connection.execute("BEGIN IMMEDIATE")
        current._place(
            [order(row, start_s=self.start_s(n), wallet=wallet) for wallet, (n, row), *_ in wanted],
            1,
        )
        current._carry_out(void(ROWS, start_s=self.start_s(column)), 1)
        current.let_go()
        self.ledger = self.open()
        self.ledger.recover()

    def key_id(self, wallet: str, signer: str | int) -> str | None:
        if isinstance(signer, int):
            return grant(signer).key_id
        own = [number for number, key in self.keys.items() if key.wallet == wallet]
        return grant(own[-1]).key_id if own and signer == "key" else None

    # --- the model ---------------------------------------------------------------------------

    def deposit(self, wallet: str, stakes: int, reference: str) -> None:
        amount = stakes * STAKE
        outcome = self.apply(deposit(wallet, amount, reference))[0]
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
        outcomes = self.apply(*orders)
        for placed, outcome in zip(orders, outcomes, strict=True):
            assert self.say(outcome) == self.expect(placed)

    def say(self, outcome: MoneyOutcome) -> tuple[str, int | None]:
        if isinstance(outcome, BetConfirmed):
            return "confirmed", outcome.seq
        assert isinstance(outcome, BetRefused)
        said = outcome.refusal.details.get("limit", outcome.refusal.code.value)
        assert isinstance(said, str)
        return said, outcome.seq

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
        limit = self.limit_of_key(bet) or self.limit_of_trader(bet)
        if limit is not None:
            return limit, None
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
        self.count(bet)
        return "confirmed", self.seqs[bet.wallet]

    def limit_of_key(self, bet: PlaceBet) -> str | None:
        if bet.key_id is None:
            return None
        number = NUMBERS[bet.key_id]
        key = self.keys.get(number)
        if key is None or key.wallet != bet.wallet or key.revoked:
            return "unauthorized"
        if key.expires_at_ms <= self.at_ms:
            return "unauthorized"
        if bet.stake_micros > KEY_BET_MAX:
            return "key_bet"
        staked = self.key_staked.get((number, utc_day(self.at_ms)), 0)
        return "key_day" if staked + bet.stake_micros > KEY_DAY_MAX else None

    def limit_of_trader(self, bet: PlaceBet) -> str | None:
        limits = in_force(self.limits.get(bet.wallet, SelfLimits()), self.at_ms)
        if self.at_ms < limits.paused_until_ms:
            return "paused"
        if limits.stake_max_micros is not None and bet.stake_micros > limits.stake_max_micros:
            return "stake"
        lost = self.lost.get((bet.wallet, utc_day(self.at_ms)), 0) + bet.stake_micros
        if limits.loss_day_max_micros is not None and lost > limits.loss_day_max_micros:
            return "loss_day"
        return None

    def count(self, bet: PlaceBet) -> None:
        self.lose(bet.wallet, bet.stake_micros)
        if bet.key_id is not None:
            day = (NUMBERS[bet.key_id], utc_day(self.at_ms))
            self.key_staked[day] = self.key_staked.get(day, 0) + bet.stake_micros

    def lose(self, wallet: str, amount: int) -> None:
        day = (wallet, utc_day(self.at_ms))
        self.lost[day] = self.lost.get(day, 0) + amount

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
        self.used.append(Used(placed, self.at_ms))

    def forget(self) -> None:
        """What the new file is not given: what has ended, and is too old to come again."""
        open_ids = {bet.bet_id for bet in self.open_bets}
        self.holders = {key: bet for key, bet in self.holders.items() if bet in open_ids}
        self.judged = {start_s for start_s in self.judged if not self.is_past(start_s)}
        self.used = [
            used
            for used in self.used
            if used.order.bet.bet_id in open_ids or used.at_ms > self.at_ms - YOUNG_MS
        ]
        known = {used.order.bet.bet_id for used in self.used}
        self.nonces = {key: bet for key, bet in self.nonces.items() if bet in known}

    def take_open(self, start_s: int) -> list[Placed]:
        self.judged.add(start_s)
        ended = [bet for bet in self.open_bets if bet.cell.start_s == start_s]
        self.open_bets = [bet for bet in self.open_bets if bet.cell.start_s != start_s]
        return ended

    def end(self, bet: Placed, credit: int, status: str) -> None:
        self.move("house", -credit)
        self.move(bet.wallet, credit)
        self.lose(bet.wallet, -credit)
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
            found = self.reader.account(account)
            seq = self.seqs.get(account, 0)
            assert (found.balance_micros, found.seq) == (balance, seq) if found else not balance

    @invariant()
    def every_file_adds_up_and_each_fits_the_one_before(self) -> None:
        self.ledger.recover()  # else the last file may not be closed yet
        check_weeks(self.money)
        assert self.ledger.partition() == self.files[-1]
        assert self.ledger.rotation_failure() == ""

    @invariant()
    def every_bet_is_there_once(self) -> None:
        found = [bet for wallet in WALLETS for bet in self.reader.bets(wallet, limit=1_000)]
        assert {bet.bet_id: bet.status.value for bet in found} == self.statuses
        assert len(found) == len(self.statuses)

    @invariant()
    def the_house_can_pay(self) -> None:
        position = self.reader.house()
        owed = sum(bet.payout for bet in self.open_bets)
        assert position.open_payout_micros == owed <= position.balance_micros
        assert position.open_bets == len(self.open_bets)

    @invariant()
    def keys_and_limits_are_as_they_were_set(self) -> None:
        for wallet, limits in self.limits.items():
            account = self.reader.account(wallet)
            assert account is not None
            assert account.limits == limits
        for number, key in self.keys.items():
            found = self.reader.session_key(grant(number).key_id)
            assert found is not None
            assert (found.wallet, found.session_id) == (key.wallet, key.session)
            assert (found.revoked_at_ms is not None) == key.revoked
            assert found.day_stake_micros == self.key_staked.get((number, found.day), 0)

    def teardown(self) -> None:
        self.reader.close()
        self.ledger.close()
        self.folder.cleanup()


# An example is twenty transactions on a real file, so half as many as of pure functions.
LedgerModel.TestCase.settings = settings(
    max_examples=settings().max_examples // 2, stateful_step_count=20
)
TestLedgerModel = pytest.mark.slow(LedgerModel.TestCase)
