"""What a batch changed beside the money, and its answers, held against what was ordered."""

from collections.abc import Callable
from typing import Any

import pytest

from domain.refusals import Code, Refusal
from domain.self_limits import LimitsAsked, MaxAsked, SelfLimits
from protocols.account_commands import (
    AccountChange,
    AccountChanged,
    Adjust,
    Adjusted,
    BankrollWithdrawn,
    DecideWithdrawal,
    KeyGrant,
    RequestWithdrawal,
    RevokeKeys,
    SetFrozen,
    SetLimits,
    VoidColumn,
    Withdrawal,
    WithdrawalDecided,
    WithdrawalRequested,
    WithdrawalStatus,
    WithdrawBankroll,
)
from protocols.market import Override
from protocols.money import (
    AccountOpened,
    Deposit,
    Deposited,
    KeepOverride,
    LedgerCommand,
    MoneyOutcome,
    OpenAccount,
    SetHold,
)
from simulation.observers.answers import Terms, check_answer
from simulation.observers.orders import Standing, check_orders, standing
from simulation.oracle.books import Books, Caps
from simulation.oracle.ledger_file import Account, Given, Key, Limits
from simulation.oracle.ledger_file import Withdrawal as Row
from simulation.oracle.standing import DAY_MS

NOW_MS = 1_770_100_000_000
WALLET = "0x" + "ab" * 20
GRANT = KeyGrant(
    key_id="k", public_key=b"", session_id="s", bet_max_micros=1, day_max_micros=2, expires_at_ms=3
)
KEY = Key("k", 3, "s", 1, 2, 3, None)
OPEN = OpenAccount(wallet=WALLET, key=GRANT)
REVOKE = RevokeKeys(wallet=WALLET, session_id="s")
LIMITS = Limits(3, 10, 100, 0, None, None, None, None)
ASKED = RequestWithdrawal(
    wallet=WALLET, nonce="n", amount_micros=40, destination="0xd", signed_at_s=9, signature="0xs"
)
ROW = Row("w", 3, "n", 40, "0xd", 9, "0xs", 10, "pending")
DONE = AccountChanged(
    user_id=3, wallet=WALLET, seq=1, what=AccountChange.LIMITS, frozen=False, limits=SelfLimits()
)


def books(*, frozen: int = 0, **said: Any) -> Books:
    """Of a venue with one trader, and whatever else is said."""
    found = Books(Caps(1, 1, 1, 1))
    wallets = {1: "house", 2: "external", 3: WALLET}
    found.accounts = {id_: Account(id_, name, 0, 0, 0) for id_, name in wallets.items()}
    found.accounts[3] = found.accounts[3]._replace(frozen=frozen)
    found.ids = {name: id_ for id_, name in wallets.items()}
    found.high_ms = NOW_MS
    for name, value in said.items():
        setattr(found, name, value)
    return found


def ordered(
    after: Books,
    *commands: LedgerCommand,
    before: Books | None = None,
    outcome: MoneyOutcome = DONE,
) -> list[str]:
    was: Standing = standing(books() if before is None else before)
    check_orders(after, was, commands, [outcome] * len(commands))
    return [finding.what for finding in after.findings]


FREEZE = SetFrozen(wallet=WALLET, frozen=True, reason="r", by="b")
HOLD = SetHold(held=True, by="b", why="w")
KEEP = KeepOverride(override=Override.OPEN, by="b", why="w")
VOID = VoidColumn(start_s=5, reason="r", by="b")


@pytest.mark.parametrize(
    ("said", "command", "what"),
    [
        ({"frozen": 1}, FREEZE, "frozen_otherwise_than_ordered"),
        ({"held": True}, HOLD, "held_otherwise_than_ordered"),
        ({"override": "open"}, KEEP, "override_otherwise_than_ordered"),
        ({"voids": frozenset({5})}, VOID, "voids_otherwise_than_ordered"),
        ({"keys": {"k": KEY}}, OPEN, "key_never_granted"),
    ],
)
def test_what_is_ordered_is_so_and_nothing_else(
    said: dict[str, Any], command: LedgerCommand, what: str
) -> None:
    assert ordered(books(**said), command) == []
    assert ordered(books(**said)) == [what], "nobody has ordered it"
    assert ordered(books(**said), before=books(**said)) == [], "it was so before"
    refused = Refusal(Code.DISK_FULL)
    assert ordered(books(**said), command, outcome=refused) == [what], "it was refused"
    if what != "key_never_granted":
        assert ordered(books(), command) == [what], "it was ordered in vain"
        assert ordered(books(), before=books(**said)) == [what], "it was forgotten"


