"""Work that comes by itself, asked for by an operator, who is told what came of it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import pytest
import trio

from domain.refusals import Code, Refusal
from protocols.accounts import Drift, IntegrityReport
from protocols.archive import ArchiveBegun, ArchiveNow, RestoreBegun, RestoreWeek
from protocols.backup import BackupRecord, BackupTaken
from protocols.upkeep import ArchiveStatus, RestoreStatus
from supervisor import Ask, Life, Mailbox
from tests.support.door import OPS_TOKEN, Door, open_door

WHY = {"reason": "before the deploy"}
KEY = "backups/2026-02-01/20260203T062643Z.db.zst"
RECORD = BackupRecord(
    partition="2026-02-01.db",
    taken_at_ms=1_770_100_003_000,
    mode="demo",
    chain_id=31337,
    manifest="{}",
    plain_bytes=110_592,
    plain_sha256="a" * 64,
    stored_bytes=3_279,
    stored_sha256="b" * 64,
    ledger_rowid=2,
    accounts=2,
    ledger_rows=2,
    bets=0,
    high_ms=1_770_100_003_000,
    migrations=(),
)

Q = TypeVar("Q")
A = TypeVar("A")


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async with open_door(tmp_path) as door:
        yield door


@asynccontextmanager
async def answering(
    mailbox: Mailbox[Ask[Q, A]], answer: Callable[[Q], Awaitable[A]]
) -> AsyncIterator[None]:
    """An actor that gives this answer."""

    async def serve() -> None:
        async with mailbox.reader(Life("venue/upkeep/x")) as reader:
            async for asked in reader:
                asked.answer(await answer(asked.question))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve)
        yield
        nursery.cancel_scope.cancel()


async def test_archive_now_says_how_many_weeks_wait(door: Door) -> None:
    async def begin(command: ArchiveNow) -> ArchiveBegun:
        assert command.by == "ann"
        return ArchiveBegun(waiting=2)

    async with answering(door.channels.archive_requests, begin):
        answer = await door.post("/ops/archive", WHY, token=OPS_TOKEN)
    assert (answer.status, answer.json) == (200, {"waiting": 2})


async def test_backup_now_names_the_backup(door: Door) -> None:
    async def take(command: object) -> BackupTaken | Refusal:
        return BackupTaken(key=KEY, record=RECORD)

    async with answering(door.channels.backup_requests, take):
        answer = await door.post("/ops/backup", WHY, token=OPS_TOKEN)
    assert answer.json == {"key": KEY, "taken_at_ms": RECORD.taken_at_ms, "bytes": 3_279}


async def test_a_backup_that_fails_is_refused_in_words(door: Door) -> None:
    async def fail(command: object) -> BackupTaken | Refusal:
        return Refusal(Code.STORE_UNAVAILABLE, "the bucket is gone")

    async with answering(door.channels.backup_requests, fail):
        answer = await door.post("/ops/backup", WHY, token=OPS_TOKEN)
    assert (answer.status, answer.error) == (503, "store_unavailable")
    assert answer.json["message"] == "the bucket is gone"


async def test_integrity_now_shows_each_drift(door: Door) -> None:
    drift = Drift(what="balance", where="house", expected=1, found=2)

    async def check(command: object) -> IntegrityReport | Refusal:
        return IntegrityReport(accounts=3, ledger_rows=4, bets=5, drifts=(drift,))

    async with answering(door.channels.check_requests, check):
        answer = await door.post("/ops/integrity", WHY, token=OPS_TOKEN)
    assert answer.json == {
        "clean": False,
        "accounts": 3,
        "ledger_rows": 4,
        "bets": 5,
        "drifts": [{"what": "balance", "where": "house", "expected": 1, "found": 2}],
    }


@pytest.mark.parametrize("is_here", [True, False])
async def test_a_week_is_brought_back_in_the_background(door: Door, is_here: bool) -> None:
    async def begin(command: RestoreWeek) -> RestoreBegun | Refusal:
        assert command == RestoreWeek(week="2026-02-01", by="ann")
        return RestoreBegun(week=command.week, already_here=is_here)

    async with answering(door.channels.restore_requests, begin):
        answer = await door.post("/ops/restore/2026-02-01", WHY, token=OPS_TOKEN)
    assert (answer.status, answer.json) == (202, {"week": "2026-02-01", "already_here": is_here})


async def test_a_week_that_never_was_is_not_found(door: Door) -> None:
    async def refuse(command: RestoreWeek) -> RestoreBegun | Refusal:
        return Refusal(Code.NOT_FOUND)

    async with answering(door.channels.restore_requests, refuse):
        answer = await door.post("/ops/restore/2026-02-02", WHY, token=OPS_TOKEN)
    assert (answer.status, answer.error) == (404, "not_found")


async def test_the_status_shows_how_a_week_is_brought_back(door: Door) -> None:
    restores = RestoreStatus(
        now="2026-02-01", waiting=1, done_bytes=5, failures=2, last_failure="x"
    )
    door.channels.archive.set(ArchiveStatus(restores=restores))
    status = (await door.get("/ops/status", token=OPS_TOKEN)).json
    assert status["archive"]["restores"] == {
        "now": "2026-02-01",
        "done_bytes": 5,
        "total_bytes": 0,
        "waiting": 1,
        "restored": 0,
        "last_restored": "",
        "failures": 2,
        "last_failure": "x",
    }


@pytest.mark.parametrize(
    "path", ["/ops/archive", "/ops/backup", "/ops/integrity", "/ops/restore/2026-02-01"]
)
async def test_nothing_is_asked_for_without_a_reason(door: Door, path: str) -> None:
    answer = await door.post(path, {}, token=OPS_TOKEN)
    assert (answer.status, answer.error, answer.json["field"]) == (400, "bad_request", "reason")
