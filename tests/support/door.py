"""The real Gateway on a loopback port, with the real Batcher, ledger, store and sign-in behind it.

Only the market is played by the test: it sets feed, quotes and ticks. The clock of facts stands
still unless a test moves it; waits are in real time.
"""

import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import attrs
import trio
from trio_websocket import ConnectionClosed, WebSocketConnection, wrap_client_stream

from actors import batcher, gateway, session_manager
from actors.gateway.doors import SocketDoor
from actors.gateway.ports import GatewayPorts, GatewaySettings
from actors.system import Channels
from db.audit_log import FileAuditLog, whole_lines
from db.key_signatures import verify_key
from db.memory_store import MemoryStore
from db.partition import begin_file, name_current
from db.ulid import UlidMaker
from db.wallet_signatures import keccak_256, personal_sign, recover_wallet, wallet_of
from db.weekly_ledger import WeeklyLedger
from db.weekly_reader import WeeklyReader
from domain.batching import BatchRule
from domain.evidence import gather
from domain.grid import Cell
from domain.placement import Rules
from domain.quotes import Quote, QuoteBook
from domain.resolution import Judgeable, Record, judge_cells
from domain.sign_in import SignInSettings
from domain.signed_text import BetText
from domain.ticks import Tick
from domain.units import EpochMs
from domain.wallet import Keccak, checksummed
from protocols.audit_log import AuditFact, AuditLog, check_chain
from protocols.market import FeedLevel, FeedStatus, SourceState
from protocols.money import (
    BetOrder,
    ColumnKey,
    Deposit,
    MoneyCommand,
    PlaceBet,
    SettleColumn,
)
from protocols.ports import Allowance, Bar, KeyValueStore, StoreUnavailable, Worker
from supervisor import (
    ChildStatus,
    LastFailure,
    Life,
    Mailbox,
    Managed,
    SeededChance,
    State,
    SupervisorStatus,
    ask,
)
from supervisor.worker import InlineWorker
from tests.support.described import check_described
from tests.support.described_frames import check_frame
from tests.support.http_client import Response, http_client, once

EPOCH_MS = 1_770_100_003_000
CHAIN_ID = 31_337
PRICE_CENTS = 4_200_500
REWARD_BPS = 18_500
OPS_TOKEN = "operator-token-of-at-least-32-characters"
AUDIT_FILE = "audit.jsonl"
KEY = bytes(31) + b"\x01"
OTHER_KEY = bytes(31) + b"\x02"
WALLET = wallet_of(KEY)
HOUSE_MICROS = 1_000_000_000_000


@attrs.define
class StillClock:
    """Shows a moment until a test moves it."""

    at_ms: EpochMs = EPOCH_MS

    def now_ms(self) -> EpochMs:
        return self.at_ms


class BrokenStore:
    """A key-value store that never answers."""

    async def put_if_absent(self, key: str, value: str, *, ttl_s: int) -> str | None:
        raise StoreUnavailable("gone")

    async def put(self, key: str, value: str, *, ttl_s: int) -> None:
        raise StoreUnavailable("gone")

    async def get(self, key: str) -> str | None:
        raise StoreUnavailable("gone")

    async def get_many(self, keys: Sequence[str]) -> Sequence[str | None]:
        raise StoreUnavailable("gone")

    async def take(self, key: str) -> str | None:
        raise StoreUnavailable("gone")

    async def delete(self, key: str) -> None:
        raise StoreUnavailable("gone")

    async def add_member(self, key: str, member: str, *, ttl_s: int) -> frozenset[str]:
        raise StoreUnavailable("gone")

    async def drop_member(self, key: str, member: str) -> None:
        raise StoreUnavailable("gone")

    async def members(self, key: str) -> frozenset[str]:
        raise StoreUnavailable("gone")

    async def take_token(self, key: str, *, per_minute: int, burst: int) -> Allowance:
        raise StoreUnavailable("gone")

    async def publish(self, channel: str, message: str) -> None:
        raise StoreUnavailable("gone")


