"""Which source is active: the first is, until it falls silent, and again once it is steady."""

from hypothesis import given
from hypothesis import strategies as st

from domain.failover import Failover, FailoverRule, begin, choose, hear, lose

RULE = FailoverRule(silent_after_ms=3_000, steady_ms=60_000)
FIRST, SECOND, THIRD = range(3)


def ticking(
    state: Failover, *sources: int, from_ms: int, until_ms: int, every_ms: int = 500
) -> Failover:
    """These sources tick steadily, the last time at `until_ms`."""
    for now_ms in range(from_ms, until_ms + 1, every_ms):
        for source in sources:
            state = hear(state, source, now_ms=now_ms, rule=RULE)
            state = choose(state, now_ms=now_ms, rule=RULE)
    return state


def test_the_first_source_begins() -> None:
    assert begin(2, now_ms=0).active == FIRST


def test_the_first_source_has_the_stale_threshold_to_show_a_tick() -> None:
    state = begin(2, now_ms=0)
    assert ticking(state, SECOND, from_ms=0, until_ms=2_500).active == FIRST
    assert ticking(state, SECOND, from_ms=0, until_ms=3_000).active == SECOND


def test_a_silent_source_is_replaced_exactly_at_the_threshold() -> None:
    state = ticking(begin(2, now_ms=0), FIRST, SECOND, from_ms=0, until_ms=10_000)
    silent = ticking(state, SECOND, from_ms=10_100, until_ms=12_900, every_ms=100)
    assert silent.active == FIRST
    assert ticking(silent, SECOND, from_ms=13_000, until_ms=13_000).active == SECOND


def test_without_ticks_elsewhere_a_silent_source_stays() -> None:
    state = ticking(begin(2, now_ms=0), FIRST, from_ms=0, until_ms=1_000)
    assert choose(state, now_ms=999_000, rule=RULE).active == FIRST


def test_a_source_that_is_silent_itself_does_not_take_over() -> None:
    state = ticking(begin(2, now_ms=0), FIRST, SECOND, from_ms=0, until_ms=1_000)
    assert choose(state, now_ms=4_000, rule=RULE).active == FIRST


def test_the_next_in_priority_that_has_ticks_takes_over() -> None:
    state = ticking(begin(3, now_ms=0), SECOND, THIRD, from_ms=0, until_ms=3_000)
    assert state.active == SECOND
    only_third = ticking(begin(3, now_ms=0), THIRD, from_ms=0, until_ms=3_000)
    assert only_third.active == THIRD


def test_the_first_comes_back_after_a_stable_minute() -> None:
    state = ticking(begin(2, now_ms=0), SECOND, from_ms=0, until_ms=10_000)
    assert state.active == SECOND
    almost = ticking(state, SECOND, FIRST, from_ms=10_500, until_ms=70_000)
    assert almost.active == SECOND
    assert ticking(almost, SECOND, FIRST, from_ms=70_500, until_ms=70_500).active == FIRST


def test_a_silence_begins_the_minute_anew() -> None:
    state = ticking(begin(2, now_ms=0), SECOND, FIRST, from_ms=0, until_ms=3_000)
    state = ticking(state, SECOND, from_ms=3_500, until_ms=6_000)
    assert state.active == SECOND
    state = ticking(state, SECOND, FIRST, from_ms=6_500, until_ms=66_000)
    assert state.active == SECOND, "its minute counts from 6.5 s, when it came back"
    assert ticking(state, SECOND, FIRST, from_ms=66_500, until_ms=66_500).active == FIRST


def test_a_lost_connection_begins_the_minute_anew_however_short() -> None:
    state = ticking(begin(2, now_ms=0), SECOND, from_ms=0, until_ms=4_000)
    state = ticking(state, SECOND, FIRST, from_ms=4_500, until_ms=60_000)
    state = lose(state, FIRST)
    state = ticking(state, SECOND, FIRST, from_ms=60_500, until_ms=120_000)
    assert state.active == SECOND
    assert ticking(state, SECOND, FIRST, from_ms=120_500, until_ms=120_500).active == FIRST


def test_a_steady_source_of_lower_priority_never_pushes_in() -> None:
    state = ticking(begin(2, now_ms=0), SECOND, from_ms=0, until_ms=2_000)
    state = ticking(state, SECOND, FIRST, from_ms=2_500, until_ms=61_000)
    assert state.active == FIRST, "also before it is steady itself"
    assert ticking(state, SECOND, FIRST, from_ms=61_500, until_ms=200_000).active == FIRST


def test_a_second_source_comes_back_while_the_first_stays_away() -> None:
    state = ticking(begin(3, now_ms=0), THIRD, from_ms=0, until_ms=3_000)
    state = ticking(state, THIRD, SECOND, from_ms=3_500, until_ms=63_500)
    assert state.active == SECOND


def test_when_the_stand_in_falls_silent_the_first_need_not_be_steady() -> None:
    state = ticking(begin(2, now_ms=0), SECOND, from_ms=0, until_ms=5_000)
    state = ticking(state, FIRST, from_ms=5_500, until_ms=8_000)
    assert state.active == FIRST


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 5_000)), max_size=200))
def test_a_switch_only_leaves_a_silent_source_or_goes_up(steps: list[tuple[int, int]]) -> None:
    state, now_ms, last_ms = begin(3, now_ms=0), 0, [0, 0, 0]
    for source, wait_ms in steps:
        now_ms += wait_ms
        before = state.active
        state = choose(hear(state, source, now_ms=now_ms, rule=RULE), now_ms=now_ms, rule=RULE)
        last_ms[source] = now_ms
        if state.active != before:
            silent = now_ms - last_ms[before] >= RULE.silent_after_ms
            assert silent or state.active < before
            assert now_ms - last_ms[state.active] < RULE.silent_after_ms


def test_one_source_alone_stays_active() -> None:
    state = begin(1, now_ms=0)
    for now_ms in range(0, 45_000, 9_000):
        state = choose(hear(state, 0, now_ms=now_ms, rule=RULE), now_ms=now_ms, rule=RULE)
        assert state.active == 0
