"""How long betting pauses when a week ends.

    .venv/bin/python -m bench.bench_rotation [--folder DIR] [--accounts N] [--bets N] [--open N]

The real ledger makes a week of settled bets of 100,000 traders, each with a deposit, and some
thousand open ones. Then a bet of Sunday comes, and what is measured is how long its batch takes:
the new file built, checked, synced and named, the old one closed, and the bet committed. Readers
hold the old file open as a venue's do; its write-ahead log has what was written since the last
checkpoint. Each run works on a copy of its own; the week is kept in DIR for the next time. CPU
time is that of the ledger's thread: what other work on the machine changes least. A minute later
the log is folded into the closed file, which costs what the last line says.
"""

import argparse
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

from bench.bench_ledger import CAPS, RUNS, verdict
from db.ledger_check import check_all, check_pair
from db.partition import file_name
from db.sqlite_connection import open_reader
from db.ulid import UlidMaker
from db.weekly_ledger import RETRY_MS, WeeklyLedger
from db.weekly_reader import WeeklyReader
from domain.grid import Cell
from domain.resolution import Rule
from protocols.money import BetConfirmed, BetOrder, ColumnSettled, Deposit, PlaceBet, Rotate
from supervisor.chance import SeededChance

AT_MS = 1_770_000_000_000
SUNDAY_MS = 1_770_508_800_000
BETS_PER_COLUMN = 10_000
BATCH = 1_000
PHASES = (
    ("ATTACH", "make the tables"),
    ("INSERT INTO users", "accounts"),
    ("INSERT INTO transaction_ledger", "CARRY rows"),
    ("INSERT INTO deposits", "deposits"),
    ("INSERT INTO bets", "open bets, nonces, verdicts, totals"),
    ("CREATE INDEX ledger_account", "indexes and triggers"),
    ("COMMIT", "write the file"),
    ("SELECT count(*) FROM old.users", "check it"),
    ("fsync", "sync it and its name"),
    ("PRAGMA recursive_triggers", "open it, and name it in the manifest"),
    ("UPDATE bets SET status = 'carried'", "close the old file"),
    ("INSERT INTO bet_batch", "the bet itself"),
)
"""The statement with which a phase begins, in order."""


class Run(NamedTuple):
    pause_ms: float
    cpu_ms: float
    phases_ms: dict[str, float]
    fold_ms: float
    wal_mb: float


def wallet(number: int) -> str:
    return f"0x{number * 7919:040x}"


