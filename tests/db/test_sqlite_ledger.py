"""What `SqliteLedger.apply` and `recover` promise."""

import sqlite3
from pathlib import Path

import pytest

from db.data_folder import DataFolder, FolderInUse
from db.sqlite_connection import Memory, open_writer
from db.sqlite_ledger import LedgerBroken, SqliteLedger
from db.weekly_ledger import open_current
from domain.caps import HouseCaps
from domain.refusals import Code, Refusal
from protocols.accounts import OperatorState
from protocols.market import Override
from protocols.money import (
    AccountOpened,
    BetConfirmed,
    BetRefused,
    BetStatus,
    CommandFailed,
    Deposited,
    HoldSet,
    KeepOverride,
    OpenAccount,
    OverrideKept,
    QuoteNumbersReserved,
    ReserveQuoteNumbers,
    SetHold,
)
from supervisor.chance import SeededChance
from tests.support.ledgers import (
    ALICE,
    AT_MS,
    BANKROLL,
    BOB,
    STAKE,
    START_S,
    Venue,
    deposit,
    open_venue,
    order,
    settle,
)


def refused(outcome: object) -> Refusal:
    assert isinstance(outcome, BetRefused)
    return outcome.refusal


# --- a bet that is taken ----------------------------------------------------------------------


def test_a_bet_takes_the_stake_and_is_there(venue: Venue) -> None:
    placed = order(3)
    outcome = venue.one(placed)
    account = venue.reader.account(ALICE)
    assert account is not None
    assert outcome == BetConfirmed(
        bet_id=placed.bet.bet_id,
        user_id=account.user_id,
        wallet=ALICE,
        seq=2,
        cell_id=f"{START_S}_3000_4000",
        stake_micros=STAKE,
        reward_bps=20_000,
        balance_micros=99 * STAKE,
        placed_at_ms=AT_MS,
    )
    assert (account.balance_micros, account.seq) == (99 * STAKE, 2)
    assert (account.open_stake_micros, account.open_bets) == (STAKE, 1)
    bet = venue.reader.bet(placed.bet.bet_id)
    assert bet is not None
    assert (bet.status, bet.payout_micros, bet.quote_n) == (BetStatus.CONFIRMED, None, 7)


def test_a_batch_writes_one_row_for_the_house(venue: Venue) -> None:
    venue.apply(*(order(row) for row in range(10)))
    rows = [row for _, row in venue.reader.statement("house")]
    assert [row.amount_micros for row in rows] == [10 * STAKE, BANKROLL]
    assert venue.reader.integrity().clean


def test_outcomes_come_in_the_order_of_the_commands(venue: Venue) -> None:
    first, second, third = order(0), order(1, wallet=BOB), order(2)
    commands = (first, OpenAccount(wallet=BOB), second, third, deposit(BOB, 5))
    outcomes = venue.apply(*commands)
    kinds = [type(outcome) for outcome in outcomes]
    assert kinds == [BetConfirmed, AccountOpened, BetRefused, BetConfirmed, Deposited]
    bet_ids = [o.bet_id for o in outcomes if isinstance(o, BetConfirmed | BetRefused)]
    assert bet_ids == [command.bet.bet_id for command in (first, second, third)]


def test_the_events_of_a_user_are_numbered_without_a_gap(venue: Venue) -> None:
    venue.fund(BOB, 2 * STAKE)
    outcomes = venue.apply(*(order(row, wallet=BOB) for row in range(4)))
    settled = venue.one(settle(won=[0], lost=[1]), at_ms=AT_MS + 60_000)
    seqs = [outcome.seq for outcome in (*outcomes, *settled.resolved)]  # type: ignore[union-attr]
    assert seqs == [2, 3, 4, 5, 6, 7]


# --- refusals, in their order -----------------------------------------------------------------


def test_a_used_nonce_is_told_of_its_first_bet(venue: Venue) -> None:
    first = order(1, nonce="once")
    venue.one(first)
    again = refused(venue.one(order(2, nonce="once")))
    assert again.code is Code.REPLAY_DETECTED
    assert again.details == {"bet": {"bet_id": first.bet.bet_id, "status": "confirmed"}}


def test_a_used_nonce_goes_before_every_other_refusal(venue: Venue) -> None:
    venue.one(order(1, nonce="once"))
    venue.one(settle(won=[1]), at_ms=AT_MS + 60_000)
    later = order(1, nonce="once", refusal=Refusal(Code.CELL_UNAVAILABLE))
    again = refused(venue.one(later, at_ms=AT_MS + 61_000))
    assert again.code is Code.REPLAY_DETECTED
    assert again.details["bet"]["status"] == "won"  # type: ignore[index]


