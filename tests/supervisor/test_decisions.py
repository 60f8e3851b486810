"""The pure decisions: strategy, intensity, back-off."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor import Backoff, Restart, Strategy
from supervisor.backoff import (
    NO_BACKOFF,
    Failures,
    after_failure,
    delay_s,
    longest_span_s,
    nominal_s,
)
from supervisor.intensity import add_restart, is_exceeded, recent, restarts_left
from supervisor.strategy import group_of, wants_restart

P, TR, TE = Restart.PERMANENT, Restart.TRANSIENT, Restart.TEMPORARY


@pytest.mark.parametrize(
    ("restart", "failed", "expected"),
    [
        (P, True, True),
        (P, False, True),
        (TR, True, True),
        (TR, False, False),
        (TE, True, False),
        (TE, False, False),
    ],
)
def test_wants_restart(restart, failed, expected):
    assert wants_restart(restart, failed=failed) is expected


@pytest.mark.parametrize(
    ("strategy", "stop", "start"),
    [
        (Strategy.ONE_FOR_ONE, (), (1,)),
        (Strategy.ONE_FOR_ALL, (3, 2, 0), (0, 1, 3)),
        (Strategy.REST_FOR_ONE, (3, 2), (1, 3)),
    ],
)
def test_group_of(strategy, stop, start):
    group = group_of(strategy, [P, TR, TE, P], 1)
    assert (group.stop, group.start) == (stop, start)


def test_a_restart_counts_while_it_is_not_older_than_the_period():
    assert recent((0.0, 1.0, 2.0), 11.0, 10.0) == (1.0, 2.0)


@given(gaps=st.lists(st.integers(0, 9), max_size=25), restarts_max=st.integers(0, 5))
def test_the_window_equals_a_count_over_all_times(gaps, restarts_max):
    now, window, times = 0.0, (), []
    for gap in gaps:
        now += gap
        times.append(now)
        window = add_restart(window, now, 10.0)
        counted = sum(time >= now - 10 for time in times)
        assert len(window) == counted
        assert is_exceeded(window, restarts_max) == (counted > restarts_max)
        assert restarts_left(window, restarts_max) == max(0, restarts_max - counted)


backoffs = st.builds(
    Backoff,
    first_s=st.floats(0, 5),
    factor=st.floats(1, 4),
    max_s=st.floats(5, 60),
    jitter=st.floats(0, 1),
    quiet_s=st.floats(61, 600),
)


@given(backoff=backoffs, in_row=st.integers(1, 50), chance=st.floats(0, 1, exclude_max=True))
def test_a_wait_is_never_above_its_nominal_nor_below_its_jitter(backoff, in_row, chance):
    assert backoff.problem() is None
    nominal = nominal_s(backoff, in_row)
    wait = delay_s(backoff, in_row, chance)
    assert nominal * (1 - backoff.jitter) - 1e-9 <= wait <= nominal <= backoff.max_s


@given(backoff=backoffs, in_row=st.integers(1, 50))
def test_waits_never_shrink_within_a_row(backoff, in_row):
    assert nominal_s(backoff, in_row) <= nominal_s(backoff, in_row + 1)


def test_a_row_ends_with_a_quiet_period():
    backoff = Backoff(quiet_s=60)
    failures = after_failure(backoff, Failures(), 0.0)
    failures = after_failure(backoff, failures, 59.0)
    assert failures.in_row == 2
    assert after_failure(backoff, failures, 119.0).in_row == 1


def test_the_longest_span_of_failures():
    backoff = Backoff(first_s=1, factor=2, max_s=5, jitter=0.5)
    assert longest_span_s(backoff, 5) == 1 + 2 + 4 + 5 + 5
    assert longest_span_s(backoff, 0) == 0
    assert longest_span_s(NO_BACKOFF, 1000) == 0


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"first_s": -1}, "0 <= first_s <= max_s"),
        ({"first_s": 6}, "0 <= first_s <= max_s"),
        ({"factor": 0.5}, "a factor of 1 or more"),
        ({"jitter": 1.1}, "a jitter from 0 to 1"),
        ({"quiet_s": 5}, "quiet_s above max_s"),
        ({"max_s": float("inf")}, "finite numbers only"),
        ({"first_s": "1"}, "finite numbers only"),
    ],
)
def test_faults_of_a_backoff(fields, problem):
    assert problem in Backoff(**fields).problem()
