"""The WebSocket: prices, quotes and heartbeats, a trader's private events, and bets.

A lost connection is made anew, after a wait with jitter, and the private stream goes on where it
was: whoever reads it sees each event once and in order, or a `Snapshot` in place of what can't be
had any more. Of the public channels only the newest matters, and is kept.
"""

import json
from collections import deque
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Final, Self

import attrs
import trio
from trio_websocket import (
    ConnectionClosed,
    ConnectionRejected,
    HandshakeError,
    WebSocketConnection,
    wrap_client_stream,
)

from client.answers import Account, Placed, Quote, Tick, convert, decode
from client.errors import (
    AnswerLost,
    BadAnswer,
    Refused,
    Unreachable,
    VenueError,
    refused_of,
)
from client.events import (
    CaughtUp,
    Channel,
    DrainNotice,
    Event,
    GridFrame,
    ReplyHead,
    SeqEvent,
    SessionExpired,
    SystemStatus,
    event_of,
    snapshot_of,
)
from client.http import ANSWER_WITHIN_S, connect
from client.session import Session
from client.signing import SignedBet
from client.venue import Venue
from domain.refusals import Code

ALL_CHANNELS: Final = (Channel.PRICE, Channel.GRID, Channel.STATUS)
CONNECT_WITHIN_S: Final = 30.0
"""From entering the block until the stream has begun, over several tries."""
SILENT_S_MAX: Final = 20.0
"""Longer without a frame, and the connection counts as lost. We ask for one twice as often."""
PING_EVERY_S: Final = SILENT_S_MAX / 2
WAIT_S_MIN: Final = 0.25
WAIT_S_MAX: Final = 5.0
EVENTS_WAITING_MAX: Final = 10_000
"""A reader who is so far behind loses the connection, and gets another when he has caught up."""
NEVER_AGAIN: Final = (Code.UNAUTHORIZED, Code.FORBIDDEN, Code.BAD_REQUEST)
UNREADABLE_MAX: Final = 6
"""So many connections in a row that bring nothing but what can't be read, over some 10 s, and there
is no use in another."""
WELL_AFTER_S: Final = 60.0
"""A connection that has lasted so long was a good one, however it ends."""


