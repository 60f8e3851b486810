"""Looks for each mutation in the CI seeds, on two cores: which seed showed it, and how."""

import multiprocessing
from collections.abc import Sequence
from typing import Final

import attrs
import pytest
import structlog

from simulation.drawing import draw
from simulation.run import simulate
from tests.sim.ci_seeds import CI_SECONDS, CI_SEEDS
from tests.sim.mutations import MUTATIONS, Mutation

CORES: Final = 2
SILENT: Final = 50
"""Above the level of an error."""


@attrs.frozen(kw_only=True)
class Shown:
    """The first violation of a run."""

    seed: int
    what: str
    details: str


@attrs.frozen(kw_only=True)
class Hunt:
    """What looking for one mutation came to."""

    name: str
    caught: Shown | None
    """By a violation that is to the point."""
    missed: Sequence[Shown]
    """By others: the seeds that were tried before."""


def hunt(name: str) -> Hunt:
    """Look for the mutation of that name, first where it was found before."""
    (mutation,) = (one for one in MUTATIONS if one.name == name)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(SILENT))
    missed: list[Shown] = []
    with pytest.MonkeyPatch.context() as patch:
        for apply in mutation.apply:
            apply(patch)
        for seed in sorted(CI_SEEDS, key=lambda seed: (seed != mutation.first_seed, seed)):
            shown = _run(seed)
            if shown is not None and shown.what in mutation.shown_by:
                return Hunt(name=name, caught=shown, missed=missed)
            missed += [] if shown is None else [shown]
    return Hunt(name=name, caught=None, missed=missed)


def hunt_all(mutations: Sequence[Mutation]) -> dict[str, Hunt]:
    """Each by its name. Each has a process to itself: no mutation reaches another, or a test."""
    names = [mutation.name for mutation in mutations]
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    with context.Pool(CORES, maxtasksperchild=1) as pool:
        return {found.name: found for found in pool.imap_unordered(hunt, names)}


def _run(seed: int) -> Shown | None:
    outcome = simulate(draw(seed, seconds=CI_SECONDS))
    for violation in outcome.violations[:1]:
        return Shown(seed=seed, what=violation.what, details=violation.details)
    return None
