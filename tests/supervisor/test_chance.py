"""Sources of randomness."""

import pytest

from supervisor import SeededChance, SystemChance


def test_a_seed_always_draws_the_same():
    def draws(seed):
        chance = SeededChance(seed)
        return chance.random(), chance.uniform(1, 9), chance.token_bytes(16)

    assert draws(1) == draws(1)
    assert draws(1) != draws(2)


@pytest.mark.parametrize("chance", [SeededChance(1), SystemChance()])
def test_draws_are_within_their_bounds(chance):
    assert 0 <= chance.random() < 1
    assert 5 <= chance.uniform(5, 6) <= 6
    assert len(chance.token_bytes(32)) == 32
    assert chance.token_bytes(32) != chance.token_bytes(32)