class Stream:
    """Use it in `async with`: inside, the private stream has begun, and `account` is as of its
    first event. Then read it in `async for`, if there is a session.

    Raises Unreachable if there is no connection for 30 s at the start, Refused if the session is
    not taken. Later failures mend themselves, with two exceptions: the session's end is the event
    `SessionExpired`; and if the venue will not have this client any more (Refused), or keeps saying
    what it can't read (BadAnswer), whatever is read or waited for raises that.
    """

    def __init__(
        self,
        venue: Venue,
        session: Session | None = None,
        *,
        channels: Sequence[Channel] = ALL_CHANNELS,
    ) -> None:
        self._venue = venue
        self._session = session
        self._channels = tuple(channels)
        self._manager = trio.open_nursery()
        self._nursery: trio.Nursery | None = None
        self._socket: WebSocketConnection | None = None
        self._replies: dict[str | int | None, _Reply] = {}
        self._events: deque[Event] = deque()
        self._news = trio.Event()  # replaced each time it is set
        self._read_one = trio.Event()  # likewise
        self._began = trio.Event()
        self._failure: VenueError | None = None
        self._last_end: BaseException | None = None
        self._unreadable = 0
        self._grid: GridFrame | None = None
        self._quote: Quote | None = None
        self._next_wait_s = WAIT_S_MIN
        self._wait_s = 0.0
        self._is_private = session is not None
        self.account: Account | None = None
        """As of the beginning; None without a session."""
        self.seq = 0
        """The newest event that has come in."""
        self.price: Tick | None = None
        self.status: SystemStatus | None = None
        self.connections = 0
        """How often it has connected; more than once, and something was lost on the way."""

    async def __aenter__(self) -> Self:
        self._nursery = await self._manager.__aenter__()
        self._nursery.start_soon(self._run)
        try:
            with trio.fail_after(CONNECT_WITHIN_S):
                await self._began.wait()
        except trio.TooSlowError:
            await self._end()
            why = f": {self._last_end!r}" if self._last_end is not None else ""
            raise Unreachable(f"no stream from {self._venue.place.authority}{why}") from None
        except BaseException:
            await self._end()
            raise
        if self._failure is not None:
            await self._end()
            raise self._failure
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # The block's own exception is not the nursery's business: it would come out in a group.
        await self._end()

    async def _end(self) -> None:
        assert self._nursery is not None
        self._nursery.cancel_scope.cancel()
        await self._manager.__aexit__(None, None, None)

    # What one reads

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        """The next private event. The last is `SessionExpired`."""
        while not self._events:
            if self._session is None:
                raise StopAsyncIteration
            await self.wait_news()
        event = self._events.popleft()
        self._read_one.set()
        self._read_one = trio.Event()
        if isinstance(event, SessionExpired):
            self._session = None
        return event

    @property
    def quote(self) -> Quote | None:
        """The newest quote; None while nothing is offered or the connection is lost."""
        if self._quote is None and self._grid is not None:
            self._quote = self._grid.quote()
        return self._quote

    async def wait_quote(self) -> Quote:
        """The newest quote, as soon as there is one. Wait under a limit of your own."""
        while (quote := self.quote) is None:
            await self.wait_news()
        return quote

    async def wait_news(self) -> None:
        """Until the next frame comes, or the connection is lost. Raises what ended the stream."""
        if self._failure is None:
            await self._news.wait()
        if self._failure is not None:
            raise self._failure

    # What one sends

    async def send_bet(self, bet: SignedBet) -> Placed:
        """Send a signed bet once. Raises Unreachable, AnswerLost or Refused.

        `Session.place_bet(..., over=stream)` also finds out what became of it.
        """
        frame = await self._ask(bet.nonce, {"op": "bet", **bet.fields()})
        return convert(frame, Placed)

    async def _ask(self, request_id: str, request: Mapping[str, Any]) -> Mapping[str, Any]:
        socket = self._socket
        if socket is None:
            raise Unreachable("the WebSocket is not connected")
        reply = self._replies[request_id] = _Reply()
        try:
            await socket.send_message(json.dumps({**request, "id": request_id}))
            with trio.fail_after(ANSWER_WITHIN_S):
                frame = await reply.wait()
        except (ConnectionClosed, trio.TooSlowError) as error:
            raise AnswerLost("no reply over the WebSocket") from error
        finally:
            self._replies.pop(request_id, None)
        if not frame["ok"]:
            raise refused_of(frame)
        return frame

    # The connection

    async def _run(self) -> None:
        while self._failure is None:
            self._wait_s = self._next_wait_s * (0.5 + self._venue.chance.random())
            self._next_wait_s = min(2 * self._next_wait_s, WAIT_S_MAX)
            began_s, seq = trio.current_time(), self.seq
            try:
                await self._converse()
            except* _ENDS as group:
                if self.seq != seq or trio.current_time() > began_s + WELL_AFTER_S:
                    self._unreadable = 0
                self._consider(group)
            self._lose()
            await trio.sleep(self._wait_s)
            await self._wait_room()

    async def _wait_room(self) -> None:
        while len(self._events) > EVENTS_WAITING_MAX // 2:
            await self._read_one.wait()

    async def _converse(self) -> None:
        """One connection, to its end, which is an exception."""
        _, stream = await connect(self._venue.place, self._venue.ssl_context)
        async with stream, trio.open_nursery() as nursery:
            with trio.fail_after(SILENT_S_MAX):
                authority = self._venue.place.authority
                socket = await wrap_client_stream(nursery, stream, authority, "/ws")
            nursery.start_soon(self._ping, socket)
            await self._greet(socket)
            while True:
                with trio.fail_after(SILENT_S_MAX):
                    text = await socket.get_message()
                await self._take(socket, decode(text, dict[str, Any]))
                self._tell()

    async def _greet(self, socket: WebSocketConnection) -> None:
        await _say(socket, "subscribe", channels=self._channels)
        if self._is_private and self._session is not None:
            since = {"seq": self.seq} if self._began.is_set() else {}
            await _say(socket, "auth", token=self._session.token, **since)

    async def _ping(self, socket: WebSocketConnection) -> None:
        while True:
            await trio.sleep(PING_EVERY_S)
            await _say(socket, "ping")

    def _consider(self, group: BaseExceptionGroup[Exception]) -> None:
        """The connection has ended. Is there any use in another?"""
        for end in group.exceptions:
            self._last_end = error = (
                _refusal_of(end) if isinstance(end, ConnectionRejected) else end
            )
            if isinstance(error, Refused):
                self._consider_refusal(error)
            elif isinstance(error, BadAnswer):
                self._unreadable += 1
                if self._unreadable >= UNREADABLE_MAX:
                    self._fail(error)

    def _consider_refusal(self, refused: Refused) -> None:
        self._wait_s = max(self._wait_s, refused.retry_after_s or 0)
        if refused.code == Code.UNAUTHORIZED and self._began.is_set():
            self._expire()
        elif refused.code in NEVER_AGAIN:
            self._fail(refused)

    def _fail(self, failure: VenueError) -> None:
        self._failure = failure
        self._began.set()

    def _lose(self) -> None:
        self._socket = self._grid = self._quote = None
        for reply in self._replies.values():
            reply.settle(None)
        self._tell()

    def _tell(self) -> None:
        self._news.set()
        self._news = trio.Event()

    # Frames

    async def _take(self, socket: WebSocketConnection, frame: Mapping[str, Any]) -> None:
        match frame.get("type"):
            case "price":
                self.price = convert(frame, Tick)
            case "grid":
                self._quote = None
                offered = frame.get("n") is not None
                self._grid = convert(frame, GridFrame) if offered else None
            case "system:status":
                self.status = convert(frame, SystemStatus)
            case "reply":
                self._take_reply(socket, frame, convert(frame, ReplyHead))
            case "drain":
                self._wait_s = convert(frame, DrainNotice).reconnect_in_ms / 1000
            case "resync_required":
                await _say(socket, "resume", seq=self.seq)
            case "session:expired":
                self._expire()
            case _ if "seq" in frame:
                self._take_event(event_of(frame))

    def _take_reply(
        self, socket: WebSocketConnection, frame: Mapping[str, Any], head: ReplyHead
    ) -> None:
        if head.id in self._replies:
            self._replies[head.id].settle(frame)
        elif not head.ok:
            raise refused_of(frame)  # of our own greeting: it is said again on the next connection
        elif head.id in ("auth", "resume") and self._began.is_set():
            self._catch_up(convert(frame, CaughtUp))
        elif head.id == "auth":
            self.account = convert(frame, Account)
            self.seq = self.account.seq
        if head.id == ("auth" if self._is_private else "subscribe"):
            self._begin(socket)

    def _begin(self, socket: WebSocketConnection) -> None:
        self._socket = socket
        if not self._unreadable:
            self._next_wait_s = WAIT_S_MIN
        self.connections += 1
        self._began.set()

    def _catch_up(self, told: CaughtUp) -> None:
        """What was missed has been sent before this reply, or here is what stands for it."""
        if told.snapshot is not None:
            snapshot = snapshot_of(told.snapshot)
            self._hand_on(snapshot)
            self.seq = snapshot.seq
        elif told.seq != self.seq:
            raise BadAnswer(f"the events up to {told.seq} did not come")

    def _take_event(self, event: SeqEvent) -> None:
        if event.seq > self.seq + 1:
            raise BadAnswer(f"event {event.seq} came after event {self.seq}")
        if event.seq > self.seq:
            self._hand_on(event)
            self.seq = event.seq

    def _hand_on(self, event: Event) -> None:
        if len(self._events) >= EVENTS_WAITING_MAX:
            raise _Behind
        self._events.append(event)

    def _expire(self) -> None:
        if self._is_private:
            self._is_private = False
            self._events.append(SessionExpired())


