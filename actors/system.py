"""THE ONE PAGE: every channel and every child of the venue.

Read it from top to bottom: first the channels, each with its bound and what happens when it is
full, then the tree. Nothing is decided here, and nothing is opened: ports come in from the
composition root (`actors/commands/serve.py`, or a test), which opens them before the tree starts
and closes them after it has stopped.
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeAlias

import attrs

from actors import (
    archiver,
    auditor,
    backup_keeper,
    batcher,
    disk_monitor,
    gateway,
    health_monitor,
    price_feed,
    price_recorder,
    publisher,
    quoter,
    resolver,
    session_manager,
)
from actors.gateway.doors import Door
from actors.gateway.ports import GatewayPorts, GatewaySettings
from domain.backups import Retention
from domain.batching import BatchRule
from domain.disk import DiskThresholds
from domain.limits import MONEY_COMMANDS_WAITING_MAX
from domain.placement import Rules
from domain.quotes import QuoteBook
from domain.rates import RewardSettings
from domain.refusals import Refusal
from domain.sign_in import SignInSettings
from domain.ticks import Tick
from domain.units import BetId
from domain.wallet import Keccak
from protocols.accounts import IntegrityReport
from protocols.archive import (
    Archive,
    ArchiveBegun,
    ArchiveNow,
    RestoreBegun,
    RestoreWeek,
    WeekRestores,
)
from protocols.audit_log import AuditLog
from protocols.auditing import CheckIntegrity, LedgerChecks
from protocols.backup import Backups, BackupTaken, TakeBackup
from protocols.market import (
    FEED_UNKNOWN,
    FeedStatus,
    Hold,
    RecordEntry,
    SetOverride,
    SourceState,
    Watermark,
)
from protocols.money import (
    MoneyCommand,
    MoneyOutcome,
    ResolverStatus,
    StreamEntry,
    WriterStatus,
)
from protocols.ports import (
    Chance,
    Clock,
    DiskProbe,
    KeyValueStore,
    Ledger,
    LedgerReader,
    PriceReader,
    PriceRecord,
    TickSource,
    Worker,
)
from protocols.sign_in import SessionEnded, SignInCommand, SignInOutcome
from protocols.upkeep import ArchiveStatus, AuditStatus, BackupStatus, DiskStatus
from supervisor import (
    Ask,
    Backoff,
    Child,
    Life,
    Mailbox,
    Managed,
    Strategy,
    Subscription,
    SupervisorSpec,
    SupervisorStatus,
    Topic,
    Watch,
    WhenFull,
)

MoneyAsk: TypeAlias = Ask[MoneyCommand, MoneyOutcome]
Run: TypeAlias = Callable[[Life], Awaitable[None]]


@attrs.define(kw_only=True)
class Channels:
    """Every channel of the venue. They outlive the actors: a restart finds them as they were."""

    # Prices: the recorder must see every tick, so the feed waits for it. Ten thousand ticks are
    # five minutes of a lively market.
    record: Mailbox[RecordEntry] = attrs.field(
        factory=lambda: Mailbox("record", 10_000, WhenFull.WAIT)
    )
    ticks: Topic[Tick] = attrs.field(factory=lambda: Topic("ticks"))
    watermark: Watch[Watermark] = attrs.field(factory=lambda: Watch("watermark", Watermark()))
    sources: Watch[tuple[SourceState, ...]] = attrs.field(factory=lambda: Watch("sources", ()))
    feed: Watch[FeedStatus] = attrs.field(factory=lambda: Watch("feed", FEED_UNKNOWN))
    book: Watch[QuoteBook] = attrs.field(factory=lambda: Watch("book", QuoteBook()))
    circuit: Mailbox[Ask[SetOverride, FeedStatus | Refusal]] = attrs.field(
        factory=lambda: Mailbox("circuit", 16, WhenFull.REFUSE)
    )

    # Money: a full mailbox refuses at once, and the trader reads `overloaded`.
    money: Mailbox[MoneyAsk] = attrs.field(
        factory=lambda: Mailbox("money", MONEY_COMMANDS_WAITING_MAX, WhenFull.REFUSE)
    )
    hold: Watch[Hold] = attrs.field(factory=lambda: Watch("hold", Hold()))
    writer: Watch[WriterStatus] = attrs.field(factory=lambda: Watch("writer", WriterStatus()))
    resolver: Watch[ResolverStatus] = attrs.field(
        factory=lambda: Watch("resolver", ResolverStatus())
    )

    # Traders: events go to the Gateway, which fans them out to sockets; a reader that falls behind
    # is cut off and takes a snapshot, so that it never holds up the Batcher.
    user_events: Topic[StreamEntry] = attrs.field(factory=lambda: Topic("user_events"))
    sign_in: Mailbox[Ask[SignInCommand, SignInOutcome]] = attrs.field(
        factory=lambda: Mailbox("sign_in", 1_000, WhenFull.REFUSE)
    )
    session_ends: Topic[SessionEnded] = attrs.field(factory=lambda: Topic("session_ends"))
    # Upkeep: what the actors that keep the data whole say of it.
    disk: Watch[DiskStatus] = attrs.field(factory=lambda: Watch("disk", DiskStatus()))
    archive: Watch[ArchiveStatus] = attrs.field(factory=lambda: Watch("archive", ArchiveStatus()))
    backups: Watch[BackupStatus] = attrs.field(factory=lambda: Watch("backups", BackupStatus()))
    audit: Watch[AuditStatus] = attrs.field(factory=lambda: Watch("audit", AuditStatus()))

    archive_requests: Mailbox[Ask[ArchiveNow, ArchiveBegun]] = attrs.field(
        factory=lambda: Mailbox("archive_requests", 4, WhenFull.REFUSE)
    )
    restore_requests: Mailbox[Ask[RestoreWeek, RestoreBegun | Refusal]] = attrs.field(
        factory=lambda: Mailbox("restore_requests", 4, WhenFull.REFUSE)
    )
    backup_requests: Mailbox[Ask[TakeBackup, BackupTaken | Refusal]] = attrs.field(
        factory=lambda: Mailbox("backup_requests", 4, WhenFull.REFUSE)
    )
    check_requests: Mailbox[Ask[CheckIntegrity, IntegrityReport | Refusal]] = attrs.field(
        factory=lambda: Mailbox("check_requests", 4, WhenFull.REFUSE)
    )

    draining: Watch[bool] = attrs.field(factory=lambda: Watch("draining", False))


@attrs.frozen(kw_only=True)
class Ports:
    """What the venue needs of the outside; opened before the tree starts, closed after it."""

    clock: Clock
    chance: Chance
    sources: Sequence[TickSource]
    ledger: Ledger
    ledger_reader: LedgerReader
    client_ledger: LedgerReader
    """The Gateway has readers of its own, so that no client's query holds up a settlement."""
    price_record: PriceRecord
    price_reader: PriceReader
    client_prices: PriceReader
    store: KeyValueStore
    recover_wallet: Callable[[str, bytes], str | None]
    verify_key: Callable[[bytes, str, bytes], bool]
    keccak: Keccak
    new_bet_id: Callable[[], BetId]
    doors: tuple[Door, ...]
    """Where the Gateway lets clients in."""
    ledger_writes: Worker
    """One thread for the one write connection; each of the others has its own connection too."""
    ledger_reads: Worker
    client_ledger_reads: Worker
    price_writes: Worker
    price_reads: Worker
    client_price_reads: Worker
    disk: DiskProbe
    disk_looks: Worker
    checks: LedgerChecks
    check_reads: Worker
    backups: Backups
    backup_work: Worker
    archive: Archive
    archive_work: Worker
    restores: WeekRestores
    restore_work: Worker
    restore_looks: Worker
    """Steps of upkeep take from seconds to hours; none holds up another, or the venue."""
    audit_log: AuditLog
    audit_log_work: Worker


