"""What readers get of money that lies in the files of several weeks."""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from db.partition import ManifestBroken
from db.sqlite_connection import DatabaseMissing
from db.sqlite_ledger_reader import EvidenceUnreadable, SqliteLedgerReader
from db.weekly_reader import FILES_KEPT_MAX, ReadFailed, WeeklyReader
from protocols.accounts import Bet
from protocols.money import BetStatus, SettleColumn
from tests.support.ledgers import (
    ALICE,
    AT_MS,
    BANKROLL,
    BOB,
    STAKE,
    START_S,
    deposit,
    order,
    settle,
)
from tests.support.weeks import (
    FIRST,
    FOURTH,
    SECOND,
    THIRD,
    WEEK_MS,
    WeeklyVenue,
    in_week,
    weekly_venue,
)

WEEK_S = WEEK_MS // 1000


@pytest.fixture
def venue() -> Iterator[WeeklyVenue]:
    with weekly_venue() as venue:
        yield venue


@pytest.fixture
def months(venue: WeeklyVenue) -> WeeklyVenue:
    """Four weeks. In each but the last one bet was placed and ended, `bet-K`, and another placed
    that ended in the next one, `over-K`; the even ones won."""
    venue.reader.close()
    for week in range(3):
        start_s = START_S + week * WEEK_S
        venue.apply(order(1, bet_id=f"bet-{week}", start_s=start_s), at_ms=in_week(week))
        venue.apply(
            order(2, bet_id=f"over-{week}", start_s=start_s + 60), at_ms=in_week(week, 1_000)
        )
        venue.apply(verdict(1, start_s, won=week % 2 == 0), at_ms=in_week(week, 30_000))
        venue.rotate(week + 1)
        venue.apply(verdict(2, start_s + 60, won=week % 2 == 0), at_ms=in_week(week + 1))
    venue.ledger.recover()  # folds the log of the last file that was closed
    venue.reader = WeeklyReader(venue.money)
    return venue


def verdict(row: int, start_s: int, *, won: bool) -> SettleColumn:
    return settle(won=[row], start_s=start_s) if won else settle(lost=[row], start_s=start_s)


def ids(bets: Sequence[Bet]) -> list[str]:
    return [bet.bet_id for bet in bets]


def paged(reader: WeeklyReader, limit: int, **choice: object) -> list[str]:
    """All bets of Alice, a page at a time."""
    found: list[Bet] = []
    before = None
    while page := reader.bets(ALICE, before=before, limit=limit, **choice):  # type: ignore[arg-type]
        found += page
        before = (page[-1].placed_at_ms, page[-1].bet_id)
    return ids(found)


def rows_of(reader: WeeklyReader, *, limit: int = 50) -> list[tuple[str, int]]:
    """Alice's statement, a page at a time."""
    found: list[tuple[str, int]] = []
    before = None
    while page := reader.statement(ALICE, before=before, limit=limit):
        found += [(row.ref_type, row.amount_micros) for _, row in page]
        before = page[-1][0]
    return found


def opened_by(reader: WeeklyReader) -> set[str]:
    """The closed files that it holds open."""
    return {path.name for path in reader._kept}


def at_the_next_statement(reader: WeeklyReader, act: Callable[[], object]) -> None:
    """Do something between a call's look at the folder and its reading the current file."""
    connection = reader._current._connection

    def once(statement: str) -> None:
        connection.set_trace_callback(None)
        act()

    connection.set_trace_callback(once)


# --- one list of bets ------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 50])
def test_bets_of_all_weeks_are_one_list(months: WeeklyVenue, limit: int) -> None:
    everything = ["over-2", "bet-2", "over-1", "bet-1", "over-0", "bet-0"]
    assert paged(months.reader, limit) == everything
    assert paged(months.reader, limit, statuses=[BetStatus.WON]) == [
        "over-2",
        "bet-2",
        "over-0",
        "bet-0",
    ]
    assert paged(months.reader, limit, from_ms=in_week(1), to_ms=in_week(2, 1)) == [
        "bet-2",
        "over-1",
        "bet-1",
    ]
    assert paged(months.reader, limit, statuses=[BetStatus.CONFIRMED]) == []


