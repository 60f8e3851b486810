"""Which ticks enter the record: each once, in order, and none that nobody confirms."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ticks import AHEAD_MAX_MS, Acceptance, Rejection, Tick, accept


def tick(
    ts_ms: int, trade_id: int, price_cents: int = 100_000, source: str = "a", recv_ms: int = -1
) -> Tick:
    return Tick(
        source=source,
        trade_id=trade_id,
        price_cents=price_cents,
        size_e8=1,
        ts_ms=ts_ms,
        recv_ms=ts_ms if recv_ms < 0 else recv_ms,
    )


def fed(*ticks: Tick, jump_max_bps: int = 100) -> tuple[list[Tick], list[Rejection | None]]:
    """All that entered the record, and what was said of each tick."""
    state = Acceptance()
    record: list[Tick] = []
    said: list[Rejection | None] = []
    for one in ticks:
        state, accepted = accept(state, one, jump_max_bps=jump_max_bps)
        record.extend(accepted.ticks)
        said.append(accepted.rejection)
    return record, said


def test_the_first_tick_is_accepted() -> None:
    assert fed(tick(5, 1)) == ([tick(5, 1)], [None])


def test_ticks_of_one_moment_are_ordered_by_their_id() -> None:
    first, second = tick(5, 1), tick(5, 2)
    assert fed(first, second) == ([first, second], [None, None])


@pytest.mark.parametrize(
    ("again", "rejection"),
    [
        (tick(5, 7), Rejection.DUPLICATE),
        (tick(5, 6), Rejection.LATE),
        (tick(4, 8), Rejection.LATE),
        (tick(4, 8, source="b"), Rejection.LATE),
        (tick(5, 8, source="b"), Rejection.LATE),  # ids of two sources can't be compared
        (tick(8_000, 8, recv_ms=8_000 - AHEAD_MAX_MS - 1), Rejection.AHEAD),
        (tick(6, 8, price_cents=101_001), Rejection.HELD),
        (tick(6, 8, price_cents=98_999), Rejection.HELD),
    ],
)
def test_what_is_left_out_and_why(again: Tick, rejection: Rejection) -> None:
    record, said = fed(tick(5, 7), again)
    assert record == [tick(5, 7)]
    assert said == [None, rejection]


@pytest.mark.parametrize(
    "following",
    [
        tick(5, 8),
        tick(6, 1),
        tick(6, 1, source="b"),
        tick(6, 8, price_cents=101_000),
        tick(8_000, 8, recv_ms=8_000 - AHEAD_MAX_MS),
    ],
)
def test_what_is_let_in(following: Tick) -> None:
    assert fed(tick(5, 7), following)[0] == [tick(5, 7), following]


def test_a_tick_from_the_future_makes_no_later_one_late() -> None:
    stray, sound = tick(10**9, 2, recv_ms=10), tick(11, 3)
    assert fed(tick(9, 1), stray, sound)[0] == [tick(9, 1), sound]


def test_the_first_tick_must_not_come_from_the_future_either() -> None:
    assert fed(tick(10**9, 2, recv_ms=10))[1] == [Rejection.AHEAD]


def test_a_source_with_a_known_skew_shifts_the_bound() -> None:
    early = tick(5_000, 1, recv_ms=3_000)
    _, accepted = accept(Acceptance(), early, jump_max_bps=100, ahead_max_ms=1_999)
    assert accepted.rejection is Rejection.AHEAD
    _, accepted = accept(Acceptance(), early, jump_max_bps=100, ahead_max_ms=2_000)
    assert accepted.ticks == (early,)


def test_a_jump_enters_with_the_tick_that_confirms_it() -> None:
    before, jumped, near = tick(1, 1), tick(2, 2, 120_000), tick(3, 3, 120_500)
    assert fed(before, jumped, near) == ([before, jumped, near], [None, Rejection.HELD, None])


def test_a_jump_that_nothing_confirms_never_enters() -> None:
    before, jumped, back = tick(1, 1), tick(2, 2, 120_000), tick(3, 3)
    assert fed(before, jumped, back, tick(4, 4))[0] == [before, back, tick(4, 4)]


def test_a_second_jump_elsewhere_is_held_instead_of_the_first() -> None:
    before, up, down = tick(1, 1), tick(2, 2, 120_000), tick(3, 3, 80_000)
    confirming = tick(4, 4, 80_100)
    assert fed(before, up, down, confirming)[0] == [before, down, confirming]


def test_a_jump_is_not_confirmed_by_itself() -> None:
    """An exchange that sends a tick twice after a reconnect must not confirm its own misprint."""
    record, said = fed(tick(1, 1), tick(2, 2, 120_000), tick(2, 2, 120_000))
    assert record == [tick(1, 1)]
    assert said[-1] is Rejection.DUPLICATE


def test_a_jump_is_not_confirmed_by_another_source() -> None:
    """After a failover the new source confirms its own price; the old one's never enters."""
    before = tick(1, 1)
    held, other, own = tick(2, 2, 120_000), tick(3, 1, 120_000, "b"), tick(4, 2, 120_000, "b")
    assert fed(before, held, other, own)[0] == [before, other, own]


def test_a_jump_is_not_confirmed_by_an_earlier_tick() -> None:
    before, held, earlier = tick(1, 1), tick(3, 3, 120_000), tick(2, 2, 120_000)
    assert fed(before, held, earlier)[0] == [before]


FEEDS = st.lists(
    st.builds(
        tick,
        ts_ms=st.integers(1, 40),
        trade_id=st.integers(1, 10),
        price_cents=st.sampled_from([100_000, 100_500, 120_000, 120_900, 50_000]),
        source=st.sampled_from("ab"),
    ),
    max_size=60,
)


@given(FEEDS)
def test_the_record_is_ordered_and_holds_nothing_twice(ticks: list[Tick]) -> None:
    record, _ = fed(*ticks)
    for before, after in pairwise(record):
        assert before.ts_ms <= after.ts_ms
        if before.source == after.source:
            assert before.order < after.order
    assert len({(one.source, one.order) for one in record}) == len(record)


@given(FEEDS)
def test_every_tick_enters_or_has_a_reason(ticks: list[Tick]) -> None:
    state = Acceptance()
    for one in ticks:
        state, accepted = accept(state, one, jump_max_bps=100)
        assert (accepted.rejection is None) == (one in accepted.ticks)
        assert accepted.ticks in ((), (one,)) or accepted.ticks[1:] == (one,)


@given(FEEDS)
def test_sending_all_of_it_again_changes_nothing(ticks: list[Tick]) -> None:
    """As a reconnect does, once nothing is left waiting for confirmation."""
    last = tick(50, 1)
    record, _ = fed(*ticks, last, tick(51, 2))
    assert fed(*ticks, last, tick(51, 2), *ticks)[0] == record
