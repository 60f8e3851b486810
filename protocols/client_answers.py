"""What the venue tells clients, as plain values ready to be encoded: answers and proofs.

The shapes stand in the API's description and never change; fields may be added. Amounts, prices and
rates are integers in the units that their names say.
"""

from collections.abc import Sequence

from domain.evidence import source_of
from domain.placement import Rules
from domain.quotes import Quote
from domain.refusals import Code, Refusal
from domain.resolution import CellResult, Record, judge_cells, void_reason
from domain.ticks import Tick
from domain.units import EpochMs
from domain.verify import bet_faults
from protocols.accounts import Account, Bet, LedgerRow, SettledBet, claim_of
from protocols.client_fields import Json
from protocols.client_queries import bets_cursor
from protocols.market import FeedStatus, SourceState
from protocols.money import BetConfirmed
from protocols.ports import Bar
from protocols.sign_in import NonceIssued, SignedIn

# --- bets -------------------------------------------------------------------------------------


def confirmed_json(bet: BetConfirmed) -> Json:
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


def bet_json(bet: Bet) -> Json:
    """One of a trader's own bets."""
    return {
        "bet_id": bet.bet_id,
        "cell_id": bet.cell_id,
        "status": bet.status.value,
        "stake_micros": bet.stake_micros,
        "reward_bps": bet.reward_bps,
        "payout_micros": bet.payout_micros,
        "placed_at_ms": bet.placed_at_ms,
        "resolved_at_ms": bet.resolved_at_ms,
        "nonce": bet.nonce,
        "quote": bet.quote_n,
        "rule": bet.rule.value,
        "column_start_s": bet.column_start_s,
        "column_s": bet.column_s,
        "lo_cents": bet.lo_cents,
        "hi_cents": bet.hi_cents,
    }


def bets_json(bets: Sequence[Bet], limit: int, archived: Sequence[str] = ()) -> Json:
    """A page of bets; `next_cursor` is null on the last one.

    `archived` are the files of the page's stretch of time that can't be read.
    """
    more = len(bets) == limit
    cursor = bets_cursor(bets[-1].placed_at_ms, bets[-1].bet_id) if more else None
    return {
        "bets": [bet_json(bet) for bet in bets],
        "next_cursor": cursor,
        **archived_json(archived),
    }


def archived_json(files: Sequence[str]) -> Json:
    """What an answer lacks: the weeks, by their Sundays. Nothing where it lacks nothing."""
    return {"archived": _weeks(files)} if files else {}


def archived_refusal(files: Sequence[str], message: str = "") -> Refusal:
    """What was asked for lies in those files, which an operator can bring back."""
    return Refusal(Code.ARCHIVED, message, {"partitions": _weeks(files)})


def _weeks(files: Sequence[str]) -> list[str]:
    return [name.removesuffix(".db") for name in files]


def recompute(settled: SettledBet) -> CellResult:
    """The bet's result from its evidence's ticks alone; the stored outcome is not looked at."""
    bet, evidence = settled.bet, settled.evidence
    void = void_reason(evidence.record) or evidence.void
    cell = (bet.lo_cents, bet.hi_cents)
    (result,) = judge_cells(evidence.rule, evidence.record, [cell], void=void)
    return result


