"""Whose request is this, as far as the network can tell?

Limits count against one text for each client: an IPv4 address, or the /64 network of an IPv6 one.
A home or a rented server is given a whole /64, so whoever counted single IPv6 addresses would count
nothing. IPv4 addresses in IPv6 clothes (`::ffff:198.51.100.7`, what a socket that serves both
families shows) count as IPv4.
"""

import ipaddress
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Final

NETWORK_BITS: Final = 64
_WITH_PORT: Final = re.compile(r"(?:\[(?P<in_brackets>[^\[\]]+)\]|(?P<bare>[0-9.]+))(?::[0-9]+)?")
WORD_LENGTH_MAX: Final = 64
"""Of what a trusted proxy wrote although it is no address."""


def canonical(address: str) -> str:
    """The one spelling of an address; what is none stays as it is, cut."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:WORD_LENGTH_MAX]
    return str(_without_clothes(parsed))


def counted_as(address: str) -> str:
    """What limits count an address as: `198.51.100.7`, `2001:db8:1:2::/64`."""
    try:
        parsed = _without_clothes(ipaddress.ip_address(address))
    except ValueError:
        return address[:WORD_LENGTH_MAX]
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    return str(ipaddress.IPv6Network((int(parsed), NETWORK_BITS), strict=False))


def client_address(
    peer: str, headers: Iterable[tuple[bytes, bytes]], trusted_proxies: Collection[str]
) -> str:
    """The client's address in its one spelling; `trusted_proxies` are in theirs.

    X-Forwarded-For counts only when the peer is a trusted proxy, and of its entries only the last
    one that no trusted proxy wrote about another: anything to the left of it is the client's word.
    """
    nearest = canonical(peer)
    if nearest not in trusted_proxies:
        return nearest
    lines = [value for name, value in headers if name.lower() == b"x-forwarded-for"]
    hops = b",".join(lines).decode("latin-1").split(",")
    for hop in reversed([canonical(_without_port(part.strip())) for part in hops]):
        if hop and hop not in trusted_proxies:
            return hop
    return nearest


def _without_port(hop: str) -> str:
    """Some proxies write the client's port, too (`198.51.100.7:52814`, `[2001:db8::1]:52814`); it
    is another one for each connection, so whoever counted it would count nothing."""
    found = _WITH_PORT.fullmatch(hop)
    return hop if found is None else found["in_brackets"] or found["bare"]


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


def _without_clothes(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """As IPv4 if it is that in truth, and without a zone (`%eth0`), which names a place here."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    return address.ipv4_mapped or ipaddress.IPv6Address(int(address))
