"""What the exit codes of `tapgrid` mean. Scripts and monitors go by them, so they are stable."""

from typing import Final

from actors.commands.terminal import printable

OK: Final = 0
"""Done, and nothing is wrong."""
WRONG: Final = 1
"""Done, and something is wrong: drift, a bad bet, a refused deposit, an actor that is down."""
REFUSED: Final = 2
"""Nothing was done: the command line, the settings or an input file are not right."""
NO_FOLDER: Final = 3
"""Nothing was done: the data folder can't be used (absent, in use, or of another kind)."""
UNREACHABLE: Final = 4
"""The venue did not answer; what was sent before may have been done."""
INTERRUPTED: Final = 130
"""Stopped by Ctrl-C."""


class CannotDo(Exception):
    """The command ends here. The message is for the person who typed it, on his terminal: it may
    hold what a venue has said."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__("\n".join(map(printable, message.splitlines())))
        self.exit_code = exit_code
