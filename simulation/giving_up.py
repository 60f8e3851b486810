"""May a supervisor give up? Each end of a child is looked at by itself; here they are counted.

A supervisor begins its children anew until that was done too often, and then ends itself. One that
did so earlier would be excused by the fault that made its child fail.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import attrs

from supervisor import Context, ExitReport, Reason


class Often(NamedTuple):
    """So many restarts within so long are not too many."""

    restarts_max: int
    period_s: float


LIMITS: Final = {
    "venue": Often(5, 30),
    "venue/market": Often(5, 30),
    "venue/upkeep": Often(10, 900),
}
"""As in the tree of supervision (`actors/system.py`), said a second time."""


@attrs.define
class _Seen:
    """Of one life of a supervisor."""

    failed_at_s: list[float] = attrs.field(factory=list)
    has_stuck: bool = False
    """An attempt to begin a child anew that is stuck counts, and is not told of."""


class Failures:
    """What the supervisors of one process had to begin anew."""

    def __init__(self) -> None:
        self._of: dict[str, _Seen] = {}

    def note(self, now_s: float, ended: ExitReport) -> None:
        """A life has ended."""
        self._of.pop(ended.child, None)
        seen = self._of.setdefault(ended.supervisor, _Seen())
        if ended.context is Context.STUCK:
            self._note_stuck(ended.supervisor)
        if ended.context is not Context.STOPPING and ended.reason is not Reason.SHUTDOWN:
            seen.failed_at_s.append(now_s)

    def _note_stuck(self, supervisor: str) -> None:
        """Those above wait for it, too, before they count an end."""
        while supervisor:
            self._of.setdefault(supervisor, _Seen()).has_stuck = True
            supervisor = supervisor.rpartition("/")[0]

    def were_too_many(self, supervisor: str) -> bool:
        """Might it give up? To be asked before its own end is noted."""
        seen, often = self._of.get(supervisor, _Seen()), LIMITS[supervisor]
        return seen.has_stuck or _is_exceeded(seen.failed_at_s, often)


def _is_exceeded(times_s: Sequence[float], often: Often) -> bool:
    return any(
        last - first <= often.period_s
        for first, last in zip(times_s, times_s[often.restarts_max :], strict=False)
    )
