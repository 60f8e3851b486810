"""One connection in memory, with two ends that behave as a TCP socket's do.

* Bytes arrive in order, a little later; so do the word that no more come, and a reset.
* 64 KiB may be under way or unread in each direction; then the sender waits.
* Who closes with bytes unread, or is sent something after he closed, resets the connection: what
  the other end has not read by then is lost to it.
* While the network stalls nothing arrives, and nobody is told.

The venue's end is a `ClientStream` of `actors/gateway/doors.py`.
"""

import math
import socket
from collections import deque
from collections.abc import Callable
from typing import Final

import attrs
import trio

WAY_BYTES_MAX: Final = 64 * 1024
"""Under way or unread, in one direction."""


@attrs.define(kw_only=True, eq=False)
class Passage:
    """What the network does to a connection just now."""

    latency_s: float
    """Of this connection, one way."""
    extra_s: Callable[[], float]
    """... and so much more, while the network is slow."""
    is_stalled: Callable[[], bool]


class Way:
    """One direction: what is under way, and what has arrived and waits to be read."""

    def __init__(self, passage: Passage) -> None:
        self._passage = passage
        self._pieces: deque[tuple[float, bytes]] = deque()
        self._bytes = 0
        self._last_at = 0.0
        self._readable = trio.lowlevel.ParkingLot()
        self._roomy = trio.lowlevel.ParkingLot()
        self.ended_at = math.inf
        """When the word that no more bytes come arrives, behind the bytes."""
        self.reset_at = math.inf
        """When the reset arrives, which overtakes bytes that nobody has read."""
        self.is_void = False
        """Whoever would read it has gone: bytes put in are dropped."""

    @property
    def room(self) -> int:
        """How many bytes may be put in."""
        return WAY_BYTES_MAX - self._bytes

    @property
    def is_held_up(self) -> bool:
        """Would something have arrived by now, were it not for a stall?"""
        now = trio.current_time()
        return bool(self._pieces and self._pieces[0][0] <= now) or self.reset_at <= now

    @property
    def is_reset(self) -> bool:
        """Has a reset arrived?"""
        return self.reset_at <= trio.current_time() and not self._passage.is_stalled()

    @property
    def has_ended(self) -> bool:
        """Has the word arrived that no more comes?"""
        has_arrived = self.ended_at <= trio.current_time() and not self._passage.is_stalled()
        return has_arrived and not self._pieces

    def put(self, data: bytes) -> None:
        """Send them on their way. While the network is slow they come in two pieces."""
        at, half = self._arrival(), len(data) // 2
        if half and self._passage.extra_s():
            self._pieces.append((at, data[:half]))
            self._last_at = at + self._passage.latency_s
            self._pieces.append((self._last_at, data[half:]))
        else:
            self._pieces.append((at, data))
        self._bytes += len(data)
        self._readable.unpark_all()

    def end(self) -> None:
        """No more bytes come."""
        if self.ended_at == math.inf:
            self.ended_at = self._arrival()
            self._readable.unpark_all()

    def reset(self, *, after_s: float | None = None) -> None:
        """A reset comes: as soon as it can be there, or by the network itself, `after_s`."""
        at = self._arrival() if after_s is None else trio.current_time() + after_s
        self.reset_at = min(self.reset_at, at)
        self._readable.unpark_all()

    def read_no_more(self) -> bool:
        """Nobody reads it any more. True if something had come or was coming that nobody read."""
        self.is_void = True
        was_unread = bool(self._pieces)
        self._pieces.clear()
        self._bytes = 0
        self.look_again()
        return was_unread

    def look_again(self) -> None:
        """Wake whoever waits: what he waits for may have changed."""
        self._readable.unpark_all()
        self._roomy.unpark_all()

    async def wait_for_room(self) -> None:
        """Wait until there may be room, or something has changed."""
        await self._roomy.park()

    async def wait_for_something(self) -> None:
        """Wait until something may have arrived."""
        if self._passage.is_stalled():
            await _wait(self._readable, math.inf)
        else:
            next_at = self._pieces[0][0] if self._pieces else self.ended_at
            await _wait(self._readable, min(next_at, self.reset_at))

    def take(self, max_bytes: int) -> bytes | None:
        """What has arrived; b"" at the end, None if nothing has."""
        now = trio.current_time()
        if self._passage.is_stalled():
            return None
        if not self._pieces:
            return b"" if self.ended_at <= now else None
        taken, size = [], 0
        while self._pieces and self._pieces[0][0] <= now and size < max_bytes:
            at, piece = self._pieces.popleft()
            if size + len(piece) > max_bytes:
                self._pieces.appendleft((at, piece[max_bytes - size :]))
                piece = piece[: max_bytes - size]
            taken.append(piece)
            size += len(piece)
        if not taken:
            return None
        self._bytes -= size
        self._roomy.unpark_all()
        return taken[0] if len(taken) == 1 else b"".join(taken)

    def _arrival(self) -> float:
        """When what is sent now arrives: never before what was sent before it."""
        takes_s = self._passage.latency_s + self._passage.extra_s()
        self._last_at = max(self._last_at, trio.current_time() + takes_s)
        return self._last_at