@attrs.frozen(kw_only=True)
class UpkeepSettings:
    """How the venue's data is kept whole."""

    disk: DiskThresholds
    check_all_every_s: int
    check_new_every_s: int
    backup_every_ms: int
    backups_kept: Retention
    weeks_on_disk: int


@attrs.frozen(kw_only=True)
class VenueSettings:
    """The settings of every actor, in the words of `domain`."""

    rules: Rules
    batch: BatchRule
    feed: price_feed.FeedSettings
    recorder: price_recorder.RecorderSettings
    rewards: RewardSettings
    quotes: quoter.QuoterSettings
    sign_in: SignInSettings
    gateway: GatewaySettings
    publisher: publisher.PublisherSettings
    upkeep: UpkeepSettings
    settle_delay_ms: int
    """How far the watermark must be past a window's end; sources with more lag set more."""
    known_skew_ms: int
    """Receive - exchange time that is known and no fault."""


def tree(
    channels: Channels,
    ports: Ports,
    settings: VenueSettings,
    status: Callable[[], SupervisorStatus],
    restart: Callable[[str], Awaitable[Managed]],
) -> SupervisorSpec:
    """The venue: start order is reading order; stopping runs backwards, so the door shuts first.

    `status` is the snapshot of the tree that the Gateway shows to operators, and `restart` what it
    restarts an actor or supervisor with, by its path, on an operator's word. Stopping has a limit
    for each child: the Gateway's is two fifths of the drain's, the others' fit into the rest of its
    default.
    """
    return SupervisorSpec(
        id="venue",
        # Mailboxes outlive their actors, so a restart of one costs the others nothing.
        strategy=Strategy.ONE_FOR_ONE,
        children=(
            # First, and so the last to stop: it publishes what the others did until then.
            Child(
                id="publisher",
                run=_publisher(channels, ports, settings),
                heartbeat_s=30,
                stop_within_s=0.2,
            ),
            Child(
                id="session_manager",
                run=_session_manager(channels, ports, settings),
                stop_within_s=0.5,
            ),
            _market(channels, ports, settings),
            # Drains: commits and answers all that is in the mailbox.
            Child(
                id="batcher",
                run=_batcher(channels, ports, settings),
                heartbeat_s=30,
                stop_within_s=3,
            ),
            # Drains: waits until the column in hand is settled.
            Child(
                id="resolver",
                run=_resolver(channels, ports, settings),
                heartbeat_s=30,
                stop_within_s=2,
            ),
            _upkeep(channels, ports, settings),
            Child(
                id="gateway",
                run=_gateway(channels, ports, settings, status, restart),
                stop_within_s=settings.gateway.drain_within_s,
            ),
        ),
        restarts_max=5,
        period_s=30,
    )


