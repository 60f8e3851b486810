"""Health, readiness, version and metrics."""

from collections.abc import AsyncIterator
from pathlib import Path

import attrs
import pytest

from domain.disk import DiskLevel, DiskUse
from protocols.market import FeedLevel
from protocols.upkeep import ArchiveStatus, AuditStatus, BackupStatus, DiskStatus
from tests.support.door import CHAIN_ID, OPS_TOKEN, BrokenStore, Door, open_door


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async with open_door(tmp_path) as door:
        yield door


async def test_a_healthy_venue(door: Door) -> None:
    answer = await door.get("/healthz")
    assert (answer.status, answer.json["status"]) == (200, "healthy")
    assert answer.json["timestamp"] == "2026-02-03T06:26:43.000+00:00"
    assert answer.json["checks"] == {
        "database": {"status": "healthy"},
        "store": {"status": "healthy"},
        "price_feed": {"status": "healthy", "source": "test", "stale_for_ms": 0},
        "circuit_breaker": {"status": "closed", "override": "auto"},
        "actors": {"status": "healthy", "down": []},
    }


async def test_a_venue_without_prices_is_unhealthy(door: Door) -> None:
    door.channels.feed.set(attrs.evolve(door.channels.feed.value, level=FeedLevel.CRITICAL))
    answer = await door.get("/healthz")
    assert (answer.status, answer.json["status"]) == (503, "unhealthy")
    assert answer.json["checks"]["circuit_breaker"]["status"] == "open"


async def test_a_venue_with_slow_prices_is_well_enough(door: Door) -> None:
    door.channels.feed.set(attrs.evolve(door.channels.feed.value, level=FeedLevel.DEGRADED))
    answer = await door.get("/healthz")
    assert (answer.status, answer.json["checks"]["price_feed"]["status"]) == (200, "degraded")


async def test_a_venue_without_its_store_is_unhealthy(tmp_path: Path) -> None:
    async with open_door(tmp_path, store=BrokenStore()) as door:
        answer = await door.get("/healthz")
        assert answer.status == 503
        assert answer.json["checks"]["store"] == {"status": "unhealthy"}


async def test_a_venue_with_an_actor_down_is_unhealthy(tmp_path: Path) -> None:
    async with open_door(tmp_path, batcher_is="restarting") as door:
        answer = await door.get("/healthz")
        assert answer.status == 503
        assert answer.json["checks"]["actors"]["down"] == ["venue/batcher"]


async def test_ready_until_the_drain(door: Door) -> None:
    assert (await door.get("/readyz")).json == {"ready": True}
    door.channels.draining.set(True)
    answer = await door.get("/readyz")
    assert (answer.status, answer.error) == (503, "draining")


async def test_the_version(door: Door) -> None:
    assert (await door.get("/version")).json == {
        "version": "0",
        "commit": "",
        "demo": True,
        "chain_id": CHAIN_ID,
    }


async def test_metrics_bear_the_names_of_the_reference(door: Door) -> None:
    await door.fund()
    await door.post("/api/bets", door.bet())
    await door.get("/api/nowhere/" + "x" * 50)
    lines = (await door.get("/metrics")).body.decode().splitlines()
    for line in (
        'http_requests_total{method="POST",route="/api/bets",status="202"} 1.0',
        'http_requests_total{method="GET",route="unmatched",status="404"} 1.0',
        'bets_placed_total{outcome="confirmed"} 1.0',
        'bets_resolved_total{outcome="won"} 0.0',
        "price_feed_staleness_seconds 0.0",
        "circuit_breaker_state 0.0",
        "venue_uptime_seconds 1.5",
        'actor_restarts_total{actor="venue/batcher"} 1.0',
        'actor_running{actor="venue/batcher"} 1.0',
        "open_bets 1.0",
        "house_exposure_micros 1.85e+06",
        'channel_capacity{channel="sign_in"} 1000.0',
        'http_request_duration_seconds_count{route="/api/bets"} 1.0',
    ):
        assert line in lines


async def test_metrics_tell_of_archive_backups_audits_and_disk(door: Door) -> None:
    channels = door.channels
    channels.archive.set(
        ArchiveStatus(
            last_success_ms=1_770_000_000_500, waiting=2, archived=5, purged=3, failures=1
        )
    )
    channels.backups.set(BackupStatus(last_success_ms=1_770_000_001_000, last_bytes=9, taken=4))
    channels.audit.set(AuditStatus(checked_at_ms=1_770_000_002_000, drifts=1, verified_rowid=77))
    use = DiskUse(total_bytes=1000, free_bytes=100)
    channels.disk.set(DiskStatus(level=DiskLevel.FULL, use=use))
    before = channels.writer.value
    channels.writer.set(attrs.evolve(before, rotations=1, last_rotation_ms=320.0))
    lines = (await door.get("/metrics")).body.decode().splitlines()
    for line in (
        "last_successful_archive_timestamp 1.7700000005e+09",
        "archive_waiting 2.0",
        "archive_weeks 5.0",
        "archive_purged_weeks 3.0",
        "archive_failures_total 1.0",
        "week_rotations_total 1.0",
        "week_rotation_seconds 0.32",
        "week_rotation_failing 0.0",
        "last_successful_backup_timestamp 1.770000001e+09",
        "backup_bytes 9.0",
        "backups_taken_total 4.0",
        "last_integrity_check_timestamp 1.770000002e+09",
        "ledger_drifts 1.0",
        "ledger_verified_rowid 77.0",
        "disk_level 2.0",
        "disk_free_bytes 100.0",
    ):
        assert line in lines


async def test_what_has_never_happened_is_as_old_as_can_be(door: Door) -> None:
    """Were it left out, an alert on its age would not fire where it has failed from the first."""
    lines = (await door.get("/metrics")).body.decode().splitlines()
    for name in (
        "last_successful_archive_timestamp",
        "last_successful_backup_timestamp",
        "last_integrity_check_timestamp",
    ):
        assert f"{name} 0.0" in lines


async def test_a_ledger_that_can_t_be_read_is_unhealthy_and_the_rest_is_still_shown(
    door: Door,
) -> None:
    (door.money / "manifest.json").write_text("not what was written")
    answer = await door.get("/healthz")
    assert (answer.status, answer.json["checks"]["database"]) == (503, {"status": "unhealthy"})
    metrics = await door.get("/metrics")
    lines = metrics.body.decode().splitlines()
    assert metrics.status == 200
    assert "circuit_breaker_state 0.0" in lines
    assert not any(line.startswith("house_balance_micros ") for line in lines)
    status = await door.get("/ops/status", token=OPS_TOKEN)
    assert (status.status, status.json["house"]) == (200, None)
