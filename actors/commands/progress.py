"""A bar for long work on a terminal; elsewhere nothing, or a line now and then."""

from types import TracebackType
from typing import Final, Self, TextIO

BAR_WIDTH: Final = 30


def bar(done: int, total: int | None, what: str) -> str:
    """`[=====     ] 1,500 of 3,000 bets`, or just the count where the total is not known."""
    if total is None:
        return f"{done:,} {what}"
    filled = BAR_WIDTH * min(done, total) // total if total else BAR_WIDTH
    return f"[{'=' * filled:<{BAR_WIDTH}}] {done:,} of {total:,} {what}"


class Progress:
    """Draws on `stream` if that is a terminal, and wipes its line at the end. If it is none, says
    how far it is each time another `line_every` are done; 0 says nothing."""

    def __init__(
        self, what: str, *, total: int | None, stream: TextIO, line_every: int = 0
    ) -> None:
        self._what = what
        self._total = total
        self._stream = stream
        self._line_every = line_every
        self._drawn = stream.isatty()
        self._done = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.wipe()

    def wipe(self) -> None:
        """Make room for a line of something else; the next step draws it again."""
        self._write("")

    def step(self, count: int = 1) -> None:
        """`count` more are done."""
        before, self._done = self._done, self._done + count
        if self._drawn:
            self._write(bar(self._done, self._total, self._what))
        elif self._line_every and self._done // self._line_every > before // self._line_every:
            self._stream.write(f"{bar(self._done, self._total, self._what)}\n")
            self._stream.flush()

    def _write(self, text: str) -> None:
        if self._drawn:
            self._stream.write(f"\r\x1b[2K{text}")  # back to the margin, clear the line
            self._stream.flush()
