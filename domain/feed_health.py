"""HEALTHY, DEGRADED, CRITICAL: how far the price feed can be trusted (market.md, HealthMonitor).

The HealthMonitor asks on each accepted tick and at least each second; whoever calls says what time
it is. Operators' overrides are not known here: they change betting only, never this record, which
settlement rests on.

| level | age of the newest accepted tick |
|---|---|
| HEALTHY | under 3 s |
| DEGRADED | from 3 s on |
| CRITICAL | from 10 s on; or the clocks differ by more than 2 s; or a life has just begun |

CRITICAL is left only by a *steady run*: ticks over 30 s, none more than 3 s after the one before,
by the exchange's clock and by ours. A life that begins is spared the run if the record shows that
nothing was wrong shortly before.
"""

from enum import StrEnum
from statistics import median_low

import attrs

from domain.limits import (
    FEED_CRITICAL_AFTER_MS,
    FEED_DEGRADED_AFTER_MS,
    FEED_SKEW_MAX_MS,
    FEED_STEADY_MS,
)
from domain.ticks import Tick
from domain.units import EpochMs

SKEW_TICKS_KEPT = 31
"""A second of a lively market, half a minute of a feed of one tick a second: enough that a burst of
a few late ticks is outvoted, and soon enough replaced when a clock is mended."""


class FeedLevel(StrEnum):
    """How far the price feed can be trusted."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    CRITICAL = "critical"


class Why(StrEnum):
    """What put the feed on its level."""

    STARTING = "starting"
    """A life began; no tick has come yet that would tell more."""
    SILENT = "silent"
    """The newest tick is 10 s old."""
    CLOCKS_DIFFER = "clocks_differ"
    """Receive and exchange time are more than 2 s apart, the known skew allowed for; or the
    venue's clock was stepped back by more."""
    SLOW = "slow"
    """The newest tick is 3 s old."""
    FRESH = "fresh"


@attrs.frozen(kw_only=True)
class RecordTail:
    """The end of the price record as a new life finds it."""

    last_tick: Tick | None
    alive_ms: EpochMs
    """The venue's clock when the recorder last said that it runs."""
    level: FeedLevel | None
    """The last recorded feed level."""
    gap_since_healthy_ms: int
    """The longest silence in the record's last minute, its end included up to `alive_ms`."""


@attrs.frozen(kw_only=True)
class FeedHealth:
    """What is remembered between two looks at the feed."""

    level: FeedLevel
    why: Why
    since_ms: EpochMs
    """When this level began."""
    known_skew_ms: int = 0
    last: Tick | None = None
    """The newest accepted tick of this life."""
    steady_from: Tick | None = None
    """The first tick of the present steady run."""
    skews_ms: tuple[int, ...] = ()
    """Receive - exchange time, less the known skew, of the newest ticks of this source."""
    resumable_after: RecordTail | None = None
    """Set while a first tick soon after this tail would end CRITICAL without a steady run."""
    is_new_folder: bool = False

    @property
    def skew_ms(self) -> int:
        """The median of `skews_ms`, with its sign; 0 before any tick."""
        return median_low(self.skews_ms) if self.skews_ms else 0

    def clocks_differ(self, now_ms: EpochMs) -> bool:
        """Do exchange and venue, or the venue and itself, disagree by more than is tolerable?

        A venue's clock that was stepped back hides every silence until it has caught up, and no
        skew shows it: the ticks that come are ahead of it, and not accepted.
        """
        if self.last is not None and self.last.recv_ms - now_ms > FEED_SKEW_MAX_MS:
            return True
        apart = [abs(skew_ms) for skew_ms in self.skews_ms]
        return bool(apart) and median_low(apart) > FEED_SKEW_MAX_MS

    def age_ms(self, now_ms: EpochMs) -> int | None:
        """Age of the newest tick, from the older of its two times; None before the first.

        A feed that hands out old trades is as stale as one that is silent. Never below 0, though a
        clock was stepped back.
        """
        if self.last is None:
            return None
        return max(0, now_ms - _older_ms(self.last, self.known_skew_ms))


def begin(
    tail: RecordTail | None,
    *,
    now_ms: EpochMs,
    known_skew_ms: int = 0,
    was_critical: bool = False,
) -> FeedHealth:
    """The health with which a life begins: CRITICAL until the first tick.

    `tail` is None in a new data folder. `was_critical`: an earlier life of this process ended
    CRITICAL, whatever of it has reached the record.
    """
    can_resume = (
        tail is not None
        and not was_critical
        and tail.level is not FeedLevel.CRITICAL
        and tail.gap_since_healthy_ms <= FEED_CRITICAL_AFTER_MS
    )
    return FeedHealth(
        level=FeedLevel.CRITICAL,
        why=Why.STARTING,
        since_ms=now_ms,
        known_skew_ms=known_skew_ms,
        resumable_after=tail if can_resume else None,
        is_new_folder=tail is None and not was_critical,
    )


