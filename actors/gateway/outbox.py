"""What waits to be sent to one client: bounded, and never a reason for anyone else to wait.

Replies and private events must all arrive, in order: they queue. Of prices, quotes and heartbeats
only the newest of each is worth sending: each has one slot. A client that does not keep up
therefore loses old prices first; when even its queue is full it is cut off with a reason, and takes
a snapshot when it comes back.
"""

from collections import deque
from collections.abc import Mapping
from typing import Final

import attrs
import trio

from actors.gateway.asgi import encode_json
from actors.gateway.recent_events import EVENTS_PER_WALLET_MAX
from protocols.client_socket import Channel

QUEUE_MAX: Final = 1_024
"""Frames; a trader who wins a whole column of 40 cells gets 40 at once."""
QUEUE_CHARACTERS_MAX: Final = 1024 * 1024
"""... and so much of them. A snapshot of 1,000 open bets has some 350,000, and may be asked for as
often as one likes by a client that reads none of them."""
assert EVENTS_PER_WALLET_MAX < QUEUE_MAX, "the longest replay must fit, and its reply"


@attrs.frozen
class Close:
    """End the connection with this code and reason."""

    code: int
    reason: str


DRAINING: Final = Close(1001, "draining")
NOT_TEXT: Final = Close(1008, "frames must be text")
IDLE: Final = Close(1008, "idle")
TOO_MANY_FRAMES: Final = Close(1008, "too many frames")
TOO_LARGE: Final = Close(1009, "the frame is too large")
TOO_SLOW: Final = Close(1013, "too slow")
CLOSES: Final = (DRAINING, NOT_TEXT, IDLE, TOO_MANY_FRAMES, TOO_LARGE, TOO_SLOW)
"""Every way in which the venue ends a conversation."""


def encode(frame: Mapping[str, object]) -> str:
    """A frame as it goes out."""
    return encode_json(frame).decode()


class Outbox:
    """Frames for one client, put in by anybody without waiting, taken out by its sender."""

    def __init__(self) -> None:
        self._queue: deque[str] = deque()
        self._characters = 0  # in the queue
        self._latest: dict[Channel, str] = {}
        self._closing: Close | None = None
        self._something = trio.lowlevel.ParkingLot()

    def put(self, frame: str) -> None:
        """Queue a frame that must arrive."""
        if self._closing is not None:
            return
        if self._has_room(frame):
            self._queue.append(frame)
            self._characters += len(frame)
            self._something.unpark_all()
        else:
            self._queue.clear()
            self.close(TOO_SLOW)

    def _has_room(self, frame: str) -> bool:
        """One frame finds room in an empty queue, however long it is."""
        return not self._queue or (
            len(self._queue) < QUEUE_MAX and self._characters + len(frame) <= QUEUE_CHARACTERS_MAX
        )

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
        while (frame := self.next_nowait()) is None:
            await self._something.park()
        return frame

    def next_nowait(self) -> str | Close | None:
        """As `next`, but None where it would wait."""
        if self._queue:
            frame = self._queue.popleft()
            self._characters -= len(frame)
            return frame
        if self._closing is not None:
            return self._closing
        if self._latest:
            return self._latest.pop(next(iter(self._latest)))
        return None
