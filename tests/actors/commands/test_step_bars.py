"""Bars for work in steps: drawn on a terminal, silent elsewhere, wiped at the end."""

from io import StringIO

from actors.commands.step_bars import MIB, StepBars


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
