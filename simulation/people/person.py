"""Anybody who talks to the venue over HTTP, and what nobody may ever be answered."""

from typing import Any, Final

import trio

from simulation.draws import Draws
from simulation.wire import HttpAnswer, HttpClient, Lost, address_of
from simulation.world import World

WAIT_S_MIN: Final = 0.25
WAIT_S_MAX: Final = 4.0
PASSING: Final = (
    *("overloaded", "draining", "store_unavailable", "rate_limited"),
    *("status_unknown", "held", "price_feed_stale", "disk_full"),
)
"""Refusals after which the same request may be taken."""


class Person:
    """Asks over as many connections as he needs at once, and keeps them."""

    def __init__(self, world: World, who: int) -> None:
        self.world = world
        self.who = who
        self.address = address_of(who)
        self.draws: Draws = world.draws("person", who)
        self._idle: list[HttpClient] = []

    def hang_up(self) -> None:
        """Leave every connection that is not in use."""
        while self._idle:
            self._idle.pop().hang_up()

    async def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        token: str | None = None,
        within_s: float = 12,
    ) -> HttpAnswer:
        """One request. Raises Lost."""
        client = (
            self._idle.pop()
            if self._idle
            else HttpClient(self.world.network, who=self.who, address=self.address)
        )
        answer = await client.request(method, path, body, token=token, within_s=within_s)
        self._idle.append(client)
        self.heard(answer.status, answer.code, answer.body, path)
        return answer

    def heard(self, status: int, code: str, body: object, where: str) -> None:
        """Hold any answer against what no answer may be."""
        is_broken = code == "internal" or status == 500 or (status >= 500 and not code)
        if is_broken and where != "/healthz":  # which says 503 in words of its own
            self.world.violated("internal_error", (self.who, where, status, body))
        if code == "signature_expired" and isinstance(body, dict) and "server_time_ms" in body:
            self.told_time(body["server_time_ms"])

    def told_time(self, server_time_ms: int) -> None:
        """The venue has said what time it is."""

    async def insist(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        token: str | None = None,
        for_s: float = 60,
        within_s: float = 12,
    ) -> HttpAnswer | None:
        """Ask again and again while the answer is lost or only says no for now; None if that does
        not change for so long."""
        until_s, wait_s = trio.current_time() + for_s, WAIT_S_MIN
        while True:
            try:
                answer = await self.ask(method, path, body, token=token, within_s=within_s)
            except Lost:
                pass
            else:
                if answer.code not in PASSING:
                    return answer
            if trio.current_time() >= until_s:
                return None
            await trio.sleep(wait_s * self.draws.uniform(0.5, 1.5))
            wait_s = min(2 * wait_s, WAIT_S_MAX)

    def happened(self, what: str, *facts: Any) -> None:
        """Count it and trace it."""
        self.world.happened(what, self.who, *facts)
