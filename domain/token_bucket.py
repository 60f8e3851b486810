"""Rate limits: a bucket holds `burst` tokens and gains `per_minute`; a request costs one.

In whole numbers: a token is 60,000 units, so that each millisecond adds `per_minute` of them and
nothing is ever rounded away.
"""

from typing import Final

import attrs

from domain.units import EpochMs

UNITS_PER_TOKEN: Final = 60_000


@attrs.frozen(kw_only=True)
class Bucket:
    """One bucket as it stood at `at_ms`. A bucket never seen before is full."""

    per_minute: int
    burst: int
    units: int
    at_ms: EpochMs

    @property
    def remaining(self) -> int:
        """Whole tokens left."""
        return self.units // UNITS_PER_TOKEN

    @property
    def full_after_s(self) -> int:
        """Seconds until it is full again, rounded up: after that it can be forgotten."""
        return self._seconds_to(self.burst * UNITS_PER_TOKEN)

    @property
    def next_after_s(self) -> int:
        """Seconds until it holds a token, rounded up; 0 if it does."""
        return self._seconds_to(UNITS_PER_TOKEN)

    def _seconds_to(self, units: int) -> int:
        missing = max(0, units - self.units)
        return -(-missing // (self.per_minute * 1000))


def take_token(
    before: Bucket | None, *, per_minute: int, burst: int, now_ms: EpochMs
) -> tuple[Bucket, bool]:
    """The bucket after one request, and whether the request is allowed; a refusal costs nothing.

    Changed limits count from now on. A clock that stepped back adds nothing until it has caught up.
    """
    if before is None:
        units, at_ms = burst * UNITS_PER_TOKEN, now_ms
    else:
        gained = max(0, now_ms - before.at_ms) * per_minute
        units = min(burst * UNITS_PER_TOKEN, before.units + gained)
        at_ms = max(now_ms, before.at_ms)
    allowed = units >= UNITS_PER_TOKEN
    left = units - UNITS_PER_TOKEN if allowed else units
    return Bucket(per_minute=per_minute, burst=burst, units=left, at_ms=at_ms), allowed
