"""When a full check is due."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.auditing import FIRST_FULL_CHECK_AFTER_S, full_check_in_s

DAY_S = 86_400
NOW_MS = 1_770_000_000_000


@pytest.mark.parametrize(
    ("ago_s", "in_s"),
    [
        (0, DAY_S),
        (60, DAY_S - 60),
        (DAY_S - 1, 1),
        (DAY_S, 0),
        (10 * DAY_S, 0),
        (-60, DAY_S),  # the clock went back
    ],
)
def test_one_interval_after_the_last_one(ago_s: int, in_s: float) -> None:
    checked_at_ms = NOW_MS - ago_s * 1000
    assert full_check_in_s(checked_at_ms=checked_at_ms, now_ms=NOW_MS, every_s=DAY_S) == in_s


def test_some_minutes_after_a_start() -> None:
    first_s = full_check_in_s(checked_at_ms=0, now_ms=NOW_MS, every_s=DAY_S)
    assert first_s == FIRST_FULL_CHECK_AFTER_S
    assert full_check_in_s(checked_at_ms=0, now_ms=NOW_MS, every_s=60) == 60


@given(st.integers(0, 2**43), st.integers(0, 2**43), st.integers(1, 10**7))
def test_never_later_than_the_interval(checked_at_ms: int, now_ms: int, every_s: int) -> None:
    due_s = full_check_in_s(checked_at_ms=checked_at_ms, now_ms=now_ms, every_s=every_s)
    assert 0 <= due_s <= every_s
