"""The bounded buffer under a mailbox and under a subscription, and the one reader it has at a time.

Words
    An *inbox* is a queue of at most `capacity` messages. It belongs to the wiring and outlives the
    lives of the actor that reads it: a new life finds it as the last one left it.
    A message is *in hand* from being received until the reader says `done()`. What a crashed life
    had in hand is shown once to the next (`left_in_hand`) and never delivered again.
    A life that is asked to stop *drains*: it gets what had arrived by then, and after that
    `EndOfMailbox`. What comes later stays for the next life; an inbox that refuses when full
    refuses it at once, because a caller is better off with a certain "no" than a late answer.

Nothing is awaited between taking a message and putting it in hand, so no message can fall between.
"""

import enum
from collections import OrderedDict, deque
from types import TracebackType
from typing import Generic, Protocol, Self, TypeVar, runtime_checkable

import attrs
import trio
from trio.lowlevel import Abort, ParkingLot, RaiseCancelT, Task

from supervisor.life import Life
from supervisor.statistics import ChannelStatistics, Samples

T = TypeVar("T")

IN_HAND_MAX = 10_000  # a loop that never says `done()` is a bug, and is told so before it leaks


class WhenFull(enum.Enum):
    """What happens to a message that finds its channel full."""

    WAIT = "wait"  # the sender waits for room
    REFUSE = "refuse"  # the sender is told at once
    KEEP_LATEST = "keep_latest"  # the oldest message makes room
    DISCONNECT = "disconnect"  # the reader is cut off, and told so after what it had


class RefusedBecause(enum.Enum):
    FULL = "full"
    CLOSED = "closed"  # for good, or while its reader is stopping or stopped


class EndOfMailbox(Exception):
    """Nothing more will come: the channel is closed or the life asked to stop, and all is read."""


class MailboxClosed(Exception):
    """Sent to a channel that takes no more messages. Never raised by `offer`, which says False."""


class MailboxFull(Exception):
    """Sent to a full channel that refuses. Never raised by `offer`, which says False."""


class Overrun(Exception):
    """This reader fell behind and was cut off; it has now read all that came before."""


class ReaderBusy(RuntimeError):
    """A second reader was opened while the first is still open: two lives at once, a wiring bug."""


@runtime_checkable
class Discardable(Protocol):
    """A message that wants to know when nobody will ever handle it."""

    def discard(self) -> None: ...


@attrs.define
class _WaitingSender(Generic[T]):
    message: T
    since: float
    refused: bool = False


