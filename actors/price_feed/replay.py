"""The replay: a source that plays a recorded trade file as if it happened now.

The file is read as it is played, a row at a time, plain, gzipped or zipped. Its first trade happens
at the moment of connecting, the others follow at their distance, or at a multiple of real time with
the distances shortened accordingly. A gap in the file is a silence.

Each pass through the file has a source name of its own: `replay:NAME`, then `replay:NAME#2`. So the
jump from its end to its beginning is a change of source, which voids the columns it falls in. Trade
ids repeat in the next life of the process; their later exchange times keep ticks in order, and the
stretch in which the venue was down separates the two lives on the record.
"""

import csv
import gzip
import io
import zipfile
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import ExitStack, aclosing, asynccontextmanager, contextmanager
from fractions import Fraction
from pathlib import Path
from typing import IO, Final

import attrs
import structlog
import trio

from actors.price_feed.pacing import Pace
from domain.ticks import Tick
from protocols.ports import Clock, SourceLost
from protocols.trade_csv import Layout, RecordedTrade, layout_of_header, layout_of_row, parse_row

SPEED_MAX: Final = 1_000
PAUSE_BETWEEN_PASSES_S: Final = 1.0
"""Also what keeps a file of a single row from turning the replay into a busy loop."""
UNREADABLE_IN_A_ROW_MAX: Final = 1_000
"""More, and it is not a trade file that has a few bad rows."""

_READING_FAILED: Final = (
    OSError,
    EOFError,
    zlib.error,
    zipfile.BadZipFile,
    UnicodeError,
    csv.Error,
)

log = structlog.get_logger("price_feed")


@attrs.frozen(kw_only=True)
class ReplaySpec:
    """What to play, and how fast."""

    path: Path
    speed: Fraction = Fraction(1)
    """Multiple of real time, above 0 and at most SPEED_MAX."""


def parse_replay_spec(text: str) -> ReplaySpec:
    """`FILE[@SPEED]` taken apart; ValueError if there is no file or the speed is out of range.

    A file's own name may hold an `@`: only a decimal number after the last one is a speed.
    """
    file, at, number = text.rpartition("@")
    whole, _, fraction = number.partition(".")
    if not at or not (number.isascii() and (whole + fraction).isdecimal() and whole):
        file, number = text, "1"
    speed = Fraction(number)
    if not file:
        raise ValueError("a replay needs a file: replay:FILE[@SPEED]")
    if not 0 < speed <= SPEED_MAX:
        raise ValueError(f"a replay's speed must be above 0 and at most {SPEED_MAX}: {number}")
    return ReplaySpec(path=Path(file), speed=speed)


class Replay:
    """A TickSource that never ends: after the last row comes the first again."""

    known_skew_ms: Final = 0  # its times are shifted to now

    def __init__(self, spec: ReplaySpec, *, clock: Clock) -> None:
        """Raises ValueError, with a text for the operator, unless the file has a trade to play."""
        self._spec = spec
        self._clock = clock
        self._passes = 0
        self.unreadable = 0
        self._check()

    @property
    def name(self) -> str:
        return f"replay:{self._spec.path.name}"

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[AsyncIterator[Tick]]:
        """The file from its beginning, over and over. Lost if it can't be read any more."""
        async with aclosing(self._ticks()) as ticks:
            yield ticks

    def _check(self) -> None:
        path = self._spec.path
        if not path.is_file():
            raise ValueError(f"no such file to replay: {path} (a speed is a number: {path}@10)")
        try:
            with open_rows(path) as rows:
                first = next(self._trades(rows), None)
        except (*_READING_FAILED, SourceLost) as error:
            raise ValueError(f"{path} can't be replayed: {error}") from error
        if first is None:
            raise ValueError(f"{path} can't be replayed: it has no trade")

    async def _ticks(self) -> AsyncGenerator[Tick, None]:
        while True:
            self._passes += 1
            name = self.name if self._passes == 1 else f"{self.name}#{self._passes}"
            log.info("replay_pass_began", source=name)
            try:
                # Small reads of a local file, some 50 us each: not worth a thread, and threads
                # and virtual time don't mix.
                with open_rows(self._spec.path) as rows:
                    async with aclosing(self._play(name, self._trades(rows))) as ticks:
                        async for tick in ticks:
                            yield tick
            except _READING_FAILED as error:
                raise SourceLost(f"reading {self._spec.path}: {error}") from error
            await trio.sleep(PAUSE_BETWEEN_PASSES_S)

    async def _play(self, name: str, trades: Iterator[RecordedTrade]) -> AsyncGenerator[Tick, None]:
        pace = Pace(self._clock)
        first_ms: int | None = None
        offset_ms = 0
        for trade in trades:
            first_ms = trade.ts_ms if first_ms is None else first_ms
            # A row out of order is played at once, in its place in the file.
            offset_ms = max(offset_ms, int((trade.ts_ms - first_ms) / self._spec.speed))
            ts_ms = await pace.wait_until(offset_ms)
            yield Tick(
                source=name,
                trade_id=trade.trade_id,
                price_cents=trade.price_cents,
                size_e8=trade.size_e8,
                ts_ms=ts_ms,
                recv_ms=self._clock.now_ms(),
            )

    def _trades(self, rows: Iterator[list[str]]) -> Iterator[RecordedTrade]:
        """The readable rows; the others are counted. SourceLost if it is no trade file."""
        layout: Layout | None = None
        bad, patience = 0, 1  # the first row must be good, or it is another kind of file
        for row_number, cells in enumerate(rows, start=1):
            if layout is None:
                layout = layout_of_header(cells)
                if layout is not None:
                    continue
                layout = layout_of_row(cells)
                if layout is None:
                    raise SourceLost("its columns are not those of a trade file")
            try:
                trade = parse_row(cells, layout, row_number=row_number)
            except ValueError as error:
                bad += 1
                self.unreadable += 1
                if bad >= patience:
                    raise SourceLost(f"{bad} rows in a row can't be read: {error}") from error
                continue
            bad, patience = 0, UNREADABLE_IN_A_ROW_MAX
            yield trade


@contextmanager
def open_rows(path: Path) -> Iterator[Iterator[list[str]]]:
    """The rows of a CSV file, read as they are asked for; by its name `.gz` or `.zip` or plain.

    Raises OSError, EOFError, zlib.error, zipfile.BadZipFile, UnicodeError or csv.Error, here or
    while iterating, if the file can't be read.
    """
    with ExitStack() as open_files:
        text = io.TextIOWrapper(_open_bytes(path, open_files), encoding="utf-8-sig", newline="")
        yield csv.reader(open_files.enter_context(text))


def _open_bytes(path: Path, open_files: ExitStack) -> IO[bytes]:
    if path.suffix == ".gz":
        return io.BufferedReader(open_files.enter_context(gzip.open(path, "rb")))
    if path.suffix == ".zip":
        archive = open_files.enter_context(zipfile.ZipFile(path))
        members = [name for name in archive.namelist() if not name.endswith("/")]
        if len(members) != 1:
            raise zipfile.BadZipFile(f"it holds {len(members)} files, not one")
        return archive.open(members[0])
    return path.open("rb")
