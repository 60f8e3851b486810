"""What the venue tells traders of their bets and accounts, as plain values ready to be encoded.

The shapes stand in the API's description and never change; fields may be added. Amounts, prices and
rates are integers in the units that their names say.
"""

from collections.abc import Sequence
from typing import Annotated, Final, Literal, NotRequired, TypeAlias, TypedDict

from msgspec import Meta

from domain.evidence import source_of
from domain.refusals import Code, Refusal
from domain.resolution import (
    CellResult,
    ImpairmentKind,
    Outcome,
    Record,
    Rule,
    VoidReason,
    judge_cells,
    void_reason,
)
from domain.self_limits import SelfLimits
from domain.ticks import Tick
from domain.verify import bet_faults
from protocols.accounts import Account, Bet, LedgerRow, SettledBet, claim_of
from protocols.answer_fields import (
    AmountMicros,
    AtMs,
    AtS,
    BetIdText,
    CellIdText,
    Count,
    KeyIdText,
    NonceText,
    PriceCents,
    RateBps,
    Seq,
    SignedMicros,
    WalletText,
    WeekText,
)
from protocols.client_limits import LimitsJson, limits_json
from protocols.client_market import TickJson, tick_json
from protocols.client_queries import bets_cursor
from protocols.money import BetConfirmed, BetStatus

# --- bets -------------------------------------------------------------------------------------


class ConfirmedJson(TypedDict):
    """A bet that is in the ledger, its stake taken."""

    bet_id: BetIdText
    status: Literal["confirmed"]
    cell_id: CellIdText
    reward_bps: Annotated[
        int, Meta(description="The rate it was taken at, basis points: at least what was signed.")
    ]
    stake_micros: AmountMicros
    balance_micros: Annotated[int, Meta(description="What is left, micros of a USD.")]
    placed_at_ms: AtMs
    seq: Seq


class BetJson(TypedDict):
    """One of a trader's own bets."""

    bet_id: BetIdText
    cell_id: CellIdText
    status: BetStatus
    stake_micros: AmountMicros
    reward_bps: RateBps
    payout_micros: Annotated[
        int | None, Meta(description="What came back, micros of a USD; null while it is open.")
    ]
    placed_at_ms: AtMs
    resolved_at_ms: Annotated[
        int | None, Meta(description="Ms since 1970, UTC; null while it is open.")
    ]
    nonce: NonceText
    key_id: Annotated[
        KeyIdText | None, Meta(description="The session key that signed it; null: the wallet did.")
    ]
    quote: Annotated[int | None, Meta(description="The number of the quote it was taken at.")]
    rule: Rule
    column_start_s: AtS
    column_s: Annotated[int, Meta(description="How many seconds wide the column is.")]
    lo_cents: PriceCents
    hi_cents: PriceCents


class LookedUpBetJson(BetJson):
    """A bet whose answer did not come in time, found in the ledger."""

    balance_micros: Annotated[int, Meta(description="The balance now, micros of a USD.")]


PlacedJson: TypeAlias = ConfirmedJson | LookedUpBetJson


class BetsJson(TypedDict):
    """A page of a trader's bets, newest first."""

    bets: list[BetJson]
    next_cursor: Annotated[
        str | None, Meta(description="`cursor` of the next page; null on the last one.")
    ]
    archived: NotRequired[
        Annotated[list[WeekText], Meta(description="The weeks that this page lacks.")]
    ]


def confirmed_json(bet: BetConfirmed) -> ConfirmedJson:
    """The 202 of `POST /api/bets`."""
    return {
        "bet_id": bet.bet_id,
        "status": "confirmed",
        "cell_id": bet.cell_id,
        "reward_bps": bet.reward_bps,
        "stake_micros": bet.stake_micros,
        "balance_micros": bet.balance_micros,
        "placed_at_ms": bet.placed_at_ms,
        "seq": bet.seq,
    }


def bet_json(bet: Bet) -> BetJson:
    """One of a trader's own bets."""
    return {
        "bet_id": bet.bet_id,
        "cell_id": bet.cell_id,
        "status": bet.status,
        "stake_micros": bet.stake_micros,
        "reward_bps": bet.reward_bps,
        "payout_micros": bet.payout_micros,
        "placed_at_ms": bet.placed_at_ms,
        "resolved_at_ms": bet.resolved_at_ms,
        "nonce": bet.nonce,
        "key_id": bet.key_id,
        "quote": bet.quote_n,
        "rule": bet.rule,
        "column_start_s": bet.column_start_s,
        "column_s": bet.column_s,
        "lo_cents": bet.lo_cents,
        "hi_cents": bet.hi_cents,
    }


