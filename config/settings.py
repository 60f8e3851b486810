"""The settings of a venue: every section and key with what it may be, read once and frozen.

Attribute names are the TOML keys: `settings.grid.column_s`. Defaults stand in `default.toml`.
`load` puts the layers over one another and refuses everything that is wrong at once, so that an
operator mends a file in one go.
"""

import ipaddress
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Final, get_type_hints

import attrs

from config.feeds import parse_feed
from config.layers import (
    Fault,
    Given,
    environment_layer,
    flags_layer,
    settings_layer,
    toml_layer,
)
from config.rules import (
    Address,
    ArchiveUrl,
    Choice,
    Feed,
    Host,
    OptionalUrl,
    Rule,
    Secret,
    Several,
    StoreUrl,
    Switch,
    Table,
    Token,
    Url,
    Whole,
    Word,
)
from domain import limits

DEFAULT_FILE: Final = Path(__file__).with_name("default.toml")
DEMO: Final = "demo"
PRODUCTION: Final = "production"
DEMO_CHAIN_ID: Final = 31337
MICROS_MAX: Final = 10**15  # a billion USD; sums of these stay far below SQLite's 2**63
PAYOUT_MAX: Final = 9 * 10**14  # stake x rate in basis points is 10,000 times it and must fit, too
KNOWN_SKEW_MS_MAX: Final = limits.JUDGE_WITHOUT_TICK_AFTER_MS // 2
"""A feed that lags by the whole wait for a later tick would leave every column without one."""
REQUESTS_PER_MINUTE_MAX: Final = 1_000_000_000
REQUESTS_BURST_MAX: Final = 100_000_000
CELLS_MAX: Final = 20_000  # pricing 480 takes some milliseconds, four times a second


@attrs.frozen(kw_only=True)
class VenueSettings:
    """What kind of venue this is, and how it stops."""

    mode: Annotated[str, Choice((DEMO, PRODUCTION))]
    chain_id: Annotated[int, Whole(1, 2**53)]
    drain_within_s: Annotated[int, Whole(1, 600)]


@attrs.frozen(kw_only=True)
class HttpSettings:
    """Where the Gateway listens, and whom it believes."""

    host: Annotated[str, Host()]
    port: Annotated[int, Whole(0, 65_535)]
    trusted_proxies: Annotated[tuple[str, ...], Several(Address())]
    cors_origins: Annotated[tuple[str, ...], Several(Url(("http", "https"), path=False))]


@attrs.frozen(kw_only=True)
class PublicSettings:
    """The venue as the outside knows it."""

    origin: Annotated[str, Url(("http", "https"), path=False)]


@attrs.frozen(kw_only=True)
class GridSettings:
    """The geometry of the grid."""

    column_s: Annotated[int, Whole(1, 3_600, divides=86_400)]
    row_cents: Annotated[int, Whole(1, 10_000_000)]
    rows: Annotated[int, Whole(1, 1_000)]
    lockout_columns: Annotated[int, Whole(1, 100)]
    horizon_columns: Annotated[int, Whole(1, 1_000)]


@attrs.frozen(kw_only=True)
class BetsSettings:
    """What a bet may be."""

    presets_micros: Annotated[
        tuple[int, ...], Several(Whole(1, MICROS_MAX), count_min=1, rising=True)
    ]
    rule: Annotated[str, Choice(("touch", "path"))]
    answer_within_ms: Annotated[int, Whole(100, limits.SIGNATURE_AGE_MAX_S * 1000)]


@attrs.frozen(kw_only=True)
class HouseSettings:
    """The most that the house can be made to pay."""

    payout_per_bet_micros: Annotated[int, Whole(1, PAYOUT_MAX)]
    payout_per_user_micros: Annotated[int, Whole(1, MICROS_MAX)]
    payout_per_cell_micros: Annotated[int, Whole(1, MICROS_MAX)]
    payout_per_column_micros: Annotated[int, Whole(1, MICROS_MAX)]
    demo_bankroll_micros: Annotated[int, Whole(1, MICROS_MAX)]


