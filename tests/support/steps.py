"""Everything that code does to files, step by step, so that a test can stop it at any of them.

A step is one SQL statement on a connection that is made meanwhile, or one call that syncs, renames
or deletes a file. Only what comes between two steps can be lost at once.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeAlias

import pytest

Act: TypeAlias = Callable[[int, str], None]
"""Called before each step, with its number (from 1) and what it is. May raise, or not return."""

_FILE_CALLS = ("fsync", "replace", "unlink", "link")


@contextmanager
def stepping(act: Act) -> Iterator[list[str]]:
    """Every step within goes through `act`; what they were is in the list."""
    seen: list[str] = []
    is_over = False

    def step(what: str) -> None:
        if not is_over:  # a connection made within may live on
            seen.append(what)
            act(len(seen), what)

    class Connection(sqlite3.Connection):
        def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
            step(" ".join(sql.split())[:60])
            return super().execute(sql, *values)

        def executescript(self, script: str, /) -> sqlite3.Cursor:
            step("a script")
            return super().executescript(script)

    def through(name: str) -> Callable[..., Any]:
        real = getattr(os, name)

        def call(*given: Any, **named: Any) -> Any:
            step(f"{name} {' '.join(str(one).rsplit('/')[-1] for one in given)}")
            return real(*given, **named)

        return call

    connect = partial(sqlite3.connect, factory=Connection)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sqlite3, "connect", connect)
        for name in _FILE_CALLS:
            patched.setattr(os, name, through(name))
        yield seen
    is_over = True


def count(_number: int, _what: str) -> None:
    """Let everything happen."""
