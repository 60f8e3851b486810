"""What operators send."""

from enum import StrEnum
from typing import Final

import attrs

from domain.units import MICROS_MAX, BetId, Micros
from protocols.client_bets import BET_ID
from protocols.forms import (
    Choice,
    Field,
    Form,
    Given,
    Natural,
    Optional,
    Pattern,
    Signed,
    Wallet,
    Words,
    alone,
)
from protocols.market import Override

HOUSE: Final = "house"
EXTERNAL: Final = "external"

_WHY: Final = Words(most=500)
_REASON: Final = Field("reason", _WHY, "Why. It is logged with the operator's name.")
REASON: Final = alone(_REASON)
"""A request that says nothing but why."""


# --- deposits -----------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class DepositRequest:
    """An operator credits a wallet, or the bankroll (`house`)."""

    wallet: str
    amount_micros: Micros
    reference: str
    reason: str


_CREDITED: Final = Field("wallet", Wallet(also=(HOUSE,)), "Who is credited; `house`: the bankroll.")
_AMOUNT: Final = Field("amount_micros", Natural(least=1, most=MICROS_MAX), "Micros of a USD.")
_REFERENCE: Final = Field(
    "reference",
    Pattern(
        pattern="[!-~]{1,128}", why="must be 1 to 128 visible ASCII characters", example="wire-17"
    ),
    "What it is known by: once it is done, the same reference does no more.",
)
_MAY_SAY_WHY: Final = Field("reason", Optional(_WHY, ""), "Why, for the log.")


def _deposit(given: Given) -> DepositRequest:
    return DepositRequest(
        wallet=given[_CREDITED],
        amount_micros=given[_AMOUNT],
        reference=given[_REFERENCE],
        reason=given[_MAY_SAY_WHY],
    )


DEPOSIT: Final = Form((_CREDITED, _AMOUNT, _REFERENCE, _MAY_SAY_WHY), _deposit)


# --- the circuit breaker ------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class CircuitRequest:
    """An operator overrides the circuit breaker."""

    override: Override
    reason: str


_STATE: Final = Field("state", Choice(Override), "What the breaker is to be; `auto`: as the feed.")


def _circuit(given: Given) -> CircuitRequest:
    return CircuitRequest(override=given[_STATE], reason=given[_REASON])


CIRCUIT: Final = Form((_STATE, _REASON), _circuit)


# --- a balance that does not add up -------------------------------------------------------------


@attrs.frozen(kw_only=True)
class RebuildRequest:
    """An operator has a balance set to the sum of its ledger rows."""

    wallet: str
    """Lower case, or `house` or `external`."""
    reason: str


_REBUILT: Final = Field(
    "wallet", Wallet(also=(HOUSE, EXTERNAL)), "Whose balance; or an account of the house's own."
)


def _rebuild(given: Given) -> RebuildRequest:
    return RebuildRequest(wallet=given[_REBUILT], reason=given[_REASON])


REBUILD: Final = Form((_REBUILT, _REASON), _rebuild)


# --- adjustments --------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class AdjustmentRequest:
    """An operator makes a wrong result good."""

    wallet: str
    amount_micros: int
    """To the trader; negative: from him."""
    reference: str
    bet_id: BetId | None
    reason: str


_ADJUSTED: Final = Field("wallet", Wallet(), "Whose balance.")
_TO_HIM: Final = Field(
    "amount_micros",
    Signed(most=MICROS_MAX),
    "Micros of a USD, from the house to the trader; with a minus from him to the house.",
)
_BET: Final = Field("bet_id", Optional(BET_ID, None), "The bet that it is about, if any.")


def _adjustment(given: Given) -> AdjustmentRequest:
    return AdjustmentRequest(
        wallet=given[_ADJUSTED],
        amount_micros=given[_TO_HIM],
        reference=given[_REFERENCE],
        bet_id=given[_BET],
        reason=given[_REASON],
    )


ADJUSTMENT: Final = Form((_ADJUSTED, _TO_HIM, _REFERENCE, _BET, _REASON), _adjustment)


# --- withdrawals --------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class PaymentRequest:
    """An operator has paid a withdrawal."""

    reference: str
    reason: str


_PAYMENT: Final = Field(
    "reference", _REFERENCE.kind, "Of the payment, e.g. a transaction hash; the trader is shown it."
)


def _paid(given: Given) -> PaymentRequest:
    return PaymentRequest(reference=given[_PAYMENT], reason=given[_MAY_SAY_WHY])


PAID: Final = Form((_PAYMENT, _MAY_SAY_WHY), _paid)

REJECTED: Final = alone(Field("reason", _WHY, "Why. It is logged, and the trader is shown it."))


@attrs.frozen(kw_only=True)
class BankrollRequest:
    """An operator takes money out of the bankroll."""

    amount_micros: Micros
    reference: str
    destination: str
    reason: str


class _Bankroll(StrEnum):
    HOUSE = HOUSE


_TAKEN_FROM: Final = Field("wallet", Choice(_Bankroll), "The bankroll: `house`.")
_TO: Final = Field("destination", Optional(Words(most=200), ""), "Where it went, for the log.")


def _bankroll(given: Given) -> BankrollRequest:
    return BankrollRequest(
        amount_micros=given[_AMOUNT],
        reference=given[_REFERENCE],
        destination=given[_TO],
        reason=given[_REASON],
    )


BANKROLL: Final = Form((_TAKEN_FROM, _AMOUNT, _REFERENCE, _TO, _REASON), _bankroll)