def _refusal_of(rejected: ConnectionRejected) -> Refused | ConnectionRejected:
    """A handshake may be refused as any request is, or by a proxy before the venue."""
    try:
        body = decode(rejected.body or b"", dict[str, Any])
        return refused_of(body, http_status=rejected.status_code)
    except BadAnswer:
        return rejected


async def _say(socket: WebSocketConnection, op: str, **fields: object) -> None:
    await socket.send_message(json.dumps({"op": op, "id": op, **fields}))


class _Behind(Exception):
    """Nobody reads the events."""


_ENDS: Final = (
    *(ConnectionClosed, HandshakeError, OSError, trio.BrokenResourceError, trio.TooSlowError),
    *(VenueError, _Behind),
)


@attrs.define(eq=False)
class _Reply:
    """Waits for the reply to one request."""

    _frame: Mapping[str, Any] | None = None
    _is_settled: trio.Event = attrs.field(factory=trio.Event)

    def settle(self, frame: Mapping[str, Any] | None) -> None:
        """It has come; None: it will not."""
        self._frame = frame
        self._is_settled.set()

    async def wait(self) -> Mapping[str, Any]:
        """The reply. Raises AnswerLost."""
        await self._is_settled.wait()
        if self._frame is None:
            raise AnswerLost("the WebSocket was lost before the reply")
        return self._frame
