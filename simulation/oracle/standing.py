"""What stands beside the money, and how it may change: session keys, and limits of one's own.

A key is what it was authorised as for ever, and revoked once. A limit that is raised waits a day,
and so long a pause lasts that is made shorter. Neither is ever lost, also where a week turns.
"""

from collections.abc import Callable, Mapping
from typing import Final

from simulation.oracle.ledger_file import Key, Limits

DAY_MS: Final = 86_400_000
Found = Callable[[str, object], None]


def check_keys(before: Mapping[str, Key], after: Mapping[str, Key], found: Found) -> None:
    """All that were known are there, and changed by nothing but their one revocation."""
    for key_id, was in before.items():
        now = after.get(key_id)
        if now == was:
            continue
        if now is None:
            found("key_lost", was)
        elif now._replace(revoked_at_ms=None) != was._replace(revoked_at_ms=None):
            found("key_changed", f"{was} -> {now}")
        elif was.revoked_at_ms is not None:
            found("revocation_changed", f"{was} -> {now}")


def check_limits(
    before: Mapping[int, Limits],
    after: Mapping[int, Limits],
    found: Found,
    *,
    from_ms: int,
    until_ms: int,
) -> None:
    """All that were known are there, and loosened by nobody before their time. What was changed was
    changed between these two times of the venue."""
    for user_id, was in before.items():
        now = after.get(user_id)
        if now == was:
            continue
        if now is None:
            found("limits_lost", was)
        else:
            _waits_a_day(was, now, found, from_ms=from_ms, until_ms=until_ms)


def _waits_a_day(was: Limits, now: Limits, found: Found, *, from_ms: int, until_ms: int) -> None:
    waited_ms = from_ms + DAY_MS
    if now.paused_until_ms < min(was.paused_until_ms, waited_ms):
        found("pause_cut_short", f"{was} -> {now} at {until_ms}")
    for at_ms in (until_ms, now.next_stake_at_ms, now.next_loss_day_at_ms, waited_ms - 1):
        if at_ms is None or not until_ms <= at_ms < waited_ms:
            continue
        for most, more in zip(in_force(was, at_ms), in_force(now, at_ms), strict=True):
            if is_above(more, most):
                found("limit_raised_early", f"{was} -> {now} at {until_ms}: {more} at {at_ms}")


def in_force(limits: Limits, at_ms: int) -> tuple[int | None, int | None]:
    """The maxima of a stake and of a day's loss at that time: what was waited for holds when its
    time has come."""
    stake_max, loss_max = limits.stake_max, limits.loss_day_max
    if limits.next_stake_at_ms is not None and limits.next_stake_at_ms <= at_ms:
        stake_max = limits.next_stake_max
    if limits.next_loss_day_at_ms is not None and limits.next_loss_day_at_ms <= at_ms:
        loss_max = limits.next_loss_day_max
    return stake_max, loss_max


def is_above(micros: int | None, other: int | None) -> bool:
    """No limit is above each."""
    return other is not None and (micros is None or micros > other)
