"""What stands beside the money, and against whom money moves: each wrong change by its name."""

from typing import Any

import pytest

from simulation.oracle.double_entry import has_its_other_side
from simulation.oracle.ledger_file import EXTERNAL, HOUSE, Entry, Key, Limits
from simulation.oracle.standing import DAY_MS, check_keys, check_limits

TRADER = 3
NOW_MS = 1_770_100_000_000
KEY = Key("k", TRADER, "s", 10, 100, NOW_MS, None)
REVOKED = KEY._replace(revoked_at_ms=5)
LIMITS = Limits(TRADER, 10, 100, NOW_MS + 2 * DAY_MS, None, None, None, None)


def has_sides(kind: str, *sides: tuple[int, int]) -> bool:
    return has_its_other_side(
        [Entry(n, 1, user_id, amount, 0, kind, "r", 1) for n, (user_id, amount) in enumerate(sides)]
    )


@pytest.mark.parametrize("kind", ["BET", "PAYOUT", "REFUND", "ADJUSTMENT"])
def test_what_is_played_for_stands_against_the_house_in_one_row(kind: str) -> None:
    assert has_sides(kind, (TRADER, 2), (4, 3), (HOUSE, -5))
    assert not has_sides(kind, (TRADER, 5), (EXTERNAL, -5))
    assert not has_sides(kind, (TRADER, 5), (HOUSE, -4), (EXTERNAL, -1))
    assert not has_sides(kind, (TRADER, 5), (HOUSE, -4), (HOUSE, -1))
    assert not has_sides(kind, (TRADER, 5), (4, -5))


@pytest.mark.parametrize("kind", ["DEPOSIT", "WITHDRAWAL"])
@pytest.mark.parametrize("whose", [TRADER, HOUSE])
def test_what_is_paid_in_and_out_stands_against_external(kind: str, whose: int) -> None:
    assert has_sides(kind, (whose, 5), (EXTERNAL, -5))
    assert not has_sides(kind, (whose, 5), (4, -5))


def test_a_deposit_out_of_the_house_has_no_other_side() -> None:
    assert not has_sides("DEPOSIT", (TRADER, 5), (HOUSE, -5))


@pytest.mark.parametrize("whose", [TRADER, HOUSE, EXTERNAL])
def test_the_note_of_a_rebuilt_balance_needs_no_other_side(whose: int) -> None:
    assert has_sides("ADJUSTMENT", (whose, 0))


@pytest.mark.parametrize(
    ("before", "after", "wanted"),
    [
        (None, KEY, []),
        (KEY, KEY, []),
        (KEY, REVOKED, []),
        (KEY, None, ["key_lost"]),
        (REVOKED, KEY, ["revocation_changed"]),
        (REVOKED, KEY._replace(revoked_at_ms=6), ["revocation_changed"]),
        (KEY, KEY._replace(day_max_micros=101), ["key_changed"]),
        (KEY, KEY._replace(expires_at_ms=NOW_MS + 1), ["key_changed"]),
        (KEY, REVOKED._replace(user_id=4), ["key_changed"]),
    ],
)
def test_a_key_ends_once_and_never_changes(
    before: Key | None, after: Key | None, wanted: list[str]
) -> None:
    found: list[str] = []

    def note(what: str, _details: object) -> None:
        found.append(what)

    check_keys(_by_id(before), _by_id(after), note)
    assert found == wanted


def _by_id(key: Key | None) -> dict[str, Key]:
    return {} if key is None else {key.id: key}


def limits_found(after: Limits | None, *, before: Limits | None = LIMITS) -> list[str]:
    """Of a change within the last second before NOW_MS."""
    found: list[str] = []

    def note(what: str, _details: object) -> None:
        found.append(what)

    check_limits(
        {} if before is None else {TRADER: before},
        {} if after is None else {TRADER: after},
        note,
        from_ms=NOW_MS - 1_000,
        until_ms=NOW_MS,
    )
    return found


def test_limits_that_are_new_lower_or_the_same_hold_at_once() -> None:
    assert limits_found(LIMITS, before=None) == []
    assert limits_found(LIMITS) == []
    assert limits_found(LIMITS._replace(stake_max=0, loss_day_max=99)) == []
    assert limits_found(LIMITS._replace(paused_until_ms=NOW_MS + 3 * DAY_MS)) == []


def test_limits_that_are_higher_are_waited_for_a_day() -> None:
    later = {"next_stake_max": None, "next_stake_at_ms": NOW_MS + DAY_MS}
    assert limits_found(LIMITS._replace(**later)) == []
    later = {"next_loss_day_max": 101, "next_loss_day_at_ms": NOW_MS - 1_000 + DAY_MS}
    assert limits_found(LIMITS._replace(**later)) == []
    assert limits_found(LIMITS._replace(paused_until_ms=NOW_MS + DAY_MS)) == []


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"stake_max": 11}, "limit_raised_early"),
        ({"loss_day_max": None}, "limit_raised_early"),
        (
            {"next_stake_max": 11, "next_stake_at_ms": NOW_MS + DAY_MS - 1_001},
            "limit_raised_early",
        ),
        (
            {"next_loss_day_max": None, "next_loss_day_at_ms": NOW_MS + 3_600_000},
            "limit_raised_early",
        ),
        ({"paused_until_ms": NOW_MS + DAY_MS - 1_001}, "pause_cut_short"),
    ],
)
def test_limits_that_are_loosened_before_their_time(changed: dict[str, Any], what: str) -> None:
    assert what in limits_found(LIMITS._replace(**changed))


def test_limits_that_were_waited_for_may_be_written_when_they_are_due() -> None:
    waited = LIMITS._replace(next_stake_max=50, next_stake_at_ms=NOW_MS - 500)
    due = LIMITS._replace(stake_max=50)
    assert limits_found(due, before=waited) == []
    assert limits_found(due._replace(stake_max=51), before=waited) != []


def test_limits_that_are_gone() -> None:
    assert limits_found(None) == ["limits_lost"]
