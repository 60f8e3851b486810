"""The Gateway: the door of the venue. HTTP and WebSocket on one port.

Started last and stopped first. Asked to stop, it waits for the answers of bets that are with the
Batcher, tells every socket to come back and closes it, lets no new connection in, lets requests in
flight finish, and at its own deadline closes whatever a client still holds open.
"""

from functools import partial
from typing import Final, cast

import attrs
import structlog
import trio

from actors.gateway.account_ops import AccountOps
from actors.gateway.account_routes import AccountRoutes
from actors.gateway.asgi import App
from actors.gateway.auth_routes import AuthRoutes
from actors.gateway.bet_route import BetRoute
from actors.gateway.bets import BetDesk
from actors.gateway.connections import Connections
from actors.gateway.document import DocumentRoutes
from actors.gateway.edge import Edge, new_request_id
from actors.gateway.fair_reads import FairReads
from actors.gateway.headers import security_headers
from actors.gateway.health import HealthRoutes
from actors.gateway.hub import Hub
from actors.gateway.metrics import Metrics
from actors.gateway.operators import Operators
from actors.gateway.ops_routes import OpsRoutes
from actors.gateway.pages import Pages
from actors.gateway.ports import GatewayPorts
from actors.gateway.restarts import Restarts
from actors.gateway.routes import Routes
from actors.gateway.socket import Sockets
from actors.gateway.trader_routes import TraderRoutes
from actors.gateway.upkeep import UpkeepRoutes
from supervisor import Life

log = structlog.get_logger("gateway")

BEAT_EVERY_S: Final = 1
CLOSE_ALL_WITHIN_S: Final = 0.5
"""Kept of the drain's limit for closing by force what is left."""


async def run(life: Life, ports: GatewayPorts) -> None:
    """One life: serve until asked to stop, then drain."""
    await Gateway(ports, own_path=life.path).run(life)


class Gateway:
    """The parts of the door, put together."""

    def __init__(self, ports: GatewayPorts, *, own_path: str) -> None:
        ports = attrs.evolve(ports, ledger_worker=FairReads(ports.ledger_worker))
        metrics = Metrics(ports)
        self._ports = ports
        self._desk = BetDesk(ports, metrics)
        self._hub = Hub(ports, metrics)
        routes = Routes(ports)
        edge = Edge(
            ports,
            metrics,
            bets=BetRoute(self._desk),
            routes=cast(App, routes),  # Quart names the scopes and events more closely
            sockets=Sockets(ports, self._hub, self._desk),
            pages=Pages.read(ports.settings.web_root),
        )
        self._connections = Connections(
            edge,
            most=ports.settings.connections,
            most_per_address=ports.settings.connections_per_address,
            uncounted=ports.settings.trusted_proxies,
            headers=security_headers(ports.settings.origin),
            new_request_id=partial(new_request_id, ports.chance),
        )
        routes.add(AuthRoutes(ports).routes())
        routes.add(TraderRoutes(ports).routes())
        routes.add(AccountRoutes(ports).routes())
        routes.add(DocumentRoutes(ports).routes())
        routes.add(HealthRoutes(ports, metrics).routes())
        operators = Operators(ports)
        self._restarts = Restarts(ports, operators, own_path=own_path)
        routes.add(OpsRoutes(ports, operators, self._hub, self._connections).routes())
        routes.add(UpkeepRoutes(ports, operators).routes())
        routes.add(AccountOps(ports, operators).routes())
        routes.add(self._restarts.routes())

    async def run(self, life: Life) -> None:
        """Serve until asked to stop, then drain."""
        async with trio.open_nursery() as nursery:
            await nursery.start(self._hub.run)
            async with self._connections.serve(self._ports.doors):
                nursery.start_soon(self._watch_the_drain)
                nursery.start_soon(self._restarts.restart_own)
                life.ready()
                while not await life.sleep_or_stop(BEAT_EVERY_S):
                    life.beat()
                await self._drain()
            nursery.cancel_scope.cancel()

    async def _watch_the_drain(self) -> None:
        """The venue may begin to drain before the Gateway itself is asked to stop."""
        async for is_draining in self._ports.draining.changes():
            if is_draining:
                await self._send_sockets_away()

    async def _send_sockets_away(self) -> None:
        """After the answers of bets in flight, each of which has a limit of its own."""
        await self._desk.wait_idle()
        self._hub.send_away_all()

    async def _drain(self) -> None:
        within_s = self._ports.settings.drain_within_s - CLOSE_ALL_WITHIN_S
        with trio.move_on_after(max(0, within_s)) as limit:
            if self._ports.draining.value:
                await self._desk.wait_idle()  # whoever comes meanwhile is told `draining`
            await self._connections.stop_accepting()
            self._close_door()
            await self._send_sockets_away()
            await self._connections.wait_none_open()
        if limit.cancelled_caught:
            log.warning("drain_over_its_limit", connections=self._connections.count)

    def _close_door(self) -> None:
        """When the whole venue stops there is no next life for which a client could wait in the
        backlog: he is turned away at once, and may try another venue."""
        if self._ports.draining.value:
            for door in self._ports.doors:
                door.close()
