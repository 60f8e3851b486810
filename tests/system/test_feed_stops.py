"""The feed stops: to the second when betting is warned, refused and open again, and what becomes
of the bets of the gap."""

from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from domain.refusals import Code
from domain.units import payout_micros
from protocols.market import FeedLevel
from protocols.money import BetConfirmed, BetRefused
from tests.support.venue import Venue, running_venue

pytestmark = pytest.mark.slow


async def test_degraded_at_3_s_critical_at_10_s_open_after_30_s_of_steady_ticks(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with running_venue(tmp_path) as venue:
        await venue.fund(100_000_000)
        async with venue.source.running():
            await venue.wait_quote()
            await trio.sleep(20.25)
            in_gap = await venue.order(venue.bet(venue.cell(columns_ahead=3, rows_up=1)))
            assert isinstance(in_gap, BetConfirmed)
        last_tick_s = (venue.channels.feed.value.last_tick_ms or 0) / 1000
        stopped_s = last_tick_s - venue.clock.now_ms() / 1000 + trio.current_time()

        assert await venue.wait_level(FeedLevel.DEGRADED) - stopped_s == pytest.approx(3, abs=1e-3)
        while_degraded = await venue.order(venue.bet(venue.cell(columns_ahead=4, rows_up=1)))
        assert isinstance(while_degraded, BetConfirmed), "a slow feed warns, and betting goes on"
        assert await venue.wait_level(FeedLevel.CRITICAL) - stopped_s == pytest.approx(10, abs=1e-3)
        assert await code_of_a_bet(venue) is Code.PRICE_FEED_STALE

        await trio.sleep(7)
        async with venue.source.running():
            resumed_s = trio.current_time()
            with trio.move_on_after(29.9):
                await venue.wait_level(FeedLevel.HEALTHY)
            assert await code_of_a_bet(venue) is Code.PRICE_FEED_STALE
            opened_s = await venue.wait_level(FeedLevel.HEALTHY)
            assert opened_s - resumed_s == pytest.approx(30, abs=1e-3)
            await venue.wait_quote()
            after = await venue.order(venue.bet(venue.cell(rows_up=1)))
            assert isinstance(after, BetConfirmed)
            ended = await venue.wait_ended(after.bet_id)
            assert ended in ("won", "lost")
        assert await venue.wait_ended(in_gap.bet_id) == "void"
        assert await venue.wait_ended(while_degraded.bet_id) == "void"
        paid = 0 if ended == "lost" else payout_micros(1_000_000, after.reward_bps)
        assert venue.balance_micros() == 99_000_000 + paid, "both bets of the gap are given back"
        assert venue.drifts() == ()


async def test_bets_of_the_gap_are_given_back_while_it_lasts(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with running_venue(tmp_path) as venue:
        await venue.fund(1_000_000)
        async with venue.source.running():
            await venue.wait_quote()
            bet = await venue.order(venue.bet(venue.cell(columns_ahead=2, rows_up=1)))
            assert isinstance(bet, BetConfirmed)
        await venue.wait_level(FeedLevel.CRITICAL)
        assert await venue.wait_ended(bet.bet_id) == "void"
        assert venue.channels.feed.value.level is FeedLevel.CRITICAL


async def code_of_a_bet(venue: Venue) -> Code | None:
    """What a bet is refused with now."""
    outcome = await venue.order(venue.bet(venue.cell(rows_up=1)))
    return outcome.refusal.code if isinstance(outcome, BetRefused) else None
