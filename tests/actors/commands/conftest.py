"""A data folder with a small past, written by the real ledger; and a venue to ask, in a thread."""

import json
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import attrs
import pytest

from actors.__main__ import main
from db.data_folder import DataFolder
from db.durable_file import PRIVATE, replace_file
from db.weekly_ledger import open_current
from domain.caps import HouseCaps
from domain.evidence import gather
from domain.grid import Cell
from domain.resolution import Judgeable, Record, Rule, VoidReason, judge_cells
from domain.ticks import Tick
from protocols.account_commands import VoidColumn
from protocols.money import BetOrder, ColumnKey, Deposit, LedgerCommand, PlaceBet, SettleColumn
from supervisor.chance import SeededChance

TOKEN = "an-operators-token-of-32-letters"
WALLET = "0x" + "ab" * 20
START_S = 1_770_100_000
START_MS = START_S * 1000
WEEK_MS = 7 * 86_400_000
FIRST, SECOND = "2026-02-01.db", "2026-02-08.db"
"""The weeks of `START_MS` and of a week later."""
WON, LOST, OPEN, BROKE = ("01KAVC4G6R3ZQK8YV5M2T9WXJ" + end for end in "ABCD")
VOID = "01KAVC4G6R3ZQK8YV5M2T9WXJE"


def cell(column: int = 0, row: int = 0) -> Cell:
    lo_cents = 4_200_000 + 1_000 * row
    return Cell(column_start_s=START_S + 5 * column, lo_cents=lo_cents, hi_cents=lo_cents + 1_000)


def order(bet_id: str, on: Cell, *, stake_micros: int = 1_000_000) -> BetOrder:
    nonce = f"00000000-0000-4000-8000-{ord(bet_id[-1]):012}"
    bet = PlaceBet(bet_id=bet_id, wallet=WALLET, nonce=nonce, cell=on, stake_micros=stake_micros)
    return BetOrder(bet=bet, column_s=5, rule=Rule.TOUCH, reward_bps=18_500, quote_n=1)


def tick(offset_ms: int, price_cents: int, trade_id: int) -> Tick:
    at_ms = START_MS + offset_ms
    return Tick(
        source="test",
        trade_id=trade_id,
        price_cents=price_cents,
        size_e8=0,
        ts_ms=at_ms,
        recv_ms=at_ms,
    )


def record(column: int) -> Record:
    """A window in which the price stands in row 0."""
    opens_ms = 5_000 * column
    return Record(
        start_ms=START_MS + opens_ms,
        end_ms=START_MS + opens_ms + 5_000,
        carry_in=tick(opens_ms - 500, 4_199_000, 1),
        ticks=(tick(opens_ms + 1_000, 4_200_500, 2), tick(opens_ms + 3_000, 4_199_500, 3)),
        after=tick(opens_ms + 5_500, 4_199_500, 4),
        watermark_ms=START_MS + opens_ms + 7_500,
        read_at_ms=START_MS + opens_ms + 7_600,
    )


def settle(column: int, *rows: int, void: VoidReason | None = None) -> SettleColumn:
    seen = record(column)
    on = [(cell(row=row).lo_cents, cell(row=row).hi_cents) for row in rows]
    return SettleColumn(
        key=ColumnKey(start_s=START_S + 5 * column, column_s=5, rule=Rule.TOUCH),
        evidence=gather(Rule.TOUCH, seen, Judgeable(void=void)),
        results=dict(zip(on, judge_cells(Rule.TOUCH, seen, on, void=void), strict=True)),
    )


PAST: tuple[LedgerCommand, ...] = (
    Deposit(wallet="house", amount_micros=10**12, reference="bankroll", by="test"),
    Deposit(wallet=WALLET, amount_micros=10_000_000, reference="first", by="test"),
    order(WON, cell(0, row=0)),
    order(LOST, cell(0, row=5)),
    order(VOID, cell(1, row=0)),
    order(OPEN, cell(2, row=0)),
    order(BROKE, cell(2, row=1), stake_micros=100_000_000),
    settle(0, 0, 5),
    VoidColumn(start_s=START_S + 5, reason="drill", by="test"),
    settle(1, 0, void=VoidReason.OPERATOR),
)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder with one bet of each end, one that is open, and one for which money lacked."""
    folder = DataFolder.open(tmp_path / "data", mode="demo", chain_id=31337)
    ledger, _ = open_current(folder.money, at_ms=START_MS, caps=HouseCaps(), chance=SeededChance(1))
    with closing(ledger):
        ledger.apply(PAST, at_ms=START_MS)
    return folder.path


@pytest.fixture
def two_weeks(data: Path) -> Path:
    """The same a week later: the bet that was open has been won in the new file."""
    money = DataFolder.existing(data).money
    at_ms = START_MS + WEEK_MS
    ledger, _ = open_current(money, at_ms=at_ms, caps=HouseCaps(), chance=SeededChance(2))
    with closing(ledger):
        ledger.apply([settle(2, 0)], at_ms=at_ms)
    return data


@attrs.define
class Answering:
    """A server in a thread that answers what it is told to, and keeps what it was asked."""

    url: str
    answers: dict[str, list[tuple[int, bytes]]] = attrs.field(factory=dict)
    """By path; the last one is given again and again."""
    asked: list[tuple[str, str, Any]] = attrs.field(factory=list)
    """Path, Authorization, JSON body."""

    def will_answer(self, path: str, *answers: tuple[int, object]) -> None:
        self.answers[path] = [(status, json.dumps(body).encode()) for status, body in answers]


@pytest.fixture
def venue() -> Iterator[Answering]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.answering = Answering(f"http://127.0.0.1:{server.server_port}")  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server.answering  # type: ignore[attr-defined]
    server.shutdown()
    thread.join()
    server.server_close()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._answer(None)

    def do_POST(self) -> None:
        self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _answer(self, body: Any) -> None:
        answering: Answering = self.server.answering  # type: ignore[attr-defined]
        answering.asked.append((self.path, self.headers["Authorization"], body))
        waiting = answering.answers[self.path]
        status, content = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        pass


def runs_on(data: Path, venue: Answering) -> None:
    """Make the folder say that this venue runs on it."""
    folder = DataFolder.existing(data)
    replace_file(folder.run_file, json.dumps({"url": venue.url, "pid": 1}))
    replace_file(folder.token_file, TOKEN + "\n", mode=PRIVATE)


@attrs.frozen
class Said:
    """What a command left behind."""

    code: int
    out: str
    err: str


class Tapgrid:
    """Runs the command line in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def __call__(self, *arguments: str | Path) -> Said:
        self._capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        return Said(code, *self._capsys.readouterr())


@pytest.fixture
def tapgrid(capsys: pytest.CaptureFixture[str]) -> Tapgrid:
    return Tapgrid(capsys)
