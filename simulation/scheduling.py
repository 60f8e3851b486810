"""Trio's scheduler made to follow the seed.

Trio runs the tasks that are due in one pass in a random order, so that nobody relies on it. Its
own door for Hypothesis (`_hypothesis_plugin_setup`, used by pytest-trio) sorts them first and draws
the order from a generator that can be seeded: then the order is random and the same in every
process. There is no public name for that, so it is reached for here.
"""

import gc
import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

SCHEDULER = "trio._core._run"
COLLECTS_EVERY_S: Final = 600
"""Of venue time: some 15,000 to 50,000 objects are garbage then, and to collect them takes a
hundredth of what the run takes. It is the same run with it and without."""


@contextmanager
def scheduled_by(seed: int) -> Iterator[None]:
    """While inside, a trio run orders its tasks by `seed`.

    The garbage collector runs at moments that depend on the machine, and what it finalizes with it:
    it is off while inside, and collects at the end what has been made since. A run that is long has
    it collect at moments of its own (`COLLECTS_EVERY_S`).
    """
    scheduler: Any = importlib.import_module(SCHEDULER)
    before = scheduler._ALLOW_DETERMINISTIC_SCHEDULING, scheduler._r.getstate()
    collects = gc.isenabled()
    scheduler._ALLOW_DETERMINISTIC_SCHEDULING = True
    scheduler._r.seed(seed)
    gc.disable()
    gc.freeze()
    try:
        yield
    finally:
        scheduler._ALLOW_DETERMINISTIC_SCHEDULING = before[0]
        scheduler._r.setstate(before[1])
        gc.collect()
        gc.unfreeze()
        if collects:
            gc.enable()