def bets_json(bets: Sequence[Bet], limit: int, archived: Sequence[str] = ()) -> BetsJson:
    """A page of bets; `next_cursor` is null on the last one.

    `archived` are the files of the page's stretch of time that can't be read.
    """
    more = len(bets) == limit
    cursor = bets_cursor(bets[-1].placed_at_ms, bets[-1].bet_id) if more else None
    page: BetsJson = {"bets": [bet_json(bet) for bet in bets], "next_cursor": cursor}
    if archived:
        page["archived"] = weeks_json(archived)
    return page


def archived_refusal(files: Sequence[str], message: str = "") -> Refusal:
    """What was asked for lies in those files, which an operator can bring back."""
    return Refusal(Code.ARCHIVED, message, {"partitions": weeks_json(files)})


def weeks_json(files: Sequence[str]) -> list[str]:
    """Files of the ledger by the Sundays of their weeks."""
    return [name.removesuffix(".db") for name in files]


# --- proofs -------------------------------------------------------------------------------------


class ImpairmentJson(TypedDict):
    """A stretch of time that could not be judged."""

    kind: ImpairmentKind
    from_ms: AtMs
    until_ms: Annotated[
        int | None, Meta(description="Ms since 1970, UTC, not included; null while it lasted.")
    ]


class ProofJson(TypedDict):
    """All that a bet's result rests on, and the result recomputed from it. Names no trader."""

    bet_id: BetIdText
    cell_id: CellIdText
    rule: Rule
    source: Annotated[str | None, Meta(description="Which exchange; null without a tick.")]
    window_start_ms: AtMs
    window_end_ms: Annotated[int, Meta(description="Ms since 1970, UTC; not included.")]
    lo_cents: Annotated[int, Meta(description="The cell's lower bound in cents, included.")]
    hi_cents: Annotated[int, Meta(description="The cell's upper bound in cents, included.")]
    outcome: Annotated[Outcome, Meta(description="Recomputed from the ticks below.")]
    status: Annotated[BetStatus, Meta(description="What the ledger has.")]
    void_reason: Annotated[
        VoidReason | None, Meta(description="Why the stake was given back; null if it was not.")
    ]
    faults: Annotated[
        list[str], Meta(description="Where ledger and evidence differ; empty is as it must be.")
    ]
    deciding_tick: Annotated[TickJson | None, Meta(description="The one that decided, if any.")]
    carry_in: Annotated[
        TickJson | None,
        Meta(description="The last tick before the window, whose price was in force."),
    ]
    after: Annotated[TickJson | None, Meta(description="The first tick after the window.")]
    tick_count: Count
    low_cents: Annotated[int | None, Meta(description="The lowest price in the window, cents.")]
    high_cents: Annotated[int | None, Meta(description="The highest price in the window, cents.")]
    ticks_sha256: Annotated[
        str,
        Meta(
            description="SHA-256 over lines `{source},{ts_ms},{price_cents},{trade_id}`, the "
            "carry-in first, each ended by a line feed, in order.",
            pattern="^[0-9a-f]{64}$",
            examples=["0f" * 32],
        ),
    ]
    watermark_ms: Annotated[
        int, Meta(description="The record was whole up to here: ms since 1970, UTC.")
    ]
    read_at_ms: Annotated[int, Meta(description="When it was read: ms since 1970, UTC.")]
    health_intervals: list[ImpairmentJson]
    ticks: Annotated[list[TickJson], Meta(description="Those in the window, in order.")]


def recompute(settled: SettledBet) -> CellResult:
    """The bet's result from its evidence's ticks alone; the stored outcome is not looked at."""
    bet, evidence = settled.bet, settled.evidence
    void = void_reason(evidence.record) or evidence.void
    cell = (bet.lo_cents, bet.hi_cents)
    (result,) = judge_cells(evidence.rule, evidence.record, [cell], void=void)
    return result


