"""Is this too often? The restart window, as a pure function of a list of times.

A supervisor as a whole may restart at most `restarts_max` times within `period_s`. A restart of a
group counts once, and each failed attempt counts. A restart counts as long as it is not older than
the period: one made exactly `period_s` ago still does.
"""


def recent(times: tuple[float, ...], now: float, period_s: float) -> tuple[float, ...]:
    """Those of `times` that still count at `now`."""
    return tuple(time for time in times if time >= now - period_s)


def add_restart(times: tuple[float, ...], now: float, period_s: float) -> tuple[float, ...]:
    """The window after one more restart at `now`."""
    return (*recent(times, now, period_s), now)


def is_exceeded(times: tuple[float, ...], restarts_max: int) -> bool:
    """Are the restarts in the window too many?"""
    return len(times) > restarts_max


def restarts_left(times: tuple[float, ...], restarts_max: int) -> int:
    return max(0, restarts_max - len(times))
