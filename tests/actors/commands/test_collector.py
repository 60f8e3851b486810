"""The garbage collector keeps out of a trader's way."""

import gc
import subprocess
import sys
from collections.abc import Iterator

import pytest

from actors.commands.collector import collect_rarely, spare_what_stays


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    threshold = gc.get_threshold()
    yield
    gc.set_threshold(*threshold)
    gc.unfreeze()


def test_full_collections_are_rare_and_young_ones_small() -> None:
    collect_rarely()
    young, middle, full = gc.get_threshold()
    assert young * middle <= 50_000
    assert young * middle * full >= 10_000_000


@pytest.mark.slow
def test_what_stays_is_not_looked_at_again() -> None:
    there = gc.get_freeze_count()
    spare_what_stays()
    assert gc.get_freeze_count() > there


@pytest.mark.slow
def test_a_circle_is_still_collected_in_the_end() -> None:
    code = (
        "import gc; from actors.commands.collector import collect_rarely, spare_what_stays\n"
        "collect_rarely(); spare_what_stays()\n"
        "for _ in range(60_000):\n"
        "    circle = []; circle.append(circle)\n"
        "print(len(gc.get_objects()))\n"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert int(done.stdout) < 10_000
