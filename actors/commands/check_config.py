"""`tapgrid check-config`: the settings in force, with secrets masked and where each came from."""

from typing import TextIO

from actors.commands.exits import OK
from config.report import effective
from config.settings import Loaded


def check_config(loaded: Loaded, *, out: TextIO) -> int:
    """Print them. What may not be was refused before: see `config.settings.load`."""
    out.write("\n".join(effective(loaded)) + "\n")
    return OK
