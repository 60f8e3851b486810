"""Who is an operator, and that nothing is done before it is on record who ordered it and why."""

import hmac
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import attrs
import pytest
import trio
from structlog.testing import capture_logs

from actors.gateway import operators
from actors.gateway.limits import WRONG_TOKENS_PER_MINUTE
from domain.refusals import TABLE, Code
from protocols.account_commands import RequestWithdrawal, WithdrawalRequested
from protocols.audit_log import (
    DONE,
    NO_LINE_BEFORE,
    Action,
    AuditEntry,
    AuditFact,
    AuditLogUnreadable,
    AuditLogUnwritable,
    Outcome,
    line_of,
    parse_line,
)
from protocols.operations import OPERATIONS, Auth
from tests.support.door import (
    AUDIT_FILE,
    EPOCH_MS,
    OPS_TOKEN,
    WALLET,
    BrokenStore,
    Door,
    open_door,
)
from tests.support.http_client import Response, once

BOB_TOKEN = "bobs-token-is-of-another-length-than-that-of-ann"
WHY = {"reason": "drill"}
COLUMN_S = EPOCH_MS // 1000 + 27
GUARDED = [operation for operation in OPERATIONS if operation.auth is Auth.OPERATOR]
PARTS = {
    "{user}": WALLET,
    "{withdrawal_id}": "01HZX3Y4Z5A6B7C8D9E0F1G2H3",
    "{start}": str(COLUMN_S),
    "{name}": "batcher",
    "{week}": "2026-02-01",
}


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async with open_door(tmp_path, ops_tokens={"ann": OPS_TOKEN, "bob": BOB_TOKEN}) as door:
        yield door


def assert_refused(answer: Response, code: Code, **details: object) -> None:
    body = answer.json
    assert (answer.status, body["error"]) == (TABLE[code].http_status, code.value), body
    assert details.items() <= body.items()


def path_of(template: str) -> str:
    for name, part in PARTS.items():
        template = template.replace(name, part)
    return template


# --- tokens -------------------------------------------------------------------------------------


async def test_only_operators_are_let_in(door: Door) -> None:
    for operation in GUARDED:
        call = door.get if operation.method == "GET" else door.post
        assert_refused(await call(path_of(operation.path)), Code.UNAUTHORIZED)
        wrong = await call(path_of(operation.path), token=OPS_TOKEN[:-1])
        assert_refused(wrong, Code.UNAUTHORIZED)
    assert door.on_record() == []


def test_all_below_ops_is_for_operators_only() -> None:
    open_to_others = [
        operation.path
        for operation in OPERATIONS
        if operation.path.startswith("/ops") and operation.auth is not Auth.OPERATOR
    ]
    assert open_to_others == []


async def test_a_token_that_is_nearly_one_is_none(door: Door) -> None:
    for token in ("x", OPS_TOKEN[:-1], OPS_TOKEN + "x", "é", OPS_TOKEN.upper()):
        assert_refused(await door.get("/ops/status", token=token), Code.UNAUTHORIZED)


async def test_a_token_that_is_empty_is_none(tmp_path: Path) -> None:
    """Not even where an operator has been given an empty one."""
    async with open_door(tmp_path, ops_tokens={"ann": ""}) as door:
        for bearer in ("Bearer", "Bearer \xa0", f"Basic {OPS_TOKEN}"):
            headers = {"authorization": bearer}
            answer = await once(door.port, "GET", "/ops/status", headers=headers)
            assert_refused(answer, Code.UNAUTHORIZED)


async def test_a_traders_token_is_no_operators(door: Door) -> None:
    token = await door.sign_in()
    assert_refused(await door.get("/ops/status", token=token), Code.UNAUTHORIZED)


async def test_each_operator_goes_by_his_own_name(door: Door) -> None:
    for name, token in (("ann", OPS_TOKEN), ("bob", BOB_TOKEN)):
        await door.post("/ops/hold", WHY, token=token)
        action = door.on_record()[-2]
        assert isinstance(action, Action)
        assert action.by == name


