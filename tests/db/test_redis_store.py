"""The key-value store on Redis: what it adds to the promises of `test_key_value_store.py`.

Servers are real: killed, stalled, full, loading, replicas, behind a proxy that cuts the line.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path

import pytest
import redis
import trio
import trio.testing
import trustme
from hypothesis import given
from hypothesis import strategies as st

from db import redis_pipeline
from db.redis_store import TAKE_TOKEN, RedisStore, open_redis_store
from domain.token_bucket import take_token
from protocols.ports import StoreUnavailable
from tests.support.hand_clock import HandClock
from tests.support.redis_server import NO_FILES, RedisServer, free_port, redis_server
from tests.support.tcp_proxy import tcp_proxy

LIMIT_S = 0.15
SOON_S = 0.1
"""Less than the limit: nothing was waited for."""
BACK_WITHIN_S = 10


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with redis_server(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture
def server(shared: RedisServer) -> RedisServer:
    """An empty one, for tests that leave it running as it is."""
    shared.run("FLUSHALL")
    return shared


@pytest.fixture
def own(tmp_path: Path) -> Iterator[RedisServer]:
    """A server of the test's own, to be ill-treated."""
    with redis_server(tmp_path) as running:
        yield running


def opened(
    url: str, *, limit_s: float = LIMIT_S, tell: Callable[[str], None] = lambda _why: None
) -> AbstractAsyncContextManager[RedisStore]:
    return open_redis_store(url, HandClock(), answer_within_ms=round(limit_s * 1000), tell=tell)


async def why_not(call: Awaitable[object], within_s: float = SOON_S) -> str:
    """The reason for which a call is refused, which must come in time."""
    began_at = trio.current_time()
    with pytest.raises(StoreUnavailable) as caught:
        await call
    assert trio.current_time() - began_at < within_s
    return str(caught.value)


async def wait_back(store: RedisStore) -> None:
    """Until the store answers."""
    with trio.fail_after(BACK_WITHIN_S):
        while True:
            try:
                await store.get("k")
                return
            except StoreUnavailable:
                await trio.sleep(0.01)


async def wait_down(store: RedisStore) -> None:
    """Until the store has noticed that the server is gone."""
    with trio.fail_after(BACK_WITHIN_S):
        while True:
            try:
                await store.get("k")
            except StoreUnavailable:
                return


async def all_at_once(calls: list[Awaitable[object]]) -> list[object]:
    """What many callers get, each in a task of its own: a reply, or `unavailable`."""
    results: list[object] = [None] * len(calls)

    async def one(number: int, call: Awaitable[object]) -> None:
        try:
            results[number] = await call
        except StoreUnavailable:
            results[number] = "unavailable"

    async with trio.open_nursery() as nursery:
        for number, call in enumerate(calls):
            nursery.start_soon(one, number, call)
    return results


# --- many callers, one pipeline ---------------------------------------------------------------


async def test_hundreds_of_callers_share_few_round_trips(server: RedisServer) -> None:
    async with tcp_proxy(server.port) as proxy:
        async with opened(f"redis://127.0.0.1:{proxy.port}", limit_s=5) as store:
            round_trips, chunks = store.round_trips, len(proxy.requests)
            calls = [store.put_if_absent(f"nonce:{n}", "id", ttl_s=90) for n in range(250)]
            assert await all_at_once([*calls]) == [None] * 250
            assert store.round_trips - round_trips <= 2
            assert len(proxy.requests) - chunks <= 3, "what is sent at once is one segment"
        assert proxy.connections == 1


async def test_more_callers_than_a_pipeline_takes_are_served_in_turn(server: RedisServer) -> None:
    async with opened(server.url, limit_s=5) as store:
        before = store.round_trips
        count = 4 * redis_pipeline.BATCH_MAX
        assert await all_at_once([store.get(f"{n}") for n in range(count)]) == [None] * count
        assert 4 <= store.round_trips - before <= 6


async def test_each_caller_gets_his_own_reply(server: RedisServer) -> None:
    async with opened(server.url, limit_s=5) as store:

        async def store_and_read(number: int) -> object:
            await store.put(f"{number}", f"value {number}", ttl_s=90)
            allowance = await store.take_token(f"{number}", per_minute=1, burst=number + 1)
            assert allowance.limit == number + 1
            return await store.get(f"{number}")

        got = await all_at_once([store_and_read(number) for number in range(300)])
        assert got == [f"value {number}" for number in range(300)]


