"""The bucket's lifecycle rules: they clear up, and no week is ever touched by them."""

import json
from typing import Any

import pytest

from tests.support.s3_server import running_s3
from tests.support.sources import REPOSITORY

CONFIGURATION: dict[str, Any] = json.loads(
    (REPOSITORY / "deploy" / "s3-lifecycle.json").read_text()
)
RULES: list[dict[str, Any]] = CONFIGURATION["Rules"]
WHAT_A_RULE_IS = {"ID", "Status", "Filter"}


def actions(rule: dict[str, Any]) -> dict[str, Any]:
    return {name: what for name, what in rule.items() if name not in WHAT_A_RULE_IS}


def may_touch(rule: dict[str, Any], key: str) -> bool:
    """With the prefix only: a rule with any other filter counts as touching everything."""
    prefix = rule["Filter"].get("Prefix", "") if set(rule["Filter"]) <= {"Prefix"} else ""
    return key.startswith(prefix)


def test_all_rules_are_on() -> None:
    assert {rule["Status"] for rule in RULES} == {"Enabled"}


def test_unfinished_uploads_go_after_a_week() -> None:
    [rule] = [rule for rule in RULES if "AbortIncompleteMultipartUpload" in rule]
    assert actions(rule) == {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}}
    assert may_touch(rule, "weeks/2026-11-15.db.zst")
    assert may_touch(rule, "backups/2026-11-15/20261117T120000Z.db.zst")


def test_weeks_are_never_deleted_nor_moved() -> None:
    for rule in RULES:
        if set(actions(rule)) != {"AbortIncompleteMultipartUpload"}:
            assert not may_touch(rule, "weeks/2026-11-15.db.zst"), rule["ID"]
            assert not may_touch(rule, "weeks/"), rule["ID"]


def test_backups_go_only_after_the_venue_has_deleted_them() -> None:
    for rule in RULES:
        assert rule.get("Expiration", {}).keys() <= {"ExpiredObjectDeleteMarker"}, rule["ID"]
        assert "Transition" not in rule
        assert "Transitions" not in rule


@pytest.mark.slow
def test_a_service_takes_them() -> None:
    with running_s3() as server:
        bucket = server.new_bucket()
        server.client.put_bucket_lifecycle_configuration(
            Bucket=bucket,
            LifecycleConfiguration=CONFIGURATION,  # type: ignore[arg-type]
        )
        taken = server.client.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert {rule["ID"] for rule in taken} == {rule["ID"] for rule in RULES}
