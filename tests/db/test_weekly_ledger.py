"""The ledger over the ends of weeks: when a new file begins, and what goes on in it."""

import errno
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from db import weekly_ledger
from db.partition import file_name
from db.sqlite_connection import open_reader
from db.weekly_ledger import RETRY_MS, WeeklyLedger, open_current
from domain.caps import HouseCaps
from domain.refusals import Code, Refusal
from protocols.accounts import OperatorState
from protocols.market import Override
from protocols.money import (
    BetConfirmed,
    BetRefused,
    BetStatus,
    ColumnSettled,
    Deposited,
    KeepOverride,
    MarkedVerified,
    MarkVerified,
    QuoteNumbersReserved,
    ReportDrift,
    ReserveQuoteNumbers,
    Rotate,
    Rotated,
    SetHold,
)
from supervisor.chance import SeededChance
from tests.support.ledgers import (
    ALICE,
    AT_MS,
    BOB,
    STAKE,
    START_S,
    deposit,
    order,
    settle,
    void,
)
from tests.support.weeks import (
    AHEAD_S,
    FIRST,
    FROZEN,
    SECOND,
    SUNDAY_MS,
    THIRD,
    WEEK_MS,
    WeeklyVenue,
    check_weeks,
    files_of,
    fill,
    in_week,
    weekly_venue,
)

DAY_MS = 86_400_000


@pytest.fixture
def venue() -> Iterator[WeeklyVenue]:
    """In its first week, with a bankroll, and Alice with a hundred stakes."""
    with weekly_venue() as venue:
        yield venue
        venue.ledger.recover()
        check_weeks(venue.money)


def at(moment: str) -> int:
    """Milliseconds of a UTC time."""
    return int(datetime.fromisoformat(f"{moment}+00:00").timestamp() * 1000)


def refused(outcome: object) -> Refusal:
    assert isinstance(outcome, BetRefused), outcome
    return outcome.refusal


def in_file(money: Path, name: str, sql: str) -> list[tuple[object, ...]]:
    with closing(open_reader(money / name)) as connection:
        return connection.execute(sql).fetchall()


# --- when a week ends ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sunday", "what"),
    [
        ("2026-12-27", "the last week of a year reaches into the next"),
        ("2027-01-03", "the first whole week of a year"),
        ("2028-02-27", "a leap day on a Tuesday"),
        ("2032-02-29", "a leap day on a Sunday"),
        ("2033-01-02", "week 53 is over"),
        ("2026-03-08", "clocks go forward in New York"),
        ("2026-03-29", "clocks go forward in Berlin"),
        ("2026-10-25", "clocks go back in Berlin"),
        ("2026-11-01", "clocks go back in New York"),
    ],
)
def test_a_week_begins_on_sunday_at_midnight_utc_and_at_no_other_time(
    tmp_path: Path, sunday: str, what: str
) -> None:
    midnight_ms = at(f"{sunday}T00:00:00")
    before_ms = midnight_ms - WEEK_MS
    with closing(
        WeeklyLedger.open(tmp_path, at_ms=before_ms, caps=HouseCaps(), chance=SeededChance(1))
    ) as ledger:
        for hour in range(0, 7 * 24, 3):
            ledger.apply([Rotate()], at_ms=before_ms + hour * 3_600_000)
        (outcome,) = ledger.apply([Rotate()], at_ms=midnight_ms - 1)
        assert outcome == Rotated(partition=file_name(before_ms)), what
        (outcome,) = ledger.apply([Rotate()], at_ms=midnight_ms)
        assert outcome == Rotated(partition=f"{sunday}.db"), what
        for hour in range(0, 7 * 24, 3):
            ledger.apply([Rotate()], at_ms=midnight_ms + hour * 3_600_000)
        assert ledger.partition() == f"{sunday}.db"
        ledger.recover()
        check_weeks(tmp_path)
    assert len(list(tmp_path.glob("*.db"))) == 2


def test_no_row_of_the_new_week_is_in_the_old_file(venue: WeeklyVenue) -> None:
    venue.apply(order(1, bet_id="saturday", start_s=AHEAD_S), at_ms=SUNDAY_MS - 1)
    venue.apply(order(2, bet_id="sunday", start_s=AHEAD_S), deposit(BOB, 5), at_ms=SUNDAY_MS)
    ledger, bets = (
        "SELECT max(created_at_ms) FROM transaction_ledger",
        "SELECT id, status, carried_from FROM bets ORDER BY id",
    )
    assert in_file(venue.money, FIRST, ledger) == [(SUNDAY_MS - 1,)]
    assert in_file(venue.money, FIRST, bets) == [("saturday", "carried", None)]
    assert in_file(venue.money, SECOND, bets) == [
        ("saturday", "confirmed", FIRST),
        ("sunday", "confirmed", None),
    ]
    minimum = ledger.replace("max", "min")
    assert in_file(venue.money, SECOND, minimum) == [(SUNDAY_MS,)]


