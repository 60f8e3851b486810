"""The configuration of Redis: a server takes it as it is, and then forgets nothing it must keep."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from db.redis_store import open_redis_store
from protocols.ports import KeyValueStore, StoreUnavailable
from tests.support.hand_clock import HandClock
from tests.support.redis_server import RedisServer, redis_server
from tests.support.sources import REPOSITORY

CONF = REPOSITORY / "deploy" / "redis.conf"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    """A server with that very file; only its port and its folder are other ones."""
    with redis_server(tmp_path, str(CONF)) as running:
        yield running


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("maxmemory", str(512 * 1024 * 1024)),
        ("maxmemory-policy", "noeviction"),
        ("appendonly", "yes"),
        ("appendfsync", "everysec"),
        ("save", ""),
        ("protected-mode", "yes"),
    ],
)
def test_it_is_in_force(server: RedisServer, setting: str, value: str) -> None:
    with server.client() as client:
        assert client.config_get(setting) == {setting: value}


def test_it_listens_to_its_own_machine_only() -> None:
    [addresses] = re.findall(r"^bind (.*)$", CONF.read_text(encoding="utf-8"), re.M)
    assert set(addresses.split()) == {"127.0.0.1", "-::1"}


async def test_what_a_venue_keeps_there_outlives_a_restart(server: RedisServer) -> None:
    clock = HandClock()
    async with open_redis_store(server.url, clock, answer_within_ms=5_000) as store:
        await store.put("session:1", "v", ttl_s=90)
        await store.take_token("bets:1", per_minute=1, burst=1)
    server.stop()
    server.start()
    async with open_redis_store(server.url, clock, answer_within_ms=5_000) as store:
        assert await store.get("session:1") == "v"
        assert not (await store.take_token("bets:1", per_minute=1, burst=1)).allowed


async def test_full_it_refuses_and_forgets_no_nonce(server: RedisServer) -> None:
    """With room for 2 MB instead of 512, and nonces of 10 kB."""
    with server.client() as client:
        used = client.info("memory")
        assert isinstance(used, dict)
        client.config_set("maxmemory", used["used_memory"] + 2_000_000)
    stored: list[str] = []
    async with open_redis_store(server.url, HandClock(), answer_within_ms=5_000) as store:
        with pytest.raises(StoreUnavailable, match="full"):
            await _fill(store, stored)
        assert len(stored) > 50
        for key in stored:
            assert await store.get(key) is not None
    with redis.Redis("127.0.0.1", server.port) as client:
        assert client.info("stats")["evicted_keys"] == 0


async def _fill(store: KeyValueStore, stored: list[str]) -> None:
    for number in range(1_000):
        assert await store.put_if_absent(f"nonce:{number}", "v" * 10_000, ttl_s=90) is None
        stored.append(f"nonce:{number}")
