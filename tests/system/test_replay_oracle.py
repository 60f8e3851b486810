"""A replayed market, and every settled bet against a plain oracle that imports nothing of ours.

The recorded Binance trades where they are at hand, else a walk of the same shape. A gap is cut into
the file, so that some bets are void.
"""

import csv
import gzip
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.support.disk import bets_on_disk, wait_all_ended
from tests.support.http_client import HttpClient, http_client
from tests.support.oracle import critical_stretches, outcome
from tests.support.trader import USD, Trader, near_cells, wait_grid
from tests.support.venue_process import REPOSITORY, venue

pytestmark = [pytest.mark.slow, pytest.mark.system]

RECORDED = REPOSITORY.parent / "shared/data/btcusdt_trades_binance_spot_20240808.csv.gz"
GAP_FROM_MS, GAP_UNTIL_MS = 45_000, 57_000
LENGTH_MS = 150_000
TAP_FOR_S = 34

Row = tuple[int, str, str]


def recorded_rows() -> list[Row]:
    with gzip.open(RECORDED, "rt") as file:
        rows = list(csv.reader(file))[1:]
    return [(int(ts_ms), price, size) for ts_ms, price, size in rows]


def walked_rows() -> list[Row]:
    """Thirty trades a second, as lively as the recorded ones."""
    chance, cents, ts_ms = random.Random(8), 6_170_000, 1_723_161_255_342
    rows = []
    while ts_ms < 1_723_161_255_342 + LENGTH_MS:
        ts_ms += chance.randrange(5, 60)
        cents += round(chance.gauss(0, 60))
        rows.append((ts_ms, f"{cents / 100:.2f}", "0.01"))
    return rows


def with_gap(rows: list[Row]) -> list[Row]:
    first_ms = rows[0][0]
    return [
        row
        for row in rows
        if row[0] - first_ms < LENGTH_MS and not GAP_FROM_MS <= row[0] - first_ms < GAP_UNTIL_MS
    ]


def write_csv(file: Path, rows: list[Row]) -> None:
    with gzip.open(file, "wt") as out:
        out.write("ts_ms,price,qty\n")
        out.writelines(f"{ts_ms},{price},{size}\n" for ts_ms, price, size in rows)


def cents_of(price: str) -> int:
    """Half up, by hand."""
    whole, _, fraction = price.partition(".")
    digits = (fraction + "000")[:3]
    return int(whole) * 100 + int(digits[:2]) + (1 if digits[2] >= "5" else 0)


async def test_every_settled_bet_is_what_a_plain_oracle_says(
    tmp_path: Path, say: Callable[[str], None]
) -> None:
    rows = with_gap(recorded_rows() if RECORDED.exists() else walked_rows())
    market = tmp_path / "market.csv.gz"
    write_csv(market, rows)
    data, trader = tmp_path / "data", Trader(number=1)
    async with venue(data, f"--feed=replay:{market}") as running:
        assert (await trader.fund(running.port, 1_000 * USD, "funds")).status == 200
        async with http_client(running.port) as client:
            await tap_for_a_while(client, trader)
        await wait_all_ended(data)
        async with http_client(running.port) as client:
            proofs = [await proof_of(client, bet) for bet in bets_on_disk(data)]
    bets = bets_on_disk(data)
    ticks = market_as_venue_saw_it(rows, proofs)
    expected = [expected_outcome(ticks, bet) for bet in bets]
    assert [bet["status"] for bet in bets] == expected
    ends = Counter(expected)
    say(f"{len(bets)} bets on a replayed market: {dict(ends)}")
    assert ends["won"] >= 5
    assert ends["lost"] >= 5
    assert ends["void"] >= 1


async def tap_for_a_while(client: HttpClient, trader: Trader) -> None:
    """Two bets each second, on near cells of columns up to half a minute ahead."""
    chance, taken, until = random.Random(3), set[str](), trio.current_time() + TAP_FOR_S
    while trio.current_time() < until:
        grid = await wait_grid(client)
        near = near_cells(grid, columns=range(2, 8), rate_max_bps=60_000, spare_ms=500)
        if fresh := [cell_id for cell_id in near if cell_id not in taken]:
            cell_id = chance.choice(fresh)
            taken.add(cell_id)
            bet = trader.bet(cell_id, now_ms=grid["server_time_ms"])
            answer = await client.post("/api/bets", bet)
            assert answer.status == 202 or answer.error == "cell_unavailable", answer.body
        await trio.sleep(0.52)  # the venue takes 120 a minute


async def proof_of(client: HttpClient, bet: dict[str, Any]) -> dict[str, Any]:
    answer = await client.get(f"/api/bets/{bet['id']}/proof")
    assert answer.status == 200, answer.body
    assert answer.json["outcome"] == bet["status"]
    return dict(answer.json)


def market_as_venue_saw_it(rows: list[Row], proofs: list[dict[str, Any]]) -> list[tuple[int, int]]:
    """The file's trades at the venue's times: shifted by one number for the whole run.

    The number is read off the first tick of a proof; that every tick of every proof is then the
    row of the file that its trade id names is checked.
    """
    first = next(proof["ticks"][0] for proof in proofs if proof["ticks"])
    rows_by_id = dict(enumerate(rows, start=first_id(rows, proofs)))
    shift_ms = first["ts_ms"] - rows_by_id[first["trade_id"]][0]
    for proof in proofs:
        for tick in proof["ticks"]:
            ts_ms, price, _ = rows_by_id[tick["trade_id"]]
            assert (tick["ts_ms"], tick["price_cents"]) == (ts_ms + shift_ms, cents_of(price))
    return [(ts_ms + shift_ms, cents_of(price)) for ts_ms, price, _ in rows]


def first_id(rows: list[Row], proofs: list[dict[str, Any]]) -> int:
    """The file has no trade ids, so the venue counts rows; whether from 0 or 1 is its business."""
    ticks = [tick for proof in proofs for tick in proof["ticks"]]
    for start in (0, 1, 2):
        by_id = dict(enumerate(rows, start=start))
        if all(
            tick["price_cents"] == cents_of(by_id[tick["trade_id"]][1])
            for tick in ticks
            if tick["trade_id"] in by_id
        ):
            return start
    raise AssertionError("the ticks of the proofs are not the rows of the file")


def expected_outcome(ticks: list[tuple[int, int]], bet: dict[str, Any]) -> str:
    start_ms = bet["column_start_s"] * 1000
    end_ms = start_ms + bet["column_s"] * 1000
    for from_ms, until_ms in critical_stretches(ticks):
        if from_ms < end_ms and start_ms < until_ms:
            return "void"
    return outcome(ticks, start_ms, end_ms, bet["lo_cents"], bet["hi_cents"])
