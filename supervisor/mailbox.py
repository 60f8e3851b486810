"""A mailbox: commands from many senders to one actor."""

from typing import Generic, TypeVar

from supervisor.inbox import (
    EndOfMailbox,
    Inbox,
    MailboxClosed,
    MailboxFull,
    Reader,
    ReaderBusy,
    RefusedBecause,
    WhenFull,
)
from supervisor.life import Life
from supervisor.statistics import ChannelStatistics

__all__ = [
    "EndOfMailbox",
    "Mailbox",
    "MailboxClosed",
    "MailboxFull",
    "Reader",
    "ReaderBusy",
    "RefusedBecause",
    "WhenFull",
]

T = TypeVar("T")


class Mailbox(Generic[T]):
    """A bounded queue to one actor, made by the wiring, that outlives the actor's lives."""

    def __init__(self, name: str, capacity: int, when_full: WhenFull = WhenFull.WAIT) -> None:
        if when_full not in (WhenFull.WAIT, WhenFull.REFUSE):
            raise ValueError(f"{name}: a mailbox waits or refuses when full, not {when_full.value}")
        self._inbox: Inbox[T] = Inbox(name, "mailbox", capacity, when_full)

    @property
    def name(self) -> str:
        return self._inbox.name

    @property
    def capacity(self) -> int:
        return self._inbox.capacity

    @property
    def when_full(self) -> WhenFull:
        return self._inbox.when_full

    async def send(self, message: T) -> None:
        """Put `message` in, waiting for room if the mailbox says WAIT; cancelled means not sent.

        Raises MailboxFull if it is full and says REFUSE, and MailboxClosed if it is closed, also
        while waiting.
        """
        await self._inbox.put(message)

    def offer(self, message: T) -> bool:
        """Put `message` in if there is room. Never blocks; False when full or closed."""
        return self._inbox.offer(message) is None

    def try_send(self, message: T) -> RefusedBecause | None:
        """As `offer`, but says why not; None if it is in."""
        return self._inbox.offer(message)

    def close(self) -> None:
        """Take no new messages, for good; what is in can still be read."""
        self._inbox.close()

    def reader(self, life: Life) -> Reader[T]:
        """The reading end for one life, to be opened with `async with`. One at a time."""
        return Reader(self._inbox, life)

    def in_hand(self) -> list[T]:
        """What its reader has taken and is not done with, and what the life before it left: for
        who looks on, and may not touch it."""
        return [*(message for message, _ in self._inbox.in_hand), *self._inbox.left]

    def statistics(self) -> ChannelStatistics:
        return self._inbox.statistics()