def _market(channels: Channels, ports: Ports, settings: VenueSettings) -> SupervisorSpec:
    """Prices, in the order in which each depends on the one before."""
    # Both want every tick while they keep up, and after a stall only the newest thousand.
    for_health = channels.ticks.subscribe("ticks_health", 1_000, WhenFull.KEEP_LATEST)
    for_quotes = channels.ticks.subscribe("ticks_quoter", 1_000, WhenFull.KEEP_LATEST)
    return SupervisorSpec(
        id="market",
        strategy=Strategy.REST_FOR_ONE,
        children=(
            Child(
                id="price_feed",
                run=_price_feed(channels, ports, settings),
                heartbeat_s=30,
                stop_within_s=1,
            ),
            # Drains: commits the ticks that it has been sent.
            Child(
                id="price_recorder",
                run=_price_recorder(channels, ports, settings),
                heartbeat_s=30,
                stop_within_s=1.5,
            ),
            Child(
                id="health_monitor",
                run=_health_monitor(channels, ports, settings, for_health),
                heartbeat_s=30,
                stop_within_s=0.4,
            ),
            Child(
                id="quoter",
                run=_quoter(channels, ports, settings, for_quotes),
                heartbeat_s=30,
                stop_within_s=0.4,
            ),
        ),
        restarts_max=5,
        period_s=30,
    )


