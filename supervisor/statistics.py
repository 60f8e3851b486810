"""What a channel counts about itself: how deep, how long, how often refused.

Every channel answers `statistics()` with one frozen `ChannelStatistics`. Times are taken from
trio's clock, so under a MockClock they are exact. Percentiles are over the latest `SAMPLES_KEPT`
messages: a bounded window shows what the channel does now, and never grows.
"""

import math
from collections import deque
from collections.abc import Iterable
from typing import Protocol

import attrs

SAMPLES_KEPT = 1024  # 8 KiB a series; p99 then rests on ten samples


@attrs.frozen(kw_only=True)
class ChannelStatistics:
    """A snapshot of one channel. Times are milliseconds, 0.0 until something was measured."""

    name: str
    kind: str  # mailbox, topic, subscription or watch
    depth: int  # messages waiting now, those of waiting senders included
    peak: int  # the largest depth ever seen
    capacity: int
    accepted: int  # messages let in
    refused: int  # messages not let in, because the channel was full or closed
    handled: int  # messages whose reader has finished them
    dropped: int  # messages let in, and lost to newer ones or never handed to a later life
    waiting_p50_ms: float  # from being let in to being received
    waiting_p99_ms: float
    handling_p50_ms: float  # from being received to being finished
    handling_p99_ms: float


class Channel(Protocol):
    """Whatever carries messages and counts them."""

    @property
    def name(self) -> str: ...

    def statistics(self) -> ChannelStatistics: ...


class Samples:
    """The latest `SAMPLES_KEPT` durations, in seconds."""

    def __init__(self) -> None:
        self._seconds: deque[float] = deque(maxlen=SAMPLES_KEPT)

    def add(self, seconds: float) -> None:
        self._seconds.append(seconds)

    def percentiles_ms(self) -> tuple[float, float]:
        """The p50 and the p99 of what is kept, in milliseconds."""
        return percentiles_ms(self._seconds)


def percentiles_ms(seconds: Iterable[float]) -> tuple[float, float]:
    """p50 and p99 by nearest rank, in milliseconds; (0.0, 0.0) of nothing."""
    ordered = sorted(seconds)
    if not ordered:
        return 0.0, 0.0
    half = ordered[math.ceil(0.50 * len(ordered)) - 1]
    most = ordered[math.ceil(0.99 * len(ordered)) - 1]
    return half * 1000, most * 1000