def test_a_nonce_is_used_up_within_its_own_batch(venue: Venue) -> None:
    first, second = venue.apply(order(1, nonce="once"), order(2, nonce="once"))
    assert isinstance(first, BetConfirmed)
    assert refused(second).code is Code.REPLAY_DETECTED


def test_two_users_may_use_the_same_nonce(venue: Venue) -> None:
    venue.fund(BOB, STAKE)
    outcomes = venue.apply(order(1, nonce="once"), order(1, nonce="once", wallet=BOB))
    assert all(isinstance(outcome, BetConfirmed) for outcome in outcomes)


def test_a_refusal_of_the_rules_is_returned_and_writes_nothing(venue: Venue) -> None:
    given = Refusal(Code.QUOTE_EXPIRED, details={"reward_bps": 12_000, "quote": 9})
    placed = order(1, refusal=given, bps=0)
    assert venue.one(placed) == BetRefused(
        bet_id=placed.bet.bet_id,
        wallet=ALICE,
        cell_id=placed.bet.cell.id,
        refusal=given,
        user_id=3,
    )
    assert venue.reader.bet(placed.bet.bet_id) is None
    assert isinstance(venue.one(order(1, nonce=placed.bet.nonce)), BetConfirmed)


def test_an_unknown_wallet_has_no_funds_and_gets_no_account(venue: Venue) -> None:
    outcome = venue.one(order(1, wallet=BOB))
    assert refused(outcome).code is Code.INSUFFICIENT_FUNDS
    assert isinstance(outcome, BetRefused)
    assert outcome.user_id is None
    assert outcome.seq is None
    assert venue.reader.account(BOB) is None


@pytest.mark.parametrize("wallet", ["house", "external"])
def test_the_venues_own_accounts_never_bet(venue: Venue, wallet: str) -> None:
    assert refused(venue.one(order(1, wallet=wallet))).code is Code.INSUFFICIENT_FUNDS


def test_a_cell_is_held_once_for_ever(venue: Venue) -> None:
    first = order(1)
    venue.one(first)
    taken = refused(venue.one(order(1)))
    assert (taken.code, taken.details) == (Code.CELL_TAKEN, {"bet_id": first.bet.bet_id})
    venue.one(settle(lost=[1]), at_ms=AT_MS + 60_000)
    assert refused(venue.one(order(1), at_ms=AT_MS + 61_000)).code is Code.CELL_TAKEN


def test_a_column_with_a_verdict_takes_no_bet(venue: Venue) -> None:
    venue.one(order(1))
    venue.one(settle(lost=[1]), at_ms=AT_MS + 60_000)
    for rule in type(order().rule):
        outcome = venue.one(order(2, rule=rule), at_ms=AT_MS + 61_000)
        assert refused(outcome).code is Code.CELL_UNAVAILABLE


def test_a_frozen_account_takes_no_bet(ledger_file: Path) -> None:
    venue = open_venue(ledger_file)
    venue.fund("house", BANKROLL)
    venue.fund(ALICE, STAKE)
    with sqlite3.connect(ledger_file) as other:
        other.execute("UPDATE users SET frozen = 1 WHERE wallet_address = ?", (ALICE,))
    other.close()
    assert refused(venue.one(order(1))).code is Code.FROZEN
    venue.close()


def test_a_bet_without_the_money_is_recorded_and_holds_no_cell(venue: Venue) -> None:
    venue.fund(BOB, STAKE - 1)
    placed = order(1, wallet=BOB)
    outcome = venue.one(placed)
    assert refused(outcome).code is Code.INSUFFICIENT_FUNDS
    assert isinstance(outcome, BetRefused)
    assert outcome.seq == 2
    bet = venue.reader.bet(placed.bet.bet_id)
    assert bet is not None
    assert bet.status is BetStatus.INSUFFICIENT_FUNDS
    assert venue.balance(BOB) == STAKE - 1
    again = refused(venue.one(placed))
    assert again.details["bet"]["status"] == "insufficient_funds"  # type: ignore[index]
    venue.fund(BOB, 1)
    assert isinstance(venue.one(order(1, wallet=BOB)), BetConfirmed)


@pytest.mark.parametrize("batches", [1, 10, 100])
def test_of_a_hundred_bets_with_money_for_ten_ten_are_taken(venue: Venue, batches: int) -> None:
    venue.fund(BOB, 10 * STAKE)
    orders = [order(row, wallet=BOB) for row in range(100)]
    size = 100 // batches
    outcomes = [
        outcome
        for begin in range(0, 100, size)
        for outcome in venue.apply(*orders[begin : begin + size])
    ]
    assert sum(isinstance(outcome, BetConfirmed) for outcome in outcomes) == 10
    assert venue.balance(BOB) == 0
    assert venue.reader.integrity().clean


