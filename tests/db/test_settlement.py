"""Settling a column: exactly once, for everybody, or not at all."""

import attrs
import pytest

from domain.evidence import faults
from domain.refusals import Code
from domain.resolution import Rule, VoidReason
from protocols.money import (
    BetRefused,
    BetResolved,
    BetStatus,
    ColumnIncomplete,
    ColumnSettled,
    CommandFailed,
)
from tests.support.ledgers import (
    ALICE,
    AT_MS,
    BANKROLL,
    BOB,
    KEY,
    STAKE,
    START_S,
    Venue,
    order,
    settle,
    void,
)

LATER_MS = AT_MS + 60_000


def settled(outcome: object) -> tuple[BetResolved, ...]:
    assert isinstance(outcome, ColumnSettled)
    return outcome.resolved


def test_a_won_bet_is_paid_and_a_lost_one_is_not(venue: Venue) -> None:
    won, lost = order(1, bps=18_500), order(2)
    venue.apply(won, lost)
    resolved = settled(venue.one(settle(won=[1], lost=[2]), at_ms=LATER_MS))
    assert resolved == (
        BetResolved(
            bet_id=won.bet.bet_id,
            user_id=3,
            wallet=ALICE,
            seq=4,
            cell_id=won.bet.cell.id,
            status=BetStatus.WON,
            stake_micros=STAKE,
            payout_micros=1_850_000,
            balance_micros=98 * STAKE + 1_850_000,
            resolved_at_ms=LATER_MS,
        ),
        BetResolved(
            bet_id=lost.bet.bet_id,
            user_id=3,
            wallet=ALICE,
            seq=5,
            cell_id=lost.bet.cell.id,
            status=BetStatus.LOST,
            stake_micros=STAKE,
            payout_micros=0,
            balance_micros=98 * STAKE + 1_850_000,
            resolved_at_ms=LATER_MS,
        ),
    )
    assert venue.balance(ALICE) == 98 * STAKE + 1_850_000
    assert venue.reader.house().balance_micros == BANKROLL + 2 * STAKE - 1_850_000


def test_the_remainder_of_a_payout_stays_with_the_house(venue: Venue) -> None:
    venue.one(order(1, stake=1_000_001, bps=12_345))
    (won,) = settled(venue.one(settle(won=[1]), at_ms=LATER_MS))
    assert won.payout_micros == 1_000_001 * 12_345 // 10_000 == 1_234_501


def test_a_void_column_gives_every_stake_back(venue: Venue) -> None:
    venue.fund(BOB, 7 * STAKE)
    venue.apply(order(1), order(2), order(2, wallet=BOB, stake=7 * STAKE))
    resolved = settled(venue.one(void([1, 2]), at_ms=LATER_MS))
    assert [(bet.status, bet.payout_micros) for bet in resolved] == [
        (BetStatus.VOID, STAKE),
        (BetStatus.VOID, STAKE),
        (BetStatus.VOID, 7 * STAKE),
    ]
    assert (venue.balance(ALICE), venue.balance(BOB)) == (100 * STAKE, 7 * STAKE)
    kinds = {row.ref_type for _, row in venue.reader.statement(BOB)}
    assert kinds == {"DEPOSIT", "BET", "REFUND"}
    assert venue.reader.statement("house", limit=1)[0][1].ref_type == "REFUND"


