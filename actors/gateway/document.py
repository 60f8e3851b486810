"""The API's own description, for whoever asks."""

import msgspec

from actors.gateway.asgi import Answer, json_answer
from actors.gateway.ports import GatewayPorts
from actors.gateway.routes import Route
from protocols.openapi import document
from protocols.operations import health


class DocumentRoutes:
    """`/openapi.json`."""

    def __init__(self, ports: GatewayPorts) -> None:
        self._ports = ports
        self._encoded: msgspec.Raw | None = None  # some 200 kB, encoded once

    def routes(self) -> list[Route]:
        """All of them."""
        return [(health.DOCUMENT, self.document)]

    async def document(self) -> Answer:
        """The OpenAPI document."""
        if self._encoded is None:
            settings = self._ports.settings
            described = document(origin=settings.origin, version=settings.version)
            self._encoded = msgspec.Raw(msgspec.json.encode(described))
        return json_answer(self._encoded)
