"""The clock is stepped back while the venue is down: what is on record stays a known past."""

from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from domain.refusals import Code
from protocols.money import BetConfirmed, BetRefused
from tests.support.quick_folder import quick_folder
from tests.support.venue import EPOCH_MS, Venue, running_venue

pytestmark = pytest.mark.slow

KNOWN_S = 100
"""How much of the market the first run has recorded when the clock is put back."""


def test_no_column_of_the_record_can_be_tapped_again() -> None:
    with quick_folder() as data:
        trio.run(record_the_market, data, clock=MockClock(autojump_threshold=0))
        trio.run(bet_on_the_past, data, clock=MockClock(autojump_threshold=0))


async def record_the_market(data: Path) -> None:
    async with running_venue(data) as venue, venue.source.running():
        await trio.sleep(KNOWN_S)


async def bet_on_the_past(data: Path) -> None:
    """Every run begins at the same time, so this one has its clock 100 s behind the record."""
    async with running_venue(data) as venue, venue.source.running():
        await venue.fund(100_000_000)
        await venue.wait_quote()
        while venue.clock.now_ms() < EPOCH_MS + (KNOWN_S - 10) * 1000:
            assert await refusal_of_a_known_cell(venue) in (
                Code.CELL_UNAVAILABLE,
                Code.PRICE_FEED_STALE,
            )
            await trio.sleep(10)
        await trio.sleep(90)
        await venue.wait_quote()
        outcome = await venue.order(venue.bet(venue.offered()[0]))
        assert isinstance(outcome, BetConfirmed), "the clock has caught up"


async def refusal_of_a_known_cell(venue: Venue) -> Code:
    known = [
        cell
        for cell in venue.offered()
        if cell.column_start_s * 1000 < EPOCH_MS + (KNOWN_S - 5) * 1000
    ]
    assert known, "the quotes go on"
    outcome = await venue.order(venue.bet(known[len(known) // 2]))
    assert isinstance(outcome, BetRefused), outcome
    return outcome.refusal.code
