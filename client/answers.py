"""What the venue answers, as values. Fields that a newer venue adds are ignored.

Names are those of the API's description. Times are milliseconds since 1970 UTC unless their name
ends in `_s`; amounts are micros (1 USD = 1,000,000), prices cents, rates basis points.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias, TypeVar

import attrs
import msgspec

from client.errors import BadAnswer
from domain.units import BetId, Bps, Cents, EpochMs, EpochS, Micros

T = TypeVar("T")

Json: TypeAlias = Mapping[str, Any]
"""An answer that is for people to read, and has no fixed shape here."""


def decode(body: bytes | str, kind: type[T]) -> T:
    """The answer that a body is. Raises BadAnswer."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BadAnswer(f"not {kind}: {error}") from error


def convert(fields: object, kind: type[T]) -> T:
    """The answer that decoded JSON is. Raises BadAnswer."""
    try:
        return msgspec.convert(fields, type=kind)
    except msgspec.ValidationError as error:
        raise BadAnswer(f"not {kind}: {error}") from error


# --- market -------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class Tick:
    """One accepted trade of the price source."""

    ts_ms: EpochMs
    price_cents: Cents
    trade_id: int
    source: str


@attrs.frozen(kw_only=True)
class Bar:
    """Prices of one interval."""

    start_ms: EpochMs
    open_cents: Cents
    high_cents: Cents
    low_cents: Cents
    close_cents: Cents
    ticks: int


@attrs.frozen(kw_only=True)
class Ticks:
    """A stretch of the price history, tick by tick."""

    ticks: tuple[Tick, ...]


@attrs.frozen(kw_only=True)
class Bars:
    """A stretch of the price history."""

    bars: tuple[Bar, ...]


@attrs.frozen(kw_only=True)
class QuotedCell:
    """One cell on offer."""

    cell_id: str
    reward_bps: Bps
    max_stake_micros: Micros | None = None
    """None where the quote came over the WebSocket, which leaves it out."""

    @property
    def column_start_s(self) -> EpochS:
        """When the cell's window opens."""
        return int(self.cell_id.split("_")[0])


@attrs.frozen(kw_only=True)
class Quote:
    """All rates at one moment. `n` is what version 2 of a bet names."""

    n: int
    published_at_ms: EpochMs
    price_cents: Cents
    cells: tuple[QuotedCell, ...]


@attrs.frozen(kw_only=True)
class Grid:
    """Geometry, stakes, and the newest quote; None while nothing is offered."""

    server_time_ms: EpochMs
    chain_id: int
    column_s: int
    row_cents: Cents
    lockout_columns: int
    horizon_columns: int
    presets_micros: tuple[Micros, ...]
    rule: str
    quote: Quote | None


# --- sign-in ------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class NonceIssued:
    """What a sign-in message must say."""

    nonce: str = attrs.field(repr=False)
    domain: str
    uri: str
    chain_id: int
    issued_at_ms: EpochMs
    expires_at_ms: EpochMs


@attrs.frozen(kw_only=True)
class User:
    """Who signed in."""

    wallet: str
    balance_micros: Micros


@attrs.frozen(kw_only=True)
class GrantedKey:
    """A session key with its caps."""

    key_id: str
    bet_max_micros: Micros
    day_max_micros: Micros
    expires_at_ms: EpochMs
    staked_today_micros: Micros = 0
    """Since 00:00 UTC."""


@attrs.frozen(kw_only=True)
class SignedIn:
    """A session began. The token is shown here and never again."""

    token: str = attrs.field(repr=False)
    session_id: str
    """Names the session, and opens nothing."""
    expires_at_ms: EpochMs
    user: User
    session_key: GrantedKey | None


@attrs.frozen(kw_only=True)
class SessionInfo:
    """One session of a wallet, as its list has it."""

    session_id: str
    created_at_ms: EpochMs
    expires_at_ms: EpochMs
    network: str
    """Where it was signed in from."""
    current: bool
    """Is it the one that asked?"""
    signed_in: bool
    """False: the venue has forgotten its token; its key may still bet."""
    session_key: GrantedKey | None


@attrs.frozen(kw_only=True)
class CurrentSession:
    """Whose session a token is, and its key if that may bet now."""

    session_id: str
    wallet: str
    created_at_ms: EpochMs
    expires_at_ms: EpochMs
    session_key: GrantedKey | None


@attrs.frozen(kw_only=True)
class Sessions:
    """All sessions of a wallet, newest first."""

    sessions: tuple[SessionInfo, ...]


