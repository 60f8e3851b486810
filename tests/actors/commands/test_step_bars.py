"""Work in steps: a bar for each on a terminal, none elsewhere, wiped at the end; Ctrl-C ends it."""

import signal
import threading
from io import StringIO

import pytest

from actors.commands.step_bars import MIB, StepBars, interruptible
from protocols.ports import WorkStopped


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_each_step_is_drawn_with_its_own_bar() -> None:
    stream = Terminal()
    with StepBars(stream) as work:
        work.begin("copy")
        work.step(0, 3 * MIB)
        work.step(3 * MIB, 3 * MIB)
        work.begin("check")
        work.step(0, 0)
    drawn = [text for text in stream.getvalue().split("\r\x1b[2K") if text]
    assert drawn == [
        "copy",
        f"copy [{'':<30}] 0 of 3 MiB",
        f"copy [{'=' * 30}] 3 of 3 MiB",
        "check",
    ]
    assert stream.getvalue().endswith("\x1b[2K"), "and wiped"


def test_it_is_drawn_only_when_it_changes() -> None:
    stream = Terminal()
    with StepBars(stream) as work:
        work.begin("copy")
        for done in range(1_000):
            work.step(done, 10 * MIB)
    assert stream.getvalue().count("copy") == 2


def test_nothing_is_drawn_elsewhere() -> None:
    stream = StringIO()
    with StepBars(stream) as work:
        work.begin("copy")
        work.step(1, 2)
    assert stream.getvalue() == ""


def test_ctrl_c_ends_the_work_and_then_the_command() -> None:
    ended = threading.Event()
    main = threading.get_ident()

    def work_for_ever() -> None:
        signal.pthread_kill(main, signal.SIGINT)
        pause = threading.Event()
        try:
            while True:
                bars.step(0, 0)
                pause.wait(0.001)
        except WorkStopped:
            ended.set()
            raise

    with StepBars(StringIO()) as bars, pytest.raises(KeyboardInterrupt):
        interruptible(work_for_ever, bars)
    assert ended.wait(5)


def test_what_is_not_interrupted_gives_its_result_or_its_failure() -> None:
    with StepBars(StringIO()) as bars:
        assert interruptible(lambda: 7, bars) == 7
        with pytest.raises(ZeroDivisionError):
            interruptible(lambda: 1 // 0, bars)
