"""One connection to Redis for all callers: what they ask at the same time goes out together.

A call is put into a bounded queue. One task takes all that wait (at most `BATCH_MAX`), sends them
as one pipeline and hands out the replies; meanwhile the next batch gathers. So 256 bets at once
cost one round trip, and one bet alone waits for nobody.

What always holds:

* A call ends within `answer_within_ms`: by its reply, or by StoreUnavailable. A server that takes
  more than half of that for a round trip counts as down, since a call may wait for the one before.
* A call is sent once at most. If its reply is lost nobody knows whether it was carried out, and
  its caller is told so; only what the server says it has not run (NOSCRIPT) is sent again.
* A call that nobody waits for any more is not sent, and does no harm to those sent with it.
* While the server does not answer calls fail at once, and connecting is tried again and again.

The connection is coredis' own, used without its pool: that loses a place for each connection that
breaks while it is in use, and blocks for ever once all are gone (coredis 6.9).
"""

import logging
import math
import re
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeAlias

import attrs
import trio
from anyio import BrokenResourceError, EndOfStream
from coredis.commands import CommandRequest
from coredis.connection import BaseConnection
from coredis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    BusyLoadingError,
    NoScriptError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)
from coredis.exceptions import (
    ConnectionError as ConnectionLost,
)
from trio.lowlevel import ParkingLot

from protocols.ports import StoreUnavailable

Command: TypeAlias = CommandRequest[Any]
Reply: TypeAlias = Any
"""What the parser made of it: bytes, int, None, a list of those, or an exception."""

BATCH_MAX: Final = 256
"""Some 4 ms of work for the event loop to pack and parse, and under 1 ms for the server."""
WAITING_MAX: Final = 8_192
"""2,000 bets a second make 3 calls each: over a second of them. More would be answered too late."""
LEFT_S_MIN: Final = 0.001
"""What a batch is given whose oldest call has hardly any time left; 0 would be no limit at all."""
RETRY_S_MIN: Final = 0.05
RETRY_S_MAX: Final = 1.0
"""Also how long a connection must have lasted for the next failure to count as the first."""
REFUSES_FOR_S: Final = 15.0
"""A server that refused something counts as refusing for so long after the last time: a full one
still answers reads, and at the brink it takes one write and refuses the next."""

# It logs a stack for each attempt on a server that does not answer. Here each reason is told once.
logging.getLogger("coredis").setLevel(logging.CRITICAL)


class _NoAnswer(Exception):
    """Stands for a reply that did not come in time."""


@attrs.define(eq=False)
class _Call:
    """One caller's command, and what became of it."""

    command: Command
    deadline: float
    """On trio's clock. Calls are sent in the order of their deadlines."""
    reply: Reply = None
    failure: str | None = None
    given_up: bool = False
    ended: trio.Event = attrs.field(factory=trio.Event)

    def answer(self, reply: Reply) -> None:
        """End with what the server said, which may be an error."""
        if isinstance(reply, BaseException):
            self.fail(_words(reply))
        else:
            self.reply = reply
            self.ended.set()

    def fail(self, why: str) -> None:
        """End without a reply, unless there is one."""
        if not self.ended.is_set():
            self.failure = why
            self.ended.set()


