"""A process that is killed when a column is paid and nobody knows: the column is judged all the
same, from what it has left."""

import attrs
import pytest

from simulation.drawing import draw
from simulation.keeper import Keeper
from simulation.process import PROCESS, VenueProcess
from simulation.run import simulate
from simulation.scenario import Fault, FaultKind

pytestmark = pytest.mark.slow


async def kill_when_settled(keeper: Keeper, process: VenueProcess, fault: Fault) -> None:
    """At the step after a verdict is on disk with its payments."""
    world, is_settling = keeper._world, False

    def act(step: str) -> None:
        nonlocal is_settling
        is_mine = PROCESS.get() is process
        is_settling = is_settling or (is_mine and step.startswith("UPDATE bets SET status = s"))
        if is_mine and is_settling and step == "committed":
            keeper._kill(process, fault, step)
        elif process.is_running:
            world.disk.at_step(1, act)

    world.disk.at_step(1, act)
    await keeper._until(process.ended)
    world.disk.forget_step(act)


@pytest.mark.parametrize("seed", [1, 4])
def test_what_was_settled_in_the_last_step_is_judged(
    monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(Keeper, "_kill_inside", kill_when_settled)
    faults = tuple(Fault(at_s=at_s, kind=FaultKind.KILL, amount=1) for at_s in (40, 80))
    outcome = simulate(attrs.evolve(draw(seed, seconds=120), faults=faults))
    assert outcome.violations == ()
    assert outcome.counts["column_settled_unheard"] >= 1
