"""What the operator has done with money: by his own books, and what he was answered. Pure."""

from collections.abc import Sequence
from typing import Final

import attrs

from simulation.orders import HOUSE
from simulation.people.books import Complain, Json

DEPOSIT: Final = "/ops/deposits"
ADJUSTMENT: Final = "/ops/adjustments"
BANKROLL: Final = "/ops/withdrawals"
PENDING: Final = "pending"


@attrs.define(kw_only=True)
class Booked:
    """Money that he has moved, under one reference."""

    path: str
    """How: one of the above."""
    wallet: str
    amount_micros: int
    is_certain: bool = False
    """Did the venue say that it is done?"""
    is_refused: bool = False

    def answered(self, answer: Json, complain: Complain) -> None:
        """It is done, says the venue, and how much it was."""
        self.is_certain, self.is_refused = True, False
        done = answer.get("withdrawal", answer)
        if done["amount_micros"] != self.amount_micros:
            complain("money_is_not_as_was_told", (self, answer))

    def compare(self, reference: str, amounts_micros: Sequence[int], complain: Complain) -> None:
        """What the venue lists under this reference, in the end."""
        if len(amounts_micros) > 1:
            complain("money_came_twice", (reference, self, amounts_micros))
        is_there = bool(amounts_micros)
        if (self.is_certain and not is_there) or (self.is_refused and is_there):
            complain("money_is_not_as_was_told", (reference, self, amounts_micros))
        if is_there and amounts_micros[0] != self.amount_micros:
            complain("money_is_not_as_was_told", (reference, self, amounts_micros))


@attrs.define
class Decided:
    """What became of one withdrawal of a trader, as far as the operator has to do with it."""

    tried: dict[str, str]
    """The decisions that he has sent, and the payment's reference of each."""
    status: str = ""
    """What the venue says that it is now."""

    def answered(self, before: Json, status: str, answer: Json, complain: Complain) -> None:
        """He has asked for that status, and it is done, says the venue."""
        done = answer["withdrawal"]
        same = ("id", "wallet", "nonce", "amount_micros", "destination")
        is_same = all(done[field] == before[field] for field in same)
        if (
            not is_same
            or done["status"] != status
            or (done["reference"] or "") != self.tried[status]
        ):
            complain("a_withdrawal_is_decided_otherwise", (before, status, answer))
        if self.status not in ("", status):
            complain("a_withdrawal_is_decided_twice", (self, status, answer))
        self.status = status

    def compare(self, listed: Json, complain: Complain) -> None:
        """How it stands in the end."""
        may_be = (self.status,) if self.status else (PENDING, *self.tried)
        reference = self.tried.get(listed["status"], "")
        if listed["status"] not in may_be or (listed["reference"] or "") != reference:
            complain("a_withdrawal_is_decided_otherwise", (self, listed))


UNDECIDED: Final = Decided({})
"""No decision was ever sent about it."""


def compare_house(
    booked: dict[str, Booked],
    rows: Sequence[Json],
    withdrawals: Sequence[Json],
    complain: Complain,
) -> None:
    """The house's side of all that he has moved: its own ledger, and what was taken out of it."""
    amounts: dict[tuple[str, str], list[int]] = {}
    for row in rows:
        amounts.setdefault((row["ref_type"], row["ref_id"]), []).append(row["amount_micros"])
    taken = {each["nonce"]: each for each in withdrawals if each["wallet"] == HOUSE}
    for reference, each in booked.items():
        if each.path == BANKROLL:
            out = taken.get(reference)
            found = [] if out is None else amounts.get(("WITHDRAWAL", out["id"]), [])
            if out is not None and [out["amount_micros"]] != [-micros for micros in found]:
                complain("money_is_not_as_was_told", (reference, out, found))
            each.compare(reference, [-micros for micros in found], complain)
        elif each.path == ADJUSTMENT:
            found = amounts.get(("ADJUSTMENT", reference), [])
            each.compare(reference, [-micros for micros in found], complain)
        elif each.wallet == HOUSE:
            each.compare(reference, amounts.get(("DEPOSIT", reference), []), complain)
