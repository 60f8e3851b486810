"""The same scenario is the same run: in any process, and whatever ran before."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

import pytest

from simulation.drawing import draw
from simulation.run import simulate

pytestmark = pytest.mark.slow

SEEDS = (3, 5, 12)
"""Among them one in which a week turns, one with kills, one with a shared store."""
SECONDS = 75.0
RUN_THEM = """\
import json, sys
from pathlib import Path
from tests.sim.test_determinism import SECONDS, run
print(json.dumps([run(int(seed), Path(sys.argv[1])) for seed in sys.argv[2:]]))
"""


def run(seed: int, folder: Path) -> str:
    """The hash of its trace; the trace itself is left in the folder."""
    with (folder / f"{seed}.trace").open("w", encoding="utf-8") as trace:
        return simulate(draw(seed, seconds=SECONDS), trace_to=trace).trace_hash


def elsewhere(folder: Path, hash_seed: str, seeds: tuple[int, ...]) -> list[str]:
    """The same, in a process of its own."""
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", RUN_THEM, str(folder), *map(str, seeds)],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    hashes: list[str] = json.loads(done.stdout.splitlines()[-1])
    return hashes


def differences(one: Path, other: Path) -> Iterator[str]:
    """Where two runs first were not the same."""
    for seed in SEEDS:
        texts = [(folder / f"{seed}.trace").read_text().splitlines() for folder in (one, other)]
        for number, (a, b) in enumerate(zip_longest(*texts), start=1):
            if a != b:
                yield f"seed {seed}, line {number}:\n  {a}\n  {b}"
                break


def test_a_seed_is_the_same_run_in_any_process(tmp_path: Path) -> None:
    one = elsewhere(tmp_path / "one", "1", SEEDS)
    other = elsewhere(tmp_path / "other", "4242", SEEDS[::-1])[::-1]
    assert [*differences(tmp_path / "one", tmp_path / "other")] == []
    assert one == other
    assert len(set(one)) == len(SEEDS)


def test_a_seed_is_the_same_run_whatever_ran_before(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    before = [run(seed, first) for seed in SEEDS]
    after = [run(seed, second) for seed in SEEDS]
    assert [*differences(first, second)] == []
    assert before == after
