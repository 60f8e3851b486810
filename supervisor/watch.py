"""A watch: the latest value of a state. Never full; readers see the newest and wait for changes."""

from typing import Generic, Self, TypeVar

import trio

from supervisor.life import Life
from supervisor.statistics import ChannelStatistics

T = TypeVar("T")


class Watch(Generic[T]):
    """One value and its version. Every `set` is a change, also to an equal value."""

    def __init__(self, name: str, initial: T) -> None:
        self.name = name
        self._value = initial
        self._version = 0
        self._waiters = trio.lowlevel.ParkingLot()

    @property
    def value(self) -> T:
        return self._value

    @property
    def version(self) -> int:
        """0 for the initial value, one more for each `set`."""
        return self._version

    def set(self, value: T) -> None:
        self._value = value
        self._version += 1
        self._waiters.unpark_all()

    async def changed(self, after_version: int) -> tuple[int, T]:
        """Wait until the version is above `after_version`; the newest version and its value.

        Values set and replaced in between are not seen.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        if self._version > after_version:
            await trio.lowlevel.cancel_shielded_checkpoint()
        while self._version <= after_version:
            await self._waiters.park()
        return self._version, self._value

    def changes(self, life: Life | None = None) -> "Changes[T]":
        """`async for value in watch.changes()`: the value now, then the newest after each change.

        With a `life` the loop ends when the life is asked to stop, and waiting in it is idle time.
        """
        return Changes(self, life)

    async def _changed_or_stopped(self, after_version: int, life: Life) -> None:
        def wake() -> None:  # one of its own for each waiting task
            self._waiters.unpark_all()

        life.stopping.on_set(wake)
        try:
            while self._version <= after_version and not life.stopping.is_set():
                with life.idle():
                    await self._waiters.park()
        finally:
            life.stopping.forget(wake)

    def statistics(self) -> ChannelStatistics:
        """`accepted` and `handled` count how often it was set."""
        return ChannelStatistics(
            name=self.name,
            kind="watch",
            depth=0,
            peak=0,
            capacity=1,
            accepted=self._version,
            refused=0,
            handled=self._version,
            dropped=0,
            waiting_p50_ms=0.0,
            waiting_p99_ms=0.0,
            handling_p50_ms=0.0,
            handling_p99_ms=0.0,
        )


class Changes(Generic[T]):
    """The iterator of `Watch.changes`."""

    def __init__(self, watch: Watch[T], life: Life | None) -> None:
        self._watch = watch
        self._life = life
        self._seen = -1

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        if self._life is not None:
            await trio.lowlevel.checkpoint()
            await self._watch._changed_or_stopped(self._seen, self._life)
            if self._life.stopping.is_set():
                raise StopAsyncIteration
            self._seen, value = self._watch._version, self._watch._value
        else:
            self._seen, value = await self._watch.changed(self._seen)
        return value
