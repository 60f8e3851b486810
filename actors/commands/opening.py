"""Opens the real ports of a venue and turns its settings into the words of `domain`.

What is opened here is closed here, in reverse, with a checkpoint of the ledger's log. Used by
`serve` only; tools open what they need by themselves.
"""

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlsplit

import attrs
import structlog

from actors import price_feed, price_recorder, publisher, quoter, system
from actors.commands.exits import NO_FOLDER, REFUSED, WRONG, CannotDo
from actors.commands.objects import object_store
from actors.commands.quiet_worker import QuietWorker
from actors.gateway.doors import Door
from actors.gateway.ports import GatewaySettings
from actors.price_feed.sources import SourceSettings, build_sources
from config.feeds import parse_feed
from config.settings import DEMO, Settings
from db.archive import WeekArchive
from db.audit_log import FileAuditLog
from db.backup import FolderBackups, archived_weeks
from db.data_folder import DataFolder
from db.disk_probe import StatvfsProbe
from db.key_signatures import verify_key
from db.ledger_checks import FolderLedgerChecks
from db.memory_store import MemoryStore
from db.sqlite_connection import is_damage
from db.sqlite_ledger import LedgerBroken
from db.sqlite_prices import SqlitePriceReader, SqlitePriceRecord
from db.ulid import UlidMaker
from db.wallet_signatures import keccak_256, recover_wallet
from db.week_restore import WeeksBackHere
from db.weekly_ledger import WeeklyLedger, open_current
from db.weekly_reader import WeeklyReader
from domain.attention import Thresholds
from domain.backups import Retention
from domain.batching import BatchRule
from domain.caps import HouseCaps
from domain.disk import DiskThresholds
from domain.grid import Grid
from domain.placement import Rules
from domain.rates import RewardSettings
from domain.resolution import Rule
from domain.sign_in import SignInSettings
from protocols.money import Deposit, Deposited
from protocols.ports import Chance, Clock, DiskProbe, ObjectStore, TickSource, Worker
from supervisor import SystemChance, SystemClock
from supervisor.worker import ThreadWorker

log = structlog.get_logger("serve")

MEMORY: Final = "memory:"
"""The store of the venue's own."""
DEMO_BANKROLL_REFERENCE: Final = "demo-bankroll"
WEB_ROOT: Final = Path(__file__).resolve().parents[2] / "web"


class MakesWorker(Protocol):
    """Makes the workers of a venue."""

    def __call__(self, name: str, /, *, abandons: bool = False, quiet: bool = False) -> Worker:
        """The worker of that name, one of the fields of `system.Ports`.

        With `abandons` a cancelled caller leaves its call behind; a `quiet` one yields to others.
        """
        ...


@attrs.frozen(kw_only=True)
class Outside:
    """What a venue takes from the machine it runs on. The simulation has twins of all of it."""

    clock: Clock
    chance: Chance
    probe: DiskProbe
    objects: ObjectStore
    worker: MakesWorker


def machine(settings: Settings, folder: DataFolder) -> Outside:
    """The real machine. Raises CannotDo if the object store can't be used."""
    return Outside(
        clock=SystemClock(),
        chance=SystemChance(),
        probe=StatvfsProbe(folder.path),
        objects=object_store(settings.archive, data=folder.path),
        worker=_thread,
    )


def _thread(_name: str, /, *, abandons: bool = False, quiet: bool = False) -> Worker:
    return QuietWorker(abandons=abandons) if quiet else ThreadWorker(abandons=abandons)


@contextmanager
def opened_ports(
    settings: Settings,
    folder: DataFolder,
    *,
    sources: tuple[TickSource, ...],
    doors: tuple[Door, ...],
    outside: Outside,
) -> Iterator[system.Ports]:
    """The ports of a venue on that (locked) data folder. Raises CannotDo."""
    clock, chance, worker = outside.clock, outside.chance, outside.worker
    archive, backups = _archive_and_backups(settings, folder, outside)
    with ExitStack() as stack:
        ledger = stack.enter_context(closing(_open_ledger(settings, folder, clock, chance)))
        if settings.venue.mode == DEMO:
            _seed_demo_bankroll(ledger, settings, clock)
        ids = UlidMaker(chance)
        yield system.Ports(
            clock=clock,
            chance=chance,
            sources=sources,
            ledger=ledger,
            ledger_reader=stack.enter_context(closing(WeeklyReader(folder.money))),
            client_ledger=stack.enter_context(closing(WeeklyReader(folder.money))),
            price_record=stack.enter_context(closing(SqlitePriceRecord(folder.prices))),
            price_reader=stack.enter_context(closing(SqlitePriceReader(folder.prices))),
            client_prices=stack.enter_context(closing(SqlitePriceReader(folder.prices))),
            store=MemoryStore(clock),
            recover_wallet=recover_wallet,
            verify_key=verify_key,
            keccak=keccak_256,
            new_bet_id=lambda: ids.make(clock.now_ms()),
            doors=doors,
            ledger_writes=worker("ledger_writes"),
            ledger_reads=worker("ledger_reads"),
            client_ledger_reads=worker("client_ledger_reads"),
            price_writes=worker("price_writes"),
            price_reads=worker("price_reads"),
            client_price_reads=worker("client_price_reads"),
            disk=outside.probe,
            # A file system that hangs must not keep the venue from stopping.
            disk_looks=worker("disk_looks", abandons=True),
            checks=FolderLedgerChecks(folder.money),
            check_reads=worker("check_reads"),
            backups=backups,
            # Nor must an object store that is silent: what is left behind by the end of the
            # process is as after a crash, which each step of these is made for.
            backup_work=worker("backup_work", abandons=True),
            archive=archive,
            archive_work=worker("archive_work", abandons=True, quiet=True),
            restores=WeeksBackHere(folder.path, outside.objects, probe=outside.probe),
            restore_work=worker("restore_work", abandons=True, quiet=True),
            restore_looks=worker("restore_looks"),
            audit_log=FileAuditLog(folder.audit_file),
            # An order is given up, undone, where its line takes seconds.
            audit_log_work=worker("audit_log_work", abandons=True),
        )


