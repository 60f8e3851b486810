"""One WebSocket on the wire: what its client may leave unfinished, and for how long.

Framing is hypercorn's and wsproto's. Ours is what bounds a client that means ill:

* A message has `MESSAGE_WITHIN_S` from its first piece to its last. One that is too large is handed
  over cut as soon as it is, and nothing after it.
* A socket of which nothing whole is heard for `HEARD_WITHIN_S` is closed; it is pinged before, so
  that only who does not answer is.
"""

from typing import Any, Final

import trio
from hypercorn.protocol.events import Event as StreamEvent
from hypercorn.protocol.events import StreamClosed
from hypercorn.protocol.ws_stream import WebsocketBuffer, WSStream
from wsproto.events import CloseConnection, Message, Ping, Pong

from domain.limits import BODY_BYTES_MAX

MESSAGE_WITHIN_S: Final = 10
PING_AFTER_S: Final = 20
"""Of silence."""
HEARD_WITHIN_S: Final = 60
LOOK_EVERY_S: Final = 5
"""How often silence and an unfinished message are looked at."""
FRAME_CHARACTERS_KEPT: Final = BODY_BYTES_MAX + 1
POLICY_VIOLATION: Final = 1008


class FrameBuffer(WebsocketBuffer):
    """One WebSocket message as it comes in. Of one that is too large only so much is kept that
    the Gateway sees it is too large, answers so and closes."""

    def __init__(self) -> None:
        super().__init__(FRAME_CHARACTERS_KEPT)

    @property
    def is_full(self) -> bool:
        """Is the message too large, whatever still comes of it?"""
        return self.length >= self.max_length

    def extend(self, event: Message[Any]) -> None:
        """Append, up to the limit."""
        room = self.max_length - self.length
        if room > 0 or self.value is None:
            kept = type(event)(data=event.data[: max(room, 0)])
            super().extend(kept)


class SocketStream(WSStream):
    """One WebSocket; the limits on what a client may leave unfinished are here."""

    buffer: FrameBuffer

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.buffer = FrameBuffer()
        self._heard_s = trio.current_time()  # when something whole was last heard
        self._begun_s: float | None = None  # when the message that is coming in began
        self._is_deaf = False  # after a message that was too large
        self._looking = trio.CancelScope()

    async def handle(self, event: StreamEvent) -> None:
        """One event of the connection."""
        if isinstance(event, StreamClosed):
            self._looking.cancel()
        await super().handle(event)

    async def _handle_events(self) -> None:
        ping: Ping | None = None
        for event in self.connection.events():
            if isinstance(event, Message):
                await self._take(event)
            elif isinstance(event, Ping | Pong):
                self._heard_s = trio.current_time()
                ping = event if isinstance(event, Ping) else ping
            elif isinstance(event, CloseConnection):
                await self._end(event.response())
                return
        if ping is not None:  # of several that came together the last one is answered
            await self._send_wsproto_event(ping.response())

    async def _take(self, event: Message[Any]) -> None:
        if self._is_deaf:
            return
        self.buffer.extend(event)
        if event.message_finished or self.buffer.is_full:
            self._is_deaf = not event.message_finished
            self._heard_s, self._begun_s = trio.current_time(), None
            message = self.buffer.to_message()
            self.buffer.clear()
            assert self.app_put is not None, "there are no frames before the application runs"
            await self.app_put(message)
        elif self._begun_s is None:
            self._begun_s = trio.current_time()

    async def _send_pings(self) -> None:
        """hypercorn's hook for a task of each accepted WebSocket: end it when it is overdue."""
        overdue = ""
        with self._looking:
            while not overdue:
                await trio.sleep(LOOK_EVERY_S)
                overdue = await self._look()
        if overdue:
            await self._end(CloseConnection(code=POLICY_VIOLATION, reason=overdue))

    async def _look(self) -> str:
        """Why the client has had its time; "" if it has not. A silent one is pinged."""
        now = trio.current_time()
        if self._begun_s is not None and now - self._begun_s >= MESSAGE_WITHIN_S:
            return "a message took too long"
        silence_s = now - self._heard_s
        if silence_s >= HEARD_WITHIN_S:
            return "nothing was heard for too long"
        if silence_s >= PING_AFTER_S:
            await self._send_wsproto_event(Ping())
        return ""

    async def _end(self, close: CloseConnection) -> None:
        """Say the close, if it can still be said, and end the connection."""
        await self._send_wsproto_event(close)
        await self.send(StreamClosed(stream_id=self.stream_id))
