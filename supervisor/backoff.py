"""How long to wait before the next attempt. Pure: randomness and time are handed in.

Attempts after failures in a row wait `first_s`, then `factor` times as long each, at most `max_s`.
Jitter only shortens a wait, by up to the fraction `jitter` of it, so that `max_s` is a maximum.
A child that did not fail for `quiet_s` begins anew with `first_s`.
"""

import math

import attrs


@attrs.frozen(kw_only=True)
class Backoff:
    """The rule. `first_s=0` means no waiting at all."""

    first_s: float = 0.1
    factor: float = 2.0
    max_s: float = 5.0
    jitter: float = 0.5  # 0.5: a wait of 4 s becomes 2 to 4 s
    quiet_s: float = 60.0

    def problem(self) -> str | None:
        """What is wrong with the numbers, or None."""
        numbers = (self.first_s, self.factor, self.max_s, self.jitter, self.quiet_s)
        if not all(_is_number(number) for number in numbers):
            return "must have finite numbers only"
        if not 0 <= self.first_s <= self.max_s:
            return f"must have 0 <= first_s <= max_s, not {self.first_s:g} and {self.max_s:g}"
        if self.factor < 1:
            return f"must have a factor of 1 or more, not {self.factor:g}"
        if not 0 <= self.jitter <= 1:
            return f"must have a jitter from 0 to 1, not {self.jitter:g}"
        if self.quiet_s <= self.max_s:
            return f"must have quiet_s above max_s, not {self.quiet_s:g} and {self.max_s:g}"
        return None


NO_BACKOFF = Backoff(first_s=0.0, max_s=0.0, jitter=0.0, quiet_s=1.0)


@attrs.frozen(kw_only=True)
class Failures:
    """The failures of one child, so far."""

    in_row: int = 0
    last_at: float = -math.inf


def after_failure(backoff: Backoff, failures: Failures, now: float) -> Failures:
    """One more failure, in a row with the earlier ones unless a quiet period lies between."""
    was_quiet = now - failures.last_at >= backoff.quiet_s
    return Failures(in_row=1 if was_quiet else failures.in_row + 1, last_at=now)


def delay_s(backoff: Backoff, in_row: int, chance: float) -> float:
    """The wait after this many failures in a row; `chance` is from [0, 1)."""
    return nominal_s(backoff, in_row) * (1 - backoff.jitter * chance)


def nominal_s(backoff: Backoff, in_row: int) -> float:
    """The longest the wait can be after this many failures in a row."""
    wait_s = backoff.first_s
    for _ in range(in_row - 1):
        if wait_s >= backoff.max_s or backoff.factor == 1:
            break
        wait_s *= backoff.factor
    return min(wait_s, backoff.max_s)


def longest_span_s(backoff: Backoff, restarts: int) -> float:
    """From the first of `restarts` + 1 failures to the last, each one following a start at once."""
    return sum(nominal_s(backoff, in_row) for in_row in range(1, restarts + 1))


def _is_number(value: object) -> bool:
    is_real = isinstance(value, int | float) and not isinstance(value, bool)
    return is_real and math.isfinite(value)  # type: ignore[arg-type]
