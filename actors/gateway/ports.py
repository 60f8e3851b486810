"""What the Gateway needs of the venue: settings, channels, and the ports it reads through."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import attrs

from actors.gateway.doors import Door
from domain.attention import Thresholds
from domain.placement import Rules
from domain.quotes import QuoteBook
from domain.refusals import Refusal
from domain.ticks import Tick
from domain.units import BetId, Micros
from domain.wallet import Keccak
from protocols.accounts import IntegrityReport
from protocols.archive import ArchiveBegun, ArchiveNow, RestoreBegun, RestoreWeek
from protocols.audit_log import AuditLog
from protocols.auditing import CheckIntegrity
from protocols.backup import BackupTaken, TakeBackup
from protocols.market import FeedStatus, Hold, SetOverride, SourceState
from protocols.money import (
    MoneyCommand,
    MoneyOutcome,
    ResolverStatus,
    StreamEntry,
    WriterStatus,
)
from protocols.ports import Chance, Clock, KeyValueStore, LedgerReader, PriceReader, Worker
from protocols.sign_in import SessionEnded, SignInCommand, SignInOutcome
from protocols.upkeep import ArchiveStatus, AuditStatus, BackupStatus, DiskStatus
from supervisor import Ask, Mailbox, Managed, SupervisorStatus, Topic, Watch


@attrs.frozen(kw_only=True)
class GatewaySettings:
    """The settings that concern the door."""

    host: str
    port: int
    chain_id: int
    demo: bool
    origin: str
    """The public origin, e.g. `https://tap.example`; with https, HSTS is sent."""
    bets_per_minute: int = 120
    bets_burst: int = 20
    requests_per_minute: int = 12_000
    requests_burst: int = 2_000
    sign_ins_per_minute: int = 5
    connections_per_address: int = 100
    connections: int = 10_000
    """In all, of every kind."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses whose X-Forwarded-For counts."""
    cors_origins: tuple[str, ...] = ()
    ops_tokens: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    """Operators' bearer tokens by the operator's name."""
    answer_within_ms: int = 5_000
    """How long a bet may wait for its answer."""
    faucet_micros: Micros = 1_000_000_000
    faucet_balance_max_micros: Micros = 10_000_000_000
    drain_within_s: float = 10.0
    """How long the Gateway may take from being asked to stop to its last closed socket."""
    web_root: Path | None = None
    """The folder of the web client."""
    thresholds: Thresholds = attrs.field(factory=Thresholds)
    """Where figures begin to want an operator's eye."""
    version: str = "0"
    commit: str = ""


@attrs.frozen(kw_only=True)
class GatewayPorts:
    """Everything the Gateway needs; the wiring fills it."""

    settings: GatewaySettings
    rules: Rules
    doors: tuple[Door, ...]
    """Bound and listening, opened by the composition root: a new life of the Gateway serves on the
    same port, and clients that connect meanwhile wait in the backlog."""

    money: Mailbox[Ask[MoneyCommand, MoneyOutcome]]
    sign_in: Mailbox[Ask[SignInCommand, SignInOutcome]]
    circuit: Mailbox[Ask[SetOverride, FeedStatus | Refusal]]
    feed: Watch[FeedStatus]
    hold: Watch[Hold]
    disk: Watch[DiskStatus]
    archive: Watch[ArchiveStatus]
    archive_requests: Mailbox[Ask[ArchiveNow, ArchiveBegun]]
    restore_requests: Mailbox[Ask[RestoreWeek, RestoreBegun | Refusal]]
    backups: Watch[BackupStatus]
    backup_requests: Mailbox[Ask[TakeBackup, BackupTaken | Refusal]]
    audit: Watch[AuditStatus]
    check_requests: Mailbox[Ask[CheckIntegrity, IntegrityReport | Refusal]]
    book: Watch[QuoteBook]
    ticks: Topic[Tick]
    sources: Watch[tuple[SourceState, ...]]
    user_events: Topic[StreamEntry]
    session_ends: Topic[SessionEnded]
    draining: Watch[bool]
    writer: Watch[WriterStatus]
    resolver: Watch[ResolverStatus]

    ledger: LedgerReader
    ledger_worker: Worker
    prices: PriceReader
    prices_worker: Worker
    audit_log: AuditLog
    audit_log_worker: Worker
    """Of its own: no client's query holds an operator up."""
    store: KeyValueStore
    clock: Clock
    chance: Chance
    new_bet_id: Callable[[], BetId]
    """A new ULID."""
    verify_wallet: Callable[[str, bytes], str | None]
    """The lower-case wallet whose `personal_sign` of the text this is; None if it is none."""
    verify_key: Callable[[bytes, str, bytes], bool]
    """Has the session key of this public point signed the text so?"""
    keccak: Keccak
    supervisor_status: Callable[[], SupervisorStatus]
    restart_actor: Callable[[str], Awaitable[Managed]]
    """Stop and start the actor or supervisor of that path; what became of it."""