def _archive_and_backups(
    settings: Settings, folder: DataFolder, outside: Outside
) -> tuple[WeekArchive, FolderBackups]:
    probe, objects, level = outside.probe, outside.objects, settings.archive.compression_level
    archive = WeekArchive(folder.path, objects, probe=probe, clock=outside.clock, level=level)
    archived = partial(archived_weeks, archive)
    return archive, FolderBackups(folder=folder, objects=objects, probe=probe, archived=archived)


@asynccontextmanager
async def with_store(ports: system.Ports, settings: Settings) -> AsyncIterator[system.Ports]:
    """The ports with the key-value store that `store.url` names. Raises CannotDo.

    Redis is read by a task of its own, so this is entered in the event loop and outlives the tree.
    """
    if settings.store.url == MEMORY:
        yield ports
        return
    # A sixth of the time that a start takes, so it is read where it is needed.
    from db.redis_store import open_redis_store

    try:
        opening = open_redis_store(
            settings.store.url,
            ports.clock,
            answer_within_ms=settings.store.answer_within_ms,
            tell=tell_store,
        )
    except ValueError as error:
        raise CannotDo(f"store.url: {error}", REFUSED) from error
    async with opening as store:
        yield attrs.evolve(ports, store=store)


def tell_store(why: str) -> None:
    """Log a new reason why the store can't be used, or (empty) that it can be again."""
    if why:
        log.error("store_unavailable", why=why)
    else:
        log.info("store_available_again")


def price_sources(settings: Settings) -> tuple[TickSource, ...]:
    """The sources of prices; nothing is connected to yet. Raises CannotDo if there are none."""
    try:
        return build_sources(
            settings.feed.source,
            settings.feed.fallbacks,
            settings=SourceSettings(
                binance_url=settings.feed.binance_url,
                coinbase_url=settings.feed.coinbase_url,
                known_skew_ms=settings.feed.known_skew_ms,
                seed=settings.simulator.seed,
                price_cents=settings.simulator.price_cents,
                annual_volatility_bps=settings.simulator.annual_volatility_bps,
                ticks_per_s=settings.simulator.ticks_per_s,
            ),
            clock=SystemClock(),
            chance=SystemChance(),
        )
    except ValueError as error:
        raise CannotDo(f"feed.source: {error}", REFUSED) from error


def _open_ledger(
    settings: Settings, folder: DataFolder, clock: Clock, chance: Chance
) -> WeeklyLedger:
    caps = house_caps(settings)
    try:
        ledger, _ = open_current(folder.money, at_ms=clock.now_ms(), caps=caps, chance=chance)
        return ledger
    except sqlite3.DatabaseError as error:
        why = f"the ledger in {folder.money} can't be opened: {error}"
        # Damage needs a person. Another try may find room on a disk that is full.
        raise CannotDo(why, NO_FOLDER if is_damage(error) else WRONG) from error


def _seed_demo_bankroll(ledger: WeeklyLedger, settings: Settings, clock: Clock) -> None:
    """Paper for the house, once per data folder whatever the setting becomes later."""
    # As everything that writes: not on top of money that does not add up, and no new week of it.
    _recover(ledger)
    deposit = Deposit(
        wallet="house",
        amount_micros=settings.house.demo_bankroll_micros,
        reference=DEMO_BANKROLL_REFERENCE,
        by="demo",
    )
    (outcome,) = ledger.apply([deposit], at_ms=clock.now_ms())
    conflict = getattr(getattr(outcome, "code", None), "value", "")
    if not isinstance(outcome, Deposited) and conflict != "reference_conflict":
        raise CannotDo(f"the demo bankroll could not be seeded: {outcome}", WRONG)


def _recover(ledger: WeeklyLedger) -> None:
    try:
        ledger.recover()
    except LedgerBroken as error:
        raise CannotDo(f"the money does not add up: {error} (tapgrid integrity)", WRONG) from error


# --- settings in the words of the domain --------------------------------------------------------


