"""What the WebSocket sends: events of the private stream, and the newest of the public channels."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, TypeAlias

import attrs

from client.answers import Account, Bet, Limits, Quote, QuotedCell, convert
from domain.grid import Cell
from domain.units import BetId, Bps, Cents, EpochMs, EpochS, Micros


class Channel(StrEnum):
    """What anybody may subscribe to."""

    PRICE = "price"
    GRID = "grid"
    STATUS = "status"


# --- the private stream -------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class BetConfirmed:
    """A bet was placed, by whatever way."""

    seq: int
    bet_id: BetId
    cell_id: str
    reward_bps: Bps
    stake_micros: Micros
    balance_micros: Micros
    placed_at_ms: EpochMs


@attrs.frozen(kw_only=True)
class BetFailed:
    """A bet was refused and is on record: the balance did not cover it."""

    seq: int
    bet_id: BetId
    cell_id: str
    error: str
    message: str


@attrs.frozen(kw_only=True)
class BetResolved:
    """A bet has ended: `won`, `lost` or `void`."""

    seq: int
    bet_id: BetId
    cell_id: str
    status: str
    stake_micros: Micros
    payout_micros: Micros
    balance_micros: Micros
    resolved_at_ms: EpochMs


@attrs.frozen(kw_only=True)
class BalanceChanged:
    """Money came or went by no bet."""

    seq: int
    balance_micros: Micros
    amount_micros: Micros
    """Negative: it went."""
    reference: str
    reason: str
    """`deposit`, `withdrawal`, `withdrawal_rejected` or `adjustment`."""


@attrs.frozen(kw_only=True)
class AccountChanged:
    """Something about the account changed that is no money: limits, a freeze, a payment made."""

    seq: int
    what: str
    """`limits`, `frozen`, `unfrozen` or `withdrawal_paid`."""
    frozen: bool
    limits: Limits
    reference: str
    """The withdrawal's id, where it is about one."""


@attrs.frozen(kw_only=True)
class OtherEvent:
    """An event that a newer venue has and this client does not know."""

    seq: int
    type: str
    fields: Mapping[str, Any]


@attrs.frozen(kw_only=True)
class Snapshot:
    """Where the trader stands: instead of events that were missed and can't be had any more."""

    account: Account
    open_bets: tuple[Bet, ...]
    last_bets: tuple[Bet, ...]
    """The newest results."""

    @property
    def seq(self) -> int:
        """The next event is the one after this."""
        return self.account.seq


@attrs.frozen(kw_only=True)
class SessionExpired:
    """The session has ended, and the private stream with it. There are no more events."""


SeqEvent: TypeAlias = (
    BetConfirmed | BetFailed | BetResolved | BalanceChanged | AccountChanged | OtherEvent
)
"""What has a place in the stream."""
Event: TypeAlias = SeqEvent | Snapshot | SessionExpired

_EVENTS: Final[Mapping[str, type[SeqEvent]]] = {
    "bet:confirmed": BetConfirmed,
    "bet:failed": BetFailed,
    "bet:resolved": BetResolved,
    "balance": BalanceChanged,
    "account": AccountChanged,
}


def event_of(frame: Mapping[str, Any]) -> SeqEvent:
    """The event that a frame with a `seq` is. Raises BadAnswer."""
    kind = _EVENTS.get(frame["type"])
    return convert({**frame, "fields": frame}, OtherEvent) if kind is None else convert(frame, kind)


def snapshot_of(fields: Mapping[str, Any]) -> Snapshot:
    """The snapshot of a `resync_required`. Raises BadAnswer."""
    return Snapshot(
        account=convert(fields, Account),
        open_bets=convert(fields.get("open"), tuple[Bet, ...]),
        last_bets=convert(fields.get("last"), tuple[Bet, ...]),
    )


# --- what holds a conversation together ---------------------------------------------------------


@attrs.frozen(kw_only=True)
class ReplyHead:
    """Which request a reply is to, and whether it succeeded."""

    id: str | int | None
    ok: bool


@attrs.frozen(kw_only=True)
class CaughtUp:
    """The reply to `resume`, or to `auth` with a `seq`."""

    seq: int | None = None
    snapshot: Mapping[str, Any] | None = None


@attrs.frozen(kw_only=True)
class DrainNotice:
    """The venue stops: come back after so long."""

    reconnect_in_ms: int


# --- public channels ----------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class SystemStatus:
    """The heartbeat, once a second, and at once when betting opens or closes."""

    server_time_ms: EpochMs
    level: str
    breaker: str
    """`open`: no bets are taken."""
    feed_age_ms: int | None
    held: bool
    disk_full: bool
    draining: bool

    @property
    def is_betting_open(self) -> bool:
        """Would a bet be taken now, as far as the market and the operators go?"""
        return self.breaker == "closed" and not (self.held or self.disk_full or self.draining)


@attrs.frozen(kw_only=True)
class GridFrame:
    """A quote in its compact form: columns of rates, 0 where a cell is not on offer."""

    n: int
    published_at_ms: EpochMs
    price_cents: Cents
    column_s: int
    row_cents: Cents
    first_column_s: EpochS
    lowest_row_cents: Cents
    rows: int
    rates: tuple[Bps, ...]

    def quote(self) -> Quote:
        """The same as `GET /api/grid` has it, but for the largest stakes."""
        cells = tuple(
            QuotedCell(cell_id=self._cell_id(index), reward_bps=reward_bps)
            for index, reward_bps in enumerate(self.rates)
            if reward_bps
        )
        return Quote(
            n=self.n,
            published_at_ms=self.published_at_ms,
            price_cents=self.price_cents,
            cells=cells,
        )

    def _cell_id(self, index: int) -> str:
        column, row = divmod(index, self.rows)
        lo_cents = self.lowest_row_cents + row * self.row_cents
        return Cell(
            column_start_s=self.first_column_s + column * self.column_s,
            lo_cents=lo_cents,
            hi_cents=lo_cents + self.row_cents,
        ).id
