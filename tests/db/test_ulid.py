"""ULIDs sort in the order they were made."""

from hypothesis import given
from hypothesis import strategies as st

from db.ulid import UlidMaker
from supervisor.chance import SeededChance
from tests.support.ledgers import AT_MS

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def decode(ulid: str) -> int:
    value = 0
    for character in ulid:
        value = value * 32 + ALPHABET.index(character)
    return value


def test_the_first_48_bits_are_the_time() -> None:
    ulid = UlidMaker(SeededChance(1)).make(AT_MS)
    assert len(ulid) == 26
    assert decode(ulid) >> 80 == AT_MS


@given(
    st.lists(st.tuples(st.integers(1, 9), st.integers(0, 2**48 - 1)), max_size=6),
    st.integers(0, 2**32),
)
def test_they_grow_whatever_the_clock_does(takes: list[tuple[int, int]], seed: int) -> None:
    maker = UlidMaker(SeededChance(seed))
    made = [ulid for count, at_ms in takes for ulid in maker.take(count, at_ms)]
    assert len(made) == sum(count for count, _ in takes)
    assert made == sorted(set(made))


def test_a_block_goes_on_over_a_carry_into_the_next_character() -> None:
    class Brim:
        """Chance that leaves no room in the last four characters."""

        def random(self) -> float:
            return 0.0

        def token_bytes(self, count: int) -> bytes:
            return b"\x00" * (count - 3) + b"\x1f\xff\xfc"

    values = [decode(ulid) for ulid in UlidMaker(Brim()).take(8, 5)]
    assert values == list(range(values[0], values[0] + 8))
    assert values[0] >> 20 != values[-1] >> 20


def test_two_makers_of_one_millisecond_differ() -> None:
    first, second = UlidMaker(SeededChance(1)), UlidMaker(SeededChance(2))
    assert set(first.take(100, AT_MS)).isdisjoint(second.take(100, AT_MS))
