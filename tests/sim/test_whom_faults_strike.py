"""Whom faults and operators may strike: every actor and every worker that the venue has.

The lists are said a second time in the simulation, where a scenario is drawn without a venue. An
actor that is added to the venue and not there would never crash.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from simulation import actions, fault_draws, story
from simulation.giving_up import LIMITS, Often
from simulation.process import VenueProcess
from supervisor.status import ChildStatus, SupervisorStatus
from tests.support.simulated import a_world

pytestmark = pytest.mark.slow


@pytest.fixture
async def process(autojump_clock: MockClock, tmp_path: Path) -> VenueProcess:
    """One that has been up."""
    world = a_world(tmp_path)
    story.furnish(world)
    with world.disk.in_force():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(world.exchange.trade)
            nursery.start_soon(world.keeper.run)
            while world.process is None:  # noqa: ASYNC110 - no event tells of it
                await trio.sleep(0.05)
            found = world.process
            await world.keeper.end()
            nursery.cancel_scope.cancel()
    return found


def status(process: VenueProcess) -> SupervisorStatus:
    assert process.supervisor is not None
    return process.supervisor.status()


def actors(level: SupervisorStatus) -> Iterator[str]:
    for child in level.children:
        if isinstance(child, ChildStatus):
            yield child.path
        else:
            yield from actors(child)


def supervisors(level: SupervisorStatus) -> Iterator[SupervisorStatus]:
    yield level
    for child in level.children:
        if isinstance(child, SupervisorStatus):
            yield from supervisors(child)


async def test_every_actor_crashes_in_some_run(process: VenueProcess) -> None:
    there = list(actors(status(process)))
    assert sorted(fault_draws.ACTORS) == sorted(there)
    assert {*fault_draws.ON_THE_MONEY_PATH, *fault_draws.WHO_SETTLE} <= set(there)


async def test_an_operator_restarts_each(process: VenueProcess) -> None:
    names = [path.rpartition("/")[2] for path in actors(status(process))]
    assert sorted(actions.ACTORS) == sorted([*names, "venue/market"])


async def test_every_worker_that_has_work_hangs_in_some_run(process: VenueProcess) -> None:
    hung = (*fault_draws.WORKERS, *fault_draws.UPKEEP_WORKERS, *fault_draws.WORKERS_BESIDE)
    assert sorted((*hung, *fault_draws.NEVER_HUNG)) == sorted(process.workers)


async def test_a_supervisor_gives_up_when_the_venue_says_so(process: VenueProcess) -> None:
    said = {one.path: Often(one.restarts_max, one.period_s) for one in supervisors(status(process))}
    assert said == LIMITS
