"""Messages of the market: prices, feed health, quotes, and what the recorder is told."""

from enum import StrEnum
from typing import TypeAlias

import attrs

from domain.feed_health import FeedLevel as FeedLevel
from domain.placement import Gate
from domain.ticks import Tick
from domain.units import EpochMs
from protocols.upkeep import DiskStatus


class Override(StrEnum):
    """An operator's word over the circuit breaker."""

    AUTO = "auto"
    OPEN = "open"
    """Betting is refused."""
    CLOSE = "close"
    """Automatic opening is suppressed, but never without a live quote."""


@attrs.frozen(kw_only=True)
class FeedStatus:
    """The state of feed and breaker, as the HealthMonitor has it now (a Watch)."""

    level: FeedLevel
    since_ms: EpochMs
    """When this level began."""
    last_tick_ms: EpochMs | None
    """Exchange time of the newest accepted tick."""
    last_recv_ms: EpochMs | None
    skew_ms: int
    """Median of receive - exchange time over the last ticks, less the source's known skew."""
    source: str | None
    override: Override = Override.AUTO
    override_by: str = ""
    override_why: str = ""

    def breaker_open(self) -> bool:
        """Is betting refused because of the feed or of an operator's override?"""
        return self.override is Override.OPEN or self.closed_by_feed()

    def closed_by_feed(self) -> bool:
        """Is the feed CRITICAL, and no override lets bets through all the same?"""
        return self.level is FeedLevel.CRITICAL and self.override is not Override.CLOSE


@attrs.frozen(kw_only=True)
class FeedLevelChanged:
    """The feed's level changed. Sent to the recorder, which keeps the intervals."""

    level: FeedLevel
    at_ms: EpochMs
    why: str


@attrs.frozen(kw_only=True)
class FeedBegan:
    """A life of the price feed began: ticks of the life before it may be missing up to here."""


RecordEntry: TypeAlias = Tick | FeedLevelChanged | FeedBegan
"""What the recorder's mailbox takes, in the order it happened."""


@attrs.frozen(kw_only=True)
class Watermark:
    """Ticks up to this exchange time are committed (a Watch of the recorder)."""

    ts_ms: EpochMs = 0
    behind_ticks: int = 0
    """How many ticks came behind it since the venue started, and were left out of the record."""


@attrs.frozen(kw_only=True)
class SetOverride:
    """Operator command to the HealthMonitor. Answered with the resulting FeedStatus."""

    override: Override
    by: str
    why: str


@attrs.frozen(kw_only=True)
class Hold:
    """An operator's hold on betting (a Watch; kept durably by the ledger)."""

    held: bool = False
    by: str = ""
    why: str = ""


@attrs.frozen(kw_only=True)
class SourceState:
    """One source as the PriceFeed sees it, for status."""

    name: str
    connected: bool
    active: bool
    reconnects: int
    last_recv_ms: EpochMs | None
    """When a tick of it came last, accepted or not."""
    last_error: str = ""
    last_tick: Tick | None = None
    """Its newest accepted tick."""
    accepted: int = 0
    """Ticks that entered the record; the counts below are of those of the active source too."""
    duplicates: int = 0
    late: int = 0
    ahead: int = 0
    held: int = 0
    """Ticks held for a jump, whether or not a second one confirmed them."""
    unreadable: int = 0
    """Frames or rows that could not be read."""


def betting_gate(status: FeedStatus, hold: Hold, disk: DiskStatus) -> Gate:
    """Whether betting is open, from the feed's state, the override, the hold and the disk.

    An override `open` refuses like a hold does, because the feed itself may be well; `close` lets
    bets through a CRITICAL feed as long as there is a live quote, which `rate_of_bet` sees to.
    """
    return Gate(
        feed_critical=status.closed_by_feed(),
        held=hold.held or status.override is Override.OPEN,
        disk_full=disk.level.refuses_bets,
    )


FEED_UNKNOWN = FeedStatus(
    level=FeedLevel.CRITICAL,
    since_ms=0,
    last_tick_ms=None,
    last_recv_ms=None,
    skew_ms=0,
    source=None,
)
"""What is known of the feed before its monitor has run: nothing, so betting is closed."""
