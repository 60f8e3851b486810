"""Is the venue well? For load balancers, and for whoever is woken at night."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import structlog
import trio

from actors.gateway.asgi import Answer, json_answer
from actors.gateway.metrics import Metrics
from actors.gateway.ports import GatewayPorts
from actors.gateway.routes import Route
from actors.gateway.tree import down
from domain.refusals import Code, Refusal
from protocols.accounts import HousePosition
from protocols.client_market import feed_age_ms
from protocols.client_status import (
    ActorsCheckJson,
    BreakerCheckJson,
    ChecksJson,
    FeedCheckJson,
    FeedWord,
    HealthJson,
    ReadyJson,
    VersionJson,
    Word,
)
from protocols.market import FeedLevel
from protocols.operations import health
from protocols.ports import LedgerUnreadable, StoreUnavailable

log = structlog.get_logger("gateway")

CHECKED_WITHIN_S: Final = 2
_FEED_WORDS: Final[Mapping[FeedLevel, FeedWord]] = {
    FeedLevel.HEALTHY: "healthy",
    FeedLevel.DEGRADED: "degraded",
    FeedLevel.CRITICAL: "unhealthy",
}
EXPOSITION_TYPE: Final = b"text/plain; version=0.0.4; charset=utf-8"


class HealthRoutes:
    """`/healthz`, `/readyz`, `/version` and `/metrics`."""

    def __init__(self, ports: GatewayPorts, metrics: Metrics) -> None:
        self._ports = ports
        self._metrics = metrics

    def routes(self) -> list[Route]:
        """All of them."""
        return [
            (health.HEALTH, self.health),
            (health.READY, self.ready),
            (health.VERSION, self.version),
            (health.METRICS, self.metrics),
        ]

    async def health(self) -> Answer:
        """Each needed part, and 503 when one of them is down."""
        now_ms = self._ports.clock.now_ms()
        checks: ChecksJson = {
            "database": {"status": _word(await self._database_answers())},
            "store": {"status": _word(await store_answers(self._ports))},
            "price_feed": self._price_feed(now_ms),
            "circuit_breaker": self._breaker(),
            "actors": self._actors(),
        }
        parts = (checks["database"], checks["store"], checks["price_feed"], checks["actors"])
        is_well = all(part["status"] != "unhealthy" for part in parts)
        body: HealthJson = {
            "status": _word(is_well),
            "timestamp": datetime.fromtimestamp(now_ms / 1000, UTC).isoformat(
                timespec="milliseconds"
            ),
            "checks": checks,
        }
        return json_answer(body, status=200 if is_well else 503)

    async def ready(self) -> ReadyJson | Refusal:
        """May traffic be sent here? While this answers the Gateway has started."""
        return Refusal(Code.DRAINING) if self._ports.draining.value else {"ready": True}

    async def version(self) -> VersionJson:
        """What is running."""
        settings = self._ports.settings
        return {
            "version": settings.version,
            "commit": settings.commit,
            "demo": settings.demo,
            "chain_id": settings.chain_id,
        }

    async def metrics(self) -> Answer:
        """For Prometheus."""
        house = await house_position(self._ports)
        store_up = await store_answers(self._ports)
        text = self._metrics.exposition(house, store_up=store_up)
        return Answer(200, text, ((b"content-type", EXPOSITION_TYPE),))

    async def _database_answers(self) -> bool:
        return await house_position(self._ports) is not None

    def _price_feed(self, now_ms: int) -> FeedCheckJson:
        feed = self._ports.feed.value
        return {
            "status": _FEED_WORDS[feed.level],
            "source": feed.source,
            "stale_for_ms": feed_age_ms(feed, now_ms),
        }

    def _breaker(self) -> BreakerCheckJson:
        feed = self._ports.feed.value
        return {
            "status": "open" if feed.breaker_open() else "closed",
            "override": feed.override,
        }

    def _actors(self) -> ActorsCheckJson:
        missing = down(self._ports.supervisor_status())
        return {"status": _word(not missing), "down": missing}


async def house_position(ports: GatewayPorts) -> HousePosition | None:
    """None where the ledger can't be read, or not in time."""
    try:
        with trio.move_on_after(CHECKED_WITHIN_S):
            return await ports.ledger_worker.run(ports.ledger.house)
        log.error("ledger_unreadable", why="it takes too long")
    except LedgerUnreadable as error:
        log.error("ledger_unreadable", why=str(error))
    return None


async def store_answers(ports: GatewayPorts) -> bool:
    """Does the key-value store take what it is given?"""
    try:
        with trio.move_on_after(CHECKED_WITHIN_S):
            # A store that is full still answers what it is asked, and takes no nonce.
            await ports.store.put("health", "1", ttl_s=60)
            return True
    except StoreUnavailable:
        pass
    return False


def _word(is_well: bool) -> Word:
    return "healthy" if is_well else "unhealthy"
