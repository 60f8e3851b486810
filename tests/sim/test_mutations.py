"""The simulation is not blind: each deliberate defect is caught within the seeds of CI."""

import pytest

from tests.sim.hunt import Hunt, hunt_all
from tests.sim.mutations import MUTATIONS, Mutation

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def hunts() -> dict[str, Hunt]:
    return hunt_all(MUTATIONS)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_each_mutation_is_caught(mutation: Mutation, hunts: dict[str, Hunt]) -> None:
    found = hunts[mutation.name]
    assert found.caught is not None, f"shown by others only: {found.missed}"


def test_each_mutation_has_a_name_of_its_own() -> None:
    names = [mutation.name for mutation in MUTATIONS]
    assert len(set(names)) == len(names)
