"""The Gateway: HTTP and WebSocket, the only way into the venue.

| module | what it does |
|---|---|
| `actor` | puts the parts together, serves, drains |
| `ports` | settings, channels and ports: all that it needs |
| `connections` | sockets, and hypercorn's protocol on them |
| `edge` | what every request passes: ids, sizes, headers, counts |
| `bets`, `bet_route` | the bet desk, and its HTTP door |
| `routes` | everything else over HTTP, by the operations of `protocols.operations` |
| `trader_routes`, `auth_routes`, `account_routes` | what traders can ask |
| `ops_routes`, `account_ops`, `upkeep`, `restarts`, `operators` | what operators can, on record |
| `health`, `document` | what anybody can: health, numbers, the API's document |
| `hub`, `outbox`, `socket` | the WebSocket: broadcast, bounded queues, one client |
| `metrics`, `tree` | what Prometheus and operators see |
| `asking`, `reads`, `limits`, `addresses`, `asgi`, `pages`, `ulid` | small helpers of these |
"""

from actors.gateway.actor import run
from actors.gateway.ports import GatewayPorts, GatewaySettings

__all__ = ["GatewayPorts", "GatewaySettings", "run"]
