"""The alert rules: every metric that one names is exported, every runbook it points to is there."""

import os
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import attrs
import pytest
import yaml

from domain.disk import DiskUse
from tests.support.door import Door, open_door
from tests.support.sources import REPOSITORY

RULES = REPOSITORY / "deploy" / "prometheus-rules.yml"
FUNCTIONS = {"time", "rate", "increase", "sum", "by", "le", "histogram_quantile"}


def rules() -> Iterator[dict[str, object]]:
    for group in yaml.safe_load(RULES.read_text("utf-8"))["groups"]:
        yield from group["rules"]


def metrics_in(expression: str) -> set[str]:
    """The names in an expression that are neither functions nor labels."""
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]|\"[^\"]*\"", "", expression)
    return set(re.findall(r"[a-z_]{2,}", bare)) - FUNCTIONS


@pytest.fixture
async def exported(tmp_path: Path) -> AsyncIterator[set[str]]:
    """The names that a venue exports once everything has happened for the first time."""
    async with open_door(tmp_path) as door:
        happened(door)
        await door.get("/api/grid")
        text = (await door.get("/metrics")).body.decode()
        yield {line.split("{")[0].split()[0] for line in text.splitlines() if line[0] != "#"}


def happened(door: Door) -> None:
    channels = door.channels
    channels.archive.set(attrs.evolve(channels.archive.value, last_success_ms=1))
    channels.backups.set(attrs.evolve(channels.backups.value, last_success_ms=1))
    channels.audit.set(attrs.evolve(channels.audit.value, checked_at_ms=1))
    use = DiskUse(total_bytes=2, free_bytes=1)
    channels.disk.set(attrs.evolve(channels.disk.value, use=use))


def test_each_alert_says_how_bad_it_is_and_what_it_means() -> None:
    found = list(rules())
    assert len({str(rule["alert"]) for rule in found}) == len(found) >= 12
    for rule in found:
        assert rule["labels"]["severity"] in ("warning", "critical")  # type: ignore[index]
        assert set(rule["annotations"]) == {"summary", "runbook"}  # type: ignore[call-overload]


async def test_every_metric_of_an_alert_is_exported(exported: set[str]) -> None:
    named = {name for rule in rules() for name in metrics_in(str(rule["expr"]))}
    assert len(named) >= 12
    assert named <= exported


def test_every_runbook_of_an_alert_is_in_the_operating_page() -> None:
    page = (REPOSITORY / "docs" / "operating.md").read_text("utf-8").lower()
    for rule in rules():
        runbook = rule["annotations"]["runbook"]  # type: ignore[index]
        assert re.search(rf"^## (runbook: )?{re.escape(runbook)}", page, re.M), runbook


def test_promtool_finds_no_fault() -> None:
    promtool = shutil.which("promtool")
    if promtool is None and "CI" not in os.environ:
        pytest.skip("promtool is missing: sudo apt-get install prometheus")
    assert promtool is not None
    done = subprocess.run(
        [promtool, "check", "rules", str(RULES)], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
