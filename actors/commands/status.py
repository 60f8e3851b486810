"""`tapgrid status`: a running venue as operators see it, kept up to date on a terminal."""

import json
from collections.abc import Mapping
from functools import partial
from typing import Any, Final, TextIO

import trio

from actors.commands.exits import OK, WRONG, CannotDo
from actors.commands.status_table import everything_runs, render
from actors.commands.venue_client import VenueClient

STATUS_PATH: Final = "/ops/status"
REDRAW_S: Final = 1.0
HOME_AND_CLEAR: Final = "\x1b[H\x1b[2J"


def status(
    venue: VenueClient, *, as_json: bool, once: bool, out: TextIO, environ: Mapping[str, str]
) -> int:
    """Show it: once where `out` is no terminal, else until Ctrl-C. WRONG if an actor is down."""
    colour = out.isatty() and not environ.get("NO_COLOR")  # https://no-color.org
    if as_json or once or not out.isatty():
        found = venue.get(STATUS_PATH)
        lines = [json.dumps(found, indent=2)] if as_json else render(found, colour=colour)
        out.write("\n".join(lines) + "\n")
        return OK if everything_runs(found) else WRONG
    trio.run(partial(watch, venue, out, colour=colour))
    return OK


async def watch(
    venue: VenueClient, out: TextIO, *, colour: bool = False, redraw_s: float = REDRAW_S
) -> None:
    """Draw again and again. A venue that is away for a moment is waited for."""
    before: dict[str, Any] | None = None
    while True:
        try:
            found = await trio.to_thread.run_sync(venue.get, STATUS_PATH, abandon_on_cancel=True)
            lines, before = render(found, before=before, colour=colour), found
        except CannotDo as gone:
            lines = [str(gone)]
        out.write(HOME_AND_CLEAR + "\n".join(lines) + "\n")
        out.flush()
        await trio.sleep(redraw_s)
