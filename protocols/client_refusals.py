"""What refusals tell beyond code and message, for the API's document.

The table of codes stands in `domain.refusals`; whoever refuses adds these fields where they help.
"""

from collections.abc import Mapping
from typing import Annotated, Final, NotRequired, TypedDict

from msgspec import Meta

from domain.refusals import Code
from domain.resolution import Rule
from protocols.accounts import Bet
from protocols.answer_fields import (
    AmountMicros,
    AtS,
    BetIdText,
    CellIdText,
    PriceCents,
    RateBps,
    WeekText,
)
from protocols.money import BetStatus


class FieldDetails(TypedDict):
    """Of `bad_request`."""

    field: Annotated[
        str,
        Meta(
            description="What is at fault: a field, a parameter, a header; or `body`, `path`, "
            "`request`.",
            examples=["amount"],
        ),
    ]


class StakeDetails(TypedDict):
    """Of `bad_stake`."""

    presets_micros: Annotated[
        list[AmountMicros], Meta(description="The stakes there are, in micros of a USD.")
    ]


class ExpiredDetails(TypedDict):
    """Of `signature_expired`."""

    server_time_ms: Annotated[
        int, Meta(description="The venue's clock: ms since 1970, UTC. Sign anew in its time.")
    ]
    field: NotRequired[Annotated[str, Meta(description="Of a sign-in: which time it was.")]]


class UnauthorizedDetails(TypedDict):
    """Of `unauthorized`."""

    key_id: NotRequired[
        Annotated[str, Meta(description="The session key that has expired or was revoked.")]
    ]
    field: NotRequired[Annotated[str, Meta(description="Of a sign-in: what was not accepted.")]]


class LimitDetails(TypedDict):
    """Of `limit_reached`."""

    limit: NotRequired[
        Annotated[
            str,
            Meta(
                description="A session key's cap, or a limit that the trader has set.",
                extra_json_schema={"enum": ["key_bet", "key_day", "paused", "stake", "loss_day"]},
            ),
        ]
    ]
    max_micros: NotRequired[Annotated[int, Meta(description="The limit, micros of a USD.")]]
    until_ms: NotRequired[
        Annotated[int, Meta(description="When the pause ends: ms since 1970, UTC.")]
    ]
    lost_micros: NotRequired[
        Annotated[
            int, Meta(description="Lost today with what open bets may lose, micros of a USD.")
        ]
    ]
    balance_max_micros: NotRequired[
        Annotated[int, Meta(description="The faucet's limit, micros of a USD.")]
    ]
    balance_micros: NotRequired[AmountMicros]


class UnjudgedDetails(TypedDict):
    """A bet that has no proof: it is open, or was never taken. Names no trader."""

    status: BetStatus
    rule: Rule
    cell_id: CellIdText
    column_start_s: AtS
    column_s: Annotated[int, Meta(description="How many seconds wide the column is.")]
    lo_cents: PriceCents
    hi_cents: PriceCents


class NotFoundDetails(TypedDict):
    """Of `not_found`."""

    bet: NotRequired[
        Annotated[UnjudgedDetails, Meta(description="Of a proof: there is none, but the bet is.")]
    ]
    archived: NotRequired[
        Annotated[list[WeekText], Meta(description="The weeks that could not be searched.")]
    ]


class FirstBetDetails(TypedDict):
    """The bet that used the nonce up."""

    bet_id: BetIdText
    status: Annotated[
        str,
        Meta(
            description="As the bet's; `unknown` while it is in flight.",
            examples=["confirmed"],
        ),
    ]


class FirstWithdrawalDetails(TypedDict):
    """The withdrawal that used the nonce up."""

    id: Annotated[str, Meta(description="A ULID.")]
    status: Annotated[str, Meta(examples=["pending"])]
    amount_micros: AmountMicros


class ReplayDetails(TypedDict):
    """Of `replay_detected`."""

    bet: NotRequired[
        Annotated[
            FirstBetDetails | None,
            Meta(description="Null: nothing was written. Sign anew with a new nonce."),
        ]
    ]
    withdrawal: NotRequired[FirstWithdrawalDetails]


class CellTakenDetails(TypedDict):
    """Of `cell_taken`."""

    bet_id: BetIdText


class QuoteDetails(TypedDict):
    """Of `quote_expired`."""

    reward_bps: RateBps
    quote: Annotated[int, Meta(description="The number of the newest quote.")]


class ArchivedDetails(TypedDict):
    """Of `archived`."""

    partitions: NotRequired[
        Annotated[list[WeekText], Meta(description="The weeks that an operator can bring back.")]
    ]
    field: NotRequired[Annotated[str, Meta(description="The parameter that lies too far back.")]]


class UnknownDetails(TypedDict):
    """Of `status_unknown`."""

    bet_id: NotRequired[Annotated[str, Meta(description="The bet to look up.")]]


DETAILS: Final[Mapping[Code, type]] = {
    Code.BAD_REQUEST: FieldDetails,
    Code.BAD_STAKE: StakeDetails,
    Code.SIGNATURE_EXPIRED: ExpiredDetails,
    Code.UNAUTHORIZED: UnauthorizedDetails,
    Code.LIMIT_REACHED: LimitDetails,
    Code.NOT_FOUND: NotFoundDetails,
    Code.REPLAY_DETECTED: ReplayDetails,
    Code.CELL_TAKEN: CellTakenDetails,
    Code.QUOTE_EXPIRED: QuoteDetails,
    Code.ARCHIVED: ArchivedDetails,
    Code.STATUS_UNKNOWN: UnknownDetails,
}
"""A code that is not here has none."""


def unjudged_details(bet: Bet) -> UnjudgedDetails:
    """What anybody who has its link may know of a bet without a verdict."""
    return {
        "status": bet.status,
        "rule": bet.rule,
        "cell_id": bet.cell_id,
        "column_start_s": bet.column_start_s,
        "column_s": bet.column_s,
        "lo_cents": bet.lo_cents,
        "hi_cents": bet.hi_cents,
    }
