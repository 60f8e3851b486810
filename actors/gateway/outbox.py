"""What waits to be sent to one client: bounded, and never a reason for anyone else to wait.

Replies and private events must all arrive, in order: they queue. Of prices, quotes and heartbeats
only the newest of each is worth sending: each has one slot. A client that does not keep up
therefore loses old prices first; when even its queue is full it is cut off with a reason, and takes
a snapshot when it comes back.
"""

from collections import deque
from typing import Final

import attrs
import trio

from protocols.client_socket import Channel

QUEUE_MAX: Final = 512
"""Frames; a trader who wins a whole column of 40 cells gets 40 at once."""


@attrs.frozen
class Close:
    """End the connection with this code and reason."""

    code: int
    reason: str


GOING_AWAY: Final = 1001
POLICY: Final = 1008
TOO_BIG: Final = 1009
TRY_AGAIN_LATER: Final = 1013

TOO_SLOW: Final = Close(TRY_AGAIN_LATER, "too slow")


class Outbox:
    """Frames for one client, put in by anybody without waiting, taken out by its sender."""

    def __init__(self) -> None:
        self._queue: deque[str] = deque()
        self._latest: dict[Channel, str] = {}
        self._closing: Close | None = None
        self._something = trio.lowlevel.ParkingLot()

    def put(self, frame: str) -> None:
        """Queue a frame that must arrive."""
        if self._closing is not None:
            return
        if len(self._queue) < QUEUE_MAX:
            self._queue.append(frame)
            self._something.unpark_all()
        else:
            self._queue.clear()
            self.close(TOO_SLOW)

    def put_latest(self, channel: Channel, frame: str) -> None:
        """Offer a frame that the next one of its channel replaces."""
        if self._closing is None:
            self._latest[channel] = frame
            self._something.unpark_all()

    def close(self, close: Close) -> None:
        """Send what is queued, then end the connection. The first close counts."""
        if self._closing is None:
            self._closing = close
            self._latest.clear()
            self._something.unpark_all()

    def forget(self, channel: Channel) -> None:
        """The client does not want this channel any more."""
        self._latest.pop(channel, None)

    @property
    def closing(self) -> Close | None:
        """How the connection is about to end, if it is."""
        return self._closing

    async def next(self) -> str | Close:
        """The next frame to send, what must arrive first; or the end."""
        while True:
            if self._queue:
                return self._queue.popleft()
            if self._closing is not None:
                return self._closing
            if self._latest:
                return self._latest.pop(next(iter(self._latest)))
            await self._something.park()
