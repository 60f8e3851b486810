"""What the store's part of a bet costs: three calls, made by one trader at a time or by many.

    .venv/bin/python -m bench.bench_store [--bets N]

The calls are those of the Gateway: a token of the address, a token of the wallet, the nonce. Each
of so many callers makes them one after the other, over and over: on a real Redis with the calls of
all callers pipelined together (the venue's way), on the same with each call sent by itself (as
coredis' own client does, over its pool), and in memory. Medians of three, the ways taken in turn;
callers, client and server share the machine.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

import coredis
import redis
import trio
from coredis.tokens import PureToken

from db.memory_store import MemoryStore
from db.redis_store import TAKE_TOKEN, open_redis_store
from protocols.ports import KeyValueStore
from supervisor import SystemClock
from tests.support.redis_server import RedisServer, redis_server

RUNS = 3
CALLERS = (1, 32, 256)
CALLS_PER_BET = 3

Bet = Callable[[int], Awaitable[None]]


class Figures(NamedTuple):
    """Of one run."""

    bets_per_s: float
    p50_ms: float
    p99_ms: float
    loop_us: float
    """CPU time of this process per bet."""
    round_trips: float
    """Per bet."""


def store_bet(store: KeyValueStore) -> Bet:
    """The store's part of a bet, as the Gateway asks for it."""

    async def bet(number: int) -> None:
        wallet = f"0x{number % 1000:040x}"
        await store.take_token(f"requests:{number % 1000}", per_minute=10**6, burst=10**5)
        await store.take_token(f"bets:{wallet}", per_minute=10**6, burst=10**5)
        await store.put_if_absent(f"nonce:{wallet}:{number:032}", f"{number:026}", ttl_s=90)

    return bet


def plain_bet(client: coredis.Redis[bytes]) -> Bet:
    """The same, with a round trip of its own for each call."""
    script = client.register_script(TAKE_TOKEN)

    async def bet(number: int) -> None:
        wallet, now_ms = f"0x{number % 1000:040x}", SystemClock().now_ms()
        await script([f"bucket:requests:{number % 1000}"], [10**6, 10**5, now_ms])
        await script([f"bucket:bets:{wallet}"], [10**6, 10**5, now_ms])
        nonce = f"nonce:{wallet}:{number:032}"
        await client.set(nonce, f"{number:026}", condition=PureToken.NX, get=True, ex=90)

    return bet


async def measure(bet: Bet, *, callers: int, bets: int, round_trips: Callable[[], int]) -> Figures:
    """So many bets by so many callers at once."""
    numbers, took_s = iter(range(bets)), list[float]()

    async def caller() -> None:
        for number in numbers:
            began = time.perf_counter()
            await bet(number)
            took_s.append(time.perf_counter() - began)

    trips, cpu, began = round_trips(), time.process_time(), time.perf_counter()
    async with trio.open_nursery() as nursery:
        for _ in range(callers):
            nursery.start_soon(caller)
    wall_s, cpu_s = time.perf_counter() - began, time.process_time() - cpu
    took_s.sort()
    return Figures(
        bets_per_s=bets / wall_s,
        p50_ms=took_s[len(took_s) // 2] * 1000,
        p99_ms=took_s[len(took_s) * 99 // 100] * 1000,
        loop_us=cpu_s / bets * 1e6,
        round_trips=(round_trips() - trips) / bets,
    )


async def pipelined(server: RedisServer, callers: int, bets: int) -> Figures:
    """All callers on one RedisStore."""
    server.run("FLUSHALL")
    async with open_redis_store(server.url, SystemClock(), answer_within_ms=10_000) as store:
        return await measure(
            store_bet(store), callers=callers, bets=bets, round_trips=lambda: store.round_trips
        )


async def one_by_one(server: RedisServer, callers: int, bets: int) -> Figures:
    """Each call by itself, over coredis' pool of connections."""
    server.run("FLUSHALL")
    async with coredis.Redis(port=server.port, max_connections=callers) as client:
        figures = await measure(
            plain_bet(client), callers=callers, bets=bets, round_trips=lambda: 0
        )
    return figures._replace(round_trips=CALLS_PER_BET)


async def in_memory(_server: RedisServer, callers: int, bets: int) -> Figures:
    """The embedded store."""
    store = MemoryStore(SystemClock())
    return await measure(store_bet(store), callers=callers, bets=bets, round_trips=lambda: 0)


WAYS = {
    "Redis, pipelined together": pipelined,
    "Redis, one call at a time": one_by_one,
    "in memory": in_memory,
}


def median(runs: list[Figures]) -> Figures:
    return Figures(*(statistics.median(column) for column in zip(*runs, strict=True)))


def compare(server: RedisServer, callers: int, bets: int) -> None:
    """Print a line for each way."""
    runs: dict[str, list[Figures]] = {way: [] for way in WAYS}
    for _ in range(RUNS):
        for way, run in WAYS.items():
            runs[way].append(trio.run(run, server, callers, bets))
    for way, figures in runs.items():
        m = median(figures)
        print(
            f"| {callers} | {way} | {m.bets_per_s:,.0f} | {m.p50_ms:.2f} / {m.p99_ms:.2f} "
            f"| {m.loop_us:.0f} | {m.round_trips:.3f} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bets", type=int, default=20_000, help="of each run")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, redis_server(Path(folder)) as server:
        print(f"Redis {redis_version(server)}, coredis {coredis.__version__}\n")
        print("| callers | way | bets/s | p50 / p99 ms | CPU us a bet | round trips a bet |")
        print("|---|---|---|---|---|---|")
        for callers in CALLERS:
            compare(server, callers, options.bets if callers > 1 else options.bets // 10)


def redis_version(server: RedisServer) -> str:
    with redis.Redis(port=server.port, decode_responses=True) as client:
        info = client.info("server")
    assert isinstance(info, dict)
    return str(info["redis_version"])


if __name__ == "__main__":
    main()
