"""Rate limits as token buckets, in whole numbers and by a clock that is handed in."""

import math

from hypothesis import given
from hypothesis import strategies as st

from domain.token_bucket import Bucket, take_token

NOW_MS = 1_770_100_000_000


def take(before: Bucket | None, at_ms: int, *, per_minute: int = 120, burst: int = 20) -> Bucket:
    bucket, allowed = take_token(before, per_minute=per_minute, burst=burst, now_ms=at_ms)
    assert allowed
    return bucket


def test_a_new_bucket_allows_a_burst_and_then_refuses() -> None:
    bucket: Bucket | None = None
    for left in range(19, -1, -1):
        bucket = take(bucket, NOW_MS)
        assert bucket.remaining == left
    after, allowed = take_token(bucket, per_minute=120, burst=20, now_ms=NOW_MS)
    assert not allowed
    assert after == bucket


def test_tokens_come_back_at_the_rate_to_the_millisecond() -> None:
    empty = take(None, NOW_MS, burst=1)  # 120 a minute: one every 500 ms
    _, early = take_token(empty, per_minute=120, burst=1, now_ms=NOW_MS + 499)
    _, in_time = take_token(empty, per_minute=120, burst=1, now_ms=NOW_MS + 500)
    assert (early, in_time) == (False, True)


def test_a_refused_request_costs_nothing() -> None:
    empty = take(None, NOW_MS, burst=1)
    for at_ms in range(NOW_MS, NOW_MS + 500, 50):
        empty, allowed = take_token(empty, per_minute=120, burst=1, now_ms=at_ms)
        assert not allowed
    assert take(empty, NOW_MS + 500, burst=1)


def test_it_says_when_the_next_request_and_when_it_is_full() -> None:
    bucket = take(None, NOW_MS, per_minute=5, burst=2)  # one every 12 s
    assert (bucket.remaining, bucket.next_after_s, bucket.full_after_s) == (1, 0, 12)
    bucket = take(bucket, NOW_MS, per_minute=5, burst=2)
    assert (bucket.remaining, bucket.next_after_s, bucket.full_after_s) == (0, 12, 24)


def test_it_never_holds_more_than_a_burst() -> None:
    bucket = take(take(None, NOW_MS), NOW_MS + 10**9)
    assert bucket.remaining == 19


def test_a_smaller_burst_counts_at_once() -> None:
    bucket = take(take(None, NOW_MS, burst=100), NOW_MS, burst=3)
    assert bucket.remaining == 2


def test_a_clock_that_steps_back_gives_nothing_twice() -> None:
    empty = take(None, NOW_MS, burst=1)
    stepped, allowed = take_token(empty, per_minute=120, burst=1, now_ms=NOW_MS - 60_000)
    assert not allowed
    again, allowed = take_token(stepped, per_minute=120, burst=1, now_ms=NOW_MS)
    assert not allowed
    assert again == empty


@given(
    st.lists(st.integers(0, 5_000), min_size=1, max_size=60),
    st.integers(1, 600),
    st.integers(1, 30),
)
def test_in_any_span_no_more_than_burst_plus_rate_is_allowed(
    pauses_ms: list[int], per_minute: int, burst: int
) -> None:
    bucket: Bucket | None = None
    at_ms = NOW_MS
    allowed_at: list[int] = []
    for pause_ms in pauses_ms:
        at_ms += pause_ms
        bucket, allowed = take_token(bucket, per_minute=per_minute, burst=burst, now_ms=at_ms)
        if allowed:
            allowed_at.append(at_ms)
    for index, first_ms in enumerate(allowed_at):
        for count, last_ms in enumerate(allowed_at[index:], start=1):
            assert count <= burst + math.floor((last_ms - first_ms) * per_minute / 60_000)


@given(st.integers(1, 600), st.integers(1, 30), st.integers(0, 40), st.integers(0, 10_000))
def test_who_waits_as_long_as_told_is_let_in(
    per_minute: int, burst: int, requests: int, pause_ms: int
) -> None:
    bucket: Bucket | None = None
    for _ in range(requests):
        bucket, _ = take_token(bucket, per_minute=per_minute, burst=burst, now_ms=NOW_MS)
    later_ms = NOW_MS + pause_ms
    bucket, allowed = take_token(bucket, per_minute=per_minute, burst=burst, now_ms=later_ms)
    if not allowed:
        waited_ms = later_ms + bucket.next_after_s * 1000
        assert take_token(bucket, per_minute=per_minute, burst=burst, now_ms=waited_ms)[1]
    full_ms = later_ms + bucket.full_after_s * 1000
    assert take(bucket, full_ms, per_minute=per_minute, burst=burst).remaining == burst - 1