class RedisPipeline:
    """Calls of many tasks over one connection that is made anew whenever it breaks."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[BaseConnection]],
        *,
        prepare: Sequence[Command],
        answer_within_ms: int,
        tell: Callable[[str], None],
    ) -> None:
        """`connect` makes a new connection that does not run yet; `prepare` is sent over each one
        first, and again when the server has forgotten a script.

        `tell` is called with each new reason why calls fail, and with "" when they work again.
        """
        self._connect = connect
        self._prepare = tuple(prepare)
        self._limit_s = answer_within_ms / 1000
        self._no_answer = f"no answer within {answer_within_ms} ms"
        self._tell = tell
        self._waiting: deque[_Call] = deque()
        self._arrivals = ParkingLot()
        self._down: str | None = "not connected yet"
        self._told: set[str] = set()
        self._refuses_until = -math.inf
        """On trio's clock."""
        self._tried = trio.Event()
        self.round_trips = 0
        self.commands = 0

    async def call(self, command: Command) -> Reply:
        """The server's reply. Raises StoreUnavailable, also if it can't be known what happened."""
        if self._down is not None:
            raise StoreUnavailable(f"Redis: {self._down}")
        if len(self._waiting) >= WAITING_MAX:
            raise StoreUnavailable(f"Redis: {WAITING_MAX} calls are waiting for it")
        call = _Call(command, trio.current_time() + self._limit_s)
        self._waiting.append(call)
        if self._arrivals:
            self._arrivals.unpark()
        try:
            await call.ended.wait()
        finally:
            call.given_up = True
        if call.failure is not None:
            raise StoreUnavailable(f"Redis: {call.failure}")
        return call.reply

    async def wait_tried(self) -> None:
        """Until the first attempt to connect has succeeded or failed."""
        await self._tried.wait()

    async def run(self) -> None:
        """Be connected and serve calls, until cancelled."""
        failures = 0
        try:
            while True:
                began_at = trio.current_time()
                await self._live()
                lasted = trio.current_time() - began_at >= RETRY_S_MAX + self._limit_s
                failures = 0 if lasted else failures + 1
                await trio.sleep(_retry_s(failures))
        finally:
            self._down = "closed"
            self._fail_waiting()

    # One connection

    async def _live(self) -> None:
        """One connection, from its start to its end."""
        async with trio.open_nursery() as nursery:
            connection = await self._opened(nursery)
            if connection is not None:
                self._recover()
                await self._serve(connection)
                nursery.cancel_scope.cancel()
        if self._down is None:
            self._fail("the connection was lost")

    async def _opened(self, nursery: trio.Nursery) -> BaseConnection | None:
        """A connection that runs in the nursery and is prepared; None if it did not come about."""
        with trio.move_on_after(self._limit_s) as limit:
            try:
                connection = await self._connect()
                await nursery.start(_run, connection, nursery.cancel_scope)
                replies = await self._round_trip(connection, self._prepare, limit.deadline)
                refused = [reply for reply in replies if isinstance(reply, BaseException)]
                if not refused:
                    return connection
                self._fail(_words(refused[0]))
            except (RedisError, OSError, EndOfStream, BrokenResourceError) as error:
                # Cut off by the limit, coredis raises an error of its own.
                self._fail(self._no_answer if limit.cancel_called else _words(error))
        if limit.cancelled_caught:
            self._fail(self._no_answer)
        nursery.cancel_scope.cancel()
        return None

    async def _serve(self, connection: BaseConnection) -> None:
        """Send what waits, batch by batch, for as long as the server answers.

        Cancelled when the connection ends.
        """
        while connection.usable:
            batch = self._next_batch()
            if batch:
                await self._exchange(connection, batch)
            else:
                await self._arrivals.park()

    def _next_batch(self) -> list[_Call]:
        batch: list[_Call] = []
        while self._waiting and len(batch) < BATCH_MAX:
            call = self._waiting.popleft()
            if not call.given_up:
                batch.append(call)
        return batch

    async def _exchange(self, connection: BaseConnection, batch: Sequence[_Call]) -> None:
        """Send a batch, and end every call of it by the deadline of the oldest.

        None that waits meanwhile has an earlier one, and if no answer comes all of them end too:
        so each call ends in time without a timer of its own, which would cost more than all else.
        """
        deadline = batch[0].deadline
        try:
            commands = [call.command for call in batch]
            replies = await self._round_trip(connection, commands, deadline)
            self._notice_refusals(replies)
            unknown = _answer_known(batch, replies)
            if unknown:
                again = [*self._prepare, *(call.command for call in unknown)]
                replies = await self._round_trip(connection, again, deadline)
                for call, reply in zip(unknown, replies[len(self._prepare) :], strict=True):
                    call.answer(reply)
        except ConnectionLost as error:  # it broke before the batch was sent
            self._fail(_words(error))
        finally:
            for call in batch:
                call.fail("the connection was lost before the answer came")

    async def _round_trip(
        self, connection: BaseConnection, commands: Sequence[Command], deadline: float
    ) -> Sequence[Reply]:
        """Replies in the order of the commands, with an exception for each that has none.

        Raises ConnectionLost if nothing was sent. After a reply that did not come in time the
        connection is no longer used, so that a late one is never taken for another's.
        """
        left_s = max(LEFT_S_MIN, deadline - trio.current_time())
        request = connection.create_request_batch(commands, timeout=left_s)
        self.round_trips += 1
        self.commands += len(commands)
        replies = await request
        if any(isinstance(reply, TimeoutError) for reply in replies):
            self._fail(self._no_answer)
        return [
            _NoAnswer(self._no_answer) if isinstance(reply, TimeoutError) else reply
            for reply in replies
        ]

    # Up and down

    def _notice_refusals(self, replies: Sequence[Reply]) -> None:
        """Tell of a server that answers, and does not do what it is asked: it is full, or worse."""
        now = trio.current_time()
        for reply in replies:
            if isinstance(reply, ResponseError) and not isinstance(reply, NoScriptError):
                self._refuses_until = now + REFUSES_FOR_S
                self._tell_once(_words(reply))
        if self._told and self._down is None and now >= self._refuses_until:
            self._recover()

    def _recover(self) -> None:
        if self._told:
            self._tell("")
        self._told.clear()
        self._down = None
        self._tried.set()

    def _fail(self, why: str) -> None:
        """From now on calls fail at once, those that wait included."""
        self._down = why
        self._fail_waiting()
        self._tell_once(why)
        self._tried.set()

    def _tell_once(self, why: str) -> None:
        if why not in self._told:
            self._told.add(why)
            self._tell(why)

    def _fail_waiting(self) -> None:
        while self._waiting:
            self._waiting.popleft().fail(self._down or "")


