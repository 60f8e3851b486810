"""Doors: where clients come in. A listening socket, or in a simulation a network in memory.

A door belongs to the wiring and stays open while the Gateway is restarted: each life listens at it
anew, and whoever came meanwhile has waited.
"""

import socket
from typing import Protocol

import attrs
import trio


class ClientSocket(Protocol):
    """What is asked of a client's socket."""

    @property
    def family(self) -> int:
        """`socket.AF_INET` or `AF_INET6`."""
        ...

    def getpeername(self) -> tuple[str, int]:
        """The client's address. Raises OSError once it has gone."""
        ...

    def getsockname(self) -> tuple[str, int]:
        """Ours."""
        ...

    def setsockopt(self, level: int, option: int, value: int) -> None: ...

    def shutdown(self, how: int) -> None:
        """`socket.SHUT_WR`: nothing more is sent. Raises OSError if the client has gone."""
        ...

    def close(self) -> None:
        """Close at once; whoever sends or receives is woken with trio.ClosedResourceError."""
        ...


class ClientStream(Protocol):
    """One client's bytes, as a trio.SocketStream has them."""

    @property
    def socket(self) -> ClientSocket: ...

    async def send_all(self, data: bytes) -> None: ...

    async def receive_some(self, max_bytes: int) -> bytes | bytearray: ...

    async def aclose(self) -> None: ...


class Listening(Protocol):
    """One life's turn at a door."""

    async def accept(self) -> ClientStream:
        """The next client. Raises OSError as accept(2) does."""
        ...

    async def aclose(self) -> None:
        """Listen no more. Clients that come now wait for the next life."""
        ...


class Door(Protocol):
    """Where clients come in."""

    def listen(self) -> Listening:
        """Begin to listen."""
        ...

    def close(self) -> None:
        """For good: whoever comes is turned away at once."""
        ...


@attrs.frozen
class SocketDoor:
    """A listening socket. Each life listens on a duplicate of it."""

    listener: socket.socket

    def listen(self) -> trio.SocketListener:
        """Begin to listen."""
        return trio.SocketListener(trio.socket.from_stdlib_socket(self.listener.dup()))

    def close(self) -> None:
        """For good."""
        self.listener.close()
