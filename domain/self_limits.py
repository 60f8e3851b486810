"""Limits that a trader sets for himself: what is in force, and what becomes of a change.

Lowering a maximum holds at once; raising or removing one waits a day, so that nobody talks himself
out of it in the heat of a game. The ledger enforces them in the deduction (`db/intake.sql`).
"""

import attrs

from domain.units import EpochMs, Micros


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