def test_a_bet_that_was_carried_is_shown_once_as_it_ended(venue: WeeklyVenue) -> None:
    placed = order(1, start_s=START_S + 60)
    venue.apply(placed)
    for week in (1, 2):
        venue.rotate(week)
        [open_bet] = venue.reader.bets(ALICE)
        assert (open_bet.status, open_bet.placed_at_ms) == (BetStatus.CONFIRMED, AT_MS)
        assert venue.reader.bets(ALICE, statuses=[BetStatus.CONFIRMED]) == [open_bet]
        assert venue.reader.settled_bet(placed.bet.bet_id) is None
    venue.apply(settle(won=[1], start_s=START_S + 60), at_ms=in_week(2, 10))
    venue.rotate(3)
    [ended] = venue.reader.bets(ALICE)
    assert (ended.status, ended.placed_at_ms) == (BetStatus.WON, AT_MS)
    assert venue.reader.bets(ALICE, statuses=[BetStatus.CONFIRMED]) == []
    assert venue.reader.bet(placed.bet.bet_id) == ended
    settled = venue.reader.settled_bet(placed.bet.bet_id)
    assert settled is not None
    assert settled.bet == ended


def test_a_bet_is_found_in_whichever_week_it_ended(months: WeeklyVenue) -> None:
    for week in range(3):
        for name in (f"bet-{week}", f"over-{week}"):
            bet, settled = months.reader.bet(name), months.reader.settled_bet(name)
            assert bet is not None
            assert settled is not None
            assert settled.bet == bet
            assert months.reader.bet_by_nonce(ALICE, bet.nonce) == bet
            assert months.reader.bet_by_nonce(BOB, bet.nonce) is None
    assert months.reader.bet("none") is None
    assert months.reader.settled_bet("none") is None


def test_of_a_nonce_that_was_used_twice_the_newest_bet_counts(venue: WeeklyVenue) -> None:
    for week in range(2):
        start_s = START_S + week * WEEK_S
        venue.apply(
            order(1, nonce="same", bet_id=f"bet-{week}", start_s=start_s), at_ms=in_week(week)
        )
        venue.apply(settle(won=[1], start_s=start_s), at_ms=in_week(week, 30_000))
        venue.rotate(week + 1)
    found = venue.reader.bet_by_nonce(ALICE, "same")
    assert found is not None
    assert found.bet_id == "bet-1"


def test_the_current_file_alone_knows_accounts_and_what_is_open(months: WeeklyVenue) -> None:
    placed = order(5, start_s=START_S + 4 * WEEK_S)
    months.apply(placed, deposit(BOB, STAKE), at_ms=in_week(3, 1_000))
    reader, path = months.reader, months.money / FOURTH
    with closing(SqliteLedgerReader.open(path)) as alone:
        assert reader.account(ALICE) == alone.account(ALICE)
        assert reader.house() == alone.house()
        assert reader.open_columns(before_s=2**40) == alone.open_columns(before_s=2**40)
        assert reader.operator_state() == alone.operator_state()
        assert reader.balances() == alone.balances()
        assert reader.integrity() == alone.integrity()
        assert reader.audit() == alone.audit()
        assert reader.settled_bets() == alone.settled_bets()
    assert reader.integrity().clean
    assert opened_by(reader) == set()


# --- the statement ---------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 50])
def test_a_statement_goes_on_over_the_weeks(months: WeeklyVenue, limit: int) -> None:
    stake, paid = ("BET", -STAKE), ("PAYOUT", 2 * STAKE)
    assert rows_of(months.reader, limit=limit) == [
        *(paid, paid, stake, stake),  # over-2 ended, bet-2 ended
        *(stake, stake),  # ... of the second week, which lost both
        *(paid, paid, stake, stake),
        ("DEPOSIT", 100 * STAKE),
    ]