def bets(count: int, *, first: int, start_s: int, accounts: int, ids: UlidMaker) -> list[BetOrder]:
    """One column's: of so many traders in turn, each on a row of his own if they come round."""
    return [
        BetOrder(
            bet=PlaceBet(
                bet_id=ids.make(AT_MS + n // 3),
                wallet=wallet(n % accounts),
                nonce=f"{n * 2654435761 % 2**32:08x}-{n:08x}",
                cell=Cell(
                    column_start_s=start_s,
                    lo_cents=1_000 * (n % 40),
                    hi_cents=1_000 * (n % 40) + 1_000,
                ),
                stake_micros=1_000_000,
            ),
            column_s=5,
            rule=Rule.TOUCH,
            reward_bps=20_000,
            quote_n=1,
        )
        for n in range(first, first + count)
    ]


def open_ledger(folder: Path) -> WeeklyLedger:
    return WeeklyLedger.open(folder, at_ms=AT_MS, caps=CAPS, chance=SeededChance(1))


def make_week(folder: Path, *, accounts: int, settled: int) -> None:
    ids = UlidMaker(SeededChance(2))
    with closing(open_ledger(folder)) as ledger:
        bankroll = Deposit(wallet="house", amount_micros=10**15, reference="house", by="bench")
        ledger.apply([bankroll], at_ms=AT_MS)
        for first in range(0, accounts, BATCH):
            numbers = range(first, min(first + BATCH, accounts))
            ledger.apply(
                [
                    Deposit(
                        wallet=wallet(number),
                        amount_micros=10**9,
                        reference=f"deposit-{number:032x}",
                        by="bench",
                    )
                    for number in numbers
                ],
                at_ms=AT_MS,
            )
        for first in range(0, settled, BETS_PER_COLUMN):
            start_s = AT_MS // 1000 + 10 + first // BETS_PER_COLUMN * 5
            placed = bets(BETS_PER_COLUMN, first=first, start_s=start_s, accounts=accounts, ids=ids)
            for batch in range(0, len(placed), BATCH):
                ledger.apply(placed[batch : batch + BATCH], at_ms=AT_MS + first)
            (outcome,) = ledger.apply([verdict(placed)], at_ms=AT_MS + first)
            assert isinstance(outcome, ColumnSettled)
            assert len(outcome.resolved) == len(placed)
        ledger.recover()


@contextmanager
def copy_of(folder: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=folder.parent) as copied:
        shutil.copytree(folder, copied, dirs_exist_ok=True)
        yield Path(copied)


def one_run(week: Path, *, accounts: int, settled: int, still_open: int) -> Run:
    marks: list[tuple[float, str]] = []
    ids = UlidMaker(SeededChance(3))
    with copy_of(week) as folder, ExitStack() as stack:
        ledger = WeeklyLedger.open(
            folder,
            at_ms=AT_MS,
            caps=CAPS,
            chance=SeededChance(4),
            trace=lambda sql: marks.append((time.perf_counter(), sql)),
        )
        stack.callback(ledger.close)
        ledger.recover()
        for _ in range(2):
            stack.enter_context(closing(WeeklyReader(folder)))
        place_open(ledger, accounts=accounts, first=settled, count=still_open, ids=ids)
        log = folder / f"{ledger.partition()}-wal"
        wal_mb = log.stat().st_size / 1e6
        (bet,) = bets(1, first=10**8, start_s=SUNDAY_MS // 1000 + 99, accounts=accounts, ids=ids)
        marks.clear()
        with patch.object(os, "fsync", marked(os.fsync, marks)):
            begin, cpu_s = time.perf_counter(), time.thread_time()
            (outcome,) = ledger.apply([bet], at_ms=SUNDAY_MS)
            end, cpu_s = time.perf_counter(), time.thread_time() - cpu_s
        assert isinstance(outcome, BetConfirmed)
        assert ledger.partition() == file_name(SUNDAY_MS), ledger.rotation_failure()
        phases_ms = phases([*marks, (end, "")], begin)
        begin_fold = time.perf_counter()
        ledger.apply([Rotate()], at_ms=SUNDAY_MS + RETRY_MS)
        fold_ms = (time.perf_counter() - begin_fold) * 1000
        check(folder)
    return Run((end - begin) * 1000, cpu_s * 1000, phases_ms, fold_ms, wal_mb)


def marked(sync: Callable[[int], None], marks: list[tuple[float, str]]) -> Callable[[int], None]:
    def call(descriptor: int) -> None:
        marks.append((time.perf_counter(), "fsync"))
        sync(descriptor)

    return call


def place_open(
    ledger: WeeklyLedger, *, accounts: int, first: int, count: int, ids: UlidMaker
) -> None:
    for batch in range(first, first + count, BATCH):
        size = min(BATCH, first + count - batch)
        start_s = SUNDAY_MS // 1000 + 5 * (batch // BATCH % 12)
        placed = bets(size, first=batch, start_s=start_s, accounts=accounts, ids=ids)
        outcomes = ledger.apply(placed, at_ms=SUNDAY_MS - 10_000)
        assert all(isinstance(outcome, BetConfirmed) for outcome in outcomes)


def phases(marks: list[tuple[float, str]], begin: float) -> dict[str, float]:
    """Milliseconds of each phase; what comes before the first is the preparation."""
    waiting = list(PHASES)
    now, spent = "prepare", {"prepare": (marks[0][0] - begin) * 1000}
    for (at, sql), (until, _) in pairwise(marks):
        if waiting and sql.startswith(waiting[0][0]):
            now = waiting.pop(0)[1]
        spent[now] = spent.get(now, 0.0) + (until - at) * 1000
    return spent


def check(folder: Path) -> None:
    """What was measured was right, too."""
    files = sorted(folder.glob("*.db"))
    with ExitStack() as stack:
        old, new = (stack.enter_context(closing(open_reader(file))) for file in files)
        assert check_all(new).clean
        assert check_pair(old, new) == ()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="on the disk to measure; default: temporary")
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--bets", type=int, default=100_000)
    parser.add_argument("--open", type=int, default=5_000)
    options = parser.parse_args()
    with ExitStack() as stack:
        made = options.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        week = made / f"week-{options.accounts}-{options.bets}"
        if not (week / "complete").exists():
            shutil.rmtree(week, ignore_errors=True)
            week.mkdir()
            make_week(week, accounts=options.accounts, settled=options.bets)
            (week / "complete").touch()
        size_mb = sum(file.stat().st_size for file in week.glob("*.db")) / 1e6
        runs = [
            one_run(week, accounts=options.accounts, settled=options.bets, still_open=options.open)
            for _ in range(RUNS)
        ]
    print(
        f"{options.accounts:,} accounts and deposits, {options.bets:,} settled bets and"
        f" {options.open:,} open ones, old file of {size_mb:,.0f} MB"
        f" with {runs[0].wal_mb:,.0f} MB of log\n"
    )
    print("| betting pauses for, ms | median | of |\n|---|---|---|")
    for what, times in (
        ("the rotation, with the bet", [run.pause_ms for run in runs]),
        ("... of that CPU time", [run.cpu_ms for run in runs]),
        ("folding the log, a minute later", [run.fold_ms for run in runs]),
    ):
        every = ", ".join(f"{ms:.0f}" for ms in times)
        print(f"| {what} | {statistics.median(times):.0f} | {every} |")
    print("\n| of that | ms |\n|---|---|")
    for phase in runs[0].phases_ms:
        print(f"| {phase} | {statistics.median(run.phases_ms[phase] for run in runs):.1f} |")


if __name__ == "__main__":
    main()