@attrs.frozen(kw_only=True)
class FaucetSettings:
    """Paper money for demo traders."""

    enabled: Annotated[bool, Switch()]
    amount_micros: Annotated[int, Whole(1, MICROS_MAX)]
    balance_max_micros: Annotated[int, Whole(1, MICROS_MAX)]


@attrs.frozen(kw_only=True)
class SignInSettings:
    """How traders may sign in beside with their wallet."""

    demo: Annotated[bool, Switch()]


@attrs.frozen(kw_only=True)
class LimitsSettings:
    """How often one wallet or address may ask."""

    bets_per_minute: Annotated[int, Whole(1, 10_000_000)]
    bets_burst: Annotated[int, Whole(1, 1_000_000)]
    requests_per_minute: Annotated[int, Whole(1, REQUESTS_PER_MINUTE_MAX)]
    requests_burst: Annotated[int, Whole(1, REQUESTS_BURST_MAX)]
    sign_ins_per_minute: Annotated[int, Whole(1, 10_000_000)]
    connections_per_address: Annotated[int, Whole(1, 100_000)]
    connections: Annotated[int, Whole(1, 1_000_000)]


@attrs.frozen(kw_only=True)
class BatchSettings:
    """How money commands are gathered into commits."""

    commands_max: Annotated[int, Whole(1, limits.BATCH_COMMANDS_MAX)]
    linger_ms: Annotated[int, Whole(0, limits.BATCH_LINGER_MAX_MS)]