@pytest.mark.parametrize("limit", [1, 2, 50])
def test_a_week_whose_past_is_archived_begins_with_what_there_was(
    months: WeeklyVenue, limit: int
) -> None:
    stake, paid = ("BET", -STAKE), ("PAYOUT", 2 * STAKE)
    before = [row for _, row in months.reader.statement(ALICE)]
    months.archive(FIRST)
    assert rows_of(months.reader, limit=limit) == [
        *(paid, paid, stake, stake),
        *(stake, stake, paid),
        ("CARRY", before[-4].balance_after_micros),
    ]
    months.archive(SECOND, THIRD)
    assert rows_of(months.reader, limit=limit) == [paid, ("CARRY", 100 * STAKE)]


# --- what is in the archive ------------------------------------------------------------------


def test_while_all_is_here_nothing_is_archived(months: WeeklyVenue) -> None:
    assert months.reader.archived() == []
    assert months.reader.archived(from_ms=0, to_ms=AT_MS) == []


def test_what_is_archived_is_named_by_time(months: WeeklyVenue) -> None:
    months.archive(FIRST, SECOND)
    reader = months.reader
    assert reader.archived() == [FIRST, SECOND]
    assert reader.archived(to_ms=in_week(1)) == [FIRST]
    assert reader.archived(to_ms=in_week(1) + 1) == [FIRST, SECOND]
    assert reader.archived(from_ms=in_week(1) - 1) == [FIRST, SECOND]
    assert reader.archived(from_ms=in_week(1)) == [SECOND]
    assert reader.archived(from_ms=in_week(2)) == []
    assert reader.archived(to_ms=AT_MS) == []
    assert reader.archived(from_ms=in_week(1), to_ms=in_week(1)) == ()


def test_bets_that_ended_in_an_archived_week_are_not_shown(months: WeeklyVenue) -> None:
    content = {name: (months.money / name).read_bytes() for name in (FIRST, SECOND)}
    months.archive(FIRST)
    # `over-0` was placed in the first week and ended in the second, which has it still.
    assert paged(months.reader, 2) == ["over-2", "bet-2", "over-1", "bet-1", "over-0"]
    assert months.reader.bet("bet-0") is None
    assert months.reader.bet("over-0") is not None
    months.archive(SECOND)
    assert paged(months.reader, 2) == ["over-2", "bet-2", "over-1"]
    months.restore(FIRST, content[FIRST])
    assert paged(months.reader, 2) == ["over-2", "bet-2", "over-1", "bet-0"]
    assert months.reader.bet("over-0") is None
    assert months.reader.settled_bet("over-0") is None
    months.restore(SECOND, content[SECOND])
    assert len(paged(months.reader, 2)) == 6


def test_the_end_of_a_carried_bet_is_archived_with_the_week_it_ended_in(
    months: WeeklyVenue,
) -> None:
    months.archive(SECOND)
    reader, placed_ms = months.reader, in_week(0, 1_000)
    assert reader.archived(to_ms=placed_ms) == []
    assert reader.archived(from_ms=placed_ms, to_ms=placed_ms + 1) == [SECOND]
    # The bet that was carried out of the archived week is in the third, which is here.
    placed_ms = in_week(1, 1_000)
    assert ids(reader.bets(ALICE, from_ms=placed_ms, to_ms=placed_ms + 1)) == ["over-1"]


def test_a_restored_week_is_read_like_one_that_was_never_away(months: WeeklyVenue) -> None:
    whole, entries = paged(months.reader, 3), rows_of(months.reader)
    contents = {name: (months.money / name).read_bytes() for name in (FIRST, SECOND)}
    months.archive(*contents)
    for name, content in contents.items():
        months.restore(name, content)
    assert months.reader.archived() == []
    assert (paged(months.reader, 3), rows_of(months.reader)) == (whole, entries)
    assert months.reader.weeks().here[FIRST].parent.name == "restored"


# --- no more than is needed ------------------------------------------------------------------