async def _run(
    connection: BaseConnection,
    life: trio.CancelScope,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """The connection's own tasks; `life` ends with them."""
    await connection.run(task_status=task_status)
    life.cancel()


def _answer_known(batch: Sequence[_Call], replies: Sequence[Reply]) -> list[_Call]:
    """Hand the replies out; the calls of a script that the server does not have are left over."""
    unknown: list[_Call] = []
    for call, reply in zip(batch, replies, strict=True):
        if isinstance(reply, NoScriptError) and not call.given_up:
            unknown.append(call)
        else:
            call.answer(reply)
    return unknown


def _retry_s(failures: int) -> float:
    """The wait before the next attempt: none after a connection that had lasted, then doubling."""
    if failures == 0:
        return 0.0
    return min(RETRY_S_MAX, math.ldexp(RETRY_S_MIN, min(failures - 1, 10)))


# --- failures in words ------------------------------------------------------------------------


def _words(error: BaseException) -> str:
    """What is wrong, for people. Redis quotes keys and values in some errors: never its text."""
    match error:
        case _NoAnswer():
            return str(error)
        case BusyLoadingError():
            return "it is still loading its data"
        case ReadOnlyError():
            return "it is a replica, and takes no writes"
        case AuthenticationError() | AuthorizationError():
            return "it refuses the user or the password"
        case ResponseError():
            code = re.match(r"[A-Z]{2,}\b", str(error))
            return _CODES.get(code[0], f"it answered {code[0]}") if code else "it answered ERR"
    cause = _first_cause(error)
    if isinstance(cause, OSError) and cause.strerror:
        return f"can't be reached: {cause.strerror}"
    return "the connection was lost"


def _first_cause(error: BaseException) -> BaseException:
    """Of an attempt on several addresses, that of the first."""
    while error.__cause__ is not None:
        error = error.__cause__
        if isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
    return error


_CODES: Final = {
    "OOM": "its memory is full",
    "MISCONF": "it can't write to its disk",
    "MASTERDOWN": "it is a replica that has lost its source",
}
