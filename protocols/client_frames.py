"""The WebSocket `/ws`: every frame that clients are sent, and its shape.

The shapes stand in the API's description and never change; fields may be added. Amounts, prices and
rates are integers in the units that their names say. What clients ask for is in `client_socket`.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final, Literal, TypeAlias, TypedDict, cast

from msgspec import Meta

from domain.quotes import Quote
from domain.refusals import Code, Refusal
from domain.ticks import Tick
from domain.units import EpochMs
from protocols.account_commands import AccountChange, AccountChanged, BalanceChanged
from protocols.accounts import Account, Bet
from protocols.answer_fields import (
    AmountMicros,
    AtMs,
    AtS,
    BetIdText,
    CellIdText,
    Count,
    PriceCents,
    SignedMicros,
    WalletText,
)
from protocols.client_answers import (
    AccountJson,
    BetJson,
    ConfirmedJson,
    LookedUpBetJson,
    account_json,
    bet_json,
    confirmed_json,
)
from protocols.client_fields import Json
from protocols.client_limits import LimitsJson, limits_json
from protocols.client_market import FeedJson, TickJson, feed_json, tick_json
from protocols.client_socket import Channel, RequestId
from protocols.market import FeedStatus, Hold
from protocols.money import BetConfirmed, BetRefused, BetResolved, Deposited, UserEvent

EventSeq: TypeAlias = Annotated[
    int, Meta(description="Of the wallet's events: each is one above the one before.", ge=1)
]
BalanceMicros: TypeAlias = Annotated[
    int, Meta(description="The balance after this event, micros of a USD.", ge=0)
]

# --- channels -----------------------------------------------------------------------------------


class PriceFrame(TickJson):
    """The newest accepted price; at most ten a second."""

    type: Literal["price"]


class GridFrame(TypedDict):
    """The newest quote: `rates[column * rows + row]` is the rate of one cell."""

    type: Literal["grid"]
    n: Annotated[int, Meta(description="The quote's number: `quote` of a bet of version 2.")]
    published_at_ms: AtMs
    price_cents: PriceCents
    column_s: Annotated[int, Meta(description="Width of a column in seconds.", ge=1)]
    row_cents: Annotated[int, Meta(description="Height of a row in cents of a USD.", ge=1)]
    first_column_s: AtS
    lowest_row_cents: PriceCents
    rows: Count
    rates: Annotated[
        list[int], Meta(description="Basis points, column by column; 0: the cell is not offered.")
    ]


class NoGridFrame(TypedDict):
    """Nothing is offered now."""

    type: Literal["grid"]
    n: None


class StatusFrame(FeedJson):
    """The heartbeat: is betting open, and how old are the prices? Each second, and at once when
    something changes that opens or closes betting."""

    type: Literal["system:status"]
    server_time_ms: AtMs
    held: Annotated[bool, Meta(description="Has an operator put betting on hold?")]
    held_why: Annotated[str, Meta(description="For people; empty where nothing is held.")]
    disk_full: Annotated[bool, Meta(description="Are bets refused for want of room on disk?")]
    draining: Annotated[bool, Meta(description="Is the venue stopping?")]


def price_frame(tick: Tick) -> PriceFrame:
    """The newest accepted price."""
    return {"type": "price", **tick_json(tick)}


def grid_frame(quote: Quote | None) -> GridFrame | NoGridFrame:
    """The newest quote in a compact form, or null for `n` while nothing is offered.

    `rates[column * rows + row]`, 0 where a cell is not offered; column c starts at
    `first_column_s + c * column_s`, row r at `lowest_row_cents + r * row_cents`.
    """
    if quote is None:
        return {"type": "grid", "n": None}
    return {
        "type": "grid",
        "n": quote.n,
        "published_at_ms": quote.published_at_ms,
        "price_cents": quote.price_cents,
        "column_s": quote.column_s,
        "row_cents": quote.row_cents,
        "first_column_s": quote.first_column_s,
        "lowest_row_cents": quote.lowest_row_cents,
        "rows": len(quote.rates[0]) if quote.rates else 0,
        "rates": [rate for column in quote.rates for rate in column],
    }


def status_frame(
    feed: FeedStatus, hold: Hold, *, disk_full: bool, draining: bool, now_ms: EpochMs
) -> StatusFrame:
    """The heartbeat: is betting open, and how old are the prices?"""
    return {
        "type": "system:status",
        "server_time_ms": now_ms,
        **feed_json(feed, now_ms),
        "held": hold.held,
        "held_why": hold.why,
        "disk_full": disk_full,
        "draining": draining,
    }


# --- the private stream -------------------------------------------------------------------------


class BetConfirmedFrame(ConfirmedJson):
    """A bet is on disk, by whatever way it was placed; as its 202."""

    type: Literal["bet:confirmed"]


class BetFailedFrame(TypedDict):
    """A bet was refused and is on record: the balance did not cover the stake."""

    type: Literal["bet:failed"]
    bet_id: BetIdText
    cell_id: CellIdText
    error: Literal["insufficient_funds"]
    message: Annotated[str, Meta(description="For people.")]
    seq: EventSeq


class BetResolvedFrame(TypedDict):
    """A bet has ended."""

    type: Literal["bet:resolved"]
    bet_id: BetIdText
    cell_id: CellIdText
    status: Literal["won", "lost", "void"]
    stake_micros: AmountMicros
    payout_micros: Annotated[
        int, Meta(description="Micros of a USD that were credited: the payout, the stake, or 0.")
    ]
    balance_micros: BalanceMicros
    resolved_at_ms: AtMs
    seq: EventSeq


class BalanceFrame(TypedDict):
    """The balance changed, by no bet."""

    type: Literal["balance"]
    reason: Literal["deposit", "withdrawal", "withdrawal_rejected", "adjustment"]
    amount_micros: SignedMicros
    balance_micros: BalanceMicros
    reference: Annotated[
        str, Meta(description="Of the deposit or adjustment, or the withdrawal's id.")
    ]
    seq: EventSeq


class AccountFrame(TypedDict):
    """Something about the account changed that is no money."""

    type: Literal["account"]
    what: Annotated[AccountChange, Meta(description="What changed.")]
    frozen: Annotated[bool, Meta(description="A frozen account places no bets.")]
    limits: LimitsJson
    reference: Annotated[str, Meta(description="The withdrawal's id, where it is about one.")]
    seq: EventSeq


EventFrame: TypeAlias = (
    BetConfirmedFrame | BetFailedFrame | BetResolvedFrame | BalanceFrame | AccountFrame
)


class ResyncRequiredFrame(TypedDict):
    """Events may be missing: none is sent until `resume` is asked for."""

    type: Literal["resync_required"]


class SessionExpiredFrame(TypedDict):
    """The session has ended, and the private stream with it."""

    type: Literal["session:expired"]


def event_frame(event: UserEvent) -> EventFrame:
    """One event of the private stream, with its gapless `seq`."""
    match event:
        case BetConfirmed():
            return {"type": "bet:confirmed", **confirmed_json(event)}
        case BetRefused():
            return _failed_frame(event)
        case BetResolved():
            return _resolved_frame(event)
        case Deposited() | BalanceChanged():
            return _balance_frame(event)
        case AccountChanged():
            return _account_frame(event)


def _failed_frame(event: BetRefused) -> BetFailedFrame:
    assert event.seq is not None, "a refusal that wrote nothing is no event"
    assert event.refusal.code is Code.INSUFFICIENT_FUNDS, "no other refusal is on record"
    return {
        "type": "bet:failed",
        "bet_id": event.bet_id,
        "cell_id": event.cell_id,
        "error": "insufficient_funds",
        "message": event.refusal.message or event.refusal.meaning.message,
        "seq": event.seq,
    }


def _resolved_frame(event: BetResolved) -> BetResolvedFrame:
    return {
        "type": "bet:resolved",
        "bet_id": event.bet_id,
        "cell_id": event.cell_id,
        "status": cast(Literal["won", "lost", "void"], event.status.value),
        "stake_micros": event.stake_micros,
        "payout_micros": event.payout_micros,
        "balance_micros": event.balance_micros,
        "resolved_at_ms": event.resolved_at_ms,
        "seq": event.seq,
    }


def _balance_frame(event: Deposited | BalanceChanged) -> BalanceFrame:
    return {
        "type": "balance",
        "reason": "deposit" if isinstance(event, Deposited) else event.reason.value,
        "amount_micros": event.amount_micros,
        "balance_micros": event.balance_micros,
        "reference": event.reference,
        "seq": event.seq,
    }


def _account_frame(event: AccountChanged) -> AccountFrame:
    return {
        "type": "account",
        "what": event.what,
        "frozen": event.frozen,
        "limits": limits_json(event.limits),
        "reference": event.reference,
        "seq": event.seq,
    }


# --- the end ------------------------------------------------------------------------------------


class DrainFrame(TypedDict):
    """The venue is about to close this socket."""

    type: Literal["drain"]
    reconnect_in_ms: Annotated[int, Meta(description="Come back after so many milliseconds.")]


def drain_frame(*, reconnect_in_ms: int) -> DrainFrame:
    """The venue is about to close this socket; come back after the delay."""
    return {"type": "drain", "reconnect_in_ms": reconnect_in_ms}


# --- replies ------------------------------------------------------------------------------------


class SnapshotJson(AccountJson):
    """Where a trader stands as of `seq`: what replaces events that were missed."""

    open: Annotated[list[BetJson], Meta(description="All open bets, newest first.")]
    last: Annotated[list[BetJson], Meta(description="The newest results, at most 20.")]


class PongJson(TypedDict):
    """To `ping`."""

    server_time_ms: AtMs


class SubscribedJson(TypedDict):
    """To `subscribe`: what is sent from now on."""

    channels: list[Channel]


class FollowingJson(AccountJson):
    """To `auth`: the account as of `seq`; the next event is the one after it."""

    expires_at_ms: Annotated[int, Meta(description="End of the session, ms since 1970, UTC.")]


class ResumedJson(TypedDict):
    """To `resume`: what was missed has been sent before this reply."""

    resync_required: Annotated[bool, Meta(description="False.")]
    seq: Annotated[int, Meta(description="The newest event that there was.", ge=0)]


class ResyncJson(TypedDict):
    """To `resume`: what was missed is not known any more, or the named `seq` is none of ours."""

    resync_required: Annotated[bool, Meta(description="True.")]
    snapshot: SnapshotJson


class WhoJson(TypedDict):
    """Whose stream it is, and until when."""

    wallet: WalletText
    expires_at_ms: Annotated[int, Meta(description="End of the session, ms since 1970, UTC.")]


class FollowingResumedJson(WhoJson, ResumedJson):
    """To `auth` with `seq`, as to `resume`."""


class FollowingResyncJson(WhoJson, ResyncJson):
    """To `auth` with `seq`, as to `resume`."""


class RefusedJson(TypedDict):
    """To anything: no, and why. The fields of the HTTP answer."""

    error: Code
    message: Annotated[str, Meta(description="For people; may be reworded.")]


def snapshot_json(
    wallet: str, account: Account | None, open_bets: Sequence[Bet], last_bets: Sequence[Bet]
) -> SnapshotJson:
    """Where a trader stands: what replaces events that were missed."""
    return {
        **account_json(wallet, account),
        "open": [bet_json(bet) for bet in open_bets],
        "last": [bet_json(bet) for bet in last_bets],
    }


def reply_frame(request_id: RequestId, body: Mapping[str, object], *, ok: bool) -> Json:
    """The one reply to a request; what the HTTP answer would hold, and whether it succeeded."""
    return {"type": "reply", "id": request_id, "ok": ok, **body}


def refusal_frame(request_id: RequestId, refusal: Refusal) -> Json:
    """A reply that says no, with the body that HTTP would have."""
    return reply_frame(request_id, refusal.to_json(), ok=False)


# --- all there are ------------------------------------------------------------------------------

FRAMES: Final[Mapping[str, tuple[type, ...]]] = {
    "price": (PriceFrame,),
    "grid": (GridFrame, NoGridFrame),
    "system:status": (StatusFrame,),
    "bet:confirmed": (BetConfirmedFrame,),
    "bet:failed": (BetFailedFrame,),
    "bet:resolved": (BetResolvedFrame,),
    "balance": (BalanceFrame,),
    "account": (AccountFrame,),
    "resync_required": (ResyncRequiredFrame,),
    "session:expired": (SessionExpiredFrame,),
    "drain": (DrainFrame,),
}
"""The shapes of each type of frame but `reply`."""

REPLIES: Final[Mapping[str, tuple[type, ...]]] = {
    "ping": (PongJson,),
    "subscribe": (SubscribedJson,),
    "auth": (FollowingJson, FollowingResumedJson, FollowingResyncJson),
    "resume": (ResumedJson, ResyncJson),
    "bet": (ConfirmedJson, LookedUpBetJson),
}
"""What the reply to each request holds beside `type`, `id` and `ok`, where `ok` is true; where it
is false: a RefusedJson, and what the code's own details are."""