async def _wait(lot: trio.lowlevel.ParkingLot, until: float) -> None:
    if until == math.inf:
        await lot.park()
    else:
        with trio.CancelScope(deadline=until):
            await lot.park()


class End:
    """One end of a connection: a stream, and the socket behind it."""

    def __init__(self, incoming: Way, outgoing: Way, *, own: str, peer: str, port: int) -> None:
        self._in = incoming
        self._out = outgoing
        self._own = own
        self._peer = peer
        self._port = port
        self._is_shut = False
        self.is_closed = False

    @property
    def socket(self) -> "End":
        """The socket behind the stream."""
        return self

    @property
    def has_ended(self) -> bool:
        """Is there nothing more to come, as far as has arrived?"""
        return self.is_closed or self._in.is_reset or self._in.has_ended

    async def send_all(self, data: bytes) -> None:
        """Send it on its way, waiting for room. Raises as a trio.SocketStream does."""
        await trio.lowlevel.checkpoint()
        while data:
            if self.is_closed or self._is_shut:
                raise trio.ClosedResourceError("this end was closed")
            if self._in.is_reset:
                raise trio.BrokenResourceError("the connection was reset")
            if self._out.is_void:
                self._in.reset()
                return
            room = self._out.room
            if room > 0:
                self._out.put(bytes(data[:room]))
                data = data[room:]
            else:
                await self._out.wait_for_room()

    async def receive_some(self, max_bytes: int) -> bytes:
        """What has arrived, at least a byte; b"" when no more comes. Raises as a SocketStream."""
        await trio.lowlevel.checkpoint_if_cancelled()
        has_waited = False
        while True:
            if self.is_closed:
                raise trio.ClosedResourceError("this end was closed")
            if self._in.is_reset:
                raise trio.BrokenResourceError("the connection was reset")
            data = self._in.take(max_bytes)
            if data is not None:
                if not has_waited:
                    await trio.lowlevel.cancel_shielded_checkpoint()
                return data
            await self._in.wait_for_something()
            has_waited = True

    async def aclose(self) -> None:
        """Close it."""
        self.close()
        await trio.lowlevel.checkpoint()

    def close(self) -> None:
        """Close it now; who sends or receives here is woken."""
        if not self.is_closed:
            self.is_closed = True
            self._out.look_again()
            if self._in.read_no_more():
                self._out.reset()
            else:
                self._out.end()

    def shutdown(self, how: int) -> None:
        """Nothing more is sent."""
        assert how == socket.SHUT_WR, "the venue shuts no other way"
        if self.is_closed or self._in.is_reset:
            raise OSError("the connection has gone")
        self._is_shut = True
        self._out.end()

    @property
    def family(self) -> int:
        """IPv4."""
        return socket.AF_INET

    def getpeername(self) -> tuple[str, int]:
        """The other end's address."""
        if self.is_closed or self._in.is_reset:
            raise OSError("the connection has gone")
        return self._peer, self._port

    def getsockname(self) -> tuple[str, int]:
        """This end's address."""
        return self._own, self._port

    def setsockopt(self, level: int, option: int, value: int) -> None:
        """Options of TCP change nothing here."""


@attrs.define(kw_only=True, eq=False)
class Link:
    """A connection with both its ends."""

    who: int
    """The trader; -1: the operator."""
    process: int
    """The venue's, by its number."""
    up: Way
    """To the venue."""
    down: Way
    trader: End
    venue: End
    is_cut: bool = False

    @property
    def is_over(self) -> bool:
        """Have both ends been closed, or been cut off?"""
        return self.is_cut or (self.trader.is_closed and self.venue.is_closed)

    def look_again(self) -> None:
        """Wake whoever waits at it."""
        self.up.look_again()
        self.down.look_again()

    def cut(self, *, up_after_s: float, down_after_s: float) -> None:
        """Reset both ends; what arrives before the reset may still be read."""
        self.is_cut = True
        self.up.reset(after_s=up_after_s)
        self.down.reset(after_s=down_after_s)
        self.up.is_void = self.down.is_void = True
        self.look_again()

    def kill(self, *, down_after_s: float) -> None:
        """The process at the venue's end is dead. The trader is sent a reset, or (`inf`) hears of
        nothing until he sends something."""
        if self.venue.is_closed:
            return
        self.venue.is_closed = True
        self.up.read_no_more()
        self.down.reset(after_s=down_after_s)
        self.look_again()


def link(passage: Passage, *, who: int, process: int, address: str, venue: str, port: int) -> Link:
    """A new connection."""
    up, down = Way(passage), Way(passage)
    return Link(
        who=who,
        process=process,
        up=up,
        down=down,
        trader=End(down, up, own=address, peer=venue, port=port),
        venue=End(up, down, own=venue, peer=address, port=port),
    )
