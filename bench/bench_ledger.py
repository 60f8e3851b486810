"""How many bets a second the ledger takes, and how long it holds the writer to settle a column.

    .venv/bin/python bench/bench_ledger.py [--folder DIR] [--bets N] [scenario ...]

Scenarios: `intake` compares the batch statement with a plain loop of prepared statements, each
alone and beside a thread as busy as an event loop can be; `checkpoint` compares how rarely the
write-ahead log is copied into the file; `settle` pays a column of 10,000 bets, half of them won;
`check` is the integrity check and the start after that many bets. All on files, synchronous=FULL,
medians of three.
"""

import argparse
import json
import socket
import sqlite3
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, Self

from db import sqlite_connection
from db.sqlite_ledger import SqliteLedger
from db.sqlite_ledger_reader import SqliteLedgerReader
from db.ulid import UlidMaker
from domain.caps import HouseCaps
from domain.evidence import gather
from domain.grid import Cell
from domain.resolution import CellResult, Judgeable, Outcome, Record, Rule
from domain.ticks import Tick
from domain.units import payout_micros
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

CAPS = HouseCaps(
    payout_per_user_micros=10**15, payout_per_cell_micros=10**15, payout_per_column_micros=10**15
)
TRADERS = 1_000
AT_MS = 1_770_000_000_000
RUNS = 3


class LoopLedger:
    """The plain way: prepared statements per bet, in one transaction per batch.

    One look-up finds account, nonce, cell, verdict and running totals as the intake's trigger
    does; it has no refusals, which the benchmark's bets don't meet.
    """

    def __init__(self, path: Path) -> None:
        self._connection = sqlite_connection.open_writer(path)
        self._ulids = UlidMaker(SeededChance(2))

    def apply(self, orders: Sequence[BetOrder], *, at_ms: int) -> Sequence[int]:
        execute = self._connection.execute
        balances = []
        with sqlite_connection.transaction(self._connection):
            txn = execute("SELECT ifnull(max(rowid), 0) + 1 FROM transaction_ledger").fetchone()[0]
            ids = self._ulids.take(len(orders) + 1, at_ms)
            total = 0
            for order, ledger_id in zip(orders, ids, strict=False):
                balances.append(self._one(order, ledger_id, txn, at_ms))
                total += order.bet.stake_micros
            house = execute(
                "UPDATE users SET balance = balance + ? WHERE id = 1 RETURNING balance", (total,)
            ).fetchone()[0]
            execute(_LEDGER, (ids[-1], txn, 1, total, house, f"txn:{txn}", at_ms))
        return balances

    def _one(self, order: BetOrder, ledger_id: str, txn: int, at_ms: int) -> int:
        execute = self._connection.execute
        bet, cell = order.bet, order.bet.cell
        looked_up = execute(_LOOK_UP, _look_up_values(order)).fetchone()
        assert looked_up[1:4] == (None, None, 0), "the benchmark's bets are all good"
        user_id, balance = execute(
            "UPDATE users SET balance = balance - ?1, version = version + 1"
            " WHERE wallet_address = ?2 AND balance >= ?1 RETURNING id, balance",
            (bet.stake_micros, bet.wallet),
        ).fetchone()
        execute(
            "INSERT INTO bets (id, user_id, nonce, column_start_s, column_s, lo_cents, hi_cents,"
            " rule, stake_micros, reward_bps, quote_n, status, holds_cell, placed_at_ms)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'confirmed', 1, ?)",
            (
                *(bet.bet_id, user_id, bet.nonce, cell.column_start_s, order.column_s),
                *(cell.lo_cents, cell.hi_cents, order.rule.value, bet.stake_micros),
                *(order.reward_bps, order.quote_n, at_ms),
            ),
        )
        change = -bet.stake_micros
        execute(_LEDGER, (ledger_id, txn, user_id, change, balance, bet.bet_id, at_ms))
        payout = payout_micros(bet.stake_micros, order.reward_bps)
        execute(
            "INSERT INTO exposure VALUES ('total', '', 1, ?1, ?2), ('user', ?3, 1, ?1, ?2),"
            " ('cell', ?4, 1, ?1, ?2), ('column', ?5, 1, ?1, ?2)"
            " ON CONFLICT (scope, key) DO UPDATE SET bets = bets + 1,"
            " stake_micros = stake_micros + excluded.stake_micros,"
            " payout_micros = payout_micros + excluded.payout_micros",
            (bet.stake_micros, payout, str(user_id), cell.id, str(cell.column_start_s)),
        )
        return int(balance)

    def close(self) -> None:
        sqlite_connection.close_writer(self._connection)


