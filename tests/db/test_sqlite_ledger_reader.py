"""What readers of the ledger get."""

import sqlite3
from pathlib import Path

import pytest

from db.sqlite_connection import DatabaseMissing
from db.sqlite_ledger_reader import EvidenceUnreadable, SqliteLedgerReader
from domain.resolution import Rule
from protocols.accounts import Account, HousePosition, OpenColumn
from protocols.money import BetStatus, ColumnKey, OpenAccount
from tests.support.ledgers import (
    ALICE,
    AT_MS,
    BANKROLL,
    BOB,
    STAKE,
    START_S,
    Venue,
    open_venue,
    order,
    settle,
)

LATER_MS = START_S * 1000 + 10_000


def test_a_new_account_is_all_zeros(empty: Venue) -> None:
    empty.one(OpenAccount(wallet=BOB))
    assert empty.reader.account(BOB) == Account(
        user_id=3,
        wallet=BOB,
        balance_micros=0,
        open_stake_micros=0,
        open_bets=0,
        seq=0,
        created_at_ms=AT_MS,
    )


def test_what_is_not_there_is_none(empty: Venue) -> None:
    reader = empty.reader
    assert reader.account(BOB) is None
    assert reader.bet("no") is None
    assert reader.bet_by_nonce(BOB, "no") is None
    assert reader.settled_bet("no") is None
    assert reader.bets(BOB) == []
    assert reader.statement(BOB) == []
    assert reader.settled_bets() == []
    assert reader.open_columns(before_s=2**40) == []


def test_a_bet_is_found_by_id_and_by_nonce(venue: Venue) -> None:
    placed = order(1)
    venue.one(placed)
    bet = venue.reader.bet(placed.bet.bet_id)
    assert bet is not None
    assert bet == venue.reader.bet_by_nonce(ALICE, placed.bet.nonce)
    assert venue.reader.bet_by_nonce(BOB, placed.bet.nonce) is None
    assert (bet.lo_cents, bet.hi_cents, bet.column_start_s, bet.column_s) == (
        1_000,
        2_000,
        START_S,
        5,
    )


def test_an_open_bet_has_no_settled_form(venue: Venue) -> None:
    placed = order(1)
    venue.one(placed)
    assert venue.reader.settled_bet(placed.bet.bet_id) is None


def test_pages_of_bets_meet_without_gap_or_overlap(venue: Venue) -> None:
    for n in range(7):
        venue.apply(
            *(order(3 * n + k, bet_id=f"b{(n * 5 + k) * 7 % 37:02}") for k in range(3)),
            at_ms=AT_MS + n // 2,
        )
    whole = venue.reader.bets(ALICE, limit=100)
    keys = [(bet.placed_at_ms, bet.bet_id) for bet in whole]
    assert keys == sorted(keys, reverse=True)
    assert len(keys) == 21
    paged = []
    before = None
    while len(paged) < 30 and (page := venue.reader.bets(ALICE, before=before, limit=4)):
        paged += page
        before = (page[-1].placed_at_ms, page[-1].bet_id)
    assert paged == whole