def proof_json(settled: SettledBet) -> ProofJson:
    """All that a result rests on, and the result recomputed from it. Names no user."""
    bet, evidence = settled.bet, settled.evidence
    record, result = evidence.record, recompute(settled)
    prices = [tick.price_cents for tick in record.ticks]
    return {
        "bet_id": bet.bet_id,
        "cell_id": bet.cell_id,
        "rule": evidence.rule,
        "source": source_of(record),
        "window_start_ms": record.start_ms,
        "window_end_ms": record.end_ms,
        "lo_cents": bet.lo_cents,
        "hi_cents": bet.hi_cents,
        "outcome": result.outcome,
        "status": bet.status,
        "void_reason": evidence.void,
        "faults": list(bet_faults(claim_of(bet), evidence)),
        "deciding_tick": _tick_or_null(result.deciding_tick),
        "carry_in": _tick_or_null(record.carry_in),
        "after": _tick_or_null(record.after),
        "tick_count": len(record.ticks),
        "low_cents": min(prices, default=None),
        "high_cents": max(prices, default=None),
        "ticks_sha256": evidence.ticks_sha256,
        "watermark_ms": record.watermark_ms,
        "read_at_ms": record.read_at_ms,
        "health_intervals": _impairments_json(record),
        "ticks": [tick_json(tick) for tick in record.ticks],
    }


def _tick_or_null(tick: Tick | None) -> TickJson | None:
    return None if tick is None else tick_json(tick)


def _impairments_json(record: Record) -> list[ImpairmentJson]:
    return [
        {"kind": stretch.kind, "from_ms": stretch.from_ms, "until_ms": stretch.until_ms}
        for stretch in record.impairments
    ]


# --- accounts -----------------------------------------------------------------------------------


class AccountJson(TypedDict):
    """Where a trader stands."""

    wallet: WalletText
    balance_micros: Annotated[int, Meta(description="What can be staked, micros of a USD.", ge=0)]
    open_stake_micros: Annotated[
        int, Meta(description="Staked on open bets, micros of a USD.", ge=0)
    ]
    open_bets: Count
    seq: Seq
    created_at_ms: Annotated[
        int | None, Meta(description="Ms since 1970, UTC; null before the first money.")
    ]
    frozen: Annotated[bool, Meta(description="May he neither bet nor withdraw?")]
    limits: LimitsJson


REF_TYPES: Final = ("BET", "PAYOUT", "REFUND", "DEPOSIT", "WITHDRAWAL", "ADJUSTMENT", "CARRY")


class EntryJson(TypedDict):
    """One line of a statement."""

    id: Annotated[str, Meta(description="Of the line, a ULID.")]
    amount_micros: SignedMicros
    balance_after_micros: Annotated[
        int, Meta(description="Micros of a USD; of `external` it is less than zero.")
    ]
    ref_type: Annotated[
        str,
        Meta(
            description="What the money was for; CARRY: what there was when the week began.",
            extra_json_schema={"enum": list(REF_TYPES)},
        ),
    ]
    ref_id: Annotated[str, Meta(description="Of the bet, deposit or withdrawal.")]
    created_at_ms: AtMs


class StatementJson(TypedDict):
    """A page of the statement, newest first."""

    entries: list[EntryJson]
    next_cursor: Annotated[
        str | None, Meta(description="`cursor` of the next page; null on the last one.")
    ]
    archived: NotRequired[
        Annotated[list[WeekText], Meta(description="The weeks that this page lacks.")]
    ]


class CreditedJson(TypedDict):
    """Paper money that was credited."""

    wallet: WalletText
    amount_micros: AmountMicros
    balance_micros: AmountMicros


def account_json(wallet: str, account: Account | None) -> AccountJson:
    """`GET /api/account`. A wallet that has signed in and never had money has an account too."""
    return {
        "wallet": wallet,
        "balance_micros": account.balance_micros if account else 0,
        "open_stake_micros": account.open_stake_micros if account else 0,
        "open_bets": account.open_bets if account else 0,
        "seq": account.seq if account else 0,
        "created_at_ms": account.created_at_ms if account else None,
        "frozen": account.frozen if account else False,
        "limits": limits_json(account.limits if account else SelfLimits()),
    }


def statement_json(
    rows: Sequence[tuple[int, LedgerRow]], limit: int, archived: Sequence[str] = ()
) -> StatementJson:
    """A page of the statement; `next_cursor` is null on the last one.

    `archived` are the files of the page's stretch of time that can't be read. Where the file before
    is one of them, a row of type CARRY says what there was when the week began.
    """
    page: StatementJson = {
        "entries": [entry_json(row) for _, row in rows],
        "next_cursor": str(rows[-1][0]) if len(rows) == limit else None,
    }
    if archived:
        page["archived"] = weeks_json(archived)
    return page


def entry_json(row: LedgerRow) -> EntryJson:
    return {
        "id": row.id,
        "amount_micros": row.amount_micros,
        "balance_after_micros": row.balance_after_micros,
        "ref_type": row.ref_type,
        "ref_id": row.ref_id,
        "created_at_ms": row.created_at_ms,
    }
