"""What the venue exports to Prometheus: counts of the door, and the state of everything behind it.

Labels are bounded: routes are templates, codes come from the table, actors and channels from the
tree. States are read when they are scraped, so that nothing needs to keep them current.
"""

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from actors.gateway.ports import GatewayPorts
from actors.gateway.tree import actors_of
from protocols.accounts import HousePosition
from protocols.client_market import feed_age_ms
from supervisor import ChannelStatistics

Row: TypeAlias = tuple[str, float]

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """The counters of one life of the Gateway, in a registry of their own."""

    def __init__(self, ports: GatewayPorts) -> None:
        self._registry = CollectorRegistry()
        self._venue = VenueCollector(ports)
        self._registry.register(self._venue)
        self.requests = Counter(
            "http_requests_total",
            "HTTP requests answered.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self.durations = Histogram(
            "http_request_duration_seconds",
            "From a request's head to the end of its answer.",
            ("route",),
            buckets=SECONDS,
            registry=self._registry,
        )
        self.bets_placed = Counter(
            "bets_placed_total",
            "Bets asked for, by what became of them: confirmed, or the code of the refusal.",
            ("outcome",),
            registry=self._registry,
        )
        self.sockets = Gauge(
            "websocket_clients", "WebSocket clients connected.", registry=self._registry
        )
        self.sockets_dropped = Counter(
            "websocket_dropped_total",
            "WebSocket clients cut off by the venue, by reason.",
            ("reason",),
            registry=self._registry,
        )

    def exposition(self, house: HousePosition | None, *, store_up: bool) -> bytes:
        """The text that Prometheus scrapes. The house has just been read from the ledger
        (None: it could not be), and the store was just asked."""
        self._venue.house = house
        self._venue.store_up = store_up
        return generate_latest(self._registry)