def test_bets_are_chosen_by_status_and_time(venue: Venue) -> None:
    venue.one(order(1), at_ms=AT_MS)
    venue.one(order(2), at_ms=AT_MS + 10)
    venue.one(order(3, start_s=START_S + 60), at_ms=AT_MS + 20)
    venue.one(settle(won=[1], lost=[2]), at_ms=LATER_MS)

    def rows(**choice: object) -> list[int]:
        return [bet.lo_cents // 1_000 for bet in venue.reader.bets(ALICE, **choice)]  # type: ignore[arg-type]

    assert rows() == [3, 2, 1]
    assert rows(statuses=[BetStatus.WON]) == [1]
    assert rows(statuses=[BetStatus.CONFIRMED, BetStatus.LOST]) == [3, 2]
    assert rows(from_ms=AT_MS + 10) == [3, 2]
    assert rows(from_ms=AT_MS, to_ms=AT_MS + 10) == [1]
    assert rows(statuses=[BetStatus.VOID]) == []


def test_a_statement_goes_back_row_by_row(venue: Venue) -> None:
    venue.apply(order(1), order(2))
    whole = venue.reader.statement(ALICE)
    assert [(row.amount_micros, row.balance_after_micros) for _, row in whole] == [
        (-STAKE, 98 * STAKE),
        (-STAKE, 99 * STAKE),
        (100 * STAKE, 100 * STAKE),
    ]
    first = venue.reader.statement(ALICE, limit=1)
    assert [*first, *venue.reader.statement(ALICE, before=first[0][0])] == whole
    assert whole[0][1].metadata == f'{{"cell_id":"{START_S}_2000_3000"}}'


def test_open_columns_come_oldest_first_with_their_ranges(venue: Venue) -> None:
    venue.fund(BOB, 5 * STAKE)
    venue.apply(
        order(2, start_s=START_S + 5),
        order(4),
        order(1),
        order(1, wallet=BOB),
        order(2, start_s=START_S + 10),
        order(3, rule=Rule.PATH),
    )
    found = venue.reader.open_columns(before_s=START_S + 10)
    assert found == [
        OpenColumn(
            key=ColumnKey(start_s=START_S, column_s=5, rule=Rule.PATH), ranges=((3_000, 4_000),)
        ),
        OpenColumn(
            key=ColumnKey(start_s=START_S, column_s=5, rule=Rule.TOUCH),
            ranges=((1_000, 2_000), (4_000, 5_000)),
        ),
        OpenColumn(
            key=ColumnKey(start_s=START_S + 5, column_s=5, rule=Rule.TOUCH),
            ranges=((2_000, 3_000),),
        ),
    ]


def test_the_house_is_shown_against_what_it_may_owe(venue: Venue) -> None:
    venue.apply(order(1), order(2, bps=15_000))
    assert venue.reader.house() == HousePosition(
        balance_micros=BANKROLL + 2 * STAKE, open_payout_micros=3_500_000, open_bets=2
    )


def test_settled_bets_come_in_order_and_in_pages(venue: Venue) -> None:
    venue.apply(*(order(row) for row in range(5)))
    venue.one(order(9, start_s=START_S + 60))
    venue.one(settle(won=[0, 1], lost=[2, 3, 4]), at_ms=LATER_MS)
    whole = venue.reader.settled_bets()
    assert [rowid for rowid, _ in whole] == [1, 2, 3, 4, 5]
    first = venue.reader.settled_bets(limit=2)
    assert [*first, *venue.reader.settled_bets(after_rowid=first[-1][0])] == whole


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE columns SET record = '{}'",
        "UPDATE columns SET record = '[]'",
        "UPDATE columns SET record = json_set(record, '$.ticks[0]', 5)",
        "UPDATE columns SET record = json_set(record, '$.ticks[0][2]', 'much')",
        "UPDATE columns SET record = json_set(record, '$.ticks', NULL)",
        "UPDATE columns SET record = json_set(record, '$.carry_in', json('[1]'))",
        "UPDATE columns SET void_reason = 'a whim'",
        "DELETE FROM columns WHERE start_s = (SELECT min(start_s) FROM columns)",
    ],
)
def test_damaged_evidence_names_its_bets_and_lets_the_rest_be_read(
    venue: Venue, damage: str
) -> None:
    damaged, sound = order(1), order(1, start_s=START_S + 5)
    venue.apply(damaged, sound)
    venue.one(settle(won=[1]), at_ms=LATER_MS)
    connection = venue.ledger._connection
    connection.execute(damage)
    venue.one(settle(won=[1], start_s=START_S + 5), at_ms=LATER_MS)
    with pytest.raises(EvidenceUnreadable) as unreadable:
        venue.reader.settled_bets()
    assert unreadable.value.bet_ids == (damaged.bet.bet_id,)
    assert unreadable.value.last_rowid == 2
    assert [bet.bet.bet_id for _, bet in unreadable.value.rest] == [sound.bet.bet_id]
    with pytest.raises(EvidenceUnreadable):
        venue.reader.settled_bet(damaged.bet.bet_id)
    assert venue.reader.settled_bet(sound.bet.bet_id) is not None


# --- the connection ------------------------------------------------------------------------------


def test_a_reader_sees_nothing_uncommitted_and_goes_on_meanwhile(filed: Venue) -> None:
    filed.ledger._connection.execute("BEGIN IMMEDIATE")
    filed.ledger._place([order(1)], AT_MS)
    assert filed.balance(ALICE) == 100 * STAKE
    assert filed.reader.house().open_bets == 0
    filed.ledger._connection.execute("COMMIT")
    assert filed.balance(ALICE) == 99 * STAKE


def test_a_reader_cannot_write(filed: Venue) -> None:
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        filed.reader._connection.execute("UPDATE users SET balance = 0")


def test_a_file_is_read_while_no_venue_runs(ledger_file: Path) -> None:
    venue = open_venue(ledger_file)
    venue.fund(ALICE, STAKE)
    venue.close()
    reader = SqliteLedgerReader.open(ledger_file)
    assert reader.integrity().clean
    assert reader.account(ALICE) is not None
    reader.close()


def test_a_missing_file_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(DatabaseMissing):
        SqliteLedgerReader.open(tmp_path / "no.db")
    assert list(tmp_path.iterdir()) == []