def _upkeep(channels: Channels, ports: Ports, settings: VenueSettings) -> SupervisorSpec:
    """What keeps the data whole. None of it is on the way of a bet, so none may end the venue.

    The back-off spreads eleven failures over some minutes: the group can give up, and be begun
    anew, again and again without ever using up the restarts of the venue.
    """
    return SupervisorSpec(
        id="upkeep",
        strategy=Strategy.ONE_FOR_ONE,
        children=(
            # Looks at the disk before it is ready, and so before the door opens.
            Child(
                id="disk_monitor",
                run=_disk_monitor(channels, ports, settings),
                heartbeat_s=60,
                stop_within_s=0.4,
            ),
            Child(id="auditor", run=_auditor(channels, ports, settings), stop_within_s=0.8),
            Child(
                id="backup_keeper", run=_backup_keeper(channels, ports, settings), stop_within_s=0.8
            ),
            # Begins the weeks, and brings closed ones into the archive.
            Child(id="archiver", run=_archiver(channels, ports, settings), stop_within_s=1),
        ),
        restarts_max=10,
        period_s=900,
        backoff=Backoff(first_s=1, max_s=30),
    )


def _disk_monitor(channels: Channels, ports: Ports, settings: VenueSettings) -> Run:
    return partial(
        disk_monitor.run,
        probe=ports.disk,
        worker=ports.disk_looks,
        status=channels.disk,
        clock=ports.clock,
        thresholds=settings.upkeep.disk,
    )


def _auditor(channels: Channels, ports: Ports, settings: VenueSettings) -> Run:
    needs = auditor.AuditorPorts(
        checks=ports.checks,
        worker=ports.check_reads,
        commands=channels.check_requests,
        money=channels.money,
        status=channels.audit,
        clock=ports.clock,
        full_every_s=settings.upkeep.check_all_every_s,
        partial_every_s=settings.upkeep.check_new_every_s,
    )
    return partial(auditor.run, ports=needs)


def _backup_keeper(channels: Channels, ports: Ports, settings: VenueSettings) -> Run:
    needs = backup_keeper.KeeperPorts(
        backups=ports.backups,
        worker=ports.backup_work,
        commands=channels.backup_requests,
        status=channels.backups,
        clock=ports.clock,
        every_ms=settings.upkeep.backup_every_ms,
        keep=settings.upkeep.backups_kept,
    )
    return partial(backup_keeper.run, ports=needs)


def _archiver(channels: Channels, ports: Ports, settings: VenueSettings) -> Run:
    needs = archiver.ArchiverPorts(
        money=channels.money,
        requests=channels.archive_requests,
        disk=channels.disk,
        status=channels.archive,
        archive=ports.archive,
        worker=ports.archive_work,
        clock=ports.clock,
        weeks_on_disk=settings.upkeep.weeks_on_disk,
        restores=archiver.RestorePorts(
            requests=channels.restore_requests,
            weeks=ports.restores,
            worker=ports.restore_work,
            looks=ports.restore_looks,
        ),
    )
    return partial(archiver.run, ports=needs)


def _publisher(channels: Channels, ports: Ports, settings: VenueSettings) -> Run:
    needs = publisher.PublisherPorts(
        ticks=channels.ticks,
        events=channels.user_events,
        store=ports.store,
        ledger=ports.ledger_reader,
        worker=ports.ledger_reads,
        settings=settings.publisher,
    )
    return partial(publisher.run, ports=needs)


def _session_manager(channels: Channels, ports: Ports, settings: VenueSettings) -> Run:
    needs = session_manager.SessionManagerPorts(
        commands=channels.sign_in,
        ends=channels.session_ends,
        money=channels.money,
        store=ports.store,
        recover_wallet=ports.recover_wallet,
        keccak=ports.keccak,
        clock=ports.clock,
        chance=ports.chance,
        settings=settings.sign_in,
    )
    return partial(session_manager.run, ports=needs)


def _price_feed(channels: Channels, ports: Ports, settings: VenueSettings) -> Run:
    return partial(
        price_feed.run,
        sources=ports.sources,
        recorder=channels.record,
        ticks=channels.ticks,
        source_states=channels.sources,
        clock=ports.clock,
        chance=ports.chance,
        settings=settings.feed,
    )