def house_caps(settings: Settings) -> HouseCaps:
    """The caps on what the house can be made to pay."""
    return HouseCaps(
        payout_per_bet_micros=settings.house.payout_per_bet_micros,
        payout_per_user_micros=settings.house.payout_per_user_micros,
        payout_per_cell_micros=settings.house.payout_per_cell_micros,
        payout_per_column_micros=settings.house.payout_per_column_micros,
    )


def venue_settings(settings: Settings, *, token: str, version: str) -> system.VenueSettings:
    """The settings of every actor; `token` is the operators' one that is in force."""
    limits, rule = settings.limits, Rule(settings.bets.rule)
    return system.VenueSettings(
        rules=Rules(
            grid=Grid(
                column_s=settings.grid.column_s,
                row_cents=settings.grid.row_cents,
                rows=settings.grid.rows,
                lockout_columns=settings.grid.lockout_columns,
                horizon_columns=settings.grid.horizon_columns,
            ),
            presets_micros=settings.bets.presets_micros,
            rule=rule,
            caps=house_caps(settings),
        ),
        batch=BatchRule(
            commands_max=settings.batch.commands_max, linger_ms=settings.batch.linger_ms
        ),
        feed=price_feed.FeedSettings(jump_max_bps=settings.feed.jump_max_bps),
        recorder=price_recorder.RecorderSettings(),
        rewards=RewardSettings(rule=rule, edge_bps=settings.rewards.edge_bps),
        quotes=_quoter_settings(settings),
        sign_in=_sign_in_settings(settings),
        gateway=GatewaySettings(
            host=settings.http.host,
            port=settings.http.port,
            chain_id=settings.venue.chain_id,
            demo=settings.faucet.enabled,
            origin=settings.public.origin,
            bets_per_minute=limits.bets_per_minute,
            bets_burst=limits.bets_burst,
            requests_per_minute=limits.requests_per_minute,
            requests_burst=limits.requests_burst,
            sign_ins_per_minute=limits.sign_ins_per_minute,
            connections_per_address=limits.connections_per_address,
            connections=limits.connections,
            trusted_proxies=settings.http.trusted_proxies,
            cors_origins=settings.http.cors_origins,
            ops_tokens={"operator": token, **settings.ops.tokens},
            answer_within_ms=settings.bets.answer_within_ms,
            faucet_micros=settings.faucet.amount_micros,
            faucet_balance_max_micros=settings.faucet.balance_max_micros,
            drain_within_s=settings.venue.drain_within_s * 2 / 5,
            web_root=WEB_ROOT,
            thresholds=_thresholds(settings),
            version=version,
        ),
        publisher=publisher.PublisherSettings(
            shared=settings.store.url != MEMORY, publish=settings.store.publish
        ),
        upkeep=_upkeep_settings(settings),
        settle_delay_ms=settings.feed.settle_delay_ms,
        known_skew_ms=settings.feed.known_skew_ms,
    )


def _sign_in_settings(settings: Settings) -> SignInSettings:
    return SignInSettings(
        domain=urlsplit(settings.public.origin).netloc,
        uri=settings.public.origin,
        chain_id=settings.venue.chain_id,
        sign_ins_per_minute=settings.limits.sign_ins_per_minute,
        demo=settings.sign_in.demo,
        demo_micros=settings.faucet.amount_micros,
    )


def _upkeep_settings(settings: Settings) -> system.UpkeepSettings:
    audit, backup = settings.audit, settings.backup
    return system.UpkeepSettings(
        disk=_disk_thresholds(settings),
        check_all_every_s=audit.full_every_hours * 3_600,
        check_new_every_s=audit.partial_every_minutes * 60,
        backup_every_ms=backup.every_minutes * 60_000,
        backups_kept=Retention(
            hourly_for_hours=backup.hourly_for_hours, daily_for_days=backup.daily_for_days
        ),
        weeks_on_disk=settings.archive.weeks_on_disk,
    )


def _disk_thresholds(settings: Settings) -> DiskThresholds:
    disk = settings.disk
    return DiskThresholds(
        warning_percent=disk.warning_percent,
        full_percent=disk.full_percent,
        emergency_percent=disk.emergency_percent,
        ample_free_bytes=disk.ample_free_mib * 1024 * 1024,
    )


def _thresholds(settings: Settings) -> Thresholds:
    return Thresholds.of(
        disk=_disk_thresholds(settings),
        backup_every_s=settings.backup.every_minutes * 60,
        check_every_s=settings.audit.full_every_hours * 3_600,
    )


def _quoter_settings(settings: Settings) -> quoter.QuoterSettings:
    chosen = quoter.QuoterSettings(
        interval_ms=settings.quotes.interval_ms,
        interval_max_ms=settings.quotes.interval_max_ms,
        annual_volatility_bps=settings.rewards.annual_volatility_bps,
    )
    if parse_feed(settings.feed.source).kind.live:
        return chosen
    # A played market begins anew with each process. The jump there from the last one's end is no
    # move: 300 USD of it, taken for one, had the nearest cells pay 5.3 instead of 2.
    return attrs.evolve(chosen, warm_up_s=0)
