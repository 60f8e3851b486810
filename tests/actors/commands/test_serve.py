"""`tapgrid serve`: what keeps it from starting, in words and without a trace; what a start leaves.

Each is a process of its own, because a venue takes the signals and the log of its process.
"""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import trio

from db.data_folder import DataFolder
from db.sqlite_ledger_reader import SqliteLedgerReader
from tests.support.disk import ledger_file
from tests.support.http_client import once
from tests.support.venue_process import OPS_TOKEN, REPOSITORY, venue

pytestmark = [pytest.mark.slow, pytest.mark.system]

DEMO_BANKROLL_MICROS = 10_000_000_000_000


def start(data: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`tapgrid serve`, which is expected to end by itself."""
    return subprocess.run(
        [sys.executable, "-m", "actors", "serve", "--data", str(data), "--port", "0", *arguments],
        cwd=REPOSITORY,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def assert_refused(done: subprocess.CompletedProcess[str], code: int, why: str) -> None:
    """It ended with that code after one line that says why."""
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    [line] = done.stderr.splitlines()
    assert line.startswith("tapgrid: ")
    assert why in line


# --- what keeps a venue from starting -----------------------------------------------------------


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_a_port_in_use(tmp_path: Path, taken_port: int) -> None:
    data = tmp_path / "data"
    done = start(data, "--port", str(taken_port))
    assert_refused(done, 2, f"can't listen at 127.0.0.1 port {taken_port}")
    assert not data.exists()


@pytest.mark.parametrize("content", [None, b"", b"neither CSV nor gzip\n\0\xff"])
def test_a_replay_file_that_can_not_be_read(tmp_path: Path, content: bytes | None) -> None:
    data, file = tmp_path / "data", tmp_path / "trades.csv.gz"
    if content is not None:
        file.write_bytes(content)
    done = start(data, "--feed", f"replay:{file}")
    assert_refused(done, 2, str(file))
    assert not data.exists()


def test_a_data_folder_that_another_process_holds(tmp_path: Path) -> None:
    folder = DataFolder.open(tmp_path, mode="demo", chain_id=31337)
    with folder.lock():
        assert_refused(start(tmp_path), 3, "is in use by another process")
    assert list(folder.money.iterdir()) == list(folder.prices.iterdir()) == []
    assert not folder.run_file.exists()


def test_a_data_folder_of_another_mode(tmp_path: Path) -> None:
    folder = DataFolder.open(tmp_path, mode="production", chain_id=1)
    before = sorted(tmp_path.rglob("*"))
    done = start(tmp_path)
    assert_refused(done, 3, "was made for mode production, chain id 1")
    assert "can't be used for mode demo, chain id 31337" in done.stderr
    assert sorted(tmp_path.rglob("*")) == before
    assert not folder.run_file.exists()


def test_a_file_where_the_data_folder_should_be(tmp_path: Path) -> None:
    file = tmp_path / "data"
    file.write_text("mine")
    assert_refused(start(file), 3, str(file))
    assert_refused(start(file / "below"), 3, str(file))
    assert file.read_text() == "mine"


def test_a_ledger_that_is_none(tmp_path: Path) -> None:
    folder = DataFolder.open(tmp_path, mode="demo", chain_id=31337)
    (folder.money / "2026-02-01.db").write_bytes(b"this is no SQLite file" * 100)
    (folder.money / "manifest.json").write_text('{"current": "2026-02-01.db"}')
    assert_refused(start(tmp_path), 3, f"the ledger in {folder.money} can't be opened")
    assert not folder.run_file.exists()


async def test_money_that_does_not_add_up_is_not_traded_on(tmp_path: Path) -> None:
    async with venue(tmp_path) as running:
        assert await running.stop() == 0
    with closing(sqlite3.connect(ledger_file(tmp_path))) as connection, connection:
        connection.execute(
            "INSERT INTO transaction_ledger"
            " (id, txn, user_id, amount, balance_after, ref_type, ref_id, created_at_ms)"
            " VALUES ('made up', 3, 1, 5, 5, 'DEPOSIT', 'made up', 0)"
        )
    done = await trio.to_thread.run_sync(start, tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "the money does not add up" in done.stderr
    assert "zero_sum" in done.stderr
    assert not (tmp_path / "run.json").exists()


# --- what a start leaves ------------------------------------------------------------------------


async def test_port_0_is_followed_by_the_address_and_the_origin(tmp_path: Path) -> None:
    async with venue(tmp_path) as running:
        assert running.port != 0
        issued = (await once(running.port, "GET", "/api/auth/nonce")).json
        assert issued["uri"] == f"http://127.0.0.1:{running.port}"
        assert issued["domain"] == f"127.0.0.1:{running.port}"
        here = json.loads((tmp_path / "run.json").read_text())
        assert here == {"url": running.url, "pid": running.process.pid}
        assert (tmp_path / "ops.token").read_text().strip() == OPS_TOKEN
        assert (tmp_path / "ops.token").stat().st_mode & 0o077 == 0


async def test_an_origin_of_its_own_stays(tmp_path: Path) -> None:
    async with venue(tmp_path, "--set=public.origin=https://tap.example") as running:
        issued = (await once(running.port, "GET", "/api/auth/nonce")).json
        assert (issued["uri"], issued["domain"]) == ("https://tap.example", "tap.example")


async def test_a_second_start_goes_on_where_the_first_stopped(tmp_path: Path) -> None:
    async with venue(tmp_path) as running:
        assert house_micros(tmp_path) == DEMO_BANKROLL_MICROS
        assert await running.stop() == 0
    for bankroll in ("10_000_000_000_000", "5_000_000"):
        async with venue(tmp_path, f"--set=house.demo_bankroll_micros={bankroll}") as running:
            assert (await once(running.port, "GET", "/readyz")).status == 200
            assert await running.stop() == 0
        assert house_micros(tmp_path) == DEMO_BANKROLL_MICROS, "it is given once"


async def test_a_token_is_made_and_shown_when_none_is_set(tmp_path: Path) -> None:
    async with venue(tmp_path, environment={"TAPGRID_OPS__TOKEN": ""}) as running:
        token = (tmp_path / "ops.token").read_text().strip()
        assert len(token) >= 32
        assert any(f"Operator token: {token}" in line for line in running.output)
        assert (await once(running.port, "GET", "/ops/status", token=token)).status == 200
        assert (await once(running.port, "GET", "/ops/status", token=OPS_TOKEN)).status != 200


async def test_a_second_venue_on_the_same_folder_leaves_the_first_alone(tmp_path: Path) -> None:
    async with venue(tmp_path) as running:
        announced = (tmp_path / "run.json").read_text()
        done = await trio.to_thread.run_sync(start, tmp_path)
        assert_refused(done, 3, "is in use by another process")
        assert (tmp_path / "run.json").read_text() == announced
        assert (await once(running.port, "GET", "/readyz")).status == 200


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_while_it_starts_is_a_clean_stop(
    tmp_path: Path, sign: signal.Signals
) -> None:
    async with venue(tmp_path, ready_within_s=None) as starting:
        await starting.wait_line("source_connected")
        starting.process.send_signal(sign)
        with trio.fail_after(30):
            assert await starting.process.wait() == 0
    assert not (tmp_path / "run.json").exists()
    assert not (tmp_path / "ops.token").exists()


def test_a_venue_outlives_whoever_read_its_log(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "actors", "serve", "--data", str(tmp_path), "--port", "0"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stderr.close()
        assert "tapgrid is ready at" in process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0


def house_micros(data: Path) -> int:
    with closing(SqliteLedgerReader.open(ledger_file(data))) as reader:
        return reader.house().balance_micros
