"""Many bets at the same moment over HTTP: money for ten is ten bets, the same bet is one bet."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.support.http_client import Response, http_client, once
from tests.support.trader import USD, Trader, near_cells, wait_grid
from tests.support.venue_process import VenueProcess, venue

pytestmark = [pytest.mark.slow, pytest.mark.system]

SETTINGS = (
    "--set=limits.bets_per_minute=1000000",
    "--set=limits.bets_burst=100000",
    "--set=limits.connections_per_address=1000",
)


async def all_at_once(running: VenueProcess, bodies: list[dict[str, Any]]) -> list[Response]:
    answers: list[Response] = []

    async def post(body: dict[str, Any]) -> None:
        answers.append(await once(running.port, "POST", "/api/bets", body))

    async with trio.open_nursery() as nursery:
        for body in bodies:
            nursery.start_soon(post, body)
    return answers


async def test_a_hundred_bets_on_money_for_ten_are_ten_bets_and_no_money(tmp_path: Path) -> None:
    trader = Trader(number=1)
    async with venue(tmp_path, *SETTINGS) as running:
        assert (await trader.fund(running.port, 10 * USD, "ten")).status == 200
        async with http_client(running.port) as client:
            grid = await wait_grid(client)
        near = near_cells(grid, columns=range(3, 12), rate_max_bps=200_000, spare_ms=2_000)
        bodies = [trader.bet(cell, now_ms=grid["server_time_ms"]) for cell in near[:100]]
        assert len(bodies) == 100
        answers = await all_at_once(running, bodies)
        assert Counter(answer.status for answer in answers) == {202: 10, 400: 90}
        assert {answer.error for answer in answers} == {None, "insufficient_funds"}
        balance = (await trader.fund(running.port, 10 * USD, "ten")).json["balance_micros"]
        assert balance == 0


async def test_the_same_bet_fifty_times_is_one_bet(tmp_path: Path) -> None:
    trader = Trader(number=1)
    async with venue(tmp_path, *SETTINGS) as running:
        assert (await trader.fund(running.port, 100 * USD, "hundred")).status == 200
        async with http_client(running.port) as client:
            grid = await wait_grid(client)
        cell_id = near_cells(grid, columns=range(4, 8), spare_ms=2_000)[0]
        body = trader.bet(cell_id, now_ms=grid["server_time_ms"])
        answers = await all_at_once(running, [body] * 50)
        assert Counter(answer.status for answer in answers) == {202: 1, 409: 49}
        assert {answer.error for answer in answers} == {None, "replay_detected"}
        balance = (await trader.fund(running.port, 100 * USD, "hundred")).json["balance_micros"]
        assert balance == 99 * USD
