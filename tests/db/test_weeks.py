"""Which weeks there are, which are here, and which of them a list of bets must look into."""

from pathlib import Path

import pytest

from db.weeks import Week, WeeksHere

NAMES = ("2026-02-01.db", "2026-02-08.db", "2026-02-15.db", "2026-02-22.db")


def weeks(*here: int) -> WeeksHere:
    """Four, opened at 0, 100, 200 and 300; the last one is the current one."""
    all_weeks = [
        Week(
            name=name,
            opened_at_ms=100 * n,
            closed_at_ms=100 * n + 100 if n < 3 else None,
            after_rowid=10 * n,
        )
        for n, name in enumerate(NAMES)
    ]
    return WeeksHere(
        newest_first=tuple(reversed(all_weeks)), here={NAMES[n]: Path(NAMES[n]) for n in here}
    )


def numbers(found: object) -> list[int]:
    return [NAMES.index(week.name) for week in found]  # type: ignore[attr-defined]


def test_weeks_are_readable_or_missing() -> None:
    some = weeks(0, 2, 3)
    assert some.current.name == NAMES[3]
    assert numbers(some.readable()) == [3, 2, 0]
    assert numbers(some.missing()) == [1]


def test_neighbours() -> None:
    some = weeks(0, 2, 3)
    third, second, first = some.newest_first[1:]
    assert some.before(third) == second
    assert some.before(first) is None
    assert [some.follows_readable(week) for week in some.newest_first] == [True, False, True, False]
    assert numbers(some.after(first)) == [2, 3]
    assert some.has_from(NAMES[0], third)
    assert not some.has_from(NAMES[1], third)
    assert not some.has_from(NAMES[2], third)


@pytest.mark.parametrize(
    ("from_ms", "until_ms", "looked_into"),
    [
        (None, None, [3, 2, 1, 0]),
        (250, None, [3, 2]),
        (300, None, [3]),
        (200, None, [3, 2]),
        (199, None, [3, 2, 1]),
        (None, 300, [2, 1, 0]),
        (None, 301, [3, 2, 1, 0]),
        (110, 120, [1]),
        (None, 1, [0]),
    ],
)
def test_a_list_looks_into_the_weeks_of_its_time(
    from_ms: int | None, until_ms: int | None, looked_into: list[int]
) -> None:
    assert numbers(weeks(0, 1, 2, 3).listing(from_ms, until_ms)) == looked_into


def test_a_file_lists_what_was_carried_into_it_over_weeks_that_are_missing() -> None:
    some = weeks(0, 3)
    assert numbers(some.listing(150, 160)) == [3]
    assert numbers(some.listing(None, 100)) == [0]
    assert numbers(weeks(3).listing(None, 1)) == [3]
