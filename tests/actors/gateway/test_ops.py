"""What operators see and do."""

import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from domain.disk import DiskLevel, DiskUse
from domain.refusals import TABLE, Code
from protocols.market import Override
from protocols.upkeep import ArchiveStatus, AuditStatus, DiskStatus
from tests.support.door import OPS_TOKEN, WALLET, Door, open_door
from tests.support.http_client import Response

DEPOSIT = {"wallet": WALLET, "amount_micros": 5_000_000, "reference": "wire-17"}


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async with open_door(tmp_path) as door:
        yield door


def assert_refused(answer: Response, code: Code, **details: object) -> None:
    body = answer.json
    assert (answer.status, body["error"]) == (TABLE[code].http_status, code.value), body
    assert details.items() <= body.items()


async def test_the_status_shows_the_tree_and_what_it_drives(door: Door) -> None:
    await door.fund()
    await door.post("/api/bets", door.bet())
    status = (await door.get("/ops/status", token=OPS_TOKEN)).json
    assert status["venue"] == "running"
    root, actor = status["actors"]
    assert (root["path"], root["kind"], root["mailbox"]) == ("venue", "supervisor", None)
    assert (actor["path"], actor["state"], actor["restarts"], actor["uptime_s"]) == (
        "venue/batcher",
        "running",
        1,
        1.5,
    )
    assert (actor["mailbox"]["name"], actor["mailbox"]["capacity"]) == ("money", 8)
    assert actor["last_failure"] == {"type": "ValueError", "message": "once", "ago_s": 2.0}
    assert status["house"]["open_payout_micros"] == 1_850_000
    assert status["quote"] == {"n": 812, "age_ms": 0, "price_cents": 4_200_500}
    assert status["feed"]["level"] == "healthy"
    assert status["breaker"] == {"open": False, "override": "auto", "by": "", "why": ""}
    assert status["writer"]["commands"] == 2
    assert status["sources"][0]["name"] == "test"


async def test_the_status_shows_archive_backups_audits_and_disk(door: Door) -> None:
    now_ms = door.clock.now_ms()
    channels = door.channels
    channels.archive.set(ArchiveStatus(last_success_ms=now_ms - 90_000, waiting=1, now="packing"))
    channels.audit.set(AuditStatus(checked_at_ms=now_ms - 5_000, drifts=2, first_drift="balance"))
    channels.disk.set(
        DiskStatus(level=DiskLevel.WARNING, use=DiskUse(total_bytes=100, free_bytes=25))
    )
    status = (await door.get("/ops/status", token=OPS_TOKEN)).json
    assert (status["archive"]["age_s"], status["archive"]["waiting"]) == (90, 1)
    assert status["backups"]["age_s"] is None
    assert (status["audit"]["age_s"], status["audit"]["drifts"]) == (5, 2)
    assert status["disk"] == {
        "level": "warning",
        "total_bytes": 100,
        "free_bytes": 25,
        "failures": 0,
    }


async def test_an_override_of_the_breaker_says_who_and_why(door: Door) -> None:
    answer = await door.post("/ops/circuit", {"state": "open", "reason": "drill"}, token=OPS_TOKEN)
    assert (answer.json["breaker"], answer.json["override"]) == ("open", "open")
    feed = door.channels.feed.value
    assert (feed.override, feed.override_by, feed.override_why) == (Override.OPEN, "ann", "drill")
    assert_refused(await door.post("/api/bets", door.bet()), Code.HELD)


@pytest.mark.parametrize(
    ("body", "field"),
    [(b"{", "body"), ({}, "state"), ({"state": "shut"}, "state"), ({"state": "open"}, "reason")],
)
async def test_an_override_that_is_not_well_formed(door: Door, body: object, field: str) -> None:
    answer = await door.post("/ops/circuit", body, token=OPS_TOKEN)
    assert_refused(answer, Code.BAD_REQUEST, field=field)


async def test_a_deposit_counts_once_per_reference(door: Door) -> None:
    first = await door.post("/ops/deposits", DEPOSIT, token=OPS_TOKEN)
    again = await door.post("/ops/deposits", DEPOSIT, token=OPS_TOKEN)
    assert (first.json["balance_micros"], first.json["repeated"]) == (5_000_000, False)
    assert (again.json["balance_micros"], again.json["repeated"]) == (5_000_000, True)


