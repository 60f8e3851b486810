"""A topic: events from one writer to many readers, each with its own bound and when-full rule."""

from contextlib import suppress
from typing import Generic, TypeVar

import trio

from supervisor.inbox import Inbox, MailboxClosed, Overrun, Reader, RefusedBecause, WhenFull
from supervisor.life import Life
from supervisor.statistics import ChannelStatistics

__all__ = ["Overrun", "Subscription", "Topic"]

T = TypeVar("T")


class Subscription(Generic[T]):
    """One reader's view of a topic; outlives the reader's lives as a mailbox does.

    One that was cut off (DISCONNECT) stays cut off: begin again with a new subscription.
    """

    def __init__(self, topic: "Topic[T]", inbox: Inbox[T]) -> None:
        self._topic = topic
        self._inbox = inbox

    @property
    def name(self) -> str:
        return self._inbox.name

    def reader(self, life: Life) -> Reader[T]:
        """The reading end for one life of an actor, to be opened with `async with`."""
        return Reader(self._inbox, life)

    async def receive(self) -> T:
        """The next event, for a task that is no actor (a connection's handler).

        Raises Overrun once a reader that was cut off has read what came before, and EndOfMailbox
        once the subscription is closed and read. Nothing is in hand; no handling time is measured.
        """
        while True:
            await self._inbox.wait_for_next(None)
            if (event := self._inbox.take_nowait()) is not None:
                self._inbox.handled += 1
                return event

    def receive_nowait(self) -> T | None:
        """The next event if one is waiting; never blocks."""
        event = self._inbox.take_nowait()
        if event is not None:
            self._inbox.handled += 1
        return event

    def close(self) -> None:
        """Unsubscribe. What is buffered can still be read. Idempotent."""
        self._topic._unsubscribe(self)
        self._inbox.close()

    def statistics(self) -> ChannelStatistics:
        return self._inbox.statistics()


class Topic(Generic[T]):
    """Events to any number of subscriptions. Publishing without any is allowed."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._inboxes: dict[Subscription[T], Inbox[T]] = {}
        self._published = 0
        self._refused_before = 0  # by subscriptions that have gone
        self._dropped_before = 0

    def subscribe(
        self, name: str, capacity: int, when_full: WhenFull = WhenFull.WAIT
    ) -> Subscription[T]:
        """A new subscription, called `topic/name`; it sees events published from now on."""
        if when_full is WhenFull.REFUSE:
            raise ValueError(f"{self.name}/{name}: a reader of a topic cannot refuse an event")
        inbox: Inbox[T] = Inbox(f"{self.name}/{name}", "subscription", capacity, when_full)
        subscription = Subscription(self, inbox)
        self._inboxes[subscription] = inbox
        return subscription

    async def publish(self, event: T) -> None:
        """Give `event` to every reader; waits only for WAIT readers that are full.

        Cancelled while waiting means that the WAIT readers still to be served do not get it.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        full = self._deliver(event)
        for inbox in full:
            with suppress(MailboxClosed):  # unsubscribed while it was waited for
                await inbox.put(event)
        if not full:
            await trio.lowlevel.cancel_shielded_checkpoint()

    def publish_nowait(self, event: T) -> None:
        """Give `event` to every reader, or to none: trio.WouldBlock if a WAIT reader is full."""
        for inbox in self._inboxes.values():
            if inbox.when_full is WhenFull.WAIT and not inbox.has_room():
                raise trio.WouldBlock
        self._deliver(event)

    def _deliver(self, event: T) -> list[Inbox[T]]:
        """Give `event` to all who have room; returns the full ones that want to be waited for."""
        self._published += 1
        full: list[Inbox[T]] = []
        for subscription, inbox in tuple(self._inboxes.items()):
            if inbox.when_full is WhenFull.WAIT and not inbox.has_room():
                full.append(inbox)
            elif inbox.offer(event) is RefusedBecause.FULL:
                self._unsubscribe(subscription)  # a DISCONNECT reader that fell behind
        return full

    def _unsubscribe(self, subscription: Subscription[T]) -> None:
        inbox = self._inboxes.pop(subscription, None)
        if inbox is not None:
            self._refused_before += inbox.refused
            self._dropped_before += inbox.dropped

    def statistics(self) -> ChannelStatistics:
        """Of all readers: depth, peak and times of the worst one, counts summed.

        `accepted` and `handled` count events published; a topic keeps none itself.
        """
        readers = [inbox.statistics() for inbox in self._inboxes.values()]
        return ChannelStatistics(
            name=self.name,
            kind="topic",
            depth=max((r.depth for r in readers), default=0),
            peak=max((r.peak for r in readers), default=0),
            capacity=max((r.capacity for r in readers), default=0),
            accepted=self._published,
            refused=self._refused_before + sum(r.refused for r in readers),
            handled=self._published,
            dropped=self._dropped_before + sum(r.dropped for r in readers),
            waiting_p50_ms=max((r.waiting_p50_ms for r in readers), default=0.0),
            waiting_p99_ms=max((r.waiting_p99_ms for r in readers), default=0.0),
            handling_p50_ms=max((r.handling_p50_ms for r in readers), default=0.0),
            handling_p99_ms=max((r.handling_p99_ms for r in readers), default=0.0),
        )