def _price_recorder(channels: Channels, ports: Ports, settings: VenueSettings) -> Run:
    return partial(
        price_recorder.run,
        entries=channels.record,
        watermark=channels.watermark,
        record=ports.price_record,
        worker=ports.price_writes,
        clock=ports.clock,
        settings=settings.recorder,
    )


def _health_monitor(
    channels: Channels, ports: Ports, settings: VenueSettings, ticks: Subscription[Tick]
) -> Run:
    return partial(
        health_monitor.run,
        ticks=ticks,
        commands=channels.circuit,
        status=channels.feed,
        recorder=channels.record,
        money=channels.money,
        record_tail=partial(ports.price_writes.run, ports.price_record.tail),
        operator_state=partial(ports.ledger_reads.run, ports.ledger_reader.operator_state),
        clock=ports.clock,
        known_skew_ms=settings.known_skew_ms,
    )


def _quoter(
    channels: Channels, ports: Ports, settings: VenueSettings, ticks: Subscription[Tick]
) -> Run:
    return partial(
        quoter.run,
        ticks=ticks,
        status=channels.feed,
        book=channels.book,
        money=channels.money,
        prices=ports.price_reader,
        prices_worker=ports.price_reads,
        grid=settings.rules.grid,
        caps=settings.rules.caps,
        rewards=settings.rewards,
        clock=ports.clock,
        settings=settings.quotes,
    )


def _batcher(channels: Channels, ports: Ports, settings: VenueSettings) -> Run:
    needs = batcher.BatcherPorts(
        commands=channels.money,
        events=channels.user_events,
        feed=channels.feed,
        hold=channels.hold,
        disk=channels.disk,
        book=channels.book,
        writer=channels.writer,
        ledger=ports.ledger,
        worker=ports.ledger_writes,
        clock=ports.clock,
        rules=settings.rules,
        batch=settings.batch,
    )
    return partial(batcher.run, ports=needs)


def _resolver(channels: Channels, ports: Ports, settings: VenueSettings) -> Run:
    needs = resolver.ResolverPorts(
        watermark=channels.watermark,
        feed=channels.feed,
        money=channels.money,
        status=channels.resolver,
        ledger=ports.ledger_reader,
        ledger_worker=ports.ledger_reads,
        prices=ports.price_reader,
        prices_worker=ports.price_reads,
        clock=ports.clock,
        settle_delay_ms=settings.settle_delay_ms,
    )
    return partial(resolver.run, ports=needs)


def _gateway(
    channels: Channels,
    ports: Ports,
    settings: VenueSettings,
    status: Callable[[], SupervisorStatus],
    restart: Callable[[str], Awaitable[Managed]],
) -> Run:
    needs = GatewayPorts(
        settings=settings.gateway,
        rules=settings.rules,
        doors=ports.doors,
        money=channels.money,
        sign_in=channels.sign_in,
        circuit=channels.circuit,
        feed=channels.feed,
        hold=channels.hold,
        disk=channels.disk,
        archive=channels.archive,
        archive_requests=channels.archive_requests,
        restore_requests=channels.restore_requests,
        backups=channels.backups,
        backup_requests=channels.backup_requests,
        audit=channels.audit,
        check_requests=channels.check_requests,
        book=channels.book,
        ticks=channels.ticks,
        sources=channels.sources,
        user_events=channels.user_events,
        session_ends=channels.session_ends,
        draining=channels.draining,
        writer=channels.writer,
        resolver=channels.resolver,
        ledger=ports.client_ledger,
        ledger_worker=ports.client_ledger_reads,
        prices=ports.client_prices,
        prices_worker=ports.client_price_reads,
        audit_log=ports.audit_log,
        audit_log_worker=ports.audit_log_work,
        store=ports.store,
        clock=ports.clock,
        chance=ports.chance,
        new_bet_id=ports.new_bet_id,
        verify_wallet=ports.recover_wallet,
        verify_key=ports.verify_key,
        keccak=ports.keccak,
        supervisor_status=status,
        restart_actor=restart,
    )
    return partial(gateway.run, ports=needs)
