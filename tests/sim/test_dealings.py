"""What the operator and the traders remember, and hold the venue's answers against in the end."""

from collections.abc import Sequence
from typing import Any

import pytest

from simulation.draws import stream
from simulation.orders import Order, order_of
from simulation.people.books import Ticket
from simulation.people.bounds import HOLDS_FOR_S, Bounds
from simulation.people.dealings import ADJUSTMENT, BANKROLL, DEPOSIT, Booked, Decided, compare_house
from simulation.people.keys import Keys

USD = 1_000_000
NOON_MS = 1_770_120_000_000


class Complaints:
    """What somebody has found wrong."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def __call__(self, what: str, details: object) -> None:
        self.heard.append(what)


# --- bounds -----------------------------------------------------------------------------------


def taken(bounds: Bounds, *, sent_s: float, stake_usd: int = 1, at_ms: int = NOON_MS) -> None:
    fields = {"nonce": f"n{sent_s}", "cell_id": "cell", "amount": str(stake_usd * USD)}
    ticket = Ticket(fields=fields, sends=1)
    bounds.bet_taken(ticket, {"placed_at_ms": at_ms}, sent_s=sent_s, held_since_s=None)


@pytest.mark.parametrize(
    ("told", "complaint"),
    [
        ({"stake_max_micros": 4 * USD}, "a_limit_does_not_hold"),
        ({"paused_until_ms": NOON_MS + 1}, "a_pause_does_not_hold"),
        ({"stake_max_micros": 5 * USD, "paused_until_ms": NOON_MS}, ""),
    ],
)
def test_what_he_was_told_holds_for_a_day(told: dict[str, int], complaint: str) -> None:
    complaints = Complaints()
    bounds = Bounds(complaints)
    bounds.told_limits(told, 10.0)
    taken(bounds, sent_s=9.9, stake_usd=5)
    taken(bounds, sent_s=10 + HOLDS_FOR_S, stake_usd=5)
    assert complaints.heard == []
    taken(bounds, sent_s=10.1, stake_usd=5)
    assert complaints.heard == ([complaint] if complaint else [])


def test_the_lowest_maximum_and_the_latest_end_hold() -> None:
    complaints = Complaints()
    bounds = Bounds(complaints)
    bounds.told_limits({"stake_max_micros": 5 * USD, "paused_until_ms": NOON_MS + 10}, 1.0)
    bounds.told_limits({"stake_max_micros": None, "paused_until_ms": NOON_MS + 1}, 2.0)
    bounds.told_limits({"stake_max_micros": 9 * USD}, 3.0)
    taken(bounds, sent_s=4, stake_usd=6, at_ms=NOON_MS + 5)
    assert complaints.heard == ["a_limit_does_not_hold", "a_pause_does_not_hold"]


def test_who_is_frozen_neither_bets_nor_withdraws() -> None:
    complaints = Complaints()
    bounds = Bounds(complaints)
    bounds.frozen_since_s = 5.0
    taken(bounds, sent_s=4.9)
    bounds.withdrawal_taken({}, sent_s=4.9)
    assert complaints.heard == []
    taken(bounds, sent_s=5.1)
    bounds.withdrawal_taken({}, sent_s=5.1)
    assert complaints.heard == ["a_frozen_account_bets", "a_frozen_account_withdraws"]


@pytest.mark.parametrize(("back_at_ms", "is_well"), [(2, True), (3, False)])
def test_losses_are_stakes_less_what_came_back_before(back_at_ms: int, is_well: bool) -> None:
    complaints = Complaints()
    bounds = Bounds(complaints)
    bounds.under_loss_max = {"second": 10 * USD, "third": 10 * USD}
    bets: list[dict[str, Any]] = [
        {"nonce": nonce, "stake_micros": 8 * USD, "placed_at_ms": NOON_MS + at}
        for at, nonce in enumerate(("first", "second", "third"))
    ]
    for bet in bets:
        bet |= {"payout_micros": None, "resolved_at_ms": None}
    bets[0] |= {"payout_micros": 9 * USD, "resolved_at_ms": NOON_MS + back_at_ms}
    bounds.compare_losses(bets)
    assert complaints.heard == ([] if is_well else ["a_loss_limit_does_not_hold"])


def test_a_key_signs_nothing_from_its_end_on() -> None:
    keys = Keys(stream(1, "keys"), stream(1, "ends"))
    key = keys.make(NOON_MS)
    keys.add(key)
    assert keys.outlived(key.key_id, {"placed_at_ms": key.until_s * 1000 - 1}) is None
    assert keys.outlived(key.key_id, {"placed_at_ms": key.until_s * 1000}) is key
    assert keys.outlived(None, {"placed_at_ms": key.until_s * 1000}) is None


# --- the operator's -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("certain", "refused", "listed", "is_well"),
    [
        (True, False, [7], True),
        (True, False, [], False),
        (True, False, [8], False),
        (True, False, [7, 7], False),
        (False, True, [], True),
        (False, True, [7], False),
        (False, False, [], True),
        (False, False, [7], True),
        (False, False, [70], False),
    ],
)
def test_money_is_listed_as_it_was_booked(
    certain: bool, refused: bool, listed: Sequence[int], is_well: bool
) -> None:
    complaints = Complaints()
    booked = Booked(
        path=DEPOSIT, wallet="0x1", amount_micros=7, is_certain=certain, is_refused=refused
    )
    booked.compare("r", listed, complaints)
    assert (complaints.heard == []) is is_well


def test_the_house_has_the_other_side_of_what_was_booked() -> None:
    booked = {
        "in": Booked(path=DEPOSIT, wallet="house", amount_micros=9, is_certain=True),
        "out": Booked(path=BANKROLL, wallet="house", amount_micros=5, is_certain=True),
        "good": Booked(path=ADJUSTMENT, wallet="0x1", amount_micros=-3, is_certain=True),
        "his": Booked(path=DEPOSIT, wallet="0x1", amount_micros=4, is_certain=True),
    }
    rows = [
        {"ref_type": "DEPOSIT", "ref_id": "in", "amount_micros": 9},
        {"ref_type": "WITHDRAWAL", "ref_id": "w", "amount_micros": -5},
        {"ref_type": "ADJUSTMENT", "ref_id": "good", "amount_micros": 3},
    ]
    taken_out = [{"wallet": "house", "nonce": "out", "id": "w", "amount_micros": 5}]
    complaints = Complaints()
    compare_house(booked, rows, taken_out, complaints)
    assert complaints.heard == []
    for row in rows:
        heard = Complaints()
        others = [other for other in rows if other is not row]
        compare_house(booked, [*others, {**row, "amount_micros": 1}], taken_out, heard)
        assert "money_is_not_as_was_told" in heard.heard


PENDING = {
    "id": "w",
    "wallet": "0x1",
    "nonce": "n",
    "amount_micros": 5,
    "destination": "0x2",
    "status": "pending",
    "reference": None,
}
PAID = {**PENDING, "status": "paid", "reference": "tx"}
REJECTED = {**PENDING, "status": "rejected"}


@pytest.mark.parametrize(
    ("answered", "complaint"),
    [
        (PAID, ""),
        (REJECTED, "a_withdrawal_is_decided_otherwise"),
        ({**PAID, "reference": "another"}, "a_withdrawal_is_decided_otherwise"),
        ({**PAID, "destination": "0x3"}, "a_withdrawal_is_decided_otherwise"),
    ],
)
def test_a_decision_is_answered_as_it_was_given(answered: dict[str, Any], complaint: str) -> None:
    complaints = Complaints()
    Decided({"paid": "tx"}).answered(PENDING, "paid", {"withdrawal": answered}, complaints)
    assert complaints.heard == ([complaint] if complaint else [])


@pytest.mark.parametrize(
    ("decided", "listed", "is_well"),
    [
        (Decided({}), PENDING, True),
        (Decided({}), PAID, False),
        (Decided({"paid": "tx"}), PENDING, True),
        (Decided({"paid": "tx"}), PAID, True),
        (Decided({"paid": "tx"}), REJECTED, False),
        (Decided({"paid": "tx"}, "paid"), PENDING, False),
        (Decided({"paid": "tx", "rejected": ""}, "paid"), REJECTED, False),
        (Decided({"paid": "other"}, "paid"), PAID, False),
    ],
)
def test_a_withdrawal_stands_as_it_was_decided(
    decided: Decided, listed: dict[str, Any], is_well: bool
) -> None:
    complaints = Complaints()
    decided.compare(listed, complaints)
    assert (complaints.heard == []) is is_well


# --- orders -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "body", "order"),
    [
        ("hold", {"reason": "why"}, Order("hold", "", "why")),
        ("circuit", {"state": "open", "reason": "why"}, Order("circuit", "open", "why")),
        ("actors/venue/market/restart", {"reason": "why"}, Order("restart", "market", "why")),
        ("columns/1770100015/void", {"reason": "why"}, Order("void_column", "1770100015", "why")),
        ("users/0x1/freeze", {"reason": "why"}, Order("freeze", "0x1", "why")),
        ("withdrawals/w/rejected", {"reason": "why"}, Order("withdrawal_rejected", "w", "why")),
        (
            "withdrawals/w/paid",
            {"reference": "tx"},
            Order("withdrawal_paid", "w", "", reference="tx"),
        ),
        (
            "withdrawals",
            {"wallet": "house", "amount_micros": 7, "reference": "r", "reason": "why"},
            Order("withdraw_bankroll", "house", "why", 7, "r"),
        ),
    ],
)
def test_an_order_is_known_by_its_request(path: str, body: dict[str, Any], order: Order) -> None:
    assert order_of(f"/ops/{path}", body) == order


def test_what_is_no_order_has_no_name() -> None:
    with pytest.raises(ValueError, match="no order"):
        order_of("/ops/columns/7/look", {})
