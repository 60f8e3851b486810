"""The second books: a sound ledger passes, and each made-up wrong one is found by its name."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from db.migrate import migrate
from db.sqlite_connection import open_writer
from simulation.oracle.books import Books, Caps
from simulation.oracle.ledger_file import (
    Account,
    Bet,
    Entry,
    Given,
    LedgerFile,
    News,
    Withdrawal,
)
from simulation.oracle.recheck import recheck

USD = 1_000_000
CAPS = Caps(
    per_bet_micros=10_000 * USD,
    per_user_micros=20_000 * USD,
    per_cell_micros=30_000 * USD,
    per_column_micros=40_000 * USD,
)
WALLET = "0x" + "ab" * 20
COLUMN_S = 1_770_100_010
VERDICT = (1, COLUMN_S, 5, "touch", None, 1_770_100_020_000)

Entries = list[tuple[int, int, str, str]]
"""`(user_id, amount, ref_type, ref_id)`."""


class Pages:
    """Writes news as a sound venue would, so that a test says only what is wrong."""

    def __init__(self) -> None:
        self.rowid = 0
        self.balances: dict[int, int] = {1: 0, 2: 0, 3: 0}
        self.exposure: dict[tuple[str, str], tuple[int, int, int]] = {("total", ""): (0, 0, 0)}
        self.open_bets = 0

    def news(self, *transactions: Entries, **more: Any) -> News:
        """What those transactions add to the ledger, and whatever else is said."""
        entries: list[Entry] = []
        for rows in transactions:
            txn = self.rowid + 1
            for user_id, amount, ref_type, ref_id in rows:
                self.rowid += 1
                self.balances[user_id] += amount
                after = self.balances[user_id]
                entries.append(Entry(self.rowid, txn, user_id, amount, after, ref_type, ref_id, 1))
        said: dict[str, Any] = {
            "entries": entries,
            "bets": [],
            "ended": [],
            "open_bets": self.open_bets,
            "accounts": self.accounts(),
            "exposure": dict(self.exposure),
            "deposits": [],
            "adjustments": [],
            "withdrawals": [],
            "keys": [],
            "limits": [],
            "verdicts": [],
            "voids": [],
            "held": False,
            "override": "auto",
            "high_ms": 0,
        }
        return News(**(said | more))

    def accounts(self) -> list[Account]:
        wallets = {1: "house", 2: "external", 3: WALLET}
        return [Account(one, wallets[one], has, 0, 0) for one, has in self.balances.items()]

    def expose(self, bet: Bet | None) -> None:
        """Running totals of that bet alone."""
        self.exposure = {("total", ""): (0, 0, 0)}
        self.open_bets = 0 if bet is None else 1
        if bet is not None:
            for key in (("total", ""), ("user", "3"), ("cell", bet.cell_id), ("column", COLUMN)):
                self.exposure[key] = (1, bet.stake_micros, bet.pays_micros)


COLUMN = f"{COLUMN_S}_5"


def bet(**changed: Any) -> Bet:
    made = Bet(
        rowid=1,
        id="B1",
        user_id=3,
        nonce="n1",
        column_start_s=COLUMN_S,
        column_s=5,
        lo_cents=100,
        hi_cents=200,
        rule="touch",
        stake_micros=10 * USD,
        reward_bps=25_001,
        quote_n=1,
        status="confirmed",
        payout_micros=None,
        placed_at_ms=1_770_100_000_000,
        resolved_at_ms=None,
        carried_from=None,
        key_id=None,
    )
    return made._replace(**changed)


PLACED = bet()
WON = bet(status="won", payout_micros=PLACED.pays_micros, resolved_at_ms=VERDICT[5])
LOST = bet(status="lost", payout_micros=0, resolved_at_ms=VERDICT[5])
STAKE: Entries = [(3, -10 * USD, "BET", "B1"), (1, 10 * USD, "BET", "txn")]
PAYOUT: Entries = [
    (3, PLACED.pays_micros, "PAYOUT", "B1"),
    (1, -PLACED.pays_micros, "PAYOUT", "column"),
]


def begun() -> tuple[Books, Pages]:
    """Books of a venue with a bankroll and a trader who has money."""
    books, pages = Books(CAPS), Pages()
    books.take(
        pages.news(
            [(1, 1_000 * USD, "DEPOSIT", "bank"), (2, -1_000 * USD, "DEPOSIT", "bank")],
            [(3, 100 * USD, "DEPOSIT", "d1"), (2, -100 * USD, "DEPOSIT", "d1")],
            deposits=[Given(1, "bank", 1, 1_000 * USD), Given(2, "d1", 3, 100 * USD)],
        )
    )
    return books, pages


def placed() -> tuple[Books, Pages]:
    """... and one open bet of his."""
    books, pages = begun()
    pages.expose(PLACED)
    books.take(pages.news(STAKE, bets=[PLACED]))
    return books, pages


def settled() -> tuple[Books, Pages]:
    """... which he has won."""
    books, pages = placed()
    pages.expose(None)
    books.take(pages.news(PAYOUT, ended=[WON], verdicts=[VERDICT]))
    return books, pages


def names(books: Books) -> list[str]:
    return [finding.what for finding in books.findings]


@pytest.mark.parametrize("until", [begun, placed, settled])
def test_a_sound_ledger_has_no_finding(until: Callable[[], tuple[Books, Pages]]) -> None:
    books, _ = until()
    assert names(books) == []


def wrong_bet(changed: dict[str, Any], rows: Entries = STAKE) -> Books:
    books, pages = begun()
    made = bet(**changed)
    pages.expose(made if made.status == "confirmed" else None)
    books.take(pages.news(*([rows] if rows else []), bets=[made]))
    return books


@pytest.mark.parametrize(
    ("rows", "what"),
    [
        ([(3, -10 * USD, "BET", "B1"), (1, 9 * USD, "BET", "txn")], "transaction_not_zero"),
        ([(3, -9 * USD, "BET", "B1"), (1, 9 * USD, "BET", "txn")], "stake_not_taken"),
        ([], "stake_not_taken"),
        ([(3, -10 * USD, "BET", "B2"), (1, 10 * USD, "BET", "txn")], "stake_without_bet"),
        ([(3, -10 * USD, "BET", "B1"), (1, 10 * USD, "PAYOUT", "x")], "transaction_of_two_kinds"),
        ([(3, -10 * USD, "CARRY", "B1"), (1, 10 * USD, "CARRY", "x")], "carry_in_mid_week"),
    ],
)
def test_a_stake_that_is_not_posted_as_it_must_be(rows: Entries, what: str) -> None:
    assert what in names(wrong_bet({}, rows))


def test_a_bet_beyond_each_cap() -> None:
    rows: Entries = [(3, -100 * USD, "BET", "B1"), (1, 100 * USD, "BET", "txn")]
    books = wrong_bet({"stake_micros": 100 * USD, "reward_bps": 5_000_000}, rows)
    assert {"cap_of_bet", "cap_of_user", "cap_of_cell", "cap_of_column"} <= set(names(books))
    assert "house_cannot_pay" in names(books)


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"id": "B2", "nonce": "n2"}, "cell_taken_twice"),
        ({"id": "B2", "lo_cents": 0}, "nonce_used_twice"),
        ({"nonce": "n2", "lo_cents": 0}, "bet_twice"),
        ({"id": "B2", "nonce": "n2", "lo_cents": 0, "status": "won"}, "bet_began_ended"),
    ],
)
def test_a_bet_that_must_not_be_there_beside_the_first(changed: dict[str, Any], what: str) -> None:
    books, pages = placed()
    books.take(pages.news(bets=[bet(rowid=2, **changed)]))
    assert what in names(books)


@pytest.mark.parametrize(
    ("ended", "rows", "verdict", "what"),
    [
        (WON, [], [VERDICT], "credit_wrong"),
        (LOST, PAYOUT, [VERDICT], "credit_not_owed"),
        (WON._replace(payout_micros=25 * USD), PAYOUT, [VERDICT], "payout_wrong"),
        (WON._replace(status="void", payout_micros=10 * USD), [], [VERDICT], "credit_wrong"),
        (WON._replace(status="void"), PAYOUT, [VERDICT], "ended_against_verdict"),
        (WON, PAYOUT, [], "ended_without_verdict"),
        (WON._replace(stake_micros=9 * USD), PAYOUT, [VERDICT], "bet_changed"),
        (WON._replace(resolved_at_ms=5), PAYOUT, [VERDICT], "ended_at_another_time"),
    ],
)
def test_an_end_that_is_not_as_it_must_be(
    ended: Bet, rows: Entries, verdict: list[Any], what: str
) -> None:
    books, pages = placed()
    pages.expose(None)
    books.take(pages.news(*([rows] if rows else []), ended=[ended], verdicts=verdict))
    assert what in names(books)


def test_a_bet_paid_twice() -> None:
    books, pages = settled()
    books.take(pages.news(PAYOUT))
    assert names(books)[:2] == ["credited_twice", "credit_without_end"]


def test_a_column_judged_twice() -> None:
    books, pages = settled()
    books.take(pages.news(verdicts=[(2, *VERDICT[1:5], VERDICT[5] + 1)]))
    assert names(books) == ["verdict_twice"]


def test_a_balance_that_is_not_its_ledger() -> None:
    books, pages = placed()
    accounts = [account._replace(balance=account.balance + 1) for account in pages.accounts()]
    books.take(pages.news(accounts=accounts))
    assert set(names(books)) == {"balance_not_ledger"}


def test_a_chain_with_a_jump_and_a_balance_below_zero() -> None:
    books, pages = begun()
    pages.balances[3] -= 200 * USD
    books.take(pages.news([(3, 1, "ADJUSTMENT", "a"), (1, -1, "ADJUSTMENT", "a")]))
    assert "balance_chain_broken" in names(books)
    books, pages = begun()
    books.take(pages.news([(3, -200 * USD, "ADJUSTMENT", "a"), (1, 200 * USD, "ADJUSTMENT", "a")]))
    assert "balance_below_zero" in names(books)


def test_running_totals_that_nothing_explains() -> None:
    books, pages = begun()
    pages.expose(PLACED)
    books.take(pages.news())
    assert names(books) == ["exposure_wrong", "open_bets_wrong"]


def test_a_deposit_made_twice_or_never_posted() -> None:
    rows: Entries = [(3, 100 * USD, "DEPOSIT", "d1"), (2, -100 * USD, "DEPOSIT", "d1")]
    books, pages = begun()
    books.take(pages.news(rows, deposits=[Given(3, "d1", 3, 100 * USD)]))
    assert names(books) == ["deposit_twice"]
    books, pages = begun()
    books.take(pages.news(deposits=[Given(3, "d2", 3, 100 * USD)]))
    assert names(books) == ["deposit_not_posted"]
    books, pages = begun()
    books.take(pages.news(rows))
    assert names(books) == ["deposit_without_reference"]


def test_a_withdrawal_in_its_wrong_states() -> None:
    asked = Withdrawal("w1", 3, "n", 40 * USD, "0xd", 9, "0xs", 10, "pending")
    taken: Entries = [(3, -40 * USD, "WITHDRAWAL", "w1"), (2, 40 * USD, "WITHDRAWAL", "w1")]
    books, pages = begun()
    books.take(pages.news(taken, withdrawals=[asked]))
    assert names(books) == []
    books.take(pages.news(withdrawals=[asked._replace(status="paid")]))
    assert names(books) == []
    books.take(pages.news(withdrawals=[asked._replace(status="rejected")]))
    assert names(books) == ["withdrawal_changed", "withdrawal_not_posted"]
    books, pages = begun()
    books.take(pages.news(withdrawals=[asked]))
    assert names(books) == ["withdrawal_not_posted"]
    books, pages = begun()
    books.take(pages.news(taken))
    assert names(books) == ["withdrawal_without_request"]


def test_a_time_that_goes_back_and_an_account_that_is_gone() -> None:
    books, pages = begun()
    books.take(pages.news(high_ms=10))
    books.take(pages.news(high_ms=9, accounts=pages.accounts()[:2]))
    assert names(books) == ["account_lost", "time_went_back"]


# --- files ----------------------------------------------------------------------------------


def _file(path: Path, *statements: str) -> LedgerFile:
    """A money file with a bankroll, a trader's deposit, and what else is said."""
    with closing(open_writer(path)) as connection:
        migrate(connection)
        for statement in (
            f"INSERT INTO users (id, wallet_address, created_at_ms) VALUES (3, '{WALLET}', 0)",
            _ledger(1, 3, 50 * USD, 50 * USD),
            _ledger(1, 2, -50 * USD, -50 * USD),
            f"UPDATE users SET balance = {50 * USD} WHERE id = 3",
            f"UPDATE users SET balance = {-50 * USD} WHERE id = 2",
            f"INSERT INTO deposits VALUES ('d', 3, {50 * USD}, 'me', 0)",
            *statements,
        ):
            connection.execute(statement)
    return LedgerFile(path)


