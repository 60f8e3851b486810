"""What operators and load balancers are told of the venue: status, health, version."""

from typing import Annotated, Literal, NotRequired, TypeAlias, TypedDict

from msgspec import Meta

from domain.attention import Urgency
from domain.disk import DiskLevel
from protocols.answer_fields import AmountMicros, AtMs, Bytes, Count, PriceCents
from protocols.client_market import FeedJson, SourceJson
from protocols.market import Override

Word: TypeAlias = Literal["healthy", "unhealthy"]
FeedWord: TypeAlias = Literal["healthy", "degraded", "unhealthy"]

# --- the actor tree -----------------------------------------------------------------------------


StateText: TypeAlias = Annotated[
    str,
    Meta(
        extra_json_schema={
            "enum": [
                *("starting", "running", "restarting", "stopping", "stopped", "stuck", "ignored")
            ]
        }
    ),
]


class ChannelJson(TypedDict):
    """One channel between actors. Times are 0 until something was measured."""

    name: str
    kind: Literal["mailbox", "topic", "subscription", "watch"]
    depth: Annotated[int, Meta(description="Messages that wait now.")]
    peak: Annotated[int, Meta(description="The most that ever waited.")]
    capacity: int
    accepted: Annotated[int, Meta(description="Messages let in.")]
    refused: Annotated[int, Meta(description="Messages not let in: it was full or closed.")]
    handled: Annotated[int, Meta(description="Messages whose reader has finished them.")]
    dropped: Annotated[int, Meta(description="Messages let in and lost to newer ones.")]
    waiting_p50_ms: Annotated[float, Meta(description="From being let in to being received.")]
    waiting_p99_ms: float
    handling_p50_ms: Annotated[float, Meta(description="From being received to being finished.")]
    handling_p99_ms: float


class FailureJson(TypedDict):
    """The last failure of an actor."""

    type: Annotated[str, Meta(description="Of the exception; or what it was without one.")]
    message: str
    ago_s: Annotated[float | None, Meta(description="How long ago.")]


class ActorJson(TypedDict):
    """One row of the actor tree: an actor, or a supervisor, which stands before its children."""

    path: Annotated[str, Meta(examples=["venue/gateway"])]
    kind: Literal["actor", "supervisor"]
    state: StateText
    restarts: Annotated[int, Meta(description="Since the venue started.")]
    restarts_in_window: int
    uptime_s: Annotated[float | None, Meta(description="Since it was ready; null while it is not.")]
    retry_in_s: Annotated[float | None, Meta(description="Until the next attempt to start it.")]
    last_failure: FailureJson | None
    mailbox: Annotated[
        ChannelJson | None, Meta(description="An actor's first channel; null of a supervisor.")
    ]
    waiting_on: NotRequired[
        Annotated[str, Meta(description="Where an actor's tasks stand; empty without a life.")]
    ]
    channels: NotRequired[
        Annotated[list[ChannelJson], Meta(description="All that an actor reads.")]
    ]
    strategy: NotRequired[
        Annotated[str, Meta(description="Of a supervisor: who restarts with whom.")]
    ]
    restarts_max: NotRequired[
        Annotated[int, Meta(description="Of a supervisor: more within the period end it.")]
    ]
    period_s: NotRequired[Annotated[float, Meta(description="Of a supervisor.")]]


# --- the status ---------------------------------------------------------------------------------


class OpsFeedJson(FeedJson):
    """Feed and breaker, with the clocks' difference."""

    skew_ms: Annotated[
        int, Meta(description="Median of receive less exchange time over the last ticks, ms.")
    ]


class BreakerJson(TypedDict):
    """The circuit breaker."""

    open: Annotated[bool, Meta(description="Is betting refused because of the feed?")]
    override: Override
    by: Annotated[str, Meta(description="Who has overridden it.")]
    why: str


class HoldJson(TypedDict):
    """The operators' hold on betting."""

    held: bool
    by: str
    why: str


class NewestQuoteJson(TypedDict):
    """The newest quote."""

    n: int
    age_ms: Annotated[int, Meta(description="How long ago it was published, ms.")]
    price_cents: PriceCents


class HouseJson(TypedDict):
    """What the house has, and what it may have to pay."""

    balance_micros: Annotated[int, Meta(description="The bankroll, micros of a USD.")]
    open_payout_micros: Annotated[
        int, Meta(description="What it pays if every open bet wins, micros of a USD.")
    ]
    open_bets: Count