def _look_up_values(order: BetOrder) -> tuple[object, ...]:
    bet, cell = order.bet, order.bet.cell
    column = str(cell.column_start_s)
    return (bet.wallet, bet.nonce, cell.id, cell.column_start_s, order.column_s, column)


_LOOK_UP = """
    SELECT account.id, used.id, holder.id,
           EXISTS (SELECT 1 FROM columns WHERE start_s = ?4 AND column_s = ?5),
           account.frozen, account.balance, (SELECT balance FROM users WHERE id = 1),
           (SELECT payout_micros FROM exposure WHERE scope = 'total' AND key = ''),
           (SELECT payout_micros FROM exposure
            WHERE scope = 'user' AND key = CAST(account.id AS TEXT)),
           (SELECT payout_micros FROM exposure WHERE scope = 'cell' AND key = ?3),
           (SELECT payout_micros FROM exposure WHERE scope = 'column' AND key = ?6)
    FROM users AS account
    LEFT JOIN bets AS used ON used.user_id = account.id AND used.nonce = ?2
    LEFT JOIN bets AS holder ON holder.user_id = account.id AND holder.cell_id = ?3
                            AND holder.holds_cell = 1
    WHERE account.wallet_address = ?1
"""

_LEDGER = """
    INSERT INTO transaction_ledger
        (id, txn, user_id, amount, balance_after, ref_type, ref_id, created_at_ms)
    VALUES (?, ?, ?, ?, ?, 'BET', ?, ?)
"""


def wallet(number: int) -> str:
    return f"0x{number:040x}"


