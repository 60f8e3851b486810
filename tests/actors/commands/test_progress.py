"""A bar on a terminal, and nothing in a file."""

import io

import pytest

from actors.commands.progress import Progress, bar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("done", "total", "text"),
    [
        (0, 10, f"[{' ' * 30}] 0 of 10 bets"),
        (5, 10, f"[{'=' * 15}{' ' * 15}] 5 of 10 bets"),
        (10, 10, f"[{'=' * 30}] 10 of 10 bets"),
        (0, 0, f"[{'=' * 30}] 0 of 0 bets"),
        (1_500, None, "1,500 bets"),
    ],
)
def test_bar(done: int, total: int | None, text: str) -> None:
    assert bar(done, total, "bets") == text


def test_a_terminal_sees_it_and_has_its_line_back() -> None:
    terminal = Terminal()
    with Progress("bets", total=2, stream=terminal) as progress:
        progress.step()
    assert "1 of 2 bets" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\x1b[2K")


def test_a_file_sees_nothing() -> None:
    file = io.StringIO()
    with Progress("bets", total=2, stream=file) as progress:
        progress.step()
    assert file.getvalue() == ""


def test_a_file_that_asked_for_lines_has_one_at_each_so_many() -> None:
    file = io.StringIO()
    with Progress("bets", total=7, stream=file, line_every=3) as progress:
        for count in (1, 1, 2, 1, 2):
            progress.step(count)
    assert file.getvalue() == f"{bar(4, 7, 'bets')}\n{bar(7, 7, 'bets')}\n"