class WriterJson(TypedDict):
    """The writer of the ledger."""

    batches: Count
    commands: Count
    last_batch: Annotated[int, Meta(description="Commands of the last batch.")]
    last_commit_ms: Annotated[float, Meta(description="How long the last transaction took, ms.")]
    expired: Annotated[int, Meta(description="Commands dropped unwritten: nobody waited.")]
    high_ms: Annotated[
        int, Meta(description="The latest time that the ledger has seen: ms since 1970, UTC.")
    ]
    synchronous: Annotated[int, Meta(description="SQLite's setting of that name; 2 is FULL.")]
    partition: Annotated[str, Meta(description="The file of the running week.")]
    rotations: Count
    last_rotation_ms: Annotated[
        float, Meta(description="How long the last one held up the commands behind it, ms.")
    ]
    rotation_failure: Annotated[
        str, Meta(description="Why a week that is over still has the current file; else empty.")
    ]


class ResolverJson(TypedDict):
    """What was settled since the venue started, and what waits."""

    columns_settled: Count
    bets_won: Count
    bets_lost: Count
    bets_void: Count
    open_columns: Count
    oldest_open_end_ms: Annotated[
        int | None, Meta(description="When the oldest of them ended: ms since 1970, UTC.")
    ]


class RestoreStatusJson(TypedDict):
    """Archived weeks that are brought back for reading."""

    now: Annotated[str, Meta(description="The Sunday of the week in hand; empty if none is.")]
    done_bytes: Bytes
    total_bytes: Bytes
    waiting: Annotated[int, Meta(description="Weeks asked for that are not here yet.")]
    restored: Count
    last_restored: str
    failures: Count
    last_failure: str


class ArchiveStatusJson(TypedDict):
    """The archive of closed weeks."""

    age_s: Annotated[int | None, Meta(description="Since a week was last archived, seconds.")]
    waiting: Annotated[int, Meta(description="Closed weeks that are not in the archive yet.")]
    archived: Annotated[int, Meta(description="Weeks in the archive, verified.")]
    purged: Annotated[int, Meta(description="... of these, those whose local file was deleted.")]
    now: Annotated[str, Meta(description="What is being done; empty if nothing.")]
    done_bytes: Bytes
    total_bytes: Bytes
    failures: Count
    last_failure: str
    restores: RestoreStatusJson


class BackupStatusJson(TypedDict):
    """The backups."""

    age_s: Annotated[int | None, Meta(description="Of the newest verified one, seconds.")]
    last: Annotated[str, Meta(description="Its key; empty if there is none.")]
    bytes: Bytes
    took_ms: int
    taken: Count
    failures: Count
    last_failure: str


class AuditStatusJson(TypedDict):
    """Whether the money adds up."""

    age_s: Annotated[int | None, Meta(description="Since the last full check, seconds.")]
    drifts: Annotated[int, Meta(description="What it found; 0 is as it must be.")]
    first_drift: str
    took_ms: int
    failures: Annotated[int, Meta(description="Checks that could not be carried out.")]
    verified_rowid: Annotated[int, Meta(description="Ledger rows up to here add up.")]


class DiskStatusJson(TypedDict):
    """The disk of the data folder."""

    level: DiskLevel
    total_bytes: Annotated[int | None, Meta(description="Null until it was looked at.")]
    free_bytes: int | None
    failures: Count


class DoorJson(TypedDict):
    """Who is at the door."""

    connections: Count
    connections_max: Annotated[int, Meta(description="More are turned away.")]
    sockets: Annotated[int, Meta(description="WebSockets among them.")]


class UpkeepJson(TypedDict):
    """What keeps the venue's data whole."""

    archive: ArchiveStatusJson
    backups: BackupStatusJson
    audit: AuditStatusJson
    disk: DiskStatusJson


class StoreStatusJson(TypedDict):
    """The key-value store."""

    up: Annotated[bool, Meta(description="Does it answer? Without it bets are refused.")]


class FindingJson(TypedDict):
    """A figure that needs somebody's eye."""

    where: Annotated[
        str,
        Meta(
            description="The field of this status; of an actor `actors.` and its path, of one of "
            "its channels then a dot and its name.",
            examples=["feed.level", "actors.venue/batcher.money"],
        ),
    ]
    level: Annotated[
        Urgency,
        Meta(
            description="`act`: traders or their money are concerned, now or soon. `look`: it may "
            "come to that, or somebody has done it on purpose."
        ),
    ]
    text: Annotated[str, Meta(description="For people.")]
    runbook: Annotated[
        str, Meta(description="Which one of docs/operating.md; empty if there is none.")
    ]


