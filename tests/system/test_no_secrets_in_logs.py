"""No secret is ever written down: a noisy venue, at the most talkative level, is searched for all.

Secrets are operators' tokens, sessions' tokens, what traders signed to sign in and all signatures,
the store's password, the archive's key; sent rightly, wrongly, and where they do not belong. Looked
through are the log, the audit log, `check-config`, the status page and the metrics.
"""

import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs
import pytest
import structlog
import trio

from actors import logs
from client.session_key import SessionKey
from supervisor import SystemClock
from tests.support.door import login_body, open_door, talk
from tests.support.http_client import HttpClient, http_client
from tests.support.redis_server import RedisServer, redis_server
from tests.support.trader import USD, Trader, near_cells, wait_grid
from tests.support.venue_process import OPS_TOKEN, REPOSITORY, VenueProcess, venue

pytestmark = [pytest.mark.slow, pytest.mark.system]

ALICE_TOKEN = "alices-own-token-of-more-than-32-characters"
PASSWORD = "redis/passw0rd@with:signs"
ARCHIVE_KEY = "archive+secret/key+of+nobody+0123456789"
WRONG_TOKEN = OPS_TOKEN[:-1] + "X"
DEAD = "http://127.0.0.1:9"
"""Nobody listens there: a backup to it fails, and says so."""
WORDS_MIN = 100
"""Lines of a run that is noisy enough to mean something."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RedisServer]:
    folder = tmp_path / "redis"
    folder.mkdir()
    with redis_server(folder, password=PASSWORD) as running:
        yield running


@attrs.define
class Noise:
    """A trader and an operator who do everything, well and badly; what must not be seen of it."""

    running: VenueProcess
    trader: Trader = attrs.field(factory=lambda: Trader(number=4_242))
    secrets: dict[str, str] = attrs.field(factory=dict)
    answers: list[bytes] = attrs.field(factory=list)

    async def make(self) -> None:
        """Everything once."""
        async with http_client(self.running.port) as client:
            token = await self.sign_in(client)
            await self.bet(client)
            await self.ask_with(client, token)
            await self.operate(client)
            await self.send_nonsense(client, token)
            await self.sign_in_by_demo(client)
        await self.talk_to_the_socket(token)

    async def sign_in(self, client: HttpClient) -> str:
        issued = (await client.get("/api/auth/nonce")).json
        self.secrets["the nonce of a sign-in"] = issued["nonce"]
        body = login_body(issued, self.trader.key)
        self.secrets["the text of a sign-in"] = body["message"]
        self.secrets["its signature"] = body["signature"]
        other = Trader(number=4_243)
        forged = login_body(issued, other.key, wallet=self.trader.wallet)
        self.secrets["a forged signature"] = forged["signature"]
        assert (await self._post(client, "/api/auth/login", forged)) in (400, 401)
        answer = await client.post("/api/auth/login", body)
        assert answer.status == 200, answer.body
        token: str = answer.json["token"]
        self.secrets["a session's token"] = token
        assert (await self._post(client, "/api/auth/login", body)) == 401, "the nonce is spent"
        return token

    async def bet(self, client: HttpClient) -> None:
        assert (await self.trader.fund(self.running.port, 100 * USD, "noise")).status == 200
        grid = await wait_grid(client)
        for cell in near_cells(grid, columns=range(4, 12), spare_ms=2_000)[:3]:
            body = self.trader.bet(cell, now_ms=grid["server_time_ms"])
            self.secrets[f"the signature of a bet on {cell}"] = body["signature"]
            assert (await self._post(client, "/api/bets", body)) == 202
            assert (await self._post(client, "/api/bets", body)) == 409
            assert (await self._post(client, "/api/bets", {**body, "amount": "5000000"})) == 401
            await self._post(client, "/api/bets", {**body, "signature": body["signature"] + "00"})
            await self._post(client, "/api/bets", {**body, "wallet": body["signature"]})
            await self._post(client, "/api/bets", json.dumps(body).encode()[:-3])

    async def ask_with(self, client: HttpClient, token: str) -> None:
        for path in ("/api/account", "/api/auth/sessions", "/api/bets", "/api/ledger"):
            assert (await client.get(path, token=token)).status == 200
        bent = token[:-1] + ("A" if token[-1] != "A" else "B")
        self.secrets["a token that is none"] = bent
        assert (await client.get("/api/account", token=bent)).status == 401
        for path in (f"/api/{token}", f"/api/account?token={token}", f"/api/bets?cursor={token}"):
            await client.get(path, token=token)
        assert (await client.post("/api/auth/logout", token=token)).status == 200

    async def operate(self, client: HttpClient) -> None:
        for token in (OPS_TOKEN, ALICE_TOKEN):
            body = {"reason": "to make some noise"}
            for path in ("/ops/hold", "/ops/release", "/ops/integrity"):
                assert (await self._post(client, path, body, token)) == 200
        assert (await self._post(client, "/ops/hold", {"reason": "x"}, WRONG_TOKEN)) == 401
        await self._post(client, "/ops/backup", {"reason": "to nowhere"}, OPS_TOKEN)
        await self._post(client, "/ops/actors/quoter/restart", {"reason": "noise"}, OPS_TOKEN)
        for path in ("/ops/status", "/ops/audit", f"/ops/users/{self.trader.wallet}"):
            answer = await client.get(path, token=OPS_TOKEN)
            self.answers.append(answer.body)

    async def send_nonsense(self, client: HttpClient, token: str) -> None:
        bodies: tuple[object, ...] = (token, [token], {"message": token, "signature": token})
        for body in bodies:
            for path in ("/api/auth/login", "/api/bets", "/api/faucet", "/api/withdrawals"):
                await self._post(client, path, body, token)
        async with await trio.open_tcp_stream("127.0.0.1", self.running.port) as stream:
            line = f"GET / HTTP/1.1\r\nauthorization: Bearer {token}\r\nno colon {token}\r\n\r\n"
            await stream.send_all(line.encode())
            await stream.receive_some(10_000)

    async def sign_in_by_demo(self, client: HttpClient) -> None:
        key = SessionKey.from_number(self.trader.number)
        answer = await client.post("/api/auth/demo", {"public_key": key.public_key})
        assert answer.status == 200, answer.body
        self.secrets["a demo session's token"] = answer.json["token"]
        self.secrets["a session key"] = f"{self.trader.number:064x}"

    async def talk_to_the_socket(self, token: str) -> None:
        async with talk(self.running.port) as socket:
            await socket.ask("auth", token=self.secrets["a demo session's token"])
            await socket.ask("auth", token=token)  # of a session that has ended
            await socket.ask("bet", signature=self.secrets["its signature"], token=token)
            await socket.socket.send_message(f'{{"op": "auth", "token": "{token}"')
            await socket.next_of("reply")
        async with talk(self.running.port) as socket:
            await socket.socket.send_message(token.encode())
            await socket.end()

    async def _post(
        self, client: HttpClient, path: str, body: object, token: str | None = None
    ) -> int:
        return (await client.post(path, body, token=token)).status


async def test_a_noisy_venue_writes_no_secret(
    tmp_path: Path, store: RedisServer, say: Callable[[str], None]
) -> None:
    data = tmp_path / "data"
    environment = {
        "TAPGRID_OPS__TOKENS__ALICE": ALICE_TOKEN,
        "TAPGRID_STORE__URL": store.url,
        "TAPGRID_ARCHIVE__SECRET_ACCESS_KEY": ARCHIVE_KEY,
    }
    settings = (
        "--set=log.level=debug",
        "--set=log.format=json",
        "--set=archive.url=s3://nowhere/venue",
        f"--set=archive.endpoint_url={DEAD}",
        "--set=archive.region=x",
        "--set=archive.access_key_id=ID",
        "--set=limits.sign_ins_per_minute=1000",
    )
    async with venue(data, *settings, environment=environment) as running:
        noise = Noise(running)
        await noise.make()
        store.kill()  # what is said of a store that has gone names its address
        async with http_client(running.port) as client:
            noise.answers += [(await client.get("/api/grid")).body]
            noise.answers += [(await client.get("/metrics")).body]
            noise.answers += [(await client.get("/ops/status", token=OPS_TOKEN)).body]
        await running.stop()
    said = "\n".join(running.output)
    places = {
        "the log": said,
        "the audit log": (data / "audit.jsonl").read_text(),
        "check-config": check_config(settings, environment),
        "the answers to an operator": b"\n".join(noise.answers).decode(),
    }
    say(f"{len(running.output)} lines, {len(noise.secrets) + len(THE_VENUES)} secrets")
    assert said.count("\n") > WORDS_MIN
    for where, text in places.items():
        assert text, where
        for what, secret in (noise.secrets | THE_VENUES | keys(noise.trader)).items():
            assert not any(spelling in text for spelling in spellings(secret)), f"{what} in {where}"


THE_VENUES = {
    "an operator's token": OPS_TOKEN,
    "another operator's token": ALICE_TOKEN,
    "an operator's token with a slip": WRONG_TOKEN,
    "the store's password": PASSWORD,
    "the archive's key": ARCHIVE_KEY,
}


def keys(trader: Trader) -> dict[str, str]:
    return {"a wallet's private key": trader.key.hex()}


def spellings(secret: str) -> set[str]:
    """The secret as JSON, Python and a URL write it, and without its 0x."""
    bare = secret.removeprefix("0x")
    quoted = secret.replace("/", "%2F").replace("@", "%40").replace(":", "%3A")
    return {bare, quoted, json.dumps(secret)[1:-1], repr(secret)[1:-1]}


def check_config(settings: tuple[str, ...], environment: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "actors", "check-config", *settings],
        cwd=REPOSITORY,
        env=os.environ | {"TAPGRID_OPS__TOKEN": OPS_TOKEN} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """The log of this process, while a test runs."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    stream = io.StringIO()
    logs.configure(form="json", level="debug", clock=SystemClock(), stream=stream)
    yield stream
    structlog.reset_defaults()
    root.handlers = handlers
    root.setLevel(level)


async def test_a_defect_at_the_door_shows_no_secret_in_its_traceback(
    tmp_path: Path, log: io.StringIO
) -> None:
    def broken(_: bytes) -> bytes:
        raise ZeroDivisionError("broken on purpose")

    checksummed = "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"
    async with open_door(tmp_path, keccak=broken) as door:
        body = door.bet(wallet=checksummed)
        assert (await door.post("/api/bets", body)).status == 500
    told = [line for line in map(json.loads, log.getvalue().splitlines()) if "exception" in line]
    assert [line["event"] for line in told] == ["request_failed"]
    assert "ZeroDivisionError: broken on purpose" in told[0]["exception"]
    assert str(body["signature"])[2:] not in log.getvalue()
    assert str(body["nonce"]) not in log.getvalue()