class Inbox(Generic[T]):
    """A bounded queue with one reader. Made by `Mailbox` and by `Topic.subscribe`."""

    def __init__(self, name: str, kind: str, capacity: int, when_full: WhenFull) -> None:
        if capacity < 1:
            raise ValueError(f"{name}: capacity must be at least 1, not {capacity}")
        self.name = name
        self.kind = kind
        self.capacity = capacity
        self.when_full = when_full
        self.handled = self.accepted = self.refused = self.dropped = self.peak = 0
        self.waiting = Samples()
        self.handling = Samples()
        self.in_hand: list[tuple[T, float]] = []  # with the time each was taken
        self.left: list[T] = []  # in hand when a life ended without finishing
        self.arrived_at = 0.0  # when the message that was taken last was let in
        self._buffer: deque[tuple[T, float]] = deque()  # with the time each was let in
        self._senders: OrderedDict[Task, _WaitingSender[T]] = OrderedDict()
        self._readers = ParkingLot()
        self._life: Life | None = None  # of the latest reader, kept after it has gone
        self._has_reader = False
        self._closed = False
        self._overrun = False
        self._to_drain: int | None = None  # set while the reader's life is stopping

    # Sending

    def is_closed(self) -> bool:
        """True if new messages are not taken: closed, overrun, or refused by a stopping reader."""
        refusing = self.when_full is WhenFull.REFUSE and self._life is not None
        return self._closed or self._overrun or (refusing and self._is_stopping())

    def has_room(self) -> bool:
        return len(self._buffer) < self.capacity

    def offer(self, message: T) -> RefusedBecause | None:
        """Let `message` in without waiting; None if it is in."""
        if self.is_closed():
            self.refused += 1
            return RefusedBecause.CLOSED
        if not self.has_room() and not self._make_room():
            self.refused += 1
            return RefusedBecause.FULL
        self._append(message, trio.current_time())
        return None

    async def put(self, message: T) -> None:
        """Let `message` in, waiting for room if this inbox says WAIT. Cancelled means not sent."""
        await trio.lowlevel.checkpoint_if_cancelled()
        if self.when_full is WhenFull.WAIT and not self.has_room() and not self.is_closed():
            await self._wait_for_room(message)
            return
        refused = self.offer(message)
        if refused is RefusedBecause.CLOSED:
            raise MailboxClosed(self.name)
        if refused is RefusedBecause.FULL:
            raise MailboxFull(self.name)
        await trio.lowlevel.cancel_shielded_checkpoint()

    def close(self) -> None:
        """Take no more messages, for good; what is in can still be read."""
        self._closed = True
        for task, sender in self._senders.items():
            sender.refused = True
            self.refused += 1
            trio.lowlevel.reschedule(task)
        self._senders.clear()
        self._readers.unpark_all()

    def _make_room(self) -> bool:
        if self.when_full is WhenFull.KEEP_LATEST:
            self._buffer.popleft()
            self._count_drained()
            self.dropped += 1
            return True
        if self.when_full is WhenFull.DISCONNECT:
            self._overrun = True
            self._readers.unpark_all()
        return False

    def _append(self, message: T, since: float) -> None:
        self._buffer.append((message, since))
        self.accepted += 1
        self._note_peak()
        if self._readers:
            self._readers.unpark_all()

    def _note_peak(self) -> None:
        depth = len(self._buffer) + len(self._senders)
        if depth > self.peak:
            self.peak = depth

    async def _wait_for_room(self, message: T) -> None:
        task = trio.lowlevel.current_task()
        sender = _WaitingSender(message, trio.current_time())
        self._senders[task] = sender
        self._note_peak()

        def abort(_: RaiseCancelT) -> Abort:
            del self._senders[task]
            return Abort.SUCCEEDED

        await trio.lowlevel.wait_task_rescheduled(abort)
        if sender.refused:
            raise MailboxClosed(self.name)

    # Receiving

    def take_nowait(self) -> T | None:
        """The oldest message, or None if there is none for this reader."""
        if not self._has_next():
            return None
        message, since = self._buffer.popleft()
        self._count_drained()
        self.arrived_at = since
        self.waiting.add(trio.current_time() - since)
        if self._senders:
            task, sender = self._senders.popitem(last=False)
            self._append(sender.message, sender.since)
            trio.lowlevel.reschedule(task)
        return message

    async def wait_for_next(self, life: Life | None) -> None:
        """Wait until there is a message to take. EndOfMailbox or Overrun if none can come."""
        await trio.lowlevel.checkpoint_if_cancelled()
        if self._has_next() or self._has_ended():
            await trio.lowlevel.cancel_shielded_checkpoint()
        while not self._has_next():
            if self._overrun and not self._buffer:
                raise Overrun(self.name)
            if self._has_ended():
                raise EndOfMailbox(self.name)
            if life is None:
                await self._readers.park()
            else:
                with life.idle():
                    await self._readers.park()

    def _has_next(self) -> bool:
        return bool(self._buffer) and self._to_drain != 0

    def _has_ended(self) -> bool:
        return self._closed or self._overrun or self._to_drain is not None

    def _count_drained(self) -> None:
        if self._to_drain:
            self._to_drain -= 1

    def _is_stopping(self) -> bool:
        return self._life is not None and self._life.stopping.is_set()

    # The reader and its life

    def open(self, life: Life) -> None:
        """A new life begins to read."""
        if self._has_reader:
            raise ReaderBusy(f"{self.name} is already being read; {life.path} may not read it too")
        self._has_reader = True
        self._life = life
        self._to_drain = None
        if life.stopping.is_set():
            self._seal()
        else:
            life.stopping.on_set(self._seal)

    def release(self, life: Life) -> None:
        """The life ends, and leaves whatever is in hand to the next."""
        life.stopping.forget(self._seal)
        self._has_reader = False
        self._to_drain = None
        self.left.extend(message for message, _ in self.in_hand)
        self.in_hand.clear()

    def drop_left(self) -> None:
        """Nobody asked for what an earlier life left in hand: it is lost, and askers are told."""
        left, self.left = self.left, []
        self.dropped += len(left)
        for message in left:
            if isinstance(message, Discardable):
                message.discard()

    def finish(self) -> None:
        """All that is in hand has been handled."""
        now = trio.current_time()
        for _, taken_at in self.in_hand:
            self.handling.add(now - taken_at)
        self.handled += len(self.in_hand)
        self.in_hand.clear()

    def _seal(self) -> None:
        self._to_drain = len(self._buffer) + len(self._senders)
        self._readers.unpark_all()

    def statistics(self) -> ChannelStatistics:
        waiting_p50_ms, waiting_p99_ms = self.waiting.percentiles_ms()
        handling_p50_ms, handling_p99_ms = self.handling.percentiles_ms()
        return ChannelStatistics(
            name=self.name,
            kind=self.kind,
            depth=len(self._buffer) + len(self._senders),
            peak=self.peak,
            capacity=self.capacity,
            accepted=self.accepted,
            refused=self.refused,
            handled=self.handled,
            dropped=self.dropped,
            waiting_p50_ms=waiting_p50_ms,
            waiting_p99_ms=waiting_p99_ms,
            handling_p50_ms=handling_p50_ms,
            handling_p99_ms=handling_p99_ms,
        )