def test_the_last_of_several_orders_holds() -> None:
    release = SetHold(held=False, by="b", why="w")
    assert ordered(books(), HOLD, release) == []
    assert ordered(books(), release, HOLD) == ["held_otherwise_than_ordered"]


def test_a_key_is_revoked_by_its_session_only() -> None:
    before, revoked = books(keys={"k": KEY}), {"k": KEY._replace(revoked_at_ms=7)}
    assert ordered(books(keys=revoked), REVOKE, before=before) == []
    assert ordered(books(keys=revoked), before=before) == ["key_never_revoked"]
    other = RevokeKeys(wallet=WALLET, session_id="t")
    assert ordered(books(keys=revoked), other, before=before) == ["key_never_revoked"]


def test_a_key_that_is_not_as_it_was_granted() -> None:
    assert ordered(books(keys={"k": KEY._replace(day_max_micros=9)}), OPEN) == ["key_never_granted"]


@pytest.mark.parametrize(
    ("asked", "changed", "is_so"),
    [
        (LimitsAsked(stake_max=MaxAsked(micros=5)), {"stake_max": 5}, True),
        (LimitsAsked(stake_max=MaxAsked(micros=5)), {}, False),
        (LimitsAsked(stake_max=MaxAsked(micros=5)), {"loss_day_max": 5}, False),
        (
            LimitsAsked(loss_day_max=MaxAsked(micros=None)),
            {"next_loss_day_at_ms": NOW_MS + DAY_MS},
            True,
        ),
        (
            LimitsAsked(loss_day_max=MaxAsked(micros=101)),
            {"next_loss_day_at_ms": NOW_MS + DAY_MS},
            False,
        ),
        (LimitsAsked(loss_day_max=MaxAsked(micros=101)), {}, False),
        (LimitsAsked(paused_until_ms=NOW_MS), {"paused_until_ms": NOW_MS}, True),
        (LimitsAsked(paused_until_ms=NOW_MS), {"paused_until_ms": NOW_MS - 1}, False),
        (LimitsAsked(), {}, True),
    ],
)
def test_limits_are_as_they_were_asked_for(
    asked: LimitsAsked, changed: dict[str, Any], is_so: bool
) -> None:
    before, after = books(limits={3: LIMITS}), books(limits={3: LIMITS._replace(**changed)})
    found = ordered(after, SetLimits(wallet=WALLET, asked=asked), before=before)
    assert found == ([] if is_so else ["limits_otherwise_than_asked"])


def test_limits_that_nobody_has_changed() -> None:
    after = books(limits={3: LIMITS._replace(stake_max=9)})
    assert ordered(after, before=books(limits={3: LIMITS})) == ["limits_changed_by_nobody"]


def withdrawal(row: Row, **changed: Any) -> Withdrawal:
    return Withdrawal(
        id=row.id,
        user_id=row.user_id,
        wallet="of nobody",
        nonce=row.nonce,
        amount_micros=row.amount_micros,
        destination=row.destination,
        status=WithdrawalStatus(row.status),
        requested_at_ms=row.requested_at_ms,
        **changed,
    )


TAKEN = WithdrawalRequested(withdrawal=withdrawal(ROW), event=None)  # type: ignore[arg-type]


def test_a_frozen_account_withdraws_nothing() -> None:
    frozen = books(frozen=1)
    wrong = ["a_frozen_account_withdraws"]
    assert ordered(books(frozen=1), ASKED, before=frozen, outcome=TAKEN) == wrong
    assert ordered(books(), ASKED, outcome=TAKEN) == []
    refused = Refusal(Code.FROZEN)
    assert ordered(books(frozen=1), ASKED, before=frozen, outcome=refused) == []
    assert ordered(books(frozen=1), FREEZE, ASKED, before=frozen, outcome=TAKEN) == [], "either"


# --- answers --------------------------------------------------------------------------------


def answered(command: LedgerCommand, outcome: MoneyOutcome, known: Books) -> list[str]:
    check_answer(known, Terms(rule="touch", column_s=5), command, outcome, NOW_MS)
    return [finding.what for finding in known.findings]


def of_withdrawal(row: Row) -> Books:
    found = books()
    found.references.withdrawals[row.id] = row
    return found


PAID = ROW._replace(status="paid", reference="tx")
REJECTED = ROW._replace(status="rejected")
PAY = DecideWithdrawal(withdrawal_id="w", paid=True, reference="tx", reason="", by="b")
REJECT = DecideWithdrawal(withdrawal_id="w", paid=False, reference="", reason="r", by="b")
DRAW = WithdrawBankroll(amount_micros=40, destination="0xd", reference="n", reason="r", by="b")
DRAWN = ROW._replace(user_id=1, signed_at_s=None, signature=None, status="paid")


