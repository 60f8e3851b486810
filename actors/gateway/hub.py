"""The hub: everything that goes to many sockets, encoded once, and to the right ones.

It reads prices, quotes, health, users' events and ends of sessions, and puts frames into outboxes;
it never waits for a client. Ticks are coalesced to ten a second before anything is encoded.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

import attrs
import structlog
import trio

from actors.gateway.metrics import Metrics
from actors.gateway.outbox import DRAINING, IDLE, Outbox, encode
from actors.gateway.ports import GatewayPorts
from actors.gateway.private_streams import PrivateStream, PrivateStreams
from domain.quotes import Quote
from protocols.client_frames import drain_frame, grid_frame, price_frame, status_frame
from protocols.client_socket import Channel
from protocols.money import StreamEntry
from protocols.sign_in import Session, SessionEnded
from supervisor import Overrun, Subscription, Watch, WhenFull

T = TypeVar("T")

log = structlog.get_logger("gateway")

PRICE_EVERY_S: Final = 0.1
HEARTBEAT_S: Final = 1.0
IDLE_S: Final = 30.0
"""A socket that is sent nothing, never bet and says nothing for so long is closed."""
USER_EVENTS_WAITING_MAX: Final = 50_000
"""A column of 10,000 bets settles at once; five of those, and the traders take snapshots."""
SESSION_ENDS_WAITING_MAX: Final = 1_000
RECONNECT_WITHIN_S: Final = 5


@attrs.define(eq=False)
class Client:
    """One socket, as the hub knows it."""

    outbox: Outbox = attrs.field(factory=Outbox)
    channels: frozenset[Channel] = frozenset()
    stream: PrivateStream | None = None
    """The private stream that it asked for last."""
    has_bet: bool = False
    heard_at: float = attrs.field(factory=trio.current_time)
    """When it last said something that made sense, on trio's clock."""

    def is_idle(self) -> bool:
        """Does it take up room for nothing?"""
        is_used = self.channels or self.has_bet or self.following() is not None
        return not is_used and trio.current_time() - self.heard_at >= IDLE_S

    def following(self) -> PrivateStream | None:
        """Its private stream, while the session lasts."""
        return None if self.stream is None or self.stream.is_over else self.stream


