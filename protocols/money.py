"""Messages of money: commands to the Batcher (the only writer), their outcomes, users' events.

Each command's outcome is sent after COMMIT, never before. A refusal is an outcome too.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeAlias

import attrs

from domain.evidence import Evidence
from domain.grid import Cell
from domain.refusals import Refusal
from domain.resolution import CellResult, Rule
from domain.units import BetId, Bps, Cents, EpochMs, EpochS, Micros
from protocols.account_commands import (
    AccountChanged,
    AccountCommand,
    AccountOutcome,
    BalanceChanged,
    KeyGrant,
)
from protocols.market import Override


class BetStatus(StrEnum):
    """Where a bet stands. `confirmed` is open; the others are ends.

    The ledger has one more, `carried`: the bet goes on in the next week's file. Readers never show
    it; they take that file's row.
    """

    CONFIRMED = "confirmed"
    WON = "won"
    LOST = "lost"
    VOID = "void"
    INSUFFICIENT_FUNDS = "insufficient_funds"


# --- commands -------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class PlaceBet:
    """A tap whose signature and nonce hold. Answered with BetConfirmed or BetRefused."""

    bet_id: BetId
    """Made by the Gateway; a retry of the request finds it by its nonce."""
    wallet: str
    """Lower-case 0x address."""
    nonce: str
    cell: Cell
    stake_micros: Micros
    named_quote_n: int | None = None
    least_bps: Bps | None = None
    key_id: str | None = None
    """The session key that signed it; None: the wallet did."""


@attrs.frozen(kw_only=True)
class OpenAccount:
    """Make the account of a wallet if there is none, and authorise a session key of it.

    Answered with AccountOpened, or with a Refusal (`bad_request`, field `resources`) if the key was
    ever authorised by another command; then nothing was written.
    """

    wallet: str
    key: KeyGrant | None = None


@attrs.frozen(kw_only=True)
class Deposit:
    """Credit a wallet, once per reference; makes its account if there is none.

    `wallet` may be `house`: that is the bankroll. Answered with Deposited or a Refusal.
    """

    wallet: str
    amount_micros: Micros
    reference: str
    by: str
    balance_max_micros: Micros | None = None
    """Credit no more than brings the balance to this; Refusal `limit_reached` if it is there."""


@attrs.frozen(kw_only=True)
class ColumnKey:
    """What a verdict is about: a window, and the rule its bets were accepted under."""

    start_s: EpochS
    column_s: int
    rule: Rule


@attrs.frozen(kw_only=True)
class SettleColumn:
    """Write a verdict and pay it. Answered with ColumnSettled."""

    key: ColumnKey
    evidence: Evidence
    results: Mapping[tuple[Cents, Cents], CellResult]
    """One result for each `(lo, hi)` on which the column has open bets."""


@attrs.frozen(kw_only=True)
class SetHold:
    """Hold or release betting, durably. Answered with HoldSet."""

    held: bool
    by: str
    why: str


@attrs.frozen(kw_only=True)
class KeepOverride:
    """Store the breaker's override durably. Answered with OverrideKept."""

    override: Override
    by: str
    why: str


@attrs.frozen(kw_only=True)
class ReserveQuoteNumbers:
    """Take `count` quote numbers that no life of the venue uses again. Answered with
    QuoteNumbersReserved."""

    count: int


@attrs.frozen(kw_only=True)
class Rotate:
    """Begin the new week's file if a new week has begun. Answered with Rotated.

    Any command does that; this one is for a week that begins quietly.
    """


@attrs.frozen(kw_only=True)
class MarkVerified:
    """Ledger rows up to this one were found to add up: the next start need not look at them.

    Answered with MarkedVerified.
    """

    rowid: int


@attrs.frozen(kw_only=True)
class ReportDrift:
    """In so many ways the money does not add up, as a check found it; 0: it does again.

    As long as it does not, no new week is begun: what is carried over is taken for right, and the
    rows that say otherwise would stay behind. Answered with DriftReported.
    """

    drifts: int
    first: str = ""


@attrs.frozen(kw_only=True)
class RebuildBalance:
    """Set a balance to the sum of its ledger rows, on an operator's word, and note it there; and
    what its session keys staked and it lost on their newest day to the sums of those.

    `wallet` may be `house` or `external`. Answered with BalanceRebuilt; or with a Refusal:
    `not_found`, or `bad_request` where the sum is no balance that the account can have.
    """

    wallet: str
    by: str
    why: str


MoneyCommand: TypeAlias = (
    PlaceBet
    | OpenAccount
    | Deposit
    | SettleColumn
    | SetHold
    | KeepOverride
    | ReserveQuoteNumbers
    | Rotate
    | MarkVerified
    | ReportDrift
    | RebuildBalance
    | AccountCommand
)


# --- what the Batcher hands to the ledger: judged bets ----------------------------------------


@attrs.frozen(kw_only=True)
class BetOrder:
    """A PlaceBet after judgement: with its rate, or with the refusal the rules gave.

    A refused one still goes to the ledger, because a nonce that was used before is answered as
    `replay_detected` with the first bet, whatever has become of its cell since.
    """

    bet: PlaceBet
    column_s: int
    rule: Rule
    reward_bps: Bps = 0
    quote_n: int = 0
    refusal: Refusal | None = None


LedgerCommand: TypeAlias = (
    BetOrder
    | OpenAccount
    | Deposit
    | SettleColumn
    | SetHold
    | KeepOverride
    | ReserveQuoteNumbers
    | Rotate
    | MarkVerified
    | ReportDrift
    | RebuildBalance
    | AccountCommand
)


