"""An actor crashes while a trader is connected: his socket stays, and works as soon as it is back.

Real sockets on loopback under a virtual clock that only jumps when nothing has happened for a few
milliseconds. Only the Gateway's own crash costs connections; then a new one is served at the same
port, and nothing that was acknowledged is lost.
"""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import h11
import pytest
import trio
from trio.testing import MockClock
from trio_websocket import ConnectionClosed, HandshakeError

from domain.grid import Grid
from tests.support.crash import Crasher
from tests.support.door import Talk, login_body, talk
from tests.support.http_client import once
from tests.support.trader import Trader
from tests.support.tree import restarts_of, wait_back, wait_running
from tests.support.venue import Venue, running_venue

pytestmark = pytest.mark.slow

QUIET_S = 0.004
"""Real time without an event after which the clock may jump: loopback answers in far less."""
CLIENT_WAITS_S = 10
"""A connection that was being taken when the crash came may be lost without a word."""
FUNDS_MICROS = 50_000_000
AHEAD = 10**9
"""A seq that the venue has not come to: it answers with a snapshot."""
OTHERS = [
    "venue/session_manager",
    "venue/market/price_feed",
    "venue/market/price_recorder",
    "venue/market/health_monitor",
    "venue/market/quoter",
    "venue/batcher",
    "venue/resolver",
    "venue/upkeep/disk_monitor",
    "venue/upkeep/archiver",
]
LOST = (
    OSError,
    trio.TooSlowError,
    trio.BrokenResourceError,
    trio.ClosedResourceError,
    h11.RemoteProtocolError,
    ConnectionClosed,
    HandshakeError,
)
"""How a client learns that the Gateway is gone."""


@pytest.mark.parametrize("path", OTHERS)
@pytest.mark.parametrize("at", [2, 7])
def test_traders_keep_their_sockets(path: str, at: int) -> None:
    crasher = Crasher(path, at=at)
    run_story(keep_talking, crasher)
    assert crasher.crashed


async def keep_talking(venue: Venue, crasher: Crasher, trader: Trader) -> None:
    """One socket through the crash and after it: bets placed and resolved over it."""
    issued = (await once(venue.port, "GET", "/api/auth/nonce")).json
    signed_in = await once(venue.port, "POST", "/api/auth/login", login_body(issued, trader.key))
    async with talk(venue.port) as socket:
        assert (await socket.ask("auth", token=signed_in.json["token"]))["ok"]
        trio.lowlevel.add_instrument(crasher)
        while not crasher.crashed:
            await bet_over(socket, venue, trader)
            # Something for the SessionManager to crash at.
            await once(venue.port, "GET", "/api/account", token="x" * 43)
            await trio.sleep(0.1)  # the clock stands still while sockets are busy
        trio.lowlevel.remove_instrument(crasher)
        await wait_back(venue, crasher)
        await venue.wait_quote()
        while not (placed := await bet_over(socket, venue, trader))["ok"]:
            await trio.sleep(0.5)
        assert await end_of(socket, placed["bet_id"]) in ("won", "lost", "void")
    assert restarts_of(venue, crasher.path) >= 1
    assert venue.drifts() == ()


async def end_of(socket: Talk, bet_id: str) -> str:
    """How a bet ended, as a client learns of it that resumes when it is told to."""
    while True:
        if any(frame["type"] == "resync_required" for frame in socket.seen):
            socket.seen.clear()
            snapshot = (await socket.ask("resume", seq=AHEAD))["snapshot"]
            for bet in snapshot["last"]:
                if bet["bet_id"] == bet_id:
                    return str(bet["status"])
        frame = await socket.until(lambda one: one["type"] in ("resync_required", "bet:resolved"))
        if frame.get("bet_id") == bet_id:
            return str(frame["status"])
        socket.seen.append(frame)


def test_a_crash_of_the_gateway_at_any_await_loses_nothing(say: Callable[[str], None]) -> None:
    counter = Crasher("venue/gateway")
    run_story(come_back, counter)
    assert counter.seen > 50
    crashed = 0
    for at in range(1, counter.seen + 1):
        crasher = Crasher("venue/gateway", at=at)
        run_story(come_back, crasher)
        crashed += crasher.crashed
    say(f"{counter.path}: crashed at {crashed} of {counter.seen} checkpoints")
    # Sockets make the order of events differ from run to run, so the last ones may not be reached.
    assert crashed >= counter.seen * 0.8


async def come_back(venue: Venue, crasher: Crasher, trader: Trader) -> None:
    """Bets over HTTP and the socket while the Gateway crashes; then all is looked up."""
    acknowledged: set[str] = set()
    trio.lowlevel.add_instrument(crasher)
    for _ in range(2):
        try:
            with trio.fail_after(CLIENT_WAITS_S):
                await bet_both_ways(venue, trader, acknowledged)
        except* LOST:
            pass  # the socket of a crashed Gateway
    trio.lowlevel.remove_instrument(crasher)
    await trio.sleep(1)  # a crash inside one connection ends that, and not the Gateway
    await wait_running(venue)
    answer = await once(venue.port, "POST", "/api/bets", new_bet(venue, trader))
    assert answer.status == 202, answer.body
    stored = venue.ports.ledger_reader.bets(trader.wallet, limit=100)
    assert acknowledged <= {bet.bet_id for bet in stored}
    charged = sum(bet.stake_micros - (bet.payout_micros or 0) for bet in stored)
    assert venue.balance_micros(trader.wallet) == FUNDS_MICROS - charged
    assert venue.drifts() == ()


async def bet_both_ways(venue: Venue, trader: Trader, acknowledged: set[str]) -> None:
    async with talk(venue.port) as socket:
        over_socket = await bet_over(socket, venue, trader)
        acknowledged |= {over_socket["bet_id"]} if over_socket["ok"] else set()
    answer = await once(venue.port, "POST", "/api/bets", new_bet(venue, trader))
    acknowledged |= {answer.json["bet_id"]} if answer.status == 202 else set()


def new_bet(venue: Venue, trader: Trader) -> dict[str, Any]:
    """A signed bet on the next cell that he has not tapped yet."""
    columns_ahead, rows_up = 3 + trader.tapped % 4, trader.tapped // 4 % 3 - 1
    cell = venue.cell(columns_ahead=columns_ahead, rows_up=rows_up)
    return trader.bet(cell.id, now_ms=venue.clock.now_ms())


async def bet_over(socket: Talk, venue: Venue, trader: Trader) -> dict[str, Any]:
    return await socket.ask("bet", **new_bet(venue, trader))


def run_story(story: Any, crasher: Crasher) -> None:
    """`story` with a funded trader and a quote, in a venue of its own."""
    memory = Path("/dev/shm")
    with TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        trio.run(_told, Path(folder), story, crasher, clock=MockClock(autojump_threshold=QUIET_S))


async def _told(data: Path, story: Any, crasher: Crasher) -> None:
    trader = Trader(number=1)
    with trio.fail_after(300):
        whole = running_venue(data, with_gateway=True, grid=Grid(column_s=1))
        async with whole as venue, venue.source.running():
            await venue.fund(FUNDS_MICROS, trader.wallet)
            await venue.wait_quote()
            await story(venue, crasher, trader)