class Reader(Generic[T]):
    """The reading end for one life: `async with mailbox.reader(life) as reader`.

    Leaving the block without an exception finishes what is in hand; with one, it is left to the
    next life.
    """

    def __init__(self, inbox: Inbox[T], life: Life) -> None:
        self._inbox = inbox
        self._life = life

    async def __aenter__(self) -> Self:
        """Open the inbox for this life. Raises ReaderBusy if another life still reads it."""
        self._inbox.open(self._life)
        self._life.channels[self._inbox.name] = self._inbox
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is None:
            self._inbox.finish()
        self._inbox.release(self._life)

    async def receive(self) -> T:
        """The next message, now in hand. EndOfMailbox when there is none and none will come."""
        while True:
            await self._inbox.wait_for_next(self._life)
            if (message := self.receive_nowait()) is not None:
                return message

    def receive_nowait(self) -> T | None:
        """The next message, now in hand, if one is waiting. Never blocks; None also at the end."""
        if self._inbox.left:
            self._inbox.drop_left()
        message = self._inbox.take_nowait()
        if message is not None:
            self._hold(message)
        return message

    async def receive_before(self, deadline: float) -> T | None:
        """The next message; None if none came by `deadline`, on trio's clock.

        A message that is waiting is given even when the deadline has passed, so that a full
        mailbox makes full batches. EndOfMailbox as in `receive`.
        """
        await trio.lowlevel.checkpoint()
        if (message := self.receive_nowait()) is not None:
            return message
        with trio.move_on_at(deadline):
            return await self.receive()
        return None

    @property
    def arrived_at(self) -> float:
        """When the message received last was sent, on trio's clock: it waited from then on."""
        return self._inbox.arrived_at

    def done(self) -> None:
        """All that is in hand has been handled."""
        self._inbox.finish()

    def left_in_hand(self) -> list[T]:
        """What earlier lives had taken and not finished, oldest first; a second call gives [].

        They are in hand again until `done()`, so that a crash while settling them leaves them to
        the life after this one. To be asked before the first receive: after it they are gone.
        """
        left, self._inbox.left = self._inbox.left, []
        for message in left:
            self._hold(message)
        return left

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        self.done()
        try:
            return await self.receive()
        except EndOfMailbox:
            raise StopAsyncIteration from None

    def _hold(self, message: T) -> None:
        in_hand = self._inbox.in_hand
        if len(in_hand) >= IN_HAND_MAX:
            raise RuntimeError(f"{self._inbox.name}: {IN_HAND_MAX} in hand, and none done")
        in_hand.append((message, trio.current_time()))
        self._life.beat()