@pytest.mark.parametrize(
    ("command", "row", "is_so"),
    [
        (ASKED, ROW, True),
        (ASKED, ROW._replace(user_id=4), False),
        (ASKED, ROW._replace(amount_micros=41), False),
        (ASKED, ROW._replace(destination="0xe"), False),
        (ASKED, ROW._replace(signature="0xt"), False),
        (PAY, PAID, True),
        (PAY, REJECTED, False),
        (PAY, PAID._replace(reference="ty"), False),
        (PAY, PAID._replace(id="v"), False),
        (REJECT, REJECTED, True),
        (REJECT, PAID, False),
        (DRAW, DRAWN, True),
        (DRAW, DRAWN._replace(amount_micros=4), False),
        (DRAW, DRAWN._replace(user_id=3), False),
    ],
)
def test_a_withdrawal_is_as_it_was_asked_for_and_decided(
    command: LedgerCommand, row: Row, is_so: bool
) -> None:
    made: dict[type, Callable[[Withdrawal], MoneyOutcome]] = {
        RequestWithdrawal: lambda told: WithdrawalRequested(withdrawal=told, event=TAKEN.event),
        DecideWithdrawal: lambda told: WithdrawalDecided(withdrawal=told, event=None),
        WithdrawBankroll: lambda told: BankrollWithdrawn(
            withdrawal=told, balance_micros=0, repeated=False
        ),
    }
    outcome = made[type(command)](withdrawal(row))
    found = answered(command, outcome, of_withdrawal(row))
    assert found == ([] if is_so else ["done_otherwise_than_asked"])


def test_a_withdrawal_that_is_answered_but_not_so_on_disk() -> None:
    outcome = WithdrawalDecided(withdrawal=withdrawal(PAID), event=None)
    assert answered(PAY, outcome, of_withdrawal(REJECTED)) == ["answered_but_not_on_disk"]


@pytest.mark.parametrize(
    ("amount", "most", "given", "is_so"),
    [
        (50, None, 50, True),
        (50, None, 49, False),
        (50, None, 500, False),
        (50, 70, 20, True),
        (50, 70, 51, False),
    ],
)
def test_a_deposit_is_what_was_to_be_given(
    amount: int, most: int | None, given: int, is_so: bool
) -> None:
    known = books()
    known.references.deposits["d"] = Given(1, "d", 3, given)
    command = Deposit(
        wallet=WALLET, amount_micros=amount, reference="d", by="b", balance_max_micros=most
    )
    outcome = Deposited(
        user_id=3,
        wallet=WALLET,
        seq=1,
        balance_micros=0,
        amount_micros=given,
        reference="d",
        repeated=False,
    )
    assert answered(command, outcome, known) == ([] if is_so else ["done_otherwise_than_asked"])


def test_an_adjustment_of_somebody_else() -> None:
    known = books()
    known.references.adjustments["a"] = Given(1, "a", 4, -5)
    command = Adjust(
        wallet=WALLET, amount_micros=-5, reference="a", bet_id=None, reason="r", by="b"
    )
    outcome = Adjusted(
        user_id=4, wallet=WALLET, amount_micros=-5, reference="a", balance_micros=0, event=None
    )
    assert answered(command, outcome, known) == ["done_otherwise_than_asked"]


OPENED = AccountOpened(user_id=3, wallet=WALLET, balance_micros=0, created=False)


@pytest.mark.parametrize(
    ("command", "said", "is_so"),
    [
        (OPEN, {"keys": {"k": KEY}}, True),
        (OPEN, {}, False),
        (OPEN, {"keys": {"k": KEY._replace(bet_max_micros=9)}}, False),
        (OpenAccount(wallet=WALLET), {}, True),
        (OpenAccount(wallet="0xe"), {}, False),
        (REVOKE, {"keys": {"k": KEY._replace(revoked_at_ms=7)}}, True),
        (REVOKE, {"keys": {"k": KEY}}, False),
        (VOID, {"voids": frozenset({5})}, True),
        (VOID, {}, False),
    ],
)
def test_keys_and_columns_are_as_they_are_answered(
    command: LedgerCommand, said: dict[str, Any], is_so: bool
) -> None:
    found = answered(command, OPENED, books(**said))
    assert found == ([] if is_so else ["answered_but_not_on_disk"])
