"""Bars for work in several steps, on a terminal; nothing anywhere else."""

from types import TracebackType
from typing import Self, TextIO

from actors.commands.progress import bar

MIB = 1 << 20


class StepBars:
    """Implements `protocols.backup.BackupWork`: draws the step in hand, wipes its line at the end.

    It never ends the work: Ctrl-C does.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._drawn = stream.isatty()
        self._step = ""
        self._shown = ""

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
        """So far is the step in hand."""
        if total_bytes:
            drawn = bar(done_bytes // MIB, -(-total_bytes // MIB), "MiB")
            self._show(f"{self._step} {drawn}")

    def _show(self, text: str) -> None:
        if self._drawn and text != self._shown:
            self._shown = text
            self._stream.write(f"\r\x1b[2K{text}")  # back to the margin, clear the line
            self._stream.flush()
