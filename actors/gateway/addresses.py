"""Whose request is this, as far as the network can tell?"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager

from actors.gateway.asgi import header


def client_address(
    peer: str, headers: Iterable[tuple[bytes, bytes]], trusted_proxies: Collection[str]
) -> str:
    """The address that limits count against.

    X-Forwarded-For counts only when the peer is a trusted proxy, and of its entries only the last
    one that no trusted proxy wrote about another: anything to the left of it is the client's word.
    """
    if peer not in trusted_proxies:
        return peer
    forwarded = header(headers, b"x-forwarded-for") or ""
    for hop in reversed([part.strip() for part in forwarded.split(",")]):
        if hop and hop not in trusted_proxies:
            return hop[:64]
    return peer


class OpenConnections:
    """How many connections each address has open."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: Counter[str] = Counter()

    @contextmanager
    def one_more(self, address: str) -> Iterator[bool]:
        """Counts one for as long as the block lasts; False when that is over the limit."""
        self._open[address] += 1
        try:
            yield self._open[address] <= self._most
        finally:
            self._open[address] -= 1
            if not self._open[address]:
                del self._open[address]
