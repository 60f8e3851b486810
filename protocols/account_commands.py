"""Commands on one trader's account beside bets and deposits, and what operators may command.

Session keys, limits that a trader sets for himself, withdrawals, adjustments, freezing, and giving
a column back. All go to the Batcher; each outcome is sent after COMMIT. `protocols.money` joins
them with the other commands.
"""

from enum import StrEnum
from typing import TypeAlias

import attrs

from domain.self_limits import LimitsAsked, SelfLimits
from domain.units import BetId, EpochMs, EpochS, Micros

# --- session keys -----------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class KeyGrant:
    """A session key that a wallet has authorised, with its caps."""

    key_id: str
    """The first 32 hexadecimal digits of the SHA-256 of `public_key`."""
    public_key: bytes
    """An uncompressed point of P-256: 65 bytes."""
    session_id: str
    bet_max_micros: Micros
    day_max_micros: Micros
    """The most that it may stake in one UTC day, whether or not stakes come back."""
    expires_at_ms: EpochMs


@attrs.frozen(kw_only=True)
class RevokeKeys:
    """From now on the keys of this session sign nothing. Answered with KeysRevoked."""

    wallet: str
    session_id: str


@attrs.frozen(kw_only=True)
class KeysRevoked:
    """They are revoked, now or since before (`count` is what was revoked now)."""

    count: int


# --- limits of one's own ----------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class SetLimits:
    """Change the limits that a trader has set for himself. Answered with AccountChanged, or a
    Refusal (`not_found`)."""

    wallet: str
    asked: LimitsAsked


# --- withdrawals ------------------------------------------------------------------------------


class WithdrawalStatus(StrEnum):
    """Where a withdrawal stands. While it is pending the money is no longer the trader's to bet."""

    PENDING = "pending"
    PAID = "paid"
    REJECTED = "rejected"


@attrs.frozen(kw_only=True)
class Withdrawal:
    """One withdrawal as the ledger has it."""

    id: str
    """A ULID."""
    user_id: int
    wallet: str
    """Or `house`."""
    nonce: str
    amount_micros: Micros
    destination: str
    """A lower-case 0x address; the bankroll's are free text."""
    status: WithdrawalStatus
    requested_at_ms: EpochMs
    decided_at_ms: EpochMs | None = None
    decided_by: str | None = None
    reference: str | None = None
    """Of the payment outside, e.g. a transaction hash."""
    reason: str | None = None


@attrs.frozen(kw_only=True)
class RequestWithdrawal:
    """A trader, whose wallet has signed it, wants money out. It leaves his balance at once.

    Answered with WithdrawalRequested or a Refusal: `replay_detected` with the first one under
    `withdrawal`, `insufficient_funds` (also an unknown wallet), `frozen`.
    """

    wallet: str
    nonce: str
    amount_micros: Micros
    destination: str
    signed_at_s: EpochS
    signature: str = attrs.field(repr=False)
    """`0x` and 130 hexadecimal digits."""


@attrs.frozen(kw_only=True)
class DecideWithdrawal:
    """An operator has paid it (`paid`, with a reference) or gives it back.

    Answered with WithdrawalDecided or a Refusal: `not_found`, `reference_conflict` when it was
    decided otherwise. Deciding the same again changes nothing.
    """

    withdrawal_id: str
    paid: bool
    reference: str
    reason: str
    by: str


@attrs.frozen(kw_only=True)
class WithdrawBankroll:
    """An operator takes money out of the bankroll, once per reference.

    Answered with BankrollWithdrawn or a Refusal: `exposure_limit` if what is left could not pay
    every open bet, `reference_conflict`.
    """

    amount_micros: Micros
    destination: str
    reference: str
    reason: str
    by: str


# --- adjustments, freezing, void columns ------------------------------------------------------


@attrs.frozen(kw_only=True)
class Adjust:
    """Make a wrong result good: move money between a trader and the house, once per reference.

    Answered with Adjusted or a Refusal: `not_found`, `reference_conflict`, `insufficient_funds`
    (the trader has less), `exposure_limit` (the house could no longer pay every open bet).
    """

    wallet: str
    amount_micros: int
    """To the trader; negative: from him. Never 0."""
    reference: str
    bet_id: BetId | None
    reason: str
    by: str


@attrs.frozen(kw_only=True)
class SetFrozen:
    """A frozen account places no bet and withdraws nothing; open bets go on.

    Answered with AccountChanged or a Refusal (`not_found`).
    """

    wallet: str
    frozen: bool
    reason: str
    by: str


@attrs.frozen(kw_only=True)
class VoidColumn:
    """Give a column back before its verdict: no bets on it any more, and its bets are refunded.

    Answered with ColumnVoidOrdered, or with a Refusal: `reference_conflict` once it has a verdict.
    """

    start_s: EpochS
    reason: str
    by: str


AccountCommand: TypeAlias = (
    RevokeKeys
    | SetLimits
    | RequestWithdrawal
    | DecideWithdrawal
    | WithdrawBankroll
    | Adjust
    | SetFrozen
    | VoidColumn
)

# --- events and outcomes ----------------------------------------------------------------------


class BalanceReason(StrEnum):
    """Why a balance changed, besides by bets and deposits."""

    WITHDRAWAL = "withdrawal"
    WITHDRAWAL_REJECTED = "withdrawal_rejected"
    ADJUSTMENT = "adjustment"


@attrs.frozen(kw_only=True)
class BalanceChanged:
    """An event: a trader's balance changed, by no bet and no deposit."""

    user_id: int
    wallet: str
    seq: int
    balance_micros: Micros
    amount_micros: int
    """What was added; negative: taken."""
    reason: BalanceReason
    reference: str
    """The withdrawal's id, or the adjustment's reference."""


class AccountChange(StrEnum):
    """What changed about an account."""

    LIMITS = "limits"
    FROZEN = "frozen"
    UNFROZEN = "unfrozen"
    WITHDRAWAL_PAID = "withdrawal_paid"


@attrs.frozen(kw_only=True)
class AccountChanged:
    """An event: something about the account changed that is no money."""

    user_id: int
    wallet: str
    seq: int
    what: AccountChange
    frozen: bool
    limits: SelfLimits
    reference: str = ""
    """The withdrawal's id, where it is about one."""


@attrs.frozen(kw_only=True)
class WithdrawalRequested:
    """The money has left the balance and waits for an operator."""

    withdrawal: Withdrawal
    event: BalanceChanged


@attrs.frozen(kw_only=True)
class WithdrawalDecided:
    """It is paid or given back, now or since an earlier command (then without an event)."""

    withdrawal: Withdrawal
    event: BalanceChanged | AccountChanged | None


@attrs.frozen(kw_only=True)
class BankrollWithdrawn:
    """The bankroll is smaller by this, now or since an earlier command (`repeated`)."""

    withdrawal: Withdrawal
    balance_micros: Micros
    repeated: bool


@attrs.frozen(kw_only=True)
class Adjusted:
    """The adjustment is on disk, now or since an earlier command (then without an event)."""

    user_id: int
    wallet: str
    amount_micros: int
    reference: str
    balance_micros: Micros
    event: BalanceChanged | None


@attrs.frozen(kw_only=True)
class ColumnVoidOrdered:
    """The order is on disk. `repeated`: it was there before."""

    start_s: EpochS
    repeated: bool


AccountOutcome: TypeAlias = (
    KeysRevoked
    | AccountChanged
    | WithdrawalRequested
    | WithdrawalDecided
    | BankrollWithdrawn
    | Adjusted
    | ColumnVoidOrdered
)