@attrs.define
class PriceList:
    """A price history that a test writes by hand."""

    found: list[Tick] = attrs.field(factory=list)

    def record(self, *, start_ms: EpochMs, end_ms: EpochMs, read_at_ms: EpochMs) -> Record:
        raise NotImplementedError("the Gateway never judges")

    def ticks(self, *, from_ms: EpochMs, to_ms: EpochMs, limit: int) -> Sequence[Tick]:
        return [tick for tick in self.found if from_ms <= tick.ts_ms < to_ms][:limit]

    def bars(
        self, *, from_ms: EpochMs, to_ms: EpochMs, interval_ms: int, limit: int
    ) -> Sequence[Bar]:
        ticks = self.ticks(from_ms=from_ms, to_ms=to_ms, limit=10_000)
        prices = [tick.price_cents for tick in ticks]
        if not prices:
            return []
        return [
            Bar(
                start_ms=from_ms,
                open_cents=prices[0],
                high_cents=max(prices),
                low_cents=min(prices),
                close_cents=prices[-1],
                ticks=len(prices),
            )
        ]


def make_tick(ts_ms: EpochMs = EPOCH_MS, price_cents: int = PRICE_CENTS, trade_id: int = 1) -> Tick:
    """A tick of the source `test`."""
    return Tick(
        source="test",
        trade_id=trade_id,
        price_cents=price_cents,
        size_e8=1,
        ts_ms=ts_ms,
        recv_ms=ts_ms,
    )


def make_quote(n: int = 812, published_at_ms: EpochMs = EPOCH_MS) -> Quote:
    """A quote that offers the whole grid at one rate."""
    rules = Rules()
    grid = rules.grid
    return Quote(
        n=n,
        published_at_ms=published_at_ms,
        price_cents=PRICE_CENTS,
        column_s=grid.column_s,
        row_cents=grid.row_cents,
        first_column_s=grid.placeable_starts_s(published_at_ms)[0],
        lowest_row_cents=grid.lowest_row_cents(PRICE_CENTS),
        rates=((REWARD_BPS,) * grid.rows,) * grid.horizon_columns,
        caps=rules.caps,
    )


def healthy(at_ms: EpochMs = EPOCH_MS) -> FeedStatus:
    """A feed with a fresh tick."""
    return FeedStatus(
        level=FeedLevel.HEALTHY,
        since_ms=at_ms,
        last_tick_ms=at_ms,
        last_recv_ms=at_ms,
        skew_ms=0,
        source="test",
    )


