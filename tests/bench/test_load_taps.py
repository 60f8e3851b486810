"""The load generator: its arithmetic, its frames, and a small load on a real venue."""

import json
import os
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio

from bench.load_taps import Books, Tap, percentile
from bench.load_wire import TEXT, frame, take_frames
from client import Bet, SignedBet, Wallet, sign_bet
from tests.support.venue_process import OPS_TOKEN, REPOSITORY, venue

WALLET = Wallet.from_private_key(bytes(31) + b"\x01")
NONCE = "7f1d7e5c-8f0a-4c39-9a4e-0d9a6d3a9d11"
CELL = "1770100010_4200000_4201000"
UNLIMITED = (
    *("limits.bets_per_minute=1000000", "limits.bets_burst=1000000"),
    *("limits.requests_per_minute=10000000", "limits.requests_burst=1000000"),
    *("limits.sign_ins_per_minute=100000", "limits.connections_per_address=10000"),
    *("house.payout_per_user_micros=1000000000000", "house.payout_per_cell_micros=1000000000000"),
    "house.payout_per_column_micros=10000000000000",
)


def a_bet() -> SignedBet:
    return sign_bet(
        WALLET,
        wallet=WALLET.address,
        cell_id=CELL,
        stake_micros=1,
        nonce=NONCE,
        timestamp_s=1,
        chain_id=1,
    )


FOUND = Bet(
    bet_id="B1",
    cell_id=CELL,
    status="confirmed",
    stake_micros=1,
    reward_bps=18_500,
    payout_micros=None,
    placed_at_ms=1,
    resolved_at_ms=None,
    nonce=NONCE,
    quote=1,
    rule="touch",
    column_start_s=1,
    column_s=5,
    lo_cents=1,
    hi_cents=2,
    key_id=None,
)


@pytest.mark.parametrize(
    ("code", "bet_id", "found", "fault"),
    [
        ("confirmed", "B1", FOUND, None),
        ("confirmed", "B1", None, "acknowledged and lost"),
        ("confirmed", "B2", FOUND, "acknowledged and lost"),
        ("cell_taken", None, None, None),
        ("cell_taken", None, FOUND, "refused and charged"),
        ("insufficient_funds", None, attrs.evolve(FOUND, status="insufficient_funds"), None),
        ("status_unknown", None, FOUND, None),
        (None, None, FOUND, None),
        (None, None, None, None),
    ],
)
def test_what_was_said_is_held_against_the_books(
    code: str | None, bet_id: str | None, found: Bet | None, fault: str | None
) -> None:
    books = Books()
    books.check(Tap(0.0, a_bet(), b"", code=code, bet_id=bet_id), found)
    assert books.faults == (Counter([fault]) if fault else Counter())


@pytest.mark.parametrize(
    ("values", "n", "expected"),
    [([], 50, None), ([7.0], 99, 7.0), ([1.0, 2.0, 3.0, 4.0], 50, 2.0), ([*range(1, 101)], 95, 95)],
)
def test_percentiles_are_answers_that_came(
    values: list[float], n: int, expected: float | None
) -> None:
    assert percentile(values, n) == expected


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 100_000])
def test_frames_come_whole_or_not_yet(size: int) -> None:
    payload = bytes(size)
    length = (
        bytes([size])
        if size < 126
        else b"\x7e" + size.to_bytes(2, "big")
        if size < 65_536
        else b"\x7f" + size.to_bytes(8, "big")
    )
    whole = bytes([0x80 | TEXT]) + length + payload
    received = bytearray(whole + whole[:-1] if size else whole + whole[:1])
    assert list(take_frames(received)) == [(TEXT, payload)]
    received += whole[-1:]
    assert list(take_frames(received)) == [(TEXT, payload)]
    assert not received


def test_a_clients_frame_is_masked() -> None:
    assert frame(TEXT, b"abc") == b"\x81\x83\x00\x00\x00\x00abc"
    assert frame(TEXT, bytes(200))[:8] == b"\x81\xfe\x00\xc8\x00\x00\x00\x00"


@pytest.mark.slow
@pytest.mark.system
async def test_a_small_load_in_each_way_loses_nothing(tmp_path: Path) -> None:
    settings = [f"--set={setting}" for setting in UNLIMITED]
    async with venue(tmp_path, "--demo", "--feed", "simulator", *settings) as running:
        for way in (
            ("--rate", "50"),
            ("--rate", "50", "--transport", "ws", "--signer", "key"),
            ("--bets", "200"),
        ):
            report = await load(running.url, *way)
            print(report)
            assert report["faults"] == {}
            assert report["checked"] == report["sent"] > 50
            assert report["codes"]["confirmed"] > report["sent"] // 2
            assert 0 < report["p50_ms"] <= report["p95_ms"] <= report["p99_ms"] <= report["max_ms"]


async def load(url: str, *way: str) -> dict[str, Any]:
    """A run of the load generator, as a process of its own."""
    where = ("--url", url, "--token", OPS_TOKEN)
    small = ("--seconds", "2", "--wallets", "10", "--connections", "8")
    with trio.fail_after(120):
        done = await trio.run_process(
            [sys.executable, "-m", "bench.load_taps", *where, *small, *way],
            cwd=REPOSITORY,
            env=os.environ,
            capture_stdout=True,
            capture_stderr=True,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    return dict(json.loads(done.stdout))