# --- bets and money -----------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class Placed:
    """A bet that the venue holds. It is on disk."""

    bet_id: BetId
    status: str
    """`confirmed`; something else only if it was found later, after its answer was lost."""
    reward_bps: Bps
    stake_micros: Micros
    cell_id: str
    placed_at_ms: EpochMs
    balance_micros: Micros | None = None
    """After it; None if the bet was found later."""


@attrs.frozen(kw_only=True)
class Bet:
    """One of a trader's own bets."""

    bet_id: BetId
    cell_id: str
    status: str
    """`confirmed` (open), `won`, `lost`, `void`, or `insufficient_funds` (refused, on record)."""
    stake_micros: Micros
    reward_bps: Bps
    payout_micros: Micros | None
    """What came back; None while it is open."""
    placed_at_ms: EpochMs
    resolved_at_ms: EpochMs | None
    nonce: str
    quote: int | None
    rule: str
    column_start_s: EpochS
    column_s: int
    lo_cents: Cents
    hi_cents: Cents
    key_id: str | None
    """The session key that signed it; None: the wallet did."""


@attrs.frozen(kw_only=True)
class BetsPage:
    """Bets, newest first. `archived` names weeks that this page lacks."""

    bets: tuple[Bet, ...]
    next_cursor: str | None
    archived: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class LedgerEntry:
    """One line of the statement."""

    id: str
    amount_micros: Micros
    balance_after_micros: Micros
    ref_type: str
    ref_id: str
    created_at_ms: EpochMs


@attrs.frozen(kw_only=True)
class LedgerPage:
    """The statement, newest first. `archived` names weeks that this page lacks."""

    entries: tuple[LedgerEntry, ...]
    next_cursor: str | None
    archived: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class FaucetGift:
    """Paper money."""

    wallet: str
    amount_micros: Micros
    balance_micros: Micros


# --- accounts -----------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class PendingMax:
    """What a maximum becomes at a time to come; None: it goes away."""

    micros: Micros | None
    from_ms: EpochMs


@attrs.frozen(kw_only=True)
class Limits:
    """What a trader has set for himself; None is no limit."""

    stake_max_micros: Micros | None = None
    loss_day_max_micros: Micros | None = None
    paused_until_ms: EpochMs = 0
    next_stake_max: PendingMax | None = None
    next_loss_day_max: PendingMax | None = None


@attrs.frozen(kw_only=True)
class Account:
    """Where a trader stands, as of event `seq` of his private stream."""

    wallet: str
    balance_micros: Micros
    open_stake_micros: Micros
    open_bets: int
    seq: int
    created_at_ms: EpochMs | None
    frozen: bool
    limits: Limits = Limits()


# --- withdrawals, and what operators do ---------------------------------------------------------


@attrs.frozen(kw_only=True)
class Withdrawal:
    """One withdrawal: `pending`, `paid` or `rejected`."""

    id: str
    status: str
    amount_micros: Micros
    destination: str = ""
    """Left out where a repeated request is told of the first; so is the nonce."""
    nonce: str | None = None
    """That of the trader's request."""
    wallet: str | None = None
    """For operators."""
    requested_at_ms: EpochMs | None = None
    decided_at_ms: EpochMs | None = None
    decided_by: str | None = None
    """For operators: who."""
    reference: str | None = None
    """Of the payment, once it is paid."""
    reason: str | None = None
    """Why it was rejected."""


@attrs.frozen(kw_only=True)
class WithdrawalRequested:
    """The money has left the balance and waits for an operator."""

    withdrawal: Withdrawal
    balance_micros: Micros | None = None
    """After it; None if the request was one that the venue had already."""


@attrs.frozen(kw_only=True)
class WithdrawalDecided:
    """An operator has paid it or given it back."""

    withdrawal: Withdrawal


@attrs.frozen(kw_only=True)
class BankrollWithdrawn:
    """The bankroll is smaller. `repeated`: its reference was taken before, and not again."""

    withdrawal: Withdrawal
    balance_micros: Micros
    repeated: bool


@attrs.frozen(kw_only=True)
class WithdrawalsPage:
    """Withdrawals, newest first."""

    withdrawals: tuple[Withdrawal, ...]
    next_cursor: str | None = None


@attrs.frozen(kw_only=True)
class Deposited:
    """The balance after a deposit. `repeated`: its reference was credited before, and not again."""

    wallet: str
    amount_micros: Micros
    reference: str
    balance_micros: Micros
    repeated: bool = False


@attrs.frozen(kw_only=True)
class Adjusted:
    """The balance after an adjustment."""

    wallet: str
    amount_micros: Micros
    reference: str
    balance_micros: Micros
    repeated: bool = False
