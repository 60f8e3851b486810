"""The venue keeps its word in every run: the fixed seeds, some that nobody has run before, and what
once failed."""

import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import pytest

from simulation import replay
from simulation.campaign import Tally, drawn
from simulation.run import Outcome
from simulation.runs import Runners
from tests.sim.ci_seeds import CI_SECONDS, CI_SEEDS

pytestmark = pytest.mark.slow

FRESH: Final = 2
FRESH_MAX: Final = 10**9
REGRESSIONS: Final = sorted((Path(__file__).parent / "regressions").glob("*.json"))
CORES: Final = 2


def run_all(seeds: tuple[int, ...]) -> Tally:
    tally = Tally()
    with Runners(CORES) as runners:
        for outcome in runners.outcomes(drawn(seeds, seconds=CI_SECONDS)):
            tally.add(outcome)
    return tally


def told(violated: Iterable[Outcome]) -> str:
    """What is wrong with each, and the command that shows it."""
    return "\n".join(
        f"{_told(one)}\n  tapgrid simulate --seed {one.scenario.seed}"
        f" --hours {one.scenario.seconds / 3600!r}"
        for one in violated
    )


def _told(outcome: Outcome) -> str:
    violation = outcome.violations[0]
    return f"{violation.what} at {violation.at_s} s: {violation.details[:400]}"


def test_the_fixed_seeds_are_clean_and_see_everything() -> None:
    tally = run_all(CI_SEEDS)
    assert not tally.violated, told(tally.violated)
    assert tally.is_enough, "so few that nothing is demanded of them"
    assert tally.unseen() == []


def test_fresh_seeds_are_clean() -> None:
    seeds = tuple(secrets.randbelow(FRESH_MAX) for _ in range(FRESH))
    tally = run_all(seeds)
    assert not tally.violated, told(tally.violated)


def test_what_failed_once_fails_no_more() -> None:
    kept = [replay.read(path) for path in REGRESSIONS]
    assert [path.name for path, one in zip(REGRESSIONS, kept, strict=True) if not one.note] == []
    with Runners(CORES) as runners:
        outcomes = runners.in_order([one.scenario for one in kept])
    failed = [
        f"{_told(outcome)}\n  tapgrid simulate --faults {path}"
        for path, outcome in zip(REGRESSIONS, outcomes, strict=True)
        if outcome.violations
    ]
    assert not failed, "\n".join(failed)
