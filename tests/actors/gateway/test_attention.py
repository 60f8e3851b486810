"""What the status says of the figures that need an operator's eye."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import attrs
import trio

from domain.disk import DiskLevel, DiskUse
from protocols.market import FeedLevel, Hold, Override, SourceState
from protocols.money import ResolverStatus
from protocols.ports import LedgerUnreadable
from protocols.upkeep import (
    ArchiveStatus,
    AuditStatus,
    BackupStatus,
    DiskStatus,
    RestoreStatus,
)
from supervisor import ChildStatus, LastFailure, Mailbox, State, SupervisorStatus
from supervisor.worker import InlineWorker
from tests.support.door import OPS_TOKEN, BrokenStore, healthy, open_door

T = TypeVar("T")


class NobodyReads(InlineWorker):
    """Whose reads of the ledger fail."""

    async def run(self, call: Callable[[], T]) -> T:
        raise LedgerUnreadable("the file is gone")


class NobodyAnswers(InlineWorker):
    """Whose reads of the ledger never end."""

    async def run(self, call: Callable[[], T]) -> T:
        return await trio.sleep_forever()


class SilentStore(BrokenStore):
    """A store that takes what it is given, and never says so."""

    async def put(self, key: str, value: str, *, ttl_s: int) -> None:
        await trio.sleep_forever()


async def test_a_venue_that_is_well_wants_nobodys_eye(tmp_path: Path) -> None:
    async with open_door(tmp_path, tree=well) as door:
        status = (await door.get("/ops/status", token=OPS_TOKEN)).json
    assert status["attention"] == []
    assert (status["operator"], status["demo"]) == ("ann", True)
    assert status["store"] == {"up": True}
    assert status["gateway"]["connections_max"] == door.ports.settings.connections
    assert status["thresholds"]["disk_full_percent"] == 85


def well() -> SupervisorStatus:
    return tree_of()


def tree_of(
    *, failed_ago_s: float | None = None, depth: int = 0, restarts_in_window: int = 0
) -> SupervisorStatus:
    """A venue of one actor."""
    money = Mailbox[object]("money", 8)
    for _ in range(depth):
        money.offer(None)
    failure = LastFailure(type="OSError", message="disk", at=0, ago_s=failed_ago_s or 0)
    actor = ChildStatus(
        path="venue/batcher",
        state=State.RUNNING,
        restarts_in_window=0,
        restarts_total=0,
        uptime_s=1.0,
        retry_in_s=None,
        last_failure=None if failed_ago_s is None else failure,
        waiting_on="",
        channels=(money.statistics(),),
    )
    return SupervisorStatus(
        path="venue",
        state=State.RUNNING,
        strategy="one_for_one",
        restarts_in_window=restarts_in_window,
        restarts_max=5,
        period_s=30,
        restarts_total=0,
        uptime_s=1.0,
        retry_in_s=None,
        last_failure=None,
        children=(actor,),
    )


async def test_what_needs_an_eye_is_named_with_its_figure(tmp_path: Path) -> None:
    def wrong() -> SupervisorStatus:
        return tree_of(failed_ago_s=4, depth=8, restarts_in_window=5)

    async with open_door(tmp_path, tree=wrong, store=BrokenStore()) as door:
        now_ms, channels = door.clock.now_ms(), door.channels
        channels.feed.set(
            attrs.evolve(
                healthy(now_ms),
                level=FeedLevel.CRITICAL,
                override=Override.CLOSE,
                override_by="ann",
                override_why="drill",
            )
        )
        channels.hold.set(Hold(held=True, by="bob", why="drift"))
        channels.sources.set(
            (SourceState(name="x", connected=False, active=True, reconnects=0, last_recv_ms=None),)
        )
        channels.resolver.set(ResolverStatus(open_columns=1, oldest_open_end_ms=now_ms - 45_000))
        channels.writer.set(attrs.evolve(channels.writer.value, rotation_failure="no room"))
        channels.archive.set(
            ArchiveStatus(
                last_success_ms=now_ms - 9 * 86_400_000,
                waiting=1,
                last_failure="no bucket",
                last_failure_ms=now_ms,
                restores=RestoreStatus(last_failure="gone", last_failure_ms=now_ms),
            )
        )
        channels.backups.set(
            BackupStatus(last_success_ms=now_ms, last_failure="late", last_failure_ms=now_ms - 1)
        )
        channels.audit.set(AuditStatus(checked_at_ms=now_ms, drifts=1, first_drift="balance"))
        use = DiskUse(total_bytes=100, free_bytes=9)
        channels.disk.set(DiskStatus(level=DiskLevel.FULL, use=use))
        status = (await door.get("/ops/status", token=OPS_TOKEN)).json
    named = [(found["level"], found["where"]) for found in status["attention"]]
    assert named == [
        ("act", "feed.level"),
        ("act", "breaker.override"),
        ("act", "writer.rotation_failure"),
        ("act", "audit.drifts"),
        ("act", "store.up"),
        ("act", "archive.age_s"),
        ("act", "disk.level"),
        ("act", "actors.venue"),
        ("act", "actors.venue/batcher.money"),
        ("look", "sources.x"),
        ("look", "hold.held"),
        ("look", "resolver.oldest_open_end_ms"),
        ("look", "archive.waiting"),
        ("look", "archive.restores"),
        ("look", "actors.venue/batcher"),
    ]
    assert all(field_of(status, found["where"]) is not None for found in status["attention"])


def field_of(status: dict[str, Any], where: str) -> object:
    """What a finding names. Sources are named by their name, actors by path and channel."""
    section, _, name = where.partition(".")
    if section == "sources":
        return next(s for s in status["sources"] if s["name"] == name)
    if section == "actors":
        path, _, channel = name.partition(".")
        actor = next(a for a in status["actors"] if a["path"] == path)
        return next(c for c in actor["channels"] if c["name"] == channel) if channel else actor
    return status[section][name] if name else status[section]


async def test_a_ledger_that_can_not_be_read_wants_an_act(tmp_path: Path) -> None:
    async with open_door(tmp_path, tree=well, ledger_worker=NobodyReads()) as door:
        status = (await door.get("/ops/status", token=OPS_TOKEN)).json
    assert status["house"] is None
    assert [found["where"] for found in status["attention"]] == ["house"]


async def test_the_status_is_there_before_those_who_poll_it_give_up(tmp_path: Path) -> None:
    """It is wanted most when neither ledger nor store answers. POLL_WITHIN_MS of web/io/ops.js."""
    async with open_door(
        tmp_path, tree=well, ledger_worker=NobodyAnswers(), store=SilentStore()
    ) as door:
        with trio.fail_after(3):
            status = (await door.get("/ops/status", token=OPS_TOKEN)).json
    assert status["house"] is None
    assert [found["where"] for found in status["attention"]] == ["house", "store.up"]
