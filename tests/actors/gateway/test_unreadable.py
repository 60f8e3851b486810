"""A ledger that can't be read, at whichever call: `store_unavailable`, and never `internal`."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeVar

import attrs
import pytest
import trio
from structlog.testing import capture_logs

from protocols.ports import LedgerUnreadable
from tests.support.door import OPS_TOKEN, WALLET, Door, open_door
from tests.support.http_client import Response
from tests.support.session_keys import by_key, sign_in_with_key

T = TypeVar("T")

BET = "01HZX3Y4Z5A6B7C8D9E0F1G2H3"
OF_TRADERS = (
    "/api/auth/session",
    "/api/auth/sessions",
    "/api/account",
    "/api/ledger",
    "/api/bets",
    f"/api/bets/{BET}",
    f"/api/bets/{BET}/proof",
    "/api/bets/by-nonce/6f1c0f4e-2a7b-4c1d-9e8f-0123456789ab",
    "/api/withdrawals",
    f"/api/withdrawals/{BET}",
)
OF_OPERATORS = (f"/ops/users/{WALLET}", f"/ops/users/{WALLET}/ledger", "/ops/withdrawals")


@attrs.define
class FailingReads:
    """A worker whose reads fail from the `first` one on."""

    first: float = float("inf")
    reads: int = 0

    async def run(self, call: Callable[[], T]) -> T:
        await trio.lowlevel.checkpoint()
        self.reads += 1
        if self.reads >= self.first:
            raise LedgerUnreadable("the file is gone")
        return call()

    def fail(self, after: int = 0) -> None:
        """Every read but the next `after`."""
        self.first = self.reads + after + 1


@pytest.fixture
def reads() -> FailingReads:
    return FailingReads()


@pytest.fixture
async def door(tmp_path: Path, reads: FailingReads) -> AsyncIterator[Door]:
    async with open_door(tmp_path, ledger_worker=reads, answer_within_ms=100) as door:
        await door.fund()
        yield door


def assert_unavailable(answer: Response) -> None:
    assert (answer.status, answer.error) == (503, "store_unavailable")
    assert "the file is gone" not in answer.body.decode()


async def test_traders_are_told_so_and_operators_why(door: Door, reads: FailingReads) -> None:
    token = await door.sign_in()
    reads.fail()
    for path in OF_TRADERS:
        with capture_logs() as logs:
            assert_unavailable(await door.get(path, token=token))
        told = [(line["event"], line["why"]) for line in logs if line["log_level"] == "error"]
        assert told == [("ledger_unreadable", "the file is gone")]


@pytest.mark.parametrize("after", [0, 1])
async def test_operators_are_told_so(door: Door, reads: FailingReads, after: int) -> None:
    for path in OF_OPERATORS[: len(OF_OPERATORS) if after == 0 else 1]:
        reads.fail(after)
        assert_unavailable(await door.get(path, token=OPS_TOKEN))


async def test_an_order_that_needs_the_ledger_is_none(door: Door, reads: FailingReads) -> None:
    reads.fail()
    answer = await door.post("/ops/users/3/freeze", {"reason": "drill"}, token=OPS_TOKEN)
    assert_unavailable(answer)
    assert door.on_record() == []


async def test_a_bet_whose_key_cannot_be_looked_up_is_not_placed(
    door: Door, reads: FailingReads
) -> None:
    await sign_in_with_key(door)
    reads.fail()
    assert_unavailable(await door.post("/api/bets", by_key(door.bet())))
    assert door.ports.ledger.bets(WALLET) == []


async def test_a_retry_is_told_nothing_of_a_bet_that_cannot_be_read(
    door: Door, reads: FailingReads
) -> None:
    fields = door.bet()
    assert (await door.post("/api/bets", fields)).status == 202
    reads.fail()
    assert_unavailable(await door.post("/api/bets", fields))


async def test_a_bet_without_an_answer_may_be_in_a_ledger_that_cannot_be_read(
    tmp_path: Path, reads: FailingReads
) -> None:
    """So it is not `store_unavailable`: signed anew it could be a second one."""
    async with open_door(
        tmp_path, ledger_worker=reads, with_batcher=False, answer_within_ms=50
    ) as door:
        reads.fail()
        answer = await door.post("/api/bets", door.bet())
        assert (answer.status, answer.error) == (504, "status_unknown")
        assert len(answer.json["bet_id"]) == 26


@pytest.mark.parametrize("after", [0, 1])
async def test_a_socket_is_told_so_and_goes_on(door: Door, reads: FailingReads, after: int) -> None:
    token = await door.sign_in()
    async with door.socket() as talk:
        reads.fail(after)  # the account is read first, then the snapshot
        refused = await talk.ask("auth", token=token, seq=9)
        assert refused["error"] == "store_unavailable"
        reads.first = float("inf")
        assert (await talk.ask("resume", seq=9))["resync_required"]
        await door.fund()
        assert (await talk.next_of("balance"))["seq"] == 2