async def test_a_caller_that_leaves_does_no_harm_to_the_others(server: RedisServer) -> None:
    async with opened(server.url, limit_s=5) as store, trio.open_nursery() as leaving:
        stored: list[str | None] = []

        async def stay(number: int) -> None:
            stored.append(await store.put_if_absent(f"stay {number}", "v", ttl_s=90))

        async with trio.open_nursery() as staying:
            for number in range(100):
                staying.start_soon(stay, number)
                leaving.start_soon(partial(store.put, f"leave {number}", "v", ttl_s=90))
            await trio.lowlevel.checkpoint()  # all have asked, and no reply is there yet
            leaving.cancel_scope.cancel()
        assert stored == [None] * 100
        assert await store.put_if_absent("stay 7", "w", ttl_s=90) == "v"


async def test_what_nobody_waits_for_is_not_sent(own: RedisServer) -> None:
    async with opened(own.url, limit_s=5) as store:
        own.stall()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(partial(store.put, "sent", "v", ttl_s=90))
            await trio.testing.wait_all_tasks_blocked(0.01)
            with trio.move_on_after(0.01):
                await store.put("given up", "v", ttl_s=90)
            own.go_on()
        assert await store.get("sent") == "v"
        assert await store.get("given up") is None


async def test_too_many_waiting_are_refused_at_once(
    own: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_pipeline, "WAITING_MAX", 10)
    async with opened(own.url) as store:
        own.stall()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(all_at_once, [store.get("first")])
            await trio.testing.wait_all_tasks_blocked(0.01)
            nursery.start_soon(all_at_once, [store.get("k") for _ in range(10)])
            await trio.testing.wait_all_tasks_blocked(0.01)
            assert "10 calls are waiting" in await why_not(store.get("k"))


# --- a server that is not there ---------------------------------------------------------------


async def test_killed_and_started_again(own: RedisServer) -> None:
    tell, told = trio.open_memory_channel[str](10)
    with trio.fail_after(BACK_WITHIN_S):
        async with opened(own.url, tell=tell.send_nowait) as store:
            await store.put("k", "v", ttl_s=90)
            own.kill()
            assert await told.receive() == "the connection was lost"
            for _ in range(5):
                await why_not(store.put_if_absent("n", "v", ttl_s=90))
            assert (await told.receive()).endswith("Connection refused")
            own.start()
            assert await told.receive() == ""
            assert await store.put_if_absent("n", "v", ttl_s=90) is None
            assert (await store.take_token("n", per_minute=1, burst=1)).allowed


async def test_each_reason_is_told_once_however_often_it_is_tried(
    own: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_pipeline, "RETRY_S_MAX", 0.001)
    own.kill()
    told: list[str] = []
    async with tcp_proxy(own.port) as proxy:
        url = f"redis://127.0.0.1:{proxy.port}"
        async with opened(url, tell=told.append):
            with trio.fail_after(BACK_WITHIN_S):
                await proxy.wait_connections(20)
    # A line that is cut before anything was said may look closed or reset.
    assert 1 <= len(told) <= 3
    assert len(set(told)) == len(told)


async def test_not_there_at_the_start(own: RedisServer) -> None:
    own.kill()
    async with opened(own.url) as store:
        assert "Connection refused" in await why_not(store.get("k"))
        own.start()
        await wait_back(store)


