"""What operators send."""

from typing import Final

import attrs

from domain.units import MICROS_MAX, Micros
from protocols.forms import (
    Choice,
    Field,
    Form,
    Given,
    Natural,
    Optional,
    Pattern,
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
    "What the deposit is known by: once it is credited, the same reference credits no more.",
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