# --- the house can always pay -----------------------------------------------------------------


def test_the_house_covers_every_open_payout_with_the_stake_credited(empty: Venue) -> None:
    empty.fund("house", 3 * STAKE)
    empty.fund(ALICE, 100 * STAKE)
    # At 2.0 each bet adds a stake to the house and owes two: three bets use the bankroll up.
    outcomes = empty.apply(*(order(row) for row in range(4)))
    assert [isinstance(outcome, BetConfirmed) for outcome in outcomes] == [True] * 3 + [False]
    assert refused(outcomes[3]).code is Code.EXPOSURE_LIMIT
    position = empty.reader.house()
    assert position.balance_micros == position.open_payout_micros == 6 * STAKE
    assert empty.reader.bet(outcomes[3].bet_id) is None  # type: ignore[union-attr]


def test_what_is_settled_no_longer_counts(empty: Venue) -> None:
    empty.fund("house", STAKE)
    empty.fund(ALICE, 100 * STAKE)
    empty.one(order(1))
    assert refused(empty.one(order(2))).code is Code.EXPOSURE_LIMIT
    empty.one(settle(lost=[1]), at_ms=AT_MS + 60_000)
    later = order(2, start_s=START_S + 60)
    assert isinstance(empty.one(later, at_ms=AT_MS + 61_000), BetConfirmed)


@pytest.mark.parametrize(
    ("cap", "allowed", "over"),
    [
        ("payout_per_user_micros", order(2, wallet=BOB), order(2)),
        ("payout_per_cell_micros", order(2), order(1, wallet=BOB)),
        ("payout_per_column_micros", order(1, start_s=START_S + 5), order(2, wallet=BOB)),
    ],
)
def test_each_cap_counts_open_payouts_of_its_scope(
    request: pytest.FixtureRequest, cap: str, allowed: object, over: object
) -> None:
    caps = HouseCaps(**{cap: 3 * STAKE})
    venue = open_venue(Memory(f"caps-{request.node.name}"), caps=caps)
    for wallet in ("house", ALICE, BOB):
        venue.fund(wallet, BANKROLL)
    venue.one(order(1))
    assert refused(venue.one(over)).code is Code.EXPOSURE_LIMIT  # type: ignore[arg-type]
    assert isinstance(venue.one(allowed), BetConfirmed)  # type: ignore[arg-type]
    venue.close()


@pytest.mark.parametrize(
    "cap", ["payout_per_user_micros", "payout_per_cell_micros", "payout_per_column_micros"]
)
@pytest.mark.parametrize(("room", "taken"), [(0, True), (-1, False)])
def test_a_cap_may_be_reached_and_not_passed(cap: str, room: int, taken: bool) -> None:
    caps = HouseCaps(**{cap: 2 * STAKE + room})
    venue = open_venue(Memory(f"cap-{cap}-{room}"), caps=caps)
    for wallet in ("house", ALICE):
        venue.fund(wallet, BANKROLL)
    assert isinstance(venue.one(order(1)), BetConfirmed) is taken
    venue.close()


# --- deposits and accounts --------------------------------------------------------------------


def test_a_deposit_makes_the_account_and_counts_once(empty: Venue) -> None:
    command = deposit(BOB, 5 * STAKE, "ref")
    first, again = empty.apply(command, command)
    assert isinstance(first, Deposited)
    assert isinstance(again, Deposited)
    assert (first.repeated, first.balance_micros, first.seq) == (False, 5 * STAKE, 1)
    assert (again.repeated, again.balance_micros, again.seq) == (True, 5 * STAKE, 1)
    assert empty.balance("external") == -5 * STAKE


@pytest.mark.parametrize("other", [deposit(BOB, 6, "ref"), deposit(ALICE, 5, "ref")])
def test_a_reference_names_one_amount_and_wallet(empty: Venue, other: object) -> None:
    empty.one(deposit(BOB, 5, "ref"))
    outcome = empty.one(other)  # type: ignore[arg-type]
    assert isinstance(outcome, Refusal)
    assert outcome.code is Code.REFERENCE_CONFLICT
    assert empty.reader.account(ALICE) is None


def test_the_other_side_of_deposits_takes_none(empty: Venue) -> None:
    outcome = empty.one(deposit("external", 5))
    assert isinstance(outcome, Refusal)
    assert outcome.code is Code.BAD_REQUEST


