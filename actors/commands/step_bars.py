"""Long work in several steps, as a command does it: with a bar for each, and an ear for Ctrl-C."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Final, Self, TextIO, TypeVar

from actors.commands.progress import bar
from protocols.ports import WorkStopped

MIB: Final = 1 << 20

T = TypeVar("T")


class StepBars:
    """Implements `protocols.backup.BackupWork`: draws the step in hand, on a terminal only.

    Its line is wiped at the end."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._drawn = stream.isatty()
        self._step = ""
        self._shown = ""
        self.told = False
        """To end the work at the next look."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._show("")

    def begin(self, step: str) -> None:
        self._step = step
        self._show(step)

    def step(self, done_bytes: int, total_bytes: int) -> None:
        """So far is the step in hand. Raises WorkStopped."""
        if self.told:
            raise WorkStopped
        if total_bytes:
            drawn = bar(done_bytes // MIB, -(-total_bytes // MIB), "MiB")
            self._show(f"{self._step} {drawn}")

    def _show(self, text: str) -> None:
        if self._drawn and text != self._shown:
            self._shown = text
            self._stream.write(f"\r\x1b[2K{text}")  # back to the margin, clear the line
            self._stream.flush()


def interruptible(call: Callable[[], T], bars: StepBars) -> T:
    """What `call` returns or raises; Ctrl-C ends it by way of `bars`, and then this.

    It runs on a thread of its own: the main one, in the middle of a long statement of SQLite's,
    would not hear of Ctrl-C until that has ended.
    """
    with ThreadPoolExecutor(1) as thread:
        try:
            return thread.submit(call).result()
        except KeyboardInterrupt:
            bars.told = True
            raise
