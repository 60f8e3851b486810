"""The whole venue in virtual time: a tap is placed, its column passes, it is paid or not."""

from collections import Counter
from pathlib import Path

import attrs
import pytest
import trio
from trio.testing import MockClock

from domain.refusals import Code
from domain.units import payout_micros
from protocols.money import BetConfirmed, BetRefused, PlaceBet
from tests.support.venue import Venue, running_venue

pytestmark = pytest.mark.slow


async def confirmed(venue: Venue, bet: PlaceBet) -> BetConfirmed:
    outcome = await venue.order(bet)
    assert isinstance(outcome, BetConfirmed), outcome
    return outcome


async def test_a_touched_cell_pays_its_rate_and_an_untouched_one_nothing(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with running_venue(tmp_path) as venue, venue.source.running():
        await venue.fund(10_000_000)
        await venue.wait_quote()
        above, below = venue.cell(rows_up=1), venue.cell(rows_up=-1)
        wins = await confirmed(venue, venue.bet(above))
        loses = await confirmed(venue, venue.bet(below))
        assert loses.balance_micros == 8_000_000

        venue.source.price_cents = above.lo_cents + 500

        assert await venue.wait_ended(wins.bet_id) == "won"
        assert await venue.wait_ended(loses.bet_id) == "lost"
        paid = payout_micros(1_000_000, wins.reward_bps)
        assert venue.balance_micros() == 8_000_000 + paid
        assert venue.drifts() == ()


async def test_a_bet_on_a_silent_window_is_void_and_refunded(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with running_venue(tmp_path) as venue:
        async with venue.source.running():
            await venue.fund(1_000_000)
            await venue.wait_quote()
            bet = await confirmed(venue, venue.bet(venue.cell(columns_ahead=3, rows_up=1)))
        assert await venue.wait_ended(bet.bet_id) == "void"
        assert venue.balance_micros() == 1_000_000
        assert venue.drifts() == ()


async def test_a_hundred_bets_at_once_on_money_for_ten(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    outcomes: list[object] = []

    async def place(bet: PlaceBet) -> None:
        outcomes.append(await venue.order(bet))

    async with running_venue(tmp_path) as venue, venue.source.running():
        await venue.fund(10_000_000)
        await venue.wait_quote()
        placeable = [cell for cell in venue.offered() if cell.column_start_s >= later_s(venue)]
        async with trio.open_nursery() as traders:
            for cell in placeable[:100]:
                traders.start_soon(place, venue.bet(cell))
        refused = [one.refusal.code for one in outcomes if isinstance(one, BetRefused)]
        assert len(outcomes) == 100
        assert Counter(refused) == {Code.INSUFFICIENT_FUNDS: 90}
        assert venue.balance_micros() == 0
        assert venue.drifts() == ()


async def test_the_same_bet_fifty_times_at_once_is_one_bet(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    outcomes: list[object] = []

    async def place(bet: PlaceBet) -> None:
        outcomes.append(await venue.order(bet))

    async with running_venue(tmp_path) as venue, venue.source.running():
        await venue.fund(50_000_000)
        await venue.wait_quote()
        bet = venue.bet(venue.cell(rows_up=1))
        async with trio.open_nursery() as traders:
            for _ in range(50):
                copy = attrs.evolve(bet, bet_id=venue.ports.new_bet_id())
                traders.start_soon(place, copy)
        assert sum(isinstance(one, BetConfirmed) for one in outcomes) == 1
        refused = {one.refusal.code for one in outcomes if isinstance(one, BetRefused)}
        assert refused == {Code.REPLAY_DETECTED}
        assert venue.balance_micros() == 49_000_000


async def test_a_restarted_venue_settles_what_was_open(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with running_venue(tmp_path) as venue, venue.source.running():
        await venue.fund(1_000_000)
        await venue.wait_quote()
        bet = await confirmed(venue, venue.bet(venue.cell(columns_ahead=2, rows_up=1)))
    await trio.sleep(30)
    async with running_venue(tmp_path) as venue, venue.source.running():
        assert await venue.wait_ended(bet.bet_id) == "void"  # nobody watched its window
        assert venue.balance_micros() == 1_000_000


def later_s(venue: Venue) -> int:
    """The first column that may be tapped with a column to spare."""
    return venue.clock.now_ms() // 1000 // 5 * 5 + 15
