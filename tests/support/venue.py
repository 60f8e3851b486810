"""The whole venue in one process under virtual time: real wiring, real SQLite, a scripted market.

Only the outside is replaced: the exchange by a source that a test feeds, threads by inline calls,
and the wall clock by trio's. The Gateway is left out unless a test asks for it.
"""

import socket
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import ExitStack, asynccontextmanager, closing
from pathlib import Path

import attrs
import trio

from actors import price_feed, price_recorder, publisher, quoter, system
from actors.gateway.doors import SocketDoor
from actors.gateway.ports import GatewaySettings
from db.archive import WeekArchive
from db.audit_log import FileAuditLog
from db.backup import FolderBackups
from db.data_folder import DataFolder
from db.folder_objects import FolderObjects
from db.key_signatures import verify_key
from db.ledger_checks import FolderLedgerChecks
from db.memory_store import MemoryStore
from db.sqlite_prices import SqlitePriceReader, SqlitePriceRecord
from db.ulid import UlidMaker
from db.wallet_signatures import keccak_256, recover_wallet
from db.week_restore import WeeksBackHere
from db.weekly_ledger import open_current
from db.weekly_reader import WeeklyReader
from domain.backups import Retention
from domain.batching import BatchRule
from domain.disk import DiskThresholds, DiskUse
from domain.grid import Cell, Grid
from domain.placement import Rules
from domain.rates import RewardSettings
from domain.sign_in import SignInSettings
from domain.ticks import Tick
from protocols.accounts import Drift
from protocols.market import FeedLevel
from protocols.money import Deposit, MoneyCommand, MoneyOutcome, PlaceBet
from supervisor import (
    ExitReport,
    Refused,
    SeededChance,
    StatusUnknown,
    Supervisor,
    TrioClock,
    ask,
)
from supervisor.worker import InlineWorker

EPOCH_MS = 1_770_100_000_000
PRICE_CENTS = 6_500_000
WALLET = "0x" + "ab" * 20
HOUSE_MICROS = 1_000_000_000_000
OPS_TOKEN = "operator-token-of-at-least-32-characters"