def orders(count: int, *, first: int = 0, columns: int = 12) -> list[BetOrder]:
    """Bets of 1,000 traders in turn, spread over the columns, each on a cell of its own."""
    ids = UlidMaker(SeededChance(1))
    start_s = AT_MS // 1000 + 10 + first
    return [
        BetOrder(
            bet=PlaceBet(
                bet_id=ids.make(AT_MS + n // 3),
                wallet=wallet(n % TRADERS),
                nonce=f"{n * 2654435761 % 2**32:08x}-{n:08x}",
                cell=Cell(
                    column_start_s=start_s + 5 * (n % columns),
                    lo_cents=1_000 * (n // TRADERS),
                    hi_cents=1_000 * (n // TRADERS) + 1_000,
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


def new_ledger(path: Path) -> SqliteLedger:
    """A ledger with a bankroll and 1,000 traders with money."""
    ledger = SqliteLedger.open(path, caps=CAPS, chance=SeededChance(1))
    deposits = [
        Deposit(wallet=wallet(n), amount_micros=10**12, reference=f"d{n}", by="bench")
        for n in range(TRADERS)
    ]
    bankroll = Deposit(wallet="house", amount_micros=10**15, reference="house", by="bench")
    ledger.apply([bankroll, *deposits], at_ms=AT_MS)
    return ledger


class Company:
    """A thread beside the ledger, as an event loop is: it never waits, and counts what it does."""

    def __init__(self, *, busy: bool) -> None:
        self._busy = busy
        self._stop = threading.Event()
        self.rounds = 0

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._work)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _work(self) -> None:
        """Parse, build and send, in turn: what a round of an event loop costs and waits for."""
        left, right = socket.socketpair()
        with left, right:
            while self._busy and not self._stop.is_set():
                for _ in range(10):
                    json.loads(json.dumps({"cells": list(range(20))}))
                left.send(bytes(200))
                right.recv(200)
                self.rounds += 1


def rounds_alone_per_s() -> float:
    """What the company does in a second when nothing is beside it."""
    begin = time.perf_counter()
    with Company(busy=True) as company:
        time.sleep(1)
        rounds = company.rounds
    return rounds / (time.perf_counter() - begin)


def timed(call: Callable[[], object]) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def batches(all_orders: Sequence[BetOrder], size: int) -> list[Sequence[BetOrder]]:
    return [all_orders[n : n + size] for n in range(0, len(all_orders), size)]


def run_batches(
    ledger: SqliteLedger | LoopLedger, all_orders: Sequence[BetOrder], size: int
) -> list[float]:
    """Seconds of each batch."""
    return [
        timed(lambda batch=batch, n=n: ledger.apply(batch, at_ms=AT_MS + n))  # type: ignore[misc]
        for n, batch in enumerate(batches(all_orders, size))
    ]


def intake(folder: Path, bets: int) -> None:
    alone_per_s = rounds_alone_per_s()
    print(
        "| intake | batch | beside | bets/s | batch p50 / p99 ms | CPU us a bet | left to other |"
    )
    print("|---|---|---|---|---|---|---|")
    for size in (20, 100, 1_000):
        for busy in (False, True):
            for way in ("one statement", "plain loop"):
                count = bets if not busy else max(size * 5, bets // 5)
                runs = [one_intake(folder, way, size, count, busy=busy) for _ in range(RUNS)]
                run = sorted(runs, key=lambda run: run.bets_per_s)[RUNS // 2]
                left = f"{run.rounds_per_s / alone_per_s:.0%}" if busy else ""
                beside = "a busy thread" if busy else "nothing"
                speed = f"{run.bets_per_s:,.0f} | {percentiles(run.batch_s)}"
                figures = f"{speed} | {run.cpu_us_per_bet:.0f} | {left}"
                print(f"| {way} | {size} | {beside} | {figures} |", flush=True)


class IntakeRun(NamedTuple):
    bets_per_s: float
    rounds_per_s: float
    batch_s: list[float]
    cpu_us_per_bet: float
    """Of the ledger's thread: what a loaded machine changes least."""
    written_per_bet: float
    """Bytes handed to the disk, log and checkpoints together; NaN where the system can't say."""


def one_intake(folder: Path, way: str, size: int, count: int, *, busy: bool) -> IntakeRun:
    path = Path(tempfile.mkdtemp(dir=folder)) / "money.db"
    real = new_ledger(path)
    ledger: SqliteLedger | LoopLedger = real
    if way == "plain loop":
        real.close()
        ledger = LoopLedger(path)
    given = orders(count)
    cpu_s, written = time.thread_time(), bytes_written()
    with Company(busy=busy) as company:
        times = run_batches(ledger, given, size)
        rounds = company.rounds
    cpu_us = (time.thread_time() - cpu_s) * 1e6 / count
    written_per_bet = (bytes_written() - written) / count
    ledger.close()
    wall_s = sum(times)
    return IntakeRun(count / wall_s, rounds / wall_s, times, cpu_us, written_per_bet)


def bytes_written() -> float:
    """By this process so far, on Linux."""
    try:
        lines = Path("/proc/self/io").read_text().splitlines()
    except FileNotFoundError:
        return float("nan")
    return float(next(line.split()[1] for line in lines if line.startswith("write_bytes")))


def percentiles(times: list[float]) -> str:
    ordered = sorted(times)
    p99 = ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]
    return f"{statistics.median(ordered) * 1000:.1f} / {p99 * 1000:.1f}"


def checkpoint(folder: Path, bets: int) -> None:
    head = "| WAL pages | bets/s | batch of 100: p50 / p99 / slowest ms"
    print(f"{head} | CPU us a bet | bytes written a bet |\n|---|---|---|---|---|")
    default = sqlite_connection.WAL_CHECKPOINT_PAGES
    sizes = (1_000, 5_000, 20_000, 80_000)
    runs: dict[int, list[IntakeRun]] = {pages: [] for pages in sizes}
    for _ in range(RUNS):  # in turn, so that a busy spell of the machine meets them all
        for pages in sizes:
            sqlite_connection.WAL_CHECKPOINT_PAGES = pages  # type: ignore[misc]
            runs[pages].append(one_intake(folder, "one statement", 100, bets, busy=False))
    sqlite_connection.WAL_CHECKPOINT_PAGES = default  # type: ignore[misc]
    for pages in sizes:
        run = sorted(runs[pages], key=lambda run: run.bets_per_s)[RUNS // 2]
        times = f"{percentiles(run.batch_s)} / {max(run.batch_s) * 1000:.0f}"
        costs = f"{run.cpu_us_per_bet:.0f} | {run.written_per_bet:,.0f}"
        print(f"| {pages:,} | {run.bets_per_s:,.0f} | {times} | {costs} |")


def settle(folder: Path, _bets: int) -> None:
    print("| settle 10,000 bets, half won | ms |\n|---|---|")
    for busy in (False, True):
        times = [one_settlement(folder, busy=busy) for _ in range(RUNS)]
        beside = "beside a busy thread" if busy else "alone"
        print(f"| {beside} | {statistics.median(times) * 1000:.0f} |", flush=True)


def one_settlement(folder: Path, *, busy: bool) -> float:
    ledger = new_ledger(Path(tempfile.mkdtemp(dir=folder)) / "money.db")
    given = orders(10_000, columns=1)
    for batch in batches(given, 100):
        confirmed = ledger.apply(batch, at_ms=AT_MS)
        assert all(isinstance(outcome, BetConfirmed) for outcome in confirmed)
    command = verdict(given)
    with Company(busy=busy):
        begin = time.perf_counter()
        outcome = ledger.apply([command], at_ms=AT_MS + 60_000)[0]
        took_s = time.perf_counter() - begin
    assert isinstance(outcome, ColumnSettled)
    assert len(outcome.resolved) == 10_000
    ledger.close()
    return took_s


def verdict(given: Sequence[BetOrder]) -> SettleColumn:
    """A verdict on the first order's column in which every other row of the grid wins."""
    start_s = given[0].bet.cell.column_start_s
    ticks = tuple(
        Tick(source="bench", trade_id=n, price_cents=500 + n, size_e8=0, ts_ms=ts, recv_ms=ts)
        for n, ts in enumerate(range(start_s * 1000, start_s * 1000 + 5_000, 50))
    )
    record = Record(
        start_ms=start_s * 1000,
        end_ms=start_s * 1000 + 5_000,
        carry_in=ticks[0],
        ticks=ticks,
        after=None,
        watermark_ms=ticks[-1].ts_ms,
        read_at_ms=start_s * 1000 + 7_000,
    )
    ranges = {(order.bet.cell.lo_cents, order.bet.cell.hi_cents) for order in given}
    return SettleColumn(
        key=ColumnKey(start_s=start_s, column_s=5, rule=Rule.TOUCH),
        evidence=gather(Rule.TOUCH, record, Judgeable(void=None)),
        results={
            (lo, hi): CellResult(outcome=Outcome.WON if lo // 1_000 % 2 else Outcome.LOST)
            for lo, hi in ranges
        },
    )


def check(folder: Path, bets: int) -> None:
    path = Path(tempfile.mkdtemp(dir=folder)) / "money.db"
    ledger = new_ledger(path)
    for first in range(0, bets, 10_000):
        given = orders(min(10_000, bets - first), first=first, columns=1)
        run_batches(ledger, given, 1_000)
        ledger.apply([verdict(given)], at_ms=AT_MS + first)
    ledger.close()
    megabytes = path.stat().st_size / 1e6
    print(f"| after {bets:,} bets ({megabytes:,.0f} MB) | s |\n|---|---|")
    reader = SqliteLedgerReader.open(path)
    report = reader.integrity()
    assert report.clean, report.drifts[:3]
    print(f"| integrity check | {statistics.median(run_thrice(reader.integrity)):.2f} |")
    reader.close()
    for what in ("start, nothing verified yet", "start, all verified before"):
        begin = time.perf_counter()
        ledger = SqliteLedger.open(path, caps=CAPS, chance=SeededChance(1))
        ledger.recover()
        print(f"| {what} | {time.perf_counter() - begin:.2f} |")
        ledger.close()


def run_thrice(call: Callable[[], object]) -> list[float]:
    return [timed(call) for _ in range(RUNS)]


SCENARIOS = {"intake": intake, "checkpoint": checkpoint, "settle": settle, "check": check}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="on the disk to measure; default: temporary")
    parser.add_argument("--bets", type=int, default=50_000)
    parser.add_argument("scenario", nargs="*", default=list(SCENARIOS), choices=[*SCENARIOS, []])
    options = parser.parse_args()
    print(f"SQLite {sqlite3.sqlite_version}")
    for name in options.scenario:
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            print()
            SCENARIOS[name](Path(folder), options.bets)


if __name__ == "__main__":
    main()