# --- outcomes ---------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class BetConfirmed:
    """The stake is taken and the bet is on disk."""

    bet_id: BetId
    user_id: int
    wallet: str
    seq: int
    """The user's version after this event; gapless per user."""
    cell_id: str
    stake_micros: Micros
    reward_bps: Bps
    balance_micros: Micros
    placed_at_ms: EpochMs


@attrs.frozen(kw_only=True)
class BetRefused:
    """The bet was not placed. `seq` is set only if the refusal wrote something."""

    bet_id: BetId
    wallet: str
    cell_id: str
    refusal: Refusal
    user_id: int | None = None
    seq: int | None = None


BetOutcome: TypeAlias = BetConfirmed | BetRefused


@attrs.frozen(kw_only=True)
class AccountOpened:
    """The account exists now, or did before (`created` False)."""

    user_id: int
    wallet: str
    balance_micros: Micros
    created: bool


@attrs.frozen(kw_only=True)
class Deposited:
    """The deposit is on disk, now or since an earlier command (`repeated`)."""

    user_id: int
    wallet: str
    seq: int
    balance_micros: Micros
    amount_micros: Micros
    reference: str
    repeated: bool


@attrs.frozen(kw_only=True)
class BetResolved:
    """One bet reached its end."""

    bet_id: BetId
    user_id: int
    wallet: str
    seq: int
    cell_id: str
    status: BetStatus
    """WON, LOST or VOID."""
    stake_micros: Micros
    payout_micros: Micros
    """What was credited: the payout, the stake of a void bet, or 0."""
    balance_micros: Micros
    resolved_at_ms: EpochMs


@attrs.frozen(kw_only=True)
class ColumnSettled:
    """The verdict is on disk and paid. Empty `resolved`: there was nothing open any more."""

    key: ColumnKey
    resolved: tuple[BetResolved, ...]


@attrs.frozen(kw_only=True)
class ColumnIncomplete:
    """Nothing was written: the column has open bets on cells that the verdict does not name, or an
    operator has ordered it to be given back and the verdict does not say so."""

    key: ColumnKey


@attrs.frozen(kw_only=True)
class HoldSet:
    """The hold is as commanded, durably."""

    held: bool


@attrs.frozen(kw_only=True)
class OverrideKept:
    """The override is stored."""

    override: Override


@attrs.frozen(kw_only=True)
class QuoteNumbersReserved:
    """The numbers from `first` on are the asker's."""

    first: int
    count: int


@attrs.frozen(kw_only=True)
class Rotated:
    """Where the money is kept now."""

    partition: str
    """The name of the current file, e.g. `2026-11-15.db`; empty for a ledger in memory."""


@attrs.frozen(kw_only=True)
class MarkedVerified:
    """The mark is kept."""

    rowid: int


@attrs.frozen(kw_only=True)
class DriftReported:
    """The ledger has heard."""


@attrs.frozen(kw_only=True)
class BalanceRebuilt:
    """The balance is the sum of its ledger rows, and the rebuild is noted among them."""

    wallet: str
    before_micros: Micros
    after_micros: Micros
    rowid: int | None
    """Of the note. None: balance and rows agreed, and nothing was written."""


@attrs.frozen(kw_only=True)
class CommandFailed:
    """The ledger could not carry this one command out; nothing of it was written. A defect."""

    why: str


MoneyOutcome: TypeAlias = (
    BetConfirmed
    | BetRefused
    | AccountOpened
    | Deposited
    | ColumnSettled
    | ColumnIncomplete
    | HoldSet
    | OverrideKept
    | QuoteNumbersReserved
    | Rotated
    | MarkedVerified
    | DriftReported
    | BalanceRebuilt
    | AccountOutcome
    | Refusal
    | CommandFailed
)

UserEvent: TypeAlias = (
    BetConfirmed | BetRefused | BetResolved | Deposited | BalanceChanged | AccountChanged
)
"""What the private stream carries; those with a `seq`. Published after COMMIT, in order."""


@attrs.frozen(kw_only=True)
class EventsLost:
    """A life of the Batcher ended with commands in hand: some may be on disk whose events nobody
    was told; or a balance was rebuilt. Whoever follows a private stream takes a snapshot."""


StreamEntry: TypeAlias = UserEvent | EventsLost
"""What the Batcher publishes for the traders' streams."""


@attrs.frozen(kw_only=True)
class WriterStatus:
    """How the one writer is doing (a Watch of the Batcher)."""

    batches: int = 0
    commands: int = 0
    last_batch: int = 0
    """Commands in the last batch."""
    last_commit_ms: float = 0.0
    """How long the last transaction took, its sync included."""
    expired: int = 0
    """Commands dropped unwritten because nobody waited for them any more."""
    high_ms: EpochMs = 0
    """The highest time by which a bet was judged."""
    synchronous: int = 0
    """How the running write connection syncs; 2 is FULL."""
    partition: str = ""
    """The file of the week that is written now."""
    rotations: int = 0
    """New weeks begun since the venue started."""
    last_rotation_ms: float = 0.0
    """How long the last one held up the commands behind it."""
    rotation_failure: str = ""
    """Why a week that is over still has the current file; empty when there is no such week."""


@attrs.frozen(kw_only=True)
class ResolverStatus:
    """How settlement is doing (a Watch of the Resolver)."""

    columns_settled: int = 0
    bets_won: int = 0
    bets_lost: int = 0
    bets_void: int = 0
    open_columns: int = 0
    oldest_open_end_ms: EpochMs | None = None
    """End of the oldest window that has ended and is not settled yet."""
