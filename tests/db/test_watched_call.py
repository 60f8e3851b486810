"""Calls that somebody waits for without being bound to them."""

import threading
from collections.abc import Callable, Iterator
from itertools import count
from queue import SimpleQueue

import pytest

from db.watched_call import LOOK_EVERY_S, StillRunning, watched_call

FORESEEN = (OSError,)


@pytest.fixture
def released() -> Iterator[threading.Event]:
    """Set at the end of the test, so that no thread outlives it for long."""
    event = threading.Event()
    yield event
    event.set()


def run(call: Callable[[], object], look: Callable[[], None], within_s: float = 5) -> object:
    return watched_call(call, foreseen=FORESEEN, look=look, within_s=within_s)


def nothing() -> None:
    pass


def test_what_the_call_returns_is_returned() -> None:
    assert run(lambda: 7, nothing) == 7


@pytest.mark.parametrize("error", [OSError("gone"), TimeoutError("the call's own")])
def test_what_the_call_raises_is_raised(error: OSError) -> None:
    def fail() -> None:
        raise error

    with pytest.raises(OSError, match=str(error)) as caught:
        run(fail, nothing)
    assert caught.value is error


def test_what_nobody_foresaw_is_raised_and_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: SimpleQueue[threading.ExceptHookArgs] = SimpleQueue()
    monkeypatch.setattr(threading, "excepthook", shown.put)

    def fail() -> None:
        raise LookupError("a defect")

    with pytest.raises(LookupError, match="a defect"):
        run(fail, nothing)
    assert shown.get(timeout=5).exc_type is LookupError


@pytest.mark.slow
def test_the_caller_looks_up_until_it_has_an_answer(released: threading.Event) -> None:
    looks = count(1)

    def look() -> None:
        if next(looks) == 2:
            released.set()

    assert run(released.wait, look) is True
    assert next(looks) == 3


@pytest.mark.slow
def test_what_the_look_raises_ends_the_wait(released: threading.Event) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(released.wait, stop)
    assert not released.is_set()


@pytest.mark.slow
def test_the_wait_has_a_limit(released: threading.Event) -> None:
    looks = count()
    with pytest.raises(StillRunning, match=r"no answer within 0\.5 s"):
        run(released.wait, lambda: next(looks) and None, within_s=2 * LOOK_EVERY_S)
    assert next(looks) == 2


@pytest.mark.slow
def test_a_call_that_was_left_keeps_no_process_alive(released: threading.Event) -> None:
    with pytest.raises(StillRunning):
        run(released.wait, nothing, within_s=LOOK_EVERY_S)
    left = [each for each in threading.enumerate() if each.name.endswith("(_answer)")]
    assert [thread.daemon for thread in left] == [True]
