"""Limits that a trader sets for himself: what is in force, and what becomes of a change.

Lowering a maximum holds at once; raising or removing one waits a day, so that nobody talks himself
out of it in the heat of a game. The ledger enforces them in the deduction (`db/intake.sql`), where
a maximum that was waited for holds when its time has come, without anybody writing it.
"""

from typing import Final

import attrs

from domain.units import EpochMs, Micros

DAY_MS: Final = 86_400_000
RAISED_AFTER_MS: Final = DAY_MS
"""A raised maximum waits so long, and so long a pause lasts that is to be shorter."""


@attrs.frozen(kw_only=True)
class PendingMax:
    """What a maximum becomes at a time to come."""

    micros: Micros | None
    """None: no limit any more."""
    from_ms: EpochMs


@attrs.frozen(kw_only=True)
class SelfLimits:
    """The limits of one account as they stand; None is no limit."""

    stake_max_micros: Micros | None = None
    """The most that one bet may stake."""
    loss_day_max_micros: Micros | None = None
    """The most that may be lost in one UTC day; stakes of open bets count as lost."""
    paused_until_ms: EpochMs = 0
    """No bets before this."""
    next_stake_max: PendingMax | None = None
    next_loss_day_max: PendingMax | None = None


@attrs.frozen(kw_only=True)
class MaxAsked:
    """A maximum that a trader asks for; None: none at all."""

    micros: Micros | None


@attrs.frozen(kw_only=True)
class LimitsAsked:
    """A change of limits; what is None stays as it is."""

    stake_max: MaxAsked | None = None
    loss_day_max: MaxAsked | None = None
    paused_until_ms: EpochMs | None = None


def utc_day(at_ms: EpochMs) -> int:
    """The UTC day, counted from the epoch, by which stakes and losses are added up."""
    return at_ms // DAY_MS


def in_force(limits: SelfLimits, now_ms: EpochMs) -> SelfLimits:
    """The same limits, with every maximum whose time has come in its place."""
    stake, next_stake = _now(limits.stake_max_micros, limits.next_stake_max, now_ms)
    loss, next_loss = _now(limits.loss_day_max_micros, limits.next_loss_day_max, now_ms)
    return attrs.evolve(
        limits,
        stake_max_micros=stake,
        next_stake_max=next_stake,
        loss_day_max_micros=loss,
        next_loss_day_max=next_loss,
    )


def after(limits: SelfLimits, asked: LimitsAsked, now_ms: EpochMs) -> SelfLimits:
    """What the limits are when a trader has asked for a change.

    Asking again for what is asked for already doesn't make anybody wait anew.
    """
    now = in_force(limits, now_ms)
    stake, next_stake = _asked(now.stake_max_micros, now.next_stake_max, asked.stake_max, now_ms)
    loss, next_loss = _asked(
        now.loss_day_max_micros, now.next_loss_day_max, asked.loss_day_max, now_ms
    )
    return SelfLimits(
        stake_max_micros=stake,
        next_stake_max=next_stake,
        loss_day_max_micros=loss,
        next_loss_day_max=next_loss,
        paused_until_ms=_paused_until_ms(now.paused_until_ms, asked.paused_until_ms, now_ms),
    )


def _now(
    micros: Micros | None, pending: PendingMax | None, now_ms: EpochMs
) -> tuple[Micros | None, PendingMax | None]:
    if pending is None or now_ms < pending.from_ms:
        return micros, pending
    return pending.micros, None


def _asked(
    micros: Micros | None, pending: PendingMax | None, asked: MaxAsked | None, now_ms: EpochMs
) -> tuple[Micros | None, PendingMax | None]:
    """One maximum and what it is to become; whoever asks for less than was to come, or for what
    holds now, has thought better of it."""
    if asked is None:
        return micros, pending
    if not _is_above(asked.micros, micros):
        return asked.micros, None
    if pending is not None and not _is_above(asked.micros, pending.micros):
        return micros, attrs.evolve(pending, micros=asked.micros)
    return micros, PendingMax(micros=asked.micros, from_ms=now_ms + RAISED_AFTER_MS)


def _is_above(micros: Micros | None, other: Micros | None) -> bool:
    """None is above every number."""
    if other is None:
        return False
    return micros is None or micros > other


def _paused_until_ms(until_ms: EpochMs, asked_ms: EpochMs | None, now_ms: EpochMs) -> EpochMs:
    if asked_ms is None:
        return until_ms
    return max(asked_ms, min(until_ms, now_ms + RAISED_AFTER_MS))
