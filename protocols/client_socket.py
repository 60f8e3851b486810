"""The WebSocket `/ws`: what clients ask for, and the frames that they are sent.

The shapes stand in the API's description and never change; fields may be added.
"""

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final, TypeAlias

import attrs

from domain.quotes import Quote
from domain.refusals import Refusal
from domain.ticks import Tick
from domain.units import EpochMs
from protocols.accounts import Account, Bet
from protocols.client_answers import account_json, bet_json, confirmed_json
from protocols.client_fields import (
    BadField,
    Fields,
    Json,
    is_unicode,
    matching,
    natural,
    parse_object,
    present,
)
from protocols.client_market import feed_json, tick_json
from protocols.market import FeedStatus, Hold
from protocols.money import BetConfirmed, BetRefused, BetResolved, Deposited, UserEvent

_TOKEN: Final = re.compile(r"[!-~]{1,256}")

# --- what clients ask for -----------------------------------------------------------------------

RequestId: TypeAlias = str | int | None
"""What a client calls one of its requests, sent back in the reply."""


class Channel(StrEnum):
    """What any client may subscribe to."""

    PRICE = "price"
    GRID = "grid"
    STATUS = "status"


@attrs.frozen(kw_only=True)
class AuthOp:
    """Attach the socket to the private stream of the token's wallet."""

    id: RequestId
    token: str = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class SubscribeOp:
    """From now on send these channels, and no others."""

    id: RequestId
    channels: tuple[Channel, ...]


@attrs.frozen(kw_only=True)
class BetOp:
    """Place a bet: the fields of `POST /api/bets`, still to be parsed."""

    id: RequestId
    fields: Fields = attrs.field(repr=False)


@attrs.frozen(kw_only=True)
class ResumeOp:
    """Replay the private stream after `seq`."""

    id: RequestId
    seq: int


@attrs.frozen(kw_only=True)
class PingOp:
    """Is the venue there?"""

    id: RequestId


@attrs.frozen(kw_only=True)
class BadOp:
    """A frame that is no request; answered, under its id if it had one."""

    id: RequestId
    refusal: Refusal


SocketOp: TypeAlias = AuthOp | SubscribeOp | BetOp | ResumeOp | PingOp | BadOp

_OPS: Final = ("auth", "subscribe", "bet", "resume", "ping")


def parse_op(frame: str) -> SocketOp:
    """One text frame of a client."""
    fields = parse_object(frame)
    if isinstance(fields, Refusal):
        return BadOp(id=None, refusal=fields)
    request_id: RequestId = None
    try:
        request_id = _request_id(fields)
        return _op(fields, request_id)
    except BadField as bad:
        return BadOp(id=request_id, refusal=bad.refusal)


def _op(fields: Fields, request_id: RequestId) -> SocketOp:
    op = present(fields, "op")
    if op == "bet":
        return BetOp(id=request_id, fields=fields)
    if op == "auth":
        token = matching(fields, "token", _TOKEN, "must be the token of a sign-in")
        return AuthOp(id=request_id, token=token)
    if op == "subscribe":
        return SubscribeOp(id=request_id, channels=_channels(fields))
    if op == "resume":
        return ResumeOp(id=request_id, seq=natural(fields, "seq"))
    if op == "ping":
        return PingOp(id=request_id)
    raise BadField("op", f"must be one of {', '.join(_OPS)}")


def _request_id(fields: Fields) -> RequestId:
    given = fields.get("id")
    if given is None:
        return None
    if isinstance(given, int) and not isinstance(given, bool) and abs(given) < 2**53:
        return given
    if isinstance(given, str) and len(given) <= 64 and is_unicode(given):
        return given
    raise BadField("id", "must be text of at most 64 characters, or an integer below 2^53")


def _channels(fields: Fields) -> tuple[Channel, ...]:
    given = present(fields, "channels")
    names = tuple(Channel)
    if not isinstance(given, list) or any(name not in names for name in given):
        raise BadField("channels", f"must be a list of {', '.join(names)}")
    return tuple(Channel(name) for name in dict.fromkeys(given))


# --- what they are sent -------------------------------------------------------------------------


def price_frame(tick: Tick) -> Json:
    """The newest accepted price."""
    return {"type": "price", **tick_json(tick)}


def grid_frame(quote: Quote | None) -> Json:
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


def status_frame(feed: FeedStatus, hold: Hold, *, draining: bool, now_ms: EpochMs) -> Json:
    """The heartbeat: is betting open, and how old are the prices?"""
    return {
        "type": "system:status",
        "server_time_ms": now_ms,
        **feed_json(feed, now_ms),
        "held": hold.held,
        "held_why": hold.why,
        "draining": draining,
    }


def drain_frame(*, reconnect_in_ms: int) -> Json:
    """The venue is about to close this socket; come back after the delay."""
    return {"type": "drain", "reconnect_in_ms": reconnect_in_ms}


def reply_frame(request_id: RequestId, body: Mapping[str, object], *, ok: bool) -> Json:
    """The one reply to a request; what the HTTP answer would hold, and whether it succeeded."""
    return {"type": "reply", "id": request_id, "ok": ok, **body}


def refusal_frame(request_id: RequestId, refusal: Refusal) -> Json:
    """A reply that says no, with the body that HTTP would have."""
    return reply_frame(request_id, refusal.to_json(), ok=False)


def event_frame(event: UserEvent) -> Json:
    """One event of the private stream, with its gapless `seq`."""
    if isinstance(event, BetConfirmed):
        return {"type": "bet:confirmed", **confirmed_json(event)}
    if isinstance(event, BetResolved):
        return {
            "type": "bet:resolved",
            "bet_id": event.bet_id,
            "cell_id": event.cell_id,
            "status": event.status.value,
            "stake_micros": event.stake_micros,
            "payout_micros": event.payout_micros,
            "balance_micros": event.balance_micros,
            "resolved_at_ms": event.resolved_at_ms,
            "seq": event.seq,
        }
    if isinstance(event, BetRefused):
        body = event.refusal.to_json()
        return {
            "type": "bet:failed",
            "bet_id": event.bet_id,
            "cell_id": event.cell_id,
            **body,
            "seq": event.seq,
        }
    return _balance_frame(event)


def _balance_frame(event: Deposited) -> Json:
    return {
        "type": "balance",
        "balance_micros": event.balance_micros,
        "amount_micros": event.amount_micros,
        "reference": event.reference,
        "seq": event.seq,
    }


def snapshot_json(
    wallet: str, account: Account | None, open_bets: Sequence[Bet], last_bets: Sequence[Bet]
) -> Json:
    """Where a trader stands: what replaces events that were missed."""
    return {
        **account_json(wallet, account),
        "open": [bet_json(bet) for bet in open_bets],
        "last": [bet_json(bet) for bet in last_bets],
    }
