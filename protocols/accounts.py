"""What readers of the ledger get: accounts, bets, statement rows, verdicts, integrity."""

import attrs

from domain.evidence import Evidence
from domain.resolution import Outcome, Rule
from domain.self_limits import SelfLimits
from domain.units import BetId, Bps, Cents, EpochMs, EpochS, Micros
from domain.verify import Claim
from protocols.market import Override
from protocols.money import BetStatus, ColumnKey


@attrs.frozen(kw_only=True)
class Account:
    """A trader's account as the ledger has it."""

    user_id: int
    wallet: str
    balance_micros: Micros
    open_stake_micros: Micros
    open_bets: int
    seq: int
    created_at_ms: EpochMs
    frozen: bool = False
    limits: SelfLimits = attrs.field(factory=SelfLimits)
    """What the trader has set for himself."""


@attrs.frozen(kw_only=True)
class SessionKey:
    """A session key as the ledger has it. All but the last three never changes."""

    key_id: str
    wallet: str
    session_id: str
    public_key: bytes
    """An uncompressed point of P-256: 65 bytes."""
    bet_max_micros: Micros
    day_max_micros: Micros
    created_at_ms: EpochMs
    expires_at_ms: EpochMs
    revoked_at_ms: EpochMs | None = None
    day: int = 0
    """The UTC day of its last bet, counted from the epoch."""
    day_stake_micros: Micros = 0
    """What it staked on that day."""


@attrs.frozen(kw_only=True)
class Bet:
    """One bet row."""

    bet_id: BetId
    user_id: int
    wallet: str
    nonce: str
    cell_id: str
    column_start_s: EpochS
    column_s: int
    lo_cents: Cents
    hi_cents: Cents
    rule: Rule
    stake_micros: Micros
    reward_bps: Bps
    quote_n: int
    status: BetStatus
    payout_micros: Micros | None
    placed_at_ms: EpochMs
    resolved_at_ms: EpochMs | None
    key_id: str | None = None
    """The session key that signed it; None: the wallet did."""


@attrs.frozen(kw_only=True)
class WalletBalance:
    """A trader's balance, and the version it belongs to."""

    user_id: int
    wallet: str
    seq: int
    balance_micros: Micros


@attrs.frozen(kw_only=True)
class LedgerRow:
    """One line of a statement."""

    id: str
    amount_micros: Micros
    balance_after_micros: Micros
    ref_type: str
    ref_id: str
    created_at_ms: EpochMs
    metadata: str
    """JSON text."""


@attrs.frozen(kw_only=True)
class OperatorState:
    """What operators have set and the ledger keeps: the hold, and the breaker's override."""

    held: bool = False
    held_by: str = ""
    held_why: str = ""
    override: Override = Override.AUTO
    override_by: str = ""
    override_why: str = ""


@attrs.frozen(kw_only=True)
class OpenColumn:
    """A column with open bets, and the ranges they are on."""

    key: ColumnKey
    ranges: tuple[tuple[Cents, Cents], ...]
    void_ordered: bool = False
    """Has an operator ordered it to be given back?"""


@attrs.frozen(kw_only=True)
class SettledBet:
    """A bet that ended by a verdict, with the evidence: what proof and `verify` work on."""

    bet: Bet
    evidence: Evidence


def claim_of(bet: Bet) -> Claim:
    """What a bet that has ended says of itself, to be held against its evidence.

    Raises ValueError for one that has not.
    """
    return Claim(
        column_start_s=bet.column_start_s,
        column_s=bet.column_s,
        lo_cents=bet.lo_cents,
        hi_cents=bet.hi_cents,
        rule=bet.rule,
        stake_micros=bet.stake_micros,
        reward_bps=bet.reward_bps,
        outcome=Outcome(bet.status),
        paid_micros=bet.payout_micros,
    )


@attrs.frozen(kw_only=True)
class Drift:
    """One way in which the money does not add up."""

    what: str
    """`balance`, `chain`, `zero_sum`, `exposure`, `negative`, `verdict`, `booking`, `carry`,
    `cover`, `key` or `limit`."""
    where: str
    """The account, transaction or scope concerned."""
    expected: int
    found: int

    @property
    def text(self) -> str:
        """In one line, for people."""
        return f"{self.what}: {self.where}: expected {self.expected}, found {self.found}"


@attrs.frozen(kw_only=True)
class IntegrityReport:
    """What an integrity check saw."""

    accounts: int
    ledger_rows: int
    bets: int
    drifts: tuple[Drift, ...]

    @property
    def clean(self) -> bool:
        """Zero drift?"""
        return not self.drifts


@attrs.frozen(kw_only=True)
class Audit:
    """What a partial check saw: the rows since the last verified one, up to `rowid`."""

    rowid: int
    drifts: tuple[Drift, ...]


@attrs.frozen(kw_only=True)
class HousePosition:
    """The bankroll against what all open bets would cost if each were won."""

    balance_micros: Micros
    open_payout_micros: Micros
    open_bets: int
