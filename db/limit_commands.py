"""Limits that traders set for themselves, in the ledger.

Each function works within the transaction that the ledger has open. They are enforced in
`intake.sql`; what becomes of a change is decided by `domain.self_limits`. Who never set a limit has
no row, so that his bets need not be added up by the day.
"""

import sqlite3
from typing import Any, Final

from domain.refusals import Code, Refusal
from domain.self_limits import DAY_MS, PendingMax, SelfLimits, after, utc_day
from domain.units import EpochMs
from protocols.account_commands import AccountChange, AccountChanged, SetLimits

LIMIT_COLUMNS: Final = (
    "stake_max_micros, loss_day_max_micros, paused_until_ms, next_stake_max_micros,"
    " next_stake_at_ms, next_loss_day_max_micros, next_loss_day_at_ms"
)
"""Of `account_limits`, as `limits_from` takes them."""

_KEEP: Final = f"""
    INSERT INTO account_limits (user_id, {LIMIT_COLUMNS}, day, day_lost_micros)
    VALUES (:user_id, :stake, :loss, :paused, :next_stake, :next_stake_at, :next_loss,
            :next_loss_at, :today, :lost)
    ON CONFLICT (user_id) DO UPDATE SET
        stake_max_micros = :stake, loss_day_max_micros = :loss, paused_until_ms = :paused,
        next_stake_max_micros = :next_stake, next_stake_at_ms = :next_stake_at,
        next_loss_day_max_micros = :next_loss, next_loss_day_at_ms = :next_loss_at
"""

_LOST_SINCE: Final = """
    SELECT ifnull(-sum(amount), 0) FROM transaction_ledger
    WHERE user_id = :user_id AND ref_type IN ('BET', 'PAYOUT', 'REFUND')
      AND rowid > ifnull((
          SELECT rowid FROM transaction_ledger
          WHERE user_id = :user_id AND created_at_ms < :since_ms ORDER BY rowid DESC LIMIT 1), 0)
"""
"""Rows are written in the order of time, so the search ends at the newest one before."""

_CARRIED_SINCE: Final = """
    SELECT ifnull(sum(stake_micros), 0) FROM bets
    WHERE user_id = :user_id AND placed_at_ms >= :since_ms AND carried_from IS NOT NULL
"""


def set_limits(
    connection: sqlite3.Connection, command: SetLimits, *, at_ms: EpochMs
) -> AccountChanged | Refusal:
    """Change an account's limits; an event of the trader, also where nothing is to change."""
    row = connection.execute(
        "UPDATE users SET version = version + 1 WHERE wallet_address = ? AND id > 2"
        " RETURNING id, version, frozen",
        (command.wallet,),
    ).fetchone()
    if row is None:
        return Refusal(Code.NOT_FOUND, f"There is no account of {command.wallet}.")
    user_id, version, frozen = row
    before = limits_of(connection, user_id)
    limits = after(before or SelfLimits(), command.asked, at_ms)
    lost_micros = _lost_on_the_day(connection, user_id, at_ms) if before is None else 0
    connection.execute(
        _KEEP,
        {
            "user_id": user_id,
            "today": utc_day(at_ms),
            "lost": lost_micros,
            **_parameters(limits),
        },
    )
    return AccountChanged(
        user_id=user_id,
        wallet=command.wallet,
        seq=version,
        what=AccountChange.LIMITS,
        frozen=bool(frozen),
        limits=limits,
    )


def limits_of(connection: sqlite3.Connection, user_id: int) -> SelfLimits | None:
    """As they were written last; None: none were ever set. What has come due since is
    `domain.self_limits.in_force`."""
    sql = f"SELECT {LIMIT_COLUMNS} FROM account_limits WHERE user_id = ?"
    row = connection.execute(sql, (user_id,)).fetchone()
    return limits_from(row) if row is not None else None


def limits_from(row: tuple[Any, ...]) -> SelfLimits:
    """Of the `LIMIT_COLUMNS`, which are all NULL where there is no row."""
    stake, loss, paused_until_ms, next_stake, next_stake_at_ms, next_loss, next_loss_at_ms = row
    return SelfLimits(
        stake_max_micros=stake,
        loss_day_max_micros=loss,
        paused_until_ms=paused_until_ms or 0,
        next_stake_max=_pending(next_stake, next_stake_at_ms),
        next_loss_day_max=_pending(next_loss, next_loss_at_ms),
    )


def _pending(micros: int | None, from_ms: EpochMs | None) -> PendingMax | None:
    return PendingMax(micros=micros, from_ms=from_ms) if from_ms is not None else None


def _parameters(limits: SelfLimits) -> dict[str, object]:
    stake, loss = limits.next_stake_max, limits.next_loss_day_max
    return {
        "stake": limits.stake_max_micros,
        "loss": limits.loss_day_max_micros,
        "paused": limits.paused_until_ms,
        "next_stake": stake.micros if stake else None,
        "next_stake_at": stake.from_ms if stake else None,
        "next_loss": loss.micros if loss else None,
        "next_loss_at": loss.from_ms if loss else None,
    }


def _lost_on_the_day(connection: sqlite3.Connection, user_id: int, at_ms: EpochMs) -> int:
    """Stakes less what came back, on the UTC day so far, of an account whose losses nobody has
    counted yet.

    A file may be begun within a day, if the week could not be begun at its first minute. Then what
    is open still counts; what was staked on that day and has ended in the file before does not.
    """
    wanted = {"user_id": user_id, "since_ms": utc_day(at_ms) * DAY_MS}
    taken = connection.execute(_LOST_SINCE, wanted).fetchone()[0]
    carried = connection.execute(_CARRIED_SINCE, wanted).fetchone()[0]
    return int(taken + carried)
