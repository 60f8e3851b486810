"""Limits that a trader sets for himself: how he asks for them, and how he is shown them."""

from enum import Enum
from typing import Annotated, Final, TypedDict

from msgspec import Meta

from domain.self_limits import LimitsAsked, MaxAsked, PendingMax, SelfLimits
from domain.units import MICROS_MAX, Micros
from protocols.answer_fields import AtMs
from protocols.client_fields import BadField, Json
from protocols.forms import LATEST_MS, Field, Form, Given, Natural, Nullable, Optional

# --- asking -------------------------------------------------------------------------------------


class _Left(Enum):
    """What was left out stays as it is; null is another wish."""

    OUT = "left out"


_MAX: Final = Optional(Nullable(Natural(most=MICROS_MAX)), _Left.OUT)
_STAKE: Final = Field(
    "stake_max_micros", _MAX, "The most that one bet may stake, micros of a USD; null: no limit."
)
_LOSS: Final = Field(
    "loss_day_max_micros",
    _MAX,
    "The most that may be lost in one UTC day, micros of a USD; stakes of open bets count as lost."
    " Null: no limit.",
)
_PAUSE: Final = Field(
    "paused_until_ms",
    Optional(Natural(most=LATEST_MS), None),
    "No bets before this time, ms since 1970, UTC. A pause that stands is cut short to a day from"
    " now at most.",
)
_SOMETHING: Final[Json] = {"anyOf": [{"required": [f.name]} for f in (_STAKE, _LOSS, _PAUSE)]}


def _asked(given: Given) -> LimitsAsked:
    stake, loss, pause = _max(given[_STAKE]), _max(given[_LOSS]), given[_PAUSE]
    if stake is None and loss is None and pause is None:
        raise BadField(_STAKE.name, "or one of the other limits must be given")
    return LimitsAsked(stake_max=stake, loss_day_max=loss, paused_until_ms=pause)


def _max(given: Micros | _Left | None) -> MaxAsked | None:
    return None if given is _Left.OUT else MaxAsked(micros=given)


LIMITS: Final = Form(
    (_STAKE, _LOSS, _PAUSE),
    _asked,
    also=_SOMETHING,
    examples=({"stake_max_micros": 5_000_000, "loss_day_max_micros": 50_000_000},),
)

# --- showing ------------------------------------------------------------------------------------


class PendingMaxJson(TypedDict):
    """What a maximum becomes at a time to come."""

    micros: Annotated[int | None, Meta(description="Micros of a USD; null: no limit any more.")]
    from_ms: AtMs


class LimitsJson(TypedDict):
    """The limits that a trader has set for himself."""

    stake_max_micros: Annotated[int | None, Meta(description="Of one bet; null: no limit.")]
    loss_day_max_micros: Annotated[int | None, Meta(description="Of a UTC day; null: no limit.")]
    paused_until_ms: Annotated[int, Meta(description="No bets before this, ms since 1970, UTC.")]
    next_stake_max: PendingMaxJson | None
    next_loss_day_max: PendingMaxJson | None


def limits_json(limits: SelfLimits) -> LimitsJson:
    """The limits as they stand, and what becomes of them."""
    return {
        "stake_max_micros": limits.stake_max_micros,
        "loss_day_max_micros": limits.loss_day_max_micros,
        "paused_until_ms": limits.paused_until_ms,
        "next_stake_max": _pending_json(limits.next_stake_max),
        "next_loss_day_max": _pending_json(limits.next_loss_day_max),
    }


def _pending_json(pending: PendingMax | None) -> PendingMaxJson | None:
    return None if pending is None else {"micros": pending.micros, "from_ms": pending.from_ms}