def _ledger(txn: int, user_id: int, amount: int, after: int, ref: str = "DEPOSIT") -> str:
    return (
        "INSERT INTO transaction_ledger"
        " (id, txn, user_id, amount, balance_after, ref_type, ref_id, created_at_ms)"
        f" VALUES (hex(randomblob(8)), {txn}, {user_id}, {amount}, {after}, '{ref}', 'd', 0)"
    )


def _looked_at(file: LedgerFile) -> list[str]:
    """What the news and the recheck say."""
    with closing(file):
        books = Books(CAPS)
        books.take(file.news([]))
        recheck(file, books)
        return names(books)


def test_a_sound_file_has_no_finding(tmp_path: Path) -> None:
    assert _looked_at(_file(tmp_path / "2026-02-01.db")) == []


def test_a_wrong_file_is_found_by_the_news_and_by_the_recheck(tmp_path: Path) -> None:
    file = _file(tmp_path / "2026-02-01.db", _ledger(3, 3, 7, 50 * USD + 8, "ADJUSTMENT"))
    found = _looked_at(file)
    for what in ("transaction_not_zero", "balance_chain_broken", "balance_not_ledger"):
        assert found.count(what) >= 2, f"{what}: {found}"


def test_rows_that_are_gone_from_the_file_are_missed(tmp_path: Path) -> None:
    before = _file(tmp_path / "2026-02-01.db")
    books = Books(CAPS)
    with closing(before):
        books.take(before.news([]))
    (tmp_path / "after").mkdir()
    with closing(_file(tmp_path / "after" / "2026-02-01.db", "DELETE FROM deposits")) as after:
        after.go_on_from(before)
        after.last_entry += 1
        books.entries += 1
        recheck(after, books)
    assert "entries_lost" in names(books)


def test_a_new_week_must_carry_all_balances(tmp_path: Path) -> None:
    before = _file(tmp_path / "2026-02-01.db")
    books = Books(CAPS)
    with closing(before):
        books.take(before.news([]))
    with closing(_file(tmp_path / "2026-02-08.db")) as after:
        books.turn(after)
    assert names(books) == ["carry_wrong"]