async def test_a_line_cut_while_nobody_asks_is_made_anew(own: RedisServer) -> None:
    async with opened(own.url) as store:
        await store.put("k", "v", ttl_s=90)
        own.run("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        await wait_down(store)
        await wait_back(store)
        assert await store.get("k") == "v"


@pytest.mark.slow
async def test_connections_that_break_again_and_again_use_nothing_up(
    own: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """coredis' pool of 64 would be empty after 64."""
    monkeypatch.setattr(redis_pipeline, "RETRY_S_MAX", 0.001)
    async with tcp_proxy(own.port) as proxy, opened(f"redis://127.0.0.1:{proxy.port}") as store:
        for _ in range(70):
            await proxy.hang_up()
            await wait_down(store)
            await wait_back(store)
        assert proxy.connections > 70


async def test_stalled_it_is_given_up_in_time(own: RedisServer) -> None:
    async with opened(own.url) as store:
        own.stall()
        calls = [store.put_if_absent(f"n{n}", "v", ttl_s=90) for n in range(300)]
        with trio.fail_after(2 * LIMIT_S):
            assert await all_at_once([*calls]) == ["unavailable"] * 300
        assert "no answer within 150 ms" in await why_not(store.get("k"))
        own.go_on()
        await wait_back(store)


async def test_a_name_that_does_not_exist(own: RedisServer) -> None:
    async with opened("redis://store.invalid:6379") as store:
        await why_not(store.get("k"))


@pytest.mark.parametrize(
    "says",
    [
        b"",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"+OK\r\n",
        b"$5\r\nhello\r\n",
        b"*1\r\n",
        b"\xff" * 99,
    ],
)
async def test_something_else_that_listens_there(says: bytes) -> None:
    async def talk(stream: trio.SocketStream) -> None:
        async with stream:
            await stream.send_all(says)
            async for _ in stream:
                pass

    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(trio.serve_tcp, talk, 0)
        port = listeners[0].socket.getsockname()[1]
        with trio.fail_after(5):
            async with opened(f"redis://127.0.0.1:{port}") as store:
                await why_not(store.put_if_absent("n", "v", ttl_s=90))
        nursery.cancel_scope.cancel()


async def test_calls_of_a_store_that_is_left_end(own: RedisServer) -> None:
    async with trio.open_nursery() as nursery:
        with trio.fail_after(1):
            async with opened(own.url, limit_s=5) as store:
                own.stall()
                for _ in range(2):  # one is sent, the other waits
                    nursery.start_soon(why_not, store.get("k"))
                    await trio.testing.wait_all_tasks_blocked(0.01)
    assert "closed" in await why_not(store.get("k"))


# --- a pipeline that is cut half-way ----------------------------------------------------------


async def test_cut_half_way_some_know_and_the_others_are_told_so(own: RedisServer) -> None:
    async with tcp_proxy(own.port) as proxy:
        url = f"redis://127.0.0.1:{proxy.port}"
        async with opened(url, limit_s=5) as store:
            proxy.cut_replies_after = len(b"_\r\n") * 40
            calls = [store.put_if_absent(f"n{n}", "v", ttl_s=90) for n in range(100)]
            results = await all_at_once([*calls])
            assert Counter(results) == {None: 40, "unavailable": 60}
            await wait_back(store)
            again = [store.put_if_absent(f"n{n}", "w", ttl_s=90) for n in range(100)]
            assert await all_at_once([*again]) == ["v"] * 100, "all had been carried out"
    assert calls_of(own, "set") == 200, "and none of them twice"


async def test_a_nonce_whose_answer_was_lost_was_not_let_through(own: RedisServer) -> None:
    async with tcp_proxy(own.port) as proxy, opened(f"redis://127.0.0.1:{proxy.port}") as store:
        proxy.drop_replies = True
        why = await why_not(store.put_if_absent("n", "v", ttl_s=90), within_s=2 * LIMIT_S)
        assert "no answer" in why
        assert own.run("GET", "n") == "v", "it stands there all the same"
        proxy.drop_replies = False
        await wait_back(store)
        assert await store.put_if_absent("n", "w", ttl_s=90) == "v"


async def test_a_late_answer_is_never_taken_for_another_s(own: RedisServer) -> None:
    async with opened(own.url) as store:
        await store.put("k", "late", ttl_s=90)
        own.stall()
        await why_not(store.get("k"), within_s=2 * LIMIT_S)
        own.go_on()
        await wait_back(store)
        assert await store.get("another") is None


def calls_of(server: RedisServer, command: str) -> int:
    with server.client() as client:
        stats = client.info("commandstats")
    assert isinstance(stats, dict)
    return int(stats[f"cmdstat_{command}"]["calls"])


# --- a server that refuses --------------------------------------------------------------------


async def test_full_it_refuses_and_still_tells_what_it_has(own: RedisServer) -> None:
    async with opened(own.url) as store:
        await store.put("k", "v", ttl_s=90)
        own.run("CONFIG", "SET", "maxmemory", "1", "maxmemory-policy", "noeviction")
        full = "its memory is full"
        assert full in await why_not(store.put_if_absent("n", "v", ttl_s=90))
        assert full in await why_not(store.put("k", "w", ttl_s=90))
        assert full in await why_not(store.take_token("k", per_minute=1, burst=1))
        assert await store.get("k") == "v"
        assert await store.take("k") == "v"
        own.run("CONFIG", "SET", "maxmemory", "0")
        assert await store.put_if_absent("n", "v", ttl_s=90) is None
        assert (await store.take_token("k", per_minute=1, burst=1)).remaining == 0


async def test_that_it_refuses_is_told_once_and_when_it_takes_everything_again(
    own: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_pipeline, "REFUSES_FOR_S", 0.2)
    told: list[str] = []
    async with opened(own.url, tell=told.append) as store:
        own.run("CONFIG", "SET", "maxmemory", "1", "maxmemory-policy", "noeviction")
        for _ in range(3):
            await why_not(store.put("k", "v", ttl_s=90))
            assert await store.get("k") is None  # what it still answers is no sign of recovery
        assert told == ["its memory is full"]
        own.run("CONFIG", "SET", "maxmemory", "0")
        with trio.fail_after(BACK_WITHIN_S):
            while told[-1]:
                await store.put("k", "v", ttl_s=90)
        assert told == ["its memory is full", ""]


async def test_it_can_be_connected_to_while_full(own: RedisServer) -> None:
    own.run("CONFIG", "SET", "maxmemory", "1", "maxmemory-policy", "noeviction")
    async with opened(own.url) as store:
        assert "full" in await why_not(store.put("k", "v", ttl_s=90))
        assert await store.get("k") is None


@pytest.mark.parametrize("password", ["open sesame", "p@ss:w/rd%?#[é]"])
async def test_a_password_in_the_url(tmp_path: Path, password: str) -> None:
    with redis_server(tmp_path, password=password) as guarded:
        async with opened(guarded.url) as store:
            await store.put("k", "v", ttl_s=90)


async def test_a_wrong_password_is_named_as_such_and_not_shown(tmp_path: Path) -> None:
    with redis_server(tmp_path, password="right") as guarded:
        for secret in (":wrong@", ""):
            told: list[str] = []
            url = f"redis://{secret}127.0.0.1:{guarded.port}"
            async with opened(url, tell=told.append) as store:
                why = await why_not(store.get("k"))
            assert "it refuses the user or the password" in why
            assert "wrong" not in why
            assert told == ["it refuses the user or the password"]


async def test_a_replica_takes_no_writes(own: RedisServer) -> None:
    async with opened(own.url) as store:
        await store.put("k", "v", ttl_s=90)
        own.run("REPLICAOF", "127.0.0.1", free_port())
        why = await why_not(store.put_if_absent("n", "v", ttl_s=90))
        assert "replica" in why
        assert "replica" in await why_not(
            store.take_token("k", per_minute=1, burst=1), within_s=SOON_S
        )
        own.run("REPLICAOF", "NO", "ONE")
        assert await store.put_if_absent("n", "v", ttl_s=90) is None


@pytest.mark.slow
async def test_a_server_that_loads_its_data_is_waited_for(tmp_path: Path) -> None:
    """It takes a second here, at ten milliseconds a key; Redis answers now and then meanwhile."""
    kept = ("--appendonly", "no", "--save", "3600 1000", "--rdbcompression", "no")
    with redis_server(tmp_path, *kept) as server:
        with server.client() as client:
            for number in range(100):
                client.set(f"{number}", "v" * 2_000, ex=900)
            client.save()
        server.kill()
        slowly = ("--key-load-delay", "10000", "--loading-process-events-interval-bytes", "1024")
        server.options = (*kept, *slowly)
        server.start(wait=False)
        told: list[str] = []
        async with opened(server.url, tell=told.append) as store:
            await wait_back(store)
            assert await store.get("99") == "v" * 2_000
        assert "it is still loading its data" in told
        assert told[-1] == ""


# --- values that are none of ours -------------------------------------------------------------


async def test_a_key_of_another_type_spoils_no_other_call(server: RedisServer) -> None:
    server.run("RPUSH", "list", "secret value")
    server.run("SET", "bucket:k", "no bucket", "EX", 90)
    async with opened(server.url, limit_s=5) as store:
        results = await all_at_once(
            [
                store.put("a", "v", ttl_s=90),
                store.get("list"),
                store.take("list"),
                store.put_if_absent("list", "v", ttl_s=90),
                store.take_token("k", per_minute=1, burst=1),
                store.put("b", "v", ttl_s=90),
            ]
        )
        assert results == [None, *["unavailable"] * 4, None]
        assert "secret" not in await why_not(store.get("list"), within_s=1)
        assert await store.get("b") == "v"


async def test_a_value_that_is_no_text(server: RedisServer) -> None:
    with redis.Redis("127.0.0.1", server.port) as client:
        client.set("k", b"\xff\xfe", ex=90)
    async with opened(server.url) as store:
        assert "not text" in await why_not(store.get("k"))


async def test_everything_has_a_time_to_live(server: RedisServer) -> None:
    async with opened(server.url) as store:
        await store.put("text", "v", ttl_s=90)
        await store.put_if_absent("nonce", "v", ttl_s=60)
        await store.take_token("bucket", per_minute=60, burst=30)
    left = {key: server.run("TTL", key) for key in ("text", "nonce", "bucket:bucket")}
    assert left == {"text": 90, "nonce": 60, "bucket:bucket": 1}


async def test_scripts_that_the_server_has_forgotten_are_brought_again(
    server: RedisServer,
) -> None:
    async with opened(server.url, limit_s=5) as store:
        assert (await store.take_token("k", per_minute=1, burst=50)).remaining == 49
        server.run("SCRIPT", "FLUSH")
        calls = [store.take_token("k", per_minute=1, burst=50) for _ in range(60)]
        results = Counter(getattr(one, "allowed", None) for one in await all_at_once([*calls]))
        assert results == {True: 49, False: 11}, "each counted once"


LIMITS = st.tuples(
    st.sampled_from([1, 5, 120, 12_000, 1_000_000]), st.sampled_from([1, 2, 20, 100_000])
)
PAUSES_MS = st.sampled_from([0, 1, 7, 499, 60_000, 86_400_000, 10**11, -1, -5_000])


@pytest.mark.slow
@given(requests=st.lists(st.tuples(LIMITS, PAUSES_MS), min_size=1, max_size=20))
def test_the_script_counts_exactly_as_the_rule_of_the_domain(
    shared: RedisServer, requests: list[tuple[tuple[int, int], int]]
) -> None:
    """Over changed limits, long pauses, and a clock that steps back."""
    bucket, now_ms = None, 1_770_100_000_000
    with shared.client() as client:
        client.delete("b")
        for (per_minute, burst), pause_ms in requests:
            now_ms += pause_ms
            got = client.eval(TAKE_TOKEN, 1, "b", per_minute, burst, now_ms)
            client.persist("b")  # a bucket that has filled up is as good as none
            bucket, allowed = take_token(bucket, per_minute=per_minute, burst=burst, now_ms=now_ms)
            assert got == [int(allowed), bucket.units, bucket.at_ms]


# --- addresses --------------------------------------------------------------------------------


async def test_databases_are_apart(server: RedisServer) -> None:
    url = f"redis://127.0.0.1:{server.port}"
    async with opened(url) as zero, opened(f"{url}/3") as three:
        await zero.put("k", "in 0", ttl_s=90)
        await three.put("k", "in 3", ttl_s=90)
        assert await zero.get("k") == "in 0"
        assert await three.get("k") == "in 3"


@pytest.mark.parametrize(
    "url",
    ["redis://", "http://host", "redis://host/three", "redis://host/0?db=1", "redis://host/0#1"],
)
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(ValueError, match="store"):
        opened(url)


async def test_what_is_published_reaches_who_listens(server: RedisServer) -> None:
    with server.client() as client, client.pubsub(ignore_subscribe_messages=True) as listener:
        listener.subscribe("prices:btc:usd")
        assert listener.get_message(timeout=1) is None  # the confirmation
        async with opened(server.url) as store:
            await store.publish("prices:btc:usd", '{"price_cents":1}')
        message = listener.get_message(timeout=1)
    assert message is not None
    assert message["data"] == '{"price_cents":1}'


async def test_tls_with_a_certificate_that_is_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    files = {name: tmp_path / f"{name}.pem" for name in ("ca", "cert", "key")}
    issued = authority.issue_cert("localhost")
    authority.cert_pem.write_to_path(str(files["ca"]))
    issued.private_key_pem.write_to_path(str(files["key"]))
    issued.cert_chain_pems[0].write_to_path(str(files["cert"]))
    port = free_port()
    tls = ("--tls-port", str(port), "--tls-auth-clients", "no")
    tls += ("--tls-cert-file", str(files["cert"]), "--tls-key-file", str(files["key"]))
    tls += ("--tls-ca-cert-file", str(files["ca"]))
    with redis_server(tmp_path, *NO_FILES, *tls):
        async with opened(f"rediss://localhost:{port}") as store:
            assert "certificate" in await why_not(store.get("k"))
        monkeypatch.setenv("SSL_CERT_FILE", str(files["ca"]))
        async with opened(f"rediss://localhost:{port}") as store:
            await store.put("k", "v", ttl_s=90)
        async with opened(f"rediss://127.0.0.1:{port}") as store:
            assert "certificate" in await why_not(store.get("k"))
