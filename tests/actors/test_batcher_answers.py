"""The Batcher: an answer that is out stands, whatever becomes of the life that gave it."""

import trio
from trio.testing import MockClock

from domain.refusals import Code
from domain.units import MICROS_PER_USD
from protocols.money import BetConfirmed, BetRefused
from supervisor import Life, WhenFull
from tests.actors.test_batcher import EPOCH_MS, Bench, open_bench
from tests.support.ledgers import START_S


async def test_a_bet_that_was_refused_is_not_placed_by_the_next_life(
    autojump_clock: MockClock,
) -> None:
    """The life is cut off while it tells events; what it refused would be in order by now."""
    with open_bench() as bench:
        slow = bench.topic.subscribe("slow", 1, WhenFull.WAIT)
        too_far = bench.bet(start_s=START_S + 50)
        asked = [bench.send(bet) for bet in (bench.bet(1), bench.bet(2), too_far)]
        with trio.move_on_after(1):
            await bench.live(Life("test/batcher"))
        slow.close()
        outcomes = [await one.wait_answer() for one in asked]
        assert [type(outcome) for outcome in outcomes] == [BetConfirmed, BetConfirmed, BetRefused]
        assert isinstance(outcomes[2], BetRefused)
        assert outcomes[2].refusal.code is Code.CELL_UNAVAILABLE

        await trio.sleep(5)
        bench.quote(EPOCH_MS + 6_000)
        async with bench.alive():
            pass
        assert bench.reader.bet(too_far.bet_id) is None
        assert_charged(bench, bets=2)


def assert_charged(bench: Bench, *, bets: int) -> None:
    assert bench.balance() == (100 - bets) * MICROS_PER_USD
    assert bench.reader.integrity().clean