def test_a_page_opens_no_older_file_than_it_needs(months: WeeklyVenue) -> None:
    for placed_from, limit, files in [
        (None, 2, {THIRD}),
        (None, 3, {THIRD, SECOND}),
        (in_week(2), 50, {THIRD}),
        (in_week(1), 50, {THIRD, SECOND}),
    ]:
        with closing(WeeklyReader(months.money)) as reader:
            reader.bets(ALICE, from_ms=placed_from, limit=limit)
            assert opened_by(reader) == files
    with closing(WeeklyReader(months.money)) as reader:
        reader.bets(ALICE, to_ms=in_week(0, 1), limit=50)
        assert opened_by(reader) == {FIRST}
    with closing(WeeklyReader(months.money)) as reader:
        reader.statement(ALICE, limit=3)
        assert opened_by(reader) == {THIRD}
        [*_, (rowid, _), _] = reader.statement(ALICE)
    with closing(WeeklyReader(months.money)) as reader:
        reader.statement(ALICE, before=rowid)
        assert opened_by(reader) == {FIRST}
    with closing(WeeklyReader(months.money)) as reader:
        reader.bets(ALICE, statuses=[BetStatus.CONFIRMED])
        reader.archived()
        assert opened_by(reader) == set()


def test_few_files_are_kept_open(venue: WeeklyVenue) -> None:
    venue.reader.close()
    for week in range(1, FILES_KEPT_MAX + 3):
        venue.rotate(week)
    with closing(WeeklyReader(venue.money)) as reader:
        for _ in range(2):
            assert reader.bet("none") is None
            assert len(opened_by(reader)) == FILES_KEPT_MAX


def test_a_file_that_is_purged_is_let_go(months: WeeklyVenue) -> None:
    with closing(WeeklyReader(months.money)) as reader:
        reader.bets(ALICE)
        assert opened_by(reader) == {FIRST, SECOND, THIRD}
        months.archive(SECOND)
        reader.bet("bet-2")
        assert opened_by(reader) == {FIRST, THIRD}


# --- while weeks begin and files go ----------------------------------------------------------


def test_a_new_week_is_seen_at_once_by_every_reader(venue: WeeklyVenue) -> None:
    with closing(WeeklyReader(venue.money)) as other:
        assert other.account(BOB) is None
        venue.rotate(1)
        venue.apply(deposit(BOB, STAKE), at_ms=in_week(1))
        account = other.account(BOB)
        assert account is not None
        assert account.balance_micros == STAKE
        assert other.weeks().current.name == SECOND


def test_the_reader_lets_go_of_the_file_that_ended(venue: WeeklyVenue) -> None:
    venue.rotate(1)
    assert (venue.money / f"{FIRST}-wal").exists()  # its reader kept the log from being folded in
    venue.reader.house()
    venue.apply(at_ms=in_week(1, 120_000))
    assert not (venue.money / f"{FIRST}-wal").exists()


def test_a_file_whose_closing_is_not_finished_is_not_kept_open(venue: WeeklyVenue) -> None:
    placed = order(1)
    venue.apply(placed)
    venue.rotate(1)
    assert (venue.money / f"{FIRST}-wal").exists()
    assert ids(venue.reader.bets(ALICE)) == [placed.bet.bet_id]
    assert opened_by(venue.reader) == set()
    venue.apply(at_ms=in_week(1, 120_000))
    assert ids(venue.reader.bets(ALICE)) == [placed.bet.bet_id]
    assert opened_by(venue.reader) == {FIRST}


def test_open_bets_do_not_vanish_for_a_call_in_which_a_week_begins(venue: WeeklyVenue) -> None:
    placed = order(1, start_s=START_S + 60)
    venue.apply(placed)
    reader = venue.reader
    calls: list[Callable[[], object]] = [
        lambda: ids(reader.bets(ALICE)),
        lambda: ids(reader.bets(ALICE, statuses=[BetStatus.CONFIRMED])),
        lambda: reader.bet(placed.bet.bet_id),
        lambda: reader.open_columns(before_s=2**40),
        lambda: reader.house(),
        lambda: reader.statement(ALICE),
        lambda: reader.integrity().clean,
    ]
    for week, call in enumerate(calls, start=1):
        expected = call()
        at_the_next_statement(reader, lambda week=week: venue.rotate(week))  # type: ignore[misc]
        assert call() == expected
        assert reader.weeks().current.name == venue.ledger.partition()


