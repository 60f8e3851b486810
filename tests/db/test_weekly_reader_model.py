"""Whatever happened over the weeks: the pages are those of one file that never ended.

The same commands go to a ledger of weeks and to one of a single file. Then some of the weeks are
taken away, and what is left must be what the single file has, without the bets that ended in them.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import pairwise
from typing import Final, TypeAlias

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.sqlite_connection import Memory
from db.weekly_reader import WeeklyReader
from protocols.accounts import Bet, LedgerRow
from protocols.money import BetStatus
from protocols.ports import LedgerReader
from tests.support.ledgers import (
    ALICE,
    BANKROLL,
    BOB,
    STAKE,
    Venue,
    deposit,
    open_venue,
    order,
    settle,
    void,
)
from tests.support.weeks import WeeklyVenue, in_week, weekly_venue

WALLETS: Final = (ALICE, BOB)
STATUSES: Final[tuple[tuple[BetStatus, ...], ...]] = (
    (),
    (BetStatus.CONFIRMED,),
    (BetStatus.CONFIRMED, BetStatus.LOST),
    (BetStatus.WON,),
    (BetStatus.LOST, BetStatus.VOID),
    (BetStatus.INSUFFICIENT_FUNDS,),
)
Step: TypeAlias = tuple[str, int, int]
steps: Final = st.lists(
    st.one_of(
        st.tuples(st.just("bet"), st.integers(0, 1), st.integers(0, 9)),
        st.tuples(st.just("bets"), st.integers(0, 1), st.integers(0, 9)),
        st.tuples(st.just("broke"), st.integers(0, 1), st.integers(0, 9)),
        st.tuples(st.just("end"), st.integers(0, 2), st.just(0)),
        st.tuples(st.just("week"), st.integers(1, 3), st.just(0)),
    ),
    min_size=4,
    max_size=30,
)


@attrs.define
class Twins:
    """A ledger of weeks and one of a single file, at the same commands."""

    weekly: WeeklyVenue
    single: Venue
    week: int = 0
    offset_ms: int = 0
    orders: int = 0
    moments: list[int] = attrs.field(factory=list)

    @property
    def at_ms(self) -> int:
        return in_week(self.week, self.offset_ms)

    def do(self, step: Step) -> None:
        what, which, row = step
        self.offset_ms += 10 * (row % 2)  # some happen in the same millisecond
        if what == "week":
            self.week, self.offset_ms = self.week + which, 0
        elif what == "end":
            self._end(which)
        elif what == "broke":
            self._bet(WALLETS[which], row, stake=10_000 * STAKE)
        else:
            self._bet(WALLETS[which], row, *([row + 1, row + 2] if what == "bets" else []))
        self.moments.append(self.at_ms)

    def _bet(self, wallet: str, *rows: int, stake: int = STAKE) -> None:
        # A column of each step's own, so that neither ledger knows of a cell that is taken.
        start_s = self.at_ms // 1000 + 60 + 5 * len(self.moments)
        commands = []
        for row in rows:
            self.orders += 1
            bet_id = f"{row * 7 % 10}-{self.orders:03}"  # in no order of time
            commands.append(order(row, wallet=wallet, bet_id=bet_id, start_s=start_s, stake=stake))
        self._apply(*commands)

    def _end(self, outcome: int) -> None:
        columns = self.single.reader.open_columns(before_s=2**40)
        if columns:
            start_s = columns[0].key.start_s
            rows = [lo_cents // 1_000 for lo_cents, _ in columns[0].ranges]
            self._apply(
                (
                    settle(won=rows, start_s=start_s),
                    settle(lost=rows, start_s=start_s),
                    void(rows, start_s=start_s),
                )[outcome]
            )

    def _apply(self, *commands: object) -> None:
        for ledger in (self.weekly.ledger, self.single.ledger):
            ledger.apply(commands, at_ms=self.at_ms)  # type: ignore[arg-type]


@contextmanager
def twins(taken: Sequence[Step]) -> Iterator[Twins]:
    """After these steps."""
    single = open_venue(Memory("single"))
    with weekly_venue() as weekly, closing(single):
        both = Twins(weekly, single)
        single.apply(deposit("house", BANKROLL), deposit(ALICE, 100 * STAKE))
        both._apply(deposit(BOB, 30 * STAKE, "bob"))
        weekly.reader.close()
        for step in taken:
            both.do(step)
        weekly.reader = WeeklyReader(weekly.money)
        yield both


def pages(reader: LedgerReader, wallet: str, limit: int, **choice: object) -> list[list[Bet]]:
    found: list[list[Bet]] = []
    before = None
    while page := reader.bets(wallet, before=before, limit=limit, **choice):  # type: ignore[arg-type]
        found.append(list(page))
        before = (page[-1].placed_at_ms, page[-1].bet_id)
    return found


def entries(reader: LedgerReader, wallet: str, limit: int) -> list[LedgerRow]:
    found: list[LedgerRow] = []
    before = None
    while page := reader.statement(wallet, before=before, limit=limit):
        found += [row for _, row in page]
        before = page[-1][0]
    return found


def told(rows: Sequence[LedgerRow]) -> list[tuple[object, ...]]:
    """All but the rows' own ids, which are drawn, and the deposits', which are counted."""
    return [
        (row.ref_type, row.amount_micros, row.balance_after_micros, row.created_at_ms)
        for row in rows
    ]


@pytest.mark.slow
@settings(max_examples=settings().max_examples // 4)
@given(taken=steps, limit=st.integers(1, 7), pick=st.tuples(st.integers(0, 30), st.integers(0, 30)))
def test_the_pages_are_those_of_one_file_that_never_ended(
    taken: list[Step], limit: int, pick: tuple[int, int]
) -> None:
    with twins(taken) as both:
        from_ms, to_ms = (both.moments[n % len(both.moments)] for n in pick)
        ranges: tuple[dict[str, int], ...] = (
            {},
            {"from_ms": from_ms},
            {"to_ms": to_ms},
            {"from_ms": from_ms, "to_ms": to_ms},
        )
        readers = both.weekly.reader, both.single.reader
        for wallet in WALLETS:
            for within in ranges:
                for statuses in STATUSES:
                    weekly, single = (
                        pages(reader, wallet, limit, statuses=statuses, **within)
                        for reader in readers
                    )
                    assert weekly == single
            weekly_rows, single_rows = (told(entries(reader, wallet, limit)) for reader in readers)
            assert weekly_rows == single_rows
        for bet in both.single.reader.bets(ALICE, limit=100):
            for reader in readers:
                assert reader.bet(bet.bet_id) == bet
                assert reader.bet_by_nonce(ALICE, bet.nonce) == bet
            assert both.weekly.reader.settled_bet(bet.bet_id) == both.single.reader.settled_bet(
                bet.bet_id
            )
        assert both.weekly.reader.archived() == []


@pytest.mark.slow
@settings(max_examples=settings().max_examples // 4)
@given(taken=steps, limit=st.integers(1, 7), lost=st.sets(st.integers(0, 9)))
def test_what_is_left_of_the_pages_is_what_ended_in_the_files_that_are_left(
    taken: list[Step], limit: int, lost: set[int]
) -> None:
    with twins(taken) as both:
        reader = both.weekly.reader
        weeks = reader.weeks()
        ended_in = homes(both.weekly)
        closed = [week.name for week in weeks.newest_first if week is not weeks.current]
        gone = {name for n, name in enumerate(closed) if n in lost}
        both.weekly.archive(*gone)
        for wallet in WALLETS:
            for statuses in STATUSES:
                whole = both.single.reader.bets(wallet, statuses=statuses, limit=1_000)
                left = [bet for bet in whole if ended_in[bet.bet_id] not in gone]
                found = pages(reader, wallet, limit, statuses=statuses)
                assert [bet for page in found for bet in page] == left
                assert all(len(page) == limit for page in found[:-1])
            for bet in both.single.reader.bets(wallet, limit=1_000):
                is_left = ended_in[bet.bet_id] not in gone
                assert reader.bet(bet.bet_id) == (bet if is_left else None)
                if not is_left:
                    at_ms = bet.placed_at_ms
                    assert reader.archived(from_ms=at_ms, to_ms=at_ms + 1)
        assert set(reader.archived()) == gone


@pytest.mark.slow
@settings(max_examples=settings().max_examples // 4)
@given(taken=steps, limit=st.integers(1, 7), lost=st.sets(st.integers(0, 9)))
def test_a_statement_adds_up_from_wherever_it_begins(
    taken: list[Step], limit: int, lost: set[int]
) -> None:
    with twins(taken) as both:
        reader = both.weekly.reader
        names = [week.name for week in reader.weeks().newest_first]
        gone = {name for n, name in enumerate(names) if n in lost and n > 0}
        both.weekly.archive(*gone)
        for wallet in WALLETS:
            rows = entries(reader, wallet, limit)
            breaks = 0
            for newer, older in pairwise(rows):
                if newer.ref_type == "CARRY":
                    assert newer.amount_micros == newer.balance_after_micros
                    breaks += 1
                else:
                    assert newer.balance_after_micros - newer.amount_micros == (
                        older.balance_after_micros
                    )
            account = both.single.reader.account(wallet)
            assert account is not None
            if rows:
                assert rows[0].balance_after_micros == account.balance_micros
            assert breaks <= len(gone)


def homes(venue: WeeklyVenue) -> dict[str, str]:
    """The file that has each bet at last."""
    found: dict[str, str] = {}
    for path in sorted(venue.money.glob("*.db")):
        with closing(sqlite3.connect(path)) as connection:
            found |= {bet_id: path.name for (bet_id,) in connection.execute("SELECT id FROM bets")}
    return found