def test_a_file_knows_when_it_began_and_which_were_before_it(venue: WeeklyVenue) -> None:
    venue.apply(Rotate(), at_ms=SUNDAY_MS + 5)
    venue.apply(Rotate(), at_ms=in_week(2))
    rows = in_file(venue.money, THIRD, "SELECT name, opened_at_ms, closed_at_ms FROM partitions")
    assert rows == [(FIRST, AT_MS, SUNDAY_MS + 5), (SECOND, SUNDAY_MS + 5, in_week(2))]
    for name, opened_ms, closed_ms in [*rows, (THIRD, in_week(2), None)]:
        found = in_file(venue.money, str(name), "SELECT opened_at_ms, closed_at_ms FROM meta")
        assert found == [(opened_ms, closed_ms)]


def test_a_venue_that_slept_for_weeks_goes_straight_to_this_one(venue: WeeklyVenue) -> None:
    venue.apply(order(1, start_s=AHEAD_S))
    venue.ledger.close()
    venue.ledger, path = open_current(
        venue.money, at_ms=in_week(9), caps=HouseCaps(), chance=SeededChance(2)
    )
    assert path.name == FIRST, "until the first command"
    venue.ledger.recover()
    venue.apply(Rotate(), at_ms=in_week(9))
    assert files_of(venue.money) == [FIRST, file_name(in_week(9))]


def test_a_clock_that_is_stepped_back_begins_no_old_week_again(venue: WeeklyVenue) -> None:
    venue.apply(Rotate(), at_ms=SUNDAY_MS + 5)
    (placed,) = venue.apply(order(1, start_s=AHEAD_S), at_ms=SUNDAY_MS - DAY_MS)
    assert isinstance(placed, BetConfirmed)
    assert placed.placed_at_ms == SUNDAY_MS + 5, "it stands still"
    assert venue.ledger.partition() == SECOND
    venue.ledger.close()
    venue.ledger, _ = open_current(
        venue.money, at_ms=AT_MS, caps=HouseCaps(), chance=SeededChance(2)
    )
    venue.apply(deposit(BOB, 5), at_ms=AT_MS)
    assert venue.ledger.partition() == SECOND
    sql = "SELECT min(created_at_ms) FROM transaction_ledger"
    assert in_file(venue.money, SECOND, sql) == [(SUNDAY_MS + 5,)]
    assert venue.ledger.recover().high_ms == SUNDAY_MS + 5, "nor does a bet, after a start"