def proof_json(settled: SettledBet) -> Json:
    """All that a result rests on, and the result recomputed from it. Names no user."""
    bet, evidence = settled.bet, settled.evidence
    record, result = evidence.record, recompute(settled)
    prices = [tick.price_cents for tick in record.ticks]
    return {
        "bet_id": bet.bet_id,
        "cell_id": bet.cell_id,
        "rule": evidence.rule.value,
        "source": source_of(record),
        "window_start_ms": record.start_ms,
        "window_end_ms": record.end_ms,
        "lo_cents": bet.lo_cents,
        "hi_cents": bet.hi_cents,
        "outcome": result.outcome.value,
        "status": bet.status.value,
        "void_reason": evidence.void.value if evidence.void is not None else None,
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


def _impairments_json(record: Record) -> list[Json]:
    return [
        {"kind": stretch.kind.value, "from_ms": stretch.from_ms, "until_ms": stretch.until_ms}
        for stretch in record.impairments
    ]


# --- accounts and sign-in -----------------------------------------------------------------------


def account_json(wallet: str, account: Account | None) -> Json:
    """`GET /api/account`. A wallet that has signed in and never had money has an account too."""
    return {
        "wallet": wallet,
        "balance_micros": account.balance_micros if account else 0,
        "open_stake_micros": account.open_stake_micros if account else 0,
        "open_bets": account.open_bets if account else 0,
        "seq": account.seq if account else 0,
        "created_at_ms": account.created_at_ms if account else None,
        "frozen": account.frozen if account else False,
    }


def statement_json(
    rows: Sequence[tuple[int, LedgerRow]], limit: int, archived: Sequence[str] = ()
) -> Json:
    """A page of the statement; `next_cursor` is null on the last one.

    `archived` are the files of the page's stretch of time that can't be read. Where the file before
    is one of them, a row of type CARRY says what there was when the week began.
    """
    return {
        "entries": [
            {
                "id": row.id,
                "amount_micros": row.amount_micros,
                "balance_after_micros": row.balance_after_micros,
                "ref_type": row.ref_type,
                "ref_id": row.ref_id,
                "created_at_ms": row.created_at_ms,
            }
            for _, row in rows
        ],
        "next_cursor": str(rows[-1][0]) if len(rows) == limit else None,
        **archived_json(archived),
    }


def nonce_json(issued: NonceIssued) -> Json:
    """`GET /api/auth/nonce`."""
    return {
        "nonce": issued.nonce,
        "domain": issued.domain,
        "uri": issued.uri,
        "chain_id": issued.chain_id,
        "issued_at_ms": issued.issued_at_ms,
        "expires_at_ms": issued.expires_at_ms,
    }


def signed_in_json(signed_in: SignedIn) -> Json:
    """`POST /api/auth/login`: the only time that the token is shown."""
    return {
        "token": signed_in.token,
        "expires_at_ms": signed_in.expires_at_ms,
        "user": {"wallet": signed_in.wallet, "balance_micros": signed_in.balance_micros},
    }


# --- market -------------------------------------------------------------------------------------


def grid_json(rules: Rules, *, chain_id: int, now_ms: EpochMs) -> Json:
    """`GET /api/grid` without its `quote`, which is `quote_json` of the newest."""
    grid = rules.grid
    return {
        "server_time_ms": now_ms,
        "chain_id": chain_id,
        "column_s": grid.column_s,
        "row_cents": grid.row_cents,
        "lockout_columns": grid.lockout_columns,
        "horizon_columns": grid.horizon_columns,
        "presets_micros": list(rules.presets_micros),
        "rule": rules.rule.value,
    }


def quote_json(quote: Quote) -> Json:
    """One quote with every offered cell."""
    return {
        "n": quote.n,
        "published_at_ms": quote.published_at_ms,
        "price_cents": quote.price_cents,
        "cells": [
            {"cell_id": cell.id, "reward_bps": reward_bps, "max_stake_micros": stake_max_micros}
            for cell, reward_bps, stake_max_micros in quote.offered()
        ],
    }


def tick_json(tick: Tick) -> Json:
    """One accepted tick. Its source is part of its identity, and of the evidence's hash."""
    return {
        "ts_ms": tick.ts_ms,
        "price_cents": tick.price_cents,
        "trade_id": tick.trade_id,
        "source": tick.source,
    }


def _tick_or_null(tick: Tick | None) -> Json | None:
    return None if tick is None else tick_json(tick)


def bar_json(bar: Bar) -> Json:
    """One OHLC bar."""
    return {
        "start_ms": bar.start_ms,
        "open_cents": bar.open_cents,
        "high_cents": bar.high_cents,
        "low_cents": bar.low_cents,
        "close_cents": bar.close_cents,
        "ticks": bar.ticks,
    }


def feed_age_ms(feed: FeedStatus, now_ms: EpochMs) -> int | None:
    """How old the newest tick is, by the older of exchange and receive time."""
    if feed.last_tick_ms is None or feed.last_recv_ms is None:
        return None
    return max(0, now_ms - min(feed.last_tick_ms, feed.last_recv_ms))


def feed_json(feed: FeedStatus, now_ms: EpochMs) -> Json:
    """Feed and breaker, as status, health and heartbeats show them."""
    return {
        "level": feed.level.value,
        "since_ms": feed.since_ms,
        "feed_age_ms": feed_age_ms(feed, now_ms),
        "source": feed.source,
        "breaker": "open" if feed.breaker_open() else "closed",
        "override": feed.override.value,
    }


def source_json(source: SourceState) -> Json:
    """One source of prices, for operators."""
    return {
        "name": source.name,
        "connected": source.connected,
        "active": source.active,
        "reconnects": source.reconnects,
        "last_recv_ms": source.last_recv_ms,
        "last_error": source.last_error,
    }
