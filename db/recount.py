"""What a trader's keys staked and he lost on their newest day, added up anew.

These sums are kept because the deduction has no time to add them up (`db/intake.sql`); where one is
not what it should be (`db.key_check`), a rebuild of the account sets it right. Within the
transaction that the ledger has open.

A file that was begun within a day has not all rows of that day. Such a sum is raised to what is
here, and never lowered: what is in the file before may be in it.
"""

import sqlite3
from typing import Final

from domain.self_limits import utc_day
from domain.units import EpochMs

_ALL_IS_HERE: Final = """
    (kept.day * 86400000 >= m.opened_at_ms OR NOT EXISTS (SELECT 1 FROM partitions))
"""

_KEYS: Final = f"""
    WITH signed AS MATERIALIZED (
        SELECT key_id, placed_at_ms / 86400000 AS day, sum(stake_micros) AS micros FROM bets
        WHERE user_id = :user_id AND key_id IS NOT NULL AND holds_cell GROUP BY 1, 2
    ), newest AS (
        -- A day that is yet to come is none on which anything can have been staked.
        SELECT k.id, max(iif(k.day > :today, 0, k.day), ifnull((
                   SELECT max(day) FROM signed WHERE key_id = k.id), 0)) AS day
        FROM session_keys AS k WHERE k.user_id = :user_id
    ), counted AS (
        SELECT n.id, n.day, ifnull(s.micros, 0) AS micros
        FROM newest AS n LEFT JOIN signed AS s ON s.key_id = n.id AND s.day = n.day
    )
    UPDATE session_keys AS kept SET day = c.day, day_stake_micros = c.micros
    FROM counted AS c, meta AS m
    WHERE kept.id = c.id
      AND (c.day <> kept.day OR c.micros > kept.day_stake_micros
           OR (c.micros < kept.day_stake_micros AND {_ALL_IS_HERE}))
    RETURNING 1
"""

_LOSSES: Final = f"""
    WITH booked AS MATERIALIZED (
        SELECT created_at_ms / 86400000 AS day, -sum(amount) AS micros FROM transaction_ledger
        WHERE user_id = :user_id AND ref_type IN ('BET', 'PAYOUT', 'REFUND') GROUP BY 1
    ), newest AS (
        SELECT max(iif(a.day > :today, 0, a.day), ifnull((SELECT max(day) FROM booked), 0)) AS day
        FROM account_limits AS a WHERE a.user_id = :user_id
    ), counted AS (
        SELECT n.day, ifnull(b.micros, 0) AS micros
        FROM newest AS n LEFT JOIN booked AS b ON b.day = n.day
    )
    UPDATE account_limits AS kept SET day = c.day, day_lost_micros = c.micros
    FROM counted AS c, meta AS m
    WHERE kept.user_id = :user_id
      AND (c.day <> kept.day OR (c.micros <> kept.day_lost_micros AND {_ALL_IS_HERE}))
    RETURNING 1
"""
"""A loss can be lower than what is here says as well as higher, so of a day that is not all here
nothing can be said."""


def recount(connection: sqlite3.Connection, user_id: int, *, at_ms: EpochMs) -> int:
    """Set them right; how many were not. Looks at all rows of the account."""
    given = {"user_id": user_id, "today": utc_day(at_ms)}
    return sum(len(connection.execute(sql, given).fetchall()) for sql in (_KEYS, _LOSSES))