def test_what_was_written_before_a_week_could_begin_lies_before_its_beginning(
    venue: WeeklyVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk was full at midnight; the next life finds room, and its clock behind."""

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "no room")

    with monkeypatch.context() as patched:
        patched.setattr(weekly_ledger, "build_file", full)
        venue.apply(order(1, bet_id="late", start_s=AHEAD_S), at_ms=SUNDAY_MS)
        venue.apply(deposit(ALICE, STAKE), at_ms=SUNDAY_MS + 5)
        assert venue.ledger.partition() == FIRST
    venue.ledger.close()
    venue.ledger, _ = open_current(
        venue.money, at_ms=SUNDAY_MS, caps=HouseCaps(), chance=SeededChance(2)
    )
    venue.apply(order(2, bet_id="next", start_s=AHEAD_S), at_ms=SUNDAY_MS)
    assert venue.ledger.partition() == SECOND
    sql = "SELECT max(created_at_ms) FROM transaction_ledger"
    assert in_file(venue.money, FIRST, sql) == [(SUNDAY_MS + 5,)]
    assert in_file(venue.money, FIRST, "SELECT closed_at_ms FROM meta") == [(SUNDAY_MS + 6,)]
    bets = venue.reader.bets(ALICE, from_ms=SUNDAY_MS)
    assert [bet.bet_id for bet in bets] == ["next", "late"]


def test_no_week_begins_on_money_that_was_found_not_to_add_up(venue: WeeklyVenue) -> None:
    """Betting goes on meanwhile: whether to hold it is an operator's word."""
    venue.apply(ReportDrift(drifts=2, first="balance house: expected 1, found 2"))
    [placed] = venue.apply(order(1, start_s=AHEAD_S), at_ms=SUNDAY_MS)
    assert isinstance(placed, BetConfirmed)
    assert venue.ledger.partition() == FIRST
    assert "balance house" in venue.ledger.rotation_failure()
    venue.apply(MarkVerified(rowid=10**9), at_ms=SUNDAY_MS + 2 * RETRY_MS)
    assert venue.ledger.partition() == FIRST, "new rows add up, and the drift is there still"


def test_the_week_begins_as_soon_as_the_drift_is_gone(venue: WeeklyVenue) -> None:
    venue.apply(ReportDrift(drifts=1, first="x"))
    venue.apply(Rotate(), at_ms=SUNDAY_MS)
    assert venue.ledger.partition() == FIRST
    venue.apply(ReportDrift(drifts=0), at_ms=SUNDAY_MS + 1)
    assert (venue.ledger.partition(), venue.ledger.rotation_failure()) == (SECOND, "")


def test_the_ledger_says_which_file_it_writes(venue: WeeklyVenue) -> None:
    assert (venue.ledger.partition(), venue.ledger.path) == (FIRST, venue.money / FIRST)
    assert venue.apply(Rotate()) == [Rotated(partition=FIRST)]
    assert venue.apply(Rotate(), at_ms=SUNDAY_MS) == [Rotated(partition=SECOND)]
    assert (venue.ledger.partition(), venue.ledger.path) == (SECOND, venue.money / SECOND)
    assert venue.ledger.synchronous() == 2, "FULL, in the new file too"
    assert in_file(venue.money, SECOND, "PRAGMA journal_mode") == [("wal",)]


# --- what goes on -------------------------------------------------------------------------------


def test_an_open_bet_is_paid_in_the_new_file_and_once(venue: WeeklyVenue) -> None:
    venue.apply(order(1, bet_id="won"), order(2, bet_id="lost"))
    before = venue.reader.account(ALICE)
    venue.apply(Rotate(), at_ms=SUNDAY_MS)
    (outcome,) = venue.apply(settle(won=[1], lost=[2]), at_ms=SUNDAY_MS + 1)
    assert isinstance(outcome, ColumnSettled)
    assert before is not None
    assert [(bet.bet_id, bet.status, bet.seq) for bet in outcome.resolved] == [
        ("won", BetStatus.WON, before.seq + 1),
        ("lost", BetStatus.LOST, before.seq + 2),
    ]
    (again,) = venue.apply(settle(won=[1], lost=[2]), at_ms=SUNDAY_MS + 2)
    assert again == ColumnSettled(key=outcome.key, resolved=())
    account = venue.reader.account(ALICE)
    assert account is not None
    assert account.balance_micros == 100 * STAKE
    assert (account.open_bets, account.open_stake_micros) == (0, 0)


def test_a_bet_that_stays_open_for_weeks_names_the_file_that_took_its_stake(
    venue: WeeklyVenue,
) -> None:
    venue.apply(order(1, bet_id="patient"))
    for n in (1, 2, 3):
        venue.rotate(n)
    sql = "SELECT rowid, id, nonce, status, carried_from FROM bets"
    found = [in_file(venue.money, name, sql)[0] for name in files_of(venue.money)]
    assert {row[:2] for row in found} == {(1, "patient")}
    assert len({row[2] for row in found}) == 1
    assert [row[3] for row in found] == ["carried"] * 3 + ["confirmed"]
    assert [row[4] for row in found] == [None, FIRST, FIRST, FIRST]
    venue.apply(void([1]), at_ms=in_week(3))
    account = venue.reader.account(ALICE)
    assert account is not None
    assert account.balance_micros == 100 * STAKE


def test_a_settlement_that_is_tried_again_in_the_next_week_pays_nothing_twice(
    venue: WeeklyVenue,
) -> None:
    """As after a crash of the Batcher at midnight: it was committed, and is in hand once more."""
    venue.apply(order(1, bet_id="won"))
    verdict = settle(won=[1])
    venue.apply(verdict, at_ms=AT_MS + 60_000)
    balance = venue.reader.account(ALICE)
    for _ in range(2):
        (again,) = venue.apply(verdict, at_ms=SUNDAY_MS)
        assert isinstance(again, ColumnSettled)
        assert again.resolved == ()
    assert venue.reader.account(ALICE) == balance


def test_the_totals_of_open_bets_go_on_and_so_do_the_caps_on_them() -> None:
    caps = HouseCaps(payout_per_user_micros=5 * STAKE)
    with weekly_venue(caps=caps) as venue:
        venue.apply(order(1, start_s=AHEAD_S), order(2, start_s=AHEAD_S))
        outcomes = venue.apply(
            *(order(3, start_s=AHEAD_S), order(1, start_s=AHEAD_S), deposit(BOB, STAKE)),
            order(1, start_s=AHEAD_S, wallet=BOB),
            at_ms=SUNDAY_MS,
        )
        assert refused(outcomes[0]).code is Code.EXPOSURE_LIMIT
        assert refused(outcomes[1]).code is Code.CELL_TAKEN
        assert isinstance(outcomes[3], BetConfirmed)
        assert venue.reader.house().open_bets == 3
        venue.ledger.recover()
        check_weeks(venue.money)


def test_a_deposit_happens_once_for_ever(venue: WeeklyVenue) -> None:
    first = deposit(BOB, STAKE, "reference")
    venue.apply(first)
    for n in (1, 2):
        venue.rotate(n)
        (again,) = venue.apply(first, at_ms=in_week(n))
        assert isinstance(again, Deposited)
        assert (again.repeated, again.balance_micros) == (True, STAKE)
        (other,) = venue.apply(deposit(BOB, 2 * STAKE, "reference"), at_ms=in_week(n))
        assert other == Refusal(Code.REFERENCE_CONFLICT)


def test_events_go_on_being_numbered_without_a_gap(venue: WeeklyVenue) -> None:
    (first,) = venue.apply(order(1, start_s=AHEAD_S), at_ms=SUNDAY_MS - 1)
    (second,) = venue.apply(order(2, start_s=AHEAD_S), at_ms=SUNDAY_MS)
    assert isinstance(first, BetConfirmed)
    assert isinstance(second, BetConfirmed)
    assert second.seq == first.seq + 1
    assert second.balance_micros == first.balance_micros - STAKE


def test_ledger_rows_go_on_being_numbered_so_that_a_statement_pages_over_files(
    venue: WeeklyVenue,
) -> None:
    for n in (0, 1, 2):
        venue.apply(deposit(ALICE, STAKE), at_ms=in_week(n))
    spans = [
        in_file(venue.money, name, "SELECT min(rowid), max(rowid) FROM transaction_ledger")[0]
        for name in files_of(venue.money)
    ]
    last = [row[0] for row in in_file(venue.money, THIRD, "SELECT last_rowid FROM partitions")]
    assert [low for low, _ in spans] == [1, *(number + 1 for number in last)]
    assert [high for _, high in spans[:-1]] == last
    rowids = [rowid for rowid, _ in venue.reader.statement(ALICE, limit=100)]
    assert rowids == sorted(set(rowids), reverse=True)
    assert len(rowids) == 4


def test_a_frozen_account_stays_frozen(venue: WeeklyVenue) -> None:
    fill(venue.ledger)
    (outcome,) = venue.apply(order(1, wallet=FROZEN, start_s=AHEAD_S), at_ms=SUNDAY_MS)
    assert refused(outcome).code is Code.FROZEN


def test_what_operators_and_quotes_rely_on_goes_on(venue: WeeklyVenue) -> None:
    venue.apply(
        SetHold(held=True, by="ann", why="drill"),
        KeepOverride(override=Override.CLOSE, by="bob", why="maintenance"),
        ReserveQuoteNumbers(count=1_000),
    )
    (numbers,) = venue.apply(ReserveQuoteNumbers(count=5), at_ms=SUNDAY_MS)
    assert numbers == QuoteNumbersReserved(first=1_001, count=5)
    assert venue.ledger.recover().operators == OperatorState(
        held=True,
        held_by="ann",
        held_why="drill",
        override=Override.CLOSE,
        override_by="bob",
        override_why="maintenance",
    )


def test_a_mark_from_before_the_turn_takes_nothing_back(venue: WeeklyVenue) -> None:
    """An audit of the old file may end after the new one has begun."""
    venue.apply(Rotate(), at_ms=SUNDAY_MS)
    newest = in_file(venue.money, SECOND, "SELECT max(rowid) FROM transaction_ledger")[0][0]
    assert venue.apply(MarkVerified(rowid=2)) == [MarkedVerified(rowid=newest)]


# --- nonces and columns -------------------------------------------------------------------------


@pytest.mark.parametrize(("age_ms", "known"), [(1, True), (119_999, True), (120_000, False)])
def test_the_nonce_of_an_ended_bet_is_known_while_its_signature_may_live(
    venue: WeeklyVenue, age_ms: int, known: bool
) -> None:
    old = order(1, start_s=AHEAD_S, nonce="old", stake=200 * STAKE)
    used = order(1, start_s=AHEAD_S, nonce="used", stake=200 * STAKE)
    venue.apply(old, at_ms=SUNDAY_MS - 300_000)
    venue.apply(used, at_ms=SUNDAY_MS - 1)
    outcomes = venue.apply(used, old, at_ms=SUNDAY_MS - 1 + age_ms)
    assert venue.ledger.partition() == SECOND
    codes = [refused(outcome).code for outcome in outcomes]
    told = Code.REPLAY_DETECTED if known else Code.INSUFFICIENT_FUNDS
    assert codes == [told, Code.INSUFFICIENT_FUNDS]


def test_who_sends_a_young_bet_again_is_told_of_the_first(venue: WeeklyVenue) -> None:
    ended, broke = (
        order(1, start_s=AHEAD_S, nonce="ended", bet_id="ended"),
        order(2, start_s=AHEAD_S, nonce="broke", bet_id="broke", stake=200 * STAKE),
    )
    opened = order(3, start_s=AHEAD_S + 5, nonce="open", bet_id="open")
    venue.apply(ended, broke, opened, at_ms=SUNDAY_MS - 1_000)
    venue.apply(void([1], start_s=AHEAD_S), at_ms=SUNDAY_MS - 500)
    outcomes = venue.apply(ended, broke, opened, at_ms=SUNDAY_MS)
    assert [refused(outcome).details["bet"] for outcome in outcomes] == [
        {"bet_id": "ended", "status": "void"},
        {"bet_id": "broke", "status": "insufficient_funds"},
        {"bet_id": "open", "status": "confirmed"},
    ]
    assert {refused(outcome).code for outcome in outcomes} == {Code.REPLAY_DETECTED}


def test_a_nonce_is_one_users(venue: WeeklyVenue) -> None:
    broke = order(1, start_s=AHEAD_S, nonce="same", stake=200 * STAKE)
    venue.apply(broke, deposit(BOB, 9 * STAKE), at_ms=SUNDAY_MS - 1)
    outcomes = venue.apply(
        order(1, start_s=AHEAD_S, nonce="same", wallet=BOB),
        order(1, start_s=AHEAD_S, nonce="same"),
        at_ms=SUNDAY_MS,
    )
    assert isinstance(outcomes[0], BetConfirmed)
    assert refused(outcomes[1]).code is Code.REPLAY_DETECTED


def test_young_nonces_are_handed_on_when_two_weeks_end_within_two_minutes(
    venue: WeeklyVenue,
) -> None:
    """The second week could not begin until just before its end."""
    second_ms = SUNDAY_MS + WEEK_MS
    (venue.money / SECOND).mkdir()
    broke = order(1, start_s=AHEAD_S, nonce="broke", bet_id="broke", stake=200 * STAKE)
    venue.apply(broke, at_ms=second_ms - 100_000)
    (venue.money / SECOND).rmdir()
    venue.apply(Rotate(), at_ms=second_ms - 30_000)
    assert venue.ledger.partition() == SECOND
    (again,) = venue.apply(broke, at_ms=second_ms + 5_000)
    assert venue.ledger.partition() == THIRD
    assert refused(again).code is Code.REPLAY_DETECTED
    sql = "SELECT nonce, bet_id, status FROM carried_nonces"
    for name in (SECOND, THIRD):
        assert in_file(venue.money, name, sql) == [("broke", "broke", "insufficient_funds")]
    venue.rotate(3)
    assert in_file(venue.money, venue.ledger.partition(), sql) == []


def test_a_column_voided_ahead_stays_untappable(venue: WeeklyVenue) -> None:
    venue.apply(order(1, start_s=AHEAD_S), at_ms=SUNDAY_MS - 2)
    venue.apply(void([1], start_s=AHEAD_S), at_ms=SUNDAY_MS - 1)
    outcomes = venue.apply(
        order(2, start_s=AHEAD_S), order(2, start_s=AHEAD_S + 5), at_ms=SUNDAY_MS
    )
    assert refused(outcomes[0]).code is Code.CELL_UNAVAILABLE
    assert isinstance(outcomes[1], BetConfirmed)


@pytest.mark.parametrize(("after_ms", "kept"), [(0, 1), (4_999, 1), (5_000, 0), (5_001, 0)])
def test_verdicts_on_windows_that_have_ended_stay_behind(
    venue: WeeklyVenue, after_ms: int, kept: int
) -> None:
    """A window of five seconds that begins at the turn."""
    venue.apply(void([], start_s=SUNDAY_MS // 1000), settle(start_s=START_S), at_ms=SUNDAY_MS - 1)
    venue.apply(Rotate(), at_ms=SUNDAY_MS + after_ms)
    sql = "SELECT count(*) FROM columns"
    assert in_file(venue.money, FIRST, sql) == [(2,)]
    assert in_file(venue.money, SECOND, sql) == [(kept,)]
