"""Bets into the ledger, a batch at a time: orders to JSON, decisions to outcomes.

What happens in between, and in which order a bet is refused, stands in `intake.sql`.
"""

import json
import sqlite3
from collections.abc import Sequence
from importlib import resources
from typing import Final, NamedTuple

from db.ulid import UlidMaker
from domain.caps import HouseCaps
from domain.refusals import Code, Refusal
from domain.session_keys import key_ended
from domain.units import BetId, EpochMs, Micros, payout_micros
from protocols.money import BetConfirmed, BetOrder, BetOutcome, BetRefused

_TAKE_BATCH: Final = """
    INSERT INTO bet_batch (orders, at_ms, txn, house_ledger_id)
    VALUES (?, ?, (SELECT ifnull(max(rowid), 0) + 1 FROM transaction_ledger), ?)
"""

_DECISIONS: Final = """
    SELECT json_group_array(json_array(
        verdict, user_id, seq, balance, first_bet_id, first_status,
        CASE verdict WHEN 'key_bet' THEN key_bet_max_micros
                     WHEN 'key_day' THEN key_day_max_micros
                     WHEN 'paused' THEN paused_until_ms
                     WHEN 'stake' THEN stake_max_micros
                     WHEN 'loss_day' THEN loss_day_max_micros END,
        lost_micros))
    FROM (SELECT * FROM bet_decision ORDER BY n)
"""
"""One row, because each row fetched is another wait for the interpreter lock."""


_LIMIT_MESSAGES: Final = {
    "key_bet": "The session key may not stake as much in one bet.",
    "key_day": "The session key may not stake as much in one day.",
    "paused": "You have paused your betting.",
    "stake": "This is above the stake that you allow yourself.",
    "loss_day": "This could lose more than you allow yourself in one day.",
}


class _Decision(NamedTuple):
    verdict: str
    user_id: int | None
    seq: int
    balance_micros: Micros
    first_bet_id: BetId | None
    first_status: str | None
    limit: int | None
    """The limit that is reached: micros, or when a pause ends."""
    lost_micros: int | None
    """On this day so far, less what came back."""


def install_intake(connection: sqlite3.Connection, caps: HouseCaps) -> None:
    """Make the temporary tables and triggers of the write connection."""
    connection.executescript((resources.files("db") / "intake.sql").read_text("utf-8"))
    connection.execute(
        "INSERT INTO house_caps VALUES (?, ?, ?)",
        (
            caps.payout_per_user_micros,
            caps.payout_per_cell_micros,
            caps.payout_per_column_micros,
        ),
    )


def place(
    connection: sqlite3.Connection,
    orders: Sequence[BetOrder],
    *,
    at_ms: EpochMs,
    ulids: UlidMaker,
) -> list[BetOutcome]:
    """Carry the orders out, in order, within the open transaction.

    Raises sqlite3.Error, OverflowError or UnicodeError and leaves nothing of any of them if one
    breaks what the schema holds.
    """
    *ledger_ids, house_ledger_id = ulids.take(len(orders) + 1, at_ms)
    rows = [_row(order, ledger_id) for order, ledger_id in zip(orders, ledger_ids, strict=True)]
    # Not ensure_ascii: text that isn't Unicode then fails here, and isn't stored unreadable.
    text = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
    connection.execute(_TAKE_BATCH, (text, at_ms, house_ledger_id))
    decisions = json.loads(connection.execute(_DECISIONS).fetchone()[0])
    return [
        _outcome(order, _Decision(*decision), at_ms)
        for order, decision in zip(orders, decisions, strict=True)
    ]


def _row(order: BetOrder, ledger_id: str) -> tuple[object, ...]:
    """In the order in which the trigger `take_batch` reads it."""
    bet, cell = order.bet, order.bet.cell
    return (
        ledger_id,
        bet.bet_id,
        bet.wallet,
        bet.nonce,
        cell.column_start_s,
        order.column_s,
        cell.lo_cents,
        cell.hi_cents,
        cell.id,
        order.rule.value,
        bet.stake_micros,
        order.reward_bps,
        order.quote_n,
        payout_micros(bet.stake_micros, order.reward_bps),
        int(order.refusal is not None),
        bet.key_id,
    )


def _outcome(order: BetOrder, decision: _Decision, at_ms: EpochMs) -> BetOutcome:
    bet = order.bet
    if decision.verdict != "confirmed":
        return BetRefused(
            bet_id=bet.bet_id,
            wallet=bet.wallet,
            cell_id=bet.cell.id,
            refusal=_refusal(order, decision),
            user_id=decision.user_id,
            seq=decision.seq if decision.verdict == "insufficient_funds" else None,
        )
    assert decision.user_id is not None, "only an account can be charged"
    return BetConfirmed(
        bet_id=bet.bet_id,
        user_id=decision.user_id,
        wallet=bet.wallet,
        seq=decision.seq,
        cell_id=bet.cell.id,
        stake_micros=bet.stake_micros,
        reward_bps=order.reward_bps,
        balance_micros=decision.balance_micros,
        placed_at_ms=at_ms,
    )


def _refusal(order: BetOrder, decision: _Decision) -> Refusal:
    match decision.verdict:
        case "replay_detected":
            first = {"bet_id": decision.first_bet_id, "status": decision.first_status}
            return Refusal(Code.REPLAY_DETECTED, details={"bet": first})
        case "refused" if order.refusal is not None:
            return order.refusal
        case "unknown_wallet":
            return Refusal(Code.INSUFFICIENT_FUNDS)
        case "cell_taken":
            return Refusal(Code.CELL_TAKEN, details={"bet_id": decision.first_bet_id})
        case "cell_unavailable":
            return Refusal(Code.CELL_UNAVAILABLE, "This column has its verdict.")
        case "column_void":
            return Refusal(Code.CELL_UNAVAILABLE, "This column is being given back.")
        case "unauthorized":
            assert order.bet.key_id is not None, "only a key ends"
            return key_ended(order.bet.key_id)
        case "key_bet" | "key_day" | "paused" | "stake" | "loss_day" as limit:
            return _limit_reached(limit, decision)
        case verdict:
            return Refusal(Code(verdict))


def _limit_reached(limit: str, decision: _Decision) -> Refusal:
    named = "until_ms" if limit == "paused" else "max_micros"
    details: dict[str, object] = {"limit": limit, named: decision.limit}
    if limit == "loss_day":
        details["lost_micros"] = decision.lost_micros
    return Refusal(Code.LIMIT_REACHED, _LIMIT_MESSAGES[limit], details)
