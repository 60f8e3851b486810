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
FUNCTIONS = {"time", "rate", "increase", "resets", "sum", "by", "le", "histogram_quantile"}
OF_PROMETHEUS = {"up"}


def rules() -> Iterator[dict[str, object]]:
    for group in yaml.safe_load(RULES.read_text("utf-8"))["groups"]:
        yield from group["rules"]


def metrics_in(expression: str) -> set[str]:
    """The names in an expression that the venue has to export: no functions, no labels."""
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]|\"[^\"]*\"", "", expression)
    return set(re.findall(r"[a-z_]{2,}", bare)) - FUNCTIONS - OF_PROMETHEUS


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
    promtool("check", "rules", RULES)


def test_a_venue_that_is_down_or_does_not_stay_up_is_told(tmp_path: Path) -> None:
    """Scraped every 15 s: down from the second minute to the fourth; then it ends every minute, and
    is told of after the third time."""
    labels: dict[str, object] = {"job": "tapgrid", "severity": "critical"}
    told: list[tuple[str, str, list[dict[str, object]]]] = [
        ("2m", "VenueDown", []),
        ("3m", "VenueDown", [labels]),
        ("4m", "VenueDown", []),
        ("5m", "VenueRestarts", []),
        ("6m", "VenueRestarts", [labels]),
    ]
    checks = [
        {
            "eval_time": at,
            "alertname": alert,
            "exp_alerts": [
                {"exp_labels": each, "exp_annotations": annotations(alert, 3)} for each in expected
            ],
        }
        for at, alert, expected in told
    ]
    series = {
        'up{job="tapgrid"}': "1x7 0x7 1x60",
        'venue_uptime_seconds{job="tapgrid"}': "0+15x7 _x8 0+15x3 0+15x3 0+15x3 0+15x3",
    }
    tests = tmp_path / "tests.yml"
    tests.write_text(
        yaml.safe_dump(
            {
                "rule_files": [str(RULES)],
                "evaluation_interval": "15s",
                "tests": [
                    {
                        "interval": "15s",
                        "input_series": [
                            {"series": name, "values": values} for name, values in series.items()
                        ],
                        "alert_rule_test": checks,
                    }
                ],
            }
        ),
        "utf-8",
    )
    promtool("test", "rules", tests)


def annotations(alert: str, value: int) -> dict[str, str]:
    [rule] = [each for each in rules() if each["alert"] == alert]
    found: dict[str, str] = rule["annotations"]  # type: ignore[assignment]
    return {name: text.replace("{{ $value }}", str(value)) for name, text in found.items()}


def promtool(*arguments: str | Path) -> None:
    program = shutil.which("promtool")
    if program is None and "CI" not in os.environ:
        pytest.skip("promtool is missing: sudo apt-get install prometheus")
    assert program is not None
    done = subprocess.run([program, *arguments], capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
