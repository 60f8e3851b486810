"""The page's own tests, `test_*.mjs`, each file run by the Node.js of the lock."""

import subprocess
import sys
from pathlib import Path

import pytest

WEB_TESTS = Path(__file__).resolve().parent
NODE = Path(sys.executable).with_name("node")


@pytest.mark.parametrize(
    "file", sorted(WEB_TESTS.rglob("test_*.mjs")), ids=lambda file: str(file.relative_to(WEB_TESTS))
)
def test_of_the_page_passes(file: Path) -> None:
    command = [NODE, "--test", "--test-reporter=spec", "--test-timeout=20000", file]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "tests 0" not in done.stdout, "the file has no test in it"


def test_there_are_tests_of_the_page() -> None:
    assert list(WEB_TESTS.rglob("test_*.mjs"))
