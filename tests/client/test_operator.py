"""What operators do, against the real Gateway and ledger; and that the client has every call."""

import ast
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from client import Operator, Refused, Session, Venue, Wallet
from protocols.operations import OPERATIONS, Tag
from supervisor import SeededChance
from tests.support.door import KEY, OPS_TOKEN, WALLET, Door, open_door
from tests.support.sources import REPOSITORY

USD = 1_000_000


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    async with open_door(tmp_path) as door:
        yield door


@pytest.fixture
async def operator(door: Door) -> AsyncIterator[Operator]:
    async with Operator(f"http://127.0.0.1:{door.port}", OPS_TOKEN) as operator:
        yield operator


@pytest.fixture
async def session(door: Door) -> AsyncIterator[Session]:
    await door.fund(WALLET, 100 * USD)
    async with Venue(f"http://127.0.0.1:{door.port}", chance=SeededChance(3)) as venue:
        yield await venue.sign_in(Wallet.from_private_key(KEY))


async def test_a_deposit_counts_once_per_reference(operator: Operator) -> None:
    first = await operator.deposit(WALLET, 5 * USD, reference="wire-17")
    again = await operator.deposit(WALLET, 5 * USD, reference="wire-17", reason="sent again")
    assert (first.balance_micros, first.repeated) == (5 * USD, False)
    assert (again.balance_micros, again.repeated) == (5 * USD, True)
    with pytest.raises(Refused, match="reference_conflict"):
        await operator.deposit(WALLET, 6 * USD, reference="wire-17")


async def test_hold_and_release(door: Door, operator: Operator, session: Session) -> None:
    await operator.hold("drill")
    with pytest.raises(Refused, match="held"):
        await session.place_bet(door.cell().id, stake_micros=USD)
    await operator.release("drill is over")
    await session.place_bet(door.cell().id, stake_micros=USD)
    assert (await operator.status())["hold"]["held"] is False


async def test_a_frozen_account_places_no_bets(
    door: Door, operator: Operator, session: Session
) -> None:
    await operator.freeze(WALLET, "a court order")
    with pytest.raises(Refused, match="frozen"):
        await session.place_bet(door.cell().id, stake_micros=USD)
    assert (await operator.user(WALLET))["frozen"] is True
    await operator.unfreeze(WALLET, "lifted")
    await session.place_bet(door.cell().id, stake_micros=USD)


async def test_a_withdrawal_is_paid_and_another_given_back(
    operator: Operator, session: Session
) -> None:
    wallet, venue = Wallet.from_private_key(KEY), session.venue
    one, other = [
        (await venue.withdraw(wallet, amount_micros=n * USD, destination=wallet.address)).withdrawal
        for n in (7, 8)
    ]
    pending = await operator.withdrawals(status="pending")
    assert [each.id for each in pending.withdrawals] == [other.id, one.id]
    paid = await operator.mark_paid(one.id, reference="0xfeed")
    assert (paid.withdrawal.status, paid.withdrawal.reference) == ("paid", "0xfeed")
    rejected = await operator.reject(other.id, reason="no such bank")
    assert rejected.withdrawal.status == "rejected"
    assert (await session.account()).balance_micros == 93 * USD
    assert (await session.withdrawal(other.id)).reason == "no such bank"


async def test_an_adjustment_makes_good_and_is_in_the_statement(
    operator: Operator, session: Session
) -> None:
    done = await operator.adjust(WALLET, -3 * USD, reference="case-1", reason="paid twice")
    assert (done.balance_micros, done.repeated) == (97 * USD, False)
    newest = (await operator.user_ledger(WALLET)).entries[0]
    assert (newest.ref_type, newest.amount_micros) == ("ADJUSTMENT", -3 * USD)


async def test_the_bankroll_can_be_taken_out_as_far_as_no_bet_needs_it(operator: Operator) -> None:
    before = (await operator.status())["house"]["balance_micros"]
    done = await operator.withdraw_bankroll(USD, reference="r-1", reason="profit")
    assert (done.balance_micros, done.repeated) == (before - USD, False)
    with pytest.raises(Refused, match="exposure_limit"):
        await operator.withdraw_bankroll(2 * before, reference="r-2", reason="too much")


async def test_a_column_is_given_back(door: Door, operator: Operator, session: Session) -> None:
    ordered = await operator.void_column(door.cell().column_start_s, "the exchange was down")
    assert ordered["start_s"] == door.cell().column_start_s
    with pytest.raises(Refused, match="cell_unavailable"):
        await session.place_bet(door.cell().id, stake_micros=USD)


async def test_what_was_done_is_on_record(operator: Operator) -> None:
    await operator.hold("drill")
    outcome, action, *_ = (await operator.audit(limit=2))["entries"]
    assert (outcome["kind"], action["what"], action["why"]) == ("outcome", "hold", "drill")


async def test_a_token_of_nobody_is_refused(door: Door) -> None:
    async with Operator(f"http://127.0.0.1:{door.port}", "x" * 40) as stranger:
        with pytest.raises(Refused, match="unauthorized"):
            await stranger.status()


# --- the whole API ------------------------------------------------------------------------------


def paths_of_the_client() -> set[str]:
    """Every path in its source, with `{}` for what is filled in."""
    found = set()
    for file in (REPOSITORY / "client").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = [p.value if isinstance(p, ast.Constant) else "{}" for p in node.values]
                found.add("".join(map(str, parts)))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    return found


def test_the_client_has_every_call_of_the_api() -> None:
    """But those for monitoring, and the document."""
    served = {
        re.sub(r"\{\w+\}", "{}", operation.path)
        for operation in OPERATIONS
        if operation.tag is not Tag.HEALTH
    }
    assert served - paths_of_the_client() == set()
