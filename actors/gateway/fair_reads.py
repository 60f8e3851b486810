"""Reads of the ledger, in turn by client: one has no more with the worker than another.

All that clients ask of the ledger is read by one worker, call by call. A page of a rare status
looks at every bet that the trader ever placed, at some 0.4 s a million; a client with a hundred
sockets that asked for such pages would have everybody else wait for a hundred of them. So each has
one call with the worker, and its others wait for that one.
"""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Final, TypeVar

import attrs
import trio

from protocols.ports import Worker

T = TypeVar("T")

CLIENT: Final[ContextVar[str]] = ContextVar("client", default="")
"""The address that the request or socket in hand counts as; the edge says so."""


@attrs.define
class _Client:
    lock: trio.Lock = attrs.field(factory=trio.Lock)
    calls: int = 0


@attrs.frozen
class FairReads:
    """A Worker before the worker. Calls that belong to no client are one client's."""

    worker: Worker
    _clients: dict[str, _Client] = attrs.field(factory=dict)

    async def run(self, call: Callable[[], T]) -> T:
        """What `call` returns or raises, when it is this client's turn."""
        address = CLIENT.get()
        client = self._clients.setdefault(address, _Client())
        client.calls += 1
        try:
            async with client.lock:
                return await self.worker.run(call)
        finally:
            client.calls -= 1
            if not client.calls:
                del self._clients[address]