class ThresholdsJson(TypedDict):
    """Where figures begin to want somebody's eye, so that they can be drawn with it."""

    exposure_look_percent: Annotated[int, Meta(description="Open payout, of the bankroll.")]
    exposure_act_percent: int
    mailbox_look_percent: Annotated[int, Meta(description="Depth, of the capacity.")]
    mailbox_act_percent: int
    connections_look_percent: int
    connections_act_percent: int
    disk_warning_percent: Annotated[int, Meta(description="In use; the archive hurries.")]
    disk_full_percent: Annotated[int, Meta(description="... and no new bets are taken.")]
    disk_emergency_percent: Annotated[int, Meta(description="... and the oldest weeks go.")]
    disk_ample_free_bytes: Annotated[
        int, Meta(description="While so much is free no percentage counts; 0: they always do.")
    ]
    archive_age_max_s: int
    backup_age_max_s: int
    check_age_max_s: Annotated[int, Meta(description="Since the money was last added up.")]


class OpsStatusJson(UpkeepJson):
    """The venue, as operators see it."""

    venue: Annotated[str, Meta(description="The state of its outermost supervisor.")]
    server_time_ms: AtMs
    version: str
    demo: Annotated[bool, Meta(description="Is the money paper?")]
    operator: Annotated[str, Meta(description="Whose token asked.")]
    draining: bool
    attention: Annotated[
        list[FindingJson],
        Meta(description="What needs somebody's eye, that which wants an act first."),
    ]
    thresholds: ThresholdsJson
    actors: list[ActorJson]
    feed: OpsFeedJson
    breaker: BreakerJson
    hold: HoldJson
    sources: list[SourceJson]
    quote: Annotated[NewestQuoteJson | None, Meta(description="Null while there is none.")]
    house: Annotated[HouseJson | None, Meta(description="Null where the ledger can't be read.")]
    writer: WriterJson
    resolver: ResolverJson
    store: StoreStatusJson
    gateway: DoorJson


# --- what was done ------------------------------------------------------------------------------


class DepositedJson(TypedDict):
    """A deposit that is in the ledger."""

    wallet: Annotated[str, Meta(description="Who was credited; `house`: the bankroll.")]
    amount_micros: AmountMicros
    reference: str
    balance_micros: AmountMicros
    repeated: Annotated[bool, Meta(description="Had an earlier request credited it?")]


class HeldJson(TypedDict):
    """The hold as it is now."""

    held: bool


class RebuiltJson(TypedDict):
    """A balance that was set to the sum of its ledger rows."""

    wallet: str
    balance_before_micros: Annotated[int, Meta(description="Micros of a USD.")]
    balance_micros: Annotated[int, Meta(description="Micros of a USD.")]
    noted_in_row: Annotated[
        int | None, Meta(description="The ledger row that says so; null if it was that already.")
    ]


class ArchiveBegunJson(TypedDict):
    """The archive is at work."""

    waiting: Annotated[int, Meta(description="Closed weeks that are not in the archive yet.")]


class BackupJson(TypedDict):
    """A backup that was taken and verified."""

    key: Annotated[str, Meta(description="Where it is.")]
    taken_at_ms: AtMs
    bytes: Annotated[int, Meta(description="As stored, compressed.")]


class DriftJson(TypedDict):
    """One way in which the money does not add up."""

    what: Annotated[str, Meta(examples=["balance"])]
    where: Annotated[str, Meta(description="The account, transaction or scope concerned.")]
    expected: int
    found: int


class IntegrityJson(TypedDict):
    """What a check of all the money found."""

    clean: bool
    accounts: Count
    ledger_rows: Count
    bets: Count
    drifts: list[DriftJson]


# --- health -------------------------------------------------------------------------------------


class CheckJson(TypedDict):
    """One needed part."""

    status: Word


class FeedCheckJson(TypedDict):
    """The price feed."""

    status: FeedWord
    source: Annotated[str | None, Meta(description="Which exchange.")]
    stale_for_ms: Annotated[int | None, Meta(description="How old the newest tick is.")]


class BreakerCheckJson(TypedDict):
    """The circuit breaker."""

    status: Literal["open", "closed"]
    override: Override


class ActorsCheckJson(TypedDict):
    """The actors."""

    status: Word
    down: Annotated[list[str], Meta(description="Those that do not run and should, by path.")]


class ChecksJson(TypedDict):
    """Each needed part."""

    database: CheckJson
    store: CheckJson
    price_feed: FeedCheckJson
    circuit_breaker: BreakerCheckJson
    actors: ActorsCheckJson


class HealthJson(TypedDict):
    """Is the venue well?"""

    status: Word
    timestamp: Annotated[
        str, Meta(description="RFC 3339.", examples=["2026-02-03T06:26:43.000+00:00"])
    ]
    checks: ChecksJson


class ReadyJson(TypedDict):
    """Traffic may be sent here."""

    ready: Literal[True]


class VersionJson(TypedDict):
    """What is running."""

    version: str
    commit: Annotated[str, Meta(description="Empty where it is not known.")]
    demo: Annotated[bool, Meta(description="Is the money paper?")]
    chain_id: int
