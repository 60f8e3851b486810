"""`tapgrid status`: the actor tree of a running venue, as a table that keeps itself up to date."""

import json
from typing import Final, TextIO

import trio

from actors.commands.exits import OK, WRONG, CannotDo
from actors.commands.status_table import everything_runs, render
from actors.commands.venue_client import VenueClient

STATUS_PATH: Final = "/ops/status"
REDRAW_S: Final = 1.0
HOME_AND_CLEAR: Final = "\x1b[H\x1b[2J"


def status(venue: VenueClient, *, as_json: bool, once: bool, out: TextIO) -> int:
    """Show it: once where `out` is no terminal, else until Ctrl-C. WRONG if an actor is down."""
    if as_json or once or not out.isatty():
        found = venue.get(STATUS_PATH)
        out.write(json.dumps(found, indent=2) if as_json else "\n".join(render(found)))
        out.write("\n")
        return OK if everything_runs(found) else WRONG
    trio.run(watch, venue, out)
    return OK


async def watch(venue: VenueClient, out: TextIO, *, redraw_s: float = REDRAW_S) -> None:
    """Draw again and again. A venue that is away for a moment is waited for."""
    while True:
        try:
            found = await trio.to_thread.run_sync(venue.get, STATUS_PATH, abandon_on_cancel=True)
            lines = render(found)
        except CannotDo as gone:
            lines = [str(gone)]
        out.write(HOME_AND_CLEAR + "\n".join(lines) + "\n")
        out.flush()
        await trio.sleep(redraw_s)