def test_an_account_is_opened_once(empty: Venue) -> None:
    first, again = empty.apply(OpenAccount(wallet=BOB), OpenAccount(wallet=BOB))
    assert isinstance(first, AccountOpened)
    assert isinstance(again, AccountOpened)
    assert (first.created, again.created) == (True, False)
    assert first.user_id == again.user_id


# --- what operators and quotes must have kept --------------------------------------------------


def test_operators_words_outlive_the_process(ledger_file: Path) -> None:
    venue = open_venue(ledger_file)
    outcomes = venue.apply(
        SetHold(held=True, by="ann", why="storm"),
        KeepOverride(override=Override.OPEN, by="ben", why="drill"),
    )
    assert outcomes == [HoldSet(held=True), OverrideKept(override=Override.OPEN)]
    venue.close()
    venue = open_venue(ledger_file, seed=2)
    kept = OperatorState(
        held=True,
        held_by="ann",
        held_why="storm",
        override=Override.OPEN,
        override_by="ben",
        override_why="drill",
    )
    assert venue.ledger.recover().operators == kept
    assert venue.reader.operator_state() == kept
    venue.close()


def test_quote_numbers_are_never_given_twice(ledger_file: Path) -> None:
    venue = open_venue(ledger_file)
    first = venue.one(ReserveQuoteNumbers(count=100))
    venue.close()
    venue = open_venue(ledger_file, seed=2)
    second = venue.one(ReserveQuoteNumbers(count=10))
    assert [first, second] == [
        QuoteNumbersReserved(first=1, count=100),
        QuoteNumbersReserved(first=101, count=10),
    ]
    assert isinstance(venue.one(ReserveQuoteNumbers(count=0)), CommandFailed)
    venue.close()


def test_the_highest_time_of_judgement_never_falls(venue: Venue) -> None:
    venue.one(order(1), at_ms=AT_MS)
    venue.one(order(2), at_ms=AT_MS - 5_000)
    assert venue.ledger.recover().high_ms == AT_MS
    venue.one(order(1, refusal=Refusal(Code.BAD_STAKE)), at_ms=AT_MS + 7)
    assert venue.ledger.recover().high_ms == AT_MS + 7


def test_what_leaves_no_time_of_its_own_is_not_gone_behind_either(venue: Venue) -> None:
    hold = SetHold(held=True, by="ann", why="storm")
    venue.one(hold, at_ms=AT_MS + 9)
    assert venue.ledger.recover().high_ms == AT_MS + 9


# --- one bad command fails alone ---------------------------------------------------------------


def test_one_bad_bet_fails_alone(venue: Venue) -> None:
    good = [order(row) for row in range(7)]
    bad = order(50, bet_id=good[1].bet.bet_id)
    outcomes = venue.apply(*good[:4], bad, *good[4:])
    assert [type(outcome) for outcome in outcomes] == (
        [BetConfirmed] * 4 + [CommandFailed] + [BetConfirmed] * 3
    )
    assert venue.balance(ALICE) == 93 * STAKE
    assert venue.reader.integrity().clean


@pytest.mark.parametrize(
    "bad",
    [
        order(1, stake=0),
        order(1, stake=2**62),
        order(1, stake=2**70),
        order(1, nonce="\ud800"),
        order(-1),
        OpenAccount(wallet="0xABC"),
        OpenAccount(wallet="\ud800"),
        deposit(BOB, 0),
        deposit(BOB, -5),
        deposit(BOB, 2**63),
        deposit(BOB, 5, "\ud800"),
    ],
)
def test_what_the_schema_refuses_leaves_nothing(venue: Venue, bad: object) -> None:
    before = venue.reader.integrity()
    outcomes = venue.apply(bad, deposit(BOB, 5), bad, order(9))  # type: ignore[arg-type]
    kinds = [type(outcome) for outcome in outcomes if not isinstance(outcome, BetRefused)]
    assert kinds[-1] is BetConfirmed
    assert Deposited in kinds
    after = venue.reader.integrity()
    assert after.clean
    assert after.ledger_rows == before.ledger_rows + 4


def test_a_full_disk_refuses_the_batch_and_writes_nothing(filed: Venue) -> None:
    limit_pages(filed, extra=0)
    before = filed.reader.integrity()
    orders = [order(row) for row in range(2_000)]
    outcomes = filed.apply(*orders, deposit(BOB, 5))
    assert {refused(outcome).code for outcome in outcomes[:-1]} == {Code.DISK_FULL}
    assert outcomes[-1] == Refusal(Code.DISK_FULL)
    assert filed.reader.integrity().bets == before.bets
    limit_pages(filed, extra=10_000)
    assert isinstance(filed.one(orders[0]), BetConfirmed)