@attrs.define(kw_only=True)
class Door:
    """A running Gateway and the handles that a test needs."""

    ports: GatewayPorts
    channels: Channels
    clock: StillClock
    prices: PriceList
    writer: WeeklyLedger
    money: Path
    life: Life = attrs.field(factory=lambda: Life("venue/gateway"))
    stopped: trio.Event = attrs.field(factory=trio.Event)
    nonces: int = 0

    @property
    def port(self) -> int:
        return self.ports.settings.port

    # Talking to it

    async def get(self, path: str, *, token: str | None = None) -> Response:
        """GET; the answer is as the API's document has it, whatever the test looks at."""
        return check_described("GET", path, await once(self.port, "GET", path, token=token))

    async def post(self, path: str, body: object = None, *, token: str | None = None) -> Response:
        """POST, as `get`."""
        answer = await once(self.port, "POST", path, body, token=token)
        return check_described("POST", path, answer)

    def client(self) -> Any:
        """One kept-alive connection, as a context manager."""
        return http_client(self.port)

    async def handshake(self, path: str = "/ws", **more: str) -> Response:
        """The answer to a WebSocket's handshake that the venue turns away."""
        headers = {
            "upgrade": "websocket",
            "connection": "upgrade",
            "sec-websocket-version": "13",
            "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
            **more,
        }
        return await once(self.port, "GET", path, headers=headers)

    def socket(self) -> Any:
        """A WebSocket, as a context manager that gives a `Talk`."""
        return talk(self.port)

    async def next_life(
        self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Another life of the Gateway on the same ports."""
        self.life, self.stopped = Life("venue/gateway", 2), trio.Event()
        await _serve(self, task_status)

    # Bets

    def cell(self, *, columns_ahead: int = 3, row: int = 0) -> Cell:
        """A cell by its place relative to now and to the price."""
        grid = self.ports.rules.grid
        start_s = grid.column_start_s(self.clock.now_ms()) + columns_ahead * grid.column_s
        lo_cents = PRICE_CENTS // grid.row_cents * grid.row_cents + row * grid.row_cents
        return Cell(column_start_s=start_s, lo_cents=lo_cents, hi_cents=lo_cents + grid.row_cents)

    def bet(
        self,
        *,
        key: bytes = KEY,
        cell: Cell | None = None,
        odds: bool = False,
        stake_micros: int = 1_000_000,
        least_bps: int = REWARD_BPS,
        **changed: object,
    ) -> dict[str, object]:
        """The fields of a well-signed bet; `changed` ones are changed after signing."""
        self.nonces += 1
        text = BetText(
            cell_id=(cell or self.cell()).id,
            stake_micros=stake_micros,
            nonce=f"00000000-0000-4000-8000-{self.nonces:012}",
            timestamp_s=self.clock.now_ms() // 1000,
            chain_id=CHAIN_ID,
            least_bps=least_bps if odds else None,
            quote_n=812 if odds else None,
        )
        named = {"rate": text.least_bps, "quote": text.quote_n} if odds else {}
        fields = {
            "wallet": wallet_of(key),
            "cell_id": text.cell_id,
            "amount": str(text.stake_micros),
            "nonce": text.nonce,
            "timestamp": text.timestamp_s,
            "chain_id": text.chain_id,
            "version": str(text.version),
            **named,
            "signature": "0x" + personal_sign(text.render(), key).hex(),
        }
        return {**fields, **changed}

    async def fund(self, wallet: str = WALLET, amount_micros: int = 100_000_000) -> None:
        """Money for a wallet."""
        self.nonces += 1
        await self.order(
            Deposit(
                wallet=wallet, amount_micros=amount_micros, reference=f"f{self.nonces}", by="test"
            )
        )

    def commit(self, bet: PlaceBet, *, amount_micros: int) -> None:
        """Put a bet, and money for it, straight into the ledger: what a dying Batcher leaves."""
        rules = self.ports.rules
        money = Deposit(
            wallet=bet.wallet, amount_micros=amount_micros, reference="straight", by="test"
        )
        order = BetOrder(
            bet=bet,
            column_s=rules.grid.column_s,
            rule=rules.rule,
            reward_bps=REWARD_BPS,
            quote_n=812,
        )
        self.writer.apply([money, order], at_ms=self.clock.now_ms())

    async def order(self, command: MoneyCommand) -> object:
        """A command straight to the Batcher."""
        return await ask(self.channels.money, command, within_s=5)

    async def sign_in(self, key: bytes = KEY) -> str:
        """The token of a fresh session."""
        issued = (await self.get("/api/auth/nonce")).json
        answer = await self.post("/api/auth/login", login_body(issued, key))
        assert answer.status == 200, answer.body
        return str(answer.json["token"])

    def on_record(self) -> list[AuditFact]:
        """What the audit log holds, in order; its chain must hold, too."""
        file = self.money / AUDIT_FILE
        return [e.fact for e in check_chain(whole_lines(file))] if file.exists() else []

    async def settle(self, cell: Cell, *, price_cents: int = PRICE_CENTS) -> None:
        """Judge the column of `cell` on a price that stood still."""
        start_ms, column_s = cell.column_start_s * 1000, self.ports.rules.grid.column_s
        end_ms = start_ms + column_s * 1000
        record = Record(
            start_ms=start_ms,
            end_ms=end_ms,
            carry_in=make_tick(start_ms - 500, price_cents, 1),
            ticks=tuple(make_tick(start_ms + n * 1000, price_cents, n + 2) for n in range(5)),
            after=make_tick(end_ms, price_cents, 9),
            watermark_ms=end_ms,
            read_at_ms=end_ms,
        )
        rule = self.ports.rules.rule
        rows = self.ports.ledger.open_columns(before_s=cell.column_start_s + 1)[0].ranges
        results = judge_cells(rule, record, rows, void=None)
        await self.order(
            SettleColumn(
                key=ColumnKey(start_s=cell.column_start_s, column_s=column_s, rule=rule),
                evidence=gather(rule, record, Judgeable(void=None)),
                results=dict(zip(rows, results, strict=True)),
            )
        )


@attrs.define
class Talk:
    """One side of a WebSocket conversation; each frame that comes is as the code declares it."""

    socket: WebSocketConnection
    seen: list[dict[str, Any]] = attrs.field(factory=list)
    asked: dict[object, str] = attrs.field(factory=dict)
    """The `op` of each request by its id."""

    async def say(self, **fields: object) -> None:
        """Send one frame."""
        if fields.get("id") is not None:
            self.asked[fields["id"]] = str(fields.get("op"))
        await self.socket.send_message(json.dumps(fields))

    async def ask(self, op: str, **fields: object) -> dict[str, Any]:
        """Send a request and wait for its reply; what else came is in `seen`."""
        await self.say(op=op, id="r", **fields)
        return await self.until(lambda frame: frame["type"] == "reply" and frame["id"] == "r")

    async def end(self) -> tuple[int, str | None]:
        """Read on until the venue closes the socket; its code and reason."""
        with trio.fail_after(10):
            while True:
                try:
                    self.seen.append(await self._next())
                except ConnectionClosed as closed:
                    reason = closed.reason
                    return (reason.code, reason.reason) if reason is not None else (0, None)

    async def until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first frame from now on that is wanted."""
        with trio.fail_after(10):
            while True:
                frame = await self._next()
                if wanted(frame):
                    return frame
                self.seen.append(frame)

    async def next_of(self, kind: str) -> dict[str, Any]:
        """The next frame of that type."""
        return await self.until(lambda frame: frame["type"] == kind)

    async def _next(self) -> dict[str, Any]:
        frame: dict[str, Any] = json.loads(await self.socket.get_message())
        return check_frame(frame, op=self.asked.get(frame.get("id")))


@asynccontextmanager
async def talk(port: int) -> AsyncIterator[Talk]:
    # trio-websocket leaves the socket open when the other side closes first: it is ours to close.
    async with (
        await trio.open_tcp_stream("127.0.0.1", port) as stream,
        trio.open_nursery() as own,
        await wrap_client_stream(own, stream, "127.0.0.1", "/ws") as socket,
    ):
        yield Talk(socket)


def login_body(
    issued: dict[str, Any], key: bytes = KEY, *, resources: Sequence[str] = (), **changed: str
) -> dict[str, str]:
    """A signed EIP-4361 message for the nonce that was issued."""
    fields = {
        "domain": issued["domain"],
        "wallet": checksummed(wallet_of(key), keccak_256),
        "uri": issued["uri"],
        "chain": str(issued["chain_id"]),
        "nonce": issued["nonce"],
        "issued": datetime.fromtimestamp(issued["issued_at_ms"] / 1000, UTC).isoformat(),
        **changed,
    }
    message = (
        "{domain} wants you to sign in with your Ethereum account:\n{wallet}\n\n\nURI: {uri}\n"
        "Version: 1\nChain ID: {chain}\nNonce: {nonce}\nIssued At: {issued}"
    ).format(**fields)
    if resources:
        message += "\nResources:" + "".join(f"\n- {resource}" for resource in resources)
    return {"message": message, "signature": "0x" + personal_sign(message, key).hex()}


@asynccontextmanager
async def open_door(
    data: Path,
    *,
    store: KeyValueStore | None = None,
    ledger_worker: Worker | None = None,
    with_batcher: bool = True,
    with_sign_in: bool = True,
    batcher_is: str = "running",
    keccak: Keccak = keccak_256,
    audit_log: AuditLog | None = None,
    tree: Callable[[], SupervisorStatus] | None = None,
    restart: Callable[[str], Awaitable[Managed]] | None = None,
    **settings: Any,
) -> AsyncIterator[Door]:
    """A Gateway that serves for as long as the block lasts, then drains.

    `tree` and `restart` are of the supervisor that operators are to see; by default a tree of one
    actor, and nothing that could restart it.
    """
    clock, chance, channels, prices = StillClock(), SeededChance(7), Channels(), PriceList()
    rules, ids = Rules(), UlidMaker(SeededChance(8))
    path = begin_file(data, at_ms=clock.now_ms())
    path.write_bytes(_empty_ledger())
    name_current(data, path)
    channels.feed.set(healthy())
    channels.book.set(QuoteBook(quotes=(make_quote(),)))
    tick = make_tick()
    source = SourceState(
        name="test",
        connected=True,
        active=True,
        reconnects=0,
        last_recv_ms=EPOCH_MS,
        last_tick=tick,
    )
    channels.sources.set((source,))
    with (
        closing(
            WeeklyLedger.open(data, at_ms=clock.now_ms(), caps=rules.caps, chance=chance)
        ) as ledger,
        closing(WeeklyReader(data)) as reader,
        socket.create_server(("127.0.0.1", 0)) as listener,
    ):
        # Small, so that a client that does not read is noticed after kilobytes and not megabytes.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16_384)
        bankroll = Deposit(
            wallet="house", amount_micros=HOUSE_MICROS, reference="bankroll", by="test"
        )
        ledger.apply([bankroll], at_ms=clock.now_ms())
        ports = GatewayPorts(
            settings=GatewaySettings(
                **{
                    "host": "127.0.0.1",
                    "port": listener.getsockname()[1],
                    "chain_id": CHAIN_ID,
                    "demo": True,
                    "origin": "http://test",
                    "ops_tokens": {"ann": OPS_TOKEN},
                    "bets_per_minute": 6_000,
                    "bets_burst": 1_000,
                    "requests_per_minute": 60_000,
                    "requests_burst": 10_000,
                    "sign_ins_per_minute": 600,
                    "drain_within_s": 3.0,
                    **settings,
                }
            ),
            rules=rules,
            doors=(SocketDoor(listener),),
            money=channels.money,
            sign_in=channels.sign_in,
            circuit=channels.circuit,
            feed=channels.feed,
            hold=channels.hold,
            disk=channels.disk,
            archive=channels.archive,
            backups=channels.backups,
            audit=channels.audit,
            archive_requests=channels.archive_requests,
            restore_requests=channels.restore_requests,
            backup_requests=channels.backup_requests,
            check_requests=channels.check_requests,
            book=channels.book,
            ticks=channels.ticks,
            sources=channels.sources,
            user_events=channels.user_events,
            session_ends=channels.session_ends,
            draining=channels.draining,
            writer=channels.writer,
            resolver=channels.resolver,
            ledger=reader,
            ledger_worker=InlineWorker() if ledger_worker is None else ledger_worker,
            prices=prices,
            prices_worker=InlineWorker(),
            audit_log=FileAuditLog(data / AUDIT_FILE) if audit_log is None else audit_log,
            audit_log_worker=InlineWorker(),
            store=MemoryStore(clock) if store is None else store,
            clock=clock,
            chance=chance,
            new_bet_id=lambda: ids.make(clock.now_ms()),
            verify_wallet=recover_wallet,
            verify_key=verify_key,
            keccak=keccak,
            supervisor_status=tree or partial(_tree, State(batcher_is)),
            restart_actor=restart or _restart_nothing,
        )
        door = Door(
            ports=ports,
            channels=channels,
            clock=clock,
            prices=prices,
            writer=ledger,
            money=data,
        )
        async with trio.open_nursery() as nursery:
            if with_batcher:
                await _start_batcher(nursery, ports, ledger)
            if with_sign_in:
                await _start_sign_in(nursery, ports)
            nursery.start_soon(_obey_overrides, ports)
            await nursery.start(_serve, door)
            yield door
            door.life.stopping.set()
            with trio.fail_after(10):
                await door.stopped.wait()
            nursery.cancel_scope.cancel()


@cache
def _empty_ledger() -> bytes:
    """A ledger's file as the migrations leave it: made once, because they take most of the time
    that a test of the door takes."""
    with TemporaryDirectory() as folder:
        ledger = WeeklyLedger.open(
            Path(folder), at_ms=EPOCH_MS, caps=Rules().caps, chance=SeededChance(7)
        )
        ledger.close()
        return ledger.path.read_bytes()


async def _serve(door: Door, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
    door.life.on_ready(task_status.started)
    await gateway.run(door.life, door.ports)
    door.stopped.set()


async def _start_batcher(nursery: trio.Nursery, ports: GatewayPorts, ledger: WeeklyLedger) -> None:
    needs = batcher.BatcherPorts(
        commands=ports.money,
        events=ports.user_events,
        feed=ports.feed,
        hold=ports.hold,
        disk=ports.disk,
        book=ports.book,
        writer=ports.writer,
        ledger=ledger,
        worker=InlineWorker(),
        clock=ports.clock,
        rules=ports.rules,
        batch=BatchRule(linger_ms=1),
    )
    await nursery.start(_run_until_ready, partial(batcher.run, ports=needs))


async def _start_sign_in(nursery: trio.Nursery, ports: GatewayPorts) -> None:
    needs = session_manager.SessionManagerPorts(
        commands=ports.sign_in,
        ends=ports.session_ends,
        money=ports.money,
        store=ports.store,
        recover_wallet=recover_wallet,
        keccak=keccak_256,
        clock=ports.clock,
        chance=ports.chance,
        settings=SignInSettings(
            domain="test",
            uri="http://test",
            chain_id=CHAIN_ID,
            sign_ins_per_minute=ports.settings.sign_ins_per_minute,
            demo=ports.settings.demo,
        ),
    )
    await nursery.start(_run_until_ready, partial(session_manager.run, ports=needs))


async def _run_until_ready(
    run: Callable[[Life], Awaitable[None]],
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    life = Life("venue/test")
    life.on_ready(task_status.started)
    await run(life)


async def _obey_overrides(ports: GatewayPorts) -> None:
    """What the HealthMonitor does with an operator's command, and nothing else of it."""
    async with ports.circuit.reader(Life("venue/health_monitor")) as reader:
        async for asked in reader:
            command = asked.question
            status = attrs.evolve(
                ports.feed.value,
                override=command.override,
                override_by=command.by,
                override_why=command.why,
            )
            ports.feed.set(status)
            asked.answer(status)


async def _restart_nothing(path: str) -> Managed:
    return Managed.NOT_FOUND


def _tree(state: State) -> SupervisorStatus:
    """A tree of one actor, which has restarted once."""
    common: dict[str, Any] = {
        "restarts_in_window": 0,
        "restarts_total": 1,
        "uptime_s": 1.5,
        "retry_in_s": None,
        "last_failure": LastFailure(type="ValueError", message="once", at=1.0, ago_s=2.0),
    }
    channel = Mailbox[int]("money", 8).statistics()
    actor = ChildStatus(
        path="venue/batcher", state=state, waiting_on="", channels=(channel,), **common
    )
    return SupervisorStatus(
        path="venue",
        state=State.RUNNING,
        strategy="one_for_one",
        restarts_max=5,
        period_s=30,
        children=(actor,),
        **common,
    )
