"""The Gateway: HTTP and WebSocket, the only way into the venue.

| module | what it does |
|---|---|
| `actor` | puts the parts together, serves, drains |
| `ports` | settings, channels and ports: all that it needs |
| `doors`, `connections`, `wire`, `frames` | where clients come in, and how long each may take |
| `edge`, `heads`, `headers`, `cors` | what every request passes, and every answer tells browsers |
| `bets`, `bet_route` | the bet desk, and its HTTP door |
| `signed_requests`, `signers` | is what a wallet or a session key has signed fresh and signed? |
| `routes` | everything else over HTTP, by the operations of `protocols.operations` |
| `trader_routes`, `auth_routes`, `account_routes` | what traders can ask |
| `ops_routes`, `account_ops`, `upkeep`, `restarts`, `operators` | what operators can, on record |
| `health`, `document` | what anybody can: health, numbers, the API's document |
| `socket`, `outbox`, `hub` | the WebSocket: one client, his bounded queue, what goes to many |
| `private_streams`, `recent_events` | a trader's own events without a gap, and a replay of them |
| `metrics`, `tree`, `attention` | what Prometheus and operators see |
| `asking`, `reads` | the other actors, and the ledger, asked |
| `fair_reads`, `unreadable` | whose read is next, and what is said of a ledger that can't be read |
| `limits`, `addresses`, `asgi`, `pages`, `ulid` | small helpers of these |
"""

from actors.gateway.actor import run
from actors.gateway.ports import GatewayPorts, GatewaySettings

__all__ = ["GatewayPorts", "GatewaySettings", "run"]
