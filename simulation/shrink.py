"""A failing scenario made small: whatever the failure does not need is left out.

Everything after the failure goes first. Then faults, actions and settings are left out, all of
them, then halves, then quarters, down to single ones, as long as what remains still fails in the
same way (Zeller's ddmin, of which the half that is left out is tried only). It ends when nothing
more can go, or after so many runs or venue seconds.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, TypeAlias

import attrs

from simulation.scenario import Scenario

FailsAt: TypeAlias = Callable[[Sequence[Scenario]], Sequence[float | None]]
"""When, in venue seconds, each of them fails in the way that is looked at; None: it does not."""
AFTER_THE_FAILURE_S: Final = 1.0
ROUNDS_MAX: Final = 3
PARTS: Final = ("faults", "actions", "settings")


@attrs.frozen(kw_only=True)
class Shrunk:
    """The smallest that was found."""

    scenario: Scenario
    runs: int
    """How many it took."""
    failed_again: bool
    """False: the same scenario did not fail a second time, so that nothing could be left out."""
    is_cut_short: bool = False
    """Did the bounds end it? Then more may go."""


@attrs.frozen(kw_only=True)
class Bounds:
    """How much may be tried."""

    runs: int = 200
    venue_s: float = 60_000
    """Of all runs together but the first, which only shows that the scenario fails again: some ten
    minutes of one core. No new run begins after so many."""
    at_once: int = 1
    """So many runs are tried together."""


def shrink(
    scenario: Scenario, failed_at_s: float, fails_at: FailsAt, bounds: Bounds = Bounds()
) -> Shrunk:
    """Make a scenario small that failed at that second."""
    search = _Search(scenario, failed_at_s, fails_at, bounds)
    if not search.fails_again():
        return Shrunk(scenario=scenario, runs=search.runs, failed_again=False)
    for _ in range(ROUNDS_MAX):
        before = search.smallest
        search.cut_off_the_rest()
        for part in PARTS:
            search.leave_out(part)
        search.shorten()
        if search.smallest == before:
            break
    return Shrunk(
        scenario=search.smallest,
        runs=search.runs,
        failed_again=True,
        is_cut_short=search.is_cut_short,
    )


class _Search:
    def __init__(
        self, scenario: Scenario, failed_at_s: float, fails_at: FailsAt, bounds: Bounds
    ) -> None:
        self.smallest = scenario
        self.runs = 0
        self.is_cut_short = False
        self._venue_s = 0.0
        self._failed_at_s = failed_at_s
        self._fails_at = fails_at
        self._bounds = bounds

    def fails_again(self) -> bool:
        """Does it fail as it is?"""
        fails = self._try([self.smallest])
        self._venue_s = 0.0
        return fails

    def cut_off_the_rest(self) -> None:
        """What was to come after the failure."""
        until_s = round(self._failed_at_s + AFTER_THE_FAILURE_S, 3)
        if until_s < self.smallest.seconds:
            self._try([ended_at(self.smallest, until_s)])

    def shorten(self) -> None:
        """A failure in the calm, after all else: have the calm begin earlier."""
        while self._failed_at_s > self.smallest.seconds:
            seconds = self.smallest.seconds
            shorter = {_quiet_from_s(self.smallest), seconds / 4, seconds / 2, seconds * 0.8}
            candidates = [
                ended_at(self.smallest, round(until_s, 3))
                for until_s in sorted(shorter)
                if 1 <= until_s < seconds - 1
            ]
            if not self._try(candidates):
                return

    def leave_out(self, part: str) -> None:
        """All, then halves, then quarters ... of what the scenario has of that."""
        pieces = 1
        while items := _items(self.smallest, part):
            size = -(-len(items) // pieces)
            rests = [items[:at] + items[at + size :] for at in range(0, len(items), size)]
            if self._try([_with_items(self.smallest, part, rest) for rest in rests]):
                pieces = max(1, pieces - 1)
            elif size == 1:
                return
            else:
                pieces = min(2 * pieces, len(items))

    def _try(self, candidates: Sequence[Scenario]) -> bool:
        """Go on with the first of them that fails, if one does."""
        for some in _batches(candidates, self._bounds.at_once):
            left = some[: self._bounds.runs - self.runs]
            if self._venue_s >= self._bounds.venue_s or not left:
                self.is_cut_short = True
                return False
            self.runs += len(left)
            self._venue_s += sum(candidate.seconds for candidate in left)
            for candidate, failed_at_s in zip(left, self._fails_at(left), strict=True):
                if failed_at_s is not None:
                    self.smallest, self._failed_at_s = candidate, failed_at_s
                    return True
        return False


def ended_at(scenario: Scenario, seconds: float) -> Scenario:
    """The same, but that nothing happens after that second."""
    return attrs.evolve(
        scenario,
        seconds=seconds,
        faults=tuple(fault for fault in scenario.faults if fault.at_s < seconds),
        actions=tuple(action for action in scenario.actions if action.at_s < seconds),
    )


def _quiet_from_s(scenario: Scenario) -> float:
    """A second after the last thing that happens."""
    faults_s = (fault.at_s + 1 for fault in scenario.faults)
    return max(*faults_s, *(action.at_s + 1 for action in scenario.actions), 0.0, 0.0)


def _items(scenario: Scenario, part: str) -> list[Any]:
    found = getattr(scenario, part)
    return [*found.items()] if isinstance(found, dict) else [*found]


def _with_items(scenario: Scenario, part: str, items: list[Any]) -> Scenario:
    whole: Any = dict(items) if part == "settings" else tuple(items)
    changed: dict[str, Any] = {part: whole}
    return attrs.evolve(scenario, **changed)


def _batches(candidates: Sequence[Scenario], size: int) -> Iterator[Sequence[Scenario]]:
    for at in range(0, len(candidates), size):
        yield candidates[at : at + size]