class VenueCollector(Collector):
    """Reads the state of the venue at the moment of a scrape."""

    def __init__(self, ports: GatewayPorts) -> None:
        self._ports = ports
        self.house: HousePosition | None = None
        self.store_up = False

    def collect(self) -> Iterator[Metric]:
        yield from self._market()
        yield from self._money()
        up = float(self.store_up)
        yield _gauge("store_up", "1 if the key-value store takes what it is given.", up)
        yield from self._upkeep()
        yield from self._actors()
        yield from self._channels()

    def _market(self) -> Iterator[Metric]:
        feed = self._ports.feed.value
        age_ms = feed_age_ms(feed, self._ports.clock.now_ms())
        if age_ms is not None:
            yield _gauge("price_feed_staleness_seconds", "Age of the newest tick.", age_ms / 1000)
        open_now = float(feed.breaker_open())
        yield _gauge("circuit_breaker_state", "1 while betting is refused, else 0.", open_now)
        held = float(self._ports.hold.value.held)
        yield _gauge("betting_held", "1 while an operator holds betting.", held)

    def _money(self) -> Iterator[Metric]:
        resolver, writer = self._ports.resolver.value, self._ports.writer.value
        resolved = CounterMetricFamily(
            "bets_resolved", "Bets that reached their end.", labels=("outcome",)
        )
        resolved.add_metric(("won",), resolver.bets_won)
        resolved.add_metric(("lost",), resolver.bets_lost)
        resolved.add_metric(("void",), resolver.bets_void)
        yield resolved
        yield _counter("writer_batches", "Transactions of the Batcher.", writer.batches)
        yield _counter("writer_commands", "Commands it carried out.", writer.commands)
        yield _counter("writer_expired", "Commands dropped unwritten, too late.", writer.expired)
        commit_s = writer.last_commit_ms / 1000
        yield _gauge("writer_last_commit_seconds", "The last transaction, with its sync.", commit_s)
        if self.house is not None:
            house = self.house
            yield _gauge("house_balance_micros", "The bankroll.", house.balance_micros)
            payout = house.open_payout_micros
            yield _gauge("house_exposure_micros", "Payouts if every open bet were won.", payout)
            yield _gauge("open_bets", "Bets not resolved yet.", house.open_bets)

    def _upkeep(self) -> Iterator[Metric]:
        # A time that has not come yet is 0: an alert on the age of what is not there would never
        # fire, least of all where backups have failed from the first.
        yield from self._archive()
        yield from self._backups()
        yield from self._audit()
        yield from self._disk()

    def _archive(self) -> Iterator[Metric]:
        archive, writer = self._ports.archive.value, self._ports.writer.value
        yield _gauge(
            "last_successful_archive_timestamp",
            "Unix time of the newest week in the archive; before the first, of the start.",
            archive.last_success_ms / 1000,
        )
        yield _gauge("archive_waiting", "Closed weeks not in the archive yet.", archive.waiting)
        yield _gauge("archive_weeks", "Weeks in the archive, verified.", archive.archived)
        yield _gauge("archive_purged_weeks", "... whose file here was deleted.", archive.purged)
        yield _gauge("archive_step_done_bytes", "Of the step in hand.", archive.done_bytes)
        yield _gauge("archive_step_total_bytes", "Of the step in hand.", archive.total_bytes)
        yield _counter("archive_failures", "Attempts that failed.", archive.failures)
        yield _counter("week_rotations", "New weeks begun.", writer.rotations)
        rotation_s = writer.last_rotation_ms / 1000
        yield _gauge("week_rotation_seconds", "How long the last one held bets up.", rotation_s)
        failing = float(bool(writer.rotation_failure))
        yield _gauge("week_rotation_failing", "1 while an old week can't be closed.", failing)

    def _backups(self) -> Iterator[Metric]:
        backups = self._ports.backups.value
        yield _gauge(
            "last_successful_backup_timestamp",
            "Unix time of the newest verified backup; 0: none is known of.",
            backups.last_success_ms / 1000,
        )
        yield _gauge("backup_bytes", "Its size as stored.", backups.last_bytes)
        yield _gauge("backup_seconds", "How long it took.", backups.took_ms / 1000)
        yield _counter("backups_taken", "Verified backups.", backups.taken)
        yield _counter("backup_failures", "Attempts that failed.", backups.failures)

    def _audit(self) -> Iterator[Metric]:
        audit = self._ports.audit.value
        yield _gauge(
            "last_integrity_check_timestamp",
            "Unix time of the last full check of the money; 0: there was none.",
            audit.checked_at_ms / 1000,
        )
        yield _gauge("ledger_drifts", "Ways in which the money does not add up.", audit.drifts)
        yield _gauge("integrity_check_seconds", "How long it took.", audit.took_ms / 1000)
        yield _counter("integrity_failures", "Checks not carried out.", audit.failures)
        verified = audit.verified_rowid
        yield _gauge("ledger_verified_rowid", "Rows up to here add up.", verified)

    def _disk(self) -> Iterator[Metric]:
        disk = self._ports.disk.value
        yield _gauge(
            "disk_level",
            "0 normal, 1 warning, 2 full (no new bets), 3 emergency.",
            disk.level.severity,
        )
        if disk.use is not None:
            yield _gauge("disk_total_bytes", "Of the data folder's disk.", disk.use.total_bytes)
            yield _gauge("disk_free_bytes", "What may still be written.", disk.use.free_bytes)
        yield _counter("disk_look_failures", "Looks at the disk that failed.", disk.failures)

    def _actors(self) -> Iterator[Metric]:
        status = self._ports.supervisor_status()
        if status.uptime_s is not None:
            text = "Since the whole venue was ready."
            yield _gauge("venue_uptime_seconds", text, status.uptime_s)
        actors = list(actors_of(status))
        yield _counters(
            "actor_restarts",
            "Restarts of an actor since the venue started.",
            "actor",
            ((actor.path, actor.restarts_total) for actor in actors),
        )
        yield _gauges(
            "actor_running",
            "1 while the actor is running, else 0.",
            "actor",
            ((actor.path, float(actor.state.value == "running")) for actor in actors),
        )

    def _channels(self) -> Iterator[Metric]:
        found = self._statistics()
        label = "channel"
        depths = [(each.name, float(each.depth)) for each in found]
        yield _gauges("channel_depth", "Messages waiting.", label, depths)
        peaks = [(each.name, float(each.peak)) for each in found]
        yield _gauges("channel_peak", "The most that ever waited.", label, peaks)
        capacities = [(each.name, float(each.capacity)) for each in found]
        yield _gauges("channel_capacity", "The most that may wait.", label, capacities)
        refused = [(each.name, float(each.refused)) for each in found]
        yield _counters("channel_refused", "Messages not let in.", label, refused)
        handled = [(each.name, float(each.handled)) for each in found]
        yield _counters("channel_handled", "Messages handled.", label, handled)

    def _statistics(self) -> list[ChannelStatistics]:
        """Of the channels that the Gateway sends on, and of those that the actors read."""
        own = (self._ports.money, self._ports.sign_in, self._ports.circuit, self._ports.user_events)
        by_name = {channel.name: channel.statistics() for channel in own}
        for actor in actors_of(self._ports.supervisor_status()):
            by_name.update((each.name, each) for each in actor.channels)
        return list(by_name.values())


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(name, text, value=value)


def _gauges(name: str, text: str, label: str, rows: Iterable[Row]) -> Metric:
    family = GaugeMetricFamily(name, text, labels=(label,))
    for value, number in rows:
        family.add_metric((value,), number)
    return family


def _counters(name: str, text: str, label: str, rows: Iterable[Row]) -> Metric:
    family = CounterMetricFamily(name, text, labels=(label,))
    for value, number in rows:
        family.add_metric((value,), number)
    return family
