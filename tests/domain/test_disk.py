"""How full is too full: exact thresholds, and levels that don't flap."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.disk import DiskLevel, DiskThresholds, DiskUse, disk_level

NORMAL, WARNING, FULL, EMERGENCY = DiskLevel
GIB = 2**30
DEFAULT = DiskThresholds()


def use(percent: float, *, total_bytes: int = 100_000) -> DiskUse:
    return DiskUse(
        total_bytes=total_bytes, free_bytes=total_bytes - round(total_bytes * percent / 100)
    )


levels = st.sampled_from(DiskLevel)
uses = st.integers(1, 2**50).flatmap(
    lambda total: st.builds(DiskUse, total_bytes=st.just(total), free_bytes=st.integers(0, total))
)
thresholds = st.builds(
    lambda percents, ample: DiskThresholds(
        warning_percent=percents[0],
        full_percent=percents[1],
        emergency_percent=percents[2],
        ample_free_bytes=ample,
    ),
    st.lists(st.integers(1, 100), min_size=3, max_size=3, unique=True).map(sorted),
    st.one_of(st.just(0), st.integers(1, 2**50)),
)


@pytest.mark.parametrize(
    ("percent", "level"),
    [
        (0, NORMAL),
        (69.999, NORMAL),
        (70, WARNING),
        (84.999, WARNING),
        (85, FULL),
        (94.999, FULL),
        (95, EMERGENCY),
        (100, EMERGENCY),
    ],
)
def test_a_level_is_reached_at_its_percentage(percent: float, level: DiskLevel) -> None:
    assert disk_level(use(percent), DEFAULT, before=NORMAL) is level


@pytest.mark.parametrize(
    ("before", "percent", "after"),
    [
        (EMERGENCY, 93, EMERGENCY),
        (EMERGENCY, 92.999, FULL),
        (FULL, 83, FULL),
        (FULL, 82.999, WARNING),
        (WARNING, 68, WARNING),
        (WARNING, 67.999, NORMAL),
        (EMERGENCY, 10, NORMAL),
        (EMERGENCY, 84, FULL),
        (EMERGENCY, 69, WARNING),
    ],
)
def test_a_level_is_left_two_points_below(
    before: DiskLevel, percent: float, after: DiskLevel
) -> None:
    assert disk_level(use(percent), DEFAULT, before=before) is after


def test_a_level_below_is_not_held_by_one_that_was_never_reached() -> None:
    assert disk_level(use(84), DEFAULT, before=WARNING) is WARNING
    assert disk_level(use(69), DEFAULT, before=NORMAL) is NORMAL


def test_betting_is_refused_from_full_on() -> None:
    assert [level for level in DiskLevel if level.refuses_bets] == [FULL, EMERGENCY]


# --- ample room -----------------------------------------------------------------------------------

LAPTOP = DiskThresholds(ample_free_bytes=10 * GIB)


def free(gib: float) -> DiskUse:
    """So much is free of a terabyte, which is at least 98 % in use."""
    return DiskUse(total_bytes=1024 * GIB, free_bytes=round(gib * GIB))


def test_no_percentage_counts_while_there_is_ample_room() -> None:
    assert disk_level(free(10), LAPTOP, before=NORMAL) is NORMAL
    assert disk_level(free(9.99), LAPTOP, before=NORMAL) is EMERGENCY


def test_what_is_ample_again_must_be_so_by_a_tenth() -> None:
    assert disk_level(free(10.99), LAPTOP, before=EMERGENCY) is EMERGENCY
    assert disk_level(free(11), LAPTOP, before=EMERGENCY) is NORMAL


def test_without_an_ample_size_percentages_always_count() -> None:
    assert disk_level(free(10), DEFAULT, before=NORMAL) is EMERGENCY


def test_an_empty_small_disk_is_well_although_it_can_never_have_ample_room() -> None:
    small = DiskUse(total_bytes=4 * GIB, free_bytes=3 * GIB)
    assert disk_level(small, LAPTOP, before=NORMAL) is NORMAL


# --- whatever the thresholds ----------------------------------------------------------------------


@given(uses, thresholds, levels)
def test_the_same_look_twice_is_the_same_level(
    seen: DiskUse, limits: DiskThresholds, before: DiskLevel
) -> None:
    after = disk_level(seen, limits, before=before)
    assert disk_level(seen, limits, before=after) is after


@given(uses, thresholds, levels)
def test_a_level_is_never_below_what_a_fresh_look_says(
    seen: DiskUse, limits: DiskThresholds, before: DiskLevel
) -> None:
    fresh = disk_level(seen, limits, before=NORMAL)
    after = disk_level(seen, limits, before=before)
    assert fresh.severity <= after.severity <= max(fresh.severity, before.severity)


@given(uses, thresholds, levels, st.integers(0, 2**50))
def test_a_fuller_disk_is_never_better(
    seen: DiskUse, limits: DiskThresholds, before: DiskLevel, more_bytes: int
) -> None:
    fuller = DiskUse(total_bytes=seen.total_bytes, free_bytes=max(0, seen.free_bytes - more_bytes))
    after = disk_level(seen, limits, before=before)
    assert disk_level(fuller, limits, before=before).severity >= after.severity


@given(
    st.integers(0, 100_000),
    st.lists(st.integers(-999, 999), max_size=50),
    levels,
)
def test_what_moves_by_less_than_two_points_changes_the_level_once_per_threshold_at_most(
    used: int, moves: list[int], level: DiskLevel
) -> None:
    changes = 0
    for move in (0, *moves):
        seen = DiskUse(total_bytes=100_000, free_bytes=100_000 - min(100_000, max(0, used + move)))
        after = disk_level(seen, DEFAULT, before=level)
        # A level may be left once, when the walk begins far below it, and another entered once.
        changes += after is not level
        level = after
    assert changes <= 2


@pytest.mark.parametrize(
    ("given", "of"),
    [
        ({"warning_percent": 0}, "percentages"),
        ({"full_percent": 70}, "percentages"),
        ({"emergency_percent": 85}, "percentages"),
        ({"emergency_percent": 101}, "percentages"),
        ({"ample_free_bytes": -1}, "ample_free_bytes"),
    ],
)
def test_thresholds_that_make_no_sense(given: dict[str, int], of: str) -> None:
    with pytest.raises(ValueError, match=of):
        DiskThresholds(**given)
