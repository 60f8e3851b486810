"""Ranges of numbers as patterns of their digits."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from protocols.digits import digits_pattern

BOUNDS = st.integers(0, 3_000) | st.integers(0, 10**18 - 1)


@given(BOUNDS, BOUNDS, st.data())
@example(0, 10**18 - 1, None)
def test_a_pattern_matches_the_range_and_nothing_else(
    one: int, other: int, data: st.DataObject | None
) -> None:
    least, most = sorted((one, other))
    pattern = re.compile(digits_pattern(least, most))
    numbers = {0, least - 1, least, least + 1, most - 1, most, most + 1, 10 * most, most // 10}
    if data is not None:
        numbers.add(data.draw(st.integers(least, most)))
    for number in numbers:
        matches = number >= 0 and pattern.fullmatch(str(number)) is not None
        assert matches == (least <= number <= most), number


@pytest.mark.parametrize("text", ["", "01", "007", "+1", "-1", "1 ", "1.0", "１", "1e3"])
def test_another_spelling_never_matches(text: str) -> None:
    assert re.fullmatch(digits_pattern(0, 10**18 - 1), text) is None


def test_the_usual_ranges_are_short() -> None:
    assert digits_pattern(0, 10**18 - 1) == "[1-9][0-9]{1,17}|[0-9]"
    assert digits_pattern(1, 10**15) == "[1-9][0-9]{0,14}|1000000000000000"


@pytest.mark.parametrize(("least", "most"), [(-1, 5), (6, 5)])
def test_no_range_is_refused(least: int, most: int) -> None:
    with pytest.raises(ValueError, match="no range"):
        digits_pattern(least, most)
