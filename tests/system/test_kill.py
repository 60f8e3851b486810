"""kill -9 under load, twenty times on one data folder.

In each life bets are acknowledged, then some are committed whose answers nobody has read, then
some are sent and the process is killed before they can be committed. After the last restart every
acknowledged bet is there once, nothing else is charged, and every bet reaches an end.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

from tests.support.disk import bets_on_disk, wait_all_ended
from tests.support.http_client import HttpClient, Response, http_client
from tests.support.trader import USD, Trader, near_cells, wait_grid
from tests.support.venue_process import REPOSITORY, VenueProcess, venue

pytestmark = [pytest.mark.slow, pytest.mark.system]

LIVES = 20
LIFE_S_MAX = 60
ACKNOWLEDGED_PER_LIFE = 5
COMMITTED_PER_LIFE = 3
LOST_PER_LIFE = 4
FUNDS_MICROS = 100 * USD
ENDS = {"won", "lost", "void"}
LOAD_SETTINGS = (
    "--set=limits.bets_per_minute=1000000",
    "--set=limits.bets_burst=100000",
    # A batch gathers this long: a bet that has just been sent is certainly not committed yet.
    "--set=batch.linger_ms=100",
)


@attrs.define
class Seen:
    """What the trader knows of his bets over all lives, by nonce."""

    acknowledged: dict[str, str] = attrs.field(factory=dict)  # -> bet id
    unanswered: dict[str, dict[str, Any]] = attrs.field(factory=dict)  # -> request
    committed_unanswered: int = 0
    never_committed: int = 0


async def test_kill_9_twenty_times_loses_nothing_that_was_acknowledged(
    tmp_path: Path, say: Callable[[str], None]
) -> None:
    traders, seen = [Trader(number=life) for life in range(LIVES)], Seen()
    for trader in traders:
        async with venue(tmp_path, *LOAD_SETTINGS) as running:
            funded = await fund(running, trader)
            assert funded.status == 200, funded.body
            with trio.fail_after(LIFE_S_MAX):
                await one_life(running, trader, seen, tmp_path)
        recount(seen, tmp_path)
    say(
        f"in {LIVES} kills: {len(seen.acknowledged)} acknowledged, "
        f"{seen.committed_unanswered} committed unanswered, {seen.never_committed} never committed"
    )
    assert seen.committed_unanswered >= LIVES
    assert seen.never_committed >= LIVES

    async with venue(tmp_path, *LOAD_SETTINGS) as running:
        await wait_all_ended(tmp_path)
        stored = {bet["nonce"]: bet for bet in bets_on_disk(tmp_path)}
        left = [await balance_of(running, trader) for trader in traders]
        assert await running.stop() == 0
    assert {nonce: stored[nonce]["id"] for nonce in seen.acknowledged} == seen.acknowledged
    assert stored.keys() <= seen.acknowledged.keys() | seen.unanswered.keys()
    assert {bet["status"] for bet in stored.values()} <= ENDS
    charged = sum(bet["stake_micros"] - (bet["payout_micros"] or 0) for bet in stored.values())
    assert sum(left) == LIVES * FUNDS_MICROS - charged
    for command in (["integrity"], ["verify", "--all"]):
        check = [sys.executable, "-m", "actors", *command, "--data", str(tmp_path)]
        done = subprocess.run(check, cwd=REPOSITORY, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


async def one_life(running: VenueProcess, trader: Trader, seen: Seen, data: Path) -> None:
    async with http_client(running.port) as client:
        grid = await wait_grid(client)
        near = near_cells(grid, columns=range(3, 6), spare_ms=1_000)
        bets = [trader.bet(cell_id, now_ms=grid["server_time_ms"]) for cell_id in near]
        await retry_one(client, seen, data)
        for bet in take(bets, ACKNOWLEDGED_PER_LIFE):
            answer = await client.post("/api/bets", bet)
            assert answer.status == 202, answer.body
            seen.acknowledged[bet["nonce"]] = answer.json["bet_id"]
        committed, lost = take(bets, COMMITTED_PER_LIFE), take(bets, LOST_PER_LIFE)
        for bet in (*committed, *lost):
            seen.unanswered[bet["nonce"]] = bet
        async with trio.open_nursery() as nursery:
            for bet in committed:
                nursery.start_soon(send_unread, running.port, bet)
            await wait_committed(data, [bet["nonce"] for bet in committed])
            for bet in lost:
                nursery.start_soon(send_unread, running.port, bet)
            await wait_received(lost)
            running.kill()
            await running.process.wait()
            nursery.cancel_scope.cancel()


def take(bets: list[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    """The first `count`, which are gone from `bets` then."""
    taken, bets[:] = bets[:count], bets[count:]
    assert len(taken) == count, "too few cells are offered"
    return taken


async def send_unread(port: int, bet: dict[str, Any]) -> None:
    """Send a bet and never read the answer."""
    body = json.dumps(bet).encode()
    head = f"POST /api/bets HTTP/1.1\r\nHost: test\r\nContent-Length: {len(body)}\r\n\r\n"
    async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
        await stream.send_all(head.encode() + body)
        bet["sent"] = True
        await trio.sleep_forever()


async def wait_received(bets: list[dict[str, Any]]) -> None:
    """Until all of them are in the kernel's hands."""
    while not all(bet.get("sent") for bet in bets):
        await trio.lowlevel.checkpoint()


async def wait_committed(data: Path, nonces: list[str]) -> None:
    with trio.fail_after(10):
        while not set(nonces) <= {bet["nonce"] for bet in bets_on_disk(data)}:
            await trio.sleep(0.005)


async def retry_one(client: HttpClient, seen: Seen, data: Path) -> None:
    """The same request again, to a venue that has lost its memory: the database knows the bet."""
    stored = {bet["nonce"]: bet for bet in bets_on_disk(data)}
    known = [nonce for nonce in seen.unanswered if nonce in stored]
    if not known:
        return
    request = {key: value for key, value in seen.unanswered[known[-1]].items() if key != "sent"}
    answer = await client.post("/api/bets", request)
    if answer.error == "cell_unavailable":  # its column has come too near meanwhile
        return
    assert (answer.status, answer.error) == (409, "replay_detected"), answer.body
    assert answer.json["bet"]["bet_id"] == stored[known[-1]]["id"]


def recount(seen: Seen, data: Path) -> None:
    """After a kill: which of the unanswered bets are on disk."""
    stored = {bet["nonce"] for bet in bets_on_disk(data)}
    seen.committed_unanswered = len(seen.unanswered.keys() & stored)
    seen.never_committed = len(seen.unanswered.keys() - stored)


async def balance_of(running: VenueProcess, trader: Trader) -> int:
    """By a repeated deposit, which answers the balance and changes nothing."""
    answer = await fund(running, trader)
    assert answer.status == 200, answer.body
    return int(answer.json["balance_micros"])


async def fund(running: VenueProcess, trader: Trader) -> Response:
    return await trader.fund(running.port, FUNDS_MICROS, f"life-{trader.number}")
