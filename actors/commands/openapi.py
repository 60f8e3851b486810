"""`tapgrid openapi`: the API's document, as `/openapi.json` of a venue with these settings."""

from typing import TextIO

import msgspec

from actors.commands.exits import OK
from config.settings import Settings
from protocols.openapi import document


def openapi(settings: Settings, *, version: str, out: TextIO) -> int:
    """Print it, indented."""
    described = document(origin=settings.public.origin, version=version)
    out.write(msgspec.json.format(msgspec.json.encode(described)).decode() + "\n")
    return OK
