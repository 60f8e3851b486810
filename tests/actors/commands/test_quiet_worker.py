"""Long work gives way to the venue, and lends no thread that gives way to others."""

import os
import threading

import pytest

from actors.commands.quiet_worker import NICENESS, QuietWorker


def niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


async def test_the_call_gives_way_and_so_does_what_it_starts() -> None:
    def call() -> list[int]:
        seen = [niceness()]
        started = threading.Thread(target=lambda: seen.append(niceness()))
        started.start()
        started.join()
        return seen

    own = niceness()
    assert await QuietWorker().run(call) == [max(own, NICENESS)] * 2
    assert niceness() == own


async def test_what_it_raises_is_raised() -> None:
    def call() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await QuietWorker().run(call)


async def test_where_giving_way_is_forbidden_the_call_is_made_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A seccomp filter may say so."""

    def forbidden(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "setpriority", forbidden)
    assert await QuietWorker().run(lambda: 7) == 7