async def test_each_token_is_compared_at_one_length_whichever_it_is(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And by what takes the same time wherever two differ."""
    compared: list[tuple[int, int]] = []

    def compare(own: bytes, given: bytes) -> bool:
        compared.append((len(own), len(given)))
        return compare_digest(own, given)

    compare_digest = hmac.compare_digest
    monkeypatch.setattr(operators.hmac, "compare_digest", compare)
    for token in (OPS_TOKEN, BOB_TOKEN, "x", "x" * 256):
        await door.get("/ops/status", token=token)
        assert compared == [(32, 32), (32, 32)]
        compared.clear()


async def test_guesses_are_limited_and_operators_are_let_in_all_the_same(door: Door) -> None:
    for n in range(WRONG_TOKENS_PER_MINUTE):
        assert_refused(await door.get("/ops/status", token=f"guess-{n}"), Code.UNAUTHORIZED)
    over = await door.post("/ops/hold", WHY, token="one more guess")
    assert_refused(over, Code.RATE_LIMITED, retry_after=2)
    assert (await door.get("/ops/status", token=OPS_TOKEN)).status == 200
    assert_refused(await door.get("/ops/status"), Code.UNAUTHORIZED)  # that was no guess
    door.clock.at_ms += 2_000
    assert_refused(await door.get("/ops/status", token="a guess"), Code.UNAUTHORIZED)


async def test_without_its_store_the_venue_can_be_operated(tmp_path: Path) -> None:
    async with open_door(tmp_path, store=BrokenStore(), with_sign_in=False) as door:
        assert_refused(await door.get("/ops/status", token="a guess"), Code.UNAUTHORIZED)
        assert (await door.post("/ops/hold", WHY, token=OPS_TOKEN)).json == {"held": True}


# --- on record, before and after ----------------------------------------------------------------

DEPOSIT = {"wallet": WALLET, "amount_micros": 5_000_000, "reference": "wire-17", "reason": "wire"}
ADJUST = {"wallet": WALLET, "amount_micros": -7, "reference": "adj-1", "reason": "a wrong tick"}
BANKROLL = {
    "wallet": "house",
    "amount_micros": 9,
    "reference": "out-1",
    "destination": "the bank",
    "reason": "profit",
}

ORDERS: list[tuple[str, dict[str, object], Action, str]] = [
    (
        "/ops/circuit",
        {"state": "open", "reason": "drill"},
        Action(by="ann", what="circuit", subject="open", why="drill"),
        DONE,
    ),
    ("/ops/hold", WHY, Action(by="ann", what="hold", why="drill"), DONE),
    ("/ops/release", WHY, Action(by="ann", what="release", why="drill"), DONE),
    (
        "/ops/deposits",
        DEPOSIT,
        Action(
            by="ann",
            what="deposit",
            subject=WALLET,
            why="wire",
            figures={"amount_micros": 5_000_000, "reference": "wire-17"},
        ),
        DONE,
    ),
    (
        "/ops/integrity/rebuild",
        {"wallet": "house", "reason": "drift"},
        Action(by="ann", what="rebuild", subject="house", why="drift"),
        DONE,
    ),
    ("/ops/archive", WHY, Action(by="ann", what="archive", why="drill"), "status_unknown"),
    ("/ops/backup", WHY, Action(by="ann", what="backup", why="drill"), "status_unknown"),
    ("/ops/integrity", WHY, Action(by="ann", what="integrity", why="drill"), "status_unknown"),
    (
        "/ops/restore/2026-02-01",
        WHY,
        Action(by="ann", what="restore", subject="2026-02-01", why="drill"),
        "status_unknown",
    ),
    (
        "/ops/actors/batcher/restart",
        WHY,
        Action(by="ann", what="restart", subject="venue/batcher", why="drill"),
        "not_found",
    ),
    (
        f"/ops/users/{WALLET}/freeze",
        WHY,
        Action(by="ann", what="freeze", subject=WALLET, why="drill"),
        DONE,
    ),
    (
        f"/ops/users/{WALLET}/unfreeze",
        WHY,
        Action(by="ann", what="unfreeze", subject=WALLET, why="drill"),
        DONE,
    ),
    (
        "/ops/adjustments",
        ADJUST,
        Action(
            by="ann",
            what="adjust",
            subject=WALLET,
            why="a wrong tick",
            figures={"amount_micros": -7, "reference": "adj-1", "bet_id": None},
        ),
        DONE,
    ),
    (
        "/ops/withdrawals",
        BANKROLL,
        Action(
            by="ann",
            what="withdraw_bankroll",
            subject="house",
            why="profit",
            figures={"amount_micros": 9, "reference": "out-1", "destination": "the bank"},
        ),
        DONE,
    ),
    (
        f"/ops/columns/{COLUMN_S}/void",
        WHY,
        Action(by="ann", what="void_column", subject=str(COLUMN_S), why="drill"),
        DONE,
    ),
    (
        "/ops/withdrawals/{withdrawal_id}/paid",
        {"reference": "0xabc", "reason": "sent"},
        Action(
            by="ann",
            what="withdrawal_paid",
            why="sent",
            figures={
                "wallet": WALLET,
                "amount_micros": 1_000,
                "destination": WALLET,
                "reference": "0xabc",
            },
        ),
        DONE,
    ),
    (
        "/ops/withdrawals/{withdrawal_id}/rejected",
        WHY,
        Action(
            by="ann",
            what="withdrawal_rejected",
            why="drill",
            figures={"wallet": WALLET, "amount_micros": 1_000, "destination": WALLET},
        ),
        DONE,
    ),
]
"""Each order, what is to be on record of it, and how it ends with nobody to archive or restart."""


async def prepare(door: Door, path: str) -> str:
    """The path, and a withdrawal that waits where the order is about one."""
    if "{withdrawal_id}" not in path:
        return path
    door.nonces += 1
    command = RequestWithdrawal(
        wallet=WALLET,
        nonce=f"00000000-0000-4000-8000-{door.nonces:012}",
        amount_micros=1_000,
        destination=WALLET,
        signed_at_s=1,
        signature="0x" + "ab" * 65,
    )
    requested = await door.order(command)
    assert isinstance(requested, WithdrawalRequested)
    return path.replace("{withdrawal_id}", requested.withdrawal.id)


def test_every_order_is_tried_here() -> None:
    templates = {operation.path for operation in GUARDED if operation.method == "POST"}
    tried = {
        path.replace(WALLET, "{user}").replace(str(COLUMN_S), "{start}") for path, *_ in ORDERS
    }
    tried = {path.replace("batcher", "{name}").replace("2026-02-01", "{week}") for path in tried}
    assert tried == templates


async def test_an_order_is_on_record_with_its_outcome(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actors.gateway.asking.ANSWER_WITHIN_S", 0.02)
    monkeypatch.setattr("actors.gateway.asking.WORK_WITHIN_S", 0.02)
    await door.fund()
    for template, body, action, code in ORDERS:
        path, before = await prepare(door, template), len(door.on_record())
        answer = await door.post(path, body, token=OPS_TOKEN)
        first, second = door.on_record()[before:]
        subject = action.subject or ("" if path == template else path.split("/")[3])
        request_id = answer.headers["x-request-id"]
        assert first == attrs.evolve(action, subject=subject, request_id=request_id)
        assert second == Outcome(of=before + 1, code=code, status=answer.status)


class Unwritable:
    """An audit log on a disk that is full."""

    def write(self, fact: AuditFact, *, at_ms: int) -> AuditEntry:
        raise AuditLogUnwritable("no space left on device")

    def page(self, *, before: int | None = None, limit: int = 50) -> Sequence[AuditEntry]:
        raise AuditLogUnreadable("input/output error")


async def test_what_can_not_be_put_on_record_is_not_done(tmp_path: Path) -> None:
    async with open_door(tmp_path, audit_log=Unwritable()) as door:
        await door.fund()
        channels = door.channels
        for template, body, _, _ in ORDERS:
            path = await prepare(door, template)
            commands, circuit = channels.writer.value.commands, channels.feed.version
            answer = await door.post(path, body, token=OPS_TOKEN)
            assert_refused(answer, Code.STORE_UNAVAILABLE)
            assert "nothing was done" in answer.json["message"]
            assert channels.writer.value.commands == commands, "the Batcher was asked nothing"
            assert channels.feed.version == circuit
        asked = [channels.archive_requests, channels.backup_requests]
        asked += [channels.check_requests, channels.restore_requests]
        assert [mailbox.statistics().accepted for mailbox in asked] == [0, 0, 0, 0]


async def test_a_disk_that_takes_its_time_takes_no_orders(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(call: object) -> AuditEntry:
        await trio.sleep_forever()
        raise AssertionError

    monkeypatch.setattr(operators, "RECORD_WITHIN_S", 0.02)
    monkeypatch.setattr(door.ports.audit_log_worker, "run", hang)
    assert_refused(await door.post("/ops/hold", WHY, token=OPS_TOKEN), Code.STORE_UNAVAILABLE)
    assert not door.channels.hold.value.held


async def test_what_can_not_be_put_on_record_is_in_the_log(tmp_path: Path) -> None:
    with capture_logs() as lines:
        async with open_door(tmp_path, audit_log=Unwritable()) as door:
            await door.post("/ops/hold", WHY, token=OPS_TOKEN)
    (line,) = [line for line in lines if line["event"] == "audit_log_unwritable"]
    assert (line["what"], line["by"], line["error"]) == ("hold", "ann", "no space left on device")


@attrs.define
class Watched:
    """An audit log that tells what has been done by the time of each line."""

    look: Callable[[], object] = attrs.field(default=lambda: None)
    seen: list[tuple[AuditFact, object]] = attrs.field(factory=list)
    fails_from: int = 99
    written: tuple[trio.Event, trio.Event] = attrs.field(
        factory=lambda: (trio.Event(), trio.Event())
    )

    def write(self, fact: AuditFact, *, at_ms: int) -> AuditEntry:
        if len(self.seen) + 1 >= self.fails_from:
            raise AuditLogUnwritable("no space left on device")
        self.seen.append((fact, self.look()))
        self.written[len(self.seen) - 1].set()
        return parse_line(line_of(fact, n=len(self.seen), prev=NO_LINE_BEFORE, at_ms=at_ms))

    def page(self, *, before: int | None = None, limit: int = 50) -> Sequence[AuditEntry]:
        return ()


async def test_it_is_on_record_before_it_is_done_and_again_after(tmp_path: Path) -> None:
    log = Watched()
    async with open_door(tmp_path, audit_log=log) as door:
        log.look = lambda: door.ports.ledger.account(WALLET) is not None
        await door.post("/ops/deposits", DEPOSIT, token=OPS_TOKEN)
    (action, was_done_before), (outcome, is_done_after) = log.seen
    assert isinstance(action, Action)
    assert isinstance(outcome, Outcome)
    assert (was_done_before, is_done_after) == (False, True)


async def test_what_was_done_is_answered_though_its_outcome_can_not_be_written(
    tmp_path: Path,
) -> None:
    """It was done; the log says so, and the entry without an outcome says to look."""
    async with open_door(tmp_path, audit_log=Watched(fails_from=2)) as door:
        with capture_logs() as lines:
            answer = await door.post("/ops/deposits", DEPOSIT, token=OPS_TOKEN)
    assert answer.json["balance_micros"] == 5_000_000
    assert [line["event"] for line in lines if line["event"] == "audit_log_unwritable"]


async def test_an_order_whose_answer_does_not_come_may_have_been_done(tmp_path: Path) -> None:
    async with open_door(tmp_path, with_batcher=False, answer_within_ms=20) as door:
        await door.post("/ops/deposits", DEPOSIT, token=OPS_TOKEN)
        assert door.on_record()[1] == Outcome(of=1, code="status_unknown", status=504)


async def test_an_order_whose_client_goes_away_may_have_been_done(tmp_path: Path) -> None:
    log = Watched()
    async with open_door(tmp_path, with_batcher=False, audit_log=log) as door:
        async with door.client() as client, trio.open_nursery() as nursery:
            nursery.start_soon(_post, client, "/ops/hold")
            await log.written[0].wait()
            nursery.cancel_scope.cancel()
        with trio.fail_after(5):
            await log.written[1].wait()
    assert log.seen[1][0] == Outcome(of=1, code="status_unknown", status=504)


async def _post(client: Any, path: str) -> None:
    await client.request("POST", path, WHY, token=OPS_TOKEN)


NO_ORDERS: list[tuple[str, object]] = [
    ("/ops/hold", {}),
    ("/ops/hold", b"{"),
    ("/ops/circuit", {"state": "ajar", "reason": "x"}),
    ("/ops/users/0x12/freeze", WHY),
    ("/ops/users/4711/freeze", WHY),
    ("/ops/withdrawals/01HZX3Y4Z5A6B7C8D9E0F1G2H3/paid", {"reference": "x"}),
    ("/ops/columns/x/void", WHY),
]


async def test_what_names_nothing_or_no_reason_is_no_order(door: Door) -> None:
    for path, body in NO_ORDERS:
        assert (await door.post(path, body, token=OPS_TOKEN)).status in (400, 404)
    assert door.on_record() == []


async def test_what_is_only_looked_at_is_not_on_record(door: Door) -> None:
    for operation in GUARDED:
        if operation.method == "GET":
            await door.get(path_of(operation.path), token=OPS_TOKEN)
    assert door.on_record() == []


async def test_no_token_gets_into_audit_log_or_log(door: Door, tmp_path: Path) -> None:
    with capture_logs() as lines:
        for path, body, *_ in ORDERS[:5]:
            await door.post(path, body, token=OPS_TOKEN)
            await door.post(path, body, token=BOB_TOKEN[:-1])
    assert len([line for line in lines if line["event"] == "ops_order"]) == 5
    for text in (str(lines), (tmp_path / AUDIT_FILE).read_text()):
        assert OPS_TOKEN not in text
        assert BOB_TOKEN[:-1] not in text


async def test_the_log_says_how_the_audit_log_goes_on(door: Door) -> None:
    with capture_logs() as lines:
        await door.post("/ops/hold", WHY, token=OPS_TOKEN)
    page = (await door.get("/ops/audit", token=OPS_TOKEN)).json["entries"]
    logged = [line["sha256"] for line in lines if line["event"] in ("ops_order", "ops_outcome")]
    assert logged == [entry["sha256"] for entry in reversed(page)]


# --- looking at it ------------------------------------------------------------------------------


async def test_the_audit_log_is_paged_newest_first(door: Door) -> None:
    for _ in range(3):
        await door.post("/ops/hold", WHY, token=OPS_TOKEN)
    first = (await door.get("/ops/audit?limit=4", token=OPS_TOKEN)).json
    assert [entry["n"] for entry in first["entries"]] == [6, 5, 4, 3]
    assert first["next_cursor"] == "3"
    rest = (await door.get("/ops/audit?limit=2&cursor=3", token=OPS_TOKEN)).json
    assert [entry["n"] for entry in rest["entries"]] == [2, 1]
    assert rest["next_cursor"] is None, "there is no line before the first"
    second, first_entry = rest["entries"]
    assert second["prev"] == first_entry["sha256"]
    assert (first_entry["kind"], first_entry["by"], first_entry["why"]) == (
        "action",
        "ann",
        "drill",
    )
    assert (second["kind"], second["of"], second["code"]) == ("outcome", 1, "done")


async def test_a_page_that_can_not_be(door: Door) -> None:
    for query in ("cursor=0", "cursor=x", "limit=0", "limit=201", "limit=1&limit=2"):
        answer = await door.get(f"/ops/audit?{query}", token=OPS_TOKEN)
        assert_refused(answer, Code.BAD_REQUEST, field=query.partition("=")[0])


async def test_an_audit_log_that_can_not_be_read(tmp_path: Path) -> None:
    async with open_door(tmp_path, audit_log=Unwritable()) as door:
        assert_refused(await door.get("/ops/audit", token=OPS_TOKEN), Code.STORE_UNAVAILABLE)
