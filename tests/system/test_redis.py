"""A whole venue on a real Redis: what it needs Redis for is refused while it is away, and nothing
else; and what Redis has forgotten the ledger still knows."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

from db.key_signatures import public_key_of
from domain.session_keys import AskedKey, key_resource
from tests.support.disk import bets_on_disk
from tests.support.door import Talk, login_body, talk
from tests.support.http_client import HttpClient, Response, http_client, once
from tests.support.redis_server import RedisServer, redis_server
from tests.support.trader import USD, Trader, near_cells, wait_grid
from tests.support.venue_process import VenueProcess, venue

pytestmark = [pytest.mark.slow, pytest.mark.system]

SETTINGS = (
    "--set=grid.column_s=1",
    "--set=limits.bets_per_minute=100000",
    "--set=limits.bets_burst=10000",
    "--set=store.publish=true",
)
WITHIN_S = 20


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    folder = tmp_path / "redis"
    folder.mkdir()
    with redis_server(folder) as running:
        yield running


@attrs.define
class Story:
    """A trader with funds at a venue on Redis."""

    server: RedisServer
    venue: VenueProcess
    client: HttpClient
    trader: Trader
    data: Path

    async def body(self) -> dict[str, Any]:
        """A new bet that can be placed now."""
        grid = await wait_grid(self.client)
        cells = near_cells(grid, columns=range(4, 8))
        cell = cells[self.trader.tapped % len(cells)]
        return self.trader.bet(cell, now_ms=grid["server_time_ms"])

    async def bet(self, body: dict[str, Any]) -> Response:
        return await self.client.post("/api/bets", body)

    async def wait_taken(self) -> Response:
        """Until a bet is taken again: its answer."""
        with trio.fail_after(WITHIN_S):
            while True:
                health = await self.client.get("/healthz")
                if health.json["checks"]["store"]["status"] == "healthy":
                    answer = await self.bet(await self.body())
                    if answer.error != "store_unavailable":
                        return answer
                await trio.sleep(0.05)

    async def wait_refused(self, body: dict[str, Any]) -> Response:
        """Until bets are refused because of the store."""
        with trio.fail_after(WITHIN_S):
            while (answer := await self.bet(body)).error != "store_unavailable":
                await trio.sleep(0.01)
            return answer

    def on_disk(self, bet_id: str) -> dict[str, Any]:
        [row] = [row for row in bets_on_disk(self.data) if row["id"] == bet_id]
        return row

    async def wait_settled(self, bet_id: str) -> None:
        with trio.fail_after(WITHIN_S):
            while self.on_disk(bet_id)["status"] == "confirmed":
                await trio.sleep(0.05)


@asynccontextmanager
async def trading(server: RedisServer, tmp_path: Path) -> AsyncIterator[Story]:
    """A venue on that server, and a trader with a hundred dollars."""
    data, trader = tmp_path / "data", Trader(number=1)
    async with venue(data, *SETTINGS, f"--set=store.url={server.url}") as running:
        funded = await trader.fund(running.port, 100 * USD, "funds")
        assert funded.status == 200, funded.body
        async with http_client(running.port) as client:
            yield Story(server, running, client, trader, data)
        assert await running.stop() == 0


async def test_redis_goes_away_and_comes_back(server: RedisServer, tmp_path: Path) -> None:
    async with trading(server, tmp_path) as story, talk(story.venue.port) as socket:
        await socket.ask("subscribe", channels=["price"])
        placed = await story.bet(await story.body())
        assert placed.status == 202, placed.body
        next_body = await story.body()

        server.kill()
        refused = await story.wait_refused(next_body)
        assert (refused.status, refused.json["retry_after"]) == (503, 2)
        assert story.on_disk(placed.json["bet_id"])["status"] == "confirmed"
        await story.wait_settled(placed.json["bet_id"])
        await prices_go_on(socket)
        assert (await story.bet(next_body)).error == "store_unavailable", "all that time"
        assert (await story.client.get("/healthz")).status == 503

        server.start()
        assert (await story.wait_taken()).status == 202
        assert (await story.client.get("/healthz")).status == 200
        assert len(bets_on_disk(story.data)) == 2, "what was refused has left nothing"
        said = [line for line in story.venue.output if "store_" in line]
        assert len(said) < 10, "the log tells it, and is not flooded"


async def prices_go_on(socket: Talk) -> None:
    """Two new prices come over a socket."""
    first = await socket.next_of("price")
    while (await socket.next_of("price"))["ts_ms"] <= first["ts_ms"]:
        pass


async def test_redis_is_stalled(server: RedisServer, tmp_path: Path) -> None:
    async with trading(server, tmp_path) as story:
        body = await story.body()
        server.stall()
        began_at = trio.current_time()
        assert (await story.bet(body)).error == "store_unavailable"
        assert trio.current_time() - began_at < 2, "half a second is the limit, not the socket's"
        server.go_on()
        assert (await story.wait_taken()).status == 202


async def test_redis_is_full(server: RedisServer, tmp_path: Path) -> None:
    async with trading(server, tmp_path) as story:
        placed = await story.bet(await story.body())
        body = await story.body()
        server.run("CONFIG", "SET", "maxmemory", "1")
        assert (await story.bet(body)).error == "store_unavailable"
        await story.wait_settled(placed.json["bet_id"])
        assert (await story.bet(body)).error == "store_unavailable"
        server.run("CONFIG", "SET", "maxmemory", "0")
        assert (await story.wait_taken()).status == 202


async def test_a_nonce_is_not_used_again_though_redis_was_wiped(
    server: RedisServer, tmp_path: Path
) -> None:
    async with trading(server, tmp_path) as story:
        body = await story.body()
        first = await story.bet(body)
        assert first.status == 202, first.body
        key = f"nonce:{body['wallet']}:{body['nonce']}"
        assert server.run("GET", key) == first.json["bet_id"]

        server.run("FLUSHALL")
        assert server.run("EXISTS", key) == 0
        replayed = await story.bet(body)
        assert replayed.status == 409
        assert replayed.error == "replay_detected"
        assert replayed.json["bet"]["bet_id"] == first.json["bet_id"]
        assert [row["id"] for row in bets_on_disk(story.data)] == [first.json["bet_id"]]


async def test_a_venue_starts_without_redis_and_finds_it_later(
    server: RedisServer, tmp_path: Path
) -> None:
    server.kill()
    async with trading(server, tmp_path) as story:
        health = await once(story.venue.port, "GET", "/healthz")
        assert health.json["checks"]["store"] == {"status": "unhealthy"}
        assert (await story.client.get("/api/grid")).error == "store_unavailable"
        server.start()
        assert (await story.wait_taken()).status == 202


async def test_sessions_outlive_the_venue_and_are_listed_and_revoked(
    server: RedisServer, tmp_path: Path
) -> None:
    data, settings = tmp_path / "data", (*SETTINGS, f"--set=store.url={server.url}")
    async with venue(data, *settings) as running:
        first = await signed_in(running.port, secret=1)
        second = await signed_in(running.port, secret=2)
        assert await running.stop() == 0
    async with venue(data, *settings) as running:
        token = second["token"]
        listed = await once(running.port, "GET", "/api/auth/sessions", token=token)
        assert [row["session_id"] for row in listed.json["sessions"]] == [
            second["session_id"],
            first["session_id"],
        ]
        assert all(row["session_key"] for row in listed.json["sessions"])
        path = f"/api/auth/sessions/{first['session_id']}/revoke"
        assert (await once(running.port, "POST", path, token=token)).status == 200
        assert (
            await once(running.port, "GET", "/api/account", token=first["token"])
        ).error == "unauthorized"

        server.run("FLUSHALL")  # the store is lost, the key is not
        lost = await once(running.port, "GET", "/api/auth/sessions", token=token)
        assert lost.error == "unauthorized"
        anew = await signed_in(running.port, secret=3)
        listed = await once(running.port, "GET", "/api/auth/sessions", token=anew["token"])
        assert [
            (row["session_id"], row["signed_in"], row["session_key"]["key_id"])
            for row in listed.json["sessions"]
        ] == [
            (anew["session_id"], True, anew["session_key"]["key_id"]),
            (second["session_id"], False, second["session_key"]["key_id"]),
        ]
        assert await running.stop() == 0


async def signed_in(port: int, *, secret: int) -> dict[str, Any]:
    """The answer of a sign-in with a session key."""
    issued = (await once(port, "GET", "/api/auth/nonce")).json
    asked = AskedKey(public_key=public_key_of(secret), bet_max_micros=USD, day_max_micros=USD)
    resource = key_resource(asked, issued["issued_at_ms"] // 1000 + 3_600)
    answer = await once(port, "POST", "/api/auth/login", login_body(issued, resources=[resource]))
    assert answer.status == 200, answer.body
    return dict(answer.json)


async def test_others_can_read_and_hear_what_goes_on(server: RedisServer, tmp_path: Path) -> None:
    with server.client() as listening, listening.pubsub() as channels:
        async with trading(server, tmp_path) as story:
            channels.subscribe("prices:btc:usd", "user:3:bets")  # the first trader's
            placed = await story.bet(await story.body())
            kept = await wait_kept(server, f"balance:{story.trader.wallet}", seq=2)
            assert kept["balance_micros"] == placed.json["balance_micros"] == 99 * USD
            price = json.loads(str(server.run("GET", "price:btc:usd")))
            assert price["price_cents"] > 0
            assert price["source"] == "simulator"
            assert 0 < int(str(server.run("TTL", "price:btc:usd"))) <= 3_600
            heard = await hear(channels, "bet:confirmed")
            assert heard["bet_id"] == placed.json["bet_id"]


async def wait_kept(server: RedisServer, key: str, *, seq: int) -> dict[str, Any]:
    """The entry, once it is of that version."""
    with trio.fail_after(WITHIN_S):
        while True:
            text = server.run("GET", key)
            if text is not None and json.loads(str(text))["seq"] == seq:
                return dict(json.loads(str(text)))
            await trio.sleep(0.02)


async def hear(channels: Any, kind: str) -> dict[str, Any]:
    """The first event of that kind, once a price has been heard too."""
    heard: dict[str, Any] = {}
    prices = 0
    with trio.fail_after(WITHIN_S):
        while not (prices and heard):
            message = channels.get_message(ignore_subscribe_messages=True)
            if message is None:
                await trio.sleep(0.02)
                continue
            fields = json.loads(message["data"])
            prices += message["channel"] == "prices:btc:usd"
            if fields.get("type") == kind and not heard:
                heard = dict(fields)
    return heard
