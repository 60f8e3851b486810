"""When a batch of commands is flushed."""

import pytest

from domain.batching import BatchRule

RULE = BatchRule(commands_max=100, linger_ms=5)


@pytest.mark.parametrize(("waiting", "full"), [(0, False), (99, False), (100, True), (101, True)])
def test_a_full_batch_is_due_at_once(waiting: int, full: bool) -> None:
    assert RULE.is_full(waiting) is full


def test_the_oldest_command_waits_no_longer_than_the_linger() -> None:
    assert RULE.due_at(7.0) == pytest.approx(7.005)


def test_without_lingering_a_batch_is_due_as_soon_as_it_has_one() -> None:
    assert BatchRule(linger_ms=0).due_at(7.0) == 7.0
