"""Python's garbage collector, told to keep out of a trader's way.

What is no longer used is freed at once, by its count of references. The collector is for what
refers to itself in a circle. It stops everything while it looks, and in a full collection it looks
at all there is: with 5,000 connections for 0.4 s of CPU, and by default whenever there is a quarter
more, which a crowd that comes and goes brings about every few seconds. Connections leave no circles
behind (`actors/gateway/wire.py`), nor does most else, so it may look at large parts rarely.
"""

import gc
from typing import Final

YOUNG_MAX: Final = 5_000
"""New objects, less those that are gone, before the young ones are looked at: some milliseconds."""
YOUNG_BEFORE_MIDDLE: Final = 10
MIDDLE_BEFORE_ALL: Final = 200
"""A full collection comes after 10 million objects that stayed, instead of after 70,000."""


def collect_rarely() -> None:
    """Set how often the collector looks, in this process."""
    gc.set_threshold(YOUNG_MAX, YOUNG_BEFORE_MIDDLE, MIDDLE_BEFORE_ALL)


def spare_what_stays() -> None:
    """Never look again at what is there now. Called once, when the venue has started: modules,
    tables and actors stay as long as the process, and are a quarter of a million objects."""
    gc.collect()
    gc.freeze()