class Hub:
    """All sockets of one life of the Gateway."""

    def __init__(self, ports: GatewayPorts, metrics: Metrics) -> None:
        self._ports = ports
        self._metrics = metrics
        self._clients: dict[Client, None] = {}
        self._frames: dict[Channel, str] = {}  # the newest of each, for those who come later
        self._betting_sent: tuple[object, ...] = ()
        self._draining = False
        self.streams = PrivateStreams()

    @property
    def count(self) -> int:
        """Sockets connected now."""
        return len(self._clients)

    @property
    def is_draining(self) -> bool:
        """Is the venue sending sockets away?"""
        return self._draining

    @contextmanager
    def connected(self, client: Client) -> Iterator[None]:
        """The client is connected for as long as the block lasts."""
        self._clients[client] = None
        self._metrics.sockets.set(len(self._clients))
        if self._draining:
            self._send_away(client)
        try:
            yield
        finally:
            self.sign_out(client)
            del self._clients[client]
            self._metrics.sockets.set(len(self._clients))
            if client.outbox.closing is not None:
                self._metrics.sockets_dropped.labels(client.outbox.closing.reason).inc()

    def subscribe(self, client: Client, channels: frozenset[Channel]) -> None:
        """From now on send `channels` and no others; what is newest goes out at once."""
        for channel in client.channels - channels:
            client.outbox.forget(channel)
        client.channels = channels
        for channel, frame in self._frames.items():
            if channel in channels:
                client.outbox.put_latest(channel, frame)

    def sign_in(self, client: Client, session: Session) -> PrivateStream | None:
        """From now on the client follows the private stream of this session, and no other; None
        if the session has just ended."""
        self.sign_out(client)
        client.stream = self.streams.open(client.outbox, session)
        return client.stream

    def sign_out(self, client: Client) -> None:
        """No private stream any more."""
        if client.stream is not None:
            self.streams.close(client.stream)
            client.stream = None

    def send_away_all(self) -> None:
        """The venue drains: each socket is told when to come back, and closed; so is a new one."""
        self._draining = True
        for client in tuple(self._clients):
            self._send_away(client)

    def _send_away(self, client: Client) -> None:
        delay_ms = int(self._ports.chance.random() * RECONNECT_WITHIN_S * 1000)
        client.outbox.put(encode(drain_frame(reconnect_in_ms=delay_ms)))
        client.outbox.close(DRAINING)

    # What goes to many

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Feed the sockets, for ever. Started once no event can be missed any more."""
        events = self._subscribe_events()
        ends = self._ports.session_ends.subscribe("gateway", SESSION_ENDS_WAITING_MAX)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._send_events, events)
            nursery.start_soon(self._end_sessions, ends)
            nursery.start_soon(self._send_prices)
            nursery.start_soon(self._send_grids)
            nursery.start_soon(self._send_heartbeats)
            nursery.start_soon(self._send_changes, self._ports.feed)
            nursery.start_soon(self._send_changes, self._ports.hold)
            nursery.start_soon(self._send_changes, self._ports.disk)
            nursery.start_soon(self._send_changes, self._ports.draining)
            task_status.started()

    async def _send_prices(self) -> None:
        ticks = self._ports.ticks.subscribe("gateway", 1, WhenFull.KEEP_LATEST)
        try:
            while True:
                tick = await ticks.receive()
                self._frames[Channel.PRICE] = encode(price_frame(tick))
                self._broadcast(Channel.PRICE)
                await trio.sleep(PRICE_EVERY_S)
        finally:
            ticks.close()

    async def _send_grids(self) -> None:
        sent: Quote | None = None
        async for book in self._ports.book.changes():
            if book.newest is sent and sent is not None:
                continue  # only the rates in force have changed, which are not published
            sent = book.newest
            self._frames[Channel.GRID] = encode(grid_frame(sent))
            self._broadcast(Channel.GRID)

    async def _send_heartbeats(self) -> None:
        while True:
            self._send_status()
            self.streams.end_expired(self._ports.clock.now_ms())
            self._close_idle()
            await trio.sleep(HEARTBEAT_S)

    def _close_idle(self) -> None:
        for client in self._clients:
            if client.is_idle():
                client.outbox.close(IDLE)

    async def _send_changes(self, watch: Watch[T]) -> None:
        """What opens or closes betting is news at once, and not at the next heartbeat."""
        async for _ in watch.changes():
            if self._betting() != self._betting_sent:
                self._send_status()

    def _send_status(self) -> None:
        ports = self._ports
        self._betting_sent = self._betting()
        self._frames[Channel.STATUS] = encode(
            status_frame(
                ports.feed.value,
                ports.hold.value,
                disk_full=ports.disk.value.level.refuses_bets,
                draining=ports.draining.value,
                now_ms=ports.clock.now_ms(),
            )
        )
        self._broadcast(Channel.STATUS)

    def _betting(self) -> tuple[object, ...]:
        feed = self._ports.feed.value
        return (
            feed.level,
            feed.override,
            feed.source,
            self._ports.hold.value.held,
            self._ports.disk.value.level.refuses_bets,
            self._ports.draining.value,
        )

    def _broadcast(self, channel: Channel) -> None:
        frame = self._frames[channel]
        for client in self._clients:
            if channel in client.channels:
                client.outbox.put_latest(channel, frame)

    # What goes to one trader

    def _subscribe_events(self) -> Subscription[StreamEntry]:
        return self._ports.user_events.subscribe(
            "gateway", USER_EVENTS_WAITING_MAX, WhenFull.DISCONNECT
        )

    async def _send_events(self, events: Subscription[StreamEntry]) -> None:
        try:
            while True:
                try:
                    entry = await events.receive()
                except Overrun:
                    log.error("user_events_overrun", clients=len(self._clients))
                    events = self._subscribe_events()
                    self.streams.lose_events()
                else:
                    self.streams.take(entry, now_ms=self._ports.clock.now_ms())
        finally:
            events.close()

    async def _end_sessions(self, ends: Subscription[SessionEnded]) -> None:
        try:
            while True:
                self.streams.end_session(await ends.receive())
        finally:
            ends.close()