class ScriptedSource:
    """A market that does what a test says: `tick()` at a price, or steady ticks until told."""

    name = "scripted"
    known_skew_ms = 0
    unreadable = 0

    def __init__(self, clock: TrioClock) -> None:
        self._clock = clock
        self._send, self._receive = trio.open_memory_channel[Tick](1_000)
        self._last_id = 0
        self.price_cents = PRICE_CENTS

    def tick(self, price_cents: int = PRICE_CENTS, *, ts_ms: int | None = None) -> Tick:
        """One trade now (or at exchange time `ts_ms`)."""
        now_ms = self._clock.now_ms()
        self._last_id += 1
        made = Tick(
            source=self.name,
            trade_id=self._last_id,
            price_cents=price_cents,
            size_e8=1_000_000,
            ts_ms=now_ms if ts_ms is None else ts_ms,
            recv_ms=now_ms,
        )
        self._send.send_nowait(made)
        return made

    async def steady(self, *, every_s: float = 1.0) -> None:
        """A tick at `price_cents` every so often, for ever."""
        while True:
            self.tick(self.price_cents)
            await trio.sleep(every_s)

    @asynccontextmanager
    async def running(self, *, every_s: float = 0.5) -> AsyncGenerator[None, None]:
        """A steady market while inside; silence after."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lambda: self.steady(every_s=every_s))
            yield
            nursery.cancel_scope.cancel()

    @asynccontextmanager
    async def connect(self) -> AsyncGenerator[AsyncIterator[Tick], None]:
        yield self._receive.clone()


@attrs.define
class HandProbe:
    """A disk as full as a test says; nearly empty until then."""

    use: DiskUse = attrs.field(factory=lambda: DiskUse(total_bytes=10**12, free_bytes=9 * 10**11))

    def look(self) -> DiskUse:
        return self.use


@attrs.define(kw_only=True)
class Venue:
    """A running venue and the handles a test needs."""

    channels: system.Channels
    ports: system.Ports
    supervisor: Supervisor
    source: ScriptedSource
    clock: TrioClock
    exits: list[ExitReport]
    rules: Rules
    port: int
    """Where the Gateway listens, if there is one."""
    nonces: int = 0

    async def order(
        self, command: MoneyCommand, *, within_s: float = 5
    ) -> MoneyOutcome | Refused | StatusUnknown:
        """A command to the Batcher, and its outcome."""
        return await ask(self.channels.money, command, within_s=within_s)

    async def fund(self, amount_micros: int, wallet: str = WALLET) -> None:
        await self.order(
            Deposit(wallet=wallet, amount_micros=amount_micros, reference=f"f{self.nonces}", by="t")
        )
        self.nonces += 1

    def bet(self, cell: Cell, *, stake_micros: int = 1_000_000, wallet: str = WALLET) -> PlaceBet:
        """A new bet on that cell, with an id and a nonce of its own."""
        self.nonces += 1
        return PlaceBet(
            bet_id=self.ports.new_bet_id(),
            wallet=wallet,
            nonce=f"00000000-0000-4000-8000-{self.nonces:012}",
            cell=cell,
            stake_micros=stake_micros,
        )

    def cell(self, *, columns_ahead: int = 3, rows_up: int = 0) -> Cell:
        """A cell by its place relative to now and to the market's price."""
        grid = self.rules.grid
        start_s = grid.column_start_s(self.clock.now_ms()) + columns_ahead * grid.column_s
        lo_cents = self.source.price_cents // 1000 * 1000 + rows_up * 1000
        return Cell(column_start_s=start_s, lo_cents=lo_cents, hi_cents=lo_cents + 1000)

    def offered(self) -> list[Cell]:
        """The cells that the newest quote offers, nearest column first."""
        newest = self.channels.book.value.newest
        return [cell for cell, _, _ in newest.offered()] if newest is not None else []

    async def wait_quote(self) -> None:
        """Until a quote stands."""
        version = self.channels.book.version
        while self.channels.book.value.newest is None:
            version, _ = await self.channels.book.changed(version)

    def balance_micros(self, wallet: str = WALLET) -> int:
        """What the ledger says the wallet has."""
        account = self.ports.ledger_reader.account(wallet)
        assert account is not None
        return account.balance_micros

    def drifts(self) -> tuple[Drift, ...]:
        """All the ways in which the money does not add up."""
        return self.ports.ledger_reader.integrity().drifts

    async def wait_level(self, level: FeedLevel) -> float:
        """Until the feed is on that level; trio's clock then."""
        version = self.channels.feed.version
        while self.channels.feed.value.level is not level:
            version, _ = await self.channels.feed.changed(version)
        return trio.current_time()

    async def wait_ended(self, bet_id: str) -> str:
        """Until a bet has reached its end; its status."""
        version = self.channels.resolver.version
        while True:
            bet = self.ports.ledger_reader.bet(bet_id)
            if bet is not None and bet.status.value != "confirmed":
                return bet.status.value
            version, _ = await self.channels.resolver.changed(version)


@asynccontextmanager
async def running_venue(
    data: Path,
    *,
    with_gateway: bool = False,
    grid: Grid | None = None,
    epoch_ms: int = EPOCH_MS,
) -> AsyncIterator[Venue]:
    """Start the venue on `data`, and drain it at the end.

    `epoch_ms` is the date of the zero of trio's clock.
    """
    rules = Rules(grid=grid or Grid())
    clock = TrioClock(epoch_ms)
    source = ScriptedSource(clock)
    with ExitStack() as opened:
        ports = open_ports(opened, data, rules, source, clock)
        (door,) = ports.doors
        assert isinstance(door, SocketDoor)
        port = door.listener.getsockname()[1]
        channels, exits = system.Channels(), list[ExitReport]()
        spec = system.tree(
            channels,
            ports,
            settings_of(rules, port),
            status=lambda: supervisor.status(),
            restart=lambda path: supervisor.restart_child(path),
        )
        if not with_gateway:
            kept = tuple(child for child in spec.children if child.id != "gateway")
            spec = attrs.evolve(spec, children=kept)
        supervisor = Supervisor(spec, chance=ports.chance, report=exits.append)
        async with trio.open_nursery() as nursery:
            await nursery.start(supervisor.run)
            yield Venue(
                channels=channels,
                ports=ports,
                supervisor=supervisor,
                source=source,
                clock=clock,
                exits=exits,
                rules=rules,
                port=port,
            )
            supervisor.request_stop()


