"""Rebuilding a balance from its ledger rows, and how far the ledger was found to add up.

Drift is made here as it is made outside: by another program that writes to the file.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db import ledger_commands
from db.sqlite_ledger import LedgerBroken
from db.sqlite_ledger_reader import SqliteLedgerReader
from db.weekly_check import check_weeks
from db.weekly_ledger import WeeklyLedger
from db.weekly_reader import WeeklyReader
from domain.caps import HouseCaps
from domain.refusals import Code, Refusal
from protocols.accounts import Drift
from protocols.money import (
    BalanceRebuilt,
    BetConfirmed,
    CommandFailed,
    MarkedVerified,
    MarkVerified,
    MoneyOutcome,
    RebuildBalance,
    Rotate,
)
from supervisor.chance import SeededChance
from tests.support.ledgers import (
    ALICE,
    AT_MS,
    BOB,
    START_S,
    Venue,
    deposit,
    open_venue,
    order,
    settle,
)
from tests.support.quick_folder import quick_folder
from tests.support.small_disk import filled, small_disk

USD = 1_000_000
FUNDS = 1_000 * USD
WEEK_MS = 7 * 86_400_000


@attrs.define
class Money:
    """A ledger in a file, and whoever meddles with it."""

    file: Path
    venue: Venue

    def meddle(self, sql: str, *values: object) -> None:
        """What no transaction of the venue does."""
        with closing(sqlite3.connect(self.file)) as other, other:
            other.execute("DROP TRIGGER IF EXISTS ledger_is_never_changed")
            other.execute(sql, values)

    def add(self, micros: int, wallet: str = ALICE) -> None:
        self.meddle(
            "UPDATE users SET balance = balance + ? WHERE wallet_address = ?", micros, wallet
        )

    def rebuild(self, wallet: str = ALICE, why: str = "a test") -> MoneyOutcome:
        return self.venue.one(RebuildBalance(wallet=wallet, by="ann", why=why))

    def drifts(self) -> tuple[Drift, ...]:
        return self.venue.reader.integrity().drifts

    def kinds(self) -> set[str]:
        return {drift.what for drift in self.drifts()}

    def newest(self) -> int:
        return int(self.ask("SELECT max(rowid) FROM transaction_ledger"))

    def ask(self, sql: str, *values: object) -> Any:
        with closing(sqlite3.connect(self.file)) as other:
            return other.execute(sql, values).fetchone()[0]


@pytest.fixture
def money() -> Iterator[Money]:
    with quick_folder() as folder:
        file = folder / "money.db"
        with closing(open_venue(file)) as venue:
            venue.fund("house", 1_000_000 * USD)
            venue.fund(ALICE, FUNDS)
            venue.fund(BOB, FUNDS)
            yield Money(file, venue)


# --- a rebuild ------------------------------------------------------------------------------------


def test_a_balance_becomes_the_sum_of_its_rows(money: Money) -> None:
    money.add(5 * USD)
    assert money.kinds() == {"balance", "zero_sum"}
    row = money.newest() + 1
    assert money.rebuild() == BalanceRebuilt(
        wallet=ALICE, before_micros=FUNDS + 5 * USD, after_micros=FUNDS, rowid=row
    )
    assert money.venue.balance(ALICE) == FUNDS
    assert money.drifts() == ()


def test_the_note_says_who_why_and_what_was_before(money: Money) -> None:
    money.add(-3)
    why = 'disk swapped; "ticket" 17 \u2713'
    money.rebuild(why=why)
    ((rowid, note),) = money.venue.reader.statement(ALICE, limit=1)
    assert (note.ref_type, note.amount_micros, note.balance_after_micros) == (
        "ADJUSTMENT",
        0,
        FUNDS,
    )
    assert json.loads(note.metadata) == {
        "rebuild": True,
        "by": "ann",
        "why": why,
        "balance_before": FUNDS - 3,
        "breaks": [],
        "recounted": 0,
    }
    assert rowid == money.newest()


def test_without_drift_nothing_is_written(money: Money) -> None:
    before = money.newest()
    for wallet in (ALICE, "house", "external"):
        outcome = money.rebuild(wallet)
        assert isinstance(outcome, BalanceRebuilt)
        assert (outcome.rowid, outcome.before_micros) == (None, outcome.after_micros)
    assert money.newest() == before


def test_an_account_that_there_is_not(money: Money) -> None:
    outcome = money.rebuild("0x" + "77" * 20)
    assert isinstance(outcome, Refusal)
    assert outcome.code is Code.NOT_FOUND


def test_a_rebuild_raises_the_version_so_that_who_resumes_sees_the_new_balance(
    money: Money,
) -> None:
    def version() -> int:
        return int(money.ask("SELECT version FROM users WHERE wallet_address = ?", ALICE))

    before = version()
    money.rebuild()
    assert version() == before, "nothing was wrong"
    money.add(1)
    money.rebuild()
    assert version() == before + 1


def test_a_second_rebuild_finds_nothing_to_do(money: Money) -> None:
    money.add(1)
    money.venue.one(order())
    money.rebuild()
    again = money.rebuild()
    assert isinstance(again, BalanceRebuilt)
    assert again.rowid is None


@pytest.mark.parametrize("wallet", [ALICE, "house"])
def test_bets_that_went_on_from_a_wrong_balance(money: Money, wallet: str) -> None:
    money.add(7 * USD, wallet)
    money.venue.apply(order(1), order(2))
    money.venue.one(settle(won=[1], lost=[2]))
    assert money.kinds() == {"balance", "chain", "zero_sum"}
    with pytest.raises(LedgerBroken):
        money.venue.ledger.recover()
    outcome = money.rebuild(wallet)
    assert isinstance(outcome, BalanceRebuilt)
    assert outcome.after_micros == outcome.before_micros - 7 * USD
    assert money.drifts() == (), "the break is settled, its row and the note's own"
    money.venue.ledger.recover()
    assert isinstance(money.venue.one(order(3, start_s=START_S + 5)), BetConfirmed)
    assert money.drifts() == ()


def test_the_note_names_the_breaks_and_itself_if_it_is_one(money: Money) -> None:
    first_wrong = money.newest() + 1
    money.add(1)
    money.venue.one(order())
    outcome = money.rebuild()
    assert isinstance(outcome, BalanceRebuilt)
    note = money.ask("SELECT metadata FROM transaction_ledger WHERE rowid = ?", outcome.rowid)
    assert json.loads(note)["breaks"] == [outcome.rowid, first_wrong]


def test_a_balance_that_was_put_back_by_hand_leaves_breaks_that_a_rebuild_settles(
    money: Money,
) -> None:
    money.add(1)
    money.venue.one(order(1))
    money.add(-1)
    money.venue.one(order(2))
    assert money.kinds() == {"chain"}
    outcome = money.rebuild()
    assert isinstance(outcome, BalanceRebuilt)
    assert outcome.before_micros == outcome.after_micros
    assert money.drifts() == ()


def test_a_break_after_a_rebuild_is_found_again(money: Money) -> None:
    money.add(1)
    money.rebuild()
    money.add(1)
    money.venue.one(order())
    assert "chain" in money.kinds()
    money.rebuild()
    assert money.drifts() == ()


def test_a_row_changed_after_a_rebuild_is_found_although_older_breaks_are_settled(
    money: Money,
) -> None:
    money.add(1)
    money.venue.apply(order(1))
    money.venue.apply(order(2))
    money.rebuild()
    # The bet of row 2 goes on from the settled break.
    changed = money.newest() - 2
    money.meddle(
        "UPDATE transaction_ledger SET balance_after = balance_after + 1 WHERE rowid = ?", changed
    )
    assert "chain" in money.kinds()


def test_a_note_settles_breaks_of_its_own_account_only(money: Money) -> None:
    money.add(1, BOB)
    money.venue.one(order(wallet=BOB))
    broken = money.newest() - 1
    money.add(1)
    money.rebuild()
    money.meddle(
        "UPDATE transaction_ledger SET metadata = ? WHERE rowid = ?",
        json.dumps({"rebuild": True, "breaks": [broken]}),
        money.newest(),
    )
    assert "chain" in money.kinds()


def test_a_note_settles_nothing_that_came_after_it(money: Money) -> None:
    money.add(1)
    money.rebuild()
    note = money.newest()
    money.add(1)
    money.venue.one(order())
    money.meddle(
        "UPDATE transaction_ledger SET metadata = ? WHERE rowid = ?",
        json.dumps({"rebuild": True, "breaks": [note + 1]}),
        note,
    )
    assert "chain" in money.kinds()


def test_no_other_row_settles_a_break(money: Money) -> None:
    money.add(1)
    money.venue.one(order())
    broken = money.newest() - 1
    money.meddle(
        "UPDATE transaction_ledger SET metadata = ? WHERE rowid = ?",
        json.dumps({"breaks": [broken]}),
        broken,
    )
    assert "chain" in money.kinds()


def test_a_rebuild_names_so_many_breaks_and_the_next_one_the_rest(
    money: Money, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_commands, "BREAKS_NAMED_MAX", 2)
    for row in range(3):
        money.add(1)
        money.venue.one(order(row))
    money.rebuild()
    assert [drift.what for drift in money.drifts()] == ["chain"]
    money.rebuild()
    assert money.drifts() == ()


def test_rows_that_add_up_to_no_balance_are_refused(money: Money) -> None:
    money.meddle(
        "INSERT INTO transaction_ledger"
        " (id, txn, user_id, amount, balance_after, ref_type, ref_id, created_at_ms)"
        " SELECT 'x', 1, id, ?, 0, 'WITHDRAWAL', 'x', 0 FROM users WHERE wallet_address = ?",
        -FUNDS - 1,
        ALICE,
    )
    before = money.newest()
    outcome = money.rebuild()
    assert isinstance(outcome, Refusal)
    assert outcome.code is Code.BAD_REQUEST
    assert "-1" in outcome.message
    assert money.newest() == before


def test_what_a_rebuild_can_not_mend_stays_visible(money: Money) -> None:
    money.meddle(
        "INSERT INTO transaction_ledger"
        " (id, txn, user_id, amount, balance_after, ref_type, ref_id, created_at_ms)"
        " SELECT 'x', 1, id, 5, balance + 5, 'DEPOSIT', 'x', 0 FROM users"
        " WHERE wallet_address = ?",
        ALICE,
    )
    assert money.kinds() == {"balance", "zero_sum"}
    money.rebuild()
    assert money.venue.balance(ALICE) == FUNDS + 5
    assert money.kinds() == {"zero_sum"}, "five micros that nobody paid"


def test_others_in_its_batch_are_not_touched(money: Money) -> None:
    money.add(1)
    outcomes = money.venue.apply(
        order(1), RebuildBalance(wallet=ALICE, by="ann", why="drill"), order(2), deposit(BOB, 5)
    )
    kinds = [type(outcome).__name__ for outcome in outcomes]
    assert kinds == ["BetConfirmed", "BalanceRebuilt", "BetConfirmed", "Deposited"]
    assert money.drifts() == ()


meddling = st.one_of(
    st.tuples(
        st.just("add"), st.sampled_from([ALICE, BOB, "house", "external"]), st.integers(-9, 9)
    ),
    st.tuples(st.just("bet"), st.sampled_from([ALICE, BOB]), st.integers(0, 30)),
    st.tuples(st.just("deposit"), st.sampled_from([ALICE, BOB, "house"]), st.integers(1, 9)),
    st.tuples(st.just("rebuild"), st.sampled_from([ALICE, BOB, "house", "external"]), st.just(0)),
)


@settings(max_examples=50)
@given(st.lists(meddling, max_size=12))
def test_whatever_was_done_to_balances_rebuilding_all_of_them_leaves_no_drift(
    steps: list[tuple[str, str, int]],
) -> None:
    with quick_folder() as folder, closing(open_venue(folder / "money.db")) as venue:
        money = Money(folder / "money.db", venue)
        for wallet in ("house", ALICE, BOB):
            venue.fund(wallet, FUNDS)
        for what, wallet, number in steps:
            match what:
                case "add":
                    money.add(number, wallet)
                case "bet":
                    venue.one(order(number, wallet=wallet))
                case "deposit":
                    venue.fund(wallet, number)
                case _:
                    money.rebuild(wallet)
        for wallet in ("house", "external", ALICE, BOB):
            money.rebuild(wallet)
        assert money.drifts() == ()
        venue.ledger.recover()
        venue.apply(order(31), order(32, wallet=BOB))
        assert money.drifts() == ()


# --- the mark -------------------------------------------------------------------------------------


def mark(money: Money, rowid: int) -> int:
    outcome = money.venue.one(MarkVerified(rowid=rowid))
    assert isinstance(outcome, MarkedVerified)
    assert outcome.rowid == money.ask("SELECT verified_rowid FROM meta")
    return outcome.rowid


def test_the_mark_moves_forward_only_and_never_past_the_newest_row(money: Money) -> None:
    assert money.newest() == 6
    assert [mark(money, rowid) for rowid in (3, 2, 0, -5, 4, 2**62)] == [3, 3, 3, 3, 4, 6]


def test_a_mark_that_is_no_row_number_fails_alone(money: Money) -> None:
    failed, confirmed = money.venue.apply(MarkVerified(rowid=2**63), order())
    assert isinstance(failed, CommandFailed)
    assert isinstance(confirmed, BetConfirmed)


def test_a_start_looks_at_what_comes_after_the_mark(money: Money) -> None:
    money.venue.one(order(1))
    money.venue.one(order(2))
    wrong = money.newest() - 1
    money.meddle("UPDATE transaction_ledger SET amount = amount + 1 WHERE rowid = ?", wrong)
    mark(money, wrong - 1)
    assert {drift.what for drift in money.venue.reader.audit().drifts} == {"chain", "zero_sum"}
    with pytest.raises(LedgerBroken):
        money.venue.ledger.recover()
    mark(money, wrong + 1)
    assert money.venue.reader.audit().drifts == ()
    money.venue.ledger.recover()


def test_a_partial_check_names_the_row_to_be_marked(money: Money) -> None:
    audit = money.venue.reader.audit()
    assert audit.rowid == money.newest()
    assert mark(money, audit.rowid) == audit.rowid
    money.venue.one(order())
    assert money.venue.reader.audit().rowid == audit.rowid + 2


def test_a_start_moves_the_mark_itself(money: Money) -> None:
    money.venue.ledger.recover()
    assert money.ask("SELECT verified_rowid FROM meta") == money.newest()


def test_a_full_disk_keeps_the_mark_where_it_is_and_nobody_from_recovering(
    tmp_path: Path,
) -> None:
    with small_disk(tmp_path / "disk", mib=8) as disk:
        file = disk / "money.db"
        with closing(open_venue(file)) as venue:
            money = Money(file, venue)
            venue.fund(ALICE, FUNDS)
            venue.fund(BOB, FUNDS)
            mark(money, 2)
            with filled(disk):
                assert isinstance(venue.one(deposit(ALICE, 5)), Refusal)
                venue.ledger.recover()
            assert money.ask("SELECT verified_rowid FROM meta") == 2
            venue.ledger.recover()
            assert money.ask("SELECT verified_rowid FROM meta") == money.newest() == 4


# --- over a new week ------------------------------------------------------------------------------


def weekly(folder: Path, at_ms: int) -> WeeklyLedger:
    return WeeklyLedger.open(folder, at_ms=at_ms, caps=HouseCaps(), chance=SeededChance(1))


def test_a_mark_of_the_week_before_is_no_mark_in_the_new_one(money: Money) -> None:
    with quick_folder() as folder, closing(weekly(folder, AT_MS)) as ledger:
        ledger.apply([deposit("house", FUNDS), deposit(ALICE, FUNDS)], at_ms=AT_MS)
        with closing(SqliteLedgerReader.open(ledger.path)) as reader:
            old = reader.audit().rowid
        at_ms = AT_MS + WEEK_MS
        _, marked = ledger.apply([Rotate(), MarkVerified(rowid=old)], at_ms=at_ms)
        assert isinstance(marked, MarkedVerified)
        assert marked.rowid >= old, "never less far than before"
        ledger.apply([order(start_s=START_S + WEEK_MS // 1000)], at_ms=at_ms)
        with closing(SqliteLedgerReader.open(ledger.path)) as reader:
            assert reader.integrity().clean
        ledger.recover()


def test_a_week_whose_money_was_meddled_with_begins_when_it_was_rebuilt() -> None:
    with quick_folder() as folder, closing(weekly(folder, AT_MS)) as ledger:
        ledger.apply([deposit("house", FUNDS), deposit(ALICE, FUNDS)], at_ms=AT_MS)
        old = Money(ledger.path, open_venue(ledger.path))
        old.add(1)
        old.venue.close()
        ledger.apply([Rotate()], at_ms=AT_MS + WEEK_MS)
        assert ledger.path == old.file, "a new week is not begun on money that does not add up"
        at_ms = AT_MS + WEEK_MS + 60_000
        ledger.apply([RebuildBalance(wallet=ALICE, by="ann", why="drill")], at_ms=at_ms)
        ledger.apply([Rotate()], at_ms=at_ms + 60_000)
        assert ledger.path != old.file
        with closing(SqliteLedgerReader.open(ledger.path)) as reader:
            assert reader.integrity().clean


def test_a_week_that_is_over_waits_for_the_rebuild_of_a_drift_that_cancels_itself_out() -> None:
    """Carried over, it could not be mended any more: the rows that tell it would stay behind."""
    with quick_folder() as folder, closing(weekly(folder, AT_MS)) as ledger:
        ledger.apply([deposit("house", FUNDS), deposit(ALICE, FUNDS)], at_ms=AT_MS)
        with closing(open_venue(ledger.path)) as venue:
            old = Money(ledger.path, venue)
            old.add(1)
            old.add(-1, "house")
        at_ms = AT_MS + WEEK_MS
        for wallet in (ALICE, "house"):
            command = RebuildBalance(wallet=wallet, by="ann", why="drill")
            (outcome,) = ledger.apply([command], at_ms=at_ms)
            assert isinstance(outcome, BalanceRebuilt)
            assert outcome.after_micros == FUNDS
        ledger.apply([Rotate()], at_ms=at_ms)
        assert ledger.path != old.file
        with closing(WeeklyReader(folder)) as reader:
            assert [each.report.drifts for each in check_weeks(reader.weeks()) if each.report] == [
                (),
                (),
            ]
