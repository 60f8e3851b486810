"""The systemd unit: what it starts is a command of ours, and systemd finds no fault with it."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from actors.__main__ import parser
from config.settings import load
from simulation.keeper import RESTART_AFTER_S
from simulation.process import NOT_RESTARTED
from tests.support.sources import REPOSITORY

UNIT = REPOSITORY / "deploy" / "venue.service"


def lines(key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", UNIT.read_text(encoding="utf-8"), re.M)


def test_it_starts_the_venue() -> None:
    [start] = lines("ExecStart")
    program, *arguments = shlex.split(start)
    assert Path(program).name == "tapgrid"
    assert arguments[0] == "serve"
    parser().parse_args(arguments)


def test_systemd_waits_longer_than_the_drain() -> None:
    [stop_s] = lines("TimeoutStopSec")
    assert int(stop_s) > load().settings.venue.drain_within_s


def test_systemd_starts_it_again_for_ever_unless_only_a_person_can_mend_it() -> None:
    """As in the simulation, whose venue is started again each time."""
    assert lines("Restart") == ["on-failure"]
    assert lines("StartLimitIntervalSec") == ["0"]
    assert [float(each) for each in lines("RestartSec")] == [RESTART_AFTER_S]
    [never] = lines("RestartPreventExitStatus")
    assert tuple(map(int, never.split())) == NOT_RESTARTED


def test_the_token_comes_from_a_file() -> None:
    [environment] = lines("Environment")
    assert environment.startswith("TAPGRID_OPS__TOKEN_FILE=")


@pytest.mark.slow
def test_systemd_accepts_it(tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("needs systemd-analyze: sudo apt-get install systemd")
    [start] = lines("ExecStart")
    here = UNIT.read_text(encoding="utf-8").replace(shlex.split(start)[0], sys.executable)
    unit = tmp_path / "tapgrid.service"
    unit.write_text(re.sub(r"^Documentation=.*\n", "", here, flags=re.M), encoding="utf-8")
    done = subprocess.run(
        [program, "verify", "--man=no", "--recursive-errors=no", unit],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_its_filter_lets_archiving_give_way() -> None:
    """`@resources` has setpriority in it, which the Archiver's thread calls for itself."""
    assert lines("SystemCallFilter")[-1] == "setpriority"