def open_ports(
    opened: ExitStack, data: Path, rules: Rules, source: ScriptedSource, clock: TrioClock
) -> system.Ports:
    """Real stores in `data`, with a bankroll; each is closed with `opened`."""
    chance = SeededChance(clock.now_ms())  # another one for each life on one folder
    folder = DataFolder.open(data, mode="demo", chain_id=31337)
    ledger, _ = open_current(folder.money, at_ms=clock.now_ms(), caps=rules.caps, chance=chance)
    opened.callback(ledger.close)
    bankroll = Deposit(wallet="house", amount_micros=HOUSE_MICROS, reference="bankroll", by="test")
    ledger.apply([bankroll], at_ms=clock.now_ms())
    ids = UlidMaker(chance)
    probe, objects = HandProbe(), FolderObjects(data / "archive")
    return system.Ports(
        clock=clock,
        chance=chance,
        sources=(source,),
        ledger=ledger,
        ledger_reader=opened.enter_context(closing(WeeklyReader(folder.money))),
        client_ledger=opened.enter_context(closing(WeeklyReader(folder.money))),
        price_record=opened.enter_context(closing(SqlitePriceRecord(folder.prices))),
        price_reader=opened.enter_context(closing(SqlitePriceReader(folder.prices))),
        client_prices=opened.enter_context(closing(SqlitePriceReader(folder.prices))),
        store=MemoryStore(clock),
        recover_wallet=recover_wallet,
        verify_key=verify_key,
        keccak=keccak_256,
        new_bet_id=lambda: ids.make(clock.now_ms()),
        doors=(
            SocketDoor(opened.enter_context(socket.create_server(("127.0.0.1", 0), backlog=128))),
        ),
        ledger_writes=InlineWorker(),
        ledger_reads=InlineWorker(),
        client_ledger_reads=InlineWorker(),
        price_writes=InlineWorker(),
        price_reads=InlineWorker(),
        client_price_reads=InlineWorker(),
        disk=probe,
        disk_looks=InlineWorker(),
        checks=FolderLedgerChecks(folder.money),
        check_reads=InlineWorker(),
        backups=FolderBackups(folder=folder, objects=objects, probe=probe),
        backup_work=InlineWorker(),
        archive=WeekArchive(data, objects, probe=probe, clock=clock, level=1),
        archive_work=InlineWorker(),
        restores=WeeksBackHere(data, objects, probe=probe),
        restore_work=InlineWorker(),
        restore_looks=InlineWorker(),
        audit_log=FileAuditLog(folder.audit_file),
        audit_log_work=InlineWorker(),
    )


def settings_of(rules: Rules, port: int) -> system.VenueSettings:
    """The defaults, with a quote a second and no rate limit on bets."""
    return system.VenueSettings(
        rules=rules,
        batch=BatchRule(),
        feed=price_feed.FeedSettings(),
        recorder=price_recorder.RecorderSettings(),
        rewards=RewardSettings(),
        quotes=quoter.QuoterSettings(interval_ms=1000, interval_max_ms=1000),
        sign_in=SignInSettings(domain="test", uri="http://test", chain_id=31337),
        gateway=GatewaySettings(
            host="127.0.0.1",
            port=port,
            chain_id=31337,
            demo=True,
            origin="http://test",
            ops_tokens={"ann": OPS_TOKEN},
            bets_per_minute=1_000_000,
            bets_burst=100_000,
            drain_within_s=2,
        ),
        publisher=publisher.PublisherSettings(shared=False, publish=False),
        upkeep=system.UpkeepSettings(
            disk=DiskThresholds(),
            check_all_every_s=24 * 3600,
            check_new_every_s=300,
            backup_every_ms=3_600_000,
            backups_kept=Retention(),
            weeks_on_disk=4,
        ),
        settle_delay_ms=2_000,
        known_skew_ms=0,
    )
