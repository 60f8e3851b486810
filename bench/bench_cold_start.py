"""How long a venue with a million bets takes from exec to the line that says it is ready.

    .venv/bin/python -m bench.bench_cold_start [--folder DIR] [--bets N] [--runs N]

A week of 1,000,000 settled bets of 1,000 traders is made by the real ledger (two minutes, 600 MB),
and kept in DIR for the next run. Then `tapgrid serve` is started on it, as a process: after a clean
stop; after a kill -9 with two minutes of bets that no Auditor has looked at, their write-ahead log
still to be read; and with nothing verified at all. Each with the files in memory, and with every
page of them dropped from it, as after a reboot.
"""

import argparse
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from typing import NamedTuple

from config.settings import load
from db.data_folder import DataFolder
from db.migrate import migrations
from db.partition import file_name
from db.sqlite_prices import SqlitePriceRecord
from db.ulid import UlidMaker
from db.weekly_ledger import WeeklyLedger
from domain.caps import HouseCaps
from domain.evidence import gather
from domain.grid import Cell
from domain.resolution import Judgeable, Record, Rule, judge_cells
from domain.ticks import Tick
from protocols.money import (
    BetConfirmed,
    BetOrder,
    ColumnKey,
    ColumnSettled,
    Deposit,
    PlaceBet,
    SettleColumn,
)
from supervisor.chance import SeededChance

TRADERS = 1_000
"""Each has one bet on every column."""
COLUMN_S = 5
ROWS = 40
TICKS_PER_COLUMN = 40
PRICE_CENTS = 6_500_000
STAKES_MICROS = (1_000_000, 5_000_000, 10_000_000, 25_000_000, 100_000_000)
PRICE_HOURS = 24
READY = "tapgrid is ready at"
PARTIAL_CHECK_S = load().settings.audit.partial_every_minutes * 60
"""So long nobody may have looked at new rows when a life is killed."""
BETS_PER_S = 100
"""Sixty times the average of a week of a million bets."""


class Market:
    """The price stands in the middle row of the grid and swings by one row."""

    def __init__(self) -> None:
        self._trade_ids = count(1)

    def tick(self, ts_ms: int) -> Tick:
        trade_id = next(self._trade_ids)
        price_cents = PRICE_CENTS + 350 + trade_id * 37 % 1_000
        return Tick(
            source="bench",
            trade_id=trade_id,
            price_cents=price_cents,
            size_e8=1_000_000,
            ts_ms=ts_ms,
            recv_ms=ts_ms,
        )

    def record(self, start_s: int) -> Record:
        start_ms, step_ms = start_s * 1000, COLUMN_S * 1000 // TICKS_PER_COLUMN
        carry_in, *ticks, after = (
            self.tick(start_ms + n * step_ms) for n in range(-1, TICKS_PER_COLUMN + 1)
        )
        return Record(
            start_ms=start_ms,
            end_ms=start_ms + COLUMN_S * 1000,
            carry_in=carry_in,
            ticks=tuple(ticks),
            after=after,
            watermark_ms=start_ms + 8_000,
            read_at_ms=start_ms + 8_000,
        )