def step(health: FeedHealth, tick: Tick | None, now_ms: EpochMs) -> FeedHealth:
    """The health at `now_ms`, after `tick` if one was accepted just now."""
    if tick is not None:
        if _ends_silence(health, tick) and health.level is not FeedLevel.CRITICAL:
            health = attrs.evolve(health, level=FeedLevel.CRITICAL, why=Why.SILENT, since_ms=now_ms)
        health = _with_tick(health, tick)
    if not _is_steady(health, now_ms):
        health = attrs.evolve(health, steady_from=None)
    level, why = _judge(health, now_ms)
    if tick is not None:
        health = attrs.evolve(health, resumable_after=None, is_new_folder=False)
    if level is health.level:
        return health
    return attrs.evolve(health, level=level, why=why, since_ms=now_ms)


def next_look_ms(health: FeedHealth, now_ms: EpochMs) -> EpochMs | None:
    """When the level changes if no tick comes; None if only a tick can change it."""
    if health.last is None or health.level is FeedLevel.CRITICAL:
        return None
    limits_ms = (FEED_DEGRADED_AFTER_MS, FEED_CRITICAL_AFTER_MS)
    older_ms = _older_ms(health.last, health.known_skew_ms)
    return next((older_ms + limit for limit in limits_ms if older_ms + limit > now_ms), now_ms)


def _older_ms(tick: Tick, known_skew_ms: int) -> EpochMs:
    return min(tick.ts_ms + known_skew_ms, tick.recv_ms)


def _with_tick(health: FeedHealth, tick: Tick) -> FeedHealth:
    last = health.last
    changed_source = last is not None and last.source != tick.source
    kept = () if changed_source else health.skews_ms
    skew_ms = tick.recv_ms - tick.ts_ms - health.known_skew_ms
    runs_on = last is not None and _apart_ms(last, tick) <= FEED_DEGRADED_AFTER_MS
    return attrs.evolve(
        health,
        last=tick,
        steady_from=(health.steady_from if runs_on else None) or tick,
        skews_ms=(*kept, skew_ms)[-SKEW_TICKS_KEPT:],
    )


def _ends_silence(health: FeedHealth, tick: Tick) -> bool:
    """Was the feed silent for 10 s until this tick? Nobody may have looked in that time."""
    return health.last is not None and _apart_ms(health.last, tick) >= FEED_CRITICAL_AFTER_MS


def _apart_ms(earlier: Tick, later: Tick) -> int:
    """How far two ticks are apart, by whichever clock saw them further apart."""
    return max(later.ts_ms - earlier.ts_ms, later.recv_ms - earlier.recv_ms)


def _is_steady(health: FeedHealth, now_ms: EpochMs) -> bool:
    age_ms = health.age_ms(now_ms)
    if age_ms is None or age_ms > FEED_DEGRADED_AFTER_MS:
        return False
    return not health.clocks_differ(now_ms)


def _judge(health: FeedHealth, now_ms: EpochMs) -> tuple[FeedLevel, Why]:
    age_ms = health.age_ms(now_ms)
    if age_ms is None:
        return FeedLevel.CRITICAL, Why.STARTING
    if age_ms >= FEED_CRITICAL_AFTER_MS:
        return FeedLevel.CRITICAL, Why.SILENT
    if health.clocks_differ(now_ms):
        return FeedLevel.CRITICAL, Why.CLOCKS_DIFFER
    if health.level is FeedLevel.CRITICAL and not (_has_run(health) or _may_resume(health)):
        return FeedLevel.CRITICAL, health.why
    if age_ms >= FEED_DEGRADED_AFTER_MS:
        return FeedLevel.DEGRADED, Why.SLOW
    return FeedLevel.HEALTHY, Why.FRESH


def _has_run(health: FeedHealth) -> bool:
    """Have steady ticks come for 30 s, by both clocks?

    The run is measured between ticks: silence after the last of them adds nothing to it.
    """
    first, last = health.steady_from, health.last
    if first is None or last is None:
        return False
    return min(last.ts_ms - first.ts_ms, last.recv_ms - first.recv_ms) >= FEED_STEADY_MS


def _may_resume(health: FeedHealth) -> bool:
    """Is this the first tick of a new data folder, or soon enough after the record's end?

    Both the last tick and the last sign of life count: neither a crash loop, which says that it is
    alive without a price, nor an outage after a fresh price may skip the steady run.
    """
    if health.is_new_folder:
        return True
    tail, first = health.resumable_after, health.last
    if tail is None or first is None:
        return False
    silences_ms = [first.recv_ms - tail.alive_ms]
    if tail.last_tick is not None:
        silences_ms.append(_apart_ms(tail.last_tick, first))
    return max(silences_ms) <= FEED_CRITICAL_AFTER_MS