@attrs.frozen(kw_only=True)
class FeedSettings:
    """Where prices come from, and what is made of them."""

    source: Annotated[str, Feed()]
    fallbacks: Annotated[tuple[str, ...], Several(Feed(live=True))]
    settle_delay_ms: Annotated[int, Whole(0, limits.VOID_UNJUDGED_AFTER_MS // 2)]
    jump_max_bps: Annotated[int, Whole(1, 10_000)]
    known_skew_ms: Annotated[int, Whole(-KNOWN_SKEW_MS_MAX, KNOWN_SKEW_MS_MAX)]
    binance_url: Annotated[str, Url(("wss", "ws"))]
    coinbase_url: Annotated[str, Url(("wss", "ws"))]


@attrs.frozen(kw_only=True)
class SimulatorSettings:
    """The market of `feed.source = "simulator"`."""

    seed: Annotated[int, Whole(0, 2**63 - 1)]
    price_cents: Annotated[int, Whole(100, 10**10)]
    annual_volatility_bps: Annotated[int, Whole(1, 100_000)]
    ticks_per_s: Annotated[int, Whole(1, 1_000)]


@attrs.frozen(kw_only=True)
class RewardsSettings:
    """How chances become reward rates."""

    edge_bps: Annotated[int, Whole(0, 5_000)]
    annual_volatility_bps: Annotated[int, Whole(1, 100_000)]


@attrs.frozen(kw_only=True)
class QuotesSettings:
    """How often quotes are published."""

    interval_ms: Annotated[int, Whole(250, 1_000)]
    interval_max_ms: Annotated[int, Whole(250, 1_000)]


@attrs.frozen(kw_only=True)
class StoreSettings:
    """Fast shared state."""

    url: Annotated[str, StoreUrl()] = attrs.field(repr=False)  # it may hold a password
    publish: Annotated[bool, Switch()]
    answer_within_ms: Annotated[int, Whole(10, 10_000)]


@attrs.frozen(kw_only=True)
class ArchiveSettings:
    """Where closed weeks and backups are kept."""

    url: Annotated[str, ArchiveUrl()]
    endpoint_url: Annotated[str, OptionalUrl(("https", "http"))]
    region: Annotated[str, Word()]
    access_key_id: Annotated[str, Word()]
    secret_access_key: Annotated[str, Secret()] = attrs.field(repr=False)
    weeks_on_disk: Annotated[int, Whole(1, 520)]
    compression_level: Annotated[int, Whole(1, 19)]


@attrs.frozen(kw_only=True)
class BackupSettings:
    """How often the current file is copied away, and how long the copies are kept."""

    every_minutes: Annotated[int, Whole(1, 1_440)]
    hourly_for_hours: Annotated[int, Whole(1, 8_760)]
    daily_for_days: Annotated[int, Whole(1, 3_650)]


@attrs.frozen(kw_only=True)
class AuditSettings:
    """How often the money is added up."""

    full_every_hours: Annotated[int, Whole(1, 168)]
    partial_every_minutes: Annotated[int, Whole(1, 1_440)]


@attrs.frozen(kw_only=True)
class DiskSettings:
    """What a disk that fills up leads to. Percentages of it that are in use."""

    warning_percent: Annotated[int, Whole(1, 100)]
    full_percent: Annotated[int, Whole(1, 100)]
    emergency_percent: Annotated[int, Whole(1, 100)]
    ample_free_mib: Annotated[int, Whole(0, 10_000_000)]


@attrs.frozen(kw_only=True)
class OpsSettings:
    """Who may operate the venue."""

    token: Annotated[str, Token()] = attrs.field(repr=False)
    tokens: Annotated[Mapping[str, str], Table(Token())] = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class LogSettings:
    """What is logged, and how."""

    format: Annotated[str, Choice(("auto", "json", "text"))]
    level: Annotated[str, Choice(("debug", "info", "warning", "error"))]


@attrs.frozen(kw_only=True)
class Settings:
    """Everything that an operator can set."""

    venue: VenueSettings
    http: HttpSettings
    public: PublicSettings
    grid: GridSettings
    bets: BetsSettings
    house: HouseSettings
    faucet: FaucetSettings
    sign_in: SignInSettings
    limits: LimitsSettings
    batch: BatchSettings
    feed: FeedSettings
    simulator: SimulatorSettings
    rewards: RewardsSettings
    quotes: QuotesSettings
    store: StoreSettings
    archive: ArchiveSettings
    backup: BackupSettings
    audit: AuditSettings
    disk: DiskSettings
    ops: OpsSettings
    log: LogSettings


def _rules() -> dict[str, Rule]:
    return {
        f"{section}.{key}": hint.__metadata__[0]
        for section, kind in get_type_hints(Settings).items()
        for key, hint in get_type_hints(kind, include_extras=True).items()
    }


RULES: Final[Mapping[str, Rule]] = MappingProxyType(_rules())
"""The rule of every key, by `section.key`, in the order of the file."""


@attrs.frozen(kw_only=True)
class Loaded:
    """The settings in force, and for each `section.key` where its value came from."""

    settings: Settings
    origins: Mapping[str, str]


class SettingsRefused(Exception):
    """Some of what was given is not allowed; `faults` names all of it. Nothing was started."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = tuple(faults)


def load(
    *,
    file: Path | None = None,
    environ: Mapping[str, str] = MappingProxyType({}),
    sets: Sequence[str] = (),
    flags: Mapping[str, object] = MappingProxyType({}),
) -> Loaded:
    """The settings in force: the defaults, under `file`, `environ`, `sets` and `flags`.

    `sets` are `section.key=value` texts; `flags` are final values by `section.key`. Raises
    SettingsRefused with every fault of every layer, also of values that a later layer replaces.
    """
    given: list[Given] = []
    faults: list[Fault] = []
    for layer in (
        toml_layer(DEFAULT_FILE, RULES, origin="default"),
        toml_layer(file, RULES, origin=f"file {file}") if file else [],
        environment_layer(environ, RULES),
        settings_layer(sets, RULES),
        flags_layer(flags, RULES),
    ):
        given += [entry for entry in layer if isinstance(entry, Given)]
        faults += [entry for entry in layer if isinstance(entry, Fault)]
    values, origins = _merge(given)
    _follow(values, origins)
    settings = _build(values)
    faults += _contradictions(settings, origins)
    if faults:
        raise SettingsRefused(faults)
    return Loaded(settings=settings, origins=MappingProxyType(origins))


def _merge(given: Sequence[Given]) -> tuple[dict[str, Any], dict[str, str]]:
    """Value and origin by path, the last one given; an entry of a table joins its table."""
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for entry in given:
        origins[entry.path] = entry.origin
        if entry.path in RULES:
            values[entry.path] = entry.value
        else:
            table, _, name = entry.path.rpartition(".")
            values[table] = {**values[table], name: entry.value}
    return values, origins


def _follow(values: dict[str, Any], origins: dict[str, str]) -> None:
    """Set the keys that follow others as long as nobody has set them."""
    demo = values["venue.mode"] == DEMO
    followers: dict[str, tuple[object, str]] = {
        "faucet.enabled": (demo, "venue.mode"),
        "sign_in.demo": (demo, "venue.mode"),
    }
    if demo:
        origin = _local_origin(values["http.host"], values["http.port"])
        followers["public.origin"] = (origin, "http.host, http.port")
    # As many wallets as may be connected from one address may each tap as fast as they may.
    for requests, bets, most in (
        ("limits.requests_per_minute", "limits.bets_per_minute", REQUESTS_PER_MINUTE_MAX),
        ("limits.requests_burst", "limits.bets_burst", REQUESTS_BURST_MAX),
    ):
        all_wallets = min(most, values["limits.connections_per_address"] * values[bets])
        followers[requests] = (all_wallets, f"limits.connections_per_address, {bets}")
    for path, (value, leader) in followers.items():
        if origins[path] == "default" and value != values[path]:
            values[path], origins[path] = value, f"follows {leader}"


def _local_origin(host: str, port: int) -> str:
    """What a browser on this machine calls an address that the venue listens on."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return f"http://{host}:{port}"
    if address.is_unspecified:
        return f"http://127.0.0.1:{port}"
    return f"http://[{host}]:{port}" if address.version == 6 else f"http://{host}:{port}"


def _build(values: Mapping[str, Any]) -> Settings:
    sections = {
        section: kind(**{key: values[f"{section}.{key}"] for key in get_type_hints(kind)})
        for section, kind in get_type_hints(Settings).items()
    }
    return Settings(**sections)


def _contradictions(settings: Settings, origins: Mapping[str, str]) -> list[Fault]:
    """Values that are allowed each for itself, but not together."""
    grid, quotes, feed, disk = settings.grid, settings.quotes, settings.feed, settings.disk
    demo = settings.venue.mode == DEMO
    live = parse_feed(feed.source).kind.live
    wrong = {
        "venue.chain_id": demo and settings.venue.chain_id != DEMO_CHAIN_ID,
        "grid.rows": grid.rows * grid.horizon_columns > CELLS_MAX,
        "quotes.interval_max_ms": quotes.interval_max_ms < quotes.interval_ms,
        "disk.full_percent": not disk.warning_percent < disk.full_percent < disk.emergency_percent,
        "feed.fallbacks": bool(feed.fallbacks) and (not live or feed.source in feed.fallbacks),
    }
    return [
        Fault(path=path, why=_TOGETHER[path], origin=origins[path])
        for path, is_wrong in wrong.items()
        if is_wrong
    ]


_TOGETHER: Final = {
    "venue.chain_id": f"must be {DEMO_CHAIN_ID} in demo mode, so that a demo signature is worth "
    "nothing elsewhere",
    "grid.rows": f"rows x horizon_columns must be at most {CELLS_MAX:,}",
    "disk.full_percent": "must lie between disk.warning_percent and disk.emergency_percent",
    "quotes.interval_max_ms": "must be at least quotes.interval_ms",
    "feed.fallbacks": "must follow a live feed.source and not name it again",
}
