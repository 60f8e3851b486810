"""A topic with an observer before its readers: each event is looked at before anybody has it.

It is told within the step that delivers, so that of `supervisor.Topic` is overridden.
"""

from collections.abc import Callable
from typing import TypeVar

from supervisor import Topic
from supervisor.inbox import Inbox

T = TypeVar("T")


class WatchedTopic(Topic[T]):
    """As the venue's own, and each event is told in the step that publishes it."""

    def __init__(self, name: str, told: Callable[[T], None]) -> None:
        super().__init__(name)
        self._told = told

    def _deliver(self, event: T) -> list[Inbox[T]]:
        self._told(event)
        return super()._deliver(event)
