"""Each event of a private stream as the frame that tells it."""

from typing import Any

import attrs
import pytest

from domain.refusals import Code, Refusal
from domain.self_limits import PendingMax, SelfLimits
from protocols.account_commands import (
    AccountChange,
    AccountChanged,
    BalanceChanged,
    BalanceReason,
)
from protocols.client_frames import event_frame
from protocols.money import (
    BetConfirmed,
    BetRefused,
    BetResolved,
    BetStatus,
    Deposited,
    UserEvent,
)
from tests.support.described_frames import check_frame

BET_ID = "01KGH6JZ9W5Q8XN4T2R7V3M1CA"
CELL_ID = "1770100015_4200000_4201000"
CONFIRMED = BetConfirmed(
    bet_id=BET_ID,
    user_id=3,
    wallet="w",
    seq=2,
    cell_id=CELL_ID,
    stake_micros=1,
    reward_bps=18_500,
    balance_micros=9,
    placed_at_ms=5,
)
REFUSED = BetRefused(
    bet_id=BET_ID,
    wallet="w",
    cell_id=CELL_ID,
    refusal=Refusal(Code.INSUFFICIENT_FUNDS),
    user_id=3,
    seq=2,
)
RESOLVED = BetResolved(
    bet_id=BET_ID,
    user_id=3,
    wallet="w",
    seq=3,
    cell_id=CELL_ID,
    status=BetStatus.VOID,
    stake_micros=1,
    payout_micros=1,
    balance_micros=10,
    resolved_at_ms=6,
)
DEPOSITED = Deposited(
    user_id=3,
    wallet="w",
    seq=1,
    balance_micros=10,
    amount_micros=10,
    reference="r",
    repeated=False,
)
WITHDRAWN = BalanceChanged(
    user_id=3,
    wallet="w",
    seq=4,
    balance_micros=4,
    amount_micros=-6,
    reason=BalanceReason.WITHDRAWAL,
    reference="01KGH6K0000000000000000000",
)
CHANGED = AccountChanged(
    user_id=3,
    wallet="w",
    seq=5,
    what=AccountChange.LIMITS,
    frozen=False,
    limits=SelfLimits(stake_max_micros=7, next_stake_max=PendingMax(micros=None, from_ms=8)),
)


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (CONFIRMED, "bet:confirmed"),
        (REFUSED, "bet:failed"),
        (RESOLVED, "bet:resolved"),
        (DEPOSITED, "balance"),
        (WITHDRAWN, "balance"),
        (CHANGED, "account"),
    ],
)
def test_an_event_is_told_in_its_declared_shape_with_its_seq(event: UserEvent, kind: str) -> None:
    frame: dict[str, Any] = dict(event_frame(event))
    assert (frame["type"], frame["seq"]) == (kind, event.seq)
    check_frame(frame)


@pytest.mark.parametrize("reason", BalanceReason)
def test_a_balance_says_why_it_changed_and_by_how_much(reason: BalanceReason) -> None:
    frame = event_frame(attrs.evolve(WITHDRAWN, reason=reason))
    assert (frame["type"], frame["reason"], frame["amount_micros"]) == ("balance", reason, -6)


def test_a_deposit_is_a_change_of_the_balance_too() -> None:
    frame = event_frame(DEPOSITED)
    assert frame["type"] == "balance"
    assert (frame["reason"], frame["amount_micros"], frame["reference"]) == ("deposit", 10, "r")


@pytest.mark.parametrize("what", AccountChange)
def test_an_account_says_what_changed_and_shows_its_limits(what: AccountChange) -> None:
    frame = event_frame(attrs.evolve(CHANGED, what=what, frozen=what is AccountChange.FROZEN))
    assert frame["type"] == "account"
    assert (frame["what"], frame["frozen"]) == (what, what is AccountChange.FROZEN)
    assert frame["limits"]["next_stake_max"] == {"micros": None, "from_ms": 8}
