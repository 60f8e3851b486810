"""Each actor is crashed at each of its awaits, one run per await.

A first run counts the actor's checkpoints while bets are placed and settled; then one run for each
of them raises there. Whatever the await: the venue comes back, every bet that was acknowledged is
there once, nothing else is charged without being found, every bet reaches an end, the money adds
up, and the status shows the restart.
"""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import attrs
import pytest
import trio
from trio.testing import MockClock

from domain.grid import Grid
from domain.refusals import Refusal
from protocols.money import BetConfirmed, PlaceBet
from protocols.sign_in import Authenticate, IssueNonce, NonceIssued
from supervisor import StatusUnknown, ask
from tests.support.crash import Crasher
from tests.support.tree import restarts_of, wait_back
from tests.support.venue import Venue, running_venue

pytestmark = pytest.mark.slow

BETS = 6
FUNDS_MICROS = 20_000_000
MEMORY = Path("/dev/shm")
"""Where there is one: each run syncs a hundred times, which is not what is tested here."""
ENDS = {"won", "lost", "void"}
ACTORS = [
    "venue/session_manager",
    "venue/market/price_feed",
    "venue/market/price_recorder",
    "venue/market/health_monitor",
    "venue/market/quoter",
    "venue/batcher",
    "venue/resolver",
]


@attrs.define
class Run:
    """What the trader saw."""

    tried: list[PlaceBet] = attrs.field(factory=list)
    acknowledged: list[BetConfirmed] = attrs.field(factory=list)


@pytest.mark.parametrize("path", ACTORS)
def test_a_crash_at_any_await_loses_nothing(path: str, say: Callable[[str], None]) -> None:
    counter = Crasher(path)
    one_run(counter)
    assert counter.seen > 0
    reached = sum(one_run(Crasher(path, at=at)) for at in range(1, counter.seen + 1))
    say(f"{path}: crashed at {reached} of {counter.seen} checkpoints")
    # Scheduling differs a little from run to run, so the last few may not be reached.
    assert reached >= counter.seen * 0.9


def one_run(crasher: Crasher) -> bool:
    """The whole story in virtual time with this crasher; did it crash?"""
    with TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        trio.run(story, Path(folder), crasher, clock=MockClock(autojump_threshold=0))
    return crasher.crashed


async def story(data: Path, crasher: Crasher) -> None:
    run = Run()
    with trio.fail_after(200):
        async with running_venue(data, grid=Grid(column_s=1)) as venue, venue.source.running():
            await venue.fund(FUNDS_MICROS)
            await venue.wait_quote()
            trio.lowlevel.add_instrument(crasher)
            for number in range(BETS):
                await sign_in(venue, f"192.0.2.{number}")
                await place(venue, run, rows_up=number % 3 - 1)
                await trio.sleep(0.2)
            statuses = [await ended(venue, bet) for bet in run.tried]
            trio.lowlevel.remove_instrument(crasher)
            await wait_back(venue, crasher)
            check_bets(venue, run, statuses)
            assert venue.drifts() == ()
            if crasher.crashed:
                assert restarts_of(venue, crasher.path) >= 1


async def sign_in(venue: Venue, address: str) -> None:
    """Something for the SessionManager to do; a crash may leave it unanswered."""
    issued = await ask(venue.channels.sign_in, IssueNonce(address=address), within_s=1)
    assert isinstance(issued, NonceIssued | StatusUnknown)
    session = await ask(venue.channels.sign_in, Authenticate(token="x" * 43), within_s=1)
    assert isinstance(session, Refusal | StatusUnknown), "a made-up token never opens a session"


async def place(venue: Venue, run: Run, *, rows_up: int) -> None:
    bet = venue.bet(venue.cell(columns_ahead=3, rows_up=rows_up))
    run.tried.append(bet)
    outcome = await venue.order(bet, within_s=2)
    if isinstance(outcome, BetConfirmed):
        run.acknowledged.append(outcome)


async def ended(venue: Venue, bet: PlaceBet) -> str | None:
    """The end of a bet that was placed; None for one that was not."""
    if venue.ports.ledger_reader.bet(bet.bet_id) is None:
        return None
    with trio.fail_after(90):
        return await venue.wait_ended(bet.bet_id)


def check_bets(venue: Venue, run: Run, statuses: list[str | None]) -> None:
    reader = venue.ports.ledger_reader
    stored = {bet.bet_id: bet for bet in reader.bets(run.tried[0].wallet, limit=100)}
    assert {one.bet_id for one in run.acknowledged} <= stored.keys(), "an acknowledged bet is lost"
    assert stored.keys() <= {bet.bet_id for bet in run.tried}
    assert {status for status in statuses if status is not None} <= ENDS
    charged = sum(bet.stake_micros - (bet.payout_micros or 0) for bet in stored.values())
    assert venue.balance_micros() == FUNDS_MICROS - charged
