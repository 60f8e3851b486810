"""The example notices what is wrong: a bet that was not paid by its rate, a rate below the signed.

That it trades well with a running venue is shown by the system tests.
"""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
import trio

from client import NotPlaced, Odds, Placed, Refused, Unreachable
from client.errors import VenueError


@pytest.fixture(scope="module")
def trader() -> ModuleType:
    path = Path(__file__).parents[2] / "examples" / "trader.py"
    spec = importlib.util.spec_from_file_location("example_trader", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def a_bet(trader: ModuleType, *, status: str, payout_micros: int, least_bps: int) -> object:
    return trader.Bet(
        number=1,
        odds=Odds(least_bps=least_bps, quote_n=7),
        placed=Placed(
            bet_id="b",
            status="confirmed",
            reward_bps=18_500,
            stake_micros=1_000_000,
            cell_id="1770100010_4200000_4201000",
            placed_at_ms=1_770_100_003_000,
        ),
        took_ms=9,
        end=trader.End(status, payout_micros, 1_770_100_017_000),
    )


@pytest.mark.parametrize(
    ("status", "payout_micros", "fine"),
    [
        ("won", 1_850_000, True),
        ("won", 1_849_999, False),
        ("lost", 0, True),
        ("lost", 1, False),
        ("void", 1_000_000, True),
        ("void", 0, False),
    ],
)
def test_it_notices_a_bet_that_was_not_paid_by_its_rate(
    status: str, payout_micros: int, fine: bool, trader: ModuleType
) -> None:
    bet = a_bet(trader, status=status, payout_micros=payout_micros, least_bps=18_500)
    assert trader.pays_as_quoted(bet) is fine


def test_it_notices_a_rate_below_the_one_it_signed(trader: ModuleType) -> None:
    bet = a_bet(trader, status="lost", payout_micros=0, least_bps=18_501)
    assert not trader.pays_as_quoted(bet)


@pytest.mark.parametrize(
    ("no", "wait_s"),
    [
        (Refused("price_feed_stale", retry_after_s=10), 10),
        (Refused("overloaded"), 1),
        (Unreachable("gone"), 1),
        (Refused("cell_taken"), 0),
        (NotPlaced("a nonce"), 0),
    ],
    ids=str,
)
async def test_it_waits_or_taps_elsewhere(
    no: VenueError, wait_s: float, trader: ModuleType, autojump_clock: object
) -> None:
    began_s = trio.current_time()
    await trader.consider(no)
    assert trio.current_time() - began_s == wait_s


async def test_it_gives_up_at_what_is_its_own_mistake(trader: ModuleType) -> None:
    with pytest.raises(trader.GaveUp, match="bad_stake"):
        await trader.consider(Refused("bad_stake"))