async def test_a_reference_for_another_amount_is_a_conflict(door: Door) -> None:
    await door.post("/ops/deposits", DEPOSIT, token=OPS_TOKEN)
    answer = await door.post("/ops/deposits", DEPOSIT | {"amount_micros": 6}, token=OPS_TOKEN)
    assert_refused(answer, Code.REFERENCE_CONFLICT)


async def test_a_deposit_without_an_answer_may_have_been_done(tmp_path: Path) -> None:
    async with open_door(tmp_path, with_batcher=False, answer_within_ms=20) as door:
        answer = await door.post("/ops/deposits", DEPOSIT, token=OPS_TOKEN)
        assert_refused(answer, Code.STATUS_UNKNOWN)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"wallet": "0x"}, "wallet"),
        ({"amount_micros": 0}, "amount_micros"),
        ({"amount_micros": 10**16}, "amount_micros"),
        ({"reference": ""}, "reference"),
    ],
)
async def test_a_deposit_that_is_not_well_formed(
    door: Door, changed: dict[str, object], field: str
) -> None:
    answer = await door.post("/ops/deposits", DEPOSIT | changed, token=OPS_TOKEN)
    assert_refused(answer, Code.BAD_REQUEST, field=field)
    assert door.ports.ledger.account(WALLET) is None


async def test_a_hold_closes_betting_until_it_is_released(door: Door) -> None:
    await door.fund()
    reason = {"reason": "drill"}
    assert (await door.post("/ops/hold", reason, token=OPS_TOKEN)).json == {"held": True}
    assert_refused(await door.post("/api/bets", door.bet()), Code.HELD)
    assert (await door.post("/ops/release", reason, token=OPS_TOKEN)).json == {"held": False}
    assert (await door.post("/api/bets", door.bet())).status == 202


def meddle(data: Path) -> None:
    """Change every trader's balance behind the ledger's back."""
    (file,) = data.glob("*.db")
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE users SET balance = balance + 7 WHERE id > 2")


async def test_a_balance_is_rebuilt_from_its_rows_and_named_in_the_ledger(
    door: Door, tmp_path: Path
) -> None:
    await door.fund()
    meddle(tmp_path)
    asked = {"wallet": WALLET, "reason": "drill"}
    answer = (await door.post("/ops/integrity/rebuild", asked, token=OPS_TOKEN)).json
    ((rowid, row),) = door.ports.ledger.statement(WALLET, limit=1)
    assert answer == {
        "wallet": WALLET,
        "balance_before_micros": 100_000_007,
        "balance_micros": 100_000_000,
        "noted_in_row": rowid,
    }
    assert json.loads(row.metadata).items() >= {"by": "ann", "why": "drill"}.items()
    assert door.ports.ledger.integrity().clean
    again = (await door.post("/ops/integrity/rebuild", asked, token=OPS_TOKEN)).json
    assert again["noted_in_row"] is None


@pytest.mark.parametrize("wallet", ["house", "external"])
async def test_the_venues_own_accounts_can_be_rebuilt(door: Door, wallet: str) -> None:
    asked = {"wallet": wallet, "reason": "drill"}
    assert (await door.post("/ops/integrity/rebuild", asked, token=OPS_TOKEN)).status == 200


@pytest.mark.parametrize(
    ("changed", "field"),
    [({"wallet": "0x12"}, "wallet"), ({"reason": ""}, "reason"), ({"reason": " "}, "reason")],
)
async def test_a_rebuild_that_is_not_well_formed(
    door: Door, changed: dict[str, object], field: str
) -> None:
    asked = {"wallet": WALLET, "reason": "drill"} | changed
    answer = await door.post("/ops/integrity/rebuild", asked, token=OPS_TOKEN)
    assert_refused(answer, Code.BAD_REQUEST, field=field)


async def test_nobodys_balance_can_not_be_rebuilt(door: Door) -> None:
    asked = {"wallet": "0x" + "77" * 20, "reason": "drill"}
    answer = await door.post("/ops/integrity/rebuild", asked, token=OPS_TOKEN)
    assert_refused(answer, Code.NOT_FOUND)