def test_several_wins_of_one_user_chain(venue: Venue) -> None:
    venue.apply(*(order(row) for row in range(4)))
    venue.one(settle(won=[0, 1, 3], lost=[2]), at_ms=LATER_MS)
    account = venue.reader.account(ALICE)
    assert account is not None
    assert (account.balance_micros, account.seq) == (102 * STAKE, 9)
    after = [row.balance_after_micros // STAKE for _, row in venue.reader.statement(ALICE)]
    assert after == [102, 100, 98, 96, 97, 98, 99, 100]
    assert venue.reader.integrity().clean


def test_one_house_row_stands_against_all_payouts(venue: Venue) -> None:
    venue.fund(BOB, STAKE)
    venue.apply(order(1), order(1, wallet=BOB), order(2))
    venue.one(settle(won=[1], lost=[2]), at_ms=LATER_MS)
    _, row = venue.reader.statement("house", limit=1)[0]
    assert (row.amount_micros, row.ref_type) == (-4 * STAKE, "PAYOUT")
    assert row.ref_id == f"column:{START_S}_5_touch"


def test_a_column_without_a_winner_moves_no_money(venue: Venue) -> None:
    venue.apply(order(1), order(2))
    before = venue.reader.integrity().ledger_rows
    assert len(settled(venue.one(settle(lost=[1, 2]), at_ms=LATER_MS))) == 2
    assert venue.reader.integrity().ledger_rows == before


def test_settling_again_changes_nothing(venue: Venue) -> None:
    venue.apply(order(1), order(2))
    command = settle(won=[1], lost=[2])
    first, second = venue.apply(command, command, at_ms=LATER_MS)
    assert len(settled(first)) == 2
    assert settled(second) == ()
    before = venue.reader.integrity()
    other = settle(won=[1, 2])
    assert settled(venue.one(other, at_ms=LATER_MS + 1)) == ()
    assert venue.reader.integrity() == before
    assert venue.balance(ALICE) == 100 * STAKE


def test_a_verdict_that_names_not_all_open_cells_writes_nothing(venue: Venue) -> None:
    venue.apply(order(1), order(2))
    before = venue.reader.integrity()
    assert venue.one(settle(won=[1]), at_ms=LATER_MS) == ColumnIncomplete(key=KEY)
    assert venue.reader.integrity() == before
    assert venue.reader.open_columns(before_s=START_S + 1)[0].ranges == ((1000, 2000), (2000, 3000))
    assert len(settled(venue.one(settle(won=[1], lost=[2, 3]), at_ms=LATER_MS))) == 2


def test_a_verdict_touches_no_other_column_or_rule(venue: Venue) -> None:
    venue.fund(BOB, STAKE)
    own, next_column = order(1), order(1, start_s=START_S + 5)
    venue.apply(own, next_column, order(1, wallet=BOB, rule=Rule.PATH))
    (resolved,) = settled(venue.one(settle(won=[1]), at_ms=LATER_MS))
    assert resolved.bet_id == own.bet.bet_id
    assert venue.reader.house().open_bets == 2
    assert venue.reader.integrity().clean


def test_a_column_without_bets_gets_its_verdict_too(venue: Venue) -> None:
    assert settled(venue.one(settle(won=[1]), at_ms=LATER_MS)) == ()
    late = venue.one(order(1), at_ms=LATER_MS)
    assert isinstance(late, BetRefused)
    assert late.refusal.code is Code.CELL_UNAVAILABLE


def test_bets_without_money_are_not_settled(venue: Venue) -> None:
    venue.fund(BOB, 1)
    broke = order(1, wallet=BOB)
    venue.apply(order(1), broke)
    assert len(settled(venue.one(settle(won=[1]), at_ms=LATER_MS))) == 1
    assert venue.reader.bet(broke.bet.bet_id).status is BetStatus.INSUFFICIENT_FUNDS  # type: ignore[union-attr]


def test_the_exposure_of_a_settled_column_is_gone(venue: Venue) -> None:
    venue.fund(BOB, STAKE)
    venue.apply(order(1), order(1, wallet=BOB), order(1, start_s=START_S + 5))
    venue.one(settle(won=[1]), at_ms=LATER_MS)
    rows = venue.ledger._connection.execute(
        "SELECT scope, key, bets, stake_micros, payout_micros FROM exposure ORDER BY 1, 2"
    ).fetchall()
    assert rows == [
        ("cell", f"{START_S + 5}_1000_2000", 1, STAKE, 2 * STAKE),
        ("column", f"{START_S + 5}_5", 1, STAKE, 2 * STAKE),
        ("total", "", 1, STAKE, 2 * STAKE),
        ("user", "3", 1, STAKE, 2 * STAKE),
    ]


def test_the_evidence_is_kept_with_the_verdict(venue: Venue) -> None:
    bet = order(1)
    venue.one(bet)
    command = settle(won=[1])
    venue.one(command, at_ms=LATER_MS)
    kept = venue.reader.settled_bet(bet.bet.bet_id)
    assert kept is not None
    assert kept.evidence.ticks_sha256 == command.evidence.ticks_sha256
    assert kept.evidence.record == command.evidence.record
    assert faults(kept.evidence) == []


def test_the_reason_of_a_void_is_kept(venue: Venue) -> None:
    bet = order(1)
    venue.one(bet)
    venue.one(void([1]), at_ms=LATER_MS)
    kept = venue.reader.settled_bet(bet.bet.bet_id)
    assert kept is not None
    assert kept.evidence.void is VoidReason.TICK_GAP


def test_open_bets_under_a_verdict_are_a_defect_and_stay_as_they_are(venue: Venue) -> None:
    venue.one(settle(), at_ms=LATER_MS)
    venue.one(order(1, start_s=START_S + 5))
    venue.ledger._connection.execute("UPDATE bets SET column_start_s = ?", (START_S,))
    outcome = venue.one(settle(won=[1]), at_ms=LATER_MS)
    assert isinstance(outcome, CommandFailed)
    assert "1 open bets" in outcome.why
    assert venue.balance(ALICE) == 99 * STAKE


def test_a_payment_that_the_house_lacks_fails_whole(venue: Venue) -> None:
    venue.one(order(1))
    venue.ledger._connection.execute("UPDATE bets SET reward_bps = ?", (2 * BANKROLL // 100,))
    before = venue.balance(ALICE)
    assert isinstance(venue.one(settle(won=[1]), at_ms=LATER_MS), CommandFailed)
    assert venue.balance(ALICE) == before
    assert venue.reader.house().open_bets == 1


@pytest.mark.parametrize("rows", [(1,), (1, 2, 3)])
def test_settlement_and_bets_share_a_batch(venue: Venue, rows: tuple[int, ...]) -> None:
    venue.apply(*(order(row) for row in rows))
    later = attrs.evolve(order(1, start_s=START_S + 60))
    verdict, _ = venue.apply(settle(won=rows), later, at_ms=LATER_MS)
    assert len(settled(verdict)) == len(rows)
    assert venue.reader.house().open_bets == 1
    assert venue.reader.integrity().clean