def test_a_file_that_is_purged_under_a_call_is_archived(months: WeeklyVenue) -> None:
    reader = months.reader
    at_the_next_statement(reader, lambda: months.archive(FIRST))
    assert ids(reader.bets(ALICE)) == ["over-2", "bet-2", "over-1", "bet-1", "over-0"]
    at_the_next_statement(reader, lambda: months.archive(SECOND, THIRD))
    reader.bets(ALICE)  # by the files that it had open, or without them
    assert ids(reader.bets(ALICE)) == ["over-2"]


def test_a_file_that_ended_and_does_not_say_so_yet_is_read_rightly(venue: WeeklyVenue) -> None:
    """As after a death between naming the new file and ending the old one."""
    placed = order(1, start_s=START_S + 60)
    venue.apply(placed)
    unended = (venue.money / FIRST, venue.money / f"{FIRST}-wal")
    before = [path.read_bytes() for path in unended]
    venue.rotate(1)
    venue.reader.house()
    venue.apply(settle(won=[1], start_s=START_S + 60), at_ms=in_week(1, 120_000))
    for path, content in zip(unended, before, strict=True):
        path.write_bytes(content)
    [bet] = venue.reader.bets(ALICE)
    assert bet.status is BetStatus.WON
    assert venue.reader.bet(placed.bet.bet_id) == bet
    assert venue.reader.bets(ALICE, statuses=[BetStatus.CONFIRMED]) == []
    for path in unended:
        path.unlink()


def test_readers_agree_with_the_money_while_weeks_begin_beside_them(venue: WeeklyVenue) -> None:
    ended, looked, faults = threading.Event(), threading.Event(), list[object]()

    def read() -> None:
        with closing(WeeklyReader(venue.money)) as reader:
            while not ended.is_set():
                account, bets = reader.account(ALICE), reader.bets(ALICE, limit=5)
                entries = reader.statement(ALICE, limit=1)
                if account is None or len(bets) != 5 or not entries:
                    faults.append((account, bets, entries))
                looked.set()

    venue.apply(*(order(row, start_s=START_S + 60) for row in range(5)))
    reading = threading.Thread(target=read)
    reading.start()
    try:
        for week in range(1, 12):
            start_s = START_S + 60 + week * WEEK_S
            venue.rotate(week)
            venue.apply(order(week, start_s=start_s), at_ms=in_week(week, 90_000))
            looked.clear()  # a week lasts longer than a look
            assert looked.wait(10)
    finally:
        ended.set()
        reading.join()
    assert faults == []


# --- what is wrong ---------------------------------------------------------------------------


def test_a_folder_without_money_has_no_reader(tmp_path: Path) -> None:
    with pytest.raises(DatabaseMissing):
        WeeklyReader(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_manifest_that_is_spoilt_is_noticed(venue: WeeklyVenue) -> None:
    manifest = venue.money / "manifest.json"
    text = manifest.read_text()
    manifest.write_text('{"current": 7}')
    with pytest.raises(ManifestBroken):
        venue.reader.house()
    manifest.unlink()
    with pytest.raises(DatabaseMissing):
        venue.reader.house()
    manifest.write_text(text)
    assert venue.reader.house().balance_micros == BANKROLL


def test_a_week_that_is_damaged_is_a_ledger_that_cannot_be_read(months: WeeklyVenue) -> None:
    (months.money / FIRST).write_bytes(b"no database" * 1_000)
    with pytest.raises(ReadFailed, match="not a database"):
        months.reader.bet("bet-0")
    assert months.reader.account(ALICE) is not None, "the current one can be"


def test_a_folder_that_may_not_be_listed_is_a_ledger_that_cannot_be_read(
    months: WeeklyVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_many(_: Path) -> list[str]:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr("os.listdir", too_many)
    with pytest.raises(ReadFailed, match="Too many open files"):
        months.reader.bet("bet-0")


def test_damaged_evidence_of_an_earlier_week_is_said_to_be_so(months: WeeklyVenue) -> None:
    with closing(sqlite3.connect(months.money / FIRST)) as other, other:
        other.execute("UPDATE columns SET record = '{}'")
    with pytest.raises(EvidenceUnreadable):
        months.reader.settled_bet("bet-0")
    assert months.reader.settled_bet("over-0") is not None