class Week:
    """Bets by the thousand on one column after the other, each settled after its window."""

    def __init__(self, ledger: WeeklyLedger, *, first_start_s: int, seed: int) -> None:
        self._ledger = ledger
        self._chance = SeededChance(seed)
        self._ids = UlidMaker(self._chance)
        self._market = Market()
        self.start_s = first_start_s

    def column(self, *, batch: int = TRADERS, settled: bool = True) -> None:
        """Everybody's bet on the next column, so many in a commit, and its verdict."""
        placed_ms = (self.start_s - 20) * 1000
        orders = [self._order(number, placed_ms) for number in range(TRADERS)]
        for first in range(0, TRADERS, batch):
            outcomes = self._ledger.apply(orders[first : first + batch], at_ms=placed_ms)
            assert all(isinstance(outcome, BetConfirmed) for outcome in outcomes), outcomes[0]
        if settled:
            done = self._ledger.apply([self._verdict(orders)], at_ms=(self.start_s + 8) * 1000)
            assert isinstance(done[0], ColumnSettled), done
        self.start_s += COLUMN_S

    def _order(self, number: int, placed_ms: int) -> BetOrder:
        row = int(self._chance.uniform(0, ROWS))
        lo_cents = PRICE_CENTS + (row - ROWS // 2) * 1_000
        nonce = self._chance.token_bytes(16).hex()
        return BetOrder(
            bet=PlaceBet(
                bet_id=self._ids.make(placed_ms),
                wallet=wallet(number),
                nonce=f"{nonce[:8]}-{nonce[8:12]}-4{nonce[13:16]}-8{nonce[17:20]}-{nonce[20:]}",
                cell=Cell(
                    column_start_s=self.start_s, lo_cents=lo_cents, hi_cents=lo_cents + 1_000
                ),
                stake_micros=STAKES_MICROS[int(self._chance.uniform(0, len(STAKES_MICROS)))],
            ),
            column_s=COLUMN_S,
            rule=Rule.TOUCH,
            reward_bps=24_000 + 100 * row,
            quote_n=1,
        )

    def _verdict(self, orders: Sequence[BetOrder]) -> SettleColumn:
        record = self._market.record(self.start_s)
        ranges = sorted({(order.bet.cell.lo_cents, order.bet.cell.hi_cents) for order in orders})
        results = judge_cells(Rule.TOUCH, record, ranges, void=None)
        return SettleColumn(
            key=ColumnKey(start_s=self.start_s, column_s=COLUMN_S, rule=Rule.TOUCH),
            evidence=gather(Rule.TOUCH, record, Judgeable(void=None)),
            results=dict(zip(ranges, results, strict=True)),
        )


def wallet(number: int) -> str:
    return f"0x{number:040x}"


# --- the folder -----------------------------------------------------------------------------------


def made_of(bets: int, now_ms: int) -> str:
    """What a kept folder must have been made of to be used again."""
    schema = [migration.sha256 for migration in migrations()]
    return json.dumps({"bets": bets, "file": file_name(now_ms), "schema": schema})


def prepare(data: Path, bets: int) -> None:
    """A data folder with that past in `data`, unless it is there."""
    now_ms = time.time_ns() // 1_000_000
    sign = data.parent / f"{data.name}.made-of"
    if sign.exists() and sign.read_text() == made_of(bets, now_ms):
        return
    shutil.rmtree(data, ignore_errors=True)
    folder = DataFolder.open(data, mode="demo", chain_id=31337)
    record_prices(folder.prices, now_ms)
    ledger = open_ledger(folder, now_ms)
    with closing(ledger):
        columns = bets // TRADERS
        week = Week(ledger, first_start_s=now_ms // 1000 - 60 - columns * COLUMN_S, seed=now_ms)
        fund(ledger, now_ms)
        for n in range(columns):
            week.column()
            if n % 50 == 49:
                print(f"made {(n + 1) * TRADERS:,} bets", file=sys.stderr, flush=True)
        ledger.recover()
    sign.write_text(made_of(bets, now_ms))


def open_ledger(folder: DataFolder, now_ms: int) -> WeeklyLedger:
    return WeeklyLedger.open(
        folder.money, at_ms=now_ms, caps=HouseCaps(), chance=SeededChance(now_ms)
    )


def fund(ledger: WeeklyLedger, now_ms: int) -> None:
    bankroll = Deposit(
        wallet="house",
        amount_micros=load().settings.house.demo_bankroll_micros,
        reference="demo-bankroll",
        by="demo",
    )
    traders = [
        Deposit(wallet=wallet(n), amount_micros=10**12, reference=f"d{n}", by="bench")
        for n in range(TRADERS)
    ]
    ledger.apply([bankroll, *traders], at_ms=now_ms)


def record_prices(folder: Path, now_ms: int) -> None:
    """A day of eight ticks a second."""
    market = Market()
    with closing(SqlitePriceRecord(folder)) as record:
        first_ms, last_ms = now_ms - PRICE_HOURS * 3_600_000, now_ms - 10_000
        for chunk_ms in range(first_ms, last_ms, 600_000):
            end_ms = min(chunk_ms + 600_000, last_ms)
            ticks = [market.tick(ts_ms) for ts_ms in range(chunk_ms, end_ms, 125)]
            record.append(ticks, [], alive_ms=end_ms)


def leave_unverified(data: Path, bets: int, batch: int) -> None:
    """A life that takes so many bets, and ends as by kill -9, its log not copied into the file.

    In a process of its own: nothing of it is closed. The last columns are still open.
    """
    now_ms = time.time_ns() // 1_000_000
    week = Week(
        open_ledger(DataFolder.existing(data), now_ms), first_start_s=now_ms // 1000, seed=now_ms
    )
    columns = bets // TRADERS
    for n in range(columns):
        week.column(batch=batch, settled=n < columns - 5)
    os._exit(0)


def forget_verified(money: Path) -> None:
    with closing(sqlite3.connect(money)) as connection, connection:
        connection.execute("UPDATE meta SET verified_rowid = 0")


def ledger_file(data: Path) -> Path:
    manifest = json.loads((data / "money" / "manifest.json").read_text())
    return data / "money" / str(manifest["current"])


def rows_to_check(data: Path) -> int:
    """Of a copy: whoever closes a ledger last copies its log into the file."""
    with copy_of(data) as looked_at, closing(sqlite3.connect(ledger_file(looked_at))) as ledger:
        sql = "SELECT (SELECT max(rowid) FROM transaction_ledger) - verified_rowid FROM meta"
        return int(ledger.execute(sql).fetchone()[0])


# --- starting it ----------------------------------------------------------------------------------


class Start(NamedTuple):
    """One start."""

    took_s: float
    """From exec to the ready line."""
    cpu_s: float
    """What the process had used by then: what a loaded machine changes least."""


def start(data: Path) -> Start:
    """Start a venue, and kill it when it is ready."""
    command = [sys.executable, "-m", "actors", "serve", "--demo", "--port", "0"]
    begin = time.perf_counter()
    with subprocess.Popen(
        [*command, "--data", str(data)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as venue:
        assert venue.stdout is not None
        assert venue.stderr is not None
        line = venue.stdout.readline()
        took_s = time.perf_counter() - begin
        cpu_s = cpu_of(venue.pid)
        venue.send_signal(signal.SIGKILL)
        assert READY in line, venue.stderr.read()
    return Start(took_s, cpu_s)


def cpu_of(pid: int) -> float:
    """User and system seconds of a process, on Linux."""
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")


def drop_pages(data: Path) -> None:
    """No page of these files is in memory any more."""
    for file in data.rglob("*"):
        if file.is_file():
            descriptor = os.open(file, os.O_RDONLY)
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)


@contextmanager
def copy_of(data: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=data.parent) as folder:
        yield Path(shutil.copytree(data, Path(folder) / "data"))


def measure(what: str, data: Path, runs: int) -> None:
    """Median over fresh copies, in memory and not."""
    starts: dict[bool, list[Start]] = {False: [], True: []}
    rows = rows_to_check(data)
    for _ in range(runs):
        for dropped, found in starts.items():
            with copy_of(data) as fresh:
                if dropped:
                    drop_pages(fresh)
                found.append(start(fresh))
    warm, cold = (sorted(starts[dropped])[runs // 2] for dropped in (False, True))
    figures = f"{warm.took_s:.2f} | {warm.cpu_s:.2f} | {cold.took_s:.2f} | {cold.cpu_s:.2f}"
    print(f"| {what} | {rows:,} | {figures} |", flush=True)


def measure_killed(data: Path, runs: int, *, bets_per_s: int) -> None:
    """After a life that was killed just before the Auditor would have looked at its bets."""
    # As many in a commit as come while one waits for company and the one before is synced.
    bets, batch = bets_per_s * PARTIAL_CHECK_S, max(1, bets_per_s // 100)
    with copy_of(data) as killed:
        own = [sys.executable, "-m", "bench.bench_cold_start", "--data", str(killed)]
        subprocess.run([*own, "--leave", str(bets), "--batch", str(batch)], check=True)
        measure(f"killed, {PARTIAL_CHECK_S} s at {bets_per_s:,} bets/s not looked at", killed, runs)


def measure_unverified(data: Path, runs: int) -> None:
    """After lives without an Auditor."""
    with copy_of(data) as forgotten:
        forget_verified(ledger_file(forgotten))
        measure("nothing verified yet", forgotten, runs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="keeps the week of bets; default: temporary")
    parser.add_argument("--bets", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--leave", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--batch", type=int, default=1, help=argparse.SUPPRESS)
    parser.add_argument("--data", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.leave is not None:
        leave_unverified(options.data, options.leave, options.batch)
    with tempfile.TemporaryDirectory() as temporary:
        data = (options.folder or Path(temporary)) / "data"
        data.parent.mkdir(parents=True, exist_ok=True)
        prepare(data, options.bets)
        size_mb = ledger_file(data).stat().st_size / 1e6
        print(f"{options.bets:,} bets, {size_mb:,.0f} MB of money; SQLite {sqlite3.sqlite_version}")
        print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores when it began")
        print("| start | ledger rows to check | in memory: s | CPU s | from disk: s | CPU s |")
        print("|---|---|---|---|---|---|")
        measure("after a clean stop", data, options.runs)
        for bets_per_s in (BETS_PER_S, 10 * BETS_PER_S):
            measure_killed(data, options.runs, bets_per_s=bets_per_s)
        measure_unverified(data, options.runs)


if __name__ == "__main__":
    main()