def limit_pages(venue: Venue, *, extra: int) -> None:
    """Let the file grow by `extra` pages and no more: a disk that is full."""
    connection = venue.ledger._connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages + extra}")


# --- durability --------------------------------------------------------------------------------


def test_the_write_connection_syncs_every_commit(filed: Venue) -> None:
    assert filed.ledger.synchronous() == 2


def test_a_trace_shows_the_commit_before_the_reply(ledger_file: Path) -> None:
    seen: list[str] = []
    ledger = SqliteLedger.open(
        ledger_file, caps=HouseCaps(), chance=SeededChance(1), trace=seen.append
    )
    seen.clear()
    ledger.apply([deposit(ALICE, STAKE), order(1)], at_ms=AT_MS)
    assert seen[0] == "BEGIN IMMEDIATE"
    assert seen[-1] == "COMMIT"
    ledger.close()


def test_a_death_in_mid_transaction_leaves_nothing(filed: Venue, ledger_file: Path) -> None:
    before = filed.reader.integrity()
    connection = filed.ledger._connection
    connection.execute("BEGIN IMMEDIATE")
    filed.ledger._place([order(row) for row in range(5)], AT_MS)
    assert filed.reader.integrity() == before, "a reader sees nothing uncommitted"
    connection.close()
    filed.ledger = SqliteLedger.open(ledger_file, caps=HouseCaps(), chance=SeededChance(2))
    filed.ledger.recover()
    assert filed.reader.integrity() == before
    assert filed.balance(ALICE) == 100 * STAKE


def test_a_call_that_breaks_rolls_back(venue: Venue, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("db.ledger_commands.set_hold", broken)
    with pytest.raises(ZeroDivisionError):
        venue.apply(order(1), SetHold(held=True, by="", why=""))
    assert venue.balance(ALICE) == 100 * STAKE
    assert isinstance(venue.one(order(1)), BetConfirmed)


def test_there_is_one_writer(ledger_file: Path, tmp_path: Path) -> None:
    folder = DataFolder.open(tmp_path / "data", mode="demo", chain_id=31_337)
    with folder.lock(), pytest.raises(FolderInUse), folder.lock():
        pass
    venue = open_venue(ledger_file)
    second = open_writer(ledger_file)
    second.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        venue.one(order(1))
    second.close()
    venue.close()


# --- start ---------------------------------------------------------------------------------------


def test_a_new_ledger_recovers_to_nothing(empty: Venue) -> None:
    recovered = empty.ledger.recover()
    assert (recovered.high_ms, recovered.operators) == (0, OperatorState())


def test_a_start_checks_what_is_new_and_moves_the_mark(filed: Venue) -> None:
    filed.one(order(1))
    filed.ledger.recover()
    meta = "SELECT verified_rowid FROM meta"
    assert filed.ledger._connection.execute(meta).fetchone() == (6,)


@pytest.mark.parametrize(
    "tamper",
    [
        "UPDATE users SET balance = balance + 1 WHERE id = 3",
        "UPDATE transaction_ledger SET amount = amount + 1 WHERE rowid = 6",
        "UPDATE transaction_ledger SET balance_after = balance_after + 1 WHERE rowid = 5",
        "UPDATE exposure SET payout_micros = payout_micros - 1 WHERE scope = 'cell'",
    ],
)
def test_a_start_refuses_money_that_does_not_add_up(filed: Venue, tamper: str) -> None:
    filed.ledger.recover()
    filed.one(order(1))
    connection = filed.ledger._connection
    connection.execute("DROP TRIGGER ledger_is_never_changed")
    connection.execute(tamper)
    with pytest.raises(LedgerBroken) as broken:
        filed.ledger.recover()
    assert broken.value.drifts
    assert connection.execute("SELECT verified_rowid FROM meta").fetchone() == (4,)


def test_the_first_start_makes_the_weeks_file_and_later_ones_find_it(tmp_path: Path) -> None:
    ledger, path = open_current(tmp_path, at_ms=AT_MS, caps=HouseCaps(), chance=SeededChance(1))
    ledger.apply([deposit(ALICE, STAKE)], at_ms=AT_MS)
    ledger.close()
    month_later = AT_MS + 30 * 86_400_000
    again, same = open_current(
        tmp_path, at_ms=month_later, caps=HouseCaps(), chance=SeededChance(2)
    )
    again.recover()
    again.close()
    assert path == same == tmp_path / "2026-02-01.db"
