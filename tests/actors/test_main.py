"""The command line: every command explains itself with an example, and ends with a code."""

import os
import subprocess
import sys
from argparse import ArgumentParser, _SubParsersAction
from pathlib import Path

import pytest

from actors.__main__ import main, parser

COMMANDS = [
    "serve",
    "status",
    "integrity",
    "verify",
    "fund",
    "archive",
    "backup",
    "restore",
    "audit",
    "check-config",
    "openapi",
    "simulate",
]


def commands() -> dict[str, ArgumentParser]:
    [found] = [a for a in parser()._actions if isinstance(a, _SubParsersAction)]
    return dict(found.choices)


def test_these_are_the_commands() -> None:
    assert list(commands()) == COMMANDS


@pytest.mark.parametrize("name", COMMANDS)
def test_every_help_has_an_example_and_the_exit_codes(name: str) -> None:
    text = commands()[name].format_help()
    assert f"example: tapgrid {name}" in text
    assert "exit codes: 0 done" in text


@pytest.mark.parametrize(
    "arguments", [[], ["fly"], ["fund"], ["serve", "--port", "x"], ["verify", "A", "--all"]]
)
def test_a_wrong_command_line_is_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: tapgrid" in capsys.readouterr().err


def test_refused_settings_start_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "data"
    assert main(["serve", "--data", str(data), "--set", "venue.mode=production"]) == 2
    assert "feed.source: refused in production" in capsys.readouterr().err
    assert not data.exists()


def test_ctrl_c_is_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(loaded: object, *, out: object) -> int:
        raise KeyboardInterrupt

    # Of a command that no other one imports: it would keep this for ever.
    monkeypatch.setattr("actors.commands.check_config.check_config", interrupted)
    assert main(["check-config"]) == 130


@pytest.mark.slow
def test_output_that_nobody_reads_is_no_traceback() -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    done = subprocess.run(
        [sys.executable, "-m", "actors", "check-config"],
        stdout=write_end,
        stderr=subprocess.PIPE,
        timeout=30,
    )
    os.close(write_end)
    assert (done.returncode, done.stderr) == (141, b"")
