"""How long each step of archiving a week takes, and how much memory, for weeks of several sizes.

    python -m bench.bench_archive [--folder DIR] [--bets COUNT ...] [--level LEVEL]

One process for each size writes a week with the real ledger; another archives it into a folder,
step by step, noting the peak of its resident memory in each (VmHWM, reset before).
Then, per step, the slope over the sizes and what it makes of a week of 5 GiB. Exit code 1: some
step would need more than 200 MiB for it.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from bench.bench_archive_memory import ALLOWED_MIB, MIB, WEEK_GIB, forget_peak, peak_mib
from db.archive import WeekArchive
from db.data_folder import DataFolder
from db.disk_probe import StatvfsProbe
from db.folder_objects import FolderObjects
from db.weekly_ledger import WeeklyLedger
from domain.archiving import Conditions, next_task
from domain.caps import HouseCaps
from protocols.archive import StepDone
from protocols.money import Rotate
from supervisor.chance import SeededChance
from supervisor.clock import SystemClock
from tests.support.ledgers import ALICE, AT_MS, START_S, deposit, order, settle

BETS = (150_000, 450_000, 900_000)
"""From where SQLite's caches are full: below, memory grows with them."""
BETS_A_COLUMN = 1_000
WEEK_MS = 7 * 86_400_000


class Unfollowed:
    """A Work that nobody watches."""

    def step(self, done_bytes: int, total_bytes: int) -> None:
        """Goes on."""


def write_week(data: Path, bets: int) -> None:
    """A closed week of so many bets, all lost."""
    money = DataFolder.open(data, mode="demo", chain_id=31337).money
    opened = WeeklyLedger.open(money, at_ms=AT_MS, caps=HouseCaps(), chance=SeededChance(1))
    with closing(opened) as ledger:
        ledger.apply([deposit("house", 10**15), deposit(ALICE, 10**13)], at_ms=AT_MS)
        for start_s in range(START_S, START_S + 5 * bets // BETS_A_COLUMN, 5):
            at_ms = start_s * 1000 - 20_000
            rows = range(BETS_A_COLUMN)
            ledger.apply([order(row, start_s=start_s) for row in rows], at_ms=at_ms)
            ledger.apply([settle(lost=rows, start_s=start_s)], at_ms=at_ms + 28_000)
        ledger.apply([Rotate()], at_ms=AT_MS + WEEK_MS)
        assert ledger.rotation_failure() == ""


def go_through(data: Path, level: int) -> None:
    """Print, as a line of JSON per step: its name, MiB of the week, bytes made, peak, seconds."""
    clock = SystemClock()
    archive = WeekArchive(
        data,
        FolderObjects(data / "archive"),
        probe=StatvfsProbe(data),
        clock=clock,
        level=level,
    )
    [closed] = archive.survey().partitions
    size_mib = (data / "money" / closed.name).stat().st_size / MIB
    while task := next_task(
        archive.survey().partitions, Conditions(now_ms=clock.now_ms(), weeks_on_disk=520)
    ):
        forget_peak()
        began_s = time.perf_counter()
        done = archive.carry_out(task, work=Unfollowed())
        took_s = time.perf_counter() - began_s
        assert isinstance(done, StepDone), done
        print(json.dumps([task.step.value, size_mib, done.bytes, peak_mib(), took_s]), flush=True)


def measure(bets: int, level: int, folder: Path | None) -> dict[str, list[float]]:
    """What `go_through` printed, by step."""
    with tempfile.TemporaryDirectory(dir=folder) as here:
        run("--write", f"{here}/data", str(bets))
        printed = run("--archive", f"{here}/data", str(level))
    lines = [json.loads(line) for line in printed.splitlines()]
    return {name: figures for name, *figures in lines}


def run(*arguments: str) -> str:
    """What a process of this module prints."""
    command = [sys.executable, "-m", "bench.bench_archive", *arguments]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


def report(found: Sequence[dict[str, list[float]]], bets: Sequence[int]) -> bool:
    """Print the table; does a week of 5 GiB fit?"""
    sizes_mib = [each["vacuum"][0] for each in found]
    heads = [f"{count:,} bets, {size:.0f} MiB" for count, size in zip(bets, sizes_mib, strict=True)]
    print(f"| step | {' | '.join(heads)} | MiB per GiB | {WEEK_GIB} GiB |")
    print("|---|" + "---|" * (len(found) + 2))
    fits = True
    for step in found[0]:
        figures = [each[step] for each in found]
        slope, base = statistics.linear_regression(
            [size / 1024 for size in sizes_mib], [peak for _, _, peak, _ in figures]
        )
        reckoned_mib = base + slope * WEEK_GIB
        cells = " | ".join(
            f"{peak:.0f} MiB, {took_s:.1f} s, {made / MIB:.1f} MiB"
            for _, made, peak, took_s in figures
        )
        print(f"| {step} | {cells} | {slope:+.1f} | {reckoned_mib:.0f} MiB |")
        fits = fits and reckoned_mib <= ALLOWED_MIB
    return fits


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="on the disk to measure; default: temporary")
    parser.add_argument("--bets", type=int, nargs="+", default=BETS, help="in a week")
    parser.add_argument("--level", type=int, default=19, help="of zstd")
    parser.add_argument("--write", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--archive", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.write:
        write_week(Path(options.write[0]), int(options.write[1]))
        return
    if options.archive:
        go_through(Path(options.archive[0]), int(options.archive[1]))
        return
    found = [measure(bets, options.level, options.folder) for bets in options.bets]
    sys.exit(0 if report(found, options.bets) else 1)


if __name__ == "__main__":
    main()
