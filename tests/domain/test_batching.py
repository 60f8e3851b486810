"""When a batch of commands is flushed."""

import pytest

from domain.batching import BatchRule

RULE = BatchRule(commands_max=100, linger_ms=5)


@pytest.mark.parametrize(
    ("waiting", "oldest_waited_ms", "due"),
    [
        (0, 0, False),
        (0, 1_000, False),
        (1, 0, False),
        (1, 4.999, False),
        (1, 5, True),
        (1, 1_000, True),
        (99, 4.999, False),
        (100, 0, True),
        (101, 0, True),
    ],
)
def test_batch_is_due_when_full_or_lingered_and_never_when_empty(
    waiting: int, oldest_waited_ms: float, due: bool
) -> None:
    assert RULE.due(waiting=waiting, oldest_waited_ms=oldest_waited_ms) is due


def test_without_lingering_a_single_command_is_due_at_once() -> None:
    rule = BatchRule(commands_max=100, linger_ms=0)
    assert rule.due(waiting=1, oldest_waited_ms=0)
    assert not rule.due(waiting=0, oldest_waited_ms=0)
